// stage_call.c: calls functions: binds arguments, checks signatures, stages backward rules.
#include "frontend/stage.h"

#include <string.h>

#include "ir/build.h"

// A call of a function of the program.
struct call {
    struct span at;
    const struct stage_function *fn;
    const struct stage_arg *args;
    size_t n;
    struct stage_env env;       // of the body
    struct stage_value *values; // of the formals
};

static const struct ast *formals_of(const struct call *c)
{
    return c->fn->fn->kid[0];
}

// -- binding arguments ---------------------------------------------------------------------------

// The formal that a named argument is for, or -1.
static int64_t find_formal(const struct ast *formals, const char *name)
{
    for (uint32_t i = 0; i < formals->nkids; i++)
        if (!strcmp(formals->kid[i]->text, name))
            return i;
    return -1;
}

static bool no_formal(struct stage *s, const struct call *c, const struct stage_arg *arg)
{
    const struct ast *formals = formals_of(c);
    stage_names names = {0};
    for (uint32_t i = 0; i < formals->nkids; i++)
        vec_push(s->a, &names, formals->kid[i]->text);
    struct diag *g =
        stage_error(s, arg->span, "HLX0406", "`%s` takes no argument `%s`", c->fn->name, arg->name);
    stage_suggest(g, arg->name, names.at, names.n);
    return false;
}

static bool too_many(struct stage *s, const struct call *c, size_t extra)
{
    const struct ast *formals = formals_of(c);
    struct diag *g = stage_error(s, c->args[extra].span, "HLX0406", "`%s` takes %u argument%s",
                                 c->fn->name, formals->nkids, formals->nkids == 1 ? "" : "s");
    diag_label(g, c->fn->fn->name_span.file ? c->fn->fn->name_span : c->fn->fn->span,
               "declared here");
    return false;
}

// Pairs arguments with formals: slot[f] is the argument's index + 1.
static bool pair(struct stage *s, const struct call *c, size_t *slot)
{
    const struct ast *formals = formals_of(c);
    for (size_t i = 0; i < c->n; i++) {
        const struct stage_arg *arg = &c->args[i];
        int64_t f = *arg->name ? find_formal(formals, arg->name) : (int64_t)i;
        if (f < 0)
            return no_formal(s, c, arg);
        if (f >= formals->nkids)
            return too_many(s, c, i);
        if (slot[f]) {
            stage_fail(s, arg->span, "HLX0406", "the argument `%s` is given twice",
                       formals->kid[f]->text);
            return false;
        }
        slot[f] = i + 1;
    }
    return true;
}

// Evaluates and checks one formal's value, and binds it.
static bool bind_formal(struct stage *s, struct call *c, uint32_t f, size_t slot)
{
    const struct ast *formal = formals_of(c)->kid[f];
    struct span at = slot ? c->args[slot - 1].span : c->at;
    struct stage_value v = stage_poison();
    if (slot)
        v = c->args[slot - 1].value;
    else if (formal->kid[1])
        v = stage_expr(s, &c->env, formal->kid[1]);
    else {
        struct diag *g = stage_error(s, c->at, "HLX0406", "`%s` needs the argument `%s`",
                                     c->fn->name, formal->text);
        diag_label(g, formal->span, "declared here");
    }
    if (v.kind == STAGE_POISON)
        return false;
    const char *what = arena_printf(s->a, "argument `%s` of `%s`", formal->text, c->fn->name);
    if (formal->kid[0] && !stage_check(s, &c->env, formal->kid[0], &v, at, what))
        return false;
    c->values[f] = v;
    stage_bind(s, &c->env, formal->text, v, false, formal->span);
    return true;
}

static bool bind_all(struct stage *s, struct call *c)
{
    const struct ast *formals = formals_of(c);
    size_t *slot = arena_array(s->a, formals->nkids, sizeof *slot);
    c->values = arena_array(s->a, formals->nkids, sizeof *c->values);
    if (!pair(s, c, slot))
        return false;
    bool ok = true;
    for (uint32_t f = 0; f < formals->nkids; f++)
        if (formals->kid[f]->kind != AST_FORMAL || !bind_formal(s, c, f, slot[f]))
            ok = false;
    return ok;
}

