// emit_reduce.c: kernels of class REDUCE: 32 invocations hold the 32 partial results of one block.
//
// The order of spec/numerics.md: a block of 4096 elements has 32 partial sums, the i-th takes
// elements i, i + 32 ... ascending, and a tree joins them. An invocation is one partial, the tree
// runs in shared memory. Results of several blocks are the elements of a second kernel of the same
// kind, until one is left. Maximum and minimum take the same path.
#include "codegen/emit_reduce.h"

#include "ir/lanes.h"
#include "runtime/dispatch.h"

enum {
    PARTIALS = REDUCE_PARTIALS,
    GROUP = REDUCE_GROUP,
    UNITS = GROUP / PARTIALS,
    BLOCK = 4096,
    AHEAD = 4,      // elements in flight
    LONG_TAPE = 200 // values of a tape that is not repeated in code
};

static uint64_t at_least(uint64_t x, uint64_t y)
{
    return x > y ? x : y;
}

// -- geometry ----------------------------------------------------------------------------------

static bool is_reduced(const struct ir_graph *g, ir_ref r, unsigned axis)
{
    const struct ir_node *n = ir_get(g, r);
    for (unsigned i = 0; i < n->nattrs; i++)
        if (ir_attr(g, r, i) == (int64_t)axis)
            return true;
    return false;
}

struct reduce_pass reduce_first_pass(const struct ir_graph *g, ir_ref r)
{
    const struct ir_type *t = ir_typeof(g, ir_arg(g, r, 0));
    struct reduce_pass p = {.how = {.op = ir_opcode(g, r),
                                    .lane = tape_lane_of(t->dtype),
                                    .with_index = ir_opcode(g, r) == IR_argmax},
                            .outputs = 1,
                            .n = 1};
    int64_t stride = ir_type_count(t);
    for (unsigned i = 0; i < t->rank; i++) {
        bool reduced = is_reduced(g, r, i);
        stride /= t->dim[i];
        tape_map_axis(reduced ? &p.reduced : &p.kept, t->dim[i], stride);
        if (reduced)
            p.n *= (uint64_t)t->dim[i];
        else
            p.outputs *= (uint64_t)t->dim[i];
    }
    p.adjacent = p.reduced.rank == 0 || p.reduced.stride[p.reduced.rank - 1] == 1;
    p.blocks = p.how.with_index ? 1 : at_least((p.n + BLOCK - 1) / BLOCK, 1);
    return p;
}

// -- joining two values ------------------------------------------------------------------------

uint32_t reduce_neutral(const struct reducer *how)
{
    static const uint32_t largest[LANE_COUNT] = {0x7f800000u, 0x7fffffffu, UINT32_MAX, 1};
    static const uint32_t smallest[LANE_COUNT] = {0xff800000u, 0x80000000u, 0, 0};
    if (how->op == IR_reduce_max)
        return smallest[how->lane];
    return how->op == IR_reduce_min ? largest[how->lane] : 0;
}

struct emit_value reduce_join(struct emit *e, const struct reducer *how, struct emit_value x,
                              struct emit_value y)
{
    enum ir_op op = how->op == IR_sum ? IR_add : how->op == IR_reduce_max ? IR_max : IR_min;
    const struct emit_value both[2] = {x, y};
    return emit_op(e, (enum tape_code)(op * LANE_COUNT + how->lane), both);
}

// A u32 that orders as the values do: NaN above all, -0 below +0.
static spv_id order_key(struct emit *e, const struct reducer *how, struct emit_value v)
{
    struct spv *b = &e->b;
    spv_id u32 = spv_u32(b), u = emit_as(e, v, LANE_U32), top = spv_c32(b, 0x80000000u);
    if (how->lane == LANE_U32)
        return u;
    spv_id flipped = spv_value(b, SpvOpBitwiseXor, u32, SPV(u, top));
    if (how->lane == LANE_I32)
        return flipped;
    spv_id sign = spv_value(b, SpvOpBitwiseAnd, u32, SPV(u, top));
    spv_id negative = spv_value(b, SpvOpINotEqual, spv_bool(b), SPV(sign, spv_c32(b, 0)));
    spv_id key = emit_choose(e, negative, spv_value(b, SpvOpNot, u32, SPV(u)), flipped);
    spv_id size = spv_value(b, SpvOpBitwiseAnd, u32, SPV(u, spv_c32(b, 0x7fffffffu)));
    spv_id nan = spv_value(b, SpvOpUGreaterThan, spv_bool(b), SPV(size, spv_c32(b, 0x7f800000u)));
    return emit_choose(e, nan, spv_c32(b, UINT32_MAX), key);
}

