// stage_type.c: evaluates types written in the source and checks values against them.
#include "frontend/stage.h"

#include <string.h>

#include "ir/build.h"

// -- dimensions ----------------------------------------------------------------------------------

// What a dimension is called in messages and in the IR: `D`, and `vocab` for `c.vocab`.
static const char *dim_name(const struct ast *e)
{
    return e->kind == AST_NAME || e->kind == AST_MEMBER ? e->text : "";
}

static bool add_extent(struct stage *s, const struct ast *e, struct stage_value v, stage_dims *out)
{
    if (v.kind == STAGE_POISON)
        return false;
    if (v.kind != STAGE_INT) {
        stage_fail(s, e->span, "HLX0402", "a dimension is an int, not %s",
                   stage_kind_text(s->m, v));
        return false;
    }
    if (v.as.integer < 1 || v.as.integer > IR_MAX_ELEMENTS) {
        stage_fail(s, e->span, "HLX0410", "a dimension is at least 1, not %lld",
                   (long long)v.as.integer);
        return false;
    }
    vec_push(s->a, out, (struct stage_dim){v.as.integer, dim_name(e), false, e->span});
    return true;
}

// One expression gives one dimension, or as many as an array holds: f32[shape(p)].
static bool add_dims(struct stage *s, struct stage_env *env, const struct ast *e, stage_dims *out)
{
    struct stage_value v;
    if (e->kind == AST_NAME && !stage_lookup(s, env, e->text, &v)) {
        vec_push(s->a, out, (struct stage_dim){0, e->text, true, e->span});
        return true;
    }
    v = stage_expr(s, env, e);
    if (!stage_is_list(v))
        return add_extent(s, e, v, out);
    for (size_t i = 0; i < stage_count(v); i++) {
        if (!add_extent(s, e, stage_item(v, i), out))
            return false;
        vec_last(out).name = "";
    }
    return true;
}

bool stage_type_dims(struct stage *s, struct stage_env *env, const struct ast *type,
                     stage_dims *out)
{
    for (uint32_t i = 0; i < type->nkids; i++)
        if (!type->kid[i] || !add_dims(s, env, type->kid[i], out))
            return false;
    if (out->n <= IR_MAX_RANK)
        return true;
    stage_fail(s, type->span, "HLX0410", "a tensor has at most %d dimensions", IR_MAX_RANK);
    return false;
}

// "f32[B, T=16, 4]"
static const char *wanted_text(struct stage *s, enum dtype dtype, const stage_dims *dims)
{
    struct buf b = {0};
    buf_printf(&b, "%s[", dtype_name(dtype));
    for (size_t i = 0; i < dims->n; i++) {
        const struct stage_dim *d = &dims->at[i];
        buf_puts(&b, i ? ", " : "");
        buf_puts(&b, d->name);
        if (!d->unbound)
            buf_printf(&b, "%s%lld", *d->name ? "=" : "", (long long)d->extent);
    }
    buf_putc(&b, ']');
    const char *text = arena_copy(s->a, b.at, b.n);
    buf_free(&b);
    return text;
}

// -- the type of a declaration -------------------------------------------------------------------

static bool all_bound(struct stage *s, struct stage_env *env, const stage_dims *dims,
                      const char *help)
{
    bool ok = true;
    for (size_t i = 0; i < dims->n; i++)
        if (dims->at[i].unbound) {
            struct diag *g = stage_unknown_name(s, env, dims->at[i].span, dims->at[i].name);
            if (help)
                diag_help(g, "%s", help);
            ok = false;
        }
    return ok;
}

ir_typeid stage_type_of(struct stage *s, struct stage_env *env, const struct ast *type,
                        const char *what, const char *help)
{
    enum dtype dtype;
    if (!type || type->kind != AST_TYPE)
        return 0;
    if (!dtype_find(type->text, &dtype) || !(type->flags & AST_SHAPED)) {
        struct diag *g = stage_error(s, type->span, "HLX0402", "%s needs a tensor type, not `%s`",
                                     what, type->text);
        diag_help(g,
                  dtype_find(type->text, &dtype) ? "write %s[] for a scalar, %s[n] for a vector"
                                                 : "for example f32[4, 16]",
                  type->text, type->text);
        return 0;
    }
    stage_dims dims = {0};
    if (!stage_type_dims(s, env, type, &dims) || !all_bound(s, env, &dims, help))
        return 0;
    int64_t extent[IR_MAX_RANK];
    ir_name name[IR_MAX_RANK];
    for (size_t i = 0; i < dims.n; i++) {
        extent[i] = dims.at[i].extent;
        name[i] = ir_intern(s->m, dims.at[i].name);
    }
    if (ir_shape_ok((unsigned)dims.n, extent))
        return ir_type_make(s->m, dtype, (unsigned)dims.n, extent, name);
    stage_fail(s, type->span, "HLX0410", "a tensor has at most 2^40 elements");
    return 0;
}

