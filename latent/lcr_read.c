// lcr_read.c: reads LC-R from level 1 on.
//
// An entry of the dictionary refers to entries before it only, and what references and repetitions
// build is charged to a budget that follows the length of the text: no input is worth more work or
// memory than its own size allows.
#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "latent/canon.h"
#include "latent/lcr_kit.h"

enum { WEIGHT = 4 }; // of a value, a key or a shape besides its bytes and parts

struct entry {
    const struct value *v;           // NULL: a shape
    const struct value_field *field; // of a shape, the keys
    size_t n;
    size_t weight;
};

struct collapsed {
    struct reader *r;
    unsigned level;
    size_t left;   // of the budget
    size_t weight; // of the value or shape read last
    VEC(struct entry) entries;
    VEC(struct lcr_text) phrases;
    VEC(const struct value *) items; // of the arrays and tables that are open
    VEC(struct value_field) fields;  // of the objects and shapes that are open
};

static const struct value *read_value(struct collapsed *d, unsigned depth, struct lcr_text *before);

static bool take(struct collapsed *d, unsigned level, const char *mark)
{
    reader_space(d->r);
    return d->level >= level && reader_take(d->r, mark);
}

// Charges what is built without standing in the text: `times` pieces of a weight.
static bool spend(struct collapsed *d, const char *from, uint64_t times, size_t weight)
{
    if (weight > 0 && times > d->left / weight)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                           "references and repetitions make too much of a text of this length");
    d->left -= (size_t)times * weight;
    return true;
}

// -- texts ----------------------------------------------------------------------------------------

static bool at_syllable(const struct collapsed *d)
{
    uint32_t c = 0;
    const struct reader *r = d->r;
    return r->at < r->end && utf8_decode(r->at, reader_left(r), &c) > 0 && c >= 0xAC00 &&
           c <= 0xD7A3;
}

static bool read_phrase(struct collapsed *d, struct buf *out)
{
    const char *from = d->r->at;
    uint64_t number;
    if (!lcr_read_digits(d->r, &lcr_syllables, &number))
        return false;
    if (number >= d->phrases.n)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "there is no phrase %llu",
                           (unsigned long long)number);
    const struct lcr_text *phrase = &d->phrases.at[number];
    if (!spend(d, from, phrase->n, 1))
        return false;
    buf_put(out, phrase->at, phrase->n);
    return true;
}

static bool read_char(struct collapsed *d, struct buf *out)
{
    struct reader *r = d->r;
    bool phrases = d->level >= LCR_PHRASES, escaped = reader_take(r, "\\");
    if (escaped && !(phrases && at_syllable(d)))
        return reader_escape(r, out);
    if (!escaped && phrases && at_syllable(d))
        return read_phrase(d, out);
    uint32_t c = 0;
    size_t n = r->at < r->end ? utf8_decode(r->at, reader_left(r), &c) : 0;
    if (n == 0 || c < 0x20)
        return reader_expected(r, "a character of a text, an escape or the closing quote");
    buf_put(out, r->at, n);
    r->at += n;
    return true;
}

// The first `chars` characters of a text, in bytes; SIZE_MAX when it has fewer.
static size_t prefix_bytes(const struct lcr_text *s, uint64_t chars)
{
    size_t i = 0;
    for (; chars > 0 && i < s->n; chars--)
        for (i++; i < s->n && ((unsigned char)s->at[i] & 0xC0) == 0x80;)
            i++;
    return chars == 0 ? i : SIZE_MAX;
}

// Appends what a text shares with the one before it, of which the count comes next.
static bool read_prefix(struct collapsed *d, const struct lcr_text *before, struct buf *out)
{
    const char *from = d->r->at;
    uint64_t chars;
    if (!lcr_read_count(d->r, d->level, &chars))
        return false;
    size_t n = before == NULL ? SIZE_MAX : prefix_bytes(before, chars);
    if (n == SIZE_MAX)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                           "the text before this one does not have that many characters");
    buf_put(out, before->at, n);
    return spend(d, from, n, 1);
}

