// train_test.c: tests of the executor and of the training loop on a program with one weight.
#include "runtime/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/progress.h"
#include "tests/unit/program_kit.h"

// An opened program with its data, and what the loop said.
struct bench {
    struct kit kit;
    struct program program;
    struct data_set data;
    struct batches batches;
    struct exec *exec;
    struct hlx_error error;
    struct train_options options;
    // from the watcher
    unsigned steps, epochs;
    double loss[64], epoch_loss[16], epoch_w[16];
    uint64_t of_epochs;
    unsigned stop_after;
    volatile sig_atomic_t stop;
};

static bool on_step(void *user, const struct train_run *r, const struct train_step *s,
                    struct hlx_error *error)
{
    struct bench *b = user;
    (void)r;
    (void)error;
    assert_int_equal(s->step, b->steps + 1);
    b->loss[b->steps++] = s->value[0];
    if (b->steps == b->stop_after)
        b->stop = 1;
    return true;
}

static bool on_epoch(void *user, const struct train_run *r, const struct train_epoch *e,
                     struct hlx_error *error)
{
    struct bench *b = user;
    (void)error;
    assert_string_equal(r->scalar[0].name, "loss");
    b->epoch_loss[b->epochs] = e->shown[0];
    b->epoch_w[b->epochs] = e->last[1];
    b->of_epochs = e->epochs;
    assert_int_equal(e->epoch, ++b->epochs);
    return true;
}

static void bench_open(struct bench *b, size_t entry, int samples, int epochs)
{
    memset(b, 0, sizeof *b);
    kit_open(&b->kit, ".", samples, epochs, false);
    assert_true(program_open_bytes(&b->program, b->kit.bytes.at, b->kit.bytes.n, &b->error));
    const struct ir_module *m = &b->program.module;
    const struct ir_data *d = &m->data.at[0];
    assert_true(data_open(&b->data, m, d, program_data(&b->program, d), "line", &b->error));
    assert_true(batches_open(&b->batches, m, &m->entries.at[entry], &b->data, &b->error));
    b->exec = exec_open(&exec_cpu, &b->program, 0, 0, &b->error);
    assert_non_null(b->exec);
    b->options = (struct train_options){.steps = TRAIN_NO_LIMIT,
                                        .stop = &b->stop,
                                        .watch = {.user = b, .step = on_step, .epoch = on_epoch}};
}

static void bench_close(struct bench *b)
{
    exec_close(b->exec);
    batches_close(&b->batches);
    data_close(&b->data);
    program_close(&b->program);
    kit_close(&b->kit);
}

static enum train_end bench_run(struct bench *b)
{
    struct train_run r;
    assert_true(train_open(&r, b->exec, &b->batches, &b->options, &b->error));
    if (!train(&r, &b->error))
        fail_msg("%s", b->error.text);
    enum train_end end = r.end;
    train_close(&r);
    return end;
}

// What the program computes, in plain C with one rounding an operation.
static float expect(float *w, size_t step, float *loss)
{
    float x0 = (float)(step % 2 * 2 + 1), x1 = x0 + 1;
    float e0 = *w * x0 - 2 * x0, e1 = *w * x1 - 2 * x1;
    *loss = (e0 * e0 + e1 * e1) * 0.5f;
    *w -= (e0 * x0 + e1 * x1) * 0.01f;
    return *w;
}

