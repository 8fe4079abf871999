// exact.c: finds, builds and keeps the trees of exact functions, one per operation and type.
#include "ir/exact.h"

#include "ir/build.h"
#include "ir/exact_trees.h"
#include "ir/order.h"

static const struct {
    enum ir_op op;
    unsigned nargs;
    ir_ref (*build)(struct ir_graph *g, const ir_ref *args);
} functions[] = {
    {IR_div, 2, tree_div},         {IR_sqrt, 1, tree_sqrt},   {IR_rsqrt, 1, tree_rsqrt},
    {IR_exp, 1, tree_exp},         {IR_exp2, 1, tree_exp2},   {IR_expm1, 1, tree_expm1},
    {IR_sigmoid, 1, tree_sigmoid}, {IR_tanh, 1, tree_tanh},   {IR_erf, 1, tree_erf},
    {IR_log, 1, tree_log},         {IR_log1p, 1, tree_log1p}, {IR_pow, 2, tree_pow},
    {IR_sin, 1, tree_sin},         {IR_cos, 1, tree_cos},
};

enum { NFUNCTIONS = sizeof functions / sizeof functions[0] };

void exact_init(struct exact_trees *t, struct ir_module *m)
{
    t->module = m;
    map_init(&t->index, m->arena);
}

// The lane that carries a type: small types travel as the u32 that holds their bits.
static enum dtype lane_type(enum dtype t)
{
    return t == DT_F32 || t == DT_I32 ? t : DT_U32;
}

static ir_ref build(struct ir_graph *g, enum ir_op op, enum dtype from, enum dtype to,
                    unsigned *nargs)
{
    ir_typeid lane = ir_type_scalar(g->module, lane_type(from));
    ir_ref args[3] = {0};
    *nargs = ir_op_info(op)->nargs;
    if (ir_op_info(op)->class != IRC_MAP)
        IR_BUG("`%s` has no tree", ir_op_info(op)->name);
    for (unsigned i = 0; i < *nargs; i++)
        args[i] = ir_input(g, i, lane);
    if (op == IR_cast)
        return tree_cast(g, args[0], from, to);
    for (unsigned i = 0; i < NFUNCTIONS; i++)
        if (functions[i].op == op)
            return functions[i].build(g, args);
    return ir_node_make(g, op, args, *nargs, NULL, 0, 0);
}

const struct exact_tree *exact_get(struct exact_trees *t, enum ir_op op, enum dtype from,
                                   enum dtype to)
{
    const char key[3] = {(char)op, (char)from, (char)to};
    bool fresh;
    struct map_entry *slot = map_put(&t->index, key, sizeof key, &fresh);
    if (!fresh)
        return slot->value.p;
    struct arena *a = t->module->arena;
    struct exact_tree *tree = arena_new(a, struct exact_tree);
    struct ir_graph *draft = ir_graph_new(t->module);
    ir_ref value = build(draft, op, from, to, &tree->nargs);
    // The order in which a builder's nested calls made the nodes is the C compiler's choice.
    ir_ref *made = arena_array(a, draft->nodes.n, sizeof *made);
    tree->graph = ir_order_graph(draft, &value, 1, made);
    tree->value = made[value];
    slot->value.p = tree;
    return tree;
}
