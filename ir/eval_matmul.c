// eval_matmul.c: matrix products: 512 products at a time into registers, blocks added left to
// right.
//
// The order of spec/numerics.md is per result, so tiles may be cut anywhere: a part of the work is
// a block of results; its rows and columns are packed so that the innermost loop reads in order.
#include "ir/eval_step.h"

#include <string.h>

#include "ir/lanes.h"

enum { DEPTH = 512, BLOCK_ROWS = 96, MOST_COLS = 256, LEAST_COLS = 64 };

// -- tiles ---------------------------------------------------------------------------------------

typedef void tile_fn(const float *restrict a, const float *restrict b, int64_t n,
                     float *restrict tile);

struct tile {
    tile_fn *fn;
    int64_t rows, cols;
};

enum { TILE_MOST = 6 * 16 };

#define TILE_NAME(x) x##_plain
#define TILE_TARGET
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define TILE_LANES 4
#include "ir/matmul_tile.h"
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_ROWS
#undef TILE_LANES

#if defined(__x86_64__)
#define TILE_NAME(x) x##_avx2
#define TILE_TARGET __attribute__((target("avx2")))
#define TILE_ROWS 6
#define TILE_LANES 8
#include "ir/matmul_tile.h"
#endif

static struct tile best_tile(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return (struct tile){tile_avx2, 6, 16};
#endif
    return (struct tile){tile_plain, 4, 8};
}

// -- one block of results ------------------------------------------------------------------------

// A matrix: element (i, k) at i * step + k * along, k the axis that is summed over.
struct matrix {
    const float *at;
    int64_t step, along;
};

struct plan {
    int64_t batch, m, n, k;
    struct matrix a, b; // strides only
    int64_t block_cols, row_blocks, col_blocks;
    size_t packed_a; // bytes
    struct tile tile;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t round_up(int64_t x, int64_t to)
{
    return (x + to - 1) / to * to;
}

// Rows from .. from + n of a matrix, `width` at a time: [n / width][depth][width], short ones
// filled up with zeros whose results are thrown away.
static void pack(const struct matrix *x, int64_t from, int64_t n, int64_t k, int64_t depth,
                 int64_t width, float *out)
{
    for (int64_t i = 0; i < n; i += width, out += width * depth) {
        int64_t rows = least(width, n - i);
        const float *at = x->at + (from + i) * x->step + k * x->along;
        if (rows < width)
            memset(out, 0, (size_t)(width * depth) * sizeof *out);
        if (x->step == 1) {
            for (int64_t p = 0; p < depth; p++)
                memcpy(out + p * width, at + p * x->along, (size_t)rows * sizeof *out);
            continue;
        }
        for (int64_t r = 0; r < rows; r++)
            for (int64_t p = 0; p < depth; p++)
                out[p * width + r] = at[r * x->step + p * x->along];
    }
}

// A tile into its place: stored for the first block of products, added for later ones.
static void put_tile(const float *tile, int64_t width, int64_t rows, int64_t cols, bool first,
                     float *out, int64_t step)
{
    for (int64_t i = 0; i < rows; i++, tile += width, out += step) {
        if (first)
            memcpy(out, tile, (size_t)cols * sizeof *out);
        else
            for (int64_t j = 0; j < cols; j++)
                out[j] = f32_add(out[j], tile[j]);
    }
}

struct job {
    struct eval *e;
    const struct plan *p;
    const float *a, *b;
    float *out;
    int64_t blocks, per_part;
};

// Multiplies the packed rows by the packed columns.
static void multiply(const struct plan *p, const float *a, const float *b, int64_t rows,
                     int64_t cols, int64_t depth, bool first, float *out)
{
    const struct tile *t = &p->tile;
    float tile[TILE_MOST];
    for (int64_t j = 0; j < cols; j += t->cols)
        for (int64_t i = 0; i < rows; i += t->rows) {
            t->fn(a + i * depth, b + j * depth, depth, tile);
            put_tile(tile, t->cols, least(t->rows, rows - i), least(t->cols, cols - j), first,
                     out + i * p->n + j, p->n);
        }
}

static void do_block(const struct job *j, int64_t block, char *scratch)
{
    const struct plan *p = j->p;
    int64_t col = block % p->col_blocks * p->block_cols, rest = block / p->col_blocks;
    int64_t row = rest % p->row_blocks * BLOCK_ROWS, batch = rest / p->row_blocks;
    int64_t rows = least(BLOCK_ROWS, p->m - row), cols = least(p->block_cols, p->n - col);
    struct matrix a = p->a, b = p->b;
    float *packed_a = (float *)scratch, *packed_b = (float *)(scratch + p->packed_a);
    float *out = j->out + (batch * p->m + row) * p->n + col;
    a.at = j->a + batch * p->m * p->k;
    b.at = j->b + batch * p->n * p->k;
    for (int64_t k = 0; k < p->k; k += DEPTH) {
        int64_t depth = least(DEPTH, p->k - k);
        pack(&a, row, rows, k, depth, p->tile.rows, packed_a);
        pack(&b, col, cols, k, depth, p->tile.cols, packed_b);
        multiply(p, packed_a, packed_b, rows, cols, depth, k == 0, out);
    }
}

// -- the class -----------------------------------------------------------------------------------

static void do_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    int64_t from = (int64_t)part * j->per_part, to = least(from + j->per_part, j->blocks);
    for (int64_t block = from; block < to; block++)
        do_block(j, block, eval_scratch(j->e, worker));
}

