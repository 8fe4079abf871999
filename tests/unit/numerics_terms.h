// numerics_terms.h: the terms in which spec/numerics.md N2.1 states the exact functions, in plain
// C.
#ifndef HLX_TESTS_UNIT_NUMERICS_TERMS_H
#define HLX_TESTS_UNIT_NUMERICS_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t u32;

enum { MIN = 0x00800000, ONE = 0x3f800000, INF = 0x7f800000, NOT_A_NUMBER = 0x7fc00000 };
#define SIGN 0x80000000u

static inline u32 bits(float x)
{
    u32 u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float flt(u32 u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline u32 size(u32 u)
{
    return u & 0x7fffffff;
}

static inline u32 hi(u32 a, u32 b)
{
    return (u32)((uint64_t)a * b >> 32);
}

static inline u32 shl(u32 a, u32 n)
{
    return a << (n & 31);
}

static inline u32 shr(u32 a, u32 n)
{
    return a >> (n & 31);
}

static inline u32 sar(u32 a, u32 n)
{
    return shr(a, n) | (a >> 31 && (n & 31) ? ~(0xffffffffu >> (n & 31)) : 0);
}

static inline bool below(u32 a, u32 b) // signed
{
    return (a ^ SIGN) < (b ^ SIGN);
}

static inline u32 least(u32 a, u32 b)
{
    return a < b ? a : b;
}

static inline float poly_of(float x, const float *c, size_t n)
{
    return n == 1 ? c[0] : c[0] + x * poly_of(x, c + 1, n - 1);
}

#define poly(x, ...)                                                                               \
    poly_of((x), (const float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}) / sizeof(float))

static inline u32 up_of(u32 x, const u32 *c, size_t n)
{
    return n == 1 ? c[0] : c[0] + hi(x, up_of(x, c + 1, n - 1));
}

static inline u32 down_of(u32 x, const u32 *c, size_t n)
{
    return n == 1 ? c[0] : c[0] - hi(x, down_of(x, c + 1, n - 1));
}

#define up(x, ...)                                                                                 \
    up_of((x), (const u32[]){__VA_ARGS__}, sizeof((u32[]){__VA_ARGS__}) / sizeof(u32))
#define down(x, ...)                                                                               \
    down_of((x), (const u32[]){__VA_ARGS__}, sizeof((u32[]){__VA_ARGS__}) / sizeof(u32))

static inline float head(float x)
{
    return flt(bits(x) & 0xfffff000);
}

static inline void fast(float a, float b, float *s, float *e)
{
    float sum = a + b;
    *e = b - (sum - a);
    *s = sum;
}

static inline float nearest(float x, u32 *field)
{
    float t = x + 0x1.8p+23f;
    *field = bits(t) << 23;
    return t - 0x1.8p+23f;
}

static inline float recip(float d, float one)
{
    float g = flt(0x7ef311c3 - bits(d)), e = 1 - d * g;
    return (g * e + g) * (e * e + one);
}

static inline bool is_nan(u32 u)
{
    return size(u) > INF;
}

static inline bool is_zero(u32 u)
{
    return size(u) < MIN;
}

#endif
