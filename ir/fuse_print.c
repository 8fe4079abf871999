// fuse_print.c: writes kernels for people: what each reads, computes and stores.
#include <inttypes.h>

#include "ir/fuse.h"

static void put_refs(const char *what, const ir_ref *at, size_t n, struct buf *out)
{
    buf_printf(out, "  %-6s", what);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, " %%%" PRIu32, at[i]);
    buf_putc(out, '\n');
}

static void put_node(const struct ir_graph *g, ir_ref r, struct buf *out)
{
    const struct ir_node *n = ir_get(g, r);
    buf_printf(out, "    %%%" PRIu32 " = %s ", r, ir_op_info((enum ir_op)n->op)->name);
    ir_type_print(g->module, n->type, true, out);
    for (unsigned i = 0; i < n->nargs; i++)
        buf_printf(out, " %%%" PRIu32, ir_arg(g, r, i));
    buf_putc(out, '\n');
}

static void put_kernel(const struct ir_graph *g, const struct ir_kernel *k, size_t index,
                       struct buf *out)
{
    static const char *const class[] = {
        [IRC_LEAF] = "leaf",     [IRC_MAP] = "map",   [IRC_REDUCE] = "reduce",
        [IRC_MATMUL] = "matmul", [IRC_MOVE] = "move", [IRC_GATHER] = "gather"};
    buf_printf(out, "kernel %zu %s %%%" PRIu32 "\n", index, class[k->class], k -> anchor);
    put_refs("reads", k->inputs.at, k->inputs.n, out);
    put_refs("stores", k->outputs.at, k->outputs.n, out);
    for (size_t i = 0; i < k->nodes.n; i++)
        put_node(g, k->nodes.at[i], out);
}

void ir_fusion_print(const struct ir_graph *g, const struct ir_fusion *f, struct buf *out)
{
    for (size_t i = 0; i < f->kernels.n; i++)
        put_kernel(g, &f->kernels.at[i], i, out);
}
