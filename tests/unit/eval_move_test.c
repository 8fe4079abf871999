// eval_move_test.c: moves of every element type, and the leaves that make their own elements.
#include "tests/unit/eval_rig.h"

#include <Random123/philox.h>

// -- indices, written out ------------------------------------------------------------------------

static void index_of(const struct ir_type *t, int64_t i, int64_t at[IR_MAX_RANK])
{
    for (unsigned k = t->rank; k-- > 0; i /= t->dim[k])
        at[k] = i % t->dim[k];
}

static int64_t offset_of(const struct ir_type *t, const int64_t at[IR_MAX_RANK])
{
    int64_t i = 0;
    for (unsigned k = 0; k < t->rank; k++)
        i = i * t->dim[k] + at[k];
    return i;
}

// Which element of the operand is element `at` of the result; -1: the padding.
typedef int64_t from_fn(const struct ir_graph *g, ir_ref r, const int64_t at[IR_MAX_RANK]);

static int64_t from_transpose(const struct ir_graph *g, ir_ref r, const int64_t at[IR_MAX_RANK])
{
    const struct ir_type *t = ir_typeof(g, ir_arg(g, r, 0));
    int64_t x[IR_MAX_RANK] = {0};
    for (unsigned k = 0; k < t->rank; k++)
        x[ir_attr(g, r, k)] = at[k];
    return offset_of(t, x);
}

static int64_t from_broadcast(const struct ir_graph *g, ir_ref r, const int64_t at[IR_MAX_RANK])
{
    const struct ir_type *t = ir_typeof(g, ir_arg(g, r, 0));
    unsigned missing = ir_typeof(g, r)->rank - t->rank;
    int64_t x[IR_MAX_RANK] = {0};
    for (unsigned k = 0; k < t->rank; k++)
        x[k] = t->dim[k] == 1 ? 0 : at[missing + k];
    return offset_of(t, x);
}

static int64_t from_slice(const struct ir_graph *g, ir_ref r, const int64_t at[IR_MAX_RANK])
{
    const struct ir_type *t = ir_typeof(g, ir_arg(g, r, 0));
    int64_t x[IR_MAX_RANK] = {0};
    for (unsigned k = 0; k < t->rank; k++)
        x[k] = ir_attr(g, r, 3 * k) + at[k] * ir_attr(g, r, 3 * k + 2);
    return offset_of(t, x);
}

static int64_t from_pad(const struct ir_graph *g, ir_ref r, const int64_t at[IR_MAX_RANK])
{
    const struct ir_type *t = ir_typeof(g, ir_arg(g, r, 0));
    int64_t x[IR_MAX_RANK] = {0};
    for (unsigned k = 0; k < t->rank; k++) {
        int64_t i = at[k] - ir_attr(g, r, 3 * k), step = ir_attr(g, r, 3 * k + 2) + 1;
        if (i < 0 || i % step || i / step >= t->dim[k])
            return -1;
        x[k] = i / step;
    }
    return offset_of(t, x);
}

// -- moves
// -----------------------------------------------------------------------------------------

struct moved {
    struct rig r;
    enum dtype dtype;
    ir_ref x, fill;
    const unsigned char *elements, *filler;
};

// An input of one type whose elements are their own number, as far as it goes.
static void moved_begin(struct moved *m, enum dtype t, unsigned rank, const int64_t *dims)
{
    static const unsigned char filler[4] = {1};
    size_t bytes = dtype_bytes(t);
    rig_begin(&m->r);
    m->dtype = t;
    ir_typeid type = rig_type(&m->r, t, rank, dims);
    int64_t n = ir_type_count(ir_type_get(&m->r.module, type));
    unsigned char *data = arena_array(&m->r.arena, (size_t)n, bytes);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = t == DT_BOOL  ? (uint32_t)i % 2
                        : t == DT_F32 ? bits_of((float)i)
                                      : (uint32_t)i;
        memcpy(data + (size_t)i * bytes, &bits, bytes);
    }
    m->elements = data;
    m->filler = filler;
    m->x = rig_given(&m->r, type, data);
    m->fill = rig_given(&m->r, rig_type(&m->r, t, 0, NULL), filler);
}

static void check_move(struct moved *m, ir_ref root, from_fn *from)
{
    size_t bytes = dtype_bytes(m->dtype);
    const struct ir_type *t = ir_typeof(m->r.g, root);
    unsigned char *out;
    rig_run_all(&m->r, &root, 1, (void **)&out);
    for (int64_t i = 0; i < ir_type_count(t); i++) {
        int64_t at[IR_MAX_RANK] = {0};
        index_of(t, i, at);
        int64_t source = from(m->r.g, root, at);
        uint32_t want = 0, got = 0;
        memcpy(&want, source < 0 ? m->filler : m->elements + (size_t)source * bytes, bytes);
        memcpy(&got, out + (size_t)i * bytes, bytes);
        if (source < 0 && m->dtype == DT_F32)
            want = 0; // the filler is a subnormal there
        assert_int_equal(want, got);
    }
    rig_end(&m->r);
}

