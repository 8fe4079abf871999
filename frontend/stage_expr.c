// stage_expr.c: evaluates expressions: literals, names, objects, scopes by `as`.
#include "frontend/stage.h"

#include <string.h>

static struct stage_value eval_null(struct stage *s, struct stage_env *env, const struct ast *e)
{
    (void)s, (void)env, (void)e;
    return stage_null();
}

static struct stage_value eval_bool(struct stage *s, struct stage_env *env, const struct ast *e)
{
    (void)s, (void)env;
    return stage_bool(e->as.integer != 0);
}

static struct stage_value eval_int(struct stage *s, struct stage_env *env, const struct ast *e)
{
    (void)s, (void)env;
    return stage_int(e->as.integer);
}

static struct stage_value eval_float(struct stage *s, struct stage_env *env, const struct ast *e)
{
    (void)env;
    if (e->as.number - e->as.number != 0.0)
        return stage_fail(s, e->span, "E_FLOAT_SPECIAL", "%s is too large for a float", e->text);
    return stage_float(e->as.number);
}

static struct stage_value eval_text(struct stage *s, struct stage_env *env, const struct ast *e)
{
    (void)env;
    static const enum stage_kind kind[AST_KIND_COUNT] = {
        [AST_TEXT] = STAGE_TEXT, [AST_BYTES] = STAGE_BYTES, [AST_HANDLE] = STAGE_HANDLE};
    return stage_bytes(s->a, kind[e->kind], e->text, e->text_len);
}

static struct stage_value eval_name(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_value v;
    if (stage_lookup(s, env, e->text, &v))
        return v;
    stage_unknown_name(s, env, e->span, e->text);
    return stage_poison();
}

void stage_check_size(struct stage *s, struct span at, struct stage_value *v)
{
    struct stage_size size = stage_size(*v);
    if (size.depth > VALUE_MAX_DEPTH)
        *v = stage_fail(s, at, "E_DEPTH_EXCEEDED", "values nest at most %d deep", VALUE_MAX_DEPTH);
    else if (size.weight > STAGE_MAX_LENGTH)
        *v = stage_fail(s, at, "HLX0706", "a value has at most 2^26 elements");
}

static struct stage_value eval_array(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_value *items = arena_array(s->a, e->nkids, sizeof *items);
    for (uint32_t i = 0; i < e->nkids; i++)
        items[i] = stage_expr(s, env, e->kid[i]);
    struct stage_value v = stage_array(s->a, items, e->nkids);
    stage_check_size(s, e->span, &v);
    return v;
}

// Reports a key that was given before.
static bool check_key(struct stage *s, const struct ast *fields, uint32_t i)
{
    const struct ast *f = fields->kid[i];
    for (uint32_t k = 0; k < i; k++) {
        const struct ast *g = fields->kid[k];
        if (g->kind != AST_FIELD || g->text_len != f->text_len ||
            memcmp(g->text, f->text, f->text_len) != 0)
            continue;
        struct diag *d =
            stage_error(s, f->name_span, "HLX0302", "the key `%s` is given twice", f->text);
        diag_label(d, g->name_span, "first here");
        return false;
    }
    return true;
}

static struct stage_value eval_object(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_field *fields = arena_array(s->a, e->nkids, sizeof *fields);
    size_t n = 0;
    for (uint32_t i = 0; i < e->nkids; i++) {
        const struct ast *f = e->kid[i];
        if (f->kind != AST_FIELD)
            continue;
        struct stage_value v = stage_expr(s, env, f->nkids ? f->kid[0] : NULL);
        if (check_key(s, e, i))
            fields[n++] = (struct stage_field){f->text, f->text_len, v};
    }
    struct stage_value v = stage_object(s->a, fields, n);
    if (e->kind == AST_CONTRACT)
        v = stage_contract(s, e, v);
    stage_check_size(s, e->span, &v);
    return v;
}

struct stage_value stage_range(struct stage *s, struct span at, int64_t low, int64_t high)
{
    struct stage_value v = {.kind = STAGE_RANGE};
    v.as.range.low = low;
    v.as.range.high = high < low ? low : high;
    if ((uint64_t)v.as.range.high - (uint64_t)low > STAGE_MAX_LENGTH)
        return stage_fail(s, at, "HLX0706", "a range has at most 2^26 elements");
    return v;
}

// One end of a range.
static bool range_end(struct stage *s, struct stage_env *env, const struct ast *e,
                      const struct ast *range, int64_t *out)
{
    if (!e) {
        stage_fail(s, range->span, "HLX0405", "a range needs both its ends here");
        return false;
    }
    struct stage_value v = stage_expr(s, env, e);
    if (v.kind == STAGE_INT) {
        *out = v.as.integer;
        return true;
    }
    if (v.kind != STAGE_POISON)
        stage_fail(s, e->span, "HLX0405", "a range needs ints, not %s", stage_kind_text(s->m, v));
    return false;
}

static struct stage_value eval_range(struct stage *s, struct stage_env *env, const struct ast *e)
{
    int64_t low, high;
    if (!range_end(s, env, e->kid[0], e, &low) || !range_end(s, env, e->kid[1], e, &high))
        return stage_poison();
    return stage_range(s, e->span, low, high);
}

