// exact_log.c: trees of log and log1p.
//
// Both write the argument as 2^k * m with m in [2/3, 4/3), so that log x = k * ln 2 + log(1 + f)
// with f = m - 1, which is exact. Only the leading addition is compensated.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// -- k and m -------------------------------------------------------------------------------------

struct split {
    ir_ref k;     // as f32
    ir_ref field; // as u32, in the exponent's place
    ir_ref f;     // m - 1
};

static struct split split(struct ir_graph *g, ir_ref bits)
{
    ir_ref k = x_shr(g, x_signed(g, x_addu(g, bits, 0u - 0x3f2aaaabu)), 23);
    ir_ref field = x_bits(g, x_shl(g, k, 23));
    ir_ref m = x_float(g, x_sub(g, bits, field));
    return (struct split){x_to_float(g, k), field, x_addf(g, m, -1.0f)};
}

// k * ln 2 + log(1 + f) + small, for f in [-1/3, 1/3].
static ir_ref log_sum(struct ir_graph *g, struct split x, ir_ref small)
{
    // (log(1 + f) - f + f^2 / 2) / f^3, to 2^-30.1 of log(1 + f).
    static const float p[] = {0x1.555556p-2f,  -0x1.ffff18p-3f, 0x1.9997eep-3f,
                              -0x1.55978cp-3f, 0x1.24eb70p-3f,  -0x1.f3b034p-4f,
                              0x1.b91eaap-4f,  -0x1.06c294p-3f, 0x1.e9d316p-4f};
    ir_ref square = x_mul(g, x.f, x.f);
    ir_ref tail = x_mul(g, x_mul(g, square, x.f), x_poly(g, x.f, p, 9));
    tail = x_sub(g, tail, x_mulf(g, square, 0.5f));
    if (small)
        tail = x_add(g, tail, small);
    // ln 2 in two parts: the first has 16 bits, so that its product with k is exact.
    tail = x_add(g, x_mulf(g, x.k, 0x1.7f7d1cp-20f), tail);
    struct x_pair sum = x_fast_sum(g, x_mulf(g, x.k, 0x1.62e4p-1f), x.f);
    return x_bits(g, x_add(g, sum.hi, x_add(g, sum.lo, tail)));
}

// -- the functions -------------------------------------------------------------------------------

ir_ref tree_log(struct ir_graph *g, const ir_ref *args)
{
    ir_ref u = x_bits(g, args[0]);
    ir_ref value = log_sum(g, split(g, u), 0);
    ir_ref is_normal = x_ltu(g, x_addu(g, u, 0u - X_HIDDEN), X_INF - X_HIDDEN);
    ir_ref is_zero = x_ltu(g, x_shl(g, u, 1), X_HIDDEN << 1);
    ir_ref other = x_selectuu(g, x_equ(g, u, X_INF), X_INF, X_NAN);
    other = x_selectu(g, is_zero, X_INF | X_SIGN, other);
    return x_float(g, x_select(g, is_normal, value, other));
}

ir_ref tree_log1p(struct ir_graph *g, const ir_ref *args)
{
    ir_ref x = args[0], u = x_bits(g, x);
    // 1 + x as w + d, exactly, whichever is larger.
    ir_ref w = x_addf(g, x, 1.0f), back = x_addf(g, w, -1.0f);
    ir_ref d = x_add(g, x_fsub(g, 1.0f, x_sub(g, w, back)), x_sub(g, x, back));
    struct split s = split(g, x_bits(g, w));
    // d in units of m. 2^-k does not exist for the largest k, where d does not matter.
    ir_ref unit = x_float(g, x_usub(g, X_ONE, s.field));
    unit = x_select(g, x_lt(g, x_f(g, 64.0f), s.k), x_f(g, 0.0f), unit);
    struct x_pair f = x_fast_sum(g, s.f, x_mul(g, d, unit));
    s.f = f.hi;
    ir_ref value = log_sum(g, s, x_sub(g, f.lo, x_mul(g, f.lo, f.hi)));
    value = x_selectu(g, x_equ(g, u, X_INF), X_INF, value);
    value = x_selectu(g, x_equ(g, u, X_ONE | X_SIGN), X_INF | X_SIGN, value);
    value = x_selectu(g, x_gtu(g, u, X_ONE | X_SIGN), X_NAN, value);
    return x_float(g, x_odd_cases(g, u, value));
}
