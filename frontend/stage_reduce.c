// stage_reduce.c: builtins that reduce tensors over axes.
#include "frontend/stage_builtin.h"

#include <string.h>

// What a reduction is asked for.
struct reduction {
    ir_ref x;
    int64_t axes[IR_MAX_RANK];
    unsigned n; // of axes
    bool keep;
};

// Sorts the axes in; false (and an error) where one comes twice.
static bool add_axis(struct stage *s, struct stage_call *c, struct reduction *r, int64_t axis)
{
    unsigned i = r->n;
    for (unsigned k = 0; k < r->n; k++)
        if (r->axes[k] == axis) {
            stage_fail(s, c->arg_at[1], "HLX0409", "axis %lld is given twice", (long long)axis);
            return false;
        }
    for (; i > 0 && r->axes[i - 1] > axis; i--)
        r->axes[i] = r->axes[i - 1];
    r->axes[i] = axis;
    r->n++;
    return true;
}

static bool want_axes(struct stage *s, struct stage_call *c, struct reduction *r)
{
    unsigned rank = ir_typeof(s->unit->graph, r->x)->rank;
    struct stage_value v = c->arg[1];
    if (!stage_given(c, 1)) {
        for (unsigned i = 0; i < rank; i++)
            r->axes[r->n++] = i;
        return true;
    }
    int64_t axis;
    if (!stage_is_list(v))
        return stage_want_axis(s, c, 1, r->x, &axis) && add_axis(s, c, r, axis);
    for (size_t i = 0; i < stage_count(v); i++) {
        c->arg[1] = stage_item(v, i);
        if (!stage_want_axis(s, c, 1, r->x, &axis) || !add_axis(s, c, r, axis))
            return false;
    }
    return true;
}

static bool want_reduction(struct stage *s, struct stage_call *c, struct reduction *r)
{
    *r = (struct reduction){0};
    return stage_want_tensor(s, c, 0, &r->x) && stage_want_bool(s, c, 2, &r->keep) &&
           want_axes(s, c, r);
}

static ir_ref reduce(struct stage *s, struct stage_call *c, enum ir_op op,
                     const struct reduction *r)
{
    struct ir_type t = *ir_typeof(s->unit->graph, r->x);
    if (!r->n)
        return r->x;
    ir_ref y = stage_node(s, c->at, op, &r->x, 1, r->axes, r->n, 0);
    if (!y || !r->keep)
        return y;
    for (unsigned i = 0; i < r->n; i++) {
        t.dim[r->axes[i]] = 1;
        t.name[r->axes[i]] = 0;
    }
    return stage_reshape(s, c->at, y, t.rank, t.dim, t.name);
}

struct stage_value stage_reduce_axes(struct stage *s, struct stage_call *c)
{
    struct reduction r;
    if (!want_reduction(s, c, &r))
        return stage_poison();
    return stage_tensor(s, reduce(s, c, (enum ir_op)c->builtin->op, &r));
}

struct stage_value stage_reduce_mean(struct stage *s, struct stage_call *c)
{
    struct reduction r;
    if (!want_reduction(s, c, &r))
        return stage_poison();
    const struct ir_type *t = ir_typeof(s->unit->graph, r.x);
    int64_t n = 1;
    if (t->dtype != DT_F32) {
        struct diag *g = stage_error(s, c->arg_at[0], "HLX0405", "`mean` takes f32, not %s",
                                     ir_type_text(s->m, ir_get(s->unit->graph, r.x)->type));
        diag_help(g, "mean(f32(x)) converts first");
        return stage_poison();
    }
    for (unsigned i = 0; i < r.n; i++)
        n *= t->dim[r.axes[i]];
    struct stage_value total = stage_tensor(s, reduce(s, c, IR_sum, &r));
    return stage_binary_value(s, c->at, AST_DIV, total, stage_float((double)n));
}

struct stage_value stage_reduce_argmax(struct stage *s, struct stage_call *c)
{
    struct reduction r = {0};
    int64_t axis;
    if (c->arg[1].kind == STAGE_NONE)
        c->arg[1] = stage_int(-1);
    if (!stage_want_tensor(s, c, 0, &r.x) || !stage_want_bool(s, c, 2, &r.keep) ||
        !stage_want_axis(s, c, 1, r.x, &axis) || !add_axis(s, c, &r, axis))
        return stage_poison();
    return stage_tensor(s, reduce(s, c, IR_argmax, &r));
}
