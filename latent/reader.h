// reader.h: a cursor over a text that is being decoded, and what its readers share. Private to
// latent/.
#ifndef HLX_LATENT_READER_H
#define HLX_LATENT_READER_H

#include "latent/value.h"

struct reader {
    struct arena *arena;  // of the values and the error
    struct arena scratch; // freed at the end
    const char *start, *at, *end;
    struct latent_error *error;
};

struct reader reader_open(struct arena *a, const char *text, size_t n, struct latent_error *error);

// Bytes that are left.
size_t reader_left(const struct reader *r);

// The next byte, or -1 at the end.
int reader_peek(const struct reader *r);

// Skips spaces, tabs and line ends.
void reader_space(struct reader *r);

// Whether the text goes on with `token`, which is then skipped.
bool reader_take(struct reader *r, const char *token);

// Reports what stands between two places, and returns false.
bool reader_fail(struct reader *r, const char *from, const char *to, const char *code,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
// The same with E_LC_PARSE, about the character at the cursor: "expected X, found Y".
bool reader_expected(struct reader *r, const char *what);
// Reports that a value is nested too deep.
bool reader_too_deep(struct reader *r, const char *from);

// Appends what an escape after its backslash stands for: \n \t \r \" \\ \u{XXXX}, which is one code
// point in 4 to 6 upper-case hexadecimal digits.
bool reader_escape(struct reader *r, struct buf *out);

// Reads hexadecimal digits, two a byte, as far as they go, into bytes.
bool reader_hex(struct reader *r, struct buf *out);

// Reads an int of digits with an optional '-', as they are written without need of any other: no
// leading zeros, no "-0".
bool reader_int(struct reader *r, int64_t *out);

// Reads a float as buf_double writes it. -0.0 and what is too large is E_FLOAT_SPECIAL.
bool reader_float(struct reader *r, double *out);

// Reads the name of a handle, up to the first character that none can have. The value holds it with
// "&h_" before it.
const struct value *reader_handle(struct reader *r);

// Whether a text that was read is in canonical form (L1.4); reports it where it is not.
bool reader_canonical(struct reader *r, const char *from, const char *s, size_t n);

// Whether a key comes after the one before it (NULL: it is the first); reports it where not.
bool reader_key_order(struct reader *r, const char *from, const struct value_field *before,
                      const struct value_field *key);

#endif
