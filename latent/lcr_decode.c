// lcr_decode.c: the reader of LC-R: level 0 itself, and which level a text has.
#include <string.h>

#include "base/vec.h"
#include "latent/canon.h"
#include "latent/lcr_kit.h"

struct decoder {
    struct reader r;
    VEC(const struct value *) items; // of the arrays that are open
    VEC(struct value_field) fields;  // of the objects that are open
};

static const struct value *decode_value(struct decoder *d, unsigned depth, bool field);

static bool take(struct reader *r, const char *glyph)
{
    reader_space(r);
    return reader_take(r, glyph);
}

// A text between quotes, the first of which has been read, appended to an empty buffer.
static bool quoted(struct reader *r, struct buf *out)
{
    const char *from = r->at;
    buf_puts(out, "");
    while (!reader_take(r, "\"")) {
        uint32_t c = 0;
        size_t n = r->at < r->end ? utf8_decode(r->at, reader_left(r), &c) : 0;
        if (n == 0 || c < 0x20)
            return reader_expected(r, "a character of a text, an escape or the closing quote");
        if (reader_take(r, "\\")) {
            if (!reader_escape(r, out))
                return false;
            continue;
        }
        buf_put(out, r->at, n);
        r->at += n;
    }
    return reader_canonical(r, from, out->at, out->n);
}

static const struct value *decode_text(struct decoder *d)
{
    struct buf s = {0};
    const struct value *v = NULL;
    if (!reader_take(&d->r, "\""))
        reader_expected(&d->r, "`\"`");
    else if (quoted(&d->r, &s))
        v = value_canonical(d->r.arena, VALUE_TEXT, s.at, s.n);
    buf_free(&s);
    return v;
}

static const struct value *decode_bytes(struct decoder *d)
{
    struct buf s = {0};
    bool ok = reader_hex(&d->r, &s);
    const struct value *v = ok ? value_canonical(d->r.arena, VALUE_BYTES, s.at, s.n) : NULL;
    buf_free(&s);
    return v;
}

static const struct value *decode_int(struct decoder *d)
{
    int64_t i;
    return reader_int(&d->r, &i) ? value_int(d->r.arena, i) : NULL;
}

static const struct value *decode_float(struct decoder *d)
{
    double x;
    return reader_float(&d->r, &x) ? value_float(d->r.arena, x, NULL) : NULL;
}

static const struct value *decode_handle(struct decoder *d)
{
    return reader_handle(&d->r);
}

static const struct value *decode_array(struct decoder *d, unsigned depth)
{
    size_t base = d->items.n;
    bool more = !take(&d->r, "]");
    while (more) {
        const struct value *item = decode_value(d, depth + 1, false);
        if (item == NULL)
            return NULL;
        vec_push(&d->r.scratch, &d->items, item);
        more = take(&d->r, LCR_SEPARATOR);
        if (!more && !reader_take(&d->r, "]")) {
            reader_expected(&d->r, "`" LCR_SEPARATOR "` or `]`");
            return NULL;
        }
    }
    size_t n = d->items.n - base;
    d->items.n = base;
    return value_array(d->r.arena, n > 0 ? d->items.at + base : NULL, n);
}

static bool push_field(struct decoder *d, size_t base, const char *from, struct value_field field)
{
    const struct value_field *before = d->fields.n > base ? &vec_last(&d->fields) : NULL;
    if (!reader_key_order(&d->r, from, before, &field))
        return false;
    vec_push(&d->r.scratch, &d->fields, field);
    return true;
}

static const struct value *pop_object(struct decoder *d, size_t base)
{
    size_t n = d->fields.n - base;
    d->fields.n = base;
    return value_object_sorted(d->r.arena, n > 0 ? d->fields.at + base : NULL, n);
}

static bool decode_field(struct decoder *d, size_t base, unsigned depth)
{
    reader_space(&d->r);
    const char *from = d->r.at;
    if (!reader_take(&d->r, LCR_TEXT))
        return reader_expected(&d->r, "a key, " LCR_TEXT "\"...\"");
    const struct value *key = decode_text(d);
    if (key == NULL ||
        !push_field(d, base, from, (struct value_field){key->as.bytes.at, key->as.bytes.n, NULL}))
        return false;
    if (!take(&d->r, LCR_BIND))
        return reader_expected(&d->r, "`" LCR_BIND "`");
    size_t at = d->fields.n - 1;
    const struct value *v = decode_value(d, depth + 1, false);
    d->fields.at[at].value = v;
    return v != NULL;
}

static const struct value *decode_object(struct decoder *d, unsigned depth)
{
    size_t base = d->fields.n;
    bool more = !take(&d->r, "}");
    while (more) {
        if (!decode_field(d, base, depth))
            return NULL;
        more = take(&d->r, LCR_SEPARATOR);
        if (!more && !reader_take(&d->r, "}")) {
            reader_expected(&d->r, "`" LCR_SEPARATOR "` or `}`");
            return NULL;
        }
    }
    return pop_object(d, base);
}

