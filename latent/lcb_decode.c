// lcb_decode.c: the strict reader of LC-B; what it accepts encodes to the same bytes again.
//
// Nothing is allocated on the word of the input: items are gathered on a stack as they are read and
// copied to the arena once their container has ended, so memory follows the bytes that are there.
#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "latent/canon.h"
#include "latent/lcb.h"

struct decoder {
    struct arena *arena;  // of the values and the error
    struct arena scratch; // of the stacks, freed at the end
    const unsigned char *start, *at, *end;
    struct latent_error *error;
    bool in_place;                   // BYTES stay in the input
    VEC(const struct value *) items; // of the arrays that are open
    VEC(struct value_field) fields;  // of the objects that are open
};

typedef const struct value *decode_fn(struct decoder *d, unsigned depth);

static const struct value *decode_value(struct decoder *d, unsigned depth);

static size_t offset(const struct decoder *d, const unsigned char *at)
{
    return (size_t)(at - d->start);
}

static size_t left(const struct decoder *d)
{
    return (size_t)(d->end - d->at);
}

static bool bad(struct decoder *d, const unsigned char *at, const char *code, const char *what)
{
    canon_fail(d->arena, d->error, code, offset(d, at), "byte %zu: %s", offset(d, at), what);
    return false;
}

static bool malformed(struct decoder *d, const unsigned char *at, const char *what)
{
    return bad(d, at, "E_LC_PARSE", what);
}

static bool truncated(struct decoder *d)
{
    return malformed(d, d->end, "the encoding ends in the middle of a value");
}

// Reads 7-bit groups, least significant first, and says where the last one stands (at bit 63 it
// holds only one bit of the number) and what it is.
static bool read_groups(struct decoder *d, uint64_t *bits, unsigned *shift, unsigned char *group)
{
    const unsigned char *begin = d->at;
    *bits = 0;
    for (*shift = 0; d->at < d->end; *shift += 7) {
        if (*shift > 63)
            return malformed(d, begin, "a number is longer than 64 bits");
        *group = *d->at++;
        *bits |= (uint64_t)(*group & 0x7F) << *shift;
        if (!(*group & 0x80))
            return true;
    }
    return truncated(d);
}

static bool read_uleb(struct decoder *d, uint64_t *out)
{
    const unsigned char *begin = d->at;
    unsigned shift;
    unsigned char group;
    if (!read_groups(d, out, &shift, &group))
        return false;
    if (shift > 0 && group == 0)
        return malformed(d, begin, "a length is written longer than needed");
    if (shift == 63 && group > 1)
        return malformed(d, begin, "a number is longer than 64 bits");
    return true;
}

static bool read_sleb(struct decoder *d, int64_t *out)
{
    const unsigned char *begin = d->at;
    uint64_t bits;
    unsigned shift;
    unsigned char group;
    if (!read_groups(d, &bits, &shift, &group))
        return false;
    if (shift == 63 && group != 0 && group != 0x7F)
        return malformed(d, begin, "an integer does not fit into 64 bits");
    // A last group that only repeats the sign of the group before it could have been left out.
    bool before = shift > 0 && (d->at[-2] & 0x40) != 0;
    if (shift > 0 && group == (before ? 0x7F : 0))
        return malformed(d, begin, "an integer is written longer than needed");
    if (shift < 63 && (group & 0x40))
        bits |= UINT64_MAX << (shift + 7);
    memcpy(out, &bits, sizeof bits);
    return true;
}

// Reads a length and skips that many bytes, which are there.
static bool read_counted(struct decoder *d, const char **bytes, size_t *n)
{
    const unsigned char *begin = d->at;
    uint64_t length;
    if (!read_uleb(d, &length))
        return false;
    if (length > left(d))
        return malformed(d, begin, "a length is greater than what is left of the encoding");
    *bytes = (const char *)d->at;
    *n = (size_t)length;
    d->at += length;
    return true;
}

// Reads the number of items; each takes at least `least` bytes, and an end tag follows them.
static bool read_count(struct decoder *d, size_t least, uint64_t *n)
{
    const unsigned char *begin = d->at;
    if (!read_uleb(d, n))
        return false;
    if (*n > left(d) / least)
        return malformed(d, begin, "a count is greater than what is left of the encoding allows");
    return true;
}

static bool read_text(struct decoder *d, const char *what, const char **s, size_t *n)
{
    const unsigned char *begin = d->at;
    if (!read_counted(d, s, n))
        return false;
    const char *fault = canon_text_fault(&d->scratch, *s, *n);
    return fault == NULL || malformed(d, begin, arena_printf(d->arena, "the %s %s", what, fault));
}

static bool read_end(struct decoder *d, enum lcb_tag tag, const char *what)
{
    if (d->at == d->end)
        return truncated(d);
    if (*d->at != tag)
        return malformed(d, d->at, what);
    d->at++;
    return true;
}

static const struct value *decode_null(struct decoder *d, unsigned depth)
{
    (void)d, (void)depth;
    return value_null();
}

static const struct value *decode_true(struct decoder *d, unsigned depth)
{
    (void)d, (void)depth;
    return value_bool(true);
}

static const struct value *decode_false(struct decoder *d, unsigned depth)
{
    (void)d, (void)depth;
    return value_bool(false);
}

static const struct value *decode_int(struct decoder *d, unsigned depth)
{
    (void)depth;
    int64_t i;
    return read_sleb(d, &i) ? value_int(d->arena, i) : NULL;
}

