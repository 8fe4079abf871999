// eval_reduce_test.c: sums in the one order, maxima, minima, arg max, and sums of rows by index.
#include "tests/unit/eval_rig.h"

// -- one axis
// --------------------------------------------------------------------------------------

static void sums_of_many_lengths(void **state)
{
    static const int64_t lengths[] = {1,    2,    16,   17,    31,     32,     33,
                                      64,   129,  255,  256,   257,    1000,   4095,
                                      4096, 4097, 8192, 10000, 131072, 131073, 4096 * 40 + 5};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct rig r;
        float *x;
        void *out;
        rig_begin(&r);
        ir_ref a = rig_input(&r, DT_F32, DIMS(lengths[i]), &x);
        ir_ref sum = ir_reduce(r.g, IR_sum, a, (const int64_t[]){0}, 1);
        rig_run_all(&r, &sum, 1, &out);
        assert_bits(ref_sum(x, (size_t)lengths[i]), *(float *)out, i);
        rig_end(&r);
    }
}

// More blocks than one block has elements: a third level.
static void sum_of_three_levels(void **state)
{
    enum { N = 4096 * 4096 + 4097 };
    struct rig r;
    float *x = malloc(N * sizeof *x);
    (void)state;
    rig_begin(&r);
    for (size_t i = 0; i < N; i++)
        x[i] = rig_number(&r);
    ir_ref a = rig_given(&r, rig_type(&r, DT_F32, DIMS(N)), x);
    ir_ref sum = ir_reduce(r.g, IR_sum, a, (const int64_t[]){0}, 1);
    assert_bits(ref_sum(x, N), *(float *)rig_eval(&r, sum), 0);
    free(x);
    rig_end(&r);
}

// -0 alone, and partial sums that flush to -0: partials start at +0, and all of the tree is added.
static void signs_of_zero(void **state)
{
    static const float cases[][4] = {{-0.0f, -0.0f, -0.0f, -0.0f},
                                     {-0x1.8p-126f, 0x1p-126f, -0.0f, 0.0f},
                                     {0x1p-126f, -0x1.8p-126f, 0x1p-126f, -0x1.4p-126f}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        rig_begin(&r);
        float x[33] = {0};
        memcpy(x, cases[i], sizeof cases[i]);
        x[32] = cases[i][1];
        ir_ref a = rig_given(&r, rig_type(&r, DT_F32, DIMS(33)), x);
        ir_ref sum = ir_reduce(r.g, IR_sum, a, (const int64_t[]){0}, 1);
        assert_bits(ref_sum(x, 33), *(float *)rig_eval(&r, sum), i);
        ir_ref one = rig_given(&r, rig_type(&r, DT_F32, DIMS(1, 4)), x);
        sum = ir_reduce(r.g, IR_sum, one, (const int64_t[]){0}, 1);
        float *out = rig_eval(&r, sum);
        for (size_t k = 0; k < 4; k++)
            assert_bits(ref_sum(x + k, 1), out[k], k);
        rig_end(&r);
    }
}

// -- any axes
// --------------------------------------------------------------------------------------

// Calls `each` with the elements of every result, in row-major order of the reduced axes.
struct walk {
    const struct ir_type *type;
    unsigned mask; // of reduced axes
    int64_t results, n;
};

static struct walk walk_of(const struct ir_type *t, unsigned mask)
{
    struct walk w = {t, mask, 1, 1};
    for (unsigned i = 0; i < t->rank; i++)
        *(mask >> i & 1 ? &w.n : &w.results) *= t->dim[i];
    return w;
}

// Where element k of result o lies.
static int64_t walk_at(const struct walk *w, int64_t o, int64_t k)
{
    int64_t offset = 0, step = 1;
    for (unsigned i = w->type->rank; i-- > 0; step *= w->type->dim[i]) {
        int64_t *index = w->mask >> i & 1 ? &k : &o;
        offset += *index % w->type->dim[i] * step;
        *index /= w->type->dim[i];
    }
    return offset;
}

static unsigned axes_of(unsigned mask, int64_t axes[IR_MAX_RANK])
{
    unsigned n = 0;
    for (unsigned i = 0; i < IR_MAX_RANK; i++)
        if (mask >> i & 1)
            axes[n++] = i;
    return n;
}

static float ref_extreme(const float *x, size_t n, bool max)
{
    float best = x[0];
    for (size_t i = 1; i < n && best == best; i++) {
        bool less = x[i] < best, equal = x[i] == best;
        bool minus = bits_of(x[i]) >> 31, best_minus = bits_of(best) >> 31;
        if (x[i] != x[i] || (max ? !less && !equal : less) ||
            (equal && minus != best_minus && minus != max))
            best = x[i];
    }
    return best;
}

