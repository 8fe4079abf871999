// emit_matmul.c: what all variants of a matrix product share: geometry, accumulators, the end.
//
// The order of spec/numerics.md: each output takes its products in ascending k within blocks of
// 512, from +0, and block results add left to right. An output has one accumulator (and one total
// where there are several blocks) in one invocation, so no tile shape can change a bit. Slices have
// an accumulator each, for a block each, and the first adds them to its total in order. Rows and
// columns past the edge are computed from clamped addresses and not stored; k is never padded,
// since adding +0 to a flushed -0 would change it.
#include "codegen/emit_matmul.h"

#include <string.h>

#include "runtime/dispatch.h"

enum { CHEAP = 12 }; // operations of an epilogue that may be repeated for every output in code

void matmul_shape(const struct ir_graph *g, ir_ref r, struct matmul_shape *out)
{
    const struct ir_type *a = ir_typeof(g, ir_arg(g, r, 0)), *t = ir_typeof(g, r);
    out->ta = ir_attr(g, r, 0) != 0;
    out->tb = ir_attr(g, r, 1) != 0;
    out->m = (uint64_t)t->dim[t->rank - 2];
    out->n = (uint64_t)t->dim[t->rank - 1];
    out->k = (uint64_t)a->dim[out->ta ? a->rank - 2 : a->rank - 1];
    out->batch = (uint64_t)ir_type_count(t) / (out->m * out->n);
}

bool matmul_by_four(const struct matmul_shape *s)
{
    return s->m % 4 == 0 && s->n % 4 == 0 && s->k % 4 == 0;
}

bool matmul_fits(const struct matmul_shape *s, const struct matmul_tile *t)
{
    return s->m % t->bm == 0 && s->n % t->bn == 0;
}

unsigned matmul_slices(const struct matmul *x)
{
    return x->shape.k > MATMUL_BLOCK && x->tile->slices ? x->tile->slices : 1;
}

// -- setting up ----------------------------------------------------------------------------------

static void make_accumulators(struct matmul *x)
{
    for (unsigned i = 0; i < x->tile->tm * x->tile->tn; i++) {
        x->acc[i] = spv_local(&x->e.b, spv_f32(&x->e.b));
        if (x->shape.k > MATMUL_BLOCK)
            x->total[i] = spv_local(&x->e.b, spv_f32(&x->e.b));
    }
}

static const struct matmul_tile *tile_for(const struct matmul_shape *s, const struct matmul_tile *t)
{
    return s->k > MATMUL_BLOCK && t->split ? t->split : t;
}

bool matmul_has_groups(const struct matmul_shape *s, const struct matmul_tile *t)
{
    t = tile_for(s, t);
    return (s->n + t->bn - 1) / t->bn <= DISPATCH_MAX_GROUPS &&
           (s->m + t->bm - 1) / t->bm <= DISPATCH_MAX_GROUPS && s->batch <= DISPATCH_MAX_GROUPS &&
           (!t->packs || !s->tb || s->k <= DISPATCH_MAX_GROUPS);
}

// Workgroups: columns of tiles along x, rows along y, batches along z.
static void tile_groups(const struct matmul_tile *t, const struct matmul_shape *shape,
                        uint32_t groups[3])
{
    groups[0] = (uint32_t)((shape->n + t->bn - 1) / t->bn);
    groups[1] = (uint32_t)((shape->m + t->bm - 1) / t->bm);
    groups[2] = (uint32_t)shape->batch;
}

static void place_tile(struct matmul *x)
{
    struct emit *e = &x->e;
    const struct matmul_tile *t = x->tile;
    tile_groups(t, &x->shape, e->call->groups);
    x->m = emit_fresh_extent(e, x->shape.m);
    x->n = emit_fresh_extent(e, x->shape.n);
    x->k = emit_fresh_extent(e, x->shape.k);
    emit_fresh_extent(e, 0); // emit_zero
    spv_id down = emit_group(e, 1), across = emit_group(e, 0);
    x->row0 = emit_mul(e, down, spv_c32(&e->b, t->bm));
    x->col0 = emit_mul(e, across, spv_c32(&e->b, t->bn));
    spv_id batch = emit_group(e, 2);
    x->a0 = emit_mul(e, batch, emit_mul(e, x->m, x->k));
    x->b0 = emit_mul(e, batch, emit_mul(e, x->k, x->n));
    x->c0 = emit_mul(e, batch, emit_mul(e, x->m, x->n));
}

spv_id matmul_clamp(struct matmul *x, spv_id i, spv_id n)
{
    struct emit *e = &x->e;
    return emit_least(e, i, emit_sub(e, n, spv_c32(&e->b, 1)));
}

