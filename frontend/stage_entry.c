// stage_entry.c: stages entries: their inputs, attributes, outputs, and one plan per named extent.
#include "frontend/stage.h"

#include <string.h>

#include "ir/shard.h"

// An entry being staged.
struct entry {
    const struct ast *item;
    struct span at; // its name
    struct stage_unit *unit;
    struct stage_env env;
    struct ir_entry out;
    int64_t shards; // the graph is that of one
    bool failed; // an input or attribute was wrong: nothing more is said about what follows from it
};

// -- attributes ----------------------------------------------------------------------------------

// What may stand after `using`.
static const struct {
    const char *name;
    enum stage_kind kind;
    int64_t low, high; // of ints
    const char *wanted;
} attributes[] = {
    {"data", STAGE_DATA, 0, 0, "a data source declared with `data`"},
    {"epochs", STAGE_INT, 1, INT32_MAX, "an int from 1"},
    {"limit", STAGE_INT, 1, INT64_MAX, "an int from 1"},
    {"shuffle", STAGE_BOOL, 0, 0, "true or false"},
    {"shards", STAGE_INT, 1, IR_MAX_SHARDS, "a power of two from 1 to 1024"},
};

enum { NATTRIBUTES = sizeof attributes / sizeof *attributes };

static struct span field_place(const struct entry *e, const char *key)
{
    const struct ast *object = e->item->kid[3];
    for (uint32_t i = 0; i < object->nkids; i++)
        if (!strcmp(object->kid[i]->text, key) && object->kid[i]->nkids)
            return object->kid[i]->kid[0]->span;
    return object->span;
}

static bool unknown_attribute(struct stage *s, const struct entry *e, const char *key)
{
    stage_names names = {0};
    for (unsigned i = 0; i < NATTRIBUTES; i++)
        vec_push(s->a, &names, attributes[i].name);
    struct diag *g =
        stage_error(s, field_place(e, key), "HLX0608", "an entry has no attribute `%s`", key);
    stage_suggest(g, key, names.at, names.n);
    diag_help(g, "attributes are data, epochs, limit, shuffle and shards");
    return false;
}

static bool check_attribute(struct stage *s, const struct entry *e, const struct stage_field *f)
{
    unsigned i = 0;
    while (i < NATTRIBUTES && strcmp(attributes[i].name, f->key) != 0)
        i++;
    if (i == NATTRIBUTES)
        return unknown_attribute(s, e, f->key);
    struct span at = field_place(e, f->key);
    bool fits = f->value.kind == attributes[i].kind;
    if (fits && f->value.kind == STAGE_INT)
        fits =
            f->value.as.integer >= attributes[i].low && f->value.as.integer <= attributes[i].high;
    if (fits && f->value.kind == STAGE_DATA)
        fits = f->value.as.data->name;
    if (!fits) {
        stage_fail(s, at, "HLX0608", "`%s` must be %s, not %s", f->key, attributes[i].wanted,
                   stage_shown(s->m, f->value));
        return false;
    }
    if (strcmp(f->key, "shards") == 0 && !ir_shards_ok(f->value.as.integer)) {
        stage_fail(s, at, "HLX0608", "`shards` must be a power of two from 1 to 1024, not %lld",
                   (long long)f->value.as.integer);
        return false;
    }
    return true;
}

// -- data ----------------------------------------------------------------------------------------

// Puts a data source into the module when an entry uses it first.
static bool use_data(struct stage *s, const struct entry *e, struct stage_data *d)
{
    if (d->index >= 0)
        return true;
    for (size_t i = 0; i < s->m->data.n; i++)
        if (!strcmp(s->m->data.at[i].name, d->name)) {
            stage_fail(s, field_place(e, "data"), "HLX0302",
                       "two data sources that the program uses are called `%s`", d->name);
            return false;
        }
    d->index = (int64_t)s->m->data.n;
    struct ir_data out = {
        .name = d->name, .source = d->source, .content = d->content, .hint = d->hint};
    for (size_t i = 0; i < d->fields.n; i++)
        vec_push(s->a, &out.fields, d->fields.at[i]);
    vec_push(s->a, &s->m->data, out);
    return true;
}

