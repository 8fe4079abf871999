// lcr_kit.h: the glyphs of LC-R and its dense digits, for its writers and readers. Private to
// latent/. spec/latent.md, L8, defines them.
#ifndef HLX_LATENT_LCR_KIT_H
#define HLX_LATENT_LCR_KIT_H

#include "latent/lcr.h"
#include "latent/reader.h"

#define LCR_NULL "∅"
#define LCR_TRUE "⊤"
#define LCR_FALSE "⊥"
#define LCR_HANDLE "⟁"
#define LCR_CONTRACT "🜊"
#define LCR_FIELD "🜁"
#define LCR_END "🜂"
#define LCR_INT "🜃"
#define LCR_FLOAT "🜄"
#define LCR_TEXT "᛭"
#define LCR_BYTES "᛫"
#define LCR_ARRAY "⋔"
#define LCR_OBJECT "⋕"
#define LCR_SEPARATOR "⋅"
#define LCR_BIND "⋯"
#define LCR_NEST "◇"   // begins the dictionary
#define LCR_FLOW "→"   // ends it; in an array, stands before a sequence's step
#define LCR_TIMES "×"  // before a number of repetitions
#define LCR_DELTA "∆"  // before an array's ints that are given by their differences
#define LCR_PHRASE "¶" // begins the phrases
#define LCR_PREFIX "^" // before a text that shares its beginning with the one before it

// What each level adds to the one below it.
enum lcr_level {
    LCR_PLAIN,
    LCR_BARE,     // no glyph where the first character tells the kind
    LCR_KEYS,     // a dictionary of keys
    LCR_TEXTS,    // ... and of texts and handles
    LCR_SHARED,   // ... and of arrays, objects, bytes and floats
    LCR_SHAPES,   // ... and of the keys of objects
    LCR_TABLES,   // arrays of objects with the same keys, by row
    LCR_RUNS,     // repeated items and arithmetic sequences
    LCR_DENSE,    // bytes, 14 bits a character
    LCR_NUMBERS,  // ints and counts in one or two characters, long floats in six
    LCR_PREFIXES, // texts without the beginning that they share
    LCR_COLUMNS,  // tables by column, ints by their differences
    LCR_PHRASES   // pieces of texts
};

extern const char *const lcr_marks[LCR_MAX_LEVEL + 1]; // "" for level 0

// Digits above ASCII: a number is any digits of `more` bits, most significant first, and one of
// `last` bits. Those begin at code point `base`, the others after them.
struct lcr_digits {
    uint32_t base;
    unsigned last, more;
};

extern const struct lcr_digits lcr_ideographs; // U+4E00 on: ints, counts, bytes
extern const struct lcr_digits lcr_syllables;  // U+AC00 on: references

enum {
    LCR_LETTERS = 52, // entries that have a letter
    LCR_BITS = 14,    // of bytes in a character
    LCR_WEIGHT = 16   // of a value, a key or a shape besides its bytes and parts
};

// What a decoder may build beyond what the text spells out, in weights (L8.5).
size_t lcr_limit(size_t text_bytes);

// A text; also the one that the next in a list may share its beginning with.
struct lcr_text {
    const char *at;
    size_t n;
};

void lcr_put_digits(struct buf *out, const struct lcr_digits *set, uint64_t n);
// A count, length or index at a level: decimal below LCR_NUMBERS, then a digit or ideographs.
void lcr_put_count(struct buf *out, unsigned level, uint64_t n);
// The int at LCR_NUMBERS: 0 to 9 as a digit, others as ideographs of their zigzag form.
void lcr_put_int(struct buf *out, int64_t i);
void lcr_put_bits(struct buf *out, const void *bytes, size_t n); // LCR_BITS a character

// The reverse. They report what is wrong.
bool lcr_read_digits(struct reader *r, const struct lcr_digits *set, uint64_t *n);
bool lcr_read_count(struct reader *r, unsigned level, uint64_t *n);
bool lcr_read_int(struct reader *r, int64_t *i);
bool lcr_read_bits(struct reader *r, size_t n, struct buf *out);

// Whether the character at the cursor is a digit of the set.
bool lcr_at_digit(const struct reader *r, const struct lcr_digits *set);

// Appends a text's characters without quotes; `phrases`: syllables have a meaning and are escaped.
void lcr_put_chars(struct buf *out, const char *s, size_t n, bool phrases);

// How many characters there are in UTF-8.
size_t lcr_chars(const char *s, size_t n);

// Whole code points that two texts share at their beginning, in bytes.
size_t lcr_shared(const struct lcr_text *a, const char *s, size_t n);

// The writer of levels from LCR_BARE on, into an empty buffer. False when a decoder would refuse
// the text because it builds too much for its length.
bool lcr_write_collapsed(const struct value *v, unsigned level, struct buf *out);
// The reader of what follows the mark of such a level.
const struct value *lcr_read_collapsed(struct reader *r, unsigned level);

#endif
