// pipeline_program.c: makes of a pipeline the program that the executor runs: a module of words,
// and a dispatch table.
#include <stdlib.h>
#include <string.h>

#include "ir/parse.h"
#include "runtime/pipeline.h"

typedef const char *fault;

struct builder {
    struct pipeline *p;
    struct arena *arena;
    const struct pipeline_call *call;
    size_t ncalls;
};

static uint64_t words_of(const struct pipeline_buffer *b)
{
    return (b->bytes + 3) / 4;
}

// Each buffer is one of: a variable (written), a constant, an input.
static enum dispatch_arena arena_of(const struct pipeline_buffer *b)
{
    return b->written ? ARENA_VARS : b->constant ? ARENA_CONSTS : ARENA_INPUTS;
}

// Words are words: nothing may be changed on the way in and out, so all are u32 to the executor.
static fault make_module(struct builder *r)
{
    struct buf text = {0};
    struct ir_parse_error bad = {0};
    struct pipeline *p = r->p;
    buf_puts(&text, "helix_ir 1\nnumerics \"exact-1\"\nprofile native\n\n");
    for (size_t i = 0; i < p->buffers.n; i++)
        if (arena_of(&p->buffers.at[i]) == ARENA_VARS)
            buf_printf(&text,
                       "state b%04lu u32[%llu] {\n  %%1 = const u32[] {bits=0x0}\n"
                       "  %%2 = broadcast u32[%llu] %%1\n  value %%2\n}\n\n",
                       (unsigned long)p->buffers.at[i].index,
                       (unsigned long long)words_of(&p->buffers.at[i]),
                       (unsigned long long)words_of(&p->buffers.at[i]));
    buf_puts(&text, "entry run {\n");
    for (size_t i = 0; i < p->buffers.n; i++)
        if (arena_of(&p->buffers.at[i]) == ARENA_INPUTS)
            buf_printf(&text, "  input b%04lu u32[%llu]\n", (unsigned long)p->buffers.at[i].index,
                       (unsigned long long)words_of(&p->buffers.at[i]));
    buf_puts(&text, "}\n");
    ir_module_init(&p->program.module, r->arena);
    bool ok = ir_parse(&p->program.module, text.at, text.n, &bad);
    buf_free(&text);
    return ok ? NULL : bad.message;
}

static void number_buffers(struct pipeline *p, size_t count[ARENA_COUNT])
{
    for (size_t i = 0; i < p->buffers.n; i++) {
        struct pipeline_buffer *b = &p->buffers.at[i];
        b->index = (uint32_t)count[arena_of(b)]++;
    }
}

static struct dispatch_range range_of(const struct pipeline_buffer *b)
{
    return (struct dispatch_range){arena_of(b), b->index, 0, 4 * words_of(b)};
}

static int by_handle(const void *a, const void *b)
{
    const struct dispatch_kernel *x = a, *y = b;
    return memcmp(x->handle.sha, y->handle.sha, HANDLE_BYTES);
}

// Every kernel once, in the order of their handles: what the cache of pipelines goes by.
static void make_kernels(struct builder *r, struct dispatch_program *d)
{
    struct dispatch_kernel *k = arena_array(r->arena, r->ncalls, sizeof *k);
    for (size_t i = 0; i < r->ncalls; i++)
        k[i] = r->call[i].k.kernel;
    qsort(k, r->ncalls, sizeof *k, by_handle);
    for (size_t i = 0; i < r->ncalls; i++)
        if (d->nkernels == 0 || by_handle(&k[d->nkernels - 1], &k[i]) != 0)
            k[d->nkernels++] = k[i];
    d->kernel = k;
}

static uint32_t kernel_index(const struct dispatch_program *d, const struct dispatch_kernel *k)
{
    const struct dispatch_kernel *found = bsearch(k, d->kernel, d->nkernels, sizeof *k, by_handle);
    return (uint32_t)(found - d->kernel);
}

