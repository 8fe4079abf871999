// plan_split.c: takes apart reductions that store what they compute on the way.
//
// Fusion computes an elementwise node where a sum reads it, and stores it there for its other
// readers. These then wait for a kernel that reduces, with as few invocations as it has results.
// Where the sum reads just what is stored, and goes across rows, the elementwise part is better a
// kernel of its own: others wait for that alone, and it may go on with the rows of another
// (plan_chain.c). The evaluator keeps them together.
#include <assert.h>

#include "codegen/emit_reduce.h"
#include "codegen/plan.h"

static bool is_split(const struct ir_graph *g, const struct ir_kernel *k)
{
    return k->class == IRC_REDUCE && !reduce_first_pass(g, k->anchor).adjacent &&
           ir_kernel_stores(k, ir_view_base(g, ir_arg(g, k->anchor, 0)));
}

// The elementwise part of a reduction, as a kernel.
static struct ir_kernel first_half(struct arena *a, const struct ir_kernel *k)
{
    struct ir_kernel m = {.class = IRC_MAP};
    for (size_t i = 0; i < k->nodes.n; i++)
        if (k->nodes.at[i] != k->anchor)
            vec_push(a, &m.nodes, k->nodes.at[i]);
    for (size_t i = 0; i < k->outputs.n; i++)
        if (k->outputs.at[i] != k->anchor)
            vec_push(a, &m.outputs, k->outputs.at[i]);
    for (size_t i = 0; i < k->inputs.n; i++)
        vec_push(a, &m.inputs, k->inputs.at[i]);
    assert(m.nodes.n > 0); // what is_split found among the outputs
    m.anchor = m.nodes.at[m.nodes.n - 1];
    return m;
}

static struct ir_kernel second_half(struct arena *a, const struct ir_graph *g,
                                    const struct ir_kernel *k)
{
    struct ir_kernel r = {.class = IRC_REDUCE, .anchor = k->anchor};
    vec_push(a, &r.nodes, k->anchor);
    vec_push(a, &r.inputs, ir_view_base(g, ir_arg(g, k->anchor, 0)));
    if (ir_kernel_stores(k, k->anchor))
        vec_push(a, &r.outputs, k->anchor);
    return r;
}

void plan_split(struct plan *p)
{
    const struct ir_graph *g = p->entry->graph;
    struct arena *a = p->arena;
    struct ir_fusion *f = &p->fusion, old = *f;
    if (!f->fused)
        return;
    f->kernels.n = f->kernels.cap = 0;
    f->kernels.at = NULL;
    for (size_t k = 0; k < old.kernels.n; k++) {
        const struct ir_kernel *whole = &old.kernels.at[k];
        bool split = is_split(g, whole);
        if (split)
            vec_push(a, &f->kernels, first_half(a, whole));
        vec_push(a, &f->kernels, split ? second_half(a, g, whole) : *whole);
    }
    for (uint32_t k = 0; k < f->kernels.n; k++)
        for (size_t i = 0; i < f->kernels.at[k].nodes.n; i++)
            f->kernel_of.at[f->kernels.at[k].nodes.at[i]] = k + 1;
}
