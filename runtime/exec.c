// exec.c: what all devices share: choosing one, initial values, steps, and looking inside an entry.
#include "runtime/exec.h"

#include <stdlib.h>
#include <string.h>

#include "ir/lanes.h"
#include "runtime/exec_shards.h"

static size_t var_bytes(const struct program *p, size_t var)
{
    return ir_type_bytes(ir_type_get(&p->module, p->module.vars.at[var].type));
}

static bool init_var(struct exec *x, size_t i, struct hlx_error *error)
{
    const struct ir_var *v = &x->program->module.vars.at[i];
    const char *why = NULL;
    void *bytes = malloc(var_bytes(x->program, i));
    struct eval *e = eval_new(v->init, &v->init_value, 1, 0, &why);
    bool ok = bytes && e;
    if (ok) {
        struct eval_counters counters = {.seed = x->seed, .step = 0};
        const void *const *none = &(const void *){NULL};
        eval_run(e, none, none, &counters, &bytes); // reads no input and no variable
        ok = exec_set(x, (uint32_t)i, bytes, error);
    } else {
        hlx_fail(error, EXIT_DEVICE, "cannot initialise `%s`: %s", v->path,
                 why ? why : "out of memory");
    }
    eval_free(e);
    free(bytes);
    return ok;
}

// *absent: there is no such device, rather than a failure of it.
static struct exec *open_on(const struct exec_ops *device, const struct exec_options *options,
                            const struct program *program, bool *absent, struct hlx_error *error)
{
    struct exec *x = calloc(1, sizeof *x);
    *absent = false;
    if (!x) {
        hlx_no_memory(error, "the device");
        return NULL;
    }
    *x = (struct exec){.ops = device,
                       .program = program,
                       .seed = options->seed,
                       .flags = options->flags,
                       .options = *options};
    state_layout_make(&x->arena, &program->module, &x->layout);
    bool ok = device->open(x, error);
    for (size_t i = 0; ok && i < program->module.vars.n; i++)
        ok = init_var(x, i, error);
    if (ok)
        return x;
    *absent = x->absent;
    exec_close(x);
    return NULL;
}

struct exec *exec_start(const struct exec_options *options, const struct program *program,
                        struct hlx_error *error)
{
    bool absent;
    const char *want = options->device;
    if (want && !strcmp(want, exec_cpu.name))
        return open_on(&exec_cpu, options, program, &absent, error);
    struct exec *x = open_on(&exec_vulkan, options, program, &absent, error);
    if (!x && !want && absent)
        return open_on(&exec_cpu, options, program, &absent, error);
    return x;
}

struct exec *exec_open(const struct exec_ops *device, const struct program *program, uint64_t seed,
                       unsigned flags, struct hlx_error *error)
{
    bool absent;
    const struct exec_options options = {.seed = seed, .flags = flags};
    return open_on(device, &options, program, &absent, error);
}

void exec_close(struct exec *x)
{
    if (!x)
        return;
    x->ops->close(x);
    arena_free(&x->arena);
    free(x);
}

const char *exec_title(const struct exec *x)
{
    return x->ops->title ? x->ops->title(x) : x->ops->name;
}

const char *exec_driver(const struct exec *x)
{
    return x->ops->driver ? x->ops->driver(x) : "";
}

// -- what goes in and comes out ------------------------------------------------------------------

static uint32_t clean_f32(uint32_t u)
{
    return f32_canon_bits(f32_flush_bits(u));
}

static uint32_t clean_truth(uint32_t u)
{
    return u != 0;
}

static void each_word(uint32_t (*change)(uint32_t), void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, (const char *)from + 4 * i, sizeof u);
        u = change(u);
        memcpy((char *)to + 4 * i, &u, sizeof u);
    }
}

void exec_clean(const struct ir_type *t, void *to, const void *from)
{
    size_t n = (size_t)ir_type_count(t);
    if (t->dtype == DT_F32)
        each_word(clean_f32, to, from, n);
    else if (t->dtype == DT_BOOL)
        each_word(clean_truth, to, from, n);
    else
        memcpy(to, from, ir_type_bytes(t));
}

void exec_canon(const struct ir_type *t, void *bytes)
{
    if (t->dtype == DT_F32)
        each_word(f32_canon_bits, bytes, bytes, (size_t)ir_type_count(t));
}

// -- variables and steps -------------------------------------------------------------------------

bool exec_set(struct exec *x, uint32_t var, const void *bytes, struct hlx_error *error)
{
    const struct ir_module *m = &x->program->module;
    void *clean = malloc(var_bytes(x->program, var));
    if (!clean)
        return hlx_no_memory(error, m->vars.at[var].path);
    exec_clean(ir_type_get(m, m->vars.at[var].type), clean, bytes);
    bool ok = x->ops->set(x, var, clean, error);
    free(clean);
    return ok;
}

