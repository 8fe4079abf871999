// exec_vk.c: the device `vulkan`: opens it, keeps the variables there, runs recorded steps.
#include "runtime/exec_vk.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/doctor.h"
#include "runtime/vk_hash.h"

// -- the device and the variables ----------------------------------------------------------------

static void free_buffers(struct vk_device *d, struct vk_buffer *b, size_t n)
{
    for (size_t i = 0; b && i < n; i++)
        vk_buffer_free(d, &b[i]);
    free(b);
}

// One buffer for each segment; NULL and *e on failure.
static struct vk_buffer *make_buffers(struct vk_device *d, const uint64_t *size, size_t n,
                                      enum vk_place place, struct hlx_error *e)
{
    struct vk_buffer *b = calloc(n + 1, sizeof *b);
    if (!b) {
        hlx_no_memory(e, "device memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!vk_buffer_make(d, size[i], place, &b[i], e)) {
            free_buffers(d, b, n);
            return NULL;
        }
    }
    return b;
}

static void vk_exec_close(struct exec *x)
{
    struct vk_exec *v = x->device;
    if (!v)
        return;
    if (v->d.handle && !v->d.stuck)
        v->vk.fn.vkDeviceWaitIdle(v->d.handle);
    vk_hash_close(v);
    if (v->vars)
        free_buffers(&v->d, v->vars, v->table->nvar_segments);
    vk_pipelines_close(&v->pipes);
    vk_device_close(&v->d);
    if (!v->d.stuck)
        vk_close(&v->vk);
    free(v);
}

