// progress.h: what a run shows while it goes: a line for each epoch, and on a terminal a live line.
#ifndef HLX_RUNTIME_PROGRESS_H
#define HLX_RUNTIME_PROGRESS_H

#include <stdio.h>

#include "runtime/train.h"

struct progress {
    FILE *out;   // epochs; NULL: quiet
    FILE *live;  // the live line; NULL: no terminal
    double next; // when the live line may be drawn again
    bool drawn;  // a live line stands on the terminal
};

// Epochs go to `out`. The live line goes to the standard error where that is a terminal (and not a
// dumb one). `quiet` shows neither.
void progress_init(struct progress *p, FILE *out, bool quiet);
// Draws the live line, at most ten times a second.
void progress_step(struct progress *p, const struct train_run *run, const struct train_step *s);
// Prints the line of an epoch; `word` is "Epoch", or the name of an entry that does not learn.
void progress_epoch(struct progress *p, const char *word, const struct train_run *run,
                    const struct train_epoch *e);
// Takes the live line away, before anything else is printed.
void progress_clear(struct progress *p);

// Appends a scalar as the lines show it: integers in full, `lr` as %.2e, a loss with 4 decimals and
// others with 6 below 10 in size, 3 decimals from there, %.3e below 0.001 and from a million.
void progress_scalar(const struct train_scalar *s, double x, struct buf *out);
// Appends an epoch's line without a line end.
void progress_line(const char *word, const struct train_run *run, const struct train_epoch *e,
                   struct buf *out);

#endif
