// verify.c: checks that a module keeps the rules of ir.h.
#include "ir/verify.h"

#include <string.h>

#include "base/version.h"
#include "ir/build.h"
#include "ir/shard.h"

struct verifier {
    struct ir_module *m;
    bool staged;
    const char *where;            // "entry `train`"
    const struct ir_entry *entry; // NULL in an initialiser
    const char *why;              // the first fault
};

static bool fault(struct verifier *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fault(struct verifier *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(v->m->arena, format, args);
    va_end(args);
    v->why = arena_printf(v->m->arena, "%s: %s", v->where, text);
    return false;
}

static bool node_fault(struct verifier *v, const struct ir_graph *g, ir_ref r, const char *why)
{
    return fault(v, "node %%%u `%s`: %s", r, ir_op_info(ir_opcode(g, r))->name, why);
}

static const char *type_text(struct verifier *v, ir_typeid t)
{
    return ir_type_text(v->m, t);
}

// -- nodes ---------------------------------------------------------------------------------------

static bool check_layout(struct verifier *v, const struct ir_graph *g, ir_ref r)
{
    const struct ir_node *n = ir_get(g, r);
    if (n->op == IR_none || n->op >= IR_OP_COUNT)
        return fault(v, "node %%%u has no operation", r);
    if ((uint64_t)n->args + n->nargs > g->args.n || (uint64_t)n->attrs + n->nattrs > g->attrs.n)
        return node_fault(v, g, r, "its operands or attributes are out of range");
    if (!n->type || n->type >= v->m->types.n)
        return node_fault(v, g, r, "it has no type");
    if (n->name >= v->m->names.n || n->loc >= v->m->locs.n)
        return node_fault(v, g, r, "its name or place is out of range");
    for (unsigned i = 0; i < n->nargs; i++)
        if (!ir_arg(g, r, i) || ir_arg(g, r, i) >= r)
            return node_fault(v, g, r, "an operand does not come before it");
    return true;
}

static bool check_type(struct verifier *v, const struct ir_graph *g, ir_ref r)
{
    const struct ir_node *n = ir_get(g, r);
    ir_typeid small[8] = {0}, *types = small, t;
    struct ir_fault why;
    if (n->nargs > 8)
        types = arena_array(v->m->arena, n->nargs, sizeof *types);
    for (unsigned i = 0; i < n->nargs; i++)
        types[i] = ir_get(g, ir_arg(g, r, i))->type;
    if (!ir_infer(v->m, (enum ir_op)n->op, types, n->nargs, g->attrs.at + n->attrs, n->nattrs,
                  n->type, &t, &why))
        return node_fault(v, g, r, why.message);
    return true;
}

static bool check_input(struct verifier *v, const struct ir_graph *g, ir_ref r)
{
    if (!v->entry)
        return node_fault(v, g, r, "an initialiser has no inputs");
    if (ir_attr(g, r, 0) >= (int64_t)v->entry->inputs.n)
        return node_fault(v, g, r, "there is no such input");
    ir_typeid t = v->entry->inputs.at[ir_attr(g, r, 0)].type;
    return ir_type_equal(v->m, t, ir_get(g, r)->type) ||
           node_fault(v, g, r, "its type is not the input's");
}

static bool check_var(struct verifier *v, const struct ir_graph *g, ir_ref r)
{
    if (!v->entry)
        return node_fault(v, g, r, "an initialiser reads no vars");
    if (ir_attr(g, r, 0) >= (int64_t)v->m->vars.n)
        return node_fault(v, g, r, "there is no such var");
    ir_typeid t = v->m->vars.at[ir_attr(g, r, 0)].type;
    return ir_type_equal(v->m, t, ir_get(g, r)->type) ||
           node_fault(v, g, r, "its type is not the var's");
}

static bool check_node(struct verifier *v, const struct ir_graph *g, ir_ref r)
{
    if (!check_layout(v, g, r) || !check_type(v, g, r))
        return false;
    enum ir_op op = ir_opcode(g, r);
    if (op == IR_input)
        return check_input(v, g, r);
    if (op == IR_var)
        return check_var(v, g, r);
    if (op == IR_across && (!v->entry || (!v->staged && ir_entry_shards(v->entry) == 1)))
        return node_fault(v, g, r, "it stands where there are no shards");
    if (!v->staged && ir_op_info(op)->class == IRC_META)
        return node_fault(v, g, r, "it must be gone by now");
    return true;
}

// Every cotangent belongs to one custom node of the same graph and has its type.
static bool check_customs(struct verifier *v, const struct ir_graph *g)
{
    struct map of;
    map_init(&of, v->m->arena);
    for (ir_ref r = 1; r < g->nodes.n; r++) {
        bool fresh;
        if (ir_opcode(g, r) != IR_custom)
            continue;
        int64_t id = ir_attr(g, r, 0);
        map_put(&of, &id, sizeof id, &fresh)->value.u = r;
        if (!fresh)
            return node_fault(v, g, r, "its id is taken by another custom node");
    }
    for (ir_ref r = 1; r < g->nodes.n; r++) {
        if (ir_opcode(g, r) != IR_cotangent)
            continue;
        int64_t id = ir_attr(g, r, 0);
        const struct map_entry *e = map_find(&of, &id, sizeof id);
        if (!e)
            return node_fault(v, g, r, "no custom node has its id");
        if (!ir_type_equal(v->m, ir_get(g, (ir_ref)e->value.u)->type, ir_get(g, r)->type))
            return node_fault(v, g, r, "its type is not that of its custom node");
    }
    return true;
}

static bool check_graph(struct verifier *v, const struct ir_graph *g)
{
    if (!g || g->module != v->m || !g->nodes.n)
        return fault(v, "it has no graph");
    for (ir_ref r = 1; r < g->nodes.n; r++)
        if (!check_node(v, g, r))
            return false;
    return !v->staged || check_customs(v, g);
}

// That r is a node of type t.
static bool check_value(struct verifier *v, const struct ir_graph *g, ir_ref r, ir_typeid t,
                        const char *what)
{
    if (!r || r >= g->nodes.n)
        return fault(v, "%s is no node", what);
    if (t && !ir_type_equal(v->m, ir_get(g, r)->type, t))
        return fault(v, "%s is %s, not %s", what, type_text(v, ir_get(g, r)->type),
                     type_text(v, t));
    return true;
}

// -- vars, data, entries -------------------------------------------------------------------------

// That a name is given and new in `names`.
static bool check_name(struct verifier *v, struct map *names, const char *what, const char *name)
{
    bool fresh = true;
    if (!name || !*name)
        return fault(v, "%s has no name", what);
    map_put_str(names, name, &fresh);
    return fresh || fault(v, "%s `%s` is there twice", what, name);
}

static struct map new_names(struct verifier *v)
{
    struct map names;
    map_init(&names, v->m->arena);
    return names;
}

static bool check_fields(struct verifier *v, const struct ir_field *f, size_t n)
{
    struct map names = new_names(v);
    for (size_t i = 0; i < n; i++) {
        if (!check_name(v, &names, "field", f[i].name))
            return false;
        if (!f[i].type || f[i].type >= v->m->types.n)
            return fault(v, "field `%s` has no type", f[i].name);
    }
    return true;
}

static bool check_vars(struct verifier *v)
{
    struct map names = new_names(v);
    for (size_t i = 0; i < v->m->vars.n; i++) {
        const struct ir_var *var = &v->m->vars.at[i];
        if (!check_name(v, &names, "var", var->path))
            return false;
        v->where = arena_printf(v->m->arena, "var `%s`", var->path);
        if (i && strcmp(v->m->vars.at[i - 1].path, var->path) > 0)
            return fault(v, "vars stand in order of their paths");
        if (!var->type || var->type >= v->m->types.n)
            return fault(v, "it has no type");
        if (!check_graph(v, var->init))
            return false;
        if (!check_value(v, var->init, var->init_value, var->type, "its initial value"))
            return false;
    }
    return true;
}

static bool check_data(struct verifier *v)
{
    struct map names = new_names(v);
    for (size_t i = 0; i < v->m->data.n; i++) {
        const struct ir_data *d = &v->m->data.at[i];
        if (!check_name(v, &names, "data", d->name))
            return false;
        v->where = arena_printf(v->m->arena, "data `%s`", d->name);
        if (!d->source || d->source->kind != VALUE_OBJECT)
            return fault(v, "its source is no object");
        if (!check_fields(v, d->fields.at, d->fields.n))
            return false;
    }
    return true;
}

static bool check_updates(struct verifier *v, const struct ir_entry *e)
{
    bool *done = arena_array(v->m->arena, v->m->vars.n, sizeof *done);
    for (size_t i = 0; i < e->updates.n; i++) {
        const struct ir_update *u = &e->updates.at[i];
        if (u->var >= v->m->vars.n)
            return fault(v, "an update has no var");
        const struct ir_var *var = &v->m->vars.at[u->var];
        if (done[u->var])
            return fault(v, "var `%s` is updated twice", var->path);
        done[u->var] = true;
        const char *what = arena_printf(v->m->arena, "the update of `%s`", var->path);
        if (!check_value(v, e->graph, u->value, var->type, what))
            return false;
    }
    return true;
}

static bool check_grads(struct verifier *v, const struct ir_entry *e)
{
    for (size_t i = 0; i < e->grads.n; i++) {
        const struct ir_update *u = &e->grads.at[i];
        if (u->var >= v->m->vars.n || v->m->vars.at[u->var].kind != IR_PARAM)
            return fault(v, "a kept gradient has no param");
        const struct ir_var *var = &v->m->vars.at[u->var];
        const char *what = arena_printf(v->m->arena, "the gradient of `%s`", var->path);
        if (!check_value(v, e->graph, u->value, var->type, what))
            return false;
    }
    return true;
}

static bool check_outputs(struct verifier *v, const struct ir_entry *e)
{
    struct map names = new_names(v);
    for (size_t i = 0; i < e->outputs.n; i++) {
        const struct ir_named *o = &e->outputs.at[i];
        if (!check_name(v, &names, "output", o->name))
            return false;
        const char *what = arena_printf(v->m->arena, "output `%s`", o->name);
        if (!check_value(v, e->graph, o->value, 0, what))
            return false;
    }
    return true;
}

// What an entry with shards must keep besides: its graph can be split.
static bool check_shards(struct verifier *v, const struct ir_entry *e)
{
    ir_shard_faults faults = {0};
    for (size_t i = 0; ir_entry_shards(e) > 1 && i < e->inputs.n; i++) {
        const struct ir_type *t = ir_type_get(v->m, e->inputs.at[i].type);
        if (t->rank == 0 || ir_type_count(t) > IR_MAX_ELEMENTS / ir_entry_shards(e))
            return fault(v, "input `%s` is no part of a batch", e->inputs.at[i].name);
    }
    if (v->staged)
        return true;
    ir_shard_check(v->m, e, &faults);
    if (faults.n == 0)
        return true;
    const struct ir_shard_fault *f = &faults.at[0];
    return f->what ? fault(v, "%s %s", f->what, ir_shard_sentence(f->rule))
                   : node_fault(v, e->graph, f->node, ir_shard_sentence(f->rule));
}

static bool check_entry(struct verifier *v, const struct ir_entry *e)
{
    v->where = arena_printf(v->m->arena, "entry `%s`", e->name);
    v->entry = e;
    if (e->attrs && e->attrs->kind != VALUE_OBJECT)
        return fault(v, "its attributes are no object");
    const struct value *shards = value_get(e->attrs, "shards");
    if (shards && (shards->kind != VALUE_INT || !ir_shards_ok(shards->as.integer)))
        return fault(v, "`shards` is no power of two from 1 to %d", IR_MAX_SHARDS);
    return check_fields(v, e->inputs.at, e->inputs.n) && check_graph(v, e->graph) &&
           check_outputs(v, e) && check_updates(v, e) && check_grads(v, e) && check_shards(v, e);
}

static bool check_entries(struct verifier *v)
{
    struct map names = new_names(v);
    v->where = "module";
    for (size_t i = 0; i < v->m->entries.n; i++)
        if (!check_name(v, &names, "entry", v->m->entries.at[i].name))
            return false;
        else if (strchr(v->m->entries.at[i].name, '#')) // names of parts have it (ir/shard.h)
            return fault(v, "the name of entry `%s` has a #", v->m->entries.at[i].name);
    for (size_t i = 0; i < v->m->entries.n; i++)
        if (!check_entry(v, &v->m->entries.at[i]))
            return false;
    return true;
}

static bool check_header(struct verifier *v)
{
    const char *numerics = v->m->numerics, *profile = v->m->profile;
    if (strcmp(numerics, HLX_NUMERICS) != 0)
        return fault(v, "numerics `%s` are not known here (this is %s)", numerics, HLX_NUMERICS);
    if (strcmp(profile, "exact") != 0 && strcmp(profile, "native") != 0)
        return fault(v, "there is no profile `%s`", profile);
    return true;
}

const char *ir_verify(struct ir_module *m, bool staged)
{
    struct verifier v = {.m = m, .staged = staged, .where = "module"};
    bool ok = check_header(&v) && check_vars(&v) && check_data(&v) && check_entries(&v);
    return ok ? NULL : v.why;
}
