// vk_device.c: opens a device and moves bytes between it and the host.
#include "runtime/vk_device.h"

#include <string.h>

#include "ir/flush.h"

enum {
    WAIT_SECONDS = 600, // longer than any single submission should take
    SLOW_READ = 4096    // bytes that are read from uncached memory rather than copied first
};

bool vk_injected(struct vk_device *d, const char *doing, struct hlx_error *e)
{
    return d->fail_at != 0 && --d->fail_at == 0 && !vk_ok(d, d->fail_with, doing, e);
}

bool vk_ok(struct vk_device *d, VkResult result, const char *doing, struct hlx_error *e)
{
    if (result == VK_SUCCESS)
        return true;
    d->stuck = d->stuck || result == VK_TIMEOUT;
    return vk_fail(e, result, doing);
}

static void load_device_entries(struct vk_device *d)
{
    struct vk_procs *fn = &d->vk->fn;
#define VK_GLOBAL(name)
#define VK_INSTANCE(name)
#define VK_DEVICE(name) fn->name = (PFN_##name)fn->vkGetDeviceProcAddr(d->handle, #name);
#include "runtime/vk_procs.def"
#undef VK_GLOBAL
#undef VK_INSTANCE
#undef VK_DEVICE
}

static VkResult create_device(struct vk_device *d)
{
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = d->physical->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    unsigned mode = flush_begin();
    VkResult r = d->vk->fn.vkCreateDevice(d->physical->handle, &info, NULL, &d->handle);
    flush_end(mode);
    return r;
}

bool vk_device_open(struct vk_device *d, struct vk *vk, const struct vk_physical *physical,
                    struct hlx_error *e)
{
    d->vk = vk;
    d->physical = physical;
    if (!VK_TRY(d, e, "opening the device", create_device(d))) {
        *d = (struct vk_device){0};
        return false;
    }
    load_device_entries(d);
    vk->fn.vkGetDeviceQueue(d->handle, physical->family, 0, &d->queue);
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = physical->family};
    if (VK_TRY(d, e, "making a command pool",
               vk->fn.vkCreateCommandPool(d->handle, &pool, NULL, &d->commands)))
        return true;
    d->commands = VK_NULL_HANDLE;
    vk_device_close(d);
    return false;
}

void vk_device_close(struct vk_device *d)
{
    if (d->handle && !d->stuck) {
        const struct vk_procs *fn = &d->vk->fn;
        fn->vkDeviceWaitIdle(d->handle);
        if (d->commands)
            fn->vkDestroyCommandPool(d->handle, d->commands, NULL);
        fn->vkDestroyDevice(d->handle, NULL);
    }
    *d = (struct vk_device){.stuck = d->stuck};
}

bool vk_settle(struct vk_device *d, struct hlx_error *e)
{
    return VK_TRY(d, e, "waiting for the device", d->vk->fn.vkDeviceWaitIdle(d->handle));
}

bool vk_wait(struct vk_device *d, VkFence fence, struct hlx_error *e)
{
    return VK_TRY(d, e, "waiting for the device",
                  d->vk->fn.vkWaitForFences(d->handle, 1, &fence, VK_TRUE,
                                            (uint64_t)WAIT_SECONDS * 1000000000u));
}

// -- memory --------------------------------------------------------------------------------------

// Property flags wanted, best first; the last row of each place is the least that will do.
static const VkMemoryPropertyFlags wanted[3][3] = {
    [VK_ON_DEVICE] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                          VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                      VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0},
    [VK_TO_DEVICE] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                          VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
    [VK_TO_HOST] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                        VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
};

// Tries every memory type that fits, best properties first, until an allocation succeeds: a small
// window of host-visible device memory may be full while plain device memory is not.
static VkResult allocate(struct vk_device *d, const VkMemoryRequirements *need, enum vk_place place,
                         struct vk_buffer *b, VkMemoryPropertyFlags *got)
{
    const VkPhysicalDeviceMemoryProperties *m = &d->physical->memory;
    VkResult r = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (int w = 0; w < 3; w++) {
        for (uint32_t i = 0; i < m->memoryTypeCount; i++) {
            VkMemoryPropertyFlags flags = m->memoryTypes[i].propertyFlags;
            if (!(need->memoryTypeBits >> i & 1) || (flags & wanted[place][w]) != wanted[place][w])
                continue;
            const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                               .allocationSize = need->size,
                                               .memoryTypeIndex = i};
            r = d->vk->fn.vkAllocateMemory(d->handle, &info, NULL, &b->memory);
            *got = flags;
            if (r == VK_SUCCESS)
                return r;
            b->memory = VK_NULL_HANDLE;
        }
    }
    return r;
}

static bool map(struct vk_device *d, struct vk_buffer *b, VkMemoryPropertyFlags flags,
                struct hlx_error *e)
{
    const VkMemoryPropertyFlags host =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if ((flags & host) != host)
        return true;
    b->cached = flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    return VK_TRY(d, e, "mapping device memory",
                  d->vk->fn.vkMapMemory(d->handle, b->memory, 0, VK_WHOLE_SIZE, 0, &b->mapped));
}

// The buffer alone, without memory.
static bool create(struct vk_device *d, struct vk_buffer *b, struct hlx_error *e)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = b->size,
                                     .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    if (VK_TRY(d, e, "making a buffer",
               d->vk->fn.vkCreateBuffer(d->handle, &info, NULL, &b->handle)))
        return true;
    b->handle = VK_NULL_HANDLE;
    return false;
}

