// grad_rules.c: the gradients of elementwise operations.
//
// The formulas' order of operations is part of the numeric contract (spec/ir.md, "Gradients"): a
// change here changes the bits of every training run.
#include "ir/grad_rules.h"

ir_ref grad_neg(struct grad_step *s, ir_ref a)
{
    return ir_unary(s->g, IR_neg, a);
}

ir_ref grad_add(struct grad_step *s, ir_ref a, ir_ref b)
{
    return ir_binary(s->g, IR_add, a, b);
}

ir_ref grad_sub(struct grad_step *s, ir_ref a, ir_ref b)
{
    return ir_binary(s->g, IR_sub, a, b);
}

ir_ref grad_mul(struct grad_step *s, ir_ref a, ir_ref b)
{
    return ir_binary(s->g, IR_mul, a, b);
}

ir_ref grad_div(struct grad_step *s, ir_ref a, ir_ref b)
{
    return ir_binary(s->g, IR_div, a, b);
}

ir_ref grad_lt(struct grad_step *s, ir_ref a, ir_ref b)
{
    return ir_binary(s->g, IR_lt, a, b);
}

ir_ref grad_fill(struct grad_step *s, ir_ref like, float x)
{
    return ir_splat_f32(s->g, ir_type_with(s->g->module, ir_get(s->g, like)->type, DT_F32), x);
}

// No gradient flows, or there is nothing to flow to.
void grad_none_rule(struct grad_step *s)
{
    (void)s;
}
void grad_leaf_rule(struct grad_step *s)
{
    (void)s;
}

// -- one operand ---------------------------------------------------------------------------------

void grad_neg_rule(struct grad_step *s)
{
    s->da[0] = grad_neg(s, s->dy);
}

// dy * sign(a), and 0 at 0.
void grad_abs_rule(struct grad_step *s)
{
    ir_ref zero = grad_fill(s, s->a[0], 0);
    ir_ref negative = grad_lt(s, s->a[0], zero);
    ir_ref below = ir_select(s->g, negative, grad_neg(s, s->dy), zero);
    s->da[0] = ir_select(s->g, grad_lt(s, zero, s->a[0]), s->dy, below);
}

// dy * (0.5 / y)
void grad_sqrt_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, grad_div(s, grad_fill(s, s->y, 0.5f), s->y));
}

// dy * ((-0.5 * y) * (y * y))
void grad_rsqrt_rule(struct grad_step *s)
{
    ir_ref half = grad_mul(s, grad_fill(s, s->y, -0.5f), s->y);
    s->da[0] = grad_mul(s, s->dy, grad_mul(s, half, grad_mul(s, s->y, s->y)));
}

void grad_exp_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, s->y);
}

// dy * (y * ln 2)
void grad_exp2_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, grad_mul(s, s->y, grad_fill(s, s->y, 0x1.62e43p-1f)));
}

// dy * (y + 1)
void grad_expm1_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, grad_add(s, s->y, grad_fill(s, s->y, 1)));
}

void grad_log_rule(struct grad_step *s)
{
    s->da[0] = grad_div(s, s->dy, s->a[0]);
}

// dy / (1 + a)
void grad_log1p_rule(struct grad_step *s)
{
    s->da[0] = grad_div(s, s->dy, grad_add(s, grad_fill(s, s->y, 1), s->a[0]));
}

void grad_sin_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, ir_unary(s->g, IR_cos, s->a[0]));
}

// dy * -sin a
void grad_cos_rule(struct grad_step *s)
{
    s->da[0] = grad_mul(s, s->dy, grad_neg(s, ir_unary(s->g, IR_sin, s->a[0])));
}

// dy * (1 - y * y)
void grad_tanh_rule(struct grad_step *s)
{
    ir_ref one = grad_fill(s, s->y, 1);
    s->da[0] = grad_mul(s, s->dy, grad_sub(s, one, grad_mul(s, s->y, s->y)));
}

// (dy * y) * (1 - y)
void grad_sigmoid_rule(struct grad_step *s)
{
    ir_ref rest = grad_sub(s, grad_fill(s, s->y, 1), s->y);
    s->da[0] = grad_mul(s, grad_mul(s, s->dy, s->y), rest);
}

// dy * (2 / sqrt(pi) * e^-(a * a))
void grad_erf_rule(struct grad_step *s)
{
    ir_ref square = grad_neg(s, grad_mul(s, s->a[0], s->a[0]));
    ir_ref factor = grad_fill(s, s->y, 0x1.20dd76p+0f);
    s->da[0] = grad_mul(s, s->dy, grad_mul(s, factor, ir_unary(s->g, IR_exp, square)));
}

// Gradients stay f32 on both sides of a cast between float types.
void grad_cast_rule(struct grad_step *s)
{
    s->da[0] = s->dy;
}

// -- two operands --------------------------------------------------------------------------------

void grad_add_rule(struct grad_step *s)
{
    s->da[0] = s->dy;
    s->da[1] = s->dy;
}

void grad_sub_rule(struct grad_step *s)
{
    s->da[0] = s->dy;
    if (s->need[1])
        s->da[1] = grad_neg(s, s->dy);
}

void grad_mul_rule(struct grad_step *s)
{
    if (s->need[0])
        s->da[0] = grad_mul(s, s->dy, s->a[1]);
    if (s->need[1])
        s->da[1] = grad_mul(s, s->dy, s->a[0]);
}

// q = dy / b; -(q * y)
void grad_div_rule(struct grad_step *s)
{
    ir_ref q = grad_div(s, s->dy, s->a[1]);
    s->da[0] = q;
    if (s->need[1])
        s->da[1] = grad_neg(s, grad_mul(s, q, s->y));
}

// b = 0 ? 0 : dy * (b * a^(b - 1)); a > 0 ? dy * (y * log a) : 0
void grad_pow_rule(struct grad_step *s)
{
    ir_ref a = s->a[0], b = s->a[1], zero = grad_fill(s, s->y, 0);
    if (s->need[0]) {
        ir_ref less = ir_binary(s->g, IR_pow, a, grad_sub(s, b, grad_fill(s, s->y, 1)));
        ir_ref d = grad_mul(s, s->dy, grad_mul(s, b, less));
        s->da[0] = ir_select(s->g, ir_binary(s->g, IR_eq, b, zero), zero, d);
    }
    if (s->need[1]) {
        ir_ref d = grad_mul(s, s->dy, grad_mul(s, s->y, ir_unary(s->g, IR_log, a)));
        s->da[1] = ir_select(s->g, grad_lt(s, zero, a), d, zero);
    }
}

// dy goes to the second operand where `second` holds, else to the first.
static void pick(struct grad_step *s, ir_ref second)
{
    ir_ref zero = grad_fill(s, s->y, 0);
    if (s->need[0])
        s->da[0] = ir_select(s->g, second, zero, s->dy);
    if (s->need[1])
        s->da[1] = ir_select(s->g, second, s->dy, zero);
}

void grad_min_rule(struct grad_step *s)
{
    pick(s, grad_lt(s, s->a[1], s->a[0]));
}

void grad_max_rule(struct grad_step *s)
{
    pick(s, grad_lt(s, s->a[0], s->a[1]));
}

// -- three operands ------------------------------------------------------------------------------

void grad_select_rule(struct grad_step *s)
{
    ir_ref zero = grad_fill(s, s->y, 0);
    if (s->need[1])
        s->da[1] = ir_select(s->g, s->a[0], s->dy, zero);
    if (s->need[2])
        s->da[2] = ir_select(s->g, s->a[0], zero, s->dy);
}
