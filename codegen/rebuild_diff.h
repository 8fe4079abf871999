// rebuild_diff.h: where two dispatch tables of one IR differ.
#ifndef HLX_CODEGEN_REBUILD_DIFF_H
#define HLX_CODEGEN_REBUILD_DIFF_H

#include "runtime/dispatch.h"

// The first difference, in the order of entries and steps.
struct rebuild_difference {
    size_t entry, step; // what is equal before it; a larger pair is a later difference
    const char *text;   // "entry `train`, step 3 (...): it runs ..., and this hlxc makes ..."
};

// Compares what a file has with what this hlxc makes of its IR, all that spec/hbin.md, H6, says of
// tables, and what steps make (H4). Returns false and fills *out (text in the arena) when they
// differ. `made` may be NULL: it makes none.
bool rebuild_diff(struct arena *a, const struct dispatch_program *has,
                  const struct dispatch_program *made, struct rebuild_difference *out);

#endif