static const struct ir_field *data_field(const struct stage_data *d, const char *name)
{
    for (size_t i = 0; i < d->fields.n; i++)
        if (!strcmp(d->fields.at[i].name, name))
            return &d->fields.at[i];
    return NULL;
}

static void no_data_field(struct stage *s, const struct stage_data *d, const struct ast *formal)
{
    stage_names names = {0};
    const char *list = "";
    for (size_t i = 0; i < d->fields.n; i++) {
        const struct ir_field *f = &d->fields.at[i];
        vec_push(s->a, &names, f->name);
        list = arena_printf(s->a, "%s%s%s: %s", list, i ? ", " : "", f->name,
                            ir_type_text(s->m, f->type));
    }
    struct diag *g = stage_error(s, formal->span, "HLX0614", "data `%s` has no field `%s`", d->name,
                                 formal->text);
    diag_note(g, d->span, "its fields: %s", list);
    stage_suggest(g, formal->text, names.at, names.n);
}

// Whether a type is a batch of samples: [B] + the sample's shape. *batch is 0 or B.
static bool is_batch(const struct stage *s, ir_typeid type, enum dtype dtype, unsigned rank,
                     const int64_t *dims, int64_t *batch)
{
    const struct ir_type *t = ir_type_get(s->m, type);
    if (t->dtype != dtype || t->rank != rank + 1 ||
        memcmp(t->dim + 1, dims, rank * sizeof *dims) != 0)
        return false;
    if (!*batch)
        *batch = t->dim[0];
    return *batch == t->dim[0];
}

// The type of the whole batch from that of a shard's part.
static ir_typeid whole_of(struct stage *s, const struct entry *e, ir_typeid part)
{
    struct ir_type t = *ir_type_get(s->m, part);
    if (t.rank > 0)
        t.dim[0] *= e->shards;
    return ir_type_make(s->m, t.dtype, t.rank, t.dim, t.name);
}

static void check_inputs(struct stage *s, const struct entry *e, const struct stage_data *d)
{
    int64_t batch = 0;
    for (size_t i = 0; i < e->out.inputs.n; i++) {
        const struct ir_field *in = &e->out.inputs.at[i];
        const struct ast *formal = e->item->kid[0]->kid[i];
        const struct ir_field *field = data_field(d, in->name);
        struct ir_type sample = {.dtype = DT_F32};
        if (field)
            sample = *ir_type_get(s->m, field->type);
        else if (strcmp(in->name, "weight") != 0) {
            no_data_field(s, d, formal);
            continue;
        }
        if (is_batch(s, in->type, sample.dtype, sample.rank, sample.dim, &batch))
            continue;
        ir_typeid type = ir_type_make(s->m, sample.dtype, sample.rank, sample.dim, NULL);
        struct diag *g =
            stage_error(s, formal->span, "HLX0614", "`%s: %s` is no batch of %s", in->name,
                        ir_type_text(s->m, whole_of(s, e, in->type)), ir_type_text(s->m, type));
        if (batch)
            diag_caret(g, "%lld samples in front of the sample's shape",
                       (long long)batch * e->shards);
        diag_note(g, d->span, "data `%s` is declared here", d->name);
    }
}

// What stands after `using`; it does not see the arguments.
static struct stage_value attributes_of(struct stage *s, struct entry *e)
{
    if (e->item->kid[3])
        return stage_expr(s, &e->env, e->item->kid[3]);
    return stage_object(s->a, NULL, 0);
}

static void take_attributes(struct stage *s, struct entry *e, struct stage_value v)
{
    if (v.kind != STAGE_OBJECT)
        return;
    struct value_field *fields = arena_array(s->a, v.as.object->n, sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; i < v.as.object->n; i++) {
        const struct stage_field *f = &v.as.object->at[i];
        if (f->value.kind == STAGE_POISON || !check_attribute(s, e, f))
            continue;
        const struct value *x = NULL;
        if (f->value.kind != STAGE_DATA)
            x = stage_to_latent(s, e->at, f->value);
        else if (use_data(s, e, f->value.as.data)) {
            x = value_str(s->a, f->value.as.data->name);
            if (!e->failed)
                check_inputs(s, e, f->value.as.data);
        }
        if (x)
            fields[n++] = (struct value_field){f->key, f->len, x};
    }
    e->out.attrs = value_object(s->a, fields, n, NULL);
}

