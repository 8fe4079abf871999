// eval_map_test.c: every elementwise primitive on every lane type, division and square root in
// hardware and by their trees, casts of stored types, and the caller's arithmetic mode.
#include "tests/unit/eval_rig.h"

#include <math.h>

#include "ir/flush.h"

enum { COUNT = 2003 };

// -- primitives restated
// --------------------------------------------------------------------------- On f32 in doubles
// (results rounded by ref_out), on integers in 64 bits.

static double f_extreme(double a, double b, bool max)
{
    if (a != a || b != b)
        return NAN;
    if (a == b)
        return !signbit(a) == max ? a : b;
    return (a > b) == max ? a : b;
}

static bool f_result(enum ir_op op, double a, double b, double *out)
{
    double size = fabs(a), whole = floor(size), rest = size - whole;
    double even = rest > 0.5 || (rest == 0.5 && fmod(whole, 2) == 1) ? whole + 1 : whole;
    const struct {
        enum ir_op op;
        double result;
    } rows[] = {
        {IR_neg, -a},
        {IR_abs, size},
        {IR_floor, floor(a)},
        {IR_ceil, ceil(a)},
        {IR_trunc, copysign(whole, a)},
        {IR_round, isinf(a) ? a : copysign(even, a)},
        {IR_add, a + b},
        {IR_sub, a - b},
        {IR_mul, a * b},
        {IR_min, f_extreme(a, b, false)},
        {IR_max, f_extreme(a, b, true)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op) {
            *out = rows[i].result;
            return true;
        }
    return false;
}

static bool compare_result(enum ir_op op, bool equal, bool less, bool unordered, uint32_t *out)
{
    if (op == IR_eq)
        *out = equal;
    else if (op == IR_ne)
        *out = !equal;
    else if (op == IR_lt)
        *out = less && !unordered;
    else if (op == IR_le)
        *out = (less || equal) && !unordered;
    else
        return false;
    return true;
}

static uint32_t canon(uint32_t bits)
{
    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
}

static bool ref_f32(enum ir_op op, uint32_t ba, uint32_t bb, uint32_t *out)
{
    double a = ref_in(float_of(ba)), b = ref_in(float_of(bb)), x;
    if (compare_result(op, a == b, a < b, a != a || b != b, out))
        return true;
    if (!f_result(op, a, b, &x))
        return false;
    *out = canon(bits_of(ref_out(x)));
    return true;
}

static int64_t divided(int64_t a, int64_t b)
{
    return b ? a / b : 0;
}

// a and b are the numbers, whatever their sign.
static bool ref_int(enum ir_op op, int64_t a, int64_t b, uint32_t *out)
{
    unsigned count = (unsigned)b & 31;
    const struct {
        enum ir_op op;
        int64_t result;
    } rows[] = {
        {IR_neg, -a},
        {IR_abs, a < 0 ? -a : a},
        {IR_not, -a - 1},
        {IR_add, a + b},
        {IR_sub, a - b},
        {IR_mul, (int64_t)((uint64_t)a * (uint64_t)b)},
        {IR_div, divided(a, b)},
        {IR_rem, b ? a - divided(a, b) * b : 0},
        {IR_min, a < b ? a : b},
        {IR_max, a > b ? a : b},
        {IR_and, a & b},
        {IR_or, a | b},
        {IR_xor, a ^ b},
        {IR_shl, (int64_t)((uint64_t)a << count)},
        {IR_shr, (a - (a & ((INT64_C(1) << count) - 1))) / (INT64_C(1) << count)},
        {IR_mul_hi, (int64_t)(((uint64_t)a * (uint64_t)b) >> 32)},
    };
    if (compare_result(op, a == b, a < b, false, out))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op) {
            *out = (uint32_t)rows[i].result;
            return true;
        }
    return false;
}

static bool reference(enum ir_op op, unsigned lane, const uint32_t x[3], uint32_t *out)
{
    if (op == IR_select) {
        uint32_t chosen = x[0] ? x[1] : x[2];
        *out = lane ? chosen : canon(bits_of((float)ref_in(float_of(chosen))));
        return true;
    }
    if (op == IR_not && lane == 3) {
        *out = !x[0];
        return true;
    }
    if (lane == 0)
        return ref_f32(op, x[0], x[1], out);
    if (lane == 1)
        return ref_int(op, (int32_t)x[0], (int32_t)x[1], out);
    return ref_int(op, x[0], x[1], out);
}

// -- the rows of the table
// ---------------------------------------------------------------------------

static const enum dtype lane_type[] = {DT_F32, DT_I32, DT_U32, DT_BOOL};

// Bits for a lane: integers are small ones, their negatives, extremes, or any.
static uint32_t lane_bits(struct rig *r, unsigned lane)
{
    static const uint32_t special[] = {0, 1, 2, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff};
    uint32_t x = rig_random(r);
    if (lane == 0)
        return rig_bits(r);
    if (lane == 3)
        return x % 2;
    return x % 3 == 0   ? special[rig_random(r) % 8]
           : x % 3 == 1 ? rig_random(r)
                        : rig_random(r) % 64;
}

