// emit_matmul_side.c: operands' tiles in shared memory: where elements lie, and how they get there.
#include "codegen/emit_matmul_side.h"

struct matmul_side matmul_side(const struct matmul *x, bool a)
{
    const struct matmul_tile *t = x->tile;
    return (struct matmul_side){.a = a,
                                .along = t->along,
                                .k_first = a ? !x->shape.ta : x->shape.tb,
                                .extent = a ? t->bm : t->bn,
                                .count = a ? t->tm : t->tn,
                                .shared = a ? x->shared_a : x->shared_b};
}

// -- where elements lie --------------------------------------------------------------------------

unsigned side_width(const struct matmul_side *s)
{
    return s->along ? 1 : s->count < 4 ? s->count : 4;
}

unsigned side_depth(const struct matmul_side *s)
{
    return s->along ? 4 : side_width(s);
}

spv_id side_type(struct matmul *x, const struct matmul_side *s)
{
    struct spv *b = &x->e.b;
    unsigned n = side_depth(s);
    return n == 1 ? spv_f32(b) : spv_vector(b, spv_f32(b), n);
}

// One more than a line has, so that neighbouring lines lie in different banks.
unsigned side_pitch(const struct matmul *x, const struct matmul_side *s)
{
    return (s->along ? x->tile->bk : s->extent) / side_depth(s) + 1;
}

static unsigned vectors(const struct matmul *x, const struct matmul_side *s)
{
    return (s->along ? s->extent : x->tile->bk) * side_pitch(x, s);
}

spv_id side_array(struct matmul *x, const struct matmul_side *s)
{
    struct spv *b = &x->e.b;
    unsigned n = matmul_slices(x) * x->tile->buffers * vectors(x, s);
    return spv_variable(b, SpvStorageClassWorkgroup, spv_array(b, side_type(x, s), n));
}

spv_id side_start(struct matmul *x, const struct matmul_side *s, spv_id buffer)
{
    struct emit *e = &x->e;
    unsigned n = vectors(x, s);
    spv_id at = emit_mul(e, buffer, spv_c32(&e->b, n));
    if (matmul_slices(x) == 1)
        return at;
    return emit_add(e, at, emit_mul(e, x->slice, spv_c32(&e->b, x->tile->buffers * n)));
}

// Vector and component of an element.
static void find_element(struct matmul *x, const struct matmul_side *s, spv_id first, spv_id kk,
                         spv_id other, spv_id at[2])
{
    struct emit *e = &x->e;
    spv_id low = s->along ? kk : other, high = s->along ? other : kk;
    spv_id depth = spv_c32(&e->b, side_depth(s));
    spv_id line = emit_mul(e, high, spv_c32(&e->b, side_pitch(x, s)));
    at[0] = emit_add(e, first, emit_add(e, line, emit_div(e, low, depth)));
    at[1] = emit_mod(e, low, depth);
}

spv_id side_element(struct matmul *x, const struct matmul_side *s, spv_id first, spv_id kk,
                    spv_id other)
{
    struct spv *b = &x->e.b;
    spv_id at[2], pointer = spv_pointer(b, SpvStorageClassWorkgroup, spv_f32(b));
    find_element(x, s, first, kk, other, at);
    return spv_access(b, pointer, s->shared, at, side_depth(s) == 1 ? 1 : 2);
}

// -- who copies what -----------------------------------------------------------------------------

unsigned side_loads(const struct matmul *x, const struct matmul_side *s)
{
    return s->extent * x->tile->bk / x->tile->threads;
}

// Elements that an invocation loads at once.
static unsigned group(const struct matmul *x)
{
    return matmul_by_four(&x->shape) ? 4 : 1;
}

