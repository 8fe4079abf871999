// simplify_fold.c: computes small constant parts of a graph at compile time, by the evaluator.
#include "ir/simplify_rules.h"

#include <string.h>

#include "ir/eval.h"

enum { FOLD_ELEMENTS = 16 }; // larger constants are not worth their bytes

struct fold {
    const struct ir_graph *g;
    const bool *live;
    bool *known;   // small, and made from constants only
    ir_refs roots; // nodes to be replaced
};

static bool is_small(const struct ir_graph *g, ir_ref r)
{
    return ir_type_count(ir_typeof(g, r)) <= FOLD_ELEMENTS;
}

static bool is_known(const struct fold *f, ir_ref r)
{
    enum ir_class class = ir_op_info(ir_opcode(f->g, r))->class;
    if (!is_small(f->g, r) || class == IRC_ACROSS || class == IRC_META)
        return false;
    if (class == IRC_LEAF)
        return ir_opcode(f->g, r) == IR_const;
    for (unsigned i = 0; i < ir_get(f->g, r)->nargs; i++)
        if (!f->known[ir_arg(f->g, r, i)])
            return false;
    return true;
}

// Known nodes that compute something; a moved constant is left as it is.
static void find_roots(struct fold *f)
{
    for (ir_ref r = 1; r < f->g->nodes.n; r++) {
        enum ir_class class = ir_op_info(ir_opcode(f->g, r))->class;
        f->known[r] = f->live[r] && is_known(f, r);
        if (f->known[r] && class != IRC_LEAF && class != IRC_MOVE)
            vec_push(f->g->module->arena, &f->roots, r);
    }
}

// Copies one live node; folded ones become constants.
static ir_ref copy_node(struct ir_graph *fresh, const struct ir_graph *g, ir_ref r,
                        const ir_ref *to)
{
    const struct ir_node *n = ir_get(g, r);
    ir_ref *args = arena_array(g->module->arena, n->nargs, sizeof *args);
    for (unsigned i = 0; i < n->nargs; i++)
        args[i] = to[ir_arg(g, r, i)];
    return ir_node_copy(fresh, g, r, args);
}

// A constant from a tensor in storage form (little-endian, as all of Helix).
static ir_ref constant(struct ir_graph *fresh, ir_typeid type, const unsigned char *bytes)
{
    const struct ir_type *t = ir_type_get(fresh->module, type);
    size_t size = dtype_bytes(t->dtype);
    uint32_t bits[FOLD_ELEMENTS] = {0};
    for (int64_t i = 0; i < ir_type_count(t); i++)
        for (size_t k = 0; k < size; k++)
            bits[i] |= (uint32_t)*bytes++ << 8 * k;
    return ir_const_array(fresh, type, bits);
}

// Evaluates the roots. Returns their tensors, or NULL when memory ran out.
static void **evaluate(const struct fold *f)
{
    static const struct eval_counters none = {0, 0};
    struct arena *a = f->g->module->arena;
    const char *error;
    struct eval *e = eval_new(f->g, f->roots.at, f->roots.n, 0, &error);
    if (!e)
        return NULL;
    void **out = arena_array(a, f->roots.n, sizeof *out);
    for (size_t i = 0; i < f->roots.n; i++)
        out[i] = arena_alloc(a, ir_type_bytes(ir_typeof(f->g, f->roots.at[i])));
    eval_run(e, NULL, NULL, &none, out);
    eval_free(e);
    return out;
}

struct ir_graph *simplify_fold(const struct ir_graph *g, const bool *live, ir_ref *to)
{
    struct arena *a = g->module->arena;
    struct fold f = {.g = g, .live = live, .known = arena_array(a, g->nodes.n, sizeof *f.known)};
    find_roots(&f);
    void **values = f.roots.n ? evaluate(&f) : NULL;
    if (!values)
        return NULL;
    struct ir_graph *fresh = ir_graph_new(g->module);
    for (ir_ref r = 1, next = 0; r < g->nodes.n; r++) {
        if (next < f.roots.n && f.roots.at[next] == r)
            to[r] = constant(fresh, ir_get(g, r)->type, values[next++]);
        else if (live[r])
            to[r] = copy_node(fresh, g, r, to);
    }
    return fresh;
}
