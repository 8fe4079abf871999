// infer_test.c: the types that operations give, and the sentences they refuse others with.
#include "ir/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 8 };

// One call: operand types, attributes, the type asked for, and the type or the message expected.
struct call {
    enum ir_op op;
    const char *args[MAX]; // up to NULL
    int nattrs;
    int64_t attrs[9];
    const char *wanted;
    const char *expect;
    int arg, axis; // of the fault, + 1
};

// Reads "f32[B=4, 16]".
static ir_typeid read_type(struct ir_module *m, const char *text)
{
    char name[16];
    int64_t dims[IR_MAX_RANK];
    ir_name names[IR_MAX_RANK] = {0};
    enum dtype t = DT_F32;
    unsigned rank = 0;
    size_t n = strcspn(text, "[");
    memcpy(name, text, n);
    name[n] = 0;
    assert_true(dtype_find(name, &t));
    for (text += n + 1; *text && *text != ']'; rank++) {
        while (*text == ' ' || *text == ',')
            text++;
        n = strcspn(text, "=,]");
        if (text[n] == '=') {
            memcpy(name, text, n);
            name[n] = 0;
            names[rank] = ir_intern(m, name);
            text += n + 1;
        }
        char *end;
        dims[rank] = strtoll(text, &end, 10);
        text = end;
    }
    return ir_type_make(m, t, rank, dims, names);
}

static const char *infer(struct ir_module *m, const struct call *c, struct ir_fault *fault)
{
    ir_typeid args[MAX], out = 0;
    unsigned n = 0;
    for (; c->args[n]; n++)
        args[n] = read_type(m, c->args[n]);
    ir_typeid wanted = c->wanted ? read_type(m, c->wanted) : 0;
    if (!ir_infer(m, c->op, args, n, c->attrs, (unsigned)c->nattrs, wanted, &out, fault))
        return fault->message;
    return ir_type_text(m, out);
}

static void check(const struct call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        struct ir_module m;
        struct ir_fault fault = {0};
        ir_module_init(&m, &a);
        const char *got = infer(&m, &calls[i], &fault);
        if (strcmp(got, calls[i].expect) != 0)
            fail_msg("%s, case %zu:\n  got      %s\n  expected %s", ir_op_info(calls[i].op)->name,
                     i, got, calls[i].expect);
        if (fault.message) {
            assert_int_equal(fault.arg, calls[i].arg - 1);
            assert_int_equal(fault.axis, calls[i].axis - 1);
        }
        arena_free(&a);
    }
}

#define CHECK(calls) check(calls, sizeof(calls) / sizeof *(calls))

static void test_leaves(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_const, {0}, 2, {1, 2}, "i32[2]", "i32[2]", 0, 0},
        {IR_const,
         {0},
         1,
         {2},
         "bool[]",
         "element 0 of a constant is no bit pattern of bool",
         0,
         0},
        {IR_const, {0}, 1, {256}, "i8[]", "element 0 of a constant is no bit pattern of i8", 0, 0},
        {IR_const, {0}, 1, {-1}, "i32[]", "element 0 of a constant is no bit pattern of i32", 0, 0},
        {IR_const, {0}, 1, {1}, "f32[2]", "a constant f32[2] needs 2 elements, not 1", 0, 0},
        {IR_const, {0}, 1, {1}, 0, "`const` needs to be told its type", 0, 0},
        {IR_input, {0}, 1, {0}, "f16[B=2, 3]", "f16[B=2, 3]", 0, 0},
        {IR_input, {0}, 1, {-1}, "f32[]", "`input` needs an index of 32 bits", 0, 0},
        {IR_counter, {0}, 1, {2}, "u32[]", "u32[]", 0, 0},
        {IR_counter, {0}, 1, {3}, "u32[]", "there are counters 0, 1 and 2 only", 0, 0},
        {IR_counter, {0}, 1, {0}, "u32[1]", "`counter` is u32[], not u32[1]", 0, 0},
        {IR_iota, {0}, 1, {1}, "i32[2, 3]", "i32[2, 3]", 0, 0},
        {IR_iota, {0}, 1, {2}, "i32[2, 3]", "`iota` has no axis 2 in i32[2, 3]", 0, 0},
        {IR_iota, {0}, 1, {0}, "f32[2]", "`iota` gives i32 or u32, not f32", 0, 0},
        {IR_random_bits, {0}, 2, {1, 2}, "u32[4]", "u32[4]", 0, 0},
        {IR_random_bits, {0}, 2, {1, 2}, "f32[4]", "`random_bits` gives u32, not f32", 0, 0},
        {IR_random_bits,
         {0},
         1,
         {1},
         "u32[4]",
         "`random_bits` has the wrong number of attributes",
         0,
         0},
    };
    CHECK(calls);
}

