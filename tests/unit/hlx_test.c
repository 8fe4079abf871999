// hlx_test.c: the public library: names, sizes, order of calls, data, and equal numbers by hand and
// by feeding.
#define _XOPEN_SOURCE 700 // mkdtemp
#include "runtime/hlx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "tests/unit/program_kit.h"

static char folder[] = "/tmp/hlx-lib-XXXXXX", path[sizeof folder + 16];

static int setup(void **state)
{
    (void)state;
    struct kit k;
    struct arena a = {0};
    const char *why;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/line.hbin", folder);
    kit_open(&k, "here", 4, 3, false);
    bool ok = file_write(&a, path, k.bytes.at, k.bytes.n, &why);
    kit_close(&k);
    arena_free(&a);
    return ok ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct hlx *open_it(void)
{
    struct hlx_error e;
    const struct hlx_options o = {.device = "cpu"};
    struct hlx *h = hlx_open(path, &o, &e);
    if (!h)
        fail_msg("%s", e.text);
    return h;
}

static void test_devices(void **state)
{
    (void)state;
    struct hlx_device d[16];
    size_t n = hlx_devices(NULL, 0), best = 0;
    assert_true(n >= 1);
    assert_int_equal(hlx_devices(d, 16), n);
    for (size_t i = 0; i < n && i < 16; i++)
        best += d[i].best;
    assert_int_equal(best, 1);
    assert_string_equal(d[n - 1].device, "cpu");
    assert_true(d[n - 1].usable);
}

static void test_shapes(void **state)
{
    (void)state;
    struct hlx *h = open_it();
    struct hlx_error e;
    struct hlx_tensor t;
    assert_int_equal(strlen(hlx_handle(h)), 67);
    assert_string_equal(hlx_title(h), "cpu");
    assert_true(hlx_var(h, 1, &t));
    assert_string_equal(t.name, "w");
    assert_string_equal(t.dtype, "f32");
    assert_int_equal(t.rank, 0);
    assert_int_equal(t.bytes, 4);
    assert_false(hlx_var(h, 2, &t));
    assert_string_equal(hlx_entry(h, 0), "train");
    assert_null(hlx_entry(h, 2));
    struct hlx_run *r = hlx_start(h, "train", &e);
    assert_non_null(r);
    assert_true(hlx_input(r, 1, &t));
    assert_string_equal(t.name, "y");
    assert_int_equal(t.dim[0], 2);
    assert_false(hlx_input(r, 2, &t));
    assert_true(hlx_output(r, 2, &t));
    assert_string_equal(t.dtype, "i32");
    assert_false(hlx_output(r, 3, &t));
    assert_int_equal(hlx_batches(r), 2);
    hlx_stop(r);
    hlx_close(h);
}

// The same steps, fed by hand and from the program's own data.
static void test_steps(void **state)
{
    (void)state;
    static const float x[2][2] = {{1, 2}, {3, 4}}, y[2][2] = {{2, 4}, {6, 8}};
    struct hlx *h[2] = {open_it(), open_it()};
    struct hlx_run *r[2];
    struct hlx_error e;
    float w[2], loss[2];
    int32_t steps;
    for (int i = 0; i < 2; i++)
        assert_non_null(r[i] = hlx_start(h[i], "train", &e));
    for (uint32_t epoch = 1; epoch <= 3; epoch++)
        for (size_t b = 0; b < 2; b++) {
            assert_true(hlx_feed(r[0], epoch, b, &e));
            assert_true(hlx_bind(r[1], "x", x[b], sizeof x[b], &e));
            assert_true(hlx_bind(r[1], "y", y[b], sizeof y[b], &e));
            for (int i = 0; i < 2; i++) {
                assert_true(hlx_step(r[i], &e));
                assert_true(hlx_read(r[i], "loss", &loss[i], 4, &e));
                assert_true(hlx_get(h[i], "w", &w[i], 4, &e));
            }
            assert_memory_equal(&loss[0], &loss[1], 4);
            assert_memory_equal(&w[0], &w[1], 4);
        }
    assert_true(w[0] > 1.5f && w[0] < 2.0f);
    assert_int_equal(hlx_steps(r[0]), 6);
    assert_true(hlx_read(r[0], "steps", &steps, 4, &e));
    assert_int_equal(steps, 6);
    w[0] = 7;
    assert_true(hlx_set(h[0], "w", &w[0], 4, &e));
    assert_true(hlx_get(h[0], "w", &w[1], 4, &e));
    assert_true(w[1] == 7);
    for (int i = 0; i < 2; i++) {
        hlx_stop(r[i]);
        hlx_close(h[i]);
    }
}

static void expect(bool failed, const struct hlx_error *e, int code, const char *part)
{
    assert_true(failed);
    assert_int_equal(e->code, code);
    if (!strstr(e->text, part))
        fail_msg("`%s` is not in `%s`", part, e->text);
}

static void test_misuse(void **state)
{
    (void)state;
    struct hlx *h = open_it();
    struct hlx_error e;
    float f[4] = {0};
    expect(!hlx_open("/nonexistent/x.hbin", NULL, &e), &e, HLX_DATA, "cannot read");
    const struct hlx_options o = {.device = "a device that is not there"};
    expect(!hlx_open(path, &o, &e), &e, HLX_DEVICE, "");
    expect(!hlx_start(h, "trian", &e), &e, HLX_USAGE, "train");
    expect(!hlx_get(h, "v", f, 4, &e), &e, HLX_USAGE, "no variable `v`");
    expect(!hlx_get(h, "w", f, 8, &e), &e, HLX_USAGE, "`w` has 4 bytes, not 8");
    expect(!hlx_set(h, "w", f, 0, &e), &e, HLX_USAGE, "not 0");
    struct hlx_run *r = hlx_start(h, "train", &e);
    assert_non_null(r);
    expect(!hlx_bind(r, "z", f, 8, &e), &e, HLX_USAGE, "no input `z`");
    expect(!hlx_bind(r, "x", f, 12, &e), &e, HLX_USAGE, "`x` has 8 bytes, not 12");
    expect(!hlx_read(r, "x", f, 8, &e), &e, HLX_USAGE, "no output `x`");
    expect(!hlx_feed(r, 1, 2, &e), &e, HLX_USAGE, "no batch 2");
    expect(!hlx_feed(r, 0, 0, &e), &e, HLX_USAGE, "epoch 0");
    expect(!hlx_collect(r, &e), &e, HLX_USAGE, "no step is under way");
    for (unsigned i = 0; i < hlx_depth(r); i++)
        assert_true(hlx_submit(r, &e));
    expect(!hlx_submit(r, &e), &e, HLX_USAGE, "collect one first");
    expect(!hlx_set_steps(r, 5, &e), &e, HLX_USAGE, "under way");
    while (hlx_collect(r, &e))
        continue;
    assert_true(hlx_set_steps(r, UINT32_MAX, &e));
    expect(!hlx_submit(r, &e), &e, HLX_USAGE, "numbered");
    hlx_stop(r);
    hlx_stop(NULL);
    hlx_close(NULL);
    hlx_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
