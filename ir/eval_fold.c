// eval_fold.c: the one order of sums (maxima and minima take it too, though they need none).
#include "ir/eval_fold.h"

#include <string.h>

#include "ir/eval_step.h"
#include "ir/lanes.h"

enum { PARTIALS = 32, BLOCK = 4096 };

// into[i] = into[i] op x[i]; and for runs of whole groups, into[j] op= x[32 g + j].
typedef void join_fn(void *restrict into, const void *restrict x, size_t n);

struct fold_kind {
    uint32_t start; // bits of the element that changes nothing; +0 for sums, which add it
    join_fn *join, *join_groups;
};

#define KIND(name, type, expression)                                                               \
    static void name(void *restrict into, const void *restrict x, size_t n)                        \
    {                                                                                              \
        type *to = into;                                                                           \
        const type *from = x;                                                                      \
        for (size_t i = 0; i < n; i++) {                                                           \
            type a = to[i], b = from[i];                                                           \
            to[i] = expression;                                                                    \
        }                                                                                          \
    }                                                                                              \
    static void name##_groups(void *restrict into, const void *restrict x, size_t groups)          \
    {                                                                                              \
        type partial[PARTIALS];                                                                    \
        const type *from = x;                                                                      \
        memcpy(partial, into, sizeof partial);                                                     \
        for (size_t g = 0; g < groups; g++, from += PARTIALS)                                      \
            for (size_t i = 0; i < PARTIALS; i++) {                                                \
                type a = partial[i], b = from[i];                                                  \
                partial[i] = expression;                                                           \
            }                                                                                      \
        memcpy(into, partial, sizeof partial);                                                     \
    }

KIND(sum_f32, lane_float, f32_add(a, b))
KIND(sum_u32, lane_uint32_t, a + b)
KIND(max_f32, lane_float, f32_max(a, b))
KIND(max_i32, lane_int32_t, a > b ? a : b)
KIND(max_u32, lane_uint32_t, a > b ? a : b)
KIND(min_f32, lane_float, f32_min(a, b))
KIND(min_i32, lane_int32_t, a < b ? a : b)
KIND(min_u32, lane_uint32_t, a < b ? a : b)

const struct fold_kind *fold_kind(enum ir_op op, enum dtype t)
{
    static const struct fold_kind kinds[3][3] = {
        {{0, sum_f32, sum_f32_groups}, {0, sum_u32, sum_u32_groups}, {0, sum_u32, sum_u32_groups}},
        {{0xff800000u, max_f32, max_f32_groups},
         {0x80000000u, max_i32, max_i32_groups},
         {0, max_u32, max_u32_groups}},
        {{0x7f800000u, min_f32, min_f32_groups},
         {0x7fffffffu, min_i32, min_i32_groups},
         {0xffffffffu, min_u32, min_u32_groups}},
    };
    unsigned what = op == IR_reduce_max ? 1 : op == IR_reduce_min ? 2 : 0;
    return &kinds[what][t == DT_F32 ? 0 : t == DT_I32 ? 1 : 2];
}

static unsigned levels_for(int64_t n)
{
    unsigned levels = 1;
    for (; n > BLOCK; n = (n + BLOCK - 1) / BLOCK)
        levels++;
    return levels;
}

size_t fold_bytes(int64_t n, size_t width)
{
    return levels_for(n) * PARTIALS * width * 4;
}

static void open_block(struct fold *f, unsigned level)
{
    f->count[level] = 0;
    for (size_t i = 0; i < PARTIALS * f->width; i++)
        f->partial[level][i] = f->kind->start;
}

void fold_begin(struct fold *f, const struct fold_kind *kind, int64_t n, size_t width, void *memory)
{
    f->kind = kind;
    f->width = width;
    f->levels = levels_for(n);
    for (unsigned i = 0; i < f->levels; i++) {
        f->partial[i] = (uint32_t *)memory + i * PARTIALS * width;
        open_block(f, i);
    }
}

// The tree. Partials that took no element are still what they started as, and adding +0 twice is
// adding it once, so the tree may begin at the first step that meets an element on one side.
static const uint32_t *join_block(struct fold *f, unsigned level)
{
    uint32_t *p = f->partial[level];
    size_t w = PARTIALS;
    while (w > 2 && f->count[level] <= w / 4)
        w /= 2;
    for (; w > 1; w /= 2)
        f->kind->join(p, p + w / 2 * f->width, w / 2 * f->width);
    return p;
}

static void fold_row_at(struct fold *f, unsigned level, const void *row);

// A block is closed when an element comes that it has no room for: the last one stays open.
static void close_full_block(struct fold *f, unsigned level)
{
    if (f->count[level] < BLOCK)
        return;
    fold_row_at(f, level + 1, join_block(f, level));
    open_block(f, level);
}

static void fold_row_at(struct fold *f, unsigned level, const void *row)
{
    close_full_block(f, level);
    size_t to = f->count[level]++ % PARTIALS;
    f->kind->join(f->partial[level] + to * f->width, row, f->width);
}

void fold_row(struct fold *f, const void *row)
{
    fold_row_at(f, 0, row);
}

// As many elements as there are partials behind the next one.
static size_t add_some(struct fold *f, const uint32_t *x, size_t n)
{
    size_t to = f->count[0] % PARTIALS, room = PARTIALS - to;
    n = n < room ? n : room;
    f->kind->join(f->partial[0] + to, x, n);
    return n;
}

static size_t add_groups(struct fold *f, const uint32_t *x, size_t n)
{
    size_t room = BLOCK - f->count[0];
    n = (n < room ? n : room) / PARTIALS * PARTIALS;
    f->kind->join_groups(f->partial[0], x, n / PARTIALS);
    return n;
}

void fold_run(struct fold *f, const void *x, size_t n)
{
    for (const uint32_t *at = x; n;) {
        close_full_block(f, 0);
        bool whole = f->count[0] % PARTIALS == 0 && n >= PARTIALS;
        size_t done = whole ? add_groups(f, at, n) : add_some(f, at, n);
        f->count[0] += (unsigned)done;
        at += done;
        n -= done;
    }
}

void fold_end(struct fold *f, void *out)
{
    unsigned level = 0;
    const uint32_t *result = join_block(f, 0);
    for (; level + 1 < f->levels && f->count[level + 1]; level++) {
        fold_row_at(f, level + 1, result);
        result = join_block(f, level + 1);
    }
    memcpy(out, result, f->width * 4);
}
