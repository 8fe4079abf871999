// exact_kit.c: makes the nodes of exact functions' trees.
#include "ir/exact_kit.h"

// -- constants and types -------------------------------------------------------------------------

ir_ref x_f(struct ir_graph *g, float value)
{
    return ir_const_f32(g, value);
}
ir_ref x_u(struct ir_graph *g, uint32_t value)
{
    return ir_const_bits(g, DT_U32, value);
}
ir_ref x_i(struct ir_graph *g, int32_t value)
{
    return ir_const_bits(g, DT_I32, (uint32_t)value);
}
ir_ref x_bits(struct ir_graph *g, ir_ref a)
{
    return ir_bitcast(g, a, DT_U32);
}
ir_ref x_signed(struct ir_graph *g, ir_ref a)
{
    return ir_bitcast(g, a, DT_I32);
}
ir_ref x_float(struct ir_graph *g, ir_ref a)
{
    return ir_bitcast(g, a, DT_F32);
}
ir_ref x_to_float(struct ir_graph *g, ir_ref a)
{
    return ir_cast(g, a, DT_F32);
}
ir_ref x_to_signed(struct ir_graph *g, ir_ref a)
{
    return ir_cast(g, a, DT_I32);
}
ir_ref x_to_unsigned(struct ir_graph *g, ir_ref a)
{
    return ir_cast(g, a, DT_U32);
}

// -- arithmetic ----------------------------------------------------------------------------------

ir_ref x_add(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_add, a, b);
}
ir_ref x_sub(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_sub, a, b);
}
ir_ref x_mul(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_mul, a, b);
}
ir_ref x_mul_hi(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_mul_hi, a, b);
}
ir_ref x_min(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_min, a, b);
}
ir_ref x_max(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_max, a, b);
}
ir_ref x_addf(struct ir_graph *g, ir_ref a, float b)
{
    return x_add(g, a, x_f(g, b));
}
ir_ref x_mulf(struct ir_graph *g, ir_ref a, float b)
{
    return x_mul(g, a, x_f(g, b));
}
ir_ref x_addu(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_add(g, a, x_u(g, b));
}
ir_ref x_fsub(struct ir_graph *g, float b, ir_ref a)
{
    return x_sub(g, x_f(g, b), a);
}
ir_ref x_usub(struct ir_graph *g, uint32_t b, ir_ref a)
{
    return x_sub(g, x_u(g, b), a);
}
ir_ref x_mul_add(struct ir_graph *g, ir_ref a, ir_ref b, ir_ref c)
{
    return x_add(g, x_mul(g, a, b), c);
}

ir_ref x_poly(struct ir_graph *g, ir_ref x, const float *c, unsigned n)
{
    ir_ref sum = x_f(g, c[n - 1]);
    for (unsigned i = n - 1; i-- > 0;)
        sum = x_addf(g, x_mul(g, x, sum), c[i]);
    return sum;
}

// -- bits ----------------------------------------------------------------------------------------

ir_ref x_and(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_and, a, b);
}
ir_ref x_or(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_or, a, b);
}
ir_ref x_xor(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_xor, a, b);
}
ir_ref x_andu(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_and(g, a, x_u(g, b));
}
ir_ref x_oru(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_or(g, a, x_u(g, b));
}
ir_ref x_xoru(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_xor(g, a, x_u(g, b));
}
ir_ref x_shl_by(struct ir_graph *g, ir_ref a, ir_ref count)
{
    return ir_binary(g, IR_shl, a, count);
}
ir_ref x_shr_by(struct ir_graph *g, ir_ref a, ir_ref count)
{
    return ir_binary(g, IR_shr, a, count);
}

// Both operands of a shift have one type.
static ir_ref shift_count(struct ir_graph *g, ir_ref a, unsigned count)
{
    return ir_const_bits(g, ir_typeof(g, a)->dtype, count);
}
ir_ref x_shl(struct ir_graph *g, ir_ref a, unsigned count)
{
    return x_shl_by(g, a, shift_count(g, a, count));
}
ir_ref x_shr(struct ir_graph *g, ir_ref a, unsigned count)
{
    return x_shr_by(g, a, shift_count(g, a, count));
}

// -- comparisons and choice ----------------------------------------------------------------------

