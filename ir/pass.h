// pass.h: the one visible list of passes from staged IR to canonical IR.
#ifndef HLX_IR_PASS_H
#define HLX_IR_PASS_H

#include "base/diag.h"
#include "ir/ir.h"

struct ir_pass {
    const char *name; // for --dump=NAME and --time-passes
    bool (*run)(struct ir_module *m, struct diags *d);
    const char *doc; // requires / ensures in a line
};

// The passes in order; ends with a row of NULLs.
extern const struct ir_pass ir_passes[];

struct ir_pass_options {
    const char *dump; // name of the pass after which the module is printed to dump_to, "stage"
                      // for before the first, or NULL
    struct buf *dump_to;
    bool times; // print seconds per pass to stderr
};

// Runs all passes; the verifier runs after each, and under HLX_CHECK=1 in the environment also
// print -> parse -> print. Returns false after user errors (in d). Internal faults are IR_BUGs.
bool ir_run_passes(struct ir_module *m, struct diags *d, const struct ir_pass_options *options);

#endif
