// grad_rules.h: what a gradient rule sees; private to grad*.c.
#ifndef HLX_IR_GRAD_RULES_H
#define HLX_IR_GRAD_RULES_H

#include "ir/build.h"

struct grad_walk; // of grad.c

// One node on the way back. References are to the graph `g` being built; the gradient of any float
// tensor is f32 of its shape.
struct grad_step {
    struct ir_graph *g;
    const ir_ref *a; // operands
    ir_ref y, dy;    // the node itself and its gradient
    unsigned nargs;
    const int64_t *attrs;
    const bool *need; // operands whose gradient is wanted
    ir_ref *da;       // out: their gradients; 0 says none flows
    struct grad_walk *walk;
    ir_ref source; // the node in the graph being differentiated
};

// Builders that read like formulas.
ir_ref grad_neg(struct grad_step *s, ir_ref a);
ir_ref grad_add(struct grad_step *s, ir_ref a, ir_ref b);
ir_ref grad_sub(struct grad_step *s, ir_ref a, ir_ref b);
ir_ref grad_mul(struct grad_step *s, ir_ref a, ir_ref b);
ir_ref grad_div(struct grad_step *s, ir_ref a, ir_ref b);
ir_ref grad_lt(struct grad_step *s, ir_ref a, ir_ref b);
ir_ref grad_fill(struct grad_step *s, ir_ref like, float x); // f32 of like's shape

// One rule per GRAD(...) name of ops.def.
#define GRAD(rule) grad_##rule##_rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc)                           \
    void grad(struct grad_step *s);
#include "ir/ops.def"
#undef OP
#undef GRAD

#endif
