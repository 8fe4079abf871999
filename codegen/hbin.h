// hbin.h: writes a compiled program (.hbin). The reader is runtime/program.h; spec/hbin.md is the
// contract for both.
#ifndef HLX_CODEGEN_HBIN_H
#define HLX_CODEGEN_HBIN_H

#include "base/source.h"
#include "ir/ir.h"
#include "latent/handle.h"
#include "latent/pack.h"
#include "runtime/program.h"

// Appends the .hbin of a module that has been through all passes, and returns the program's handle.
// `s` is what its places refer to, the main file first. Equal modules and sources give equal bytes:
// nothing of the machine, the time or the folder enters. `device` is what Vulkan devices run (NULL:
// the program is for the evaluator alone).
struct handle hbin_write(struct arena *a, const struct ir_module *m, const struct sources *s,
                         const struct dispatch_program *device, struct buf *out);

// Appends a program that was read, with `device` as what devices run: all else (IR, data, contents,
// source map but for `made`) is what it was, and so is the program's handle, which is returned.
// `device` was planned of p->module. Given what hbin_write was given, it gives the same bytes.
struct handle hbin_rewrite(struct arena *a, struct program *p,
                           const struct dispatch_program *device, struct buf *out);

// Appends the .hbin of a pipeline of the program's own kernels: its root (contract 902) and n
// objects that it leads to. Equal values give equal bytes.
void hbin_write_pipeline(struct arena *a, const struct value *root,
                         const struct value *const *object, size_t n, struct buf *out);

// A source's name without the machine in it: relative to the main file's folder where it lies in
// it, "stdlib/..." as it is, else its last part alone.
const char *hbin_source_name(struct arena *a, const struct sources *s, const char *name);

// -- private to hbin*.c ------------------------------------------------------------------------

// The debug object: what nodes are called and where they were written (spec/hbin.md, "Debug").
const struct value *hbin_debug(struct arena *a, const struct ir_module *m, const struct sources *s,
                               const struct dispatch_program *device);
// The same object of a program that was read, but for what belongs to its kernels (`made`).
const struct value *hbin_debug_again(struct arena *a, const struct ir_module *m,
                                     const struct value *debug,
                                     const struct dispatch_program *device);

#endif
