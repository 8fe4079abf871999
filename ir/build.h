// build.h: making nodes. Every builder infers the type; a node that does not type is a BUG (the
// caller checks user input with ir_infer first). Leaves (const, input, var, counter) are made
// once per graph; other nodes are not merged (that is simplify's work).
#ifndef HLX_IR_BUILD_H
#define HLX_IR_BUILD_H

#include "ir/infer.h"
#include "ir/ir.h"

// The general builder. `wanted` as for ir_infer.
ir_ref ir_node_make(struct ir_graph *g, enum ir_op op, const ir_ref *args, unsigned nargs,
                    const int64_t *attrs, unsigned nattrs, ir_typeid wanted);

// Copies node r of graph `from` to graph g with the operands given (same module).
ir_ref ir_node_copy(struct ir_graph *g, const struct ir_graph *from, ir_ref r, const ir_ref *args);

ir_ref ir_unary(struct ir_graph *g, enum ir_op op, ir_ref a);
ir_ref ir_binary(struct ir_graph *g, enum ir_op op, ir_ref a, ir_ref b); // equal shapes
ir_ref ir_select(struct ir_graph *g, ir_ref cond, ir_ref a, ir_ref b);

// Scalar constants (rank 0).
ir_ref ir_const_f32(struct ir_graph *g, float x);
ir_ref ir_const_bits(struct ir_graph *g, enum dtype dtype, uint32_t bits);
// A constant of any shape, one 32-bit pattern per element.
ir_ref ir_const_array(struct ir_graph *g, ir_typeid type, const uint32_t *bits);
// A scalar constant spread over the shape of `like` (f32 value converted to like's dtype exactly).
ir_ref ir_splat_f32(struct ir_graph *g, ir_typeid like, float x);

ir_ref ir_input(struct ir_graph *g, uint32_t index, ir_typeid type);
ir_ref ir_var_read(struct ir_graph *g, uint32_t index); // type from module->vars
ir_ref ir_cast(struct ir_graph *g, ir_ref a, enum dtype to);
ir_ref ir_bitcast(struct ir_graph *g, ir_ref a, enum dtype to);
ir_ref ir_reduce(struct ir_graph *g, enum ir_op op, ir_ref a, const int64_t *axes, unsigned n);
ir_ref ir_matmul(struct ir_graph *g, ir_ref a, ir_ref b, bool ta, bool tb);
ir_ref ir_reshape(struct ir_graph *g, ir_ref a, unsigned rank, const int64_t *dims);
ir_ref ir_reshape_to(struct ir_graph *g, ir_ref a, ir_typeid type); // shape of type, dtype of a
ir_ref ir_broadcast_to(struct ir_graph *g, ir_ref a, ir_typeid type);
ir_ref ir_transpose(struct ir_graph *g, ir_ref a, const int64_t *perm);

// 2^32-safe helpers for passes: a graph is rewritten by building a new one.
struct ir_remap {
    ir_ref *to; // old reference -> new reference (0: gone)
    size_t n;
};

// Rewrites every reference an entry holds (outputs, updates, grads) after its graph was rebuilt.
void ir_entry_remap(struct ir_entry *e, struct ir_graph *fresh, const struct ir_remap *map);

// Collects every root of an entry (outputs, updates, and grads if `with_grads`) into *roots.
typedef VEC(ir_ref) ir_refs;
void ir_entry_roots(const struct ir_entry *e, bool with_grads, struct arena *a, ir_refs *roots);

// Ends the program with "internal error" and where (exit 70). For what can only be our fault.
_Noreturn void ir_bug(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define IR_BUG(...) ir_bug(__FILE__, __LINE__, __VA_ARGS__)

#endif
