// value_check.c: compares values, and checks a whole value before it is encoded (contract 804).
#include <math.h>
#include <string.h>

#include "latent/canon.h"
#include "latent/value.h"

static bool equal_null(const struct value *a, const struct value *b)
{
    (void)a, (void)b;
    return true;
}

static bool equal_bool(const struct value *a, const struct value *b)
{
    return a->as.boolean == b->as.boolean;
}

static bool equal_int(const struct value *a, const struct value *b)
{
    return a->as.integer == b->as.integer;
}

static bool equal_float(const struct value *a, const struct value *b)
{
    return a->as.number == b->as.number; // finite and with one zero, so this compares bits
}

static bool same_bytes(const char *a, size_t an, const char *b, size_t bn)
{
    return an == bn && memcmp(a, b, an) == 0;
}

static bool equal_bytes(const struct value *a, const struct value *b)
{
    return same_bytes(a->as.bytes.at, a->as.bytes.n, b->as.bytes.at, b->as.bytes.n);
}

static bool equal_array(const struct value *a, const struct value *b)
{
    if (a->as.array.n != b->as.array.n)
        return false;
    for (size_t i = 0; i < a->as.array.n; i++)
        if (!value_equal(a->as.array.at[i], b->as.array.at[i]))
            return false;
    return true;
}

static bool equal_object(const struct value *a, const struct value *b)
{
    if (a->as.object.n != b->as.object.n)
        return false;
    for (size_t i = 0; i < a->as.object.n; i++) {
        const struct value_field *x = &a->as.object.at[i], *y = &b->as.object.at[i];
        if (!same_bytes(x->key, x->len, y->key, y->len) || !value_equal(x->value, y->value))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    static bool (*const equal[])(const struct value *, const struct value *) = {
        [VALUE_NULL] = equal_null,   [VALUE_BOOL] = equal_bool,     [VALUE_INT] = equal_int,
        [VALUE_FLOAT] = equal_float, [VALUE_TEXT] = equal_bytes,    [VALUE_BYTES] = equal_bytes,
        [VALUE_ARRAY] = equal_array, [VALUE_OBJECT] = equal_object, [VALUE_HANDLE] = equal_bytes,
    };
    if (a == b)
        return true;
    if (a->kind != b->kind || a->depth != b->depth || a->depth > VALUE_MAX_DEPTH)
        return false;
    return equal[a->kind](a, b);
}

struct check {
    struct arena *arena;
    struct latent_error *error;
};

static bool check_value(const struct check *c, const struct value *v, unsigned depth);

static bool check_nothing(const struct check *c, const struct value *v, unsigned depth)
{
    (void)c, (void)v, (void)depth;
    return true;
}

static bool check_float(const struct check *c, const struct value *v, unsigned depth)
{
    (void)depth;
    double x = v->as.number;
    if (isfinite(x) && !(x == 0 && signbit(x)))
        return true;
    return canon_fail(c->arena, c->error, "E_FLOAT_SPECIAL", 0,
                      "a float is NaN, infinite or -0.0, which have no encoding");
}

static bool check_string(const struct check *c, const char *what, const char *s, size_t n)
{
    const char *fault = canon_text_fault(c->arena, s, n);
    if (fault == NULL)
        return true;
    return canon_fail(c->arena, c->error, "E_TEXT_INVALID", 0, "the %s %s %s", what,
                      canon_show(c->arena, s, n), fault);
}

static bool check_text(const struct check *c, const struct value *v, unsigned depth)
{
    (void)depth;
    return check_string(c, "text", v->as.bytes.at, v->as.bytes.n);
}

static bool check_handle(const struct check *c, const struct value *v, unsigned depth)
{
    (void)depth;
    const char *fault = canon_handle_fault(v->as.bytes.at, v->as.bytes.n);
    if (fault == NULL)
        return true;
    return canon_fail(c->arena, c->error, "E_HANDLE_INVALID", 0, "the handle %s %s",
                      canon_show(c->arena, v->as.bytes.at, v->as.bytes.n), fault);
}

static bool check_array(const struct check *c, const struct value *v, unsigned depth)
{
    for (size_t i = 0; i < v->as.array.n; i++)
        if (!check_value(c, v->as.array.at[i], depth + 1))
            return false;
    return true;
}

// Whether the key of field i comes after the key before it.
static bool key_in_order(const struct value *v, size_t i)
{
    if (i == 0)
        return true;
    const struct value_field *a = &v->as.object.at[i - 1], *b = &v->as.object.at[i];
    return canon_key_compare(a->key, a->len, b->key, b->len) < 0;
}

static bool check_object(const struct check *c, const struct value *v, unsigned depth)
{
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        if (!check_string(c, "key", f->key, f->len))
            return false;
        if (!key_in_order(v, i))
            return canon_fail(c->arena, c->error, "E_FIELD_ORDER", 0,
                              "the key %s is out of order or given twice",
                              canon_show(c->arena, f->key, f->len));
        if (!check_value(c, f->value, depth + 1))
            return false;
    }
    return true;
}

static bool check_value(const struct check *c, const struct value *v, unsigned depth)
{
    static bool (*const check[])(const struct check *, const struct value *, unsigned) = {
        [VALUE_NULL] = check_nothing, [VALUE_BOOL] = check_nothing,  [VALUE_INT] = check_nothing,
        [VALUE_FLOAT] = check_float,  [VALUE_TEXT] = check_text,     [VALUE_BYTES] = check_nothing,
        [VALUE_ARRAY] = check_array,  [VALUE_OBJECT] = check_object, [VALUE_HANDLE] = check_handle,
    };
    if (depth > VALUE_MAX_DEPTH)
        return canon_fail(c->arena, c->error, "E_DEPTH_EXCEEDED", 0,
                          "the value is nested more than %d deep; keep parts of it under handles",
                          VALUE_MAX_DEPTH);
    return check[v->kind](c, v, depth);
}

bool value_validate(struct arena *a, const struct value *v, struct latent_error *error)
{
    struct check c = {a, error};
    return check_value(&c, v, 1);
}
