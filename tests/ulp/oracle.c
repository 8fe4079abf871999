// oracle.c: reference values and errors for the accuracy test of exact functions.
#include "tests/ulp/oracle.h"

#include <math.h>
#include <string.h>

#include "ir/exact_kit.h"
#include "ir/lanes.h"

// -- the C library in double ---------------------------------------------------------------------

static double d_div(double a, double b)
{
    return a / b;
}
static double d_sqrt(double a, double b)
{
    (void)b;
    return sqrt(a);
}
static double d_rsqrt(double a, double b)
{
    (void)b;
    return a == 0 ? copysign((double)INFINITY, a) : 1.0 / sqrt(a);
}
static double d_exp(double a, double b)
{
    (void)b;
    return exp(a);
}
static double d_exp2(double a, double b)
{
    (void)b;
    return exp2(a);
}
static double d_expm1(double a, double b)
{
    (void)b;
    return expm1(a);
}
static double d_log(double a, double b)
{
    (void)b;
    return log(a);
}
static double d_log1p(double a, double b)
{
    (void)b;
    return log1p(a);
}
static double d_tanh(double a, double b)
{
    (void)b;
    return tanh(a);
}
static double d_sigmoid(double a, double b)
{
    (void)b;
    return 1.0 / (1.0 + exp(-a));
}
static double d_erf(double a, double b)
{
    (void)b;
    return erf(a);
}
static double d_sin(double a, double b)
{
    (void)b;
    return sin(a);
}
static double d_cos(double a, double b)
{
    (void)b;
    return cos(a);
}
static double d_pow(double a, double b)
{
    return pow(a, b);
}

// -- MPFR ----------------------------------------------------------------------------------------

static void m_div(mpfr_t r, mpfr_t a, mpfr_t b)
{
    mpfr_div(r, a, b, MPFR_RNDN);
}
static void m_sqrt(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_sqrt(r, a, MPFR_RNDN);
}
static void m_rsqrt(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_rec_sqrt(r, a, MPFR_RNDN);
}
static void m_exp(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_exp(r, a, MPFR_RNDN);
}
static void m_exp2(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_exp2(r, a, MPFR_RNDN);
}
static void m_expm1(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_expm1(r, a, MPFR_RNDN);
}
static void m_log(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_log(r, a, MPFR_RNDN);
}
static void m_log1p(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_log1p(r, a, MPFR_RNDN);
}
static void m_tanh(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_tanh(r, a, MPFR_RNDN);
}
static void m_sigmoid(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_neg(r, a, MPFR_RNDN);
    mpfr_exp(r, r, MPFR_RNDN);
    mpfr_add_ui(r, r, 1, MPFR_RNDN);
    mpfr_ui_div(r, 1, r, MPFR_RNDN);
}
static void m_erf(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_erf(r, a, MPFR_RNDN);
}
static void m_sin(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_sin(r, a, MPFR_RNDN);
}
static void m_cos(mpfr_t r, mpfr_t a, mpfr_t b)
{
    (void)b;
    mpfr_cos(r, a, MPFR_RNDN);
}
static void m_pow(mpfr_t r, mpfr_t a, mpfr_t b)
{
    mpfr_pow(r, a, b, MPFR_RNDN);
}

// -- results that are determined to the bit -------------------------------------------------------

// A double rounded to f32 with tininess judged after rounding, and the canonical NaN.
static uint32_t to_f32(double x)
{
    float f = (float)x;
    if (f != f)
        return X_NAN;
    // Rounded to 24 bits with an unbounded exponent, is it below 2^-126?
    if ((float)(fabs(x) * 0x1p64) < 0x1p-62f)
        return signbit(x) ? X_SIGN : 0;
    return f32_bits(f);
}

static double of_bits(uint32_t u)
{
    return (double)f32_of_bits(f32_flush_bits(u));
}

static uint32_t e_div(uint32_t a, uint32_t b)
{
    return to_f32(of_bits(a) / of_bits(b)); // 53 bits are enough to round once more: 53 >= 2*24 + 2
}
static uint32_t e_sqrt(uint32_t a, uint32_t b)
{
    (void)b;
    return to_f32(sqrt(of_bits(a)));
}

