// plan.h: from an entry's graph to what a device runs: places, kernels, steps, barriers.
#ifndef HLX_CODEGEN_PLAN_H
#define HLX_CODEGEN_PLAN_H

#include "codegen/emit_chain.h"
#include "runtime/dispatch.h"

enum place_kind { PLACE_WORK, PLACE_VAR, PLACE_INPUT, PLACE_OUTPUT, PLACE_CONST, PLACE_COUNTERS };

// Where one tensor lies. WORK places share memory when their lives do not overlap.
struct plan_place {
    enum place_kind kind;
    uint32_t index;       // var, input, output or const
    uint64_t bytes;       // a multiple of 4
    uint32_t first, last; // WORK: levels that use it
    struct dispatch_range range;
};

// A call before ranges are known: bindings are places.
struct plan_call {
    uint32_t kernel; // in the program's table, as numbered while planning
    VEC(struct emit_buffer) buffers;
    VEC(uint32_t) push;
    uint32_t groups[3];
};

struct plan_variant {
    const char *name;
    VEC(struct plan_call) calls;
};

// A value and where a step leaves it.
struct plan_made {
    ir_ref node;
    emit_place place;
};

struct plan_step {
    const char *label;
    VEC(struct plan_variant) variants;
    VEC(struct plan_made) made;
};

// Kernels of all entries, each once by content.
struct plan_kernels {
    struct arena *arena;
    struct map index;    // SHA-256 of the words -> number
    struct map products; // struct matmul_pattern -> number
    VEC(struct dispatch_kernel) list;
    uint32_t *rank; // number while planning -> place in the sorted list
};

struct plan_segments {
    uint64_t *at;
    size_t n, cap;
};

struct plan {
    struct arena *arena;
    struct ir_module *module;
    const struct ir_entry *entry;
    struct ir_fusion fusion;
    struct emit_source source;
    struct plan_kernels *kernels;
    VEC(struct plan_place) places;
    emit_place *place_of; // by node
    bool *observed;       // by node
    uint32_t *order;      // kernels of the fusion in the order they run
    uint32_t *level;      // by kernel: those of one level need nothing of each other
    uint32_t now;         // level of the step that is being made
    uint32_t *tail;       // by kernel: the elementwise kernel it ends with + 1, or 0
    bool *is_tail;        // by kernel: runs at the end of another
    uint32_t *chain_of;   // by kernel: its chain + 1, or 0; not of tails
    VEC(struct emit_chain) chains;
    emit_place *output_at; // by output: its place
    VEC(ir_ref) consts;    // by const place
    VEC(struct plan_step) steps;
    const char *refused; // why no device may run this, or NULL
    struct plan_segments segments[ARENA_COUNT];
};

// Plans every entry of a module in canonical form. With `sources` (may be NULL) kernels carry the
// lines of the program they compute. Returns NULL with a sentence in *error (arena) when a tensor
// is too large for a device.
const struct dispatch_program *plan_program(struct arena *a, struct ir_module *m,
                                            const struct sources *sources, bool fuse,
                                            const char **error);

// -- between plan*.c -----------------------------------------------------------------------------

// Takes apart reductions that others wait for needlessly (plan_split.c).
void plan_split(struct plan *p);
// Numbers places for leaves, kernel outputs, outputs and updates (plan_places.c).
void plan_places(struct plan *p);
// Orders kernels: tails, chains, levels (plan_order.c).
void plan_order(struct plan *p);
// All kernels by a level each has, those of one level as they were (plan_order.c).
uint32_t *plan_by_level(struct plan *p, const uint32_t *level);
// Whether a kernel makes a variable's new value (plan_order.c).
bool plan_makes_update(const struct plan *p, const struct ir_kernel *k);
// Finds kernels that go on with the rows of a reduction, and makes p->level what it is when each
// chain runs as one (plan_chain.c). `owner`, by tail: the kernel that it ends.
void plan_chains(struct plan *p, const uint32_t *owner);
emit_place plan_add(struct plan *p, enum place_kind kind, uint32_t index, uint64_t bytes);
// Emits all kernels and the copies that are left over (plan_steps.c).
void plan_steps(struct plan *p);
// Gives every place its range; false when one does not fit in a segment (plan_memory.c).
bool plan_memory(struct plan *p, const struct dispatch_range *vars, const char **error);

// Puts `bytes` behind what a list of segments holds; false when no segment can hold them.
bool plan_append(struct arena *a, struct plan_segments *segments, enum dispatch_arena arena,
                 uint64_t bytes, struct dispatch_range *out);

#endif
