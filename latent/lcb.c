// lcb.c: encodes a value as LC-B, its canonical bytes (contract 800).
#include "latent/lcb.h"

#include <assert.h>
#include <string.h>

static void put_uleb(struct buf *out, uint64_t n)
{
    while (n >= 0x80) {
        buf_putc(out, (char)(n | 0x80));
        n >>= 7;
    }
    buf_putc(out, (char)n);
}

// Stops at the first group whose top bit already tells the sign of what is left.
static void put_sleb(struct buf *out, int64_t i)
{
    uint64_t sign = i < 0 ? UINT64_MAX : 0, rest = (uint64_t)i;
    for (;;) {
        unsigned char group = rest & 0x7F;
        rest = rest >> 7 | sign << 57;
        if (rest == sign && (group >> 6) == (sign & 1)) {
            buf_putc(out, (char)group);
            return;
        }
        buf_putc(out, (char)(group | 0x80));
    }
}

static void put_counted(struct buf *out, const char *bytes, size_t n)
{
    put_uleb(out, n);
    buf_put(out, bytes, n);
}

static void put_null(const struct value *v, struct sink *out)
{
    (void)v;
    buf_putc(&out->buf, LCB_NULL);
}

static void put_bool(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, v->as.boolean ? LCB_TRUE : LCB_FALSE);
}

static void put_int(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_INT);
    put_sleb(&out->buf, v->as.integer);
}

static void put_float(const struct value *v, struct sink *out)
{
    uint64_t bits;
    memcpy(&bits, &v->as.number, sizeof bits);
    buf_putc(&out->buf, LCB_FLOAT);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_putc(&out->buf, (char)(bits >> shift));
}

static void put_text(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_TEXT);
    put_counted(&out->buf, v->as.bytes.at, v->as.bytes.n);
}

static void put_bytes(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_BYTES);
    put_uleb(&out->buf, v->as.bytes.n);
    sink_put(out, v->as.bytes.at, v->as.bytes.n);
}

static void put_handle(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_HANDLE_REF);
    put_counted(&out->buf, v->as.bytes.at, v->as.bytes.n);
}

static void put_value(const struct value *v, struct sink *out);

static void put_array(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_ARR_START);
    put_uleb(&out->buf, v->as.array.n);
    for (size_t i = 0; i < v->as.array.n; i++)
        put_value(v->as.array.at[i], out);
    buf_putc(&out->buf, LCB_ARR_END);
}

static void put_object(const struct value *v, struct sink *out)
{
    buf_putc(&out->buf, LCB_OBJ_START);
    put_uleb(&out->buf, v->as.object.n);
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        put_counted(&out->buf, f->key, f->len);
        put_value(f->value, out);
    }
    buf_putc(&out->buf, LCB_OBJ_END);
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

void lcb_write(const struct value *v, struct sink *out)
{
    assert(value_depth(v) <= VALUE_MAX_DEPTH);
    put_value(v, out);
}

void lcb_encode(const struct value *v, struct buf *out)
{
    struct sink sink = {.buf = *out};
    lcb_write(v, &sink);
    *out = sink.buf;
}

// -- size -----------------------------------------------------------------------------------------

static size_t uleb_size(uint64_t n)
{
    size_t size = 1;
    for (; n >= 0x80; n >>= 7)
        size++;
    return size;
}

// A group holds 7 bits of which the last one has the sign.
static size_t sleb_size(int64_t i)
{
    return uleb_size((uint64_t)(i < 0 ? ~i : i) << 1);
}

static size_t array_size(const struct value *v)
{
    size_t size = 2 + uleb_size(v->as.array.n);
    for (size_t i = 0; i < v->as.array.n; i++)
        size += lcb_size(v->as.array.at[i]);
    return size;
}

static size_t object_size(const struct value *v)
{
    size_t size = 2 + uleb_size(v->as.object.n);
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        size += uleb_size(f->len) + f->len + lcb_size(f->value);
    }
    return size;
}

size_t lcb_size(const struct value *v)
{
    switch (v->kind) {
    case VALUE_NULL:
    case VALUE_BOOL: return 1;
    case VALUE_INT: return 1 + sleb_size(v->as.integer);
    case VALUE_FLOAT: return 1 + sizeof v->as.number;
    case VALUE_ARRAY: return array_size(v);
    case VALUE_OBJECT: return object_size(v);
    default: return 1 + uleb_size(v->as.bytes.n) + v->as.bytes.n;
    }
}
