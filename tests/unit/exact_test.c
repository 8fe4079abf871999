// exact_test.c: tests of the exact functions' trees. Their accuracy is measured by tests/ulp.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/eval.h"
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

static uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint32_t apply(struct rig *rig, enum ir_op op, uint32_t a, uint32_t b)
{
    return exact_run(exact_get(&rig->trees, op, DT_F32, DT_F32), (uint32_t[]){a, b});
}

// -- what trees are made of ----------------------------------------------------------------------

static const enum ir_op functions[] = {IR_div,     IR_sqrt, IR_rsqrt, IR_exp, IR_exp2,
                                       IR_expm1,   IR_log,  IR_log1p, IR_sin, IR_cos,
                                       IR_sigmoid, IR_tanh, IR_erf,   IR_pow};

enum { NFUNCTIONS = sizeof functions / sizeof functions[0] };

static bool is_bare_cast(const struct ir_graph *g, ir_ref r)
{
    enum dtype from = ir_typeof(g, ir_arg(g, r, 0))->dtype, to = ir_typeof(g, r)->dtype;
    return ir_opcode(g, r) == IR_cast && (from == DT_F32) != (to == DT_F32) &&
           dtype_bytes(from) == 4 && from != DT_BOOL && to != DT_BOOL;
}

// Checks a tree's nodes; returns how many are operations.
static unsigned check_nodes(const struct exact_tree *t)
{
    unsigned ops = 0;
    for (ir_ref r = 1; r < t->graph->nodes.n; r++) {
        const struct ir_op_info *info = ir_op_info(ir_opcode(t->graph, r));
        bool leaf = ir_opcode(t->graph, r) == IR_const || ir_opcode(t->graph, r) == IR_input;
        bool primitive = info->class == IRC_MAP && info->exact == IRX_PRIM;
        assert_int_equal(ir_typeof(t->graph, r)->rank, 0);
        assert_true(leaf || primitive || is_bare_cast(t->graph, r));
        for (unsigned i = 0; i < ir_get(t->graph, r)->nargs; i++)
            assert_true(ir_arg(t->graph, r, i) < r);
        ops += !leaf && ir_opcode(t->graph, r) != IR_bitcast;
    }
    return ops;
}

static void functions_are_small_trees_of_primitives(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < NFUNCTIONS; i++) {
        const struct exact_tree *t = exact_get(&rig->trees, functions[i], DT_F32, DT_F32);
        assert_int_equal(t->nargs, ir_op_info(functions[i])->nargs);
        assert_int_equal(ir_typeof(t->graph, t->value)->dtype, DT_F32);
        assert_in_range(check_nodes(t), 30, 158);
        assert_ptr_equal(t, exact_get(&rig->trees, functions[i], DT_F32, DT_F32));
    }
}

static void casts_are_small_trees_of_primitives(void **state)
{
    struct rig *rig = *state;
    for (unsigned from = 0; from < DT_COUNT; from++)
        for (unsigned to = 0; to < DT_COUNT; to++) {
            const struct exact_tree *t =
                exact_get(&rig->trees, IR_cast, (enum dtype)from, (enum dtype)to);
            enum dtype lane = ir_typeof(t->graph, t->value)->dtype;
            assert_int_equal(lane, to == DT_F32 || to == DT_I32 ? to : DT_U32);
            assert_in_range(check_nodes(t), 0, 32);
        }
}

// -- values --------------------------------------------------------------------------------------

enum {
    ZERO = 0,
    ONE = 0x3f800000,
    MAX = 0x7f7fffff,
    INF = 0x7f800000,
    NAN_ = 0x7fc00000,
    LEAST = 0x00800000, // the least normal number
};
#define MINUS 0x80000000u

struct special {
    enum ir_op op;
    uint32_t in, out;
};

