// numerics_test.c: a second implementation of the exact functions, written in plain C from
// spec/numerics.md N2 alone, and compared with the trees. It runs without flushing (N2.2).
//
// It is in the words of the spec, step by step, so that whoever reads one can check the other.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/exact.h"
#include "tests/unit/numerics_terms.h"

// -- N2.3: division, roots -----------------------------------------------------------------------

static u32 spec_div(u32 ua, u32 ub)
{
    u32 A = size(ua), B = size(ub), sign = (ua ^ ub) & SIGN;
    u32 m = (A & 0x7fffff) | MIN, n = (B & 0x7fffff) | MIN, s = m < n;
    float r = recip((float)n, 0x1.ffffep-1f);
    u32 q = (u32)(flt(m + ((172 + s) << 23)) * r);
    u32 R = shl(m, 23 + s) - q * n;
    u32 c = (u32)((float)R * r + 0.25f);
    R -= c * n;
    q += c;
    if (below(n, 2 * R))
        q++;
    if (is_nan(ua) || is_nan(ub) || (is_zero(ua) && is_zero(ub)) || (A == INF && B == INF))
        return NOT_A_NUMBER;
    bool ends = is_zero(ua) || is_zero(ub) || A == INF || B == INF;
    if (ends || A - B + (126u << 23) >= 254u << 23)
        return (A > B ? (u32)INF : 0) | sign;
    return (((A - B) & 0xff800000) + q + (126u << 23)) | sign;
}

static u32 spec_sqrt(u32 u)
{
    u32 w = (u ^ MIN) & 0xffffff;
    float m = flt(w + ONE), g = flt(0x5f37642f - (bits(m) >> 1)), e = 1 - m * g * g;
    float y = g * poly(e, 0x1.00000ap+0f, 0x1.008fep-1f, 0x1.802344p-2f), t = m * y;
    u32 s = (u32)((t + t * 0.5f * (1 - t * y)) * 0x1p+23f);
    u32 R = shl(w, (w >> 23) + 23) - s * s;
    s = below(R + s, 1) ? s - 1 : below(s, R) ? s + 1 : s;
    if (is_zero(u))
        return u & SIGN;
    if (u >= INF)
        return u == INF ? (u32)INF : (u32)NOT_A_NUMBER;
    return (((u + (125u << 23)) >> 24) << 23) + s;
}

static u32 spec_rsqrt(u32 u)
{
    u32 w = (u ^ MIN) & 0xffffff;
    float m = flt(w + ONE), g = flt(0x5f37642f - (bits(m) >> 1)), e = 1 - m * g * g;
    float y = head(g * poly(e, 0x1.00100ap+0f, 0x1.009feap-1f, 0x1.803b46p-2f));
    float p = y * y, mh = head(m), ml = m - mh, ph = head(p), pl = p - ph;
    e = ((1 - mh * ph) - (mh * pl + ml * ph)) - ml * pl;
    y = y + (y * e) * (0x1.000002p-1f + e * 0.375f);
    if (is_zero(u))
        return INF | (u & SIGN);
    if (u >= INF)
        return u == INF ? 0 : (u32)NOT_A_NUMBER;
    return bits(y) - (sar(u - ONE, 24) << 23);
}

// -- N2.4: exponentials --------------------------------------------------------------------------

static float reduce(float x, u32 *K, float *r, float *c)
{
    float k = nearest(x * 0x1.715476p+0f, K), h = x - k * 0x1.62e4p-1f, l = k * 0x1.7f7d1cp-20f;
    *r = h - l;
    *c = (h - *r) - l;
    return k;
}

static void parts(float x, float *high, float *low, u32 *K)
{
    float r, c, s, e;
    reduce(x, K, &r, &c);
    float t = r * r *
                  poly(r, 0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.555862p-5f, 0x1.123deap-7f,
                       0x1.6aba38p-10f) +
              c;
    fast(1, r, &s, &e);
    *high = s;
    *low = e + t;
}

static u32 exp_cases(u32 u, u32 most, u32 least_u, u32 value)
{
    if (is_nan(u))
        return NOT_A_NUMBER;
    if (u > least_u)
        return 0;
    return below(most, u) ? (u32)INF : value;
}

static u32 spec_exp(u32 u)
{
    float high, low;
    u32 K;
    parts(flt(u), &high, &low, &K);
    return exp_cases(u, 0x42b17217, 0xc2aeac4f, bits(high + low) + K);
}

