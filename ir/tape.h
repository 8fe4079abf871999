// tape.h: elementwise work as a straight line of instructions over registers of many lanes.
//
// A tape computes the elementwise nodes of one kernel for a run of consecutive elements. Operations
// of kind TREE are expanded in place, equal instructions are made once, and what does not depend on
// the element (constants, scalars) is computed once per run, not per block.
#ifndef HLX_IR_TAPE_H
#define HLX_IR_TAPE_H

#include "ir/exact.h"
#include "ir/fuse.h"

enum { TAPE_LANES = 256 }; // lanes of a register; one block

// Where tensors lie is known per run only: tapes name them by slot, an index into a table of
// pointers.
typedef uint32_t tape_slot;

struct tape_source {
    const struct ir_graph *graph;
    const struct ir_fusion *fusion;
    struct exact_trees *trees;
    const tape_slot *slot_of; // by node: stored nodes and leaves in memory
    const bool *observed;     // by node: leaves the evaluator, so NaNs are made canonical
    tape_slot counters;       // u32[3]: seed low, seed high, step
    bool trees_only;          // no hardware division and square root
    bool clean;               // inputs and vars hold no subnormals, and truth is 0 or 1
    // Operations on f32 that are kept as they are, for a target that has them itself (the native
    // profile on a device). NULL: none.
    bool (*direct)(enum ir_op op);
};

struct tape;

// Compiles the elementwise nodes of a kernel; `result` (0: none) is a node to hand to the caller
// block by block, as its lanes.
struct tape *tape_compile(const struct tape_source *s, uint32_t kernel, ir_ref result,
                          struct arena *a);

// Instructions per element, for deciding whether work is worth sharing.
size_t tape_cost(const struct tape *t);

// Bytes of scratch memory a run needs (64-byte aligned).
size_t tape_scratch(const struct tape *t);

// The loops of one instruction set.
typedef void tape_loop(void *restrict d, const void *a, const void *b, const void *c, size_t n);

struct tape_loops {
    tape_loop *const (*row)[4]; // by operation and lane type
    tape_loop *const *extra;
};

struct tape_run {
    const struct tape *tape;
    void *const *slot;
    void **reg; // by register
    struct tape_loops loops;
};

// Starts a run over blocks of at most `lanes` (<= TAPE_LANES) elements.
void tape_begin(struct tape_run *run, const struct tape *t, void *const *slot, void *scratch,
                size_t lanes);

// Runs elements start .. start + n and stores what is to be stored. Returns the result's lanes
// (valid until the next block), NULL if there is none.
const void *tape_block(struct tape_run *run, int64_t start, size_t n);

#endif
