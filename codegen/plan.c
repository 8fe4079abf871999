// plan.c: plans all entries of a module and writes the dispatch table's structs.
#include "codegen/plan.h"

#include <stdlib.h>
#include <string.h>

#include "ir/shard.h"
#include "ir/lanes.h"

// -- barriers ------------------------------------------------------------------------------------

// What ran since the last barrier touched.
struct touched {
    struct arena *arena;
    VEC(struct dispatch_binding) list;
};

static bool overlap(const struct dispatch_range *a, const struct dispatch_range *b)
{
    return a->arena == b->arena && a->segment == b->segment && a->offset < b->offset + b->size &&
           b->offset < a->offset + a->size;
}

static bool conflicts(const struct touched *t, const struct dispatch_binding *b)
{
    for (size_t i = 0; i < t->list.n; i++)
        if ((b->writes || t->list.at[i].writes) && overlap(&b->range, &t->list.at[i].range))
            return true;
    return false;
}

// The bindings of all calls of a variant, one after another.
struct all_bindings {
    const struct plan *plan;
    const struct dispatch_variant *variant;
    size_t call;
    uint32_t binding;
};

static const struct dispatch_binding *next_binding(struct all_bindings *b)
{
    for (; b->call < b->variant->ncalls; b->call++, b->binding = 0) {
        const struct dispatch_call *c = &b->variant->call[b->call];
        if (b->binding < b->plan->kernels->list.at[c->kernel].bindings)
            return &c->binding[b->binding++];
    }
    return NULL;
}

static bool variant_conflicts(const struct plan *p, const struct touched *t,
                              const struct dispatch_variant *v)
{
    struct all_bindings all = {p, v, 0, 0};
    for (const struct dispatch_binding *b; (b = next_binding(&all)) != NULL;)
        if (conflicts(t, b))
            return true;
    return false;
}

static void note(const struct plan *p, struct touched *t, const struct dispatch_variant *v)
{
    struct all_bindings all = {p, v, 0, 0};
    for (const struct dispatch_binding *b; (b = next_binding(&all)) != NULL;)
        vec_push(t->arena, &t->list, *b);
}

// A step waits when any of its variants would touch what another step is still using.
static void place_barriers(const struct plan *p, struct touched *t, struct dispatch_step *s,
                           struct dispatch_call *const *calls, bool first)
{
    bool wait = first;
    for (size_t i = 0; i < s->nvariants; i++)
        wait = wait || variant_conflicts(p, t, &s->variant[i]);
    if (wait)
        t->list.n = 0;
    for (size_t i = 0; i < s->nvariants; i++) {
        for (size_t j = 0; j < s->variant[i].ncalls; j++)
            calls[i][j].barrier = j > 0 || wait;
        note(p, t, &s->variant[i]);
    }
}

// -- one entry -----------------------------------------------------------------------------------

static void write_call(struct plan *p, const struct plan_call *from, struct dispatch_call *to)
{
    struct dispatch_binding *b = arena_array(p->arena, from->buffers.n + 1, sizeof *b);
    for (size_t i = 0; i < from->buffers.n; i++) {
        const struct emit_buffer *buffer = &from->buffers.at[i];
        b[i] = (struct dispatch_binding){p->places.at[buffer->place].range, buffer->writes};
    }
    *to = (struct dispatch_call){
        .kernel = p->kernels->rank[from->kernel], .binding = b, .push = from->push.at};
    memcpy(to->groups, from->groups, sizeof to->groups);
}

