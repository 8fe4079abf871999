// emit_chain.c: a reduction along rows and the kernels that go on with the same rows, in one call.
//
// A workgroup has one row and 32 invocations. Invocation i takes elements i, i + 32 ... of the row
// in every kernel of the chain, so it finds what it stored itself; what a reduction gives, every
// invocation works out for itself from the partial sums, which are all that is shared. Nothing
// that is written is read by another invocation. The order of sums is that of emit_reduce.c.
#include "codegen/emit_chain.h"

#include "codegen/emit_reduce.h"
#include "runtime/dispatch.h"

enum {
    LANES = REDUCE_PARTIALS,
    AHEAD = 8,  // elements in flight
    LONG = 4000 // values of a tape that is written so often
};

// -- which kernels
// ---------------------------------------------------------------------------------

static uint64_t count_of(const struct emit_source *s, ir_ref r)
{
    return (uint64_t)ir_type_count(ir_typeof(s->graph, r));
}

// The rows of a reduction whose elements lie side by side; false for others.
static bool rows_of(const struct emit_source *s, const struct ir_kernel *k, uint64_t *rows,
                    uint64_t *n)
{
    if (k->class != IRC_REDUCE)
        return false;
    const struct reduce_pass p = reduce_first_pass(s->graph, k->anchor);
    *rows = p.outputs;
    *n = p.n;
    bool along = p.reduced.rank == 1 && p.reduced.stride[0] == 1;
    bool lines =
        p.kept.rank == 0 ? p.outputs == 1 : p.kept.rank == 1 && p.kept.stride[0] == (int64_t)p.n;
    return along && lines && p.n >= LANES && p.blocks == 1 && !p.how.with_index;
}

// Whether a map takes element i of rows of n to element i / n.
static bool shows_row(const struct tape_map *m, uint64_t n)
{
    uint64_t within = 1, stride = 1;
    unsigned i = m->rank;
    if (m->offset != 0)
        return false;
    for (; i > 0 && m->stride[i - 1] == 0; i--)
        within *= (uint64_t)m->dim[i - 1];
    for (unsigned d = i; d-- > 0; stride *= (uint64_t)m->dim[d])
        if (m->stride[d] != (int64_t)stride)
            return false;
    return within == n || m->rank == 0;
}

enum extent { OTHER, ROWS, WIDE }; // an element for each row, for each element of each row

static enum extent extent_of(const struct emit_chain *c, uint64_t count)
{
    return count == c->rows * c->n ? WIDE : count == c->rows ? ROWS : OTHER;
}

// What the chain makes of a node: OTHER where it does not.
static enum extent made_as(const struct emit_source *s, const struct emit_chain *c, ir_ref r)
{
    for (size_t i = 0; i < c->made.n; i++)
        if (c->made.at[i] == r)
            return extent_of(c, count_of(s, r));
    return OTHER;
}

static bool reads_own_row(const struct emit_source *s, const struct emit_chain *c,
                          const struct tape_port *p, enum tape_code code, enum extent at)
{
    enum extent of = made_as(s, c, p->slot);
    if (of == WIDE)
        return at == WIDE && code == TAPE_MEMORY;
    if (of == ROWS && at == WIDE)
        return code == TAPE_READ && shows_row(&p->map, c->n);
    return of == OTHER || code == TAPE_MEMORY || (c->rows == 1 && p->map.rank == 0);
}

// Whether the elementwise nodes of a kernel, over rows or over their elements, can be of the chain.
static bool tape_fits(const struct emit_source *s, const struct emit_chain *c, uint32_t kernel,
                      ir_ref result, enum extent at)
{
    struct emit probe = {.s = s};
    emit_draft(&probe, kernel, result);
    bool fits = emit_per_word(&probe) == 1 && probe.draft.values.n * AHEAD <= LONG;
    for (size_t i = 1; fits && i < probe.draft.values.n; i++) {
        const struct tape_value *v = &probe.draft.values.at[i];
        if (v->code == TAPE_MEMORY || v->code == TAPE_READ)
            fits = reads_own_row(s, c, &probe.draft.ports.at[v->port], (enum tape_code)v->code, at);
    }
    arena_free(&probe.scratch);
    return fits;
}