// Valid shards of what stands after `using`; 1 without. What is not valid is reported with the
// rest.
static int64_t shards_of(struct stage_value v)
{
    if (v.kind != STAGE_OBJECT)
        return 1;
    const struct stage_value *n = stage_get(v, "shards", strlen("shards"));
    return n && n->kind == STAGE_INT && ir_shards_ok(n->as.integer) ? n->as.integer : 1;
}

// -- inputs and outputs --------------------------------------------------------------------------

// The type of a shard's part of an input; 0 after an error.
static ir_typeid part_of(struct stage *s, struct entry *e, const struct ast *formal,
                         ir_typeid whole)
{
    struct ir_type t = *ir_type_get(s->m, whole);
    if (e->shards == 1)
        return whole;
    if (t.rank > 0 && t.dim[0] % e->shards == 0) {
        t.dim[0] /= e->shards;
        return ir_type_make(s->m, t.dtype, t.rank, t.dim, t.name);
    }
    struct diag *g =
        stage_error(s, formal->span, "HLX0608", "`%s: %s` cannot be divided into %lld shards",
                    formal->text, ir_type_text(s->m, whole), (long long)e->shards);
    diag_caret(g, "its first extent must be a multiple of %lld", (long long)e->shards);
    return 0;
}

static void take_input(struct stage *s, struct entry *e, const struct ast *formal)
{
    struct stage_value v = stage_poison();
    ir_typeid type = 0;
    if (formal->kid[1])
        stage_fail(s, formal->kid[1]->span, "HLX0607", "an argument of an entry has no default");
    if (!formal->kid[0]) {
        struct diag *g =
            stage_error(s, formal->span, "HLX0607", "an argument of an entry needs a tensor type");
        diag_help(g, "for example `%s: f32[4, 16]`", formal->text);
    } else
        type = stage_type_of(s, &e->env, formal->kid[0], "an argument of an entry",
                             "write a number, or a plan for each extent: for B in [1, 4]");
    type = type ? part_of(s, e, formal, type) : 0;
    if (type) {
        uint32_t index = (uint32_t)e->out.inputs.n;
        vec_push(s->a, &e->out.inputs, (struct ir_field){formal->text, type});
        v = stage_tensor(s, ir_input(e->unit->graph, index, type));
    } else
        e->failed = true;
    for (size_t i = 0; type && i + 1 < e->out.inputs.n; i++)
        if (!strcmp(e->out.inputs.at[i].name, formal->text))
            stage_fail(s, formal->span, "HLX0302", "two arguments are called `%s`", formal->text);
    stage_bind(s, &e->env, formal->text, v, false, formal->span);
}

static void add_output(struct stage *s, struct entry *e, const char *name, struct stage_value v)
{
    struct span at = e->at;
    if (v.kind == STAGE_POISON)
        return;
    if (!stage_is_tensor(v) && !stage_is_number(v) && v.kind != STAGE_BOOL) {
        struct diag *g =
            stage_error(s, at, "HLX0609", "the output `%s` is %s", name, stage_kind_text(s->m, v));
        diag_help(g, "an entry returns tensors and numbers: return { loss: l };");
        return;
    }
    ir_ref r = stage_lift(s, at, v, DT_COUNT);
    if (r)
        vec_push(s->a, &e->out.outputs, (struct ir_named){name, r});
}

static void take_outputs(struct stage *s, struct entry *e, struct stage_value v, bool clean)
{
    if (v.kind == STAGE_OBJECT)
        for (size_t i = 0; i < v.as.object->n; i++)
            add_output(s, e, v.as.object->at[i].key, v.as.object->at[i].value);
    else if (v.kind != STAGE_NULL)
        add_output(s, e, "result", v);
    for (size_t i = 0; i < e->unit->updates.n; i++)
        vec_push(s->a, &e->out.updates,
                 (struct ir_update){e->unit->updates.at[i].var, e->unit->updates.at[i].value});
    if (clean && !e->out.outputs.n && !e->out.updates.n) {
        struct diag *g =
            stage_error(s, e->at, "HLX0609", "entry `%s` returns and updates nothing", e->out.name);
        diag_help(g, "return { loss: l };");
    }
}

