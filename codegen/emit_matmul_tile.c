// emit_matmul_tile.c: products through tiles in shared memory, for GPUs.
//
// A workgroup copies bm x bk of A and bk x bn of B to shared memory, loads the next of both to
// registers, multiplies from the first, and so on. Where k has several blocks of 512, groups of
// invocations (slices) may take a block each; their sums are added in order by the first.
#include "codegen/emit_matmul_side.h"

// This invocation's rows are one vector, then one further down the tile, and so on: neighbouring
// invocations then read neighbouring vectors. Columns likewise.
static void spread(struct matmul *x, const struct matmul_side *s, spv_id origin, spv_id at,
                   spv_id *out)
{
    struct emit *e = &x->e;
    unsigned w = side_width(s), vectors = s->count / w;
    for (unsigned i = 0; i < s->count; i++) {
        unsigned fixed = i / w * (s->extent / vectors) + i % w;
        spv_id first = emit_mul(e, at, spv_c32(&e->b, w));
        out[i] = emit_add(e, origin, emit_add(e, first, spv_c32(&e->b, fixed)));
    }
}

static void find_slice(struct matmul *x)
{
    struct emit *e = &x->e;
    const struct matmul_tile *t = x->tile;
    x->thread = emit_local(e, 0);
    if (matmul_slices(x) == 1)
        return;
    spv_id threads = spv_c32(&e->b, t->threads);
    x->slice = emit_div(e, x->thread, threads);
    x->thread = emit_mod(e, x->thread, threads);
    unsigned n = matmul_slices(x) * t->threads * t->tm * t->tn;
    x->joined = spv_variable(&e->b, SpvStorageClassWorkgroup, spv_array(&e->b, spv_f32(&e->b), n));
}

// Invocations in twos by twos: neighbours read the same columns, and the next two the same rows,
// for which a GPU reads shared memory half as often.
static void find_place(struct matmul *x)
{
    struct emit *e = &x->e;
    spv_id two = spv_c32(&e->b, 2), quads = spv_c32(&e->b, x->tile->bn / x->tile->tn / 2);
    spv_id quad = emit_div(e, x->thread, spv_c32(&e->b, 4));
    spv_id down = emit_mod(e, x->thread, two);
    spv_id across = emit_mod(e, emit_div(e, x->thread, two), two);
    x->down = emit_add(e, emit_mul(e, emit_div(e, quad, quads), two), down);
    x->across = emit_add(e, emit_mul(e, emit_mod(e, quad, quads), two), across);
}

static void begin(struct matmul *x)
{
    find_slice(x);
    find_place(x);
    struct matmul_side a = matmul_side(x, true), b = matmul_side(x, false);
    x->shared_a = side_array(x, &a);
    x->shared_b = side_array(x, &b);
    spread(x, &a, x->row0, x->down, x->row);
    spread(x, &b, x->col0, x->across, x->col);
}

// -- multiplying ---------------------------------------------------------------------------------

// What an invocation reads of a tile: the side, and the vector where its first row or column begins
// (`first`: where the tile does, and which row or column that is).
struct share {
    struct matmul_side side;
    spv_id start, first, place;
};

static struct share share(struct matmul *x, bool a, spv_id buffer)
{
    struct emit *e = &x->e;
    struct share s = {.side = matmul_side(x, a), .place = a ? x->down : x->across};
    s.first = side_start(x, &s.side, buffer);
    spv_id skip = s.place;
    if (s.side.along)
        skip = emit_mul(e, skip, spv_c32(&e->b, side_pitch(x, &s.side)));
    s.start = emit_add(e, s.first, skip);
    return s;
}

static spv_id load_vector(struct matmul *x, const struct share *s, spv_id index)
{
    struct spv *b = &x->e.b;
    spv_id type = side_type(x, &s->side);
    spv_id pointer = spv_pointer(b, SpvStorageClassWorkgroup, type);
    return spv_load(b, type, spv_access(b, pointer, s->side.shared, SPV(index)));
}

static spv_id component(struct matmul *x, spv_id vector, uint32_t i)
{
    return spv_value(&x->e.b, SpvOpCompositeExtract, spv_f32(&x->e.b), SPV(vector, i));
}