static struct dispatch_call make_call(struct builder *r, const struct dispatch_program *d,
                                      const struct pipeline_call *from)
{
    struct dispatch_call c = {.kernel = kernel_index(d, &from->k.kernel), .barrier = from->barrier};
    struct dispatch_binding *b = arena_array(r->arena, from->k.kernel.bindings, sizeof *b);
    for (uint32_t i = 0; i < from->k.kernel.bindings; i++)
        b[i] = (struct dispatch_binding){range_of(&r->p->buffers.at[from->buffer[i]]),
                                         from->k.writes[i]};
    memcpy(c.groups, from->k.groups, sizeof c.groups);
    c.binding = b;
    c.push = from->k.push;
    return c;
}

// Sizes, ranges and contents of the buffers of an arena, in order.
static void make_arena(struct builder *r, enum dispatch_arena arena, size_t n,
                       const uint64_t **size, const struct dispatch_range **range,
                       const unsigned char *const **content)
{
    uint64_t *s = arena_array(r->arena, n, sizeof *s);
    struct dispatch_range *all = arena_array(r->arena, n, sizeof *all);
    const unsigned char **bytes = arena_array(r->arena, n, sizeof *bytes);
    for (size_t i = 0; i < r->p->buffers.n; i++) {
        const struct pipeline_buffer *b = &r->p->buffers.at[i];
        if (arena_of(b) != arena)
            continue;
        s[b->index] = 4 * words_of(b);
        all[b->index] = range_of(b);
        unsigned char *padded = b->constant ? arena_array(r->arena, s[b->index], 1) : NULL;
        if (padded)
            memcpy(padded, b->constant, b->bytes);
        bytes[b->index] = padded;
    }
    *size = s;
    *range = all;
    *content = bytes;
}

static const struct dispatch_entry *make_entry(struct builder *r, const struct dispatch_program *d,
                                               const size_t count[ARENA_COUNT])
{
    struct dispatch_entry *e = arena_new(r->arena, struct dispatch_entry);
    struct dispatch_step *step = arena_new(r->arena, struct dispatch_step);
    struct dispatch_variant *variant = arena_new(r->arena, struct dispatch_variant);
    struct dispatch_call *call = arena_array(r->arena, r->ncalls, sizeof *call);
    const struct dispatch_range *range;
    const unsigned char *const *none;
    e->name = "run";
    make_arena(r, ARENA_INPUTS, count[ARENA_INPUTS], &e->segment[ARENA_INPUTS], &e->input, &none);
    make_arena(r, ARENA_CONSTS, count[ARENA_CONSTS], &e->segment[ARENA_CONSTS], &range, &e->consts);
    e->ninputs = e->nsegments[ARENA_INPUTS] = count[ARENA_INPUTS];
    e->nsegments[ARENA_CONSTS] = count[ARENA_CONSTS];
    for (size_t i = 0; i < r->ncalls; i++)
        call[i] = make_call(r, d, &r->call[i]);
    *variant = (struct dispatch_variant){.name = "own", .call = call, .ncalls = r->ncalls};
    *step = (struct dispatch_step){.label = r->p->name, .variant = variant, .nvariants = 1};
    e->step = step;
    e->nsteps = 1;
    return e;
}

static fault make_program(struct builder *r)
{
    struct dispatch_program *d = arena_new(r->arena, struct dispatch_program);
    size_t count[ARENA_COUNT] = {0};
    const unsigned char *const *none;
    number_buffers(r->p, count);
    fault f = make_module(r);
    if (f)
        return f;
    make_kernels(r, d);
    make_arena(r, ARENA_VARS, count[ARENA_VARS], &d->var_segment, &d->var, &none);
    d->nvars = d->nvar_segments = count[ARENA_VARS];
    d->entry = make_entry(r, d, count);
    d->nentries = 1;
    r->p->program.dispatch = d;
    f = dispatch_hazard(r->arena, d, d->entry, 0);
    return f ? arena_printf(r->arena, "%s; leave `sync_barriers` out, or add the later stage", f)
             : NULL;
}

const char *pipeline_make_program(struct pipeline *p, const struct pipeline_call *call, size_t n)
{
    struct builder r = {p, &p->program.arena, call, n};
    return make_program(&r);
}
