// exact_cast_test.c: tests of the conversions' trees: every f16 and bf16, and the edges of
// integers.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ir/exact.h"
#include "ir/lanes.h"

struct rig {
    struct arena arena;
    struct ir_module module;
    struct exact_trees trees;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    ir_module_init(&rig->module, &rig->arena);
    exact_init(&rig->trees, &rig->module);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    arena_free(&rig->arena);
    free(rig);
    return 0;
}

enum { MAX = 0x7f7fffff, INF = 0x7f800000, NAN_ = 0x7fc00000 };
#define MINUS 0x80000000u

static double flushed(uint32_t u)
{
    return (double)f32_of_bits(f32_flush_bits(u));
}

static uint32_t convert(struct rig *rig, enum dtype from, enum dtype to, uint32_t a)
{
    return exact_run(exact_get(&rig->trees, IR_cast, from, to), &a);
}

static void every_f16_goes_to_f32_and_back(void **state)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t u = convert(*state, DT_F16, DT_F32, h), exponent = h >> 10 & 31, size = h & 0x3ff;
        double value = exponent ? ldexp(size + 1024.0, (int)exponent - 25) : ldexp(size, -24);
        if (exponent == 31 && size) {
            assert_int_equal(u, NAN_);
            assert_int_equal(convert(*state, DT_F32, DT_F16, u), 0x7e00);
            continue;
        }
        if (exponent == 31)
            value = (double)INFINITY;
        assert_int_equal(u, f32_bits((float)value) | (h & 0x8000) << 16);
        assert_int_equal(convert(*state, DT_F32, DT_F16, u), h);
    }
}

// Between two neighbours: down, to even, up.
static void f32_rounds_to_the_nearest_f16(void **state)
{
    for (uint32_t h = 0; h < 0x7c00; h++) {
        double low = flushed(convert(*state, DT_F16, DT_F32, h));
        double high = h == 0x7bff ? 65536.0 : flushed(convert(*state, DT_F16, DT_F32, h + 1));
        uint32_t middle = f32_bits((float)((low + high) / 2));
        assert_int_equal(convert(*state, DT_F32, DT_F16, middle - 1), h);
        assert_int_equal(convert(*state, DT_F32, DT_F16, middle), h + (h & 1));
        assert_int_equal(convert(*state, DT_F32, DT_F16, (middle + 1) | MINUS), (h + 1) | 0x8000);
    }
    assert_int_equal(convert(*state, DT_F32, DT_F16, INF), 0x7c00);
    assert_int_equal(convert(*state, DT_F32, DT_F16, MAX), 0x7c00);
    assert_int_equal(convert(*state, DT_F32, DT_F16, MINUS | 1), 0x8000);
}

static void every_bf16_goes_to_f32_and_back(void **state)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t u = convert(*state, DT_BF16, DT_F32, h), size = h & 0x7fff;
        uint32_t want = size > 0x7f80 ? (uint32_t)NAN_ : size < 0x80 ? h << 16 & MINUS : h << 16;
        assert_int_equal(u, want);
        assert_int_equal(convert(*state, DT_F32, DT_BF16, u), want >> 16);
        if (size < 0x80 || size >= 0x7f80)
            continue;
        assert_int_equal(convert(*state, DT_F32, DT_BF16, u + 0x7fff), h);
        assert_int_equal(convert(*state, DT_F32, DT_BF16, u + 0x8000), h + (h & 1));
        assert_int_equal(convert(*state, DT_F32, DT_BF16, u + 0x8001), h + 1);
    }
}

struct conversion {
    enum dtype from, to;
    uint32_t in, out;
};