static const struct special specials[] = {
    {IR_sqrt, ZERO, ZERO},
    {IR_sqrt, MINUS, MINUS},
    {IR_sqrt, MINUS | 0x007fffff, MINUS}, // a subnormal is a zero of its sign
    {IR_sqrt, MINUS | LEAST, NAN_},
    {IR_sqrt, INF, INF},
    {IR_sqrt, MINUS | INF, NAN_},
    {IR_sqrt, LEAST, 0x20000000},
    {IR_sqrt, MAX, 0x5f7fffff},
    {IR_rsqrt, ZERO, INF},
    {IR_rsqrt, MINUS, MINUS | INF},
    {IR_rsqrt, MINUS | ONE, NAN_},
    {IR_rsqrt, INF, ZERO},
    {IR_rsqrt, ONE, ONE},
    {IR_exp, ZERO, ONE},
    {IR_exp, MINUS, ONE},
    {IR_exp, INF, INF},
    {IR_exp, MINUS | INF, ZERO},
    {IR_exp, 0x42b17218, INF},
    {IR_exp, MINUS | 0x42aeac50, ZERO},
    {IR_exp2, 0x42fe0000, 0x7f000000}, // 2^127
    {IR_exp2, 0x43000000, INF},
    {IR_exp2, MINUS | 0x42fc0000, LEAST}, // 2^-126
    {IR_exp2, MINUS | 0x42fc0001, ZERO},
    {IR_expm1, MINUS, MINUS},
    {IR_expm1, 1, ZERO},
    {IR_expm1, LEAST, LEAST},
    {IR_expm1, MINUS | INF, MINUS | ONE},
    {IR_expm1, INF, INF},
    {IR_log, ONE, ZERO},
    {IR_log, ZERO, MINUS | INF},
    {IR_log, MINUS | 1, MINUS | INF},
    {IR_log, MINUS | ONE, NAN_},
    {IR_log, INF, INF},
    {IR_log1p, MINUS, MINUS},
    {IR_log1p, LEAST, LEAST},
    {IR_log1p, MINUS | ONE, MINUS | INF},
    {IR_log1p, MINUS | 0x3f800001, NAN_},
    {IR_log1p, INF, INF},
    {IR_sin, MINUS, MINUS},
    {IR_sin, LEAST, LEAST},
    {IR_sin, INF, NAN_},
    {IR_sin, MINUS | INF, NAN_},
    {IR_cos, MINUS, ONE},
    {IR_cos, 1, ONE},
    {IR_cos, INF, NAN_},
    {IR_tanh, MINUS, MINUS},
    {IR_tanh, INF, ONE},
    {IR_tanh, MINUS | INF, MINUS | ONE},
    {IR_sigmoid, MINUS, 0x3f000000},
    {IR_sigmoid, INF, ONE},
    {IR_sigmoid, MINUS | INF, ZERO},
    {IR_erf, MINUS, MINUS},
    {IR_erf, INF, ONE},
    {IR_erf, MINUS | INF, MINUS | ONE},
};

static void special_values(void **state)
{
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        assert_int_equal(apply(*state, specials[i].op, specials[i].in, 0), specials[i].out);
}

static void nan_gives_the_canonical_nan(void **state)
{
    static const uint32_t nans[] = {0x7fc00000, 0x7f800001, 0x7fffffff, 0xffc00000, 0xff800001};
    for (unsigned i = 0; i < NFUNCTIONS; i++)
        for (unsigned k = 0; k < 5; k++) {
            assert_int_equal(apply(*state, functions[i], nans[k], 0x40490fdb), NAN_);
            if (ir_op_info(functions[i])->nargs > 1)
                assert_int_equal(apply(*state, functions[i], 0x40490fdb, nans[k]), NAN_);
        }
}

struct special2 {
    uint32_t a, b, out;
};