// -- staging -------------------------------------------------------------------------------------

static struct stage_unit *new_unit(struct stage *s, const char *name)
{
    struct stage_unit *unit = arena_new(s->a, struct stage_unit);
    *unit = (struct stage_unit){.kind = STAGE_ENTRY, .name = name, .graph = ir_graph_new(s->m)};
    map_init(&unit->declared, s->a);
    map_init(&unit->draws, s->a);
    map_init(&unit->updated, s->a);
    return unit;
}

static struct stage_value run_body(struct stage *s, struct entry *e)
{
    struct stage_value v = stage_block(s, &e->env, e->item->kid[4]);
    if (s->unwind) {
        v = s->result;
        s->unwind = false;
    }
    const struct ast *type = e->item->kid[1];
    const char *what = arena_printf(s->a, "the result of entry `%s`", e->item->text);
    if (type && v.kind != STAGE_POISON && !stage_check(s, &e->env, type, &v, type->span, what))
        return stage_poison();
    return v;
}

static void stage_plan(struct stage *s, struct entry *e, const char *name)
{
    unsigned errors = s->d->errors;
    const struct ir_entry *taken = ir_find_entry(s->m, name);
    if (taken) {
        struct diag *g = stage_error(s, e->at, "HLX0302", "two entries are called `%s`", name);
        diag_label(g, taken->span, "first here");
        return;
    }
    e->unit = s->unit = new_unit(s, name);
    e->out = (struct ir_entry){.name = name, .graph = e->unit->graph, .span = e->at};
    s->path = "";
    struct stage_value attributes_given = attributes_of(s, e);
    e->shards = shards_of(attributes_given);
    for (uint32_t i = 0; i < e->item->kid[0]->nkids; i++)
        if (e->item->kid[0]->kid[i]->kind == AST_FORMAL)
            take_input(s, e, e->item->kid[0]->kid[i]);
    take_attributes(s, e, attributes_given);
    struct stage_value v = run_body(s, e);
    take_outputs(s, e, v, s->d->errors == errors && !s->stop);
    s->unit = NULL;
    vec_push(s->a, &s->m->entries, e->out);
}

// The extents after `for B in`.
static bool plan_values(struct stage *s, struct stage_env *env, const struct ast *plan,
                        struct stage_value *out)
{
    *out = stage_expr(s, env, plan->kid[0]);
    if (out->kind == STAGE_POISON)
        return false;
    if (!stage_is_list(*out) || !stage_count(*out)) {
        stage_fail(s, plan->kid[0]->span, "HLX0610",
                   "an entry is made for each int of an array: "
                   "for %s in [1, 4]",
                   plan->text);
        return false;
    }
    for (size_t i = 0; i < stage_count(*out); i++) {
        struct stage_value v = stage_item(*out, i);
        if (v.kind == STAGE_INT && v.as.integer >= 1 && v.as.integer <= IR_MAX_ELEMENTS)
            continue;
        if (v.kind != STAGE_POISON)
            stage_fail(s, plan->kid[0]->span, "HLX0610", "`%s` must be an int from 1, not %s",
                       plan->text, stage_shown(s->m, v));
        return false;
    }
    return true;
}

void stage_entry(struct stage *s, struct stage_env *env, const struct ast *item)
{
    struct span at = item->name_span.file ? item->name_span : item->span;
    const struct ast *plan = item->kid[2];
    struct entry e = {.item = item, .at = at, .env = {env->module, NULL, false}};
    struct stage_value values;
    if (!plan) {
        stage_plan(s, &e, item->text);
        return;
    }
    if (!plan_values(s, env, plan, &values))
        return;
    for (size_t i = 0; i < stage_count(values) && !s->stop; i++) {
        struct stage_value v = stage_item(values, i);
        e = (struct entry){.item = item, .at = at, .env = {env->module, NULL, false}};
        stage_bind(s, &e.env, plan->text, v, false, plan->name_span);
        stage_plan(
            s, &e,
            arena_printf(s->a, "%s[%s=%lld]", item->text, plan->text, (long long)v.as.integer));
    }
}