static struct dispatch_step write_step(struct plan *p, struct touched *t,
                                       const struct plan_step *from, bool first)
{
    size_t n = from->variants.n;
    struct dispatch_variant *v = arena_array(p->arena, n, sizeof *v);
    struct dispatch_call **calls = arena_array(p->arena, n, sizeof(void *));
    for (size_t i = 0; i < n; i++) {
        const struct plan_variant *f = &from->variants.at[i];
        calls[i] = arena_array(p->arena, f->calls.n, sizeof *calls[i]);
        for (size_t j = 0; j < f->calls.n; j++)
            write_call(p, &f->calls.at[j], &calls[i][j]);
        v[i] = (struct dispatch_variant){f->name, calls[i], f->calls.n};
    }
    struct dispatch_made *made = arena_array(p->arena, from->made.n + 1, sizeof *made);
    for (size_t i = 0; i < from->made.n; i++)
        made[i] = (struct dispatch_made){from->made.at[i].node,
                                         p->places.at[from->made.at[i].place].range};
    struct dispatch_step step = {
        .label = from->label, .variant = v, .nvariants = n, .made = made, .nmade = from->made.n};
    place_barriers(p, t, &step, calls, first);
    return step;
}

static void write_steps(struct plan *p, struct dispatch_entry *e)
{
    struct dispatch_step *steps = arena_array(p->arena, p->steps.n + 1, sizeof *steps);
    struct touched t = {.arena = p->arena};
    for (size_t i = 0; i < p->steps.n; i++)
        steps[i] = write_step(p, &t, &p->steps.at[i], i == 0);
    e->step = steps;
    e->nsteps = p->steps.n;
}

static void write_interface(struct plan *p, struct dispatch_entry *e)
{
    struct dispatch_range *in = arena_array(p->arena, p->entry->inputs.n + 1, sizeof *in);
    struct dispatch_range *out = arena_array(p->arena, p->entry->outputs.n + 1, sizeof *out);
    for (size_t i = 0; i < p->entry->inputs.n; i++) // never read: empty
        in[i] = (struct dispatch_range){.arena = ARENA_INPUTS};
    for (size_t i = 0; i < p->places.n; i++) {
        const struct plan_place *t = &p->places.at[i];
        if (t->kind == PLACE_INPUT && t->range.size)
            in[t->index] = t->range;
        if (t->kind == PLACE_OUTPUT)
            out[t->index] = t->range;
    }
    e->input = in;
    e->ninputs = p->entry->inputs.n;
    e->output = out;
    e->noutputs = p->entry->outputs.n;
}

static void fill_const(struct plan *p, const struct plan_place *t, unsigned char *segment)
{
    const struct ir_graph *g = p->entry->graph;
    ir_ref r = p->consts.at[t->index];
    const struct ir_type *type = ir_typeof(g, r);
    size_t bytes = dtype_bytes(type->dtype);
    for (int64_t i = 0; i < ir_type_count(type); i++) {
        uint32_t bits = (uint32_t)ir_attr(g, r, (unsigned)i);
        if (type->dtype == DT_F32)
            bits = f32_flush_bits(bits);
        memcpy(segment + t->range.offset + (size_t)i * bytes, &bits, bytes);
    }
}

static void write_consts(struct plan *p, struct dispatch_entry *e)
{
    const struct plan_segments *s = &p->segments[ARENA_CONSTS];
    unsigned char **consts = arena_array(p->arena, s->n + 1, sizeof *consts);
    for (size_t i = 0; i < s->n; i++)
        consts[i] = arena_alloc(p->arena, s->at[i]);
    for (size_t i = 0; i < p->places.n; i++)
        if (p->places.at[i].kind == PLACE_CONST && p->places.at[i].range.size)
            fill_const(p, &p->places.at[i], consts[p->places.at[i].range.segment]);
    e->consts = (const unsigned char *const *)consts;
}

static bool plan_entry(struct plan *p, bool fuse, const struct dispatch_range *vars,
                       const char **error)
{
    ir_refs roots = {0};
    ir_entry_roots(p->entry, false, p->arena, &roots);
    ir_fuse(p->entry->graph, roots.at, roots.n, fuse, p->arena, &p->fusion);
    plan_split(p);
    plan_places(p);
    plan_steps(p);
    if (p->refused)
        *error = p->refused;
    return !p->refused && plan_memory(p, vars, error);
}

