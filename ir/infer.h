// infer.h: the type rules, one function per TYPE(...) name in ops.def.
#ifndef HLX_IR_INFER_H
#define HLX_IR_INFER_H

#include "ir/ir.h"

// Why a node cannot be typed, for a message to the user.
struct ir_fault {
    const char *message; // "shapes do not match", in the module's arena
    int arg;             // operand at fault, or -1
    int axis;            // axis at fault in that operand, or -1
};

// Computes the result type of an operation. `wanted` gives the result where the operands do not
// (rules given, reshape, broadcast, cast, bitcast, iota, and the element type of random bits);
// elsewhere it is 0 or must agree. Dimension names travel from operands to the result. Returns
// false and fills *fault when the operation cannot take these operands.
bool ir_infer(struct ir_module *m, enum ir_op op, const ir_typeid *args, unsigned nargs,
              const int64_t *attrs, unsigned nattrs, ir_typeid wanted, ir_typeid *out,
              struct ir_fault *fault);

#endif
