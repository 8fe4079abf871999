// emit_matmul_tile.c: products through tiles in shared memory, double-buffered, for GPUs.
//
// A workgroup copies bm x bk of A and bk x bn of B into one of two buffers while it multiplies from
// the other. Tiles lie k-major as vectors, so an invocation reads up to four rows or columns at
// once.
#include "codegen/emit_matmul.h"

static unsigned loads(const struct matmul *x, unsigned extent)
{
    return extent * x->tile->bk / x->tile->threads;
}

// Rows or columns that an invocation reads together.
static unsigned width(unsigned count)
{
    return count < 4 ? count : 4;
}

static spv_id element_type(struct matmul *x, unsigned count)
{
    struct spv *b = &x->e.b;
    return width(count) == 1 ? spv_f32(b) : spv_vector(b, spv_f32(b), width(count));
}

// Vectors from one line to the next: one more than a line has, so that neighbours along k lie in
// different banks.
static unsigned pitch(unsigned extent, unsigned count)
{
    return extent / width(count) + 1;
}

static spv_id tile_array(struct matmul *x, unsigned extent, unsigned count)
{
    struct spv *b = &x->e.b;
    unsigned n = 2 * x->tile->bk * pitch(extent, count);
    return spv_variable(b, SpvStorageClassWorkgroup, spv_array(b, element_type(x, count), n));
}

// This invocation's rows are one vector, then one further down the tile, and so on: neighbouring
// invocations then read neighbouring vectors. Columns likewise.
static void spread(struct matmul *x, spv_id origin, spv_id at, unsigned extent, unsigned count,
                   spv_id *out)
{
    struct emit *e = &x->e;
    unsigned w = width(count), vectors = count / w;
    for (unsigned i = 0; i < count; i++) {
        unsigned fixed = i / w * (extent / vectors) + i % w;
        spv_id first = emit_mul(e, at, spv_c32(&e->b, w));
        out[i] = emit_add(e, origin, emit_add(e, first, spv_c32(&e->b, fixed)));
    }
}

static void begin(struct matmul *x)
{
    struct emit *e = &x->e;
    const struct matmul_tile *t = x->tile;
    spv_id across = spv_c32(&e->b, t->bn / t->tn);
    x->thread = emit_local(e, 0);
    x->across = emit_mod(e, x->thread, across);
    x->down = emit_div(e, x->thread, across);
    x->shared_a = tile_array(x, t->bm, t->tm);
    x->shared_b = tile_array(x, t->bn, t->tn);
    spread(x, x->row0, x->down, t->bm, t->tm, x->row);
    spread(x, x->col0, x->across, t->bn, t->tn, x->col);
}

// -- copying -------------------------------------------------------------------------------------

// One operand's side of the copy: tiles of `extent` rows or columns by bk.
struct side {
    bool a, k_first; // k_first: neighbours in memory are neighbours along k
    unsigned extent, count;
    spv_id shared;
};

static struct side side_a(const struct matmul *x)
{
    return (struct side){true, !x->shape.ta, x->tile->bm, x->tile->tm, x->shared_a};
}

static struct side side_b(const struct matmul *x)
{
    return (struct side){false, x->shape.tb, x->tile->bn, x->tile->tn, x->shared_b};
}

// Elements that an invocation copies at once.
static unsigned group(const struct matmul *x)
{
    return matmul_by_four(&x->shape) ? 4 : 1;
}

// The first element of the i-th group that this invocation copies: its place along k and along the
// other axis. Neighbouring invocations take neighbours in memory.
static void copied_group(struct matmul *x, const struct side *s, unsigned i, spv_id *kk,
                         spv_id *other)
{
    struct emit *e = &x->e;
    spv_id n = spv_c32(&e->b, group(x));
    spv_id at = emit_add(e, x->thread, spv_c32(&e->b, i * x->tile->threads));
    spv_id width = spv_c32(&e->b, (s->k_first ? x->tile->bk : s->extent) / group(x));
    spv_id low = emit_mul(e, emit_mod(e, at, width), n), high = emit_div(e, at, width);
    *kk = s->k_first ? low : high;
    *other = s->k_first ? high : low;
}

