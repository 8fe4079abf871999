// exact_trig.c: trees of sin and cos, accurate for every argument, in integers throughout.
//
// |x| * 2/pi modulo 4 comes from a product with a window of the bits of 2/pi (the method of Payne
// and Hanek). Its nearest integer is the quadrant; the rest becomes an angle r in [-pi/4, pi/4] as
// a mantissa of 32 bits and an exponent, and fixed-point polynomials give sin r and cos r. The one
// rounding to f32 is the conversion at the end.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// -- the window ----------------------------------------------------------------------------------

// 2/pi behind 32 zero bits.
static const uint32_t two_over_pi[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                       0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};

enum { WORDS = sizeof two_over_pi / sizeof two_over_pi[0] };

// word[i] = word[i + step] for all i below n, where bit `mask` of `at` is set.
static void move_down(struct ir_graph *g, ir_ref *word, unsigned n, unsigned step, ir_ref at,
                      uint32_t mask)
{
    ir_ref stay = x_equ(g, x_andu(g, at, mask), 0);
    for (unsigned i = 0; i < n; i++)
        word[i] = x_select(g, stay, word[i], word[i + step]);
}

// The 96 bits from bit `at` (below 160) on.
static void take_window(struct ir_graph *g, ir_ref at, ir_ref window[3])
{
    ir_ref word[WORDS];
    for (unsigned i = 0; i < WORDS; i++)
        word[i] = x_u(g, two_over_pi[i]);
    move_down(g, word, 4, 4, at, 128); // at most to word 4, so the others need not move
    move_down(g, word, 5, 2, at, 64);
    move_down(g, word, 4, 1, at, 32);
    for (unsigned i = 0; i < 3; i++)
        window[i] = x_funnel(g, word[i], word[i + 1], at);
}

// A fixed-point number of two words.
struct wide {
    ir_ref hi, lo;
};

// |x| * 2/pi modulo 4, with 62 fraction bits, for a positive normal |x| >= 2^-7 given by its bits.
static struct wide quarter_turns(struct ir_graph *g, ir_ref size, ir_ref mantissa)
{
    ir_ref w[3];
    take_window(g, x_addu(g, x_shr(g, size, 23), 0u - 120), w);
    ir_ref carried = x_mul_hi(g, w[2], mantissa);
    ir_ref lo = x_add(g, x_mul(g, w[1], mantissa), carried);
    ir_ref carry = x_selectuu(g, x_lt(g, lo, carried), 1, 0);
    ir_ref hi = x_add(g, x_mul(g, w[0], mantissa), x_mul_hi(g, w[1], mantissa));
    return (struct wide){x_add(g, hi, carry), lo};
}

// -- the angle -----------------------------------------------------------------------------------

// |x| = turns * pi/2 +- r with r = mantissa * 2^(-31 - drop).
struct angle {
    ir_ref turns;    // modulo 4, in the two highest bits, before rounding to the nearest
    ir_ref negative; // the highest bit: r is subtracted
    ir_ref mantissa, drop;
};

static struct angle reduce(struct ir_graph *g, ir_ref size)
{
    ir_ref m = x_oru(g, x_andu(g, size, X_FRACTION), X_HIDDEN);
    struct wide t = quarter_turns(g, size, m);
    // Below pi/4 the angle is |x| itself.
    ir_ref small = x_ltu(g, size, 0x3f490fdbu);
    ir_ref turns = x_selectu(g, small, 0, t.hi);
    // The distance to the nearest integer: the fraction, or its complement.
    ir_ref fraction = x_or(g, x_shl(g, turns, 2), x_shr(g, t.lo, 30));
    ir_ref flip = x_bits(g, x_shr(g, x_signed(g, fraction), 31));
    ir_ref hi = x_xor(g, fraction, flip), lo = x_xor(g, x_shl(g, t.lo, 2), flip);
    // Shifted to the top; the exponent of a conversion counts the zeros (once one too few).
    ir_ref zeros = x_usub(g, 158, x_shr(g, x_bits(g, x_to_float(g, hi)), 23));
    ir_ref part = x_mul_hi(g, x_funnel(g, hi, lo, zeros), x_u(g, 0xc90fdaa2u)); // times pi/4
    ir_ref mantissa = x_select(g, small, x_shl(g, m, 8), part);
    ir_ref drop = x_select(g, small, x_usub(g, 127, x_shr(g, size, 23)), zeros);
    return (struct angle){turns, fraction, mantissa, drop};
}

// -- the functions -------------------------------------------------------------------------------

// sin(|x| + phase * pi/2), without its sign, as bits; *sign has it as the highest bit.
static ir_ref wave(struct ir_graph *g, ir_ref size, uint32_t phase, ir_ref *sign)
{
    // 1 - sin r / r and (1 - cos r) / 2 over r^2, to 2^-37 and 2^-34.
    static const uint32_t s[] = {0x2aaaaaaau, 0x02222211u, 0x000d007du, 0x00002d9bu};
    static const uint32_t c[] = {0x3ffffffau, 0x055554f8u, 0x002d8110u, 0x0000cc9au};
    struct angle a = reduce(g, size);
    ir_ref r = x_shr_by(g, a.mantissa, x_min(g, a.drop, x_u(g, 31)));
    r = x_shl(g, r, 1);
    ir_ref square = x_mul_hi(g, r, r);
    ir_ref less = x_mul_hi(g, square, x_fixed_poly(g, square, s, 4));
    ir_ref sine = x_sub(g, a.mantissa, x_mul_hi(g, a.mantissa, less));
    ir_ref cosine = x_usub(g, X_SIGN, x_mul_hi(g, square, x_fixed_poly(g, square, c, 4)));

    ir_ref quadrant = x_addu(g, a.turns, 0x20000000u + (phase << 30));
    ir_ref even = x_equ(g, x_andu(g, quadrant, 0x40000000u), 0);
    *sign = x_xor(g, quadrant, x_select(g, even, a.negative, x_u(g, 0)));
    ir_ref exponent = x_select(g, even, x_shl(g, a.drop, 23), x_u(g, 0));
    ir_ref value = x_bits(g, x_to_float(g, x_select(g, even, sine, cosine)));
    return x_sub(g, x_addu(g, value, 0u - (31u << 23)), exponent);
}

ir_ref tree_sin(struct ir_graph *g, const ir_ref *args)
{
    ir_ref u = x_bits(g, args[0]), size = x_andu(g, u, X_ABS), sign;
    ir_ref value = wave(g, size, 0, &sign);
    value = x_or(g, value, x_andu(g, x_xor(g, sign, u), X_SIGN));
    value = x_select(g, x_ltu(g, size, X_HIDDEN), x_andu(g, u, X_SIGN), value);
    return x_float(g, x_selectu(g, x_gtu(g, size, X_INF - 1), X_NAN, value));
}

ir_ref tree_cos(struct ir_graph *g, const ir_ref *args)
{
    ir_ref size = x_andu(g, x_bits(g, args[0]), X_ABS), sign;
    ir_ref value = wave(g, size, 1, &sign);
    value = x_or(g, value, x_andu(g, sign, X_SIGN));
    return x_float(g, x_selectu(g, x_gtu(g, size, X_INF - 1), X_NAN, value));
}