static void test_elementwise(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_add, {"f32[B=4, 16]", "f32[4, D=16]"}, 0, {0}, 0, "f32[B=4, D=16]", 0, 0},
        {IR_add, {"f32[A=4]", "f32[B=4]"}, 0, {0}, 0, "f32[A=4]", 0, 0},
        {IR_add, {"u32[]", "u32[]"}, 0, {0}, 0, "u32[]", 0, 0},
        {IR_add,
         {"f32[4, 16]", "f32[4, 8]"},
         0,
         {0},
         0,
         "`add` needs equal shapes, not [4, 16] and [4, 8]: 16 against 8 in dimension 1",
         2,
         2},
        {IR_add, {"f32[4]", "f32[]"}, 0, {0}, 0, "`add` needs equal shapes, not [4] and []", 2, 0},
        {IR_add,
         {"f16[4]", "f16[4]"},
         0,
         {0},
         0,
         "`add` does not take f16: cast to f32 first",
         1,
         0},
        {IR_add,
         {"i8[4]", "i8[4]"},
         0,
         {0},
         0,
         "`add` does not take i8: cast to i32 or u32 first",
         1,
         0},
        {IR_add, {"bool[]", "bool[]"}, 0, {0}, 0, "`add` takes f32, i32 or u32, not bool", 1, 0},
        {IR_add,
         {"f32[]", "i32[]"},
         0,
         {0},
         0,
         "`add` needs operands of one type, not f32 and i32",
         2,
         0},
        {IR_add, {"f32[]"}, 0, {0}, 0, "`add` takes 2 operands, not 1", 0, 0},
        {IR_exp, {"i32[]"}, 0, {0}, 0, "`exp` takes f32, not i32", 1, 0},
        {IR_not, {"bool[3]"}, 0, {0}, 0, "bool[3]", 0, 0},
        {IR_not, {"f32[3]"}, 0, {0}, 0, "`not` takes i32, u32 or bool, not f32", 1, 0},
        {IR_shl, {"i32[3]", "i32[3]"}, 0, {0}, 0, "i32[3]", 0, 0},
        {IR_mul_hi, {"i32[]", "i32[]"}, 0, {0}, 0, "`mul_hi` takes u32, not i32", 1, 0},
        {IR_lt, {"f32[N=3]", "f32[3]"}, 0, {0}, 0, "bool[N=3]", 0, 0},
        {IR_eq, {"bool[]", "bool[]"}, 0, {0}, 0, "bool[]", 0, 0},
        {IR_lt, {"bool[]", "bool[]"}, 0, {0}, 0, "`lt` takes f32, i32 or u32, not bool", 1, 0},
        {IR_select, {"bool[2]", "f32[2]", "f32[N=2]"}, 0, {0}, 0, "f32[N=2]", 0, 0},
        {IR_select,
         {"i32[2]", "f32[2]", "f32[2]"},
         0,
         {0},
         0,
         "`select` needs a bool condition, not i32[2]",
         1,
         0},
        {IR_select,
         {"bool[2]", "f32[2]", "i32[2]"},
         0,
         {0},
         0,
         "`select` needs two values of one type, not f32 and i32",
         3,
         0},
        {IR_select,
         {"bool[3]", "f32[2]", "f32[2]"},
         0,
         {0},
         0,
         "`select` needs equal shapes, not [3] and [2]: 3 against 2 in dimension 0",
         2,
         1},
        {IR_cast, {"f32[B=2]"}, 0, {0}, "i8[2]", "i8[B=2]", 0, 0},
        {IR_cast, {"bf16[2]"}, 0, {0}, "bool[2]", "bool[2]", 0, 0},
        {IR_cast,
         {"f32[2]"},
         0,
         {0},
         "i32[3]",
         "`cast` keeps the shape: f32[2] cannot become i32[3]",
         1,
         0},
        {IR_bitcast, {"f32[2]"}, 0, {0}, "u32[2]", "u32[2]", 0, 0},
        {IR_bitcast,
         {"f32[2]"},
         0,
         {0},
         "bool[2]",
         "`bitcast` gives f32, i32 or u32, not bool",
         0,
         0},
        {IR_bitcast,
         {"bool[2]"},
         0,
         {0},
         "u32[2]",
         "`bitcast` takes f32, i32 or u32, not bool",
         1,
         0},
    };
    CHECK(calls);
}

