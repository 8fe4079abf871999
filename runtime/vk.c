// vk.c: opens the Vulkan loader and finds out what each physical device can do.
#define _GNU_SOURCE // dl_iterate_phdr
#include "runtime/vk.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOADER "libvulkan.so.1"
#define INSTALL                                                                                    \
    "install a driver and the loader (on Debian: apt-get install mesa-vulkan-drivers "             \
    "libvulkan1), or run with --device cpu"

static const struct {
    VkResult result;
    const char *meaning;
} results[] = {
    {VK_ERROR_OUT_OF_HOST_MEMORY, "the host is out of memory"},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, "the device is out of memory"},
    {VK_ERROR_DEVICE_LOST, "the device was lost (a driver reset or a hardware fault)"},
    {VK_ERROR_INITIALIZATION_FAILED, "the driver could not be initialised"},
    {VK_ERROR_INCOMPATIBLE_DRIVER, "no driver is installed"},
    {VK_ERROR_LAYER_NOT_PRESENT, "a layer named in the environment is not installed"},
    {VK_ERROR_EXTENSION_NOT_PRESENT, "an extension is missing"},
    {VK_ERROR_FEATURE_NOT_PRESENT, "a feature is missing"},
    {VK_ERROR_TOO_MANY_OBJECTS, "the device has too many objects"},
    {VK_ERROR_MEMORY_MAP_FAILED, "device memory could not be mapped"},
    {VK_TIMEOUT, "the device did not finish in time"},
};

bool vk_fail(struct hlx_error *e, VkResult result, const char *doing)
{
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i].result == result)
            return hlx_fail(e, EXIT_DEVICE, "%s failed: %s", doing, results[i].meaning);
    return hlx_fail(e, EXIT_DEVICE, "%s failed: the driver reports error %d", doing, (int)result);
}

const char *vk_kind_name(VkPhysicalDeviceType type)
{
    static const char *const names[] = {"other", "integrated GPU", "discrete GPU", "virtual GPU",
                                        "CPU"};
    return (unsigned)type < 5 ? names[type] : names[0];
}

// Function pointers travel through void * by memcpy: ISO C has no conversion between the two.
static PFN_vkGetInstanceProcAddr loader_entry(void *library)
{
    PFN_vkGetInstanceProcAddr entry = NULL;
    void *symbol = dlsym(library, "vkGetInstanceProcAddr");
    memcpy(&entry, &symbol, sizeof entry);
    return entry;
}

static bool make_instance(struct vk *v, PFN_vkGetInstanceProcAddr get, struct hlx_error *e)
{
#define VK_GLOBAL(name) v->fn.name = (PFN_##name)get(NULL, #name);
#define VK_INSTANCE(name)
#define VK_DEVICE(name)
#include "runtime/vk_procs.def"
#undef VK_GLOBAL
#undef VK_INSTANCE
    uint32_t version = VK_API_VERSION_1_0;
    if (!v->fn.vkCreateInstance || !v->fn.vkEnumerateInstanceVersion ||
        v->fn.vkEnumerateInstanceVersion(&version) != VK_SUCCESS || version < VK_API_VERSION_1_2)
        return hlx_fail(e, EXIT_DEVICE, "the Vulkan loader is older than 1.2; " INSTALL);
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .pApplicationName = "hlxrun",
                                   .pEngineName = "Helix",
                                   .apiVersion = VK_API_VERSION_1_2};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &app};
    VkResult r = v->fn.vkCreateInstance(&info, NULL, &v->instance);
    if (r != VK_SUCCESS) {
        v->instance = VK_NULL_HANDLE;
        if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
            return hlx_fail(e, EXIT_DEVICE, "no Vulkan driver is installed; " INSTALL);
        return vk_fail(e, r, "creating a Vulkan instance");
    }
#define VK_GLOBAL(name)
#define VK_INSTANCE(name) v->fn.name = (PFN_##name)get(v->instance, #name);
#include "runtime/vk_procs.def"
#undef VK_GLOBAL
#undef VK_INSTANCE
#undef VK_DEVICE
    return true;
}

// The family with compute and the fewest other abilities would be "async compute"; the first one
// with compute is the one every driver supports best.
static void find_family(const struct vk *v, struct vk_physical *p)
{
    uint32_t n = 0;
    v->fn.vkGetPhysicalDeviceQueueFamilyProperties(p->handle, &n, NULL);
    VkQueueFamilyProperties *families = calloc(n ? n : 1, sizeof *families);
    if (!families) {
        p->unusable = "out of memory";
        return;
    }
    v->fn.vkGetPhysicalDeviceQueueFamilyProperties(p->handle, &n, families);
    p->unusable = "it has no compute queue";
    for (uint32_t i = 0; i < n; i++) {
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
            continue;
        p->family = i;
        p->timestamp_bits = families[i].timestampValidBits;
        p->unusable = NULL;
        break;
    }
    free(families);
}