// The rest of a text up to its quote, after the part in `out`; a copy in the arena.
static bool finish_text(struct collapsed *d, const char *from, struct buf *out,
                        struct lcr_text *made)
{
    buf_puts(out, "");
    while (!reader_take(d->r, "\""))
        if (!read_char(d, out))
            return false;
    if (!reader_canonical(d->r, from, out->at, out->n))
        return false;
    *made = (struct lcr_text){arena_copy(d->r->arena, out->at, out->n), out->n};
    return true;
}

// A text that is written out, with its prefix where `shared`; it becomes the one before the next.
static bool read_text(struct collapsed *d, bool shared, struct lcr_text *before,
                      struct lcr_text *made)
{
    const char *from = d->r->at;
    struct buf s = {0};
    bool ok = (!shared || read_prefix(d, before, &s)) && finish_text(d, from, &s, made);
    buf_free(&s);
    if (ok && before != NULL)
        *before = *made;
    return ok;
}

static const struct value *text_value(struct collapsed *d, bool shared, struct lcr_text *before)
{
    struct lcr_text s;
    if (!read_text(d, shared, before, &s))
        return NULL;
    d->weight = WEIGHT + s.n;
    return value_borrowed(d->r->arena, VALUE_TEXT, s.at, s.n);
}

// -- references -----------------------------------------------------------------------------------

static bool letter_number(int c, uint64_t *n)
{
    bool small = c >= 'a' && c <= 'z';
    if (!small && (c < 'A' || c > 'Z'))
        return false;
    *n = (uint64_t)(small ? c - 'a' : c - 'A' + 26);
    return true;
}

// A reference, when there is one at the cursor. *found is NULL when there is none.
static bool read_reference(struct collapsed *d, const struct entry **found)
{
    struct reader *r = d->r;
    const char *from = r->at;
    uint64_t n;
    *found = NULL;
    if (d->level < LCR_KEYS)
        return true;
    if (letter_number(reader_peek(r), &n)) {
        r->at++;
    } else if (at_syllable(d)) {
        if (!lcr_read_digits(r, &lcr_syllables, &n))
            return false;
        n = n > UINT64_MAX - LCR_LETTERS ? n : n + LCR_LETTERS;
    } else {
        return true;
    }
    if (n >= d->entries.n)
        return reader_fail(r, from, r->at, "E_LC_PARSE", "this refers to entry %llu, of %zu so far",
                           (unsigned long long)n, d->entries.n);
    *found = &d->entries.at[n];
    return spend(d, from, 1, (*found)->weight);
}

// -- keys and shapes ------------------------------------------------------------------------------

static bool key_by_reference(struct collapsed *d, struct lcr_text *key)
{
    const char *from = d->r->at;
    const struct entry *e;
    if (!read_reference(d, &e))
        return false;
    if (e == NULL)
        return reader_expected(d->r, "a key");
    if (e->v == NULL || e->v->kind != VALUE_TEXT)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "this entry is no text");
    *key = (struct lcr_text){e->v->as.bytes.at, e->v->as.bytes.n};
    return true;
}

static bool at_count(const struct reader *r)
{
    int c = reader_peek(r);
    return (c >= '0' && c <= '9') || lcr_at_digit(r, &lcr_ideographs);
}

// Reads a key and puts it on the stack of fields, in its order. Its weight is added to `weight`.
static bool push_key(struct collapsed *d, size_t base, struct lcr_text *before, size_t *weight)
{
    struct lcr_text key;
    reader_space(d->r);
    const char *from = d->r->at;
    bool prefixes = d->level >= LCR_PREFIXES, ok;
    if (prefixes ? at_count(d->r) : reader_take(d->r, "\""))
        ok = read_text(d, prefixes, before, &key);
    else
        ok = key_by_reference(d, &key);
    if (!ok)
        return false;
    struct value_field field = {key.at, key.n, NULL};
    const struct value_field *last = d->fields.n > base ? &vec_last(&d->fields) : NULL;
    if (!reader_key_order(d->r, from, last, &field))
        return false;
    vec_push(&d->r->scratch, &d->fields, field);
    *weight += WEIGHT + key.n;
    return true;
}

