// lcr_read.c: reads LC-R from level 1 on.
//
// An entry of the dictionary refers to entries before it only, and what references and repetitions
// build is charged to a budget that follows the length of the text: no input is worth more work or
// memory than its own size allows.
#include <math.h>
#include <string.h>

#include "latent/lcr_read.h"

static const struct value *read_value(struct collapsed *d, unsigned depth, struct lcr_text *before);

// -- objects of known keys ------------------------------------------------------------------------

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
    size_t base = d->items.n, weight = LCR_WEIGHT + shape.weight;
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
    if (!collapsed_take(d, LCR_RUNS, LCR_TIMES))
        return reader_expected(d->r, "`" LCR_TIMES "`");
    reader_space(d->r);
    if (!lcr_read_count(d->r, d->level, &n) || !collapsed_spend(d, from, n, LCR_WEIGHT))
        return false;
    for (uint64_t i = 1; i < n; i++) {
        if (step > 0 ? first > INT64_MAX - step : first < INT64_MIN - step)
            return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                               "the sequence leaves the range of 64-bit ints");
        first += step;
        vec_push(&d->r->scratch, &d->items, value_int(d->r->arena, first));
    }
    d->weight = n > 0 ? (size_t)n * LCR_WEIGHT : LCR_WEIGHT;
    return n > 0 || reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "repeated 0 times");
}

