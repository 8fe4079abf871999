// oracle64.h: a plain evaluator of IR graphs in double precision, for checking gradients. It shares
// nothing with ir/eval.c: no trees, no flushing, no fixed orders; elementary functions are libm's.
#ifndef HLX_TESTS_ORACLE64_H
#define HLX_TESTS_ORACLE64_H

#include "ir/ir.h"

// Values of all nodes: result[r] has one double per element of node r, or is NULL for grad and
// cotangent nodes and what depends on them. stop_gradient and custom give their first operand;
// casts between float types keep the value. inputs[i] is input i. The memory is the arena's.
double **oracle64(const struct ir_graph *g, const double *const *inputs, struct arena *a);

#endif
