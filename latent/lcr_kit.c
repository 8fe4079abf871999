// lcr_kit.c: the parts of LC-R that its writers and readers share: marks, dense digits, characters.
#include "latent/lcr_kit.h"

#include <string.h>

const char *const lcr_marks[LCR_MAX_LEVEL + 1] = {"",  "⊕", "⊗", "⊙", "⊚", "⊛", "⊜",
                                                  "⊝", "⊞", "⊟", "⊠", "⊡", "⟡"};

const struct lcr_digits lcr_ideographs = {0x4E00, 14, 12};
const struct lcr_digits lcr_syllables = {0xAC00, 13, 11};

size_t lcr_limit(size_t text_bytes)
{
    return ((size_t)16 << 20) + 64 * text_bytes;
}

// -- writing --------------------------------------------------------------------------------------

void lcr_put_digits(struct buf *out, const struct lcr_digits *set, uint64_t n)
{
    uint32_t last = (uint32_t)(n & ((UINT64_C(1) << set->last) - 1));
    unsigned shift = 0;
    n >>= set->last;
    while (shift + set->more < 64 && n >> shift >> set->more != 0)
        shift += set->more;
    for (bool more = n != 0; more; shift -= set->more) {
        uint32_t digit = (uint32_t)(n >> shift & ((UINT64_C(1) << set->more) - 1));
        buf_rune(out, set->base + (UINT32_C(1) << set->last) + digit);
        more = shift > 0;
    }
    buf_rune(out, set->base + last);
}

static void put_number(struct buf *out, uint64_t small, uint64_t n)
{
    if (small < 10)
        buf_putc(out, (char)('0' + small));
    else
        lcr_put_digits(out, &lcr_ideographs, n);
}

void lcr_put_count(struct buf *out, unsigned level, uint64_t n)
{
    if (level < LCR_NUMBERS)
        buf_printf(out, "%llu", (unsigned long long)n);
    else
        put_number(out, n, n);
}

void lcr_put_int(struct buf *out, int64_t i)
{
    uint64_t u = (uint64_t)i;
    put_number(out, u, i < 0 ? ~(u << 1) : u << 1);
}

void lcr_put_bits(struct buf *out, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | at[i]) & 0x3FFFFF;
        held += 8;
        if (held >= LCR_BITS) {
            held -= LCR_BITS;
            buf_rune(out, lcr_ideographs.base + (bits >> held & 0x3FFF));
        }
    }
    if (held > 0)
        buf_rune(out, lcr_ideographs.base + (bits << (LCR_BITS - held) & 0x3FFF));
}

// Whether a character is one that people would not see (base/utf8.c lists them) or that has a
// meaning in LC-R.
static bool hidden(const char *s, size_t n)
{
    struct buf shown = {0};
    buf_visible(&shown, s, n);
    bool same = shown.n == n && memcmp(shown.at, s, n) == 0;
    buf_free(&shown);
    return !same;
}

static bool is_syllable(uint32_t c)
{
    return c >= 0xAC00 && c <= 0xD7A3;
}

static void put_char(struct buf *out, const char *s, size_t n, uint32_t c, bool phrases)
{
    static const char from[] = "\n\t\r\"\\", to[] = "ntr\"\\";
    const char *at = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (at != NULL) {
        buf_putc(out, '\\');
        buf_putc(out, to[at - from]);
    } else if (phrases && is_syllable(c)) {
        buf_putc(out, '\\');
        buf_put(out, s, n);
    } else if ((c < 0x20 || c >= 0x7F) && hidden(s, n)) {
        buf_printf(out, "\\u{%04X}", (unsigned)c);
    } else {
        buf_put(out, s, n);
    }
}

void lcr_put_chars(struct buf *out, const char *s, size_t n, bool phrases)
{
    uint32_t c = 0;
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0)
            return; // a valid value has no such text
        put_char(out, s + i, len, c, phrases);
    }
}

size_t lcr_chars(const char *s, size_t n)
{
    size_t chars = 0;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)s[i] & 0xC0) != 0x80;
    return chars;
}

