// simplify_rules.c: the rewrites of single operations that keep every bit.
//
// Subnormals are flushed by arithmetic but not by moves, so `x * 1` is `x` only where x is known to
// be clean: without subnormals, and without NaNs but the canonical one.
#include "ir/simplify_rules.h"

#include <string.h>

// -- clean values --------------------------------------------------------------------------------

static bool clean_bits(uint32_t bits)
{
    uint32_t exponent = bits >> 23 & 255, fraction = bits & 0x7fffff;
    return fraction == 0 || (exponent > 0 && exponent < 255) || bits == 0x7fc00000;
}

static bool clean_const(const struct simplifier *s, ir_ref r)
{
    for (unsigned i = 0; i < ir_get(s->g, r)->nattrs; i++)
        if (!clean_bits((uint32_t)ir_attr(s->g, r, i)))
            return false;
    return true;
}

// Whether an operation passes bits of its float operands through.
static bool passes_bits(enum ir_op op)
{
    static const bool passes[IR_OP_COUNT] = {
        [IR_neg] = true,        [IR_abs] = true,        [IR_min] = true,    [IR_max] = true,
        [IR_reduce_max] = true, [IR_reduce_min] = true, [IR_select] = true, [IR_across] = true};
    enum ir_class class = ir_op_info(op)->class;
    return passes[op] || class == IRC_MOVE || class == IRC_GATHER || class == IRC_META;
}

bool simplify_is_clean(const struct simplifier *s, ir_ref r)
{
    enum ir_op op = ir_opcode(s->g, r);
    if (ir_typeof(s->g, r)->dtype != DT_F32 || op == IR_bitcast)
        return false;
    if (op == IR_const)
        return clean_const(s, r);
    if (op == IR_cast)
        return ir_typeof(s->g, ir_arg(s->g, r, 0))->dtype != DT_BF16;
    if (!passes_bits(op))
        return true;
    for (unsigned i = 0; i < ir_get(s->g, r)->nargs; i++) {
        ir_ref a = ir_arg(s->g, r, i);
        if (ir_typeof(s->g, a)->dtype == DT_F32 && !s->clean.at[a])
            return false;
    }
    return true;
}

// Whether `x` may stand for an arithmetic identity of x.
static bool exact(const struct simplifier *s, ir_ref x)
{
    return dtype_class(ir_typeof(s->g, x)->dtype) == DTC_INT || s->clean.at[x];
}

// -- constants -----------------------------------------------------------------------------------

// Whether all elements of r are the one pattern *bits.
static bool splat_bits(const struct ir_graph *g, ir_ref r, uint32_t *bits)
{
    while (ir_opcode(g, r) == IR_broadcast || ir_opcode(g, r) == IR_reshape)
        r = ir_arg(g, r, 0);
    if (ir_opcode(g, r) != IR_const)
        return false;
    *bits = (uint32_t)ir_attr(g, r, 0);
    for (unsigned i = 1; i < ir_get(g, r)->nattrs; i++)
        if (ir_attr(g, r, i) != (int64_t)*bits)
            return false;
    return true;
}

static bool is_one(const struct ir_graph *g, ir_ref r)
{
    uint32_t bits;
    return splat_bits(g, r, &bits) && bits == (ir_typeof(g, r)->dtype == DT_F32 ? 0x3f800000u : 1u);
}

// -- elementwise ---------------------------------------------------------------------------------

// -(-x)
static ir_ref rewrite_neg(struct simplifier *s, const struct simplify_node *n)
{
    if (ir_opcode(s->g, n->a[0]) != IR_neg)
        return 0;
    ir_ref x = ir_arg(s->g, n->a[0], 0);
    return exact(s, x) ? x : 0;
}

static ir_ref rewrite_not(struct simplifier *s, const struct simplify_node *n)
{
    return ir_opcode(s->g, n->a[0]) == IR_not ? ir_arg(s->g, n->a[0], 0) : 0;
}