static spv_id load(struct matmul *x, emit_place from, spv_id base, spv_id high, spv_id width,
                   spv_id low)
{
    struct emit *e = &x->e;
    spv_id at = emit_add(e, base, emit_add(e, emit_mul(e, high, width), low));
    spv_id w = emit_load(e, from, at);
    return emit_as(e, (struct emit_value){.id = w, .lane = LANE_U32}, LANE_F32);
}

void matmul_load4(struct matmul *x, bool a, spv_id high, spv_id low4, spv_id out[4])
{
    struct emit *e = &x->e;
    emit_place from = a ? x->a : x->b;
    spv_id four = spv_c32(&e->b, 4);
    spv_id line = a ? (x->shape.ta ? x->m : x->k) : (x->shape.tb ? x->k : x->n);
    spv_id at = emit_add(e, a ? x->a0 : x->b0, emit_mul(e, high, line));
    emit_load4(e, from, emit_add(e, emit_div(e, at, four), low4), out);
    for (int i = 0; i < 4; i++) {
        out[i] = emit_as(e, (struct emit_value){.id = out[i], .lane = LANE_U32}, LANE_F32);
    }
}

spv_id matmul_load_a(struct matmul *x, spv_id row, spv_id k)
{
    return x->shape.ta ? load(x, x->a, x->a0, k, x->m, row) : load(x, x->a, x->a0, row, x->k, k);
}

spv_id matmul_load_b(struct matmul *x, spv_id k, spv_id col)
{
    return x->shape.tb ? load(x, x->b, x->b0, col, x->k, k) : load(x, x->b, x->b0, k, x->n, col);
}

void matmul_accumulate(struct matmul *x, const spv_id *a, const spv_id *b)
{
    struct emit *e = &x->e;
    for (unsigned i = 0; i < x->tile->tm; i++)
        for (unsigned j = 0; j < x->tile->tn; j++) {
            spv_id acc = x->acc[i * x->tile->tn + j];
            spv_id sum = spv_load(&e->b, spv_f32(&e->b), acc);
            spv_store(&e->b, acc, emit_fma(e, a[i], b[j], sum));
        }
}

// -- blocks of k ---------------------------------------------------------------------------------

static void clear(struct matmul *x)
{
    struct spv *b = &x->e.b;
    spv_id zero = spv_value(b, SpvOpBitcast, spv_f32(b), SPV(emit_zero(&x->e)));
    for (unsigned i = 0; i < x->tile->tm * x->tile->tn; i++)
        spv_store(b, x->acc[i], zero);
}

// The first block's result is the total so far; later ones are added to it.
static void end_block(struct matmul *x, spv_id first)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    spv_id f32 = spv_f32(b);
    for (unsigned i = 0; i < x->tile->tm * x->tile->tn; i++) {
        spv_id acc = spv_load(b, f32, x->acc[i]);
        spv_id sum = emit_fadd(e, spv_load(b, f32, x->total[i]), acc);
        spv_store(b, x->total[i], spv_value(b, SpvOpSelect, f32, SPV(first, acc, sum)));
    }
}

static void all_blocks(struct matmul *x)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_loop l;
    spv_id block = spv_c32(b, MATMUL_BLOCK), zero = spv_c32(b, 0);
    spv_id step = spv_c32(b, matmul_slices(x) * MATMUL_BLOCK);
    for (unsigned i = 0; i < x->tile->tm * x->tile->tn; i++)
        spv_store(b, x->total[i], spv_cf32(b, 0));
    spv_loop_begin(b, &l, zero, x->k, step);
    clear(x);
    spv_id stop = emit_add(e, l.i, block);
    x->tile->products(x, l.i, emit_least(e, stop, x->k));
    end_block(x, spv_value(b, SpvOpIEqual, spv_bool(b), SPV(l.i, zero)));
    if (matmul_slices(x) > 1)
        matmul_join(x, l.i);
    spv_loop_end(b, &l);
}

static void one_block(struct matmul *x)
{
    clear(x);
    x->tile->products(x, spv_c32(&x->e.b, 0), x->k);
}

// -- results -------------------------------------------------------------------------------------

static void store_output(struct matmul *x, ir_ref anchor, spv_id at, spv_id value)
{
    struct emit_value v = {.id = value, .lane = LANE_F32};
    emit_place place = x->e.s->place_of[anchor];
    if (x->then != MATMUL_OWN) {
        v = emit_seen(&x->e, anchor, v);
        emit_store(&x->e, place, at, v.id);
    }
    if (x->then != MATMUL_STORED)
        emit_tape(&x->e, at, 0, place, v);
}