static u32 spec_exp2(u32 u)
{
    u32 K;
    float k = nearest(flt(u), &K), r = flt(u) - k, a = head(r), s, e;
    float t = (r - a) * 0x1.62ep-1f + r * 0x1.0bfbe8p-15f;
    t = r * r *
            poly(r, 0x1.ebfbdcp-3f, 0x1.c6af84p-5f, 0x1.3b2daep-7f, 0x1.5f072p-10f,
                 0x1.41af82p-13f) +
        t;
    fast(1, a * 0x1.62ep-1f, &s, &e);
    return exp_cases(u, 0x42ffffff, 0xc2fc0000, bits(s + (e + t)) + K);
}

static u32 spec_expm1(u32 u)
{
    u32 K;
    float r, c, k = reduce(flt(u), &K, &r, &c), z = r * r, s, e;
    float t = z * r *
                  poly(r, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d4p-7f, 0x1.6d3a5ep-10f,
                       0x1.9e7ca8p-13f) +
              c;
    t = z * 0.5f + t;
    float w = 100 < k ? 0 : flt(ONE - K), b = 1 - w, d = (1 - b) - w;
    fast(b, r, &s, &e);
    if (is_nan(u))
        return NOT_A_NUMBER;
    if (is_zero(u))
        return u & SIGN;
    if (below(0x42b17217, u))
        return INF;
    if (u > 0xc187c28f)
        return u > 0xc18aa123 ? ONE | SIGN : 0xbf7fffff;
    return bits(s + (e + (d + t))) + K;
}

static u32 spec_sigmoid(u32 u)
{
    float high, low, y, yl, d, dl;
    u32 K;
    parts(-flt(least(size(u), 0x42b00000)), &high, &low, &K);
    fast(high, low, &y, &yl);
    fast(1, flt(bits(y) + K), &d, &dl);
    dl = yl * flt(ONE + K) + dl;
    bool negative = u > SIGN;
    float n = negative ? y : 1, nl = negative ? yl : 0;
    float r = recip(d, 0x1.000036p+0f), q = head(n * r), dh = head(d);
    float R = ((n - q * dh) - q * ((d - dh) + dl)) + nl;
    return exp_cases(u, INF, 0xc2aeac4f, bits(q + R * r) + (negative ? K : 0));
}

static u32 odd_cases(u32 u, u32 value)
{
    if (is_nan(u))
        return NOT_A_NUMBER;
    return is_zero(u) ? u & SIGN : value | (u & SIGN);
}

static u32 spec_tanh(u32 u)
{
    float a = flt(least(size(u), 0x41200000)), z = a * a, high, low, d, dl;
    float small = z * a *
                      poly(z, -0x1.55553ep-2f, 0x1.1109bep-3f, -0x1.b89abap-5f, 0x1.54c3c2p-6f,
                           -0x1.828776p-8f) +
                  a;
    u32 K;
    parts(a * -2, &high, &low, &K);
    float E = flt(bits(high + low) + K), n = E + E;
    fast(1, E, &d, &dl);
    float r = 0x1.fb9398p-1f - E * 0x1.8615ccp-1f;
    r = r * (1 - d * r) + r;
    float q = (n * r + 1536) - 1536, dh = head(d);
    float R = (n - q * dh) - q * ((d - dh) + dl);
    return odd_cases(u, bits(size(u) < 0x3f19999a ? small : (1 - q) - R * r));
}

static u32 spec_erf(u32 u)
{
    float a = flt(least(size(u), 0x407e147b)), b = a * 0x1p+32f, high, low;
    b = b * poly(a * a, 0x1.06eba8p-3f, -0x1.81274p-2f, 0x1.ce2d64p-4f, -0x1.b80124p-6f,
                 0x1.544b08p-8f, -0x1.a6181p-11f, 0x1.4fa924p-14f) +
        b;
    u32 K;
    parts(a * poly(a, -0x1.20e5ap+0f, -0x1.458182p-1f, -0x1.aef692p-4f, 0x1.768c02p-6f,
                   -0x1.a431b4p-9f, 0x1.be724cp-13f),
          &high, &low, &K);
    u32 large = bits(1 - flt(bits(high + low) + K));
    return odd_cases(u, size(u) < 0x3f733333 ? bits(b) - (32u << 23) : large);
}

// -- N2.5: logarithms ----------------------------------------------------------------------------

static float split(u32 v, u32 *field, float *k)
{
    u32 i = sar(v - 0x3f2aaaab, 23);
    *field = i << 23;
    *k = (float)(int32_t)i;
    return flt(v - *field) - 1;
}

