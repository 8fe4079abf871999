// emit_move_test.c: kernels give the evaluator's bits: moves, rows by index, leaves, updates.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include "tests/unit/emit_kit.h"

// -- moves ---------------------------------------------------------------------------------------

static void add_moves(struct emit_kit *k, enum dtype t)
{
    struct ir_graph *g = k->r.g;
    ir_ref x = kit_input(k, FILL_BITS, t, DIMS(5, 3, 7)),
           y = kit_input(k, FILL_BITS, t, DIMS(5, 1, 7));
    ir_ref z = kit_input(k, FILL_BITS, t, DIMS(5, 4, 7)),
           fill = kit_input(k, FILL_BITS, t, 0, NULL);
    kit_output(k, ir_transpose(g, x, (int64_t[]){2, 0, 1}));
    kit_output(k, ir_transpose(g, x, (int64_t[]){0, 2, 1}));
    const int64_t cut[] = {1, 5, 2, 0, 3, 1, 0, 7, 3}, last[] = {4, 5, 1, 2, 3, 1, 6, 7, 1};
    const int64_t margins[] = {1, 2, 1, 0, 0, 0, 3, 0, 2}, none[] = {0, 0, 0, 2, 0, 0, 0, 1, 0};
    kit_output(k, ir_node_make(g, IR_slice, &x, 1, cut, 9, 0));
    kit_output(k, ir_node_make(g, IR_slice, &x, 1, last, 9, 0));
    kit_output(k, ir_node_make(g, IR_pad, (ir_ref[]){x, fill}, 2, margins, 9, 0));
    kit_output(k, ir_node_make(g, IR_pad, (ir_ref[]){x, fill}, 2, none, 9, 0));
    kit_output(k, ir_node_make(g, IR_concat, (ir_ref[]){x, y, z}, 3, (int64_t[]){1}, 1, 0));
    kit_output(k, ir_node_make(g, IR_concat, (ir_ref[]){x, x}, 2, (int64_t[]){0}, 1, 0));
    kit_output(k, ir_node_make(g, IR_concat, (ir_ref[]){z}, 1, (int64_t[]){2}, 1, 0));
    kit_output(k, ir_reshape(g, ir_transpose(g, z, (int64_t[]){1, 0, 2}), DIMS(140)));
}

static void test_moves(void **state)
{
    NEED_DEVICE();
    static const enum dtype types[] = {DT_F32, DT_BOOL, DT_F16, DT_I8};
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < 4; i++)
        add_moves(&k, types[i]);
    kit_check(&k);
}

// More operands than a kernel may have buffers.
static void test_long_concat(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    ir_ref x[40];
    kit_begin(&k);
    for (int i = 0; i < 40; i++)
        x[i] = kit_input(&k, FILL_BITS, DT_F32, DIMS(2, i % 3 + 1));
    kit_output(&k, ir_node_make(k.r.g, IR_concat, x, 40, (int64_t[]){1}, 1, 0));
    kit_check(&k);
}

static void test_gathers(void **state)
{
    NEED_DEVICE();
    static const enum dtype types[] = {DT_F32, DT_U32, DT_BOOL, DT_F16, DT_U8};
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < 5; i++) {
        ir_ref table = kit_input(&k, FILL_BITS, types[i], DIMS(11, 3));
        ir_ref args[2] = {table, kit_indices(&k, 37, 11)};
        kit_output(&k, ir_node_make(k.r.g, IR_gather_rows, args, 2, NULL, 0, 0));
        args[0] = kit_input(&k, FILL_BITS, types[i], DIMS(5));
        kit_output(&k, ir_node_make(k.r.g, IR_gather_rows, args, 2, NULL, 0, 0));
    }
    kit_check(&k);
}

