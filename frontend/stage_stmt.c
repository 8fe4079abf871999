// stage_stmt.c: runs statements: bindings, assignments, `if`, `for`, `return`.
#include "frontend/stage.h"

#include <string.h>

static struct span name_place(const struct ast *st)
{
    return st->name_span.file ? st->name_span : st->span;
}

// -- bindings ------------------------------------------------------------------------------------

// The value of a `let` or `var`, unless -D gave another.
static struct stage_value bound_value(struct stage *s, struct stage_env *env, const struct ast *st)
{
    if (env->top && env->module == s->main) {
        struct map_entry *define = map_find_str(&s->defines, st->text);
        if (define && define->value.p)
            return *(struct stage_value *)define->value.p;
    }
    struct stage_value v = stage_expr(s, env, st->kid[1]);
    const char *what = arena_printf(s->a, "`%s`", st->text);
    if (st->kid[0] && v.kind != STAGE_POISON &&
        !stage_check(s, env, st->kid[0], &v, st->kid[1]->span, what))
        return stage_poison();
    return v;
}

static struct stage_value run_let(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct stage_value v = bound_value(s, env, st);
    if (s->unwind)
        return stage_null();
    stage_name_node(s, v, st->text);
    stage_bind(s, env, st->text, v, st->kind == AST_VAR, name_place(st));
    return stage_null();
}

static struct stage_value run_assign(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct stage_value v = stage_expr(s, env, st->kid[0]);
    struct stage_binding *b = stage_find(s, env, st->text);
    if (s->unwind)
        return stage_null();
    if (!b) {
        stage_unknown_name(s, env, name_place(st), st->text);
        return stage_poison();
    }
    if (!b->rebindable) {
        struct diag *g =
            stage_error(s, name_place(st), "HLX0303", "`%s` cannot be assigned to", st->text);
        diag_label(g, b->span, "bound here");
        if (b->value.kind == STAGE_VAR)
            diag_help(g, "a %s is updated with `%s := ...`", stage_kind_text(s->m, b->value),
                      st->text);
        else
            diag_help(g, "`var %s = ...` makes a name that can be assigned to", st->text);
        return stage_poison();
    }
    stage_name_node(s, v, st->text);
    b->value = v;
    return stage_null();
}

struct stage_value stage_make_function(struct stage *s, const struct stage_env *env,
                                       const struct ast *fn)
{
    struct stage_function *f = arena_new(s->a, struct stage_function);
    *f = (struct stage_function){*fn->text ? fn->text : "fn", fn, *env};
    return (struct stage_value){.kind = STAGE_FUNCTION, .as.function = f};
}

// A named function sees itself. At the top level it was bound before anything ran.
static struct stage_value run_fn(struct stage *s, struct stage_env *env, const struct ast *st)
{
    if (!*st->text)
        return stage_make_function(s, env, st);
    if (env->top)
        return stage_null();
    stage_bind(s, env, st->text, stage_null(), false, name_place(st));
    env->locals->value = stage_make_function(s, env, st);
    return stage_null();
}

// -- conditions ----------------------------------------------------------------------------------

bool stage_truth(struct stage *s, struct span at, struct stage_value v, bool *out)
{
    if (v.kind == STAGE_BOOL) {
        *out = v.as.boolean;
        return true;
    }
    if (v.kind == STAGE_POISON)
        return false;
    struct diag *g = stage_error(s, at, "HLX0411", "a condition is a bool, not %s%s",
                                 stage_is_tensor(v) ? "a tensor " : "", stage_type_text(s->m, v));
    if (stage_is_tensor(v))
        diag_help(g, "where(c, a, b) chooses by a tensor, element by element");
    return false;
}

struct stage_value stage_if(struct stage *s, struct stage_env *env, const struct ast *e)
{
    bool holds;
    for (;;) {
        struct stage_value v = stage_expr(s, env, e->kid[0]);
        if (!stage_truth(s, e->kid[0]->span, v, &holds))
            return stage_poison();
        const struct ast *branch = e->kid[holds ? 1 : 2];
        if (!branch)
            return stage_null();
        if (branch->kind != AST_IF)
            return stage_block(s, env, branch);
        e = branch; // `else if`: no nesting
    }
}

// -- loops ---------------------------------------------------------------------------------------

// One turn of a loop. Where the element is a param or state, declarations go under its path.
static void run_turn(struct stage *s, const struct stage_env *env, const struct ast *st,
                     struct stage_value index, struct stage_value element)
{
    struct stage_env inner = {env->module, env->locals, false};
    const char *outer = s->path;
    if (st->kid[0])
        stage_bind(s, &inner, st->kid[0]->text, index, false, st->kid[0]->span);
    stage_bind(s, &inner, st->text, element, false, name_place(st));
    if (element.kind == STAGE_VAR)
        s->path = s->m->vars.at[element.as.var].path;
    stage_block(s, &inner, st->kid[2]);
    s->path = outer;
}

