// emit_chain_test.c: kernels that run as one give the same bits as they do apart.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include "tests/unit/emit_kit.h"

// -- what chains are made of ---------------------------------------------------------------------

struct rows {
    struct emit_kit *k;
    struct ir_graph *g;
    ir_typeid full, row; // [rows, n], [rows, 1]
    int64_t count, n;
};

static struct rows rows_begin(struct emit_kit *k, int64_t count, int64_t n)
{
    return (struct rows){.k = k,
                         .g = k->r.g,
                         .full = kit_type(k, DT_F32, DIMS(count, n)),
                         .row = kit_type(k, DT_F32, DIMS(count, 1)),
                         .count = count,
                         .n = n};
}

static ir_ref input(struct rows *r, enum kit_fill fill)
{
    return kit_input(r->k, fill, DT_F32, DIMS(r->count, r->n));
}

static ir_ref reduce(struct rows *r, enum ir_op op, ir_ref x)
{
    return ir_reshape_to(r->g, ir_reduce(r->g, op, x, (int64_t[]){1}, 1), r->row);
}

static ir_ref spread(struct rows *r, ir_ref x)
{
    return ir_broadcast_to(r->g, x, r->full);
}

static ir_ref scaled(struct rows *r, ir_ref row)
{
    return ir_binary(r->g, IR_mul, row, ir_splat_f32(r->g, r->row, 1 / (float)r->n));
}

static ir_ref layer_norm(struct rows *r, ir_ref x)
{
    struct ir_graph *g = r->g;
    ir_ref mean = spread(r, scaled(r, reduce(r, IR_sum, x)));
    ir_ref centred = ir_binary(g, IR_sub, x, mean);
    ir_ref variance = scaled(r, reduce(r, IR_sum, ir_binary(g, IR_mul, centred, centred)));
    ir_ref inverse = ir_unary(g, IR_rsqrt, variance);
    ir_ref weight = ir_broadcast_to(g, kit_var(r->k, FILL_NUMBERS, DT_F32, DIMS(r->n)), r->full);
    return ir_binary(g, IR_mul, ir_binary(g, IR_mul, centred, spread(r, inverse)), weight);
}

static ir_ref softmax(struct rows *r, ir_ref x)
{
    struct ir_graph *g = r->g;
    ir_ref most = spread(r, reduce(r, IR_reduce_max, x));
    ir_ref e = ir_unary(g, IR_exp, ir_binary(g, IR_sub, x, most));
    return ir_binary(g, IR_div, e, spread(r, reduce(r, IR_sum, e)));
}

// How many steps have the variant `joined`.
static size_t chains(const struct emit_kit *k)
{
    const struct dispatch_entry *e = k->program.dispatch->entry;
    size_t n = 0;
    for (size_t i = 0; i < e->nsteps; i++)
        for (size_t v = 0; v < e->step[i].nvariants; v++)
            n += !strcmp(e->step[i].variant[v].name, "joined");
    return n;
}

// Closes the kit when it has run in every way; there must be so many chains.
static void check_chains(struct emit_kit *k, size_t want)
{
    static const char *const ways[] = {"joined,map,group", "apart,map,group",
                                       "cpu_apart,cpu_map,cpu_alone", NULL};
    kit_compile(k);
    assert_int_equal(chains(k), want);
    unsigned char **expected = kit_run(k, "cpu", NULL);
    for (size_t i = 0; ways[i]; i++)
        kit_compare(k, ways[i], expected);
    kit_end(k);
}

// -- tests ---------------------------------------------------------------------------------------

static const int64_t sizes[][2] = {{1, 32},  {8, 33},  {5, 64},  {7, 100}, {3, 128},
                                   {5, 200}, {6, 256}, {3, 500}, {2, 4096}};
enum { SIZES = sizeof sizes / sizeof *sizes };

// Rows of all lengths around the borders of partials and of what is in flight.
static void test_sizes(void **state)
{
    NEED_DEVICE();
    for (size_t i = 0; i < SIZES; i++) {
        struct emit_kit k;
        kit_begin(&k);
        struct rows r = rows_begin(&k, sizes[i][0], sizes[i][1]);
        kit_output(&k, layer_norm(&r, input(&r, FILL_NUMBERS)));
        kit_output(&k, softmax(&r, input(&r, i % 2 ? FILL_NUMBERS : FILL_BITS)));
        check_chains(&k, 2);
    }
}

