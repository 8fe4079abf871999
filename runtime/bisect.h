// bisect.h: the command `hlxrun bisect`: finds where two runs part.
#ifndef HLX_RUNTIME_BISECT_H
#define HLX_RUNTIME_BISECT_H

#include "base/cli.h"
#include "runtime/lane.h"

// Takes the command line from the command's own name on; returns the exit code.
int bisect_main(int argc, char **argv);
extern const struct cli bisect_cli;

// -- between bisect*.c ---------------------------------------------------------------------------

// Runs step `step` on both lanes, whose states are equal, and prints the first dispatch whose
// result differs from the evaluator's: bisect_step.c.
bool bisect_step(struct lane *suspect, struct lane *reference, uint32_t step,
                 struct hlx_error *error);

// bisect_text.c: appends "[3, 17]" for an element of a type, and an element's value with its bits.
void bisect_index(const struct ir_type *t, size_t element, struct buf *out);
void bisect_value(const struct ir_type *t, const void *bytes, size_t element, struct buf *out);
// The first element in which two tensors differ, and how many do.
size_t bisect_differ(const struct ir_type *t, const void *x, const void *y, size_t *first);

#endif
