// modules.h: the SPIR-V modules of a program for people and tools.
#ifndef HLX_CODEGEN_MODULES_H
#define HLX_CODEGEN_MODULES_H

#include "base/text.h"
#include "runtime/dispatch.h"

// Disassembles every module into *out, each under a comment with its number and name. Returns false
// with a sentence in *error if SPIRV-Tools refuses one.
bool modules_text(struct arena *a, const struct dispatch_program *p, struct buf *out,
                  const char **error);

// Assembles SPIR-V 1.5 for Vulkan 1.2 from the text of SPIRV-Tools and appends its words,
// little-endian. Returns false with a sentence that says where it is wrong.
bool modules_assemble(struct arena *a, const char *text, size_t n, struct buf *out,
                      const char **error);

// Writes every module to `folder` (made if missing) as kNN_NAME.spv. Returns false with a sentence.
bool modules_write(struct arena *a, const struct dispatch_program *p, const char *folder,
                   const char **error);

#endif