static void describe(const struct vk *v, struct vk_physical *p)
{
    VkPhysicalDeviceSubgroupProperties subgroup = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, .pNext = &subgroup};
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                       .pNext = &driver};
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                       .pNext = &id};
    v->fn.vkGetPhysicalDeviceProperties2(p->handle, &all);
    v->fn.vkGetPhysicalDeviceMemoryProperties(p->handle, &p->memory);
    p->properties = all.properties;
    p->subgroup = subgroup;
    p->subgroup.pNext = NULL;
    memcpy(p->uuid, id.deviceUUID, sizeof p->uuid);
    snprintf(p->driver, sizeof p->driver, "%s %s", driver.driverName, driver.driverInfo);
    find_family(v, p);
    if (p->properties.apiVersion < VK_API_VERSION_1_2)
        p->unusable = "its driver is older than Vulkan 1.2";
}

static bool list_devices(struct vk *v, struct hlx_error *e)
{
    uint32_t n = 0;
    VkResult r = v->fn.vkEnumeratePhysicalDevices(v->instance, &n, NULL);
    if (r != VK_SUCCESS)
        return vk_fail(e, r, "listing Vulkan devices");
    if (n == 0)
        return hlx_fail(e, EXIT_DEVICE, "no Vulkan device is present; " INSTALL);
    VkPhysicalDevice *handles = calloc(n, sizeof(VkPhysicalDevice));
    v->physical = calloc(n, sizeof *v->physical);
    if (!handles || !v->physical) {
        free(handles);
        return hlx_no_memory(e, "the list of devices");
    }
    r = v->fn.vkEnumeratePhysicalDevices(v->instance, &n, handles);
    v->n = n;
    for (uint32_t i = 0; i < n && r >= VK_SUCCESS; i++) {
        v->physical[i].handle = handles[i];
        describe(v, &v->physical[i]);
    }
    free(handles);
    return r >= VK_SUCCESS || vk_fail(e, r, "listing Vulkan devices");
}

// Libraries that were loaded stay: a process that opens devices again and again, with the driver
// loaded anew each time, is out of devices after some dozen times on NVIDIA (580.159: no driver is
// found any more), and what a driver keeps in its globals looks leaked once it is unloaded.
static int keep_one(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    return 0;
}

bool vk_open(struct vk *v, struct hlx_error *e)
{
    memset(v, 0, sizeof *v);
    v->library = dlopen(LOADER, RTLD_NOW | RTLD_LOCAL);
    if (!v->library)
        return hlx_fail(e, EXIT_DEVICE,
                        "the Vulkan loader (" LOADER ") is not installed; " INSTALL);
    PFN_vkGetInstanceProcAddr get = loader_entry(v->library);
    if (!get || !make_instance(v, get, e) || !list_devices(v, e)) {
        if (!get)
            hlx_fail(e, EXIT_DEVICE, LOADER " is not a Vulkan loader; " INSTALL);
        vk_close(v);
        return false;
    }
    return true;
}

void vk_close(struct vk *v)
{
    if (v->instance && v->fn.vkDestroyInstance) {
        dl_iterate_phdr(keep_one, NULL);
        v->fn.vkDestroyInstance(v->instance, NULL);
    }
    free(v->physical);
    if (v->library)
        dlclose(v->library);
    memset(v, 0, sizeof *v);
}

// Smaller is better: the order of design is discrete, integrated or virtual, CPU.
static int rank(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return 0;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return 1;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return 3;
    default: return 4;
    }
}

// No text contains an empty part: a name that was left out asks for no device.
static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; n != 0 && *text; text++)
        if (strncasecmp(text, part, n) == 0)
            return true;
    return false;
}

static void uuid_text(const uint8_t uuid[VK_UUID_SIZE], char out[33])
{
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", uuid[i]);
}

static bool matches(const struct vk *v, uint32_t i, const char *want)
{
    char uuid[33], index[24];
    uuid_text(v->physical[i].uuid, uuid);
    snprintf(index, sizeof index, "vulkan:%u", i);
    return strcasecmp(want, uuid) == 0 || strcmp(want, index) == 0 ||
           contains(v->physical[i].properties.deviceName, want);
}

const struct vk_physical *vk_choose(const struct vk *v, const char *want, struct hlx_error *e)
{
    bool any = !want || strcmp(want, "vulkan") == 0;
    const struct vk_physical *best = NULL, *unusable = NULL;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct vk_physical *p = &v->physical[i];
        bool cpu = p->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
        if ((!any && !matches(v, i, want)) || (!want && cpu))
            continue;
        if (p->unusable)
            unusable = p;
        else if (!best || rank(p->properties.deviceType) < rank(best->properties.deviceType))
            best = p;
    }
    if (best)
        return best;
    if (unusable)
        hlx_fail(e, EXIT_DEVICE, "%s cannot run programs: %s", unusable->properties.deviceName,
                 unusable->unusable);
    else if (!want)
        hlx_fail(e, EXIT_DEVICE, "there is no GPU here");
    else
        hlx_fail(e, EXIT_DEVICE, "there is no device `%s`; --list-devices shows what there is",
                 want);
    return NULL;
}
