// devices.c: lists the devices with what programs may use of them.
#include "runtime/devices.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/doctor.h"
#include "runtime/exec.h"
#include "runtime/vk.h"

// -- what the native profile may use -------------------------------------------------------------

struct features {
    VkPhysicalDeviceFeatures core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkExtensionProperties *extension;
    uint32_t extensions;
};

static void read_features(const struct vk *v, const struct vk_physical *p, struct features *f)
{
    *f = (struct features){0};
    if (p->unusable)
        return;
    f->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    f->v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    f->v12.pNext = &f->v11;
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &f->v12};
    v->fn.vkGetPhysicalDeviceFeatures2(p->handle, &all);
    f->core = all.features;
    uint32_t n = 0;
    v->fn.vkEnumerateDeviceExtensionProperties(p->handle, NULL, &n, NULL);
    f->extension = calloc(n + 1, sizeof *f->extension);
    if (f->extension &&
        v->fn.vkEnumerateDeviceExtensionProperties(p->handle, NULL, &n, f->extension) >= 0)
        f->extensions = n;
}

static bool extends(const struct features *f, const char *name)
{
    for (uint32_t i = 0; i < f->extensions; i++)
        if (!strcmp(f->extension[i].extensionName, name))
            return true;
    return false;
}

static bool has_f16(const struct vk_physical *p, const struct features *f)
{
    (void)p;
    return f->v12.shaderFloat16;
}

static bool has_bf16(const struct vk_physical *p, const struct features *f)
{
    (void)p;
    return extends(f, "VK_KHR_shader_bfloat16");
}

static bool has_i8(const struct vk_physical *p, const struct features *f)
{
    (void)p;
    return f->v12.shaderInt8;
}

static bool has_storage16(const struct vk_physical *p, const struct features *f)
{
    (void)p;
    return f->v11.storageBuffer16BitAccess;
}

static bool has_matrices(const struct vk_physical *p, const struct features *f)
{
    (void)p;
    return extends(f, "VK_KHR_cooperative_matrix");
}

static bool has_subgroups(const struct vk_physical *p, const struct features *f)
{
    (void)f;
    const VkSubgroupFeatureFlags used = VK_SUBGROUP_FEATURE_BASIC_BIT |
                                        VK_SUBGROUP_FEATURE_ARITHMETIC_BIT |
                                        VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
    return (p->subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
           (p->subgroup.supportedOperations & used) == used;
}

static const struct {
    const char *name;
    bool (*has)(const struct vk_physical *p, const struct features *f);
} abilities[] = {
    {"f16", has_f16},
    {"bf16", has_bf16},
    {"i8", has_i8},
    {"16-bit storage", has_storage16},
    {"subgroup operations", has_subgroups},
    {"cooperative matrices", has_matrices},
};
enum { ABILITIES = sizeof abilities / sizeof *abilities };

// -- facts ---------------------------------------------------------------------------------------

static uint64_t memory_of(const struct vk_physical *p)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < p->memory.memoryHeapCount; i++)
        if (p->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            bytes += p->memory.memoryHeaps[i].size;
    return bytes;
}

static void put_uuid(const struct vk_physical *p, char out[2 * VK_UUID_SIZE + 1])
{
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", p->uuid[i]);
}

static void put_bytes(struct buf *out, uint64_t n)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned u = 0;
    double x = (double)n;
    for (; x >= 1024 && u < 4; u++)
        x /= 1024;
    buf_printf(out, u > 2 ? "%.1f %s" : "%.0f %s", x, units[u]);
}

// The device that is taken when none is asked for, or NULL.
static const struct vk_physical *best_of(const struct vk *v)
{
    struct hlx_error ignored;
    return vk_choose(v, NULL, &ignored);
}

// The test of hlxrun doctor that bars a device from exact programs, or "". A device is tested
// before it runs the first of them.
static const char *barred_by(const struct vk_physical *p, char failed[DOCTOR_NAME + 1])
{
    return doctor_recall(p, failed) ? failed : "";
}

// -- text ----------------------------------------------------------------------------------------

static void text_exact(const struct vk_physical *p, struct buf *out)
{
    char failed[DOCTOR_NAME + 1];
    const char *name = barred_by(p, failed);
    buf_puts(out, *name ? "    exact: no, hlxrun doctor found `" : "    exact: yes");
    buf_visible(out, name, strlen(name));
    buf_puts(out, *name ? "` wrong" : "");
}

static void text_native(const struct vk_physical *p, const struct features *f, struct buf *out)
{
    bool any = false;
    text_exact(p, out);
    buf_puts(out, "; native may use:");
    for (size_t i = 0; i < ABILITIES; i++)
        if (abilities[i].has(p, f)) {
            buf_printf(out, "%s %s", any ? "," : "", abilities[i].name);
            any = true;
        }
    buf_puts(out, any ? "\n" : " nothing more\n");
}

