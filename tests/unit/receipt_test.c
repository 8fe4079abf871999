// receipt_test.c: tests of state digests and of receipts: trees, golden digests, what is refused.
#include "runtime/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/parse.h"
#include "latent/lcb.h"

enum { MOST = 40 };

static const char *hex(const unsigned char *hash)
{
    static char text[2 * HANDLE_BYTES + 1];
    for (int i = 0; i < HANDLE_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}

// -- trees ---------------------------------------------------------------------------------------

// The same tree from its top: the left part is the largest power of two below n.
static void naive_join(const unsigned char *hashes, size_t n, unsigned char *out)
{
    unsigned char both[4 + 2 * HANDLE_BYTES] = {'H', 'L', 'X', 1};
    size_t left = 1;
    if (n == 1) {
        memcpy(out, hashes, HANDLE_BYTES);
        return;
    }
    while (left * 2 < n)
        left *= 2;
    naive_join(hashes, left, both + 4);
    naive_join(hashes + left * HANDLE_BYTES, n - left, both + 4 + HANDLE_BYTES);
    sha256_of(both, sizeof both, out);
}

static void tree_is_that_of_a_recursion(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        unsigned char hash[MOST * HANDLE_BYTES], want[HANDLE_BYTES];
        for (size_t i = 0; i < n; i++)
            sha256_of(&i, sizeof i, hash + i * HANDLE_BYTES);
        naive_join(hash, n, want);
        state_join(hash, n);
        assert_memory_equal(hash, want, HANDLE_BYTES);
    }
}

static void leaves_are_cut_and_filled(void **state)
{
    static const size_t sizes[] = {1, 3, 4, 4093, 4095, 4096, 4097, 8192, 8193, 12300};
    static unsigned char bytes[12304], text[4 + STATE_LEAF] = {'H', 'L', 'X', 0};
    unsigned char have[4 * HANDLE_BYTES], want[HANDLE_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i], filled = (n + 3) / 4 * 4, leaves = (filled + 4095) / 4096;
        memset(bytes, 0, sizeof bytes);
        for (size_t k = 0; k < n; k++)
            bytes[k] = (unsigned char)(k * 7 + 1);
        assert_int_equal(state_leaves(n), leaves);
        state_hash_leaves(bytes, n, have);
        for (size_t k = 0; k < leaves; k++) {
            size_t size = k + 1 < leaves ? 4096 : filled - k * 4096;
            memcpy(text + 4, bytes + k * 4096, size);
            sha256_of(text, 4 + size, want);
            assert_memory_equal(have + k * HANDLE_BYTES, want, HANDLE_BYTES);
        }
    }
}

// -- digests -------------------------------------------------------------------------------------

static const struct value *tensor(struct arena *a, const char *path, const char *dtype, size_t rank,
                                  const int64_t *extent)
{
    const struct value *at[16], *row[3] = {value_str(a, path), value_str(a, dtype)};
    for (size_t i = 0; i < rank; i++)
        at[i] = value_int(a, extent[i]);
    row[2] = value_array(a, at, rank);
    return value_array(a, row, 3);
}

static const struct value *two_tensors(struct arena *a)
{
    const struct value *rows[] = {tensor(a, "b", "bool", 1, (int64_t[]){3}),
                                  tensor(a, "w", "f32", 2, (int64_t[]){2, 515})};
    return value_array(a, rows, 2);
}

static const struct value *outputs_of(struct arena *a, uint32_t loss)
{
    const struct value_field field = {"loss", 4, value_int(a, loss)};
    return value_object(a, &field, 1, NULL);
}

