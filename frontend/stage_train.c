// stage_train.c: builtins of training: gradients, shards, params, recomputation.
#include "frontend/stage_builtin.h"

#include <string.h>

static struct stage_value var_value(uint32_t var)
{
    return (struct stage_value){.kind = STAGE_VAR, .as.var = var};
}

static bool can_differentiate(struct stage *s, struct stage_call *c)
{
    bool ok = s->unit && s->unit->kind == STAGE_ENTRY && !s->unit->backward;
    if (!ok)
        stage_fail(s, c->at, "HLX0504", "`grad` cannot stand %s",
                   s->unit && s->unit->backward ? "in a backward rule"
                   : s->unit                    ? "in an initialiser"
                                                : "outside of an entry and what it calls");
    return ok;
}

static struct stage_value gradient(struct stage *s, struct stage_call *c, ir_ref loss,
                                   struct stage_value wrt)
{
    ir_ref args[2] = {loss, stage_ref(s, c->arg_at[1], wrt)};
    return stage_tensor(s, stage_node(s, c->at, IR_grad, args, 2, NULL, 0, 0));
}

// An object from each param's path to its gradient.
static struct stage_value all_gradients(struct stage *s, struct stage_call *c, ir_ref loss)
{
    stage_vars vars = {0};
    stage_params(s, "", &vars);
    struct stage_field *fields = arena_array(s->a, vars.n, sizeof *fields);
    for (size_t i = 0; i < vars.n; i++) {
        const char *path = s->m->vars.at[vars.at[i]].path;
        fields[i] =
            (struct stage_field){path, strlen(path), gradient(s, c, loss, var_value(vars.at[i]))};
    }
    return stage_object(s->a, fields, vars.n);
}

struct stage_value stage_train_grad(struct stage *s, struct stage_call *c)
{
    ir_ref loss;
    if (!can_differentiate(s, c) || !stage_want_tensor(s, c, 0, &loss))
        return stage_poison();
    if (!stage_given(c, 1))
        return all_gradients(s, c, loss);
    if (!stage_is_tensor(c->arg[1]))
        return stage_arg_error(s, c, 1, "a param or a tensor");
    return gradient(s, c, loss, c->arg[1]);
}

struct stage_value stage_train_stop(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    if (!stage_want_tensor(s, c, 0, &x))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_stop_gradient, &x, 1, NULL, 0, 0));
}

// -- shards --------------------------------------------------------------------------------------

// The operation that `sum`, `max` or `min` names.
static bool want_across(struct stage *s, struct stage_call *c, int64_t *how)
{
    static const char *const names[IR_ACROSS_COUNT] = {
        [IR_ACROSS_SUM] = "sum", [IR_ACROSS_MAX] = "max", [IR_ACROSS_MIN] = "min"};
    for (*how = 0; *how < IR_ACROSS_COUNT; (*how)++)
        if (c->arg[0].kind == STAGE_BUILTIN && !strcmp(c->arg[0].as.builtin->name, names[*how]))
            return true;
    stage_arg_error(s, c, 0, "sum, max or min");
    return false;
}

struct stage_value stage_train_across(struct stage *s, struct stage_call *c)
{
    int64_t how;
    ir_ref x;
    if (!s->unit || s->unit->kind != STAGE_ENTRY || s->unit->backward) {
        stage_fail(s, c->at, "HLX0524", "`across` cannot stand %s",
                   s->unit && s->unit->backward ? "in a backward rule"
                   : s->unit                    ? "in an initialiser"
                                                : "outside of an entry and what it calls");
        return stage_poison();
    }
    if (!want_across(s, c, &how) || !stage_want_tensor(s, c, 1, &x))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_across, &x, 1, &how, 1, 0));
}

// -- params --------------------------------------------------------------------------------------

struct stage_value stage_train_params(struct stage *s, struct stage_call *c)
{
    const char *prefix;
    stage_vars vars = {0};
    if (!stage_want_text(s, c, 0, "", &prefix))
        return stage_poison();
    stage_params(s, prefix, &vars);
    struct stage_value *items = arena_array(s->a, vars.n, sizeof *items);
    for (size_t i = 0; i < vars.n; i++)
        items[i] = var_value(vars.at[i]);
    return stage_array(s->a, items, vars.n);
}

struct stage_value stage_train_path(struct stage *s, struct stage_call *c)
{
    if (c->arg[0].kind != STAGE_VAR)
        return stage_arg_error(s, c, 0, "a param or state");
    return stage_text(s->a, s->m->vars.at[c->arg[0].as.var].path);
}

// Marks what the call stages: the planner keeps none of it for the gradient.
struct stage_value stage_train_checkpoint(struct stage *s, struct stage_call *c)
{
    size_t first = s->unit ? s->unit->graph->nodes.n : 0;
    struct stage_unit *unit = s->unit;
    struct stage_value v = stage_apply(s, c->at, c->arg[0], c->rest, c->nrest);
    for (size_t i = first; unit && i < unit->graph->nodes.n; i++) {
        struct ir_node *n = &unit->graph->nodes.at[i];
        if (ir_op_info((enum ir_op)n->op)->class != IRC_LEAF)
            n->flags |= IR_NODE_RECOMPUTE;
    }
    return v;
}
