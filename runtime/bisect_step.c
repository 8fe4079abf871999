// bisect_step.c: within a step, finds the first dispatch whose result is not the evaluator's.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/bisect.h"
#include "runtime/exec_shards.h"
#include "runtime/vk_trace.h"

// What runs as one: an entry, or a part of one with shards.
struct part {
    struct exec_plan *plan;
    const struct ir_entry *entry;
    const void *const *inputs;
    uint32_t step;
    uint32_t shard, shards; // shards: 0 where it is not one shard's
    bool global;            // runs after the shards
};

// The values that the dispatches of a part make, as the evaluator has them.
struct expected {
    struct exec *exec;
    const struct part *part;
    ir_ref *node; // once each
    void **value;
    size_t n;
    bool found;
};

static void free_expected(struct expected *x)
{
    for (size_t i = 0; x->value && i < x->n; i++)
        free(x->value[i]);
    free(x->value);
    free(x->node);
}

static int by_number(const void *x, const void *y)
{
    ir_ref a = *(const ir_ref *)x, b = *(const ir_ref *)y;
    return a < b ? -1 : a > b;
}

static void sort_once(struct expected *x)
{
    size_t n = 0;
    qsort(x->node, x->n, sizeof *x->node, by_number);
    for (size_t i = 0; i < x->n; i++)
        if (n == 0 || x->node[n - 1] != x->node[i])
            x->node[n++] = x->node[i];
    x->n = n;
}

static bool take_nodes(struct expected *x, const struct dispatch_entry *e, struct hlx_error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < e->nsteps; i++)
        n += e->step[i].nmade;
    x->node = calloc(n + 1, sizeof *x->node);
    x->value = calloc(n + 1, sizeof *x->value);
    if (!x->node || !x->value)
        return hlx_no_memory(error, "the values of a step");
    for (size_t i = 0; i < e->nsteps; i++)
        for (size_t k = 0; k < e->step[i].nmade; k++)
            x->node[x->n++] = e->step[i].made[k].node;
    sort_once(x);
    for (size_t i = 0; i < x->n; i++) {
        x->value[i] = malloc(ir_type_bytes(ir_typeof(x->part->entry->graph, x->node[i])));
        if (!x->value[i])
            return hlx_no_memory(error, "the values of a step");
    }
    return true;
}

static const void *value_of(const struct expected *x, ir_ref node)
{
    const ir_ref *at = bsearch(&node, x->node, x->n, sizeof *x->node, by_number);
    return x->value[at - x->node];
}

// -- one dispatch --------------------------------------------------------------------------------

static void say_place(const struct expected *x, ir_ref node, struct buf *out)
{
    const struct program *p = x->exec->program;
    const struct ir_node *n = ir_get(x->part->entry->graph, node);
    struct program_place place;
    if (n->name)
        buf_printf(out, " of `%s`", ir_name_text(&p->module, n->name));
    if (program_place(p, p->module.locs.at[n->loc], &place))
        buf_printf(out, ", %s:%u:%u", place.file, place.line, place.col);
}

static void say_dispatch(const struct expected *x, const struct dispatch_step *s,
                         const struct dispatch_variant *v)
{
    const struct dispatch_program *t = x->exec->program->dispatch;
    const struct dispatch_entry *e = dispatch_find(t, x->part->entry->name);
    if (x->part->shards > 0)
        printf("in shard %" PRIu32 " of %" PRIu32 "\n", x->part->shard, x->part->shards);
    if (x->part->global)
        puts("in what runs once, after the shards");
    printf("step %zu of %zu of the plan: %s, variant %s\n", (size_t)(s - e->step) + 1, e->nsteps,
           s->label, v->name);
    for (size_t i = 0; i < v->ncalls; i++) {
        const struct dispatch_kernel *k = &t->kernel[v->call[i].kernel];
        char handle[HANDLE_TEXT + 1];
        handle_text(&k->handle, handle);
        printf("  dispatch: kernel %s (%.19s)\n", k->name, handle);
    }
}

static void say_value(const struct expected *x, const struct dispatch_made *m, const void *have,
                      const void *want, size_t differ, size_t first)
{
    const struct ir_type *t = ir_typeof(x->part->entry->graph, m->node);
    struct buf out = {0};
    buf_printf(&out, "  value %%%" PRIu32, m->node);
    say_place(x, m->node, &out);
    buf_printf(&out, ": %zu of %zu elements differ, first ", differ, (size_t)ir_type_count(t));
    bisect_index(t, first, &out);
    buf_printf(&out, ": %s has ", exec_title(x->exec));
    bisect_value(t, have, first, &out);
    buf_puts(&out, ", the evaluator has ");
    bisect_value(t, want, first, &out);
    puts(out.at);
    buf_free(&out);
}

static bool check_value(struct expected *x, struct exec_plan *plan, const struct dispatch_step *s,
                        const struct dispatch_variant *v, const struct dispatch_made *m,
                        struct hlx_error *e)
{
    const struct ir_type *t = ir_typeof(x->part->entry->graph, m->node);
    size_t bytes = ir_type_bytes(t), first = 0;
    void *have = malloc(bytes);
    bool ok = have ? vk_trace_read(plan, &m->range, have, bytes, e)
                   : hlx_no_memory(e, "the values of a step");
    if (ok) {
        exec_canon(t, have);
        const void *want = value_of(x, m->node);
        size_t differ = bisect_differ(t, have, want, &first);
        if (differ > 0 && !x->found)
            say_dispatch(x, s, v);
        if (differ > 0)
            say_value(x, m, have, want, differ, first);
        x->found = x->found || differ > 0;
    }
    free(have);
    return ok;
}

