// exact.h: the elementary functions of the exact profile as expression trees over primitives.
// Written once here; the evaluator runs these trees and codegen emits them (spec/numerics.md,
// section "Functions"; the study behind the constants is credited there).
#ifndef HLX_IR_EXACT_H
#define HLX_IR_EXACT_H

#include "ir/ir.h"

// A tree: a graph of scalar nodes of class MAP and kind PRIM only (plus const and input leaves)
// whose inputs 0..n-1 are the operands. Nodes are in an order of their own, which no C compiler
// changes.
//
// Two operations mean less in a tree than elsewhere. `cast` between f32 and i32 or u32 is there the
// bare conversion of the hardware: an integer rounds to nearest even, a float truncates and is in
// range whatever the operands were (the conversion that saturates is a tree around it). `bitcast`
// moves bits: no result depends on which NaN or which subnormal a lane holds.
//
// Results are the same whether the hardware flushes subnormals in between or not, are never
// subnormal, and every NaN is 0x7fc00000.
struct exact_tree {
    struct ir_graph *graph;
    ir_ref value;
    unsigned nargs;
};

// Lazily built trees of one module (types and graphs are made in it).
struct exact_trees {
    struct ir_module *module;
    struct map index; // (op, from dtype, to dtype) -> struct exact_tree *
};

void exact_init(struct exact_trees *t, struct ir_module *m);

// The tree of an operation with EXACT kind TREE on operands of dtype `from` giving `to` (they
// differ only for cast). Never NULL for a row of kind TREE with a legal pair (for a PRIM of f32, a
// tree of that one node); f16, bf16, i8, u8 and bool lanes travel as u32 lanes that hold the
// storage bits (f16: low 16 bits).
const struct exact_tree *exact_get(struct exact_trees *t, enum ir_op op, enum dtype from,
                                   enum dtype to);

// Runs a tree on one lane: operands and result are words, as they are in its lanes. The caller's
// floating-point mode is kept.
uint32_t exact_run(const struct exact_tree *t, const uint32_t *args);

// Applies an operation of kind TREE (or a PRIM of f32) to compile-time floats by its tree. What is
// a bool comes as 0 or 1.
float exact_call(struct exact_trees *t, enum ir_op op, const float *args, unsigned nargs);

#endif
