// buf.c: the string builder, and text quoted for source and for JSON.
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Makes room for `extra` bytes and the NUL.
static char *buf_room(struct buf *b, size_t extra)
{
    if (extra > SIZE_MAX / 4 - b->n)
        arena_exhausted();
    size_t need = b->n + extra + 1, cap = b->cap < 64 ? 64 : b->cap;
    if (need > b->cap) {
        while (cap < need)
            cap *= 2;
        char *at = realloc(b->at, cap);
        if (!at)
            arena_exhausted();
        b->at = at;
        b->cap = cap;
    }
    return b->at + b->n;
}

static void buf_advance(struct buf *b, size_t n)
{
    b->n += n;
    b->at[b->n] = '\0';
}

void buf_free(struct buf *b)
{
    free(b->at);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    if (b->at)
        b->at[0] = '\0';
}

void buf_putc(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    buf_advance(b, 1);
}

void buf_puts(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void buf_put_(struct buf *b, const void *bytes, size_t n)
{
    char *to = buf_room(b, n);
    if (n != 0)
        memcpy(to, bytes, n);
    buf_advance(b, n);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        return;
    vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, format, args);
    buf_advance(b, (size_t)n);
}

void buf_fill(struct buf *b, char c, size_t n)
{
    memset(buf_room(b, n), c, n);
    buf_advance(b, n);
}

void buf_rune(struct buf *b, uint32_t c)
{
    static const unsigned char lead[] = {0x00, 0x00, 0xC0, 0xE0, 0xF0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    char *to = buf_room(b, n);
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(lead[n] | c);
    buf_advance(b, n);
}

// The letter of a two-character escape that source and JSON share, or 0.
static char short_escape(uint32_t c)
{
    static const char from[] = "\n\t\r\"\\", to[] = "ntr\"\\";
    const char *at = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
    return at ? to[at - from] : '\0';
}

void buf_quote(struct buf *b, const char *s, size_t n)
{
    buf_putc(b, '"');
    for (size_t i = 0, len; i < n; i += len) {
        uint32_t c = 0;
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0) {
            len = 1;
            buf_printf(b, "\\x%02X", (unsigned char)s[i]);
        } else if (short_escape(c)) {
            buf_printf(b, "\\%c", short_escape(c));
        } else if (c < 0x20 || c >= 0x7F) {
            buf_printf(b, "\\u{%04X}", (unsigned)c);
        } else {
            buf_putc(b, (char)c);
        }
    }
    buf_putc(b, '"');
}

void buf_json(struct buf *b, const char *s, size_t n)
{
    buf_putc(b, '"');
    for (size_t i = 0, len; i < n; i += len) {
        uint32_t c = 0;
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0) {
            len = 1;
            buf_rune(b, 0xFFFD);
        } else if (short_escape(c)) {
            buf_printf(b, "\\%c", short_escape(c));
        } else if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            buf_printf(b, "\\u%04x", (unsigned)c);
        } else {
            buf_put(b, s + i, len);
        }
    }
    buf_putc(b, '"');
}