// Whether (key, index) x goes before y: a larger key, or an equal one at a lower index.
static spv_id goes_before(struct emit *e, const spv_id x[2], const spv_id y[2])
{
    struct spv *b = &e->b;
    spv_id boolean = spv_bool(b);
    spv_id larger = spv_value(b, SpvOpUGreaterThan, boolean, SPV(x[0], y[0]));
    spv_id equal = spv_value(b, SpvOpIEqual, boolean, SPV(x[0], y[0]));
    spv_id lower = emit_less(e, x[1], y[1]);
    spv_id tie = spv_value(b, SpvOpLogicalAnd, boolean, SPV(equal, lower));
    return spv_value(b, SpvOpLogicalOr, boolean, SPV(larger, tie));
}

// -- one kernel --------------------------------------------------------------------------------

struct reduction {
    struct emit *e;
    const struct reduce_pass *pass;
    spv_id unit, partial, slot; // this invocation's block, partial and place in shared memory
    spv_id acc[2];              // local variables: value or key, index
    spv_id shared[2];
};

static unsigned words(const struct reduction *r)
{
    return r->pass->how.with_index ? 2 : 1;
}

static spv_id shared_at(struct reduction *r, unsigned w, spv_id index)
{
    struct spv *b = &r->e->b;
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, spv_u32(b));
    return spv_access(b, pointer, r->shared[w], SPV(index));
}

// Takes element value v (and its index j) into the accumulator.
static void take(struct reduction *r, struct emit_value v, spv_id j)
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    const struct reducer *how = &r->pass->how;
    spv_id u32 = spv_u32(b), old = spv_load(b, u32, r->acc[0]);
    if (!how->with_index) {
        const struct emit_value before = {.id = old, .lane = LANE_U32};
        spv_store(b, r->acc[0], emit_as(e, reduce_join(e, how, before, v), LANE_U32));
        return;
    }
    const spv_id had[2] = {old, spv_load(b, u32, r->acc[1])};
    const spv_id now[2] = {order_key(e, how, v), j};
    spv_id better = goes_before(e, now, had);
    for (unsigned w = 0; w < 2; w++)
        spv_store(b, r->acc[w], spv_value(b, SpvOpSelect, u32, SPV(better, now[w], had[w])));
}

// What a unit goes over: elements start .. end - 1 of its output, the first at `base`.
struct span_of_unit {
    spv_id start, end, base;
    bool tape;       // the elements are computed, not read
    emit_place from; // where they are read
};

static struct emit_value element(struct reduction *r, const struct span_of_unit *u, spv_id j)
{
    struct emit *e = r->e;
    spv_id at = emit_add(e, u->base, emit_map_index(e, &r->pass->reduced, j));
    if (u->tape)
        return emit_tape(e, at, 0, NO_PLACE, (struct emit_value){0});
    return (struct emit_value){.id = emit_load(e, u->from, at), .lane = LANE_U32};
}

// Takes elements j, j + 32 ... while they are before `end`, AHEAD at a time: all are fetched before
// the first is added, so their latencies overlap. Returns where it stopped.
static spv_id accumulate_some(struct reduction *r, const struct span_of_unit *u, spv_id from,
                              spv_id end, unsigned ahead)
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    struct emit_value v[AHEAD];
    spv_id j[AHEAD];
    struct spv_loop l;
    spv_loop_begin(b, &l, from, end, spv_c32(b, ahead * PARTIALS));
    for (unsigned i = 0; i < ahead; i++) {
        j[i] = i ? emit_add(e, l.i, spv_c32(b, i * PARTIALS)) : l.i;
        v[i] = element(r, u, j[i]);
    }
    for (unsigned i = 0; i < ahead; i++)
        take(r, v[i], j[i]);
    spv_loop_end(b, &l);
    return spv_load(b, spv_u32(b), l.counter);
}

