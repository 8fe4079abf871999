// fuse.h: groups the nodes of a graph into kernels. Fusion never changes a bit: each operation still
// rounds once, in the orders of spec/numerics.md.
//
// requires: a verified graph without META nodes. ensures: every live non-leaf node is in exactly one
// kernel, kernels are in an order where what they read comes first.
#ifndef HLX_IR_FUSE_H
#define HLX_IR_FUSE_H

#include "ir/ir.h"

// A kernel: one anchor (a REDUCE, MATMUL, MOVE that moves, GATHER, or the last MAP node) and the
// elementwise nodes fused with it: `nodes` in graph order. Nodes that another kernel or a root
// reads are `outputs` (stored); the rest live in registers. `inputs` are nodes of other kernels and
// leaves that it reads.
struct ir_kernel {
    enum ir_class class; // IRC_MAP, IRC_REDUCE, IRC_MATMUL, IRC_MOVE, IRC_GATHER, IRC_LEAF
    ir_ref anchor;
    VEC(ir_ref) nodes;
    VEC(ir_ref) inputs;
    VEC(ir_ref) outputs;
};

struct ir_fusion {
    VEC(struct ir_kernel) kernels;
    VEC(uint32_t) kernel_of; // node -> kernel index + 1; 0: leaf or dead
};

// Groups what is needed for `roots`. With fuse = false every node is a kernel of its own.
void ir_fuse(const struct ir_graph *g, const ir_ref *roots, size_t nroots, bool fuse,
             struct arena *a, struct ir_fusion *out);

// Prints kernels for `hlxc --dump=fuse`.
void ir_fusion_print(const struct ir_graph *g, const struct ir_fusion *f, struct buf *out);

#endif
