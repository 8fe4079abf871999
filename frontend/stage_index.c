// stage_index.c: evaluates indexing, slicing and field access of values and tensors.
#include "frontend/stage.h"

#include <string.h>

#include "ir/build.h"

// -- positions -----------------------------------------------------------------------------------

static void outside(struct stage *s, struct span at, int64_t i, int64_t n, const char *what)
{
    struct diag *g =
        stage_error(s, at, "HLX0404", "index %lld is outside of %s", (long long)i, what);
    if (n)
        diag_caret(g, "0 to %lld, or -%lld to -1", (long long)n - 1, (long long)n);
    else
        diag_caret(g, "there are no elements");
}

// A compile-time index into n elements; negative counts from the end.
static bool position(struct stage *s, struct span at, struct stage_value v, int64_t n,
                     const char *what, int64_t *out)
{
    if (v.kind == STAGE_POISON)
        return false;
    if (v.kind != STAGE_INT) {
        stage_fail(s, at, "HLX0405", "%s is indexed by an int, not by %s", what,
                   stage_kind_text(s->m, v));
        return false;
    }
    *out = v.as.integer < 0 ? v.as.integer + n : v.as.integer;
    if (v.as.integer >= n || *out < 0) {
        outside(s, at, v.as.integer, n, what);
        return false;
    }
    return true;
}

// One end of a slice of n elements; `missing` where it is left out.
static bool slice_end(struct stage *s, struct stage_env *env, const struct ast *e, int64_t n,
                      int64_t missing, const char *what, int64_t *out)
{
    *out = missing;
    if (!e)
        return true;
    struct stage_value v = stage_expr(s, env, e);
    if (v.kind == STAGE_POISON)
        return false;
    if (v.kind != STAGE_INT) {
        stage_fail(s, e->span, "HLX0405", "a slice needs ints, not %s", stage_kind_text(s->m, v));
        return false;
    }
    *out = v.as.integer < 0 ? v.as.integer + n : v.as.integer;
    if (v.as.integer > n || *out < 0) {
        struct diag *g = stage_error(s, e->span, "HLX0404", "a slice to %lld is outside of %s",
                                     (long long)v.as.integer, what);
        diag_caret(g, "0 to %lld", (long long)n);
        return false;
    }
    return true;
}

static bool slice_bounds(struct stage *s, struct stage_env *env, const struct ast *range, int64_t n,
                         const char *what, int64_t *low, int64_t *high)
{
    if (!slice_end(s, env, range->kid[0], n, 0, what, low) ||
        !slice_end(s, env, range->kid[1], n, n, what, high))
        return false;
    if (*high < *low)
        *high = *low;
    return true;
}

// -- compile-time values -------------------------------------------------------------------------

static struct stage_value sub_text(struct stage *s, struct stage_value v, int64_t low, int64_t high)
{
    size_t from = (size_t)low, to = (size_t)high;
    if (v.kind == STAGE_TEXT) {
        from = stage_text_offset(v, from);
        to = stage_text_offset(v, to);
    }
    return stage_bytes(s->a, v.kind, v.as.text.at + from, to - from);
}

