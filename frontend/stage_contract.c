// stage_contract.c: checks contracts written in a program against their schemas, and takes schemas
// of the program's own.
#include "frontend/stage.h"

#include <string.h>

#include "latent/contract.h"

struct stage_schema {
    struct contract contract;
    struct stage_value *standard; // by field: what it is when it is left out, or NONE
    struct span span;
};

// -- declarations --------------------------------------------------------------------------------

static bool kind_named(const char *name, unsigned *kinds)
{
    for (int k = VALUE_NULL; k <= VALUE_HANDLE; k++)
        if (!strcmp(value_kind_name((enum value_kind)k), name)) {
            *kinds = CONTRACT_KIND(k);
            return true;
        }
    *kinds = !strcmp(name, "contract") ? CONTRACT_KIND(VALUE_OBJECT) : CONTRACT_ANY;
    return !strcmp(name, "any") || !strcmp(name, "contract");
}

static void unknown_kind(struct stage *s, const struct ast *type)
{
    stage_names names = {0};
    for (int k = VALUE_NULL; k <= VALUE_HANDLE; k++)
        vec_push(s->a, &names, value_kind_name((enum value_kind)k));
    struct diag *g = stage_error(s, type->span, "HLX0402",
                                 "a field of a contract cannot be of type `%s`", type->text);
    stage_suggest(g, type->text, names.at, names.n);
    diag_help(g,
              "fields hold latent values: null, bool, int, float, text, bytes, array, object, "
              "handle, contract, any; `handle[]` is an array of handles, `int[3]` one of 3 ints");
}

// `int[3]`: the count of items that is written; false after an error.
static bool item_count(struct stage *s, struct stage_env *env, const struct ast *type, size_t *n)
{
    struct stage_value v = {.kind = STAGE_POISON};
    if (type->nkids == 1)
        v = stage_expr(s, env, type->kid[0]);
    if (v.kind == STAGE_INT && v.as.integer > 0 && v.as.integer <= (int64_t)STAGE_MAX_LENGTH) {
        *n = (size_t)v.as.integer;
        return true;
    }
    if (type->nkids != 1 || v.kind != STAGE_POISON)
        stage_fail(s, type->span, "HLX0402",
                   "the type of a field has one number of items at most: `int[3]`, `int[]`");
    return false;
}

static bool field_type(struct stage *s, struct stage_env *env, const struct ast *type,
                       struct contract_type *out)
{
    unsigned kinds = CONTRACT_ANY;
    *out = (struct contract_type){.kinds = CONTRACT_ANY};
    if (!type || type->kind != AST_TYPE)
        return true;
    if (!kind_named(type->text, &kinds)) {
        unknown_kind(s, type);
        return false;
    }
    out->kinds = kinds;
    if (!(type->flags & AST_SHAPED))
        return true;
    *out = (struct contract_type){.kinds = CONTRACT_KIND(VALUE_ARRAY), .items = kinds};
    return type->nkids == 0 || item_count(s, env, type, &out->count);
}

// What a left-out field is. `= null` leaves it out.
static void field_standard(struct stage *s, struct stage_env *env, const struct ast *formal,
                           struct contract_field *field, struct stage_value *out)
{
    *out = (struct stage_value){.kind = STAGE_NONE};
    field->required = formal->kid[1] == NULL;
    if (field->required)
        return;
    struct stage_value v = stage_expr(s, env, formal->kid[1]);
    if (v.kind == STAGE_NULL || v.kind == STAGE_POISON)
        return;
    const struct value *latent = stage_to_latent(s, formal->kid[1]->span, v);
    struct buf wanted = {0};
    contract_type_print(&field->type, &wanted);
    if (latent && contract_type_has(&field->type, latent))
        *out = v;
    else if (latent)
        stage_fail(s, formal->kid[1]->span, "E_CONTRACT_TYPE", "the field `%s` must be %s, not %s",
                   field->name, wanted.at, stage_kind_text(s->m, v));
    buf_free(&wanted);
}

static bool number_free(struct stage *s, const struct ast *item)
{
    const struct contract *known = contract_find(NULL, item->as.integer);
    if (known || item->as.integer < CONTRACT_USER) {
        struct diag *g =
            stage_error(s, item->span, "HLX0302", "the contract %lld is not a program's to declare",
                        (long long)item->as.integer);
        if (known)
            diag_caret(g, "it is %s: %s", known->name, known->meaning);
        diag_help(g, "numbers from %d on are", CONTRACT_USER);
        return false;
    }
    for (size_t i = 0; i < s->schemas.n; i++)
        if (s->schemas.at[i]->contract.number == item->as.integer) {
            struct diag *g =
                stage_error(s, item->span, "HLX0302", "the contract %lld is declared twice",
                            (long long)item->as.integer);
            diag_label(g, s->schemas.at[i]->span, "first here");
            return false;
        }
    return true;
}

