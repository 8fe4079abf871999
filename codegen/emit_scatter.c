// emit_scatter.c: scatter_rows: one invocation adds up one element of one row.
//
// The contributions to a row are its positions in ascending order; they are summed by the one order
// of spec/numerics.md: contribution i of a block of 4096 goes to partial i % 32, a tree joins the
// partials, and block sums are summed by the same rule again. Two levels hold 2^24 contributions;
// one is enough where there are at most 4096 indices. Rows that get nothing are found by counting
// first.
#include "codegen/emit.h"

enum { GROUP = 128, PARTIALS = 32, BLOCK = 4096 };

// The running sum of one level: 32 partials and how many values they took.
struct level {
    spv_id partials, count;
};

struct scatter {
    struct emit *e;
    enum lane lane;
    bool two_levels;
    struct level row, blocks;
};

static spv_id add(const struct scatter *s, spv_id x, spv_id y)
{
    const struct emit_value both[2] = {{.id = x, .lane = LANE_U32}, {.id = y, .lane = LANE_U32}};
    struct emit_value sum = emit_op(s->e, (enum tape_code)(IR_add * LANE_COUNT + s->lane), both);
    return emit_as(s->e, sum, LANE_U32);
}

static spv_id partial(struct emit *e, const struct level *l, spv_id i)
{
    spv_id pointer = spv_pointer(&e->b, SpvStorageClassFunction, spv_u32(&e->b));
    return spv_access(&e->b, pointer, l->partials, SPV(i));
}

static void clear(struct emit *e, const struct level *l)
{
    spv_id zero = emit_zero(e);
    for (uint32_t i = 0; i < PARTIALS; i++)
        spv_store(&e->b, partial(e, l, spv_c32(&e->b, i)), zero);
    spv_store(&e->b, l->count, spv_c32(&e->b, 0));
}

static struct level new_level(struct emit *e)
{
    spv_id array = spv_array(&e->b, spv_u32(&e->b), PARTIALS);
    spv_id partials = spv_local(&e->b, array);
    return (struct level){partials, spv_local(&e->b, spv_u32(&e->b))};
}

static void take(const struct scatter *s, const struct level *l, spv_id x)
{
    struct emit *e = s->e;
    struct spv *b = &e->b;
    spv_id count = spv_load(b, spv_u32(b), l->count);
    spv_id at = partial(e, l, emit_mod(e, count, spv_c32(b, PARTIALS)));
    spv_store(b, at, add(s, spv_load(b, spv_u32(b), at), x));
    spv_store(b, l->count, emit_add(e, count, spv_c32(b, 1)));
}

static spv_id tree(const struct scatter *s, const struct level *l)
{
    struct emit *e = s->e;
    spv_id p[PARTIALS];
    for (uint32_t i = 0; i < PARTIALS; i++)
        p[i] = spv_load(&e->b, spv_u32(&e->b), partial(e, l, spv_c32(&e->b, i)));
    for (unsigned w = PARTIALS / 2; w > 0; w /= 2)
        for (unsigned i = 0; i < w; i++)
            p[i] = add(s, p[i], p[i + w]);
    return p[0];
}

static void end_block(struct scatter *s)
{
    take(s, &s->blocks, tree(s, &s->row));
    clear(s->e, &s->row);
}

static void contribute(struct scatter *s, spv_id x)
{
    struct emit *e = s->e;
    struct spv *b = &e->b;
    struct spv_if full;
    take(s, &s->row, x);
    if (!s->two_levels)
        return;
    spv_id count = spv_load(b, spv_u32(b), s->row.count);
    spv_if_begin(b, &full, spv_value(b, SpvOpIEqual, spv_bool(b), SPV(count, spv_c32(b, BLOCK))));
    end_block(s);
    spv_if_end(b, &full);
}

// What is left of a block counts as one; where it is the only one its sum is the result, and adding
// it to zeros changes no bit of it.
static spv_id total(struct scatter *s)
{
    struct emit *e = s->e;
    struct spv *b = &e->b;
    struct spv_if some;
    if (!s->two_levels)
        return tree(s, &s->row);
    spv_id count = spv_load(b, spv_u32(b), s->row.count);
    spv_if_begin(b, &some, emit_less(e, spv_c32(b, 0), count));
    end_block(s);
    spv_if_end(b, &some);
    return tree(s, &s->blocks);
}

