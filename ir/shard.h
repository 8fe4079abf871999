// shard.h: entries with shards: what of an entry is local to a shard, what is global, and the two
// graphs that an entry is split into (spec/numerics.md, N9).
//
// The graph of an entry with `shards: N` is staged for one shard: its inputs hold 1/N of the batch.
// A node is *local* if it depends on an input other than through `across`, *global* if it depends
// on an `across`, and *common* otherwise: the same wherever it is computed.
#ifndef HLX_IR_SHARD_H
#define HLX_IR_SHARD_H

#include "base/diag.h"
#include "ir/build.h"

#define IR_MAX_SHARDS 1024
#define IR_MAX_COMBINED (1 << 20) // `across` nodes of an entry times its shards

// The attribute `shards` of an entry; 1 without. Anything that is no power of two up to
// IR_MAX_SHARDS counts as 1 (the verifier refuses it).
uint32_t ir_entry_shards(const struct ir_entry *e);
bool ir_shards_ok(int64_t n); // a power of two up to IR_MAX_SHARDS

// The type of input i as whoever calls the entry sees it: of the whole batch.
struct ir_type ir_entry_input(const struct ir_module *m, const struct ir_entry *e, size_t i);

// -- rules ---------------------------------------------------------------------------------------

enum ir_shard_rule {
    IR_SHARD_LEAK,       // a root is local
    IR_SHARD_MIXED,      // a node has a local and a global operand
    IR_SHARD_AGAIN,      // the operand of `across` is global
    IR_SHARD_LOSS,       // a gradient of what is local
    IR_SHARD_WRT,        // a gradient by what is local
    IR_SHARD_DRAW_SHAPE, // a local draw whose leading axis is not the batch
    IR_SHARD_DRAW_BOTH,  // a draw for both parts
    IR_SHARD_MANY,       // more than IR_MAX_COMBINED tensors go through `across`
};

struct ir_shard_fault {
    enum ir_shard_rule rule;
    ir_ref node;
    ir_ref place;     // where it is seen: of a draw, the first local node that needs it
    const char *what; // of LEAK: "the output `loss`", else NULL
};

typedef VEC(struct ir_shard_fault) ir_shard_faults;

// Every place where an entry breaks a rule of N9, in order of the nodes, roots last. An entry with
// one shard breaks none. Takes staged graphs, too.
void ir_shard_check(struct ir_module *m, const struct ir_entry *e, ir_shard_faults *out);

// The same for a module, as errors (HLX0520 to HLX0523); false if there were any.
bool ir_shard_diagnose(struct ir_module *m, struct diags *d);

// A sentence about a fault, for who has no source.
const char *ir_shard_sentence(enum ir_shard_rule rule);

// -- gradients -----------------------------------------------------------------------------------

// A loss that is a sum over shards, or that divided by a weight (N9.5).
struct ir_shard_loss {
    ir_ref sum;    // what each shard adds; the loss itself where it has no such form
    ir_ref weight; // 0: none
    bool across;   // it has
};

struct ir_shard_loss ir_shard_loss_of(const struct ir_graph *g, ir_ref loss);

// From the gradient d of a shard's sum to that of the loss: combined first, then divided by
// `weight`, an f32[], unless that is 0.
ir_ref ir_shard_combine(struct ir_graph *g, ir_ref d, bool across, ir_ref weight);

// -- the two parts -------------------------------------------------------------------------------

struct ir_split {
    uint32_t shards;
    struct ir_entry local;  // "train#local": outputs are what is combined; no updates
    bool numbered;          // `local` has one more input, i32[]: which shard it is
    struct ir_entry global; // "train#global": input o * shards + s is output o of shard s
};

// Splits an entry with shards, for its outputs and updates.
//
// requires: a verified entry in canonical form with more than one shard, none of whose roots is
// local. What is returned lives in the module's arena. Nodes keep their order and their notes.
const struct ir_split *ir_split_entry(struct ir_module *m, const struct ir_entry *e);

// Splits every entry with shards; entries without keep split == NULL.
void ir_split_module(struct ir_module *m);

// What devices run: entries without shards, and both parts of the others (a local part only where
// anything is combined).
typedef VEC(const struct ir_entry *) ir_entries;
void ir_parts(const struct ir_module *m, struct arena *a, ir_entries *out);
// The part of a name, or NULL.
const struct ir_entry *ir_find_part(const struct ir_module *m, const char *name);

#endif