// Not along rows, rows that are too short or too long, an argmax: no chain.
static void test_no_chain(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct rows few = rows_begin(&k, 5, 31), many = rows_begin(&k, 2, 4097);
    kit_output(&k, softmax(&few, input(&few, FILL_NUMBERS)));
    kit_output(&k, softmax(&many, input(&many, FILL_NUMBERS)));
    struct rows r = rows_begin(&k, 40, 40);
    ir_ref x = input(&r, FILL_NUMBERS);
    ir_ref sum = ir_reduce(r.g, IR_sum, x, (int64_t[]){0}, 1);
    ir_ref column = ir_reshape_to(r.g, sum, kit_type(&k, DT_F32, DIMS(1, 40)));
    kit_output(&k, ir_binary(r.g, IR_sub, x, spread(&r, column)));
    ir_ref best = ir_cast(r.g, ir_reduce(r.g, IR_argmax, x, (int64_t[]){1}, 1), DT_F32);
    kit_output(&k, ir_binary(r.g, IR_mul, x, spread(&r, ir_reshape_to(r.g, best, r.row))));
    check_chains(&k, 0);
}

// A row's result is read as a column, as another row's, turned: what follows is not of the chain.
static void test_other_rows(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct rows r = rows_begin(&k, 40, 40);
    ir_ref x = input(&r, FILL_NUMBERS);
    ir_ref sum = reduce(&r, IR_sum, x);
    ir_ref turned = ir_reshape_to(r.g, sum, kit_type(&k, DT_F32, DIMS(1, 40)));
    ir_ref y = ir_binary(r.g, IR_sub, x, spread(&r, turned));
    kit_output(&k, y);
    kit_output(&k, sum);
    ir_ref swapped = ir_transpose(r.g, softmax(&r, y), (int64_t[]){1, 0});
    kit_output(&k, softmax(&r, swapped));
    check_chains(&k, 2);
}

// What is made on the way is seen outside, by products and by the other axis' sums too; rows have
// results of their own; the same rows go on after a product has waited for them.
static void test_seen_outside(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct rows r = rows_begin(&k, 12, 64);
    ir_ref x = ir_unary(r.g, IR_tanh, input(&r, FILL_BITS)), y = layer_norm(&r, x);
    kit_output(&k, x);
    kit_output(&k, y);
    kit_output(&k, ir_reduce(r.g, IR_sum, y, (int64_t[]){0}, 1));
    ir_ref most = reduce(&r, IR_reduce_max, y), least = reduce(&r, IR_reduce_min, y);
    kit_output(&k, ir_binary(r.g, IR_sub, most, least));
    ir_ref square = ir_matmul(r.g, y, y, true, false);
    ir_ref back = ir_matmul(r.g, y, square, false, false);
    kit_output(&k, ir_binary(r.g, IR_add, back, softmax(&r, ir_binary(r.g, IR_add, y, back))));
    ir_ref wide = ir_binary(r.g, IR_mul, y, spread(&r, most));
    kit_output(&k, layer_norm(&r, ir_binary(r.g, IR_sub, wide, back)));
    kit_compile(&k);
    assert_true(chains(&k) >= 2);
    unsigned char **want = kit_run(&k, "cpu", NULL);
    kit_compare(&k, "joined,map,group,rows_4x4", want);
    kit_compare(&k, "apart,map,group,rows_8x8", want);
    kit_end(&k);
}

// Two chains that read each other's beginnings cannot both run as one.
static void test_crossed(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct rows r = rows_begin(&k, 6, 48), q = rows_begin(&k, 6, 36);
    ir_ref x = input(&r, FILL_NUMBERS), y = input(&q, FILL_NUMBERS);
    ir_ref sx = reduce(&r, IR_sum, x), sy = reduce(&q, IR_sum, y);
    ir_ref both = ir_binary(r.g, IR_sub, spread(&r, sx), spread(&r, sy));
    kit_output(&k, ir_binary(r.g, IR_mul, x, both));
    both = ir_binary(q.g, IR_sub, spread(&q, sx), spread(&q, sy));
    kit_output(&k, ir_binary(q.g, IR_mul, y, both));
    check_chains(&k, 1);
}

