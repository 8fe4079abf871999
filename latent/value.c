// value.c: builds and reads latent values, the one kind of data that every track lowers to.
#include "latent/value.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "latent/canon.h"

static struct value *make(struct arena *a, enum value_kind kind)
{
    struct value *v = arena_new(a, struct value);
    v->kind = kind;
    v->depth = 1;
    return v;
}

const struct value *value_null(void)
{
    static const struct value null = {.kind = VALUE_NULL, .depth = 1};
    return &null;
}

const struct value *value_bool(bool b)
{
    static const struct value booleans[] = {
        {.kind = VALUE_BOOL, .depth = 1, .as.boolean = false},
        {.kind = VALUE_BOOL, .depth = 1, .as.boolean = true},
    };
    return &booleans[b];
}

const struct value *value_int(struct arena *a, int64_t i)
{
    struct value *v = make(a, VALUE_INT);
    v->as.integer = i;
    return v;
}

const struct value *value_float(struct arena *a, double x, struct latent_error *error)
{
    if (!isfinite(x)) {
        canon_fail(a, error, "E_FLOAT_SPECIAL", 0,
                   "a value cannot hold %s: only finite floats have an encoding",
                   isnan(x) ? "NaN" : "an infinity");
        return NULL;
    }
    struct value *v = make(a, VALUE_FLOAT);
    v->as.number = x == 0 ? 0.0 : x; // one zero
    return v;
}

const struct value *value_canonical(struct arena *a, enum value_kind kind, const void *bytes,
                                    size_t n)
{
    struct value *v = make(a, kind);
    v->as.bytes.at = arena_copy(a, bytes, n);
    v->as.bytes.n = n;
    return v;
}

const struct value *value_borrowed(struct arena *a, enum value_kind kind, const void *bytes,
                                   size_t n)
{
    struct value *v = make(a, kind);
    v->as.bytes.at = bytes;
    v->as.bytes.n = n;
    return v;
}

const struct value *value_text(struct arena *a, const char *s, size_t n, struct latent_error *error)
{
    const char *text = canon_text(a, s, n, &n);
    if (text == NULL) {
        canon_fail(a, error, "E_TEXT_INVALID", 0, "text is not valid UTF-8");
        return NULL;
    }
    return value_canonical(a, VALUE_TEXT, text, n);
}

const struct value *value_str(struct arena *a, const char *s)
{
    const struct value *v = value_text(a, s, strlen(s), NULL);
    assert(v != NULL);
    return v;
}

const struct value *value_bytes(struct arena *a, const void *bytes, size_t n)
{
    return value_canonical(a, VALUE_BYTES, bytes, n);
}

const struct value *value_handle(struct arena *a, const char *text, struct latent_error *error)
{
    size_t n = strlen(text);
    const char *fault = canon_handle_fault(text, n);
    if (fault != NULL) {
        canon_fail(a, error, "E_HANDLE_INVALID", 0, "the handle %s %s", canon_show(a, text, n),
                   fault);
        return NULL;
    }
    return value_canonical(a, VALUE_HANDLE, text, n);
}

const struct value *value_array(struct arena *a, const struct value *const *items, size_t n)
{
    struct value *v = make(a, VALUE_ARRAY);
    v->as.array.at = arena_array(a, n, sizeof *items);
    v->as.array.n = n;
    for (size_t i = 0; i < n; i++) {
        v->as.array.at[i] = items[i];
        if (v->depth <= items[i]->depth)
            v->depth = items[i]->depth + 1;
    }
    return v;
}

static int field_compare(const void *a, const void *b)
{
    const struct value_field *x = a, *y = b;
    return canon_key_compare(x->key, x->len, y->key, y->len);
}

const struct value *value_object_sorted(struct arena *a, const struct value_field *fields, size_t n)
{
    struct value *v = make(a, VALUE_OBJECT);
    struct value_field *at = arena_array(a, n, sizeof *at);
    for (size_t i = 0; i < n; i++) {
        at[i] = fields[i];
        if (v->depth <= at[i].value->depth)
            v->depth = at[i].value->depth + 1;
    }
    v->as.object.at = at;
    v->as.object.n = n;
    return v;
}

static bool canonical_keys(struct arena *a, struct value_field *fields, size_t n,
                           struct latent_error *error)
{
    for (size_t i = 0; i < n; i++) {
        struct value_field *f = &fields[i];
        const char *key = canon_text(a, f->key, f->len, &f->len);
        if (key == NULL)
            return canon_fail(a, error, "E_TEXT_INVALID", 0, "the key %s is not valid UTF-8",
                              canon_show(a, f->key, f->len));
        f->key = arena_copy(a, key, f->len);
    }
    return true;
}

const struct value *value_object(struct arena *a, const struct value_field *fields, size_t n,
                                 struct latent_error *error)
{
    struct value_field *sorted = arena_array(a, n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = fields[i];
    if (!canonical_keys(a, sorted, n, error))
        return NULL;
    qsort(sorted, n, sizeof *sorted, field_compare);
    for (size_t i = 1; i < n; i++)
        if (field_compare(&sorted[i - 1], &sorted[i]) == 0) {
            canon_fail(a, error, "E_FIELD_ORDER", 0, "the key %s is given twice in one object",
                       canon_show(a, sorted[i].key, sorted[i].len));
            return NULL;
        }
    return value_object_sorted(a, sorted, n);
}

const struct value *value_contract(struct arena *a, int64_t number, const struct value *fields)
{
    const char *key = arena_printf(a, "%lld", (long long)number);
    struct value_field field = {key, strlen(key), fields};
    return value_object_sorted(a, &field, 1);
}

const struct value *value_get(const struct value *v, const char *key)
{
    if (v == NULL || v->kind != VALUE_OBJECT)
        return NULL;
    struct value_field wanted = {key, strlen(key), NULL};
    const struct value_field *found =
        bsearch(&wanted, v->as.object.at, v->as.object.n, sizeof wanted, field_compare);
    return found == NULL ? NULL : found->value;
}

bool value_get_int(const struct value *v, const char *key, int64_t *out)
{
    const struct value *field = value_get(v, key);
    if (field == NULL || field->kind != VALUE_INT)
        return false;
    *out = field->as.integer;
    return true;
}

bool value_get_text(const struct value *v, const char *key, const char **out)
{
    const struct value *field = value_get(v, key);
    if (field == NULL || field->kind != VALUE_TEXT ||
        memchr(field->as.bytes.at, '\0', field->as.bytes.n) != NULL)
        return false;
    *out = field->as.bytes.at;
    return true;
}

static bool contract_number(const char *s, size_t n, int64_t *out)
{
    if (!canon_is_number(s, n))
        return false;
    int64_t number = 0;
    for (size_t i = 0; i < n; i++)
        number = number * 10 + (s[i] - '0');
    *out = number;
    return true;
}

bool value_is_contract(const struct value *v, int64_t *number, const struct value **fields)
{
    if (v == NULL || v->kind != VALUE_OBJECT || v->as.object.n != 1)
        return false;
    const struct value_field *f = v->as.object.at;
    if (f->value->kind != VALUE_OBJECT || !contract_number(f->key, f->len, number))
        return false;
    *fields = f->value;
    return true;
}

size_t value_depth(const struct value *v)
{
    return v->depth;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",   [VALUE_BOOL] = "bool",     [VALUE_INT] = "int",
        [VALUE_FLOAT] = "float", [VALUE_TEXT] = "text",     [VALUE_BYTES] = "bytes",
        [VALUE_ARRAY] = "array", [VALUE_OBJECT] = "object", [VALUE_HANDLE] = "handle",
    };
    return names[kind];
}
