// export.c: writes a run's params, its next batch and their gradients as safetensors.
#include "runtime/export.h"

#include <stdlib.h>
#include <string.h>

#include "ir/shard.h"
#include "runtime/safetensors.h"

struct export
{
    struct arena arena;
    const struct train_run *run;
    VEC(struct safetensor) list;
    VEC(void *) owned; // copies of params (malloc)
};

static void add(struct export *x, const char *name, const struct ir_type *t, const void *data)
{
    vec_push(&x->arena, &x->list, (struct safetensor){name, t->dtype, t->rank, t->dim, data});
}

static bool add_params(struct export *x, struct hlx_error *error)
{
    const struct ir_module *m = &x->run->exec->program->module;
    for (size_t i = 0; i < m->vars.n; i++) {
        const struct ir_type *t = ir_type_get(m, m->vars.at[i].type);
        if (m->vars.at[i].kind != IR_PARAM)
            continue;
        void *bytes = malloc(ir_type_bytes(t));
        if (!bytes)
            return hlx_no_memory(error, "the exported params");
        vec_push(&x->arena, &x->owned, bytes);
        if (!exec_get(x->run->exec, (uint32_t)i, bytes, error))
            return false;
        add(x, m->vars.at[i].path, t, bytes);
    }
    return true;
}

// Fills the inputs with the batch that the run would take next; returns its step.
static uint32_t next_batch(const struct train_run *r)
{
    batches_epoch(r->batches, r->exec->seed, (uint32_t)(r->step / r->batches->steps + 1));
    batches_fill(r->batches, r->step % r->batches->steps);
    return r->step + 1;
}

static bool add_batch(struct export *x, struct stats_table *t, struct hlx_error *error)
{
    const struct train_run *r = x->run;
    const struct ir_entry *e = r->batches->entry;
    const struct ir_module *m = &r->exec->program->module;
    uint32_t step = next_batch(r);
    if (!stats_compute(t, r->exec, (const void *const *)r->batches->input, step, error))
        return false;
    for (size_t i = 0; i < e->inputs.n; i++) {
        struct ir_type *whole = arena_new(&x->arena, struct ir_type);
        *whole = ir_entry_input(m, e, i);
        add(x, arena_printf(&x->arena, "input:%s", e->inputs.at[i].name), whole,
            r->batches->input[i]);
    }
    for (size_t i = 0; i < t->n; i++)
        add(x, arena_printf(&x->arena, "grad:%s", t->row[i].name),
            ir_typeof(e->graph, t->row[i].value), t->row[i].bytes);
    return true;
}

static bool write(struct export *x, const char *path, struct hlx_error *error)
{
    char handle[HANDLE_TEXT + 1];
    handle_text(&x->run->exec->program->identity, handle);
    const char *const metadata[] = {
        "format",  "pt", // as Hugging Face's loader wants it
        "program", handle,
        "seed",    arena_printf(&x->arena, "%llu", (unsigned long long)x->run->exec->seed),
        "step",    arena_printf(&x->arena, "%lu", (unsigned long)x->run->step),
    };
    const char *why;
    enum { PAIRS = sizeof metadata / sizeof *metadata / 2 };
    return safetensors_write(&x->arena, path, x->list.at, x->list.n, metadata, PAIRS, &why) ||
           hlx_fail(error, EXIT_DATA, "%s", why);
}

bool export_safetensors(const char *path, const struct train_run *run, bool grads,
                        struct hlx_error *error)
{
    struct export x = {.run = run};
    struct stats_table t = {0};
    bool ok = add_params(&x, error);
    if (ok && grads)
        ok = stats_choose(&t, run->batches->entry, &run->exec->program->module, NULL, error) &&
             add_batch(&x, &t, error);
    ok = ok && write(&x, path, error);
    stats_free(&t);
    for (size_t i = 0; i < x.owned.n; i++)
        free(x.owned.at[i]);
    arena_free(&x.arena);
    return ok;
}
