// digest.c: runs every operation through the evaluator on fixed bits and prints a digest of each.
//
// tests/exact/flags.sh builds it with different compilers and options: every line must stay the
// same. Inputs come from integer arithmetic only, so that nothing here depends on what is tested.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "ir/eval.h"

struct bench {
    struct arena arena;
    struct ir_module module;
    struct ir_graph *g;
    const void *input[16];
    uint32_t inputs;
    uint64_t state;
};

static uint32_t next(struct bench *b)
{
    b->state = b->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(b->state >> 32);
}

static void begin(struct bench *b)
{
    memset(b, 0, sizeof *b);
    ir_module_init(&b->module, &b->arena);
    b->g = ir_graph_new(&b->module);
}

// Runs the root and adds its bytes to a digest (FNV-1a).
static void run(struct bench *b, ir_ref root, unsigned flags, uint64_t *digest)
{
    const struct eval_counters counters = {UINT64_C(0x0123456789abcdef), 3};
    const char *error;
    size_t n = ir_type_bytes(ir_typeof(b->g, root));
    unsigned char *out = malloc(n);
    struct eval *e = eval_new(b->g, &root, 1, flags, &error);
    if (!e || !out) {
        fputs("digest: out of memory\n", stderr);
        exit(70);
    }
    eval_run(e, b->input, NULL, &counters, (void *const[]){out});
    eval_free(e);
    for (size_t i = 0; i < n; i++)
        *digest = (*digest ^ out[i]) * UINT64_C(0x100000001b3);
    free(out);
}

static void finish(struct bench *b, const char *name, const char *lane, ir_ref root)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    run(b, root, 0, &digest);
    printf("%s%s%s %016" PRIx64 "\n", name, *lane ? "." : "", lane, digest);
    arena_free(&b->arena);
}

// Bits for an element: any, numbers of ordinary size, near the smallest normal, or special.
static uint32_t bits(struct bench *b, enum dtype t)
{
    static const uint32_t special[] = {0,          0x80000000, 0x3f800000, 0x7f800000, 0xff800000,
                                       0x7fc00000, 0xff812345, 0x00800000, 0x00000001, 0x807fffff,
                                       0x4b000000, 0x7f7fffff, 0xffffffff, 31,         0x42b17218};
    uint32_t x = next(b), kind = next(b) % 8;
    if (t == DT_BOOL)
        return x >> 31;
    if (kind == 0)
        return special[x % (sizeof special / sizeof *special)];
    if (kind == 1)
        return x % 100;
    if (kind == 2)
        return (x & 0x80ffffff) | (next(b) % 3) << 23;
    return kind < 5 ? x : (x & 0x83ffffff) | 0x3c000000;
}

static ir_ref input(struct bench *b, enum dtype t, unsigned rank, const int64_t *dims, bool wild)
{
    ir_typeid type = ir_type_make(&b->module, t, rank, dims, NULL);
    int64_t n = ir_type_count(ir_type_get(&b->module, type));
    uint32_t *x = arena_array(&b->arena, (size_t)n, 4);
    for (int64_t i = 0; i < n; i++)
        x[i] = wild ? bits(b, t) : (next(b) & 0x80ffffff) | 0x3f000000;
    b->input[b->inputs] = x;
    return ir_input(b->g, b->inputs++, type);
}

#define DIMS(...)                                                                                  \
    (sizeof((int64_t[]){__VA_ARGS__}) / 8), (const int64_t[])                                      \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

// -- every elementwise row on every lane type
// ------------------------------------------------------

static const enum dtype lane_type[] = {DT_F32, DT_I32, DT_U32, DT_BOOL};

static void digest_row(enum ir_op op, unsigned lane)
{
    enum { N = 100003 };
    struct bench b;
    ir_ref arg[3];
    unsigned nargs = ir_op_info(op)->nargs;
    begin(&b);
    for (unsigned i = 0; i < nargs; i++)
        arg[i] = input(&b, op == IR_select && i == 0 ? DT_BOOL : lane_type[lane], DIMS(N), true);
    finish(&b, ir_op_info(op)->name, dtype_name(lane_type[lane]),
           ir_node_make(b.g, op, arg, nargs, NULL, 0, 0));
}

static void digest_rows(void)
{
    for (enum ir_op op = 1; op < IR_OP_COUNT; op++)
        for (unsigned lane = 0; lane < 4; lane++)
            if (op != IR_cast && op != IR_bitcast && ir_op_takes(op, lane))
                digest_row(op, lane);
}

// Division and square root as the trees define them.
static void digest_tree(enum ir_op op)
{
    enum { N = 100003 };
    struct bench b;
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    begin(&b);
    ir_ref arg[2] = {input(&b, DT_F32, DIMS(N), true), input(&b, DT_F32, DIMS(N), true)};
    ir_ref root = ir_node_make(b.g, op, arg, ir_op_info(op)->nargs, NULL, 0, 0);
    run(&b, root, EVAL_TREES_ONLY, &digest);
    printf("%s.tree %016" PRIx64 "\n", ir_op_info(op)->name, digest);
    arena_free(&b.arena);
}

