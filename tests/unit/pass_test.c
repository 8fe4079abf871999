// pass_test.c: the list of passes on a small training program, with dumps and checks.
#include "ir/pass.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ir/build.h"
#include "ir/eval.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

// One weight: loss = mean((w * max(0, x) - y)^2), w := w - 0.001 * grad.
static const char program[] =
    "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n\n"
    "param w f32[] {\n  %1 = const f32[] {bits=0x3f800000}\n  value %1\n}\n\n"
    "entry train {\n  input x f32[256]\n  input y f32[256]\n"
    "  %1 = input f32[256] {index=0}\n"
    "  %2 = input f32[256] {index=1}\n"
    "  %3 = var f32[] {index=0}\n"
    "  %4 = const f32[] {bits=0x0}\n"
    "  %5 = broadcast f32[256] %4\n"
    "  %6 = max f32[256] %5 %1\n"
    "  %7 = broadcast f32[256] %3\n"
    "  %8 = mul f32[256] %7 %6\n"
    "  %9 = sub f32[256] %8 %2\n"
    "  %10 = mul f32[256] %9 %9\n"
    "  %11 = sum f32[] %10 {axes=0}\n"
    "  %12 = const f32[] {bits=0x43800000}\n"
    "  %13 = div f32[] %11 %12\n"
    "  %14 = grad f32[] %13 %3\n"
    "  %15 = const f32[] {bits=0x3a83126f}\n"
    "  %16 = mul f32[] %15 %14\n"
    "  %17 = sub f32[] %3 %16\n"
    "  output loss %13\n"
    "  update w %17\n"
    "}\n";

struct fixture {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ir_module m;
};

static void load(struct fixture *f, const char *text)
{
    struct ir_parse_error error;
    memset(f, 0, sizeof *f);
    sources_init(&f->sources, &f->arena);
    diags_init(&f->diags, &f->arena, &f->sources);
    ir_module_init(&f->m, &f->arena);
    if (!ir_parse(&f->m, text, strlen(text), &error))
        fail_msg("line %zu: %s", error.line, error.message);
}

static void test_list(void **state)
{
    (void)state;
    assert_string_equal(ir_passes[0].name, "grad");
    assert_string_equal(ir_passes[1].name, "simplify");
    assert_string_equal(ir_passes[2].name, "order");
    assert_null(ir_passes[3].name);
}

static void test_dump(void **state)
{
    (void)state;
    static const char *const names[] = {"stage", "grad", "simplify", "order"};
    setenv("HLX_CHECK", "1", 1);
    for (int i = 0; i < 4; i++) {
        struct fixture f;
        struct buf dump = {0};
        load(&f, program);
        assert_true(
            ir_run_passes(&f.m, &f.diags, &(struct ir_pass_options){names[i], &dump, false}));
        assert_int_equal(strstr(dump.at, " = grad ") != NULL, i == 0);
        assert_int_equal(strstr(dump.at, "  grad w ") != NULL, i > 0);
        if (i == 0)
            assert_string_equal(dump.at, program);
        buf_free(&dump);
        arena_free(&f.arena);
    }
    unsetenv("HLX_CHECK");
}

// The same program gives the same canonical text, and passing through text changes nothing.
static void test_deterministic(void **state)
{
    (void)state;
    struct buf text[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        load(&f, program);
        assert_true(ir_run_passes(&f.m, &f.diags, &(struct ir_pass_options){0}));
        ir_print(&f.m, IR_PRINT_CANONICAL, &text[i]);
        arena_free(&f.arena);
    }
    assert_string_equal(text[0].at, text[1].at);
    buf_free(&text[0]);
    buf_free(&text[1]);
}

static void test_errors_stop(void **state)
{
    (void)state;
    struct fixture f;
    load(&f, "helix_ir 1 numerics \"exact-1\" profile exact\n"
             "entry e {\n  input x f32[]\n"
             "  %1 = input f32[] {index=0}\n"
             "  %2 = exp f32[] %1\n"
             "  %3 = grad f32[] %2 %1\n"
             "  %4 = grad f32[] %3 %1\n"
             "  output y %4\n}\n");
    assert_false(ir_run_passes(&f.m, &f.diags, &(struct ir_pass_options){0}));
    assert_int_equal(f.diags.errors, 1);
    arena_free(&f.arena);
}

// Two steps of the program: the digits are those of the family's first Vulkan test.
static void test_one_weight(void **state)
{
    (void)state;
    static const double losses[] = {219.735, 69.039}, weights[] = {1.439470, 1.685806};
    struct fixture f;
    float x[256], y[256], w = 1;
    ir_refs roots = {0};
    const char *error;
    load(&f, program);
    assert_true(ir_run_passes(&f.m, &f.diags, &(struct ir_pass_options){0}));
    for (int i = 0; i < 256; i++) {
        x[i] = (float)(i + 1) / 10;
        y[i] = 2 * x[i];
    }
    const struct ir_entry *e = &f.m.entries.at[0];
    ir_entry_roots(e, false, &f.arena, &roots);
    struct eval *ev = eval_new(e->graph, roots.at, roots.n, 0, &error);
    assert_non_null(ev);
    for (uint32_t step = 1; step <= 2; step++) {
        float loss, next;
        const struct eval_counters counters = {0, step};
        eval_run(ev, (const void *[]){x, y}, (const void *[]){&w}, &counters,
                 (void *[]){&loss, &next});
        w = next;
        assert_true(fabs((double)loss - losses[step - 1]) < 5e-4);
        assert_true(fabs((double)w - weights[step - 1]) < 5e-7);
    }
    eval_free(ev);
    arena_free(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),          cmocka_unit_test(test_dump),
        cmocka_unit_test(test_deterministic), cmocka_unit_test(test_errors_stop),
        cmocka_unit_test(test_one_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
