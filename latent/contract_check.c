// contract_check.c: checks the contracts in a value against their schemas (contract 805).
#include <string.h>

#include "latent/contract.h"

struct checker {
    struct arena *arena;
    const struct contract_set *own;
    contract_faults *out;
};

// The end of a path of keys and indices, from the innermost part out.
struct step {
    const struct step *up;
    const char *key; // NULL: an index
    size_t len, index;
};

static void print_path(const struct step *s, struct buf *out)
{
    if (s->up)
        print_path(s->up, out);
    if (!s->key)
        buf_printf(out, "[%zu]", s->index);
    else if (s->len > 0 || out->n > 0) {
        buf_puts(out, out->n > 0 ? "." : "");
        buf_visible(out, s->key, s->len);
    }
}

static const char *taken(struct arena *a, struct buf *b)
{
    const char *text = arena_copy(a, b->at ? b->at : "", b->n);
    buf_free(b);
    return text;
}

static const char *path_text(struct arena *a, const struct step *s)
{
    struct buf b = {0};
    if (s)
        print_path(s, &b);
    return taken(a, &b);
}

static const char *type_text(struct arena *a, const struct contract_type *t)
{
    struct buf b = {0};
    contract_type_print(t, &b);
    return taken(a, &b);
}

// What a value is, as far as a type can tell: "int", "array of 2", "array with a text at [1]".
static const char *found_text(struct arena *a, const struct contract_type *t, const struct value *v)
{
    unsigned items = t->items ? t->items : CONTRACT_ANY;
    if (v->kind != VALUE_ARRAY || !(t->kinds & CONTRACT_KIND(VALUE_ARRAY)))
        return value_kind_name(v->kind);
    for (size_t i = 0; i < v->as.array.n; i++)
        if (!(items & CONTRACT_KIND(v->as.array.at[i]->kind)))
            return arena_printf(a, "an array whose item %zu is %s", i,
                                value_kind_name(v->as.array.at[i]->kind));
    return arena_printf(a, "an array of %zu", v->as.array.n);
}

static void report(struct checker *c, const struct step *at, struct contract_fault f,
                   const char *what)
{
    f.where = path_text(c->arena, at);
    const char *who =
        f.what
            ? arena_printf(c->arena, "contract %lld %s: ", (long long)f.what->number, f.what->name)
            : "";
    f.message = arena_printf(c->arena, "%s%s", who, what);
    vec_push(c->arena, c->out, f);
}

// -- one contract --------------------------------------------------------------------------------

static const char *shown_key(struct arena *a, const char *key, size_t len)
{
    struct buf b = {0};
    buf_visible(&b, key, len);
    return taken(a, &b);
}

static void unknown_field(struct checker *c, const struct contract *schema, const struct step *at)
{
    const char *key = shown_key(c->arena, at->key, at->len);
    struct contract_fault f = {.code = "E_CONTRACT_FIELD", .field = key, .what = schema};
    const char **names = arena_array(c->arena, schema->nfields, sizeof *names);
    for (size_t i = 0; i < schema->nfields; i++)
        names[i] = schema->field[i].name;
    const char *near = text_nearest(key, names, schema->nfields);
    report(c, at, f,
           near ? arena_printf(c->arena, "it has no field `%s`; did you mean `%s`?", key, near)
                : arena_printf(c->arena, "it has no field `%s`", key));
}

static void wrong_type(struct checker *c, const struct contract *schema, size_t index,
                       const struct value *v, const struct step *at)
{
    const struct contract_field *field = &schema->field[index];
    struct contract_fault f = {.code = "E_CONTRACT_TYPE",
                               .field = shown_key(c->arena, at->key, at->len),
                               .expected = type_text(c->arena, &field->type),
                               .found = found_text(c->arena, &field->type, v),
                               .what = schema};
    const char *also = at->key[0] == '@' ? arena_printf(c->arena, " (`%s`)", field->name) : "";
    report(c, at, f,
           arena_printf(c->arena, "the field `%s`%s must be %s, and is %s", f.field, also,
                        f.expected, f.found));
}

