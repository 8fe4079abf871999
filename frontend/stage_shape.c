// stage_shape.c: builtins that ask for shapes and move elements.
#include "frontend/stage_builtin.h"

#include <string.h>

#include "ir/build.h"

// -- asking --------------------------------------------------------------------------------------

static bool want_type(struct stage *s, struct stage_call *c, struct ir_type *out)
{
    if (stage_is_number(c->arg[0]) || c->arg[0].kind == STAGE_BOOL) {
        *out = (struct ir_type){.dtype = c->arg[0].kind == STAGE_FLOAT ? DT_F32
                                         : c->arg[0].kind == STAGE_INT ? DT_I32
                                                                       : DT_BOOL};
        return true;
    }
    if (!stage_is_tensor(c->arg[0])) {
        stage_arg_error(s, c, 0, "a tensor");
        return false;
    }
    *out = *ir_type_get(s->m, stage_typeid(s, c->arg[0]));
    return true;
}

struct stage_value stage_shape_of(struct stage *s, struct stage_call *c)
{
    struct ir_type t;
    struct stage_value dims[IR_MAX_RANK];
    if (!want_type(s, c, &t))
        return stage_poison();
    for (unsigned i = 0; i < t.rank; i++)
        dims[i] = stage_int(t.dim[i]);
    return stage_array(s->a, dims, t.rank);
}

struct stage_value stage_shape_rank(struct stage *s, struct stage_call *c)
{
    struct ir_type t;
    return want_type(s, c, &t) ? stage_int(t.rank) : stage_poison();
}

struct stage_value stage_shape_dtype(struct stage *s, struct stage_call *c)
{
    struct ir_type t;
    return want_type(s, c, &t) ? stage_type(t.dtype) : stage_poison();
}

// -- reshaping -----------------------------------------------------------------------------------

// Replaces the one -1 of a shape by what is left of n elements.
static bool fill_wild(struct stage *s, struct stage_call *c, int64_t n, unsigned rank,
                      int64_t *dims)
{
    int64_t known = 1, wild = -1;
    for (unsigned i = 0; i < rank; i++) {
        if (dims[i] == -1 && wild >= 0) {
            stage_fail(s, c->arg_at[1], "HLX0410", "only one extent of a shape may be -1");
            return false;
        }
        if (dims[i] == -1)
            wild = i;
        else if (dims[i] > IR_MAX_ELEMENTS / known) {
            stage_fail(s, c->arg_at[1], "HLX0410", "a tensor has at most 2^40 elements");
            return false;
        } else
            known *= dims[i];
    }
    if (wild >= 0 && n % known) {
        stage_fail(s, c->arg_at[1], "HLX0410", "%lld elements do not divide into rows of %lld",
                   (long long)n, (long long)known);
        return false;
    }
    if (wild >= 0)
        dims[wild] = n / known;
    return true;
}

struct stage_value stage_shape_reshape(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    unsigned rank;
    int64_t dims[IR_MAX_RANK];
    if (!stage_want_tensor(s, c, 0, &x) || !stage_want_shape(s, c, 1, true, &rank, dims))
        return stage_poison();
    int64_t n = ir_type_count(ir_typeof(s->unit->graph, x));
    if (!fill_wild(s, c, n, rank, dims))
        return stage_poison();
    return stage_tensor(s, stage_reshape(s, c->at, x, rank, dims, NULL));
}

struct stage_value stage_shape_broadcast(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    unsigned rank;
    int64_t dims[IR_MAX_RANK];
    if (!stage_want_tensor(s, c, 0, &x) || !stage_want_shape(s, c, 1, false, &rank, dims))
        return stage_poison();
    if (!ir_shape_ok(rank, dims))
        return stage_fail(s, c->arg_at[1], "HLX0410", "a tensor has at most 2^40 elements");
    enum dtype dtype = ir_typeof(s->unit->graph, x)->dtype;
    return stage_tensor(s, stage_spread(s, c->at, x, ir_type_make(s->m, dtype, rank, dims, NULL)));
}