// The golden digests were computed from the text of spec/receipts.md by another program.
static void digests_are_golden(void **state)
{
    struct arena a = {0};
    const uint32_t b[] = {1, 0, 1};
    float w[1030];
    unsigned char leaf[2 * HANDLE_BYTES], roots[2 * HANDLE_BYTES], root[HANDLE_BYTES];
    (void)state;
    for (int i = 0; i < 1030; i++)
        w[i] = (float)i;
    state_hash_leaves(b, sizeof b, roots);
    state_hash_leaves(w, sizeof w, leaf);
    state_join(leaf, 2);
    memcpy(roots + HANDLE_BYTES, leaf, HANDLE_BYTES);
    assert_string_equal(hex(roots),
                        "103f19cd91b0c2c4d615ed58c7a3874c1e20f24d3a03686173e6c8d64dc0816e");
    assert_string_equal(hex(leaf),
                        "ab2f5b961c73df0ad2b599698758bd2a72b01fb72a431298a9280e9c99edbe5c");
    state_root(&a, two_tensors(&a), roots, root);
    assert_string_equal(hex(root),
                        "02585087907448a9020a6aff616af46f1ac42545ee3fcd85bf37ae505cb8b70a");
    const struct state_step step = {12, 3, 7, outputs_of(&a, 0x3f800000)};
    state_digest(&a, &step, root, root);
    assert_string_equal(hex(root),
                        "64b5427828f329f999df71623780a1eac567fea9f7b8b791f6ada685d1621091");
    state_root(&a, value_array(&a, NULL, 0), NULL, root);
    assert_string_equal(hex(root),
                        "fece1cbb7b20d50717ac2a059c24c037c30f55b4bb96dcdf0672130fe46b73ad");
    arena_free(&a);
}

static void tensors_are_in_order_of_paths(void **state)
{
    static const char text[] =
        "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n\n"
        "param a f32[3, 2000] {\n  %1 = const f32[] {bits=0x0}\n"
        "  %2 = broadcast f32[3, 2000] %1\n  value %2\n}\n\n"
        "state a.z i32[] {\n  %1 = const i32[] {bits=0x0}\n  value %1\n}\n\n";
    struct arena a = {0};
    struct ir_module m;
    struct ir_parse_error bad;
    struct state_layout l;
    struct buf json = {0};
    (void)state;
    ir_module_init(&m, &a);
    if (!ir_parse(&m, text, sizeof text - 1, &bad))
        fail_msg("line %zu: %s", bad.line, bad.message);
    state_layout_make(&a, &m, &l);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.leaves, 7);
    assert_string_equal(l.tensor[0].path, "a");
    assert_int_equal(l.tensor[1].leaf, 6);
    value_json(state_tensors(&a, &l), 0, &json);
    assert_string_equal(json.at, "[[\"a\", \"f32\", [3, 2000]], [\"a.z\", \"i32\", []]]");
    buf_free(&json);
    arena_free(&a);
}

// -- receipts ------------------------------------------------------------------------------------

struct rig {
    struct arena arena;
    struct receipt_head head;
    struct receipt receipt;
    unsigned char initial[HANDLE_BYTES], roots[2 * HANDLE_BYTES];
    struct hlx_error error;
};

static void rig_open(struct rig *r)
{
    *r = (struct rig){0};
    memset(r->initial, 0xab, sizeof r->initial);
    r->head = (struct receipt_head){.program = {{1, 2, 3}},
                                    .entry = "train",
                                    .numerics = "exact-1",
                                    .profile = "exact",
                                    .seed = 7,
                                    .shards = 1,
                                    .every = 2,
                                    .data = value_object(&r->arena, NULL, 0, NULL),
                                    .tensors = two_tensors(&r->arena),
                                    .initial = r->initial};
}

static void rig_start(struct rig *r)
{
    receipt_start(&r->receipt, &r->arena, &r->head);
}

static void rig_add(struct rig *r, uint32_t step, uint64_t epoch)
{
    r->roots[0] = (unsigned char)step;
    receipt_add(&r->receipt, step, epoch, outputs_of(&r->arena, step), r->roots);
}

// Writes what the rig has and reads it again; NULL, or the reason's code.
static const char *reason(struct rig *r, struct receipt *out)
{
    static char code[32];
    struct buf bytes = {0};
    lcb_encode(receipt_value(&r->arena, &r->receipt), &bytes);
    bool ok = receipt_read(out, &r->arena, bytes.at, bytes.n, "r", &r->error);
    buf_free(&bytes);
    if (ok)
        return NULL;
    assert_int_equal(r->error.code, EXIT_DATA);
    assert_int_equal(sscanf(r->error.text, "`r`: %31[A-Z_]:", code), 1);
    return code;
}