// -- compile-time types --------------------------------------------------------------------------

static bool is_any(struct stage_value v)
{
    return v.kind != STAGE_NONE;
}
static bool is_function(struct stage_value v)
{
    return v.kind == STAGE_FUNCTION || v.kind == STAGE_BUILTIN || v.kind == STAGE_TYPE;
}
static bool is_array(struct stage_value v)
{
    return stage_is_list(v);
}

// Names of compile-time types: one kind, or a test.
static const struct {
    const char *name;
    enum stage_kind kind;
    bool (*test)(struct stage_value v);
} value_types[] = {
    {"any", STAGE_NONE, is_any},
    {"null", STAGE_NULL, NULL},
    {"bool", STAGE_BOOL, NULL},
    {"int", STAGE_INT, NULL},
    {"float", STAGE_FLOAT, stage_is_number},
    {"number", STAGE_FLOAT, stage_is_number},
    {"text", STAGE_TEXT, NULL},
    {"bytes", STAGE_BYTES, NULL},
    {"handle", STAGE_HANDLE, NULL},
    {"array", STAGE_ARRAY, is_array},
    {"object", STAGE_OBJECT, NULL},
    {"contract", STAGE_CONTRACT, NULL},
    {"type", STAGE_TYPE, NULL},
    {"function", STAGE_FUNCTION, is_function},
    {"fn", STAGE_FUNCTION, is_function},
    {"data", STAGE_DATA, NULL},
    {"tensor", STAGE_TENSOR, stage_is_tensor},
    {"param", STAGE_VAR, NULL},
};

static bool unknown_type(struct stage *s, const struct ast *type)
{
    stage_names names = {0};
    for (size_t i = 0; i < sizeof value_types / sizeof *value_types; i++)
        vec_push(s->a, &names, value_types[i].name);
    for (unsigned t = 0; t < DT_COUNT; t++)
        vec_push(s->a, &names, dtype_name((enum dtype)t));
    struct diag *g = stage_error(s, type->span, "HLX0301", "there is no type `%s`", type->text);
    stage_suggest(g, type->text, names.at, names.n);
    return false;
}

static struct diag *mismatch(struct stage *s, const struct ast *type, struct span at,
                             const char *what, const char *wanted, struct stage_value v)
{
    bool tensor = stage_is_tensor(v);
    struct diag *g = stage_error(s, at, "HLX0402", "%s must be %s, not %s", what, wanted,
                                 tensor ? stage_type_text(s->m, v) : stage_kind_text(s->m, v));
    if (type->span.file && (type->span.file != at.file || type->span.start != at.start))
        diag_label(g, type->span, "declared here");
    return g;
}

static bool check_value(struct stage *s, const struct ast *type, struct stage_value *v,
                        struct span at, const char *what)
{
    for (size_t i = 0; i < sizeof value_types / sizeof *value_types; i++) {
        if (strcmp(value_types[i].name, type->text) != 0)
            continue;
        bool fits = value_types[i].test ? value_types[i].test(*v) : v->kind == value_types[i].kind;
        if (!fits)
            mismatch(s, type, at, what, type->text, *v);
        else if (value_types[i].kind == STAGE_FLOAT && strcmp(type->text, "float") == 0)
            *v = stage_float(stage_number(*v));
        return fits;
    }
    return unknown_type(s, type);
}

// -- tensors -------------------------------------------------------------------------------------

