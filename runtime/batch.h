// batch.h: which samples a step sees: the order of an epoch, and the entry's inputs filled from it.
#ifndef HLX_RUNTIME_BATCH_H
#define HLX_RUNTIME_BATCH_H

#include "runtime/data.h"

// The steps of one entry's epochs.
struct batches {
    const struct ir_entry *entry;
    const struct data_set *data; // NULL: the entry has no inputs, and an epoch is one step
    size_t size;                 // samples in a batch
    size_t samples;              // of an epoch: the data's, at most `limit`
    size_t steps;                // of an epoch
    size_t tokens;               // of a batch: elements of its first i32 sequence; 0: there is none
    bool weighted;               // the entry has a `weight` input
    bool shuffled;
    uint32_t *order; // the samples of this epoch; NULL: 0, 1, 2 ...
    int *field;      // per input its field, or -1: the weight
    void **input;    // per input its memory, in storage form
};

// Binds an entry's inputs to the fields of a set by name. The samples that fill no batch are left
// out, unless the entry has a `weight` input: then they make a last batch, whose padding weighs 0.
// On failure returns false and fills *error.
bool batches_open(struct batches *b, const struct ir_module *m, const struct ir_entry *entry,
                  const struct data_set *data, struct hlx_error *error);
void batches_close(struct batches *b);

// Starts epoch 1, 2, 3 ... of a run.
void batches_epoch(struct batches *b, uint64_t seed, uint32_t epoch);

// Fills b->input for a step (0-based) of the epoch; returns how many samples of the batch are real.
// Padding repeats no sample: it is zeros of weight 0.
size_t batches_fill(struct batches *b, size_t step);

// The data source an entry asks for (`using { data: NAME }`), or NULL.
const struct ir_data *batches_source(const struct ir_module *m, const struct ir_entry *entry);

// Puts 0 .. n-1 in the order of an epoch (spec/language.md, 11.8): Fisher and Yates from the
// last place down, the place to swap with taken from the next word of Philox.
void batches_shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t epoch);

#endif