// -- order of axes -------------------------------------------------------------------------------

struct stage_value stage_shape_transpose(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    int64_t perm[IR_MAX_RANK];
    if (!stage_want_tensor(s, c, 0, &x))
        return stage_poison();
    unsigned n = ir_typeof(s->unit->graph, x)->rank;
    if (n < 2)
        return stage_arg_error(s, c, 0, "a tensor of at least 2 dimensions");
    for (unsigned i = 0; i < n; i++)
        perm[i] = i;
    perm[n - 2] = n - 1;
    perm[n - 1] = n - 2;
    return stage_tensor(s, stage_node(s, c->at, IR_transpose, &x, 1, perm, n, 0));
}

struct stage_value stage_shape_permute(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    int64_t perm[IR_MAX_RANK];
    struct stage_value axes = c->arg[1];
    if (!stage_want_tensor(s, c, 0, &x))
        return stage_poison();
    unsigned n = ir_typeof(s->unit->graph, x)->rank, seen = 0;
    if (!stage_is_list(axes) || stage_count(axes) != n)
        return stage_arg_error(s, c, 1, "an array of all the axes");
    for (unsigned i = 0; i < n; i++) {
        c->arg[1] = stage_item(axes, i);
        if (!stage_want_axis(s, c, 1, x, &perm[i]))
            return stage_poison();
        if (seen >> perm[i] & 1)
            return stage_fail(s, c->arg_at[1], "HLX0409", "axis %lld is given twice",
                              (long long)perm[i]);
        seen |= 1u << perm[i];
    }
    return stage_tensor(s, stage_node(s, c->at, IR_transpose, &x, 1, perm, n, 0));
}

// -- joining -------------------------------------------------------------------------------------

// The tensors of an array, of one element type. NULL after an error.
static ir_ref *want_parts(struct stage *s, struct stage_call *c, unsigned *n)
{
    struct stage_value list = c->arg[0];
    if (!stage_is_list(list) || !stage_count(list) || stage_count(list) > UINT16_MAX) {
        stage_arg_error(s, c, 0, "an array of tensors");
        return NULL;
    }
    *n = (unsigned)stage_count(list);
    ir_ref *parts = arena_array(s->a, *n, sizeof *parts);
    for (unsigned i = 0; i < *n; i++) {
        struct stage_value v = stage_item(list, i);
        if (v.kind == STAGE_POISON || !(parts[i] = stage_lift(s, c->arg_at[0], v, DT_COUNT)))
            return NULL;
    }
    return parts;
}

struct stage_value stage_shape_concat(struct stage *s, struct stage_call *c)
{
    unsigned n;
    int64_t axis;
    ir_ref *parts = want_parts(s, c, &n);
    if (c->arg[1].kind == STAGE_NONE)
        c->arg[1] = stage_int(0);
    if (!parts || !stage_want_axis(s, c, 1, parts[0], &axis))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_concat, parts, n, &axis, 1, 0));
}

// Inserts an axis of extent 1.
static ir_ref new_axis(struct stage *s, struct span at, ir_ref x, unsigned axis)
{
    struct ir_type t = *ir_typeof(s->unit->graph, x);
    if (t.rank == IR_MAX_RANK) {
        stage_fail(s, at, "HLX0410", "a tensor has at most %d dimensions", IR_MAX_RANK);
        return 0;
    }
    for (unsigned i = t.rank; i > axis; i--) {
        t.dim[i] = t.dim[i - 1];
        t.name[i] = t.name[i - 1];
    }
    t.dim[axis] = 1;
    t.name[axis] = 0;
    return stage_reshape(s, at, x, t.rank + 1, t.dim, t.name);
}