static void write_entry(struct plan *p, struct dispatch_entry *out)
{
    out->name = p->entry->name;
    for (int i = 0; i < ARENA_COUNT; i++) {
        out->segment[i] = p->segments[i].at;
        out->nsegments[i] = p->segments[i].n;
    }
    write_interface(p, out);
    write_consts(p, out);
    write_steps(p, out);
}

// -- the program ---------------------------------------------------------------------------------

static bool place_vars(struct arena *a, const struct ir_module *m, struct dispatch_program *out,
                       const char **error)
{
    struct plan_segments segments = {0};
    struct dispatch_range *vars = arena_array(a, m->vars.n + 1, sizeof *vars);
    for (size_t i = 0; i < m->vars.n; i++) {
        uint64_t bytes = (ir_type_bytes(ir_type_get(m, m->vars.at[i].type)) + 3) / 4 * 4;
        if (plan_append(a, &segments, ARENA_VARS, bytes, &vars[i]))
            continue;
        *error = arena_printf(a, "%s has %llu MiB; a tensor on a device may have %llu",
                              m->vars.at[i].path, (unsigned long long)(bytes >> 20),
                              (unsigned long long)(DISPATCH_SEGMENT >> 20));
        return false;
    }
    out->var = vars;
    out->nvars = m->vars.n;
    out->var_segment = segments.at;
    out->nvar_segments = segments.n;
    return true;
}

struct ranked {
    struct dispatch_kernel kernel;
    uint32_t number; // while planning
};

static int by_handle(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return memcmp(x->kernel.handle.sha, y->kernel.handle.sha, HANDLE_BYTES);
}

// Sorts the kernels by handle and notes where each went.
static void rank_kernels(struct plan_kernels *k)
{
    size_t n = k->list.n;
    struct ranked *sorted = arena_array(k->arena, n + 1, sizeof *sorted);
    k->rank = arena_array(k->arena, n + 1, sizeof *k->rank);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (struct ranked){k->list.at[i], (uint32_t)i};
        sorted[i].kernel.handle = dispatch_kernel_handle(k->arena, &sorted[i].kernel);
    }
    qsort(sorted, n, sizeof *sorted, by_handle);
    for (size_t i = 0; i < n; i++) {
        k->list.at[i] = sorted[i].kernel;
        k->rank[sorted[i].number] = (uint32_t)i;
    }
}

const struct dispatch_program *plan_program(struct arena *a, struct ir_module *m,
                                            const struct sources *sources, bool fuse,
                                            const char **error)
{
    struct dispatch_program *out = arena_new(a, struct dispatch_program);
    struct plan_kernels kernels = {.arena = a};
    struct exact_trees trees;
    exact_init(&trees, m);
    map_init(&kernels.index, a);
    map_init(&kernels.products, a);
    if (!place_vars(a, m, out, error))
        return NULL;
    ir_entries parts = {0};
    ir_parts(m, a, &parts);
    size_t n = parts.n;
    struct plan *plans = arena_array(a, n + 1, sizeof *plans);
    for (size_t i = 0; i < n; i++) {
        plans[i] =
            (struct plan){.arena = a, .module = m, .entry = parts.at[i], .kernels = &kernels};
        plans[i].source.trees = &trees;
        plans[i].source.sources = sources;
        plans[i].source.exact = !strcmp(m->profile, "exact");
        if (!plan_entry(&plans[i], fuse, out->var, error))
            return NULL;
    }
    rank_kernels(&kernels);
    struct dispatch_entry *entries = arena_array(a, n + 1, sizeof *entries);
    for (size_t i = 0; i < n; i++)
        write_entry(&plans[i], &entries[i]);
    out->entry = entries;
    out->nentries = n;
    out->kernel = kernels.list.at;
    out->nkernels = kernels.list.n;
    return out;
}
