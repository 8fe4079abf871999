// emit_chance_test.c: programs of chance give the same bits on a device and the evaluator.
//
// HLX_TEST_DEVICE names the device; without a Vulkan device the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include "tests/unit/emit_kit.h"

// -- programs of chance --------------------------------------------------------------------------

enum { ROWS = 5, KINDS = 4, POOL = 24 };

// Values of four shapes that operations pick from: [5, n], [n], [5, 1], [].
struct chance {
    struct emit_kit k;
    int64_t columns; // n
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

// What a row's sum or largest is for: something of the whole row.
static void chance_row(struct chance *c)
{
    static const enum ir_op of[] = {IR_sum, IR_reduce_max}, with[] = {IR_sub, IR_mul};
    struct ir_graph *g = c->k.r.g;
    ir_ref x = pick_full(c);
    ir_ref r = ir_reduce(g, of[below(c, 2)], x, (int64_t[]){1}, 1);
    ir_ref all = ir_broadcast_to(g, ir_reshape_to(g, r, c->type[2]), c->type[0]);
    ir_ref y = ir_binary(g, with[below(c, 2)], below(c, 2) ? x : pick_full(c), all);
    keep(c, 0, y);
    if (below(c, 2))
        keep(c, 2, ir_reshape_to(g, r, c->type[2]));
    if (below(c, 2))
        kit_output(&c->k, y);
}

static void chance_move(struct chance *c)
{
    struct ir_graph *g = c->k.r.g;
    ir_ref x = pick_full(c), y = pick_full(c);
    const int64_t bounds[] = {1, 9, 2, 1, c->columns + 1, 1}, margins[] = {1, 0, 0, 0, 1, 0};
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
    ir_ref args[2] = {pick_full(c), kit_indices(&c->k, ROWS, ROWS)};
    if (below(c, 2)) {
        keep(c, 0, ir_node_make(g, IR_gather_rows, args, 2, NULL, 0, 0));
        return;
    }
    ir_ref swapped[2] = {args[1], args[0]};
    keep(c, 0, ir_node_make(g, IR_scatter_rows, swapped, 2, (int64_t[]){ROWS}, 1, 0));
}

static void chance_begin(struct chance *c, uint64_t seed, int64_t columns)
{
    static const unsigned rank[KINDS] = {2, 1, 2, 0};
    const int64_t dims[KINDS][2] = {{ROWS, columns}, {columns}, {ROWS, 1}, {0}};
    memset(c, 0, sizeof *c);
    c->columns = columns;
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
        chance_binary, chance_binary,  chance_binary, chance_unary, chance_narrow, chance_reduce,
        chance_reduce, chance_product, chance_move,   chance_rows,  chance_row,    chance_row};
    struct chance c;
    chance_begin(&c, seed, seed % 4 < 2 ? 6 : 40); // rows of 40 can be worked on as one
    for (int i = 0; i < operations; i++)
        make[below(&c, 12)](&c);
    chance_end(&c);
    static const char *const ways[] = {"rows_4x4,map,group,move,copy,joined",
                                       "rows_8x8,map,group,move,copy,apart"};
    kit_compile(&c.k);
    kit_compare(&c.k, ways[seed % 2], kit_run(&c.k, "cpu", NULL));
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
        cmocka_unit_test(test_chance),
    };
    return cmocka_run_group_tests(tests, kit_group_setup, kit_group_teardown);
}