struct stage_value stage_shape_stack(struct stage *s, struct stage_call *c)
{
    unsigned n;
    ir_ref *parts = want_parts(s, c, &n);
    if (!parts)
        return stage_poison();
    int64_t rank = ir_typeof(s->unit->graph, parts[0])->rank, axis = 0;
    if (c->arg[1].kind == STAGE_INT)
        axis = c->arg[1].as.integer < 0 ? c->arg[1].as.integer + rank + 1 : c->arg[1].as.integer;
    if (axis < 0 || axis > rank || (stage_given(c, 1) && c->arg[1].kind != STAGE_INT))
        return stage_arg_error(s, c, 1, "an axis of the result");
    for (unsigned i = 0; i < n; i++) {
        if (!ir_type_equal(s->m, ir_get(s->unit->graph, parts[i])->type,
                           ir_get(s->unit->graph, parts[0])->type) &&
            i > 0 && ir_typeof(s->unit->graph, parts[i])->rank != rank)
            return stage_arg_error(s, c, 0, "an array of tensors of one shape");
        parts[i] = new_axis(s, c->at, parts[i], (unsigned)axis);
        if (!parts[i])
            return stage_poison();
    }
    return stage_tensor(s, stage_node(s, c->at, IR_concat, parts, n, &axis, 1, 0));
}

// -- margins -------------------------------------------------------------------------------------

static bool want_margin(struct stage *s, struct stage_call *c, struct stage_value pair,
                        int64_t *out)
{
    bool fits = stage_is_list(pair) && stage_count(pair) == 2;
    for (size_t k = 0; fits && k < 2; k++) {
        struct stage_value v = stage_item(pair, k);
        fits = v.kind == STAGE_INT && v.as.integer >= 0;
        out[k] = fits ? v.as.integer : 0;
    }
    out[2] = 0;
    if (!fits)
        stage_arg_error(s, c, 1, "an array of [low, high] pairs of ints from 0");
    return fits;
}

struct stage_value stage_shape_pad(struct stage *s, struct stage_call *c)
{
    ir_ref x[2];
    int64_t margins[3 * IR_MAX_RANK];
    if (!stage_want_tensor(s, c, 0, &x[0]))
        return stage_poison();
    const struct ir_type *t = ir_typeof(s->unit->graph, x[0]);
    unsigned rank = t->rank;
    enum dtype dtype = t->dtype;
    if (!stage_is_list(c->arg[1]) || stage_count(c->arg[1]) != rank)
        return stage_arg_error(s, c, 1, "an array of one [low, high] pair for each axis");
    for (unsigned i = 0; i < rank; i++)
        if (!want_margin(s, c, stage_item(c->arg[1], i), margins + 3 * (size_t)i))
            return stage_poison();
    struct stage_value zero = dtype == DT_BOOL ? stage_bool(false) : stage_int(0);
    x[1] = stage_lift(s, c->arg_at[2], c->arg[2].kind == STAGE_NONE ? zero : c->arg[2], dtype);
    return stage_tensor(s, stage_node(s, c->at, IR_pad, x, 2, margins, 3 * rank, 0));
}

// -- rows ----------------------------------------------------------------------------------------

struct stage_value stage_shape_gather(struct stage *s, struct stage_call *c)
{
    ir_ref x[2];
    if (!stage_want_tensor(s, c, 0, &x[0]) || !stage_want_tensor(s, c, 1, &x[1]))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_gather_rows, x, 2, NULL, 0, 0));
}

struct stage_value stage_shape_scatter(struct stage *s, struct stage_call *c)
{
    ir_ref x[2];
    int64_t rows;
    if (!stage_want_tensor(s, c, 0, &x[0]) || !stage_want_tensor(s, c, 1, &x[1]) ||
        !stage_want_int(s, c, 2, 1, IR_MAX_ELEMENTS, &rows))
        return stage_poison();
    return stage_tensor(s, stage_node(s, c->at, IR_scatter_rows, x, 2, &rows, 1, 0));
}
