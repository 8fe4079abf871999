// doctor_test.c: the doctor's golden digests are what the evaluator computes; its sweeps hash what
// the trees of the functions give.
//
// UPDATE=1 in the environment rewrites runtime/doctor.def from the evaluator: look at the diff.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/exact.h"
#include "ir/lanes.h"
#include "runtime/doctor_pairs.h"
#include "runtime/doctor_sweep.h"

enum { MOST = 64 }; // outputs of a group

static void open_cpu(struct doctor *d)
{
    struct hlx_error e;
    if (!doctor_open(d, "cpu", &e))
        fail_msg("%s", e.text);
}

// -- the table -----------------------------------------------------------------------------------

static void print_table(FILE *to)
{
    struct doctor d;
    open_cpu(&d);
    fputs("// doctor.def: golden digests of the doctor's tests: TEST(entry, output, digest).\n"
          "// Made by `UPDATE=1 make unit NAME=doctor`.\n",
          to);
    for (size_t i = 0; i < doctor_ngroups; i++) {
        const struct ir_entry *entry = ir_find_entry(&d.program.module, doctor_groups[i].name);
        uint64_t digest[MOST];
        struct hlx_error e;
        assert_non_null(entry);
        assert_true(entry->outputs.n <= MOST);
        assert_true(doctor_measure(&d, &doctor_groups[i], digest, &e));
        for (size_t k = 0; k < entry->outputs.n; k++)
            fprintf(to, "TEST(%s, %s, 0x%016llx)\n", entry->name, entry->outputs.at[k].name,
                    (unsigned long long)digest[k]);
    }
    doctor_close(&d);
}

static void table_is_current(void **state)
{
    (void)state;
    char *table = NULL, name[] = "runtime/doctor.def";
    size_t n = 0;
    FILE *to = open_memstream(&table, &n);
    assert_non_null(to);
    print_table(to);
    fclose(to);
    FILE *f = fopen(name, getenv("UPDATE") ? "w+" : "r");
    assert_non_null(f);
    if (getenv("UPDATE")) {
        fwrite(table, 1, n, f);
        rewind(f);
    }
    char *kept = calloc(n + 2, 1);
    assert_non_null(kept);
    assert_int_equal(fread(kept, 1, n + 1, f), n);
    assert_string_equal(kept, table);
    fclose(f);
    free(kept);
    free(table);
}

static void evaluator_passes(void **state)
{
    (void)state;
    struct doctor d;
    open_cpu(&d);
    struct arena a = {0};
    struct hlx_error e;
    for (size_t i = 0; i < doctor_ngroups; i++) {
        struct doctor_result r;
        assert_true(doctor_run(&d, &a, &doctor_groups[i], &r, &e));
        if (!getenv("UPDATE"))
            assert_int_equal(r.faults.n, 0);
        assert_true(r.elements > 0);
    }
    arena_free(&a);
    doctor_close(&d);
}

// -- digests -------------------------------------------------------------------------------------

static void digest_widens(void **state)
{
    (void)state;
    const int8_t bytes[] = {-1, 1};
    const uint16_t halves[] = {0xfe00, 1};
    const uint32_t words[] = {0xff, 1}, wide[] = {0xfe00, 1};
    const struct ir_type i8 = {.dtype = DT_I8, .rank = 1, .dim = {2}};
    const struct ir_type f16 = {.dtype = DT_F16, .rank = 1, .dim = {2}};
    const struct ir_type u32 = {.dtype = DT_U32, .rank = 1, .dim = {2}};
    assert_true(doctor_digest(&i8, bytes) == doctor_digest(&u32, words));
    assert_true(doctor_digest(&f16, halves) == doctor_digest(&u32, wide));
    assert_false(doctor_digest(&u32, words) == doctor_digest(&u32, wide));
}

// The pairs of spec/numerics.md, whose div has a digest of its own there.
static void first_pairs(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        uint32_t a, b;
        doctor_pair(i & 1, i, &a, &b);
        assert_int_equal(a, doctor_mix((uint32_t)(2 * i)));
        assert_int_equal(b, doctor_mix((uint32_t)(2 * i + 1)));
    }
}

// A block of a sweep: what IEEE conversion by hand gives.
static void sweep_of_casts(void **state)
{
    (void)state;
    static const char *const name = "sweep_bool";
    const struct sweep_row *row = sweep_rows;
    while (strcmp(row->entry, name) != 0)
        row++;
    struct doctor d;
    open_cpu(&d);
    struct sweep_result r;
    struct hlx_error e;
    if (!sweep_run(&d, row, 0x80, 1, &r, &e)) // -0 and the smallest negative numbers
        fail_msg("%s", e.text);
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t u = 0x80000000; u < 0x81000000; u++)
        h = (h ^ (u >= 0x80800000)) * 0x100000001b3u;
    uint64_t all = (0xcbf29ce484222325u ^ (uint32_t)h) * 0x100000001b3u;
    assert_true(r.digest == (all ^ h >> 32) * 0x100000001b3u);
    assert_int_equal(r.inputs, 1 << SWEEP_SHIFT);
    doctor_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_current), cmocka_unit_test(evaluator_passes),
        cmocka_unit_test(digest_widens),    cmocka_unit_test(first_pairs),
        cmocka_unit_test(sweep_of_casts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
