// lanes.h: the arithmetic of one lane, total and the same on every machine.
//
// These are the helpers that the lane expressions of ops.def name. No input gives undefined
// behaviour. All are free of branches where that lets a compiler vectorise a loop over them. Float
// arithmetic is that of the exact profile provided flush_begin() is in force (ir/flush.h): where
// the hardware flushes the plain operator is right; otherwise operands and results are flushed
// here.
#ifndef HLX_IR_LANES_H
#define HLX_IR_LANES_H

#include <stdint.h>
#include <string.h>

#include "ir/flush.h"

#define F32_NAN_BITS 0x7fc00000u

// Lanes in memory that holds one type now and another later.
typedef float lane_float __attribute__((may_alias));
typedef int32_t lane_int32_t __attribute__((may_alias));
typedef uint32_t lane_uint32_t __attribute__((may_alias));

// -- bits of a float -----------------------------------------------------------------------------

static inline uint32_t f32_bits(float a)
{
    uint32_t u;
    memcpy(&u, &a, sizeof u);
    return u;
}

static inline float f32_of_bits(uint32_t u)
{
    float a;
    memcpy(&a, &u, sizeof a);
    return a;
}

// A subnormal becomes zero of the same sign.
static inline uint32_t f32_flush_bits(uint32_t u)
{
    return (u & 0x7f800000u) ? u : u & 0x80000000u;
}

static inline float f32_flush(float a)
{
    return f32_of_bits(f32_flush_bits(f32_bits(a)));
}

// Every NaN becomes the one that may be seen.
static inline uint32_t f32_canon_bits(uint32_t u)
{
    return (int32_t)(u & 0x7fffffffu) > 0x7f800000 ? F32_NAN_BITS : u;
}

static inline float f32_abs(float a)
{
    return f32_of_bits(f32_bits(a) & 0x7fffffffu);
}

static inline float f32_copysign(float magnitude, float sign)
{
    return f32_of_bits((f32_bits(magnitude) & 0x7fffffffu) | (f32_bits(sign) & 0x80000000u));
}

// a where `cond` (0 or 1) holds, else b: by masks, which vectorise where a choice of floats may
// not.
static inline float f32_pick(uint32_t cond, float a, float b)
{
    uint32_t mask = 0u - cond;
    return f32_of_bits((f32_bits(a) & mask) | (f32_bits(b) & ~mask));
}

// What an operation sees of its operand.
static inline float f32_operand(float a)
{
    return HLX_HARD_FLUSH ? a : f32_flush(a);
}

// -- f32 arithmetic ------------------------------------------------------------------------------

// A sum below the smallest normal is exact, so testing the result is judging after rounding.
static inline float f32_add(float a, float b)
{
    return f32_operand(f32_operand(a) + f32_operand(b));
}

static inline float f32_sub(float a, float b)
{
    return f32_operand(f32_operand(a) - f32_operand(b));
}

// Products and quotients below the smallest normal are rounded twice by hardware that does not
// flush. Whether the once rounded result was below it shows 24 binary places higher.
static inline float f32_tiny_to_zero(float result, float scaled)
{
    return f32_abs(scaled) < 0x1p-102f ? f32_copysign(0.0f, result) : result;
}

static inline float f32_mul(float a, float b)
{
#if HLX_HARD_FLUSH
    return a * b;
#else
    float x = f32_flush(a), y = f32_flush(b);
    return f32_tiny_to_zero(x * y, x * 0x1p24f * y);
#endif
}

// The quotient and the square root of the exact profile are the correctly rounded ones, which is
// what IEEE hardware gives. The trees of ir/exact.c define them; these are how the CPU may run
// them.
static inline float f32_div(float a, float b)
{
#if HLX_HARD_FLUSH
    return a / b;
#else
    float x = f32_flush(a), y = f32_flush(b);
    return f32_tiny_to_zero(x / y, x * 0x1p24f / y);
#endif
}

static inline float f32_sqrt(float a)
{
    return __builtin_sqrtf(f32_operand(a));
}