static void special_quotients(void **state)
{
    static const struct special2 cases[] = {
        {ZERO, ZERO, NAN_},
        {INF, MINUS | INF, NAN_},
        {ONE, ZERO, INF},
        {ONE, MINUS, MINUS | INF},
        {MINUS | ONE, 1, MINUS | INF},
        {ZERO, MINUS | ONE, MINUS},
        {INF, MINUS | ONE, MINUS | INF},
        {ONE, MINUS | INF, MINUS},
        {1, 0x007fffff, NAN_},
        {MAX, 0x3f000000, INF},
        {LEAST, 0x40000000, ZERO},
        {MAX, MAX, ONE},
        {LEAST, MAX, ZERO},
        {MAX, LEAST, INF},
        {INF, ZERO, INF},
        {ZERO, INF, ZERO},
        {LEAST, 0x3f800001, ZERO},
        {0x00800001, ONE, 0x00800001},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(apply(*state, IR_div, cases[i].a, cases[i].b), cases[i].out);
}

static void special_powers(void **state)
{
    enum { TWO = 0x40000000, THREE = 0x40400000, HALF = 0x3f000000, ODD = 0x4b7fffff };
    static const struct special2 cases[] = {
        {NAN_, ZERO, ONE},
        {INF, MINUS, ONE},
        {ONE, NAN_, ONE},
        {ONE, INF, ONE},
        {MINUS | ONE, INF, ONE},
        {MINUS | ONE, MINUS | INF, ONE},
        {NAN_, ONE, NAN_},
        {MINUS | TWO, HALF, NAN_},
        {MINUS | TWO, THREE, 0xc1000000},
        {MINUS | TWO, TWO, 0x40800000},
        {ZERO, THREE, ZERO},
        {MINUS, THREE, MINUS},
        {MINUS, TWO, ZERO},
        {ZERO, MINUS | THREE, INF},
        {MINUS, MINUS | THREE, MINUS | INF},
        {MINUS, MINUS | TWO, INF},
        {MINUS, MINUS | HALF, INF},
        {ZERO, MINUS | INF, INF},
        {HALF, INF, ZERO},
        {HALF, MINUS | INF, INF},
        {TWO, INF, INF},
        {TWO, MINUS | INF, ZERO},
        {INF, HALF, INF},
        {INF, MINUS | HALF, ZERO},
        {MINUS | INF, THREE, MINUS | INF},
        {MINUS | INF, TWO, INF},
        {MINUS | INF, HALF, INF},
        {MINUS | INF, MINUS | THREE, MINUS},
        {MINUS | INF, MINUS | TWO, ZERO},
        {MINUS | ONE, ODD, MINUS | ONE},
        {MINUS | ONE, 0x4b800000, ONE},
        {TWO, 0x42fe0000, 0x7f000000},
        {TWO, 0x43000000, INF},
        {TWO, 0xc2fc0000, LEAST},
        {TWO, 0xc2fe0000, ZERO},
        {MINUS | TWO, 0x437f0000, MINUS | INF},
        {0x41200000, THREE, 0x447a0000},
        {THREE, 0x41200000, 0x4766a900},
        {0x7fc00000, 1, ONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(apply(*state, IR_pow, cases[i].a, cases[i].b), cases[i].out);
}

// A double rounded to f32, where tininess is judged after rounding.
static uint32_t rounded(double x)
{
    if (x != x)
        return NAN_;
    if ((float)(fabs(x) * 0x1p64) < 0x1p-62f)
        return signbit(x) ? MINUS : 0;
    return f32_bits((float)x);
}

static double flushed(uint32_t u)
{
    return (double)f32_of_bits(f32_flush_bits(u));
}

// 53 bits are enough for a quotient or a root to round once more to 24.
static void quotients_and_roots_are_rounded_correctly(void **state)
{
    struct rig *rig = *state;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t a = mix(2 * i), b = mix(2 * i + 1);
        if (i & 1) // mantissas at random, quotients in range
            b = (b & 0x807fffffu) | (a & 0x7f800000u);
        float args[] = {f32_of_bits(a), f32_of_bits(b)};
        uint32_t quotient = f32_bits(exact_call(&rig->trees, IR_div, args, 2));
        assert_int_equal(quotient, rounded(flushed(a) / flushed(b)));
        uint32_t root = f32_bits(exact_call(&rig->trees, IR_sqrt, args, 1));
        assert_int_equal(root, rounded(sqrt(flushed(a))));
    }
}

static void primitives_can_be_called_too(void **state)
{
    struct rig *rig = *state;
    float args[] = {3.5f, -2.0f}, tiny[] = {0x1p-100f, 0x1p-100f};
    assert_true(exact_call(&rig->trees, IR_add, args, 2) == 1.5f);
    assert_true(exact_call(&rig->trees, IR_floor, args, 1) == 3.0f);
    assert_true(exact_call(&rig->trees, IR_lt, args, 2) == 0.0f);
    assert_true(exact_call(&rig->trees, IR_ne, args, 2) == 1.0f);
    assert_true(exact_call(&rig->trees, IR_mul, tiny, 2) == 0.0f);
}

__attribute__((noinline)) static float halved(volatile float *x)
{
    return *x * 0.5f;
}

static void the_mode_of_the_caller_is_kept_and_does_not_matter(void **state)
{
    struct rig *rig = *state;
    float x = -1.25f, before = exact_call(&rig->trees, IR_exp, &x, 1);
    unsigned mode = flush_begin();
    assert_true(exact_call(&rig->trees, IR_exp, &x, 1) == before);
    volatile float tiny = 0x1p-126f, half = halved(&tiny);
    flush_end(mode);
    if (HLX_HARD_FLUSH)
        assert_true(half == 0.0f);
    assert_true(halved(&tiny) != 0.0f);
}

// -- the same bits everywhere --------------------------------------------------------------------

enum { SAMPLE = 1 << 15 };

// Any bits, and every second time a number between 2^-15 and 2^16.
static uint32_t *sample(unsigned seed)
{
    uint32_t *words = malloc(SAMPLE * sizeof *words);
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint32_t word = mix(2 * i + seed);
        words[i] = i % 2 ? word : (word & 0x87ffffffu) | 0x38000000u;
    }
    return words;
}

// What each function gives for the sample, as tests/ulp makes digests.
static void digests(void **state)
{
    static const uint64_t want[NFUNCTIONS] = {
        0xece9bd7125f6d6c6, // div
        0x4f0c6d6abe302bd6, // sqrt
        0xe40a5437f93b223d, // rsqrt
        0x9988cd21e71ba827, // exp
        0xd1a09fb3f5014e79, // exp2
        0x6f9645e7a66602fd, // expm1
        0x83528c1b538d09f5, // log
        0x70f6b41455254f07, // log1p
        0x8d170808b25c49ca, // sin
        0x08283f6da9049d8b, // cos
        0x2b5539496e1cff01, // sigmoid
        0xb8abef34e35077da, // tanh
        0xb6e5f4671981a75d, // erf
        0x7dc8acc8ad00fa26, // pow
    };
    uint32_t *a = sample(0), *b = sample(1);
    for (unsigned i = 0; i < NFUNCTIONS; i++) {
        uint64_t h = 0xcbf29ce484222325u;
        for (unsigned k = 0; k < SAMPLE; k++)
            h = (h ^ apply(*state, functions[i], a[k], b[k])) * 0x100000001b3u;
        assert_int_equal(h, want[i]);
    }
    free(a);
    free(b);
}

static void the_evaluator_agrees(void **state)
{
    struct rig *rig = *state;
    uint32_t *a = sample(0), *b = sample(1), *out = malloc(SAMPLE * sizeof *out);
    ir_typeid type = ir_type_make(&rig->module, DT_F32, 1, (int64_t[]){SAMPLE}, NULL);
    for (unsigned i = 0; i < 2 * NFUNCTIONS; i++) { // with and without the hardware's division
        enum ir_op op = functions[i / 2];
        struct ir_graph *g = ir_graph_new(&rig->module);
        ir_ref args[] = {ir_input(g, 0, type), ir_input(g, 1, type)};
        ir_ref root = ir_node_make(g, op, args, ir_op_info(op)->nargs, NULL, 0, 0);
        const char *error = NULL;
        struct eval *e = eval_new(g, &root, 1, i & 1 ? EVAL_TREES_ONLY : 0, &error);
        assert_non_null(e);
        eval_run(e, (const void *[]){a, b}, NULL, &(struct eval_counters){0}, (void *[]){out});
        eval_free(e);
        for (unsigned k = 0; k < SAMPLE; k++)
            assert_int_equal(out[k], apply(rig, op, a[k], b[k]));
    }
    free(a);
    free(b);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_small_trees_of_primitives),
        cmocka_unit_test(casts_are_small_trees_of_primitives),
        cmocka_unit_test(special_values),
        cmocka_unit_test(nan_gives_the_canonical_nan),
        cmocka_unit_test(special_quotients),
        cmocka_unit_test(special_powers),
        cmocka_unit_test(quotients_and_roots_are_rounded_correctly),
        cmocka_unit_test(primitives_can_be_called_too),
        cmocka_unit_test(the_mode_of_the_caller_is_kept_and_does_not_matter),
        cmocka_unit_test(digests),
        cmocka_unit_test(the_evaluator_agrees),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