// This invocation's elements at kk of a tile that lies across.
static void line_across(struct matmul *x, const struct share *s, spv_id kk, spv_id *out)
{
    struct emit *e = &x->e;
    unsigned w = side_width(&s->side), n = s->side.count / w;
    spv_id line = emit_mul(e, kk, spv_c32(&e->b, side_pitch(x, &s->side)));
    spv_id start = emit_add(e, s->start, line);
    for (unsigned g = 0; g < n; g++) {
        spv_id at = emit_add(e, start, spv_c32(&e->b, g * (s->side.extent / w / n)));
        spv_id v = load_vector(x, s, at);
        for (uint32_t c = 0; c < w; c++)
            out[w * g + c] = w == 1 ? v : component(x, v, c);
    }
}

// The same of a tile that lies along.
static void line_along(struct matmul *x, const struct share *s, spv_id kk, spv_id *out)
{
    struct emit *e = &x->e;
    unsigned step = s->side.extent / s->side.count;
    for (unsigned i = 0; i < s->side.count; i++) {
        spv_id other = emit_add(e, s->place, spv_c32(&e->b, i * step));
        spv_id from = side_element(x, &s->side, s->first, kk, other);
        out[i] = spv_load(&e->b, spv_f32(&e->b), from);
    }
}

static void multiply_line(struct matmul *x, const struct share *a, const struct share *b, spv_id kk)
{
    void (*line)(struct matmul *, const struct share *, spv_id, spv_id *) =
        x->tile->along ? line_along : line_across;
    spv_id va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE];
    line(x, a, kk, va);
    line(x, b, kk, vb);
    matmul_accumulate(x, va, vb);
}

// Elements at kk .. kk + 3 of a tile that lies along, by k.
static void four_lines(struct matmul *x, const struct share *s, unsigned kk,
                       spv_id out[4][MATMUL_MAX_TILE])
{
    struct emit *e = &x->e;
    unsigned lines = s->side.extent / s->side.count;
    for (unsigned i = 0; i < s->side.count; i++) {
        spv_id skip = spv_c32(&e->b, i * lines * side_pitch(x, &s->side) + kk / 4);
        spv_id v = load_vector(x, s, emit_add(e, s->start, skip));
        for (uint32_t c = 0; c < 4; c++)
            out[c][i] = component(x, v, c);
    }
}

static void multiply_four(struct matmul *x, const struct share *a, const struct share *b,
                          unsigned kk)
{
    spv_id va[4][MATMUL_MAX_TILE], vb[4][MATMUL_MAX_TILE];
    four_lines(x, a, kk, va);
    four_lines(x, b, kk, vb);
    for (unsigned c = 0; c < 4; c++)
        matmul_accumulate(x, va[c], vb[c]);
}

// k = kk .. kk + x->tile->unroll - 1 of a tile.
static void multiply_some(struct matmul *x, const struct share *a, const struct share *b, spv_id kk)
{
    struct emit *e = &x->e;
    struct share from_a = *a, from_b = *b;
    if (x->tile->along) {
        spv_id vector = emit_div(e, kk, spv_c32(&e->b, 4));
        from_a.start = emit_add(e, a->start, vector);
        from_b.start = emit_add(e, b->start, vector);
    }
    for (uint32_t i = 0; i < x->tile->unroll; i += x->tile->along ? 4 : 1)
        if (x->tile->along)
            multiply_four(x, &from_a, &from_b, i);
        else
            multiply_line(x, a, b, emit_add(e, kk, spv_c32(&e->b, i)));
}

// A full tile in one piece, and a shorter one, the last of a block, by ones.
static void multiply_whole(struct matmul *x, const struct share *sa, const struct share *sb,
                           spv_id left)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    struct spv_if is_full, is_short;
    spv_id full = emit_less(e, spv_c32(b, x->tile->bk - 1), left), zero = spv_c32(b, 0);
    spv_if_begin(b, &is_full, full);
    multiply_some(x, sa, sb, zero);
    spv_if_end(b, &is_full);
    spv_if_begin(b, &is_short, spv_value(b, SpvOpLogicalNot, spv_bool(b), SPV(full)));
    spv_loop_begin(b, &l, zero, left, spv_c32(b, 1));
    multiply_line(x, sa, sb, l.i);
    spv_loop_end(b, &l);
    spv_if_end(b, &is_short);
}

