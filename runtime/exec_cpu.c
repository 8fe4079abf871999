// exec_cpu.c: the device `cpu`: the evaluator, one step after another.
#include <stdlib.h>
#include <string.h>

#include "runtime/exec.h"

// A variable's value, and where its next value is written before the two are swapped: all right
// sides of a step read the old values.
struct cell {
    void *now, *next;
    size_t bytes;
};

struct cpu {
    size_t n;
    struct cell *cell;
    const void **now; // what eval_run takes
};

struct cpu_plan {
    struct eval *eval;
    size_t noutputs, nroots;
    void **out; // the outputs' own memory, then the updated variables' `next`
    size_t *bytes;
    unsigned char *leaves; // of the state after the last step, once asked for
};

static void cpu_close(struct exec *x)
{
    struct cpu *c = x->device;
    if (!c)
        return;
    for (size_t i = 0; c->cell && i < c->n; i++) {
        free(c->cell[i].now);
        free(c->cell[i].next);
    }
    free(c->cell);
    free(c->now);
    free(c);
}

static bool cpu_open(struct exec *x, struct hlx_error *error)
{
    const struct ir_module *m = &x->program->module;
    struct cpu *c = x->device = calloc(1, sizeof *c);
    if (!c)
        return hlx_no_memory(error, "the device");
    c->n = m->vars.n;
    c->cell = calloc(c->n + 1, sizeof *c->cell);
    c->now = calloc(c->n + 1, sizeof *c->now);
    if (!c->cell || !c->now)
        return hlx_no_memory(error, "the variables");
    for (size_t i = 0; i < c->n; i++) {
        size_t bytes = ir_type_bytes(ir_type_get(m, m->vars.at[i].type));
        c->cell[i] = (struct cell){malloc(bytes), NULL, bytes};
        if (!c->cell[i].now)
            return hlx_fail(error, EXIT_DEVICE, "out of memory for `%s` (%zu bytes)",
                            m->vars.at[i].path, bytes);
    }
    return true;
}

static bool cpu_set(struct exec *x, uint32_t var, const void *bytes, struct hlx_error *error)
{
    (void)error;
    struct cpu *c = x->device;
    memcpy(c->cell[var].now, bytes, c->cell[var].bytes);
    return true;
}

static bool cpu_get(struct exec *x, uint32_t var, void *bytes, struct hlx_error *error)
{
    (void)error;
    struct cpu *c = x->device;
    memcpy(bytes, c->cell[var].now, c->cell[var].bytes);
    return true;
}

static void cpu_discard(struct exec_plan *plan)
{
    struct cpu_plan *p = plan->device;
    if (p) {
        for (size_t i = 0; p->out && i < p->noutputs; i++)
            free(p->out[i]);
        eval_free(p->eval);
        free(p->out);
        free(p->bytes);
        free(p->leaves);
        free(p);
    }
    free(plan);
}

static bool take_outputs(struct cpu_plan *p, const struct ir_entry *e, struct hlx_error *error)
{
    for (size_t i = 0; i < p->noutputs; i++) {
        p->bytes[i] = ir_type_bytes(ir_typeof(e->graph, e->outputs.at[i].value));
        p->out[i] = malloc(p->bytes[i]);
        if (!p->out[i])
            return hlx_no_memory(error, e->outputs.at[i].name);
    }
    return true;
}

// Variables that no entry updates need no second cell.
static bool take_cells(struct cpu *c, const struct ir_entry *e, struct hlx_error *error)
{
    for (size_t i = 0; i < e->updates.n; i++) {
        struct cell *cell = &c->cell[e->updates.at[i].var];
        if (!cell->next)
            cell->next = malloc(cell->bytes);
        if (!cell->next)
            return hlx_no_memory(error, "the variables");
    }
    return true;
}