static void move(enum dtype t, enum ir_op op, unsigned rank, const int64_t *dims,
                 const int64_t *attrs, unsigned nattrs, from_fn *from)
{
    struct moved m;
    moved_begin(&m, t, rank, dims);
    const ir_ref args[] = {m.x, m.fill};
    check_move(&m, ir_node_make(m.r.g, op, args, op == IR_pad ? 2 : 1, attrs, nattrs, 0), from);
}

#define ATTRS(...) (const int64_t[]){__VA_ARGS__}, (sizeof((int64_t[]){__VA_ARGS__}) / 8)

static void moves(void **state)
{
    (void)state;
    for (enum dtype t = 0; t < DT_COUNT; t++) {
        move(t, IR_transpose, DIMS(70, 33), ATTRS(1, 0), from_transpose);
        move(t, IR_transpose, DIMS(3, 1, 5, 7), ATTRS(2, 0, 3, 1), from_transpose);
        move(t, IR_transpose, DIMS(4, 5, 6), ATTRS(2, 1, 0), from_transpose);
        move(t, IR_transpose, DIMS(4, 5, 6), ATTRS(1, 0, 2), from_transpose);
        move(t, IR_transpose, DIMS(1, 1), ATTRS(1, 0), from_transpose);
        move(t, IR_slice, DIMS(9, 17), ATTRS(2, 9, 3, 0, 17, 1), from_slice);
        move(t, IR_slice, DIMS(9, 17, 3), ATTRS(8, 9, 1, 1, 16, 5, 0, 3, 2), from_slice);
        move(t, IR_pad, DIMS(4, 3), ATTRS(1, 2, 0, 0, 1, 2), from_pad);
        move(t, IR_pad, DIMS(1), ATTRS(0, 0, 7), from_pad);
        move(t, IR_pad, DIMS(5, 2, 3), ATTRS(0, 0, 1, 3, 0, 0, 0, 0, 0), from_pad);
    }
}

static void broadcasts(void **state)
{
    static const int64_t from[][4] = {
        {0, 0, 0, 5}, {0, 0, 4, 1}, {0, 3, 1, 5}, {2, 1, 1, 1}, {2, 1, 4, 1}};
    (void)state;
    for (enum dtype t = 0; t < DT_COUNT; t++)
        for (size_t i = 0; i < 5; i++) {
            struct moved m;
            unsigned skip = 0;
            while (!from[i][skip])
                skip++;
            moved_begin(&m, t, 4 - skip, from[i] + skip);
            check_move(&m, ir_broadcast_to(m.r.g, m.x, rig_type(&m.r, t, DIMS(2, 3, 4, 5))),
                       from_broadcast);
        }
}

static void concats(void **state)
{
    (void)state;
    for (int64_t axis = 0; axis < 3; axis++) {
        struct rig r;
        float *x[3], *out;
        ir_ref arg[3];
        int64_t dims[3][3], total[3] = {4, 3, 5};
        rig_begin(&r);
        total[axis] = 0;
        for (int k = 0; k < 3; k++) {
            memcpy(dims[k], (const int64_t[]){4, 3, 5}, sizeof dims[k]);
            dims[k][axis] = k + 1;
            total[axis] += k + 1;
            arg[k] = rig_input(&r, DT_F32, 3, dims[k], &x[k]);
        }
        ir_ref root = ir_node_make(r.g, IR_concat, arg, 3, &axis, 1, 0);
        rig_run_all(&r, &root, 1, (void **)&out);
        for (int64_t i = 0; i < total[0] * total[1] * total[2]; i++) {
            int64_t at[IR_MAX_RANK] = {0}, k = 0;
            index_of(ir_typeof(r.g, root), i, at);
            while (k < 2 && at[axis] >= dims[k][axis])
                at[axis] -= dims[k++][axis];
            assert_bits(x[k][offset_of(ir_typeof(r.g, arg[k]), at)], out[i], (size_t)i);
        }
        rig_end(&r);
    }
}

