// doctor_sweep.h: tries every operand of every function on a device (spec/numerics.md, N2.9).
#ifndef HLX_RUNTIME_DOCTOR_SWEEP_H
#define HLX_RUNTIME_DOCTOR_SWEEP_H

#include "runtime/doctor_run.h"

enum { SWEEP_SHIFT = 24 }; // operands of a block

// A row of the table.
struct sweep_row {
    const char *entry, *name;
    unsigned operands;
    uint64_t digest;
};
extern const struct sweep_row sweep_rows[];
extern const size_t sweep_nrows;

struct sweep_result {
    uint64_t inputs, digest;
    double seconds;
    bool example; // the device and the evaluator differ, first at:
    uint32_t operand[2], have, want;
};

// The blocks of a row: 2^32 operands or 2^30 pairs.
unsigned sweep_blocks(const struct sweep_row *row);

// Runs blocks of a row, from `first` on, and hashes their results on other threads as they come.
// out->digest is N2.9's if these are all.
bool sweep_run(struct doctor *d, const struct sweep_row *row, unsigned first, unsigned blocks,
               struct sweep_result *out, struct hlx_error *e);
// Looks for the first operand at which device and evaluator differ: evaluates block after block.
bool sweep_example(struct doctor *d, const struct sweep_row *row, struct sweep_result *out,
                   struct hlx_error *e);

#endif