// The operands of a scatter and this invocation's element of the result.
struct scatter_operands {
    emit_place index, values;
    spv_id positions, row, column, width;
};

static spv_id is_for_row(struct emit *e, const struct scatter_operands *o, spv_id position)
{
    spv_id to = emit_load(e, o->index, position);
    return spv_value(&e->b, SpvOpIEqual, spv_bool(&e->b), SPV(to, o->row));
}

// Whether any position is for this row.
static spv_id gets_something(struct emit *e, const struct scatter_operands *o)
{
    struct spv *b = &e->b;
    spv_id found = spv_local(b, spv_u32(b)), one = spv_c32(b, 1), zero = spv_c32(b, 0);
    struct spv_loop l;
    spv_store(b, found, zero);
    spv_loop_begin(b, &l, zero, o->positions, one);
    spv_id mine = spv_value(b, SpvOpSelect, spv_u32(b), SPV(is_for_row(e, o, l.i), one, zero));
    spv_id so_far = spv_load(b, spv_u32(b), found);
    spv_store(b, found, spv_value(b, SpvOpBitwiseOr, spv_u32(b), SPV(so_far, mine)));
    spv_loop_end(b, &l);
    return emit_less(e, zero, spv_load(b, spv_u32(b), found));
}

static spv_id sum_of_row(struct scatter *s, const struct scatter_operands *o)
{
    struct emit *e = s->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    struct spv_if mine;
    clear(e, &s->row);
    if (s->two_levels)
        clear(e, &s->blocks);
    spv_id zero = spv_c32(b, 0);
    spv_loop_begin(b, &l, zero, o->positions, spv_c32(b, 1));
    spv_if_begin(b, &mine, is_for_row(e, o, l.i));
    contribute(s, emit_load(e, o->values, emit_add(e, emit_mul(e, l.i, o->width), o->column)));
    spv_if_end(b, &mine);
    spv_loop_end(b, &l);
    return total(s);
}

void emit_scatter(const struct emit_source *src, uint32_t kernel, struct emit_call *call)
{
    const struct ir_graph *g = src->graph;
    ir_ref r = src->fusion->kernels.at[kernel].anchor;
    ir_ref index = ir_view_base(g, ir_arg(g, r, 0)), values = ir_view_base(g, ir_arg(g, r, 1));
    uint64_t n = (uint64_t)ir_type_count(ir_typeof(g, r));
    uint64_t positions = (uint64_t)ir_type_count(ir_typeof(g, index));
    struct emit e;
    emit_begin(&e, src, call, "scatter_rows", r, GROUP, 1);
    struct spv *b = &e.b;
    struct scatter s = {.e = &e,
                        .lane = tape_lane_of(ir_typeof(g, r)->dtype),
                        .two_levels = positions > BLOCK,
                        .row = new_level(&e)};
    if (s.two_levels)
        s.blocks = new_level(&e);
    struct scatter_operands o = {.index = src->place_of[index], .values = src->place_of[values]};
    struct spv_if inside, some;
    spv_id at = emit_each(&e, n, GROUP, &inside);
    o.positions = emit_extent(&e, positions);
    o.width = emit_extent(&e, n / (uint64_t)ir_attr(g, r, 0));
    o.row = emit_div(&e, at, o.width);
    o.column = emit_mod(&e, at, o.width);
    spv_id sum = spv_local(b, spv_u32(b));
    spv_store(b, sum, spv_c32(b, 0));
    spv_if_begin(b, &some, gets_something(&e, &o));
    spv_store(b, sum, sum_of_row(&s, &o));
    spv_if_end(b, &some);
    const struct emit_value v = {.id = spv_load(b, spv_u32(b), sum), .lane = LANE_U32};
    emit_store(&e, src->place_of[r], at, emit_seen(&e, r, v).id);
    spv_if_end(b, &inside);
    emit_end(&e);
}
