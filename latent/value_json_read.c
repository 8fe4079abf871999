// value_json_read.c: reads JSON into a value, with the place of every mistake.
//
// jansson, which reads JSON elsewhere, keeps no places of values, and a mistake may be in a value
// (a hash, a number, a key) as well as in the syntax.
#include <math.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "latent/canon.h"
#include "latent/reader.h"

struct json_reader {
    struct reader r;
    VEC(const struct value *) items; // of the arrays that are open
    VEC(struct value_field) fields;  // of the objects that are open
    VEC(const char *) keys;          // where the keys of `fields` stand
};

static const struct value *read_value(struct json_reader *j, unsigned depth);

static const struct value *failed(struct reader *r, const char *from, const char *code,
                                  const char *message)
{
    reader_fail(r, from, r->at, code, "%s", message);
    return NULL;
}

static const struct value *expected(struct reader *r, const char *what)
{
    reader_expected(r, what);
    return NULL;
}

// Skips white space and one punctuation mark.
static bool take_mark(struct reader *r, const char *mark, const char *what)
{
    reader_space(r);
    return reader_take(r, mark) || reader_expected(r, what);
}

// -- strings --------------------------------------------------------------------------------------

static int hex_digit(int c)
{
    const char *all = "0123456789abcdef0123456789ABCDEF", *at = c > 0 ? strchr(all, c) : NULL;
    return at == NULL ? -1 : (int)(at - all) & 15;
}

// The four digits after "\u".
static bool read_unit(struct reader *r, const char *from, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int d = hex_digit(reader_peek(r));
        if (d < 0)
            return reader_fail(r, from, r->at, "E_LC_PARSE", "\\u takes four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)d;
    }
    return true;
}

static bool read_code_point(struct reader *r, const char *from, struct buf *out)
{
    uint32_t c, low;
    if (!read_unit(r, from, &c))
        return false;
    if (c >= 0xD800 && c < 0xDC00 && reader_take(r, "\\u")) {
        if (!read_unit(r, from, &low))
            return false;
        if (low >= 0xDC00 && low <= 0xDFFF)
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c >= 0xD800 && c <= 0xDFFF)
        return reader_fail(r, from, r->at, "E_TEXT_INVALID",
                           "half of a surrogate pair is no character");
    buf_rune(out, c);
    return true;
}

static bool read_escape(struct reader *r, struct buf *out)
{
    static const char names[] = "ntr\"\\/bf", meant[] = "\n\t\r\"\\/\b\f";
    const char *from = r->at - 1;
    if (reader_take(r, "u"))
        return read_code_point(r, from, out);
    int c = reader_peek(r);
    const char *name = c > 0 ? strchr(names, c) : NULL;
    if (name == NULL)
        return reader_fail(r, from, r->at + (c >= 0), "E_LC_PARSE",
                           "an escape is one of \\n \\t \\r \\\" \\\\ \\/ \\b \\f \\uXXXX");
    buf_putc(out, meant[name - names]);
    r->at++;
    return true;
}

// Plain characters, as they stand.
static bool read_plain(struct reader *r, struct buf *out)
{
    uint32_t c;
    size_t n = utf8_decode(r->at, reader_left(r), &c);
    if (n == 0)
        return reader_fail(r, r->at, r->at + 1, "E_TEXT_INVALID", "this is not valid UTF-8");
    if (c < 0x20)
        return reader_fail(r, r->at, r->at + 1, "E_LC_PARSE",
                           "a string holds control characters as escapes (\\n, \\u0001)");
    buf_put(out, r->at, n);
    r->at += n;
    return true;
}

static bool read_string(struct reader *r, struct buf *out)
{
    buf_puts(out, "");
    reader_space(r);
    const char *from = r->at;
    if (!reader_take(r, "\""))
        return reader_expected(r, "a string");
    while (!reader_take(r, "\"")) {
        if (r->at == r->end)
            return reader_fail(r, from, from + 1, "E_LC_PARSE", "the string is not closed");
        if (!(reader_take(r, "\\") ? read_escape(r, out) : read_plain(r, out)))
            return false;
    }
    return true;
}

typedef const struct value *string_fn(struct reader *r, const char *from, const struct buf *s);

static const struct value *as_text(struct reader *r, const char *from, const struct buf *s)
{
    const struct value *v = value_text(r->arena, s->at, s->n, NULL);
    return v != NULL ? v : failed(r, from, "E_TEXT_INVALID", "the string is not valid UTF-8");
}

