// contract.c: the registry of contracts, and what the fields of a schema are.
#include "latent/contract.h"

#include <string.h>

// -- the registry --------------------------------------------------------------------------------

enum {
    NONE = CONTRACT_KIND(VALUE_NULL),
    BOOL = CONTRACT_KIND(VALUE_BOOL),
    INT = CONTRACT_KIND(VALUE_INT),
    FLOAT = CONTRACT_KIND(VALUE_FLOAT),
    TEXT = CONTRACT_KIND(VALUE_TEXT),
    BYTES = CONTRACT_KIND(VALUE_BYTES),
    ARRAY = CONTRACT_KIND(VALUE_ARRAY),
    OBJECT = CONTRACT_KIND(VALUE_OBJECT),
    HANDLE = CONTRACT_KIND(VALUE_HANDLE),
    ANY = CONTRACT_ANY,
    OPTIONAL = 0,
    REQUIRED = 1
};
#define OF(kinds)                                                                                  \
    {                                                                                              \
        kinds, 0, 0                                                                                \
    }
#define LIST(items)                                                                                \
    {                                                                                              \
        ARRAY, items, 0                                                                            \
    }
#define TUPLE(n, items)                                                                            \
    {                                                                                              \
        ARRAY, items, n                                                                            \
    }
#define FIELD(name, type, need, meaning) {#name, type, need, meaning},

#define CONTRACT(number, name, meaning, ...)                                                       \
    static const struct contract_field fields_##number[] = {__VA_ARGS__};
#include "latent/contracts.def"
#undef CONTRACT

static const struct contract registry[] = {
#define CONTRACT(number, name, meaning, ...)                                                       \
    {number, #name, meaning, fields_##number, sizeof fields_##number / sizeof *fields_##number},
#include "latent/contracts.def"
#undef CONTRACT
};
enum { CONTRACTS = sizeof registry / sizeof *registry };

const struct contract *contract_at(size_t i)
{
    return i < CONTRACTS ? &registry[i] : NULL;
}

const struct contract *contract_find(const struct contract_set *own, int64_t number)
{
    for (size_t i = 0; i < CONTRACTS; i++)
        if (registry[i].number == number)
            return &registry[i];
    for (size_t i = 0; own && i < own->n; i++)
        if (own->at[i]->number == number)
            return own->at[i];
    return NULL;
}

// -- fields --------------------------------------------------------------------------------------

// The number of a key `@n`: decimal, without leading zeros.
static bool indexed(const char *key, size_t len, size_t *out)
{
    if (len < 2 || len > 6 || key[0] != '@' || (key[1] == '0' && len > 2))
        return false;
    *out = 0;
    for (size_t i = 1; i < len; i++) {
        if (key[i] < '0' || key[i] > '9')
            return false;
        *out = 10 * *out + (size_t)(key[i] - '0');
    }
    return true;
}

size_t contract_field_index(const struct contract *c, const char *key, size_t len)
{
    size_t n;
    if (indexed(key, len, &n))
        return n < c->nfields ? n : CONTRACT_NO_FIELD;
    for (size_t i = 0; i < c->nfields; i++)
        if (strlen(c->field[i].name) == len && !memcmp(c->field[i].name, key, len))
            return i;
    return CONTRACT_NO_FIELD;
}

const struct value *contract_get(const struct contract *c, const struct value *fields,
                                 const char *name)
{
    size_t index = contract_field_index(c, name, strlen(name));
    for (size_t i = 0; index != CONTRACT_NO_FIELD && i < fields->as.object.n; i++) {
        const struct value_field *f = &fields->as.object.at[i];
        if (contract_field_index(c, f->key, f->len) == index)
            return f->value;
    }
    return NULL;
}

const struct value *contract_list(struct arena *a, const struct value *v)
{
    return v && v->kind == VALUE_HANDLE ? value_array(a, &v, 1) : v;
}

size_t contract_out_of_order(const struct contract *c, const char *const *keys, size_t n)
{
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = contract_field_index(c, keys[i], strlen(keys[i]));
        if (at == CONTRACT_NO_FIELD)
            continue;
        if (at < last)
            return i;
        last = at;
    }
    return CONTRACT_NO_FIELD;
}

// -- types ---------------------------------------------------------------------------------------

static void print_kinds(unsigned kinds, struct buf *out)
{
    const char *between = "";
    if (kinds == CONTRACT_ANY)
        buf_puts(out, "any");
    for (int k = VALUE_NULL; kinds != CONTRACT_ANY && k <= VALUE_HANDLE; k++)
        if (kinds & CONTRACT_KIND(k)) {
            buf_printf(out, "%s%s", between, value_kind_name((enum value_kind)k));
            between = " or ";
        }
}

void contract_type_print(const struct contract_type *t, struct buf *out)
{
    bool several = t->items & (t->items - 1);
    if (t->kinds != CONTRACT_KIND(VALUE_ARRAY) || (t->items == 0 && t->count == 0)) {
        print_kinds(t->kinds, out);
        return;
    }
    buf_puts(out, several ? "(" : "");
    print_kinds(t->items ? t->items : CONTRACT_ANY, out);
    buf_puts(out, several ? ")[" : "[");
    if (t->count > 0)
        buf_printf(out, "%zu", t->count);
    buf_putc(out, ']');
}

bool contract_type_has(const struct contract_type *t, const struct value *v)
{
    unsigned items = t->items ? t->items : CONTRACT_ANY;
    if (!(t->kinds & CONTRACT_KIND(v->kind)))
        return v->kind == VALUE_HANDLE && (t->kinds & CONTRACT_KIND(VALUE_ARRAY)) &&
               (items & CONTRACT_KIND(VALUE_HANDLE)) && t->count <= 1;
    if (v->kind != VALUE_ARRAY)
        return true;
    for (size_t i = 0; i < v->as.array.n; i++)
        if (!(items & CONTRACT_KIND(v->as.array.at[i]->kind)))
            return false;
    return t->count == 0 || v->as.array.n == t->count;
}
