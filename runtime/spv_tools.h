// spv_tools.h: SPIRV-Tools behind three functions: validate, assemble, disassemble, for Vulkan 1.2.
#ifndef HLX_RUNTIME_SPV_TOOLS_H
#define HLX_RUNTIME_SPV_TOOLS_H

#include <stdint.h>

#include "base/text.h"

// Each returns NULL, or a sentence in the arena. They may run in several threads at once, each with
// its own arena.

const char *spv_validate(struct arena *a, const uint32_t *words, size_t n);
// Appends the module's text.
const char *spv_disassemble(struct arena *a, const uint32_t *words, size_t n, struct buf *out);
// Appends the words of a text, little-endian; they need not be a valid module.
const char *spv_assemble(struct arena *a, const char *text, size_t n, struct buf *out);

#endif