static u32 log_sum(float k, float f, const float *c)
{
    float z = f * f, s, e;
    float t =
        z * f *
            poly(f, 0x1.555556p-2f, -0x1.ffff18p-3f, 0x1.9997eep-3f, -0x1.55978cp-3f, 0x1.24eb7p-3f,
                 -0x1.f3b034p-4f, 0x1.b91eaap-4f, -0x1.06c294p-3f, 0x1.e9d316p-4f) -
        z * 0.5f;
    if (c)
        t = t + *c;
    t = k * 0x1.7f7d1cp-20f + t;
    fast(k * 0x1.62e4p-1f, f, &s, &e);
    return bits(s + (e + t));
}

static u32 spec_log(u32 u)
{
    u32 field;
    float k, f = split(u, &field, &k);
    if (is_zero(u))
        return INF | SIGN;
    if (u >= INF)
        return u == INF ? (u32)INF : (u32)NOT_A_NUMBER;
    return log_sum(k, f, NULL);
}

static u32 spec_log1p(u32 u)
{
    float x = flt(u), w = x + 1, b = w - 1, d = (1 - (w - b)) + (x - b), k, c;
    u32 field;
    float f = split(bits(w), &field, &k), m = 64 < k ? 0 : flt(ONE - field);
    fast(f, d * m, &f, &c);
    c = c - c * f;
    if (is_nan(u) || u > (ONE | SIGN))
        return NOT_A_NUMBER;
    if (is_zero(u))
        return u & SIGN;
    if (u == (ONE | SIGN) || u == INF)
        return u == INF ? (u32)INF : INF | SIGN;
    return log_sum(k, f, &c);
}

// -- N2.6: power ---------------------------------------------------------------------------------

// Whether |b| is an integer, and an odd one, told from its bits.
static bool is_integer(u32 B, bool *odd)
{
    u32 E = B >> 23, mantissa = (B & 0x7fffff) | MIN;
    *odd = E >= 127 && E <= 150 && (mantissa >> (150 - E) & 1);
    if (E < 127)
        return false;
    return E >= 150 || (mantissa & ((1u << (150 - E)) - 1)) == 0;
}

static u32 pow_size(u32 A, u32 ub)
{
    u32 B = size(ub), k = sar(A - 0x3f2aaaab, 23);
    float f = flt(A - (k << 23)) - 1;
    u32 n = sar(bits(f), 31), F = (u32)(flt(size(bits(f))) * 0x1p+32f), z = hi(F, F);
    u32 D = up(z, 0xb8aa3b29, 0x5c551f07, 0x3d8d7eba, 0x2e406623, 0x238093a1, 0x2980ed24);
    D -= hi(F, up(z, 0x7b1c2763, 0x49ddb8ea, 0x34c156a8, 0x29312598, 0x1f99fc7a, 0x286c1d6b)) ^ n;
    u32 S = 0x71547652 - (hi(F, D) ^ n), s = (F * D) ^ (n ^ 0xffffffff);
    u32 l = hi(F, s), L = F * S + l, H = F + hi(F, S) + (L < l), w = k + n, N = sar(w, 31);
    w ^= N, H ^= n ^ N, L ^= n ^ N;
    bool is_below = w == 0;
    if (!is_below)
        L = H << 24 | L >> 8, H = w << 24 | H >> 8;
    u32 M = B << 8 | SIGN, E = B >> 23;
    l = hi(L, M);
    L = H * M + l;
    H = hi(H, M) + (L < l);
    u32 p = (is_below ? 158 : 150) - E, c = least(p, 63);
    u32 whole = p & SIGN ? H : c < 32 ? shr(H, c) : 0;
    u32 fraction = c < 32 ? shr(L, c) | shl(2 * H, c ^ 31) : shr(H, c);
    N ^= sar(ub, 31);
    u32 x = fraction ^ N;
    u32 m = hi(x, up(x, 0xb172180d, 0x3d7f79e4, 0x0e359661, 0x02760cf7, 0x0057fd80, 0x00096301,
                     0x00016a35));
    u32 v = ((whole ^ N) << 23) + ONE + (((m >> 1) + 0x80) >> 8);
    if (whole > 127 || A < MIN || A == INF)
        return N ? 0 : (u32)INF;
    return below(v, MIN) ? 0 : v;
}

static u32 spec_pow(u32 ua, u32 ub)
{
    u32 A = size(ua), B = size(ub);
    bool odd, whole = is_integer(B, &odd);
    if (is_zero(ub) || ua == ONE)
        return ONE;
    if (is_nan(ua) || is_nan(ub))
        return NOT_A_NUMBER;
    if (ua & SIGN && A != INF && !is_zero(ua) && B != INF && !whole)
        return NOT_A_NUMBER;
    return pow_size(A, ub) | (whole && odd ? ua & SIGN : 0);
}

// -- N2.7: sine and cosine -----------------------------------------------------------------------