static const struct value *decode_float(struct decoder *d, unsigned depth)
{
    (void)depth;
    const unsigned char *begin = d->at;
    uint64_t bits = 0;
    double x;
    if (left(d) < sizeof bits) {
        truncated(d);
        return NULL;
    }
    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | *d->at++;
    memcpy(&x, &bits, sizeof x);
    if (isfinite(x) && !(x == 0 && signbit(x)))
        return value_float(d->arena, x, NULL);
    bad(d, begin, "E_FLOAT_SPECIAL", "a float is NaN, infinite or -0.0");
    return NULL;
}

static const struct value *decode_text(struct decoder *d, unsigned depth)
{
    (void)depth;
    const char *s;
    size_t n;
    return read_text(d, "text", &s, &n) ? value_canonical(d->arena, VALUE_TEXT, s, n) : NULL;
}

static const struct value *decode_bytes(struct decoder *d, unsigned depth)
{
    (void)depth;
    const char *s;
    size_t n;
    if (!read_counted(d, &s, &n))
        return NULL;
    return (d->in_place ? value_borrowed : value_canonical)(d->arena, VALUE_BYTES, s, n);
}

static const struct value *decode_handle(struct decoder *d, unsigned depth)
{
    (void)depth;
    const unsigned char *begin = d->at;
    const char *s;
    size_t n;
    if (!read_counted(d, &s, &n))
        return NULL;
    const char *fault = canon_handle_fault(s, n);
    if (fault == NULL)
        return value_canonical(d->arena, VALUE_HANDLE, s, n);
    malformed(d, begin, arena_printf(d->arena, "the handle %s", fault));
    return NULL;
}

static const struct value *decode_array(struct decoder *d, unsigned depth)
{
    uint64_t n;
    size_t base = d->items.n;
    if (!read_count(d, 1, &n))
        return NULL;
    for (uint64_t i = 0; i < n; i++) {
        const struct value *item = decode_value(d, depth + 1);
        if (item == NULL)
            return NULL;
        vec_push(&d->scratch, &d->items, item);
    }
    if (!read_end(d, LCB_ARR_END, "the end tag of an array is missing"))
        return NULL;
    d->items.n = base;
    return value_array(d->arena, n > 0 ? d->items.at + base : NULL, (size_t)n);
}

// Reads a key, which must come after the one before it in the same object.
static bool read_key(struct decoder *d, size_t base, struct value_field *field)
{
    const unsigned char *begin = d->at;
    if (!read_text(d, "key", &field->key, &field->len))
        return false;
    if (d->fields.n == base)
        return true;
    const struct value_field *before = &vec_last(&d->fields);
    int order = canon_key_compare(before->key, before->len, field->key, field->len);
    if (order == 0)
        return bad(d, begin, "E_FIELD_ORDER", "a key is given twice");
    return order < 0 || bad(d, begin, "E_FIELD_ORDER", "the keys are not sorted");
}

static bool read_field(struct decoder *d, size_t base, unsigned depth)
{
    struct value_field field;
    if (!read_key(d, base, &field))
        return false;
    field.value = decode_value(d, depth + 1);
    if (field.value == NULL)
        return false;
    field.key = arena_copy(d->arena, field.key, field.len);
    vec_push(&d->scratch, &d->fields, field);
    return true;
}

static const struct value *decode_object(struct decoder *d, unsigned depth)
{
    uint64_t n;
    size_t base = d->fields.n;
    if (!read_count(d, 2, &n))
        return NULL;
    for (uint64_t i = 0; i < n; i++)
        if (!read_field(d, base, depth))
            return NULL;
    if (!read_end(d, LCB_OBJ_END, "the end tag of an object is missing"))
        return NULL;
    d->fields.n = base;
    return value_object_sorted(d->arena, n > 0 ? d->fields.at + base : NULL, (size_t)n);
}

static const struct value *decode_value(struct decoder *d, unsigned depth)
{
    static decode_fn *const decode[LCB_TAGS] = {
        [LCB_NULL] = decode_null,        [LCB_INT] = decode_int,
        [LCB_FLOAT] = decode_float,      [LCB_TEXT] = decode_text,
        [LCB_BYTES] = decode_bytes,      [LCB_ARR_START] = decode_array,
        [LCB_OBJ_START] = decode_object, [LCB_HANDLE_REF] = decode_handle,
        [LCB_TRUE] = decode_true,        [LCB_FALSE] = decode_false,
    };
    if (d->at == d->end) {
        truncated(d);
        return NULL;
    }
    const unsigned char *begin = d->at++;
    if (*begin >= LCB_TAGS || decode[*begin] == NULL) {
        malformed(d, begin,
                  arena_printf(d->arena, "a value cannot begin with the tag %02x", *begin));
        return NULL;
    }
    if (depth > VALUE_MAX_DEPTH) {
        bad(d, begin, "E_DEPTH_EXCEEDED", "the value is nested more than 64 deep");
        return NULL;
    }
    return decode[*begin](d, depth);
}

static const struct value *decode(struct decoder *d, const void *bytes, size_t n)
{
    arena_join(&d->scratch, d->arena);
    d->start = d->at = bytes;
    d->end = d->start + n;
    const struct value *v = decode_value(d, 1);
    if (v != NULL && d->at != d->end) {
        malformed(d, d->at, "something follows the value");
        v = NULL;
    }
    arena_free(&d->scratch);
    return v;
}

const struct value *lcb_decode(struct arena *a, const void *bytes, size_t n,
                               struct latent_error *error)
{
    return decode(&(struct decoder){.arena = a, .error = error}, bytes, n);
}

const struct value *lcb_decode_in_place(struct arena *a, const void *bytes, size_t n,
                                        struct latent_error *error)
{
    return decode(&(struct decoder){.arena = a, .error = error, .in_place = true}, bytes, n);
}
