// plan_steps.c: emits the kernels of an entry in order, each a step with its variants.
#include "codegen/plan.h"

#include <string.h>

#include "codegen/emit_matmul.h"

// -- kernels, once by content --------------------------------------------------------------------

static uint32_t add_kernel(struct plan *p, struct emit_call *c)
{
    unsigned char sha[HANDLE_BYTES];
    bool fresh;
    sha256_of(c->words.at, c->words.n, sha);
    struct map_entry *e = map_put(&p->kernels->index, sha, sizeof sha, &fresh);
    if (fresh) {
        e->value.u = p->kernels->list.n;
        struct dispatch_kernel k = {.name = c->name,
                                    .words = (const uint32_t *)(void *)arena_copy(
                                        p->kernels->arena, c->words.at, c->words.n),
                                    .nwords = c->words.n / 4,
                                    .bindings = (uint32_t)c->buffers.n,
                                    .push = (uint32_t)c->push.n};
        vec_push(p->kernels->arena, &p->kernels->list, k);
    }
    return (uint32_t)e->value.u;
}

// Memory is free for others once a level is over, not a step: what one step of a level reads, no
// other of it may write, or it would have to wait.
static void touch(struct plan *p, emit_place place)
{
    struct plan_place *t = &p->places.at[place];
    if (t->first > p->now)
        t->first = p->now;
    t->last = p->now;
}

static struct plan_step *new_step(struct plan *p, const char *label)
{
    vec_push(p->arena, &p->steps, (struct plan_step){.label = label});
    return &vec_last(&p->steps);
}

static void note_made(struct plan *p, ir_ref node, emit_place place)
{
    vec_push(p->arena, &vec_last(&p->steps).made, (struct plan_made){node, place});
}

// What a kernel stores.
static void note_outputs(struct plan *p, uint32_t k)
{
    const struct ir_kernel *kernel = &p->fusion.kernels.at[k];
    for (size_t i = 0; i < kernel->outputs.n; i++)
        if (p->place_of[kernel->outputs.at[i]] != NO_PLACE)
            note_made(p, kernel->outputs.at[i], p->place_of[kernel->outputs.at[i]]);
}

static void add_variant(struct plan *p, const char *name, struct emit_call *calls, size_t n)
{
    struct plan_variant v = {.name = name};
    for (size_t i = 0; i < n; i++) {
        struct emit_call *c = &calls[i];
        struct plan_call out = {.kernel = c->known ? c->known - 1 : add_kernel(p, c)};
        memcpy(&out.buffers, &c->buffers, sizeof out.buffers);
        memcpy(&out.push, &c->push, sizeof out.push);
        memcpy(out.groups, c->groups, sizeof out.groups);
        for (size_t j = 0; j < out.buffers.n; j++)
            touch(p, out.buffers.at[j].place);
        vec_push(p->arena, &v.calls, out);
        buf_free(&c->words);
    }
    vec_push(p->arena, &vec_last(&p->steps).variants, v);
}

// -- what devices cannot do ----------------------------------------------------------------------

// lavapipe ends an invocation, without a word, after 65,535 turns of all its loops together
// (measured on 22.3.6). A program that would need more is not planned: wrong numbers are worse than
// none.
static void limit_loops(struct plan *p, uint32_t k, uint64_t turns)
{
    enum { MOST = 60000 };
    const struct ir_node *n = ir_get(p->entry->graph, p->fusion.kernels.at[k].anchor);
    if (turns > MOST)
        p->refused = arena_printf(p->arena,
                                  "entry %s: %s %s loops %llu times in a kernel, more than every "
                                  "Vulkan device can; make the batch or the sum smaller",
                                  p->entry->name, ir_op_info((enum ir_op)n->op)->name,
                                  ir_type_text(p->module, n->type), (unsigned long long)turns);
}

// -- one function per class ----------------------------------------------------------------------

static void step_map(struct plan *p, uint32_t k)
{
    struct emit_call call;
    emit_map(&p->source, k, &call);
    add_variant(p, "map", &call, 1);
    if (emit_map4(&p->source, k, &call))
        add_variant(p, DISPATCH_FOR_CPU "map", &call, 1);
}

static void step_reduce(struct plan *p, uint32_t k)
{
    struct emit_call calls[EMIT_MAX_CALLS];
    emit_place scratch[2] = {NO_PLACE, NO_PLACE};
    uint64_t words = emit_reduce_scratch(p->entry->graph, p->fusion.kernels.at[k].anchor);
    for (int i = 0; words && i < 2; i++)
        scratch[i] = plan_add(p, PLACE_WORK, 0, 4 * words);
    size_t n = emit_reduce(&p->source, k, p->tail[k], scratch, calls);
    add_variant(p, "group", calls, n);
    if (emit_reduce_alone(&p->source, k, p->tail[k], calls))
        add_variant(p, DISPATCH_FOR_CPU "alone", calls, 1);
}