// The digits of a contract's number or of a field's, after `prefix` in the key that they make.
static bool number_key(struct reader *r, const char *prefix, struct value_field *out)
{
    const char *from = r->at;
    while (reader_peek(r) >= '0' && reader_peek(r) <= '9')
        r->at++;
    if (!canon_is_number(from, (size_t)(r->at - from)))
        return reader_fail(r, from, r->at, "E_LC_PARSE",
                           "expected a number of at most 18 digits without leading zeros");
    out->key = arena_printf(r->arena, "%s%.*s", prefix, (int)(r->at - from), from);
    out->len = strlen(out->key);
    return true;
}

// A field of a contract after its mark: a number or a quoted key, and the value.
static bool contract_field(struct decoder *d, size_t base, unsigned depth)
{
    struct reader *r = &d->r;
    struct value_field field = {0};
    reader_space(r);
    const char *from = r->at;
    if (reader_peek(r) == '"') {
        const struct value *key = decode_text(d);
        if (key == NULL)
            return false;
        field.key = key->as.bytes.at;
        field.len = key->as.bytes.n;
    } else if (!number_key(r, "@", &field)) {
        return false;
    }
    if (!push_field(d, base, from, field))
        return false;
    size_t at = d->fields.n - 1;
    const struct value *v = decode_value(d, depth + 1, true);
    d->fields.at[at].value = v;
    return v != NULL;
}

// 🜊902🜁0 "test"🜁1 ⟁shader🜂 is an object in an object.
static const struct value *decode_contract(struct decoder *d, unsigned depth)
{
    struct reader *r = &d->r;
    struct value_field outer = {0};
    size_t base = d->fields.n;
    reader_space(r);
    if (depth + 1 > VALUE_MAX_DEPTH) {
        reader_too_deep(r, r->at);
        return NULL;
    }
    if (!number_key(r, "", &outer))
        return NULL;
    while (!take(r, LCR_END)) {
        if (!reader_take(r, LCR_FIELD)) {
            reader_expected(r, "`" LCR_FIELD "` or `" LCR_END "`");
            return NULL;
        }
        if (!contract_field(d, base, depth + 1))
            return NULL;
    }
    outer.value = pop_object(d, base);
    return value_object_sorted(r->arena, &outer, 1);
}

// A glyph and, for a container, the bracket after it.
static const struct form {
    const char *glyph;
    const struct value *(*scalar)(struct decoder *d);
    const struct value *(*parent)(struct decoder *d, unsigned depth);
} forms[] = {{LCR_INT, decode_int, NULL},           {LCR_TEXT, decode_text, NULL},
             {LCR_ARRAY "[", NULL, decode_array},   {LCR_OBJECT "{", NULL, decode_object},
             {LCR_CONTRACT, NULL, decode_contract}, {LCR_HANDLE, decode_handle, NULL},
             {LCR_FLOAT, decode_float, NULL},       {LCR_BYTES, decode_bytes, NULL}};

static const struct value *decode_form(struct decoder *d, unsigned depth)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (reader_take(&d->r, forms[i].glyph))
            return forms[i].scalar ? forms[i].scalar(d) : forms[i].parent(d, depth);
    reader_expected(&d->r, "a value");
    return NULL;
}

// `field`: after a field mark, where a text may go without its glyph.
static const struct value *decode_value(struct decoder *d, unsigned depth, bool field)
{
    struct reader *r = &d->r;
    reader_space(r);
    if (depth > VALUE_MAX_DEPTH) {
        reader_too_deep(r, r->at);
        return NULL;
    }
    if (reader_take(r, LCR_NULL))
        return value_null();
    if (reader_take(r, LCR_TRUE))
        return value_bool(true);
    if (reader_take(r, LCR_FALSE))
        return value_bool(false);
    return field && reader_peek(r) == '"' ? decode_text(d) : decode_form(d, depth);
}

// The level that a text's first character marks.
static unsigned read_level(struct reader *r)
{
    reader_space(r);
    for (unsigned level = LCR_BARE; level <= LCR_MAX_LEVEL; level++)
        if (reader_take(r, lcr_marks[level]))
            return level;
    return LCR_PLAIN;
}

const struct value *lcr_decode(struct arena *a, const char *text, size_t n,
                               struct latent_error *error)
{
    struct decoder d = {.r = reader_open(a, text, n, error)};
    unsigned level = read_level(&d.r);
    const struct value *v =
        level == LCR_PLAIN ? decode_value(&d, 1, false) : lcr_read_collapsed(&d.r, level);
    reader_space(&d.r);
    if (v != NULL && d.r.at < d.r.end) {
        reader_expected(&d.r, "the end");
        v = NULL;
    }
    arena_free(&d.r.scratch);
    return v;
}
