// simplify_test.c: each rewrite on a small entry, what must stay, and equal bits on random graphs.
#include "ir/simplify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/eval.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

static const char head[] = "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n\n"
                           "param w f32[4] {\n"
                           "  %1 = const f32[4] {bits=0x1,0x2,0x3,0x4}\n"
                           "  value %1\n"
                           "}\n\n"
                           "entry e {\n"
                           "  input x f32[4]\n"
                           "  input i i32[4]\n"
                           "  input s f32[2, 3]\n"
                           "  input b bool[4]\n"
                           "  input k i8[4]\n";

static void parse(struct arena *a, struct ir_module *m, const char *body)
{
    struct ir_parse_error error;
    const char *text = arena_printf(a, "%s%s}\n", head, body);
    ir_module_init(m, a);
    if (!ir_parse(m, text, strlen(text), &error))
        fail_msg("line %zu: %s in\n%s", error.line, error.message, text);
    const char *why = ir_verify(m, false);
    if (why)
        fail_msg("%s", why);
}

// Body of the entry after simplification.
static const char *simplified(struct arena *a, const char *body)
{
    struct ir_module m;
    struct buf b = {0};
    parse(a, &m, body);
    ir_simplify(&m);
    const char *why = ir_verify(&m, false);
    if (why)
        fail_msg("%s", why);
    ir_print(&m, 0, &b);
    assert_memory_equal(b.at, head, sizeof head - 1);
    const char *text = arena_copy(a, b.at + sizeof head - 1, b.n - (sizeof head - 1) - 2);
    buf_free(&b);
    return text;
}

static void check(const char *body, const char *expect)
{
    struct arena a = {0};
    const char *got = simplified(&a, body);
    if (strcmp(got, expect) != 0)
        fail_msg("\n%sgave\n%sbut should give\n%s", body, got, expect);
    arena_free(&a);
}

static void keeps(const char *body)
{
    check(body, body);
}

#define X "  %1 = input f32[4] {index=0}\n"
#define I "  %1 = input i32[4] {index=1}\n"
#define S "  %1 = input f32[2, 3] {index=2}\n"
#define B "  %1 = input bool[4] {index=3}\n"
#define K "  %1 = input i8[4] {index=4}\n"
#define ONES "  %2 = const f32[] {bits=0x3f800000}\n  %3 = broadcast f32[4] %2\n"

static void test_dead_and_repeated(void **state)
{
    (void)state;
    check(X "  %2 = neg f32[4] %1\n  %3 = exp f32[4] %1\n  output y %3\n",
          X "  %2 = exp f32[4] %1\n  output y %2\n");
    check(X "  %2 = exp f32[4] %1\n  %3 = exp f32[4] %1\n  %4 = add f32[4] %2 %3\n  output y %4\n",
          X "  %2 = exp f32[4] %1\n  %3 = add f32[4] %2 %2\n  output y %3\n");
    keeps(X "  %2 = sum f32[] %1 {axes=0}\n  %3 = reduce_max f32[] %1 {axes=0}\n"
            "  output y %2\n  output z %3\n");
    keeps("  %1 = random_bits u32[4] {stream_lo=1, stream_hi=0}\n"
          "  %2 = random_bits u32[4] {stream_lo=2, stream_hi=0}\n"
          "  output y %1\n  output z %2\n");
    check("  %1 = random_bits u32[4] {stream_lo=1, stream_hi=0}\n"
          "  %2 = random_bits u32[4] {stream_lo=1, stream_hi=0}\n"
          "  %3 = iota i32[4] {axis=0}\n  %4 = iota i32[4] {axis=0}\n"
          "  output y %1\n  output z %2\n  output i %3\n  output k %4\n",
          "  %1 = random_bits u32[4] {stream_lo=1, stream_hi=0}\n"
          "  %2 = iota i32[4] {axis=0}\n"
          "  output y %1\n  output z %1\n  output i %2\n  output k %2\n");
}

static void test_arithmetic(void **state)
{
    (void)state;
    check(X ONES "  %4 = mul f32[4] %1 %3\n  output y %4\n", X "  output y %1\n");
    check(X ONES "  %4 = mul f32[4] %3 %1\n  output y %4\n", X "  output y %1\n");
    check(X ONES "  %4 = div f32[4] %1 %3\n  output y %4\n", X "  output y %1\n");
    keeps(X ONES "  %4 = div f32[4] %3 %1\n  output y %4\n");
    check(I "  %2 = const i32[4] {bits=0x1,0x1,0x1,0x1}\n  %3 = mul i32[4] %1 %2\n  output y %3\n",
          I "  output y %1\n");
    check(X "  %2 = neg f32[4] %1\n  %3 = neg f32[4] %2\n  output y %3\n", X "  output y %1\n");
    check(I "  %2 = not i32[4] %1\n  %3 = not i32[4] %2\n  output y %3\n", I "  output y %1\n");
}