ir_ref x_eq(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_eq, a, b);
}
ir_ref x_lt(struct ir_graph *g, ir_ref a, ir_ref b)
{
    return ir_binary(g, IR_lt, a, b);
}
ir_ref x_equ(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_eq(g, a, x_u(g, b));
}
ir_ref x_ltu(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_lt(g, a, x_u(g, b));
}
ir_ref x_gtu(struct ir_graph *g, ir_ref a, uint32_t b)
{
    return x_lt(g, x_u(g, b), a);
}
ir_ref x_lti(struct ir_graph *g, ir_ref a, int32_t b)
{
    return x_lt(g, a, x_i(g, b));
}
ir_ref x_gti(struct ir_graph *g, ir_ref a, int32_t b)
{
    return x_lt(g, x_i(g, b), a);
}
ir_ref x_select(struct ir_graph *g, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_select(g, a, b, c);
}
ir_ref x_selectu(struct ir_graph *g, ir_ref a, uint32_t b, ir_ref c)
{
    return x_select(g, a, x_u(g, b), c);
}
ir_ref x_selectuu(struct ir_graph *g, ir_ref a, uint32_t b, uint32_t c)
{
    return x_select(g, a, x_u(g, b), x_u(g, c));
}

// -- idioms of fixed point -----------------------------------------------------------------------

static ir_ref fixed_horner(struct ir_graph *g, enum ir_op op, ir_ref x, const uint32_t *c,
                           unsigned n)
{
    ir_ref sum = x_u(g, c[n - 1]);
    for (unsigned i = n - 1; i-- > 0;)
        sum = ir_binary(g, op, x_u(g, c[i]), x_mul_hi(g, x, sum));
    return sum;
}

ir_ref x_fixed_poly(struct ir_graph *g, ir_ref x, const uint32_t *c, unsigned n)
{
    return fixed_horner(g, IR_sub, x, c, n);
}
ir_ref x_fixed_poly_add(struct ir_graph *g, ir_ref x, const uint32_t *c, unsigned n)
{
    return fixed_horner(g, IR_add, x, c, n);
}

ir_ref x_funnel(struct ir_graph *g, ir_ref hi, ir_ref lo, ir_ref count)
{
    // In two steps, since the shift of lo can be by 32.
    ir_ref low = x_shr_by(g, x_shr(g, lo, 1), x_xoru(g, count, 31));
    return x_or(g, x_shl_by(g, hi, count), low);
}

// -- idioms of f32 -------------------------------------------------------------------------------

ir_ref x_head(struct ir_graph *g, ir_ref a)
{
    return x_float(g, x_andu(g, x_bits(g, a), 0xfffff000u));
}

struct x_pair x_fast_sum(struct ir_graph *g, ir_ref a, ir_ref b)
{
    ir_ref sum = x_add(g, a, b);
    return (struct x_pair){sum, x_sub(g, b, x_sub(g, sum, a))};
}

struct x_pair x_fast_sub(struct ir_graph *g, ir_ref a, ir_ref b)
{
    ir_ref difference = x_sub(g, a, b);
    return (struct x_pair){difference, x_sub(g, x_sub(g, a, difference), b)};
}

ir_ref x_reciprocal(struct ir_graph *g, ir_ref d, float one)
{
    ir_ref guess = x_float(g, x_usub(g, 0x7ef311c3u, x_bits(g, d)));
    ir_ref e = x_fsub(g, 1.0f, x_mul(g, d, guess));
    ir_ref better = x_mul_add(g, guess, e, guess);
    return x_mul(g, better, x_addf(g, x_mul(g, e, e), one));
}

struct x_integer x_nearest(struct ir_graph *g, ir_ref x)
{
    ir_ref shifted = x_addf(g, x, X_ROUNDER);
    return (struct x_integer){x_sub(g, shifted, x_f(g, X_ROUNDER)),
                              x_shl(g, x_bits(g, shifted), 23)};
}

ir_ref x_odd_cases(struct ir_graph *g, ir_ref u, ir_ref value)
{
    ir_ref size = x_andu(g, u, X_ABS);
    value = x_select(g, x_ltu(g, size, X_HIDDEN), x_andu(g, u, X_SIGN), value);
    return x_selectu(g, x_gtu(g, size, X_INF), X_NAN, value);
}
