// eval_rig.h: what the evaluator's tests share: graphs with inputs, runs of them, and arithmetic
// restated in double precision, which needs no mode of the processor.
#ifndef HLX_TESTS_EVAL_RIG_H
#define HLX_TESTS_EVAL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/eval.h"

struct rig {
    struct arena arena;
    struct ir_module module;
    struct ir_graph *g;
    const void *input[64];
    const void *var[1];
    uint32_t inputs;
    uint64_t random;
};

static inline void rig_begin(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->random = 88172645463325252u;
    ir_module_init(&r->module, &r->arena);
    r->g = ir_graph_new(&r->module);
}

static inline void rig_end(struct rig *r)
{
    arena_free(&r->arena);
}

static inline uint32_t rig_random(struct rig *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 32);
}

static inline uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

static inline float float_of(uint32_t u)
{
    float x;
    memcpy(&x, &u, 4);
    return x;
}

// Numbers of ordinary size, of both signs, that do not add up exactly.
static inline float rig_number(struct rig *r)
{
    return (float)((int32_t)rig_random(r) >> 8) * 0x1p-20f;
}

// Bits of every sort: now and then a special value, a subnormal, any pattern.
static inline uint32_t rig_bits(struct rig *r)
{
    static const uint32_t special[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                       0xff800000, 0x7fc00000, 0xffc12345, 0x7f812345, 1,
                                       0x807fffff, 0x00800000, 0x80800001, 0x7f7fffff, 0x4b000000,
                                       0x3f000000, 0xbf000000, 0x40200000, 0xcf000000, 0x4f800000};
    uint32_t x = rig_random(r);
    if (x % 4 == 0)
        return special[rig_random(r) % (sizeof special / sizeof *special)];
    return x % 4 == 1 ? rig_random(r) : bits_of(rig_number(r));
}

static inline ir_typeid rig_type(struct rig *r, enum dtype t, unsigned rank, const int64_t *dims)
{
    return ir_type_make(&r->module, t, rank, dims, NULL);
}

#define DIMS(...)                                                                                  \
    (sizeof((int64_t[]){__VA_ARGS__}) / 8), (const int64_t[])                                      \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

// An input that holds `data`.
static inline ir_ref rig_given(struct rig *r, ir_typeid type, const void *data)
{
    r->input[r->inputs] = data;
    return ir_input(r->g, r->inputs++, type);
}

// An input of numbers (small integers for integer types); *out, if wanted, points to them.
static inline ir_ref rig_input(struct rig *r, enum dtype t, unsigned rank, const int64_t *dims,
                               void *out)
{
    ir_typeid type = rig_type(r, t, rank, dims);
    size_t n = (size_t)ir_type_count(ir_type_get(&r->module, type));
    uint32_t *x = arena_array(&r->arena, n, 4);
    for (size_t i = 0; i < n; i++)
        x[i] = t == DT_F32    ? bits_of(rig_number(r))
               : t == DT_BOOL ? rig_random(r) % 2
                              : rig_random(r) % 2000 - 1000;
    if (out)
        memcpy(out, &x, sizeof x);
    return rig_given(r, type, x);
}

// Runs and returns root i's elements in out[i].
static inline void rig_run(struct rig *r, const ir_ref *roots, size_t n, unsigned flags,
                           const char *threads, void **out)
{
    const struct eval_counters counters = {0x123456789abcdef0u, 7};
    const char *error = NULL;
    setenv("HLX_THREADS", threads, 1);
    struct eval *e = eval_new(r->g, roots, n, flags, &error);
    if (!e)
        fail_msg("%s", error);
    for (size_t i = 0; i < n; i++)
        out[i] = arena_alloc(&r->arena, ir_type_bytes(ir_typeof(r->g, roots[i])));
    eval_run(e, r->input, r->var, &counters, out);
    eval_free(e);
}

static inline void *rig_eval(struct rig *r, ir_ref root)
{
    void *out;
    rig_run(r, &root, 1, 0, "1", &out);
    return out;
}

// Every way of running gives the same bits, those of *out.
static inline void rig_run_all(struct rig *r, const ir_ref *roots, size_t n, void **out)
{
    static const char *const threads[] = {"2", "4", "1", "1"};
    static const unsigned flags[] = {0, 0, EVAL_NO_FUSE, EVAL_TREES_ONLY};
    void **other = arena_array(&r->arena, n + 1, sizeof *other);
    rig_run(r, roots, n, 0, "1", out);
    for (unsigned k = 0; k < 4; k++) {
        rig_run(r, roots, n, flags[k], threads[k], other);
        for (size_t i = 0; i < n; i++)
            if (memcmp(out[i], other[i], ir_type_bytes(ir_typeof(r->g, roots[i]))) != 0)
                fail_msg("root %zu differs with flags %u and %s threads", i, flags[k], threads[k]);
    }
}

// -- f32 arithmetic restated
// ----------------------------------------------------------------------- A sum, product, quotient
// or root of floats in double rounds to the right float. Below the middle between the largest
// 24-bit number under 2^-126 and 2^-126 itself it is a zero.

static inline double ref_in(float x)
{
    uint32_t u = bits_of(x);
    return (double)float_of(u & 0x7f800000 ? u : u & 0x80000000);
}

static inline float ref_out(double x)
{
    double size = x < 0 ? -x : x;
    if (size < 0x1p-126 - 0x1p-151)
        return float_of(bits_of((float)x) & 0x80000000);
    return x != x ? float_of(0x7fc00000) : (float)x;
}

static inline float ref_add(float a, float b)
{
    return ref_out(ref_in(a) + ref_in(b));
}

static inline float ref_mul(float a, float b)
{
    return ref_out(ref_in(a) * ref_in(b));
}

// Rule 3, as it is written.
static inline float ref_sum(const float *x, size_t n)
{
    if (n > 4096) {
        size_t blocks = (n + 4095) / 4096;
        float *sums = calloc(blocks, sizeof *sums), sum;
        for (size_t b = 0; b < blocks; b++)
            sums[b] = ref_sum(x + b * 4096, n - b * 4096 < 4096 ? n - b * 4096 : 4096);
        sum = ref_sum(sums, blocks);
        free(sums);
        return sum;
    }
    float p[32] = {0};
    for (size_t i = 0; i < n; i++)
        p[i % 32] = ref_add(p[i % 32], x[i]);
    for (unsigned w = 32; w > 1; w /= 2)
        for (unsigned i = 0; i < w / 2; i++)
            p[i] = ref_add(p[i], p[i + w / 2]);
    return p[0];
}

static inline void assert_bits(float want, float got, size_t i)
{
    uint32_t w = want != want ? 0x7fc00000 : bits_of(want);
    if (w != bits_of(got))
        fail_msg("element %zu is %08x (%g), not %08x (%g)", i, bits_of(got), (double)got, w,
                 (double)want);
}

#endif