// Rows with no contribution, some, and more than a block of 4096.
static void test_scatters(void **state)
{
    NEED_DEVICE();
    static const enum dtype types[] = {DT_F32, DT_I32, DT_U32};
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    for (unsigned lane = 0; lane < 3; lane++) {
        ir_ref args[2] = {kit_indices(&k, 37, 11), 0};
        args[1] = kit_input(&k, lane ? FILL_BITS : FILL_NUMBERS, types[lane], DIMS(37, 3));
        kit_output(&k, ir_node_make(g, IR_scatter_rows, args, 2, (int64_t[]){11}, 1, 0));
        ir_ref many[2] = {kit_indices(&k, 20000, 2), 0};
        many[1] = kit_input(&k, FILL_NUMBERS, types[lane], DIMS(20000));
        kit_output(&k, ir_node_make(g, IR_scatter_rows, many, 2, (int64_t[]){3}, 1, 0));
    }
    ir_ref odd[2] = {kit_indices(&k, 50, 7), kit_input(&k, FILL_BITS, DT_F32, DIMS(50, 2))};
    kit_output(&k, ir_node_make(g, IR_scatter_rows, odd, 2, (int64_t[]){9}, 1, 0));
    kit_check(&k);
}

// -- leaves --------------------------------------------------------------------------------------

static void test_leaves(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    k.steps = 5;
    ir_typeid cube = kit_type(&k, DT_I32, DIMS(3, 5, 7)), words = kit_type(&k, DT_U32, DIMS(131));
    const int64_t stream[] = {0x12345678, 0xfedcba98};
    for (int64_t axis = 0; axis < 3; axis++) {
        ir_ref iota = ir_node_make(g, IR_iota, NULL, 0, &axis, 1, cube);
        kit_output(&k, axis == 1 ? ir_unary(g, IR_neg, iota) : iota);
    }
    ir_ref random = ir_node_make(g, IR_random_bits, NULL, 0, stream, 2, words);
    kit_output(&k, random);
    kit_output(&k, ir_cast(g, random, DT_F32));
    kit_output(&k, ir_reduce(g, IR_sum, random, (int64_t[]){0}, 1));
    for (int64_t i = 0; i < 3; i++) {
        ir_ref counter = ir_node_make(g, IR_counter, NULL, 0, &i, 1, kit_type(&k, DT_U32, 0, NULL));
        kit_output(&k, counter);
        kit_output(&k, ir_unary(g, IR_not, counter));
    }
    static const enum dtype types[] = {DT_F32, DT_F16, DT_I8, DT_BOOL};
    for (unsigned i = 0; i < 4; i++) {
        uint32_t bits[9];
        for (uint32_t j = 0; j < 9; j++)
            bits[j] = i == 0 ? kit_special(DT_F32, j + 5) : i == 3 ? j % 2 : j * 29 % 256;
        ir_ref c = ir_const_array(g, kit_type(&k, types[i], DIMS(9)), bits);
        kit_output(&k, c);
        kit_output(&k, ir_cast(g, c, DT_I32));
        kit_output(&k, ir_transpose(g, ir_reshape(g, c, DIMS(3, 3)), (int64_t[]){1, 0}));
    }
    kit_output(&k, ir_const_f32(g, 2.5f));
    kit_check(&k);
}

// -- variables -----------------------------------------------------------------------------------

