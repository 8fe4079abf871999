// plan_order.c: in which order the kernels of an entry run, and which run together.
//
// What is written over an old value must come after all that read it. Kernels that make updates,
// and are not needed by others, are called late.
#include "codegen/plan.h"

// -- updates -------------------------------------------------------------------------------------

static bool is_update(const struct plan *p, ir_ref r)
{
    for (size_t i = 0; i < p->entry->updates.n; i++)
        if (ir_view_base(p->entry->graph, p->entry->updates.at[i].value) == r)
            return true;
    return false;
}

bool plan_makes_update(const struct plan *p, const struct ir_kernel *k)
{
    for (size_t i = 0; i < k->outputs.n; i++)
        if (is_update(p, k->outputs.at[i]))
            return true;
    return false;
}

// Marks, from the last kernel back, those that make updates and that only such kernels read.
static bool *find_late(const struct plan *p)
{
    size_t n = p->fusion.kernels.n;
    bool *late = arena_array(p->arena, n + 1, sizeof *late);
    bool *needed = arena_array(p->arena, n + 1, sizeof *needed); // by a kernel that is not late
    for (size_t i = n; i-- > 0;) {
        const struct ir_kernel *k = &p->fusion.kernels.at[i];
        late[i] = !needed[i] && plan_makes_update(p, k);
        for (size_t j = 0; !late[i] && j < k->inputs.n; j++) {
            uint32_t of = p->fusion.kernel_of.at[k->inputs.at[j]];
            if (of)
                needed[of - 1] = true;
        }
    }
    return late;
}

// -- levels --------------------------------------------------------------------------------------

// Whether a kernel of one result may run another where that is.
static bool may_lead(const struct plan *p, const struct ir_kernel *k)
{
    if (k->class == IRC_MATMUL)
        return p->fusion.fused && k->nodes.n == 1;
    return k->class == IRC_REDUCE && ir_opcode(p->entry->graph, k->anchor) != IR_argmax;
}

// An elementwise kernel on what a reduction or a product gives is computed where the result is: it
// becomes its tail, if nothing else it reads is of the same level or later.
static bool can_be_tail(const struct plan *p, const uint32_t *level, uint32_t k, uint32_t *of)
{
    const struct ir_graph *g = p->entry->graph;
    const struct ir_kernel *kernel = &p->fusion.kernels.at[k];
    uint32_t reduction = UINT32_MAX, highest = 0;
    if (kernel->class != IRC_MAP || plan_makes_update(p, kernel))
        return false;
    for (size_t i = 0; i < kernel->inputs.n; i++) {
        uint32_t from = p->fusion.kernel_of.at[kernel->inputs.at[i]];
        if (from && level[from - 1] >= highest) {
            bool tie = reduction != UINT32_MAX && level[from - 1] == highest;
            if (tie && from - 1 != reduction)
                return false;
            highest = level[from - 1];
            reduction = from - 1;
        }
    }
    if (reduction == UINT32_MAX || p->tail[reduction])
        return false;
    const struct ir_kernel *r = &p->fusion.kernels.at[reduction];
    *of = reduction;
    return may_lead(p, r) &&
           ir_type_count(ir_typeof(g, r->anchor)) == ir_type_count(ir_typeof(g, kernel->anchor)) &&
           emit_is_simple(&p->source, k, r->anchor);
}

// The length of the longest chain of kernels that must run before kernel k.
static uint32_t level_of(const struct plan *p, uint32_t k)
{
    const struct ir_kernel *kernel = &p->fusion.kernels.at[k];
    uint32_t most = 0;
    for (size_t i = 0; i < kernel->inputs.n; i++) {
        uint32_t of = p->fusion.kernel_of.at[kernel->inputs.at[i]];
        if (of && p->level[of - 1] + 1 > most)
            most = p->level[of - 1] + 1;
    }
    return most;
}