// Few large blocks are quickest for one thread; several threads need several.
static void plan_blocks(struct plan *p, unsigned workers)
{
    p->row_blocks = (p->m + BLOCK_ROWS - 1) / BLOCK_ROWS;
    p->block_cols = MOST_COLS;
    for (;; p->block_cols /= 2) {
        p->col_blocks = (p->n + p->block_cols - 1) / p->block_cols;
        if (p->batch * p->row_blocks * p->col_blocks >= workers || p->block_cols == LEAST_COLS)
            return;
    }
}

static void prepare(struct eval *e, struct eval_step *s)
{
    struct plan *p = s->plan = arena_new(&e->arena, struct plan);
    const struct ir_type *a = eval_operand_type(e, s, 0), *out = eval_result_type(e, s);
    bool ta = ir_attr(e->graph, s->kernel->anchor, 0), tb = ir_attr(e->graph, s->kernel->anchor, 1);
    p->m = out->dim[out->rank - 2];
    p->n = out->dim[out->rank - 1];
    p->k = a->dim[ta ? a->rank - 2 : a->rank - 1];
    p->batch = ir_type_count(out) / (p->m * p->n);
    p->a = ta ? (struct matrix){NULL, 1, p->m} : (struct matrix){NULL, p->k, 1};
    p->b = tb ? (struct matrix){NULL, p->k, 1} : (struct matrix){NULL, 1, p->n};
    plan_blocks(p, team_size(e->team));
    p->tile = best_tile();
    int64_t depth = least(p->k, DEPTH);
    p->packed_a = (size_t)(round_up(least(p->m, BLOCK_ROWS), p->tile.rows) * depth) * sizeof(float);
    p->packed_a = (p->packed_a + 63) / 64 * 64;
    s->scratch =
        p->packed_a +
        (size_t)(round_up(least(p->n, p->block_cols), p->tile.cols) * depth) * sizeof(float);
}

static void run(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    struct job j = {e, p, eval_operand(e, s, 0), eval_operand(e, s, 1), e->slot[0], 0, 0};
    j.out = eval_result(e, s);
    j.blocks = p->batch * p->row_blocks * p->col_blocks;
    double cost =
        (double)p->k * (double)least(p->m, BLOCK_ROWS) * (double)least(p->n, p->block_cols);
    int64_t parts = (int64_t)eval_parts(e, j.blocks, cost);
    j.per_part = (j.blocks + parts - 1) / parts;
    team_run(e->team, (size_t)((j.blocks + j.per_part - 1) / j.per_part), do_part, &j);
}

const struct eval_class eval_matmul = {prepare, run};
