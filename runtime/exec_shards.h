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

// The plan of the global part: what is collected and hashed; that of the local part, NULL where
// nothing is combined.
struct exec_plan *exec_shards_global(const struct exec_plan *plan);
struct exec_plan *exec_shards_local(const struct exec_plan *plan);

// Points `in` (by input of the local part) at what a shard takes of the entry's inputs. `number`
// becomes the shard's, and stays pointed at.
void exec_shard_inputs(const struct ir_split *split, const void *const *inputs, uint32_t shard,
                       int32_t *number, const void **in);

// What the shards of a step make, the inputs of the global part: output * shards + shard. NULL if
// memory is short.
void **exec_shards_gathered(const struct ir_split *split);
void exec_shards_free_gathered(const struct ir_split *split, void **gathered);

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
