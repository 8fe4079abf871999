// emit_reduce_alone.c: reductions for CPU devices: an invocation makes an output, or four side by
// side, alone.
//
// The order is that of all sums (spec/numerics.md): 32 partials, a tree. What neighbours share in
// memory on a GPU costs a CPU device a stop of all invocations; here nobody shares. Words come four
// at a time: of four outputs where outputs are side by side in memory, else of four partials of one
// output. Partials are made in the order in which the tree joins them, so that of each level only
// one waits: partial t, with its bits reversed, joins as many levels as t ends in ones.
#include "codegen/emit_reduce.h"

enum {
    GROUP = 8, // a few outputs are spread over the processors
    BLOCK = 4096,
    PARTIALS = REDUCE_PARTIALS,
    LONG_TAPE = 600, // values of a tape that is not repeated four times in code
    MOST_LEVELS = 5
};

struct alone {
    struct emit *e;
    const struct reduce_pass *pass;
    bool along;      // the four are elements of one output
    unsigned levels; // of the tree, over groups of four: the rest of it is within the four
    spv_id base;     // first element of the output, or of the first of four
    spv_id acc[4], waiting[MOST_LEVELS][4]; // local variables, words
};

static spv_id load(struct alone *a, spv_id variable)
{
    return spv_load(&a->e->b, spv_u32(&a->e->b), variable);
}

static struct emit_value word(spv_id id)
{
    return (struct emit_value){.id = id, .lane = LANE_U32};
}

static spv_id join(struct alone *a, spv_id x, spv_id y)
{
    return emit_as(a->e, reduce_join(a->e, &a->pass->how, word(x), word(y)), LANE_U32);
}

static void make_variables(struct alone *a)
{
    struct spv *b = &a->e->b;
    for (unsigned c = 0; c < 4; c++)
        a->acc[c] = spv_local(b, spv_u32(b));
    for (unsigned l = 0; l < a->levels; l++)
        for (unsigned c = 0; c < 4; c++) {
            a->waiting[l][c] = spv_local(b, spv_u32(b));
            spv_store(b, a->waiting[l][c], spv_c32(b, 0));
        }
}

// -- one partial, of four outputs or four side by side
// ----------------------------------------------

static spv_id start_word(struct alone *a)
{
    uint32_t bits = reduce_neutral(&a->pass->how);
    return bits ? spv_c32(&a->e->b, bits) : emit_zero(a->e);
}

// The lowest `levels` bits of t, reversed, times the partials of a group.
static spv_id first_element(struct alone *a, spv_id t)
{
    struct emit *e = a->e;
    struct spv *b = &e->b;
    spv_id out = 0, one = spv_c32(b, 1), u32 = spv_u32(b);
    for (unsigned l = 0; l < a->levels; l++) {
        spv_id bit = spv_value(b, SpvOpShiftRightLogical, u32, SPV(t, spv_c32(b, l)));
        bit = spv_value(b, SpvOpBitwiseAnd, u32, SPV(bit, one));
        bit = emit_mul(e, bit, spv_c32(b, (uint32_t)PARTIALS >> (l + 1)));
        out = out ? emit_add(e, out, bit) : bit;
    }
    return out;
}

// Elements j, j + 32 ... ascending, into the accumulators.
static void accumulate(struct alone *a, spv_id from)
{
    struct emit *e = a->e;
    struct spv *b = &e->b;
    struct emit_value v[4];
    struct spv_loop l;
    spv_id start = start_word(a), end = emit_extent(e, a->pass->n);
    for (unsigned c = 0; c < 4; c++)
        spv_store(b, a->acc[c], start);
    spv_loop_begin(b, &l, from, end, spv_c32(b, PARTIALS));
    spv_id at = emit_add(e, a->base, emit_map_index(e, &a->pass->reduced, l.i));
    emit_tape4(e, emit_div(e, at, spv_c32(b, 4)), v);
    for (unsigned c = 0; c < 4; c++) {
        spv_id x = emit_as(e, v[c], LANE_U32);
        spv_store(b, a->acc[c], join(a, load(a, a->acc[c]), x));
    }
    spv_loop_end(b, &l);
}

// -- the tree
// --------------------------------------------------------------------------------------

