// emit_test.c: kernels give the evaluator's bits: every operation, on odd sizes and hostile values.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include <ftw.h>
#include <unistd.h>

#include "codegen/emit_matmul.h"
#include "tests/unit/emit_kit.h"

static bool have_device;
static char cache[] = "/tmp/hlx-emit-XXXXXX";

static int group_setup(void **state)
{
    (void)state;
    if (!mkdtemp(cache))
        return -1;
    setenv("XDG_CACHE_HOME", cache, 1);
    struct emit_kit k;
    struct hlx_error error = {0};
    kit_begin(&k);
    kit_output(&k, kit_input(&k, FILL_BITS, DT_F32, DIMS(3)));
    kit_compile(&k);
    const struct exec_options options = {.device = kit_device()};
    struct exec *x = exec_start(&options, &k.program, &error);
    have_device = x;
    print_message("%s: %s\n", x ? "device" : "SKIPPED", x ? exec_title(x) : error.text);
    exec_close(x);
    kit_end(&k);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static int group_teardown(void **state)
{
    (void)state;
    return nftw(cache, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define NEED_DEVICE()                                                                              \
    do {                                                                                           \
        (void)state;                                                                               \
        if (!have_device)                                                                          \
            skip();                                                                                \
    } while (0)

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

// -- matrix products -----------------------------------------------------------------------------

static const char *const row_variants[] = {"rows_8x8", "rows_4x4", NULL};
static const char *const tile_variants[] = {"tile_16", "tile_32", "tile_64", "tile_128", NULL};

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
    kit_check_variants(&k, (const char *const[]){"rows_8x8", "rows_4x4", "tile_64", NULL});
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
    kit_check_variants(&k, tile_variants);
}

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

// Row indices, now and then repeated or out of range.
static ir_ref indices(struct emit_kit *k, int64_t n, uint32_t rows)
{
    uint32_t *at = arena_array(&k->r.arena, (size_t)n * k->steps, 4);
    for (int64_t i = 0; i < n * k->steps; i++) {
        uint32_t u = rig_random(&k->r);
        at[i] = u % 8 == 0 ? kit_special(DT_I32, u >> 8) : u % 8 == 1 ? rows : u % rows;
    }
    return kit_given(k, DT_I32, DIMS(n), at);
}

static void test_gathers(void **state)
{
    NEED_DEVICE();
    static const enum dtype types[] = {DT_F32, DT_U32, DT_BOOL, DT_F16, DT_U8};
    struct emit_kit k;
    kit_begin(&k);
    for (unsigned i = 0; i < 5; i++) {
        ir_ref table = kit_input(&k, FILL_BITS, types[i], DIMS(11, 3));
        ir_ref args[2] = {table, indices(&k, 37, 11)};
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
    struct emit_kit k;
    kit_begin(&k);
    struct ir_graph *g = k.r.g;
    for (unsigned lane = 0; lane < 3; lane++) {
        ir_ref args[2] = {indices(&k, 37, 11), 0};
        args[1] = kit_input(&k, lane ? FILL_BITS : FILL_NUMBERS, lane_dtype[lane], DIMS(37, 3));
        kit_output(&k, ir_node_make(g, IR_scatter_rows, args, 2, (int64_t[]){11}, 1, 0));
        ir_ref many[2] = {indices(&k, 20000, 2), 0};
        many[1] = kit_input(&k, FILL_NUMBERS, lane_dtype[lane], DIMS(20000));
        kit_output(&k, ir_node_make(g, IR_scatter_rows, many, 2, (int64_t[]){3}, 1, 0));
    }
    ir_ref odd[2] = {indices(&k, 50, 7), kit_input(&k, FILL_BITS, DT_F32, DIMS(50, 2))};
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

// -- programs of chance --------------------------------------------------------------------------

enum { ROWS = 5, COLUMNS = 6, KINDS = 4, POOL = 24 };

// Values of four shapes that operations pick from: [5, 6], [6], [5, 1], [].
struct chance {
    struct emit_kit k;
    ir_typeid type[KINDS];
    ir_ref pool[KINDS][POOL];
    unsigned n[KINDS];
};

static uint32_t below(struct chance *c, uint32_t n)
{
    return rig_random(&c->k.r) % n;
}

static ir_ref pick(struct chance *c, unsigned kind)
{
    return c->pool[kind][below(c, c->n[kind])];
}

static void keep(struct chance *c, unsigned kind, ir_ref r)
{
    unsigned at = c->n[kind] < POOL ? c->n[kind]++ : below(c, POOL);
    c->pool[kind][at] = r;
}

// A value of any shape, seen as [5, 6].
static ir_ref pick_full(struct chance *c)
{
    unsigned kind = below(c, 2) ? 0 : below(c, KINDS);
    ir_ref r = pick(c, kind);
    return kind ? ir_broadcast_to(c->k.r.g, r, c->type[0]) : r;
}

static void chance_binary(struct chance *c)
{
    static const enum ir_op of[] = {IR_add, IR_sub, IR_mul, IR_min, IR_max};
    unsigned kind = below(c, KINDS);
    ir_ref x = kind ? pick(c, kind) : pick_full(c), y = kind ? pick(c, kind) : pick_full(c);
    keep(c, kind, ir_binary(c->k.r.g, of[below(c, 5)], x, y));
}

static void chance_unary(struct chance *c)
{
    static const enum ir_op of[] = {IR_neg, IR_abs, IR_tanh, IR_round};
    unsigned kind = below(c, KINDS);
    keep(c, kind, ir_unary(c->k.r.g, of[below(c, 4)], pick(c, kind)));
}

static void chance_narrow(struct chance *c)
{
    static const enum dtype of[] = {DT_F16, DT_BF16, DT_I8, DT_U8, DT_I32, DT_BOOL};
    unsigned kind = below(c, KINDS);
    ir_ref x = ir_cast(c->k.r.g, pick(c, kind), of[below(c, 6)]);
    if (below(c, 3) == 0)
        kit_output(&c->k, x);
    keep(c, kind, ir_cast(c->k.r.g, x, DT_F32));
}

static void chance_reduce(struct chance *c)
{
    static const enum ir_op of[] = {IR_sum, IR_reduce_max, IR_reduce_min};
    unsigned kind = 1 + below(c, 3);
    static const int64_t axes[KINDS][2] = {{0}, {0}, {1}, {0, 1}};
    ir_ref r = ir_reduce(c->k.r.g, of[below(c, 3)], pick_full(c), axes[kind], kind == 3 ? 2 : 1);
    keep(c, kind, ir_reshape_to(c->k.r.g, r, c->type[kind]));
}

static void chance_move(struct chance *c)
{
    struct ir_graph *g = c->k.r.g;
    ir_ref x = pick_full(c), y = pick_full(c);
    const int64_t bounds[] = {1, 9, 2, 1, 7, 1}, margins[] = {1, 0, 0, 0, 1, 0};
    if (below(c, 2)) {
        keep(c, 0, ir_reshape_to(g, ir_transpose(g, x, (int64_t[]){1, 0}), c->type[0]));
        return;
    }
    ir_ref both = ir_node_make(g, IR_concat, (ir_ref[]){x, y}, 2, (int64_t[]){0}, 1, 0);
    ir_ref padded = ir_node_make(g, IR_pad, (ir_ref[]){both, pick(c, 3)}, 2, margins, 6, 0);
    ir_ref cut = ir_node_make(g, IR_slice, &padded, 1, bounds, 6, 0);
    keep(c, 0,
         ir_node_make(g, IR_pad, (ir_ref[]){cut, pick(c, 3)}, 2, (int64_t[]){1, 0, 0, 0, 0, 0}, 6,
                      0));
}

static void chance_product(struct chance *c)
{
    struct ir_graph *g = c->k.r.g;
    ir_ref square = ir_matmul(g, pick_full(c), pick_full(c), true, false);
    ir_ref half =
        ir_binary(g, IR_min, square, ir_broadcast_to(g, pick(c, 1), ir_get(g, square)->type));
    keep(c, 0, ir_matmul(g, pick_full(c), below(c, 2) ? square : half, false, below(c, 2)));
}

static void chance_rows(struct chance *c)
{
    struct ir_graph *g = c->k.r.g;
    ir_ref args[2] = {pick_full(c), indices(&c->k, ROWS, ROWS)};
    if (below(c, 2)) {
        keep(c, 0, ir_node_make(g, IR_gather_rows, args, 2, NULL, 0, 0));
        return;
    }
    ir_ref swapped[2] = {args[1], args[0]};
    keep(c, 0, ir_node_make(g, IR_scatter_rows, swapped, 2, (int64_t[]){ROWS}, 1, 0));
}

static void chance_begin(struct chance *c, uint64_t seed)
{
    static const unsigned rank[KINDS] = {2, 1, 2, 0};
    static const int64_t dims[KINDS][2] = {{ROWS, COLUMNS}, {COLUMNS}, {ROWS, 1}, {0}};
    memset(c, 0, sizeof *c);
    kit_begin(&c->k);
    c->k.r.random += seed * 0x9e3779b97f4a7c15u;
    c->k.steps = 3;
    for (unsigned i = 0; i < KINDS; i++) {
        c->type[i] = kit_type(&c->k, DT_F32, rank[i], dims[i]);
        keep(c, i, kit_input(&c->k, FILL_NUMBERS, DT_F32, rank[i], dims[i]));
        for (int j = 0; j < 3; j++)
            keep(c, i, kit_var(&c->k, FILL_NUMBERS, DT_F32, rank[i], dims[i]));
    }
    ir_ref half = kit_var(&c->k, FILL_NUMBERS, DT_F16, rank[0], dims[0]);
    keep(c, 0, ir_cast(c->k.r.g, half, DT_F32));
}

// Most variables become something, some another's old value; what was computed late goes out.
static void chance_end(struct chance *c)
{
    for (uint32_t i = 0; i < 12; i++)
        if (below(c, 5))
            kit_update(&c->k, i, pick(c, i / 3));
    kit_update(&c->k, 12, ir_cast(c->k.r.g, pick(c, 0), DT_F16));
    for (unsigned i = 0; i < 6; i++)
        kit_output(&c->k, pick(c, below(c, KINDS)));
}

static void check_chance(uint64_t seed, int operations)
{
    static void (*const make[])(struct chance *) = {
        chance_binary, chance_binary, chance_binary,  chance_unary, chance_narrow,
        chance_reduce, chance_reduce, chance_product, chance_move,  chance_rows};
    struct chance c;
    chance_begin(&c, seed);
    for (int i = 0; i < operations; i++)
        make[below(&c, 10)](&c);
    chance_end(&c);
    // Any of the two variants for products; there may be none.
    kit_compile(&c.k);
    kit_compare(&c.k, seed % 2 ? "rows_4x4,map,group,move,copy" : "rows_8x8,map,group,move,copy",
                kit_run(&c.k, "cpu", NULL));
    kit_end(&c.k);
}

// HLX_TEST_SEEDS: how many programs.
static void test_chance(void **state)
{
    NEED_DEVICE();
    const char *n = getenv("HLX_TEST_SEEDS");
    for (uint64_t seed = 1; seed <= (n ? strtoull(n, NULL, 10) : 8); seed++) {
        check_chance(seed, seed % 3 ? 12 : 40);
    }
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
        cmocka_unit_test(test_reductions_of_integers),
        cmocka_unit_test(test_reductions_of_maps),
        cmocka_unit_test(test_narrow_reductions),
        cmocka_unit_test(test_large_reductions),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_tiled_products),
        cmocka_unit_test(test_batched_products),
        cmocka_unit_test(test_epilogues),
        cmocka_unit_test(test_tiled_epilogues),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_long_concat),
        cmocka_unit_test(test_gathers),
        cmocka_unit_test(test_scatters),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_narrow_updates),
        cmocka_unit_test(test_chance),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
