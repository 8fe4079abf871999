// emit_matmul_rows.c: products without shared memory or barriers: operands come straight from
// memory, which is what a CPU device does best.
#include "codegen/emit_matmul.h"

// Invocations side by side take neighbouring column groups.
static void begin(struct matmul *x)
{
    struct emit *e = &x->e;
    struct spv *b = &e->b;
    const struct matmul_tile *t = x->tile;
    spv_id across = spv_c32(b, t->bn / t->tn), local = emit_local(e, 0);
    spv_id row = emit_mul(e, emit_div(e, local, across), spv_c32(b, t->tm));
    spv_id col = emit_mul(e, emit_mod(e, local, across), spv_c32(b, t->tn));
    row = emit_add(e, x->row0, row);
    col = emit_add(e, x->col0, col);
    for (unsigned i = 0; i < t->tm; i++)
        x->row[i] = emit_add(e, row, spv_c32(b, i));
    for (unsigned j = 0; j < t->tn; j++)
        x->col[j] = emit_add(e, col, spv_c32(b, j));
}

static void products(struct matmul *x, spv_id from, spv_id end)
{
    struct spv *b = &x->e.b;
    spv_id row[MATMUL_MAX_TILE], col[MATMUL_MAX_TILE], va[MATMUL_MAX_TILE], vb[MATMUL_MAX_TILE];
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

const struct matmul_tile matmul_rows_8x8 = {"rows_8x8", 8, 128, 1, 8, 8, 16, begin, products};
const struct matmul_tile matmul_rows_2x4 = {"rows_2x4", 8, 64, 1, 2, 4, 64, begin, products};
