// exec_shards.h: entries with shards on any device: a plan of two plans; what exec.c hands on.
#ifndef HLX_RUNTIME_EXEC_SHARDS_H
#define HLX_RUNTIME_EXEC_SHARDS_H

#include "ir/shard.h"
#include "runtime/exec.h"

// As the functions of struct exec_ops, for an entry that is split.
struct exec_plan *exec_shards_prepare(struct exec *x, const struct ir_entry *entry,
                                      struct hlx_error *error);
void exec_shards_discard(struct exec_plan *plan);
// Runs the local part of every shard to its end and starts the global part.
bool exec_shards_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                        struct hlx_error *error);

// The plan of the global part: what is collected and hashed.
struct exec_plan *exec_shards_global(const struct exec_plan *plan);

// What to compute inside of an entry, with the evaluator.
struct exec_probe {
    const struct ir_entry *entry;
    const ir_ref *root;
    size_t n;
    struct eval_counters counters;
    unsigned flags; // of eval_new
};

// Computes nodes of an entry that is split: none of them local to a shard (an error), which would
// be as many values as there are shards.
bool exec_shards_probe(const struct exec_probe *p, const void *const *inputs,
                       const void *const *vars, void *const *out, struct hlx_error *error);

#endif