// The keys of a shape up to its mark; the first mark has been read.
static bool read_shape(struct collapsed *d, struct entry *out)
{
    struct lcr_text before = {"", 0};
    size_t base = d->fields.n;
    *out = (struct entry){.weight = WEIGHT};
    while (!take(d, LCR_SHAPES, LCR_SEPARATOR))
        if (!push_key(d, base, &before, &out->weight))
            return false;
    out->n = d->fields.n - base;
    struct value_field *field = arena_array(&d->r->scratch, out->n, sizeof *field);
    for (size_t i = 0; i < out->n; i++)
        field[i] = d->fields.at[base + i];
    out->field = field;
    d->fields.n = base;
    return true;
}

// An object of a shape's keys and of values, of which the first is at `v` and the next a stride on.
static const struct value *shaped(struct collapsed *d, const struct entry *shape,
                                  const struct value *const *v, size_t stride)
{
    size_t base = d->fields.n;
    for (size_t i = 0; i < shape->n; i++) {
        struct value_field field = shape->field[i];
        field.value = v[i * stride];
        vec_push(&d->r->scratch, &d->fields, field);
    }
    d->fields.n = base;
    return value_object_sorted(d->r->arena, d->fields.at + base, shape->n);
}

static const struct value *shaped_object(struct collapsed *d, struct entry shape, unsigned depth)
{
    size_t base = d->items.n, weight = WEIGHT + shape.weight;
    for (size_t i = 0; i < shape.n; i++) {
        const struct value *v = read_value(d, depth + 1, NULL);
        if (v == NULL)
            return NULL;
        weight += d->weight;
        vec_push(&d->r->scratch, &d->items, v);
    }
    d->items.n = base;
    d->weight = weight;
    if (shape.n == 0)
        return value_object_sorted(d->r->arena, NULL, 0);
    return shaped(d, &shape, d->items.at + base, 1);
}

// What a reference stands for as a value.
static const struct value *referred(struct collapsed *d, const struct entry *e, const char *from,
                                    unsigned depth)
{
    if (e->v == NULL)
        return shaped_object(d, *e, depth);
    if (d->level == LCR_KEYS) {
        reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "at this level only keys are referred to");
        return NULL;
    }
    if (depth + e->v->depth - 1 > VALUE_MAX_DEPTH) {
        reader_too_deep(d->r, from);
        return NULL;
    }
    d->weight = e->weight;
    return e->v;
}

// -- lists ----------------------------------------------------------------------------------------

// After an int: its step and how many there are in all.
static bool read_sequence(struct collapsed *d, const char *from, int64_t first)
{
    int64_t step;
    uint64_t n;
    reader_space(d->r);
    if (!(d->level >= LCR_NUMBERS ? lcr_read_int : reader_int)(d->r, &step))
        return false;
    if (!take(d, LCR_RUNS, LCR_TIMES))
        return reader_expected(d->r, "`" LCR_TIMES "`");
    reader_space(d->r);
    if (!lcr_read_count(d->r, d->level, &n) || !spend(d, from, n, WEIGHT))
        return false;
    for (uint64_t i = 1; i < n; i++) {
        if (step > 0 ? first > INT64_MAX - step : first < INT64_MIN - step)
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "the sequence leaves the range of 64-bit ints");
        first += step;
        vec_push(&d->r->scratch, &d->items, value_int(d->r->arena, first));
    }
    d->weight = n > 0 ? (size_t)n * WEIGHT : WEIGHT;
    return n > 0 || reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "repeated 0 times");
}

static bool read_repeats(struct collapsed *d, const char *from, const struct value *item)
{
    uint64_t n;
    reader_space(d->r);
    if (!lcr_read_count(d->r, d->level, &n) || !spend(d, from, n, d->weight))
        return false;
    for (uint64_t i = 1; i < n; i++)
        vec_push(&d->r->scratch, &d->items, item);
    d->weight *= (size_t)n;
    return n > 0 || reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "repeated 0 times");
}

