// emit_matmul_rows.c: products without shared memory or barriers: operands come straight from
// memory, which is what a CPU device does best.
//
// Where all extents are multiples of four, four words are loaded at once and k is unrolled by four.
#include "codegen/emit_matmul.h"

#include "runtime/dispatch.h"

// Invocations side by side take neighbouring column groups.
static void begin(struct matmul *x)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    const struct matmul_tile *t = x->tile;
    spv_id across = spv_c32(b, t->bn / t->tn), local = emit_local(e, 0), row = x->row0, col = local;
    if (t->bm != t->tm) {
        spv_id down = emit_div(e, local, across);
        row = emit_add(e, x->row0, emit_mul(e, down, spv_c32(b, t->tm)));
        col = emit_mod(e, local, across);
    }
    col = emit_add(e, x->col0, emit_mul(e, col, spv_c32(b, t->tn)));
    for (unsigned i = 0; i < t->tm; i++)
        x->row[i] = emit_add(e, row, spv_c32(b, i));
    for (unsigned j = 0; j < t->tn; j++)
        x->col[j] = emit_add(e, col, spv_c32(b, j));
}

// -- one k at a time -----------------------------------------------------------------------------

static void products_by_one(struct matmul *x, spv_id from, spv_id end)
{
    struct spv *b = &x->e.b;
    spv_id row[MATMUL_MAX_TILE] = {0}, col[MATMUL_MAX_TILE] = {0};
    spv_id va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE];
    for (unsigned i = 0; i < x->tile->tm; i++)
        row[i] = matmul_clamp(x, x->row[i], x->m);
    for (unsigned j = 0; j < x->tile->tn; j++)
        col[j] = matmul_clamp(x, x->col[j], x->n);
    struct spv_loop l;
    spv_loop_begin(b, &l, from, end, spv_c32(b, 1));
    for (unsigned i = 0; i < x->tile->tm; i++)
        va[i] = matmul_load_a(x, row[i], l.i);
    for (unsigned j = 0; j < x->tile->tn; j++)
        vb[j] = matmul_load_b(x, l.i, col[j]);
    matmul_accumulate(x, va, vb);
    spv_loop_end(b, &l);
}

// -- four at a time ------------------------------------------------------------------------------

// One operand: `count` rows or columns from `first`, in groups of four along the line (across) or
// one line each (along k).
struct operand {
    bool a, along_k;
    unsigned count;
    spv_id line[MATMUL_MAX_TILE]; // along_k: the lines; else the groups within a line
};

static void find_lines(struct matmul *x, struct operand *o, const spv_id *index, spv_id extent)
{
    struct emit *e = &x->e;
    spv_id four = spv_c32(&e->b, 4), groups = emit_div(e, extent, four);
    unsigned n = o->along_k ? o->count : o->count / 4;
    for (unsigned i = 0; i < n; i++)
        o->line[i] = o->along_k ? matmul_clamp(x, index[i], extent)
                                : matmul_clamp(x, emit_div(e, index[4 * i], four), groups);
}

// Fills v[k][i] for the four k from 4 * k4.
static void load_four(struct matmul *x, const struct operand *o, spv_id k, spv_id k4,
                      spv_id v[4][MATMUL_MAX_TILE])
{
    struct emit *e = &x->e;
    spv_id four[4];
    if (o->along_k) {
        for (unsigned i = 0; i < o->count; i++) {
            matmul_load4(x, o->a, o->line[i], k4, four);
            for (unsigned c = 0; c < 4; c++)
                v[c][i] = four[c];
        }
        return;
    }
    for (uint32_t c = 0; c < 4; c++)
        for (unsigned i = 0; i < o->count / 4; i++)
            matmul_load4(x, o->a, emit_add(e, k, spv_c32(&e->b, c)), o->line[i], &v[c][4 * i]);
}

static void products_by_four(struct matmul *x, spv_id from, spv_id end)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    const struct matmul_tile *t = x->tile;
    struct operand oa = {.a = true, .along_k = !x->shape.ta, .count = t->tm};
    struct operand ob = {.a = false, .along_k = x->shape.tb, .count = t->tn};
    spv_id va[4][MATMUL_MAX_TILE], vb[4][MATMUL_MAX_TILE];
    find_lines(x, &oa, x->row, x->m);
    find_lines(x, &ob, x->col, x->n);
    struct spv_loop l;
    spv_loop_begin(b, &l, from, end, spv_c32(b, 4));
    spv_id k4 = emit_div(e, l.i, spv_c32(b, 4));
    load_four(x, &oa, l.i, k4, va);
    load_four(x, &ob, l.i, k4, vb);
    for (unsigned c = 0; c < 4; c++)
        matmul_accumulate(x, va[c], vb[c]);
    spv_loop_end(b, &l);
}

static void products(struct matmul *x, spv_id from, spv_id end)
{
    bool groups = x->tile->tm % 4 == 0 && x->tile->tn % 4 == 0;
    if (groups && matmul_by_four(&x->shape))
        products_by_four(x, from, end);
    else
        products_by_one(x, from, end);
}

#define ROWS .packs = true, .begin = begin, .products = products

const struct matmul_tile matmul_rows_8x8 = {
    .name = "rows_8x8", MATMUL_SHAPE(8, 64, 1, 8, 8, 8), ROWS};
const struct matmul_tile matmul_rows_4x4 = {
    .name = "rows_4x4", MATMUL_SHAPE(4, 64, 1, 4, 4, 16), ROWS};
// The more outputs an invocation makes of what it loads, the less a CPU device loads, lane by lane.
const struct matmul_tile matmul_rows_8x16 = {
    .name = DISPATCH_FOR_CPU "8x16", MATMUL_SHAPE(8, 128, 1, 8, 16, 8), ROWS};