bool vk_buffer_make(struct vk_device *d, VkDeviceSize size, enum vk_place place,
                    struct vk_buffer *out, struct hlx_error *e)
{
    const struct vk_procs *fn = &d->vk->fn;
    *out = (struct vk_buffer){.size = size ? size : 4};
    VkMemoryRequirements need;
    VkMemoryPropertyFlags flags = 0;
    if (!create(d, out, e))
        return false;
    fn->vkGetBufferMemoryRequirements(d->handle, out->handle, &need);
    if (VK_TRY(d, e, "allocating device memory", allocate(d, &need, place, out, &flags)) &&
        VK_TRY(d, e, "binding device memory",
               fn->vkBindBufferMemory(d->handle, out->handle, out->memory, 0)) &&
        map(d, out, flags, e))
        return true;
    vk_buffer_free(d, out);
    return false;
}

void vk_buffer_free(struct vk_device *d, struct vk_buffer *b)
{
    if (b->handle && !d->stuck)
        d->vk->fn.vkDestroyBuffer(d->handle, b->handle, NULL);
    if (b->memory && !d->stuck)
        d->vk->fn.vkFreeMemory(d->handle, b->memory, NULL); // unmaps, too
    *b = (struct vk_buffer){0};
}

// -- commands and copies -------------------------------------------------------------------------

bool vk_commands_begin(struct vk_device *d, VkCommandBuffer *out, struct hlx_error *e)
{
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = d->commands,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    const struct vk_procs *fn = &d->vk->fn;
    if (!VK_TRY(d, e, "allocating a command buffer",
                fn->vkAllocateCommandBuffers(d->handle, &info, out))) {
        *out = NULL;
        return false;
    }
    if (VK_TRY(d, e, "recording commands", fn->vkBeginCommandBuffer(*out, &begin)))
        return true;
    vk_commands_free(d, out);
    return false;
}

void vk_commands_free(struct vk_device *d, VkCommandBuffer *commands)
{
    if (*commands && !d->stuck)
        d->vk->fn.vkFreeCommandBuffers(d->handle, d->commands, 1, commands);
    *commands = NULL;
}

bool vk_commands_run(struct vk_device *d, VkCommandBuffer commands, struct hlx_error *e)
{
    const struct vk_procs *fn = &d->vk->fn;
    VkFence fence = VK_NULL_HANDLE;
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    if (!VK_TRY(d, e, "recording commands", fn->vkEndCommandBuffer(commands)) ||
        !VK_TRY(d, e, "making a fence", fn->vkCreateFence(d->handle, &info, NULL, &fence)))
        return false;
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands};
    bool ok = VK_TRY(d, e, "submitting work", fn->vkQueueSubmit(d->queue, 1, &submit, fence)) &&
              vk_wait(d, fence, e);
    if (d->stuck)
        return false;
    if (!ok) // what was submitted may still be running
        fn->vkDeviceWaitIdle(d->handle);
    fn->vkDestroyFence(d->handle, fence, NULL);
    return ok;
}

void vk_barrier(struct vk_device *d, VkCommandBuffer commands, VkPipelineStageFlags from,
                VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used)
{
    const VkMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = written, .dstAccessMask = used};
    d->vk->fn.vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, NULL, 0, NULL);
}

static bool copy(struct vk_device *d, VkBuffer from, VkDeviceSize from_at, VkBuffer to,
                 VkDeviceSize to_at, VkDeviceSize n, struct hlx_error *e)
{
    VkCommandBuffer commands;
    if (!vk_commands_begin(d, &commands, e))
        return false;
    const VkBufferCopy region = {from_at, to_at, n};
    const VkPipelineStageFlags work = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    const VkPipelineStageFlags transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
    vk_barrier(d, commands, work | transfer,
               VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, transfer,
               VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
    d->vk->fn.vkCmdCopyBuffer(commands, from, to, 1, &region);
    // What the host reads after the fence must have been made visible to it.
    vk_barrier(d, commands, transfer, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
               VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
    bool ok = vk_commands_run(d, commands, e);
    vk_commands_free(d, &commands);
    return ok;
}

bool vk_upload(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, const void *bytes,
               VkDeviceSize n, struct hlx_error *e)
{
    if (b->mapped) {
        memcpy((char *)b->mapped + at, bytes, n);
        return true;
    }
    struct vk_buffer staging;
    if (!vk_buffer_make(d, n, VK_TO_DEVICE, &staging, e))
        return false;
    memcpy(staging.mapped, bytes, n);
    bool ok = copy(d, staging.handle, 0, b->handle, at, n, e);
    vk_buffer_free(d, &staging);
    return ok;
}

bool vk_download(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, void *bytes,
                 VkDeviceSize n, struct hlx_error *e)
{
    if (b->mapped && (b->cached || n <= SLOW_READ)) {
        memcpy(bytes, (char *)b->mapped + at, n);
        return true;
    }
    struct vk_buffer staging;
    if (!vk_buffer_make(d, n, VK_TO_HOST, &staging, e))
        return false;
    bool ok = copy(d, b->handle, at, staging.handle, 0, n, e);
    if (ok)
        memcpy(bytes, staging.mapped, n);
    vk_buffer_free(d, &staging);
    return ok;
}