// The product alone: its module is written once for each pattern.
static void plain_product(struct plan *p, uint32_t k, const struct matmul_tile *tile,
                          emit_place packed, struct emit_call *call)
{
    struct matmul_pattern pattern;
    bool fresh;
    matmul_pattern(&p->source, k, tile, packed, &pattern);
    struct map_entry *e = map_put(&p->kernels->products, &pattern, sizeof pattern, &fresh);
    if (fresh) {
        emit_matmul(&p->source, k, tile, 0, packed, call);
        e->value.u = add_kernel(p, call);
    } else {
        emit_matmul_again(&p->source, k, tile, packed, call);
    }
    call->known = (uint32_t)e->value.u + 1;
}

// B in rows, for variants that want it; one place serves all of them.
static emit_place pack_operand(struct plan *p, uint32_t k, const struct matmul_tile *tile,
                               emit_place *packed, struct emit_call *call)
{
    struct matmul_shape shape;
    matmul_shape(p->entry->graph, p->fusion.kernels.at[k].anchor, &shape);
    if (!tile->packs || !shape.tb)
        return NO_PLACE;
    if (*packed == NO_PLACE)
        *packed = plan_add(p, PLACE_WORK, 0, 4 * shape.batch * shape.n * shape.k);
    emit_matmul_pack(&p->source, k, *packed, call);
    return *packed;
}

// The elementwise kernel that follows a product, as a call of its own. Products that pack are for
// CPU devices, above all.
static void map_after(struct plan *p, uint32_t kernel, const struct matmul_tile *tile,
                      struct emit_call *call)
{
    if (!tile->packs || !emit_map4(&p->source, kernel, call))
        emit_map(&p->source, kernel, call);
}

// The calls of a variant: B in rows, the product, what follows it.
static size_t product_calls(struct plan *p, uint32_t k, const struct matmul_tile *tile,
                            emit_place *packed, struct emit_call calls[3])
{
    bool alone = p->fusion.kernels.at[k].nodes.n == 1;
    uint32_t after = alone ? p->tail[k] : k + 1, tape = 0;
    emit_place b = pack_operand(p, k, tile, packed, &calls[0]);
    size_t n = b != NO_PLACE;
    if (after &&
        (matmul_takes(&p->source, after - 1, tile) || (!alone && matmul_fused(&p->source, k))))
        tape = after;
    if (tape)
        emit_matmul(&p->source, k, tile, tape, b, &calls[n++]);
    else
        plain_product(p, k, tile, b, &calls[n++]);
    if (after && !tape)
        map_after(p, after - 1, tile, &calls[n++]);
    return n;
}

static void step_matmul(struct plan *p, uint32_t k)
{
    emit_place packed = NO_PLACE;
    struct matmul_shape shape;
    matmul_shape(p->entry->graph, p->fusion.kernels.at[k].anchor, &shape);
    limit_loops(p, k, matmul_by_four(&shape) ? shape.k / 4 : shape.k);
    for (size_t i = 0; matmul_tiles[i]; i++) {
        struct emit_call calls[3];
        if (!matmul_has_groups(&shape, matmul_tiles[i]))
            continue;
        size_t n = product_calls(p, k, matmul_tiles[i], &packed, calls);
        add_variant(p, matmul_tiles[i]->name, calls, n);
    }
    if (vec_last(&p->steps).variants.n == 0)
        p->refused = arena_printf(p->arena,
                                  "entry %s: a product of %llu matrices of %llu by %llu takes more "
                                  "workgroups than a Vulkan device has",
                                  p->entry->name, (unsigned long long)shape.batch,
                                  (unsigned long long)shape.m, (unsigned long long)shape.n);
}

static void step_move(struct plan *p, uint32_t k)
{
    ir_ref r = p->fusion.kernels.at[k].anchor;
    size_t n = emit_move_calls(p->entry->graph, r);
    struct emit_call *calls = arena_array(p->arena, n, sizeof *calls);
    for (size_t i = 0; i < n; i++)
        emit_move(&p->source, r, (unsigned)i, p->place_of[r], &calls[i]);
    add_variant(p, "move", calls, n);
}

static void step_gather(struct plan *p, uint32_t k)
{
    struct emit_call call;
    ir_ref r = p->fusion.kernels.at[k].anchor;
    if (ir_opcode(p->entry->graph, r) == IR_gather_rows) {
        step_move(p, k);
        return;
    }
    limit_loops(
        p, k,
        2 * (uint64_t)ir_type_count(ir_typeof(p->entry->graph, ir_arg(p->entry->graph, r, 0))));
    emit_scatter(&p->source, k, &call);
    add_variant(p, "rows", &call, 1);
}

// -- chains --------------------------------------------------------------------------------------