// One item and those that its marks add. d->weight is the weight of all.
static bool push_items(struct collapsed *d, unsigned depth, struct lcr_text *before)
{
    const char *from = d->r->at;
    const struct value *item = read_value(d, depth, before);
    if (item == NULL)
        return false;
    vec_push(&d->r->scratch, &d->items, item);
    if (item->kind == VALUE_INT && take(d, LCR_RUNS, LCR_FLOW))
        return read_sequence(d, from, item->as.integer);
    return take(d, LCR_RUNS, LCR_TIMES) ? read_repeats(d, from, item) : true;
}

// Turns the differences on the stack into ints.
static bool add_differences(struct collapsed *d, const char *from, size_t base)
{
    int64_t sum = 0;
    for (size_t i = base; i < d->items.n; i++) {
        const struct value *v = d->items.at[i];
        if (v->kind != VALUE_INT)
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "only ints are given by their differences");
        int64_t step = v->as.integer;
        if (step > 0 ? sum > INT64_MAX - step : sum < INT64_MIN - step)
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "the ints leave the range of 64 bits");
        sum += step;
        d->items.at[i] = value_int(d->r->arena, sum);
    }
    return true;
}

// The items of an array up to its bracket, onto the stack. d->weight becomes the weight of all.
static bool read_list(struct collapsed *d, unsigned depth)
{
    struct lcr_text before = {"", 0};
    size_t base = d->items.n, weight = 0;
    reader_space(d->r);
    const char *from = d->r->at;
    bool deltas = take(d, LCR_COLUMNS, LCR_DELTA);
    while (!take(d, LCR_BARE, "]")) {
        if (!push_items(d, depth, &before))
            return false;
        weight += d->weight;
    }
    d->weight = weight;
    return !deltas || add_differences(d, from, base);
}

static const struct value *read_array(struct collapsed *d, unsigned depth)
{
    size_t base = d->items.n;
    if (!read_list(d, depth + 1))
        return NULL;
    size_t n = d->items.n - base;
    d->items.n = base;
    d->weight += WEIGHT;
    return value_array(d->r->arena, n > 0 ? d->items.at + base : NULL, n);
}

// -- tables ---------------------------------------------------------------------------------------

static bool table_shape(struct collapsed *d, struct entry *shape)
{
    const struct entry *e = NULL;
    reader_space(d->r);
    const char *from = d->r->at;
    if (reader_take(d->r, LCR_OBJECT)) {
        if (!read_shape(d, shape))
            return false;
    } else if (!read_reference(d, &e)) {
        return false;
    } else if (e == NULL || e->v != NULL) {
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                           "expected the keys of a table, `" LCR_OBJECT "` or a reference to some");
    } else {
        *shape = *e;
    }
    return shape->n > 0 ||
           reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "a table has at least one key");
}

// Rows of values onto the stack, up to the bracket.
static bool read_rows(struct collapsed *d, size_t columns, unsigned depth, size_t *rows)
{
    struct lcr_text *before = arena_array(&d->r->scratch, columns, sizeof *before);
    size_t weight = 0;
    for (size_t k = 0; k < columns; k++)
        before[k].at = "";
    for (*rows = 0; !take(d, LCR_BARE, "]"); ++*rows)
        for (size_t k = 0; k < columns; k++) {
            const struct value *v = read_value(d, depth, &before[k]);
            if (v == NULL)
                return false;
            weight += d->weight;
            vec_push(&d->r->scratch, &d->items, v);
        }
    d->weight = weight;
    return true;
}

static bool read_columns(struct collapsed *d, size_t columns, unsigned depth, size_t *rows)
{
    size_t weight = 0;
    for (size_t k = 0; k < columns; k++) {
        size_t base = d->items.n;
        const char *from = d->r->at;
        if (!read_list(d, depth))
            return false;
        weight += d->weight;
        if (k == 0)
            *rows = d->items.n - base;
        else if (d->items.n - base != *rows)
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "a column has %zu values where the first has %zu", d->items.n - base,
                               *rows);
    }
    d->weight = weight;
    return true;
}

