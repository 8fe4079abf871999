// dispatch_write.c: encodes the dispatch table and its shaders as objects of a pack.
//
// A table is mostly numbers, so ranges and calls are flat lists of them: a range is (arena,
// segment, offset / 256, size / 4), and a binding has its arena doubled, plus 1 where it is
// written.
#include <assert.h>
#include <string.h>

#include "runtime/dispatch_kit.h"

struct list {
    struct arena *arena;
    VEC(const struct value *) items;
};

static void put(struct list *l, const struct value *v)
{
    vec_push(l->arena, &l->items, v);
}

static void put_number(struct list *l, uint64_t n)
{
    put(l, value_int(l->arena, (int64_t)n));
}

static const struct value *done(const struct list *l)
{
    return value_array(l->arena, l->items.at, l->items.n);
}

static void put_range(struct list *l, const struct dispatch_range *r, uint64_t first)
{
    put_number(l, first);
    put_number(l, r->segment);
    put_number(l, r->offset / DISPATCH_ALIGN);
    put_number(l, r->size / 4);
}

static const struct value *ranges(struct arena *a, const struct dispatch_range *r, size_t n)
{
    struct list l = {a, {0}};
    for (size_t i = 0; i < n; i++)
        put_range(&l, &r[i], r[i].arena);
    return done(&l);
}

static const struct value *numbers(struct arena *a, const uint64_t *at, size_t n)
{
    struct list l = {a, {0}};
    for (size_t i = 0; i < n; i++)
        put_number(&l, at[i]);
    return done(&l);
}

// -- shaders -------------------------------------------------------------------------------------

static const struct value *spirv_bytes(struct arena *a, const struct dispatch_kernel *k)
{
    unsigned char *bytes = arena_array(a, k->nwords, 4);
    for (size_t i = 0; i < 4 * k->nwords; i++)
        bytes[i] = (unsigned char)(k->words[i / 4] >> 8 * (i % 4));
    return value_bytes(a, bytes, 4 * k->nwords);
}

const struct value *dispatch_shader(struct arena *a, const struct dispatch_kernel *k)
{
    const struct value_field fields[] = {
        {"entry_point", 11, value_str(a, k->name)},
        {"shader_stage", 12, value_str(a, "compute")},
        {"spirv_binary", 12, spirv_bytes(a, k)},
    };
    const struct value *object = value_object(a, fields, sizeof fields / sizeof *fields, NULL);
    return value_contract(a, SHADER_CONTRACT, object);
}

struct handle dispatch_kernel_handle(struct arena *a, const struct dispatch_kernel *k)
{
    return handle_of(dispatch_shader(a, k));
}

static const struct value *kernels(struct pack_writer *w, const struct dispatch_program *p)
{
    struct arena *a = w->arena;
    struct list l = {a, {0}};
    for (size_t i = 0; i < p->nkernels; i++) {
        const struct dispatch_kernel *k = &p->kernel[i];
        struct handle h = pack_add(w, dispatch_shader(a, k));
        assert(handle_equal(&h, &k->handle));
        assert(i == 0 || memcmp(k[-1].handle.sha, h.sha, HANDLE_BYTES) < 0);
        struct list row = {a, {0}};
        put(&row, handle_value(a, &h));
        put_number(&row, k->bindings);
        put_number(&row, k->push);
        put(&l, done(&row));
    }
    return done(&l);
}

// -- entries -------------------------------------------------------------------------------------

static const struct value *call(struct arena *a, const struct dispatch_program *p,
                                const struct dispatch_call *c)
{
    struct list l = {a, {0}};
    const struct dispatch_kernel *k = &p->kernel[c->kernel];
    put_number(&l, c->kernel);
    for (int i = 0; i < 3; i++)
        put_number(&l, c->groups[i]);
    put_number(&l, c->barrier);
    for (size_t i = 0; i < k->bindings; i++) {
        const struct dispatch_binding *b = &c->binding[i];
        put_range(&l, &b->range, 2 * (uint64_t)b->range.arena + b->writes);
    }
    for (size_t i = 0; i < k->push; i++)
        put_number(&l, c->push[i]);
    return done(&l);
}

static const struct value *variant(struct arena *a, const struct dispatch_program *p,
                                   const struct dispatch_variant *v)
{
    struct list l = {a, {0}};
    put(&l, value_str(a, v->name));
    for (size_t i = 0; i < v->ncalls; i++)
        put(&l, call(a, p, &v->call[i]));
    return done(&l);
}

static const struct value *steps(struct arena *a, const struct dispatch_program *p,
                                 const struct dispatch_entry *e)
{
    struct list l = {a, {0}};
    for (size_t i = 0; i < e->nsteps; i++) {
        struct list row = {a, {0}};
        put(&row, value_str(a, e->step[i].label));
        for (size_t v = 0; v < e->step[i].nvariants; v++)
            put(&row, variant(a, p, &e->step[i].variant[v]));
        put(&l, done(&row));
    }
    return done(&l);
}

static const struct value *segments(struct arena *a, const struct dispatch_entry *e)
{
    struct list l = {a, {0}};
    for (int i = 0; i < ARENA_COUNT; i++)
        put(&l, numbers(a, e->segment[i], e->nsegments[i]));
    return done(&l);
}

// Constants are objects of their own: entries with equal ones share them.
static const struct value *consts(struct pack_writer *w, const struct dispatch_entry *e)
{
    struct list l = {w->arena, {0}};
    for (size_t i = 0; i < e->nsegments[ARENA_CONSTS]; i++) {
        size_t n = e->segment[ARENA_CONSTS][i];
        struct handle h = pack_add(w, value_bytes(w->arena, e->consts[i], n));
        put(&l, handle_value(w->arena, &h));
    }
    return done(&l);
}

static const struct value *entry(struct pack_writer *w, const struct dispatch_program *p,
                                 const struct dispatch_entry *e)
{
    struct arena *a = w->arena;
    const struct value_field fields[] = {
        {"consts", 6, consts(w, e)},        {"inputs", 6, ranges(a, e->input, e->ninputs)},
        {"name", 4, value_str(a, e->name)}, {"outputs", 7, ranges(a, e->output, e->noutputs)},
        {"segments", 8, segments(a, e)},    {"steps", 5, steps(a, p, e)},
    };
    return value_object(a, fields, sizeof fields / sizeof *fields, NULL);
}

static const struct value *entries(struct pack_writer *w, const struct dispatch_program *p)
{
    struct list l = {w->arena, {0}};
    for (size_t i = 0; i < p->nentries; i++)
        put(&l, entry(w, p, &p->entry[i]));
    return done(&l);
}

struct handle dispatch_write(struct pack_writer *w, const struct dispatch_program *p)
{
    struct arena *a = w->arena;
    const struct value_field fields[] = {
        {"entries", 7, entries(w, p)},
        {"kernels", 7, kernels(w, p)},
        {"segments", 8, numbers(a, p->var_segment, p->nvar_segments)},
        {"vars", 4, ranges(a, p->var, p->nvars)},
    };
    const struct value *object = value_object(a, fields, sizeof fields / sizeof *fields, NULL);
    return pack_add(w, value_contract(a, DISPATCH_CONTRACT, object));
}