// A tile piece by piece, and the rest by ones.
static void multiply_pieces(struct matmul *x, const struct share *sa, const struct share *sb,
                            spv_id left)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    left = emit_least(e, left, spv_c32(b, x->tile->bk));
    spv_id piece = spv_c32(b, x->tile->unroll), pieces = emit_div(e, left, piece);
    spv_id rest = emit_mul(e, pieces, piece);
    spv_loop_begin(b, &l, spv_c32(b, 0), rest, piece);
    multiply_some(x, sa, sb, l.i);
    spv_loop_end(b, &l);
    spv_loop_begin(b, &l, rest, left, spv_c32(b, 1));
    multiply_line(x, sa, sb, l.i);
    spv_loop_end(b, &l);
}

// What there is of a tile: in a slice past the end of k, nothing.
static void multiply(struct matmul *x, spv_id buffer, spv_id k0, spv_id end)
{
    struct emit *e = &x->e;
    const struct share a = share(x, true, buffer), b = share(x, false, buffer);
    spv_id left = emit_sub(e, end, matmul_slices(x) > 1 ? emit_least(e, k0, end) : k0);
    if (x->tile->unroll < x->tile->bk)
        multiply_pieces(x, &a, &b, left);
    else
        multiply_whole(x, &a, &b, left);
}

// -- the loop over tiles -------------------------------------------------------------------------

// What this invocation carries from memory to a tile.
struct cargo {
    struct matmul_side a, b;
    spv_id of_a[MATMUL_MAX_TILE], of_b[MATMUL_MAX_TILE];
};

static void make_cargo(struct matmul *x, struct cargo *c)
{
    struct spv *b = &x->e.b;
    c->a = matmul_side(x, true);
    c->b = matmul_side(x, false);
    for (unsigned i = 0; i < side_loads(x, &c->a); i++)
        c->of_a[i] = spv_local(b, spv_f32(b));
    for (unsigned i = 0; i < side_loads(x, &c->b); i++)
        c->of_b[i] = spv_local(b, spv_f32(b));
}

// Says that nothing is carried on from the tile before: else a compiler keeps it where there is no
// next one, at the cost of a copy of each variable.
static void forget(struct matmul *x, const struct cargo *c)
{
    struct spv *b = &x->e.b;
    spv_id nothing = spv_value(b, SpvOpUndef, spv_f32(b), NULL, 0);
    for (unsigned i = 0; i < side_loads(x, &c->a); i++)
        spv_store(b, c->of_a[i], nothing);
    for (unsigned i = 0; i < side_loads(x, &c->b); i++)
        spv_store(b, c->of_b[i], nothing);
}

static void fetch(struct matmul *x, spv_id k0, const struct cargo *c)
{
    side_fetch(x, &c->a, k0, c->of_a);
    side_fetch(x, &c->b, k0, c->of_b);
}

static void put(struct matmul *x, spv_id buffer, const struct cargo *c)
{
    side_put(x, &c->a, buffer, c->of_a);
    side_put(x, &c->b, buffer, c->of_b);
}

// One tile from l.i: the next is loaded while it is multiplied from, and stored to the other
// buffer, or, where there is only one, when all are done with it.
static void one_tile(struct matmul *x, spv_id i, spv_id skip, spv_id end, spv_id own_end,
                     spv_id which, const struct cargo *c)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_if more;
    spv_id buffer = spv_load(b, spv_u32(b), which);
    spv_id next = emit_add(e, i, spv_c32(b, x->tile->bk)), has_next = emit_less(e, next, end);
    spv_id other = x->tile->buffers == 1 ? buffer : emit_sub(e, spv_c32(b, 1), buffer);
    emit_barrier(e);
    forget(x, c);
    spv_if_begin(b, &more, has_next);
    fetch(x, emit_add(e, next, skip), c);
    spv_if_end(b, &more);
    multiply(x, buffer, emit_add(e, i, skip), own_end);
    if (x->tile->buffers == 1)
        emit_barrier(e);
    spv_if_begin(b, &more, has_next);
    put(x, other, c);
    spv_if_end(b, &more);
    spv_store(b, which, other);
}