static void text_limits(const struct vk_physical *p, struct buf *out)
{
    const VkPhysicalDeviceLimits *l = &p->properties.limits;
    buf_puts(out, "    memory ");
    put_bytes(out, memory_of(p));
    buf_puts(out, ", shared memory ");
    put_bytes(out, l->maxComputeSharedMemorySize);
    buf_puts(out, ", buffers to ");
    put_bytes(out, l->maxStorageBufferRange);
    buf_printf(out, ", workgroups to %u, subgroups of %u\n", l->maxComputeWorkGroupInvocations,
               p->subgroup.subgroupSize);
}

static void text_device(const struct vk *v, uint32_t i, struct buf *out)
{
    const struct vk_physical *p = &v->physical[i];
    uint32_t version = p->properties.apiVersion;
    char uuid[2 * VK_UUID_SIZE + 1];
    struct features f;
    put_uuid(p, uuid);
    buf_printf(out, "vulkan:%-2u ", i);
    buf_visible(out, p->properties.deviceName, strlen(p->properties.deviceName));
    buf_printf(out, " (%s)%s\n    uuid %s\n    driver ", vk_kind_name(p->properties.deviceType),
               p == best_of(v) ? ", the default" : "", uuid);
    buf_visible(out, p->driver, strlen(p->driver));
    buf_printf(out, ", Vulkan %u.%u.%u\n", VK_API_VERSION_MAJOR(version),
               VK_API_VERSION_MINOR(version), VK_API_VERSION_PATCH(version));
    if (p->unusable) {
        buf_printf(out, "    cannot run programs: %s\n", p->unusable);
        return;
    }
    text_limits(p, out);
    read_features(v, p, &f);
    text_native(p, &f, out);
    free(f.extension);
}

void devices_text(struct buf *out)
{
    struct vk v;
    struct hlx_error e;
    bool found = vk_open(&v, &e);
    bool best = found && best_of(&v);
    for (uint32_t i = 0; found && i < v.n; i++)
        text_device(&v, i, out);
    if (!found)
        buf_printf(out, "vulkan    none: %s\n", e.text);
    buf_printf(out, "%-9s %s%s\n", exec_cpu.name, exec_cpu.doc, best ? "" : ", the default");
    if (found)
        vk_close(&v);
}

// -- JSON ----------------------------------------------------------------------------------------

static json_t *json_native(const struct vk_physical *p, const struct features *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ABILITIES; i++)
        if (abilities[i].has(p, f))
            json_array_append_new(list, json_string(abilities[i].name));
    return list;
}

static json_t *json_limits(const struct vk_physical *p)
{
    const VkPhysicalDeviceLimits *l = &p->properties.limits;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "memory", (json_int_t)memory_of(p),
                     "shared_memory", (json_int_t)l->maxComputeSharedMemorySize, "buffer",
                     (json_int_t)l->maxStorageBufferRange, "workgroup",
                     (json_int_t)l->maxComputeWorkGroupInvocations, "subgroup",
                     (json_int_t)p->subgroup.subgroupSize);
}

// Driver's texts are shown clean of what JSON and terminals cannot hold.
static json_t *json_clean(const char *text)
{
    struct buf b = {0};
    buf_visible(&b, text, strlen(text));
    json_t *s = json_string(b.n ? b.at : "");
    buf_free(&b);
    return s;
}

static json_t *json_device(const struct vk *v, uint32_t i)
{
    const struct vk_physical *p = &v->physical[i];
    uint32_t version = p->properties.apiVersion;
    char uuid[2 * VK_UUID_SIZE + 1], name[24], api[40], failed[DOCTOR_NAME + 1];
    struct features f;
    read_features(v, p, &f);
    put_uuid(p, uuid);
    snprintf(name, sizeof name, "vulkan:%u", i);
    snprintf(api, sizeof api, "%u.%u.%u", VK_API_VERSION_MAJOR(version),
             VK_API_VERSION_MINOR(version), VK_API_VERSION_PATCH(version));
    json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:b, s:b, s:s?, s:o, s:o}", "device",
                          name, "name", json_clean(p->properties.deviceName), "kind",
                          vk_kind_name(p->properties.deviceType), "uuid", uuid, "driver",
                          json_clean(p->driver), "vulkan", api, "default", p == best_of(v), "exact",
                          !p->unusable && !*barred_by(p, failed), "unusable", p->unusable, "limits",
                          json_limits(p), "native", json_native(p, &f));
    free(f.extension);
    return o;
}

bool devices_json(struct buf *out)
{
    struct vk v;
    struct hlx_error e;
    bool found = vk_open(&v, &e);
    json_t *list = json_array();
    for (uint32_t i = 0; found && i < v.n; i++)
        json_array_append_new(list, json_device(&v, i));
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:b}", "device", exec_cpu.name,
                                          "name", exec_cpu.doc, "kind", "CPU", "default",
                                          !found || !best_of(&v), "exact", true));
    json_t *all = json_pack("{s:o, s:s?}", "devices", list, "missing", found ? NULL : e.text);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    json_decref(all);
    if (found)
        vk_close(&v);
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    return text;
}
