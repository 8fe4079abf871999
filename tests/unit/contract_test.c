// contract_test.c: tests of the registry of contracts and of the validator.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "latent/contract.h"

#define FIELD(k, v) ((struct value_field){(k), sizeof(k) - 1, (v)})
#define OBJECT(a, ...)                                                                             \
    value_object((a), (struct value_field[]){__VA_ARGS__},                                         \
                 sizeof((struct value_field[]){__VA_ARGS__}) / sizeof(struct value_field), NULL)

// Checks one value and returns "CODE where" of what is wrong, joined by "; ".
static const char *faults(struct arena *a, const struct value *v, const struct contract_set *own)
{
    contract_faults found = {0};
    const char *all = "";
    bool ok = contract_validate(a, v, own, &found);
    assert_int_equal(ok, found.n == 0);
    for (size_t i = 0; i < found.n; i++) {
        assert_true(strlen(found.at[i].message) > 10);
        all = arena_printf(a, "%s%s%s %s", all, *all ? "; " : "", found.at[i].code,
                           found.at[i].where);
    }
    return all;
}

static const struct value *handle(struct arena *a)
{
    return value_handle(a, "&h_shader", NULL);
}

static void the_registry_is_in_order_and_complete(void **state)
{
    (void)state;
    static const int64_t family[] = {14,  15,  16,  17,  18,  19,  20,  21,  22,  100, 101,
                                     102, 103, 104, 105, 800, 801, 802, 803, 804, 805, 806,
                                     900, 901, 902, 903, 904, 905, 906, 907, 908, 909};
    const struct contract *c;
    size_t n = 0;
    for (; (c = contract_at(n)) != NULL; n++) {
        assert_true(n < sizeof family / sizeof *family);
        assert_int_equal(c->number, family[n]);
        assert_ptr_equal(contract_find(NULL, c->number), c);
        for (size_t k = 0; k < c->nfields; k++)
            assert_int_equal(contract_field_index(c, c->field[k].name, strlen(c->field[k].name)),
                             k);
    }
    assert_int_equal(n, sizeof family / sizeof *family);
    assert_null(contract_find(NULL, 23));
}

// The family's own numbers of fields: they may not move.
static void the_familys_fields_keep_their_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *field[5];
    } fixed[] = {
        {900, {"spirv_binary", "entry_point", "shader_stage", "descriptor_bindings"}},
        {901,
         {"kernel_name", "shader_handle", "workgroup_size", "shared_memory_bytes",
          "push_constants_layout"}},
        {902, {"pipeline_id", "stages", "sync_barriers", "output_image"}},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (size_t k = 0; k < 5 && fixed[i].field[k]; k++) {
            const struct contract *c = contract_find(NULL, fixed[i].number);
            char at[] = {'@', (char)('0' + k)};
            assert_string_equal(c->field[k].name, fixed[i].field[k]);
            assert_int_equal(contract_field_index(c, at, 2), k);
        }
}

static void what_fits_passes(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *h = handle(&a), *list = value_array(&a, &h, 1);
    const struct value *id = value_str(&a, "p"), *none = value_array(&a, NULL, 0);
    assert_string_equal(
        faults(&a,
               value_contract(&a, 902, OBJECT(&a, FIELD("pipeline_id", id), FIELD("stages", list))),
               NULL),
        "");
    assert_string_equal( // by number, and one handle for an array of one
        faults(
            &a,
            value_contract(&a, 902, OBJECT(&a, FIELD("@0", id), FIELD("@1", h), FIELD("@2", none))),
            NULL),
        "");
    assert_string_equal(faults(&a, value_contract(&a, 21, value_object(&a, NULL, 0, NULL)), NULL),
                        "");
    assert_string_equal(faults(&a, value_contract(&a, 1000, OBJECT(&a, FIELD("x", id))), NULL), "");
    assert_string_equal(faults(&a, OBJECT(&a, FIELD("x", id)), NULL), "");
    arena_free(&a);
}