// A link's own call, as it would run without the chain.
static void link_call(struct plan *p, const struct emit_link *l, bool cpu, struct emit_call *call)
{
    if (p->fusion.kernels.at[l->kernel].class == IRC_REDUCE) {
        static const emit_place none[2] = {NO_PLACE, NO_PLACE};
        if (!cpu || !emit_reduce_alone(&p->source, l->kernel, l->tail, call))
            emit_reduce(&p->source, l->kernel, l->tail, none, call);
    } else if (!cpu || !emit_map4(&p->source, l->kernel, call)) {
        emit_map(&p->source, l->kernel, call);
    }
}

static void step_chain(struct plan *p, const struct emit_chain *c)
{
    static const char *const apart[] = {"apart", DISPATCH_FOR_CPU "apart"};
    struct emit_call *calls = arena_array(p->arena, c->kernels.n, sizeof *calls);
    emit_chain(&p->source, c, calls);
    add_variant(p, "joined", calls, 1);
    for (int cpu = 0; cpu < 2; cpu++) {
        for (size_t i = 0; i < c->kernels.n; i++)
            link_call(p, &c->kernels.at[i], cpu, &calls[i]);
        add_variant(p, apart[cpu], calls, c->kernels.n);
    }
    for (size_t i = 0; i < c->kernels.n; i++) {
        note_outputs(p, c->kernels.at[i].kernel);
        if (c->kernels.at[i].tail)
            note_outputs(p, c->kernels.at[i].tail - 1);
    }
}

static void (*const step_of[])(struct plan *, uint32_t) = {
    [IRC_LEAF] = step_map,      [IRC_MAP] = step_map,   [IRC_REDUCE] = step_reduce,
    [IRC_MATMUL] = step_matmul, [IRC_MOVE] = step_move, [IRC_GATHER] = step_gather,
};

static const char *label(struct plan *p, ir_ref r)
{
    const struct ir_node *n = ir_get(p->entry->graph, r);
    return arena_printf(p->arena, "%s %s", ir_op_info((enum ir_op)n->op)->name,
                        ir_type_text(p->module, n->type));
}

// -- what is not where it belongs ----------------------------------------------------------------

static void copy(struct plan *p, ir_ref value, emit_place to, const char *what, const char *name)
{
    struct emit_call call;
    p->now++; // in the order they are made
    new_step(p, arena_printf(p->arena, "copy to %s %s", what, name));
    emit_copy(&p->source, value, to, &call);
    add_variant(p, "copy", &call, 1);
    note_made(p, value, to);
}

// Outputs first: an update may overwrite what an output still shows. Updates that show old values
// of other vars go through memory of their own, all read before any is written.
static void copy_results(struct plan *p)
{
    const struct ir_graph *g = p->entry->graph;
    const struct ir_entry *e = p->entry;
    for (size_t i = 0; i < e->outputs.n; i++) {
        ir_ref value = ir_view_base(g, e->outputs.at[i].value);
        if (p->place_of[value] != p->output_at[i])
            copy(p, value, p->output_at[i], "output", e->outputs.at[i].name);
    }
    emit_place *from = arena_array(p->arena, e->updates.n + 1, sizeof *from);
    for (size_t i = 0; i < e->updates.n; i++) {
        ir_ref value = ir_view_base(g, e->updates.at[i].value);
        from[i] = p->place_of[value];
        if (ir_opcode(g, value) != IR_var)
            continue;
        from[i] = plan_add(p, PLACE_WORK, 0, p->places.at[from[i]].bytes);
        copy(p, value, from[i], "keep", p->module->vars.at[e->updates.at[i].var].path);
    }
    for (size_t i = 0; i < e->updates.n; i++) {
        ir_ref value = ir_view_base(g, e->updates.at[i].value);
        uint32_t var = e->updates.at[i].var;
        const struct plan_place *t = from[i] == NO_PLACE ? NULL : &p->places.at[from[i]];
        if (t && t->kind == PLACE_VAR && t->index == var)
            continue;
        emit_place own = p->place_of[value];
        p->place_of[value] = from[i];
        emit_place to = plan_add(p, PLACE_VAR, var, t ? t->bytes : 4); // a counter has no place
        copy(p, value, to, "var", p->module->vars.at[var].path);
        p->place_of[value] = own;
    }
}

static void step_kernel(struct plan *p, uint32_t k)
{
    step_of[p->fusion.kernels.at[k].class](p, k);
    note_outputs(p, k);
    if (p->tail[k])
        note_outputs(p, p->tail[k] - 1);
}

void plan_steps(struct plan *p)
{
    for (size_t i = 0; i < p->fusion.kernels.n; i++) {
        uint32_t k = p->order[i];
        const struct emit_chain *c = p->chain_of[k] ? &p->chains.at[p->chain_of[k] - 1] : NULL;
        if (p->is_tail[k] || (c && c->kernels.at[0].kernel != k))
            continue;
        p->now = p->level[k];
        new_step(p, label(p, p->fusion.kernels.at[k].anchor));
        if (c)
            step_chain(p, c);
        else
            step_kernel(p, k);
    }
    copy_results(p);
}
