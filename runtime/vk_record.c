// vk_record.c: turns the calls of a dispatch table into descriptor sets and command buffers.
#include "runtime/exec_vk.h"

#include <stdlib.h>

const struct vk_buffer *vk_segment(const struct vk_plan *p, const struct vk_slot *s,
                                   const struct dispatch_range *r)
{
    if (r->arena == ARENA_VARS)
        return &p->x->vars[r->segment];
    const struct vk_buffer *shared = p->arena[r->arena];
    return shared ? &shared[r->segment] : &s->arena[r->arena][r->segment];
}

// -- descriptor sets -----------------------------------------------------------------------------

static uint32_t bindings_of(const struct vk_plan *p, const struct dispatch_call *c)
{
    return p->x->table->kernel[c->kernel].bindings;
}

static VkResult make_pool(const struct vk_plan *p, const struct dispatch_call *const *call,
                          size_t n, VkDescriptorPool *out)
{
    struct vk_device *d = &p->x->d;
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0};
    for (size_t i = 0; i < n; i++)
        size.descriptorCount += bindings_of(p, call[i]);
    if (size.descriptorCount == 0)
        size.descriptorCount = 1;
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = (uint32_t)n,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VkResult r = d->vk->fn.vkCreateDescriptorPool(d->handle, &info, NULL, out);
    if (r != VK_SUCCESS)
        *out = VK_NULL_HANDLE;
    return r;
}

static void fill_set(const struct vk_plan *p, const struct vk_slot *s,
                     const struct dispatch_call *c, VkDescriptorSet set)
{
    struct vk_device *d = &p->x->d;
    VkDescriptorBufferInfo info[DISPATCH_MAX_BINDINGS];
    VkWriteDescriptorSet write[DISPATCH_MAX_BINDINGS];
    uint32_t n = bindings_of(p, c);
    for (uint32_t i = 0; i < n; i++) {
        const struct dispatch_range *r = &c->binding[i].range;
        info[i] = (VkDescriptorBufferInfo){vk_segment(p, s, r)->handle, r->offset, r->size};
        write[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                          .dstSet = set,
                                          .dstBinding = i,
                                          .descriptorCount = 1,
                                          .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                          .pBufferInfo = &info[i]};
    }
    d->vk->fn.vkUpdateDescriptorSets(d->handle, n, write, 0, NULL);
}

static VkResult allocate_sets(const struct vk_plan *p, const struct dispatch_call *const *call,
                              size_t n, struct vk_sets *sets)
{
    struct vk_device *d = &p->x->d;
    VkDescriptorSetLayout *layout = calloc(n, sizeof *layout);
    if (!layout)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    for (size_t i = 0; i < n; i++)
        layout[i] = p->x->pipes.kernel[call[i]->kernel].buffers;
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = sets->pool,
                                              .descriptorSetCount = (uint32_t)n,
                                              .pSetLayouts = layout};
    VkResult r = d->vk->fn.vkAllocateDescriptorSets(d->handle, &info, sets->set);
    free(layout);
    return r;
}

bool vk_sets_make(const struct vk_plan *p, const struct vk_slot *s,
                  const struct dispatch_call *const *call, size_t n, struct vk_sets *out,
                  struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    *out = (struct vk_sets){0};
    if (n == 0)
        return true;
    out->set = calloc(n, sizeof *out->set);
    bool ok = out->set || hlx_no_memory(e, "the descriptors");
    if (ok && VK_TRY(d, e, "making a descriptor pool", make_pool(p, call, n, &out->pool)) &&
        VK_TRY(d, e, "allocating descriptors", allocate_sets(p, call, n, out))) {
        for (size_t i = 0; i < n; i++)
            fill_set(p, s, call[i], out->set[i]);
        return true;
    }
    vk_sets_free(d, out);
    return false;
}

void vk_sets_free(struct vk_device *d, struct vk_sets *sets)
{
    if (sets->pool && !d->stuck)
        d->vk->fn.vkDestroyDescriptorPool(d->handle, sets->pool, NULL);
    free(sets->set);
    *sets = (struct vk_sets){0};
}

// -- commands ------------------------------------------------------------------------------------

static const VkPipelineStageFlags compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                  transfer = VK_PIPELINE_STAGE_TRANSFER_BIT,
                                  host = VK_PIPELINE_STAGE_HOST_BIT;

static void record_call(const struct vk_plan *p, VkCommandBuffer commands,
                        const struct dispatch_call *c, const VkDescriptorSet *set)
{
    const struct vk_procs *fn = &p->x->vk.fn;
    const struct vk_kernel *k = &p->x->pipes.kernel[c->kernel];
    uint32_t push = p->x->table->kernel[c->kernel].push;
    fn->vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, k->pipeline);
    fn->vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, k->layout, 0, 1, set, 0,
                                NULL);
    if (push > 0)
        fn->vkCmdPushConstants(commands, k->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * push,
                               c->push);
    fn->vkCmdDispatch(commands, c->groups[0], c->groups[1], c->groups[2]);
}

void vk_record_calls(const struct vk_plan *p, VkCommandBuffer commands,
                     const struct dispatch_call *const *call, size_t n, const struct vk_sets *sets)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && call[i]->barrier)
            vk_barrier(&p->x->d, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, compute,
                       VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
        record_call(p, commands, call[i], &sets->set[i]);
    }
}

static void record_readback(const struct vk_plan *p, const struct vk_slot *s,
                            VkCommandBuffer commands)
{
    struct vk_device *d = &p->x->d;
    vk_barrier(d, commands, compute, VK_ACCESS_SHADER_WRITE_BIT, transfer,
               VK_ACCESS_TRANSFER_READ_BIT);
    for (size_t i = 0; i < p->entry->nsegments[ARENA_OUTPUTS]; i++) {
        const VkBufferCopy all = {0, 0, p->entry->segment[ARENA_OUTPUTS][i]};
        d->vk->fn.vkCmdCopyBuffer(commands, s->arena[ARENA_OUTPUTS][i].handle,
                                  s->readback[i].handle, 1, &all);
    }
}

// The first barrier is between this step and everything before it: the step before writes the
// variables this one reads, and both use the same working memory. The last one shows the host what
// was written: outputs, and variables in memory that it sees.
bool vk_record(struct vk_plan *p, struct vk_slot *s, struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    if (!vk_sets_make(p, s, p->call, p->ncalls, &s->sets, e) ||
        !vk_commands_begin(d, &s->commands, e))
        return false;
    vk_barrier(d, s->commands, compute | transfer | host,
               VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_WRITE_BIT,
               compute, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
    vk_record_calls(p, s->commands, p->call, p->ncalls, &s->sets);
    if (s->readback)
        record_readback(p, s, s->commands);
    vk_barrier(d, s->commands, compute | transfer,
               VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, host,
               VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
    return VK_TRY(d, e, "recording commands", d->vk->fn.vkEndCommandBuffer(s->commands));
}