// Outputs of one row in groups of four, which lie side by side.
static void store_fours(struct matmul *x, ir_ref anchor, bool fits, spv_id line, const spv_id *from)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_if inside;
    for (unsigned j = 0; j < x->tile->tn; j += 4) {
        spv_id word[4], at = emit_add(e, line, x->col[j]);
        if (!fits)
            spv_if_begin(b, &inside, emit_less(e, x->col[j], x->n));
        for (unsigned c = 0; c < 4; c++) {
            spv_id sum = spv_load(b, spv_f32(b), from[j + c]);
            const struct emit_value v = {.id = sum, .lane = LANE_F32};
            word[c] = emit_seen(e, anchor, v).id;
        }
        emit_store4(e, e->s->place_of[anchor], emit_div(e, at, spv_c32(b, 4)), word);
        if (!fits)
            spv_if_end(b, &inside);
    }
}

// Outputs of one row, each behind a test unless all are inside.
static void store_row(struct matmul *x, ir_ref anchor, bool fits, spv_id line, const spv_id *from)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    struct spv_if inside;
    for (unsigned j = 0; j < x->tile->tn; j++) {
        if (!fits)
            spv_if_begin(b, &inside, emit_less(e, x->col[j], x->n));
        spv_id at = emit_add(e, line, x->col[j]);
        store_output(x, anchor, at, spv_load(b, spv_f32(b), from[j]));
        if (!fits)
            spv_if_end(b, &inside);
    }
}

static void store_rows(struct matmul *x, ir_ref anchor)
{
    struct emit *e = &x->e;
    bool fits = matmul_fits(&x->shape, x->tile);
    const spv_id *from = x->shape.k > MATMUL_BLOCK ? x->total : x->acc;
    for (unsigned i = 0; i < x->tile->tm; i++) {
        spv_id line = emit_add(e, x->c0, emit_mul(e, x->row[i], x->n));
        struct spv_if inside;
        if (!fits)
            spv_if_begin(&e->b, &inside, emit_less(e, x->row[i], x->m));
        if (x->then == MATMUL_STORED && x->tile->packs && x->tile->tn % 4 == 0 &&
            matmul_by_four(&x->shape))
            store_fours(x, anchor, fits, line, from + i * x->tile->tn);
        else
            store_row(x, anchor, fits, line, from + i * x->tile->tn);
        if (!fits)
            spv_if_end(&e->b, &inside);
    }
}

static void store_all(struct matmul *x, ir_ref anchor)
{
    struct emit *e = &x->e;
    struct spv_if is_first;
    if (matmul_slices(x) == 1) {
        store_rows(x, anchor);
        return;
    }
    spv_if_begin(&e->b, &is_first, emit_less(e, x->slice, spv_c32(&e->b, 1)));
    store_rows(x, anchor);
    spv_if_end(&e->b, &is_first);
}

// An epilogue is repeated in code for every output of an invocation, so only a short one is fused;
// a long one, or one with narrow stores, runs as a map of its own over the product.
static bool worth_fusing(struct emit *e, const struct ir_kernel *k)
{
    unsigned n = 0;
    if (k->nodes.n == 1)
        return false;
    for (size_t i = 1; i < e->draft.values.n; i++)
        n += e->live[i] && e->draft.values.at[i].code != TAPE_CONST;
    return n <= CHEAP && emit_per_word(e) == 1;
}

bool matmul_fused(const struct emit_source *s, uint32_t kernel)
{
    struct emit probe = {.s = s};
    emit_draft(&probe, kernel, 0);
    bool fused = worth_fusing(&probe, &s->fusion->kernels.at[kernel]);
    arena_free(&probe.scratch);
    return fused;
}

bool matmul_takes(const struct emit_source *s, uint32_t after, const struct matmul_tile *tile)
{
    enum { LONG = 2000 }; // values of a tape that is written for each output of an invocation
    struct emit probe = {.s = s};
    emit_draft(&probe, after, 0);
    bool takes = !tile->packs && emit_per_word(&probe) == 1 &&
                 tile->tm * tile->tn * probe.draft.values.n <= LONG;
    arena_free(&probe.scratch);
    return takes;
}

// Shape and operands of a kernel's product, B as it was packed.
static void find_operands(const struct emit_source *s, uint32_t kernel, emit_place packed,
                          struct matmul_shape *shape, emit_place *a, emit_place *b)
{
    const struct ir_graph *g = s->graph;
    ir_ref r = s->fusion->kernels.at[kernel].anchor;
    matmul_shape(g, r, shape);
    *a = s->place_of[ir_view_base(g, ir_arg(g, r, 0))];
    *b = s->place_of[ir_view_base(g, ir_arg(g, r, 1))];
    if (packed != NO_PLACE) {
        shape->tb = false;
        *b = packed;
    }
}

