// lct_decode.c: the reader of LC-T; what it accepts differs from what lct.c writes by white space.
#include <string.h>

#include "base/vec.h"
#include "latent/canon.h"
#include "latent/lct.h"
#include "latent/reader.h"

struct decoder {
    struct reader r;
    VEC(const struct value *) items; // of the arrays that are open
    VEC(struct value_field) fields;  // of the objects that are open
};

static const struct value *decode_value(struct decoder *d, unsigned depth);

static bool word_char(int c)
{
    return (c >= 'A' && c <= 'Z') || c == '_';
}

// The word at the cursor, which stays where it is.
static size_t word_length(const struct reader *r)
{
    const char *at = r->at;
    while (at < r->end && word_char(*at))
        at++;
    return (size_t)(at - r->at);
}

static bool is_word(const struct reader *r, const char *word)
{
    size_t n = word_length(r);
    return n == strlen(word) && memcmp(r->at, word, n) == 0;
}

// Skips white space and one punctuation mark.
static bool take_mark(struct reader *r, const char *mark, const char *what)
{
    reader_space(r);
    return reader_take(r, mark) || reader_expected(r, what);
}

static bool take_comma(struct reader *r)
{
    bool taken = take_mark(r, ",", "`,`");
    reader_space(r);
    return taken;
}

// -- payloads: what stands between the parentheses ------------------------------------------------

// Whether the bytes from `from` on are how `s` is quoted; a text has one spelling.
static bool one_spelling(struct reader *r, const char *from, const struct buf *s)
{
    struct buf quoted = {0};
    buf_quote(&quoted, s->at, s->n);
    const char *p = from;
    for (size_t i = 0; i < quoted.n && p < r->at && *p == quoted.at[i]; i++)
        p++;
    buf_free(&quoted);
    if (p == r->at)
        return true;
    return reader_fail(r, p, p + 1, "E_LC_PARSE",
                       "a text has one spelling: \\n \\t \\r \\\" \\\\ for these characters, "
                       "\\u{XXXX} for others that are not printable ASCII");
}

static bool quoted_parts(struct reader *r, struct buf *out)
{
    for (int c; (c = reader_peek(r)) != '"';) {
        if (c < 0x20 || c > 0x7E)
            return reader_expected(r, "a printable ASCII character or the closing quote");
        r->at++;
        if (c != '\\')
            buf_putc(out, (char)c);
        else if (!reader_escape(r, out))
            return false;
    }
    r->at++;
    return true;
}

// A quoted text in canonical form, appended to an empty buffer.
static bool read_quoted(struct reader *r, struct buf *out)
{
    const char *from = r->at;
    buf_puts(out, "");
    if (!reader_take(r, "\""))
        return reader_expected(r, "`\"`");
    return quoted_parts(r, out) && one_spelling(r, from, out) &&
           reader_canonical(r, from, out->at, out->n);
}

static const struct value *decode_int(struct reader *r)
{
    int64_t i;
    return reader_int(r, &i) ? value_int(r->arena, i) : NULL;
}

static const struct value *decode_float(struct reader *r)
{
    double x;
    return reader_float(r, &x) ? value_float(r->arena, x, NULL) : NULL;
}

static const struct value *decode_text(struct reader *r)
{
    struct buf s = {0};
    bool ok = read_quoted(r, &s);
    const struct value *v = ok ? value_canonical(r->arena, VALUE_TEXT, s.at, s.n) : NULL;
    buf_free(&s);
    return v;
}

static const struct value *decode_bytes(struct reader *r)
{
    struct buf s = {0};
    bool ok = reader_hex(r, &s);
    const struct value *v = ok ? value_canonical(r->arena, VALUE_BYTES, s.at, s.n) : NULL;
    buf_free(&s);
    return v;
}

static const struct value *decode_handle(struct reader *r)
{
    if (!reader_take(r, "&h_")) {
        reader_expected(r, "`&h_`");
        return NULL;
    }
    return reader_handle(r);
}

// -- tokens ---------------------------------------------------------------------------------------

static const struct payload {
    const char *word;
    const struct value *(*decode)(struct reader *r);
} payloads[] = {{"INT", decode_int},
                {"TEXT", decode_text},
                {"FLOAT", decode_float},
                {"BYTES", decode_bytes},
                {"HANDLE", decode_handle}};

static const struct value *decode_payload(struct reader *r, const struct payload *p)
{
    r->at += strlen(p->word);
    if (!reader_take(r, "(")) {
        reader_expected(r, "`(`");
        return NULL;
    }
    const struct value *v = p->decode(r);
    if (v != NULL && !reader_take(r, ")")) {
        reader_expected(r, "`)`");
        return NULL;
    }
    return v;
}