static void load_group(struct matmul *x, const struct side *s, spv_id k, spv_id other, spv_id *out)
{
    struct emit *e = &x->e;
    if (group(x) == 1) {
        *out = s->a ? matmul_load_a(x, other, k) : matmul_load_b(x, k, other);
        return;
    }
    spv_id four = spv_c32(&e->b, 4);
    if (s->k_first)
        matmul_load4(x, s->a, other, emit_div(e, k, four), out);
    else
        matmul_load4(x, s->a, k, emit_div(e, other, four), out);
}

// Clamps the first of a group: groups do not straddle the end.
static spv_id clamp_group(struct matmul *x, spv_id at, spv_id n)
{
    struct emit *e = &x->e;
    spv_id last = emit_sub(e, n, spv_c32(&e->b, group(x)));
    return emit_choose(e, emit_less(e, at, n), at, last);
}

// Loads this invocation's part of a tile at k0 into local variables. Past the end of k the last
// elements are read again; nothing uses them.
static void fetch(struct matmul *x, const struct side *s, spv_id k0, const spv_id *hold)
{
    struct emit *e = &x->e;
    spv_id kk, other, v[4] = {0};
    for (unsigned i = 0; i < loads(x, s->extent) / group(x); i++) {
        copied_group(x, s, i, &kk, &other);
        other = emit_add(e, s->a ? x->row0 : x->col0, other);
        spv_id k = clamp_group(x, emit_add(e, k0, kk), x->k);
        load_group(x, s, k, clamp_group(x, other, s->a ? x->m : x->n), v);
        for (unsigned c = 0; c < group(x); c++)
            spv_store(&e->b, hold[i * group(x) + c], v[c]);
    }
}

// The element of a tile as it lies in shared memory: vector and component.
static spv_id shared_element(struct matmul *x, const struct side *s, spv_id first, spv_id kk,
                             spv_id other)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    unsigned w = width(s->count);
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, spv_f32(b)), wide = spv_c32(b, w);
    spv_id line = emit_mul(e, kk, spv_c32(b, pitch(s->extent, s->count)));
    spv_id vector = emit_add(e, first, emit_add(e, line, emit_div(e, other, wide)));
    const spv_id at[2] = {vector, emit_mod(e, other, wide)};
    return spv_access(b, pointer, s->shared, at, w == 1 ? 1 : 2);
}

// The first vector of a buffer of a tile.
static spv_id buffer_start(struct matmul *x, const struct side *s, spv_id buffer)
{
    unsigned vectors = x->tile->bk * pitch(s->extent, s->count);
    return emit_mul(&x->e, buffer, spv_c32(&x->e.b, vectors));
}

static void put(struct matmul *x, const struct side *s, spv_id buffer, const spv_id *hold)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    spv_id first = buffer_start(x, s, buffer), kk, other;
    for (unsigned i = 0; i < loads(x, s->extent) / group(x); i++) {
        copied_group(x, s, i, &kk, &other);
        for (unsigned c = 0; c < group(x); c++) {
            spv_id step = spv_c32(b, c), v = spv_load(b, spv_f32(b), hold[i * group(x) + c]);
            spv_id at_k = s->k_first ? emit_add(e, kk, step) : kk;
            spv_id at_other = s->k_first ? other : emit_add(e, other, step);
            spv_store(b, shared_element(x, s, first, at_k, at_other), v);
        }
    }
}

// -- multiplying ---------------------------------------------------------------------------------

// The vectors of this invocation in line kk of a tile that starts at vector `first`; `at` is this
// invocation's vector in a line, added before, so that a constant kk is an offset.
static void line(struct matmul *x, const struct side *s, spv_id first, spv_id kk, spv_id *out)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    unsigned w = width(s->count), vectors = s->count / w;
    spv_id type = element_type(x, s->count);
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, type);
    spv_id start = emit_add(e, first, emit_mul(e, kk, spv_c32(b, pitch(s->extent, s->count))));
    for (unsigned g = 0; g < vectors; g++) {
        spv_id index = emit_add(e, start, spv_c32(b, g * (s->extent / w / vectors)));
        spv_id v = spv_load(b, type, spv_access(b, pointer, s->shared, SPV(index)));
        for (uint32_t c = 0; c < w; c++)
            out[w * g + c] =
                w == 1 ? v : spv_value(b, SpvOpCompositeExtract, spv_f32(b), SPV(v, c));
    }
}

