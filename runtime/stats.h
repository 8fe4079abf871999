// stats.h: statistics of gradients and named values, for --dump-grads.
#ifndef HLX_RUNTIME_STATS_H
#define HLX_RUNTIME_STATS_H

#include "runtime/exec.h"

// Of the elements of one tensor, in double and in index order. Mean, deviation (of the population),
// min, max and abs_max are of the finite elements; all are 0 where there is none.
struct stats {
    size_t n, zeros, nans, infs;
    double mean, std, min, max, abs_max;
};

void stats_of(enum dtype dtype, const void *elements, size_t n, struct stats *out);

struct stats_row {
    const char *name; // of a param (its gradient) or of a node
    bool gradient;
    ir_ref value;
    void *bytes; // the tensor in storage form (malloc)
    struct stats stats;
};

// Gradients of an entry's params, in the order of their paths, then named nodes in graph order.
struct stats_table {
    const struct ir_entry *entry;
    struct stats_row *row;
    size_t n;
};

// Chooses the rows: every gradient, and the nodes whose name matches one of the comma-separated
// `names` (exactly, or with * ? [] as the shell's; NULL: none). A name that matches neither a node
// nor a gradient's param fails with EXIT_USAGE and the nearest name there is.
bool stats_choose(struct stats_table *t, const struct ir_entry *entry, const struct ir_module *m,
                  const char *names, struct hlx_error *error);
// Computes the rows at the variables' present values.
bool stats_compute(struct stats_table *t, struct exec *x, const void *const *inputs, uint32_t step,
                   struct hlx_error *error);
void stats_free(struct stats_table *t);

// Appends the table for people.
void stats_print(const struct stats_table *t, struct buf *out);

#endif
