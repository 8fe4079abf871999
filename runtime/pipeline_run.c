// pipeline_run.c: binds .npy files to a pipeline's buffers, runs it on a Vulkan device, and writes
// what came out.
#include "runtime/pipeline_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/exec.h"
#include "runtime/npy.h"

// -- files in ------------------------------------------------------------------------------------

static size_t padded(const struct pipeline_buffer *b)
{
    return (b->bytes + 3) / 4 * 4;
}

static const char *type_text(struct arena *a, const struct pipeline_buffer *b)
{
    struct buf text = {0};
    pipeline_type_print(b, &text);
    const char *kept = arena_copy(a, text.at, text.n);
    buf_free(&text);
    return kept;
}

static bool same_shape(const struct npy *f, const struct pipeline_buffer *b)
{
    return f->rank == b->rank && memcmp(f->dim, b->dim, f->rank * sizeof *f->dim) == 0;
}

static bool take_elements(struct pipeline_state *s, size_t i, const char *path, const struct npy *f,
                          struct hlx_error *error)
{
    const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
    size_t n;
    unsigned char *elements = same_shape(f, b) ? npy_elements(f, b->dtype, &n) : NULL;
    if (!elements) {
        struct buf is = {0};
        npy_print(f, &is);
        hlx_fail(error, EXIT_DATA, "`%s` is %s; the buffer `%s` is %s", path, is.at, b->name,
                 type_text(&s->arena, b));
        buf_free(&is);
        return false;
    }
    memcpy(s->bytes[i], elements, n);
    free(elements);
    s->bound[i] = true;
    return true;
}

static bool bind_file(struct pipeline_state *s, size_t i, const char *path, struct hlx_error *error)
{
    size_t n;
    const char *why;
    struct npy f;
    char *bytes = file_read(&s->arena, path, 0, &n, &why);
    if (!bytes)
        return hlx_fail(error, EXIT_DATA, "%s", why);
    why = npy_read(&s->arena, bytes, n, &f);
    bool ok = why ? hlx_fail(error, EXIT_DATA, "cannot read `%s`: %s", path, why)
                  : take_elements(s, i, path, &f, error);
    free(bytes);
    return ok;
}

static bool is_input(const struct pipeline_buffer *b)
{
    return !b->written && !b->constant;
}

static bool is_output(const struct pipeline_buffer *b)
{
    return b->output;
}

static bool can_bind(const struct pipeline_buffer *b)
{
    return !b->constant;
}

// The buffer that a file is for: by name, or the only one of its kind.
static bool choose(const struct pipeline *p, const char *name, const char *option,
                   bool (*fits)(const struct pipeline_buffer *),
                   bool (*alone)(const struct pipeline_buffer *), size_t *out,
                   struct hlx_error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < p->buffers.n; i++) {
        const struct pipeline_buffer *b = &p->buffers.at[i];
        if (name ? fits(b) && !strcmp(b->name, name) : alone(b)) {
            *out = i;
            n++;
        }
    }
    if (n == 1)
        return true;
    if (name)
        return hlx_fail(error, EXIT_USAGE, "%s: the pipeline has no such buffer `%s`", option,
                        name);
    return hlx_fail(error, EXIT_USAGE, "%s: say which of %zu buffers: %s NAME=FILE", option, n,
                    option);
}

static bool bind_all(struct pipeline_state *s, const struct pipeline_order *o,
                     struct hlx_error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < o->nbind; i++)
        if (!choose(&s->pipeline, o->bind[i].name, "--bind", can_bind, is_input, &at, error) ||
            !bind_file(s, at, o->bind[i].path, error))
            return false;
    for (size_t i = 0; i < s->pipeline.buffers.n; i++) {
        const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
        if (is_input(b) && !s->bound[i])
            return hlx_fail(error, EXIT_USAGE,
                            "nothing is bound to the input `%s`, %s: --bind %s=FILE.npy", b->name,
                            type_text(&s->arena, b), b->name);
    }
    return true;
}

// -- runs ----------------------------------------------------------------------------------------

struct run {
    struct pipeline_state *state;
    struct exec *exec;
    struct exec_plan *plan;
    const void **inputs;   // by input of the entry
    unsigned char **start; // copies of what written buffers hold at first, by buffer
};

static bool set_buffers(struct run *r, struct hlx_error *error)
{
    const struct pipeline *p = &r->state->pipeline;
    for (size_t i = 0; i < p->buffers.n; i++)
        if (p->buffers.at[i].written &&
            !exec_set(r->exec, p->buffers.at[i].index, r->start[i], error))
            return false;
    return true;
}