// What would change a rounding or a sign, or hide a subnormal's flush, stays.
static void test_arithmetic_that_stays(void **state)
{
    (void)state;
    keeps(X "  %2 = const f32[] {bits=0x0}\n  %3 = broadcast f32[4] %2\n"
            "  %4 = add f32[4] %1 %3\n  output y %4\n");
    keeps(X "  %2 = const f32[] {bits=0x40400000}\n  %3 = broadcast f32[4] %2\n"
            "  %4 = div f32[4] %1 %3\n  output y %4\n");
    keeps(X "  %2 = const f32[] {bits=0x0}\n  %3 = broadcast f32[4] %2\n"
            "  %4 = mul f32[4] %1 %3\n  output y %4\n");
    keeps(X "  %2 = sub f32[4] %1 %1\n  output y %2\n");
    keeps(I "  %2 = bitcast f32[4] %1\n  %3 = const f32[] {bits=0x3f800000}\n"
            "  %4 = broadcast f32[4] %3\n  %5 = mul f32[4] %2 %4\n  output y %5\n");
    keeps(I "  %2 = bitcast f32[4] %1\n  %3 = neg f32[4] %2\n  %4 = neg f32[4] %3\n"
            "  output y %4\n");
    keeps(I "  %2 = bitcast f32[4] %1\n  %3 = bitcast i32[4] %2\n  output y %3\n");
}

static void test_select(void **state)
{
    (void)state;
    check(X "  %2 = const bool[4] {bits=0x1,0x1,0x1,0x1}\n  %3 = neg f32[4] %1\n"
            "  %4 = select f32[4] %2 %1 %3\n  output y %4\n",
          X "  output y %1\n");
    check(X "  %2 = const bool[] {bits=0x0}\n  %3 = broadcast bool[4] %2\n  %4 = neg f32[4] %1\n"
            "  %5 = select f32[4] %3 %1 %4\n  output y %5\n",
          X "  %2 = neg f32[4] %1\n  output y %2\n");
    check(B "  %2 = input f32[4] {index=0}\n  %3 = select f32[4] %1 %2 %2\n  output y %3\n",
          X "  output y %1\n");
    keeps(X "  %2 = const bool[4] {bits=0x1,0x0,0x1,0x1}\n  %3 = neg f32[4] %1\n"
            "  %4 = select f32[4] %2 %1 %3\n  output y %4\n");
}

static void test_casts(void **state)
{
    (void)state;
    check(X "  %2 = cast f32[4] %1\n  output y %2\n", X "  output y %1\n");
    check(K "  %2 = cast i32[4] %1\n  %3 = cast f32[4] %2\n  output y %3\n",
          K "  %2 = cast f32[4] %1\n  output y %2\n");
    check(B "  %2 = cast f32[4] %1\n  %3 = cast bool[4] %2\n  output y %3\n", B "  output y %1\n");
    keeps(X "  %2 = cast i32[4] %1\n  %3 = cast f32[4] %2\n  output y %3\n");
    keeps(X "  %2 = cast bf16[4] %1\n  %3 = cast f32[4] %2\n  output y %3\n");
    keeps(K "  %2 = cast f32[4] %1\n  %3 = cast u32[4] %2\n  output y %3\n");
    check(I "  %2 = bitcast u32[4] %1\n  %3 = bitcast i32[4] %2\n  output y %3\n",
          I "  output y %1\n");
}

static void test_moves(void **state)
{
    (void)state;
    check(S "  %2 = transpose f32[2, 3] %1 {perm=0,1}\n  output y %2\n", S "  output y %1\n");
    check(S "  %2 = transpose f32[3, 2] %1 {perm=1,0}\n"
            "  %3 = transpose f32[2, 3] %2 {perm=1,0}\n  output y %3\n",
          S "  output y %1\n");
    check(S "  %2 = reshape f32[1, 2, 3] %1\n  %3 = transpose f32[2, 3, 1] %2 {perm=1,2,0}\n"
            "  %4 = transpose f32[1, 3, 2] %3 {perm=2,1,0}\n  output y %4\n",
          S "  %2 = reshape f32[1, 2, 3] %1\n  %3 = transpose f32[1, 3, 2] %2 {perm=0,2,1}\n"
            "  output y %3\n");
    check(S "  %2 = reshape f32[6] %1\n  %3 = reshape f32[3, 2] %2\n  output y %3\n",
          S "  %2 = reshape f32[3, 2] %1\n  output y %2\n");
    check(S "  %2 = reshape f32[6] %1\n  %3 = reshape f32[2, 3] %2\n  output y %3\n",
          S "  output y %1\n");
    check(S "  %2 = reshape f32[2, 1, 3] %1\n  %3 = broadcast f32[2, 5, 3] %2\n"
            "  %4 = broadcast f32[7, 2, 5, 3] %3\n  output y %4\n",
          S "  %2 = reshape f32[2, 1, 3] %1\n  %3 = broadcast f32[7, 2, 5, 3] %2\n  output y %3\n");
    check(S "  %2 = slice f32[2, 3] %1 {bounds=0,2,1,0,3,1}\n"
            "  %3 = concat f32[2, 3] %2 {axis=1}\n  %4 = const f32[] {bits=0x0}\n"
            "  %5 = pad f32[2, 3] %3 %4 {margins=0,0,0,0,0,0}\n  output y %5\n",
          S "  output y %1\n");
    keeps(S "  %2 = slice f32[1, 3] %1 {bounds=0,2,2,0,3,1}\n  output y %2\n");
}

