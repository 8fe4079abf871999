// fuse_test.c: what is fused and what is not, and random graphs: the rules of kernels hold, and
// every way of running gives the same bits.
#include "ir/fuse.h"

#include "tests/unit/eval_rig.h"

// -- the rules
// -------------------------------------------------------------------------------------

// Checks what fuse.h promises.
static void check_fusion(struct rig *r, const ir_ref *roots, size_t nroots, bool fuse)
{
    struct ir_fusion f;
    ir_fuse(r->g, roots, nroots, fuse, &r->arena, &f);
    bool *stored = arena_array(&r->arena, r->g->nodes.n, sizeof *stored);
    uint32_t *seen = arena_array(&r->arena, r->g->nodes.n, sizeof *seen);
    for (size_t k = 0; k < f.kernels.n; k++) {
        const struct ir_kernel *kernel = &f.kernels.at[k];
        assert_int_equal(f.kernel_of.at[kernel->anchor], k + 1);
        if (!fuse)
            assert_int_equal(kernel->nodes.n, 1);
        for (size_t i = 0; i < kernel->inputs.n; i++) {
            ir_ref in = kernel->inputs.at[i];
            bool leaf = ir_op_info(ir_opcode(r->g, in))->class == IRC_LEAF;
            assert_true(stored[in] || (leaf && !f.kernel_of.at[in]));
            assert_int_equal(ir_view_base(r->g, in), in);
        }
        for (size_t i = 0; i < kernel->nodes.n; i++) {
            assert_int_equal(f.kernel_of.at[kernel->nodes.at[i]], k + 1);
            assert_int_equal(seen[kernel->nodes.at[i]]++, 0);
            assert_true(i == 0 || kernel->nodes.at[i - 1] < kernel->nodes.at[i]);
        }
        if (kernel->class == IRC_MATMUL)
            assert_int_equal(kernel->outputs.n, 1);
        for (size_t i = 0; i < kernel->outputs.n; i++)
            stored[kernel->outputs.at[i]] = true;
    }
    for (size_t i = 0; i < nroots; i++) {
        ir_ref base = ir_view_base(r->g, roots[i]);
        assert_true(stored[base] || (!f.kernel_of.at[base] &&
                                     ir_op_info(ir_opcode(r->g, base))->class == IRC_LEAF));
    }
}

static size_t kernels(struct rig *r, const ir_ref *roots, size_t n)
{
    struct ir_fusion f;
    ir_fuse(r->g, roots, n, true, &r->arena, &f);
    return f.kernels.n;
}

// -- what is fused
// -----------------------------------------------------------------------------------

static void softmax_takes_three_kernels(void **state)
{
    struct rig r;
    (void)state;
    rig_begin(&r);
    const int64_t last = 1;
    ir_ref x = rig_input(&r, DT_F32, DIMS(30, 40), NULL);
    ir_typeid type = ir_get(r.g, x)->type;
    ir_ref max = ir_reduce(r.g, IR_reduce_max, x, &last, 1);
    ir_ref wide = ir_broadcast_to(r.g, ir_reshape(r.g, max, DIMS(30, 1)), type);
    ir_ref power = ir_unary(r.g, IR_exp, ir_binary(r.g, IR_sub, x, wide));
    ir_ref sum = ir_reduce(r.g, IR_sum, power, &last, 1);
    ir_ref below = ir_broadcast_to(r.g, ir_reshape(r.g, sum, DIMS(30, 1)), type);
    ir_ref y = ir_binary(r.g, IR_div, power, below);
    assert_int_equal(kernels(&r, &y, 1), 3);
    check_fusion(&r, &y, 1, true);
    void *out;
    rig_run_all(&r, &y, 1, &out);
    rig_end(&r);
}

