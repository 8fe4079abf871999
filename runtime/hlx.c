// hlx.c: the public library, a thin layer over the executor that checks names and sizes.
#include "runtime/hlx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/shard.h"
#include "runtime/exec.h"
#include "runtime/session.h"
#include "runtime/vk.h"

struct hlx {
    struct session session;
    struct exec *exec;
    char handle[HANDLE_TEXT + 1];
};

struct hlx_run {
    struct hlx *h;
    const struct ir_entry *entry;
    struct exec_plan *plan;
    struct batches batches; // `entry` NULL: there is no data
    uint32_t epoch;         // that the batches are in the order of
    void **input, **output; // own memory, in storage form
    uint32_t steps, collected;
};

const char *hlx_version(void)
{
    return HLX_VERSION;
}

// -- devices -------------------------------------------------------------------------------------

static void put_text(char *out, size_t room, const char *text)
{
    struct buf clean = {0};
    buf_visible(&clean, text, strlen(text));
    snprintf(out, room, "%s", clean.n ? clean.at : "");
    buf_free(&clean);
}

static struct hlx_device describe(const struct vk *v, uint32_t i, const struct vk_physical *best)
{
    const struct vk_physical *p = &v->physical[i];
    struct hlx_device d = {.usable = !p->unusable, .best = p == best};
    snprintf(d.device, sizeof d.device, "vulkan:%u", i);
    put_text(d.name, sizeof d.name, p->properties.deviceName);
    put_text(d.kind, sizeof d.kind, vk_kind_name(p->properties.deviceType));
    return d;
}

size_t hlx_devices(struct hlx_device *out, size_t room)
{
    struct vk v;
    struct hlx_error e;
    size_t n = 0;
    bool found = vk_open(&v, &e);
    const struct vk_physical *best = found ? vk_choose(&v, NULL, &e) : NULL;
    for (uint32_t i = 0; found && i < v.n; i++, n++)
        if (n < room)
            out[n] = describe(&v, i, best);
    if (n < room)
        out[n] = (struct hlx_device){"cpu", "the evaluator", "CPU", true, !best};
    if (found)
        vk_close(&v);
    return n + 1;
}

// -- programs ------------------------------------------------------------------------------------

struct hlx *hlx_open(const char *path, const struct hlx_options *options, struct hlx_error *error)
{
    struct exec_options o = {0};
    if (options) {
        o.device = options->device;
        o.variant = options->variant;
        o.seed = options->seed;
    }
    struct hlx *h = calloc(1, sizeof *h);
    if (!h) {
        hlx_no_memory(error, "the program");
        return NULL;
    }
    if (!session_open(&h->session, path, NULL, 0, error)) {
        free(h);
        return NULL;
    }
    handle_text(&h->session.program.identity, h->handle);
    h->exec = exec_start(&o, &h->session.program, error);
    if (h->exec)
        return h;
    hlx_close(h);
    return NULL;
}

void hlx_close(struct hlx *h)
{
    if (!h)
        return;
    exec_close(h->exec);
    session_close(&h->session);
    free(h);
}

const char *hlx_handle(const struct hlx *h)
{
    return h->handle;
}

const char *hlx_title(const struct hlx *h)
{
    return exec_title(h->exec);
}

// -- tensors -------------------------------------------------------------------------------------

static const struct ir_module *module_of(const struct hlx *h)
{
    return &h->session.program.module;
}

static void put_tensor(struct hlx_tensor *out, const char *name, const struct ir_type *t)
{
    *out = (struct hlx_tensor){
        .name = name, .dtype = dtype_name(t->dtype), .rank = t->rank, .bytes = ir_type_bytes(t)};
    for (unsigned i = 0; i < t->rank; i++)
        out->dim[i] = t->dim[i];
}

static bool check_size(const struct hlx_tensor *t, size_t n, struct hlx_error *error)
{
    return n == t->bytes ||
           hlx_fail(error, HLX_USAGE, "`%s` has %zu bytes, not %zu", t->name, t->bytes, n);
}

bool hlx_var(const struct hlx *h, size_t i, struct hlx_tensor *out)
{
    const struct ir_module *m = module_of(h);
    if (i >= m->vars.n)
        return false;
    put_tensor(out, m->vars.at[i].path, ir_type_get(m, m->vars.at[i].type));
    return true;
}