// Products and quotients within a few units of the smallest normal: whether they are zero is judged
// after rounding. The second operand's digits are 2^47 / digits of the first, or the same digits.
static void digest_boundary(enum ir_op op)
{
    enum { N = 100003 };
    struct bench b;
    begin(&b);
    ir_ref x = input(&b, DT_F32, DIMS(N), true), y = input(&b, DT_F32, DIMS(N), true);
    uint32_t *xs = (uint32_t *)b.input[0], *ys = (uint32_t *)b.input[1];
    for (int i = 0; i < N; i++) {
        uint32_t digits = (1u << 23) + 1 + (next(&b) & 0x7ffff0), low = next(&b) % 5;
        uint32_t other = op == IR_mul ? (uint32_t)((UINT64_C(1) << 47) / digits) : digits;
        uint32_t exponent = 20 + next(&b) % 80;
        uint32_t partner = op == IR_mul ? 127 - exponent : exponent + 125 + next(&b) % 2;
        xs[i] = (next(&b) & 0x80000000) | exponent << 23 | (digits & 0x7fffff);
        ys[i] = partner << 23 | ((other + low - 2) & 0x7fffff);
        if (op == IR_div && low == 0) { // 2^-126 less half a unit: a tie for hardware's subnormals
            xs[i] |= 0x7fffff;
            ys[i] = (exponent + 127) << 23;
        }
    }
    finish(&b, ir_op_info(op)->name, "boundary", ir_binary(b.g, op, x, y));
}

// Every cast there is, by way of a 32-bit type where the source is a small one.
static void digest_casts(void)
{
    for (enum dtype from = 0; from < DT_COUNT; from++)
        for (enum dtype to = 0; to < DT_COUNT; to++) {
            struct bench b;
            bool small = dtype_bytes(from) < 4;
            begin(&b);
            ir_ref x = input(&b, small ? DT_F32 : from, DIMS(20011), true);
            finish(&b, dtype_name(from), dtype_name(to),
                   ir_cast(b.g, small ? ir_cast(b.g, x, from) : x, to));
        }
}

// -- orders
// ----------------------------------------------------------------------------------------

static void digest_sums(void)
{
    static const int64_t shapes[][3] = {{1, 1, 1},   {1, 1, 31},   {1, 1, 4097}, {1, 1, 70000},
                                        {50, 3, 17}, {4100, 2, 5}, {3, 200, 129}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (unsigned mask = 1; mask < 8; mask++) {
            struct bench b;
            char name[32];
            int64_t axes[3];
            unsigned n = 0;
            for (unsigned k = 0; k < 3; k++)
                if (mask >> k & 1)
                    axes[n++] = k;
            begin(&b);
            ir_ref x = input(&b, DT_F32, 3, shapes[i], false);
            snprintf(name, sizeof name, "sum%zu", i);
            finish(&b, name, (const char[]){(char)('0' + mask), 0},
                   ir_reduce(b.g, IR_sum, ir_binary(b.g, IR_mul, x, x), axes, n));
        }
}

static void digest_matmuls(void)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {7, 9, 513}, {64, 40, 129}, {100, 300, 1100}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned t = 0; t < 4; t++) {
            struct bench b;
            char name[32];
            int64_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
            bool ta = t & 1, tb = t >> 1;
            begin(&b);
            ir_ref x = input(&b, DT_F32, DIMS(ta ? k : m, ta ? m : k), false);
            ir_ref y = input(&b, DT_F32, DIMS(tb ? n : k, tb ? k : n), false);
            snprintf(name, sizeof name, "matmul%zu", i);
            finish(&b, name, (const char[]){(char)('0' + t), 0}, ir_matmul(b.g, x, y, ta, tb));
        }
}

static void digest_rest(void)
{
    struct bench b;
    begin(&b);
    ir_ref index = input(&b, DT_I32, DIMS(9000), true),
           x = input(&b, DT_F32, DIMS(9000, 33), false);
    ir_ref rows =
        ir_binary(b.g, IR_rem, index,
                  ir_broadcast_to(b.g, ir_const_bits(b.g, DT_I32, 7), ir_get(b.g, index)->type));
    finish(&b, "scatter_rows", "",
           ir_node_make(b.g, IR_scatter_rows, (ir_ref[]){rows, x}, 2, (int64_t[]){5}, 1, 0));
    begin(&b);
    ir_typeid type = ir_type_make(&b.module, DT_U32, DIMS(1001), NULL);
    finish(&b, "random_bits", "",
           ir_node_make(b.g, IR_random_bits, NULL, 0, (int64_t[]){5, 6}, 2, type));
}

// A chain that uses one thing after another, fused as a program's would be.
static void digest_softmax(void)
{
    struct bench b;
    begin(&b);
    const int64_t last = 1;
    ir_ref x = input(&b, DT_F32, DIMS(65, 130), false),
           w = input(&b, DT_F32, DIMS(130, 130), false);
    x = ir_matmul(b.g, x, w, false, true);
    ir_typeid type = ir_get(b.g, x)->type;
    ir_ref max = ir_reshape(b.g, ir_reduce(b.g, IR_reduce_max, x, &last, 1), DIMS(65, 1));
    ir_ref power =
        ir_unary(b.g, IR_exp, ir_binary(b.g, IR_sub, x, ir_broadcast_to(b.g, max, type)));
    ir_ref sum = ir_reshape(b.g, ir_reduce(b.g, IR_sum, power, &last, 1), DIMS(65, 1));
    ir_ref y = ir_binary(b.g, IR_div, power, ir_broadcast_to(b.g, sum, type));
    finish(&b, "softmax", "", y);
}

int main(void)
{
    digest_rows();
    digest_tree(IR_div);
    digest_tree(IR_sqrt);
    digest_boundary(IR_mul);
    digest_boundary(IR_div);
    digest_casts();
    digest_sums();
    digest_matmuls();
    digest_rest();
    digest_softmax();
    return 0;
}