// Rounds x to a binary format of `digits` mantissa bits whose least exponent is `low`.
static double round_to(double x, int digits, int low)
{
    int e = ilogb(x) < low ? low : ilogb(x);
    double unit = ldexp(1.0, e - digits + 1);
    return nearbyint(x / unit) * unit;
}
static uint32_t e_f16(uint32_t a, uint32_t b)
{
    (void)b;
    double x = of_bits(a), size = fabs(x);
    uint32_t sign = a >> 16 & 0x8000u;
    if (x != x)
        return 0x7e00u;
    if (size >= 65520)
        return sign | 0x7c00u;
    if (size == 0)
        return sign;
    double r = round_to(size, 11, -14);
    if (r < 0x1p-14)
        return sign | (uint32_t)(r * 0x1p24);
    int e = ilogb(r);
    return sign | (uint32_t)(e + 15) << 10 | ((uint32_t)ldexp(r, 10 - e) & 0x3ffu);
}
static uint32_t e_bf16(uint32_t a, uint32_t b)
{
    (void)b;
    double x = of_bits(a);
    if (x != x)
        return 0x7fc0u;
    if (isinf(x) || x == 0)
        return f32_bits((float)x) >> 16;
    return f32_bits((float)round_to(x, 8, -126)) >> 16;
}
static uint32_t saturate(uint32_t a, double low, double high)
{
    double x = of_bits(a);
    if (x != x)
        return 0;
    x = x < low ? low : x > high ? high : x;
    return (uint32_t)(int64_t)x;
}
static uint32_t e_i32(uint32_t a, uint32_t b)
{
    (void)b;
    return saturate(a, -2147483648.0, 2147483647.0);
}
static uint32_t e_u32(uint32_t a, uint32_t b)
{
    (void)b;
    return saturate(a, 0.0, 4294967295.0);
}
static uint32_t e_i8(uint32_t a, uint32_t b)
{
    (void)b;
    return saturate(a, -128.0, 127.0) & 0xffu;
}
static uint32_t e_u8(uint32_t a, uint32_t b)
{
    (void)b;
    return saturate(a, 0.0, 255.0);
}
static uint32_t e_bool(uint32_t a, uint32_t b)
{
    (void)b;
    return of_bits(a) != 0.0;
}

// -- the table -----------------------------------------------------------------------------------

const struct oracle oracles[] = {
    {"div", IR_div, DT_F32, 2, 0.5, d_div, m_div, e_div},
    {"sqrt", IR_sqrt, DT_F32, 1, 0.5, d_sqrt, m_sqrt, e_sqrt},
    {"rsqrt", IR_rsqrt, DT_F32, 1, 0.501, d_rsqrt, m_rsqrt, NULL},
    {"exp", IR_exp, DT_F32, 1, 0.71, d_exp, m_exp, NULL},
    {"exp2", IR_exp2, DT_F32, 1, 0.65, d_exp2, m_exp2, NULL},
    {"expm1", IR_expm1, DT_F32, 1, 0.82, d_expm1, m_expm1, NULL},
    {"log", IR_log, DT_F32, 1, 0.85, d_log, m_log, NULL},
    {"log1p", IR_log1p, DT_F32, 1, 0.85, d_log1p, m_log1p, NULL},
    {"tanh", IR_tanh, DT_F32, 1, 0.92, d_tanh, m_tanh, NULL},
    {"sigmoid", IR_sigmoid, DT_F32, 1, 0.71, d_sigmoid, m_sigmoid, NULL},
    {"erf", IR_erf, DT_F32, 1, 1.20, d_erf, m_erf, NULL},
    {"sin", IR_sin, DT_F32, 1, 0.52, d_sin, m_sin, NULL},
    {"cos", IR_cos, DT_F32, 1, 0.52, d_cos, m_cos, NULL},
    {"pow", IR_pow, DT_F32, 2, 0.73, d_pow, m_pow, NULL},
    {"cast f16", IR_cast, DT_F16, 1, 0.5, NULL, NULL, e_f16},
    {"cast bf16", IR_cast, DT_BF16, 1, 0.5, NULL, NULL, e_bf16},
    {"cast i32", IR_cast, DT_I32, 1, 0, NULL, NULL, e_i32},
    {"cast u32", IR_cast, DT_U32, 1, 0, NULL, NULL, e_u32},
    {"cast i8", IR_cast, DT_I8, 1, 0, NULL, NULL, e_i8},
    {"cast u8", IR_cast, DT_U8, 1, 0, NULL, NULL, e_u8},
    {"cast bool", IR_cast, DT_BOOL, 1, 0, NULL, NULL, e_bool},
};