// -- backward rules ------------------------------------------------------------------------------

// The tensors among the arguments that a gradient can flow to.
struct flow {
    ir_ref *ref;
    unsigned n;
};

static bool is_f32(const struct stage *s, struct stage_value v)
{
    return stage_is_tensor(v) && ir_type_get(s->m, stage_typeid(s, v))->dtype == DT_F32;
}

static bool inputs_of(struct stage *s, const struct call *c, struct flow *out)
{
    uint32_t n = formals_of(c)->nkids;
    out->ref = arena_array(s->a, n, sizeof *out->ref);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_f32(s, c->values[i]))
            continue;
        if (!(out->ref[out->n] = stage_ref(s, c->at, c->values[i])))
            return false;
        out->n++;
    }
    return true;
}

// One gradient: of the input's type, or a number for all of it.
static ir_ref gradient(struct stage *s, struct span at, struct stage_value v, ir_ref input)
{
    const struct ir_graph *g = s->unit->graph;
    ir_typeid want = ir_get(g, input)->type;
    ir_ref r = stage_lift(s, at, v, DT_F32);
    if (r && stage_is_number(v))
        r = stage_spread(s, at, r, want);
    if (!r || ir_type_equal(s->m, ir_get(g, r)->type, want))
        return r;
    stage_fail(s, at, "HLX0511", "a gradient of this backward rule is %s, its argument %s",
               ir_type_text(s->m, ir_get(g, r)->type), ir_type_text(s->m, want));
    return 0;
}

static struct stage_value run_body(struct stage *s, const struct stage_env *env,
                                   const struct ast *block)
{
    struct stage_value v = stage_block(s, env, block);
    if (s->unwind && !s->stop) {
        v = s->result;
        s->unwind = false;
    }
    return v;
}

// The gradients that a rule gives, in the order of the inputs.
static bool run_rule(struct stage *s, const struct call *c, const struct ast *rule,
                     struct stage_value result, ir_ref cotangent, struct flow *in, ir_ref *out)
{
    struct stage_env env = c->env;
    const struct ast *formal = rule->kid[0]->nkids == 1 ? rule->kid[0]->kid[0] : NULL;
    if (!formal) {
        stage_fail(s, rule->span, "HLX0510",
                   "a backward rule takes one argument, the gradient of the "
                   "result");
        return false;
    }
    stage_bind(s, &env, "result", result, false, rule->span);
    stage_bind(s, &env, formal->text, stage_tensor(s, cotangent), false, formal->span);
    s->unit->backward++;
    struct stage_value v = run_body(s, &env, rule->kid[1]);
    s->unit->backward--;
    if (v.kind == STAGE_POISON)
        return false;
    size_t given = stage_is_list(v) ? stage_count(v) : 1;
    if (given != in->n) {
        stage_fail(s, rule->span, "HLX0511",
                   "the backward rule gives %zu gradient%s for %u tensor%s", given,
                   given == 1 ? "" : "s", in->n, in->n == 1 ? "" : "s");
        return false;
    }
    for (unsigned i = 0; i < in->n; i++)
        if (!(out[i] =
                  gradient(s, rule->span, stage_is_list(v) ? stage_item(v, i) : v, in->ref[i])))
            return false;
    return true;
}

