// reader.c: reads what the text forms of values have in common, and reports what is wrong.
#include "latent/reader.h"

#include <math.h>
#include <string.h>

#include "latent/canon.h"

struct reader reader_open(struct arena *a, const char *text, size_t n, struct latent_error *error)
{
    if (text == NULL)
        text = "";
    return (struct reader){.arena = a, .start = text, .at = text, .end = text + n, .error = error};
}

size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

int reader_peek(const struct reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

void reader_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

bool reader_take(struct reader *r, const char *token)
{
    size_t n = strlen(token);
    if (reader_left(r) < n || memcmp(r->at, token, n) != 0)
        return false;
    r->at += n;
    return true;
}

// -- errors ---------------------------------------------------------------------------------------

bool reader_fail(struct reader *r, const char *from, const char *to, const char *code,
                 const char *format, ...)
{
    if (r->error == NULL)
        return false;
    va_list args;
    va_start(args, format);
    *r->error = (struct latent_error){.code = code,
                                      .message = arena_vprintf(r->arena, format, args),
                                      .offset = (size_t)(from - r->start),
                                      .width = (size_t)(to - from)};
    va_end(args);
    return false;
}

bool reader_expected(struct reader *r, const char *what)
{
    if (r->at == r->end)
        return reader_fail(r, r->at, r->at, "E_LC_PARSE", "expected %s, found the end", what);
    uint32_t c;
    size_t n = utf8_decode(r->at, reader_left(r), &c);
    n = n == 0 ? 1 : n;
    struct buf shown = {0};
    buf_visible(&shown, r->at, n);
    reader_fail(r, r->at, r->at + n, "E_LC_PARSE", "expected %s, found `%s`", what, shown.at);
    buf_free(&shown);
    return false;
}

bool reader_too_deep(struct reader *r, const char *from)
{
    return reader_fail(r, from, from < r->end ? from + 1 : from, "E_DEPTH_EXCEEDED",
                       "the value is nested more than %d deep", VALUE_MAX_DEPTH);
}

// -- parts ----------------------------------------------------------------------------------------

static int hex_digit(int c, char ten)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= ten && c <= ten + 5 ? c - ten + 10 : -1;
}

// The digits and the brace after "\u{".
static bool code_point(struct reader *r, const char *from, struct buf *out)
{
    uint32_t c = 0;
    size_t digits = 0;
    for (int d; digits < 7 && (d = hex_digit(reader_peek(r), 'A')) >= 0; digits++, r->at++)
        c = c << 4 | (uint32_t)d;
    if (digits < 4 || digits > 6 || !reader_take(r, "}"))
        return reader_fail(r, from, r->at, "E_LC_PARSE",
                           "an escape is \\u{XXXX} with 4 to 6 digits 0-9A-F");
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return reader_fail(r, from, r->at, "E_LC_PARSE", "U+%04X is no code point", (unsigned)c);
    buf_rune(out, c);
    return true;
}

bool reader_escape(struct reader *r, struct buf *out)
{
    static const char names[] = "ntr\"\\", meant[] = "\n\t\r\"\\";
    const char *from = r->at - 1;
    if (reader_take(r, "u{"))
        return code_point(r, from, out);
    int c = reader_peek(r);
    const char *name = c > 0 ? strchr(names, c) : NULL;
    if (name == NULL)
        return reader_fail(r, from, r->at + (c >= 0), "E_LC_PARSE",
                           "an escape is one of \\n \\t \\r \\\" \\\\ \\u{XXXX}");
    buf_putc(out, meant[name - names]);
    r->at++;
    return true;
}

bool reader_hex(struct reader *r, struct buf *out)
{
    int high, low;
    while ((high = hex_digit(reader_peek(r), 'a')) >= 0) {
        r->at++;
        if ((low = hex_digit(reader_peek(r), 'a')) < 0)
            return reader_expected(r, "the second of two digits 0-9a-f of a byte");
        r->at++;
        buf_putc(out, (char)(high << 4 | low));
    }
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

bool reader_int(struct reader *r, int64_t *out)
{
    const char *from = r->at;
    bool minus = reader_take(r, "-"), fits = true;
    const char *digits = r->at;
    uint64_t n = 0, most = (uint64_t)INT64_MAX + minus;
    for (; is_digit(reader_peek(r)); r->at++) {
        uint64_t d = (uint64_t)(*r->at - '0');
        fits = fits && n <= (most - d) / 10;
        n = n * 10 + d;
    }
    if (r->at == digits)
        return reader_expected(r, "the digits of an int");
    if (!fits)
        return reader_fail(r, from, r->at, "E_LC_PARSE", "an int does not fit into 64 bits");
    if ((*digits == '0' && r->at - digits > 1) || (minus && n == 0))
        return reader_fail(r, from, r->at, "E_LC_PARSE",
                           "an int has no leading zeros, and zero no sign");
    n = minus ? 0 - n : n;
    memcpy(out, &n, sizeof n);
    return true;
}

static bool in_float(int c)
{
    return is_digit(c) || c == '.' || c == '-' || c == '+' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

// Whether x is written as it stands; the message tells how.
static bool shortest_float(struct reader *r, const char *from, double x)
{
    struct buf b = {0};
    buf_double(&b, x);
    bool same = b.n == (size_t)(r->at - from) && memcmp(b.at, from, b.n) == 0;
    if (!same)
        reader_fail(r, from, r->at, "E_LC_PARSE", "a float has one spelling: write %s", b.at);
    buf_free(&b);
    return same;
}

bool reader_float(struct reader *r, double *out)
{
    const char *from = r->at;
    while (in_float(reader_peek(r)))
        r->at++;
    if (!text_double(from, (size_t)(r->at - from), out)) {
        r->at = from;
        return reader_expected(r, "a float");
    }
    if (!isfinite(*out) || (*out == 0 && signbit(*out)))
        return reader_fail(r, from, r->at, "E_FLOAT_SPECIAL",
                           "a float is NaN, infinite or -0.0, which have no encoding");
    return shortest_float(r, from, *out);
}

static bool in_handle(int c)
{
    return is_digit(c) || c == '.' || c == '-' || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

const struct value *reader_handle(struct reader *r)
{
    const char *from = r->at;
    while (in_handle(reader_peek(r)))
        r->at++;
    struct buf text = {0};
    buf_puts(&text, "&h_");
    buf_put(&text, from, (size_t)(r->at - from));
    const char *fault = canon_handle_fault(text.at, text.n);
    const struct value *v =
        fault != NULL ? NULL : value_canonical(r->arena, VALUE_HANDLE, text.at, text.n);
    if (fault != NULL)
        reader_fail(r, from, r->at, "E_LC_PARSE", "the handle %s", fault);
    buf_free(&text);
    return v;
}

bool reader_canonical(struct reader *r, const char *from, const char *s, size_t n)
{
    const char *fault = canon_text_fault(&r->scratch, s, n);
    return fault == NULL || reader_fail(r, from, r->at, "E_LC_PARSE", "the text %s", fault);
}

bool reader_key_order(struct reader *r, const char *from, const struct value_field *before,
                      const struct value_field *key)
{
    if (before == NULL)
        return true;
    int order = canon_key_compare(before->key, before->len, key->key, key->len);
    if (order < 0)
        return true;
    return reader_fail(r, from, r->at, "E_FIELD_ORDER",
                       order == 0 ? "the key %s is given twice"
                                  : "the key %s comes before the one above: keys are sorted",
                       canon_show(r->arena, key->key, key->len));
}