bool exec_get(struct exec *x, uint32_t var, void *bytes, struct hlx_error *error)
{
    return x->ops->get(x, var, bytes, error);
}

struct exec_plan *exec_prepare(struct exec *x, const struct ir_entry *entry,
                               struct hlx_error *error)
{
    unsigned shards = ir_entry_shards(entry), workers = x->options.workers;
    if (workers > shards) {
        hlx_fail(error, EXIT_USAGE,
                 "the entry `%s` has %u shard%s, which is too few for %u workers", entry->name,
                 shards, shards == 1 ? "" : "s", workers);
        return NULL;
    }
    return entry->split ? exec_shards_prepare(x, entry, error) : x->ops->prepare(x, entry, error);
}

void exec_discard(struct exec_plan *plan)
{
    if (plan && plan->entry->split)
        exec_shards_discard(plan);
    else if (plan)
        plan->exec->ops->discard(plan);
}

// The plan that a step ends with: the global part of an entry with shards.
static struct exec_plan *last_part(struct exec_plan *plan)
{
    return plan->entry->split ? exec_shards_global(plan) : plan;
}

bool exec_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                 struct hlx_error *error)
{
    bool (*submit)(struct exec_plan *, const void *const *, uint32_t, struct hlx_error *) =
        plan->entry->split ? exec_shards_submit : plan->exec->ops->submit;
    return submit(plan, inputs, step, error) &&
           (!plan->exec->options.fault || exec_flip(plan->exec, step, error));
}

bool exec_collect(struct exec_plan *plan, void *const *outputs, struct hlx_error *error)
{
    return plan->exec->ops->collect(last_part(plan), outputs, error);
}

bool exec_hash(struct exec_plan *plan, struct hlx_error *error)
{
    return plan->exec->ops->hash(last_part(plan), error);
}

bool exec_leaves(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *error)
{
    return plan->exec->ops->leaves(last_part(plan), leaves, error);
}

bool exec_state(struct exec *x, unsigned char *leaves, struct hlx_error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < x->layout.n; i++) {
        const struct state_tensor *t = &x->layout.tensor[i];
        size_t bytes = ir_type_bytes(t->type);
        void *copy = malloc(bytes);
        ok = copy ? exec_get(x, t->var, copy, error) : hlx_no_memory(error, t->path);
        if (ok)
            state_hash_leaves(copy, bytes, leaves + t->leaf * HANDLE_BYTES);
        free(copy);
    }
    return ok;
}

// -- looking inside ------------------------------------------------------------------------------

static void free_all(void **at, size_t n)
{
    for (size_t i = 0; at && i < n; i++)
        free(at[i]);
    free(at);
}

// Copies of all variables; NULL and *error on failure.
static void **copy_vars(struct exec *x, struct hlx_error *error)
{
    size_t n = x->program->module.vars.n;
    void **at = calloc(n + 1, sizeof *at);
    bool ok = at || hlx_no_memory(error, "copies of the variables");
    for (size_t i = 0; ok && i < n; i++) {
        at[i] = malloc(var_bytes(x->program, i));
        ok = at[i] ? exec_get(x, (uint32_t)i, at[i], error)
                   : hlx_no_memory(error, "copies of the variables");
    }
    if (ok)
        return at;
    free_all(at, n);
    return NULL;
}

static bool probe_plain(const struct exec_probe *p, const void *const *inputs,
                        const void *const *vars, void *const *out, struct hlx_error *error)
{
    const char *why = NULL;
    struct eval *e = eval_new(p->entry->graph, p->root, p->n, p->flags, &why);
    if (e)
        eval_run(e, inputs, vars, &p->counters, out);
    eval_free(e);
    return e || hlx_fail(error, EXIT_DEVICE, "cannot compute inside `%s`: %s", p->entry->name, why);
}

bool exec_probe(struct exec *x, const struct ir_entry *entry, const ir_ref *roots, size_t n,
                const void *const *inputs, uint32_t step, void *const *out, struct hlx_error *error)
{
    const struct exec_probe probe = {.entry = entry,
                                     .root = roots,
                                     .n = n,
                                     .counters = {.seed = x->seed, .step = step},
                                     .flags = x->flags & EXEC_NO_FUSE ? EVAL_NO_FUSE : 0};
    void **vars = copy_vars(x, error);
    if (!vars)
        return false;
    bool ok = (entry->split ? exec_shards_probe
                            : probe_plain)(&probe, inputs, (const void *const *)vars, out, error);
    free_all(vars, x->program->module.vars.n);
    return ok;
}
