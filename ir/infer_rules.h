// infer_rules.h: what the type rules share; private to infer*.c.
#ifndef HLX_IR_INFER_RULES_H
#define HLX_IR_INFER_RULES_H

#include "ir/infer.h"

// One call of ir_infer.
struct infer {
    struct ir_module *m;
    enum ir_op op;
    const char *name; // of the operation
    const ir_typeid *args;
    unsigned nargs;
    const int64_t *attrs;
    unsigned nattrs;
    ir_typeid wanted;
    struct ir_fault *fault;
};

// Fills the fault. Returns 0, "no type", so that rules can return it.
ir_typeid infer_fail(struct infer *c, int arg, int axis, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const struct ir_type *infer_arg(const struct infer *c, unsigned i);
const char *infer_text(const struct infer *c, unsigned i);       // "f32[B=4, 16]"
const char *infer_shape_text(const struct infer *c, unsigned i); // "[4, 16]"

// The result with some dimensions, after checking that it is not too large.
ir_typeid infer_result(struct infer *c, enum dtype dtype, unsigned rank, const int64_t *dims,
                       const ir_name *names);

// Rules return the result's type or infer_fail(...).
#define TYPE(rule) infer_##rule##_rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc)                           \
    ir_typeid type(struct infer *c);
#include "ir/ops.def"
#undef OP
#undef TYPE

#endif
