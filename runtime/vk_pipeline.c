// vk_pipeline.c: checks kernels and makes pipelines of them, in parallel and with a cache on disk.
#include "runtime/vk_pipeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/flush.h"
#include "runtime/vk_cache.h"

// -- the driver's cache --------------------------------------------------------------------------

#define KIND "pipelines"

// Drivers are to refuse what is not theirs, but not all always have.
static bool own_data(const struct vk_physical *p, const unsigned char *bytes, size_t n)
{
    VkPipelineCacheHeaderVersionOne h;
    if (n < sizeof h)
        return false;
    memcpy(&h, bytes, sizeof h);
    return h.headerSize >= sizeof h && h.headerSize <= n &&
           h.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           h.vendorID == p->properties.vendorID && h.deviceID == p->properties.deviceID &&
           !memcmp(h.pipelineCacheUUID, p->properties.pipelineCacheUUID, VK_UUID_SIZE);
}

static VkResult make_cache(struct vk_pipelines *p, const void *bytes, size_t n)
{
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                            .initialDataSize = n,
                                            .pInitialData = bytes};
    VkResult r = p->d->vk->fn.vkCreatePipelineCache(p->d->handle, &info, NULL, &p->cache);
    if (r != VK_SUCCESS)
        p->cache = VK_NULL_HANDLE;
    return r;
}

static bool load_cache(struct vk_pipelines *p, struct hlx_error *e)
{
    size_t n = 0;
    p->path = vk_cache_path(p->d->physical, KIND);
    unsigned char *bytes = vk_cache_read(p->path, KIND, &n);
    if (bytes && own_data(p->d->physical, bytes, n) && make_cache(p, bytes, n) == VK_SUCCESS)
        sha256_of(bytes, n, p->written);
    free(bytes);
    return p->cache || VK_TRY(p->d, e, "making a pipeline cache", make_cache(p, NULL, 0));
}

// Saves the cache when it has grown. A failure costs the next run some time, no more.
static void save_cache(struct vk_pipelines *p)
{
    const struct vk_procs *fn = &p->d->vk->fn;
    unsigned char sha[HANDLE_BYTES], *bytes;
    size_t n = 0;
    if (!p->path || fn->vkGetPipelineCacheData(p->d->handle, p->cache, &n, NULL) != VK_SUCCESS ||
        n <= sizeof(VkPipelineCacheHeaderVersionOne) || !(bytes = malloc(n)))
        return;
    if (fn->vkGetPipelineCacheData(p->d->handle, p->cache, &n, bytes) == VK_SUCCESS) {
        sha256_of(bytes, n, sha);
        if (memcmp(sha, p->written, sizeof sha) != 0)
            vk_cache_write(p->path, KIND, bytes, n);
        memcpy(p->written, sha, sizeof sha);
    }
    free(bytes);
}

// -- layouts -------------------------------------------------------------------------------------

static VkResult make_buffers(struct vk_device *d, struct vk_layout *l)
{
    VkDescriptorSetLayoutBinding binding[DISPATCH_MAX_BINDINGS];
    for (uint32_t i = 0; i < l->bindings; i++)
        binding[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        };
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = l->bindings,
        .pBindings = binding};
    return d->vk->fn.vkCreateDescriptorSetLayout(d->handle, &info, NULL, &l->buffers);
}

static VkResult make_layout(struct vk_device *d, struct vk_layout *l)
{
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 4 * l->push};
    const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                             .setLayoutCount = 1,
                                             .pSetLayouts = &l->buffers,
                                             .pushConstantRangeCount = l->push > 0,
                                             .pPushConstantRanges = &push};
    return d->vk->fn.vkCreatePipelineLayout(d->handle, &info, NULL, &l->layout);
}

static void free_layout(struct vk_device *d, const struct vk_layout *l)
{
    if (l->layout)
        d->vk->fn.vkDestroyPipelineLayout(d->handle, l->layout, NULL);
    if (l->buffers)
        d->vk->fn.vkDestroyDescriptorSetLayout(d->handle, l->buffers, NULL);
}