static struct stage_value sub_list(struct stage *s, struct stage_value v, int64_t low, int64_t high)
{
    size_t n = (size_t)(high - low);
    struct stage_value *items = arena_array(s->a, n, sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = stage_item(v, (size_t)low + i);
    return stage_array(s->a, items, n);
}

static int64_t length(struct stage_value v)
{
    if (v.kind == STAGE_TEXT)
        return (int64_t)stage_text_length(v);
    return (int64_t)(v.kind == STAGE_BYTES ? v.as.text.n : stage_count(v));
}

// "an array of 3 elements"
static const char *sized(struct stage *s, struct stage_value v)
{
    const char *kind = stage_kind_text(s->m, v);
    int64_t n = length(v);
    return arena_printf(s->a, "%s %s of %lld %s%s", *kind == 'a' ? "an" : "a", kind, (long long)n,
                        v.kind == STAGE_TEXT    ? "character"
                        : v.kind == STAGE_BYTES ? "byte"
                                                : "element",
                        n == 1 ? "" : "s");
}

static struct stage_value value_slice(struct stage *s, struct stage_env *env, struct stage_value v,
                                      const struct ast *range)
{
    stage_charge(s, stage_size(v).weight);
    int64_t low, high;
    if (!slice_bounds(s, env, range, length(v), sized(s, v), &low, &high))
        return stage_poison();
    return stage_is_list(v) ? sub_list(s, v, low, high) : sub_text(s, v, low, high);
}

static struct stage_value value_item(struct stage *s, struct stage_value v, struct span at,
                                     struct stage_value index)
{
    int64_t i;
    if (v.kind == STAGE_TEXT)
        stage_charge(s, stage_size(v).weight);
    if (!position(s, at, index, length(v), sized(s, v), &i))
        return stage_poison();
    if (v.kind == STAGE_BYTES)
        return stage_int((unsigned char)v.as.text.at[i]);
    return stage_is_list(v) ? stage_item(v, (size_t)i) : sub_text(s, v, i, i + 1);
}

static struct stage_value no_field(struct stage *s, struct span at, struct stage_value v,
                                   const char *key)
{
    const struct stage_object *o = v.as.object;
    stage_names names = {0};
    for (size_t i = 0; i < o->n; i++)
        vec_push(s->a, &names, o->at[i].key);
    struct diag *g =
        stage_error(s, at, "HLX0305", "the %s has no field `%s`", stage_kind_text(s->m, v), key);
    stage_suggest(g, key, names.at, names.n);
    return stage_poison();
}

// o["key"]; a param or state stands for its path, so that grad(loss)[p] works.
static struct stage_value object_item(struct stage *s, struct stage_value v, struct span at,
                                      struct stage_value key)
{
    if (key.kind == STAGE_POISON)
        return key;
    if (key.kind == STAGE_VAR)
        key = stage_text(s->a, s->m->vars.at[key.as.var].path);
    if (key.kind != STAGE_TEXT)
        return stage_fail(s, at, "HLX0405", "an object is indexed by a text, not %s",
                          stage_kind_text(s->m, key));
    const struct stage_value *found = stage_get(v, key.as.text.at, key.as.text.n);
    return found ? *found : no_field(s, at, v, key.as.text.at);
}

// -- tensors -------------------------------------------------------------------------------------

// What an index list selects: bounds of each axis, and which axes go away.
struct selection {
    int64_t bounds[3 * IR_MAX_RANK];
    bool dropped[IR_MAX_RANK];
    bool whole; // nothing is cut
};

// One index: a range, or a position (`known` where it was evaluated already).
static bool select_axis(struct stage *s, struct stage_env *env, const struct ast *e,
                        const struct stage_value *known, unsigned axis, const struct ir_type *t,
                        struct selection *out)
{
    int64_t *b = out->bounds + 3 * (size_t)axis, n = t->dim[axis];
    const char *what = arena_printf(s->a, "dimension %u of %s", axis, ir_type_text(s->m, t->base));
    if (e->kind == AST_RANGE) {
        if (!slice_bounds(s, env, e, n, what, &b[0], &b[1]))
            return false;
        if (b[0] == b[1]) {
            stage_fail(s, e->span, "HLX0404", "a slice of a tensor must keep at least one element");
            return false;
        }
    } else {
        struct stage_value v = known ? *known : stage_expr(s, env, e);
        if (!position(s, e->span, v, n, what, &b[0]))
            return false;
        b[1] = b[0] + 1;
        out->dropped[axis] = true;
    }
    if (b[1] - b[0] != n)
        out->whole = false;
    return true;
}

static struct stage_value cut(struct stage *s, struct span at, ir_ref r,
                              const struct selection *sel)
{
    struct ir_graph *g = s->unit->graph;
    unsigned rank = ir_typeof(g, r)->rank, kept = 0;
    if (!sel->whole)
        r = stage_node(s, at, IR_slice, &r, 1, sel->bounds, 3 * rank, 0);
    if (!r)
        return stage_poison();
    struct ir_type t = *ir_typeof(g, r);
    for (unsigned i = 0; i < rank; i++)
        if (!sel->dropped[i]) {
            t.dim[kept] = t.dim[i];
            t.name[kept++] = t.name[i];
        }
    return stage_tensor(s, stage_reshape(s, at, r, kept, t.dim, t.name));
}

static struct stage_value tensor_index(struct stage *s, struct stage_env *env, const struct ast *e,
                                       struct stage_value v, const struct stage_value *first)
{
    ir_ref r = stage_ref(s, e->kid[0]->span, v);
    if (!r)
        return stage_poison();
    struct ir_type t = *ir_typeof(s->unit->graph, r);
    if (e->nkids - 1 > t.rank) {
        struct diag *g = stage_error(s, e->span, "HLX0404", "%u indices for %s", e->nkids - 1,
                                     stage_type_text(s->m, v));
        diag_caret(g, "it has %u dimension%s", t.rank, t.rank == 1 ? "" : "s");
        return stage_poison();
    }
    struct selection sel = {.whole = true};
    for (unsigned i = 0; i < t.rank; i++) {
        sel.bounds[3 * i + 1] = t.dim[i];
        sel.bounds[3 * i + 2] = 1;
        if (i + 1 < e->nkids && !select_axis(s, env, e->kid[i + 1], i ? NULL : first, i, &t, &sel))
            return stage_poison();
    }
    return cut(s, e->span, r, &sel);
}

// table[indices]: rows by a tensor of ints.
static struct stage_value gather(struct stage *s, const struct ast *e, struct stage_value table,
                                 struct stage_value indices)
{
    ir_ref r[2];
    r[0] = stage_ref(s, e->kid[0]->span, table);
    r[1] = stage_ref(s, e->kid[1]->span, indices);
    return stage_tensor(s, stage_node(s, e->span, IR_gather_rows, r, 2, NULL, 0, 0));
}

// -- all together --------------------------------------------------------------------------------

struct stage_value stage_index(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_value v = stage_expr(s, env, e->kid[0]), index;
    if (v.kind == STAGE_POISON || e->nkids < 2)
        return stage_poison();
    const struct ast *first = e->kid[1];
    if (stage_is_tensor(v)) {
        if (e->nkids > 2 || first->kind == AST_RANGE)
            return tensor_index(s, env, e, v, NULL);
        index = stage_expr(s, env, first);
        return stage_is_tensor(index) ? gather(s, e, v, index) : tensor_index(s, env, e, v, &index);
    }
    bool object = v.kind == STAGE_OBJECT || v.kind == STAGE_CONTRACT;
    bool sequence = stage_is_list(v) || v.kind == STAGE_TEXT || v.kind == STAGE_BYTES;
    if (!object && !sequence)
        return stage_fail(s, e->kid[0]->span, "HLX0405", "%s cannot be indexed",
                          stage_kind_text(s->m, v));
    if (e->nkids > 2)
        return stage_fail(s, e->span, "HLX0405",
                          "only tensors take several indices; write a[i][k]");
    if (sequence && first->kind == AST_RANGE)
        return value_slice(s, env, v, first);
    index = stage_expr(s, env, first);
    return object ? object_item(s, v, first->span, index) : value_item(s, v, first->span, index);
}

static struct stage_value module_member(struct stage *s, const struct ast *e,
                                        struct stage_module *module)
{
    const struct map_entry *found = map_find_str(&module->names, e->text);
    if (found)
        return ((const struct stage_binding *)found->value.p)->value;
    stage_names names = {0};
    for (size_t i = 0; i < module->names.n; i++)
        vec_push(s->a, &names, module->names.entry[i].key);
    struct diag *g = stage_error(s, e->name_span.file ? e->name_span : e->span, "HLX0305",
                                 "module `%s` has no `%s`", module->name, e->text);
    stage_suggest(g, e->text, names.at, names.n);
    return stage_poison();
}

struct stage_value stage_member(struct stage *s, struct stage_env *env, const struct ast *e)
{
    struct stage_value v = stage_expr(s, env, e->kid[0]);
    struct span at = e->name_span.file ? e->name_span : e->span;
    if (v.kind == STAGE_POISON)
        return v;
    if (v.kind == STAGE_MODULE)
        return module_member(s, e, v.as.module);
    if (v.kind == STAGE_OBJECT || v.kind == STAGE_CONTRACT) {
        const struct stage_value *found = stage_get(v, e->text, e->text_len);
        return found ? *found : no_field(s, at, v, e->text);
    }
    struct diag *g = stage_error(s, at, "HLX0305", "%s has no fields", stage_kind_text(s->m, v));
    if (stage_is_tensor(v) && !strcmp(e->text, "shape"))
        diag_help(g, "shape(x) gives the shape of a tensor");
    return stage_poison();
}
