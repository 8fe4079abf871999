// error.c: failures of the runtime as values: an exit code and a sentence safe to print.
#include "runtime/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

// Names in a message may come from hostile files: control characters would reach the terminal, and
// the cut at the buffer's end may split a character.
static void make_printable(char *text)
{
    struct buf clean = {0};
    buf_visible(&clean, text, strlen(text));
    size_t n = clean.n;
    size_t room = sizeof((struct hlx_error *)0)->text - 1;
    if (n > room)
        for (n = room; n > 0 && ((unsigned char)clean.at[n] & 0xc0) == 0x80;)
            n--;
    if (n > 0)
        memcpy(text, clean.at, n);
    text[n] = '\0';
    buf_free(&clean);
}

bool hlx_fail(struct hlx_error *e, int code, const char *format, ...)
{
    e->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    make_printable(e->text);
    return false;
}

bool hlx_no_memory_reading(struct hlx_error *e, const char *path)
{
    return hlx_fail(e, EXIT_DEVICE, "out of memory while reading `%s`", path);
}

bool hlx_unread(struct hlx_error *e, const char *path, const char *why)
{
    return errno == ENOMEM ? hlx_no_memory_reading(e, path) : hlx_fail(e, EXIT_DATA, "%s", why);
}

bool hlx_reading(struct arena *a, const char *path, void (*work)(void *context), void *context,
                 struct hlx_error *e)
{
    return arena_try(a, work, context) || hlx_no_memory_reading(e, path);
}