// Integers wrap, and a row's result may be narrow outside.
static void test_integers(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_typeid full = kit_type(&k, DT_I32, DIMS(7, 100)), row = kit_type(&k, DT_I32, DIMS(7, 1));
    ir_ref x = kit_input(&k, FILL_BITS, DT_I32, DIMS(7, 100));
    ir_ref sum = ir_reshape_to(g, ir_reduce(g, IR_sum, x, (int64_t[]){1}, 1), row);
    ir_ref y = ir_binary(g, IR_xor, x, ir_broadcast_to(g, sum, full));
    ir_ref most = ir_reshape_to(g, ir_reduce(g, IR_reduce_max, y, (int64_t[]){1}, 1), row);
    kit_output(&k, ir_binary(g, IR_sub, y, ir_broadcast_to(g, most, full)));
    kit_output(&k, ir_cast(g, most, DT_I8));
    check_chains(&k, 1);
}

// Variables change at the end, by what the chain made; two steps one after another.
static void test_updates(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    k.steps = 3;
    struct rows r = rows_begin(&k, 4, 96);
    ir_ref v = kit_var(&k, FILL_NUMBERS, DT_F32, DIMS(4, 96));
    ir_ref y = softmax(&r, ir_binary(r.g, IR_add, v, input(&r, FILL_NUMBERS)));
    kit_update(&k, 0, ir_binary(r.g, IR_sub, v, y));
    kit_output(&k, layer_norm(&r, v));
    kit_output(&k, reduce(&r, IR_sum, y));
    kit_compile(&k);
    assert_true(chains(&k) >= 1);
    unsigned char **want = kit_run(&k, "cpu", NULL);
    kit_compare(&k, "joined,map,group", want);
    kit_compare(&k, "apart,map,group", want);
    kit_end(&k);
}

// What follows a product runs on its results, where the code stays short: results that are seen
// outside, too, and several that are made of each; edges, blocks of k, slices; narrow ones apart.
static void add_product(struct emit_kit *k, int64_t m, int64_t depth, int64_t n)
{
    struct ir_graph *g = k->r.g;
    ir_typeid full = kit_type(k, DT_F32, DIMS(m, n));
    ir_ref a = kit_input(k, FILL_NUMBERS, DT_F32, DIMS(m, depth));
    ir_ref h = ir_matmul(g, a, kit_var(k, FILL_NUMBERS, DT_F32, DIMS(depth, n)), false, false);
    ir_ref bias = ir_broadcast_to(g, kit_var(k, FILL_NUMBERS, DT_F32, DIMS(n)), full);
    ir_ref x = ir_binary(g, IR_add, h, bias), y = ir_unary(g, IR_tanh, x);
    ir_ref z = ir_binary(g, IR_mul, y, kit_input(k, FILL_BITS, DT_F32, DIMS(m, n)));
    kit_output(k, h);
    kit_output(k, y);
    kit_output(k, z);
    ir_ref w = ir_matmul(g, z, h, true, false);
    kit_output(k, ir_binary(g, IR_add, w, w));
    kit_output(k, ir_cast(g, ir_matmul(g, h, w, false, false), DT_F16));
}

// Steps that make several values, with a product in one call.
static size_t products(const struct emit_kit *k)
{
    const struct dispatch_entry *e = k->program.dispatch->entry;
    size_t n = 0;
    for (size_t i = 0; i < e->nsteps; i++)
        for (size_t v = 0; v < e->step[i].nvariants; v++)
            n += !strcmp(e->step[i].variant[v].name, "tile_16") &&
                 e->step[i].variant[v].ncalls == 1 && e->step[i].nmade > 2;
    return n;
}

static void test_products(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    add_product(&k, 1, 1, 1);
    add_product(&k, 5, 7, 9);
    add_product(&k, 33, 513, 17);
    add_product(&k, 16, 1100, 64);
    static const char *const ways[] = {"rows_8x8", "cpu_8x16,cpu_map", "tile_8",
                                       "tile_16",  "tile_32",          "tile_64"};
    kit_compile(&k);
    assert_int_equal(products(&k), 4);
    unsigned char **want = kit_run(&k, "cpu", NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        kit_compare(&k, ways[i], want);
    kit_end(&k);
}

int main(int argc, char **argv)
{
    if (argc > 1) // some of the tests: a pattern with * and ?
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),      cmocka_unit_test(test_no_chain),
        cmocka_unit_test(test_other_rows), cmocka_unit_test(test_seen_outside),
        cmocka_unit_test(test_crossed),    cmocka_unit_test(test_integers),
        cmocka_unit_test(test_updates),    cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
