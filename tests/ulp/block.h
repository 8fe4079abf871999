// block.h: runs a tree of exact.h over many inputs at a time, node by node over blocks of lanes.
//
// It shares nothing with the evaluator but the lane expressions of ops.def, so that the two check
// each other.
#ifndef HLX_TESTS_ULP_BLOCK_H
#define HLX_TESTS_ULP_BLOCK_H

#include "ir/exact.h"

enum { BLOCK_LANES = 512 };

struct block_program;

// Compiles a tree. It may be used by several threads at once.
struct block_program *block_new(const struct exact_tree *t);
void block_free(struct block_program *p);

// Operations of a tree: its nodes without leaves and bitcasts.
unsigned block_ops(const struct exact_tree *t);

// The registers that block_run works in, one set for each thread; free() ends them.
uint32_t *block_registers(const struct block_program *p);

// Computes BLOCK_LANES results, bits from bits. With `flush`, subnormals are flushed as in the
// exact profile; without, the arithmetic is that of IEEE (on machines that can do both).
void block_run(const struct block_program *p, uint32_t *registers, const uint32_t *const args[2],
               uint32_t *out, bool flush);

#endif
