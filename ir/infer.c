// infer.c: computes result types: the dispatch, leaves and elementwise operations.
//
// The messages are what users read when a shape is wrong, so they name the operation, both shapes
// and the extents that disagree.
#include "ir/infer_rules.h"

#include <string.h>

// -- shared by the rules -------------------------------------------------------------------------

ir_typeid infer_fail(struct infer *c, int arg, int axis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *c->fault = (struct ir_fault){arena_vprintf(c->m->arena, format, args), arg, axis};
    va_end(args);
    return 0;
}

const struct ir_type *infer_arg(const struct infer *c, unsigned i)
{
    return ir_type_get(c->m, c->args[i]);
}

const char *infer_text(const struct infer *c, unsigned i)
{
    return ir_type_text(c->m, c->args[i]);
}

const char *infer_shape_text(const struct infer *c, unsigned i)
{
    return strchr(infer_text(c, i), '[');
}

ir_typeid infer_result(struct infer *c, enum dtype dtype, unsigned rank, const int64_t *dims,
                       const ir_name *names)
{
    if (rank > IR_MAX_RANK)
        return infer_fail(c, -1, -1,
                          "the result of `%s` would have %u dimensions; at most %d are allowed",
                          c->name, rank, IR_MAX_RANK);
    if (!ir_shape_ok(rank, dims))
        return infer_fail(c, -1, -1, "the result of `%s` would have more than 2^40 elements",
                          c->name);
    return ir_type_make(c->m, dtype, rank, dims, names);
}

// -- leaves --------------------------------------------------------------------------------------

static ir_typeid wanted(struct infer *c)
{
    if (!c->wanted)
        return infer_fail(c, -1, -1, "`%s` needs to be told its type", c->name);
    return c->wanted;
}

static bool const_bits_ok(enum dtype t, int64_t bits)
{
    int64_t top = t == DT_BOOL ? 1 : (INT64_C(1) << 8 * dtype_bytes(t)) - 1;
    return bits >= 0 && bits <= top;
}

static ir_typeid given_const(struct infer *c)
{
    const struct ir_type *t = ir_type_get(c->m, c->wanted);
    if (ir_type_count(t) != (int64_t)c->nattrs)
        return infer_fail(c, -1, -1, "a constant %s needs %lld elements, not %u",
                          ir_type_text(c->m, c->wanted), (long long)ir_type_count(t), c->nattrs);
    for (unsigned i = 0; i < c->nattrs; i++)
        if (!const_bits_ok(t->dtype, c->attrs[i]))
            return infer_fail(c, -1, -1, "element %u of a constant is no bit pattern of %s", i,
                              dtype_name(t->dtype));
    return c->wanted;
}

static ir_typeid given_index(struct infer *c)
{
    if (c->attrs[0] < 0 || c->attrs[0] > UINT32_MAX)
        return infer_fail(c, -1, -1, "`%s` needs an index of 32 bits", c->name);
    return c->wanted;
}

static ir_typeid given_counter(struct infer *c)
{
    const struct ir_type *t = ir_type_get(c->m, c->wanted);
    if (t->dtype != DT_U32 || t->rank)
        return infer_fail(c, -1, -1, "`counter` is u32[], not %s", ir_type_text(c->m, c->wanted));
    if (c->attrs[0] < 0 || c->attrs[0] > 2)
        return infer_fail(c, -1, -1, "there are counters 0, 1 and 2 only");
    return c->wanted;
}

static ir_typeid given_random(struct infer *c)
{
    const struct ir_type *t = ir_type_get(c->m, c->wanted);
    if (t->dtype != DT_U32)
        return infer_fail(c, -1, -1, "`random_bits` gives u32, not %s", dtype_name(t->dtype));
    for (unsigned i = 0; i < 2; i++)
        if (c->attrs[i] < 0 || c->attrs[i] > UINT32_MAX)
            return infer_fail(c, -1, -1, "a random stream is named by two words of 32 bits");
    return c->wanted;
}

static ir_typeid given_cotangent(struct infer *c)
{
    if (ir_type_get(c->m, c->wanted)->dtype != DT_F32)
        return infer_fail(c, -1, -1, "a gradient is f32, not %s", ir_type_text(c->m, c->wanted));
    return given_index(c);
}