static void multiply_line(struct matmul *x, spv_id first_a, spv_id first_b, spv_id kk)
{
    spv_id va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE];
    const struct side a = side_a(x), b = side_b(x);
    line(x, &a, first_a, kk, va);
    line(x, &b, first_b, kk, vb);
    matmul_accumulate(x, va, vb);
}

// A full tile is unrolled; the last one of a block may be shorter.
static void multiply(struct matmul *x, spv_id buffer, spv_id k0, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    struct spv_if is_full, is_short;
    const struct side sa = side_a(x), sb = side_b(x);
    spv_id first_a = emit_add(e, buffer_start(x, &sa, buffer), x->down);
    spv_id first_b = emit_add(e, buffer_start(x, &sb, buffer), x->across);
    spv_id left = emit_sub(e, end, k0);
    spv_id full = emit_less(e, spv_c32(b, x->tile->bk - 1), left);
    spv_if_begin(b, &is_full, full);
    for (uint32_t kk = 0; kk < x->tile->bk; kk++)
        multiply_line(x, first_a, first_b, spv_c32(b, kk));
    spv_if_end(b, &is_full);
    spv_if_begin(b, &is_short, spv_value(b, SpvOpLogicalNot, spv_bool(b), SPV(full)));
    spv_id zero = spv_c32(b, 0);
    spv_loop_begin(b, &l, zero, left, spv_c32(b, 1));
    multiply_line(x, first_a, first_b, l.i);
    spv_loop_end(b, &l);
    spv_if_end(b, &is_short);
}

// What this invocation carries from memory to the next buffer.
struct cargo {
    spv_id a[MATMUL_MAX_TILE], b[MATMUL_MAX_TILE];
};

static void fetch_both(struct matmul *x, spv_id k0, const struct cargo *c)
{
    const struct side a = side_a(x), b = side_b(x);
    fetch(x, &a, k0, c->a);
    fetch(x, &b, k0, c->b);
}

static void put_both(struct matmul *x, spv_id buffer, const struct cargo *c)
{
    const struct side a = side_a(x), b = side_b(x);
    put(x, &a, buffer, c->a);
    put(x, &b, buffer, c->b);
}

// One barrier a tile: while one buffer is multiplied from, the other is filled.
static void products(struct matmul *x, spv_id from, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct cargo c = {0};
    spv_id u32 = spv_u32(b), which = spv_local(b, u32), step = spv_c32(b, x->tile->bk);
    for (unsigned i = 0; i < loads(x, x->tile->bm); i++)
        c.a[i] = spv_local(b, spv_f32(b));
    for (unsigned i = 0; i < loads(x, x->tile->bn); i++)
        c.b[i] = spv_local(b, spv_f32(b));
    emit_barrier(e); // the block before may still be read
    fetch_both(x, from, &c);
    put_both(x, spv_c32(b, 0), &c);
    spv_store(b, which, spv_c32(b, 0));
    struct spv_loop l;
    struct spv_if more;
    spv_loop_begin(b, &l, from, end, step);
    emit_barrier(e);
    spv_id buffer = spv_load(b, u32, which), next = emit_add(e, l.i, step);
    spv_id other = emit_sub(e, spv_c32(b, 1), buffer);
    spv_id has_next = emit_less(e, next, end);
    spv_if_begin(b, &more, has_next);
    fetch_both(x, next, &c);
    spv_if_end(b, &more);
    multiply(x, buffer, l.i, end);
    spv_if_begin(b, &more, has_next);
    put_both(x, other, &c);
    spv_if_end(b, &more);
    spv_store(b, which, other);
    spv_loop_end(b, &l);
}

// Small tiles with a deep k keep a GPU busy where there are few rows.
const struct matmul_tile matmul_tile_16 = {"tile_16", 16, 16, 64, 2, 2, 64, false, begin, products};
const struct matmul_tile matmul_tile_32 = {"tile_32", 32,  32,    32,    2,
                                           4,         128, false, begin, products};
const struct matmul_tile matmul_tile_64 = {"tile_64", 64,  64,    16,    4,
                                           4,         256, false, begin, products};
const struct matmul_tile matmul_tile_128 = {"tile_128", 128, 128,   8,     8,
                                            8,          256, false, begin, products};