size_t lcr_shared(const struct lcr_text *a, const char *s, size_t n)
{
    size_t least = a->n < n ? a->n : n, i = 0;
    while (i < least && a->at[i] == s[i])
        i++;
    while (i > 0 && i < n && ((unsigned char)s[i] & 0xC0) == 0x80)
        i--;
    return i;
}

// -- reading --------------------------------------------------------------------------------------

static size_t digit_at(const struct reader *r, const struct lcr_digits *set, uint32_t *digit)
{
    uint32_t c = 0, most = (UINT32_C(1) << set->last) + (UINT32_C(1) << set->more);
    size_t n = r->at < r->end ? utf8_decode(r->at, reader_left(r), &c) : 0;
    if (n == 0 || c < set->base || c - set->base >= most)
        return 0;
    *digit = c - set->base;
    return n;
}

bool lcr_at_digit(const struct reader *r, const struct lcr_digits *set)
{
    uint32_t digit;
    return digit_at(r, set, &digit) > 0;
}

bool lcr_read_digits(struct reader *r, const struct lcr_digits *set, uint64_t *n)
{
    const char *from = r->at;
    uint32_t digit, lasts = UINT32_C(1) << set->last;
    *n = 0;
    for (size_t len; (len = digit_at(r, set, &digit)) > 0;) {
        bool last = digit < lasts;
        unsigned bits = last ? set->last : set->more;
        digit = last ? digit : digit - lasts;
        if (*n >> (64 - bits) != 0 || (*n == 0 && !last && digit == 0))
            return reader_fail(r, from, r->at + len, "E_LC_PARSE",
                               "a number is written longer than needed, or does not fit into 64 "
                               "bits");
        *n = *n << bits | digit;
        r->at += len;
        if (last)
            return true;
    }
    return reader_expected(r, "a digit that ends a number");
}

static bool read_ascii_digit(struct reader *r, uint64_t *n)
{
    int c = reader_peek(r);
    if (c < '0' || c > '9')
        return false;
    *n = (uint64_t)(c - '0');
    r->at++;
    return true;
}

// Ideographs for a number that has no single digit: `small` is that number where it is below 10.
static bool no_digit(struct reader *r, const char *from, uint64_t small)
{
    return small > 9 || reader_fail(r, from, r->at, "E_LC_PARSE",
                                    "a number from 0 to 9 is written as one digit");
}

bool lcr_read_count(struct reader *r, unsigned level, uint64_t *n)
{
    const char *from = r->at;
    int64_t i;
    if (level >= LCR_NUMBERS)
        return read_ascii_digit(r, n) ||
               (lcr_read_digits(r, &lcr_ideographs, n) && no_digit(r, from, *n));
    if (reader_peek(r) == '-')
        return reader_expected(r, "a number");
    if (!reader_int(r, &i))
        return false;
    *n = (uint64_t)i;
    return true;
}

bool lcr_read_int(struct reader *r, int64_t *i)
{
    const char *from = r->at;
    uint64_t n;
    if (!read_ascii_digit(r, &n)) {
        if (!lcr_read_digits(r, &lcr_ideographs, &n))
            return false;
        n = n & 1 ? ~(n >> 1) : n >> 1;
        if (!no_digit(r, from, n))
            return false;
    }
    memcpy(i, &n, sizeof n);
    return true;
}

bool lcr_read_bits(struct reader *r, size_t n, struct buf *out)
{
    uint32_t bits = 0, digit = 0;
    unsigned held = 0;
    const char *from = r->at;
    if (n / 7 * 4 > reader_left(r) / 3)
        return reader_fail(r, from, r->end, "E_LC_PARSE",
                           "there are fewer characters than that many bytes take");
    for (; n > 0; n--) {
        if (held < 8) {
            size_t len = digit_at(r, &lcr_ideographs, &digit);
            if (len == 0 || digit >> LCR_BITS != 0)
                return reader_expected(r, "a character of bytes, U+4E00 to U+8DFF");
            bits = bits << LCR_BITS | digit;
            held += LCR_BITS;
            r->at += len;
        }
        held -= 8;
        buf_putc(out, (char)(bits >> held));
        bits &= (UINT32_C(1) << held) - 1;
    }
    return bits == 0 ||
           reader_fail(r, from, r->at, "E_LC_PARSE", "the bits after the last byte are not 0");
}