// A variable by path, of the size the caller has in mind; -1 and *error when it is not so.
static int64_t find_var(const struct hlx *h, const char *path, size_t n, struct hlx_error *error)
{
    int64_t i = ir_find_var(module_of(h), path);
    struct hlx_tensor t;
    if (i < 0) {
        hlx_fail(error, HLX_USAGE, "the program has no variable `%s`", path);
        return -1;
    }
    return hlx_var(h, (size_t)i, &t) && check_size(&t, n, error) ? i : -1;
}

bool hlx_get(struct hlx *h, const char *path, void *bytes, size_t n, struct hlx_error *error)
{
    int64_t i = find_var(h, path, n, error);
    return i >= 0 && exec_get(h->exec, (uint32_t)i, bytes, error);
}

bool hlx_set(struct hlx *h, const char *path, const void *bytes, size_t n, struct hlx_error *error)
{
    int64_t i = find_var(h, path, n, error);
    return i >= 0 && exec_set(h->exec, (uint32_t)i, bytes, error);
}

bool hlx_input(const struct hlx_run *r, size_t i, struct hlx_tensor *out)
{
    if (i >= r->entry->inputs.n)
        return false;
    const struct ir_field *f = &r->entry->inputs.at[i];
    const struct ir_type whole = ir_entry_input(module_of(r->h), r->entry, i);
    put_tensor(out, f->name, &whole);
    return true;
}

bool hlx_output(const struct hlx_run *r, size_t i, struct hlx_tensor *out)
{
    if (i >= r->entry->outputs.n)
        return false;
    const struct ir_named *o = &r->entry->outputs.at[i];
    put_tensor(out, o->name, ir_typeof(r->entry->graph, o->value));
    return true;
}

// The index of an input or output by name, of the size the caller has in mind, or SIZE_MAX.
static size_t find_tensor(const struct hlx_run *r, const char *what,
                          bool (*get)(const struct hlx_run *, size_t, struct hlx_tensor *),
                          const char *name, size_t n, struct hlx_error *error)
{
    struct hlx_tensor t;
    for (size_t i = 0; get(r, i, &t); i++)
        if (!strcmp(t.name, name))
            return check_size(&t, n, error) ? i : SIZE_MAX;
    hlx_fail(error, HLX_USAGE, "the entry `%s` has no %s `%s`", r->entry->name, what, name);
    return SIZE_MAX;
}

// -- entries -------------------------------------------------------------------------------------

const char *hlx_entry(const struct hlx *h, size_t i)
{
    const struct ir_module *m = module_of(h);
    return i < m->entries.n ? m->entries.at[i].name : NULL;
}

// One block of zeroes for each input or output.
static void **make_tensors(const struct hlx_run *r, size_t n,
                           bool (*get)(const struct hlx_run *, size_t, struct hlx_tensor *))
{
    void **at = calloc(n + 1, sizeof *at);
    struct hlx_tensor t;
    for (size_t i = 0; at && get(r, i, &t); i++)
        if (!(at[i] = calloc(1, t.bytes))) {
            while (i > 0)
                free(at[--i]);
            free(at);
            return NULL;
        }
    return at;
}

static void free_tensors(void **at, size_t n)
{
    for (size_t i = 0; at && i < n; i++)
        free(at[i]);
    free(at);
}

// Data that cannot be had is an error when it is asked for: an entry may be fed by hand.
static bool open_data(struct hlx_run *r, struct hlx_error *error)
{
    const struct session_source *source;
    if (r->batches.entry)
        return true;
    if (!session_data(&r->h->session, r->entry, &source, error))
        return false;
    if (!source)
        return hlx_fail(error, HLX_USAGE, "the entry `%s` has no data", r->entry->name);
    return batches_open(&r->batches, module_of(r->h), r->entry, &source->set, error);
}