// The greatest by (value, sign of zero), NaN greatest of all, the first of equals.
static int32_t ref_argmax(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != x[i])
            return (int32_t)i;
    float best = ref_extreme(x, n, true);
    for (size_t i = 0; i < n; i++)
        if (bits_of(x[i]) == bits_of(best))
            return (int32_t)i;
    return -1;
}

static void check_axes(struct rig *r, ir_ref a, const float *x, unsigned mask)
{
    const struct ir_type *t = ir_typeof(r->g, a);
    struct walk w = walk_of(t, mask);
    int64_t axes[IR_MAX_RANK];
    unsigned n = axes_of(mask, axes);
    bool one = n == 1;
    ir_ref roots[4] = {ir_reduce(r->g, IR_sum, a, axes, n),
                       ir_reduce(r->g, IR_reduce_max, a, axes, n),
                       ir_reduce(r->g, IR_reduce_min, a, axes, n)};
    if (one)
        roots[3] = ir_reduce(r->g, IR_argmax, a, axes, 1);
    void *out[4];
    rig_run_all(r, roots, 3 + one, out);
    float *line = arena_array(&r->arena, (size_t)w.n, sizeof *line);
    for (int64_t o = 0; o < w.results; o++) {
        for (int64_t k = 0; k < w.n; k++)
            line[k] = (float)ref_in(x[walk_at(&w, o, k)]);
        assert_bits(ref_sum(line, (size_t)w.n), ((float *)out[0])[o], (size_t)o);
        assert_bits(ref_extreme(line, (size_t)w.n, true), ((float *)out[1])[o], (size_t)o);
        assert_bits(ref_extreme(line, (size_t)w.n, false), ((float *)out[2])[o], (size_t)o);
        if (one)
            assert_int_equal(ref_argmax(line, (size_t)w.n), ((int32_t *)out[3])[o]);
    }
}

// All sets of axes, on numbers (so that the order of sums shows) and on special values.
static void all_axes(void **state)
{
    static const int64_t shapes[][4] = {{3, 17, 5, 2},  {1, 64, 129, 1}, {7, 1, 1, 300},
                                        {40, 3, 2, 33}, {2, 4100, 1, 3}, {1, 1, 1, 1}};
    (void)state;
    for (size_t s = 0; s < 2 * sizeof shapes / sizeof *shapes; s++)
        for (unsigned mask = 1; mask < 16; mask++) {
            struct rig r;
            float *x;
            rig_begin(&r);
            ir_ref a = rig_input(&r, DT_F32, 4, shapes[s / 2], &x);
            int64_t n = ir_type_count(ir_typeof(r.g, a));
            for (int64_t i = 0; i < n && s % 2; i++)
                x[i] = float_of(rig_bits(&r));
            check_axes(&r, a, x, mask);
            rig_end(&r);
        }
}

static void integers(void **state)
{
    struct rig r;
    int32_t *x;
    (void)state;
    rig_begin(&r);
    ir_ref a = rig_input(&r, DT_I32, DIMS(5000, 3), &x);
    for (int i = 0; i < 15000; i++)
        x[i] = (int32_t)rig_random(&r);
    ir_ref u = ir_bitcast(r.g, a, DT_U32);
    const int64_t axis[] = {0};
    ir_ref roots[] = {
        ir_reduce(r.g, IR_sum, a, axis, 1),        ir_reduce(r.g, IR_reduce_max, a, axis, 1),
        ir_reduce(r.g, IR_reduce_min, a, axis, 1), ir_reduce(r.g, IR_sum, u, axis, 1),
        ir_reduce(r.g, IR_reduce_max, u, axis, 1), ir_reduce(r.g, IR_reduce_min, u, axis, 1),
        ir_reduce(r.g, IR_argmax, a, axis, 1),     ir_reduce(r.g, IR_argmax, u, axis, 1)};
    void *out[8];
    rig_run_all(&r, roots, 8, out);
    for (int c = 0; c < 3; c++) {
        uint32_t sum = 0, umax = 0, umin = UINT32_MAX;
        int32_t max = INT32_MIN, min = INT32_MAX, at = 0, uat = 0;
        for (int i = 0; i < 5000; i++) {
            int32_t v = x[i * 3 + c];
            sum += (uint32_t)v;
            at = v > max ? i : at;
            uat = (uint32_t)v > umax ? i : uat;
            max = v > max ? v : max;
            min = v < min ? v : min;
            umax = (uint32_t)v > umax ? (uint32_t)v : umax;
            umin = (uint32_t)v < umin ? (uint32_t)v : umin;
        }
        const uint32_t want[] = {sum,  (uint32_t)max, (uint32_t)min, sum,
                                 umax, umin,          (uint32_t)at,  (uint32_t)uat};
        for (int k = 0; k < 8; k++)
            assert_int_equal(want[k], ((uint32_t *)out[k])[c]);
    }
    rig_end(&r);
}

// -- elementwise work on the way
// -------------------------------------------------------------------

