// stage_values.c: builtins of compile-time values: arrays, objects, texts, checks, printing.
#include "frontend/stage_builtin.h"

#include <math.h>
#include <string.h>

struct stage_value stage_values_len(struct stage *s, struct stage_call *c)
{
    struct stage_value v = c->arg[0];
    if (v.kind == STAGE_TEXT)
        stage_charge(s, stage_size(v).weight);
    if (stage_is_list(v))
        return stage_int((int64_t)stage_count(v));
    if (v.kind == STAGE_TEXT)
        return stage_int((int64_t)stage_text_length(v));
    if (v.kind == STAGE_BYTES)
        return stage_int((int64_t)v.as.text.n);
    if (v.kind == STAGE_OBJECT)
        return stage_int((int64_t)v.as.object->n);
    return stage_arg_error(s, c, 0, "an array, a text, bytes or an object");
}

struct stage_value stage_values_range(struct stage *s, struct stage_call *c)
{
    int64_t a, b;
    if (!stage_want_int(s, c, 0, INT64_MIN, INT64_MAX, &a))
        return stage_poison();
    if (stage_given(c, 1)) {
        if (!stage_want_int(s, c, 1, INT64_MIN, INT64_MAX, &b))
            return stage_poison();
    } else {
        b = a;
        a = 0;
    }
    return stage_range(s, c->at, a, b);
}

// f(v), for map.
static struct stage_value mapped(struct stage *s, struct stage_call *c, struct stage_value v)
{
    struct stage_arg item = {"", v, c->arg_at[0]};
    if (!stage_work(s, c->at))
        return stage_poison();
    return stage_apply(s, c->at, c->arg[1], &item, 1);
}

static struct stage_value map_fields(struct stage *s, struct stage_call *c,
                                     const struct stage_object *o)
{
    struct stage_field *fields = arena_array(s->a, o->n, sizeof *fields);
    for (size_t i = 0; i < o->n; i++) {
        fields[i] = o->at[i];
        fields[i].value = mapped(s, c, o->at[i].value);
        if (fields[i].value.kind == STAGE_POISON)
            return stage_poison();
    }
    return stage_object(s->a, fields, o->n);
}

static struct stage_value map_items(struct stage *s, struct stage_call *c, struct stage_value list)
{
    size_t n = stage_count(list);
    struct stage_value *items = arena_array(s->a, n, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        items[i] = mapped(s, c, stage_item(list, i));
        if (items[i].kind == STAGE_POISON)
            return stage_poison();
    }
    return stage_array(s->a, items, n);
}

struct stage_value stage_values_map(struct stage *s, struct stage_call *c)
{
    struct stage_value v = c->arg[0];
    if (v.kind == STAGE_OBJECT)
        v = map_fields(s, c, v.as.object);
    else if (stage_is_list(v))
        v = map_items(s, c, v);
    else
        return stage_arg_error(s, c, 0, "an array or an object");
    stage_check_size(s, c->at, &v);
    return v;
}

// -- objects -------------------------------------------------------------------------------------

struct stage_value stage_values_keys(struct stage *s, struct stage_call *c)
{
    if (c->arg[0].kind != STAGE_OBJECT)
        return stage_arg_error(s, c, 0, "an object");
    const struct stage_object *o = c->arg[0].as.object;
    struct stage_value *keys = arena_array(s->a, o->n, sizeof *keys);
    for (size_t i = 0; i < o->n; i++)
        keys[i] = stage_bytes(s->a, STAGE_TEXT, o->at[i].key, o->at[i].len);
    return stage_array(s->a, keys, o->n);
}