static void test_three_epochs(void **state)
{
    (void)state;
    struct bench b;
    float w = 1, loss[6];
    bench_open(&b, 0, 4, 3);
    assert_int_equal(bench_run(&b), TRAIN_DONE);
    assert_int_equal(b.steps, 6);
    assert_int_equal(b.epochs, 3);
    for (size_t i = 0; i < 6; i++) {
        expect(&w, i, &loss[i]);
        assert_true(b.loss[i] == loss[i]);
    }
    for (size_t i = 0; i < 3; i++) // the mean over the epoch, in double
        assert_true(b.epoch_loss[i] == ((double)loss[2 * i] * 2 + (double)loss[2 * i + 1] * 2) / 4);
    float got;
    int32_t steps;
    assert_true(exec_get(b.exec, 1, &got, &b.error) && got == w);
    assert_true(exec_get(b.exec, 0, &steps, &b.error) && steps == 6);
    assert_true(b.epoch_w[2] == w);
    bench_close(&b);
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        uint64_t epochs;
        uint32_t steps;
        unsigned want_steps, want_epochs, of_epochs;
    } cases[] = {
        {0, 5, 5, 3, 3}, // --steps alone replaces the epochs
        {0, 1, 1, 1, 1},
        {0, 0, 0, 0, 0},               // nothing is run
        {5, TRAIN_NO_LIMIT, 10, 5, 5}, // --epochs
        {5, 3, 3, 2, 5},               // both
        {1, 7, 2, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_open(&b, 0, 4, 3);
        b.options.epochs = cases[i].epochs;
        b.options.steps = cases[i].steps;
        assert_int_equal(bench_run(&b), TRAIN_DONE);
        assert_int_equal(b.steps, cases[i].want_steps);
        assert_int_equal(b.epochs, cases[i].want_epochs);
        assert_int_equal(b.of_epochs, cases[i].of_epochs);
        bench_close(&b);
    }
}

// The last step that can be counted, also where it does not end an epoch.
static void test_the_last_step_of_all(void **state)
{
    (void)state;
    struct bench b;
    struct train_run r;
    bench_open(&b, 0, 14, 1);
    assert_int_equal(b.batches.steps, 7);
    b.options.steps = TRAIN_NO_LIMIT - 1;
    assert_true(train_open(&r, b.exec, &b.batches, &b.options, &b.error));
    assert_true(r.epochs * 7 >= b.options.steps);
    train_close(&r);
    b.options.steps = TRAIN_NO_LIMIT;
    b.options.epochs = TRAIN_NO_LIMIT / 7 + 1;
    assert_false(train_open(&r, b.exec, &b.batches, &b.options, &b.error));
    assert_int_equal(b.error.code, EXIT_USAGE);
    bench_close(&b);
}

static void test_stop_finishes_the_step(void **state)
{
    (void)state;
    struct bench b;
    int32_t steps;
    bench_open(&b, 0, 4, 3);
    b.stop_after = 3;
    assert_int_equal(bench_run(&b), TRAIN_STOPPED);
    assert_int_equal(b.steps, 3);
    assert_int_equal(b.epochs, 2); // the broken epoch is shown, too
    assert_true(exec_get(b.exec, 0, &steps, &b.error) && steps == 3);
    bench_close(&b);
}

static void test_divergence(void **state)
{
    (void)state;
    struct bench b;
    struct train_run r;
    float w = 1e30f;
    bench_open(&b, 0, 4, 3);
    assert_true(exec_set(b.exec, 1, &w, &b.error));
    assert_true(train_open(&r, b.exec, &b.batches, &b.options, &b.error));
    assert_false(train(&r, &b.error));
    assert_int_equal(b.error.code, EXIT_DIVERGED);
    assert_non_null(strstr(b.error.text, "loss is infinite at step 1 (epoch 1)"));
    assert_int_equal(b.steps, 1); // it was shown and logged
    train_close(&r);
    bench_close(&b);
}

// Five samples in batches of three: the last batch holds two, and weighs as much.
static void test_evaluation_weighs_batches(void **state)
{
    (void)state;
    struct bench b;
    struct train_run r;
    bench_open(&b, 1, 5, 1);
    b.options.watch = (struct train_watch){0};
    assert_true(train_open(&r, b.exec, &b.batches, &b.options, &b.error));
    assert_true(train(&r, &b.error));
    assert_int_equal(r.step, 2);
    assert_true(r.shown[0] == (6.0 * 3 + 9.0 * 2) / 5);
    train_close(&r);
    bench_close(&b);
}