static void test_reductions_and_matmul(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_sum, {"f32[B=4, T=8, D=2]"}, 1, {1}, 0, "f32[B=4, D=2]", 0, 0},
        {IR_sum, {"u32[4, 8]"}, 2, {0, 1}, 0, "u32[]", 0, 0},
        {IR_sum, {"f32[4]"}, 0, {0}, 0, "`sum` needs at least one axis", 1, 0},
        {IR_sum, {"f32[4]"}, 1, {1}, 0, "`sum` has no axis 1 in f32[4]", 1, 0},
        {IR_sum, {"f32[4]"}, 1, {-1}, 0, "`sum` has no axis -1 in f32[4]", 1, 0},
        {IR_sum,
         {"f32[4, 4]"},
         2,
         {1, 0},
         0,
         "`sum` needs its axes in ascending order, each once",
         1,
         1},
        {IR_sum,
         {"bool[4]"},
         1,
         {0},
         0,
         "`sum` takes f32, i32 or u32, not bool: cast it first",
         1,
         0},
        {IR_reduce_max, {"i32[4, N=3]"}, 1, {0}, 0, "i32[N=3]", 0, 0},
        {IR_argmax, {"f32[B=4, 3]"}, 1, {1}, 0, "i32[B=4]", 0, 0},
        {IR_matmul, {"f32[M=4, 16]", "f32[16, N=3]"}, 2, {0, 0}, 0, "f32[M=4, N=3]", 0, 0},
        {IR_matmul, {"f32[16, M=4]", "f32[N=3, 16]"}, 2, {1, 1}, 0, "f32[M=4, N=3]", 0, 0},
        {IR_matmul, {"f32[B=2, 4, 8]", "f32[2, 8, 3]"}, 2, {0, 0}, 0, "f32[B=2, 4, 3]", 0, 0},
        {IR_matmul,
         {"f32[4, 16, 256]", "f32[4, 128, 256]"},
         2,
         {0, 0},
         0,
         "`matmul` cannot multiply [4, 16, 256] by [4, 128, 256]: the inner extents 256 and 128 "
         "differ",
         2,
         2},
        {IR_matmul,
         {"f32[2, 3]", "f32[2, 3]"},
         2,
         {1, 1},
         0,
         "`matmul` cannot multiply [2, 3] transposed by [2, 3] transposed: the inner extents 2 and "
         "3 "
         "differ",
         2,
         2},
        {IR_matmul,
         {"f32[4, 16, 256]", "f32[128, 256]"},
         2,
         {0, 0},
         0,
         "`matmul` cannot multiply [4, 16, 256] by [128, 256]: one has 3 dimensions, the other 2",
         2,
         0},
        {IR_matmul,
         {"f32[2, 3, 4]", "f32[5, 4, 3]"},
         2,
         {0, 0},
         0,
         "`matmul` cannot multiply [2, 3, 4] by [5, 4, 3]: the leading extents 2 and 5 differ",
         2,
         1},
        {IR_matmul,
         {"f32[3]", "f32[3]"},
         2,
         {0, 0},
         0,
         "`matmul` needs matrices (at least 2 dimensions), not f32[3]",
         1,
         0},
        {IR_matmul,
         {"bf16[2, 2]", "bf16[2, 2]"},
         2,
         {0, 0},
         0,
         "`matmul` takes f32, not bf16: cast to f32 first",
         1,
         0},
    };
    CHECK(calls);
}

