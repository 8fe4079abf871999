// embedded.h: texts that are part of the tools: the standard library and the pages about errors.
#ifndef HLX_FRONTEND_EMBEDDED_H
#define HLX_FRONTEND_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; // "nn"
    const char *text; // NUL-terminated
    size_t len;
};

// Each ends with a row of zeroes.
extern const struct embedded_file stdlib_files[]; // stdlib/*.hlxl
extern const struct embedded_file error_pages[];  // docs/errors.md

#endif
