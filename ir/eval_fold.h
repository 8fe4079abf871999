// eval_fold.h: many elements to one in the order of spec/numerics.md, for sums, maxima and minima.
//
// Elements come as rows of `width` lanes, each lane folded for itself; width 1 takes runs. 32
// partial results take every 32nd element; after 4096 elements, and at the end, a tree joins them.
// The results of blocks are the elements of the next level, if there are several.
#ifndef HLX_IR_EVAL_FOLD_H
#define HLX_IR_EVAL_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "ir/ops.h"
#include "ir/types.h"

enum { FOLD_LEVELS = 4 }; // 4096^4 elements

struct fold_kind;

struct fold {
    const struct fold_kind *kind;
    size_t width;
    unsigned levels;
    uint32_t *partial[FOLD_LEVELS]; // 32 rows each
    unsigned count[FOLD_LEVELS];    // elements in the open block
};

// sum, reduce_max or reduce_min of f32, i32 or u32.
const struct fold_kind *fold_kind(enum ir_op op, enum dtype t);

// Bytes that a fold of n elements (at most) in rows of `width` lanes needs.
size_t fold_bytes(int64_t n, size_t width);

void fold_begin(struct fold *f, const struct fold_kind *kind, int64_t n, size_t width,
                void *memory);
void fold_row(struct fold *f, const void *row);         // one element per lane
void fold_run(struct fold *f, const void *x, size_t n); // width 1: n elements
void fold_end(struct fold *f, void *out);               // width results; begin again before use

#endif
