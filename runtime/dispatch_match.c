// dispatch_match.c: checks that a dispatch table is one of the module it travels with.
#include <string.h>

#include "ir/shard.h"
#include "runtime/dispatch_kit.h"

// The bytes a tensor takes in an arena: whole words.
static uint64_t stored(const struct ir_type *t)
{
    return ((uint64_t)ir_type_bytes(t) + 3) & ~(uint64_t)3;
}

// A range may be larger than its tensor (kernels that load several words at once), never smaller.
static const char *check_range(struct arena *a, const struct dispatch_range *r,
                               const struct ir_type *t, const char *what, const char *name)
{
    if (r->size >= stored(t))
        return NULL;
    return arena_printf(a, "the %s `%s` has %llu bytes and its range %llu", what, name,
                        (unsigned long long)stored(t), (unsigned long long)r->size);
}

static const char *check_entry(struct arena *a, const struct dispatch_entry *d,
                               const struct ir_module *m)
{
    const struct ir_entry *e = ir_find_part(m, d->name);
    if (!e)
        return arena_printf(a, "the program has no entry `%s`", d->name);
    if (d->ninputs != e->inputs.n || d->noutputs != e->outputs.n)
        return arena_printf(a, "the entry `%s` has other inputs or outputs", d->name);
    const char *fault = NULL;
    for (size_t i = 0; !fault && i < d->ninputs; i++)
        if (d->input[i].size)
            fault = check_range(a, &d->input[i], ir_type_get(m, e->inputs.at[i].type), "input",
                                e->inputs.at[i].name);
    for (size_t i = 0; !fault && i < d->noutputs; i++)
        fault = check_range(a, &d->output[i], ir_typeof(e->graph, e->outputs.at[i].value), "output",
                            e->outputs.at[i].name);
    return fault;
}

const char *dispatch_match(struct arena *a, const struct dispatch_program *p,
                           const struct ir_module *m)
{
    const char *fault = NULL;
    if (p->nvars != m->vars.n)
        return arena_printf(a, "it places %zu variables of %zu", p->nvars, m->vars.n);
    for (size_t i = 0; !fault && i < p->nvars; i++)
        fault = check_range(a, &p->var[i], ir_type_get(m, m->vars.at[i].type), "variable",
                            m->vars.at[i].path);
    for (size_t i = 0; !fault && i < p->nentries; i++)
        fault = check_entry(a, &p->entry[i], m);
    return fault;
}

const struct dispatch_entry *dispatch_find(const struct dispatch_program *p, const char *name)
{
    for (size_t i = 0; i < p->nentries; i++)
        if (!strcmp(p->entry[i].name, name))
            return &p->entry[i];
    return NULL;
}