// What moved inputs leave the evaluator as: no subnormal, one NaN, bools 0 or 1.
static void moved_inputs_are_clean(void **state)
{
    static const uint32_t floats[] = {0x80000001, 0x007fffff, 0xffc00000, 0x7f800001, 0x3f800000};
    static const uint32_t clean[] = {0x80000000, 0, 0x7fc00000, 0x7fc00000, 0x3f800000};
    static const uint32_t bools[] = {0, 1, 2, 0x80000000, 7};
    struct rig r;
    (void)state;
    rig_begin(&r);
    ir_ref f = rig_given(&r, rig_type(&r, DT_F32, DIMS(5)), floats);
    ir_ref b = rig_given(&r, rig_type(&r, DT_BOOL, DIMS(5)), bools);
    const int64_t all[] = {0, 5, 1};
    ir_ref roots[] = {ir_node_make(r.g, IR_slice, &f, 1, all, 3, 0),
                      ir_node_make(r.g, IR_slice, &b, 1, all, 3, 0), f, b,
                      ir_reshape(r.g, f, DIMS(5, 1))};
    void *out[5];
    rig_run_all(&r, roots, 5, out);
    for (size_t i = 0; i < 5; i++) {
        assert_memory_equal(out[i], out[i == 1 || i == 3 ? 1 : 0], 20);
        assert_int_equal(((uint32_t *)out[0])[i], clean[i]);
        assert_int_equal(((uint32_t *)out[1])[i], i > 0);
    }
    rig_end(&r);
}

// -- leaves
// ----------------------------------------------------------------------------------------

static void iotas(void **state)
{
    (void)state;
    for (int64_t axis = 0; axis < 3; axis++) {
        struct rig r;
        rig_begin(&r);
        ir_typeid type = rig_type(&r, axis == 1 ? DT_U32 : DT_I32, DIMS(5, 60, 7));
        ir_ref iota = ir_node_make(r.g, IR_iota, NULL, 0, &axis, 1, type);
        // read in place, from memory by a move, and as it is
        ir_ref roots[] = {ir_binary(r.g, IR_add, iota, iota),
                          ir_transpose(r.g, iota, (const int64_t[]){0, 1, 2}), iota};
        void *out[3];
        rig_run_all(&r, roots, 3, out);
        for (int64_t i = 0; i < 5 * 60 * 7; i++) {
            int64_t at[IR_MAX_RANK] = {0};
            index_of(ir_typeof(r.g, iota), i, at);
            assert_int_equal(2 * at[axis], ((uint32_t *)out[0])[i]);
            assert_int_equal(at[axis], ((uint32_t *)out[1])[i]);
            assert_int_equal(at[axis], ((uint32_t *)out[2])[i]);
        }
        rig_end(&r);
    }
}

static void random_words(void **state)
{
    struct rig r;
    uint32_t *out[2];
    (void)state;
    rig_begin(&r);
    const int64_t stream[] = {0xfedcba98, 0x76543210};
    ir_ref words =
        ir_node_make(r.g, IR_random_bits, NULL, 0, stream, 2, rig_type(&r, DT_U32, DIMS(77, 13)));
    ir_ref column = ir_reduce(r.g, IR_sum, words, (const int64_t[]){0}, 1);
    rig_run_all(&r, (ir_ref[]){words, column}, 2, (void **)out);
    uint32_t sum[13] = {0};
    for (uint32_t i = 0; i < 77 * 13; i++) {
        philox4x32_ctr_t counter = {{i / 4, 7, 0xfedcba98, 0x76543210}};
        philox4x32_key_t key = {{0x9abcdef0, 0x12345678}};
        uint32_t want = philox4x32(counter, key).v[i % 4];
        assert_int_equal(want, out[0][i]);
        sum[i % 13] += want;
    }
    assert_memory_equal(sum, out[1], sizeof sum);
    rig_end(&r);
}

static void counters_and_constants(void **state)
{
    struct rig r;
    (void)state;
    rig_begin(&r);
    ir_ref root[5];
    for (int64_t i = 0; i < 3; i++)
        root[i] = ir_node_make(r.g, IR_counter, NULL, 0, &i, 1, rig_type(&r, DT_U32, 0, NULL));
    const uint32_t half[] = {0x3c00, 0xfc00, 0x0001};
    root[3] = ir_const_array(r.g, rig_type(&r, DT_F16, DIMS(3)), half);
    const uint32_t floats[] = {0x80000001, 0x7f800001, 0x40490fdb};
    ir_ref constant = ir_const_array(r.g, rig_type(&r, DT_F32, DIMS(3)), floats);
    root[4] = ir_unary(r.g, IR_neg, constant);
    void *out[5];
    rig_run_all(&r, root, 5, out);
    assert_int_equal(*(uint32_t *)out[0], 0x9abcdef0);
    assert_int_equal(*(uint32_t *)out[1], 0x12345678);
    assert_int_equal(*(uint32_t *)out[2], 7);
    assert_memory_equal(out[3], ((const uint16_t[]){0x3c00, 0xfc00, 0x0001}), 6);
    assert_memory_equal(out[4], ((const uint32_t[]){0, 0x7fc00000, 0xc0490fdb}), 12);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves),
        cmocka_unit_test(broadcasts),
        cmocka_unit_test(concats),
        cmocka_unit_test(moved_inputs_are_clean),
        cmocka_unit_test(iotas),
        cmocka_unit_test(random_words),
        cmocka_unit_test(counters_and_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
