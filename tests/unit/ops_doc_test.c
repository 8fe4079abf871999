// ops_doc_test.c: spec/ops.md is what the table of operations prints.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "ir/ops.h"

static void test_reference_is_current(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf printed = {0};
    const char *error = NULL;
    size_t n = 0;
    ir_ops_markdown(&printed);
    char *file = file_read(&a, "spec/ops.md", 0, &n, &error);
    if (!file)
        fail_msg("%s (run from the repository's root)", error);
    else if (n != printed.n || memcmp(file, printed.at, n) != 0)
        fail_msg("spec/ops.md is not what the table prints: run `hlxc --ops >spec/ops.md`");
    free(file);
    buf_free(&printed);
    arena_free(&a);
}

// A name leads back to its row, and lanes are there exactly for elementwise rows.
static void test_table(void **state)
{
    (void)state;
    for (unsigned i = IR_none + 1; i < IR_OP_COUNT; i++) {
        const struct ir_op_info *info = ir_op_info((enum ir_op)i);
        enum ir_op found = IR_none;
        bool lanes = false;
        assert_true(ir_op_find(info->name, &found));
        assert_int_equal(found, i);
        for (unsigned lane = 0; lane < 4; lane++)
            lanes = lanes || ir_op_takes((enum ir_op)i, lane);
        assert_int_equal(lanes, info->class == IRC_MAP);
        if (strcmp(info->lane[0], "tree") == 0)
            assert_int_equal(info->exact, IRX_TREE);
    }
}

static void test_attribute_counts(void **state)
{
    (void)state;
    bool list;
    assert_int_equal(ir_op_attr_count(IR_add, &list), 0);
    assert_false(list);
    assert_int_equal(ir_op_attr_count(IR_matmul, &list), 2);
    assert_false(list);
    assert_int_equal(ir_op_attr_count(IR_sum, &list), 1);
    assert_true(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_is_current),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_attribute_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