static void round_trip(void **state)
{
    struct rig r;
    struct receipt again;
    (void)state;
    rig_open(&r);
    rig_start(&r);
    rig_add(&r, 2, 1);
    rig_add(&r, 4, 1);
    rig_add(&r, 5, 2); // the last step needs not be divided
    assert_null(reason(&r, &again));
    assert_int_equal(again.records.n, 3);
    assert_memory_equal(receipt_seal(&again), receipt_seal(&r.receipt), HANDLE_BYTES);
    assert_memory_equal(again.initial, r.initial, HANDLE_BYTES);
    assert_true(handle_equal(&again.program, &r.head.program));
    assert_string_equal(again.entry, "train");
    assert_int_equal(again.seed, 7);
    assert_int_equal(again.every, 2);
    assert_true(value_equal(receipt_value(&r.arena, &again), receipt_value(&r.arena, &r.receipt)));
    for (uint32_t step = 0; step < 8; step++) {
        const struct receipt_record *at = receipt_at(&again, step);
        assert_int_equal(at != NULL, step == 2 || step == 4 || step == 5);
        assert_true(at == NULL || at->step == step);
    }
    arena_free(&r.arena);
}

static void every_link_depends_on_all_before(void **state)
{
    struct rig r;
    unsigned char seal[HANDLE_BYTES];
    (void)state;
    rig_open(&r);
    rig_start(&r);
    rig_add(&r, 2, 1);
    rig_add(&r, 4, 1);
    memcpy(seal, receipt_seal(&r.receipt), sizeof seal);
    rig_start(&r);
    rig_add(&r, 2, 2);
    rig_add(&r, 4, 2);
    assert_memory_not_equal(receipt_seal(&r.receipt), seal, sizeof seal);
    r.head.seed++;
    rig_start(&r);
    rig_add(&r, 2, 1);
    rig_add(&r, 4, 1);
    assert_memory_not_equal(receipt_seal(&r.receipt), seal, sizeof seal);
    arena_free(&r.arena);
}

// Steps and epochs of a receipt with one record every two steps, and what is said of them.
static void order(void **state)
{
    static const struct {
        size_t n;
        uint32_t step[3];
        uint64_t epoch[3];
        const char *reason;
    } rows[] = {
        {0, {0}, {0}, "E_RECEIPT_ORDER"},             // none
        {1, {1}, {1}, NULL},                          // a run of one step
        {1, {2}, {1}, NULL},                          //
        {1, {3}, {1}, "E_RECEIPT_ORDER"},             // step 2 is missing
        {2, {2, 4}, {1, 1}, NULL},                    //
        {2, {2, 3}, {1, 9}, NULL},                    //
        {2, {2, 2}, {1, 1}, "E_RECEIPT_ORDER"},       // twice
        {2, {4, 2}, {1, 1}, "E_RECEIPT_ORDER"},       // turned
        {2, {2, 5}, {1, 1}, "E_RECEIPT_ORDER"},       // 4 is missing
        {2, {1, 2}, {1, 1}, "E_RECEIPT_ORDER"},       // 1 may not have one
        {2, {2, 4}, {2, 1}, "E_RECEIPT_ORDER"},       // epochs descend
        {3, {2, 3, 4}, {1, 1, 1}, "E_RECEIPT_ORDER"}, // 3 is not the last
        {1, {0}, {1}, "E_RECEIPT_FIELD"},             //
        {1, {2}, {0}, "E_RECEIPT_FIELD"},             //
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        struct receipt again;
        rig_open(&r);
        rig_start(&r);
        for (size_t k = 0; k < rows[i].n; k++)
            rig_add(&r, rows[i].step[k], rows[i].epoch[k]);
        const char *have = reason(&r, &again);
        if (rows[i].reason ? !have || strcmp(have, rows[i].reason) != 0 : have != NULL)
            fail_msg("row %zu: %s", i, have ? r.error.text : "taken");
        arena_free(&r.arena);
    }
}

// -- heads that are refused ----------------------------------------------------------------------

