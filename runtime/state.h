// state.h: digests of a program's whole state: leaves, roots, the digest of a step
// (spec/receipts.md, D1).
//
// Only leaves depend on the tensors' bytes, so that a device may hash its own memory; what joins
// them is done here, for all devices.
#ifndef HLX_RUNTIME_STATE_H
#define HLX_RUNTIME_STATE_H

#include "ir/ir.h"
#include "latent/handle.h"

#define STATE_LEAF 4096 // bytes of a tensor under one leaf

struct state_tensor {
    uint32_t var; // of the module
    const char *path;
    const struct ir_type *type;
    size_t leaf, leaves; // its leaves among those of all tensors
};

// The tensors of a module in the order of their paths.
struct state_layout {
    struct state_tensor *tensor;
    size_t n, leaves;
};

// Lists a module's variables; the module outlives the layout.
void state_layout_make(struct arena *a, const struct ir_module *m, struct state_layout *out);

// Hashes the leaves of one tensor's bytes (ir_type_bytes of them, in storage form): as many hashes
// of HANDLE_BYTES as state_leaves says.
size_t state_leaves(size_t bytes);
void state_hash_leaves(const void *bytes, size_t n, unsigned char *out);

// Joins n >= 1 hashes into their root, in place: the root is the first HANDLE_BYTES afterwards.
void state_join(unsigned char *hashes, size_t n);

// The root of every tensor (n * HANDLE_BYTES), from all leaves, which are used up.
void state_roots(const struct state_layout *l, unsigned char *leaves, unsigned char *roots);

// `[path, dtype, [extent, ...]]` of every tensor, in order.
const struct value *state_tensors(struct arena *a, const struct state_layout *l);

// The state root. `tensors` is what state_tensors gives, or an array of that form, with a root of
// HANDLE_BYTES for each.
void state_root(struct arena *a, const struct value *tensors, const unsigned char *roots,
                unsigned char out[HANDLE_BYTES]);

struct state_step {
    uint32_t step;
    uint64_t epoch, seed;
    const struct value *outputs; // object of ints: bits by name
};

// The state digest of a step.
void state_digest(struct arena *a, const struct state_step *s,
                  const unsigned char root[HANDLE_BYTES], unsigned char out[HANDLE_BYTES]);

#endif