// Elements partial, partial + 32 ... of this unit's block, ascending.
static void accumulate(struct reduction *r, bool tape, emit_place from)
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    const struct reduce_pass *p = r->pass;
    spv_id n = emit_extent(e, p->n), output = r->unit;
    struct span_of_unit u = {.start = spv_c32(b, 0), .end = n, .tape = tape, .from = from};
    if (p->blocks > 1) {
        spv_id blocks = emit_extent(e, p->blocks);
        output = emit_div(e, r->unit, blocks);
        spv_id block = emit_mod(e, r->unit, blocks);
        u.start = emit_mul(e, block, spv_c32(b, BLOCK));
        u.end = emit_least(e, emit_add(e, u.start, spv_c32(b, BLOCK)), n);
    }
    u.base = emit_map_index(e, &p->kept, output);
    spv_id at = emit_add(e, u.start, r->partial);
    if (!tape || e->draft.values.n < LONG_TAPE) {
        // As long as AHEAD more are inside; written so that nothing wraps below zero.
        spv_id margin = emit_least(e, spv_c32(b, (AHEAD - 1) * PARTIALS), u.end);
        spv_id end = emit_sub(e, u.end, margin);
        at = accumulate_some(r, &u, at, end, AHEAD);
    }
    accumulate_some(r, &u, at, u.end, 1);
}

// x goes on as the join of x and y.
static void join_words(struct reduction *r, spv_id x[2], const spv_id y[2])
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    if (words(r) == 1) {
        const struct emit_value vx = {.id = x[0], .lane = LANE_U32};
        const struct emit_value vy = {.id = y[0], .lane = LANE_U32};
        x[0] = emit_as(e, reduce_join(e, &r->pass->how, vx, vy), LANE_U32);
        return;
    }
    spv_id keep = goes_before(e, x, y);
    for (unsigned w = 0; w < 2; w++)
        x[w] = spv_value(b, SpvOpSelect, spv_u32(b), SPV(keep, x[w], y[w]));
}

// The tree over a unit's partials, p[i] + p[i + w] for w = 16, 8 ... by the invocation of its
// first. One barrier, not one for each level: a CPU device pays dearly for each.
static spv_id tree(struct reduction *r)
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    unsigned stride = r->pass->adjacent ? 1 : UNITS;
    spv_id p[PARTIALS][2] = {{0}};
    for (uint32_t i = 0; i < PARTIALS; i++)
        for (unsigned w = 0; w < words(r); w++)
            p[i][w] = spv_load(b, spv_u32(b),
                               shared_at(r, w, emit_add(e, r->slot, spv_c32(b, i * stride))));
    for (unsigned w = PARTIALS / 2; w > 0; w /= 2)
        for (unsigned i = 0; i < w; i++)
            join_words(r, p[i], p[i + w]);
    return p[0][words(r) - 1];
}

static void start(struct reduction *r, uint64_t units)
{
    struct emit *e = r->e;
    struct spv *b = &e->b;
    bool adjacent = r->pass->adjacent;
    spv_id group = emit_groups(e, (units + UNITS - 1) / UNITS), local = emit_local(e, 0);
    // Invocations side by side read side by side: partials of a unit, or units.
    spv_id width = spv_c32(b, adjacent ? PARTIALS : UNITS);
    spv_id low = emit_mod(e, local, width), high = emit_div(e, local, width);
    r->partial = adjacent ? low : high;
    // A word is left out after the partials of a unit, or the first ones would share a bank.
    r->slot = adjacent ? emit_add(e, local, high) : local;
    spv_id unit = emit_add(e, emit_mul(e, group, spv_c32(b, UNITS)), adjacent ? high : low);
    // Every invocation reaches every barrier: those past the end do the last unit again.
    spv_id last = emit_extent(e, units - 1);
    r->unit = emit_least(e, unit, last);
    spv_id array = spv_array(b, spv_u32(b), GROUP + UNITS);
    for (unsigned w = 0; w < words(r); w++) {
        r->shared[w] = spv_variable(b, SpvStorageClassWorkgroup, array);
        r->acc[w] = spv_local(b, spv_u32(b));
        bool zero = w == 0 && reduce_neutral(&r->pass->how) == 0;
        spv_id none = spv_c32(b, w ? UINT32_MAX : reduce_neutral(&r->pass->how));
        spv_store(b, r->acc[w], zero ? emit_zero(e) : none);
    }
}