static void check_field(struct checker *c, const struct contract *schema,
                        const struct value_field *field, const struct step *up, bool *given)
{
    const struct step at = {up, field->key, field->len, 0};
    size_t index = contract_field_index(schema, field->key, field->len);
    if (index == CONTRACT_NO_FIELD) {
        unknown_field(c, schema, &at);
        return;
    }
    if (given[index]) {
        const char *key = shown_key(c->arena, field->key, field->len);
        struct contract_fault f = {.code = "E_CONTRACT_TWICE", .field = key, .what = schema};
        report(c, &at, f,
               arena_printf(c->arena, "the field `%s` is given twice, by name and by number",
                            schema->field[index].name));
    }
    given[index] = true;
    if (!contract_type_has(&schema->field[index].type, field->value))
        wrong_type(c, schema, index, field->value, &at);
}

static void check_missing(struct checker *c, const struct contract *schema, const struct step *up,
                          const bool *given)
{
    for (size_t i = 0; i < schema->nfields; i++) {
        const struct contract_field *field = &schema->field[i];
        if (given[i] || !field->required)
            continue;
        const struct step at = {up, field->name, strlen(field->name), 0};
        struct contract_fault f = {.code = "E_CONTRACT_MISSING",
                                   .field = field->name,
                                   .expected = type_text(c->arena, &field->type),
                                   .found = "nothing",
                                   .what = schema};
        report(c, &at, f,
               arena_printf(c->arena, "the field `%s` (%s) is missing", field->name, f.expected));
    }
}

static void check_contract(struct checker *c, const struct contract *schema,
                           const struct value *fields, const struct step *at)
{
    bool *given = arena_array(c->arena, schema->nfields, sizeof *given);
    for (size_t i = 0; i < fields->as.object.n; i++)
        check_field(c, schema, &fields->as.object.at[i], at, given);
    check_missing(c, schema, at, given);
}

bool contract_check(struct arena *a, const struct contract *schema, const struct value *fields,
                    contract_faults *out)
{
    struct checker c = {a, NULL, out};
    size_t before = out->n;
    const char *number = arena_printf(a, "%lld", (long long)schema->number);
    const struct step top = {NULL, number, strlen(number), 0};
    check_contract(&c, schema, fields, &top);
    return out->n == before;
}

// -- whole values --------------------------------------------------------------------------------

static void walk(struct checker *c, const struct value *v, const struct step *up);

static void walk_object(struct checker *c, const struct value *v, const struct step *up)
{
    int64_t number;
    const struct value *fields;
    if (value_is_contract(v, &number, &fields)) {
        const struct contract *schema = contract_find(c->own, number);
        const struct step at = {up, v->as.object.at[0].key, v->as.object.at[0].len, 0};
        if (schema)
            check_contract(c, schema, fields, &at);
        else if (number < CONTRACT_USER)
            report(c, &at, (struct contract_fault){.code = "E_CONTRACT_UNKNOWN"},
                   arena_printf(c->arena,
                                "there is no contract %lld; numbers from %d on are free for your "
                                "own",
                                (long long)number, CONTRACT_USER));
    }
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        const struct step at = {up, f->key, f->len, 0};
        walk(c, f->value, &at);
    }
}

static void walk(struct checker *c, const struct value *v, const struct step *up)
{
    if (v->kind == VALUE_OBJECT)
        walk_object(c, v, up);
    for (size_t i = 0; v->kind == VALUE_ARRAY && i < v->as.array.n; i++) {
        const struct step at = {up, NULL, 0, i};
        walk(c, v->as.array.at[i], &at);
    }
}

bool contract_validate(struct arena *a, const struct value *v, const struct contract_set *own,
                       contract_faults *out)
{
    struct checker c = {a, own, out};
    size_t before = out->n;
    if (v->depth > VALUE_MAX_DEPTH)
        report(&c, NULL, (struct contract_fault){.code = "E_DEPTH_EXCEEDED"},
               arena_printf(a, "the value is nested more than %d deep", VALUE_MAX_DEPTH));
    else
        walk(&c, v, NULL);
    return out->n == before;
}
