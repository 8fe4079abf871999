// lane.h: one of the runs that a bisection lets go side by side, a few steps at a time.
#ifndef HLX_RUNTIME_LANE_H
#define HLX_RUNTIME_LANE_H

#include "runtime/replay.h"

struct lane {
    struct arena arena;
    struct exec *exec;
    struct batches batches;
    struct train_run run;
    void **value, **saved; // by variable: as last read, and kept (malloc)
    unsigned char *leaves; // scratch
    unsigned char *roots;  // by tensor of the layout: as last hashed
};

// Makes the run of a receipt ready on a device.
bool lane_open(struct lane *l, const struct replay *replay, const struct exec_options *device,
               struct hlx_error *error);
void lane_close(struct lane *l);

// Goes on up to a step.
bool lane_go(struct lane *l, uint32_t step, struct hlx_error *error);
// Hashes the present state into l->roots.
bool lane_hash(struct lane *l, struct hlx_error *error);
// The record that the present step has, without its link; it holds until the next hash.
bool lane_record(struct lane *l, struct arena *a, struct receipt_record *out,
                 struct hlx_error *error);
// Reads all variables into l->value; keeps them in l->saved.
bool lane_read(struct lane *l, struct hlx_error *error);
bool lane_save(struct lane *l, struct hlx_error *error);
// Goes back to a step: the variables become what another lane of the same receipt has saved.
bool lane_restore(struct lane *l, const struct lane *from, uint32_t step, struct hlx_error *error);

#endif
