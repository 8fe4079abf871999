// vk.h: the Vulkan loader, opened at run time, and the physical devices it offers.
//
// Nothing links against Vulkan: a machine without it runs on the evaluator and gets a sentence that
// says what to install when a device is asked for by name.
#ifndef HLX_RUNTIME_VK_H
#define HLX_RUNTIME_VK_H

#include <stddef.h>
#include <stdint.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include "runtime/error.h"

struct vk_procs {
#define VK_GLOBAL(name) PFN_##name name;
#define VK_INSTANCE(name) PFN_##name name;
#define VK_DEVICE(name) PFN_##name name;
#include "runtime/vk_procs.def"
#undef VK_GLOBAL
#undef VK_INSTANCE
#undef VK_DEVICE
};

// What is known of one physical device.
struct vk_physical {
    VkPhysicalDevice handle;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    VkPhysicalDeviceSubgroupProperties subgroup;
    char driver[VK_MAX_DRIVER_NAME_SIZE + VK_MAX_DRIVER_INFO_SIZE + 2];
    uint8_t uuid[VK_UUID_SIZE];
    uint32_t family; // queue family for compute
    uint32_t timestamp_bits;
    const char *unusable; // why it cannot run programs, or NULL
};

struct vk {
    void *library;
    struct vk_procs fn; // device entries are filled by vk_device_open
    VkInstance instance;
    struct vk_physical *physical;
    uint32_t n;
};

// Loads the loader and lists the devices. On failure (no loader, no driver) returns false with
// EXIT_DEVICE and a sentence; *v is then closed. A list may be empty only on failure.
bool vk_open(struct vk *v, struct hlx_error *e);
void vk_close(struct vk *v);

// Chooses a device: `want` NULL takes the first discrete GPU, else an integrated or virtual one (a
// Vulkan driver for the CPU is slower than the evaluator and gives the same bits: it runs when
// asked for); otherwise `want` is "vulkan" (also the CPU one, when there is no other), an index
// ("vulkan:1"), a UUID or a part of a name. Returns NULL and fills *e (EXIT_DEVICE) when none fits.
const struct vk_physical *vk_choose(const struct vk *v, const char *want, struct hlx_error *e);

// Whether it is a driver for the CPU.
static inline bool vk_is_cpu(const struct vk_physical *p)
{
    return p->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

// "discrete GPU", "integrated GPU", "virtual GPU", "CPU", "other".
const char *vk_kind_name(VkPhysicalDeviceType type);

// Fills *e with what failed and what the result means, in words; returns false.
bool vk_fail(struct hlx_error *e, VkResult result, const char *doing);

#endif