static bool read_repeats(struct collapsed *d, const char *from, const struct value *item)
{
    uint64_t n;
    reader_space(d->r);
    if (!lcr_read_count(d->r, d->level, &n) || !collapsed_spend(d, from, n, d->weight))
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
    if (item->kind == VALUE_INT && collapsed_take(d, LCR_RUNS, LCR_FLOW))
        return read_sequence(d, from, item->as.integer);
    return collapsed_take(d, LCR_RUNS, LCR_TIMES) ? read_repeats(d, from, item) : true;
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
    bool deltas = collapsed_take(d, LCR_COLUMNS, LCR_DELTA);
    while (!collapsed_take(d, LCR_BARE, "]")) {
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
    d->weight += LCR_WEIGHT;
    return value_array(d->r->arena, n > 0 ? d->items.at + base : NULL, n);
}

// -- tables ---------------------------------------------------------------------------------------

static bool table_shape(struct collapsed *d, struct entry *shape)
{
    const struct entry *e = NULL;
    reader_space(d->r);
    const char *from = d->r->at;
    if (reader_take(d->r, LCR_OBJECT)) {
        if (!collapsed_shape(d, shape))
            return false;
    } else if (!collapsed_reference(d, &e)) {
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
    for (*rows = 0; !collapsed_take(d, LCR_BARE, "]"); ++*rows)
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
    struct entry shape = {0};
    size_t base = d->items.n, rows = 0;
    const char *from = d->r->at;
    bool by_column = collapsed_take(d, LCR_COLUMNS, LCR_ARRAY);
    if (depth + 2 > VALUE_MAX_DEPTH) {
        reader_too_deep(d->r, from);
        return NULL;
    }
    if (!table_shape(d, &shape) ||
        !(by_column ? read_columns : read_rows)(d, shape.n, depth + 2, &rows) ||
        !collapsed_spend(d, from, rows, LCR_WEIGHT + shape.weight))
        return NULL;
    size_t cells = d->items.n;
    for (size_t i = 0; i < rows; i++) {
        const struct value *const *first = d->items.at + base + (by_column ? i : i * shape.n);
        const struct value *row = shaped(d, &shape, first, by_column ? rows : 1);
        vec_push(&d->r->scratch, &d->items, row);
    }
    d->items.n = base;
    d->weight += LCR_WEIGHT + rows * (LCR_WEIGHT + shape.weight);
    return value_array(d->r->arena, rows > 0 ? d->items.at + cells : NULL, rows);
}

// -- other values ---------------------------------------------------------------------------------

static const struct value *read_object(struct collapsed *d, unsigned depth)
{
    struct lcr_text before = {"", 0};
    size_t base = d->fields.n, weight = LCR_WEIGHT;
    while (!collapsed_take(d, LCR_BARE, "}")) {
        if (!collapsed_key(d, base, &before, &weight))
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
    d->weight = weight + LCR_WEIGHT;
    return value_object_sorted(d->r->arena, n > 0 ? d->fields.at + base : NULL, n);
}

// Whether nothing follows that would belong to the token before the cursor.
static bool ends_here(struct collapsed *d)
{
    int c = reader_peek(d->r);
    bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                c == '-' || c == '.';
    return !word || reader_expected(d->r, "a space");
}

static const struct value *read_bytes(struct collapsed *d)
{
    struct buf s = {0};
    uint64_t n = 0;
    bool ok;
    if (d->level < LCR_DENSE)
        ok = reader_hex(d->r, &s) && ends_here(d);
    else
        ok = lcr_read_count(d->r, d->level, &n) && lcr_read_bits(d->r, (size_t)n, &s);
    const struct value *v = ok ? value_canonical(d->r->arena, VALUE_BYTES, s.at, s.n) : NULL;
    d->weight = LCR_WEIGHT + s.n;
    buf_free(&s);
    return v;
}

static const struct value *read_handle(struct collapsed *d)
{
    const struct value *v = reader_handle(d->r);
    d->weight = v == NULL ? 0 : LCR_WEIGHT + v->as.bytes.n;
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
    return reader_int(d->r, &i) && ends_here(d) ? value_int(d->r->arena, i) : NULL;
}

// The forms that a mark announces, after it.
static const struct value *read_marked(struct collapsed *d, unsigned depth)
{
    if (collapsed_take(d, LCR_BARE, LCR_NULL))
        return value_null();
    if (collapsed_take(d, LCR_BARE, LCR_TRUE))
        return value_bool(true);
    if (collapsed_take(d, LCR_BARE, LCR_FALSE))
        return value_bool(false);
    if (collapsed_take(d, LCR_NUMBERS, "~"))
        return read_float(d);
    if (collapsed_take(d, LCR_NUMBERS, LCR_FLOAT))
        return read_float_bits(d);
    if (collapsed_take(d, LCR_BARE, LCR_HANDLE))
        return read_handle(d);
    if (collapsed_take(d, LCR_BARE, LCR_BYTES))
        return read_bytes(d);
    if (collapsed_take(d, LCR_TABLES, LCR_ARRAY))
        return read_table(d, depth);
    reader_expected(d->r, "a value");
    return NULL;
}

static bool at_number(const struct collapsed *d)
{
    int c = reader_peek(d->r);
    if (d->level >= LCR_NUMBERS)
        return collapsed_at_count(d->r);
    return c == '-' || (c >= '0' && c <= '9');
}

// `before`: the text before this place in a list, or NULL.
static const struct value *read_value(struct collapsed *d, unsigned depth, struct lcr_text *before)
{
    const struct entry *e;
    reader_space(d->r);
    const char *from = d->r->at;
    d->weight = LCR_WEIGHT;
    if (depth > VALUE_MAX_DEPTH) {
        reader_too_deep(d->r, from);
        return NULL;
    }
    if (at_number(d))
        return read_number(d);
    if (reader_take(d->r, "\""))
        return collapsed_text(d, false, before);
    if (collapsed_take(d, LCR_PREFIXES, LCR_PREFIX))
        return collapsed_text(d, true, before);
    if (reader_take(d->r, "["))
        return read_array(d, depth);
    if (reader_take(d->r, "{"))
        return read_object(d, depth);
    if (!collapsed_reference(d, &e))
        return NULL;
    return e != NULL ? referred(d, e, from, depth) : read_marked(d, depth);
}

// -- the dictionary -------------------------------------------------------------------------------

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
    if (collapsed_take(d, LCR_SHAPES, LCR_OBJECT)) {
        if (!collapsed_shape(d, &e))
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
    bool phrases = collapsed_take(d, LCR_PHRASES, LCR_PHRASE);
    if (phrases ? !collapsed_phrases(d) : !collapsed_take(d, LCR_KEYS, LCR_NEST))
        return !phrases;
    while (!collapsed_take(d, LCR_KEYS, LCR_FLOW))
        if (!read_entry(d, &before))
            return false;
    return true;
}

const struct value *lcr_read_collapsed(struct reader *r, unsigned level)
{
    struct collapsed d = {.r = r, .level = level, .left = lcr_limit((size_t)(r->end - r->start))};
    return read_dictionary(&d) ? read_value(&d, 1, NULL) : NULL;
}