static void loop_fields(struct stage *s, const struct stage_env *env, const struct ast *st,
                        const struct stage_object *o)
{
    for (size_t i = 0; i < o->n && stage_work(s, st->span); i++)
        run_turn(s, env, st, stage_bytes(s->a, STAGE_TEXT, o->at[i].key, o->at[i].len),
                 o->at[i].value);
}

static void loop_text(struct stage *s, const struct stage_env *env, const struct ast *st,
                      struct stage_value v)
{
    uint32_t rune;
    int64_t i = 0;
    for (size_t at = 0, n; at < v.as.text.n && stage_work(s, st->span); at += n, i++) {
        n = utf8_decode(v.as.text.at + at, v.as.text.n - at, &rune);
        n = n ? n : 1;
        run_turn(s, env, st, stage_int(i), stage_bytes(s->a, STAGE_TEXT, v.as.text.at + at, n));
    }
}

static struct stage_value run_for(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct stage_value v = stage_expr(s, env, st->kid[1]);
    if (stage_is_list(v)) {
        for (size_t i = 0; i < stage_count(v) && stage_work(s, st->span); i++)
            run_turn(s, env, st, stage_int((int64_t)i), stage_item(v, i));
    } else if (v.kind == STAGE_OBJECT)
        loop_fields(s, env, st, v.as.object);
    else if (v.kind == STAGE_TEXT)
        loop_text(s, env, st, v);
    else if (v.kind != STAGE_POISON) {
        struct diag *g = stage_error(s, st->kid[1]->span, "HLX0405", "`for` cannot go over %s",
                                     stage_type_text(s->m, v));
        diag_help(g, "it goes over ranges (0..n), arrays, objects and texts");
    }
    return stage_null();
}

// -- the rest ------------------------------------------------------------------------------------

static struct stage_value run_return(struct stage *s, struct stage_env *env, const struct ast *st)
{
    struct stage_value v = st->nkids && st->kid[0] ? stage_expr(s, env, st->kid[0]) : stage_null();
    if (s->unwind || s->stop)
        return stage_poison();
    if (!s->calls && !s->unit)
        return stage_fail(s, st->span, "HLX0307",
                          "`return` stands outside of any function or entry");
    s->result = v;
    s->unwind = true;
    return v;
}

static struct stage_value run_expr(struct stage *s, struct stage_env *env, const struct ast *st)
{
    return stage_expr(s, env, st->kid[0]);
}

static struct stage_value run_param(struct stage *s, struct stage_env *env, const struct ast *st)
{
    stage_param(s, env, st);
    return stage_null();
}

static struct stage_value run_update(struct stage *s, struct stage_env *env, const struct ast *st)
{
    stage_assign_update(s, env, st);
    return stage_null();
}

static struct stage_value run_data(struct stage *s, struct stage_env *env, const struct ast *st)
{
    stage_data_decl(s, env, st);
    return stage_null();
}

// Imports and entries were, or will be, dealt with by the driver.
static struct stage_value run_nothing(struct stage *s, struct stage_env *env, const struct ast *st)
{
    if (!env->top)
        return stage_fail(s, st->span, "HLX0307", "%s stands at the top level of a file",
                          ast_kind_name((enum ast_kind)st->kind));
    return stage_null();
}

typedef struct stage_value (*statement_fn)(struct stage *, struct stage_env *, const struct ast *);

static const statement_fn statements[AST_KIND_COUNT] = {
    [AST_LET] = run_let,       [AST_VAR] = run_let,        [AST_ASSIGN] = run_assign,
    [AST_UPDATE] = run_update, [AST_PARAM] = run_param,    [AST_FOR] = run_for,
    [AST_RETURN] = run_return, [AST_EXPR] = run_expr,      [AST_IF] = stage_if,
    [AST_FN] = run_fn,         [AST_DATA] = run_data,      [AST_IMPORT] = run_nothing,
    [AST_ENTRY] = run_nothing, [AST_SCHEMA] = run_nothing,
};

struct stage_value stage_statement(struct stage *s, struct stage_env *env, const struct ast *st)
{
    if (!st || st->kind == AST_ERROR || !stage_work(s, st->span))
        return stage_poison();
    if (!statements[st->kind])
        return stage_expr(s, env, st);
    if (s->nesting >= STAGE_MAX_NESTING)
        return stage_halt(s, st->span, "the program nests too deep while it is compiled");
    s->nesting++;
    struct stage_value v = statements[st->kind](s, env, st);
    s->nesting--;
    return v;
}

struct stage_value stage_block(struct stage *s, const struct stage_env *env,
                               const struct ast *block)
{
    struct stage_env inner = {env->module, env->locals, false};
    struct stage_value last = stage_null();
    if (!block || block->kind != AST_BLOCK)
        return stage_poison();
    for (uint32_t i = 0; i < block->nkids; i++) {
        last = stage_statement(s, &inner, block->kid[i]);
        if (s->unwind || s->stop)
            return stage_poison();
    }
    return last;
}
