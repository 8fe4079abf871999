// exact_exp.c: trees of exp, exp2, expm1, and of sigmoid and tanh, which are made from e^x.
//
// All take x apart as k * ln 2 + r, so that e^x = 2^k * e^r with e^r near 1. Only the leading
// addition is compensated for its rounding error. 2^k is added to the bits of the result, and a
// result out of range is replaced by comparing x.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// ln 2 in two parts: the first has 16 bits, so that its product with k is exact.
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define LOG2_E 0x1.715476p+0f

// -- e^x -----------------------------------------------------------------------------------------

// x = k * ln 2 + (r + low), |r| < 0.347.
struct reduced {
    struct x_integer k;
    ir_ref r, low;
};

static struct reduced reduce(struct ir_graph *g, ir_ref x)
{
    struct x_integer k = x_nearest(g, x_mulf(g, x, LOG2_E));
    ir_ref high = x_sub(g, x, x_mulf(g, k.value, LN2_HIGH));
    ir_ref kl = x_mulf(g, k.value, LN2_LOW);
    ir_ref r = x_sub(g, high, kl);
    return (struct reduced){k, r, x_sub(g, x_sub(g, high, r), kl)};
}

struct scaled_sum tree_exp_parts(struct ir_graph *g, ir_ref x)
{
    // (e^r - 1 - r) / r^2, to 2^-28.2 of e^r.
    static const float p[] = {0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.555862p-5f, 0x1.123deap-7f,
                              0x1.6aba38p-10f};
    struct reduced t = reduce(g, x);
    ir_ref square = x_mul(g, t.r, t.r);
    ir_ref tail = x_mul_add(g, square, x_poly(g, t.r, p, 5), t.low);
    struct x_pair sum = x_fast_sum(g, x_f(g, 1.0f), t.r);
    return (struct scaled_sum){sum.hi, x_add(g, sum.lo, tail), t.k.field};
}

// What remains of x where the plain value does not hold: NaN; above `most` infinity; and below
// -`least` (both as bits) `low`.
static ir_ref exp_cases(struct ir_graph *g, ir_ref u, ir_ref value, uint32_t most, uint32_t least,
                        uint32_t low)
{
    value = x_selectu(g, x_gti(g, x_signed(g, u), (int32_t)most), X_INF, value);
    value = x_selectu(g, x_gtu(g, u, least | X_SIGN), low, value);
    return x_selectu(g, x_gtu(g, x_andu(g, u, X_ABS), X_INF), X_NAN, value);
}

#define EXP_MOST 0x42b17217u  // 88.7228: e^x is finite
#define EXP_LEAST 0x42aeac4fu // 87.3365: e^-x is normal

ir_ref tree_exp(struct ir_graph *g, const ir_ref *args)
{
    struct scaled_sum e = tree_exp_parts(g, args[0]);
    ir_ref value = x_add(g, x_bits(g, x_add(g, e.hi, e.lo)), e.field);
    return x_float(g, exp_cases(g, x_bits(g, args[0]), value, EXP_MOST, EXP_LEAST, 0));
}

// -- 2^x -----------------------------------------------------------------------------------------

ir_ref tree_exp2(struct ir_graph *g, const ir_ref *args)
{
    // (2^r - 1 - r ln 2) / r^2, to 2^-28.2 of 2^r.
    static const float p[] = {0x1.ebfbdcp-3f, 0x1.c6af84p-5f, 0x1.3b2daep-7f, 0x1.5f0720p-10f,
                              0x1.41af82p-13f};
    ir_ref x = args[0];
    struct x_integer k = x_nearest(g, x);
    ir_ref r = x_sub(g, x, k.value);
    // r ln 2: the product of two heads of 12 bits is exact.
    ir_ref head = x_head(g, r);
    ir_ref rest = x_mulf(g, x_sub(g, r, head), 0x1.62ep-1f);
    rest = x_add(g, rest, x_mulf(g, r, 0x1.0bfbe8p-15f));
    ir_ref tail = x_mul_add(g, x_mul(g, r, r), x_poly(g, r, p, 5), rest);
    struct x_pair sum = x_fast_sum(g, x_f(g, 1.0f), x_mulf(g, head, 0x1.62ep-1f));
    ir_ref y = x_add(g, sum.hi, x_add(g, sum.lo, tail));
    ir_ref value = x_add(g, x_bits(g, y), k.field);
    return x_float(g, exp_cases(g, x_bits(g, x), value, 0x42ffffffu, 0x42fc0000u, 0));
}

// -- e^x - 1 -------------------------------------------------------------------------------------

ir_ref tree_expm1(struct ir_graph *g, const ir_ref *args)
{
    // (e^r - 1 - r - r^2 / 2) / r^3, to 2^-31.1 of e^r - 1.
    static const float p[] = {0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d4p-7f, 0x1.6d3a5ep-10f,
                              0x1.9e7ca8p-13f};
    ir_ref u = x_bits(g, args[0]);
    struct reduced t = reduce(g, args[0]);
    ir_ref square = x_mul(g, t.r, t.r);
    ir_ref cube = x_mul(g, square, t.r);
    ir_ref tail = x_mul_add(g, cube, x_poly(g, t.r, p, 5), t.low);
    tail = x_mul_add(g, square, x_f(g, 0.5f), tail);
    // 2^k * ((1 - 2^-k) + r + tail). Far above 2^24 there is no need of a 2^-k that does not exist.
    ir_ref unit = x_float(g, x_usub(g, X_ONE, t.k.field));
    unit = x_select(g, x_lt(g, x_f(g, 100.0f), t.k.value), x_f(g, 0.0f), unit);
    struct x_pair base = x_fast_sub(g, x_f(g, 1.0f), unit);
    struct x_pair sum = x_fast_sum(g, base.hi, t.r);
    ir_ref y = x_add(g, sum.hi, x_add(g, sum.lo, x_add(g, base.lo, tail)));
    ir_ref value = x_add(g, x_bits(g, y), t.k.field);

    // From -16.97 down e^x is less than a unit of the result: -1 + 2^-24, and -1 below -17.3287.
    ir_ref low = x_selectuu(g, x_gtu(g, u, 0xc18aa123u), 0xbf800000u, 0xbf7fffffu);
    value = x_select(g, x_gtu(g, u, 0xc187c28fu), low, value);
    value = x_selectu(g, x_gti(g, x_signed(g, u), EXP_MOST), X_INF, value);
    return x_float(g, x_odd_cases(g, u, value));
}