// An optimiser step on one tensor is one kernel that stores three.
static void adam_takes_one_kernel(void **state)
{
    struct rig r;
    (void)state;
    rig_begin(&r);
    ir_ref w = rig_input(&r, DT_F32, DIMS(20, 30), NULL);
    ir_ref g = rig_input(&r, DT_F32, DIMS(600), NULL),
           m = rig_input(&r, DT_F32, DIMS(20, 30), NULL);
    ir_ref v = rig_input(&r, DT_F32, DIMS(20, 30), NULL);
    ir_typeid type = ir_get(r.g, w)->type;
    ir_ref beta = ir_splat_f32(r.g, type, 0.9f), rest = ir_splat_f32(r.g, type, 0.1f);
    g = ir_reshape_to(r.g, g, type);
    m = ir_binary(r.g, IR_add, ir_binary(r.g, IR_mul, m, beta), ir_binary(r.g, IR_mul, g, rest));
    ir_ref gg = ir_binary(r.g, IR_mul, g, g);
    v = ir_binary(r.g, IR_add, ir_binary(r.g, IR_mul, v, beta), ir_binary(r.g, IR_mul, gg, rest));
    ir_ref root = ir_unary(r.g, IR_sqrt, ir_unary(r.g, IR_abs, v));
    ir_ref step = ir_binary(r.g, IR_div, m, root);
    const ir_ref roots[] = {ir_binary(r.g, IR_sub, w, step), m, v};
    assert_int_equal(kernels(&r, roots, 3), 1);
    check_fusion(&r, roots, 3, true);
    void *out[3];
    rig_run_all(&r, roots, 3, out);
    rig_end(&r);
}

// a -> transpose -> b, with a read by b too: a must not wait for the transpose it feeds.
static void no_kernel_waits_for_itself(void **state)
{
    struct rig r;
    (void)state;
    rig_begin(&r);
    ir_ref x = rig_input(&r, DT_F32, DIMS(17, 17), NULL);
    ir_ref a = ir_unary(r.g, IR_neg, x);
    ir_ref turned = ir_transpose(r.g, a, (const int64_t[]){1, 0});
    ir_ref b = ir_binary(r.g, IR_add, a, turned);
    assert_int_equal(kernels(&r, &b, 1), 3);
    check_fusion(&r, &b, 1, true);
    void *out;
    rig_run_all(&r, &b, 1, &out);
    rig_end(&r);
}

static void products_lead_what_follows(void **state)
{
    struct rig r;
    struct ir_fusion f;
    (void)state;
    rig_begin(&r);
    ir_ref x = rig_input(&r, DT_F32, DIMS(4, 4), NULL), y = rig_input(&r, DT_F32, DIMS(4, 4), NULL);
    ir_ref product = ir_matmul(r.g, x, y, false, false);
    ir_ref side = ir_unary(r.g, IR_exp, x), sum = ir_binary(r.g, IR_add, product, side);
    ir_fuse(r.g, &sum, 1, true, &r.arena, &f);
    assert_int_equal(f.kernels.n, 1);
    assert_int_equal(f.kernels.at[0].class, IRC_MATMUL);
    assert_int_equal(f.kernels.at[0].anchor, product);
    const ir_ref both[] = {sum, product}, kept[] = {sum, side};
    assert_int_equal(kernels(&r, both, 2), 2);
    assert_int_equal(kernels(&r, kept, 2), 2);
    check_fusion(&r, kept, 2, true);
    // what the product itself reads cannot come after it
    ir_ref a = ir_unary(r.g, IR_exp, x);
    ir_ref residual = ir_binary(r.g, IR_add, ir_matmul(r.g, a, y, false, false), a);
    assert_int_equal(kernels(&r, &residual, 1), 2);
    check_fusion(&r, &residual, 1, true);
    void *out;
    rig_run_all(&r, &residual, 1, &out);
    rig_end(&r);
}

static void printed(void **state)
{
    struct rig r;
    struct ir_fusion f;
    struct buf b = {0};
    (void)state;
    rig_begin(&r);
    ir_ref x = rig_input(&r, DT_F32, DIMS(3), NULL);
    ir_ref y = ir_binary(r.g, IR_mul, ir_unary(r.g, IR_neg, x), x);
    ir_fuse(r.g, &y, 1, true, &r.arena, &f);
    ir_fusion_print(r.g, &f, &b);
    assert_string_equal(b.at, "kernel 0 map %3\n"
                              "  reads  %1\n"
                              "  stores %3\n"
                              "    %2 = neg f32[3] %1\n"
                              "    %3 = mul f32[3] %2 %1\n");
    buf_free(&b);
    rig_end(&r);
}

// -- random graphs
// -----------------------------------------------------------------------------------