static void what_does_not_is_named(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *h = handle(&a), *id = value_str(&a, "p"), *one = value_int(&a, 1);
    const struct value *mixed[] = {h, one}, *two[] = {one, one};
    const struct value *bad = value_array(&a, mixed, 2), *pair = value_array(&a, two, 2);
    assert_string_equal(
        faults(&a,
               value_contract(&a, 902, OBJECT(&a, FIELD("pipeline_id", one), FIELD("stages", bad))),
               NULL),
        "E_CONTRACT_TYPE 902.pipeline_id; E_CONTRACT_TYPE 902.stages");
    assert_string_equal(faults(&a, value_contract(&a, 902, OBJECT(&a, FIELD("stage", h))), NULL),
                        "E_CONTRACT_FIELD 902.stage; E_CONTRACT_MISSING 902.pipeline_id; "
                        "E_CONTRACT_MISSING 902.stages");
    assert_string_equal(
        faults(&a,
               value_contract(&a, 901,
                              OBJECT(&a, FIELD("kernel_name", id), FIELD("shader_handle", h),
                                     FIELD("@0", id), FIELD("workgroup_size", pair))),
               NULL),
        "E_CONTRACT_TWICE 901.kernel_name; E_CONTRACT_TYPE 901.workgroup_size");
    // A tuple of three is never one handle; nor is an array of ints.
    assert_string_equal(
        faults(&a,
               value_contract(&a, 901,
                              OBJECT(&a, FIELD("kernel_name", id), FIELD("shader_handle", h),
                                     FIELD("workgroup_size", h))),
               NULL),
        "E_CONTRACT_TYPE 901.workgroup_size");
    static const char *const keys[] = {"@", "@01", "@-1", "@9", "@99999999999999999999", ""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(contract_field_index(contract_find(NULL, 902), keys[i], strlen(keys[i])),
                         CONTRACT_NO_FIELD);
    arena_free(&a);
}

static void contracts_are_found_inside_of_values(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *inner = value_contract(&a, 14, OBJECT(&a, FIELD("value", value_null())));
    const struct value *list[] = {value_null(), inner};
    const struct value *v =
        OBJECT(&a, FIELD("a", value_array(&a, list, 2)),
               FIELD("b", value_contract(&a, 999, value_object(&a, NULL, 0, NULL))));
    assert_string_equal(faults(&a, v, NULL),
                        "E_CONTRACT_TYPE a[1].14.value; E_CONTRACT_UNKNOWN b.999");
    const struct value *deep = value_null();
    for (int i = 0; i < VALUE_MAX_DEPTH + 1; i++)
        deep = value_array(&a, &deep, 1);
    assert_string_equal(faults(&a, deep, NULL), "E_DEPTH_EXCEEDED ");
    arena_free(&a);
}

static void programs_have_their_own(void **state)
{
    (void)state;
    struct arena a = {0};
    static const struct contract_field field[] = {
        {"name", {CONTRACT_KIND(VALUE_TEXT), 0, 0}, true, ""},
        {"age", {CONTRACT_KIND(VALUE_INT), 0, 0}, false, ""}};
    static const struct contract person = {1001, "Person", "", field, 2};
    const struct contract *const list[] = {&person};
    const struct contract_set own = {list, 1};
    const struct value *name = value_str(&a, "x");
    assert_string_equal(
        faults(&a, value_contract(&a, 1001, OBJECT(&a, FIELD("@0", name), FIELD("@1", name))),
               &own),
        "E_CONTRACT_TYPE 1001.@1");
    assert_string_equal(faults(&a, value_contract(&a, 1001, OBJECT(&a, FIELD("name", name))), &own),
                        "");
    arena_free(&a);
}

static void fields_are_read_by_either_key(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct contract *c = contract_find(NULL, 902);
    const struct value *h = handle(&a);
    const struct value *fields =
        OBJECT(&a, FIELD("@1", h), FIELD("pipeline_id", value_str(&a, "p")));
    assert_ptr_equal(contract_get(c, fields, "stages"), h);
    assert_string_equal(contract_get(c, fields, "pipeline_id")->as.bytes.at, "p");
    assert_null(contract_get(c, fields, "output_image"));
    const struct value *list = contract_list(&a, h);
    assert_int_equal(list->kind, VALUE_ARRAY);
    assert_ptr_equal(list->as.array.at[0], h);
    assert_ptr_equal(contract_list(&a, list), list);
    arena_free(&a);
}

static void order_is_that_of_the_schema(void **state)
{
    (void)state;
    const struct contract *c = contract_find(NULL, 902);
    const char *const good[] = {"pipeline_id", "foreign", "@1", "output_image"};
    const char *const bad[] = {"stages", "foreign", "@0"};
    assert_int_equal(contract_out_of_order(c, good, 4), CONTRACT_NO_FIELD);
    assert_int_equal(contract_out_of_order(c, bad, 3), 2);
}

static void the_specification_has_the_registry(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf table = {0};
    const char *why;
    size_t n;
    contract_markdown(&table);
    char *spec = file_read(&a, "spec/contracts.md", 0, &n, &why);
    assert_non_null(spec);
    if (!strstr(spec, table.at))
        printf("spec/contracts.md must have:\n%s", table.at);
    assert_non_null(strstr(spec, table.at));
    free(spec);
    buf_free(&table);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registry_is_in_order_and_complete),
        cmocka_unit_test(the_familys_fields_keep_their_numbers),
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(what_does_not_is_named),
        cmocka_unit_test(contracts_are_found_inside_of_values),
        cmocka_unit_test(programs_have_their_own),
        cmocka_unit_test(fields_are_read_by_either_key),
        cmocka_unit_test(order_is_that_of_the_schema),
        cmocka_unit_test(the_specification_has_the_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
