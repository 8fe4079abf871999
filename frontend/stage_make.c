// stage_make.c: builtins that make tensors of nothing: fills, counts, constants, random bits.
#include "frontend/stage_builtin.h"

#include <string.h>

#include "ir/build.h"
#include "latent/handle.h"

// The tensor type of a shape argument and an element type; 0 after an error.
static ir_typeid want_type(struct stage *s, struct stage_call *c, unsigned i, enum dtype dtype)
{
    unsigned rank;
    int64_t dims[IR_MAX_RANK];
    if (!stage_want_shape(s, c, i, false, &rank, dims))
        return 0;
    if (ir_shape_ok(rank, dims))
        return ir_type_make(s->m, dtype, rank, dims, NULL);
    stage_fail(s, c->arg_at[i], "HLX0410", "a tensor has at most 2^40 elements");
    return 0;
}

static bool want_dtype(struct stage *s, struct stage_call *c, unsigned i, enum dtype missing,
                       enum dtype *out)
{
    *out = missing;
    if (!stage_given(c, i))
        return true;
    if (c->arg[i].kind == STAGE_TYPE) {
        *out = c->arg[i].as.type;
        return true;
    }
    stage_arg_error(s, c, i, "an element type: f32, i32, u32, bool ...");
    return false;
}

static struct stage_value fill(struct stage *s, struct stage_call *c, struct stage_value v,
                               enum dtype dtype)
{
    ir_typeid type = want_type(s, c, 0, dtype);
    if (dtype == DT_BOOL && v.kind == STAGE_INT)
        v = stage_bool(v.as.integer != 0);
    ir_ref r = type ? stage_constant(s, c->at, v, dtype) : 0;
    return stage_tensor(s, stage_spread(s, c->at, r, type));
}

struct stage_value stage_make_fill(struct stage *s, struct stage_call *c)
{
    enum dtype dtype;
    if (!want_dtype(s, c, 1, DT_F32, &dtype))
        return stage_poison();
    return fill(s, c, stage_int(c->builtin->op), dtype);
}

static enum dtype own_dtype(struct stage_value v)
{
    return v.kind == STAGE_FLOAT ? DT_F32 : v.kind == STAGE_BOOL ? DT_BOOL : DT_I32;
}

struct stage_value stage_make_full(struct stage *s, struct stage_call *c)
{
    enum dtype dtype;
    if (!stage_is_number(c->arg[1]) && c->arg[1].kind != STAGE_BOOL)
        return stage_arg_error(s, c, 1, "a number");
    if (!want_dtype(s, c, 2, own_dtype(c->arg[1]), &dtype))
        return stage_poison();
    return fill(s, c, c->arg[1], dtype);
}

struct stage_value stage_make_iota(struct stage *s, struct stage_call *c)
{
    ir_typeid type = want_type(s, c, 0, DT_I32);
    if (!type)
        return stage_poison();
    int64_t axis = 0, rank = ir_type_get(s->m, type)->rank;
    if (stage_given(c, 1) && c->arg[1].kind != STAGE_INT)
        return stage_arg_error(s, c, 1, "an axis: an int");
    if (stage_given(c, 1))
        axis = c->arg[1].as.integer < 0 ? c->arg[1].as.integer + rank : c->arg[1].as.integer;
    return stage_tensor(s, stage_node(s, c->at, IR_iota, NULL, 0, &axis, 1, type));
}

// iota == index, as numbers.
struct stage_value stage_make_one_hot(struct stage *s, struct stage_call *c)
{
    ir_ref x;
    int64_t n;
    if (!stage_want_tensor(s, c, 0, &x) || !stage_want_int(s, c, 1, 1, IR_MAX_ELEMENTS, &n))
        return stage_poison();
    struct ir_type t = *ir_typeof(s->unit->graph, x);
    if (t.dtype != DT_I32)
        return stage_arg_error(s, c, 0, "i32 indices");
    if (t.rank == IR_MAX_RANK)
        return stage_fail(s, c->at, "HLX0410", "a tensor has at most %d dimensions", IR_MAX_RANK);
    int64_t axis = 0;
    t.dim[t.rank] = 1;
    t.name[t.rank] = 0;
    ir_typeid row = ir_type_make(s->m, DT_I32, 1, &n, NULL);
    struct stage_value pair[2];
    pair[0] = stage_tensor(s, stage_reshape(s, c->at, x, t.rank + 1, t.dim, t.name));
    pair[1] = stage_tensor(s, stage_node(s, c->at, IR_iota, NULL, 0, &axis, 1, row));
    return stage_cast(s, c->at, stage_map(s, c->at, "one_hot", IR_eq, pair, 2), DT_F32);
}

// -- constants -----------------------------------------------------------------------------------

// A nested array being flattened.
struct flat {
    struct ir_type type;
    bool floats, bools, ints;
    VEC(struct stage_value) items;
};