static const struct shape {
    unsigned rank;
    int64_t dim[4];
} shapes[] = {{0, {0}},    {1, {3}},        {2, {5, 3}},       {3, {4, 5, 3}}, {2, {20, 3}},
              {2, {1, 3}}, {2, {5, 1}},     {2, {3, 20}},      {2, {20, 20}},  {2, {3, 3}},
              {1, {60}},   {3, {4, 15, 1}}, {4, {1, 4, 5, 3}}, {2, {4, 15}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static bool has_shape(struct rig *r, ir_ref x, const struct shape *s)
{
    const struct ir_type *t = ir_typeof(r->g, x);
    return t->dtype == DT_F32 && t->rank == s->rank &&
           memcmp(t->dim, s->dim, s->rank * sizeof *s->dim) == 0;
}

// A node of a shape: one that is there, or a new input.
static ir_ref pick(struct rig *r, const struct shape *s)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        ir_ref x = 1 + rig_random(r) % (uint32_t)(r->g->nodes.n - 1);
        if (has_shape(r, x, s))
            return x;
    }
    if (r->inputs == 40)
        return ir_splat_f32(r->g, rig_type(r, DT_F32, s->rank, s->dim), 1.5f);
    return rig_input(r, DT_F32, s->rank, s->dim, NULL);
}

static ir_ref pick_any(struct rig *r)
{
    return pick(r, &shapes[rig_random(r) % SHAPES]);
}

static void grow_map(struct rig *r)
{
    static const enum ir_op unary[] = {IR_neg, IR_abs, IR_exp, IR_tanh, IR_floor};
    static const enum ir_op binary[] = {IR_add, IR_sub, IR_mul, IR_div, IR_max, IR_min};
    const struct shape *s = &shapes[rig_random(r) % SHAPES];
    ir_ref a = pick(r, s), b = pick(r, s);
    unsigned what = rig_random(r) % 8;
    if (what == 0)
        ir_select(r->g, ir_binary(r->g, IR_lt, a, b), b, pick(r, s));
    else if (what < 4)
        ir_unary(r->g, unary[rig_random(r) % 5], a);
    else
        ir_binary(r->g, binary[rig_random(r) % 6], a, b);
}

static void grow_view(struct rig *r)
{
    static const unsigned alike[][2] = {{3, 4}, {4, 3}, {3, 10}, {10, 11}, {11, 3},
                                        {1, 5}, {5, 1}, {3, 12}, {4, 13},  {13, 7}};
    static const unsigned wider[][2] = {{0, 1}, {0, 8}, {1, 2}, {1, 3}, {2, 3},  {5, 4},
                                        {6, 3}, {6, 2}, {5, 9}, {0, 3}, {2, 12}, {3, 12}};
    bool spread = rig_random(r) % 2;
    const unsigned *pair = spread ? wider[rig_random(r) % 12] : alike[rig_random(r) % 10];
    const struct shape *to = &shapes[pair[1]];
    ir_ref a = pick(r, &shapes[pair[0]]);
    ir_typeid type = rig_type(r, DT_F32, to->rank, to->dim);
    if (spread)
        ir_broadcast_to(r->g, a, type);
    else
        ir_reshape_to(r->g, a, type);
}

static void grow_other(struct rig *r)
{
    ir_ref a = pick_any(r);
    unsigned rank = ir_typeof(r->g, a)->rank, what = rig_random(r) % 3;
    int64_t axis = rank ? rig_random(r) % rank : 0;
    if (what == 0 && rank)
        ir_reduce(r->g, rig_random(r) % 2 ? IR_sum : IR_reduce_max, a, &axis, 1);
    else if (what == 1)
        ir_transpose(r->g, pick(r, &shapes[4]), (const int64_t[]){1, 0});
    else
        ir_matmul(r->g, pick(r, &shapes[2]), pick(r, &shapes[9]), false, rig_random(r) % 2);
}

static void random_graphs(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 150; seed++) {
        struct rig r;
        ir_ref roots[5];
        void *out[5];
        rig_begin(&r);
        r.random ^= seed * UINT64_C(0x9e3779b97f4a7c15);
        rig_input(&r, DT_F32, DIMS(4, 5, 3), NULL);
        for (unsigned i = 0; i < 60; i++) {
            unsigned what = rig_random(&r) % 6;
            if (what == 0)
                grow_other(&r);
            else if (what < 3)
                grow_view(&r);
            else
                grow_map(&r);
        }
        for (unsigned i = 0; i < 5; i++)
            roots[i] = (ir_ref)r.g->nodes.n - 1 - rig_random(&r) % 20;
        check_fusion(&r, roots, 5, true);
        check_fusion(&r, roots, 5, false);
        rig_run_all(&r, roots, 5, out);
        rig_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_takes_three_kernels),
        cmocka_unit_test(adam_takes_one_kernel),
        cmocka_unit_test(no_kernel_waits_for_itself),
        cmocka_unit_test(products_lead_what_follows),
        cmocka_unit_test(printed),
        cmocka_unit_test(random_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
