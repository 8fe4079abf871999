// exact_kit.h: the small vocabulary that the trees of ir/exact_*.c are written in.
//
// A tree is made of scalar nodes: f32, u32, i32 and bool. A suffix says that the second operand is
// a constant of that type: x_addu(g, a, 3) is a + 3u. What each operation means to the bit is in
// ir/ops.def; integers wrap, shifts count modulo 32.
#ifndef HLX_IR_EXACT_KIT_H
#define HLX_IR_EXACT_KIT_H

#include "ir/build.h"

// The parts of an f32's bits.
#define X_SIGN 0x80000000u
#define X_ABS 0x7fffffffu
#define X_FRACTION 0x007fffffu
#define X_HIDDEN 0x00800000u // the hidden bit of a mantissa; also the least normal number
#define X_ONE 0x3f800000u
#define X_INF 0x7f800000u
#define X_NAN 0x7fc00000u // the canonical NaN

// Adding and subtracting this leaves an f32 below 2^22 rounded to the nearest integer, which is
// also found in the low bits of the sum.
#define X_ROUNDER 0x1.8p23f

// Constants.
ir_ref x_f(struct ir_graph *g, float value);
ir_ref x_u(struct ir_graph *g, uint32_t value);
ir_ref x_i(struct ir_graph *g, int32_t value);

// The same 32 bits as another type; costs nothing on any device.
ir_ref x_bits(struct ir_graph *g, ir_ref a);   // as u32
ir_ref x_signed(struct ir_graph *g, ir_ref a); // as i32
ir_ref x_float(struct ir_graph *g, ir_ref a);  // as f32

// Conversions of value that are primitive inside a tree: integer to f32 rounds to nearest even, f32
// to integer truncates and needs an operand in range.
ir_ref x_to_float(struct ir_graph *g, ir_ref a);
ir_ref x_to_signed(struct ir_graph *g, ir_ref a);
ir_ref x_to_unsigned(struct ir_graph *g, ir_ref a);

// Arithmetic of f32, u32 or i32.
ir_ref x_add(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_sub(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_mul(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_mul_hi(struct ir_graph *g, ir_ref a, ir_ref b); // u32: high word of the product
ir_ref x_min(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_max(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_addf(struct ir_graph *g, ir_ref a, float b);
ir_ref x_mulf(struct ir_graph *g, ir_ref a, float b);
ir_ref x_addu(struct ir_graph *g, ir_ref a, uint32_t b);
// b - a: the constant comes first here, as in what is written.
ir_ref x_fsub(struct ir_graph *g, float b, ir_ref a);
ir_ref x_usub(struct ir_graph *g, uint32_t b, ir_ref a);

// a * b + c, rounded twice.
ir_ref x_mul_add(struct ir_graph *g, ir_ref a, ir_ref b, ir_ref c);
// c[0] + x * (c[1] + x * (c[2] + ...)): Horner's rule in f32, lowest coefficient first.
ir_ref x_poly(struct ir_graph *g, ir_ref x, const float *c, unsigned n);

// Bits of u32 (and, or, xor also of bool). Shift counts: constant, or a u32.
ir_ref x_and(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_or(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_xor(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_andu(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_oru(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_xoru(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_shl(struct ir_graph *g, ir_ref a, unsigned count);
ir_ref x_shr(struct ir_graph *g, ir_ref a, unsigned count); // an i32 keeps its sign
ir_ref x_shl_by(struct ir_graph *g, ir_ref a, ir_ref count);
ir_ref x_shr_by(struct ir_graph *g, ir_ref a, ir_ref count);

// Comparisons give bool.
ir_ref x_eq(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_lt(struct ir_graph *g, ir_ref a, ir_ref b);
ir_ref x_equ(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_ltu(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_gtu(struct ir_graph *g, ir_ref a, uint32_t b);
ir_ref x_lti(struct ir_graph *g, ir_ref a, int32_t b);
ir_ref x_gti(struct ir_graph *g, ir_ref a, int32_t b);

// b where the bool a holds, else c; with constants in place of b, or of both.
ir_ref x_select(struct ir_graph *g, ir_ref a, ir_ref b, ir_ref c);
ir_ref x_selectu(struct ir_graph *g, ir_ref a, uint32_t b, ir_ref c);
ir_ref x_selectuu(struct ir_graph *g, ir_ref a, uint32_t b, uint32_t c);

// -- idioms of fixed point -----------------------------------------------------------------------

// A u32 stands for a fraction, its value times 2^-32, so that x_mul_hi multiplies two. This is
// c[0] - x * (c[1] - x * (c[2] - ...)), every product rounded down.
ir_ref x_fixed_poly(struct ir_graph *g, ir_ref x, const uint32_t *c, unsigned n);
// The same with + in place of -.
ir_ref x_fixed_poly_add(struct ir_graph *g, ir_ref x, const uint32_t *c, unsigned n);

// The upper word of the two-word integer (hi, lo) shifted left by `count` (a u32, modulo 32).
ir_ref x_funnel(struct ir_graph *g, ir_ref hi, ir_ref lo, ir_ref count);

// -- idioms of f32 -------------------------------------------------------------------------------

// The 12 leading mantissa bits of a: what is left, a - x_head(a), has 12 bits too, so that products
// of heads and rests are exact.
ir_ref x_head(struct ir_graph *g, ir_ref a);

// An unevaluated sum of two f32, the second small beside the first.
struct x_pair {
    ir_ref hi, lo;
};

// a + b as its rounded value and the error; |a| >= |b| or a = 0.
struct x_pair x_fast_sum(struct ir_graph *g, ir_ref a, ir_ref b);

// a - b in the same way.
struct x_pair x_fast_sub(struct ir_graph *g, ir_ref a, ir_ref b);

// 1 / d for a positive d with exponent within +-100, too small by up to 6.6e-6 of it for one = 1: a
// linear guess on the bits (wrong by e, up to 5 %), then (1 + e) (one + e^2) for 1 / (1 - e).
ir_ref x_reciprocal(struct ir_graph *g, ir_ref d, float one);

// x rounded to the nearest integer; |x| < 2^22, elsewhere without meaning but harmless.
struct x_integer {
    ir_ref value; // as f32
    ir_ref field; // as u32: the integer in the exponent's place, to be added to bits
};
struct x_integer x_nearest(struct ir_graph *g, ir_ref x);

// The last step of a function that is x itself near 0: bits `value`, but a zero of x's sign where x
// (bits u) is zero or subnormal, and NaN where it is NaN.
ir_ref x_odd_cases(struct ir_graph *g, ir_ref u, ir_ref value);

#endif
