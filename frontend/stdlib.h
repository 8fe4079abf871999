// stdlib.h: the standard library's sources, embedded at build time.
#ifndef HLX_FRONTEND_STDLIB_H
#define HLX_FRONTEND_STDLIB_H

#include <stddef.h>

struct stdlib_file {
    const char *name; // "nn"
    const char *text; // NUL-terminated
    size_t len;
};

// Ends with a row of zeroes.
extern const struct stdlib_file stdlib_files[];

#endif