static const struct value *read_table(struct collapsed *d, unsigned depth)
{
    struct entry shape;
    size_t base = d->items.n, rows = 0;
    const char *from = d->r->at;
    bool by_column = take(d, LCR_COLUMNS, LCR_ARRAY);
    if (depth + 2 > VALUE_MAX_DEPTH) {
        reader_too_deep(d->r, from);
        return NULL;
    }
    if (!table_shape(d, &shape) ||
        !(by_column ? read_columns : read_rows)(d, shape.n, depth + 2, &rows) ||
        !spend(d, from, rows, WEIGHT + shape.weight))
        return NULL;
    size_t cells = d->items.n;
    for (size_t i = 0; i < rows; i++) {
        const struct value *const *first = d->items.at + base + (by_column ? i : i * shape.n);
        const struct value *row = shaped(d, &shape, first, by_column ? rows : 1);
        vec_push(&d->r->scratch, &d->items, row);
    }
    d->items.n = base;
    d->weight += WEIGHT + rows * (WEIGHT + shape.weight);
    return value_array(d->r->arena, rows > 0 ? d->items.at + cells : NULL, rows);
}

// -- other values ---------------------------------------------------------------------------------

static const struct value *read_object(struct collapsed *d, unsigned depth)
{
    struct lcr_text before = {"", 0};
    size_t base = d->fields.n, weight = WEIGHT;
    while (!take(d, LCR_BARE, "}")) {
        if (!push_key(d, base, &before, &weight))
            return NULL;
        size_t at = d->fields.n - 1;
        const struct value *v = read_value(d, depth + 1, NULL);
        if (v == NULL)
            return NULL;
        d->fields.at[at].value = v;
        weight += d->weight;
    }
    size_t n = d->fields.n - base;
    d->fields.n = base;
    d->weight = weight + WEIGHT;
    return value_object_sorted(d->r->arena, n > 0 ? d->fields.at + base : NULL, n);
}

static const struct value *read_bytes(struct collapsed *d)
{
    struct buf s = {0};
    uint64_t n = 0;
    bool ok;
    if (d->level < LCR_DENSE)
        ok = reader_hex(d->r, &s);
    else
        ok = lcr_read_count(d->r, d->level, &n) && lcr_read_bits(d->r, (size_t)n, &s);
    const struct value *v = ok ? value_canonical(d->r->arena, VALUE_BYTES, s.at, s.n) : NULL;
    d->weight = WEIGHT + s.n;
    buf_free(&s);
    return v;
}

static const struct value *read_handle(struct collapsed *d)
{
    const struct value *v = reader_handle(d->r);
    d->weight = v == NULL ? 0 : WEIGHT + v->as.bytes.n;
    return v;
}

static const struct value *read_float_bits(struct collapsed *d)
{
    const char *from = d->r->at;
    struct buf s = {0};
    uint64_t bits = 0;
    double x;
    bool ok = lcr_read_bits(d->r, sizeof bits, &s);
    for (size_t i = 0; i < s.n; i++)
        bits = bits << 8 | (unsigned char)s.at[i];
    buf_free(&s);
    memcpy(&x, &bits, sizeof x);
    if (ok && (!isfinite(x) || (x == 0 && signbit(x))))
        ok = reader_fail(d->r, from, d->r->at, "E_FLOAT_SPECIAL",
                         "a float is NaN, infinite or -0.0, which have no encoding");
    return ok ? value_float(d->r->arena, x, NULL) : NULL;
}

static const struct value *read_float(struct collapsed *d)
{
    double x;
    return reader_float(d->r, &x) ? value_float(d->r->arena, x, NULL) : NULL;
}

// Digits are an int, unless a point or an exponent follows.
static const struct value *read_number(struct collapsed *d)
{
    const char *at = d->r->at;
    int64_t i;
    if (d->level >= LCR_NUMBERS)
        return lcr_read_int(d->r, &i) ? value_int(d->r->arena, i) : NULL;
    while (at < d->r->end && (*at == '-' || (*at >= '0' && *at <= '9')))
        at++;
    if (at < d->r->end && (*at == '.' || *at == 'e'))
        return read_float(d);
    return reader_int(d->r, &i) ? value_int(d->r->arena, i) : NULL;
}

