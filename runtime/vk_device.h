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
    VkPipelineCache cache;
    char *cache_path; // where the pipeline cache is kept, or NULL
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
};

// Opens a device with the features the exact profile needs (none but core Vulkan 1.2). The calling
// thread has FTZ and DAZ set while the device is created: a CPU driver's worker threads inherit it
// (spec/numerics.md). On failure *d is closed.
bool vk_device_open(struct vk_device *d, struct vk *vk, const struct vk_physical *physical,
                    struct hlx_error *e);
// Waits for the device, writes the pipeline cache, frees everything. *d may be closed twice.
void vk_device_close(struct vk_device *d);

// Turns a result into success or a sentence; the one place where injected failures enter.
bool vk_ok(struct vk_device *d, VkResult result, const char *doing, struct hlx_error *e);
// To be asked before a call that makes something: true when the call is to fail (then *e is
// filled).
bool vk_injected(struct vk_device *d, const char *doing, struct hlx_error *e);

enum vk_place {
    VK_ON_DEVICE, // device-local; also mapped where the device offers such memory
    VK_TO_DEVICE, // host-visible, written by the host
    VK_TO_HOST    // host-visible and cached, read by the host
};

// Makes a storage buffer of at least `size` bytes (filled with nothing in particular).
bool vk_buffer_make(struct vk_device *d, VkDeviceSize size, enum vk_place place,
                    struct vk_buffer *out, struct hlx_error *e);
void vk_buffer_free(struct vk_device *d, struct vk_buffer *b);

// Copies host memory to a buffer and back; waits. Uses a staging buffer where b is not mapped.
bool vk_upload(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, const void *bytes,
               VkDeviceSize n, struct hlx_error *e);
bool vk_download(struct vk_device *d, struct vk_buffer *b, VkDeviceSize at, void *bytes,
                 VkDeviceSize n, struct hlx_error *e);

// Records with vk_commands_begin, then submits and waits.
bool vk_commands_begin(struct vk_device *d, VkCommandBuffer *out, struct hlx_error *e);
bool vk_commands_run(struct vk_device *d, VkCommandBuffer commands, struct hlx_error *e);

#endif
