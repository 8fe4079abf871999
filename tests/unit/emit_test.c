// emit_test.c: kernels give the evaluator's bits: elementwise operations and reductions.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include "tests/unit/emit_kit.h"

// -- elementwise operations ----------------------------------------------------------------------

static const enum dtype lane_dtype[] = {DT_F32, DT_I32, DT_U32, DT_BOOL};
static const int64_t sizes[] = {1, 3, 6, 17, 129, 1000};
enum { SIZES = sizeof sizes / sizeof *sizes, TOGETHER = 10 };

// Results of one size. Those of a row of operations are joined by a node that reads them all, so
// that they share a kernel; then the next row begins.
struct mix {
    struct emit_kit *k;
    ir_ref operand[4][3]; // by lane
    ir_ref joined;        // u32
    unsigned n;
};

static ir_ref as_u32(struct ir_graph *g, ir_ref r)
{
    enum dtype t = ir_typeof(g, r)->dtype;
    if (t == DT_U32)
        return r;
    return t == DT_F32 || t == DT_I32 ? ir_bitcast(g, r, DT_U32) : ir_cast(g, r, DT_U32);
}

static void mix_end(struct mix *m)
{
    if (m->n > 1)
        kit_output(m->k, m->joined);
    m->n = 0;
}

static void mix_add(struct mix *m, ir_ref r)
{
    struct ir_graph *g = m->k->r.g;
    ir_ref u = as_u32(g, r);
    kit_output(m->k, r);
    m->joined = m->n ? ir_binary(g, IR_xor, m->joined, u) : u;
    if (++m->n == TOGETHER)
        mix_end(m);
}

static struct mix mix_begin(struct emit_kit *k, int64_t n)
{
    struct mix m = {.k = k};
    static const enum kit_fill fill[3] = {FILL_LEFT, FILL_RIGHT, FILL_BITS};
    for (unsigned lane = 0; lane < 4; lane++)
        for (unsigned i = 0; i < 3; i++)
            m.operand[lane][i] = kit_input(k, fill[i], lane_dtype[lane], DIMS(n));
    return m;
}

static void add_row(struct mix *m, enum ir_op op, unsigned lane)
{
    struct ir_graph *g = m->k->r.g;
    const ir_ref *x = m->operand[lane];
    const ir_ref *condition = m->operand[LANE_BOOL];
    if (op == IR_cast) // casts have their own test
        return;
    if (op == IR_bitcast)
        for (unsigned to = 0; to < 3; to++)
            mix_add(m, ir_bitcast(g, x[0], lane_dtype[to]));
    else if (op == IR_select)
        mix_add(m, ir_select(g, condition[2], x[0], x[1]));
    else if (ir_op_info(op)->nargs == 1)
        mix_add(m, ir_unary(g, op, x[0]));
    else if (ir_op_info(op)->nargs == 2)
        mix_add(m, ir_binary(g, op, x[0], x[1]));
    else
        fail_msg("this test does not know how to make `%s`", ir_op_info(op)->name);
}

// Every elementwise row of the table, for every lane type it takes.
static void add_rows(struct mix *m, enum ir_exact kind)
{
    for (enum ir_op op = 1; op < IR_OP_COUNT; op++)
        for (unsigned lane = 0; lane < 4; lane++)
            if (ir_op_info(op)->class == IRC_MAP && ir_op_info(op)->exact == kind &&
                ir_op_takes(op, lane))
                add_row(m, op, lane);
    mix_end(m);
}

static void check_rows(enum ir_exact kind)
{
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < SIZES; i++) {
        struct mix m = mix_begin(&k, sizes[i]);
        add_rows(&m, kind);
    }
    kit_check(&k);
}

static void test_primitives(void **state)
{
    NEED_DEVICE();
    check_rows(IRX_PRIM);
}

static void test_trees(void **state)
{
    NEED_DEVICE();
    check_rows(IRX_TREE);
}

// Each a kernel of its own.
static void test_unfused(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    k.unfused = true;
    struct mix m = mix_begin(&k, 129);
    add_rows(&m, IRX_PRIM);
    add_rows(&m, IRX_TREE);
    kit_check(&k);
}

// Every element type to every other, with narrow loads and stores of all lengths modulo 4.
static void test_casts(void **state)
{
    NEED_DEVICE();
    static const int64_t lengths[] = {1, 2, 3, 4, 129, 1002};
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < 6; i++)
        for (enum dtype from = 0; from < DT_COUNT; from++) {
            ir_ref x = kit_input(&k, FILL_BITS, from, DIMS(lengths[i]));
            struct mix m = {.k = &k};
            for (enum dtype to = 0; to < DT_COUNT; to++)
                mix_add(&m, ir_cast(k.r.g, x, to));
            mix_end(&m);
        }
    kit_check(&k);
}

// -- broadcasts ----------------------------------------------------------------------------------