// -- operators -----------------------------------------------------------------------------------

static struct stage_value eval_unary(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_value v = stage_expr(s, env, e->kid[0]);
    return stage_unary_value(s, e->span, (enum ast_operator)e->op, v);
}

// `and` and `or` look at the right side only where the left leaves it open.
static bool decided(enum ast_operator op, struct stage_value left)
{
    return left.kind == STAGE_BOOL &&
           ((op == AST_AND && !left.as.boolean) || (op == AST_OR && left.as.boolean));
}

static struct stage_value eval_binary(struct stage *s, struct stage_env *env, const struct ast *e)
{
    enum ast_operator op = (enum ast_operator)e->op;
    struct stage_value a = stage_expr(s, env, e->kid[0]);
    if (decided(op, a))
        return a;
    struct stage_value b = stage_expr(s, env, e->kid[1]);
    return stage_binary_value(s, e->span, op, a, b);
}

// -- scopes --------------------------------------------------------------------------------------

static bool is_segment(struct stage_value v)
{
    if (v.kind != STAGE_TEXT || !v.as.text.n)
        return false;
    for (size_t i = 0; i < v.as.text.n; i++) {
        char c = v.as.text.at[i];
        if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

// Appends ".3" for the index of `layers[3]`.
static bool add_index(struct stage *s, struct stage_env *env, const struct ast *e, const char **to)
{
    struct stage_value v = stage_expr(s, env, e);
    if (v.kind == STAGE_INT && v.as.integer >= 0)
        *to = stage_join(s, *to, arena_printf(s->a, "%lld", (long long)v.as.integer));
    else if (is_segment(v))
        *to = stage_join(s, *to, v.as.text.at);
    else if (v.kind == STAGE_POISON)
        return false;
    else {
        struct diag *g = stage_error(s, e->span, "HLX0405", "%s cannot be part of a scope's path",
                                     stage_shown(s->m, v));
        diag_help(g, "an int from 0, or a text of letters, digits and _");
        return false;
    }
    return true;
}

// The path that the segments of an AS node add.
static const char *segments(struct stage *s, struct stage_env *env, const struct ast *e)
{
    const char *path = "";
    for (uint32_t i = 1; i < e->nkids; i++) {
        const struct ast *seg = e->kid[i];
        if (seg->kind != AST_SEGMENT)
            continue;
        path = stage_join(s, path, seg->text);
        for (uint32_t k = 0; k < seg->nkids; k++)
            if (!add_index(s, env, seg->kid[k], &path))
                return path;
    }
    return path;
}

// The scope covers what the called function declares, not the arguments.
static struct stage_value eval_as(struct stage *s, struct stage_env *env, const struct ast *e)
{
    if (e->kid[0]->kind != AST_CALL)
        return stage_expr(s, env, e->kid[0]); // the parser has reported it
    return stage_call(s, env, e->kid[0], segments(s, env, e));
}

static struct stage_value eval_call(struct stage *s, struct stage_env *env, const struct ast *e)
{
    return stage_call(s, env, e, "");
}

static struct stage_value eval_fn(struct stage *s, struct stage_env *env, const struct ast *e)
{
    return stage_make_function(s, env, e);
}

static struct stage_value eval_block(struct stage *s, struct stage_env *env, const struct ast *e)
{
    return stage_block(s, env, e);
}

typedef struct stage_value (*eval_fn_type)(struct stage *, struct stage_env *, const struct ast *);

static const eval_fn_type evaluators[AST_KIND_COUNT] = {
    [AST_NULL_] = eval_null,    [AST_BOOL] = eval_bool,       [AST_INT] = eval_int,
    [AST_FLOAT] = eval_float,   [AST_TEXT] = eval_text,       [AST_BYTES] = eval_text,
    [AST_HANDLE] = eval_text,   [AST_NAME] = eval_name,       [AST_ARRAY] = eval_array,
    [AST_OBJECT] = eval_object, [AST_CONTRACT] = eval_object, [AST_RANGE] = eval_range,
    [AST_UNARY] = eval_unary,   [AST_BINARY] = eval_binary,   [AST_CALL] = eval_call,
    [AST_INDEX] = stage_index,  [AST_MEMBER] = stage_member,  [AST_AS] = eval_as,
    [AST_IF] = stage_if,        [AST_FN] = eval_fn,           [AST_BLOCK] = eval_block,
};

struct stage_value stage_expr(struct stage *s, struct stage_env *env, const struct ast *e)
{
    if (!e || e->kind == AST_ERROR || !stage_work(s, e->span))
        return stage_poison();
    if (!evaluators[e->kind])
        return stage_fail(s, e->span, "HLX0405", "a value is needed here, not %s",
                          ast_kind_name((enum ast_kind)e->kind));
    if (s->nesting >= STAGE_MAX_NESTING)
        return stage_halt(s, e->span, "the program nests too deep while it is compiled");
    struct span outer = s->at;
    s->nesting++;
    s->at = e->span;
    struct stage_value v = evaluators[e->kind](s, env, e);
    s->at = outer;
    s->nesting--;
    return s->unwind || s->stop ? stage_poison() : v;
}
