// emit_scatter.c: scatter_rows: one invocation adds up one element of one row.
//
// The contributions to a row are its positions in ascending order; they are summed by the one order
// of spec/numerics.md: contribution i of a block of 4096 goes to partial i % 32, a tree joins the
// partials, and block sums are summed by the same rule again. Two levels hold 2^24 contributions.
#include "codegen/emit.h"

enum { GROUP = 128, PARTIALS = 32, BLOCK = 4096 };

// The running sum of one level: 32 partials and how many values they took.
struct level {
    spv_id partials, count;
};

struct scatter {
    struct emit *e;
    enum lane lane;
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
    for (uint32_t i = 0; i < PARTIALS; i++)
        spv_store(&e->b, partial(e, l, spv_c32(&e->b, i)), spv_c32(&e->b, 0));
    spv_store(&e->b, l->count, spv_c32(&e->b, 0));
}

static struct level new_level(struct emit *e)
{
    spv_id array = spv_array(&e->b, spv_u32(&e->b), PARTIALS);
    struct level l = {spv_local(&e->b, array), spv_local(&e->b, spv_u32(&e->b))};
    clear(e, &l);
    return l;
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
    spv_id count = spv_load(b, spv_u32(b), s->row.count);
    spv_if_begin(b, &some, emit_less(e, spv_c32(b, 0), count));
    end_block(s);
    spv_if_end(b, &some);
    return tree(s, &s->blocks);
}

void emit_scatter(const struct emit_source *src, uint32_t kernel, struct emit_call *call)
{
    const struct ir_graph *g = src->graph;
    ir_ref r = src->fusion->kernels.at[kernel].anchor;
    ir_ref index = ir_view_base(g, ir_arg(g, r, 0)), values = ir_view_base(g, ir_arg(g, r, 1));
    uint64_t n = (uint64_t)ir_type_count(ir_typeof(g, r));
    uint64_t width = n / (uint64_t)ir_attr(g, r, 0);
    struct emit e;
    emit_begin(&e, src, call, "scatter_rows", GROUP, 1);
    struct spv *b = &e.b;
    spv_id group = emit_groups(&e, (n + GROUP - 1) / GROUP);
    spv_id at = emit_add(&e, emit_mul(&e, group, spv_c32(b, GROUP)), emit_local(&e, 0));
    struct spv_if inside, mine;
    struct spv_loop l;
    enum lane lane = tape_lane_of(ir_typeof(g, r)->dtype);
    struct scatter s = {&e, lane, new_level(&e), new_level(&e)};
    spv_if_begin(b, &inside, emit_less(&e, at, emit_extent(&e, n)));
    spv_id wide = emit_extent(&e, width), row = emit_div(&e, at, wide);
    spv_id column = emit_mod(&e, at, wide);
    uint64_t positions = (uint64_t)ir_type_count(ir_typeof(g, index));
    spv_loop_begin(b, &l, spv_c32(b, 0), emit_extent(&e, positions), spv_c32(b, 1));
    spv_id to = emit_load(&e, src->place_of[index], l.i);
    spv_if_begin(b, &mine, spv_value(b, SpvOpIEqual, spv_bool(b), SPV(to, row)));
    spv_id from = emit_add(&e, emit_mul(&e, l.i, wide), column);
    spv_id word = emit_load(&e, src->place_of[values], from);
    contribute(&s, word);
    spv_if_end(b, &mine);
    spv_loop_end(b, &l);
    const struct emit_value sum = {.id = total(&s), .lane = LANE_U32};
    emit_store(&e, src->place_of[r], at, emit_seen(&e, r, sum).id);
    spv_if_end(b, &inside);
    emit_end(&e);
}
