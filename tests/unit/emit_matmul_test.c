// emit_matmul_test.c: kernels give the evaluator's bits: matrix products, all variants.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include "tests/unit/emit_kit.h"

// -- matrix products -----------------------------------------------------------------------------

static const char *const row_variants[] = {"rows_8x8", "cpu_8x16", "rows_4x4", NULL};
static const char *const tile_variants[] = {"tile_8",  "tile_16",  "tile_32",
                                            "tile_64", "tile_128", NULL};

static ir_ref product_of(struct emit_kit *k, int64_t m, int64_t n, int64_t inner, bool ta, bool tb)
{
    ir_ref a = kit_input(k, FILL_NUMBERS, DT_F32, DIMS(ta ? inner : m, ta ? m : inner));
    ir_ref b = kit_input(k, FILL_NUMBERS, DT_F32, DIMS(tb ? n : inner, tb ? inner : n));
    return ir_matmul(k->r.g, a, b, ta, tb);
}

struct shape {
    int64_t m, n, k;
    bool ta, tb;
};

static void check_products(const struct shape *s, size_t n, const char *const *variants)
{
    struct emit_kit k;
    kit_begin(&k);
    for (size_t i = 0; i < n; i++)
        kit_output(&k, product_of(&k, s[i].m, s[i].n, s[i].k, s[i].ta, s[i].tb));
    kit_check_variants(&k, variants);
}

// Edges of tiles, blocks of 512, lines of whole groups of four words or not, all transposes.
static void test_products(void **state)
{
    NEED_DEVICE();
    static const struct shape shapes[] = {
        {17, 3, 129, 0, 0},  {129, 17, 3, 1, 0},   {1, 129, 1000, 0, 1}, {3, 64, 513, 1, 1},
        {64, 64, 64, 0, 0},  {12, 20, 1000, 0, 1}, {64, 32, 16, 1, 0},   {16, 8, 516, 1, 1},
        {1, 1, 1, 0, 0},     {1000, 1, 17, 0, 0},  {132, 140, 20, 0, 0}, {1, 513, 64, 0, 0},
        {129, 1, 512, 1, 0}, {68, 132, 4, 0, 1},   {4, 4, 1024, 0, 0},
    };
    check_products(shapes, sizeof shapes / sizeof *shapes, row_variants);
}

// lavapipe takes a second to compile one of these: few patterns, but every edge. Sanitizers have
// seen the same host code by then.
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void test_tiled_products(void **state)
{
    NEED_DEVICE();
    if (SANITIZED)
        skip();
    static const struct shape shapes[] = {
        {129, 17, 65, 0, 0}, {132, 140, 20, 1, 0}, {12, 20, 1000, 0, 1}, {3, 64, 513, 1, 1},
        {1, 1, 1, 0, 0},     {64, 64, 64, 1, 0},   {68, 132, 600, 0, 1}, {17, 129, 513, 1, 1},
    };
    check_products(shapes, sizeof shapes / sizeof *shapes, tile_variants);
}

// Variants that take several blocks of k at once: as many as there are, fewer, and a part of one;
// tiles of a deep k, full or not.
static void test_sliced_products(void **state)
{
    NEED_DEVICE();
    if (SANITIZED)
        skip();
    static const struct shape shapes[] = {
        {9, 5, 1025, 1, 1},  {20, 24, 260, 1, 0},  {12, 20, 2048, 0, 1}, {36, 20, 388, 0, 0},
        {5, 21, 1536, 1, 1}, {36, 12, 1536, 1, 0}, {20, 36, 1024, 0, 0}, {4, 8, 1540, 0, 0},
        {3, 6, 513, 1, 1},   {16, 16, 516, 0, 1},
    };
    check_products(shapes, sizeof shapes / sizeof *shapes,
                   (const char *const[]){"tile_8", "tile_16", NULL});
}

// Blocks whose sums are -0, a negative sum flushed at their end: a fourth block, which there is
// not, would make it +0.
static void test_negative_zero(void **state)
{
    NEED_DEVICE();
    enum { K = 2 * 512 + 2, N = 3 };
    static uint32_t a[K], b[K * N];
    struct emit_kit k;
    for (int i = 0; i < K * N; i++)
        b[i] = 0x3f800000; // 1
    for (int i = 0; i < K; i++)
        a[i] = i % 512 < 510 && i < 1024 ? 0 : i % 2 ? 0x80800001 : 0x00800000;
    kit_begin(&k);
    ir_ref left = kit_given(&k, DT_F32, DIMS(1, K), a),
           right = kit_given(&k, DT_F32, DIMS(K, N), b);
    kit_output(&k, ir_matmul(k.r.g, left, right, false, false));
    kit_check_variants(&k, (const char *const[]){"rows_4x4", "tile_8", "tile_16", NULL});
}