static inline uint32_t f32_eq(float a, float b)
{
    return f32_operand(a) == f32_operand(b);
}

static inline uint32_t f32_ne(float a, float b)
{
    return f32_operand(a) != f32_operand(b);
}

static inline uint32_t f32_lt(float a, float b)
{
    return f32_operand(a) < f32_operand(b);
}

static inline uint32_t f32_le(float a, float b)
{
    return f32_operand(a) <= f32_operand(b);
}

// NaN wins and -0 < +0: of two equal numbers only zeros differ in bits, and there the sign decides.
static inline float f32_min(float a, float b)
{
    float x = f32_operand(a), y = f32_operand(b);
    float less = x < y ? x : y; // y if either is NaN
    float tie = f32_of_bits(f32_bits(x) | f32_bits(y));
    float number = x == y ? tie : less;
    return x != x ? x : number;
}

static inline float f32_max(float a, float b)
{
    float x = f32_operand(a), y = f32_operand(b);
    float more = x > y ? x : y;
    float tie = f32_of_bits(f32_bits(x) & f32_bits(y));
    float number = x == y ? tie : more;
    return x != x ? x : number;
}

// -- rounding to integers: from 2^23 on every float is one, and NaN stays
// ---------------------------

static inline float f32_trunc(float a)
{
    float x = f32_operand(a);
    uint32_t small = f32_abs(x) < 0x1p23f;
    float whole = (float)(int32_t)f32_pick(small, x, 0.0f);
    return f32_pick(small, f32_copysign(whole, x), x);
}

static inline float f32_floor(float a)
{
    float x = f32_operand(a), t = f32_trunc(x);
    float down = f32_copysign(t - 1.0f, x);
    return f32_pick(t > x, down, t);
}

static inline float f32_ceil(float a)
{
    float x = f32_operand(a), t = f32_trunc(x);
    float up = f32_copysign(t + 1.0f, x);
    return f32_pick(t < x, up, t);
}

// Adding 2^23 leaves no fraction bits, and rounds to even on the way.
static inline float f32_round(float a)
{
    float x = f32_operand(a), size = f32_abs(x);
    float whole = f32_copysign((size + 0x1p23f) - 0x1p23f, x);
    return f32_pick(size < 0x1p23f, whole, x);
}

// -- conversions: exact_get's trees keep to the range; outside it the result is 0
// -------------------

static inline int32_t i32_of_f32(float a)
{
    float x = f32_operand(a);
    return (int32_t)f32_pick(f32_abs(x) < 0x1p31f, x, 0.0f);
}

static inline uint32_t u32_of_f32(float a)
{
    float x = f32_operand(a);
    return (uint32_t)f32_pick((x > -1.0f) & (x < 0x1p32f), x, 0.0f);
}

static inline float f32_of_i32(int32_t a)
{
    return (float)a;
}

static inline float f32_of_u32(uint32_t a)
{
    return (float)a;
}

// -- i32 and u32: two's complement, wrapping
// --------------------------------------------------------

static inline int32_t i32_neg(int32_t a)
{
    return (int32_t)(0u - (uint32_t)a);
}

static inline int32_t i32_abs(int32_t a)
{
    return a < 0 ? i32_neg(a) : a;
}

static inline int32_t i32_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t i32_sub(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t i32_mul(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static inline int32_t i32_div(int32_t a, int32_t b)
{
    if (b == 0)
        return 0;
    return b == -1 ? i32_neg(a) : a / b;
}

static inline int32_t i32_rem(int32_t a, int32_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

static inline int32_t i32_shl(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a << ((uint32_t)b & 31u));
}

static inline int32_t i32_shr(int32_t a, int32_t b)
{
    return a >> ((uint32_t)b & 31u); // arithmetic in every compiler we build with
}

static inline uint32_t u32_div(uint32_t a, uint32_t b)
{
    return b == 0 ? 0 : a / b;
}

static inline uint32_t u32_rem(uint32_t a, uint32_t b)
{
    return b == 0 ? 0 : a % b;
}

static inline uint32_t u32_mul_hi(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)a * b >> 32);
}

#endif