static void take_faults(const struct exec *x, struct vk_device *d)
{
    if (x->flags & EXEC_UNCHECKED && !x->options.fail_at)
        return; // a device under suspicion
    d->fail_at = x->options.fail_at;
    d->fail_with = (VkResult)x->options.fail_with;
#ifdef HLX_TEST_FAULTS
    const char *at = getenv("HLX_TEST_FAIL_AT"), *with = getenv("HLX_TEST_FAIL_WITH");
    if (at) {
        d->fail_at = (unsigned)strtoul(at, NULL, 10);
        d->fail_with = with ? (VkResult)strtol(with, NULL, 10) : VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
#endif
}

// What must be right before there is a device.
static bool check_table(struct exec *x, struct hlx_error *e)
{
    const struct dispatch_program *t = x->program->dispatch;
    if (!t) {
        x->absent = true;
        return hlx_fail(e, EXIT_DEVICE,
                        "the program was compiled without kernels for Vulkan; compile it again, "
                        "or run with --device cpu");
    }
    return vk_known_variants(t, x->options.variant, e);
}

static bool open_device(struct exec *x, struct vk_exec *v, struct hlx_error *e)
{
    if (!vk_open(&v->vk, e)) {
        x->absent = true;
        return false;
    }
    const struct vk_physical *p = vk_choose(&v->vk, x->options.device, e);
    if (!p) {
        x->absent = true;
        return false;
    }
    bool trusted = x->flags & EXEC_UNCHECKED || strcmp(x->program->module.profile, "exact") != 0;
    if (!trusted && !doctor_admit(&v->vk, p, e))
        return false;
    take_faults(x, &v->d);
    return vk_device_open(&v->d, &v->vk, p, e);
}

static bool vk_exec_open(struct exec *x, struct hlx_error *e)
{
    if (!check_table(x, e))
        return false;
    struct vk_exec *v = x->device = calloc(1, sizeof *v);
    if (!v)
        return hlx_no_memory(e, "the device");
    v->table = x->program->dispatch;
    if (!open_device(x, v, e) || !vk_pipelines_open(&v->pipes, &v->d, v->table, e))
        return false;
    v->vars = make_buffers(&v->d, v->table->var_segment, v->table->nvar_segments, VK_ON_DEVICE, e);
    return v->vars;
}

static const char *vk_exec_title(const struct exec *x)
{
    const struct vk_exec *v = x->device;
    return v->d.physical->properties.deviceName;
}

static const char *vk_exec_driver(const struct exec *x)
{
    const struct vk_exec *v = x->device;
    return v->d.physical->driver;
}

static const struct ir_type *type_of(const struct exec *x, uint32_t var)
{
    const struct ir_module *m = &x->program->module;
    return ir_type_get(m, m->vars.at[var].type);
}

// Steps under way use the variables: they end first.
static bool settled(struct vk_exec *v, struct hlx_error *e)
{
    return v->running == 0 || vk_settle(&v->d, e);
}

static bool vk_exec_set(struct exec *x, uint32_t var, const void *bytes, struct hlx_error *e)
{
    struct vk_exec *v = x->device;
    const struct dispatch_range *r = &v->table->var[var];
    size_t n = ir_type_bytes(type_of(x, var));
    void *whole = calloc(1, r->size); // what lies behind the last element is zero
    if (!whole)
        return hlx_no_memory(e, "a variable");
    memcpy(whole, bytes, n);
    bool ok = settled(v, e) && vk_upload(&v->d, &v->vars[r->segment], r->offset, whole, r->size, e);
    free(whole);
    return ok;
}

static bool vk_exec_get(struct exec *x, uint32_t var, void *bytes, struct hlx_error *e)
{
    struct vk_exec *v = x->device;
    const struct dispatch_range *r = &v->table->var[var];
    const struct ir_type *t = type_of(x, var);
    if (!settled(v, e) ||
        !vk_download(&v->d, &v->vars[r->segment], r->offset, bytes, ir_type_bytes(t), e))
        return false;
    exec_canon(t, bytes);
    return true;
}

// -- plans ---------------------------------------------------------------------------------------

static const enum dispatch_arena ring_arenas[] = {ARENA_INPUTS, ARENA_OUTPUTS, ARENA_COUNTERS};

static void free_slot(struct vk_plan *p, struct vk_slot *s)
{
    struct vk_device *d = &p->x->d;
    if (s->fence && !d->stuck)
        p->x->vk.fn.vkDestroyFence(d->handle, s->fence, NULL);
    vk_commands_free(d, &s->commands);
    vk_sets_free(d, &s->sets);
    for (int i = 0; i < ARENA_COUNT; i++)
        free_buffers(d, s->arena[i], p->entry->nsegments[i]);
    free_buffers(d, s->readback, p->entry->nsegments[ARENA_OUTPUTS]);
}

static void vk_exec_discard(struct exec_plan *plan)
{
    struct vk_plan *p = plan->device;
    if (p) {
        struct vk_exec *x = p->x;
        if (!x->d.stuck)
            x->vk.fn.vkDeviceWaitIdle(x->d.handle);
        x->running -= (unsigned)(p->submitted - p->collected);
        for (int i = 0; i < VK_DEPTH; i++)
            free_slot(p, &p->slot[i]);
        for (int i = 0; i < ARENA_COUNT; i++)
            free_buffers(&x->d, p->arena[i], p->entry->nsegments[i]);
        free(p->choice);
        free(p->call);
        free(p);
    }
    free(plan);
}

static bool make_arena(struct vk_plan *p, enum dispatch_arena arena, enum vk_place place,
                       struct vk_buffer **out, struct hlx_error *e)
{
    *out = make_buffers(&p->x->d, p->entry->segment[arena], p->entry->nsegments[arena], place, e);
    return *out;
}

// Outputs are made on the device. Where the host would read them slowly there, each step ends with
// a copy to memory that it reads well.
static bool make_outputs(struct vk_plan *p, struct vk_slot *s, struct hlx_error *e)
{
    bool direct = true;
    if (!make_arena(p, ARENA_OUTPUTS, VK_ON_DEVICE, &s->arena[ARENA_OUTPUTS], e))
        return false;
    for (size_t i = 0; i < p->entry->nsegments[ARENA_OUTPUTS]; i++)
        direct = direct && s->arena[ARENA_OUTPUTS][i].mapped && s->arena[ARENA_OUTPUTS][i].cached;
    return direct || make_arena(p, ARENA_OUTPUTS, VK_TO_HOST, &s->readback, e);
}

static bool make_slot(struct vk_plan *p, struct vk_slot *s, struct hlx_error *e)
{
    struct vk_device *d = &p->x->d;
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    if (VK_TRY(d, e, "making a fence", d->vk->fn.vkCreateFence(d->handle, &fence, NULL, &s->fence)))
        return make_arena(p, ARENA_INPUTS, VK_TO_DEVICE, &s->arena[ARENA_INPUTS], e) &&
               make_arena(p, ARENA_COUNTERS, VK_TO_DEVICE, &s->arena[ARENA_COUNTERS], e) &&
               make_outputs(p, s, e);
    s->fence = VK_NULL_HANDLE;
    return false;
}

static bool make_memory(struct vk_plan *p, struct hlx_error *e)
{
    bool ok = make_arena(p, ARENA_WORK, VK_ON_DEVICE, &p->arena[ARENA_WORK], e) &&
              make_arena(p, ARENA_CONSTS, VK_ON_DEVICE, &p->arena[ARENA_CONSTS], e);
    for (size_t i = 0; ok && i < p->entry->nsegments[ARENA_CONSTS]; i++)
        ok = vk_upload(&p->x->d, &p->arena[ARENA_CONSTS][i], 0, p->entry->consts[i],
                       p->entry->segment[ARENA_CONSTS][i], e);
    for (int i = 0; ok && i < VK_DEPTH; i++)
        ok = make_slot(p, &p->slot[i], e);
    return ok;
}

static void fill(struct vk_plan *p, VkCommandBuffer commands, const struct vk_buffer *b, size_t n)
{
    for (size_t i = 0; b && i < n; i++)
        p->x->vk.fn.vkCmdFillBuffer(commands, b[i].handle, 0, VK_WHOLE_SIZE, 0);
}

// Fresh memory holds what other programs left there. It is cleared, so that what is measured does
// not depend on it and a kernel that reads too much does not either.
static bool clear_memory(struct vk_plan *p, struct hlx_error *e)
{
    VkCommandBuffer commands;
    const size_t *n = p->entry->nsegments;
    if (!vk_commands_begin(&p->x->d, &commands, e))
        return false;
    fill(p, commands, p->arena[ARENA_WORK], n[ARENA_WORK]);
    for (int i = 0; i < VK_DEPTH; i++)
        for (size_t k = 0; k < sizeof ring_arenas / sizeof *ring_arenas; k++)
            fill(p, commands, p->slot[i].arena[ring_arenas[k]], n[ring_arenas[k]]);
    vk_barrier(&p->x->d, commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
               VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
    bool ok = vk_commands_run(&p->x->d, commands, e);
    vk_commands_free(&p->x->d, &commands);
    return ok;
}

// The calls of the chosen variants, in order.
static bool list_calls(struct vk_plan *p, struct hlx_error *e)
{
    size_t n = 0;
    for (size_t i = 0; i < p->entry->nsteps; i++)
        n += p->entry->step[i].variant[p->choice[i]].ncalls;
    p->call = calloc(n + 1, sizeof *p->call);
    if (!p->call)
        return hlx_no_memory(e, p->entry->name);
    for (size_t i = 0; i < p->entry->nsteps; i++) {
        const struct dispatch_variant *v = &p->entry->step[i].variant[p->choice[i]];
        for (size_t c = 0; c < v->ncalls; c++)
            p->call[p->ncalls++] = &v->call[c];
    }
    return true;
}

// A table from a file may lack barriers; then its steps would give now this and now that.
static bool check_hazards(const struct vk_plan *p, struct hlx_error *e)
{
    struct arena a = {0};
    const char *fault = dispatch_hazard_choice(&a, p->x->table, p->entry, p->choice);
    bool ok = !fault || hlx_fail(e, EXIT_DATA, "the entry `%s` of the program is damaged: %s",
                                 p->entry->name, fault);
    arena_free(&a);
    return ok;
}

static bool build(struct vk_plan *p, const char *variant, struct hlx_error *e)
{
    if (!make_memory(p, e) || !clear_memory(p, e) || !vk_tune(p, variant, e) ||
        !check_hazards(p, e) || !list_calls(p, e))
        return false;
    for (int i = 0; i < VK_DEPTH; i++)
        if (!vk_record(p, &p->slot[i], e))
            return false;
    return true;
}

static struct exec_plan *vk_exec_prepare(struct exec *x, const struct ir_entry *entry,
                                         struct hlx_error *e)
{
    struct vk_exec *v = x->device;
    const struct dispatch_entry *d = dispatch_find(v->table, entry->name);
    if (!d) {
        hlx_fail(e, EXIT_DEVICE,
                 "the entry `%s` has no kernels for Vulkan; run it with "
                 "--device cpu",
                 entry->name);
        return NULL;
    }
    struct exec_plan *plan = calloc(1, sizeof *plan);
    struct vk_plan *p = calloc(1, sizeof *p);
    uint32_t *choice = calloc(d->nsteps + 1, sizeof *choice);
    if (!plan || !p || !choice) {
        free(plan);
        free(p);
        free(choice);
        hlx_no_memory(e, entry->name);
        return NULL;
    }
    *plan = (struct exec_plan){x, entry, p};
    *p = (struct vk_plan){.x = v, .entry = d, .choice = choice};
    // What is measured reads the variables, and the table's kernels are run for the first time.
    if (settled(v, e) && build(p, x->options.variant, e))
        return plan;
    vk_exec_discard(plan);
    return NULL;
}

// -- steps ---------------------------------------------------------------------------------------

static void put_inputs(struct exec_plan *plan, struct vk_slot *s, const void *const *inputs)
{
    const struct vk_plan *p = plan->device;
    const struct ir_module *m = &plan->exec->program->module;
    for (size_t i = 0; i < p->entry->ninputs; i++) {
        const struct dispatch_range *r = &p->entry->input[i];
        const struct ir_type *t = ir_type_get(m, plan->entry->inputs.at[i].type);
        if (r->size == 0)
            continue;
        exec_clean(t, (char *)s->arena[r->arena][r->segment].mapped + r->offset, inputs[i]);
    }
}

static void put_counters(const struct exec_plan *plan, struct vk_slot *s, uint32_t step)
{
    const struct vk_plan *p = plan->device;
    uint64_t seed = plan->exec->seed;
    const uint32_t counters[] = {(uint32_t)seed, (uint32_t)(seed >> 32), step};
    if (p->entry->nsegments[ARENA_COUNTERS] > 0)
        memcpy(s->arena[ARENA_COUNTERS][0].mapped, counters, sizeof counters);
}

void vk_put(struct exec_plan *plan, struct vk_slot *s, const void *const *inputs, uint32_t step)
{
    put_inputs(plan, s, inputs);
    put_counters(plan, s, step);
}

static bool vk_exec_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                           struct hlx_error *e)
{
    struct vk_plan *p = plan->device;
    struct vk_slot *s = &p->slot[p->submitted % VK_DEPTH];
    struct vk_device *d = &p->x->d;
    vk_put(plan, s, inputs, step);
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &s->commands};
    if (!VK_TRY(d, e, "resetting a fence", d->vk->fn.vkResetFences(d->handle, 1, &s->fence)) ||
        !VK_TRY(d, e, "submitting a step", d->vk->fn.vkQueueSubmit(d->queue, 1, &info, s->fence)))
        return false;
    p->submitted++;
    p->x->running++;
    return true;
}

