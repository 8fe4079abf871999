// eval.h: the CPU evaluator: the executable form of spec/numerics.md, and the device `cpu`.
//
// It computes the roots of a graph from the entry's inputs, the vars and the counters. Bits do not
// depend on compiler, flags, machine or fusion. On x86-64 it runs with FTZ and DAZ set (and
// restores the caller's mode); elsewhere, or built with HLX_SOFT_FLUSH, it flushes in software.
#ifndef HLX_IR_EVAL_H
#define HLX_IR_EVAL_H

#include "ir/ir.h"

struct eval_counters {
    uint64_t seed;
    uint32_t step; // 0 for initialisers; the first training step is 1
};

enum {
    EVAL_NO_FUSE = 1,    // every node a kernel of its own
    EVAL_TREES_ONLY = 2, // div and sqrt of f32 by their trees too, not by the hardware's
};

struct eval;

// Prepares the roots of a verified graph without META nodes. Returns NULL with a sentence in *error
// (static) when memory runs out.
struct eval *eval_new(const struct ir_graph *g, const ir_ref *roots, size_t nroots, unsigned flags,
                      const char **error);
void eval_free(struct eval *e);

// Bytes of working memory held.
size_t eval_memory(const struct eval *e);

// Runs once, on HLX_THREADS threads (from the environment at eval_new; else one per processor); not
// to be called for one eval from two threads at once. inputs[i] and vars[i] point to row-major
// tensors of the entry's input i and the module's var i in storage form (only those that are read
// are touched); out[i] receives root i and overlaps nothing else. Input floats are flushed; NaN
// bits in `out` are canonical (0x7fc00000).
void eval_run(struct eval *e, const void *const *inputs, const void *const *vars,
              const struct eval_counters *counters, void *const *out);

#endif