static bool uneven(struct stage *s, struct stage_call *c)
{
    stage_fail(s, c->arg_at[0], "HLX0410", "the rows of this array have different lengths");
    return false;
}

// The shape is that of the first elements.
static bool first_shape(struct stage *s, struct stage_call *c, struct stage_value v,
                        struct ir_type *t)
{
    for (; stage_is_list(v); v = stage_item(v, 0)) {
        if (!stage_count(v) || t->rank == IR_MAX_RANK) {
            stage_fail(s, c->arg_at[0], "HLX0410",
                       "a tensor has extents from 1 and at most %d "
                       "dimensions",
                       IR_MAX_RANK);
            return false;
        }
        t->dim[t->rank++] = (int64_t)stage_count(v);
    }
    return true;
}

static bool flatten(struct stage *s, struct stage_call *c, struct stage_value v, unsigned axis,
                    struct flat *to)
{
    if (!stage_is_list(v)) {
        if (axis != to->type.rank)
            return uneven(s, c);
        if (!stage_is_number(v) && v.kind != STAGE_BOOL) {
            if (v.kind != STAGE_POISON)
                stage_arg_error(s, c, 0, "a number or a nested array of numbers");
            return false;
        }
        to->floats |= v.kind == STAGE_FLOAT;
        to->bools |= v.kind == STAGE_BOOL;
        to->ints |= v.kind == STAGE_INT;
        vec_push(s->a, &to->items, v);
        return true;
    }
    if (axis >= to->type.rank || to->type.dim[axis] != (int64_t)stage_count(v))
        return uneven(s, c);
    for (size_t i = 0; i < stage_count(v); i++)
        if (!flatten(s, c, stage_item(v, i), axis + 1, to))
            return false;
    return true;
}

struct stage_value stage_make_tensor(struct stage *s, struct stage_call *c)
{
    struct flat f = {0};
    enum dtype dtype;
    if (stage_is_tensor(c->arg[0])) {
        if (!want_dtype(s, c, 1, ir_type_get(s->m, stage_typeid(s, c->arg[0]))->dtype, &dtype))
            return stage_poison();
        return stage_cast(s, c->at, c->arg[0], dtype);
    }
    if (!first_shape(s, c, c->arg[0], &f.type) || !flatten(s, c, c->arg[0], 0, &f))
        return stage_poison();
    enum dtype own = f.floats ? DT_F32 : f.ints ? DT_I32 : DT_BOOL;
    if (!want_dtype(s, c, 1, own, &dtype))
        return stage_poison();
    enum dtype made = dtype_class(dtype) == DTC_SMALL_FLOAT ? DT_F32 : dtype;
    uint32_t *bits = arena_array(s->a, f.items.n, sizeof *bits);
    for (size_t i = 0; i < f.items.n; i++)
        if (!stage_number_bits(s, c->arg_at[0], f.items.at[i], made, &bits[i]))
            return stage_poison();
    if (!s->unit) // says that there is no graph here
        return stage_tensor(s, stage_constant(s, c->at, stage_int(0), DT_I32));
    ir_typeid type = ir_type_make(s->m, made, f.type.rank, f.type.dim, NULL);
    ir_ref r = ir_const_array(s->unit->graph, type, bits);
    return stage_cast(s, c->at, stage_tensor(s, r), dtype);
}

// -- counters and random bits --------------------------------------------------------------------

struct stage_value stage_make_step(struct stage *s, struct stage_call *c)
{
    int64_t which = 2;
    ir_typeid type = ir_type_scalar(s->m, DT_U32);
    return stage_tensor(s, stage_node(s, c->at, IR_counter, NULL, 0, &which, 1, type));
}

// The stream of the n-th draw at a path: the first 8 bytes of SHA-256 of "path#n".
static void stream_of(struct stage *s, int64_t out[2])
{
    struct map_entry *drawn = map_put_str(&s->unit->draws, s->path, NULL);
    const char *name = arena_printf(s->a, "%s#%llu", s->path, (unsigned long long)drawn->value.u++);
    unsigned char sha[HANDLE_BYTES];
    sha256_of(name, strlen(name), sha);
    for (unsigned i = 0; i < 2; i++)
        out[i] = (int64_t)sha[4 * i] | (int64_t)sha[4 * i + 1] << 8 |
                 (int64_t)sha[4 * i + 2] << 16 | (int64_t)sha[4 * i + 3] << 24;
}

struct stage_value stage_make_random(struct stage *s, struct stage_call *c)
{
    int64_t stream[2] = {0};
    ir_typeid type = want_type(s, c, 0, DT_U32);
    if (!type)
        return stage_poison();
    if (s->unit)
        stream_of(s, stream);
    return stage_tensor(s, stage_node(s, c->at, IR_random_bits, NULL, 0, stream, 2, type));
}
