// emit_reduce.h: what the two ways to write a reduction share. Private to emit_reduce*.c.
#ifndef HLX_CODEGEN_EMIT_REDUCE_H
#define HLX_CODEGEN_EMIT_REDUCE_H

#include "codegen/emit.h"

enum {
    REDUCE_GROUP = 256,
    REDUCE_PARTIALS = 32
}; // invocations of a workgroup; of the order of sums

// What a reduction does with two values. argmax carries an index beside its key.
struct reducer {
    enum ir_op op;
    enum lane lane;
    bool with_index;
};

// One pass: `n` elements for each of `outputs`, found through the two maps.
struct reduce_pass {
    struct reducer how;
    uint64_t outputs, n, blocks;
    struct tape_map kept, reduced;
    bool adjacent; // neighbours in memory are neighbours in `reduced`
};

// The first pass of a reduction, over the elements of its operand.
struct reduce_pass reduce_first_pass(const struct ir_graph *g, ir_ref r);

// The bits that joining leaves alone (of a sum: where partial sums start).
uint32_t reduce_neutral(const struct reducer *how);
struct emit_value reduce_join(struct emit *e, const struct reducer *how, struct emit_value x,
                              struct emit_value y);
// Stores the result of output `unit` as the value of the kernel's anchor, and runs the tail on it.
void reduce_finish(struct emit *e, uint32_t kernel, uint32_t tail, spv_id unit,
                   struct emit_value v);

// Whether a pass is short enough for emit_reduce_short; the draft of the kernel's elements is made.
bool reduce_is_short(const struct emit *e, const struct reduce_pass *p);
// Writes a short pass and ends the kernel: one invocation adds up one output.
void emit_reduce_short(struct emit *e, const struct reduce_pass *p, uint32_t kernel, uint32_t tail);

#endif
