// plan_print.c: the plan of a program in words, for `hlxc --emit=plan`.
#include "codegen/plan_print.h"

static const char *const arena_name[ARENA_COUNT] = {
    [ARENA_VARS] = "vars",       [ARENA_WORK] = "work",     [ARENA_INPUTS] = "inputs",
    [ARENA_OUTPUTS] = "outputs", [ARENA_CONSTS] = "consts", [ARENA_COUNTERS] = "counters"};

static void print_segments(const char *name, const uint64_t *at, size_t n, struct buf *out)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += at[i];
    if (n)
        buf_printf(out, "  %-9s %12llu bytes in %zu segment%s\n", name, (unsigned long long)bytes,
                   n, n == 1 ? "" : "s");
}

static void print_binding(const struct dispatch_binding *b, struct buf *out)
{
    const struct dispatch_range *r = &b->range;
    buf_printf(out, " %s%s", b->writes ? ">" : "", arena_name[r->arena]);
    if (r->segment)
        buf_printf(out, ".%u", r->segment);
    buf_printf(out, "+%llu:%llu", (unsigned long long)r->offset, (unsigned long long)r->size);
}

static void print_call(const struct dispatch_program *p, const struct dispatch_call *c,
                       struct buf *out)
{
    const struct dispatch_kernel *k = &p->kernel[c->kernel];
    buf_printf(out, "      %s k%u %s %ux%ux%u", c->barrier ? "wait" : "    ", c->kernel, k->name,
               c->groups[0], c->groups[1], c->groups[2]);
    for (uint32_t i = 0; i < k->bindings; i++)
        print_binding(&c->binding[i], out);
    for (uint32_t i = 0; i < k->push; i++)
        buf_printf(out, "%s%u", i ? "," : " push ", c->push[i]);
    buf_putc(out, '\n');
}

static void print_step(const struct dispatch_program *p, size_t number,
                       const struct dispatch_step *s, struct buf *out)
{
    buf_printf(out, "  step %zu: %s\n", number, s->label);
    for (size_t i = 0; i < s->nvariants; i++) {
        buf_printf(out, "    %s\n", s->variant[i].name);
        for (size_t j = 0; j < s->variant[i].ncalls; j++)
            print_call(p, &s->variant[i].call[j], out);
    }
}

// Calls and waits of the entry with every step's variant `v`, or its first.
static void print_totals(const struct dispatch_entry *e, struct buf *out)
{
    size_t calls = 0, waits = 0;
    for (size_t i = 0; i < e->nsteps; i++)
        for (size_t j = 0; j < e->step[i].variant[0].ncalls; j++) {
            calls++;
            waits += e->step[i].variant[0].call[j].barrier;
        }
    buf_printf(out, "  %zu steps, %zu dispatches, %zu barriers\n", e->nsteps, calls, waits);
}

void plan_print(const struct dispatch_program *p, struct buf *out)
{
    for (size_t i = 0; i < p->nkernels; i++) {
        const struct dispatch_kernel *k = &p->kernel[i];
        char handle[HANDLE_TEXT + 1];
        handle_text(&k->handle, handle);
        buf_printf(out, "kernel k%zu %.19s %s: %zu words, %u buffers, %u push constants\n", i,
                   handle, k->name, k->nwords, k->bindings, k->push);
    }
    buf_puts(out, "program\n");
    print_segments("vars", p->var_segment, p->nvar_segments, out);
    for (size_t i = 0; i < p->nentries; i++) {
        const struct dispatch_entry *e = &p->entry[i];
        buf_printf(out, "entry %s\n", e->name);
        print_totals(e, out);
        for (int a = 0; a < ARENA_COUNT; a++)
            print_segments(arena_name[a], e->segment[a], e->nsegments[a], out);
        for (size_t s = 0; s < e->nsteps; s++)
            print_step(p, s, &e->step[s], out);
    }
}