// -- 1 / (1 + e^-x) ------------------------------------------------------------------------------

// n - q * (d.hi + d.lo) for a q of at most 12 bits: the remainder of a division.
static ir_ref remainder_of(struct ir_graph *g, ir_ref n, ir_ref q, struct x_pair d)
{
    ir_ref head = x_head(g, d.hi);
    ir_ref rest = x_add(g, x_sub(g, d.hi, head), d.lo);
    return x_sub(g, x_sub(g, n, x_mul(g, q, head)), x_mul(g, q, rest));
}

ir_ref tree_sigmoid(struct ir_graph *g, const ir_ref *args)
{
    ir_ref u = x_bits(g, args[0]);
    // e = e^-|x|: up to 88 it is a number, or so small that its value does not matter.
    ir_ref size = x_min(g, x_andu(g, u, X_ABS), x_u(g, 0x42b00000u));
    struct scaled_sum e = tree_exp_parts(g, x_float(g, x_xoru(g, size, X_SIGN)));
    struct x_pair y = x_fast_sum(g, e.hi, e.lo);
    ir_ref scaled = x_float(g, x_add(g, x_bits(g, y.hi), e.field));
    struct x_pair d = x_fast_sum(g, x_f(g, 1.0f), scaled);
    ir_ref unit = x_float(g, x_addu(g, e.field, X_ONE));
    d.lo = x_mul_add(g, y.lo, unit, d.lo);
    // 1 / d for positive x, e / d (its 2^k comes last) for negative.
    ir_ref negative = x_gtu(g, u, X_SIGN);
    ir_ref n = x_select(g, negative, y.hi, x_f(g, 1.0f));
    ir_ref n_low = x_select(g, negative, y.lo, x_f(g, 0.0f));
    ir_ref r = x_reciprocal(g, d.hi, 0x1.000036p+0f);
    ir_ref q = x_head(g, x_mul(g, n, r));
    ir_ref rest = x_add(g, remainder_of(g, n, q, d), n_low);
    ir_ref value = x_bits(g, x_add(g, q, x_mul(g, rest, r)));
    value = x_add(g, value, x_select(g, negative, e.field, x_u(g, 0)));
    value = x_selectu(g, x_gtu(g, u, EXP_LEAST | X_SIGN), 0, value);
    return x_float(g, x_selectu(g, x_gtu(g, x_andu(g, u, X_ABS), X_INF), X_NAN, value));
}

// -- tanh ----------------------------------------------------------------------------------------

// tanh x for |x| < 0.6: x + x^3 P(x^2), to 2^-28.4.
static ir_ref tanh_small(struct ir_graph *g, ir_ref x)
{
    static const float p[] = {-0x1.55553ep-2f, 0x1.1109bep-3f, -0x1.b89abap-5f, 0x1.54c3c2p-6f,
                              -0x1.828776p-8f};
    ir_ref square = x_mul(g, x, x);
    return x_mul_add(g, x_mul(g, square, x), x_poly(g, square, p, 5), x);
}

// tanh x for x in [0.6, 10]: 1 - 2 e / (1 + e) with e = e^-2x.
static ir_ref tanh_large(struct ir_graph *g, ir_ref x)
{
    struct scaled_sum parts = tree_exp_parts(g, x_mulf(g, x, -2.0f));
    ir_ref bits = x_add(g, x_bits(g, x_add(g, parts.hi, parts.lo)), parts.field);
    ir_ref e = x_float(g, bits), n = x_add(g, e, e);
    struct x_pair d = x_fast_sum(g, x_f(g, 1.0f), e);
    // 1 / d: a line, and one Newton step.
    ir_ref r = x_fsub(g, 0x1.fb9398p-1f, x_mulf(g, e, 0x1.8615ccp-1f));
    r = x_mul_add(g, r, x_fsub(g, 1.0f, x_mul(g, d.hi, r)), r);
    // A quotient in units of 2^-13, so that 1 - q is exact; the remainder gives the rest of it.
    ir_ref q = x_sub(g, x_addf(g, x_mul(g, n, r), 1536.0f), x_f(g, 1536.0f));
    return x_sub(g, x_fsub(g, 1.0f, q), x_mul(g, remainder_of(g, n, q, d), r));
}

ir_ref tree_tanh(struct ir_graph *g, const ir_ref *args)
{
    ir_ref u = x_bits(g, args[0]);
    ir_ref size = x_andu(g, u, X_ABS);
    // From 10 on the result is 1.
    ir_ref x = x_float(g, x_min(g, size, x_u(g, 0x41200000u)));
    ir_ref value = x_select(g, x_ltu(g, size, 0x3f19999au), x_bits(g, tanh_small(g, x)),
                            x_bits(g, tanh_large(g, x)));
    return x_float(g, x_odd_cases(g, u, x_or(g, value, x_andu(g, u, X_SIGN))));
}
