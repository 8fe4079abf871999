// exact_div.c: trees of division, square root and reciprocal square root.
//
// Division and square root are correctly rounded. A float estimate finds the result to within a few
// units; the remainder, computed by integers modulo 2^32 and exact because it is small, decides the
// last bit. Signs and exponents are put in by integers, so nothing here can overflow or flush.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// -- division ------------------------------------------------------------------------------------

// a / b of two mantissas in [2^23, 2^24), as an integer in [2^23, 2^24): rounded to nearest after
// doubling a where a < b. A tie is impossible: it would need a numerator of 25 bits.
static ir_ref divide_mantissas(struct ir_graph *g, ir_ref a, ir_ref b)
{
    ir_ref less = x_lt(g, a, b);
    // The numerator is a * 2^23 or a * 2^24; as a float it takes its exponent from here.
    ir_ref n = x_shl_by(g, a, x_selectuu(g, less, 24, 23));
    ir_ref n_float = x_float(g, x_add(g, a, x_selectuu(g, less, 173u << 23, 172u << 23)));
    // Less than 1 in its last factor, so that no rounding makes the reciprocal too large.
    ir_ref r = x_reciprocal(g, x_to_float(g, b), 0x1.ffffep-1f);
    // Too small by 0 to 130 units, hence a remainder in [0, 2^32).
    ir_ref q = x_to_unsigned(g, x_mul(g, n_float, r));
    ir_ref rest = x_sub(g, n, x_mul(g, q, b));
    // floor(true rest + 1/4): right, or one too small where the fraction is in [1/2, 3/4).
    ir_ref more = x_to_unsigned(g, x_addf(g, x_mul(g, x_to_float(g, rest), r), 0.25f));
    ir_ref left = x_sub(g, rest, x_mul(g, more, b));
    ir_ref up = x_lt(g, x_signed(g, b), x_signed(g, x_shl(g, left, 1)));
    return x_add(g, x_add(g, q, more), x_selectuu(g, up, 1, 0));
}

static ir_ref mantissa(struct ir_graph *g, ir_ref bits)
{
    return x_oru(g, x_andu(g, bits, X_FRACTION), X_HIDDEN);
}

ir_ref tree_div(struct ir_graph *g, const ir_ref *args)
{
    ir_ref ua = x_bits(g, args[0]), ub = x_bits(g, args[1]);
    ir_ref a = x_andu(g, ua, X_ABS), b = x_andu(g, ub, X_ABS);
    ir_ref quotient = divide_mantissas(g, mantissa(g, a), mantissa(g, b));
    // The borrow of the fractions has already lowered the difference of the exponents.
    ir_ref d = x_sub(g, a, b);
    ir_ref value = x_addu(g, x_add(g, x_andu(g, d, 0xff800000u), quotient), 126u << 23);

    // Where an operand is zero or infinite, or the exponent leaves its range, the larger operand
    // tells infinity from zero; two zeros or two infinities have no quotient.
    ir_ref larger = x_max(g, a, b), smaller = x_min(g, a, b);
    ir_ref out = x_gtu(g, x_addu(g, d, 126u << 23), (254u << 23) - 1);
    ir_ref not_normal = x_or(g, x_gtu(g, larger, X_INF - 1), x_ltu(g, smaller, X_HIDDEN));
    ir_ref special = x_or(g, out, not_normal);
    ir_ref limit = x_selectuu(g, x_lt(g, b, a), X_INF, 0);
    ir_ref sign = x_andu(g, x_xor(g, ua, ub), X_SIGN);
    value = x_or(g, x_select(g, special, limit, value), sign);

    ir_ref alike = x_ltu(g, x_xor(g, a, b), X_HIDDEN);
    ir_ref nan = x_or(g, x_gtu(g, larger, X_INF), x_and(g, special, alike));
    return x_float(g, x_selectu(g, nan, X_NAN, value));
}

// -- square roots --------------------------------------------------------------------------------

// A positive normal x taken apart: x = m * 4^h with m in [1, 4). Whatever the bits, m is in range.
struct scaled {
    ir_ref m;     // f32
    ir_ref below; // u32: m's place in [1, 4) as 24 bits, the exponent's parity on top
};

static struct scaled scale_by_four(struct ir_graph *g, ir_ref bits)
{
    ir_ref below = x_andu(g, x_xoru(g, bits, X_HIDDEN), 0x00ffffffu);
    return (struct scaled){x_float(g, x_addu(g, below, X_ONE)), below};
}