static void turns(u32 u, u32 *H, u32 *L)
{
    static const u32 T[8] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                             0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    u32 m = (size(u) & 0x7fffff) | MIN, o = (size(u) >> 23) - 120, W[3] = {0};
    for (u32 i = 0; o <= 134 && i < 3; i++)
        W[i] = shl(T[o / 32 + i], o) | shr(T[o / 32 + i + 1] >> 1, o ^ 31);
    u32 l = hi(W[2], m);
    *L = W[1] * m + l;
    *H = W[0] * m + hi(W[1], m) + (*L < l);
}

static u32 wave(u32 u, bool cosine_wanted)
{
    u32 H, L;
    turns(u, &H, &L);
    bool small = size(u) < 0x3f490fdb;
    H = small ? 0 : H;
    u32 F = H << 2 | L >> 30, n = sar(F, 31), G = F ^ n, g = (L << 2) ^ n;
    u32 z = 158 - (bits((float)G) >> 23);
    u32 R = hi(shl(G, z) | shr(g >> 1, z ^ 31), 0xc90fdaa2), d = z;
    if (small)
        R = ((size(u) & 0x7fffff) | MIN) << 8, d = 127 - (size(u) >> 23);
    u32 r = shr(R, least(d, 31)) << 1, s = hi(r, r);
    u32 sine = R - hi(R, hi(s, down(s, 0x2aaaaaaa, 0x02222211, 0x000d007d, 0x00002d9b)));
    u32 cosine = SIGN - hi(s, down(s, 0x3ffffffa, 0x055554f8, 0x002d8110, 0x0000cc9a));
    u32 q = H + 0x20000000 + (cosine_wanted ? 0x40000000 : 0);
    if (q & 0x40000000)
        return (bits((float)cosine) - (31u << 23)) | (q & SIGN);
    return (bits((float)sine) - (31u << 23) - (d << 23)) | ((q ^ F) & SIGN);
}

static u32 spec_sin(u32 u)
{
    if (size(u) >= INF)
        return NOT_A_NUMBER;
    return is_zero(u) ? u & SIGN : wave(u, false) ^ (u & SIGN);
}

static u32 spec_cos(u32 u)
{
    return size(u) >= INF ? (u32)NOT_A_NUMBER : wave(u, true);
}

// -- the comparison ------------------------------------------------------------------------------

static u32 mix(u32 h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

// Any bits; every third time between 2^-15 and 2^16.
static u32 operand(u32 i)
{
    u32 u = mix(i);
    return i % 3 ? u : (u & 0x87ffffff) | 0x38000000;
}

static void functions_of_one_operand(void **state)
{
    (void)state;
    static const struct {
        enum ir_op op;
        u32 (*spec)(u32);
    } functions[] = {{IR_sqrt, spec_sqrt},   {IR_rsqrt, spec_rsqrt},     {IR_exp, spec_exp},
                     {IR_exp2, spec_exp2},   {IR_expm1, spec_expm1},     {IR_log, spec_log},
                     {IR_log1p, spec_log1p}, {IR_sigmoid, spec_sigmoid}, {IR_tanh, spec_tanh},
                     {IR_erf, spec_erf},     {IR_sin, spec_sin},         {IR_cos, spec_cos}};
    struct arena arena = {0};
    struct ir_module module;
    struct exact_trees trees;
    ir_module_init(&module, &arena);
    exact_init(&trees, &module);
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        const struct exact_tree *t = exact_get(&trees, functions[f].op, DT_F32, DT_F32);
        for (u32 i = 0; i < 50000; i++) {
            u32 u = operand(i);
            assert_int_equal(exact_run(t, &u), functions[f].spec(u));
        }
    }
    arena_free(&arena);
}

// Any bits, or an integer or half of one.
static u32 pair_operand(u32 i, u32 often)
{
    u32 u = operand(i);
    return i % often ? u : bits((float)((int32_t)(u % 99) - 49) * (i % 2 ? 0.5f : 1.0f));
}

static void functions_of_two_operands(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct ir_module module;
    struct exact_trees trees;
    ir_module_init(&module, &arena);
    exact_init(&trees, &module);
    const struct exact_tree *quotient = exact_get(&trees, IR_div, DT_F32, DT_F32);
    const struct exact_tree *power = exact_get(&trees, IR_pow, DT_F32, DT_F32);
    for (u32 i = 0; i < 100000; i++) {
        u32 pair[] = {pair_operand(2 * i, 14), pair_operand(2 * i + 1, 3)};
        assert_int_equal(exact_run(quotient, pair), spec_div(pair[0], pair[1]));
        assert_int_equal(exact_run(power, pair), spec_pow(pair[0], pair[1]));
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_operand),
        cmocka_unit_test(functions_of_two_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