static bool take_eval(struct cpu_plan *p, const struct ir_entry *e, unsigned flags,
                      struct hlx_error *error)
{
    struct arena scratch = {0};
    ir_ref *root = arena_array(&scratch, p->nroots, sizeof *root);
    for (size_t i = 0; i < p->noutputs; i++)
        root[i] = e->outputs.at[i].value;
    for (size_t i = 0; i < e->updates.n; i++)
        root[p->noutputs + i] = e->updates.at[i].value;
    const char *why = NULL;
    p->eval = eval_new(e->graph, root, p->nroots, flags & EXEC_NO_FUSE ? EVAL_NO_FUSE : 0, &why);
    arena_free(&scratch);
    return p->eval || hlx_fail(error, EXIT_DEVICE, "cannot prepare `%s`: %s", e->name, why);
}

static struct exec_plan *cpu_prepare(struct exec *x, const struct ir_entry *e,
                                     struct hlx_error *error)
{
    struct exec_plan *plan = calloc(1, sizeof *plan);
    struct cpu_plan *p = plan ? plan->device = calloc(1, sizeof *p) : NULL;
    bool ok = p || hlx_no_memory(error, e->name);
    if (ok) {
        *plan = (struct exec_plan){x, e, p};
        p->noutputs = e->outputs.n;
        p->nroots = e->outputs.n + e->updates.n;
        p->out = calloc(p->nroots + 1, sizeof *p->out);
        p->bytes = calloc(p->nroots + 1, sizeof *p->bytes);
        ok = (p->out && p->bytes) || hlx_no_memory(error, e->name);
    }
    ok = ok && take_outputs(p, e, error) && take_cells(x->device, e, error) &&
         take_eval(p, e, x->flags, error);
    if (ok)
        return plan;
    if (plan)
        cpu_discard(plan);
    return NULL;
}

static bool cpu_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                       struct hlx_error *error)
{
    (void)error;
    struct cpu *c = plan->exec->device;
    struct cpu_plan *p = plan->device;
    struct eval_counters counters = {.seed = plan->exec->seed, .step = step};
    for (size_t i = 0; i < c->n; i++)
        c->now[i] = c->cell[i].now;
    for (size_t i = p->noutputs; i < p->nroots; i++)
        p->out[i] = c->cell[plan->entry->updates.at[i - p->noutputs].var].next;
    eval_run(p->eval, inputs, c->now, &counters, p->out);
    for (size_t i = 0; i < plan->entry->updates.n; i++) {
        struct cell *cell = &c->cell[plan->entry->updates.at[i].var];
        void *old = cell->now;
        cell->now = cell->next;
        cell->next = old;
    }
    return true;
}

static bool cpu_collect(struct exec_plan *plan, void *const *outputs, struct hlx_error *error)
{
    (void)error;
    struct cpu_plan *p = plan->device;
    for (size_t i = 0; i < p->noutputs; i++)
        memcpy(outputs[i], p->out[i], p->bytes[i]);
    return true;
}

static bool cpu_hash(struct exec_plan *plan, struct hlx_error *error)
{
    struct cpu_plan *p = plan->device;
    if (!p->leaves)
        p->leaves = calloc(plan->exec->layout.leaves + 1, HANDLE_BYTES);
    return p->leaves ? exec_state(plan->exec, p->leaves, error)
                     : hlx_no_memory(error, "the state's digest");
}

static bool cpu_leaves(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *error)
{
    (void)error;
    const struct cpu_plan *p = plan->device;
    memcpy(leaves, p->leaves, plan->exec->layout.leaves * HANDLE_BYTES);
    return true;
}

const struct exec_ops exec_cpu = {
    .name = "cpu",
    .doc = "the evaluator: the executable form of the numeric contract",
    .depth = 1,
    .open = cpu_open,
    .close = cpu_close,
    .set = cpu_set,
    .get = cpu_get,
    .prepare = cpu_prepare,
    .discard = cpu_discard,
    .submit = cpu_submit,
    .collect = cpu_collect,
    .hash = cpu_hash,
    .leaves = cpu_leaves,
};
