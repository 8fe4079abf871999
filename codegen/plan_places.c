// plan_places.c: decides where each tensor of an entry lies.
//
// An update is written over the old value where that is safe: by a kernel that reads the old value
// only at the element it writes, after every other reader.
#include "codegen/plan.h"

static uint64_t bytes_of(const struct plan *p, ir_ref r)
{
    return (ir_type_bytes(ir_typeof(p->entry->graph, r)) + 3) / 4 * 4;
}

emit_place plan_add(struct plan *p, enum place_kind kind, uint32_t index, uint64_t bytes)
{
    const struct plan_place place = {
        .kind = kind, .index = index, .bytes = bytes, .first = UINT32_MAX};
    vec_push(p->arena, &p->places, place);
    return (emit_place)p->places.n - 1;
}

static ir_ref base(const struct plan *p, ir_ref r)
{
    return ir_view_base(p->entry->graph, r);
}

// -- leaves --------------------------------------------------------------------------------------

static void place_leaves(struct plan *p)
{
    const struct ir_graph *g = p->entry->graph;
    for (ir_ref r = 1; r < g->nodes.n; r++) {
        enum ir_op op = ir_opcode(g, r);
        if (op == IR_var || op == IR_input) {
            uint32_t index = (uint32_t)ir_attr(g, r, 0);
            enum place_kind kind = op == IR_var ? PLACE_VAR : PLACE_INPUT;
            p->place_of[r] = plan_add(p, kind, index, bytes_of(p, r));
        } else if (op == IR_const) {
            p->place_of[r] = plan_add(p, PLACE_CONST, (uint32_t)p->consts.n, bytes_of(p, r));
            vec_push(p->arena, &p->consts, r);
        }
    }
}

// -- updates in place ----------------------------------------------------------------------------

static bool reads_var(const struct plan *p, ir_ref r, uint32_t var)
{
    const struct ir_graph *g = p->entry->graph;
    return ir_opcode(g, r) == IR_var && (uint32_t)ir_attr(g, r, 0) == var;
}

// Whether kernel k reads the var other than at the element it is computing.
static bool reads_elsewhere(const struct plan *p, const struct ir_kernel *k, uint32_t var)
{
    const struct ir_graph *g = p->entry->graph;
    for (size_t i = 0; i < k->nodes.n; i++) {
        ir_ref r = k->nodes.at[i];
        bool by_lane = ir_op_info(ir_opcode(g, r))->class == IRC_MAP;
        for (unsigned j = 0; j < ir_get(g, r)->nargs; j++) {
            struct ir_view v = ir_view_of(g, p->fusion.fused, ir_arg(g, r, j));
            if (reads_var(p, v.node, var) && (!by_lane || v.via))
                return true;
            if (!by_lane && reads_var(p, base(p, ir_arg(g, r, j)), var))
                return true;
        }
    }
    return false;
}

static bool has_input(const struct plan *p, const struct ir_kernel *k, uint32_t var)
{
    for (size_t i = 0; i < k->inputs.n; i++)
        if (reads_var(p, k->inputs.at[i], var))
            return true;
    return false;
}

static bool read_by_root(const struct plan *p, uint32_t var)
{
    const struct ir_entry *e = p->entry;
    for (size_t i = 0; i < e->outputs.n; i++)
        if (reads_var(p, base(p, e->outputs.at[i].value), var))
            return true;
    for (size_t i = 0; i < e->updates.n; i++)
        if (reads_var(p, base(p, e->updates.at[i].value), var))
            return true;
    return false;
}

static bool safe_in_place(const struct plan *p, ir_ref value, uint32_t var)
{
    uint32_t of = p->fusion.kernel_of.at[value];
    if (!of || read_by_root(p, var))
        return false;
    const struct ir_kernel *k = &p->fusion.kernels.at[of - 1];
    if (k->class != IRC_MAP && k->class != IRC_MATMUL)
        return false;
    if (reads_elsewhere(p, k, var))
        return false;
    size_t at = 0;
    while (p->order[at] != of - 1)
        at++;
    for (at++; at < p->fusion.kernels.n; at++)
        if (has_input(p, &p->fusion.kernels.at[p->order[at]], var))
            return false;
    return true;
}

// -- results -------------------------------------------------------------------------------------

static emit_place var_place(struct plan *p, uint32_t var, uint64_t bytes)
{
    for (size_t i = 0; i < p->places.n; i++)
        if (p->places.at[i].kind == PLACE_VAR && p->places.at[i].index == var)
            return (emit_place)i;
    return plan_add(p, PLACE_VAR, var, bytes);
}

static void place_results(struct plan *p)
{
    const struct ir_entry *e = p->entry;
    for (size_t i = 0; i < e->updates.n; i++) {
        ir_ref value = base(p, e->updates.at[i].value);
        uint32_t var = e->updates.at[i].var;
        if (p->place_of[value] == NO_PLACE && safe_in_place(p, value, var))
            p->place_of[value] = var_place(p, var, bytes_of(p, value));
        p->observed[value] = true;
    }
    p->output_at = arena_array(p->arena, e->outputs.n + 1, sizeof *p->output_at);
    for (size_t i = 0; i < e->outputs.n; i++) {
        ir_ref value = base(p, e->outputs.at[i].value);
        p->output_at[i] = plan_add(p, PLACE_OUTPUT, (uint32_t)i, bytes_of(p, value));
        if (p->place_of[value] == NO_PLACE && p->fusion.kernel_of.at[value])
            p->place_of[value] = p->output_at[i];
        p->observed[value] = true;
    }
}

static void place_rest(struct plan *p)
{
    for (size_t i = 0; i < p->fusion.kernels.n; i++) {
        const struct ir_kernel *k = &p->fusion.kernels.at[i];
        for (size_t j = 0; j < k->outputs.n; j++)
            if (p->place_of[k->outputs.at[j]] == NO_PLACE)
                p->place_of[k->outputs.at[j]] =
                    plan_add(p, PLACE_WORK, 0, bytes_of(p, k->outputs.at[j]));
        // A product with a long epilogue lies in memory between the two.
        if (k->class == IRC_MATMUL && p->place_of[k->anchor] == NO_PLACE)
            p->place_of[k->anchor] = plan_add(p, PLACE_WORK, 0, bytes_of(p, k->anchor));
    }
}

void plan_places(struct plan *p)
{
    size_t n = p->entry->graph->nodes.n;
    p->place_of = arena_array(p->arena, n, sizeof *p->place_of);
    p->observed = arena_array(p->arena, n, sizeof *p->observed);
    for (size_t i = 0; i < n; i++)
        p->place_of[i] = NO_PLACE;
    p->source.counters = plan_add(p, PLACE_COUNTERS, 0, 12);
    p->source.arena = p->arena;
    p->source.graph = p->entry->graph;
    p->source.fusion = &p->fusion;
    p->source.place_of = p->place_of;
    p->source.observed = p->observed;
    place_leaves(p);
    plan_order(p);
    place_results(p);
    place_rest(p);
}