static bool open_run(struct hlx_run *r, const char *entry, struct hlx_error *error)
{
    r->entry = session_entry(&r->h->session, entry, error);
    if (!r->entry)
        return false;
    r->input = make_tensors(r, r->entry->inputs.n, hlx_input);
    r->output = make_tensors(r, r->entry->outputs.n, hlx_output);
    if (!r->input || !r->output)
        return hlx_no_memory(error, r->entry->name);
    r->plan = exec_prepare(r->h->exec, r->entry, error);
    return r->plan;
}

struct hlx_run *hlx_start(struct hlx *h, const char *entry, struct hlx_error *error)
{
    struct hlx_run *r = calloc(1, sizeof *r);
    if (!r) {
        hlx_no_memory(error, entry);
        return NULL;
    }
    r->h = h;
    if (open_run(r, entry, error))
        return r;
    hlx_stop(r);
    return NULL;
}

void hlx_stop(struct hlx_run *r)
{
    if (!r)
        return;
    exec_discard(r->plan);
    if (r->entry) {
        free_tensors(r->input, r->entry->inputs.n);
        free_tensors(r->output, r->entry->outputs.n);
    }
    if (r->batches.entry)
        batches_close(&r->batches);
    free(r);
}

bool hlx_bind(struct hlx_run *r, const char *input, const void *bytes, size_t n,
              struct hlx_error *error)
{
    size_t i = find_tensor(r, "input", hlx_input, input, n, error);
    if (i == SIZE_MAX)
        return false;
    memcpy(r->input[i], bytes, n);
    return true;
}

size_t hlx_batches(struct hlx_run *r)
{
    struct hlx_error ignored;
    return open_data(r, &ignored) ? r->batches.steps : 0;
}

bool hlx_feed(struct hlx_run *r, uint32_t epoch, size_t batch, struct hlx_error *error)
{
    struct hlx_tensor t;
    if (!open_data(r, error))
        return false;
    if (epoch == 0 || batch >= r->batches.steps)
        return hlx_fail(error, HLX_USAGE, "there is no batch %zu in epoch %lu: an epoch has %zu",
                        batch, (unsigned long)epoch, r->batches.steps);
    if (epoch != r->epoch)
        batches_epoch(&r->batches, r->h->exec->seed, epoch);
    r->epoch = epoch;
    batches_fill(&r->batches, batch);
    for (size_t i = 0; hlx_input(r, i, &t); i++)
        memcpy(r->input[i], r->batches.input[i], t.bytes);
    return true;
}

// -- steps ---------------------------------------------------------------------------------------

unsigned hlx_depth(const struct hlx_run *r)
{
    return r->h->exec->ops->depth;
}

bool hlx_submit(struct hlx_run *r, struct hlx_error *error)
{
    if (r->steps - r->collected >= hlx_depth(r))
        return hlx_fail(error, HLX_USAGE, "%u steps are under way: collect one first",
                        hlx_depth(r));
    if (r->steps == UINT32_MAX)
        return hlx_fail(error, HLX_USAGE, "the steps cannot be numbered any further");
    if (!exec_submit(r->plan, (const void *const *)r->input, r->steps + 1, error))
        return false;
    r->steps++;
    return true;
}

bool hlx_collect(struct hlx_run *r, struct hlx_error *error)
{
    if (r->steps == r->collected)
        return hlx_fail(error, HLX_USAGE, "no step is under way");
    if (!exec_collect(r->plan, r->output, error))
        return false;
    r->collected++;
    return true;
}

bool hlx_step(struct hlx_run *r, struct hlx_error *error)
{
    if (!hlx_submit(r, error))
        return false;
    while (r->collected < r->steps)
        if (!hlx_collect(r, error))
            return false;
    return true;
}

uint32_t hlx_steps(const struct hlx_run *r)
{
    return r->steps;
}

bool hlx_set_steps(struct hlx_run *r, uint32_t steps, struct hlx_error *error)
{
    if (r->steps != r->collected)
        return hlx_fail(error, HLX_USAGE, "steps are under way: collect them first");
    r->steps = r->collected = steps;
    return true;
}

bool hlx_read(struct hlx_run *r, const char *output, void *bytes, size_t n, struct hlx_error *error)
{
    size_t i = find_tensor(r, "output", hlx_output, output, n, error);
    if (i == SIZE_MAX)
        return false;
    memcpy(bytes, r->output[i], n);
    return true;
}
