// emit_chain.h: kernels that work on the same rows one after another, in one call.
//
// A layer_norm is a sum, another sum and an elementwise kernel, each over the same rows. Apart they
// are three calls with a barrier of the whole device between; as a chain they are one.
#ifndef HLX_CODEGEN_EMIT_CHAIN_H
#define HLX_CODEGEN_EMIT_CHAIN_H

#include "codegen/emit.h"

// A kernel of a chain; of a reduction, the number + 1 of the elementwise kernel it ends with, or 0.
struct emit_link {
    uint32_t kernel, tail;
};

struct emit_chain {
    uint64_t rows, n; // n elements to a row, side by side
    VEC(struct emit_link) kernels;
    VEC(ir_ref) made; // what the kernels store
    size_t buffers;   // that they bind, at most
};

// Adds a kernel behind those that are there, if all that it reads of what they make is of the row
// that it works on; the first is a reduction of rows. What kernels store has four bytes. Returns
// false, and leaves the chain as it was, where a kernel does not fit.
//
// requires: s->place_of is the node's own number for every leaf and every output of a kernel.
// (Where things lie is decided later.) Nothing that the kernel reads besides waits for the chain.
bool emit_chain_add(const struct emit_source *s, struct emit_chain *c, uint32_t kernel,
                    uint32_t tail);

// Writes a chain as one kernel.
void emit_chain(const struct emit_source *s, const struct emit_chain *c, struct emit_call *call);

#endif
