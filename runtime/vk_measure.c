// vk_measure.c: finds out which variant of a step is the fastest on this device, by running them.
#include "runtime/exec_vk.h"

#include <stdlib.h>
#include <time.h>

enum {
    ROUNDS = 3,       // the best of them counts
    MAX_REPEATS = 64, // in one round
    HOPELESS = 4,     // so many times slower than the best at the first run: not measured further
    IN_QUESTION = 2   // so many times slower than the best or less: measured again
};
static const double round_seconds = 0.002; // what a round should last, or clocks are too coarse

static const VkPipelineStageFlags compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                  transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;

// What the step writes of the variables, and the copy of it.
struct backup {
    struct dispatch_range *range;
    size_t n;
    struct vk_buffer copy;
    bool made;
};

// One variant's calls, ready to be run.
struct bench {
    struct vk_plan *p;
    const struct dispatch_call **call;
    size_t n;
    struct vk_sets sets;
    VkQueryPool stamps; // null: the host's clock is used
};

// -- what the step would change ------------------------------------------------------------------

static void add_written(const struct vk_plan *p, const struct dispatch_variant *v, struct backup *b)
{
    for (size_t i = 0; i < v->ncalls; i++)
        for (size_t j = 0; j < p->x->table->kernel[v->call[i].kernel].bindings; j++) {
            const struct dispatch_binding *x = &v->call[i].binding[j];
            if (!x->writes || x->range.arena != ARENA_VARS)
                continue;
            if (b->range)
                b->range[b->n] = x->range;
            b->n++;
        }
}

static void find_written(const struct vk_plan *p, const struct dispatch_step *s, struct backup *b)
{
    b->n = 0;
    for (size_t v = 0; v < s->nvariants; v++)
        add_written(p, &s->variant[v], b);
}

// Ranges may repeat or overlap: every copy is of the untouched bytes, so all are right.
static bool move(struct vk_plan *p, const struct backup *b, bool back, struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    VkCommandBuffer commands;
    VkDeviceSize at = 0;
    if (b->n == 0)
        return true;
    if (!vk_commands_begin(d, &commands, e))
        return false;
    const VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    for (size_t i = 0; i < b->n; i++) {
        const struct dispatch_range *r = &b->range[i];
        const VkBufferCopy region = {back ? at : r->offset, back ? r->offset : at, r->size};
        VkBuffer vars = p->x->vars[r->segment].handle;
        vk_barrier(d, commands, compute | transfer, writes, transfer,
                   VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
        d->vk->fn.vkCmdCopyBuffer(commands, back ? b->copy.handle : vars,
                                  back ? vars : b->copy.handle, 1, &region);
        at += r->size;
    }
    bool ok = vk_commands_run(d, commands, e);
    vk_commands_free(d, &commands);
    return ok;
}

static bool save(struct vk_plan *p, const struct dispatch_step *s, struct backup *b,
                 struct hlx_error *e)
{
    VkDeviceSize size = 0;
    find_written(p, s, b);
    if (b->n == 0)
        return true;
    b->range = calloc(b->n, sizeof *b->range);
    if (!b->range) {
        b->n = 0;
        return hlx_no_memory(e, "the choice of variants");
    }
    find_written(p, s, b);
    for (size_t i = 0; i < b->n; i++)
        size += b->range[i].size;
    b->made = vk_buffer_make(&p->x->d, size, VK_ON_DEVICE, &b->copy, e) && move(p, b, false, e);
    return b->made;
}

// -- timing --------------------------------------------------------------------------------------

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void record(struct bench *b, VkCommandBuffer commands, unsigned repeats)
{
    struct vk_device *d = &b->p->x->d;
    const struct vk_procs *fn = &d->vk->fn;
    const VkAccessFlags uses = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    if (b->stamps)
        fn->vkCmdResetQueryPool(commands, b->stamps, 0, 2);
    for (unsigned i = 0; i < repeats; i++) {
        vk_barrier(d, commands, compute | transfer,
                   VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, compute, uses);
        if (b->stamps && i == 0)
            fn->vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, b->stamps, 0);
        vk_record_calls(b->p, commands, b->call, b->n, &b->sets);
    }
    if (b->stamps)
        fn->vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, b->stamps, 1);
}