ir_typeid infer_given_rule(struct infer *c)
{
    static ir_typeid (*const by_op[IR_OP_COUNT])(struct infer *) = {
        [IR_const] = given_const,        [IR_input] = given_index,
        [IR_var] = given_index,          [IR_counter] = given_counter,
        [IR_random_bits] = given_random, [IR_cotangent] = given_cotangent,
    };
    return wanted(c) ? by_op[c->op](c) : 0;
}

ir_typeid infer_iota_rule(struct infer *c)
{
    if (!wanted(c))
        return 0;
    const struct ir_type *t = ir_type_get(c->m, c->wanted);
    if (t->dtype != DT_I32 && t->dtype != DT_U32)
        return infer_fail(c, -1, -1, "`iota` gives i32 or u32, not %s", dtype_name(t->dtype));
    if (c->attrs[0] < 0 || c->attrs[0] >= (int64_t)t->rank)
        return infer_fail(c, -1, -1, "`iota` has no axis %lld in %s", (long long)c->attrs[0],
                          ir_type_text(c->m, c->wanted));
    return c->wanted;
}

// -- elementwise ---------------------------------------------------------------------------------

static int lane_of(enum dtype t)
{
    static const int lane[DT_COUNT] = {[DT_F32] = 0,  [DT_I32] = 1,   [DT_U32] = 2, [DT_BOOL] = 3,
                                       [DT_F16] = -1, [DT_BF16] = -1, [DT_I8] = -1, [DT_U8] = -1};
    return lane[t];
}

// "f32", "i32 or u32", "f32, i32 or u32": what a MAP row takes.
static const char *takes_text(const struct infer *c)
{
    static const char *const lane[] = {"f32", "i32", "u32", "bool"};
    const char *takes[4], *text = "";
    unsigned n = 0;
    for (unsigned i = 0; i < 4; i++)
        if (ir_op_takes(c->op, i))
            takes[n++] = lane[i];
    for (unsigned i = 0; i < n; i++)
        text = arena_printf(c->m->arena, "%s%s%s", text,
                            i == 0       ? ""
                            : i == n - 1 ? " or "
                                         : ", ",
                            takes[i]);
    return text;
}

static bool check_lane(struct infer *c, unsigned arg)
{
    enum dtype t = infer_arg(c, arg)->dtype;
    int lane = lane_of(t);
    if (lane >= 0 && ir_op_takes(c->op, (unsigned)lane))
        return true;
    if (dtype_class(t) == DTC_SMALL_FLOAT)
        infer_fail(c, (int)arg, -1, "`%s` does not take %s: cast to f32 first", c->name,
                   dtype_name(t));
    else if (dtype_class(t) == DTC_SMALL_INT)
        infer_fail(c, (int)arg, -1, "`%s` does not take %s: cast to i32 or u32 first", c->name,
                   dtype_name(t));
    else
        infer_fail(c, (int)arg, -1, "`%s` takes %s, not %s", c->name, takes_text(c), dtype_name(t));
    return false;
}

// Checks that operands `from` .. are of one shape. Fills the names found.
static bool check_shapes(struct infer *c, unsigned from, ir_name names[IR_MAX_RANK])
{
    const struct ir_type *a = infer_arg(c, 0);
    for (unsigned i = from; i < c->nargs; i++) {
        const struct ir_type *b = infer_arg(c, i);
        if (a->rank != b->rank)
            return infer_fail(c, (int)i, -1, "`%s` needs equal shapes, not %s and %s", c->name,
                              infer_shape_text(c, 0), infer_shape_text(c, i));
        for (unsigned k = 0; k < a->rank; k++) {
            if (a->dim[k] != b->dim[k])
                return infer_fail(c, (int)i, (int)k,
                                  "`%s` needs equal shapes, not %s and %s: %lld against %lld in "
                                  "dimension %u",
                                  c->name, infer_shape_text(c, 0), infer_shape_text(c, i),
                                  (long long)a->dim[k], (long long)b->dim[k], k);
            if (!names[k])
                names[k] = b->name[k];
        }
    }
    return true;
}