static bool get_buffers(struct run *r, struct hlx_error *error)
{
    const struct pipeline *p = &r->state->pipeline;
    for (size_t i = 0; i < p->buffers.n; i++)
        if (p->buffers.at[i].output &&
            !exec_get(r->exec, p->buffers.at[i].index, r->state->bytes[i], error))
            return false;
    return true;
}

static bool run_once(struct run *r, struct hlx_error *error)
{
    void *none = NULL;
    return set_buffers(r, error) && exec_submit(r->plan, r->inputs, 0, error) &&
           exec_collect(r->plan, &none, error) && get_buffers(r, error);
}

// The handles of the results, one after the other.
static struct handle results(struct pipeline_state *s)
{
    struct arena a = {0};
    VEC(const struct value *) list = {0};
    for (size_t i = 0; i < s->pipeline.buffers.n; i++)
        if (s->pipeline.buffers.at[i].output)
            vec_push(&a, &list, pipeline_tensor(&a, &s->pipeline.buffers.at[i], s->bytes[i]));
    struct handle h = handle_of(value_array(&a, list.at, list.n));
    arena_free(&a);
    return h;
}

static bool run_all(struct run *r, unsigned repeat, struct hlx_error *error)
{
    struct handle first = {{0}};
    for (unsigned i = 0; i < repeat; i++) {
        if (!run_once(r, error))
            return false;
        struct handle h = results(r->state);
        if (i == 0)
            first = h;
        else if (!handle_equal(&first, &h))
            return hlx_fail(error, EXIT_MISMATCH, "run %u gives other results than the first",
                            i + 1);
    }
    return true;
}

// Splits the state's bytes: inputs as the entry wants them, copies of what is written over.
static bool split(struct run *r, struct hlx_error *error)
{
    const struct pipeline *p = &r->state->pipeline;
    size_t n = p->buffers.n;
    r->inputs = arena_array(&r->state->arena, n + 1, sizeof *r->inputs);
    r->start = arena_array(&r->state->arena, n + 1, sizeof *r->start);
    for (size_t i = 0; i < n; i++) {
        const struct pipeline_buffer *b = &p->buffers.at[i];
        if (is_input(b))
            r->inputs[b->index] = r->state->bytes[i];
        if (!b->written)
            continue;
        r->start[i] = malloc(padded(b));
        if (!r->start[i])
            return hlx_no_memory(error, b->name);
        memcpy(r->start[i], r->state->bytes[i], padded(b));
    }
    return true;
}

static bool on_device(struct run *r, const struct pipeline_order *o, struct hlx_error *error)
{
    const struct program *g = &r->state->pipeline.program;
    const struct exec_options options = {.device = o->device ? o->device : exec_vulkan.name,
                                         .fail_at = o->fail_at};
    r->exec = exec_start(&options, g, error);
    r->plan = r->exec ? exec_prepare(r->exec, &g->module.entries.at[0], error) : NULL;
    if (!r->plan || !run_all(r, o->repeat, error))
        return false;
    if (!o->quiet)
        printf("pipeline: %s, device %s, %u run%s\n", r->state->pipeline.name, exec_title(r->exec),
               o->repeat, o->repeat == 1 ? "" : "s");
    return true;
}

static bool execute(struct pipeline_state *s, const struct pipeline_order *o,
                    struct hlx_error *error)
{
    struct run r = {.state = s};
    bool ok = split(&r, error) && on_device(&r, o, error);
    exec_discard(r.plan);
    exec_close(r.exec);
    for (size_t i = 0; r.start && i < s->pipeline.buffers.n; i++)
        free(r.start[i]);
    return ok;
}

// -- results -------------------------------------------------------------------------------------

static bool write_file(struct pipeline_state *s, size_t i, const char *path,
                       struct hlx_error *error)
{
    const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
    struct buf out = {0};
    const char *why;
    npy_write(b->dtype, b->rank, b->dim, s->bytes[i], &out);
    bool ok =
        file_write(&s->arena, path, out.at, out.n, &why) || hlx_fail(error, EXIT_DATA, "%s", why);
    buf_free(&out);
    return ok;
}

// Said before anything runs.
static bool check_outputs(struct pipeline_state *s, const struct pipeline_order *o,
                          struct hlx_error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < o->nout; i++)
        if (!choose(&s->pipeline, o->out[i].name, "--out", is_output, is_output, &at, error))
            return false;
    return true;
}

