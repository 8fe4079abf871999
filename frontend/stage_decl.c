// stage_decl.c: declares params and states, stages their initialisers, records updates.
#include "frontend/stage.h"

#include <stdlib.h>
#include <string.h>

#include "ir/build.h"

// One name of a `param` or `state` statement.
struct decl {
    const struct ast *st, *name, *init;
    enum ir_var_kind kind;
    ir_typeid type;
    const char *path;
};

static const char *kind_text(enum ir_var_kind kind)
{
    return kind == IR_PARAM ? "param" : "state";
}

// -- initialisers --------------------------------------------------------------------------------

struct init {
    struct ir_graph *graph;
    ir_ref value;
};

static struct stage_value shape_value(struct stage *s, ir_typeid type)
{
    const struct ir_type *t = ir_type_get(s->m, type);
    struct stage_value dims[IR_MAX_RANK];
    for (unsigned i = 0; i < t->rank; i++)
        dims[i] = stage_int(t->dim[i]);
    return stage_array(s->a, dims, t->rank);
}

// What the initialiser gives: a number fills, a function is asked for the shape, a tensor is taken.
static ir_ref init_value(struct stage *s, struct stage_env *env, const struct decl *d)
{
    struct span at = d->init->span;
    enum dtype dtype = ir_type_get(s->m, d->type)->dtype;
    struct stage_value v = stage_expr(s, env, d->init);
    if (v.kind == STAGE_FUNCTION || v.kind == STAGE_BUILTIN) {
        struct stage_arg shape = {"", shape_value(s, d->type), at};
        v = stage_apply(s, at, v, &shape, 1);
    }
    ir_ref r = stage_lift(s, at, v, dtype);
    if (!r)
        return 0;
    const struct ir_type *t = ir_typeof(s->unit->graph, r);
    if (t->rank == 0 && t->dtype == dtype)
        return stage_spread(s, at, r, d->type);
    if (ir_type_equal(s->m, ir_get(s->unit->graph, r)->type, d->type))
        return r;
    stage_fail(s, at, "HLX0604", "the initialiser of `%s` is %s, not %s", d->path,
               ir_type_text(s->m, ir_get(s->unit->graph, r)->type), ir_type_text(s->m, d->type));
    return 0;
}

static ir_ref zeros(struct stage *s, const struct decl *d)
{
    ir_ref zero = ir_const_bits(s->unit->graph, ir_type_get(s->m, d->type)->dtype, 0);
    return stage_spread(s, d->st->span, zero, d->type);
}

// Stages an initialiser in a graph of its own; its random streams are named "init:" + path.
static struct init stage_init(struct stage *s, struct stage_env *env, const struct decl *d)
{
    struct stage_unit *unit = arena_new(s->a, struct stage_unit), *outer = s->unit;
    const char *path = s->path;
    *unit = (struct stage_unit){.kind = STAGE_INIT, .name = d->path, .graph = ir_graph_new(s->m)};
    map_init(&unit->declared, s->a);
    map_init(&unit->draws, s->a);
    map_init(&unit->updated, s->a);
    s->unit = unit;
    s->path = arena_printf(s->a, "init:%s", d->path);
    ir_ref r = d->init ? init_value(s, env, d) : 0;
    if (!r)
        r = zeros(s, d);
    s->path = path;
    s->unit = outer;
    return (struct init){unit->graph, r};
}

static bool same_node(const struct ir_graph *a, const struct ir_graph *b, ir_ref r)
{
    const struct ir_node *x = ir_get(a, r), *y = ir_get(b, r);
    if (x->op != y->op || x->nargs != y->nargs || x->nattrs != y->nattrs)
        return false;
    return ir_type_equal(a->module, x->type, y->type) &&
           (!x->nargs ||
            !memcmp(a->args.at + x->args, b->args.at + y->args, x->nargs * sizeof(ir_ref))) &&
           (!x->nattrs ||
            !memcmp(a->attrs.at + x->attrs, b->attrs.at + y->attrs, x->nattrs * sizeof(int64_t)));
}

static bool same_init(const struct init *a, const struct init *b)
{
    if (a->value != b->value || a->graph->nodes.n != b->graph->nodes.n)
        return false;
    for (ir_ref r = 1; r < a->graph->nodes.n; r++)
        if (!same_node(a->graph, b->graph, r))
            return false;
    return true;
}

// -- declarations --------------------------------------------------------------------------------

static bool declared_twice(struct stage *s, const struct decl *d, const struct ir_var *var)
{
    struct diag *g = stage_error(s, d->name->span, "HLX0602", "`%s` is declared twice", d->path);
    struct span here = d->name->span;
    if (here.file == var->span.file && here.start == var->span.start)
        diag_caret(g, "by two calls of one function");
    else
        diag_label(g, var->span, "first here");
    diag_help(g,
              "give one of the calls a scope of its own with `as NAME`, or write `share %s` to "
              "mean the same one",
              kind_text(d->kind));
    return false;
}