struct stage_value stage_values_merge(struct stage *s, struct stage_call *c)
{
    for (unsigned i = 0; i < 2; i++)
        if (c->arg[i].kind != STAGE_OBJECT)
            return stage_arg_error(s, c, i, "an object");
    const struct stage_object *a = c->arg[0].as.object, *b = c->arg[1].as.object;
    struct stage_field *fields = arena_array(s->a, a->n + b->n, sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (!stage_get(c->arg[1], a->at[i].key, a->at[i].len))
            fields[n++] = a->at[i];
    for (size_t i = 0; i < b->n; i++)
        fields[n++] = b->at[i];
    struct stage_value v = stage_object(s->a, fields, n);
    stage_check_size(s, c->at, &v);
    return v;
}

// -- kinds and conversions -----------------------------------------------------------------------

struct stage_value stage_values_type(struct stage *s, struct stage_call *c)
{
    return stage_text(s->a, stage_kind_text(s->m, c->arg[0]));
}

struct stage_value stage_values_str(struct stage *s, struct stage_call *c)
{
    struct buf b = {0};
    stage_charge(s, stage_size(c->arg[0]).weight);
    stage_show(s->m, c->arg[0], false, &b);
    struct stage_value v = stage_bytes(s->a, STAGE_TEXT, b.n ? b.at : "", b.n);
    buf_free(&b);
    return v;
}

static struct stage_value no_number(struct stage *s, struct stage_call *c, const char *what)
{
    return stage_fail(s, c->arg_at[0], "HLX0705", "%s is no %s", stage_shown(s->m, c->arg[0]),
                      what);
}

static bool read_int(struct stage_value v, int64_t *out)
{
    const char *p = v.as.text.at, *end = p + v.as.text.n;
    bool negative = p < end && *p == '-';
    uint64_t x = 0, most = (uint64_t)INT64_MAX + negative;
    p += negative;
    if (p == end)
        return false;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9 || x > (most - digit) / 10)
            return false;
        x = x * 10 + digit;
    }
    *out = negative ? (int64_t)-x : (int64_t)x;
    return true;
}

struct stage_value stage_values_int(struct stage *s, struct stage_call *c)
{
    struct stage_value v = c->arg[0];
    int64_t i;
    switch (v.kind) {
    case STAGE_INT: return v;
    case STAGE_BOOL: return stage_int(v.as.boolean);
    case STAGE_FLOAT:
        if (fabs(v.as.number) < 0x1p63)
            return stage_int((int64_t)v.as.number);
        return no_number(s, c, "int of 64 bits");
    case STAGE_TEXT: return read_int(v, &i) ? stage_int(i) : no_number(s, c, "int");
    default:
        return stage_arg_error(s, c, 0,
                               "a number, a bool or a text; cast(x, i32) converts "
                               "tensors");
    }
}

struct stage_value stage_values_float(struct stage *s, struct stage_call *c)
{
    struct stage_value v = c->arg[0];
    double x;
    if (stage_is_number(v))
        return stage_float(stage_number(v));
    if (v.kind != STAGE_TEXT)
        return stage_arg_error(s, c, 0, "a number or a text; cast(x, f32) converts tensors");
    if (!text_double(v.as.text.at, v.as.text.n, &x))
        return no_number(s, c, "float");
    return stage_finite(s, c->at, x);
}

// -- effects -------------------------------------------------------------------------------------

struct stage_value stage_values_print(struct stage *s, struct stage_call *c)
{
    struct buf *out = s->options->printed;
    for (size_t i = 0; out && i < c->nrest; i++) {
        if (i)
            buf_putc(out, ' ');
        stage_charge(s, stage_size(c->rest[i].value).weight);
        stage_show(s->m, c->rest[i].value, false, out);
    }
    if (out)
        buf_putc(out, '\n');
    if (out && out->n > STAGE_MAX_LENGTH)
        return stage_halt(s, c->at, "the program prints too much");
    return stage_null();
}

struct stage_value stage_values_assert(struct stage *s, struct stage_call *c)
{
    bool holds;
    const char *message;
    if (!stage_truth(s, c->arg_at[0], c->arg[0], &holds) || !stage_want_text(s, c, 1, "", &message))
        return stage_poison();
    if (holds)
        return stage_null();
    return stage_fail(s, c->at, "HLX0703", "%s%s", *message ? "" : "the assertion does not hold",
                      message);
}

struct stage_value stage_values_error(struct stage *s, struct stage_call *c)
{
    const char *message;
    if (!stage_want_text(s, c, 0, NULL, &message))
        return stage_poison();
    return stage_fail(s, c->at, "HLX0704", "%s", message);
}
