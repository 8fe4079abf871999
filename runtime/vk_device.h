// vk_device.h: an opened Vulkan device: queue, memory, buffers, copies, timestamps.
#ifndef HLX_RUNTIME_VK_DEVICE_H
#define HLX_RUNTIME_VK_DEVICE_H

#include "runtime/vk.h"

struct vk_device {
    struct vk *vk;
    const struct vk_physical *physical;
    VkDevice handle;
    VkQueue queue;
    VkCommandPool commands;
    bool stuck; // a submission never ended: nothing of the device may be destroyed
    // Tests make the n-th call that can fail fail: counted down at each such call; 0 = never.
    unsigned fail_at;
    VkResult fail_with;
};

// A range of device memory with its own allocation.
struct vk_buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    VkDeviceSize size;
    void *mapped; // NULL where the host cannot see it
    bool cached;  // the host reads `mapped` at full speed
};

// Opens a device with the features the exact profile needs (none but core Vulkan 1.2). The calling
// thread has FTZ and DAZ set while the device is created: a CPU driver's worker threads inherit it
// (spec/numerics.md). *d is all zeroes, but for fail_at and fail_with. On failure *d is closed.
bool vk_device_open(struct vk_device *d, struct vk *vk, const struct vk_physical *physical,
                    struct hlx_error *e);
// Waits for the device and frees everything. *d may be closed twice.
void vk_device_close(struct vk_device *d);

// Makes a call that can fail: true, or false with a sentence in *e. The one place where injected
// failures enter; an injected one fails without making the call.
#define VK_TRY(d, e, doing, call) (!vk_injected(d, doing, e) && vk_ok(d, call, doing, e))

// Turns a result into success or a sentence.
bool vk_ok(struct vk_device *d, VkResult result, const char *doing, struct hlx_error *e);
// Whether the call about to be made is to fail (then *e is filled).
bool vk_injected(struct vk_device *d, const char *doing, struct hlx_error *e);

// Waits until the queue has nothing left to do.
bool vk_settle(struct vk_device *d, struct hlx_error *e);
// Waits for a fence; a fence that is not signalled for ten minutes is a failure.
bool vk_wait(struct vk_device *d, VkFence fence, struct hlx_error *e);

enum vk_place {
    VK_ON_DEVICE, // device-local; also mapped where the device offers such memory
    VK_TO_DEVICE, // host-visible, written by the host
    VK_TO_HOST    // host-visible and cached, read by the host
};

// Makes a storage buffer of at least `size` bytes (filled with nothing in particular).
bool vk_buffer_make(struct vk_device *d, VkDeviceSize size, enum vk_place place,
                    struct vk_buffer *out, struct hlx_error *e);
void vk_buffer_free(struct vk_device *d, struct vk_buffer *b);

// Copies host memory to a buffer and back; waits. Uses a staging buffer where b is not mapped, or
// reading it would be slow. Nothing submitted may be using the buffer.
bool vk_upload(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, const void *bytes,
               VkDeviceSize n, struct hlx_error *e);
bool vk_download(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, void *bytes,
                 VkDeviceSize n, struct hlx_error *e);

// Opens a command buffer for recording. vk_commands_run ends it, submits it and waits; the buffer
// may be run once. Whatever happens, it is freed with vk_commands_free.
bool vk_commands_begin(struct vk_device *d, VkCommandBuffer *out, struct hlx_error *e);
bool vk_commands_run(struct vk_device *d, VkCommandBuffer commands, struct hlx_error *e);
void vk_commands_free(struct vk_device *d, VkCommandBuffer *commands);

// Records a memory barrier: what `from` has written is there for `to` to use.
void vk_barrier(struct vk_device *d, VkCommandBuffer commands, VkPipelineStageFlags from,
                VkAccessFlags written, VkPipelineStageFlags to, VkAccessFlags used);

#endif
