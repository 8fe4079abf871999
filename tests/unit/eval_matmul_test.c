// eval_matmul_test.c: matrix products against the order of the contract, written out.
#include "tests/unit/eval_rig.h"

// Rule 4: products in ascending k within blocks of 512 from +0, blocks added left to right.
static float ref_dot(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t n)
{
    float total = 0;
    for (int64_t from = 0; from < n; from += 512) {
        float block = 0;
        for (int64_t k = from; k < n && k < from + 512; k++)
            block = ref_add(block, ref_mul(a[k * a_step], b[k * b_step]));
        total = from ? ref_add(total, block) : block;
    }
    return total;
}

struct product {
    int64_t batch, m, n, k;
    bool ta, tb;
};

static ir_ref operand(struct rig *r, int64_t batch, int64_t rows, int64_t cols, float **out)
{
    return rig_input(r, DT_F32, 3, (const int64_t[]){batch, rows, cols}, out);
}

static void check(const struct product *p, bool special)
{
    struct rig r;
    float *a, *b;
    void *out;
    rig_begin(&r);
    ir_ref ra = operand(&r, p->batch, p->ta ? p->k : p->m, p->ta ? p->m : p->k, &a);
    ir_ref rb = operand(&r, p->batch, p->tb ? p->n : p->k, p->tb ? p->k : p->n, &b);
    for (int64_t i = 0; special && i < p->batch * p->m * p->k; i++)
        a[i] = float_of(rig_bits(&r) & (i % 3 ? 0x207fffffu : 0xffffffffu)); // tiny ones too
    ir_ref root = ir_matmul(r.g, ra, rb, p->ta, p->tb);
    rig_run_all(&r, &root, 1, &out);
    for (int64_t i = 0; i < p->batch * p->m * p->n; i++) {
        int64_t batch = i / (p->m * p->n), row = i / p->n % p->m, col = i % p->n;
        const float *x = a + batch * p->m * p->k + (p->ta ? row : row * p->k);
        const float *y = b + batch * p->n * p->k + (p->tb ? col * p->k : col);
        assert_bits(ref_dot(x, p->ta ? p->m : 1, y, p->tb ? 1 : p->n, p->k), ((float *)out)[i],
                    (size_t)i);
    }
    rig_end(&r);
}

static void transposes(struct product p, bool special)
{
    for (unsigned t = 0; t < 4; t++) {
        p.ta = t & 1;
        p.tb = t >> 1;
        check(&p, special);
    }
}

static void odd_shapes(void **state)
{
    static const int64_t sizes[] = {1, 3, 17, 64, 129};
    (void)state;
    for (size_t m = 0; m < 5; m++)
        for (size_t n = 0; n < 5; n++)
            for (size_t k = 0; k < 5; k++)
                transposes((struct product){1, sizes[m], sizes[n], sizes[k], 0, 0}, false);
}

static void long_sums(void **state)
{
    static const int64_t depths[] = {511, 512, 513, 1000, 1024, 1537};
    (void)state;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        transposes((struct product){1, 7, 33, depths[i], 0, 0}, false);
}

static void many_blocks(void **state)
{
    (void)state;
    transposes((struct product){1, 200, 300, 20, 0, 0}, false);
    transposes((struct product){1, 97, 257, 600, 0, 0}, false);
}

static void batches(void **state)
{
    (void)state;
    transposes((struct product){12, 5, 9, 31, 0, 0}, false);
    transposes((struct product){3, 100, 40, 64, 0, 0}, false);
}

static void special_values(void **state)
{
    (void)state;
    transposes((struct product){1, 30, 40, 50, 0, 0}, true);
    transposes((struct product){2, 13, 11, 700, 0, 0}, true);
}

// relu(x @ w + bias), fused or not; and the product kept as well, which forbids fusing.
static void epilogue(void **state)
{
    (void)state;
    for (unsigned keep = 0; keep < 2; keep++) {
        enum { M = 50, K = 20, N = 33 };
        struct rig r;
        float *x, *w, *bias;
        void *out[2];
        rig_begin(&r);
        ir_ref rx = rig_input(&r, DT_F32, DIMS(M, K), &x),
               rw = rig_input(&r, DT_F32, DIMS(K, N), &w);
        ir_ref rb = rig_input(&r, DT_F32, DIMS(N), &bias);
        ir_ref product = ir_matmul(r.g, rx, rw, false, false);
        ir_typeid type = ir_get(r.g, product)->type;
        ir_ref sum = ir_binary(r.g, IR_add, product, ir_broadcast_to(r.g, rb, type));
        ir_ref relu = ir_binary(r.g, IR_max, sum, ir_splat_f32(r.g, type, 0));
        ir_ref roots[] = {relu, product};
        rig_run_all(&r, roots, 1 + keep, out);
        for (size_t i = 0; i < M * N; i++) {
            float dot = ref_dot(x + i / N * K, 1, w + i % N, N, K);
            float y = ref_add(dot, bias[i % N]);
            assert_bits(y > 0 ? y : 0.0f, ((float *)out[0])[i], i);
            if (keep)
                assert_bits(dot, ((float *)out[1])[i], i);
        }
        rig_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_shapes),     cmocka_unit_test(long_sums),
        cmocka_unit_test(many_blocks),    cmocka_unit_test(batches),
        cmocka_unit_test(special_values), cmocka_unit_test(epilogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
