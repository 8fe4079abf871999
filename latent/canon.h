// canon.h: the one form that texts and handles have inside a value, and how a departure from it is
// reported. Private to latent/.
#ifndef HLX_LATENT_CANON_H
#define HLX_LATENT_CANON_H

#include "latent/value.h"

// Text in canonical form: NFC, with CRLF and CR turned to LF. Returns the input itself when it is
// canonical already, else an arena copy; NULL when it is not UTF-8.
const char *canon_text(struct arena *a, const char *s, size_t n, size_t *out_n);

// What keeps text or a handle from being canonical, as the end of a sentence ("is not valid
// UTF-8"), or NULL when nothing does.
const char *canon_text_fault(struct arena *a, const char *s, size_t n);
const char *canon_handle_fault(const char *s, size_t n);

// Whether a key is a number: decimal digits without a leading zero, at most 18 of them.
bool canon_is_number(const char *s, size_t n);

// Whether JSON gives a key a meaning of its own: "$bytes", "$text", "$object".
bool value_json_reserved(const char *key, size_t n);

// The order of an object's keys: byte order, which in UTF-8 is code point order.
int canon_key_compare(const char *a, size_t an, const char *b, size_t bn);

// A text for a message: quoted, in ASCII, cut when long.
const char *canon_show(struct arena *a, const char *s, size_t n);

// Fills *error (when there is one) and returns false, so that a checker can return it.
bool canon_fail(struct arena *a, struct latent_error *error, const char *code, size_t offset,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