void reduce_finish(struct emit *e, uint32_t kernel, uint32_t tail, spv_id unit, struct emit_value v)
{
    ir_ref anchor = e->s->fusion->kernels.at[kernel].anchor;
    emit_place place = e->s->place_of[anchor];
    v = emit_seen(e, anchor, v);
    emit_store(e, place, unit, v.id);
    if (tail) {
        emit_draft(e, tail - 1, 0);
        emit_tape(e, unit, 0, place, v);
    }
}

// Emits one pass; `from` is read where `tape` is false. Results go to `to`, `final` ones as the
// node's value.
static void emit_pass(const struct emit_source *s, const struct reduce_pass *p, uint32_t kernel,
                      uint32_t tail, bool tape, emit_place from, emit_place to,
                      struct emit_call *call)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    const char *op = ir_op_info(p->how.op)->name;
    struct emit e;
    struct reduction r = {.e = &e, .pass = p};
    emit_begin(&e, s, call, op, k->anchor, GROUP, 1);
    if (tape)
        emit_draft(&e, kernel, ir_arg(s->graph, k->anchor, 0));
    if (tape && reduce_is_short(&e, p)) {
        emit_reduce_short(&e, p, kernel, tail);
        return;
    }
    start(&r, p->outputs * p->blocks);
    accumulate(&r, tape, from);
    struct spv *b = &e.b;
    for (unsigned w = 0; w < words(&r); w++) {
        spv_id own = shared_at(&r, w, r.slot);
        spv_store(b, own, spv_load(b, spv_u32(b), r.acc[w]));
    }
    emit_barrier(&e);
    struct spv_if first;
    spv_if_begin(b, &first, emit_less(&e, r.partial, spv_c32(b, 1)));
    struct emit_value v = {.id = tree(&r), .lane = LANE_U32};
    if (p->blocks == 1)
        reduce_finish(&e, kernel, tail, r.unit, v);
    else
        emit_store(&e, to, r.unit, v.id);
    spv_if_end(b, &first);
    emit_end(&e);
}

// A device has DISPATCH_MAX_BINDINGS buffers for both kernels.
bool emit_is_simple(const struct emit_source *s, uint32_t kernel, ir_ref reduction)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    const struct ir_kernel *r = &s->fusion->kernels.at[s->fusion->kernel_of.at[reduction] - 1];
    size_t buffers = k->inputs.n + k->outputs.n + r->inputs.n + r->outputs.n + 2;
    for (size_t i = 0; i < k->outputs.n; i++)
        if (dtype_bytes(ir_typeof(s->graph, k->outputs.at[i])->dtype) != 4)
            return false;
    return buffers <= DISPATCH_MAX_BINDINGS;
}

size_t emit_reduce(const struct emit_source *s, uint32_t kernel, uint32_t tail,
                   const emit_place scratch[2], struct emit_call *calls)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    struct reduce_pass p = reduce_first_pass(s->graph, k->anchor);
    emit_place from = NO_PLACE;
    size_t n = 0;
    for (;;) {
        emit_place to = p.blocks == 1 ? s->place_of[k->anchor] : scratch[n % 2];
        emit_pass(s, &p, kernel, p.blocks == 1 ? tail : 0, n == 0, from, to, &calls[n]);
        n++;
        if (p.blocks == 1)
            return n;
        from = to;
        p.n = p.blocks;
        p.blocks = at_least((p.n + BLOCK - 1) / BLOCK, 1);
        p.kept =
            (struct tape_map){.rank = 1, .dim = {(int64_t)p.outputs}, .stride = {(int64_t)p.n}};
        p.reduced = (struct tape_map){.rank = 1, .dim = {(int64_t)p.n}, .stride = {1}};
        p.adjacent = true;
    }
}

uint64_t emit_reduce_scratch(const struct ir_graph *g, ir_ref anchor)
{
    struct reduce_pass p = reduce_first_pass(g, anchor);
    return p.blocks == 1 ? 0 : p.outputs * p.blocks;
}
