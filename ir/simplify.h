// simplify.h: rewrites that keep every bit: dead code, common subexpressions, constants, moves that
// move nothing, x * 1, x / 1, -(-x), select of a constant. What would change rounding (x + 0, x / c
// to x * (1/c), reassociation) is forbidden by spec/numerics.md.
//
// requires: a verified module. ensures: the same outputs, updates and kept gradients, bit for bit.
#ifndef HLX_IR_SIMPLIFY_H
#define HLX_IR_SIMPLIFY_H

#include "ir/ir.h"

void ir_simplify(struct ir_module *m);

#endif