// The layout of a kernel, made once. There is room for one per kernel.
static const struct vk_layout *find_layout(struct vk_pipelines *p, const struct dispatch_kernel *k,
                                           struct hlx_error *e)
{
    for (size_t i = 0; i < p->nlayouts; i++)
        if (p->layout[i].bindings == k->bindings && p->layout[i].push == k->push)
            return &p->layout[i];
    struct vk_layout l = {.bindings = k->bindings, .push = k->push};
    if (!VK_TRY(p->d, e, "making a descriptor layout", make_buffers(p->d, &l)))
        return NULL;
    if (!VK_TRY(p->d, e, "making a pipeline layout", make_layout(p->d, &l))) {
        l.layout = VK_NULL_HANDLE;
        free_layout(p->d, &l);
        return NULL;
    }
    p->layout[p->nlayouts] = l;
    return &p->layout[p->nlayouts++];
}

// -- one pipeline --------------------------------------------------------------------------------

// What the device has not, or NULL.
static const char *unfit(const struct vk_physical *p, const struct dispatch_kernel *k,
                         const struct spv_needs *needs)
{
    const VkPhysicalDeviceLimits *l = &p->properties.limits;
    uint64_t invocations = 1;
    for (int i = 0; i < 3; i++) {
        invocations *= needs->local[i];
        if (needs->local[i] > l->maxComputeWorkGroupSize[i] ||
            invocations > l->maxComputeWorkGroupInvocations)
            return "its workgroups are larger than the device allows";
    }
    if (needs->shared > l->maxComputeSharedMemorySize)
        return "it needs more shared memory than the device has";
    if (k->bindings > l->maxPerStageDescriptorStorageBuffers ||
        k->bindings > l->maxPerStageResources)
        return "it uses more buffers than the device allows";
    if (needs->subgroup & ~p->subgroup.supportedOperations ||
        (needs->subgroup && !(p->subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT)))
        return "it uses subgroup operations that the device has not";
    return NULL;
}

static VkResult make_module(struct vk_device *d, const struct dispatch_kernel *k,
                            VkShaderModule *out)
{
    const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = 4 * k->nwords,
                                           .pCode = k->words};
    return d->vk->fn.vkCreateShaderModule(d->handle, &info, NULL, out);
}

// A driver on the CPU may fold constants with this thread's arithmetic, so it is that of the
// contract.
static VkResult make_pipeline(struct vk_pipelines *p, const struct dispatch_kernel *k,
                              VkShaderModule module, struct vk_kernel *out)
{
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = k->name},
        .layout = out->layout};
    unsigned mode = flush_begin();
    VkResult r = p->d->vk->fn.vkCreateComputePipelines(p->d->handle, p->cache, 1, &info, NULL,
                                                       &out->pipeline);
    flush_end(mode);
    if (r != VK_SUCCESS)
        out->pipeline = VK_NULL_HANDLE;
    return r;
}

#ifdef HLX_TEST_FAULTS
// A compiler's error on demand: in the kernel whose name is asked for, the first addition of floats
// becomes a subtraction.
static const uint32_t *miscompiled(struct arena *a, const struct dispatch_kernel *k)
{
    const char *name = getenv("HLX_TEST_WRONG_KERNEL");
    enum { HEADER = 5, F_ADD = 129, F_SUB = 131 };
    if (!name || strcmp(name, k->name) != 0)
        return k->words;
    uint32_t *words = arena_array(a, k->nwords, sizeof *words);
    memcpy(words, k->words, k->nwords * sizeof *words);
    for (size_t i = HEADER; i < k->nwords; i += words[i] >> 16)
        if ((words[i] & 0xffff) == F_ADD) {
            words[i] += F_SUB - F_ADD;
            break;
        }
    return words;
}
#endif

static bool make_kernel(struct vk_pipelines *p, size_t i, struct hlx_error *e)
{
    const struct dispatch_kernel *k = &p->program->kernel[i];
    struct vk_kernel *out = &p->kernel[i];
    struct arena a = {0};
    VkShaderModule module;
    const char *fault = spv_check(&a, k, &out->needs);
    bool ok = !fault || hlx_fail(e, EXIT_DATA, "the kernel `%s` cannot be run: %s", k->name, fault);
    struct dispatch_kernel loaded = *k;
    out->unfit = ok ? unfit(p->d->physical, k, &out->needs) : NULL;
#ifdef HLX_TEST_FAULTS
    loaded.words = ok ? miscompiled(&a, k) : k->words;
#endif
    bool load = ok && !out->unfit;
    ok = ok && (!load || VK_TRY(p->d, e, "loading a kernel", make_module(p->d, &loaded, &module)));
    arena_free(&a);
    if (!ok || !load)
        return ok;
    ok = VK_TRY(p->d, e, "compiling a kernel", make_pipeline(p, k, module, out));
    p->d->vk->fn.vkDestroyShaderModule(p->d->handle, module, NULL);
    return ok;
}