// Elementwise on equal types; the result has element type `out`, or the operands' for DT_COUNT.
static ir_typeid map_rule(struct infer *c, enum dtype out)
{
    struct ir_type a = *infer_arg(c, 0);
    for (unsigned i = 0; i < c->nargs; i++)
        if (!check_lane(c, i))
            return 0;
    for (unsigned i = 1; i < c->nargs; i++)
        if (infer_arg(c, i)->dtype != a.dtype)
            return infer_fail(c, (int)i, -1, "`%s` needs operands of one type, not %s and %s",
                              c->name, dtype_name(a.dtype), dtype_name(infer_arg(c, i)->dtype));
    if (!check_shapes(c, 1, a.name))
        return 0;
    return ir_type_make(c->m, out == DT_COUNT ? a.dtype : out, a.rank, a.dim, a.name);
}

// The element types these take stand in the row's lanes; the rule's name says it for readers.
ir_typeid infer_num_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_sign_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_f32_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_bits_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_num2_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_int2_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_f322_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_bits2_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_u322_rule(struct infer *c)
{
    return map_rule(c, DT_COUNT);
}
ir_typeid infer_cmp_rule(struct infer *c)
{
    return map_rule(c, DT_BOOL);
}

ir_typeid infer_select_rule(struct infer *c)
{
    struct ir_type b = *infer_arg(c, 1);
    if (infer_arg(c, 0)->dtype != DT_BOOL)
        return infer_fail(c, 0, -1, "`select` needs a bool condition, not %s", infer_text(c, 0));
    if (!check_lane(c, 1) || !check_lane(c, 2))
        return 0;
    if (b.dtype != infer_arg(c, 2)->dtype)
        return infer_fail(c, 2, -1, "`select` needs two values of one type, not %s and %s",
                          dtype_name(b.dtype), dtype_name(infer_arg(c, 2)->dtype));
    memcpy(b.name, infer_arg(c, 1)->name, sizeof b.name);
    if (!check_shapes(c, 1, b.name))
        return 0;
    return ir_type_make(c->m, b.dtype, b.rank, b.dim, b.name);
}

// Casts and bitcasts keep the shape and take the element type from `wanted`.
static ir_typeid convert(struct infer *c)
{
    if (!wanted(c))
        return 0;
    struct ir_type to = *ir_type_get(c->m, c->wanted), from = *infer_arg(c, 0);
    if (to.rank != from.rank || memcmp(to.dim, from.dim, to.rank * sizeof *to.dim) != 0)
        return infer_fail(c, 0, -1, "`%s` keeps the shape: %s cannot become %s", c->name,
                          infer_text(c, 0), ir_type_text(c->m, c->wanted));
    return ir_type_make(c->m, to.dtype, from.rank, from.dim, from.name);
}

ir_typeid infer_cast_rule(struct infer *c)
{
    return convert(c);
}

ir_typeid infer_bitcast_rule(struct infer *c)
{
    if (!check_lane(c, 0) || !wanted(c))
        return 0;
    int to = lane_of(ir_type_get(c->m, c->wanted)->dtype);
    if (to < 0 || !ir_op_takes(IR_bitcast, (unsigned)to))
        return infer_fail(c, -1, -1, "`bitcast` gives f32, i32 or u32, not %s",
                          dtype_name(ir_type_get(c->m, c->wanted)->dtype));
    return convert(c);
}

// -- for the compiler ----------------------------------------------------------------------------

// custom: the value, then inputs, then as many gradients, each of its input's type. The gradient of
// an input that is not f32 is not looked at.
static ir_typeid check_custom(struct infer *c)
{
    int64_t inputs = c->attrs[1];
    if (c->attrs[0] < 0 || c->attrs[0] > UINT32_MAX || inputs < 0 || inputs > c->nargs ||
        c->nargs != 1 + 2 * inputs)
        return infer_fail(c, -1, -1, "a backward rule needs one gradient for each input");
    for (unsigned i = 1; i <= inputs; i++)
        if (!ir_type_equal(c->m, c->args[i], c->args[i + inputs]))
            return infer_fail(c, (int)(i + inputs), -1,
                              "gradient %u of the backward rule is %s, its input is %s", i,
                              infer_text(c, i + (unsigned)inputs), infer_text(c, i));
    return c->args[0];
}