static bool kernel_fits(const struct emit_source *s, const struct emit_chain *c, uint32_t kernel)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    uint64_t rows, n;
    if (rows_of(s, k, &rows, &n))
        return rows == c->rows && n == c->n &&
               tape_fits(s, c, kernel, ir_arg(s->graph, k->anchor, 0), WIDE);
    enum extent at = extent_of(c, count_of(s, k->anchor));
    return k->class == IRC_MAP && at != OTHER && tape_fits(s, c, kernel, 0, at);
}

// -- making chains
// ---------------------------------------------------------------------------------

// Nodes that a kernel binds, and its outputs as made by the chain.
static void note(struct arena *a, struct emit_chain *c, const struct ir_kernel *k)
{
    for (size_t i = 0; i < k->outputs.n; i++)
        vec_push(a, &c->made, k->outputs.at[i]);
    c->buffers += k->inputs.n + k->outputs.n;
}

bool emit_chain_add(const struct emit_source *s, struct emit_chain *c, uint32_t kernel,
                    uint32_t tail)
{
    struct arena *a = s->arena;
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    const struct emit_chain before = *c;
    if (c->kernels.n == 0 && !rows_of(s, k, &c->rows, &c->n))
        return false;
    bool fits = kernel_fits(s, c, kernel);
    if (fits)
        note(a, c, k);
    if (fits && tail) {
        fits = tape_fits(s, c, tail - 1, 0, ROWS);
        note(a, c, &s->fusion->kernels.at[tail - 1]);
    }
    if (!fits || c->buffers + 1 > DISPATCH_MAX_BINDINGS) { // one for the counters
        *c = before;
        return false;
    }
    vec_push(a, &c->kernels, ((struct emit_link){kernel, tail}));
    return true;
}

// -- writing them
// ----------------------------------------------------------------------------------

struct writer {
    struct emit e;
    const struct emit_chain *c;
    spv_id row, lane, base; // base: the row's first element
    spv_id first;           // whether this is the invocation that stores what there is one of
    spv_id shared[2];       // partial sums: one reduction writes while the last one's are read
    unsigned reductions;
};

static void begin(struct writer *x, const struct emit_source *s, struct emit_call *call)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    ir_ref anchor = s->fusion->kernels.at[x->c->kernels.at[0].kernel].anchor;
    emit_begin(e, s, call, "chain", anchor, LANES, 1);
    spv_id group = emit_groups(e, x->c->rows);
    x->row = emit_least(e, group, emit_extent(e, x->c->rows - 1)); // past the end: the last again
    x->lane = emit_local(e, 0);
    x->base = emit_mul(e, x->row, emit_extent(e, x->c->n));
    x->first = emit_less(e, x->lane, spv_c32(b, 1));
    spv_id array = spv_array(b, spv_u32(b), LANES);
    for (int i = 0; i < 2; i++)
        x->shared[i] = spv_variable(b, SpvStorageClassWorkgroup, array);
}

static spv_id shared_at(struct writer *x, spv_id index)
{
    struct spv *b = &x->e.b;
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, spv_u32(b));
    return spv_access(b, pointer, x->shared[x->reductions % 2], SPV(index));
}

// Computes elements j, j + 32 ... of the row while they are before `end`, `ahead` at a time, and
// takes them into `acc` (0: nowhere). Returns where it stopped.
static spv_id some_elements(struct writer *x, spv_id from, spv_id end, unsigned ahead,
                            const struct reducer *how, spv_id acc)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct emit_value v[AHEAD];
    spv_id at[AHEAD];
    struct spv_loop l;
    spv_loop_begin(b, &l, from, end, spv_c32(b, ahead * LANES));
    for (unsigned i = 0; i < ahead; i++)
        at[i] = emit_add(e, x->base, i ? emit_add(e, l.i, spv_c32(b, i * LANES)) : l.i);
    emit_tape_each(e, at, ahead, v);
    for (unsigned i = 0; acc && i < ahead; i++) {
        const struct emit_value had = {.id = spv_load(b, spv_u32(b), acc), .lane = LANE_U32};
        spv_store(b, acc, emit_as(e, reduce_join(e, how, had, v[i]), LANE_U32));
    }
    spv_loop_end(b, &l);
    return spv_load(b, spv_u32(b), l.counter);
}

