// exact_pow.c: the tree of pow, in fixed point but for one subtraction.
//
// a^b = 2^(b log2 |a|). Without a fused multiply-add, two words of an integer are the cheapest
// number of more than 24 bits: log2 |a| and its product with b are kept in 64, so that what error
// there is comes from the polynomials of 32. The special cases are those of IEEE 754 and C.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// A u32 that is all ones where the highest bit of a is set, else 0.
static ir_ref spread_sign(struct ir_graph *g, ir_ref a)
{
    return x_bits(g, x_shr(g, x_signed(g, a), 31));
}

// -- log2 |a| ------------------------------------------------------------------------------------

// The size of a logarithm: hi + lo * 2^-32, both u32, in units of 2^-32 if it is below 1 (`below`),
// else of 2^-24. `minus` is all ones where the logarithm is negative. Negating by complement is
// wrong by 2^-64 at most.
struct logarithm {
    ir_ref hi, lo, below, minus;
};

// A fixed-point number of two words.
struct words {
    ir_ref hi, lo;
};

// log2(1 + f) / f - 1, as a fraction, for |f| <= 1/3 given by its size * 2^32 and its sign (a
// mask). It is log2(e) - 1 - f * bend; only in bend does the error of a word count, and there f
// times.
static struct words log2_slope(struct ir_graph *g, ir_ref size, ir_ref minus)
{
    // The even and the odd part of bend, the odd over -f, as polynomials in f^2; to 2^-32.
    static const uint32_t even[] = {0xb8aa3b29u, 0x5c551f07u, 0x3d8d7ebau,
                                    0x2e406623u, 0x238093a1u, 0x2980ed24u};
    static const uint32_t odd[] = {0x7b1c2763u, 0x49ddb8eau, 0x34c156a8u,
                                   0x29312598u, 0x1f99fc7au, 0x286c1d6bu};
    ir_ref square = x_mul_hi(g, size, size);
    ir_ref part = x_mul_hi(g, size, x_fixed_poly_add(g, square, odd, 6));
    ir_ref bend = x_sub(g, x_fixed_poly_add(g, square, even, 6), x_xor(g, part, minus));
    // The constant, less 1 for what is borrowed from the upper word.
    ir_ref hi = x_usub(g, 0x71547652u, x_xor(g, x_mul_hi(g, size, bend), minus));
    return (struct words){hi, x_xor(g, x_mul(g, size, bend), x_xoru(g, minus, 0xffffffffu))};
}

// x * y for a fraction x and y of two words.
static struct words times_word(struct ir_graph *g, struct words y, ir_ref x)
{
    ir_ref carried = x_mul_hi(g, y.lo, x);
    ir_ref lo = x_add(g, x_mul(g, y.hi, x), carried);
    ir_ref carry = x_selectuu(g, x_lt(g, lo, carried), 1, 0);
    return (struct words){x_add(g, x_mul_hi(g, y.hi, x), carry), lo};
}

static struct logarithm log2_of(struct ir_graph *g, ir_ref size)
{
    // size = 2^k * (1 + f), 1 + f in [2/3, 4/3).
    ir_ref k = x_shr(g, x_signed(g, x_addu(g, size, 0u - 0x3f2aaaabu)), 23);
    ir_ref m = x_float(g, x_sub(g, size, x_bits(g, x_shl(g, k, 23))));
    ir_ref f = x_bits(g, x_addf(g, m, -1.0f));
    ir_ref f_minus = spread_sign(g, f);
    f = x_to_unsigned(g, x_mulf(g, x_float(g, x_andu(g, f, X_ABS)), 0x1p32f));
    // log2(1 + f) = f + f * slope, in two words after the point.
    struct words part = times_word(g, log2_slope(g, f, f_minus), f);
    ir_ref hi = x_add(g, f, part.hi), lo = part.lo;
    // Together with k, first as a number in two's complement, then its size.
    ir_ref whole = x_add(g, x_bits(g, k), f_minus);
    ir_ref minus = spread_sign(g, whole);
    ir_ref flip = x_xor(g, f_minus, minus);
    whole = x_xor(g, whole, minus);
    hi = x_xor(g, hi, flip);
    lo = x_xor(g, lo, flip);
    ir_ref below = x_equ(g, whole, 0);
    return (struct logarithm){x_select(g, below, hi, x_or(g, x_shl(g, whole, 24), x_shr(g, hi, 8))),
                              x_select(g, below, lo, x_or(g, x_shl(g, hi, 24), x_shr(g, lo, 8))),
                              below, minus};
}

// -- b log2 |a| ----------------------------------------------------------------------------------

// The size of the product: whole + fraction * 2^-32, whole at least 128 where it is too large.
struct product {
    ir_ref whole, fraction;
};

