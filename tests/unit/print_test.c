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

// Data and attributes are latent values; for readers they are shown in comments as well.
static void test_values(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ir_module m, again;
    struct ir_parse_error error = {0};
    assert_true(parse(&a, &m, full, &error));
    struct value_field kind = {"kind", 4, value_str(&a, "jsonl // \n\xc3\xa9")};
    struct ir_data d = {.name = "corpus", .source = value_object(&a, &kind, 1, NULL)};
    vec_push(&a, &d.fields, (struct ir_field){"x", ir_type_scalar(&m, DT_I32)});
    vec_push(&a, &m.data, d);
    m.entries.at[0].attrs = d.source;
    for (unsigned flags = 0; flags < 2; flags++) {
        const char *text = print(&a, &m, flags);
        if (!parse(&a, &again, text, &error))
            fail_msg("line %zu: %s", error.line, error.message);
        assert_string_equal(print(&a, &again, flags), text);
        assert_true(value_equal(again.data.at[0].source, d.source));
        assert_true(value_equal(again.entries.at[0].attrs, d.source));
    }
    arena_free(&a);
}

// Names of dimensions and nodes, places and kept gradients are no part of the canonical text.
static void test_canonical(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ir_module m, again;
    struct ir_parse_error error = {0};
    assert_true(parse(&a, &m, full, &error));
    const char *text = print(&a, &m, IR_PRINT_CANONICAL);
    assert_null(strchr(text, '!'));
    assert_null(strstr(text, "B=2,"));
    assert_null(strstr(text, "  grad "));
    assert_true(parse(&a, &again, text, &error));
    assert_string_equal(print(&a, &again, IR_PRINT_CANONICAL), text);
    assert_string_equal(print(&a, &again, 0), text);
    arena_free(&a);
}

static void test_spacing_is_free(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ir_module m;
    struct ir_parse_error error = {0};
    const char *text = "// a program\n\thelix_ir 1 numerics exact-1"; // not a word
    assert_false(parse(&a, &m, text, &error));
    text = "// a program\r\n\thelix_ir 1 numerics \"exact-1\" profile \"exact\" // rest\n"
           "entry e { %1 = const f32 [ ] { bits = 0 }\n output \"y\" %1 } //";
    if (!parse(&a, &m, text, &error))
        fail_msg("line %zu: %s", error.line, error.message);
    assert_string_equal(print(&a, &m, 0), "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n\n"
                                          "entry e {\n  %1 = const f32[] {bits=0x0}\n"
                                          "  output y %1\n}\n");
    arena_free(&a);
}

#define HEAD "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n"
#define ENTRY HEAD "entry e {\n"
#define ONE ENTRY "%1 = const f32[] {bits=0}\n"