static const struct value *as_text_or_handle(struct reader *r, const char *from,
                                             const struct buf *s)
{
    if (s->n < 3 || memcmp(s->at, "&h_", 3) != 0)
        return as_text(r, from, s);
    const char *fault = canon_handle_fault(s->at, s->n);
    if (fault == NULL)
        return value_canonical(r->arena, VALUE_HANDLE, s->at, s->n);
    reader_fail(r, from, r->at, "E_HANDLE_INVALID",
                "the handle %s (a text that begins with &h_ is written {\"$text\": ...})", fault);
    return NULL;
}

static const struct value *as_bytes(struct reader *r, const char *from, const struct buf *s)
{
    struct buf bytes = {0};
    for (size_t i = 0; i + 1 < s->n; i += 2) {
        int high = hex_digit(s->at[i]), low = hex_digit(s->at[i + 1]);
        if (high < 0 || low < 0)
            break;
        buf_putc(&bytes, (char)(high << 4 | low));
    }
    bool all = bytes.n * 2 == s->n;
    const struct value *v = all ? value_bytes(r->arena, bytes.at, bytes.n) : NULL;
    buf_free(&bytes);
    return all ? v : failed(r, from, "E_LC_PARSE", "$bytes takes hexadecimal digits, two a byte");
}

static const struct value *read_string_as(struct reader *r, string_fn *make)
{
    reader_space(r);
    const char *from = r->at;
    struct buf s = {0};
    const struct value *v = read_string(r, &s) ? make(r, from, &s) : NULL;
    buf_free(&s);
    return v;
}

// -- numbers --------------------------------------------------------------------------------------

static bool skip_digits(struct reader *r)
{
    const char *from = r->at;
    while (reader_peek(r) >= '0' && reader_peek(r) <= '9')
        r->at++;
    return r->at > from || reader_expected(r, "a digit");
}

static const struct value *to_float(struct reader *r, const char *from)
{
    double x;
    if (!text_double(from, (size_t)(r->at - from), &x) || !isfinite(x))
        return failed(r, from, "E_FLOAT_SPECIAL", "the number is too large for a float");
    return value_float(r->arena, x, NULL);
}

static const struct value *to_int(struct reader *r, const char *from)
{
    struct reader digits = *r;
    int64_t i = 0;
    digits.at = from;
    digits.error = NULL;
    if (r->at - from == 2 && memcmp(from, "-0", 2) == 0)
        return value_int(r->arena, 0);
    if (!reader_int(&digits, &i))
        return failed(r, from, "E_LC_PARSE",
                      "an int does not fit into 64 bits (a float has a `.` or an exponent)");
    return value_int(r->arena, i);
}

// Digits with an optional fraction and exponent; those with either are floats.
static const struct value *read_number(struct reader *r)
{
    const char *from = r->at;
    bool is_float = false;
    reader_take(r, "-");
    const char *whole = r->at;
    if (!skip_digits(r))
        return NULL;
    if (*whole == '0' && r->at - whole > 1)
        return failed(r, from, "E_LC_PARSE", "a number has no leading zeros");
    if (reader_take(r, ".")) {
        is_float = true;
        if (!skip_digits(r))
            return NULL;
    }
    if (reader_take(r, "e") || reader_take(r, "E")) {
        is_float = true;
        if (!reader_take(r, "-"))
            reader_take(r, "+");
        if (!skip_digits(r))
            return NULL;
    }
    return is_float ? to_float(r, from) : to_int(r, from);
}

// -- containers -----------------------------------------------------------------------------------

static const struct value *read_array(struct json_reader *j, unsigned depth)
{
    struct reader *r = &j->r;
    size_t base = j->items.n;
    r->at++;
    reader_space(r);
    for (bool more = reader_peek(r) != ']'; more; more = reader_take(r, ",")) {
        const struct value *item = read_value(j, depth + 1);
        if (item == NULL)
            return NULL;
        vec_push(&r->scratch, &j->items, item);
        reader_space(r);
    }
    if (!take_mark(r, "]", "`,` or `]`"))
        return NULL;
    size_t n = j->items.n - base;
    j->items.n = base;
    return value_array(r->arena, n > 0 ? j->items.at + base : NULL, n);
}

