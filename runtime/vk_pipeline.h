// vk_pipeline.h: a program's kernels as compute pipelines of a device, made when first needed.
#ifndef HLX_RUNTIME_VK_PIPELINE_H
#define HLX_RUNTIME_VK_PIPELINE_H

#include "runtime/spv_check.h"
#include "runtime/vk_device.h"

// A kernel on the device. `pipeline` is null until it is made, and stays so where the device cannot
// run it: then `unfit` says why.
struct vk_kernel {
    VkDescriptorSetLayout buffers;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    struct spv_needs needs;
    const char *unfit;
};

// Kernels with as many buffers and push constants share a layout.
struct vk_layout {
    uint32_t bindings, push;
    VkDescriptorSetLayout buffers;
    VkPipelineLayout layout;
};

struct vk_pipelines {
    struct vk_device *d;
    const struct dispatch_program *program; // outlives this
    struct vk_kernel *kernel;               // by kernel of the program
    struct vk_layout *layout;
    size_t nlayouts;
    VkPipelineCache cache;
    char *path;                // of the cache file; NULL: there is none
    unsigned char written[32]; // SHA-256 of the cache as it is on disk
};

// Starts with no pipeline, and the driver's cache from disk where there is one. The device outlives
// this. On failure *p is closed.
bool vk_pipelines_open(struct vk_pipelines *p, struct vk_device *d,
                       const struct dispatch_program *program, struct hlx_error *e);
void vk_pipelines_close(struct vk_pipelines *p);

// Makes the pipelines of the kernels marked in `want` (one flag for each kernel) that are missing,
// on several threads, and saves the driver's cache. Fails with EXIT_DATA on a kernel that spv_check
// refuses and with EXIT_DEVICE when the driver does; a kernel that asks for more than the device
// has is no failure but becomes unfit.
bool vk_pipelines_make(struct vk_pipelines *p, const bool *want, struct hlx_error *e);

#endif
