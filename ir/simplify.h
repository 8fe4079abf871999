// simplify.h: rewrites that keep every bit: dead code, common subexpressions, constants, moves that
// move nothing, x * 1, x / 1, -(-x), select of a constant. What would change rounding (x + 0, x / c
// to x * (1/c), reassociation) is forbidden by spec/numerics.md.
//
// requires: a verified module without META nodes. ensures: the same outputs and updates, bit for
// bit. Kept gradients that nothing else needs are dropped: they are no part of the program.
#ifndef HLX_IR_SIMPLIFY_H
#define HLX_IR_SIMPLIFY_H

#include "ir/ir.h"

void ir_simplify(struct ir_module *m);

#endif
