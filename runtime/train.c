// train.c: the loop over epochs and steps, and the means of what an entry returns.
#include "runtime/train.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// -- scalars -------------------------------------------------------------------------------------

// An entry that returns a bare value returns it as `result`.
static bool is_loss(const char *name)
{
    size_t n = strlen(name);
    return !strcmp(name, "loss") || !strcmp(name, "result") ||
           (n > 5 && !strcmp(name + n - 5, "_loss"));
}

static void add_scalar(struct train_run *r, size_t output, bool losses)
{
    const struct ir_entry *e = r->batches->entry;
    const struct ir_type *t = ir_typeof(e->graph, e->outputs.at[output].value);
    const char *name = e->outputs.at[output].name;
    bool integer = t->dtype != DT_F32, loss = !integer && is_loss(name);
    if (t->rank != 0 || dtype_bytes(t->dtype) != 4 || loss != losses)
        return;
    r->scalar[r->nscalars++] =
        (struct train_scalar){name, output, integer, integer || !strcmp(name, "lr"), loss};
}

// Losses first, each group in the entry's order.
static void find_scalars(struct train_run *r)
{
    for (int losses = 1; losses >= 0; losses--)
        for (size_t i = 0; i < r->batches->entry->outputs.n; i++)
            add_scalar(r, i, losses);
}

static double scalar_value(const struct train_run *r, size_t i)
{
    const struct ir_entry *e = r->batches->entry;
    size_t output = r->scalar[i].output;
    union {
        float f;
        int32_t i;
        uint32_t u;
    } x;
    memcpy(&x, r->out[output], sizeof x);
    switch (ir_typeof(e->graph, e->outputs.at[output].value)->dtype) {
    case DT_F32: return x.f;
    case DT_I32: return x.i;
    default: return x.u;
    }
}

// -- opening -------------------------------------------------------------------------------------

static uint64_t count_epochs(const struct train_run *r)
{
    int64_t own = 1;
    if (r->options.epochs)
        return r->options.epochs;
    if (r->options.steps != TRAIN_NO_LIMIT)
        return ((uint64_t)r->options.steps + r->batches->steps - 1) / r->batches->steps;
    value_get_int(r->batches->entry->attrs, "epochs", &own);
    return own < 1 ? 1 : (uint64_t)own;
}

static bool take_memory(struct train_run *r, struct hlx_error *error)
{
    const struct ir_entry *e = r->batches->entry;
    size_t n = e->outputs.n + 1; // never 0
    r->out = calloc(n, sizeof *r->out);
    r->scalar = calloc(n, sizeof *r->scalar);
    r->sum = calloc(n, sizeof *r->sum);
    r->value = calloc(n, sizeof *r->value);
    r->shown = calloc(n, sizeof *r->shown);
    r->real = calloc(r->exec->ops->depth, sizeof *r->real);
    r->leaves = calloc(r->exec->layout.leaves + 1, HANDLE_BYTES);
    bool ok = r->out && r->scalar && r->sum && r->value && r->shown && r->real && r->leaves;
    for (size_t i = 0; ok && i < e->outputs.n; i++) {
        r->out[i] = calloc(1, ir_type_bytes(ir_typeof(e->graph, e->outputs.at[i].value)));
        ok = r->out[i] != NULL;
    }
    return ok || hlx_no_memory(error, "the results of a step");
}

bool train_open(struct train_run *r, struct exec *exec, struct batches *batches,
                const struct train_options *options, struct hlx_error *error)
{
    *r = (struct train_run){.exec = exec, .batches = batches, .options = *options};
    r->epochs = count_epochs(r);
    if (options->steps == TRAIN_NO_LIMIT && r->epochs > (TRAIN_NO_LIMIT - 1) / batches->steps)
        return hlx_fail(error, EXIT_USAGE, "%llu epochs of %zu steps are more than can be counted",
                        (unsigned long long)r->epochs, batches->steps);
    if (take_memory(r, error) && (r->plan = exec_prepare(exec, batches->entry, error))) {
        find_scalars(r);
        return true;
    }
    train_close(r);
    return false;
}

void train_close(struct train_run *r)
{
    for (size_t i = 0; r->out && i < r->batches->entry->outputs.n; i++)
        free(r->out[i]);
    exec_discard(r->plan);
    free(r->out);
    free(r->scalar);
    free(r->sum);
    free(r->value);
    free(r->shown);
    free(r->real);
    free(r->leaves);
    *r = (struct train_run){0};
}

// -- running -------------------------------------------------------------------------------------

// An epoch in progress.
struct progress {
    uint64_t epoch;
    size_t submitted, collected, samples;
    double start;
};

// Where a step under way notes its samples. The device keeps at most `depth` of them under way.
static size_t *slot(const struct train_run *r, size_t step)
{
    assert(r->exec->ops->depth > 0);
    return &r->real[step % r->exec->ops->depth];
}

static bool shows_state(const struct train_run *r, uint32_t step)
{
    return r->options.every > 0 && step % r->options.every == 0;
}