static struct stage_value with_backward(struct stage *s, const struct call *c,
                                        const struct ast *rule, struct stage_value result)
{
    struct flow in = {0};
    if (result.kind == STAGE_POISON)
        return result;
    if (!is_f32(s, result))
        return stage_fail(s, rule->span, "HLX0510",
                          "a function with a backward rule must give one f32 tensor, not %s",
                          stage_type_text(s->m, result));
    ir_ref y = stage_ref(s, c->at, result);
    if (!y || !inputs_of(s, c, &in))
        return stage_poison();
    if (!in.n)
        return result;
    int64_t attrs[2] = {s->custom++, in.n};
    ir_ref cotangent =
        stage_node(s, rule->span, IR_cotangent, NULL, 0, attrs, 1, ir_get(s->unit->graph, y)->type);
    ir_ref *args = arena_array(s->a, 1 + 2 * (size_t)in.n, sizeof *args);
    args[0] = y;
    memcpy(args + 1, in.ref, in.n * sizeof *args);
    if (!cotangent || !run_rule(s, c, rule, result, cotangent, &in, args + 1 + in.n))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_custom, args, 1 + 2 * in.n, attrs, 2, 0));
}

// -- calls ---------------------------------------------------------------------------------------

static struct stage_value finish(struct stage *s, struct call *c, struct stage_value v)
{
    const struct ast *fn = c->fn->fn, *type = fn->kid[1];
    if (type && v.kind != STAGE_POISON) {
        const char *what = arena_printf(s->a, "the result of `%s`", c->fn->name);
        if (!stage_check(s, &c->env, type, &v, type->span, what))
            return stage_poison();
    }
    const struct ast *rule = fn->nkids > 3 ? fn->kid[3] : NULL;
    return rule && rule->kind == AST_BACKWARD ? with_backward(s, c, rule, v) : v;
}

static struct stage_value invoke(struct stage *s, struct span at, const struct stage_function *fn,
                                 const struct stage_arg *args, size_t n)
{
    struct call c = {.at = at, .fn = fn, .args = args, .n = n, .env = fn->env};
    c.env.top = false;
    if (s->calls >= STAGE_MAX_CALLS)
        return stage_halt(s, at, "calls nest deeper than %d: `%s` never ends?", STAGE_MAX_CALLS,
                          fn->name);
    if (!bind_all(s, &c) || s->stop)
        return stage_poison();
    struct stage_frame frame = {fn->name, at, s->frame};
    s->frame = &frame;
    s->calls++;
    struct stage_value v = finish(s, &c, run_body(s, &c.env, fn->fn->kid[2]));
    s->calls--;
    s->frame = frame.up;
    return v;
}

static struct stage_value apply_type(struct stage *s, struct span at, enum dtype dtype,
                                     const struct stage_arg *args, size_t n)
{
    if (n != 1 || *args->name)
        return stage_fail(s, at, "HLX0406", "`%s` takes one value to convert", dtype_name(dtype));
    return stage_cast(s, at, args->value, dtype);
}

struct stage_value stage_apply(struct stage *s, struct span at, struct stage_value callee,
                               const struct stage_arg *args, size_t n)
{
    switch (callee.kind) {
    case STAGE_POISON: return callee;
    case STAGE_FUNCTION: return invoke(s, at, callee.as.function, args, n);
    case STAGE_BUILTIN: return stage_apply_builtin(s, at, callee.as.builtin, args, n);
    case STAGE_TYPE: return apply_type(s, at, callee.as.type, args, n);
    default:
        return stage_fail(s, at, "HLX0407", "%s is no function", stage_kind_text(s->m, callee));
    }
}

struct stage_value stage_call(struct stage *s, struct stage_env *env, const struct ast *e,
                              const char *scope)
{
    struct stage_value callee = stage_expr(s, env, e->kid[0]);
    struct stage_arg *args = arena_array(s->a, e->nkids, sizeof *args);
    size_t n = 0;
    for (uint32_t i = 1; i < e->nkids; i++) {
        const struct ast *arg = e->kid[i];
        if (arg->kind != AST_ARG)
            return stage_poison();
        args[n++] =
            (struct stage_arg){arg->text, stage_expr(s, env, arg->kid[0]), arg->kid[0]->span};
    }
    if (s->unwind || s->stop)
        return stage_poison();
    const char *outer = s->path;
    s->path = stage_join(s, outer, scope);
    struct stage_value v = stage_apply(s, e->span, callee, args, n);
    s->path = outer;
    return v;
}
