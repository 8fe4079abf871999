// report.h: the figures of a program for `hlxc --emit=stats`.
#ifndef HLX_CODEGEN_REPORT_H
#define HLX_CODEGEN_REPORT_H

#include "ir/ir.h"

// Appends what a module holds: params and states, per entry its nodes and kernels by class; `hbin`
// is the size of its .hbin in bytes.
void report_stats(struct arena *a, const struct ir_module *m, size_t hbin, struct buf *out);

#endif