static void check_row(enum ir_op op, unsigned lane)
{
    struct rig r;
    uint32_t *x[3], *out;
    ir_ref arg[3];
    unsigned nargs = ir_op_info(op)->nargs;
    rig_begin(&r);
    for (unsigned k = 0; k < nargs; k++) {
        unsigned type = op == IR_select && k == 0 ? 3 : lane;
        arg[k] = rig_input(&r, lane_type[type], DIMS(COUNT), &x[k]);
        for (int i = 0; i < COUNT; i++)
            x[k][i] = lane_bits(&r, type);
    }
    ir_ref root = ir_node_make(r.g, op, arg, nargs, NULL, 0, 0);
    rig_run_all(&r, &root, 1, (void **)&out);
    for (int i = 0; i < COUNT; i++) {
        uint32_t in[3] = {0}, want = 0;
        for (unsigned k = 0; k < nargs; k++)
            in[k] = x[k][i];
        if (!reference(op, lane, in, &want))
            fail_msg("`%s` is not restated here", ir_op_info(op)->name);
        if (want != out[i])
            fail_msg("`%s` of lane %u on %08x %08x %08x is %08x, not %08x", ir_op_info(op)->name,
                     lane, in[0], in[1], in[2], out[i], want);
    }
    rig_end(&r);
}

static void all_primitives(void **state)
{
    unsigned rows = 0;
    (void)state;
    for (enum ir_op op = 1; op < IR_OP_COUNT; op++)
        for (unsigned lane = 0; lane < 4; lane++) {
            const struct ir_op_info *info = ir_op_info(op);
            if (op == IR_bitcast || !ir_op_takes(op, lane) || !strcmp(info->lane[lane], "tree"))
                continue;
            check_row(op, lane);
            rows++;
        }
    assert_in_range(rows, 50, 70);
}

static void bitcasts(void **state)
{
    struct rig r;
    uint32_t *x, *out[3];
    (void)state;
    rig_begin(&r);
    ir_ref u = rig_input(&r, DT_U32, DIMS(COUNT), &x);
    for (int i = 0; i < COUNT; i++)
        x[i] = rig_bits(&r);
    ir_ref f = ir_bitcast(r.g, u, DT_F32);
    ir_ref minus = ir_unary(r.g, IR_neg, f);
    ir_ref roots[] = {f, ir_bitcast(r.g, minus, DT_I32), ir_bitcast(r.g, u, DT_I32)};
    rig_run_all(&r, roots, 3, (void **)out);
    for (int i = 0; i < COUNT; i++) {
        uint32_t flushed = x[i] & 0x7f800000 ? x[i] : x[i] & 0x80000000;
        assert_int_equal(out[0][i], canon(flushed));
        assert_int_equal(out[1][i], canon(flushed ^ 0x80000000));
        assert_int_equal(out[2][i], x[i]);
    }
    rig_end(&r);
}

// -- division and square root in hardware
// ----------------------------------------------------------

// Pairs whose quotient is near the smallest normal, near the middle of two floats, or any.
static void dividends(struct rig *r, uint32_t *a, uint32_t *b)
{
    *a = rig_bits(r);
    *b = rig_bits(r);
    if (rig_random(r) % 3 == 0) {
        uint32_t eb = 1 + rig_random(r) % 253, ea = eb > 127 ? eb - 127 + rig_random(r) % 3 : eb;
        *a = (*a & 0x807fffff) | ea << 23;
        *b = (*b & 0x807fffff) | eb << 23;
        if (rig_random(r) % 2) // equal digits but the last
            *b = (*b & 0xff800000) | ((*a & 0x7fffff) ^ (rig_random(r) % 2));
        else if (ea < 128) { // 2^-126 less half a unit: a tie for hardware's subnormals
            *a = ea << 23 | 0x7fffff;
            *b = (ea + 127) << 23;
        }
    }
}

static void division_and_root(void **state)
{
    enum { N = 1 << 19 };
    struct rig r;
    uint32_t *a, *b, *hard[2], *trees[2];
    (void)state;
    rig_begin(&r);
    ir_ref ra = rig_input(&r, DT_F32, DIMS(N), &a), rb = rig_input(&r, DT_F32, DIMS(N), &b);
    for (int i = 0; i < N; i++)
        dividends(&r, &a[i], &b[i]);
    ir_ref roots[] = {ir_binary(r.g, IR_div, ra, rb), ir_unary(r.g, IR_sqrt, ra)};
    rig_run(&r, roots, 2, 0, "1", (void **)hard);
    rig_run(&r, roots, 2, EVAL_TREES_ONLY, "2", (void **)trees);
    for (size_t i = 0; i < N; i++) {
        double x = ref_in(float_of(a[i])), y = ref_in(float_of(b[i]));
        if (hard[0][i] != trees[0][i] || hard[1][i] != trees[1][i])
            fail_msg("%08x / %08x: hardware %08x, tree %08x; root %08x, %08x", a[i], b[i],
                     hard[0][i], trees[0][i], hard[1][i], trees[1][i]);
        assert_bits(ref_out(x / y), float_of(hard[0][i]), i);
        assert_bits(ref_out(sqrt(x)), float_of(hard[1][i]), i);
    }
    rig_end(&r);
}