static ir_ref rewrite_mul(struct simplifier *s, const struct simplify_node *n)
{
    if (is_one(s->g, n->a[1]) && exact(s, n->a[0]))
        return n->a[0];
    if (is_one(s->g, n->a[0]) && exact(s, n->a[1]))
        return n->a[1];
    return 0;
}

static ir_ref rewrite_div(struct simplifier *s, const struct simplify_node *n)
{
    return is_one(s->g, n->a[1]) && exact(s, n->a[0]) ? n->a[0] : 0;
}

static ir_ref rewrite_select(struct simplifier *s, const struct simplify_node *n)
{
    uint32_t bits;
    if (n->a[1] == n->a[2])
        return n->a[1];
    return splat_bits(s->g, n->a[0], &bits) ? n->a[bits ? 1 : 2] : 0;
}

// Whether every value of `from` is a value of `mid`, and going on to `to` directly is the same.
static bool exact_between(enum dtype from, enum dtype mid, enum dtype to)
{
    bool small = from == DT_BOOL || from == DT_U8;
    bool to_ok = to == DT_F32 || to == DT_I32 || to == DT_BOOL || (small && to == DT_U32);
    bool mid_ok = mid == DT_F32 || mid == DT_I32 || (small && mid == DT_U32);
    return (small || from == DT_I8) && mid_ok && to_ok;
}

// A cast to the same type; a cast of an exact cast.
static ir_ref rewrite_cast(struct simplifier *s, const struct simplify_node *n)
{
    enum dtype to = ir_type_get(s->g->module, n->type)->dtype;
    enum dtype mid = ir_typeof(s->g, n->a[0])->dtype;
    if (to == mid)
        return to == DT_BOOL || exact(s, n->a[0]) ? n->a[0] : 0;
    if (ir_opcode(s->g, n->a[0]) != IR_cast)
        return 0;
    ir_ref x = ir_arg(s->g, n->a[0], 0);
    enum dtype from = ir_typeof(s->g, x)->dtype;
    if (!exact_between(from, mid, to))
        return 0;
    return from == to ? x
                      : simplify_make(s, &(struct simplify_node){IR_cast, n->type, &x, 1, NULL, 0});
}

// A bitcast to the same type or back. What was f32 in between may have lost a NaN's payload.
static ir_ref rewrite_bitcast(struct simplifier *s, const struct simplify_node *n)
{
    enum dtype to = ir_type_get(s->g->module, n->type)->dtype;
    ir_ref x = n->a[0];
    if (ir_typeof(s->g, x)->dtype == to && exact(s, x))
        return x;
    if (ir_opcode(s->g, x) != IR_bitcast || ir_typeof(s->g, x)->dtype == DT_F32)
        return 0;
    x = ir_arg(s->g, x, 0);
    return ir_typeof(s->g, x)->dtype == to && exact(s, x) ? x : 0;
}

// -- moves ---------------------------------------------------------------------------------------

static bool same_type(const struct simplifier *s, ir_ref r, ir_typeid t)
{
    return ir_type_equal(s->g->module, ir_get(s->g, r)->type, t);
}

// Whether two shapes differ in leading extents of 1 only, which a broadcast does not see.
static bool same_but_for_leading_ones(const struct ir_type *a, const struct ir_type *b)
{
    unsigned i = 0, k = 0;
    while (i < a->rank && a->dim[i] == 1)
        i++;
    while (k < b->rank && b->dim[k] == 1)
        k++;
    return a->rank - i == b->rank - k &&
           !memcmp(a->dim + i, b->dim + k, (a->rank - i) * sizeof *a->dim);
}

// Whether a move to a shape makes the one before it needless.
static bool swallows(const struct simplifier *s, enum ir_op op, ir_ref before)
{
    if (ir_opcode(s->g, before) == op)
        return true;
    return op == IR_broadcast && ir_opcode(s->g, before) == IR_reshape &&
           ir_typeof(s->g, ir_arg(s->g, before, 0))->rank <= ir_typeof(s->g, before)->rank &&
           same_but_for_leading_ones(ir_typeof(s->g, ir_arg(s->g, before, 0)),
                                     ir_typeof(s->g, before));
}