static void test_moves(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_reshape,
         {"f32[B=4, T=16, D=8]"},
         0,
         {0},
         "f32[4, 16, 2, 4]",
         "f32[B=4, T=16, 2, 4]",
         0,
         0},
        {IR_reshape, {"f32[B=4, T=16, D=8]"}, 0, {0}, "f32[64, 8]", "f32[64, D=8]", 0, 0},
        {IR_reshape,
         {"f32[4, 3]"},
         0,
         {0},
         "f32[5]",
         "`reshape` cannot turn [4, 3] into [5]: 12 elements against 5",
         1,
         0},
        {IR_transpose, {"i8[A=2, B=3, 4]"}, 3, {2, 0, 1}, 0, "i8[4, A=2, B=3]", 0, 0},
        {IR_transpose, {"f32[2, 3]"}, 2, {0, 0}, 0, "`transpose` names axis 0 twice", 1, 1},
        {IR_transpose,
         {"f32[2, 3]"},
         1,
         {0},
         0,
         "`transpose` of f32[2, 3] needs 2 axes, not 1",
         1,
         0},
        {IR_broadcast, {"f32[D=3]"}, 0, {0}, "f32[B=2, 3]", "f32[B=2, D=3]", 0, 0},
        {IR_broadcast, {"f32[2, 1]"}, 0, {0}, "f32[2, 5]", "f32[2, 5]", 0, 0},
        {IR_broadcast,
         {"f32[2, 3]"},
         0,
         {0},
         "f32[2, 5]",
         "[2, 3] cannot be broadcast to [2, 5]: extent 3 is neither 5 nor 1",
         1,
         2},
        {IR_broadcast,
         {"f32[2, 3]"},
         0,
         {0},
         "f32[3]",
         "[2, 3] cannot be broadcast to [3]: it has more dimensions",
         1,
         0},
        {IR_slice, {"f32[B=4, D=9]"}, 6, {0, 4, 1, 1, 8, 3}, 0, "f32[B=4, 3]", 0, 0},
        {IR_slice,
         {"f32[4]"},
         3,
         {1, 5, 1},
         0,
         "`slice` 1..5 is outside of dimension 0 of f32[4]",
         1,
         1},
        {IR_slice, {"f32[4]"}, 3, {2, 2, 1}, 0, "`slice` 2..2 of dimension 0 is empty", 1, 1},
        {IR_slice, {"f32[4]"}, 3, {0, 2, 0}, 0, "`slice` needs a step of at least 1, not 0", 1, 1},
        {IR_slice,
         {"f32[4]"},
         2,
         {0, 2},
         0,
         "`slice` of f32[4] needs start, end and step for each of 1 axes",
         1,
         0},
        {IR_pad, {"f32[3, D=2]", "f32[]"}, 6, {1, 2, 1, 0, 0, 0}, 0, "f32[8, D=2]", 0, 0},
        {IR_pad,
         {"f32[3]", "i32[]"},
         3,
         {0, 0, 0},
         0,
         "`pad` of f32[3] needs a scalar f32[] to fill with, not i32[]",
         2,
         0},
        {IR_pad,
         {"f32[3]", "f32[]"},
         3,
         {-1, 0, 0},
         0,
         "`pad` needs margins from 0 to 2^40, in dimension 0",
         1,
         1},
        {IR_pad,
         {"f32[1048576]", "f32[]"},
         3,
         {0, 0, 1099511627776},
         0,
         "`pad` needs margins from 0 to 2^40, in dimension 0",
         1,
         1},
        {IR_concat, {"f32[2, D=3]", "f32[4, 3]", "f32[1, 3]"}, 1, {0}, 0, "f32[7, D=3]", 0, 0},
        {IR_concat, {0}, 1, {0}, 0, "`concat` needs at least one operand", 0, 0},
        {IR_concat,
         {"f32[2, 3]", "f32[2, 4]"},
         1,
         {0},
         0,
         "`concat` along dimension 0 needs the others equal, but [2, 3] and [2, 4] differ in "
         "dimension "
         "1",
         2,
         2},
        {IR_concat,
         {"f32[2]", "f32[2, 4]"},
         1,
         {0},
         0,
         "`concat` needs operands of equal rank, not [2] and [2, 4]",
         2,
         0},
        {IR_concat,
         {"f32[2]", "i32[2]"},
         1,
         {0},
         0,
         "`concat` needs operands of one type, not f32 and i32",
         2,
         0},
    };
    CHECK(calls);
}