static bool field_twice(struct stage *s, const struct contract_field *field, size_t n,
                        const struct ast *formal)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(field[i].name, formal->text)) {
            stage_fail(s, formal->name_span, "HLX0302", "the field `%s` is declared twice",
                       formal->text);
            return true;
        }
    return false;
}

void stage_schema(struct stage *s, struct stage_env *env, const struct ast *item)
{
    const struct ast *formals = item->kid[0];
    struct stage_schema *made = arena_new(s->a, struct stage_schema);
    struct contract_field *field = arena_array(s->a, formals->nkids, sizeof *field);
    size_t n = 0;
    if (!number_free(s, item))
        return;
    made->standard = arena_array(s->a, formals->nkids, sizeof *made->standard);
    for (uint32_t i = 0; i < formals->nkids; i++) {
        const struct ast *f = formals->kid[i];
        if (f->kind != AST_FORMAL || field_twice(s, field, n, f))
            continue;
        field[n] = (struct contract_field){.name = f->text, .meaning = ""};
        if (field_type(s, env, f->kid[0], &field[n].type))
            field_standard(s, env, f, &field[n], &made->standard[n]);
        n++;
    }
    made->contract = (struct contract){item->as.integer, item->text, "", field, n};
    made->span = item->span;
    vec_push(s->a, &s->schemas, made);
}

// -- literals ------------------------------------------------------------------------------------

// As much of a value as a schema looks at: its kind, and that of its items. NULL for poison, and
// after an error: what is no latent value.
static const struct value *outline(struct stage *s, struct span at, struct stage_value v, bool deep)
{
    static const struct value kinds[] = {
        {.kind = VALUE_NULL},  {.kind = VALUE_BOOL},   {.kind = VALUE_INT},
        {.kind = VALUE_FLOAT}, {.kind = VALUE_TEXT},   {.kind = VALUE_BYTES},
        {.kind = VALUE_ARRAY}, {.kind = VALUE_OBJECT}, {.kind = VALUE_HANDLE}};
    static const uint8_t kind[STAGE_KIND_COUNT] = {
        [STAGE_NULL] = VALUE_NULL + 1,      [STAGE_BOOL] = VALUE_BOOL + 1,
        [STAGE_INT] = VALUE_INT + 1,        [STAGE_FLOAT] = VALUE_FLOAT + 1,
        [STAGE_TEXT] = VALUE_TEXT + 1,      [STAGE_BYTES] = VALUE_BYTES + 1,
        [STAGE_HANDLE] = VALUE_HANDLE + 1,  [STAGE_ARRAY] = VALUE_ARRAY + 1,
        [STAGE_RANGE] = VALUE_ARRAY + 1,    [STAGE_OBJECT] = VALUE_OBJECT + 1,
        [STAGE_CONTRACT] = VALUE_OBJECT + 1};
    if (v.kind == STAGE_POISON)
        return NULL;
    if (!kind[v.kind]) {
        stage_fail(s, at, "HLX0707", "a %s is no value that a contract can hold",
                   stage_kind_text(s->m, v));
        return NULL;
    }
    if (!deep || !stage_is_list(v))
        return &kinds[kind[v.kind] - 1];
    size_t n = stage_count(v);
    const struct value **items = arena_array(s->a, n, sizeof *items);
    stage_charge(s, n);
    for (size_t i = 0; i < n; i++)
        if (!(items[i] = outline(s, at, stage_item(v, i), false)))
            return NULL;
    return value_array(s->a, items, n);
}

static const struct ast *field_of(const struct ast *literal, const char *key)
{
    for (uint32_t i = 0; i < literal->nkids; i++)
        if (literal->kid[i]->kind == AST_FIELD && !strcmp(literal->kid[i]->text, key))
            return literal->kid[i];
    return NULL;
}

static struct span value_span(const struct ast *field)
{
    return field->nkids && field->kid[0] ? field->kid[0]->span : field->span;
}

static const struct value *outline_fields(struct stage *s, const struct ast *literal,
                                          const struct stage_object *o)
{
    struct value_field *field = arena_array(s->a, o->n, sizeof *field);
    for (size_t i = 0; i < o->n; i++) {
        const struct ast *f = field_of(literal, o->at[i].key);
        struct span at = f ? value_span(f) : literal->span;
        const struct value *v = outline(s, at, o->at[i].value, true);
        if (!v)
            return NULL;
        field[i] = (struct value_field){o->at[i].key, o->at[i].len, v};
    }
    return value_object_sorted(s->a, field, o->n);
}