static void add_broadcasts(struct emit_kit *k, enum dtype t)
{
    struct ir_graph *g = k->r.g;
    ir_typeid full = kit_type(k, t, DIMS(3, 5, 7, 2));
    static const struct {
        unsigned rank;
        int64_t dim[4];
    } from[] = {{0, {0}},          {1, {1}},          {1, {2}},          {2, {7, 1}},
                {2, {1, 2}},       {3, {5, 1, 2}},    {3, {5, 7, 1}},    {4, {3, 1, 1, 1}},
                {4, {3, 1, 7, 1}}, {4, {1, 5, 1, 2}}, {4, {3, 5, 7, 2}}, {4, {3, 1, 1, 2}}};
    ir_ref sum = 0, other = kit_input(k, FILL_BITS, t, DIMS(3, 5, 7, 2));
    for (unsigned i = 0; i < sizeof from / sizeof *from; i++) {
        ir_ref x = kit_input(k, FILL_NUMBERS, t, from[i].rank, from[i].dim);
        ir_ref all = ir_broadcast_to(g, x, full);
        sum = sum ? ir_binary(g, i % 3 ? IR_add : IR_mul, sum, all) : all;
        if (i % 4 == 0)
            kit_output(k, ir_binary(g, IR_max, all, other));
    }
    kit_output(k, sum);
    kit_output(k, ir_broadcast_to(g, kit_input(k, FILL_BITS, t, DIMS(5, 1, 2)), full));
}

static void test_broadcasts(void **state)
{
    NEED_DEVICE();
    for (int unfused = 0; unfused < 2; unfused++) {
        struct emit_kit k;
        kit_begin(&k);
        k.unfused = unfused;
        add_broadcasts(&k, DT_F32);
        add_broadcasts(&k, DT_I32);
        kit_check(&k);
    }
}

// Narrow elements through a broadcast, and a map with more buffers than a kernel may have.
static void test_many_buffers(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_ref sum = 0;
    for (int i = 0; i < 40; i++) {
        ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(17));
        sum = sum ? ir_binary(g, IR_add, sum, x) : x;
        if (i % 3 == 0)
            kit_output(&k, sum);
    }
    kit_output(&k, sum);
    kit_check(&k);
}

// -- reductions ----------------------------------------------------------------------------------

static const enum ir_op reducers[] = {IR_sum, IR_reduce_max, IR_reduce_min, IR_argmax};

static void add_reductions(struct emit_kit *k, ir_ref x, unsigned n, const int64_t *axes)
{
    for (unsigned i = 0; i < 4; i++)
        if (reducers[i] != IR_argmax || n == 1)
            kit_output(k, ir_reduce(k->r.g, reducers[i], x, axes, n));
}

// Trailing, leading and middle axes of all sizes around the borders of partials and blocks.
static void test_reductions(void **state)
{
    NEED_DEVICE();
    static const int64_t n[] = {1, 31, 32, 33, 1000, 4096, 4097, 10000};
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < sizeof n / sizeof *n; i++) {
        enum kit_fill fill = i % 2 ? FILL_NUMBERS : FILL_BITS;
        add_reductions(&k, kit_input(&k, fill, DT_F32, DIMS(3, n[i])), 1, (int64_t[]){1});
        add_reductions(&k, kit_input(&k, fill, DT_F32, DIMS(n[i], 3)), 1, (int64_t[]){0});
        add_reductions(&k, kit_input(&k, fill, DT_F32, DIMS(2, n[i], 5)), 1, (int64_t[]){1});
        add_reductions(&k, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(n[i])), 1, (int64_t[]){0});
    }
    kit_check(&k);
}

// Outputs four side by side, which is what CPU devices have a variant for: leading and middle axes,
// two axes around one that is kept, an operand that is computed from what repeats, and tails.
static void test_reductions_by_four(void **state)
{
    NEED_DEVICE();
    static const int64_t n[] = {17, 31, 32, 64, 100, 4096, 4097};
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    for (unsigned i = 0; i < sizeof n / sizeof *n; i++) {
        enum kit_fill fill = i % 2 ? FILL_NUMBERS : FILL_BITS;
        add_reductions(&k, kit_input(&k, fill, DT_F32, DIMS(n[i], 12)), 1, (int64_t[]){0});
        add_reductions(&k, kit_input(&k, fill, DT_I32, DIMS(3, n[i], 4)), 1, (int64_t[]){1});
    }
    ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(5, 8, 36));
    ir_typeid full = kit_type(&k, DT_F32, DIMS(5, 8, 36));
    ir_ref row = ir_broadcast_to(g, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(36)), full);
    ir_ref column = ir_broadcast_to(g, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(8, 1)), full);
    add_reductions(&k, x, 2, (int64_t[]){0, 2});
    add_reductions(&k, x, 2, (int64_t[]){0, 1});
    ir_ref y = ir_binary(g, IR_mul, ir_binary(g, IR_add, x, row), ir_unary(g, IR_tanh, column));
    for (int64_t axis = 0; axis < 3; axis++) {
        ir_ref sum = ir_reduce(g, IR_sum, y, &axis, 1);
        kit_output(&k, ir_binary(g, IR_mul, sum, sum));
    }
    kit_output(&k, y);
    kit_check(&k);
}