static void test_rows(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_gather_rows, {"f32[V=9, D=3]", "i32[B=2, T=4]"}, 0, {0}, 0, "f32[B=2, T=4, D=3]", 0, 0},
        {IR_gather_rows, {"f16[9]", "i32[]"}, 0, {0}, 0, "f16[]", 0, 0},
        {IR_gather_rows,
         {"f32[9]", "u32[2]"},
         0,
         {0},
         0,
         "`gather_rows` needs i32 indices, not u32[2]",
         2,
         0},
        {IR_gather_rows,
         {"f32[]", "i32[2]"},
         0,
         {0},
         0,
         "`gather_rows` needs a table with rows, not a scalar",
         1,
         0},
        {IR_gather_rows,
         {"f32[1, 1, 1, 1, 1]", "i32[1, 1, 1, 1, 1]"},
         0,
         {0},
         0,
         "the result of `gather_rows` would have 9 dimensions; at most 8 are allowed",
         0,
         0},
        {IR_scatter_rows, {"i32[2, 4]", "f32[2, 4, D=3]"}, 1, {9}, 0, "f32[9, D=3]", 0, 0},
        {IR_scatter_rows,
         {"i32[2]", "f32[3, 3]"},
         1,
         {9},
         0,
         "`scatter_rows` needs a row for each index: [3, 3] does not start with [2]",
         2,
         0},
        {IR_scatter_rows,
         {"i32[2]", "f32[2]"},
         1,
         {0},
         0,
         "`scatter_rows` needs from 1 to 2^40 rows",
         0,
         0},
    };
    CHECK(calls);
}

static void test_meta(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_grad, {"f32[]", "f32[D=3]"}, 0, {0}, 0, "f32[D=3]", 0, 0},
        {IR_grad,
         {"f32[2]", "f32[3]"},
         0,
         {0},
         0,
         "`grad` needs a loss of type f32[], not f32[2]: reduce it with mean or sum first",
         1,
         0},
        {IR_grad,
         {"f32[]", "i32[3]"},
         0,
         {0},
         0,
         "`grad` needs an f32 tensor to differentiate by, not i32[3]",
         2,
         0},
        {IR_stop_gradient, {"i32[N=3]"}, 0, {0}, 0, "i32[N=3]", 0, 0},
        {IR_cotangent, {0}, 1, {5}, "f32[2]", "f32[2]", 0, 0},
        {IR_cotangent, {0}, 1, {5}, "i32[2]", "a gradient is f32, not i32[2]", 0, 0},
        {IR_custom, {"f32[2]", "f32[3]", "f32[3]"}, 2, {5, 1}, 0, "f32[2]", 0, 0},
        {IR_custom, {"f32[2]"}, 2, {5, 0}, 0, "f32[2]", 0, 0},
        {IR_custom,
         {"f32[2]", "f32[3]", "f32[2]"},
         2,
         {5, 1},
         0,
         "gradient 1 of the backward rule is f32[2], its input is f32[3]",
         3,
         0},
        {IR_custom,
         {"f32[2]", "f32[3]"},
         2,
         {5, 1},
         0,
         "a backward rule needs one gradient for each input",
         0,
         0},
    };
    CHECK(calls);
}

