// vk_hash.c: hashes the leaves of the state on the device that holds it, between two steps.
#include "runtime/vk_hash.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/exec_vk.h"

enum { BINDINGS = 3 };

// A hash under way.
struct slot {
    struct vk_buffer out;
    VkDescriptorSet *set; // by segment of the variables
    VkCommandBuffer commands;
    VkFence fence;
};

struct vk_hash {
    struct vk_exec *x;
    struct dispatch_kernel kernel;
    struct dispatch_program program; // of that kernel alone
    struct vk_pipelines pipes;
    struct vk_buffer table;
    uint32_t *first; // by segment its first row in the table; one more for the end
    uint32_t *row;   // by tensor of the layout its first row
    VkDescriptorPool pool;
    struct slot slot[VK_DEPTH];
    uint64_t submitted, collected;
};

// -- what is hashed ------------------------------------------------------------------------------

static const struct dispatch_range *range_of(const struct vk_hash *h, const struct state_tensor *t)
{
    return &h->x->table->var[t->var];
}

// Puts the rows of one tensor: where each leaf begins, in words, and its bytes.
static uint32_t *put_rows(const struct vk_hash *h, const struct state_tensor *t, uint32_t *row)
{
    uint32_t at = (uint32_t)(range_of(h, t)->offset / 4);
    size_t left = ir_type_bytes(t->type);
    for (size_t i = 0; i < t->leaves; i++, row += 2) {
        row[0] = at;
        row[1] = (uint32_t)(left < STATE_LEAF ? left : STATE_LEAF);
        at += STATE_LEAF / 4;
        left -= row[1];
    }
    return row;
}

// Rows stand segment by segment, so that one dispatch takes the rows of one buffer.
static bool make_table(struct vk_hash *h, const struct state_layout *l, struct hlx_error *e)
{
    size_t segments = h->x->table->nvar_segments, bytes = (l->leaves + 1) * 8;
    uint32_t *rows = calloc(1, bytes), *end = rows;
    h->first = calloc(segments + 1, sizeof *h->first);
    h->row = calloc(l->n + 1, sizeof *h->row);
    if (!rows || !h->first || !h->row) {
        free(rows);
        return hlx_no_memory(e, "the state's digest");
    }
    for (size_t s = 0; s < segments; s++) {
        for (size_t i = 0; i < l->n; i++) {
            if (range_of(h, &l->tensor[i])->segment != s)
                continue;
            h->row[i] = (uint32_t)((end - rows) / 2);
            end = put_rows(h, &l->tensor[i], end);
        }
        h->first[s + 1] = (uint32_t)((end - rows) / 2);
    }
    bool ok = vk_buffer_make(&h->x->d, bytes, VK_ON_DEVICE, &h->table, e) &&
              vk_upload(&h->x->d, &h->table, 0, rows, bytes, e);
    free(rows);
    return ok;
}

// -- descriptors ---------------------------------------------------------------------------------

static VkResult make_pool(struct vk_hash *h)
{
    struct vk_device *d = &h->x->d;
    uint32_t sets = VK_DEPTH * (uint32_t)(h->x->table->nvar_segments + 1);
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, BINDINGS * sets};
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = sets,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VkResult r = d->vk->fn.vkCreateDescriptorPool(d->handle, &info, NULL, &h->pool);
    if (r != VK_SUCCESS)
        h->pool = VK_NULL_HANDLE;
    return r;
}

static VkResult make_set(struct vk_hash *h, VkDescriptorSet *out)
{
    struct vk_device *d = &h->x->d;
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = h->pool,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &h->pipes.kernel[0].buffers};
    return d->vk->fn.vkAllocateDescriptorSets(d->handle, &info, out);
}

static void fill_set(struct vk_hash *h, const struct slot *s, size_t segment)
{
    struct vk_device *d = &h->x->d;
    const VkBuffer buffer[BINDINGS] = {h->x->vars[segment].handle, h->table.handle, s->out.handle};
    VkDescriptorBufferInfo info[BINDINGS];
    VkWriteDescriptorSet write[BINDINGS];
    for (uint32_t i = 0; i < BINDINGS; i++) {
        info[i] = (VkDescriptorBufferInfo){buffer[i], 0, VK_WHOLE_SIZE};
        write[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                          .dstSet = s->set[segment],
                                          .dstBinding = i,
                                          .descriptorCount = 1,
                                          .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                          .pBufferInfo = &info[i]};
    }
    d->vk->fn.vkUpdateDescriptorSets(d->handle, BINDINGS, write, 0, NULL);
}

// -- commands ------------------------------------------------------------------------------------

static void record_segment(const struct vk_hash *h, const struct slot *s, size_t segment)
{
    const struct vk_procs *fn = &h->x->vk.fn;
    const struct vk_kernel *k = &h->pipes.kernel[0];
    const uint32_t push[] = {h->first[segment], h->first[segment + 1] - h->first[segment]};
    if (push[1] == 0)
        return;
    fn->vkCmdBindPipeline(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, k->pipeline);
    fn->vkCmdBindDescriptorSets(s->commands, VK_PIPELINE_BIND_POINT_COMPUTE, k->layout, 0, 1,
                                &s->set[segment], 0, NULL);
    fn->vkCmdPushConstants(s->commands, k->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push,
                           push);
    fn->vkCmdDispatch(s->commands, (push[1] - 1) / vk_hash_group + 1, 1, 1);
}