// Every way in which an update may depend on old values; several steps in flight.
static void test_updates(void **state)
{
    NEED_DEVICE();
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    k.steps = 7;
    ir_ref v[13], x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(33));
    for (int i = 0; i < 13; i++)
        v[i] = kit_var(&k, FILL_NUMBERS, DT_F32, DIMS(33));
    kit_update(&k, 0, ir_binary(g, IR_add, v[0], x)); // in place
    kit_output(&k, v[0]);                             // its old value
    kit_update(&k, 1, v[2]);                          // a swap
    kit_update(&k, 2, v[1]);
    ir_ref mixed = ir_binary(g, IR_sub, v[3], v[4]); // two of one kernel
    kit_update(&k, 3, mixed);
    kit_update(&k, 4, ir_binary(g, IR_mul, mixed, v[3]));
    ir_ref sum = ir_reduce(g, IR_sum, v[5], (int64_t[]){0}, 1); // all of it is read
    ir_ref all = ir_broadcast_to(g, sum, kit_type(&k, DT_F32, DIMS(33)));
    kit_update(&k, 5, ir_binary(g, IR_min, v[5], all));
    kit_output(&k, sum);
    kit_update(&k, 6, x);     // an input
    kit_update(&k, 7, mixed); // what another variable gets
    kit_update(&k, 8,
               ir_node_make(g, IR_slice,
                            (ir_ref[]){ir_node_make(g, IR_concat, (ir_ref[]){v[8], v[9]}, 2,
                                                    (int64_t[]){0}, 1, 0)},
                            1, (int64_t[]){11, 44, 1}, 3, 0));
    kit_update(&k, 9, ir_broadcast_to(g, ir_const_f32(g, -3.5f), kit_type(&k, DT_F32, DIMS(33))));
    kit_output(&k, ir_binary(g, IR_add, v[10], v[9])); // read only
    kit_update(
        &k, 11,
        ir_reshape(g,
                   ir_matmul(g, ir_reshape(g, v[11], DIMS(3, 11)),
                             kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(11, 11)), false, false),
                   DIMS(33)));
    ir_ref fresh = ir_unary(g, IR_neg, x); // one kernel makes the new value and reads the old one
    kit_update(&k, 12, fresh);
    kit_output(&k, ir_binary(g, IR_max, fresh, v[12]));
    kit_output(&k, mixed);
    kit_output(&k, ir_reshape(g, x, DIMS(3, 11)));
    kit_check_variants(&k, (const char *const[]){"rows_4x4", NULL});
}

// Updates of other types: counters, narrow elements, 32-bit and narrow ones of one kernel.
static void test_narrow_updates(void **state)
{
    NEED_DEVICE();
    for (int64_t n = 1; n < 8; n++) {
        struct emit_kit k;
        kit_begin(&k);
        struct ir_graph *g = k.r.g;
        k.steps = 4;
        ir_ref w = kit_var(&k, FILL_NUMBERS, DT_F32, DIMS(n)),
               half = kit_var(&k, FILL_NUMBERS, DT_F16, DIMS(n));
        ir_ref byte = kit_var(&k, FILL_BITS, DT_U8, DIMS(n)),
               flag = kit_var(&k, FILL_BITS, DT_BOOL, DIMS(n));
        kit_var(&k, FILL_BITS, DT_U32, 0, NULL);
        ir_ref x = kit_input(&k, FILL_NUMBERS, DT_F32, DIMS(n));
        ir_ref next = ir_binary(g, IR_add, w, ir_binary(g, IR_mul, ir_cast(g, half, DT_F32), x));
        kit_update(&k, 0, next);
        kit_update(&k, 1, ir_cast(g, next, DT_F16));
        ir_ref more = ir_binary(g, IR_add, ir_cast(g, byte, DT_I32), ir_cast(g, next, DT_I32));
        kit_update(&k, 2, ir_cast(g, more, DT_U8));
        kit_update(&k, 3, ir_unary(g, IR_not, flag));
        kit_update(
            &k, 4,
            ir_node_make(g, IR_counter, NULL, 0, (int64_t[]){2}, 1, kit_type(&k, DT_U32, 0, NULL)));
        kit_output(&k, ir_cast(g, more, DT_I8));
        kit_output(&k, ir_cast(g, next, DT_BF16));
        kit_output(&k, half);
        kit_check(&k);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) // some of the tests: a pattern with * and ?
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),          cmocka_unit_test(test_long_concat),
        cmocka_unit_test(test_gathers),        cmocka_unit_test(test_scatters),
        cmocka_unit_test(test_leaves),         cmocka_unit_test(test_updates),
        cmocka_unit_test(test_narrow_updates),
    };
    return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