static const struct value *decode_array(struct decoder *d, unsigned depth)
{
    size_t base = d->items.n;
    for (;;) {
        if (!take_comma(&d->r))
            return NULL;
        if (is_word(&d->r, "ARR_END"))
            break;
        const struct value *item = decode_value(d, depth + 1);
        if (item == NULL)
            return NULL;
        vec_push(&d->r.scratch, &d->items, item);
    }
    d->r.at += strlen("ARR_END");
    size_t n = d->items.n - base;
    d->items.n = base;
    return value_array(d->r.arena, n > 0 ? d->items.at + base : NULL, n);
}

// A key that is a number, after FIELD_.
static bool number_key(struct reader *r, struct buf *key)
{
    const char *from = r->at;
    while (reader_peek(r) >= '0' && reader_peek(r) <= '9')
        buf_putc(key, *r->at++);
    if (r->at == from)
        return reader_expected(r, "the digits of a key");
    return canon_is_number(key->at, key->n) ||
           reader_fail(r, from, r->at, "E_LC_PARSE",
                       "FIELD_ takes a number of at most 18 digits without leading zeros: write "
                       "KEY(\"%s\")",
                       key->at);
}

static bool text_key(struct reader *r, struct buf *key)
{
    const char *from = r->at;
    if (!reader_take(r, "KEY("))
        return reader_expected(r, "FIELD_n, KEY(\"...\") or OBJ_END");
    if (!read_quoted(r, key))
        return false;
    if (!reader_take(r, ")"))
        return reader_expected(r, "`)`");
    return !canon_is_number(key->at, key->n) ||
           reader_fail(r, from, r->at, "E_LC_PARSE", "a key that is a number is written FIELD_%s",
                       key->at);
}

// Reads a key, which must come after the one before it in the same object.
static bool read_key(struct decoder *d, size_t base, struct value_field *field)
{
    const char *from = d->r.at;
    struct buf key = {0};
    bool ok = reader_take(&d->r, "FIELD_") ? number_key(&d->r, &key) : text_key(&d->r, &key);
    if (ok) {
        field->key = arena_copy(d->r.arena, key.at, key.n);
        field->len = key.n;
    }
    buf_free(&key);
    const struct value_field *before = d->fields.n > base ? &vec_last(&d->fields) : NULL;
    return ok && reader_key_order(&d->r, from, before, field);
}

static const struct value *decode_object(struct decoder *d, unsigned depth)
{
    size_t base = d->fields.n;
    for (;;) {
        struct value_field field;
        if (!take_comma(&d->r))
            return NULL;
        if (is_word(&d->r, "OBJ_END"))
            break;
        if (!read_key(d, base, &field) || !take_comma(&d->r) ||
            (field.value = decode_value(d, depth + 1)) == NULL)
            return NULL;
        vec_push(&d->r.scratch, &d->fields, field);
    }
    d->r.at += strlen("OBJ_END");
    size_t n = d->fields.n - base;
    d->fields.n = base;
    return value_object_sorted(d->r.arena, n > 0 ? d->fields.at + base : NULL, n);
}

static const struct value *decode_word(struct decoder *d, unsigned depth)
{
    static const char *const constants[] = {"NULL", "FALSE", "TRUE"};
    struct reader *r = &d->r;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (is_word(r, constants[i])) {
            r->at += strlen(constants[i]);
            return i == 0 ? value_null() : value_bool(i == 2);
        }
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        if (is_word(r, payloads[i].word))
            return decode_payload(r, &payloads[i]);
    bool array = is_word(r, "ARR_START");
    if (array || is_word(r, "OBJ_START")) {
        r->at += strlen("ARR_START");
        return array ? decode_array(d, depth) : decode_object(d, depth);
    }
    reader_expected(r, "a value: NULL, TRUE, FALSE, INT(n), FLOAT(x), TEXT(\"...\"), BYTES(hex), "
                       "HANDLE(&h_...), ARR_START or OBJ_START");
    return NULL;
}

static const struct value *decode_value(struct decoder *d, unsigned depth)
{
    if (depth > VALUE_MAX_DEPTH) {
        reader_too_deep(&d->r, d->r.at);
        return NULL;
    }
    return decode_word(d, depth);
}

static const struct value *decode_text_of_one(struct decoder *d)
{
    struct reader *r = &d->r;
    if (!take_mark(r, "[", "`[`"))
        return NULL;
    reader_space(r);
    const struct value *v = decode_value(d, 1);
    if (v == NULL || !take_mark(r, "]", "`]` after the value"))
        return NULL;
    reader_space(r);
    if (r->at == r->end)
        return v;
    reader_expected(r, "the end");
    return NULL;
}

const struct value *lct_decode(struct arena *a, const char *text, size_t n,
                               struct latent_error *error)
{
    struct decoder d = {.r = reader_open(a, text, n, error)};
    const struct value *v = decode_text_of_one(&d);
    arena_free(&d.r.scratch);
    return v;
}
