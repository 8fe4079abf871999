// ops.h: the enumeration of operations and their static description, made from ops.def.
#ifndef HLX_IR_OPS_H
#define HLX_IR_OPS_H

#include <stdbool.h>
#include <stdint.h>

#define IR_VARIADIC 255

enum ir_op {
    IR_none,
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) IR_##name,
#include "ir/ops.def"
#undef OP
    IR_OP_COUNT
};

enum ir_class {
    IRC_LEAF,
    IRC_MAP,
    IRC_REDUCE,
    IRC_MATMUL,
    IRC_MOVE,
    IRC_GATHER,
    IRC_ACROSS,
    IRC_META
};
// What `across` does: its attribute.
enum ir_across { IR_ACROSS_SUM, IR_ACROSS_MAX, IR_ACROSS_MIN, IR_ACROSS_COUNT };

enum ir_exact { IRX_PRIM, IRX_TREE, IRX_SHAPE, IRX_ORDER, IRX_META };

struct ir_op_info {
    const char *name;
    uint8_t nargs; // IR_VARIADIC: one or more
    enum ir_class class;
    const char *attrs;   // names, space separated; a trailing * on the last: a list
    const char *type;    // name of the type rule
    const char *grad;    // name of the gradient rule
    const char *lane[4]; // C expressions for f32, i32, u32, bool: for spec/ops.md
    enum ir_exact exact;
    const char *doc;
};

const struct ir_op_info *ir_op_info(enum ir_op op);
bool ir_op_find(const char *name, enum ir_op *out);
// Whether a MAP operation takes operands of 32-bit lane type `lane` (0 f32, 1 i32, 2 u32, 3 bool).
bool ir_op_takes(enum ir_op op, unsigned lane);
// How many attributes an operation has; with *list the last may stand for none or more.
unsigned ir_op_attr_count(enum ir_op op, bool *list);

// Prints the op reference of spec/ops.md (Markdown).
struct buf;
void ir_ops_markdown(struct buf *out);

#endif
