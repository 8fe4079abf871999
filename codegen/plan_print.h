// plan_print.h: the plan of a program in words.
#ifndef HLX_CODEGEN_PLAN_PRINT_H
#define HLX_CODEGEN_PLAN_PRINT_H

#include "base/text.h"
#include "runtime/dispatch.h"

// Kernels, memory, and each entry's steps with all variants: what a call reads
// (arena+offset:bytes), writes (>), its push constants, and whether it waits for what ran before.
void plan_print(const struct dispatch_program *p, struct buf *out);

#endif
