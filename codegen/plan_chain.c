// plan_chain.c: finds kernels that go on with the rows of a reduction (emit_chain.h).
//
// A chain runs where its first kernel would have run, or a little later: when all is there that its
// kernels read. A kernel is taken if it would have run right after the chain's last one anyway, so
// nothing that waits for the chain's end waits longer.
#include "codegen/plan.h"

#include <string.h>

struct finder {
    struct plan *p;
    const uint32_t *owner; // by tail: the kernel that it ends
    const uint32_t *alone; // by kernel: its level while no kernel is of a chain
    uint32_t *by_level;    // kernels in the order of that
    uint32_t *waits;       // by kernel: the last chain that it waits for, by its first kernel + 1
    struct emit_source source; // places are nodes
};

static struct emit_source node_places(struct plan *p)
{
    struct emit_source s = p->source;
    const struct ir_graph *g = p->entry->graph;
    emit_place *place = arena_array(p->arena, g->nodes.n, sizeof *place);
    for (ir_ref r = 0; r < g->nodes.n; r++)
        place[r] = r;
    s.place_of = place;
    s.counters = NO_PLACE;
    return s;
}

// -- what waits for what -------------------------------------------------------------------------

// The kernel that makes input i of kernel k, its tail counted as itself; UINT32_MAX: none.
static uint32_t maker(const struct finder *f, const struct ir_kernel *k, size_t i)
{
    uint32_t of = f->p->fusion.kernel_of.at[k->inputs.at[i]];
    if (!of)
        return UINT32_MAX;
    return f->p->is_tail[of - 1] ? f->owner[of - 1] : of - 1;
}

// Whether kernel k, or its tail, reads what the chain makes that begins with `first`; or what waits
// for that chain.
static void look(const struct finder *f, uint32_t k, uint32_t first, bool *reads, bool *blocked)
{
    const uint32_t both[2] = {k + 1, f->p->tail[k]};
    for (int i = 0; i < 2 && both[i]; i++) {
        const struct ir_kernel *kernel = &f->p->fusion.kernels.at[both[i] - 1];
        for (size_t j = 0; j < kernel->inputs.n; j++) {
            uint32_t from = maker(f, kernel, j);
            if (from == UINT32_MAX || from == k)
                continue;
            *reads = *reads || f->p->chain_of[from] == f->p->chain_of[first];
            *blocked = *blocked || f->waits[from] == first + 1;
        }
    }
}

// The level before which nothing that kernel k reads, or its tail, is there; its own chain aside.
static uint32_t level_for(const struct finder *f, uint32_t k)
{
    const uint32_t both[2] = {k + 1, f->p->tail[k]};
    uint32_t most = 0;
    for (int i = 0; i < 2 && both[i]; i++) {
        const struct ir_kernel *kernel = &f->p->fusion.kernels.at[both[i] - 1];
        for (size_t j = 0; j < kernel->inputs.n; j++) {
            uint32_t from = maker(f, kernel, j), own = f->p->chain_of[k];
            if (from == UINT32_MAX || from == k || (own && f->p->chain_of[from] == own))
                continue;
            most = f->p->level[from] >= most ? f->p->level[from] + 1 : most;
        }
    }
    return most;
}

// One round over all kernels; *again where a level has changed.
static void raise(const struct finder *f, uint32_t *of_chain, bool *again)
{
    struct plan *p = f->p;
    for (uint32_t k = 0; k < p->fusion.kernels.n; k++) {
        if (p->is_tail[k])
            continue;
        uint32_t level = level_for(f, k);
        uint32_t *chain = p->chain_of[k] ? &of_chain[p->chain_of[k]] : NULL;
        if (chain)
            level = *chain = level > *chain ? level : *chain;
        *again = *again || level != p->level[k];
        p->level[k] = level;
        if (p->tail[k])
            p->level[p->tail[k] - 1] = level;
    }
}

// Makes p->level anew. Returns false where chains wait for each other.
static bool find_levels(const struct finder *f)
{
    struct plan *p = f->p;
    size_t n = p->fusion.kernels.n;
    uint32_t *of_chain = arena_array(p->arena, p->chains.n + 1, sizeof *of_chain);
    memset(p->level, 0, n * sizeof *p->level);
    for (bool again = true; again;) {
        again = false;
        raise(f, of_chain, &again);
        for (size_t k = 0; k < n; k++)
            if (p->level[k] > n)
                return false;
    }
    return true;
}

// -- chains --------------------------------------------------------------------------------------

static bool may_join(const struct finder *f, uint32_t k)
{
    const struct plan *p = f->p;
    return !p->chain_of[k] && !p->is_tail[k] && !plan_makes_update(p, &p->fusion.kernels.at[k]);
}

// Adds what can follow the first kernel of a chain, which is at a place of by_level.
static void extend(struct finder *f, struct emit_chain *c, size_t at)
{
    struct plan *p = f->p;
    uint32_t first = f->by_level[at], last = f->alone[first];
    for (at++; at < p->fusion.kernels.n && f->alone[f->by_level[at]] <= last + 1; at++) {
        uint32_t k = f->by_level[at];
        bool reads = false, blocked = false;
        if (p->is_tail[k])
            continue;
        look(f, k, first, &reads, &blocked);
        if (reads && !blocked && may_join(f, k) && emit_chain_add(&f->source, c, k, p->tail[k])) {
            p->chain_of[k] = p->chain_of[first];
            last = f->alone[k];
        } else if (reads || blocked) {
            f->waits[k] = first + 1;
        }
    }
}

static void drop(struct plan *p, const struct emit_chain *c)
{
    for (size_t i = 0; i < c->kernels.n; i++)
        p->chain_of[c->kernels.at[i].kernel] = 0;
    p->chains.n--;
}

// The chain that begins with the kernel at a place of by_level, if one does.
static void start(struct finder *f, size_t at)
{
    struct plan *p = f->p;
    uint32_t k = f->by_level[at];
    struct emit_chain c = {0};
    if (!may_join(f, k) || !emit_chain_add(&f->source, &c, k, p->tail[k]))
        return;
    p->chain_of[k] = (uint32_t)p->chains.n + 1;
    extend(f, &c, at);
    vec_push(p->arena, &p->chains, c);
    if (c.kernels.n == 1 || !find_levels(f))
        drop(p, &c);
}

void plan_chains(struct plan *p, const uint32_t *owner)
{
    size_t n = p->fusion.kernels.n;
    uint32_t *alone = arena_array(p->arena, n + 1, sizeof *alone);
    memcpy(alone, p->level, n * sizeof *alone);
    struct finder f = {.p = p,
                       .owner = owner,
                       .alone = alone,
                       .waits = arena_array(p->arena, n + 1, sizeof *f.waits),
                       .by_level = plan_by_level(p, alone),
                       .source = node_places(p)};
    for (size_t i = 0; i < n; i++)
        start(&f, i);
    find_levels(&f);
}