// The step before wrote what is read here; the one after waits by its own first barrier.
static bool record(struct vk_hash *h, struct slot *s, struct hlx_error *e)
{
    struct vk_device *d = &h->x->d;
    if (!vk_commands_begin(d, &s->commands, e))
        return false;
    vk_barrier(d, s->commands,
               VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
               VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
               VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT);
    for (size_t i = 0; i < h->x->table->nvar_segments; i++)
        record_segment(h, s, i);
    vk_barrier(d, s->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
               VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    return VK_TRY(d, e, "recording commands", d->vk->fn.vkEndCommandBuffer(s->commands));
}

static bool make_slot(struct vk_hash *h, struct slot *s, size_t leaves, struct hlx_error *e)
{
    struct vk_device *d = &h->x->d;
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    size_t segments = h->x->table->nvar_segments;
    s->set = calloc(segments + 1, sizeof(VkDescriptorSet));
    if (!s->set)
        return hlx_no_memory(e, "the state's digest");
    if (!VK_TRY(d, e, "making a fence",
                d->vk->fn.vkCreateFence(d->handle, &fence, NULL, &s->fence))) {
        s->fence = VK_NULL_HANDLE;
        return false;
    }
    if (!vk_buffer_make(d, (leaves + 1) * HANDLE_BYTES, VK_TO_HOST, &s->out, e))
        return false;
    for (size_t i = 0; i < segments; i++) {
        if (!VK_TRY(d, e, "allocating descriptors", make_set(h, &s->set[i])))
            return false;
        fill_set(h, s, i);
    }
    return record(h, s, e);
}

// -- opening and closing -------------------------------------------------------------------------

static bool make_pipeline(struct vk_hash *h, struct hlx_error *e)
{
    static const bool want[] = {true};
    h->kernel = (struct dispatch_kernel){.name = "hash_leaves",
                                         .words = vk_hash_words,
                                         .nwords = vk_hash_nwords,
                                         .bindings = BINDINGS,
                                         .push = 2};
    h->program = (struct dispatch_program){.kernel = &h->kernel, .nkernels = 1};
    if (!vk_pipelines_open(&h->pipes, &h->x->d, &h->program, e) ||
        !vk_pipelines_make(&h->pipes, want, e))
        return false;
    return h->pipes.kernel[0].pipeline ||
           hlx_fail(e, EXIT_DEVICE, "the device cannot hash the state: %s",
                    h->pipes.kernel[0].unfit);
}

static bool open_hash(struct vk_exec *x, const struct state_layout *l, struct hlx_error *e)
{
    struct vk_hash *h = x->hash = calloc(1, sizeof *h);
    if (!h)
        return hlx_no_memory(e, "the state's digest");
    h->x = x;
    bool ok = make_pipeline(h, e) && make_table(h, l, e) &&
              VK_TRY(&x->d, e, "making a descriptor pool", make_pool(h));
    for (int i = 0; ok && i < VK_DEPTH; i++)
        ok = make_slot(h, &h->slot[i], l->leaves, e);
    return ok;
}

void vk_hash_close(struct vk_exec *x)
{
    struct vk_hash *h = x->hash;
    if (!h)
        return;
    for (int i = 0; i < VK_DEPTH; i++) {
        struct slot *s = &h->slot[i];
        if (s->fence && !x->d.stuck)
            x->vk.fn.vkDestroyFence(x->d.handle, s->fence, NULL);
        vk_commands_free(&x->d, &s->commands);
        vk_buffer_free(&x->d, &s->out);
        free(s->set);
    }
    if (h->pool && !x->d.stuck)
        x->vk.fn.vkDestroyDescriptorPool(x->d.handle, h->pool, NULL);
    vk_buffer_free(&x->d, &h->table);
    vk_pipelines_close(&h->pipes);
    free(h->first);
    free(h->row);
    free(h);
    x->hash = NULL;
}

// -- hashing -------------------------------------------------------------------------------------

bool vk_hash_submit(struct exec_plan *plan, struct hlx_error *e)
{
    struct vk_exec *x = plan->exec->device;
    struct vk_device *d = &x->d;
    if (!x->hash && (!vk_settle(d, e) || !open_hash(x, &plan->exec->layout, e))) {
        vk_hash_close(x); // what is half made
        return false;
    }
    struct vk_hash *h = x->hash;
    struct slot *s = &h->slot[h->submitted % VK_DEPTH];
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &s->commands};
    if (!VK_TRY(d, e, "resetting a fence", d->vk->fn.vkResetFences(d->handle, 1, &s->fence)) ||
        !VK_TRY(d, e, "submitting a digest", d->vk->fn.vkQueueSubmit(d->queue, 1, &info, s->fence)))
        return false;
    h->submitted++;
    return true;
}

bool vk_hash_collect(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *e)
{
    const struct state_layout *l = &plan->exec->layout;
    struct vk_hash *h = ((struct vk_exec *)plan->exec->device)->hash;
    struct slot *s = &h->slot[h->collected % VK_DEPTH];
    if (!vk_wait(&h->x->d, s->fence, e))
        return false;
    for (size_t i = 0; i < l->n; i++)
        memcpy(leaves + l->tensor[i].leaf * HANDLE_BYTES,
               (const char *)s->out.mapped + (size_t)h->row[i] * HANDLE_BYTES,
               l->tensor[i].leaves * HANDLE_BYTES);
    h->collected++;
    return true;
}
