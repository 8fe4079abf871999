// exec_shards.c: runs entries with shards: the local part for each shard, then the global part.
//
// Worker w of W holds the shards w N/W up to (w + 1) N/W. Here they take turns on one device: each
// runs its next shard and hands what that made to the transport. In which order shards run changes
// nothing, since each has a place of its own among the inputs of the global part.
#include "runtime/exec_shards.h"

#include <stdlib.h>
#include <string.h>

struct exec_shards {
    const struct ir_split *split;
    unsigned workers;
    struct exec_transport transport;
    struct exec_plan *local, *global; // local: NULL where nothing is combined
    size_t nout;                      // outputs of `local`
    size_t *out_bytes;                // of one shard
    const void **in;                  // the inputs of `local`
    void **made;                      // worker * nout + output: what the worker's shard made
    void **gathered;                  // output * shards + shard: the inputs of `global`
    int32_t number;                   // of the shard that runs, where `local` asks for it
};

// -- transport -----------------------------------------------------------------------------------

static bool gather_here(void *user, unsigned worker, uint32_t shard, size_t output,
                        const void *from, void *to, size_t bytes, struct hlx_error *error)
{
    (void)user, (void)worker, (void)shard, (void)output, (void)error;
    memcpy(to, from, bytes);
    return true;
}

static struct exec_transport transport_of(const struct exec *x)
{
    return x->options.transport ? *x->options.transport
                                : (struct exec_transport){.gather = gather_here};
}

// -- plans ---------------------------------------------------------------------------------------

static void free_all(void **at, size_t n)
{
    for (size_t i = 0; at && i < n; i++)
        free(at[i]);
    free(at);
}

void exec_shards_discard(struct exec_plan *plan)
{
    struct exec_shards *s = plan->device;
    if (s) {
        exec_discard(s->local);
        exec_discard(s->global);
        free_all(s->made, s->workers * s->nout);
        exec_shards_free_gathered(s->split, s->gathered);
        free(s->out_bytes);
        free(s->in);
        free(s);
    }
    free(plan);
}

void **exec_shards_gathered(const struct ir_split *split)
{
    const struct ir_entry *g = &split->global;
    void **gathered = calloc(g->inputs.n + 1, sizeof *gathered);
    for (size_t i = 0; gathered && i < g->inputs.n; i++) {
        gathered[i] = malloc(ir_type_bytes(ir_type_get(g->graph->module, g->inputs.at[i].type)));
        if (!gathered[i]) {
            exec_shards_free_gathered(split, gathered);
            return NULL;
        }
    }
    return gathered;
}

void exec_shards_free_gathered(const struct ir_split *split, void **gathered)
{
    free_all(gathered, split->global.inputs.n);
}

static bool take_lists(struct exec_shards *s)
{
    s->out_bytes = calloc(s->nout + 1, sizeof *s->out_bytes);
    s->in = calloc(s->split->local.inputs.n + 1, sizeof *s->in);
    s->made = calloc(s->workers * s->nout + 1, sizeof *s->made);
    s->gathered = exec_shards_gathered(s->split);
    return s->out_bytes && s->in && s->made && s->gathered;
}

static bool take_memory(struct exec_shards *s, struct hlx_error *error)
{
    const struct ir_entry *l = &s->split->local;
    if (!take_lists(s))
        return hlx_no_memory(error, "the shards");
    for (size_t i = 0; i < s->nout; i++)
        s->out_bytes[i] = ir_type_bytes(ir_typeof(l->graph, l->outputs.at[i].value));
    for (size_t i = 0; i < s->workers * s->nout; i++)
        if (!(s->made[i] = malloc(s->out_bytes[i % s->nout])))
            return hlx_no_memory(error, "what the shards make");
    return true;
}

