// spv_check.h: decides whether a kernel's SPIR-V may be given to a driver, and what it asks of one.
#ifndef HLX_RUNTIME_SPV_CHECK_H
#define HLX_RUNTIME_SPV_CHECK_H

#include "runtime/dispatch.h"

// What a kernel asks of a device.
struct spv_needs {
    uint32_t local[3]; // size of a workgroup
    uint32_t shared;   // bytes of workgroup memory
    uint32_t subgroup; // VkSubgroupFeatureFlags: classes of subgroup operations
};

// Validates a kernel of a table from dispatch_read with SPIRV-Tools for Vulkan 1.2, then checks
// that it uses no more than the table gives it: one entry point of its name, storage buffers of set
// 0 below `bindings`, push constants within `push` words, no other resource, no capability or
// extension that an opened device has not (vk_device.h). Returns NULL and fills *out, or a sentence
// in the arena. May run in several threads at once, each with its own arena.
const char *spv_check(struct arena *a, const struct dispatch_kernel *k, struct spv_needs *out);

#endif
