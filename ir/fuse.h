// fuse.h: groups the nodes of a graph into kernels. Fusion never changes a bit: each operation
// still rounds once, in the orders of spec/numerics.md.
//
// requires: a verified graph without META nodes. ensures: every live node that is neither leaf nor
// view is in exactly one kernel, kernels are in an order where what they read comes first.
#ifndef HLX_IR_FUSE_H
#define HLX_IR_FUSE_H

#include "ir/ir.h"

// A kernel: one anchor and the elementwise nodes fused with it, in graph order, the anchor
// included.
//
//    MAP     elementwise on one number of elements; the anchor is the last node
//    REDUCE  the anchor reduces what elementwise nodes give it, element by element
//    MATMUL  elementwise nodes after the anchor, on its elements; nothing else is stored
//    MOVE    copies; GATHER: rows by index; LEAF: an iota or random bits that must lie in memory
//
// Nodes that another kernel or a root reads are `outputs` (stored); the rest live in registers.
// `inputs` are the nodes of other kernels and the leaves that it reads, behind their views.
struct ir_kernel {
    enum ir_class class; // IRC_MAP, IRC_REDUCE, IRC_MATMUL, IRC_MOVE, IRC_GATHER, IRC_LEAF
    ir_ref anchor;
    VEC(ir_ref) nodes;
    VEC(ir_ref) inputs;
    VEC(ir_ref) outputs;
};

struct ir_fusion {
    bool fused;
    VEC(struct ir_kernel) kernels;
    VEC(uint32_t) kernel_of; // node -> kernel index + 1; 0: leaf, view or dead
};

// Groups what is needed for `roots`. With fuse = false every node is a kernel of its own.
void ir_fuse(const struct ir_graph *g, const ir_ref *roots, size_t nroots, bool fuse,
             struct arena *a, struct ir_fusion *out);

// Whether a kernel stores a node.
bool ir_kernel_stores(const struct ir_kernel *k, ir_ref r);

// Views: a reshape, or a broadcast that only adds axes of extent 1, shows the elements of its
// operand in the same order, so it is never stored. Returns the node behind r.
ir_ref ir_view_base(const struct ir_graph *g, ir_ref r);

// What an elementwise node or a reduction of `f` reads for its operand r: the elements of `node` in
// order; or, where `via` is not 0, through that broadcast: element i is the one that the broadcast
// shows at i. In a graph that is not fused broadcasts are stored, and via is 0.
struct ir_view {
    ir_ref node, via;
};
struct ir_view ir_view_of(const struct ir_graph *g, bool fused, ir_ref r);

// Prints kernels for `hlxc --dump=fuse`.
void ir_fusion_print(const struct ir_graph *g, const struct ir_fusion *f, struct buf *out);

#endif