// -- many pipelines ------------------------------------------------------------------------------

enum { MAX_THREADS = 16 };

struct work {
    struct vk_pipelines *p;
    const size_t *job; // indices of kernels
    size_t n;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock;
    struct hlx_error error; // of the first failure
};

static void *work(void *context)
{
    struct work *w = context;
    struct hlx_error e;
    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n && !atomic_load(&w->failed);) {
        if (make_kernel(w->p, w->job[i], &e))
            continue;
        pthread_mutex_lock(&w->lock);
        if (!atomic_exchange(&w->failed, true))
            w->error = e;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

// Injected failures are counted, and so need one order.
static size_t thread_count(const struct vk_device *d, size_t jobs)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : cpus > MAX_THREADS ? MAX_THREADS : (size_t)cpus;
    return d->fail_at ? 1 : n < jobs ? n : jobs;
}

// The calling thread works too, so a thread that cannot be started is no failure.
static bool run_jobs(struct vk_pipelines *p, const size_t *job, size_t n, struct hlx_error *e)
{
    struct work w = {.p = p, .job = job, .n = n};
    pthread_t thread[MAX_THREADS];
    size_t started = 0, wanted = thread_count(p->d, n);
    pthread_mutex_init(&w.lock, NULL);
    while (started + 1 < wanted && pthread_create(&thread[started], NULL, work, &w) == 0)
        started++;
    work(&w);
    while (started > 0)
        pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&w.lock);
    if (w.failed)
        *e = w.error;
    return !w.failed;
}

bool vk_pipelines_make(struct vk_pipelines *p, const bool *want, struct hlx_error *e)
{
    const struct dispatch_program *program = p->program;
    size_t n = 0, *job = calloc(program->nkernels + 1, sizeof *job);
    if (!job)
        return hlx_no_memory(e, "the kernels");
    bool ok = true;
    for (size_t i = 0; ok && i < program->nkernels; i++) {
        struct vk_kernel *k = &p->kernel[i];
        if (!want[i] || k->pipeline || k->unfit)
            continue;
        const struct vk_layout *l = find_layout(p, &program->kernel[i], e);
        if ((ok = l)) {
            k->buffers = l->buffers;
            k->layout = l->layout;
            job[n++] = i;
        }
    }
    if (ok && n > 0) {
        ok = run_jobs(p, job, n, e);
        save_cache(p);
    }
    free(job);
    return ok;
}

bool vk_pipelines_open(struct vk_pipelines *p, struct vk_device *d,
                       const struct dispatch_program *program, struct hlx_error *e)
{
    *p = (struct vk_pipelines){.d = d, .program = program};
    p->kernel = calloc(program->nkernels + 1, sizeof *p->kernel);
    p->layout = calloc(program->nkernels + 1, sizeof *p->layout);
    bool ok = (p->kernel && p->layout) || hlx_no_memory(e, "the kernels");
    if (ok && load_cache(p, e))
        return true;
    vk_pipelines_close(p);
    return false;
}

void vk_pipelines_close(struct vk_pipelines *p)
{
    struct vk_device *d = p->d;
    if (d && !d->stuck) {
        for (size_t i = 0; p->kernel && i < p->program->nkernels; i++)
            if (p->kernel[i].pipeline)
                d->vk->fn.vkDestroyPipeline(d->handle, p->kernel[i].pipeline, NULL);
        for (size_t i = 0; p->layout && i < p->nlayouts; i++)
            free_layout(d, &p->layout[i]);
        if (p->cache)
            d->vk->fn.vkDestroyPipelineCache(d->handle, p->cache, NULL);
    }
    free(p->kernel);
    free(p->layout);
    free(p->path);
    *p = (struct vk_pipelines){0};
}
