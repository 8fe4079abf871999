// exact_trees.h: the builders of the trees, one per operation. Private to ir/exact*.c.
//
// Each adds the nodes of its function to g and returns the result's node; a[0] and a[1] are the
// operands. Algorithms, constants and special cases: spec/numerics.md.
#ifndef HLX_IR_EXACT_TREES_H
#define HLX_IR_EXACT_TREES_H

#include "ir/exact.h"

ir_ref tree_div(struct ir_graph *g, const ir_ref *a);
ir_ref tree_sqrt(struct ir_graph *g, const ir_ref *a);
ir_ref tree_rsqrt(struct ir_graph *g, const ir_ref *a);

// e^x as (hi + lo) * 2^k, hi in [0.7, 1.5]; `field` (u32) is k in the exponent's place. |x| < 2^20;
// elsewhere the parts mean nothing.
struct scaled_sum {
    ir_ref hi, lo, field;
};
struct scaled_sum tree_exp_parts(struct ir_graph *g, ir_ref x);

ir_ref tree_exp(struct ir_graph *g, const ir_ref *a);
ir_ref tree_exp2(struct ir_graph *g, const ir_ref *a);
ir_ref tree_expm1(struct ir_graph *g, const ir_ref *a);
ir_ref tree_sigmoid(struct ir_graph *g, const ir_ref *a);
ir_ref tree_tanh(struct ir_graph *g, const ir_ref *a);
ir_ref tree_erf(struct ir_graph *g, const ir_ref *a);

ir_ref tree_log(struct ir_graph *g, const ir_ref *a);
ir_ref tree_log1p(struct ir_graph *g, const ir_ref *a);
ir_ref tree_pow(struct ir_graph *g, const ir_ref *a);

ir_ref tree_sin(struct ir_graph *g, const ir_ref *a);
ir_ref tree_cos(struct ir_graph *g, const ir_ref *a);

// Any of the 8 * 8 conversions. Lanes of f16, bf16, i8, u8 and bool are u32 with the storage bits.
ir_ref tree_cast(struct ir_graph *g, ir_ref a, enum dtype from, enum dtype to);

#endif