// Whether t ends in `ones` ones below a bit that is `bit`.
static spv_id ends_in(struct alone *a, spv_id t, unsigned ones, unsigned bit)
{
    struct spv *b = &a->e->b;
    uint32_t low = (1u << ones) - 1, mask = 2 * low + 1;
    spv_id end = spv_value(b, SpvOpBitwiseAnd, spv_u32(b), SPV(t, spv_c32(b, mask)));
    return spv_value(b, SpvOpIEqual, spv_bool(b), SPV(end, spv_c32(b, low + (bit << ones))));
}

// What was accumulated as t-th joins what waits for it, and waits itself where nothing does.
static void join_waiting(struct alone *a, spv_id t)
{
    struct emit *e = a->e;
    struct spv *b = &e->b;
    for (unsigned l = 0; l < a->levels; l++) {
        spv_id waits = ends_in(a, t, l, 0), joins = ends_in(a, t, l, 1);
        for (unsigned c = 0; c < 4; c++) {
            spv_id x = load(a, a->acc[c]), had = load(a, a->waiting[l][c]);
            spv_store(b, a->acc[c], emit_choose(e, joins, join(a, had, x), x));
            spv_store(b, a->waiting[l][c], emit_choose(e, waits, x, had));
        }
    }
}

static void all_partials(struct alone *a)
{
    struct spv *b = &a->e->b;
    struct spv_loop l;
    spv_id zero = spv_c32(b, 0), turns = spv_c32(b, 1u << a->levels);
    spv_loop_begin(b, &l, zero, turns, spv_c32(b, 1));
    accumulate(a, first_element(a, l.i));
    join_waiting(a, l.i);
    spv_loop_end(b, &l);
}

// The last two levels of the tree are within the four.
static void finish_one(struct alone *a, uint32_t kernel, uint32_t tail, spv_id unit)
{
    spv_id p[4];
    for (unsigned c = 0; c < 4; c++)
        p[c] = load(a, a->acc[c]);
    p[0] = join(a, p[0], p[2]);
    p[1] = join(a, p[1], p[3]);
    reduce_finish(a->e, kernel, tail, unit, word(join(a, p[0], p[1])));
}

static void finish_four(struct alone *a, uint32_t kernel, uint32_t tail, spv_id unit)
{
    struct emit *e = a->e;
    spv_id first = emit_mul(e, unit, spv_c32(&e->b, 4));
    for (uint32_t c = 0; c < 4; c++) {
        spv_id at = emit_add(e, first, spv_c32(&e->b, c));
        reduce_finish(e, kernel, tail, at, word(load(a, a->acc[c])));
    }
}

// -- the kernel
// ------------------------------------------------------------------------------------

static bool strides_are_fours(const struct tape_map *m)
{
    bool all = true;
    for (unsigned i = 0; i < m->rank; i++)
        all = all && m->stride[i] % 4 == 0;
    return all;
}

// Whether the four may be elements of one output, or of four; else the variant is not for it.
static bool suits(const struct emit *e, const struct reduce_pass *p, bool *along)
{
    *along = emit_is_by_four(&p->reduced) && strides_are_fours(&p->kept);
    bool across = emit_is_by_four(&p->kept) && strides_are_fours(&p->reduced);
    return (*along || across) && p->n <= BLOCK && !p->how.with_index && !reduce_is_short(e, p) &&
           emit_per_word(e) == 1 && e->draft.values.n <= LONG_TAPE;
}

bool emit_reduce_alone(const struct emit_source *s, uint32_t kernel, uint32_t tail,
                       struct emit_call *call)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    struct reduce_pass p = reduce_first_pass(s->graph, k->anchor);
    struct emit e;
    struct alone a = {.e = &e, .pass = &p};
    struct spv_if inside;
    emit_begin(&e, s, call, ir_op_info(p.how.op)->name, k->anchor, GROUP, 1);
    emit_draft(&e, kernel, ir_arg(s->graph, k->anchor, 0));
    if (!suits(&e, &p, &a.along)) {
        arena_free(&e.scratch);
        return false;
    }
    a.levels = a.along ? MOST_LEVELS - 2 : MOST_LEVELS;
    spv_id unit = emit_each(&e, a.along ? p.outputs : p.outputs / 4, GROUP, &inside);
    spv_id first = a.along ? unit : emit_mul(&e, unit, spv_c32(&e.b, 4));
    a.base = emit_map_index(&e, &p.kept, first);
    make_variables(&a);
    all_partials(&a);
    (a.along ? finish_one : finish_four)(&a, kernel, tail, unit);
    spv_if_end(&e.b, &inside);
    emit_end(&e);
    return true;
}