// Ends the trace at the first dispatch that is wrong: *e is then empty.
static bool on_dispatch(void *user, struct exec_plan *plan, const struct dispatch_step *s,
                        const struct dispatch_variant *v, struct hlx_error *e)
{
    struct expected *x = user;
    for (size_t i = 0; i < s->nmade; i++)
        if (!check_value(x, plan, s, v, &s->made[i], e))
            return false;
    return !x->found;
}

// -- a part --------------------------------------------------------------------------------------

static bool trace(struct expected *x, struct hlx_error *error)
{
    const struct part *p = x->part;
    const struct vk_trace watch = {x, on_dispatch};
    for (size_t i = 0; i < x->n; i++)
        exec_canon(ir_typeof(p->entry->graph, x->node[i]), x->value[i]);
    return vk_trace(p->plan, p->inputs, p->step, &watch, error) || x->found;
}

// Looks for the first dispatch of a part that is wrong, and tells of it.
static bool look(struct exec *exec, const struct part *part, bool *found, struct hlx_error *error)
{
    struct expected x = {.exec = exec, .part = part};
    const struct dispatch_entry *e = dispatch_find(exec->program->dispatch, part->entry->name);
    bool ok =
        take_nodes(&x, e, error) &&
        exec_probe(exec, part->entry, x.node, x.n, part->inputs, part->step, x.value, error) &&
        trace(&x, error);
    *found = x.found;
    free_expected(&x);
    return ok;
}

// -- the parts of an entry with shards -----------------------------------------------------------

// What a shard makes, as the evaluator has it: inputs of the global part.
static bool gather(struct exec *exec, const struct part *p, void **gathered,
                   struct hlx_error *error)
{
    size_t n = p->entry->outputs.n;
    ir_ref *root = calloc(n + 1, sizeof *root);
    void **out = calloc(n + 1, sizeof *out);
    bool ok = (root && out) || hlx_no_memory(error, "what a shard makes");
    for (size_t i = 0; ok && i < n; i++) {
        root[i] = p->entry->outputs.at[i].value;
        out[i] = gathered[i * p->shards + p->shard];
    }
    ok = ok && exec_probe(exec, p->entry, root, n, p->inputs, p->step, out, error);
    free(root);
    free(out);
    return ok;
}

static bool look_local(struct exec *exec, const struct part *whole, void **gathered, bool *found,
                       struct hlx_error *error)
{
    const struct ir_split *split = whole->entry->split;
    const void **in = calloc(split->local.inputs.n + 1, sizeof *in);
    bool ok = in || hlx_no_memory(error, "the inputs of a shard");
    for (uint32_t k = 0; ok && !*found && k < split->shards; k++) {
        int32_t number;
        exec_shard_inputs(split, whole->inputs, k, &number, in);
        const struct part p = {.plan = exec_shards_local(whole->plan),
                               .entry = &split->local,
                               .inputs = in,
                               .step = whole->step,
                               .shard = k,
                               .shards = split->shards};
        ok = look(exec, &p, found, error) && (*found || gather(exec, &p, gathered, error));
    }
    free(in);
    return ok;
}

static bool look_shards(struct exec *exec, const struct part *whole, bool *found,
                        struct hlx_error *error)
{
    const struct ir_split *split = whole->entry->split;
    void **gathered = exec_shards_gathered(split);
    bool ok = gathered || hlx_no_memory(error, "what the shards make");
    if (ok && exec_shards_local(whole->plan))
        ok = look_local(exec, whole, gathered, found, error);
    if (ok && !*found) {
        const struct part p = {.plan = exec_shards_global(whole->plan),
                               .entry = &split->global,
                               .inputs = (const void *const *)gathered,
                               .step = whole->step,
                               .global = true};
        ok = look(exec, &p, found, error);
    }
    exec_shards_free_gathered(split, gathered);
    return ok;
}

// -- the step ------------------------------------------------------------------------------------

bool bisect_step(struct lane *suspect, struct lane *reference, uint32_t step,
                 struct hlx_error *error)
{
    struct exec *exec = suspect->exec;
    struct batches *b = &suspect->batches;
    if (exec->ops != &exec_vulkan) {
        printf("%s does not run dispatches: the step is as fine as it gets\n", exec_title(exec));
        return true;
    }
    if (!lane_restore(suspect, reference, step - 1, error))
        return false;
    batches_epoch(b, exec->seed, (uint32_t)((step - 1) / b->steps + 1));
    batches_fill(b, (step - 1) % b->steps);
    const struct part whole = {.plan = suspect->run.plan,
                               .entry = b->entry,
                               .inputs = (const void *const *)b->input,
                               .step = step};
    bool found = false;
    if (!(b->entry->split ? look_shards : look)(exec, &whole, &found, error))
        return false;
    if (!found)
        printf("every dispatch of the step gives the evaluator's values: the state changed outside "
               "of the kernels\n");
    return true;
}