// Names of the signature go to dimensions that had none.
static void take_names(struct stage *s, struct stage_value v, const stage_dims *dims)
{
    if (v.kind != STAGE_TENSOR || v.as.tensor.unit != s->unit)
        return;
    struct ir_node *n = &s->unit->graph->nodes.at[v.as.tensor.ref];
    struct ir_type t = *ir_type_get(s->m, n->type);
    bool fresh = false;
    if (ir_op_info((enum ir_op)n->op)->class == IRC_LEAF)
        return;
    for (unsigned i = 0; i < t.rank && i < dims->n; i++)
        if (!t.name[i] && *dims->at[i].name) {
            t.name[i] = ir_intern(s->m, dims->at[i].name);
            fresh = true;
        }
    if (fresh)
        n->type = ir_type_make(s->m, t.dtype, t.rank, t.dim, t.name);
}

// The axis of t that differs from what is written (*wanted), or -1. Binds what is unbound.
static int match_dims(struct stage *s, struct stage_env *env, const stage_dims *dims,
                      const struct ir_type *t, int64_t *wanted)
{
    for (unsigned i = 0; i < t->rank && i < dims->n; i++) {
        struct stage_dim *d = &dims->at[i];
        struct stage_value bound;
        if (d->unbound && stage_lookup(s, env, d->name, &bound)) { // a second time in this type
            d->extent = bound.as.integer;
            d->unbound = false;
        }
        if (d->unbound)
            stage_bind(s, env, d->name, stage_int(t->dim[i]), false, d->span);
        else if (d->extent != t->dim[i]) {
            *wanted = d->extent;
            return (int)i;
        }
    }
    return -1;
}

static bool check_shape(struct stage *s, struct stage_env *env, const struct ast *type,
                        enum dtype dtype, struct stage_value v, struct span at, const char *what)
{
    struct ir_type t = *ir_type_get(s->m, stage_typeid(s, v));
    stage_dims dims = {0};
    if (!stage_type_dims(s, env, type, &dims))
        return false;
    const char *wanted = wanted_text(s, dtype, &dims);
    if (t.rank != dims.n) {
        diag_caret(mismatch(s, type, at, what, wanted, v), "%u dimension%s, not %zu", t.rank,
                   t.rank == 1 ? "" : "s", dims.n);
        return false;
    }
    int64_t extent = 0;
    int axis = t.dtype == dtype ? match_dims(s, env, &dims, &t, &extent) : -1;
    if (axis >= 0) {
        diag_caret(mismatch(s, type, at, what, wanted, v), "dimension %d is %lld, not %lld", axis,
                   (long long)t.dim[axis], (long long)extent);
        return false;
    }
    if (t.dtype != dtype) {
        diag_help(mismatch(s, type, at, what, wanted, v), "cast(x, %s) converts",
                  dtype_name(dtype));
        return false;
    }
    take_names(s, v, &dims);
    return true;
}

static bool check_tensor(struct stage *s, struct stage_env *env, const struct ast *type,
                         enum dtype dtype, struct stage_value *v, struct span at, const char *what)
{
    bool shaped = type->flags & AST_SHAPED;
    if (stage_is_number(*v) || v->kind == STAGE_BOOL) {
        *v = stage_tensor(s, stage_constant(s, at, *v, dtype));
        if (v->kind == STAGE_POISON)
            return false;
    }
    if (!stage_is_tensor(*v)) {
        mismatch(s, type, at, what, arena_printf(s->a, "a tensor of %s", dtype_name(dtype)), *v);
        return false;
    }
    if (shaped)
        return check_shape(s, env, type, dtype, *v, at, what);
    if (ir_type_get(s->m, stage_typeid(s, *v))->dtype == dtype)
        return true;
    struct diag *g = mismatch(s, type, at, what, dtype_name(dtype), *v);
    diag_help(g, "cast(x, %s) converts", dtype_name(dtype));
    return false;
}

bool stage_check(struct stage *s, struct stage_env *env, const struct ast *type,
                 struct stage_value *v, struct span at, const char *what)
{
    enum dtype dtype;
    if (v->kind == STAGE_POISON || type->kind != AST_TYPE)
        return false;
    bool shaped = type->flags & AST_SHAPED;
    if (dtype_find(type->text, &dtype) && (shaped || dtype != DT_BOOL))
        return check_tensor(s, env, type, dtype, v, at, what);
    if (!shaped)
        return check_value(s, type, v, at, what);
    struct diag *g = stage_error(s, type->span, "HLX0402", "`%s` has no shape", type->text);
    diag_help(g, "tensors are f32, i32, u32, bool, f16, bf16, i8 or u8");
    return false;
}