static void no_shards(struct rig *r)
{
    r->head.shards = 0;
}

static void never(struct rig *r)
{
    r->head.every = 0;
}

static void seed_below_0(struct rig *r)
{
    r->head.seed = UINT64_MAX;
}

static void other_profile(struct rig *r)
{
    r->head.profile = "fast";
}

static void named_data(struct rig *r)
{
    const struct value_field f = {"line", 4, value_handle(&r->arena, "&h_line", NULL)};
    r->head.data = value_object(&r->arena, &f, 1, NULL);
}

static void one_tensor(struct rig *r, const struct value *row)
{
    r->head.tensors = value_array(&r->arena, &row, 1);
}

static void no_dtype(struct rig *r)
{
    one_tensor(r, tensor(&r->arena, "w", "f33", 0, NULL));
}

static void extent_0(struct rig *r)
{
    one_tensor(r, tensor(&r->arena, "w", "f32", 2, (int64_t[]){4, 0}));
}

static void rank_9(struct rig *r)
{
    one_tensor(r, tensor(&r->arena, "w", "f32", 9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

static void too_many_elements(struct rig *r)
{
    one_tensor(r, tensor(&r->arena, "w", "f32", 3, (int64_t[]){1 << 20, 1 << 20, 2}));
}

static void path_too_long(struct rig *r)
{
    char path[RECEIPT_PATH + 2];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    one_tensor(r, tensor(&r->arena, path, "f32", 0, NULL));
}

static void paths_turned(struct rig *r)
{
    const struct value *rows[] = {r->head.tensors->as.array.at[1], r->head.tensors->as.array.at[0]};
    r->head.tensors = value_array(&r->arena, rows, 2);
}

static void path_twice(struct rig *r)
{
    const struct value *rows[] = {r->head.tensors->as.array.at[0], r->head.tensors->as.array.at[0]};
    r->head.tensors = value_array(&r->arena, rows, 2);
}

static void heads(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(struct rig *);
    } rows[] = {
        {"no shards", no_shards},         {"every 0 steps", never},
        {"a seed below 0", seed_below_0}, {"an unknown profile", other_profile},
        {"a named handle", named_data},   {"an unknown dtype", no_dtype},
        {"an extent of 0", extent_0},     {"rank 9", rank_9},
        {"2^41", too_many_elements},      {"a long path", path_too_long},
        {"paths turned", paths_turned},   {"a path twice", path_twice},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        struct receipt again;
        rig_open(&r);
        rows[i].spoil(&r);
        rig_start(&r);
        rig_add(&r, 2, 1);
        const char *have = reason(&r, &again);
        if (!have || strcmp(have, "E_RECEIPT_FIELD") != 0)
            fail_msg("%s: %s", rows[i].name, have ? r.error.text : "taken");
        arena_free(&r.arena);
    }
}

// Any bit that is flipped in a receipt's head or records is noticed.
static void flipped_bits(void **state)
{
    struct rig r;
    struct receipt again;
    struct buf bytes = {0};
    (void)state;
    rig_open(&r);
    rig_start(&r);
    rig_add(&r, 2, 1);
    rig_add(&r, 3, 1);
    lcb_encode(receipt_value(&r.arena, &r.receipt), &bytes);
    for (size_t i = 0; i < 8 * bytes.n; i++) {
        struct arena a = {0};
        bytes.at[i / 8] ^= (char)(1 << i % 8);
        if (receipt_read(&again, &a, bytes.at, bytes.n, "r", &r.error))
            fail_msg("bit %zu of byte %zu", i % 8, i / 8);
        assert_int_equal(r.error.code, EXIT_DATA);
        bytes.at[i / 8] ^= (char)(1 << i % 8);
        arena_free(&a);
    }
    buf_free(&bytes);
    arena_free(&r.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_that_of_a_recursion),
        cmocka_unit_test(leaves_are_cut_and_filled),
        cmocka_unit_test(digests_are_golden),
        cmocka_unit_test(tensors_are_in_order_of_paths),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_link_depends_on_all_before),
        cmocka_unit_test(order),
        cmocka_unit_test(heads),
        cmocka_unit_test(flipped_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