static void get_outputs(const struct exec_plan *plan, const struct vk_slot *s, void *const *outputs)
{
    const struct vk_plan *p = plan->device;
    const struct vk_buffer *from = s->readback ? s->readback : s->arena[ARENA_OUTPUTS];
    for (size_t i = 0; i < p->entry->noutputs; i++) {
        const struct dispatch_range *r = &p->entry->output[i];
        const struct ir_type *t = ir_typeof(plan->entry->graph, plan->entry->outputs.at[i].value);
        memcpy(outputs[i], (const char *)from[r->segment].mapped + r->offset, ir_type_bytes(t));
        exec_canon(t, outputs[i]);
    }
}

static bool vk_exec_collect(struct exec_plan *plan, void *const *outputs, struct hlx_error *e)
{
    struct vk_plan *p = plan->device;
    struct vk_slot *s = &p->slot[p->collected % VK_DEPTH];
    if (!vk_wait(&p->x->d, s->fence, e))
        return false;
    get_outputs(plan, s, outputs);
    p->collected++;
    p->x->running--;
    return true;
}

const struct exec_ops exec_vulkan = {
    .name = "vulkan",
    .doc = "a Vulkan 1.2 device",
    .depth = VK_DEPTH,
    .open = vk_exec_open,
    .close = vk_exec_close,
    .set = vk_exec_set,
    .get = vk_exec_get,
    .prepare = vk_exec_prepare,
    .discard = vk_exec_discard,
    .submit = vk_exec_submit,
    .collect = vk_exec_collect,
    .hash = vk_hash_submit,
    .leaves = vk_hash_collect,
    .title = vk_exec_title,
    .driver = vk_exec_driver,
};
