// train.h: the training and evaluation loop: epochs, steps, the scalars an entry returns.
#ifndef HLX_RUNTIME_TRAIN_H
#define HLX_RUNTIME_TRAIN_H

#include <signal.h>

#include "runtime/batch.h"
#include "runtime/exec.h"

// A scalar output of the entry: rank 0, of a 32-bit type. A run lists losses first.
struct train_scalar {
    const char *name;
    size_t output; // index into entry->outputs
    bool integer;
    bool last; // an epoch shows the last value (integers, `lr`), not the mean over its steps
    bool loss; // training stops when it is NaN or infinite
};

struct train_step {
    uint64_t epoch; // 1-based
    uint32_t step;  // 1-based, of the whole run
    size_t in_epoch, of_epoch;
    const double *value; // per scalar
    double seconds;      // since the epoch began
};

struct train_epoch {
    uint64_t epoch, epochs;        // epochs: how many there will be
    uint32_t step;                 // the last one's number
    size_t steps, samples, tokens; // done in this epoch
    const double *shown;           // per scalar: the mean over the steps, or the last value
    const double *last;            // per scalar
    double seconds;
};

struct train_run;

// Told of every step and epoch; false ends the run (and fills *error).
struct train_watch {
    void *user;
    bool (*step)(void *user, const struct train_run *run, const struct train_step *s,
                 struct hlx_error *error);
    bool (*epoch)(void *user, const struct train_run *run, const struct train_epoch *e,
                  struct hlx_error *error);
    // Told of the state after every `every`-th step and after the last: exec.h's leaves, which it
    // may change. run->step and run->out are that step's.
    bool (*state)(void *user, const struct train_run *run, uint64_t epoch, unsigned char *leaves,
                  struct hlx_error *error);
};

#define TRAIN_NO_LIMIT UINT32_MAX // no step has this number (spec/receipts.md, D2)

struct train_options {
    uint64_t epochs; // 0: what the entry says (`epochs`, else 1)
    uint32_t steps;  // TRAIN_NO_LIMIT, or how many; without `epochs` it replaces the entry's epochs
    bool any_loss;   // go on also with a loss that is NaN or infinite
    uint32_t every;  // steps between states for the watcher; 0: none
    const volatile sig_atomic_t *stop; // set by a signal: finish the step and return; may be NULL
    struct train_watch watch;
};

enum train_end { TRAIN_DONE, TRAIN_STOPPED };

struct train_run {
    struct exec *exec;
    struct exec_plan *plan;
    struct batches *batches;
    struct train_options options;
    uint64_t epochs;
    struct train_scalar *scalar;
    size_t nscalars;
    void **out; // per output of the entry: the last step's value, in storage form
    double *sum, *value, *shown;
    double weight;         // of the steps summed
    uint32_t step;         // steps done
    unsigned char *leaves; // of a state for the watcher
    size_t *real;          // samples of the steps under way, oldest first
    enum train_end end;
};

// Makes an entry ready. Nothing is run yet. On failure returns false and fills *error; there is
// then nothing to close. exec and batches outlive the run.
bool train_open(struct train_run *run, struct exec *exec, struct batches *batches,
                const struct train_options *options, struct hlx_error *error);
void train_close(struct train_run *run);

// Runs all epochs. The mean of a scalar over an epoch is the sum of its steps' values in their
// order, in double, each weighted by the samples of its batch that are real, divided by the sum of
// the weights. Returns false with *error when a step fails, a watcher says so, or a loss is NaN or
// infinite (EXIT_DIVERGED). Once it has returned at options.steps, that may be raised and train
// called again: it goes on where it was.
bool train(struct train_run *run, struct hlx_error *error);

#endif
