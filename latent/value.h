// value.h: the latent value model, the one kind of data that every track (text, runic, binary)
// lowers to. Values are immutable once built and live in an arena. See spec/latent.md.
#ifndef HLX_LATENT_VALUE_H
#define HLX_LATENT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,   // signed 64-bit
    VALUE_FLOAT, // IEEE double, finite, never -0.0
    VALUE_TEXT,  // UTF-8, NFC, LF line ends
    VALUE_BYTES,
    VALUE_ARRAY,
    VALUE_OBJECT, // unique text keys, sorted by code point (which is byte order in UTF-8)
    VALUE_HANDLE  // "&h_" + 64 hex digits, or a named handle "&h_shader"
};

#define VALUE_MAX_DEPTH 64

struct value_field;

struct value {
    enum value_kind kind;
    unsigned depth; // nesting, kept by the constructors; a scalar and an empty array are 1
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            // Text, bytes, handle. A copy with a NUL after it that is not counted; bytes that
            // lcb_decode_in_place gave have no NUL.
            const char *at;
            size_t n;
        } bytes;
        struct {
            const struct value **at;
            size_t n;
        } array;
        struct {
            const struct value_field *at; // sorted by key
            size_t n;
        } object;
    } as;
};

struct value_field {
    const char *key;
    size_t len;
    const struct value *value;
};

// What a constructor, validator or decoder refused, with the family's code.
struct latent_error {
    const char *code;    // "E_FLOAT_SPECIAL", "E_FIELD_ORDER", "E_DEPTH_EXCEEDED", "E_LC_PARSE" ...
    const char *message; // a sentence, in the arena
    size_t offset;       // byte offset in the input, where there is one
    size_t width;        // of what is wrong there, in bytes; 0: unknown
};

// Constructors. Text is normalised (NFC, CRLF and CR to LF); floats lose their negative zero.
// value_float refuses NaN and infinities, value_text refuses invalid UTF-8, value_object refuses
// duplicate keys: they return NULL and fill *error (which may be NULL).
const struct value *value_null(void);
const struct value *value_bool(bool b);
const struct value *value_int(struct arena *a, int64_t i);
const struct value *value_float(struct arena *a, double x, struct latent_error *error);
const struct value *value_text(struct arena *a, const char *s, size_t n,
                               struct latent_error *error);
const struct value *value_str(struct arena *a, const char *s); // text known to be valid UTF-8
const struct value *value_bytes(struct arena *a, const void *bytes, size_t n); // copies
const struct value *value_array(struct arena *a, const struct value *const *items, size_t n);
const struct value *value_handle(struct arena *a, const char *text, struct latent_error *error);
// Sorts the fields (copied).
const struct value *value_object(struct arena *a, const struct value_field *fields, size_t n,
                                 struct latent_error *error);
// For decoders: parts that are in canonical form already, so nothing is normalised or sorted.
// `kind` is TEXT, BYTES or HANDLE and the bytes are copied; keys are kept, not copied.
const struct value *value_canonical(struct arena *a, enum value_kind kind, const void *bytes,
                                    size_t n);
// The same, but the bytes are neither copied nor ended by a NUL: they have to outlive the value.
const struct value *value_borrowed(struct arena *a, enum value_kind kind, const void *bytes,
                                   size_t n);
const struct value *value_object_sorted(struct arena *a, const struct value_field *fields,
                                        size_t n);

// A contract is an object with one key, its number: {"902": {...}}.
const struct value *value_contract(struct arena *a, int64_t number, const struct value *fields);

// The field of an object, or NULL (also when v is no object).
const struct value *value_get(const struct value *v, const char *key);
// Shorthands for readers of untrusted values: false when the field is missing or of another kind
// (for text, also when it holds a NUL, which a C string could not show).
bool value_get_int(const struct value *v, const char *key, int64_t *out);
bool value_get_text(const struct value *v, const char *key, const char **out);
// If v is a contract, its number and fields. Anything else gives false.
bool value_is_contract(const struct value *v, int64_t *number, const struct value **fields);

// Structural equality; equal values have equal LC-B bytes and the other way round. Values deeper
// than VALUE_MAX_DEPTH, which have no encoding, equal only themselves.
bool value_equal(const struct value *a, const struct value *b);

// Nesting depth (a scalar is 1). Contract 804: checks the whole value (depth, UTF-8, NFC, finite
// floats, key order); false fills *error. The constructors leave only the depth to be checked, and
// whoever encodes a value of unknown depth checks it first.
size_t value_depth(const struct value *v);
bool value_validate(struct arena *a, const struct value *v, struct latent_error *error);

// Writes a value for people: JSON with sorted keys; bytes as {"$bytes": "hex"}, handles as
// "&h_...", and texts and objects that look like those as {"$text": ...} and {"$object": ...}, so
// that value_from_json gives the same value again (spec/latent.md, L5). indent 0 gives one line;
// there is no line end after the last. What lies deeper than VALUE_MAX_DEPTH is shown as "...".
void value_json(const struct value *v, unsigned indent, struct buf *out);

// Reads JSON of exactly n bytes. Texts and keys are normalised like those of the constructors.
// Returns NULL and fills *error (which may be NULL) on bad input, with the offset and the width of
// what is wrong.
const struct value *value_from_json(struct arena *a, const char *json, size_t n,
                                    struct latent_error *error);

const char *value_kind_name(enum value_kind kind);

#endif