static void conversions_of_integers(void **state)
{
    static const struct conversion cases[] = {
        {DT_F32, DT_I32, 0xbf7fffff, 0},          // -0.99
        {DT_F32, DT_I32, 0xc0200000, 0xfffffffe}, // -2.5
        {DT_F32, DT_I32, 0x4effffff, 0x7fffff80}, // the last below 2^31
        {DT_F32, DT_I32, 0x4f000000, 0x7fffffff},
        {DT_F32, DT_I32, 0xcf000000, 0x80000000},
        {DT_F32, DT_I32, 0xff800000, 0x80000000},
        {DT_F32, DT_I32, 0x7fc00000, 0},
        {DT_F32, DT_U32, 0x4f7fffff, 0xffffff00},
        {DT_F32, DT_U32, 0x4f800000, 0xffffffff},
        {DT_F32, DT_U32, 0xbf800000, 0},
        {DT_F32, DT_U32, 0xff800000, 0},
        {DT_F32, DT_U32, 0xffc00000, 0},
        {DT_F32, DT_I8, 0xc3000000, 0x80}, // -128
        {DT_F32, DT_I8, 0xc3800000, 0x80},
        {DT_F32, DT_I8, 0x42ff0000, 0x7f}, // 127.5
        {DT_F32, DT_I8, 0xbfc00000, 0xff}, // -1.5
        {DT_F32, DT_U8, 0x437fc000, 0xff}, // 255.75
        {DT_F32, DT_U8, 0x7f800000, 0xff},
        {DT_F32, DT_BOOL, 0x00000001, 0},
        {DT_F32, DT_BOOL, 0x80000000, 0},
        {DT_F32, DT_BOOL, 0x7fc00000, 1},
        {DT_I32, DT_F32, 0x01000001, 0x4b800000}, // 2^24 + 1: a tie
        {DT_I32, DT_F32, 0x80000000, 0xcf000000},
        {DT_U32, DT_F32, 0xffffffff, 0x4f800000},
        {DT_I32, DT_F16, 65519, 0x7bff},
        {DT_I32, DT_F16, 65520, 0x7c00},
        {DT_I32, DT_F16, 0x80000000, 0xfc00},
        {DT_I32, DT_BF16, 0x01010000, 0x4b80}, // a tie
        {DT_I32, DT_BF16, 0x01010001, 0x4b81}, // just above it: an f32 would be the tie
        {DT_I32, DT_BF16, 0xfefeffff, 0xcb81},
        {DT_U32, DT_BF16, 0x80800001, 0x4f01},
        {DT_U32, DT_BF16, 0xffffffff, 0x4f80},
        {DT_I32, DT_I8, 0x00000180, 0x80},
        {DT_I32, DT_U8, 0xffffffff, 0xff},
        {DT_I32, DT_U32, 0xffffffff, 0xffffffff},
        {DT_I32, DT_BOOL, 0x80000000, 1},
        {DT_I8, DT_I32, 0x80, 0xffffff80},
        {DT_I8, DT_U32, 0xff, 0xffffffff},
        {DT_I8, DT_F32, 0xff, 0xbf800000},
        {DT_U8, DT_I32, 0xff, 255},
        {DT_U8, DT_I8, 0xff, 0xff},
        {DT_U8, DT_F16, 0xff, 0x5bf8},
        {DT_BOOL, DT_F32, 1, 0x3f800000},
        {DT_BOOL, DT_I8, 1, 1},
        {DT_F16, DT_BF16, 0x3c08, 0x3f81}, // 1 + 2^-7
        {DT_F16, DT_BF16, 0x3c04, 0x3f80}, // 1 + 2^-8: a tie
        {DT_BF16, DT_F16, 0x3380, 0x0001}, // 2^-24
        {DT_BF16, DT_F16, 0x4780, 0x7c00},
        {DT_F16, DT_I32, 0xfc00, 0x80000000},
        {DT_F16, DT_BOOL, 0x0001, 1},
        {DT_BF16, DT_BOOL, 0x0001, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(convert(*state, cases[i].from, cases[i].to, cases[i].in), cases[i].out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_f16_goes_to_f32_and_back),
        cmocka_unit_test(f32_rounds_to_the_nearest_f16),
        cmocka_unit_test(every_bf16_goes_to_f32_and_back),
        cmocka_unit_test(conversions_of_integers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