// All slices take as many tiles as the first, whose block is the longest: they meet at barriers.
static void products(struct matmul *x, spv_id from, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct cargo c = {0};
    struct spv_loop l;
    spv_id which = spv_local(b, spv_u32(b)), zero = spv_c32(b, 0), skip = zero, own_end = end;
    make_cargo(x, &c);
    if (matmul_slices(x) > 1) {
        spv_id block = spv_c32(b, MATMUL_BLOCK);
        skip = emit_mul(e, x->slice, block);
        spv_id stop = emit_add(e, emit_add(e, from, skip), block);
        own_end = emit_least(e, stop, x->k);
    }
    emit_barrier(e); // the block before may still be read
    fetch(x, emit_add(e, from, skip), &c);
    put(x, zero, &c);
    spv_store(b, which, zero);
    spv_loop_begin(b, &l, from, end, spv_c32(b, x->tile->bk));
    one_tile(x, l.i, skip, end, own_end, which, &c);
    spv_loop_end(b, &l);
}

// -- slices --------------------------------------------------------------------------------------

// Where a slice leaves the i-th sum of the invocation that this one is the same of in its own.
static spv_id joined(struct matmul *x, spv_id slice, unsigned i)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    const struct matmul_tile *t = x->tile;
    spv_id first = emit_mul(e, slice, spv_c32(b, t->tm * t->tn * t->threads));
    spv_id at = emit_add(e, first, emit_add(e, x->thread, spv_c32(b, i * t->threads)));
    return spv_access(b, spv_pointer(b, SpvStorageClassWorkgroup, spv_f32(b)), x->joined, &at, 1);
}

// All slices add, since that costs no time, but only the first one's totals are right.
void matmul_join(struct matmul *x, spv_id from)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    spv_id f32 = spv_f32(b);
    unsigned n = x->tile->tm * x->tile->tn;
    for (unsigned i = 0; i < n; i++) {
        spv_id to = joined(x, x->slice, i);
        spv_store(b, to, spv_load(b, f32, x->acc[i]));
    }
    emit_barrier(e);
    for (uint32_t s = 1; s < matmul_slices(x); s++) {
        spv_id exists = emit_less(e, emit_add(e, from, spv_c32(b, s * MATMUL_BLOCK)), x->k);
        for (unsigned i = 0; i < n; i++) {
            spv_id total = spv_load(b, f32, x->total[i]);
            spv_id sum = emit_fadd(e, total, spv_load(b, f32, joined(x, spv_c32(b, s), i)));
            spv_store(b, x->total[i], spv_value(b, SpvOpSelect, f32, SPV(exists, sum, total)));
        }
    }
}

// -- variants ------------------------------------------------------------------------------------

#define TILE .begin = begin, .products = products

// A GPU is busy with few rows if the tiles are small, so that there are enough workgroups, and k is
// deep; with several blocks of k there are enough invocations for two outputs each. Such a call is
// over so soon that most of its code is new to the GPU: pieces are short.
static const struct matmul_tile tile_8_split = {.name = "tile_8",
                                                MATMUL_SHAPE(16, 8, 128, 2, 1, 64),
                                                .along = true,
                                                .buffers = 1,
                                                .slices = 2,
                                                .unroll = 32,
                                                TILE};
const struct matmul_tile matmul_tile_8 = {.name = "tile_8",
                                          MATMUL_SHAPE(16, 8, 128, 1, 1, 128),
                                          .along = true,
                                          .buffers = 1,
                                          .unroll = 32,
                                          .split = &tile_8_split,
                                          TILE};
const struct matmul_tile matmul_tile_16 = {.name = "tile_16",
                                           MATMUL_SHAPE(16, 16, 64, 2, 2, 64),
                                           .along = true,
                                           .buffers = 1,
                                           .slices = 2,
                                           .unroll = 32,
                                           TILE};
const struct matmul_tile matmul_tile_32 = {.name = "tile_32",
                                           MATMUL_SHAPE(32, 32, 32, 2, 4, 128),
                                           .along = true,
                                           .buffers = 2,
                                           .unroll = 32,
                                           TILE};
// Where an invocation makes many outputs, it loads as little either way.
const struct matmul_tile matmul_tile_64 = {
    .name = "tile_64", MATMUL_SHAPE(64, 64, 16, 4, 4, 256), .buffers = 2, .unroll = 16, TILE};
const struct matmul_tile matmul_tile_128 = {
    .name = "tile_128", MATMUL_SHAPE(128, 128, 8, 8, 8, 256), .buffers = 2, .unroll = 8, TILE};
