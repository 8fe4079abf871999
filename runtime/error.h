// error.h: how the runtime reports failures: an exit code and a sentence, as a value.
#ifndef HLX_RUNTIME_ERROR_H
#define HLX_RUNTIME_ERROR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/version.h"
#include "runtime/hlx.h"

// Fills *e and returns false, so that a function may end with `return hlx_fail(...)`.
bool hlx_fail(struct hlx_error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// hlx_fail for memory that ran out; `what` names what it was for ("the parameters").
static inline bool hlx_no_memory(struct hlx_error *e, const char *what)
{
    hlx_fail(e, EXIT_DEVICE, "out of memory for %s", what);
    return false;
}

// hlx_fail for memory that ran out while a file was read.
bool hlx_no_memory_reading(struct hlx_error *e, const char *path);
// A file could not be read: `why` is file_read's sentence. Memory that ran out is told as such.
bool hlx_unread(struct hlx_error *e, const char *path, const char *why);

// Runs work(context), which reads the file `path` into an arena. Returns false and fills *e
// (EXIT_DEVICE) when memory ran out (arena_try).
bool hlx_reading(struct arena *a, const char *path, void (*work)(void *context), void *context,
                 struct hlx_error *e);

#endif
