// lcr.c: encodes a value as LC-R: level 0 itself, where every value has its glyph.
#include "latent/lcr.h"

#include <assert.h>
#include <string.h>

#include "latent/canon.h"
#include "latent/lcr_kit.h"

static void put_value(const struct value *v, struct sink *out);

static void put_null(const struct value *v, struct sink *out)
{
    (void)v;
    buf_puts(&out->buf, LCR_NULL);
}

static void put_bool(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, v->as.boolean ? LCR_TRUE : LCR_FALSE);
}

static void put_int(const struct value *v, struct sink *out)
{
    buf_printf(&out->buf, LCR_INT "%lld", (long long)v->as.integer);
}

static void put_float(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, LCR_FLOAT);
    buf_double(&out->buf, v->as.number);
}

static void put_quoted(const char *s, size_t n, struct buf *out)
{
    buf_putc(out, '"');
    lcr_put_chars(out, s, n, false);
    buf_putc(out, '"');
}

static void put_text(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, LCR_TEXT);
    put_quoted(v->as.bytes.at, v->as.bytes.n, &out->buf);
}

static void put_bytes(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, LCR_BYTES);
    sink_hex(out, v->as.bytes.at, v->as.bytes.n);
}

static void put_handle(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, LCR_HANDLE);
    buf_put(&out->buf, v->as.bytes.at + 3, v->as.bytes.n - 3);
}

static void put_array(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, LCR_ARRAY "[");
    for (size_t i = 0; i < v->as.array.n; i++) {
        if (i > 0)
            buf_puts(&out->buf, LCR_SEPARATOR);
        put_value(v->as.array.at[i], out);
    }
    buf_putc(&out->buf, ']');
}

// A contract's field: the mark and its number (or its key), a space, and the value, of which a text
// goes without its glyph.
static void put_field(const struct value_field *f, struct sink *out)
{
    buf_puts(&out->buf, LCR_FIELD);
    if (f->len > 1 && f->key[0] == '@' && canon_is_number(f->key + 1, f->len - 1))
        buf_put(&out->buf, f->key + 1, f->len - 1);
    else
        put_quoted(f->key, f->len, &out->buf);
    buf_putc(&out->buf, ' ');
    if (f->value->kind == VALUE_TEXT)
        put_quoted(f->value->as.bytes.at, f->value->as.bytes.n, &out->buf);
    else
        put_value(f->value, out);
}

static void put_contract(int64_t number, const struct value *fields, struct sink *out)
{
    buf_printf(&out->buf, LCR_CONTRACT "%lld", (long long)number);
    for (size_t i = 0; i < fields->as.object.n; i++)
        put_field(&fields->as.object.at[i], out);
    buf_puts(&out->buf, LCR_END);
}

static void put_object(const struct value *v, struct sink *out)
{
    int64_t number;
    const struct value *fields;
    if (value_is_contract(v, &number, &fields)) {
        put_contract(number, fields, out);
        return;
    }
    buf_puts(&out->buf, LCR_OBJECT "{");
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        if (i > 0)
            buf_puts(&out->buf, LCR_SEPARATOR);
        buf_puts(&out->buf, LCR_TEXT);
        put_quoted(f->key, f->len, &out->buf);
        buf_puts(&out->buf, LCR_BIND);
        put_value(f->value, out);
    }
    buf_putc(&out->buf, '}');
}

static void put_value(const struct value *v, struct sink *out)
{
    static void (*const put[])(const struct value *, struct sink *) = {
        [VALUE_NULL] = put_null,   [VALUE_BOOL] = put_bool,     [VALUE_INT] = put_int,
        [VALUE_FLOAT] = put_float, [VALUE_TEXT] = put_text,     [VALUE_BYTES] = put_bytes,
        [VALUE_ARRAY] = put_array, [VALUE_OBJECT] = put_object, [VALUE_HANDLE] = put_handle,
    };
    put[v->kind](v, out);
    sink_turn(out);
}

void lcr_encode(const struct value *v, unsigned level, struct sink *out)
{
    assert(value_depth(v) <= VALUE_MAX_DEPTH && level <= LCR_MAX_LEVEL);
    struct buf text = {0};
    while (level > LCR_PLAIN && !lcr_write_collapsed(v, level, &text)) {
        buf_clear(&text);
        level--;
    }
    if (level > LCR_PLAIN)
        sink_put(out, text.at, text.n);
    else
        put_value(v, out);
    sink_turn(out);
    buf_free(&text);
}