// A broadcast does not see leading extents of 1, but it cannot lose dimensions.
static void test_broadcast_of_reshape(void **state)
{
    (void)state;
    check(X "  %2 = sum f32[] %1 {axes=0}\n  %3 = reshape f32[1, 1] %2\n"
            "  %4 = broadcast f32[2, 3] %3\n  output y %4\n",
          X "  %2 = sum f32[] %1 {axes=0}\n  %3 = broadcast f32[2, 3] %2\n  output y %3\n");
    check(S "  %2 = reshape f32[1, 2, 3] %1\n  %3 = broadcast f32[5, 2, 3] %2\n  output y %3\n",
          S "  %2 = broadcast f32[5, 2, 3] %1\n  output y %2\n");
    keeps(S "  %2 = reshape f32[2, 1, 3] %1\n  %3 = broadcast f32[2, 2, 3] %2\n  output y %3\n");
    keeps(X "  %2 = reshape f32[1, 1, 4] %1\n  %3 = reduce_max f32[1, 1] %2 {axes=2}\n"
            "  %4 = reshape f32[1] %3\n  %5 = broadcast f32[4] %4\n  output y %5\n");
}

static void test_scalars_are_computed_once(void **state)
{
    (void)state;
    check(X "  %2 = sum f32[] %1 {axes=0}\n  %3 = broadcast f32[4] %2\n"
            "  %4 = exp f32[4] %3\n  %5 = mul f32[4] %4 %3\n  output y %5\n",
          X "  %2 = sum f32[] %1 {axes=0}\n  %3 = exp f32[] %2\n  %4 = mul f32[] %3 %2\n"
            "  %5 = broadcast f32[4] %4\n  output y %5\n");
}

static void test_folding(void **state)
{
    (void)state;
    check("  %1 = const f32[] {bits=0x3f800000}\n  %2 = const f32[] {bits=0x40800000}\n"
          "  %3 = div f32[] %1 %2\n  %4 = add f32[] %3 %1\n  output y %3\n  output z %4\n",
          "  %1 = const f32[] {bits=0x3e800000}\n  %2 = const f32[] {bits=0x3fa00000}\n"
          "  output y %1\n  output z %2\n");
    check("  %1 = const i32[3] {bits=0x7fffffff,0x0,0xffffffff}\n  %2 = add i32[3] %1 %1\n"
          "  %3 = cast i8[3] %2\n  %4 = lt bool[3] %1 %2\n  output y %3\n  output z %4\n",
          "  %1 = const i8[3] {bits=0xfe,0x0,0xfe}\n  %2 = const bool[3] {bits=0x0,0x0,0x0}\n"
          "  output y %1\n  output z %2\n");
    keeps("  %1 = const f32[] {bits=0x3f800000}\n  %2 = broadcast f32[4] %1\n  output y %2\n");
    keeps("  %1 = counter u32[] {which=2}\n  %2 = add u32[] %1 %1\n  output y %2\n");
}

// Gradients are kept for showing them, which does not make them part of the program.
static void test_kept_gradients(void **state)
{
    (void)state;
    struct arena a = {0};
    struct ir_module m;
    parse(&a, &m,
          X "  %2 = var f32[4] {index=0}\n  %3 = exp f32[4] %2\n  %4 = exp f32[4] %1\n"
            "  output y %4\n  grad w %3\n  grad w %4\n");
    ir_simplify(&m);
    const struct ir_entry *e = &m.entries.at[0];
    assert_int_equal(e->graph->nodes.n, 3);
    assert_int_equal(e->grads.n, 1);
    assert_int_equal(e->grads.at[0].value, e->outputs.at[0].value);
    arena_free(&a);
}