const unsigned oracle_count = sizeof oracles / sizeof oracles[0];

// -- errors --------------------------------------------------------------------------------------

// Exponent of the last place of an f32 of this size.
static double last_place(double size)
{
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    int e = (int)(bits >> 52) - 1023;
    bits = (uint64_t)((e < -126 ? -126 : e > 127 ? 127 : e) - 23 + 1023) << 52;
    memcpy(&size, &bits, sizeof size);
    return size;
}

// An f32 as a number, infinity as 2^128: the error of an overflow is then what it should be.
static double number(uint32_t bits)
{
    if ((bits & X_ABS) == X_INF)
        return bits & X_SIGN ? -0x1p128 : 0x1p128;
    return (double)f32_of_bits(bits);
}

double oracle_error(uint32_t got, double want)
{
    double size = fabs(want);
    bool same_sign = (got >> 31) == (signbit(want) != 0);
    if (want != want)
        return got == X_NAN ? 0 : (double)INFINITY;
    bool subnormal = (got & X_ABS) != 0 && (got & X_ABS) < X_HIDDEN;
    if ((got & X_ABS) > X_INF || subnormal || !same_sign)
        return (double)INFINITY;
    if (size == 0 || isinf(want))
        return (got & X_ABS) == (size == 0 ? 0 : X_INF) ? 0 : (double)INFINITY;
    if (size < 0x1p-126 && (got & X_ABS) == 0)
        return 0;
    if (size >= 0x1p128)
        return (got & X_ABS) == X_INF ? 0 : (double)INFINITY;
    return fabs(number(got) - want) / last_place(size);
}

// The common case of oracle_error, normal numbers on both sides, for a loop that vectorises; -1
// elsewhere.
static double normal_error(uint32_t got, double want)
{
    uint64_t bits;
    memcpy(&bits, &want, sizeof bits);
    uint64_t e = bits >> 52 & 0x7ff, unit_bits = (2 * 1023 + 23 - e) << 52;
    double unit;
    memcpy(&unit, &unit_bits, sizeof unit);
    bool normal = (e - (1023 - 126) < 254) & ((got & X_ABS) - X_HIDDEN < X_INF - X_HIDDEN);
    double error = fabs((double)f32_of_bits(got) - want) * unit;
    return normal ? error : -1;
}

void oracle_errors(const uint32_t *got, const double *want, double *error, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        error[i] = normal_error(got[i], want[i]);
    for (unsigned i = 0; i < n; i++)
        if (error[i] < 0)
            error[i] = oracle_error(got[i], want[i]);
}

double oracle_error_precise(const struct oracle *o, uint32_t a, uint32_t b, uint32_t got)
{
    mpfr_t r, x, y;
    mpfr_init2(r, 300);
    mpfr_init2(x, 53);
    mpfr_init2(y, 53);
    mpfr_set_d(x, of_bits(a), MPFR_RNDN);
    mpfr_set_d(y, of_bits(b), MPFR_RNDN);
    o->precise(r, x, y);
    double want = mpfr_get_d(r, MPFR_RNDN), error = oracle_error(got, want);
    if (isfinite(want) && want != 0 && error != 0 && isfinite(error)) {
        mpfr_sub_d(r, r, number(got), MPFR_RNDN);
        error = fabs(mpfr_get_d(r, MPFR_RNDN)) / last_place(fabs(want));
    }
    mpfr_clears(r, x, y, (mpfr_ptr)0);
    return error;
}
