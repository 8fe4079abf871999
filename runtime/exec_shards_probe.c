// exec_shards_probe.c: computes any global values of an entry with shards, with the evaluator.
#include <stdlib.h>
#include <string.h>

#include "runtime/exec_shards.h"

// The two parts that compute what is asked for, and what the local one made for the other.
struct probe {
    const struct ir_split *split;
    const struct exec_probe *asked;
    void **gathered; // output * shards + shard
};

static struct eval *evaluate(const struct probe *p, const struct ir_entry *part,
                             struct hlx_error *error)
{
    struct arena a = {0};
    ir_refs roots = {0};
    const char *why = NULL;
    ir_entry_roots(part, false, &a, &roots);
    struct eval *e = eval_new(part->graph, roots.at, roots.n, p->asked->flags, &why);
    arena_free(&a);
    if (!e)
        hlx_fail(error, EXIT_DEVICE, "cannot compute inside `%s`: %s", p->asked->entry->name, why);
    return e;
}

static bool run_local(struct probe *p, const void *const *inputs, const void *const *vars,
                      struct hlx_error *error)
{
    const struct ir_entry *l = &p->split->local;
    struct eval *e = evaluate(p, l, error);
    const void **in = calloc(l->inputs.n + 1, sizeof *in);
    void **out = calloc(l->outputs.n + 1, sizeof *out);
    bool ok = e && in && out;
    for (uint32_t shard = 0; ok && shard < p->split->shards; shard++) {
        int32_t number;
        exec_shard_inputs(p->split, inputs, shard, &number, in);
        for (size_t i = 0; i < l->outputs.n; i++)
            out[i] = p->gathered[i * p->split->shards + shard];
        eval_run(e, in, vars, &p->asked->counters, out);
    }
    eval_free(e);
    free(in);
    free(out);
    return ok || (e && hlx_no_memory(error, "the shards"));
}

static bool run_parts(struct probe *p, const void *const *inputs, const void *const *vars,
                      void *const *out, struct hlx_error *error)
{
    if (p->split->local.outputs.n > 0 && !run_local(p, inputs, vars, error))
        return false;
    struct eval *e = evaluate(p, &p->split->global, error);
    if (e)
        eval_run(e, (const void *const *)p->gathered, vars, &p->asked->counters, out);
    eval_free(e);
    return e;
}

// The entry with what is asked for as its outputs, and no updates.
static struct ir_entry asked_entry(struct ir_module *m, const struct exec_probe *p)
{
    struct ir_entry e = *p->entry;
    memset(&e.outputs, 0, sizeof e.outputs);
    memset(&e.updates, 0, sizeof e.updates);
    memset(&e.grads, 0, sizeof e.grads);
    for (size_t i = 0; i < p->n; i++)
        vec_push(m->arena, &e.outputs, (struct ir_named){"asked", p->root[i]});
    return e;
}

bool exec_shards_probe(const struct exec_probe *asked, const void *const *inputs,
                       const void *const *vars, void *const *out, struct hlx_error *error)
{
    struct ir_module *m = asked->entry->graph->module; // types are added to it, nothing changes
    const struct ir_entry e = asked_entry(m, asked);
    ir_shard_faults faults = {0};
    ir_shard_check(m, &e, &faults);
    if (faults.n > 0)
        return hlx_fail(error, EXIT_USAGE,
                        "a value of `%s` that is asked for is local to a shard: there are %u of it",
                        e.name, (unsigned)asked->entry->split->shards);
    struct probe p = {.split = ir_split_entry(m, &e), .asked = asked};
    p.gathered = exec_shards_gathered(p.split);
    bool ok = p.gathered ? run_parts(&p, inputs, vars, out, error)
                         : hlx_no_memory(error, "what the shards make");
    exec_shards_free_gathered(p.split, p.gathered);
    return ok;
}
