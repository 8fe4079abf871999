// simplify_rules.h: what the rewrites see; private to simplify*.c.
#ifndef HLX_IR_SIMPLIFY_RULES_H
#define HLX_IR_SIMPLIFY_RULES_H

#include "ir/build.h"

// A graph being rebuilt.
struct simplifier {
    struct ir_graph *g;
    struct map numbers; // (op, type, operands, attributes) -> node of g
    VEC(bool) clean;    // per node of g: holds no subnormal and no NaN but the canonical one
};

// A node about to be made; operands are nodes of g already.
struct simplify_node {
    enum ir_op op;
    ir_typeid type;
    const ir_ref *a;
    unsigned nargs;
    const int64_t *attrs;
    unsigned nattrs;
};

// Makes a node, or finds the one that is there already.
ir_ref simplify_make(struct simplifier *s, const struct simplify_node *n);

// A simpler node of g with the same bits, or 0.
ir_ref simplify_rewrite(struct simplifier *s, const struct simplify_node *n);

// Whether node r of s->g is clean, given its operands.
bool simplify_is_clean(const struct simplifier *s, ir_ref r);

// Replaces small nodes that depend on constants only. Returns a new graph, with map->to filled, or
// NULL when there was nothing to fold.
struct ir_graph *simplify_fold(const struct ir_graph *g, const bool *live, ir_ref *to);

#endif
