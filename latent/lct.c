// lct.c: encodes a value as LC-T, ASCII tokens between brackets (contract 801).
#include "latent/lct.h"

#include <assert.h>
#include <string.h>

#include "latent/canon.h"

static void put_null(const struct value *v, struct sink *out)
{
    (void)v;
    buf_puts(&out->buf, "NULL");
}

static void put_bool(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, v->as.boolean ? "TRUE" : "FALSE");
}

static void put_int(const struct value *v, struct sink *out)
{
    buf_printf(&out->buf, "INT(%lld)", (long long)v->as.integer);
}

static void put_float(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "FLOAT(");
    buf_double(&out->buf, v->as.number);
    buf_putc(&out->buf, ')');
}

static void put_text(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "TEXT(");
    buf_quote(&out->buf, v->as.bytes.at, v->as.bytes.n);
    buf_putc(&out->buf, ')');
}

static void put_bytes(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "BYTES(");
    sink_hex(out, v->as.bytes.at, v->as.bytes.n);
    buf_putc(&out->buf, ')');
}

static void put_handle(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "HANDLE(");
    buf_put(&out->buf, v->as.bytes.at, v->as.bytes.n);
    buf_putc(&out->buf, ')');
}

static void put_value(const struct value *v, struct sink *out);

static void put_array(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "ARR_START");
    for (size_t i = 0; i < v->as.array.n; i++) {
        buf_puts(&out->buf, ", ");
        put_value(v->as.array.at[i], out);
    }
    buf_puts(&out->buf, ", ARR_END");
}

static void put_key(const char *key, size_t n, struct buf *out)
{
    if (canon_is_number(key, n)) {
        buf_puts(out, ", FIELD_");
        buf_put(out, key, n);
    } else {
        buf_puts(out, ", KEY(");
        buf_quote(out, key, n);
        buf_putc(out, ')');
    }
    buf_puts(out, ", ");
}

static void put_object(const struct value *v, struct sink *out)
{
    buf_puts(&out->buf, "OBJ_START");
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        put_key(f->key, f->len, &out->buf);
        put_value(f->value, out);
    }
    buf_puts(&out->buf, ", OBJ_END");
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

void lct_encode(const struct value *v, struct sink *out)
{
    assert(value_depth(v) <= VALUE_MAX_DEPTH);
    buf_putc(&out->buf, '[');
    put_value(v, out);
    buf_putc(&out->buf, ']');
}
