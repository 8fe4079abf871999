// order.c: numbers the nodes of every graph in one canonical order.
#include "ir/order.h"

#include "ir/build.h"

// -- the walk ------------------------------------------------------------------------------------

// A node that the walk is in, and the operand it goes to next. Graphs are too deep for recursion.
struct visit {
    ir_ref node;
    uint32_t next;
};

struct walk {
    const struct ir_graph *old;
    struct ir_graph *g;
    ir_ref *to;
    VEC(struct visit) path;
};

static void leave(struct walk *w, ir_ref r)
{
    const struct ir_node *n = ir_get(w->old, r);
    ir_ref small[8] = {0}, *args = small;
    if (n->nargs > 8)
        args = arena_array(w->g->module->arena, n->nargs, sizeof *args);
    for (unsigned i = 0; i < n->nargs; i++)
        args[i] = w->to[ir_arg(w->old, r, i)];
    w->to[r] = ir_node_copy(w->g, w->old, r, args);
}

static void walk_from(struct walk *w, ir_ref root)
{
    struct arena *a = w->g->module->arena;
    if (!w->to[root])
        vec_push(a, &w->path, (struct visit){root, 0});
    while (w->path.n) {
        struct visit *v = &vec_last(&w->path);
        if (v->next == ir_get(w->old, v->node)->nargs) {
            leave(w, v->node);
            w->path.n--;
            continue;
        }
        ir_ref arg = ir_arg(w->old, v->node, v->next++);
        if (!w->to[arg])
            vec_push(a, &w->path, (struct visit){arg, 0});
    }
}

struct ir_graph *ir_order_graph(const struct ir_graph *old, const ir_ref *roots, size_t nroots,
                                ir_ref *to)
{
    struct walk w = {.old = old, .g = ir_graph_new(old->module), .to = to};
    for (size_t i = 0; i < nroots; i++)
        walk_from(&w, roots[i]);
    return w.g;
}

// -- a module ------------------------------------------------------------------------------------

static void order_entry(struct ir_module *m, struct ir_entry *e)
{
    ir_refs roots = {0};
    ir_entry_roots(e, false, m->arena, &roots);
    size_t n = e->graph->nodes.n;
    ir_ref *to = arena_array(m->arena, n, sizeof *to);
    struct ir_graph *fresh = ir_order_graph(e->graph, roots.at, roots.n, to);
    ir_entry_remap(e, fresh, &(struct ir_remap){to, n});
}

static void order_init(struct ir_module *m, struct ir_var *v)
{
    ir_ref *to = arena_array(m->arena, v->init->nodes.n, sizeof *to);
    v->init = ir_order_graph(v->init, &v->init_value, 1, to);
    v->init_value = to[v->init_value];
}

void ir_order(struct ir_module *m)
{
    for (size_t i = 0; i < m->vars.n; i++)
        order_init(m, &m->vars.at[i]);
    for (size_t i = 0; i < m->entries.n; i++)
        order_entry(m, &m->entries.at[i]);
}