// The first element of the i-th group that this invocation copies: its place along k and along the
// other axis. Neighbouring invocations take neighbours in memory.
static void copied_group(struct matmul *x, const struct matmul_side *s, unsigned i, spv_id *kk,
                         spv_id *other)
{
    struct emit *e = &x->e;
    unsigned line = (s->k_first ? x->tile->bk : s->extent) / group(x), skip = i * x->tile->threads;
    bool whole = x->tile->threads % line == 0; // lines: then all groups are at one place in theirs
    spv_id n = spv_c32(&e->b, group(x)), in_line = spv_c32(&e->b, line);
    spv_id at = whole ? x->thread : emit_add(e, x->thread, spv_c32(&e->b, skip));
    spv_id low = emit_mul(e, emit_mod(e, at, in_line), n), high = emit_div(e, at, in_line);
    if (whole)
        high = emit_add(e, high, spv_c32(&e->b, skip / line));
    *kk = s->k_first ? low : high;
    *other = s->k_first ? high : low;
}

// -- loading -------------------------------------------------------------------------------------

// Clamps the first of a group: groups do not straddle the end.
static spv_id clamp_group(struct matmul *x, spv_id at, spv_id n)
{
    struct emit *e = &x->e;
    spv_id last = emit_sub(e, n, spv_c32(&e->b, group(x)));
    return emit_choose(e, emit_less(e, at, n), at, last);
}

static void load_group(struct matmul *x, const struct matmul_side *s, spv_id k, spv_id other,
                       const spv_id *hold)
{
    struct emit *e = &x->e;
    spv_id four = spv_c32(&e->b, 4), v[4] = {0};
    k = clamp_group(x, k, x->k);
    other = clamp_group(x, emit_add(e, s->a ? x->row0 : x->col0, other), s->a ? x->m : x->n);
    if (group(x) == 1)
        v[0] = s->a ? matmul_load_a(x, other, k) : matmul_load_b(x, k, other);
    else if (s->k_first)
        matmul_load4(x, s->a, other, emit_div(e, k, four), v);
    else
        matmul_load4(x, s->a, k, emit_div(e, other, four), v);
    for (unsigned c = 0; c < group(x); c++)
        spv_store(&e->b, hold[c], v[c]);
}

void side_fetch(struct matmul *x, const struct matmul_side *s, spv_id k0, const spv_id *hold)
{
    spv_id kk, other;
    for (unsigned i = 0; i < side_loads(x, s) / group(x); i++) {
        copied_group(x, s, i, &kk, &other);
        load_group(x, s, emit_add(&x->e, k0, kk), other, hold + group(x) * i);
    }
}

// -- storing -------------------------------------------------------------------------------------

// A group that is a vector of the tile.
static void put_vector(struct matmul *x, const struct matmul_side *s, spv_id first, spv_id kk,
                       spv_id other, const spv_id *hold)
{
    struct spv *b = &x->e.b;
    spv_id at[2], v[4], type = side_type(x, s);
    find_element(x, s, first, kk, other, at);
    for (unsigned c = 0; c < 4; c++)
        v[c] = spv_load(b, spv_f32(b), hold[c]);
    spv_id to = spv_access(b, spv_pointer(b, SpvStorageClassWorkgroup, type), s->shared, at, 1);
    spv_store(b, to, spv_value(b, SpvOpCompositeConstruct, type, v, 4));
}

static void put_group(struct matmul *x, const struct matmul_side *s, spv_id first, spv_id kk,
                      spv_id other, const spv_id *hold)
{
    struct emit *e = &x->e;
    if (s->along && s->k_first && group(x) == 4) {
        put_vector(x, s, first, kk, other, hold);
        return;
    }
    for (unsigned c = 0; c < group(x); c++) {
        spv_id step = spv_c32(&e->b, c), v = spv_load(&e->b, spv_f32(&e->b), hold[c]);
        spv_id at_k = s->k_first ? emit_add(e, kk, step) : kk;
        spv_id at_other = s->k_first ? other : emit_add(e, other, step);
        spv_store(&e->b, side_element(x, s, first, at_k, at_other), v);
    }
}

void side_put(struct matmul *x, const struct matmul_side *s, spv_id buffer, const spv_id *hold)
{
    spv_id first = side_start(x, s, buffer), kk, other;
    for (unsigned i = 0; i < side_loads(x, s) / group(x); i++) {
        copied_group(x, s, i, &kk, &other);
        put_group(x, s, first, kk, other, hold + group(x) * i);
    }
}