// Whether a declaration agrees with an earlier one of the same path.
static bool agrees(struct stage *s, struct stage_env *env, const struct decl *d,
                   const struct ir_var *var)
{
    struct diag *g = NULL;
    if (var->kind != d->kind)
        g = stage_error(s, d->name->span, "HLX0603", "`%s` is a %s here and a %s elsewhere",
                        d->path, kind_text(d->kind), kind_text(var->kind));
    else if (!ir_type_equal(s->m, var->type, d->type))
        g = stage_error(s, d->name->span, "HLX0603", "`%s` is %s here and %s elsewhere", d->path,
                        ir_type_text(s->m, d->type), ir_type_text(s->m, var->type));
    else {
        struct init first = {var->init, var->init_value}, again = stage_init(s, env, d);
        if (!same_init(&first, &again))
            g = stage_error(s, d->name->span, "HLX0603",
                            "`%s` has another initialiser here than elsewhere", d->path);
    }
    if (g)
        diag_label(g, var->span, "declared here");
    return !g;
}

static uint32_t new_var(struct stage *s, struct stage_env *env, const struct decl *d)
{
    if (!d->init && d->kind == IR_PARAM) {
        struct diag *g = stage_error(s, d->name->span, "HLX0604", "param `%s` needs an initialiser",
                                     d->name->text);
        diag_help(g, "a number, a tensor, or a function of the shape: = normal(0.02)");
    }
    uint32_t index = (uint32_t)s->m->vars.n;
    struct init init = stage_init(s, env, d);
    struct ir_var var = {d->kind, d->path, d->type, init.graph, init.value, d->name->span};
    vec_push(s->a, &s->m->vars, var);
    map_put_str(&s->vars, d->path, NULL)->value.u = index;
    return index;
}

static struct stage_value declare(struct stage *s, struct stage_env *env, const struct decl *d)
{
    struct map *here = s->unit ? &s->unit->declared : &s->globals;
    const struct map_entry *known = map_find_str(&s->vars, d->path);
    bool again = map_find_str(here, d->path) || map_find_str(&s->globals, d->path);
    uint32_t index;
    if (known) {
        index = (uint32_t)known->value.u;
        if (again && !(d->st->flags & AST_SHARE)) {
            declared_twice(s, d, &s->m->vars.at[index]);
            return stage_poison();
        }
        if (!agrees(s, env, d, &s->m->vars.at[index]))
            return stage_poison();
    } else
        index = new_var(s, env, d);
    map_put_str(here, d->path, NULL)->value.u = index;
    struct stage_value v = {.kind = STAGE_VAR};
    v.as.var = index;
    return v;
}

void stage_param(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct decl d = {.st = st, .kind = st->flags & AST_STATE ? IR_STATE : IR_PARAM};
    if (st->nkids < 3)
        return;
    d.init = st->kid[st->nkids - 1];
    const char *what = d.kind == IR_PARAM ? "a param" : "a state";
    bool inside = s->unit && (s->unit->kind == STAGE_INIT || s->unit->backward);
    if (inside)
        stage_fail(s, st->span, "HLX0604", "%s cannot be declared in %s", what,
                   s->unit->kind == STAGE_INIT ? "an initialiser" : "a backward rule");
    d.type = inside ? 0 : stage_type_of(s, env, st->kid[st->nkids - 2], what, NULL);
    for (uint32_t i = 0; i + 2 < st->nkids && !s->unwind; i++) {
        d.name = st->kid[i];
        d.path = stage_join(s, s->path, d.name->text);
        struct stage_value v = d.type ? declare(s, env, &d) : stage_poison();
        stage_bind(s, env, d.name->text, v, false, d.name->span);
    }
}

// -- updates -------------------------------------------------------------------------------------

static bool can_update(struct stage *s, const struct ast *st)
{
    bool inside = s->unit && s->unit->kind == STAGE_ENTRY && !s->unit->backward;
    if (!inside)
        stage_fail(s, st->span, "HLX0605", "an update stands in an entry or what it calls%s",
                   s->unit && s->unit->backward ? ", not in a backward rule" : "");
    return inside;
}

// The value in the target's type: a number fills it.
static ir_ref updated_value(struct stage *s, const struct ast *st, struct stage_value v,
                            const struct ir_var *var)
{
    struct span at = st->kid[1]->span;
    ir_ref r = stage_lift(s, at, v, ir_type_get(s->m, var->type)->dtype);
    if (r && !stage_is_tensor(v))
        r = stage_spread(s, at, r, var->type);
    if (!r || ir_type_equal(s->m, ir_get(s->unit->graph, r)->type, var->type))
        return r;
    struct diag *g = stage_error(s, at, "HLX0605", "`%s` is %s and cannot become %s", var->path,
                                 ir_type_text(s->m, var->type),
                                 ir_type_text(s->m, ir_get(s->unit->graph, r)->type));
    diag_label(g, var->span, "declared here");
    return 0;
}