static void find_levels(struct plan *p)
{
    uint32_t n = (uint32_t)p->fusion.kernels.n;
    uint32_t *owner = arena_array(p->arena, n + 1, sizeof *owner);
    p->level = arena_array(p->arena, n + 1, sizeof *p->level);
    p->tail = arena_array(p->arena, n + 1, sizeof *p->tail);
    p->is_tail = arena_array(p->arena, n + 1, sizeof *p->is_tail);
    p->chain_of = arena_array(p->arena, n + 1, sizeof *p->chain_of);
    for (uint32_t k = 0; k < n; k++) {
        p->is_tail[k] = can_be_tail(p, p->level, k, &owner[k]);
        if (p->is_tail[k])
            p->tail[owner[k]] = k + 1;
        p->level[k] = p->is_tail[k] ? p->level[owner[k]] : level_of(p, k);
    }
    if (p->fusion.fused)
        plan_chains(p, owner);
}

uint32_t *plan_by_level(struct plan *p, const uint32_t *level)
{
    uint32_t n = (uint32_t)p->fusion.kernels.n, levels = 0;
    for (uint32_t k = 0; k < n; k++)
        levels = level[k] >= levels ? level[k] + 1 : levels;
    uint32_t *first = arena_array(p->arena, levels + 1, sizeof *first);
    uint32_t *sorted = arena_array(p->arena, n + 1, sizeof *sorted);
    for (uint32_t k = 0; k < n; k++)
        first[level[k] + 1]++;
    for (uint32_t l = 0; l < levels; l++)
        first[l + 1] += first[l];
    for (uint32_t k = 0; k < n; k++)
        sorted[first[level[k]]++] = k;
    return sorted;
}

// -- kernels that make updates -------------------------------------------------------------------

// By variable: the level after all kernels that read it and are not late; who is late and reads it.
struct readers {
    uint32_t after;
    uint32_t late; // kernel + 1, or 0
    bool more;     // more than one is late
};

static void note_reader(struct readers *r, uint32_t k, uint32_t level, bool late)
{
    if (!late) {
        r->after = level >= r->after ? level + 1 : r->after;
        return;
    }
    r->more = r->more || (r->late && r->late != k + 1);
    r->late = k + 1;
}

static struct readers *find_readers(const struct plan *p, const bool *late)
{
    const struct ir_graph *g = p->entry->graph;
    struct readers *r = arena_array(p->arena, p->module->vars.n + 1, sizeof *r);
    for (uint32_t k = 0; k < p->fusion.kernels.n; k++) {
        const struct ir_kernel *kernel = &p->fusion.kernels.at[k];
        for (size_t i = 0; i < kernel->inputs.n; i++) {
            ir_ref in = kernel->inputs.at[i];
            if (ir_opcode(g, in) == IR_var)
                note_reader(&r[ir_attr(g, in, 0)], k, p->level[k], late[k]);
        }
    }
    return r;
}

// The level from which kernel k, which is late, may write over the variables that it updates;
// `last` where another late one reads them.
static uint32_t level_to_write(const struct plan *p, const struct readers *r, uint32_t k,
                               uint32_t last)
{
    uint32_t level = level_of(p, k);
    for (size_t i = 0; i < p->entry->updates.n; i++) {
        const struct ir_update *u = &p->entry->updates.at[i];
        if (!ir_kernel_stores(&p->fusion.kernels.at[k], ir_view_base(p->entry->graph, u->value)))
            continue;
        const struct readers *of = &r[u->var];
        if (of->more || (of->late && of->late != k + 1))
            return last;
        level = of->after > level ? of->after : level;
    }
    return level;
}

// Level by level, so that what does not depend on each other runs between the same two barriers.
// An update runs when nothing reads the old value any more, beside what does not need it.
void plan_order(struct plan *p)
{
    uint32_t levels = 0;
    const bool *late = find_late(p);
    find_levels(p);
    for (size_t k = 0; k < p->fusion.kernels.n; k++)
        levels = p->level[k] >= levels ? p->level[k] + 1 : levels;
    const struct readers *readers = find_readers(p, late);
    for (uint32_t k = 0; k < p->fusion.kernels.n; k++)
        if (late[k])
            p->level[k] = level_to_write(p, readers, k, levels + p->level[k]);
    p->order = plan_by_level(p, p->level);
}