static bool prepare_parts(struct exec_plan *plan, struct hlx_error *error)
{
    struct exec_shards *s = plan->device;
    const struct exec_ops *ops = plan->exec->ops;
    if (s->nout > 0 && !(s->local = ops->prepare(plan->exec, &s->split->local, error)))
        return false;
    return (s->global = ops->prepare(plan->exec, &s->split->global, error));
}

struct exec_plan *exec_shards_prepare(struct exec *x, const struct ir_entry *entry,
                                      struct hlx_error *error)
{
    struct exec_plan *plan = calloc(1, sizeof *plan);
    struct exec_shards *s = calloc(1, sizeof *s);
    if (!plan || !s) {
        free(plan);
        free(s);
        hlx_no_memory(error, entry->name);
        return NULL;
    }
    *plan = (struct exec_plan){.exec = x, .entry = entry, .device = s};
    *s = (struct exec_shards){.split = entry->split,
                              .workers = x->options.workers ? x->options.workers : 1,
                              .transport = transport_of(x),
                              .nout = entry->split->local.outputs.n};
    if (take_memory(s, error) && prepare_parts(plan, error))
        return plan;
    exec_shards_discard(plan);
    return NULL;
}

struct exec_plan *exec_shards_global(const struct exec_plan *plan)
{
    return ((const struct exec_shards *)plan->device)->global;
}

struct exec_plan *exec_shards_local(const struct exec_plan *plan)
{
    return ((const struct exec_shards *)plan->device)->local;
}

// -- steps ---------------------------------------------------------------------------------------

void exec_shard_inputs(const struct ir_split *split, const void *const *inputs, uint32_t shard,
                       int32_t *number, const void **in)
{
    const struct ir_entry *l = &split->local;
    size_t n = l->inputs.n - split->numbered;
    for (size_t i = 0; i < n; i++)
        in[i] = (const char *)inputs[i] +
                shard * ir_type_bytes(ir_type_get(l->graph->module, l->inputs.at[i].type));
    *number = (int32_t)shard;
    if (split->numbered)
        in[n] = number;
}

// The shard that runs at a turn: each worker's first, then each one's second ...
static uint32_t shard_at(const struct exec_shards *s, uint32_t turn, unsigned *worker)
{
    *worker = turn % s->workers;
    return *worker * (s->split->shards / s->workers) + turn / s->workers;
}

static bool start(struct exec_shards *s, const void *const *inputs, uint32_t turn, uint32_t step,
                  struct hlx_error *error)
{
    unsigned worker;
    uint32_t shard = shard_at(s, turn, &worker);
    exec_shard_inputs(s->split, inputs, shard, &s->number, s->in);
    return s->local->exec->ops->submit(s->local, s->in, step, error);
}

static bool finish(struct exec_shards *s, uint32_t turn, struct hlx_error *error)
{
    unsigned worker;
    uint32_t shard = shard_at(s, turn, &worker);
    void **made = s->made + worker * s->nout;
    if (!s->local->exec->ops->collect(s->local, made, error))
        return false;
    for (size_t i = 0; i < s->nout; i++)
        if (!s->transport.gather(s->transport.user, worker, shard, i, made[i],
                                 s->gathered[i * s->split->shards + shard], s->out_bytes[i], error))
            return false;
    return true;
}

// As many shards are under way as the device takes.
static bool run_local(struct exec_shards *s, const void *const *inputs, uint32_t step,
                      struct hlx_error *error)
{
    uint32_t shards = s->split->shards, done = 0;
    unsigned depth = s->local->exec->ops->depth;
    for (uint32_t turn = 0; turn < shards; turn++) {
        if (turn - done == depth && !finish(s, done++, error))
            return false;
        if (!start(s, inputs, turn, step, error))
            return false;
    }
    while (done < shards)
        if (!finish(s, done++, error))
            return false;
    return true;
}

bool exec_shards_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                        struct hlx_error *error)
{
    struct exec_shards *s = plan->device;
    if (s->local && !run_local(s, inputs, step, error))
        return false;
    return plan->exec->ops->submit(s->global, (const void *const *)s->gathered, step, error);
}