static void test_bad_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
        const char *message;
    } bad[] = {
        {"", 1, "expected `helix_ir`"},
        {"helix_ir 2\n", 2, "version 2 of the text form is not known"},
        {"helix_ir 1\nnumerics \"exact-1\"\nprofile fast\n", 4,
         "module: there is no profile `fast`"},
        {"helix_ir 1\nnumerics \"exact-0\"\nprofile exact\n", 4,
         "module: numerics `exact-0` are not known here (this is exact-1)"},
        {HEAD "what", 4, "expected `param`, `state`, `data` or `entry`"},
        {HEAD "entry e {", 4,
         "expected a node, `attrs`, `input`, `output`, `update`, `grad` or `}`"},
        {HEAD "entry e { ;", 4, "a character that has no meaning here"},
        {HEAD "entry \"e", 4, "quoted text is not closed or has a bad escape"},
        {HEAD "entry \"\\q\"", 4, "quoted text is not closed or has a bad escape"},
        {HEAD "entry \"\\u{d800}\"", 4, "quoted text is not closed or has a bad escape"},
        {HEAD "entry \"\\x00\"", 4, "quoted text is not closed or has a bad escape"},
        {HEAD "entry \"\" {}", 4, "module: entry has no name"},
        {HEAD "entry e {} entry e {}", 4, "entry `e` is there twice"},
        {ENTRY "%2 = const f32[] {bits=0}", 5, "nodes are numbered in order: expected %1"},
        {ENTRY "%1 = frobnicate f32[]", 5, "there is no operation `frobnicate`"},
        {ENTRY "%1 = const f99[] {bits=0}", 5, "there is no element type `f99`"},
        {ENTRY "%1 = const f32[0] {bits=}", 5,
         "extents are from 1 up, and a tensor has at most 2^40 elements"},
        {ENTRY "%1 = iota i32[1099511627777] {axis=0}", 5,
         "extents are from 1 up, and a tensor has at most 2^40 elements"},
        {ENTRY "%1 = iota i32[99999999999999999999] {axis=0}", 5,
         "a number has no digits, or too many"},
        {ENTRY "%1 = iota i32[1,1,1,1,1,1,1,1,1] {axis=0}", 5, "a type has at most 8 dimensions"},
        {ENTRY "%1 = const f32[4] {bits=0}\n}", 5, "a constant f32[4] needs 4 elements, not 1"},
        {ENTRY "%1 = const f32[] {bits=0x100000000}", 5,
         "element 0 of a constant is no bit pattern of f32"},
        {ENTRY "%1 = const f32[] {axes=0}", 5, "expected `bits`"},
        {ENTRY "%1 = add f32[] %1 %1", 5, "node %1 is not defined yet"},
        {ENTRY "%1 = add f32[] %0 %0", 5, "node %0 is not defined yet"},
        {ONE "%2 = add f32[] %1", 6, "`add` takes 2 operands, not 1"},
        {ONE "%2 = add i32[] %1 %1", 6, "`add` gives f32[] here, not i32[]"},
        {ONE "%2 = const f32[] {bits=0}", 6, "this `const` is there already, as %1"},
        {ONE "%2 = neg f32[] %1 ! colour=red", 6, "expected `name`, `at` or `recompute`"},
        {ONE "%2 = neg f32[] %1 ! at=1:2:4294967296", 6, "a place is out of range"},
        {ONE "output y %2 }", 6, "node %2 is not defined yet"},
        {ONE "output y %1 output y %1 }", 6, "output `y` is there twice"},
        {ONE "update w %1 }", 6, "there is no var `w`"},
        {ONE "input x f32[] input x f32[] }", 6, "input `x` is there twice"},
        {ONE "%2 = input f32[] {index=0}\n}", 7,
         "entry `e`: node %2 `input`: there is no such input"},
        {ONE "attrs #00 }", 6, NULL},
        {ONE "attrs #0 }", 6, "bytes need two hex digits each"},
        {ONE "attrs 5 }", 6, "expected the bytes of a value, #..."},
        {HEAD "data d { }", 4, "expected `source`"},
        {HEAD "param w f32[] { value %1 }", 4, "node %1 is not defined yet"},
        {HEAD "param w f32[] { %1 = const i32[] {bits=0}\n value %1 }", 5,
         "var `w`: its initial value is i32[], not f32[]"},
        {HEAD "param w f32[] { %1 = const f32[] {bits=0}\n value %1 } state w", 5,
         "var `w` is there twice"},
        {HEAD "param b f32[] { %1 = const f32[] {bits=0}\n value %1 }\n"
              "param a f32[] { %1 = const f32[] {bits=0}\n value %1 }",
         7, "var `a`: vars stand in order of their paths"},
        {ENTRY "%1 = cotangent f32[] {id=0} }", 5,
         "entry `e`: node %1 `cotangent`: no custom node has its id"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena a = {0};
        struct ir_module m;
        struct ir_parse_error error = {0};
        if (parse(&a, &m, bad[i].text, &error))
            fail_msg("case %zu was accepted:\n%s", i, bad[i].text);
        if (bad[i].message && strcmp(error.message, bad[i].message) != 0)
            fail_msg("case %zu:\n  got      %s\n  expected %s", i, error.message, bad[i].message);
        if (error.line != bad[i].line)
            fail_msg("case %zu: line %zu, not %zu", i, error.line, bad[i].line);
        arena_free(&a);
    }
}

// What is accepted prints to a text that gives itself.
static bool try_text(const char *text, size_t n)
{
    struct arena a = {0};
    struct ir_module m, again;
    struct ir_parse_error error = {0};
    ir_module_init(&m, &a);
    bool ok = ir_parse(&m, text, n, &error);
    assert_true(ok == (error.message == NULL));
    if (ok) {
        const char *once = print(&a, &m, 0);
        assert_true(parse(&a, &again, once, &error));
        assert_string_equal(print(&a, &again, 0), once);
    }
    arena_free(&a);
    return ok;
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof full - 1; n++)
        try_text(full, n);
    assert_true(try_text(full, sizeof full - 1));
}

static void test_changed_bytes(void **state)
{
    (void)state;
    static const char other[] = "%0123456789=[]{},:!\"\\x #-\n\0~";
    char text[sizeof full];
    unsigned accepted = 0;
    for (size_t i = 0; i < sizeof full - 1; i++)
        for (size_t k = 0; k < sizeof other; k += 1 + i % 5) {
            memcpy(text, full, sizeof full);
            text[i] = other[k];
            accepted += try_text(text, sizeof full - 1);
        }
    assert_true(accepted > 100);
}

// A long text takes time in proportion.
static void test_long(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_puts(&b, ONE);
    for (int i = 2; i <= 100000; i++)
        buf_printf(&b, "%%%d = add f32[] %%%d %%1\n", i, i - 1);
    buf_puts(&b, "output y %100000\n}\n");
    assert_true(try_text(b.at, b.n));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_canonical),     cmocka_unit_test(test_spacing_is_free),
        cmocka_unit_test(test_bad_texts),     cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed_bytes), cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