static void all_elements(struct writer *x, const struct reducer *how, spv_id acc)
{
    struct emit *e = &x->e;
    spv_id n = emit_extent(e, x->c->n), at = x->lane;
    unsigned ahead = AHEAD;
    while (ahead > 1 && x->c->n < ahead * LANES)
        ahead /= 2;
    if (ahead > 1) {
        spv_id margin = spv_c32(&e->b, (ahead - 1) * LANES);
        at = some_elements(x, at, emit_sub(e, n, margin), ahead, how, acc);
    }
    if (ahead == 1 || x->c->n % (ahead * LANES) != 0)
        some_elements(x, at, n, 1, how, acc);
}

// p[i] + p[i + w] for w = 16, 8 ... by every invocation: all have the result.
static struct emit_value tree(struct writer *x, const struct reducer *how)
{
    struct emit *e = &x->e;
    struct emit_value p[LANES];
    for (uint32_t i = 0; i < LANES; i++)
        p[i] = (struct emit_value){
            .id = spv_load(&e->b, spv_u32(&e->b), shared_at(x, spv_c32(&e->b, i))),
            .lane = LANE_U32};
    for (unsigned w = LANES / 2; w > 0; w /= 2)
        for (unsigned i = 0; i < w; i++)
            p[i] = reduce_join(e, how, p[i], p[i + w]);
    return (struct emit_value){.id = emit_as(e, p[0], LANE_U32), .lane = LANE_U32};
}

static struct emit_value reduce_row(struct writer *x, const struct reducer *how)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    uint32_t neutral = reduce_neutral(how);
    spv_id acc = spv_local(b, spv_u32(b));
    spv_store(b, acc, neutral ? spv_c32(b, neutral) : emit_zero(e));
    all_elements(x, how, acc);
    spv_id sum = spv_load(b, spv_u32(b), acc);
    spv_store(b, shared_at(x, x->lane), sum);
    emit_barrier(e);
    struct emit_value v = tree(x, how);
    x->reductions++;
    return v;
}

static void give(struct writer *x, emit_place place, spv_id word)
{
    const struct emit_given g = {place, {.id = word, .lane = LANE_U32}};
    vec_push(&x->e.scratch, &x->e.given, g);
}

// A kernel of one element a row: what it stores is at hand for what follows.
static void once_a_row(struct writer *x, uint32_t kernel)
{
    struct emit *e = &x->e;
    emit_draft(e, kernel, 0);
    e->inside[0] = x->first;
    emit_tape(e, x->row, 0, NO_PLACE, (struct emit_value){0});
    e->inside[0] = 0;
    for (size_t i = 1; i < e->draft.values.n; i++) {
        const struct tape_value *v = &e->draft.values.at[i];
        if (v->stored && e->live[i])
            give(x, v->slot, emit_as(e, e->value[i], LANE_U32));
    }
}

static void reduction(struct writer *x, const struct emit_link *link)
{
    struct emit *e = &x->e;
    struct spv_if inside;
    const struct emit_source *s = e->s;
    ir_ref anchor = s->fusion->kernels.at[link->kernel].anchor;
    const struct reduce_pass p = reduce_first_pass(s->graph, anchor);
    emit_draft(e, link->kernel, ir_arg(s->graph, anchor, 0));
    struct emit_value v = emit_seen(e, anchor, reduce_row(x, &p.how));
    spv_if_begin(&e->b, &inside, x->first);
    emit_store(e, s->place_of[anchor], x->row, v.id);
    spv_if_end(&e->b, &inside);
    give(x, s->place_of[anchor], v.id);
    if (link->tail)
        once_a_row(x, link->tail - 1);
}

static void elementwise(struct writer *x, uint32_t kernel)
{
    const struct emit_source *s = x->e.s;
    if (extent_of(x->c, count_of(s, s->fusion->kernels.at[kernel].anchor)) == ROWS) {
        once_a_row(x, kernel);
        return;
    }
    emit_draft(&x->e, kernel, 0);
    all_elements(x, NULL, 0);
}

void emit_chain(const struct emit_source *s, const struct emit_chain *c, struct emit_call *call)
{
    struct writer x = {.c = c};
    begin(&x, s, call);
    for (size_t i = 0; i < c->kernels.n; i++) {
        const struct emit_link *link = &c->kernels.at[i];
        if (s->fusion->kernels.at[link->kernel].class == IRC_REDUCE)
            reduction(&x, link);
        else
            elementwise(&x, link->kernel);
    }
    emit_end(&x.e);
}
