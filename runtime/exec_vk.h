// exec_vk.h: the device `vulkan` from within: its variables, an entry's plan, the slots of steps in
// flight. Private to exec_vk*.c, vk_record.c and vk_tune.c.
#ifndef HLX_RUNTIME_EXEC_VK_H
#define HLX_RUNTIME_EXEC_VK_H

#include "runtime/exec.h"
#include "runtime/vk_pipeline.h"

enum { VK_DEPTH = 4 }; // steps in flight

// What x->device points to.
struct vk_exec {
    struct vk vk;
    struct vk_device d;
    struct vk_pipelines pipes;
    const struct dispatch_program *table;
    struct vk_buffer *vars; // by segment
    unsigned running;       // steps submitted and not collected, of all plans
    struct vk_hash *hash;   // once a state was hashed
};

// Descriptor sets for a list of calls.
struct vk_sets {
    VkDescriptorPool pool;
    VkDescriptorSet *set; // by call
};

// What a step in flight has for itself.
struct vk_slot {
    struct vk_buffer *arena[ARENA_COUNT]; // by segment; INPUTS, OUTPUTS and COUNTERS only
    struct vk_buffer *readback;           // by segment of OUTPUTS; NULL: the host reads these
    struct vk_sets sets;
    VkCommandBuffer commands;
    VkFence fence;
};

// What plan->device points to.
struct vk_plan {
    struct vk_exec *x;
    const struct dispatch_entry *entry;
    struct vk_buffer *arena[ARENA_COUNT]; // by segment; WORK and CONSTS only
    uint32_t *choice;                     // by step: its variant
    const struct dispatch_call **call;    // all calls of a step of the entry, as chosen
    size_t ncalls;
    struct vk_slot slot[VK_DEPTH];
    uint64_t submitted, collected;
};

// exec_vk.c

// Writes a step's inputs and counters into a slot that is not under way.
void vk_put(struct exec_plan *plan, struct vk_slot *s, const void *const *inputs, uint32_t step);

// vk_record.c

// The buffer a range lies in, as a slot sees it.
const struct vk_buffer *vk_segment(const struct vk_plan *p, const struct vk_slot *s,
                                   const struct dispatch_range *r);
// Makes the descriptor sets of n calls; on failure *out is empty.
bool vk_sets_make(const struct vk_plan *p, const struct vk_slot *s,
                  const struct dispatch_call *const *call, size_t n, struct vk_sets *out,
                  struct hlx_error *e);
void vk_sets_free(struct vk_device *d, struct vk_sets *sets);
// Records n calls with the barriers that the table has, into an open command buffer. What must come
// before the first call is the caller's business.
void vk_record_calls(const struct vk_plan *p, VkCommandBuffer commands,
                     const struct dispatch_call *const *call, size_t n, const struct vk_sets *sets);
// Records a whole step into a slot's command buffer, ready to be submitted again and again.
bool vk_record(struct vk_plan *p, struct vk_slot *s, struct hlx_error *e);

// vk_measure.c

// Runs the variants of a step that are marked in `fit` and stores the fastest one's index. What
// the step writes of the variables is put back; the rest of its memory is left in any state.
bool vk_measure(struct vk_plan *p, const struct dispatch_step *step, const bool *fit,
                uint32_t *best, struct hlx_error *e);

// vk_tune.c

// Fills p->choice: the variant that `names` asks for (a list with commas, or NULL) where a step has
// it, else what was measured fastest on this device, now or in an earlier run. Leaves the variables
// as they are. Pipelines of all chosen kernels are made. The plan's memory is there.
bool vk_tune(struct vk_plan *p, const char *names, struct hlx_error *e);

// Whether the steps of a program, of any of its entries, have all variants of a list with commas
// (or NULL); else EXIT_USAGE. One that only some entry lacks is no mistake: the list is for all.
bool vk_known_variants(const struct dispatch_program *t, const char *names, struct hlx_error *e);

// Whether a device, or a CPU's, tries a variant of a step by itself (spec/running.md, R6.3).
bool vk_suits(const struct dispatch_step *s, size_t v, bool cpu);

// Whether a list with commas holds a name.
bool vk_listed(const char *list, const char *name);

#endif