// Trees of scalars are run once; those of broadcasts and of full tensors must not differ.
static void uniform_operands(void **state)
{
    struct rig r;
    float *x, *s, *out[3];
    (void)state;
    rig_begin(&r);
    ir_ref rx = rig_input(&r, DT_F32, DIMS(3, COUNT), &x), rs = rig_input(&r, DT_F32, 0, NULL, &s);
    ir_typeid type = ir_get(r.g, rx)->type;
    ir_ref spread = ir_broadcast_to(r.g, rs, type);
    ir_ref roots[] = {ir_binary(r.g, IR_div, rx, spread), ir_unary(r.g, IR_exp, spread),
                      ir_broadcast_to(r.g, ir_unary(r.g, IR_exp, rs), type)};
    rig_run_all(&r, roots, 3, (void **)out);
    assert_memory_equal(out[1], out[2], 3 * COUNT * sizeof(float));
    for (size_t i = 0; i < 3 * COUNT; i++)
        assert_bits(ref_out((double)x[i] / (double)*s), out[0][i], i);
    rig_end(&r);
}

// -- stored types
// ------------------------------------------------------------------------------------

static uint32_t stored(const void *x, enum dtype t, size_t i)
{
    uint32_t bits = 0;
    memcpy(&bits, (const char *)x + i * dtype_bytes(t), dtype_bytes(t));
    return bits;
}

// The number that a pattern of a type stands for.
static double number_of(enum dtype t, uint32_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (bits & 1023) / 1024.0, half;
    half = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);
    if (exponent == 31)
        half = bits & 1023 ? NAN : INFINITY;
    switch (t) {
    case DT_F16: return bits >> 15 ? -half : half;
    case DT_BF16: return ref_in(float_of(bits << 16));
    case DT_F32: return ref_in(float_of(bits));
    case DT_I8: return bits < 128 ? bits : (double)bits - 256;
    case DT_I32: return (int32_t)bits;
    default: return bits;
    }
}

// From every stored type to f32 and back again; all 2^8 or 2^16 patterns, loaded and stored.
static void stored_types(void **state)
{
    static const enum dtype types[] = {DT_F16, DT_BF16, DT_I8, DT_U8};
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        enum dtype t = types[k];
        int64_t n = dtype_bytes(t) == 1 ? 256 : 65536;
        struct rig r;
        void *out[2];
        rig_begin(&r);
        char *x = arena_array(&r.arena, (size_t)n, dtype_bytes(t));
        for (int64_t i = 0; i < n; i++)
            memcpy(x + (size_t)i * dtype_bytes(t), &i, dtype_bytes(t));
        ir_ref f = ir_cast(r.g, rig_given(&r, rig_type(&r, t, DIMS(n)), x), DT_F32);
        ir_ref roots[] = {f, ir_cast(r.g, f, t)};
        rig_run_all(&r, roots, 2, out);
        for (size_t i = 0; i < (size_t)n; i++) {
            double want = number_of(t, (uint32_t)i);
            assert_bits(ref_out(want), ((float *)out[0])[i], i);
            uint32_t back = stored(out[1], t, i), zero = t == DT_BF16 ? (uint32_t)i & 0x8000 : 0;
            if (want != want)
                assert_int_equal(back, t == DT_F16 ? 0x7e00 : 0x7fc0);
            else
                assert_int_equal(back, t == DT_BF16 && want == 0 ? zero : i);
        }
        rig_end(&r);
    }
}

// -- the mode
// ----------------------------------------------------------------------------------------

static void mode_is_restored(void **state)
{
    volatile float tiny = 0x1p-126f, half = 0.5f;
    struct rig r;
    float *x;
    (void)state;
    rig_begin(&r);
    ir_ref a = rig_input(&r, DT_F32, DIMS(COUNT), &x);
    x[0] = tiny;
    ir_ref root = ir_binary(r.g, IR_mul, a, ir_splat_f32(r.g, ir_get(r.g, a)->type, 0.5f));
    float *out = rig_eval(&r, root);
    assert_int_equal(bits_of(out[0]), 0);
    volatile float here = tiny * half;
    assert_int_equal(bits_of(here), 0x00400000);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_primitives),    cmocka_unit_test(bitcasts),
        cmocka_unit_test(division_and_root), cmocka_unit_test(uniform_operands),
        cmocka_unit_test(stored_types),      cmocka_unit_test(mode_is_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
