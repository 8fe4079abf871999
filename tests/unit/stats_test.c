// stats_test.c: tests of tensor statistics, of choosing rows, and of their table.
#include "runtime/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/program_kit.h"

static void test_numbers(void **state)
{
    (void)state;
    static const float x[] = {1, -3, 0, 4, -0.0f};
    struct stats s;
    stats_of(DT_F32, x, 5, &s);
    assert_int_equal(s.n, 5);
    assert_int_equal(s.zeros, 2);
    assert_true(s.mean == 2.0 / 5);
    assert_true(s.min == -3 && s.max == 4 && s.abs_max == 4);
    double squares = 0;
    for (int i = 0; i < 5; i++)
        squares += (x[i] - 0.4) * (x[i] - 0.4);
    assert_true(fabs(s.std - sqrt(squares / 5)) < 1e-15);
}

static void test_special(void **state)
{
    (void)state;
    static const float x[] = {NAN, 2, INFINITY, -INFINITY, -6};
    struct stats s;
    stats_of(DT_F32, x, 5, &s);
    assert_int_equal(s.nans, 1);
    assert_int_equal(s.infs, 2);
    assert_true(s.mean == -2 && s.std == 4 && s.min == -6 && s.max == 2 && s.abs_max == 6);
    stats_of(DT_F32, x, 1, &s);
    assert_true(s.mean == 0 && s.std == 0 && s.min == 0 && s.max == 0 && s.abs_max == 0);
}

static void test_types(void **state)
{
    (void)state;
    struct stats s;
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00}; // 1 -2 2^-24 inf nan
    stats_of(DT_F16, half, 5, &s);
    assert_true(s.min == -2 && s.max == 1 && s.infs == 1 && s.nans == 1);
    stats_of(DT_F16, half + 2, 1, &s);
    assert_true(s.mean == 0x1p-24);
    static const uint16_t brain[] = {0x3f80, 0xbf00};
    stats_of(DT_BF16, brain, 2, &s);
    assert_true(s.max == 1 && s.min == -0.5);
    static const int32_t i[] = {INT32_MIN, 7};
    stats_of(DT_I32, i, 2, &s);
    assert_true(s.min == -2147483648.0 && s.max == 7);
    static const uint32_t u[] = {UINT32_MAX};
    stats_of(DT_U32, u, 1, &s);
    assert_true(s.max == 4294967295.0);
    static const int8_t b[] = {-128, 127};
    stats_of(DT_I8, b, 2, &s);
    assert_true(s.min == -128 && s.max == 127);
    static const uint8_t c[] = {255};
    stats_of(DT_U8, c, 1, &s);
    assert_true(s.max == 255);
}

static void test_choose(void **state)
{
    (void)state;
    struct kit k;
    struct stats_table t;
    struct hlx_error e;
    kit_open(&k, ".", 4, 1, false);
    const struct ir_entry *entry = &k.module.entries.at[0];
    assert_true(stats_choose(&t, entry, &k.module, NULL, &e));
    assert_int_equal(t.n, 1);
    assert_true(t.row[0].gradient && t.row[0].value == 12);
    stats_free(&t);
    assert_true(stats_choose(&t, entry, &k.module, "model.*,loss,model.error", &e));
    assert_int_equal(t.n, 4);
    assert_string_equal(t.row[1].name, "model.prediction");
    assert_string_equal(t.row[2].name, "model.error");
    assert_string_equal(t.row[3].name, "loss");
    stats_free(&t);
    assert_false(stats_choose(&t, entry, &k.module, "loss,model.eror", &e));
    assert_int_equal(e.code, EXIT_USAGE);
    assert_non_null(strstr(e.text, "did you mean `model.error`?"));
    kit_close(&k);
}

static void test_compute_and_print(void **state)
{
    (void)state;
    struct kit k;
    struct program p;
    struct stats_table t;
    struct hlx_error e;
    kit_open(&k, ".", 4, 1, false);
    assert_true(program_open_bytes(&p, k.bytes.at, k.bytes.n, &e));
    struct exec *x = exec_open(&exec_cpu, &p, 0, 0, &e);
    assert_non_null(x);
    static const float in[] = {1, 2}, want[] = {2, 2};
    const void *inputs[] = {in, want};
    assert_true(stats_choose(&t, &p.module.entries.at[0], &p.module, "model.error", &e));
    assert_true(stats_compute(&t, x, inputs, 1, &e));
    assert_true(t.row[0].stats.mean == -1.0);
    assert_int_equal(t.row[1].stats.zeros, 1);
    struct buf b = {0};
    stats_print(&t, &b);
    assert_non_null(strstr(b.at, "grad(w)"));
    assert_non_null(strstr(b.at, "model.error"));
    assert_non_null(strstr(b.at, "zeros 1/2  nan 0  inf 0"));
    buf_free(&b);
    stats_free(&t);
    exec_close(x);
    program_close(&p);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_compute_and_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