static void test_notes(void **state)
{
    (void)state;
    check(X "  %2 = exp f32[4] %1 ! recompute\n  %3 = exp f32[4] %1 ! name=late recompute\n"
            "  %4 = add f32[4] %2 %3 ! at=1:2:3\n  output y %4\n",
          X "  %2 = exp f32[4] %1 ! name=late recompute\n"
            "  %3 = add f32[4] %2 %2 ! at=1:2:3\n  output y %3\n");
    check(X "  %2 = exp f32[4] %1 ! recompute\n  %3 = exp f32[4] %1\n"
            "  %4 = add f32[4] %2 %3\n  output y %4\n",
          X "  %2 = exp f32[4] %1\n  %3 = add f32[4] %2 %2\n  output y %3\n");
}

// -- equal bits ----------------------------------------------------------------------------------

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

// A node of type t in g: a leaf, or an operation that the rewrites know on such nodes.
static ir_ref random_node(struct ir_graph *g, const ir_ref *pool, unsigned n)
{
    static const enum ir_op one[] = {IR_neg, IR_abs, IR_exp, IR_floor};
    static const enum ir_op two[] = {IR_mul, IR_div, IR_add, IR_sub, IR_min, IR_max};
    ir_ref a = pool[random_below(n)], b = pool[random_below(n)];
    ir_typeid t = ir_get(g, pool[0])->type;
    int64_t swap[] = {1, 0};
    switch (random_below(8)) {
    case 0: return ir_unary(g, one[random_below(4)], a);
    case 1:
    case 2: return ir_binary(g, two[random_below(6)], a, b);
    case 3: return ir_select(g, ir_binary(g, IR_lt, a, b), a, pool[random_below(n)]);
    case 4: return ir_reshape_to(g, ir_transpose(g, a, swap), t);
    case 5: return ir_bitcast(g, ir_bitcast(g, a, random_below(2) ? DT_I32 : DT_U32), DT_F32);
    case 6: return ir_splat_f32(g, t, (float)random_below(3) - 1);
    default: {
        int64_t axes[] = {0, 1};
        return ir_broadcast_to(g, ir_reduce(g, IR_sum, a, axes, 2), t);
    }
    }
}

static void random_module(struct arena *a, struct ir_module *m)
{
    ir_module_init(m, a);
    struct ir_entry e = {.name = "e", .graph = ir_graph_new(m)};
    ir_typeid t = ir_type_make(m, DT_F32, 2, (int64_t[]){2, 3}, NULL);
    vec_push(a, &e.inputs, (struct ir_field){"x", t});
    ir_ref pool[40] = {ir_input(e.graph, 0, t)};
    for (unsigned n = 1; n < 40; n++)
        pool[n] = random_node(e.graph, pool, n);
    for (unsigned i = 36; i < 40; i++)
        vec_push(a, &e.outputs, (struct ir_named){arena_printf(a, "y%u", i), pool[i]});
    vec_push(a, &m->entries, e);
}

static void run(const struct ir_entry *e, const uint32_t *x, uint32_t out[4][6])
{
    struct arena a = {0};
    ir_refs roots = {0};
    const char *error;
    const struct eval_counters counters = {1, 1};
    ir_entry_roots(e, false, &a, &roots);
    struct eval *ev = eval_new(e->graph, roots.at, roots.n, EVAL_NO_FUSE, &error);
    assert_non_null(ev);
    eval_run(ev, (const void *[]){x}, NULL, &counters, (void *[]){out[0], out[1], out[2], out[3]});
    eval_free(ev);
    arena_free(&a);
}

static void test_equal_bits(void **state)
{
    (void)state;
    const uint32_t x[6] = {0x3fc00000, 0x80000000, 0x7fc00000, 0xff800000, 0xc0490fdb, 0x00800000};
    unsigned before = 0, after = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct arena a = {0};
        struct ir_module m;
        uint32_t want[4][6], got[4][6];
        random_state = seed;
        random_module(&a, &m);
        run(&m.entries.at[0], x, want);
        before += m.entries.at[0].graph->nodes.n;
        ir_simplify(&m);
        after += m.entries.at[0].graph->nodes.n;
        assert_null(ir_verify(&m, false));
        run(&m.entries.at[0], x, got);
        if (memcmp(want, got, sizeof want) != 0)
            fail_msg("seed %llu: the bits changed", (unsigned long long)seed);
        arena_free(&a);
    }
    assert_true(after < before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dead_and_repeated),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_arithmetic_that_stays),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_broadcast_of_reshape),
        cmocka_unit_test(test_scalars_are_computed_once),
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_kept_gradients),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_equal_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