void stage_assign_update(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct stage_value target = stage_expr(s, env, st->kid[0]);
    struct stage_value v = stage_expr(s, env, st->kid[1]);
    if (s->unwind || target.kind == STAGE_POISON || v.kind == STAGE_POISON || !can_update(s, st))
        return;
    if (target.kind != STAGE_VAR) {
        struct diag *g = stage_error(s, st->kid[0]->span, "HLX0605",
                                     "only a param or state can be updated, not %s",
                                     stage_type_text(s->m, target));
        diag_help(g, "`x = e` gives another value to a `var`");
        return;
    }
    const struct ir_var *var = &s->m->vars.at[target.as.var];
    struct map_entry *before =
        map_put(&s->unit->updated, &target.as.var, sizeof target.as.var, NULL);
    if (before->value.u) {
        struct diag *g = stage_error(s, st->span, "HLX0606", "`%s` is updated twice", var->path);
        diag_label(g, s->unit->updates.at[before->value.u - 1].span, "first here");
        return;
    }
    ir_ref r = updated_value(s, st, v, var);
    if (!r)
        return;
    vec_push(s->a, &s->unit->updates, (struct stage_update){target.as.var, r, st->span});
    before->value.u = s->unit->updates.n;
}

// -- all of them ---------------------------------------------------------------------------------

static bool under(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    return !n || (!strncmp(path, prefix, n) && (path[n] == '.' || path[n] == '\0'));
}

// Inserts the params of a map of declarations, in order of path.
static void add_params(struct stage *s, const struct map *from, const char *prefix, stage_vars *out)
{
    for (size_t i = 0; i < from->n; i++) {
        uint32_t var = (uint32_t)from->entry[i].value.u;
        const char *path = from->entry[i].key;
        if (s->m->vars.at[var].kind == IR_PARAM && under(path, prefix))
            vec_push(s->a, out, var);
    }
}

struct by_path {
    const char *path;
    uint32_t var;
};

static int compare_paths(const void *a, const void *b)
{
    const struct by_path *x = a, *y = b;
    return strcmp(x->path, y->path);
}

// Sorts indices of vars by path, each once.
static void sort_vars(struct stage *s, stage_vars *vars)
{
    struct by_path *order = arena_array(s->a, vars->n, sizeof *order);
    for (size_t i = 0; i < vars->n; i++)
        order[i] = (struct by_path){s->m->vars.at[vars->at[i]].path, vars->at[i]};
    qsort(order, vars->n, sizeof *order, compare_paths);
    size_t n = 0;
    for (size_t i = 0; i < vars->n; i++)
        if (!i || order[i].var != order[i - 1].var)
            vars->at[n++] = order[i].var;
    vars->n = n;
}

void stage_params(struct stage *s, const char *prefix, stage_vars *out)
{
    add_params(s, &s->globals, prefix, out);
    if (s->unit)
        add_params(s, &s->unit->declared, prefix, out);
    stage_charge(s, 32 * (uint64_t)out->n);
    sort_vars(s, out);
}

// Rebuilds a graph with new indices of vars.
static void renumber(struct stage *s, struct ir_entry *e, const uint32_t *to)
{
    const struct ir_graph *old = e->graph;
    struct ir_graph *g = ir_graph_new(s->m);
    struct ir_remap map = {arena_array(s->a, old->nodes.n, sizeof(ir_ref)), old->nodes.n};
    for (ir_ref r = 1; r < old->nodes.n; r++) {
        const struct ir_node *n = ir_get(old, r);
        ir_ref *args = arena_array(s->a, n->nargs, sizeof *args);
        for (unsigned i = 0; i < n->nargs; i++)
            args[i] = map.to[ir_arg(old, r, i)];
        if (n->op == IR_var) {
            map.to[r] = ir_var_read(g, to[ir_attr(old, r, 0)]);
            g->nodes.at[map.to[r]].loc = n->loc;
        } else
            map.to[r] = ir_node_copy(g, old, r, args);
    }
    for (size_t i = 0; i < e->updates.n; i++)
        e->updates.at[i].var = to[e->updates.at[i].var];
    ir_entry_remap(e, g, &map);
}

void stage_sort_vars(struct stage *s)
{
    size_t n = s->m->vars.n;
    stage_vars order = {0};
    for (uint32_t i = 0; i < n; i++)
        vec_push(s->a, &order, i);
    sort_vars(s, &order);
    uint32_t *to = arena_array(s->a, n, sizeof *to);
    struct ir_var *sorted = arena_array(s->a, n, sizeof *sorted);
    bool moved = false;
    for (uint32_t i = 0; i < n; i++) {
        to[order.at[i]] = i;
        sorted[i] = s->m->vars.at[order.at[i]];
        moved |= order.at[i] != i;
    }
    if (!moved)
        return;
    memcpy(s->m->vars.at, sorted, n * sizeof *sorted);
    for (size_t i = 0; i < s->m->entries.n; i++)
        renumber(s, &s->m->entries.at[i], to);
}