// The family writes literals (14 to 22) of any kind: for them it is a warning.
static void report(struct stage *s, const struct ast *literal, const struct contract_fault *f)
{
    const struct ast *field = f->field ? field_of(literal, f->field) : NULL;
    struct span at = !field                                ? literal->name_span
                     : !strcmp(f->code, "E_CONTRACT_TYPE") ? value_span(field)
                                                           : field->name_span;
    if (f->what->number < 100) {
        diag_warning(s->d, at, f->code, "%s", f->message);
        return;
    }
    struct diag *g = stage_error(s, at, f->code, "%s", f->message);
    if (f->expected && field)
        diag_caret(g, "%s, not %s", f->expected, f->found);
    struct buf names = {0};
    for (size_t i = 0; i < f->what->nfields; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", f->what->field[i].name);
    if (!f->expected && names.n > 0)
        diag_help(g, "its fields: %s", names.at);
    buf_free(&names);
}

static bool check_order(struct stage *s, const struct contract *c, const struct ast *literal)
{
    const char **key = arena_array(s->a, literal->nkids, sizeof *key);
    for (uint32_t i = 0; i < literal->nkids; i++)
        key[i] = literal->kid[i]->text;
    size_t late = contract_out_of_order(c, key, literal->nkids);
    if (late == CONTRACT_NO_FIELD)
        return true;
    struct diag *g = stage_error(s, literal->kid[late]->name_span, "E_FIELD_ORDER",
                                 "contract %lld %s: the field `%s` belongs before `%s`",
                                 (long long)c->number, c->name, key[late], key[late - 1]);
    struct buf names = {0};
    for (size_t i = 0; i < c->nfields; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", c->field[i].name);
    diag_help(g, "the order of its fields: %s", names.at);
    buf_free(&names);
    return false;
}

static const struct contract *schema_of(const struct stage *s, int64_t number,
                                        const struct stage_value **standard)
{
    *standard = NULL;
    for (size_t i = 0; i < s->schemas.n; i++)
        if (s->schemas.at[i]->contract.number == number) {
            *standard = s->schemas.at[i]->standard;
            return &s->schemas.at[i]->contract;
        }
    return contract_find(NULL, number);
}

static bool check(struct stage *s, const struct contract *c, const struct ast *literal,
                  const struct stage_object *o)
{
    contract_faults faults = {0};
    const struct value *fields = outline_fields(s, literal, o);
    if (!fields || !check_order(s, c, literal))
        return false;
    contract_check(s->a, c, fields, &faults);
    for (size_t i = 0; i < faults.n; i++)
        report(s, literal, &faults.at[i]);
    return faults.n == 0 || c->number < 100;
}

static bool has_field(const struct contract *c, const struct stage_object *o, size_t index)
{
    for (size_t i = 0; i < o->n; i++)
        if (contract_field_index(c, o->at[i].key, o->at[i].len) == index)
            return true;
    return false;
}

// The fields with those that the schema gives a value.
static const struct stage_object *complete(struct stage *s, const struct contract *c,
                                           const struct stage_value *standard,
                                           const struct stage_object *o)
{
    struct stage_field *all = arena_array(s->a, o->n + c->nfields, sizeof *all);
    size_t n = o->n;
    memcpy(all, o->at, n * sizeof *all);
    for (size_t i = 0; i < c->nfields; i++)
        if (standard[i].kind != STAGE_NONE && !has_field(c, o, i))
            all[n++] =
                (struct stage_field){c->field[i].name, strlen(c->field[i].name), standard[i]};
    return stage_object(s->a, all, n).as.object;
}

struct stage_value stage_contract(struct stage *s, const struct ast *literal,
                                  struct stage_value fields)
{
    const struct stage_value *standard;
    const struct stage_object *o = fields.as.object;
    const struct contract *c = schema_of(s, literal->as.integer, &standard);
    if (!c && literal->as.integer < CONTRACT_USER) {
        struct diag *g = stage_error(s, literal->name_span, "E_CONTRACT_UNKNOWN",
                                     "there is no contract %lld", (long long)literal->as.integer);
        diag_help(g, "numbers from %d on are free for your own", CONTRACT_USER);
        return stage_poison();
    }
    if (c && !check(s, c, literal, o))
        return stage_poison();
    if (c && standard)
        o = complete(s, c, standard, o);
    struct stage_object *made = arena_new(s->a, struct stage_object);
    *made = *o;
    made->contract = literal->as.integer;
    return (struct stage_value){.kind = STAGE_CONTRACT, .as.object = made};
}