// Moves to a shape: nothing to do, or two in one.
static ir_ref rewrite_shape(struct simplifier *s, const struct simplify_node *n)
{
    if (same_type(s, n->a[0], n->type))
        return n->a[0];
    if (!swallows(s, n->op, n->a[0]))
        return 0;
    ir_ref x = ir_arg(s->g, n->a[0], 0);
    if (same_type(s, x, n->type))
        return x;
    return simplify_make(s, &(struct simplify_node){n->op, n->type, &x, 1, NULL, 0});
}

static bool is_identity(const int64_t *perm, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (perm[i] != (int64_t)i)
            return false;
    return true;
}

static ir_ref rewrite_transpose(struct simplifier *s, const struct simplify_node *n)
{
    int64_t perm[IR_MAX_RANK];
    if (is_identity(n->attrs, n->nattrs))
        return n->a[0];
    if (ir_opcode(s->g, n->a[0]) != IR_transpose)
        return 0;
    ir_ref x = ir_arg(s->g, n->a[0], 0);
    for (unsigned i = 0; i < n->nattrs; i++)
        perm[i] = ir_attr(s->g, n->a[0], (unsigned)n->attrs[i]);
    if (is_identity(perm, n->nattrs))
        return x;
    return simplify_make(s, &(struct simplify_node){IR_transpose, n->type, &x, 1, perm, n->nattrs});
}

static ir_ref rewrite_slice(struct simplifier *s, const struct simplify_node *n)
{
    return same_type(s, n->a[0], n->type) ? n->a[0] : 0;
}

// The extents tell whether a slice takes all, but not whether a pad adds nothing: it cannot shrink.
static ir_ref rewrite_pad(struct simplifier *s, const struct simplify_node *n)
{
    return same_type(s, n->a[0], n->type) ? n->a[0] : 0;
}

static ir_ref rewrite_concat(struct simplifier *s, const struct simplify_node *n)
{
    (void)s;
    return n->nargs == 1 ? n->a[0] : 0;
}

// An elementwise operation on repeated scalars is done once and its result repeated.
static ir_ref rewrite_scalars(struct simplifier *s, const struct simplify_node *n)
{
    struct ir_module *m = s->g->module;
    ir_ref a[3];
    if (ir_op_info(n->op)->class != IRC_MAP)
        return 0;
    for (unsigned i = 0; i < n->nargs; i++) {
        if (ir_opcode(s->g, n->a[i]) != IR_broadcast)
            return 0;
        a[i] = ir_arg(s->g, n->a[i], 0);
        if (ir_typeof(s->g, a[i])->rank)
            return 0;
    }
    ir_typeid scalar = ir_type_scalar(m, ir_type_get(m, n->type)->dtype);
    ir_ref x = simplify_make(s, &(struct simplify_node){n->op, scalar, a, n->nargs, NULL, 0});
    return simplify_make(s, &(struct simplify_node){IR_broadcast, n->type, &x, 1, NULL, 0});
}

ir_ref simplify_rewrite(struct simplifier *s, const struct simplify_node *n)
{
    static ir_ref (*const rules[IR_OP_COUNT])(struct simplifier *, const struct simplify_node *) = {
        [IR_neg] = rewrite_neg,         [IR_not] = rewrite_not,
        [IR_mul] = rewrite_mul,         [IR_div] = rewrite_div,
        [IR_select] = rewrite_select,   [IR_cast] = rewrite_cast,
        [IR_bitcast] = rewrite_bitcast, [IR_reshape] = rewrite_shape,
        [IR_broadcast] = rewrite_shape, [IR_transpose] = rewrite_transpose,
        [IR_slice] = rewrite_slice,     [IR_pad] = rewrite_pad,
        [IR_concat] = rewrite_concat,
    };
    ir_ref r = rules[n->op] ? rules[n->op](s, n) : 0;
    return r ? r : rewrite_scalars(s, n);
}
