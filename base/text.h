// text.h: byte strings, a string builder, UTF-8, display width, numbers as text.
#ifndef HLX_BASE_TEXT_H
#define HLX_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

// A string builder. Its bytes are malloc'ed (growing by doubling) and always NUL-terminated after
// the first append; running out of memory ends the process with exit 3. Start with {0}.
struct buf {
    char *at;
    size_t n, cap;
};

void buf_free(struct buf *b);
void buf_clear(struct buf *b); // length 0, storage kept
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args);
void buf_fill(struct buf *b, char c, size_t n);

// Private to buf_put: for what does not fit.
void buf_put_(struct buf *b, const void *bytes, size_t n);

static inline void buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (n == 0 || n >= b->cap - b->n) {
        buf_put_(b, bytes, n);
        return;
    }
    memcpy(b->at + b->n, bytes, n);
    b->n += n;
    b->at[b->n] = '\0';
}

// Appends code point `c` in UTF-8.
void buf_rune(struct buf *b, uint32_t c);

// Appends a double in the shortest decimal form that reads back to the same double, independent of
// the locale, always with a '.' or an exponent ("1.0", "3e-04" is written "0.0003", "1e+30").
// inf and nan are written "inf", "-inf", "nan".
void buf_double(struct buf *b, double x);

// Appends the bytes as a quoted ASCII literal: \n \t \r \" \\ \u{XXXX} for non-ASCII code points
// and control characters, \xXX for bytes that are not UTF-8.
void buf_quote(struct buf *b, const char *s, size_t n);

// Appends the bytes as a JSON string with quotes (UTF-8 kept, invalid bytes become U+FFFD).
void buf_json(struct buf *b, const char *s, size_t n);

// Appends the bytes made safe to show: invalid bytes, control characters (tab and newline too),
// direction marks and other invisible characters become U+FFFD.
void buf_visible(struct buf *b, const char *s, size_t n);

// Reads a double in C syntax from exactly n bytes, independent of the locale; also "inf", "-inf"
// and "nan" as buf_double writes them. Returns false when the bytes are anything else, space
// around the number included. Overflow gives infinity.
bool text_double(const char *s, size_t n, double *out);

// Decodes one code point at s (n bytes left, n > 0). Returns its length in bytes and stores it;
// returns 0 for an invalid or truncated sequence (over-long, surrogate, above U+10FFFF).
size_t utf8_decode(const char *s, size_t n, uint32_t *rune);
bool utf8_valid(const char *s, size_t n);

// Terminal columns of n bytes: wide characters count 2, combining marks 0, a tab advances to the
// next multiple of `tab` counted from column `from`, an invalid byte counts 1, and so does whatever
// buf_visible shows as U+FFFD.
size_t text_width(const char *s, size_t n, size_t from, size_t tab);

// Normalises to NFC. Returns an arena copy (or the input itself if nothing changes) and its length
// in *out_n; NULL if the input is not UTF-8.
const char *text_nfc(struct arena *a, const char *s, size_t n, size_t *out_n);

// The ASCII letter that a letter of another script looks like ("a" for the Cyrillic U+0430), or
// NULL.
const char *text_lookalike(uint32_t rune);

// The name in ASCII that a word stands for: without marks ("naive"), with the letters that its own
// look like where it mixes scripts, with those that spell them where it does not ("lambda"). NULL
// when there is none.
const char *text_ascii_twin(struct arena *a, const char *s, size_t n);

// Edit distance with transpositions, for "did you mean"; capped at `limit` + 1. Words of
// more than 63 bytes are only told equal (0) or not (limit + 1).
size_t text_distance(const char *a, const char *b, size_t limit);

// The candidate nearest to `word` within a third of its length (at least 1), or NULL.
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

#endif
