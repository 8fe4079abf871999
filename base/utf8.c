// utf8.c: UTF-8 decoding, display width, and text made safe to show.
#include "base/text.h"

#include <utf8proc.h>

// What a lead byte announces: length, its own payload bits, and the least code point that needs it.
struct lead {
    unsigned char mask, value, bits;
    uint32_t least;
};

static const struct lead leads[] = {{0x80, 0x00, 0x7F, 0},
                                    {0xE0, 0xC0, 0x1F, 0x80},
                                    {0xF0, 0xE0, 0x0F, 0x800},
                                    {0xF8, 0xF0, 0x07, 0x10000}};

size_t utf8_decode(const char *s, size_t n, uint32_t *rune)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t k = 0;
    while (k < 4 && (p[0] & leads[k].mask) != leads[k].value)
        k++;
    if (k == 4 || k >= n)
        return 0;
    uint32_t c = p[0] & leads[k].bits;
    for (size_t i = 1; i <= k; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < leads[k].least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *rune = c;
    return k + 1;
}

bool utf8_valid(const char *s, size_t n)
{
    uint32_t c;
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0)
            return false;
    }
    return true;
}

// Code points that a terminal obeys or hides instead of showing: controls, line separators,
// direction marks, byte order marks, tags. They are shown as U+FFFD, one column wide. The joiners
// U+200C and U+200D are not here: ordinary text needs them.
static const struct range {
    uint32_t first, last;
} hidden[] = {{0x0000, 0x001F}, {0x007F, 0x009F},  {0x061C, 0x061C}, {0x200B, 0x200B},
              {0x200E, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
              {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

static bool is_hidden(uint32_t c)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

static size_t rune_width(uint32_t c)
{
    if (c >= 0x20 && c < 0x7F)
        return 1;
    return is_hidden(c) ? 1 : (size_t)utf8proc_charwidth((utf8proc_int32_t)c);
}

size_t text_width(const char *s, size_t n, size_t from, size_t tab)
{
    size_t col = from;
    for (size_t i = 0, len; i < n; i += len) {
        uint32_t c = 0;
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0) {
            len = 1;
            col++;
        } else if (c == '\t' && tab != 0) {
            col = (col / tab + 1) * tab;
        } else {
            col += rune_width(c);
        }
    }
    return col - from;
}

void buf_visible(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0, len; i < n; i += len) {
        uint32_t c = 0;
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0 || is_hidden(c)) {
            len = len == 0 ? 1 : len;
            buf_rune(b, 0xFFFD);
        } else {
            buf_put(b, s + i, len);
        }
    }
}
