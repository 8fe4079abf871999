// vk_trace.h: runs one step of an entry dispatch by dispatch, so that what each makes can be read.
#ifndef HLX_RUNTIME_VK_TRACE_H
#define HLX_RUNTIME_VK_TRACE_H

#include "runtime/exec_vk.h"

struct vk_trace {
    void *user;
    // Told after each step of the dispatch table, run in the variant that the plan has chosen;
    // false ends the trace.
    bool (*step)(void *user, struct exec_plan *plan, const struct dispatch_step *step,
                 const struct dispatch_variant *variant, struct hlx_error *e);
};

// Runs a step. No step may be under way. What it updates stays updated.
bool vk_trace(struct exec_plan *plan, const void *const *inputs, uint32_t step,
              const struct vk_trace *watch, struct hlx_error *e);

// Within a trace: the first n bytes of a range, as they are.
bool vk_trace_read(struct exec_plan *plan, const struct dispatch_range *range, void *bytes,
                   size_t n, struct hlx_error *e);

#endif