static bool read_stamps(struct bench *b, double *seconds, struct hlx_error *e)
{
    struct vk_device *d = &b->p->x->d;
    uint64_t at[2];
    unsigned bits = d->physical->timestamp_bits;
    if (!VK_TRY(d, e, "reading timestamps",
                d->vk->fn.vkGetQueryPoolResults(d->handle, b->stamps, 0, 2, sizeof at, at,
                                                sizeof at[0],
                                                VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT)))
        return false;
    uint64_t mask = bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    *seconds = 1e-9 * (double)d->physical->properties.limits.timestampPeriod *
               (double)((at[1] - at[0]) & mask);
    return true;
}

// Runs the calls some times in a row; stores the seconds of all.
static bool run(struct bench *b, unsigned repeats, double *seconds, struct hlx_error *e)
{
    struct vk_device *d = &b->p->x->d;
    VkCommandBuffer commands;
    if (!vk_commands_begin(d, &commands, e))
        return false;
    record(b, commands, repeats);
    double start = now();
    bool ok = vk_commands_run(d, commands, e);
    *seconds = now() - start;
    vk_commands_free(d, &commands);
    return ok && (!b->stamps || read_stamps(b, seconds, e));
}

// The seconds of one run, in *seconds. The first one only warms up: drivers may finish compiling.
static bool time_calls(struct bench *b, double best, double *seconds, struct hlx_error *e)
{
    for (int i = 0; i < 2; i++)
        if (!run(b, 1, seconds, e))
            return false;
    if (*seconds > HOPELESS * best)
        return true;
    double once = *seconds;
    unsigned repeats = once * MAX_REPEATS < round_seconds ? MAX_REPEATS
                       : once > round_seconds             ? 1
                                                          : (unsigned)(round_seconds / once);
    for (int i = 0; i < ROUNDS; i++) {
        double all;
        if (!run(b, repeats, &all, e))
            return false;
        if (all / repeats < *seconds)
            *seconds = all / repeats;
    }
    return true;
}

static VkResult make_stamps(struct vk_device *d, VkQueryPool *out)
{
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                        .queryCount = 2};
    VkResult r = d->vk->fn.vkCreateQueryPool(d->handle, &info, NULL, out);
    if (r != VK_SUCCESS)
        *out = VK_NULL_HANDLE;
    return r;
}

// A CPU driver's timestamps tell when commands were queued, not when they ran.
static bool has_stamps(const struct vk_physical *p)
{
    return p->timestamp_bits > 0 && p->properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU;
}

static bool bench_variant(struct vk_plan *p, const struct dispatch_variant *v, VkQueryPool stamps,
                          double best, double *seconds, struct hlx_error *e)
{
    struct bench b = {.p = p, .n = v->ncalls, .stamps = stamps};
    b.call = calloc(v->ncalls, sizeof *b.call);
    if (!b.call)
        return hlx_no_memory(e, "the choice of variants");
    for (size_t i = 0; i < v->ncalls; i++)
        b.call[i] = &v->call[i];
    bool ok =
        vk_sets_make(p, &p->slot[0], b.call, b.n, &b.sets, e) && time_calls(&b, best, seconds, e);
    vk_sets_free(&p->x->d, &b.sets);
    free(b.call);
    return ok;
}

// Times the variants, those in question twice: a device that was idle is slow at first. *best
// becomes the variant with the best time.
static bool bench_all(struct vk_plan *p, const struct dispatch_step *step, const bool *fit,
                      VkQueryPool stamps, uint32_t *best, struct hlx_error *e)
{
    double least = 1e30, last[DISPATCH_MAX_VARIANTS] = {0};
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t v = 0; v < step->nvariants; v++) {
            if (!fit[v] || last[v] > IN_QUESTION * least)
                continue;
            if (!bench_variant(p, &step->variant[v], stamps, least, &last[v], e))
                return false;
            if (last[v] < least) {
                least = last[v];
                *best = v;
            }
        }
    return true;
}

bool vk_measure(struct vk_plan *p, const struct dispatch_step *step, const bool *fit,
                uint32_t *best, struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    struct backup b = {0};
    VkQueryPool stamps = VK_NULL_HANDLE;
    bool ok =
        save(p, step, &b, e) &&
        (!has_stamps(d->physical) || VK_TRY(d, e, "making timestamps", make_stamps(d, &stamps))) &&
        bench_all(p, step, fit, stamps, best, e);
    if (b.made) {
        struct hlx_error second;
        ok = move(p, &b, true, ok ? e : &second) && ok;
    }
    if (stamps && !d->stuck)
        d->vk->fn.vkDestroyQueryPool(d->handle, stamps, NULL);
    vk_buffer_free(d, &b.copy);
    free(b.range);
    return ok;
}