static void test_reductions_of_integers(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned lane = 1; lane < 3; lane++) {
        ir_ref x = kit_input(&k, FILL_BITS, lane_dtype[lane], DIMS(3, 4100, 2));
        add_reductions(&k, x, 1, (int64_t[]){1});
        add_reductions(&k, x, 3, (int64_t[]){0, 1, 2});
        add_reductions(&k, x, 1, (int64_t[]){0});
    }
    kit_check(&k);
}

// Several axes, computed operands, and values that are stored on the way.
static void test_reductions_of_maps(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_ref x = kit_input(&k, FILL_BITS, DT_F32, DIMS(3, 33, 2, 65));
    ir_ref b = ir_broadcast_to(g, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(33, 1, 65)),
                               kit_type(&k, DT_F32, DIMS(3, 33, 2, 65)));
    add_reductions(&k, x, 2, (int64_t[]){0, 2});
    add_reductions(&k, ir_binary(g, IR_mul, x, b), 2, (int64_t[]){1, 3});
    add_reductions(&k, ir_unary(g, IR_abs, x), 4, (int64_t[]){0, 1, 2, 3});
    ir_ref y = ir_binary(g, IR_max, b, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(3, 33, 2, 65)));
    kit_output(&k, y);
    kit_output(&k, ir_reduce(g, IR_sum, y, (int64_t[]){3}, 1));
    ir_ref z = ir_unary(g, IR_exp, kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(5, 4099)));
    kit_output(&k, z);
    kit_output(&k, ir_reduce(g, IR_sum, z, (int64_t[]){1}, 1));
    kit_check(&k);
}

// A narrow value that is stored and reduced.
static void test_narrow_reductions(void **state)
{
    NEED_DEVICE();
    static const enum dtype narrow[] = {DT_F16, DT_BF16, DT_I8, DT_U8};
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    for (unsigned i = 0; i < 4; i++) {
        ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(7, 33));
        ir_ref y = ir_cast(g, x, narrow[i]);
        kit_output(&k, y);
        kit_output(&k, ir_reduce(g, IR_sum, ir_cast(g, y, DT_F32), (int64_t[]){1}, 1));
        kit_output(&k, ir_reduce(g, IR_sum, ir_cast(g, y, DT_F32), (int64_t[]){0}, 1));
    }
    kit_check(&k);
}

// Three levels of blocks would take 2^24 elements; two, with a last block of one element.
static void test_large_reductions(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(100, 4099));
    kit_output(&k, ir_reduce(g, IR_sum, x, (int64_t[]){0, 1}, 2));
    kit_output(&k, ir_reduce(g, IR_reduce_max, x, (int64_t[]){0, 1}, 2));
    ir_ref many = ir_node_make(
        g, IR_iota, NULL, 0, (int64_t[]){0}, 1,
        kit_type(&k, DT_I32, DIMS(530000, 2))); // more workgroups than an axis may have
    kit_output(&k, ir_reduce(g, IR_sum, many, (int64_t[]){1}, 1));
    kit_check(&k);
}

// A small map over a reduction's results runs at its end.
static void test_tails(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    for (int i = 0; i < 3; i++) {
        int64_t n = (int64_t[]){33, 4097, 1}[i];
        ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(9, n));
        ir_ref c = kit_input(&k, FILL_BITS, DT_F32, DIMS(9));
        ir_ref sum = ir_reduce(g, IR_sum, x, (int64_t[]){1}, 1);
        ir_ref mean =
            ir_binary(g, IR_mul, sum,
                      ir_broadcast_to(g, ir_const_f32(g, 0.1f), kit_type(&k, DT_F32, DIMS(9))));
        ir_ref y = ir_binary(g, IR_add, mean, c);
        if (i)
            kit_output(&k, sum);
        kit_output(&k, y);
        ir_ref wide =
            ir_broadcast_to(g, ir_reshape(g, y, DIMS(9, 1)), kit_type(&k, DT_F32, DIMS(9, n)));
        ir_ref centered = ir_binary(g, IR_sub, x, wide);
        ir_ref square = ir_binary(g, IR_mul, centered, centered);
        ir_ref variance = ir_reduce(g, IR_sum, square, (int64_t[]){1}, 1);
        kit_output(&k, ir_cast(g, ir_unary(g, IR_rsqrt, variance), DT_F16));
        kit_output(&k, ir_unary(g, IR_sqrt, variance));
        ir_ref top =
            ir_reduce(g, IR_reduce_max, ir_binary(g, IR_div, square, wide), (int64_t[]){1}, 1);
        kit_output(&k, ir_binary(g, IR_lt, top, variance));
    }
    kit_check(&k);
}

int main(int argc, char **argv)
{
    if (argc > 1) // some of the tests: a pattern with * and ?
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_primitives),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_unfused),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_broadcasts),
        cmocka_unit_test(test_many_buffers),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_reductions_by_four),
        cmocka_unit_test(test_reductions_of_integers),
        cmocka_unit_test(test_reductions_of_maps),
        cmocka_unit_test(test_narrow_reductions),
        cmocka_unit_test(test_large_reductions),
        cmocka_unit_test(test_tails),
    };
    return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