// 1 / sqrt(m) for m in [1, 4), to 2^-15.2 of its value times c[0] / 1.00001: the well-known guess
// on the bits, wrong by up to 3.5 %, then a quadratic in the residual e for 1 / sqrt(1 - e).
static ir_ref inverse_root(struct ir_graph *g, ir_ref m, const float c[3])
{
    ir_ref guess = x_float(g, x_usub(g, 0x5f37642fu, x_shr(g, x_bits(g, m), 1)));
    ir_ref e = x_fsub(g, 1.0f, x_mul(g, x_mul(g, m, guess), guess));
    return x_mul(g, guess, x_poly(g, e, c, 3));
}

// The value of an operation on bits u: `normal` for positive normal numbers, `zero` with the sign
// of u for zeros (and subnormals), `infinite` for +inf, NaN for the rest.
static ir_ref root_cases(struct ir_graph *g, ir_ref u, ir_ref normal, uint32_t zero,
                         uint32_t infinite)
{
    ir_ref is_normal = x_ltu(g, x_addu(g, u, 0u - X_HIDDEN), X_INF - X_HIDDEN);
    ir_ref is_zero = x_ltu(g, x_shl(g, u, 1), X_HIDDEN << 1);
    ir_ref signed_zero = x_andu(g, u, X_SIGN);
    if (zero)
        signed_zero = x_oru(g, signed_zero, zero);
    ir_ref other = x_selectuu(g, x_equ(g, u, X_INF), infinite, X_NAN);
    other = x_select(g, is_zero, signed_zero, other);
    return x_float(g, x_select(g, is_normal, normal, other));
}

ir_ref tree_sqrt(struct ir_graph *g, const ir_ref *args)
{
    static const float c[] = {0x1.00000ap+0f, 0x1.008fep-1f, 0x1.802344p-2f};
    ir_ref u = x_bits(g, args[0]);
    struct scaled x = scale_by_four(g, u);
    ir_ref y = inverse_root(g, x.m, c);
    // t * t / m is 1 - e with a tiny e, so sqrt(m) is t + t * e / 2: off by one unit at most.
    ir_ref t = x_mul(g, x.m, y);
    ir_ref e = x_fsub(g, 1.0f, x_mul(g, t, y));
    ir_ref root = x_add(g, t, x_mul(g, x_mulf(g, t, 0.5f), e));
    ir_ref s = x_to_unsigned(g, x_mulf(g, root, 0x1p23f));
    // m * 2^46 - s * s modulo 2^32: only the low bits of m are left of its shift.
    ir_ref n = x_shl_by(g, x.below, x_addu(g, x_shr(g, x.below, 23), 23));
    ir_ref rest = x_signed(g, x_sub(g, n, x_mul(g, s, s)));
    ir_ref limit = x_signed(g, s);
    ir_ref up = x_selectuu(g, x_lt(g, limit, rest), 1, 0);
    ir_ref down = x_lt(g, x_add(g, rest, limit), x_i(g, 1));
    s = x_add(g, s, x_selectu(g, down, 0xffffffffu, up));
    ir_ref half = x_shl(g, x_shr(g, x_addu(g, u, 125u << 23), 24), 23);
    return root_cases(g, u, x_add(g, half, s), 0, X_INF);
}

// 1 - m * p for m in [1, 4) and p of 24 bits close to 1 / m, as the sum of four exact products.
static ir_ref residual(struct ir_graph *g, ir_ref m, ir_ref p)
{
    ir_ref mh = x_head(g, m), ph = x_head(g, p);
    ir_ref ml = x_sub(g, m, mh), pl = x_sub(g, p, ph);
    ir_ref e = x_fsub(g, 1.0f, x_mul(g, mh, ph));
    e = x_sub(g, e, x_add(g, x_mul(g, mh, pl), x_mul(g, ml, ph)));
    return x_sub(g, e, x_mul(g, ml, pl));
}

ir_ref tree_rsqrt(struct ir_graph *g, const ir_ref *args)
{
    // Larger by 2^-12 than in tree_sqrt: half of what taking the head loses at most.
    static const float c[] = {0x1.00100ap+0f, 0x1.009feap-1f, 0x1.803b46p-2f};
    ir_ref u = x_bits(g, args[0]);
    struct scaled x = scale_by_four(g, u);
    ir_ref y = x_head(g, inverse_root(g, x.m, c));
    ir_ref e = residual(g, x.m, x_mul(g, y, y));
    // 1 / sqrt(1 - e) = 1 + e / 2 + 3/8 e^2 for |e| < 2^-10.8; the 1/2 makes up for 5/16 e^3.
    ir_ref tail = x_mul(g, x_mul(g, y, e), x_addf(g, x_mulf(g, e, 0.375f), 0x1.000002p-1f));
    y = x_add(g, y, tail);
    ir_ref h = x_shr(g, x_signed(g, x_addu(g, u, 0u - X_ONE)), 24);
    ir_ref result = x_sub(g, x_bits(g, y), x_bits(g, x_shl(g, h, 23)));
    return root_cases(g, u, result, X_INF, 0);
}