// The field whose key came before in the same object, counted from `base`.
static size_t second_of_key(struct json_reader *j, size_t base, size_t n)
{
    struct map seen;
    bool fresh = true;
    size_t i = base;
    map_init(&seen, &j->r.scratch);
    for (; i < base + n && fresh; i++)
        map_put(&seen, j->fields.at[i].key, j->fields.at[i].len, &fresh);
    return i - 1;
}

static const struct value *make_object(struct json_reader *j, size_t base)
{
    struct latent_error why = {0};
    size_t n = j->fields.n - base;
    j->fields.n = j->keys.n = base;
    const struct value *v = value_object(j->r.arena, n > 0 ? j->fields.at + base : NULL, n, &why);
    if (v != NULL)
        return v;
    const char *key = j->keys.at[second_of_key(j, base, n)];
    reader_fail(&j->r, key, key + 1, why.code, "%s", why.message);
    return NULL;
}

// The members of an object and its brace. With `raw`, no key has a meaning of its own.
static const struct value *read_members(struct json_reader *j, unsigned depth, bool raw);

static const struct value *read_raw_object(struct json_reader *j, unsigned depth)
{
    reader_space(&j->r);
    if (!reader_take(&j->r, "{"))
        return expected(&j->r, "the object that $object stands for");
    return read_members(j, depth, true);
}

// What {"$bytes": ...}, {"$text": ...} and {"$object": ...} stand for, after the colon.
static const struct value *read_special(struct json_reader *j, unsigned depth, const char *key)
{
    struct reader *r = &j->r;
    const struct value *v;
    if (strcmp(key, "$object") == 0)
        v = read_raw_object(j, depth);
    else
        v = read_string_as(r, strcmp(key, "$bytes") == 0 ? as_bytes : as_text);
    return v != NULL && !take_mark(r, "}", "`}`: nothing stands beside such a key") ? NULL : v;
}

static const struct value *read_members(struct json_reader *j, unsigned depth, bool raw)
{
    struct reader *r = &j->r;
    size_t base = j->fields.n;
    reader_space(r);
    for (bool more = reader_peek(r) != '}'; more; more = reader_take(r, ",")) {
        reader_space(r);
        const char *at = r->at;
        const struct value *key = read_string_as(r, as_text);
        if (key == NULL || !take_mark(r, ":", "`:`"))
            return NULL;
        if (!raw && value_json_reserved(key->as.bytes.at, key->as.bytes.n)) {
            if (j->fields.n == base)
                return read_special(j, depth, key->as.bytes.at);
            return failed(r, at, "E_LC_PARSE",
                          "this key has a meaning of its own: put the object into "
                          "{\"$object\": ...}");
        }
        const struct value *v = read_value(j, depth + 1);
        if (v == NULL)
            return NULL;
        vec_push(&r->scratch, &j->fields,
                 (struct value_field){key->as.bytes.at, key->as.bytes.n, v});
        vec_push(&r->scratch, &j->keys, at);
        reader_space(r);
    }
    return take_mark(r, "}", "`,` or `}`") ? make_object(j, base) : NULL;
}

static const struct value *read_word(struct reader *r)
{
    if (reader_take(r, "null"))
        return value_null();
    if (reader_take(r, "true"))
        return value_bool(true);
    if (reader_take(r, "false"))
        return value_bool(false);
    return expected(r, "a JSON value");
}

static const struct value *read_value(struct json_reader *j, unsigned depth)
{
    struct reader *r = &j->r;
    reader_space(r);
    int c = reader_peek(r);
    if (depth > VALUE_MAX_DEPTH) {
        reader_too_deep(r, r->at);
        return NULL;
    }
    if (c == '[')
        return read_array(j, depth);
    if (c == '{') {
        r->at++;
        return read_members(j, depth, false);
    }
    if (c == '"')
        return read_string_as(r, as_text_or_handle);
    return c == '-' || (c >= '0' && c <= '9') ? read_number(r) : read_word(r);
}

const struct value *value_from_json(struct arena *a, const char *json, size_t n,
                                    struct latent_error *error)
{
    struct json_reader j = {.r = reader_open(a, json, n, error)};
    const struct value *v = read_value(&j, 1);
    reader_space(&j.r);
    if (v != NULL && j.r.at < j.r.end)
        v = expected(&j.r, "the end");
    arena_free(&j.r.scratch);
    return v;
}