// The forms that a mark announces, after it.
static const struct value *read_marked(struct collapsed *d, unsigned depth)
{
    if (take(d, LCR_BARE, LCR_NULL))
        return value_null();
    if (take(d, LCR_BARE, LCR_TRUE))
        return value_bool(true);
    if (take(d, LCR_BARE, LCR_FALSE))
        return value_bool(false);
    if (take(d, LCR_NUMBERS, "~"))
        return read_float(d);
    if (take(d, LCR_NUMBERS, LCR_FLOAT))
        return read_float_bits(d);
    if (take(d, LCR_BARE, LCR_HANDLE))
        return read_handle(d);
    if (take(d, LCR_BARE, LCR_BYTES))
        return read_bytes(d);
    if (take(d, LCR_TABLES, LCR_ARRAY))
        return read_table(d, depth);
    reader_expected(d->r, "a value");
    return NULL;
}

static bool at_number(const struct collapsed *d)
{
    int c = reader_peek(d->r);
    if (d->level >= LCR_NUMBERS)
        return at_count(d->r);
    return c == '-' || (c >= '0' && c <= '9');
}

// `before`: the text before this place in a list, or NULL.
static const struct value *read_value(struct collapsed *d, unsigned depth, struct lcr_text *before)
{
    const struct entry *e;
    reader_space(d->r);
    const char *from = d->r->at;
    d->weight = WEIGHT;
    if (depth > VALUE_MAX_DEPTH) {
        reader_too_deep(d->r, from);
        return NULL;
    }
    if (at_number(d))
        return read_number(d);
    if (reader_take(d->r, "\""))
        return text_value(d, false, before);
    if (take(d, LCR_PREFIXES, LCR_PREFIX))
        return text_value(d, true, before);
    if (reader_take(d->r, "["))
        return read_array(d, depth);
    if (reader_take(d->r, "{"))
        return read_object(d, depth);
    if (!read_reference(d, &e))
        return NULL;
    return e != NULL ? referred(d, e, from, depth) : read_marked(d, depth);
}

// -- the dictionary -------------------------------------------------------------------------------

static bool read_phrases(struct collapsed *d)
{
    struct lcr_text before = {"", 0};
    while (!take(d, LCR_PHRASES, LCR_NEST)) {
        struct lcr_text phrase;
        struct buf s = {0};
        const char *from = d->r->at;
        size_t known = d->phrases.n;
        d->phrases.n = 0; // phrases hold no phrases
        bool ok = read_prefix(d, &before, &s) && finish_text(d, from, &s, &phrase);
        d->phrases.n = known;
        buf_free(&s);
        if (!ok)
            return false;
        vec_push(&d->r->scratch, &d->phrases, phrase);
        before = phrase;
    }
    return true;
}

// Whether a value may be an entry at this level.
static bool may_be_entry(const struct collapsed *d, const struct value *v)
{
    bool text = v->kind == VALUE_TEXT || (v->kind == VALUE_HANDLE && d->level >= LCR_TEXTS);
    return text || d->level >= LCR_SHARED;
}

static bool read_entry(struct collapsed *d, struct lcr_text *before)
{
    struct entry e = {0};
    const char *from = d->r->at;
    if (take(d, LCR_SHAPES, LCR_OBJECT)) {
        if (!read_shape(d, &e))
            return false;
    } else {
        e.v = read_value(d, 1, before);
        e.weight = d->weight;
        if (e.v == NULL)
            return false;
        if (!may_be_entry(d, e.v))
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "at this level no %s is an entry", value_kind_name(e.v->kind));
    }
    vec_push(&d->r->scratch, &d->entries, e);
    return true;
}

static bool read_dictionary(struct collapsed *d)
{
    struct lcr_text before = {"", 0};
    bool phrases = take(d, LCR_PHRASES, LCR_PHRASE);
    if (phrases ? !read_phrases(d) : !take(d, LCR_KEYS, LCR_NEST))
        return !phrases;
    while (!take(d, LCR_KEYS, LCR_FLOW))
        if (!read_entry(d, &before))
            return false;
    return true;
}

const struct value *lcr_read_collapsed(struct reader *r, unsigned level)
{
    struct collapsed d = {.r = r, .level = level, .left = lcr_limit((size_t)(r->end - r->start))};
    return read_dictionary(&d) ? read_value(&d, 1, NULL) : NULL;
}