// `b` is the mantissa, shifted to the top of its word; `exponent` is biased as in f32.
static struct product times(struct ir_graph *g, struct logarithm l, ir_ref b, ir_ref exponent)
{
    struct words all = times_word(g, (struct words){l.hi, l.lo}, b);
    ir_ref hi = all.hi, lo = all.lo;
    // Right by 0 to 63 places. Beyond, nothing is left; a shift to the left would give 184 or more,
    // since log2 |a| is no smaller than 1.44 * 2^-24 unless it is zero.
    ir_ref right = x_sub(g, x_selectuu(g, l.below, 158, 150), exponent);
    ir_ref count = x_min(g, right, x_u(g, 63));
    ir_ref shifted = x_shr_by(g, hi, count);
    ir_ref both =
        x_or(g, x_shr_by(g, lo, count), x_shl_by(g, x_shl(g, hi, 1), x_xoru(g, count, 31)));
    ir_ref within = x_ltu(g, count, 32);
    ir_ref whole = x_select(g, within, shifted, x_u(g, 0));
    whole = x_select(g, x_lti(g, x_signed(g, right), 0), hi, whole);
    return (struct product){whole, x_select(g, within, both, shifted)};
}

// 2^(+-p) as bits, with an exponent below 128 in size; negative where `minus` is all ones.
static ir_ref exp2_of(struct ir_graph *g, struct product p, ir_ref minus)
{
    // (2^x - 1) / x for x in [0, 1), to 2^-34.
    static const uint32_t c[] = {0xb172180du, 0x3d7f79e4u, 0x0e359661u, 0x02760cf7u,
                                 0x0057fd80u, 0x00096301u, 0x00016a35u};
    ir_ref whole = x_xor(g, p.whole, minus), x = x_xor(g, p.fraction, minus);
    ir_ref mantissa = x_mul_hi(g, x, x_fixed_poly_add(g, x, c, 7));
    // To the nearest of 24 bits; a carry goes into the exponent.
    mantissa = x_shr(g, x_addu(g, x_shr(g, mantissa, 1), 0x80), 8);
    ir_ref value = x_add(g, x_addu(g, x_shl(g, whole, 23), X_ONE), mantissa);
    return x_selectu(g, x_lti(g, x_signed(g, value), (int32_t)X_HIDDEN), 0, value);
}

// -- pow -----------------------------------------------------------------------------------------

// The bits of |b| from that of weight 1 down: the highest bit is that of the units, the others are
// the fraction.
static ir_ref units_of(struct ir_graph *g, ir_ref mantissa, ir_ref exponent)
{
    ir_ref places = x_signed(g, x_addu(g, exponent, 0u - 126));
    places = x_min(g, x_max(g, places, x_i(g, 0)), x_i(g, 31));
    return x_shl_by(g, x_shr(g, mantissa, 1), x_bits(g, places));
}

ir_ref tree_pow(struct ir_graph *g, const ir_ref *args)
{
    ir_ref ua = x_bits(g, args[0]), ub = x_bits(g, args[1]);
    ir_ref a = x_andu(g, ua, X_ABS), b = x_andu(g, ub, X_ABS);
    ir_ref mantissa = x_oru(g, x_shl(g, b, 8), X_SIGN), exponent = x_shr(g, b, 23);
    struct logarithm l = log2_of(g, a);
    struct product p = times(g, l, mantissa, exponent);
    ir_ref minus = x_xor(g, l.minus, spread_sign(g, ub));
    ir_ref value = exp2_of(g, p, minus);

    // Where |a| is 0 or infinite or the product is large, the result is the one or the other.
    ir_ref ends = x_or(g, x_ltu(g, a, X_HIDDEN), x_gtu(g, a, X_INF - 1));
    ir_ref limit = x_xoru(g, x_andu(g, minus, X_INF), X_INF);
    value = x_select(g, x_or(g, ends, x_gtu(g, p.whole, 127)), limit, value);

    ir_ref units = units_of(g, mantissa, exponent);
    ir_ref odd = x_equ(g, units, X_SIGN); // b is an odd integer
    value = x_or(g, value, x_select(g, odd, x_andu(g, ua, X_SIGN), x_u(g, 0)));
    ir_ref broken = x_gtu(g, x_andu(g, units, X_ABS), 0); // b is not an integer
    ir_ref negative = x_ltu(g, x_addu(g, ua, 0u - (X_HIDDEN | X_SIGN)), X_INF - X_HIDDEN);
    ir_ref nan = x_gtu(g, x_max(g, a, b), X_INF);
    value = x_selectu(g, x_or(g, nan, x_and(g, broken, negative)), X_NAN, value);
    ir_ref one = x_or(g, x_ltu(g, b, X_HIDDEN), x_equ(g, ua, X_ONE));
    return x_float(g, x_selectu(g, one, X_ONE, value));
}