// sum(x * y + bias) with x * y stored too, by leading, middle and trailing axes.
static void prologues(void **state)
{
    enum { A = 37, B = 70, C = 19 };
    (void)state;
    for (int64_t axis = 0; axis < 3; axis++) {
        struct rig r;
        float *x, *y, *b;
        rig_begin(&r);
        ir_ref rx = rig_input(&r, DT_F32, DIMS(A, B, C), &x);
        ir_ref ry = rig_input(&r, DT_F32, DIMS(A, B, C), &y);
        ir_ref rb = rig_input(&r, DT_F32, DIMS(B, 1), &b);
        ir_ref product = ir_binary(r.g, IR_mul, rx, ry);
        ir_ref bias = ir_broadcast_to(r.g, rb, ir_get(r.g, rx)->type);
        ir_ref sum = ir_reduce(r.g, IR_sum, ir_binary(r.g, IR_add, product, bias), &axis, 1);
        ir_ref roots[] = {sum, product};
        void *out[2];
        rig_run_all(&r, roots, 2, out);
        struct walk w = walk_of(ir_typeof(r.g, rx), 1u << axis);
        for (int64_t o = 0; o < w.results; o++) {
            float line[B] = {0};
            for (int64_t k = 0; k < w.n; k++) {
                int64_t at = walk_at(&w, o, k);
                line[k] = ref_add(ref_mul(x[at], y[at]), b[at / C % B]);
            }
            assert_bits(ref_sum(line, (size_t)w.n), ((float *)out[0])[o], (size_t)o);
        }
        for (size_t i = 0; i < A * B * C; i++)
            assert_bits(ref_mul(x[i], y[i]), ((float *)out[1])[i], i);
        rig_end(&r);
    }
}

// -- rows by index
// -----------------------------------------------------------------------------------

static void scatter(void **state)
{
    static const int64_t counts[] = {1, 3, 64, 1000, 9000}, widths[] = {1, 17, 300};
    (void)state;
    for (size_t c = 0; c < 5; c++)
        for (size_t v = 0; v < 3; v++) {
            enum { ROWS = 6 };
            int64_t n = counts[c], width = widths[v];
            struct rig r;
            int32_t *index;
            float *x;
            rig_begin(&r);
            ir_ref ri = rig_input(&r, DT_I32, DIMS(n), &index);
            ir_ref rx = rig_input(&r, DT_F32, DIMS(n, width), &x);
            for (int64_t i = 0; i < n; i++) // rows 4 and 5 are never met; -1 and 6 are outside
                index[i] = (int32_t)(rig_random(&r) % 4);
            index[0] = n > 3 ? -1 : 2;
            index[n - 1] = n > 3 ? ROWS : 2;
            const int64_t rows = ROWS;
            ir_ref root = ir_node_make(r.g, IR_scatter_rows, (ir_ref[]){ri, rx}, 2, &rows, 1, 0);
            void *out;
            rig_run_all(&r, &root, 1, &out);
            float *line = arena_array(&r.arena, (size_t)n, sizeof *line);
            for (int64_t o = 0; o < ROWS * width; o++) {
                size_t met = 0;
                for (int64_t i = 0; i < n; i++)
                    if (index[i] == o / width)
                        line[met++] = x[i * width + o % width];
                assert_bits(met ? ref_sum(line, met) : 0.0f, ((float *)out)[o], (size_t)o);
            }
            rig_end(&r);
        }
}

static void gather(void **state)
{
    enum { ROWS = 5, WIDTH = 7, N = 33 };
    struct rig r;
    float *table;
    int32_t *index;
    (void)state;
    rig_begin(&r);
    ir_ref rt = rig_input(&r, DT_F32, DIMS(ROWS, WIDTH), &table);
    ir_ref ri = rig_input(&r, DT_I32, DIMS(3, N / 3), &index);
    for (int i = 0; i < N; i++)
        index[i] = (int32_t)(rig_random(&r) % 9) - 2;
    index[0] = INT32_MIN;
    index[1] = INT32_MAX;
    table[3] = float_of(0x80000001);
    table[4] = float_of(0xffc00001);
    ir_ref root = ir_node_make(r.g, IR_gather_rows, (ir_ref[]){rt, ri}, 2, NULL, 0, 0);
    void *out;
    rig_run_all(&r, &root, 1, &out);
    for (int i = 0; i < N * WIDTH; i++) {
        int32_t at = index[i / WIDTH];
        float want = at < 0 || at >= ROWS ? 0.0f : table[at * WIDTH + i % WIDTH];
        assert_bits(ref_out(ref_in(want)), ((float *)out)[i], (size_t)i);
    }
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_many_lengths),
        cmocka_unit_test(sum_of_three_levels),
        cmocka_unit_test(signs_of_zero),
        cmocka_unit_test(all_axes),
        cmocka_unit_test(integers),
        cmocka_unit_test(prologues),
        cmocka_unit_test(scatter),
        cmocka_unit_test(gather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
