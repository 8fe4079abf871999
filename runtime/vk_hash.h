// vk_hash.h: hashes the leaves of the state on the device that holds it (spec/receipts.md, D1.8).
#ifndef HLX_RUNTIME_VK_HASH_H
#define HLX_RUNTIME_VK_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/exec.h"

struct vk_exec;
struct vk_hash;

// The kernel (codegen/emit_hash.h), made when the runtime is built.
extern const uint32_t vk_hash_words[];
extern const size_t vk_hash_nwords;
extern const uint32_t vk_hash_group; // invocations of a workgroup

// The functions `hash` and `leaves` of a device.
bool vk_hash_submit(struct exec_plan *plan, struct hlx_error *e);
bool vk_hash_collect(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *e);

// Frees what x->hash holds. The device is idle.
void vk_hash_close(struct vk_exec *x);

#endif