// Batches, intermediate operands, a matrix by itself, values of every sort.
static void test_batched_products(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_ref a = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(2, 3, 17, 5));
    ir_ref b = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(2, 3, 5, 9));
    ir_ref c = ir_matmul(g, a, b, false, false);
    kit_output(&k, ir_matmul(g, c, ir_unary(g, IR_neg, a), true, false));
    ir_ref s = kit_input(&k, FILL_BITS, DT_F32, DIMS(20, 20));
    kit_output(&k, ir_matmul(g, s, s, false, false));
    kit_output(&k, ir_matmul(g, s, s, false, true));
    ir_ref v = kit_var(&k, FILL_NUMBERS, DT_F32, DIMS(4, 8, 12));
    kit_output(&k, ir_matmul(g, v, v, true, false));
    kit_check_variants(&k,
                       (const char *const[]){"rows_8x8", "rows_4x4", "tile_8", "tile_64", NULL});
}

static ir_ref bias_of(struct emit_kit *k, int64_t m, int64_t n)
{
    ir_ref row = kit_input(k, FILL_NUMBERS, DT_F32, DIMS(n));
    return ir_broadcast_to(k->r.g, row, kit_type(k, DT_F32, DIMS(m, n)));
}

// What follows a product: a bias, an activation, a residual; short and long, narrow, in place.
static void test_epilogues(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    k.steps = 3;
    struct ir_graph *g = k.r.g;
    enum { M = 17, N = 36 };
    ir_typeid t = kit_type(&k, DT_F32, DIMS(M, N));
    ir_ref zero = ir_broadcast_to(g, ir_const_f32(g, 0.0f), t);
    ir_ref x[6];
    for (int i = 0; i < 6; i++)
        x[i] = product_of(&k, M, N, i == 2 ? 600 : 8, i == 1, i == 3);
    kit_output(&k, ir_binary(g, IR_max, ir_binary(g, IR_add, x[0], bias_of(&k, M, N)), zero));
    kit_output(&k, ir_binary(g, IR_add, kit_input(&k, FILL_BITS, DT_F32, DIMS(M, N)), x[1]));
    ir_ref biased = ir_binary(g, IR_add, x[2], bias_of(&k, M, N));
    kit_output(&k, ir_binary(g, IR_mul, biased, ir_unary(g, IR_erf, biased)));
    kit_output(&k, ir_cast(g, x[3], DT_F16));
    kit_output(&k, x[4]);
    kit_output(&k, ir_unary(g, IR_neg, x[4]));
    ir_ref w = kit_var(&k, FILL_NUMBERS, DT_F32, DIMS(M, N));
    kit_update(&k, 0, ir_binary(g, IR_sub, w, x[5]));
    kit_check_variants(&k, row_variants);
}

static void test_tiled_epilogues(void **state)
{
    NEED_DEVICE();
    if (SANITIZED)
        skip();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_ref biased =
        ir_binary(g, IR_add, product_of(&k, 17, 36, 8, true, false), bias_of(&k, 17, 36));
    kit_output(&k, ir_binary(g, IR_sub, kit_input(&k, FILL_BITS, DT_F32, DIMS(17, 36)), biased));
    ir_ref x = product_of(&k, 20, 24, 1100, false, false); // several blocks
    kit_output(&k, ir_binary(g, IR_mul, ir_binary(g, IR_add, x, bias_of(&k, 20, 24)), x));
    kit_check_variants(&k, tile_variants);
}

int main(int argc, char **argv)
{
    if (argc > 1) // some of the tests: a pattern with * and ?
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),         cmocka_unit_test(test_tiled_products),
        cmocka_unit_test(test_sliced_products),  cmocka_unit_test(test_negative_zero),
        cmocka_unit_test(test_batched_products), cmocka_unit_test(test_epilogues),
        cmocka_unit_test(test_tiled_epilogues),
    };
    return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