void matmul_pattern(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                    emit_place packed, struct matmul_pattern *out)
{
    struct matmul_shape shape;
    emit_place a, b;
    find_operands(s, kernel, packed, &shape, &a, &b);
    ir_ref anchor = s->fusion->kernels.at[kernel].anchor;
    memset(out, 0, sizeof *out); // compared as bytes
    tile = tile_for(&shape, tile);
    out->tile = tile;
    out->ta = shape.ta;
    out->tb = shape.tb;
    out->blocks = shape.k > MATMUL_BLOCK;
    out->observed = s->observed[anchor];
    out->exact = s->exact;
    out->by_four = matmul_by_four(&shape);
    out->fits = matmul_fits(&shape, tile);
    out->one_operand = a == b;
    if (s->sources)
        out->line = s->graph->module->locs.at[ir_get(s->graph, anchor)->loc];
}

void emit_matmul(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                 uint32_t tape, emit_place packed, struct emit_call *call)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    struct matmul x = {0};
    find_operands(s, kernel, packed, &x.shape, &x.a, &x.b);
    x.tile = tile = tile_for(&x.shape, tile);
    emit_begin(&x.e, s, call, arena_printf(s->arena, "matmul_%s", tile->name), k->anchor,
               tile->threads * matmul_slices(&x), 1);
    x.then = !tape ? MATMUL_STORED : tape == kernel + 1 ? MATMUL_OWN : MATMUL_TAIL;
    if (tape)
        emit_draft(&x.e, tape - 1, 0);
    place_tile(&x);
    make_accumulators(&x);
    tile->begin(&x);
    if (x.shape.k > MATMUL_BLOCK)
        all_blocks(&x);
    else
        one_block(&x);
    store_all(&x, k->anchor);
    emit_end(&x.e);
}

void emit_matmul_again(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                       emit_place packed, struct emit_call *call)
{
    struct matmul_shape shape;
    emit_place place[3] = {0, 0, s->place_of[s->fusion->kernels.at[kernel].anchor]};
    find_operands(s, kernel, packed, &shape, &place[0], &place[1]);
    memset(call, 0, sizeof *call);
    for (int i = 0; i < 3; i++) {
        const struct emit_buffer buffer = {.place = place[i], .writes = i == 2};
        if (i != 1 || place[0] != place[1])
            vec_push(s->arena, &call->buffers, buffer);
    }
    vec_push(s->arena, &call->push, (uint32_t)shape.m);
    vec_push(s->arena, &call->push, (uint32_t)shape.n);
    vec_push(s->arena, &call->push, (uint32_t)shape.k);
    vec_push(s->arena, &call->push, 0); // emit_zero
    tile_groups(tile_for(&shape, tile), &shape, call->groups);
}

// An invocation reads neighbours along k of one column, four where it can, and writes them to rows.
// Rows are workgroups of their own: a CPU device has no cheap division for finding them.
void emit_matmul_pack(const struct emit_source *s, uint32_t kernel, emit_place packed,
                      struct emit_call *call)
{
    enum { GROUP = 64 };
    struct matmul_shape shape;
    emit_place a, from;
    struct emit e;
    struct spv_if inside;
    find_operands(s, kernel, NO_PLACE, &shape, &a, &from);
    bool four = matmul_by_four(&shape);
    emit_begin(&e, s, call, four ? "pack4" : "pack", s->fusion->kernels.at[kernel].anchor, GROUP,
               1);
    struct spv *b = &e.b;
    spv_id n = emit_extent(&e, shape.n), k = emit_extent(&e, shape.k),
           step = spv_c32(b, four ? 4 : 1);
    call->groups[0] = (uint32_t)((shape.n + GROUP - 1) / GROUP);
    call->groups[1] = (uint32_t)(shape.k / (four ? 4 : 1));
    call->groups[2] = (uint32_t)shape.batch;
    spv_id across = emit_group(&e, 0), batch = emit_group(&e, 2), word[4];
    spv_id col = emit_mul(&e, across, spv_c32(b, GROUP));
    col = emit_add(&e, col, emit_local(&e, 0));
    spv_id start = emit_mul(&e, batch, emit_mul(&e, n, k));
    spv_id row = emit_mul(&e, emit_group(&e, 1), step);
    spv_if_begin(b, &inside, emit_less(&e, col, n));
    spv_id at = emit_add(&e, start, emit_add(&e, emit_mul(&e, col, k), row));
    if (four)
        emit_load4(&e, from, emit_div(&e, at, step), word);
    else
        word[0] = emit_load(&e, from, at);
    for (uint32_t i = 0; i < (four ? 4 : 1); i++) {
        spv_id line = emit_mul(&e, emit_add(&e, row, spv_c32(b, i)), n);
        emit_store(&e, packed, emit_add(&e, start, emit_add(&e, line, col)), word[i]);
    }
    spv_if_end(b, &inside);
    emit_end(&e);
}

const struct matmul_tile *const matmul_tiles[] = {
    &matmul_rows_8x8, &matmul_rows_8x16, &matmul_rows_4x4,
    &matmul_tile_8,   &matmul_tile_16,   &matmul_tile_32,
    &matmul_tile_64,  &matmul_tile_128,  NULL};
