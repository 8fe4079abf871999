// simplify.c: rewrites graphs to smaller ones that give the same bits.
//
// A graph is rebuilt from its roots, operation by operation: what nothing needs is left out, what
// is there already is not made again, and the rewrites of simplify_rules.c apply. This is repeated
// until nothing changes.
#include "ir/simplify.h"

#include <string.h>

#include "ir/simplify_rules.h"

// -- value numbering -----------------------------------------------------------------------------

// A constant may be too long for a key, and is unique by ir_node_make.
static bool is_numbered(enum ir_op op)
{
    return op != IR_const;
}

static struct map_entry *number_slot(struct simplifier *s, const struct simplify_node *n)
{
    struct arena *a = s->g->module->arena;
    size_t words = 3 + n->nargs + n->nattrs, at = 0;
    int64_t small[32], *key = words > 32 ? arena_array(a, words, sizeof *key) : small;
    key[at++] = n->op;
    key[at++] = s->g->module->types.at[n->type].base;
    key[at++] = n->nargs;
    for (unsigned i = 0; i < n->nargs; i++)
        key[at++] = n->a[i];
    for (unsigned i = 0; i < n->nattrs; i++)
        key[at++] = n->attrs[i];
    return map_put(&s->numbers, key, words * sizeof *key, NULL);
}

ir_ref simplify_make(struct simplifier *s, const struct simplify_node *n)
{
    struct map_entry *slot = is_numbered(n->op) ? number_slot(s, n) : NULL;
    if (slot && slot->value.u)
        return (ir_ref)slot->value.u;
    ir_ref r = ir_node_make(s->g, n->op, n->a, n->nargs, n->attrs, n->nattrs, n->type);
    if (slot)
        slot->value.u = r;
    while (s->clean.n < s->g->nodes.n) {
        bool clean = simplify_is_clean(s, (ir_ref)s->clean.n);
        vec_push(s->g->module->arena, &s->clean, clean);
    }
    return r;
}

// -- one round -----------------------------------------------------------------------------------

static bool *mark_live(const struct ir_graph *g, const ir_ref *roots, size_t n)
{
    bool *live = arena_array(g->module->arena, g->nodes.n, sizeof *live);
    for (size_t i = 0; i < n; i++)
        live[roots[i]] = true;
    for (ir_ref r = (ir_ref)g->nodes.n - 1; r > 0; r--)
        for (unsigned i = 0; live[r] && i < ir_get(g, r)->nargs; i++)
            live[ir_arg(g, r, i)] = true;
    return live;
}

// Gives the new node what the old one was called; a node is recomputed only if all it stands for
// is.
static void keep_notes(struct ir_graph *g, ir_ref r, const struct ir_node *old, bool fresh)
{
    struct ir_node *n = &g->nodes.at[r];
    n->flags = fresh ? old->flags : n->flags & old->flags;
    if (!n->name)
        n->name = old->name;
    if (!n->loc)
        n->loc = old->loc;
}

static ir_ref rebuild_node(struct simplifier *s, const struct ir_graph *old, ir_ref r,
                           const ir_ref *to)
{
    const struct ir_node *n = ir_get(old, r);
    ir_ref small[8] = {0}, *args = small;
    if (n->nargs > 8)
        args = arena_array(old->module->arena, n->nargs, sizeof *args);
    for (unsigned i = 0; i < n->nargs; i++)
        args[i] = to[ir_arg(old, r, i)];
    struct simplify_node node = {(enum ir_op)n->op,        n->type,  args, n->nargs,
                                 old->attrs.at + n->attrs, n->nattrs};
    size_t before = s->g->nodes.n;
    ir_ref made = simplify_rewrite(s, &node);
    if (!made)
        made = simplify_make(s, &node);
    keep_notes(s->g, made, n, made >= before);
    return made;
}

// Rebuilds what is live. to[r] is set for every live node.
static struct ir_graph *rebuild(const struct ir_graph *old, const bool *live, ir_ref *to)
{
    struct simplifier s = {.g = ir_graph_new(old->module)};
    map_init(&s.numbers, old->module->arena);
    vec_push(old->module->arena, &s.clean, false);
    for (ir_ref r = 1; r < old->nodes.n; r++)
        if (live[r])
            to[r] = rebuild_node(&s, old, r, to);
    return s.g;
}

// -- until nothing changes -----------------------------------------------------------------------

static bool same_nodes(const struct ir_graph *a, const struct ir_graph *b)
{
    if (a->nodes.n != b->nodes.n || a->args.n != b->args.n || a->attrs.n != b->attrs.n)
        return false;
    for (ir_ref r = 1; r < a->nodes.n; r++)
        if (a->nodes.at[r].op != b->nodes.at[r].op)
            return false;
    return !a->args.n || !memcmp(a->args.at, b->args.at, a->args.n * sizeof *a->args.at);
}

// Replaces a graph. all[r] becomes the new node of every old one, 0 where it is dead.
static struct ir_graph *simplify_graph(struct ir_graph *g, ir_ref *roots, size_t nroots,
                                       ir_ref *all)
{
    struct arena *a = g->module->arena;
    size_t n = g->nodes.n;
    for (ir_ref r = 0; r < n; r++)
        all[r] = r;
    for (bool folded = false, changed = true; changed;) {
        ir_ref *to = arena_array(a, g->nodes.n, sizeof *to);
        const bool *live = mark_live(g, roots, nroots);
        struct ir_graph *fresh = folded ? NULL : simplify_fold(g, live, to);
        changed = fresh != NULL;
        folded = true;
        if (!fresh) {
            fresh = rebuild(g, live, to);
            changed = !same_nodes(g, fresh);
        }
        for (size_t i = 0; i < nroots; i++)
            roots[i] = to[roots[i]];
        for (ir_ref r = 0; r < n; r++)
            all[r] = to[all[r]];
        g = fresh;
    }
    return g;
}

// Kept gradients are no roots: what nothing else needs is not computed for them.
static void drop_dead_grads(struct ir_entry *e, const ir_ref *all)
{
    size_t n = 0;
    for (size_t i = 0; i < e->grads.n; i++)
        if (all[e->grads.at[i].value])
            e->grads.at[n++] = e->grads.at[i];
    e->grads.n = n;
}

static void simplify_entry(struct ir_module *m, struct ir_entry *e)
{
    ir_refs roots = {0};
    ir_entry_roots(e, false, m->arena, &roots);
    ir_ref *all = arena_array(m->arena, e->graph->nodes.n, sizeof *all);
    struct ir_remap map = {all, e->graph->nodes.n};
    struct ir_graph *fresh = simplify_graph(e->graph, roots.at, roots.n, all);
    drop_dead_grads(e, all);
    ir_entry_remap(e, fresh, &map);
}

static void simplify_init(struct ir_module *m, struct ir_var *v)
{
    ir_ref *all = arena_array(m->arena, v->init->nodes.n, sizeof *all);
    v->init = simplify_graph(v->init, &v->init_value, 1, all);
}

void ir_simplify(struct ir_module *m)
{
    for (size_t i = 0; i < m->vars.n; i++)
        simplify_init(m, &m->vars.at[i]);
    for (size_t i = 0; i < m->entries.n; i++)
        simplify_entry(m, &m->entries.at[i]);
}
