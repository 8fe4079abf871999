// print_test.c: the text form of the IR: round trips, and texts that must be refused.
#include "ir/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/parse.h"
#include "ir/verify.h"

static const char *print(struct arena *a, const struct ir_module *m, unsigned flags)
{
    struct buf b = {0};
    ir_print(m, flags, &b);
    const char *text = arena_copy(a, b.at, b.n);
    buf_free(&b);
    return text;
}

static bool parse(struct arena *a, struct ir_module *m, const char *text,
                  struct ir_parse_error *error)
{
    ir_module_init(m, a);
    return ir_parse(m, text, strlen(text), error);
}

// One module with everything the text form knows.
static const char full[] =
    "helix_ir 1\n"
    "numerics \"exact-1\"\n"
    "profile exact\n"
    "\n"
    "param layers.0.w f32[D=4, D=4] ! at=1:10:20 {\n"
    "  %1 = random_bits u32[D=4, D=4] {stream_lo=7, stream_hi=4294967295}\n"
    "  %2 = cast f32[D=4, D=4] %1\n"
    "  value %2\n"
    "}\n"
    "\n"
    "state \"odd name \\\"\\u{00E9}\\\"\" f32[] {\n"
    "  %1 = const f32[] {bits=0x3f800000}\n"
    "  value %1\n"
    "}\n"
    "\n"
    "entry \"infer[B=2]\" ! at=1:30:99 {\n"
    "  input x f32[B=2, D=4]\n"
    "  input ids i32[B=2]\n"
    "  %1 = input f32[B=2, D=4] {index=0} ! name=x\n"
    "  %2 = var f32[D=4, D=4] {index=0}\n"
    "  %3 = matmul f32[B=2, D=4] %1 %2 {ta=0, tb=1} ! name=layers.0.y at=1:40:50 recompute\n"
    "  %4 = slice f32[B=2, 2] %3 {bounds=0,2,1,1,4,2}\n"
    "  %5 = concat f32[B=2, 6] %4 %1 {axis=1}\n"
    "  %6 = sum f32[] %5 {axes=0,1}\n"
    "  %7 = transpose f32[] %6 {perm=}\n"
    "  %8 = input i32[B=2] {index=1}\n"
    "  %9 = gather_rows f32[B=2, D=4] %2 %8\n"
    "  %10 = var f32[] {index=1}\n"
    "  %11 = grad f32[D=4, D=4] %6 %2\n"
    "  %12 = const u32[2] {bits=0x0,0xffffffff} ! at=1:1:2\n"
    "  output y %9\n"
    "  output \"\\n\" %7\n"
    "  update layers.0.w %11\n"
    "  update \"odd name \\\"\\u{00E9}\\\"\" %10\n"
    "  grad layers.0.w %11\n"
    "}\n";

static void test_round_trip(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ir_module m;
    struct ir_parse_error error = {0};
    if (!parse(&a, &m, full, &error))
        fail_msg("line %zu: %s", error.line, error.message);
    assert_string_equal(print(&a, &m, 0), full);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