static void test_wanted(void **state)
{
    (void)state;
    static const struct call calls[] = {
        {IR_add, {"f32[4]", "f32[4]"}, 0, {0}, "f32[N=4]", "f32[N=4]", 0, 0},
        {IR_add,
         {"f32[4]", "f32[4]"},
         0,
         {0},
         "i32[4]",
         "`add` gives f32[4] here, not i32[4]",
         0,
         0},
        {IR_reshape,
         {"f32[4]"},
         0,
         {0},
         "i32[2, 2]",
         "`reshape` gives f32[2, 2] here, not i32[2, 2]",
         0,
         0},
    };
    CHECK(calls);
}

// Random operands and attributes never crash a rule, and what it accepts is a legal type.
static void test_random_calls(void **state)
{
    (void)state;
    static const int64_t extents[] = {1, 2, 3, 1 << 20, IR_MAX_ELEMENTS};
    static const int64_t numbers[] = {-1, 0, 1, 2, 3, 1 << 20, INT64_MAX, INT64_MIN};
    struct arena a = {0};
    struct ir_module m;
    uint64_t random = 1;
    unsigned accepted = 0;
    ir_module_init(&m, &a);
#define RANDOM(n) ((random = random * 6364136223846793005u + 1), (unsigned)(random >> 33) % (n))
    for (int round = 0; round < 200000; round++) {
        ir_typeid args[4], out = 0, wanted = 0;
        int64_t attrs[9];
        struct ir_fault fault;
        for (int i = 0; i < 5; i++) {
            int64_t dims[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
            unsigned rank = RANDOM(4) ? RANDOM(3) : RANDOM(9);
            for (unsigned k = 0; k < rank; k++)
                dims[k] = extents[RANDOM(8) ? RANDOM(3) : RANDOM(5)];
            while (!ir_shape_ok(rank, dims))
                rank--;
            ir_typeid t = ir_type_make(&m, RANDOM(2) ? DT_F32 : RANDOM(DT_COUNT), rank, dims, NULL);
            *(i < 4 ? &args[i] : &wanted) = t;
        }
        for (int i = 0; i < 9; i++)
            attrs[i] = numbers[RANDOM(4) ? RANDOM(5) : RANDOM(8)];
        enum ir_op op = (enum ir_op)(1 + RANDOM(IR_OP_COUNT - 1));
        unsigned nargs = ir_op_info(op)->nargs == IR_VARIADIC ? RANDOM(5) : ir_op_info(op)->nargs;
        bool list;
        unsigned n = ir_op_attr_count(op, &list), nattrs = list ? n - 1 + RANDOM(10 - n) : n;
        if (ir_infer(&m, op, args, nargs, attrs, nattrs, RANDOM(2) ? wanted : 0, &out, &fault)) {
            const struct ir_type *t = ir_type_get(&m, out);
            assert_true(ir_shape_ok(t->rank, t->dim));
            accepted++;
        } else {
            assert_non_null(fault.message);
        }
    }
    assert_true(accepted > 1000);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_elementwise),
        cmocka_unit_test(test_reductions_and_matmul),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_random_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