ir_typeid infer_identity_rule(struct infer *c)
{
    return c->op == IR_custom ? check_custom(c) : c->args[0];
}

ir_typeid infer_grad_rule(struct infer *c)
{
    const struct ir_type *loss = infer_arg(c, 0), *wrt = infer_arg(c, 1);
    if (loss->rank || loss->dtype != DT_F32)
        return infer_fail(c, 0, -1, "`grad` needs a loss of type f32[], not %s%s", infer_text(c, 0),
                          loss->dtype == DT_F32 ? ": reduce it with mean or sum first" : "");
    if (wrt->dtype != DT_F32)
        return infer_fail(c, 1, -1, "`grad` needs an f32 tensor to differentiate by, not %s",
                          infer_text(c, 1));
    return c->args[1];
}

// -- between shards ------------------------------------------------------------------------------

ir_typeid infer_across_rule(struct infer *c)
{
    enum dtype t = infer_arg(c, 0)->dtype;
    if (c->attrs[0] < 0 || c->attrs[0] >= IR_ACROSS_COUNT)
        return infer_fail(c, -1, -1, "`across` takes sums, largest and smallest values only");
    if (t != DT_F32 && t != DT_I32 && t != DT_U32)
        return infer_fail(c, 0, -1, "`across` takes f32, i32 or u32, not %s: cast it first",
                          dtype_name(t));
    return c->args[0];
}

// -- dispatch ------------------------------------------------------------------------------------

static ir_typeid (*const rules[IR_OP_COUNT])(struct infer *) = {
#define TYPE(rule) infer_##rule##_rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) [IR_##name] = type,
#include "ir/ops.def"
#undef OP
#undef TYPE
};

static bool check_counts(struct infer *c, const struct ir_op_info *info)
{
    if (info->nargs == IR_VARIADIC && c->nargs == 0)
        return infer_fail(c, -1, -1, "`%s` needs at least one operand", c->name);
    if (info->nargs != IR_VARIADIC && info->nargs != c->nargs)
        return infer_fail(c, -1, -1, "`%s` takes %u operand%s, not %u", c->name, info->nargs,
                          info->nargs == 1 ? "" : "s", c->nargs);
    bool list;
    unsigned n = ir_op_attr_count(c->op, &list);
    if (list ? c->nattrs + 1 < n : c->nattrs != n)
        return infer_fail(c, -1, -1, "`%s` has the wrong number of attributes", c->name);
    return true;
}

// Names that the caller chose win over those that travelled here.
static ir_typeid merge_names(struct ir_module *m, ir_typeid chosen, ir_typeid inferred)
{
    struct ir_type t = *ir_type_get(m, chosen);
    for (unsigned i = 0; i < t.rank; i++)
        if (!t.name[i])
            t.name[i] = ir_type_get(m, inferred)->name[i];
    return ir_type_make(m, t.dtype, t.rank, t.dim, t.name);
}

bool ir_infer(struct ir_module *m, enum ir_op op, const ir_typeid *args, unsigned nargs,
              const int64_t *attrs, unsigned nattrs, ir_typeid wanted_type, ir_typeid *out,
              struct ir_fault *fault)
{
    const struct ir_op_info *info = ir_op_info(op);
    struct infer c = {m, op, info->name, args, nargs, attrs, nattrs, wanted_type, fault};
    *fault = (struct ir_fault){NULL, -1, -1};
    if (!check_counts(&c, info))
        return false;
    ir_typeid t = rules[op](&c);
    if (!t)
        return false;
    if (wanted_type && !ir_type_equal(m, t, wanted_type))
        return infer_fail(&c, -1, -1, "`%s` gives %s here, not %s", c.name, ir_type_text(m, t),
                          ir_type_text(m, wanted_type));
    *out = wanted_type ? merge_names(m, wanted_type, t) : t;
    return true;
}