static void test_probe_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 0, 4, 3);
    const struct ir_entry *e = b.batches.entry;
    float loss, gradient, w;
    const ir_ref roots[] = {10, e->grads.at[0].value};
    void *out[] = {&loss, &gradient};
    batches_epoch(&b.batches, 0, 1);
    batches_fill(&b.batches, 0);
    assert_true(
        exec_probe(b.exec, e, roots, 2, (const void *const *)b.batches.input, 1, out, &b.error));
    assert_true(loss == 2.5f);      // ((1 - 2)^2 + (2 - 4)^2) / 2
    assert_true(gradient == -5.0f); // -1 * 1 + -2 * 2, without the 2 of the square
    assert_true(exec_get(b.exec, 1, &w, &b.error) && w == 1);
    bench_close(&b);
}

static void test_fusion_changes_no_bit(void **state)
{
    (void)state;
    float w[2];
    for (int i = 0; i < 2; i++) {
        struct bench b;
        bench_open(&b, 0, 4, 3);
        exec_close(b.exec);
        b.exec = exec_open(&exec_cpu, &b.program, 0, i ? EXEC_NO_FUSE : 0, &b.error);
        bench_run(&b);
        assert_true(exec_get(b.exec, 1, &w[i], &b.error));
        bench_close(&b);
    }
    assert_memory_equal(&w[0], &w[1], sizeof *w);
}

// -- how numbers are shown -----------------------------------------------------------------------

static void check_scalar(const char *name, bool integer, double x, const char *want)
{
    struct train_scalar s = {.name = name, .integer = integer, .loss = !strcmp(name, "loss")};
    struct buf b = {0};
    progress_scalar(&s, x, &b);
    assert_string_equal(b.at, want);
    buf_free(&b);
}

static void test_scalars_shown(void **state)
{
    (void)state;
    check_scalar("loss", false, 4.52341, " loss=4.5234");
    check_scalar("loss", false, 219.7350006, " loss=219.735");
    check_scalar("loss", false, 69.0387, " loss=69.039");
    check_scalar("loss", false, 1.04e-6, " loss=1.040e-06");
    check_scalar("loss", false, 0, " loss=0.0000");
    check_scalar("gradient", false, -439.46997, " gradient=-439.470");
    check_scalar("w", false, 1.43947, " w=1.439470");
    check_scalar("lr", false, 3e-4, " lr=3.00e-04");
    check_scalar("steps", true, 12, " steps=12");
    check_scalar("x", false, 12345678, " x=1.235e+07");
    check_scalar("loss", false, (double)NAN, " loss=nan");
}

static void test_epoch_line(void **state)
{
    (void)state;
    struct train_scalar scalars[] = {{.name = "loss", .loss = true}, {.name = "lr", .last = true}};
    struct train_run r = {.scalar = scalars, .nscalars = 2};
    const double shown[] = {4.5234, 3e-4};
    struct train_epoch e = {1, 100, 4, 4, 16, 256, shown, shown, 0.0942};
    struct buf b = {0};
    progress_line("Epoch", &r, &e, &b);
    assert_string_equal(b.at, "Epoch   1/100: loss=4.5234 lr=3.00e-04 time=  94ms tok/s=2718");
    buf_clear(&b);
    e.tokens = 0;
    e.seconds = 75.5;
    progress_line("Epoch", &r, &e, &b);
    assert_string_equal(b.at, "Epoch   1/100: loss=4.5234 lr=3.00e-04 time=75.5s ex/s=0");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_epochs),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_last_step_of_all),
        cmocka_unit_test(test_stop_finishes_the_step),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_evaluation_weighs_batches),
        cmocka_unit_test(test_probe_changes_nothing),
        cmocka_unit_test(test_fusion_changes_no_bit),
        cmocka_unit_test(test_scalars_shown),
        cmocka_unit_test(test_epoch_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
