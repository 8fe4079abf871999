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

static spv_id tile_array(struct matmul *x, unsigned extent, unsigned count)
{
    struct spv *b = &x->e.b;
    unsigned n = 2 * x->tile->bk * extent / width(count);
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
        spv_id in_tile = emit_add(e, emit_mul(e, at, spv_c32(&e->b, w)), spv_c32(&e->b, fixed));
        out[i] = emit_add(e, origin, in_tile);
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

// Element i that this invocation copies of a tile: its place along k and along the other axis.
// Neighbouring invocations take neighbours in memory.
static void copied_element(struct matmul *x, unsigned i, unsigned extent, bool k_first, spv_id *kk,
                           spv_id *other)
{
    struct emit *e = &x->e;
    spv_id at = emit_add(e, x->thread, spv_c32(&e->b, i * x->tile->threads));
    spv_id width = spv_c32(&e->b, k_first ? x->tile->bk : extent);
    spv_id low = emit_mod(e, at, width), high = emit_div(e, at, width);
    *kk = k_first ? low : high;
    *other = k_first ? high : low;
}

// Loads this invocation's part of the tiles at k0 into registers. Past the end of k the last
// element is read again; nothing uses it.
static void fetch(struct matmul *x, spv_id k0, spv_id *va, spv_id *vb)
{
    struct emit *e = &x->e;
    const struct matmul_tile *t = x->tile;
    spv_id kk, other;
    for (unsigned i = 0; i < loads(x, t->bm); i++) {
        copied_element(x, i, t->bm, !x->shape.ta, &kk, &other);
        spv_id row = matmul_clamp(x, emit_add(e, x->row0, other), x->m);
        va[i] = matmul_load_a(x, row, matmul_clamp(x, emit_add(e, k0, kk), x->k));
    }
    for (unsigned i = 0; i < loads(x, t->bn); i++) {
        copied_element(x, i, t->bn, x->shape.tb, &kk, &other);
        spv_id col = matmul_clamp(x, emit_add(e, x->col0, other), x->n);
        vb[i] = matmul_load_b(x, matmul_clamp(x, emit_add(e, k0, kk), x->k), col);
    }
}

static void put(struct matmul *x, spv_id shared, unsigned extent, unsigned count, bool k_first,
                spv_id buffer, const spv_id *v)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    unsigned w = width(count);
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, spv_f32(b)), wide = spv_c32(b, w);
    spv_id first = emit_mul(e, buffer, spv_c32(b, x->tile->bk)), kk, other;
    for (unsigned i = 0; i < loads(x, extent); i++) {
        copied_element(x, i, extent, k_first, &kk, &other);
        spv_id line = emit_mul(e, emit_add(e, first, kk), spv_c32(b, extent / w));
        const spv_id at[2] = {emit_add(e, line, emit_div(e, other, wide)),
                              emit_mod(e, other, wide)};
        spv_store(b, spv_access(b, pointer, shared, at, w == 1 ? 1 : 2), v[i]);
    }
}

// -- multiplying ---------------------------------------------------------------------------------

// The vectors of this invocation in line kk of a tile.
static void line(struct matmul *x, spv_id shared, unsigned extent, unsigned count, spv_id at,
                 spv_id first_line, spv_id kk, spv_id *out)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    unsigned w = width(count), vectors = count / w;
    spv_id type = element_type(x, count);
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, type);
    spv_id start = emit_mul(e, emit_add(e, first_line, kk), spv_c32(b, extent / w));
    for (unsigned g = 0; g < vectors; g++) {
        spv_id skip = spv_c32(b, g * (extent / w / vectors));
        spv_id index = emit_add(e, emit_add(e, start, at), skip);
        spv_id v = spv_load(b, type, spv_access(b, pointer, shared, SPV(index)));
        for (uint32_t c = 0; c < w; c++)
            out[w * g + c] =
                w == 1 ? v : spv_value(b, SpvOpCompositeExtract, spv_f32(b), SPV(v, c));
    }
}

static void multiply_line(struct matmul *x, spv_id buffer, spv_id kk)
{
    spv_id va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE];
    const struct matmul_tile *t = x->tile;
    spv_id first = emit_mul(&x->e, buffer, spv_c32(&x->e.b, t->bk));
    line(x, x->shared_a, t->bm, t->tm, x->down, first, kk, va);
    line(x, x->shared_b, t->bn, t->tn, x->across, first, kk, vb);
    matmul_accumulate(x, va, vb);
}

// A full tile is unrolled; the last one of a block may be shorter.
static void multiply(struct matmul *x, spv_id buffer, spv_id k0, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    struct spv_if is_full, is_short;
    spv_id left = spv_value(b, SpvOpISub, spv_u32(b), SPV(end, k0));
    spv_id full = emit_less(e, spv_c32(b, x->tile->bk - 1), left);
    spv_if_begin(b, &is_full, full);
    for (uint32_t kk = 0; kk < x->tile->bk; kk++)
        multiply_line(x, buffer, spv_c32(b, kk));
    spv_if_end(b, &is_full);
    spv_if_begin(b, &is_short, spv_value(b, SpvOpLogicalNot, spv_bool(b), SPV(full)));
    spv_loop_begin(b, &l, spv_c32(b, 0), left, spv_c32(b, 1));
    multiply_line(x, buffer, l.i);
    spv_loop_end(b, &l);
    spv_if_end(b, &is_short);
}

static void store_tiles(struct matmul *x, spv_id buffer, const spv_id *va, const spv_id *vb)
{
    put(x, x->shared_a, x->tile->bm, x->tile->tm, !x->shape.ta, buffer, va);
    put(x, x->shared_b, x->tile->bn, x->tile->tn, x->shape.tb, buffer, vb);
}

// One barrier a tile: while buffer 0 is multiplied from, buffer 1 is filled, and the other way
// round.
static void products(struct matmul *x, spv_id from, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    spv_id va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE], u32 = spv_u32(b);
    spv_id which = spv_local(b, u32), step = spv_c32(b, x->tile->bk);
    emit_barrier(e); // the block before may still be read
    fetch(x, from, va, vb);
    store_tiles(x, spv_c32(b, 0), va, vb);
    spv_store(b, which, spv_c32(b, 0));
    struct spv_loop l;
    spv_loop_begin(b, &l, from, end, step);
    emit_barrier(e);
    spv_id buffer = spv_load(b, u32, which);
    spv_id other = spv_value(b, SpvOpISub, u32, SPV(spv_c32(b, 1), buffer));
    spv_id next = emit_add(e, l.i, step);
    fetch(x, next, va, vb); // the last time it reads the last k again, for nothing
    multiply(x, buffer, l.i, end);
    store_tiles(x, other, va, vb);
    spv_store(b, which, other);
    spv_loop_end(b, &l);
}

// Small tiles with a deep k keep a GPU busy where there are few rows.
const struct matmul_tile matmul_tile_16 = {"tile_16", 16, 16, 64, 2, 2, 64, begin, products};
const struct matmul_tile matmul_tile_32 = {"tile_32", 32, 32, 32, 2, 4, 128, begin, products};
const struct matmul_tile matmul_tile_64 = {"tile_64", 64, 64, 16, 4, 4, 256, begin, products};
const struct matmul_tile matmul_tile_128 = {"tile_128", 128, 128, 8, 8, 8, 256, begin, products};
