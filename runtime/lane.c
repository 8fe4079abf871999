// lane.c: one of the runs that a bisection lets go side by side, a few steps at a time.
#include "runtime/lane.h"

#include <stdlib.h>

#include "runtime/record.h"

static void free_values(void **value, size_t n)
{
    for (size_t i = 0; value && i < n; i++)
        free(value[i]);
    free(value);
}

// One malloc'ed value for each variable; NULL without memory.
static void **make_values(const struct state_layout *s)
{
    void **value = calloc(s->n + 1, sizeof *value);
    for (size_t i = 0; value && i < s->n; i++) {
        const struct state_tensor *t = &s->tensor[i];
        value[t->var] = malloc(ir_type_bytes(t->type));
        if (!value[t->var]) {
            free_values(value, s->n);
            return NULL;
        }
    }
    return value;
}

static bool take_memory(struct lane *l, struct hlx_error *error)
{
    const struct state_layout *s = &l->exec->layout;
    l->leaves = arena_array(&l->arena, s->leaves + 1, HANDLE_BYTES);
    l->roots = arena_array(&l->arena, s->n + 1, HANDLE_BYTES);
    l->value = make_values(s);
    l->saved = make_values(s);
    return (l->value && l->saved) || hlx_no_memory(error, "copies of the variables");
}

bool lane_open(struct lane *l, const struct replay *replay, const struct exec_options *device,
               struct hlx_error *error)
{
    struct train_options options = {.steps = 0, .any_loss = true};
    const struct ir_module *m = &replay->session.program.module;
    *l = (struct lane){0};
    if (!batches_open(&l->batches, m, replay->entry, replay->source ? &replay->source->set : NULL,
                      error))
        return false;
    options.epochs = TRAIN_NO_LIMIT / l->batches.steps + 1; // lane_go says how far
    l->exec = replay_start(replay, device, error);
    if (l->exec && take_memory(l, error) &&
        train_open(&l->run, l->exec, &l->batches, &options, error))
        return true;
    lane_close(l);
    return false;
}

void lane_close(struct lane *l)
{
    if (l->run.exec)
        train_close(&l->run);
    if (l->exec) {
        free_values(l->value, l->exec->layout.n);
        free_values(l->saved, l->exec->layout.n);
    }
    exec_close(l->exec);
    batches_close(&l->batches);
    arena_free(&l->arena);
    *l = (struct lane){0};
}

bool lane_go(struct lane *l, uint32_t step, struct hlx_error *error)
{
    l->run.options.steps = step;
    return train(&l->run, error);
}

bool lane_hash(struct lane *l, struct hlx_error *error)
{
    if (!exec_state(l->exec, l->leaves, error))
        return false;
    state_roots(&l->exec->layout, l->leaves, l->roots);
    return true;
}

bool lane_record(struct lane *l, struct arena *a, struct receipt_record *out,
                 struct hlx_error *error)
{
    size_t steps = l->batches.steps;
    if (!lane_hash(l, error))
        return false;
    *out = (struct receipt_record){.step = l->run.step,
                                   .epoch = (l->run.step + (uint64_t)steps - 1) / steps,
                                   .outputs = record_outputs(a, &l->run),
                                   .roots = l->roots};
    return true;
}

static bool read_into(struct lane *l, void **value, struct hlx_error *error)
{
    for (uint32_t i = 0; i < l->exec->layout.n; i++)
        if (!exec_get(l->exec, i, value[i], error))
            return false;
    return true;
}

bool lane_read(struct lane *l, struct hlx_error *error)
{
    return read_into(l, l->value, error);
}

bool lane_save(struct lane *l, struct hlx_error *error)
{
    return read_into(l, l->saved, error);
}

bool lane_restore(struct lane *l, const struct lane *from, uint32_t step, struct hlx_error *error)
{
    for (uint32_t i = 0; i < l->exec->layout.n; i++)
        if (!exec_set(l->exec, i, from->saved[i], error))
            return false;
    l->run.step = step;
    return true;
}