static bool give(struct pipeline_state *s, const struct pipeline_order *o, struct hlx_error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < o->nout; i++)
        if (!choose(&s->pipeline, o->out[i].name, "--out", is_output, is_output, &at, error) ||
            !write_file(s, at, o->out[i].path, error))
            return false;
    for (size_t i = 0; i < s->pipeline.buffers.n; i++) {
        const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
        char handle[HANDLE_TEXT + 1];
        if (!b->output)
            continue;
        struct handle h = handle_of(pipeline_tensor(&s->arena, b, s->bytes[i]));
        handle_text(&h, handle);
        printf("%s: %s %s\n", b->name, type_text(&s->arena, b), handle);
    }
    return true;
}

// What a result depends on: the pipeline and all that was bound (contract 806, without outputs).
static const struct value *key_of(struct pipeline_state *s)
{
    struct arena *a = &s->arena;
    size_t n = 0;
    struct value_field *field = arena_array(a, s->pipeline.buffers.n, sizeof *field);
    for (size_t i = 0; i < s->pipeline.buffers.n; i++) {
        const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
        if (!s->bound[i])
            continue;
        struct handle h = handle_of(pipeline_tensor(a, b, s->bytes[i]));
        field[n++] = (struct value_field){b->name, strlen(b->name), handle_value(a, &h)};
    }
    const struct value_field part[] = {
        {"inputs", 6, value_object(a, field, n, NULL)},
        {"pipeline", 8, handle_value(a, &s->pipeline.program.pack.root)},
    };
    return value_object(a, part, 2, NULL);
}

static bool run_or_recall(struct pipeline_state *s, const struct pipeline_order *o,
                          struct hlx_error *error)
{
    bool found = false;
    const struct value *key = o->memo ? key_of(s) : NULL;
    if (key && !pipeline_memo_get(s, key, &found, error))
        return false;
    if (found && !o->quiet)
        printf("pipeline: %s, from the store\n", s->pipeline.name);
    if (found)
        return true;
    return execute(s, o, error) && (!key || pipeline_memo_put(s, key, error));
}

// -- all of it -----------------------------------------------------------------------------------

static bool make_bytes(struct pipeline_state *s, struct hlx_error *error)
{
    size_t n = s->pipeline.buffers.n;
    s->bytes = arena_array(&s->arena, n, sizeof *s->bytes);
    s->bound = arena_array(&s->arena, n, sizeof *s->bound);
    for (size_t i = 0; i < n; i++) {
        const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
        if (!b->constant && !(s->bytes[i] = calloc(padded(b), 1)))
            return hlx_no_memory(error, b->name);
    }
    return true;
}

static bool open_file(struct pipeline_state *s, const char *path, struct hlx_error *error)
{
    size_t n;
    const char *why;
    char *bytes = file_read(&s->arena, path, 0, &n, &why);
    if (!bytes)
        return hlx_fail(error, EXIT_DATA, "%s", why);
    bool ok = pipeline_open_bytes(&s->pipeline, bytes, n, error);
    free(bytes);
    if (!ok)
        hlx_fail(error, error->code, "`%s`: %s", path, arena_strdup(&s->arena, error->text));
    return ok;
}

bool pipeline_is_file(const char *path)
{
    struct arena a = {0};
    size_t n;
    const char *why;
    char *bytes = file_read(&a, path, 0, &n, &why);
    bool is = bytes && pipeline_is(bytes, n);
    free(bytes);
    arena_free(&a);
    return is;
}

bool pipeline_inspect(const char *path, bool json, struct hlx_error *error)
{
    struct pipeline_state s = {0};
    struct buf out = {0};
    bool open = open_file(&s, path, error), ok = open;
    if (open && json)
        ok = pipeline_json(&s.pipeline, &out) || hlx_no_memory(error, "the description");
    else if (open)
        pipeline_text(&s.pipeline, &out);
    if (ok)
        fwrite(out.at, 1, out.n, stdout);
    if (open)
        pipeline_close(&s.pipeline);
    buf_free(&out);
    arena_free(&s.arena);
    return ok;
}

bool pipeline_run(const struct pipeline_order *o, struct hlx_error *error)
{
    struct pipeline_state s = {0};
    if (o->device && !strcmp(o->device, exec_cpu.name))
        return hlx_fail(error, EXIT_DEVICE,
                        "a pipeline is SPIR-V, which the device `cpu` cannot run; name a Vulkan "
                        "device (--list-devices)");
    bool open = open_file(&s, o->file, error);
    bool ok = open && make_bytes(&s, error) && bind_all(&s, o, error) &&
              check_outputs(&s, o, error) && run_or_recall(&s, o, error) && give(&s, o, error);
    for (size_t i = 0; s.bytes && i < s.pipeline.buffers.n; i++)
        free(s.bytes[i]);
    if (open)
        pipeline_close(&s.pipeline);
    arena_free(&s.arena);
    return ok;
}