static bool submit(struct train_run *r, struct progress *p, struct hlx_error *error)
{
    size_t real = batches_fill(r->batches, p->submitted);
    *slot(r, p->submitted) = real;
    uint32_t step = r->step + (uint32_t)(p->submitted - p->collected) + 1;
    p->submitted++;
    return exec_submit(r->plan, (const void *const *)r->batches->input, step, error) &&
           (!shows_state(r, step) || exec_hash(r->plan, error));
}

static bool check_loss(const struct train_run *r, const struct progress *p, struct hlx_error *error)
{
    for (size_t i = 0; i < r->nscalars && !r->options.any_loss; i++)
        if (r->scalar[i].loss && !isfinite(r->value[i]))
            return hlx_fail(error, EXIT_DIVERGED,
                            "%s is %s at step %lu (epoch %llu): stopped; a lower learning rate may "
                            "help, and --dump-grads shows the gradients",
                            r->scalar[i].name, isnan(r->value[i]) ? "NaN" : "infinite",
                            (unsigned long)r->step, (unsigned long long)p->epoch);
    return true;
}

static bool show_state(struct train_run *r, uint64_t epoch, struct hlx_error *error)
{
    const struct train_watch *w = &r->options.watch;
    return exec_leaves(r->plan, r->leaves, error) && w->state(w->user, r, epoch, r->leaves, error);
}

// Waits for the oldest step, adds its scalars to the epoch's and tells the watcher.
static bool collect(struct train_run *r, struct progress *p, struct hlx_error *error)
{
    if (!exec_collect(r->plan, r->out, error))
        return false;
    size_t real = *slot(r, p->collected);
    double weight = r->batches->data ? (double)real : 1;
    r->weight += weight;
    r->step++;
    p->collected++;
    p->samples += real;
    for (size_t i = 0; i < r->nscalars; i++) {
        r->value[i] = scalar_value(r, i);
        r->sum[i] += r->value[i] * weight;
    }
    struct train_step s = {p->epoch,          r->step,  p->collected,
                           r->batches->steps, r->value, now() - p->start};
    const struct train_watch *w = &r->options.watch;
    return (!w->step || w->step(w->user, r, &s, error)) &&
           (!shows_state(r, r->step) || show_state(r, p->epoch, error)) && check_loss(r, p, error);
}

// Whether no further step is to be started.
static bool stopping(struct train_run *r, const struct progress *p)
{
    if (r->step + (p->submitted - p->collected) >= r->options.steps)
        return true;
    if (r->options.stop && *r->options.stop)
        r->end = TRAIN_STOPPED;
    return r->end == TRAIN_STOPPED;
}

static bool end_epoch(struct train_run *r, const struct progress *p, struct hlx_error *error)
{
    const struct train_watch *w = &r->options.watch;
    for (size_t i = 0; i < r->nscalars; i++)
        r->shown[i] = r->scalar[i].last ? r->value[i] : r->sum[i] / r->weight;
    size_t tokens = r->batches->tokens * p->collected;
    struct train_epoch e = {p->epoch, r->epochs, r->step,  p->collected,    p->samples,
                            tokens,   r->shown,  r->value, now() - p->start};
    return p->collected == 0 || !w->epoch || w->epoch(w->user, r, &e, error);
}

// Runs the rest of an epoch: all of it, unless an earlier call of train() ended within it.
static bool run_epoch(struct train_run *r, uint64_t epoch, struct hlx_error *error)
{
    size_t done = r->step % r->batches->steps;
    struct progress p = {.epoch = epoch, .submitted = done, .collected = done, .start = now()};
    size_t depth = r->exec->ops->depth;
    batches_epoch(r->batches, r->exec->seed, (uint32_t)epoch);
    if (done == 0) {
        memset(r->sum, 0, r->nscalars * sizeof *r->sum);
        r->weight = 0;
    }
    while (p.submitted < r->batches->steps && !stopping(r, &p)) {
        bool full = p.submitted - p.collected == depth;
        if (full ? !collect(r, &p, error) : !submit(r, &p, error))
            return false;
    }
    while (p.collected < p.submitted)
        if (!collect(r, &p, error))
            return false;
    return end_epoch(r, &p, error);
}

// The state after the last step, unless it was shown as one of every so many.
static bool end_run(struct train_run *r, uint64_t epoch, struct hlx_error *error)
{
    const struct train_watch *w = &r->options.watch;
    if (r->options.every == 0 || r->step == 0 || shows_state(r, r->step))
        return true;
    return exec_state(r->exec, r->leaves, error) && w->state(w->user, r, epoch, r->leaves, error);
}

bool train(struct train_run *r, struct hlx_error *error)
{
    uint64_t epoch = r->step / r->batches->steps + 1;
    r->end = TRAIN_DONE;
    while (epoch <= r->epochs && r->end == TRAIN_DONE && r->step < r->options.steps)
        if (!run_epoch(r, epoch++, error))
            return false;
    return end_run(r, epoch - 1, error);
}
