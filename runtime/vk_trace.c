// vk_trace.c: runs one step of an entry dispatch by dispatch, so that what each makes can be read.
#include "runtime/vk_trace.h"

#include <stdlib.h>

enum { SLOT = 0 }; // no step is under way: any slot will do

static const VkPipelineStageFlags compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                  transfer = VK_PIPELINE_STAGE_TRANSFER_BIT,
                                  host = VK_PIPELINE_STAGE_HOST_BIT;

static bool run_calls(struct vk_plan *p, const struct dispatch_call *const *call, size_t n,
                      const struct vk_sets *sets, struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    VkCommandBuffer commands;
    if (!vk_commands_begin(d, &commands, e))
        return false;
    vk_barrier(d, commands, compute | transfer | host,
               VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT,
               compute, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
    vk_record_calls(p, commands, call, n, sets);
    vk_barrier(d, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, transfer | host,
               VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_HOST_READ_BIT);
    bool ok = vk_commands_run(d, commands, e);
    vk_commands_free(d, &commands);
    return ok;
}

static bool run_variant(struct vk_plan *p, const struct dispatch_variant *v, struct hlx_error *e)
{
    struct vk_sets sets;
    const struct dispatch_call **call = calloc(v->ncalls + 1, sizeof *call);
    if (!call)
        return hlx_no_memory(e, "a trace");
    for (size_t i = 0; i < v->ncalls; i++)
        call[i] = &v->call[i];
    bool ok = vk_sets_make(p, &p->slot[SLOT], call, v->ncalls, &sets, e);
    if (ok) {
        ok = run_calls(p, call, v->ncalls, &sets, e);
        vk_sets_free(&p->x->d, &sets);
    }
    free(call);
    return ok;
}

bool vk_trace(struct exec_plan *plan, const void *const *inputs, uint32_t step,
              const struct vk_trace *watch, struct hlx_error *e)
{
    struct vk_plan *p = plan->device;
    vk_put(plan, &p->slot[SLOT], inputs, step);
    for (size_t i = 0; i < p->entry->nsteps; i++) {
        const struct dispatch_step *s = &p->entry->step[i];
        const struct dispatch_variant *v = &s->variant[p->choice[i]];
        if (!run_variant(p, v, e) || !watch->step(watch->user, plan, s, v, e))
            return false;
    }
    return true;
}

bool vk_trace_read(struct exec_plan *plan, const struct dispatch_range *range, void *bytes,
                   size_t n, struct hlx_error *e)
{
    struct vk_plan *p = plan->device;
    struct vk_buffer *b = (struct vk_buffer *)vk_segment(p, &p->slot[SLOT], range);
    return vk_download(&p->x->d, b, range->offset, bytes, n, e);
}
