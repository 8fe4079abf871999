// value_test.c: tests of the value model: constructors, access, equality, checks, JSON.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "latent/value.h"

#define LIT(s) (s), sizeof(s) - 1
#define FIELD(k, v) ((struct value_field){(k), sizeof(k) - 1, (v)})
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void refused(const struct value *v, const struct latent_error *e, const char *code)
{
    assert_null(v);
    assert_string_equal(e->code, code);
    assert_true(strlen(e->message) > 10);
}

static void scalars_hold_what_they_were_given(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_int_equal(value_null()->kind, VALUE_NULL);
    assert_true(value_bool(true)->as.boolean);
    assert_false(value_bool(false)->as.boolean);
    assert_true(value_int(&a, INT64_MIN)->as.integer == INT64_MIN);
    assert_true(value_float(&a, 0.1, NULL)->as.number == 0.1);
    const struct value *bytes = value_bytes(&a, "a\0b", 3);
    assert_int_equal(bytes->as.bytes.n, 3);
    assert_memory_equal(bytes->as.bytes.at, "a\0b", 4);
    arena_free(&a);
}

static void floats_are_finite_and_have_one_zero(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    assert_false(signbit(value_float(&a, -0.0, &e)->as.number));
    refused(value_float(&a, (double)NAN, &e), &e, "E_FLOAT_SPECIAL");
    refused(value_float(&a, (double)INFINITY, &e), &e, "E_FLOAT_SPECIAL");
    refused(value_float(&a, -(double)INFINITY, &e), &e, "E_FLOAT_SPECIAL");
    assert_null(value_float(&a, (double)NAN, NULL));
    arena_free(&a);
}

static void text_is_normalised(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    assert_string_equal(value_str(&a, "a\r\nb\rc\n\r\r\n")->as.bytes.at, "a\nb\nc\n\n\n");
    assert_string_equal(value_str(&a, "e\xCC\x81")->as.bytes.at, "\xC3\xA9");
    assert_string_equal(value_str(&a, "e\xCC\x81\r")->as.bytes.at, "\xC3\xA9\n");
    const struct value *nul = value_text(&a, "a\0\r", 3, &e);
    assert_int_equal(nul->as.bytes.n, 3);
    assert_memory_equal(nul->as.bytes.at, "a\0\n", 4);
    refused(value_text(&a, LIT("a\xFF"), &e), &e, "E_TEXT_INVALID");
    refused(value_text(&a, LIT("\xED\xA0\x80"), &e), &e, "E_TEXT_INVALID");
    arena_free(&a);
}

// A text whose marks stand in the worst order must not take minutes.
static void marks_in_the_worst_order_are_sorted(void **state)
{
    (void)state;
    enum { PAIRS = 100000 };
    struct arena a = {0};
    struct buf b = {0};
    buf_putc(&b, 'q');
    for (int i = 0; i < PAIRS; i++)
        buf_puts(&b, "\xCC\x87\xCC\xA3"); // dot above (class 230), dot below (class 220)
    const struct value *v = value_text(&a, b.at, b.n, NULL);
    assert_int_equal(v->as.bytes.n, b.n);
    assert_memory_equal(v->as.bytes.at, "q\xCC\xA3\xCC\xA3", 5);
    assert_memory_equal(v->as.bytes.at + b.n - 2, "\xCC\x87", 3);
    buf_free(&b);
    arena_free(&a);
}

static void handles_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"&h_shader", "&h_0", "&h_a-b.c_D"};
    static const char *const bad[] = {"",       "h_x",         "&h_",       "&h",
                                      "&h_a b", "&h_\xC3\xA9", "&H_shader", "&h_a\n"};
    struct arena a = {0};
    struct latent_error e = {0};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_string_equal(value_handle(&a, good[i], &e)->as.bytes.at, good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(value_handle(&a, bad[i], &e), &e, "E_HANDLE_INVALID");
    char hex[68] = "&h_";
    memset(hex + 3, 'a', 64);
    assert_non_null(value_handle(&a, hex, &e));
    hex[10] = 'A';
    refused(value_handle(&a, hex, &e), &e, "E_HANDLE_INVALID");
    arena_free(&a);
}

static void objects_are_sorted_by_code_point(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value_field fields[] = {
        FIELD("\xF0\x90\x80\x80", value_int(&a, 5)),
        FIELD("b", value_int(&a, 3)),
        FIELD("", value_int(&a, 0)),
        FIELD("\xEF\xBF\xBF", value_int(&a, 4)),
        FIELD("ab", value_int(&a, 2)),
        FIELD("a", value_int(&a, 1)),
    };
    const struct value *v = value_object(&a, fields, COUNT(fields), &e);
    assert_int_equal(v->as.object.n, COUNT(fields));
    for (size_t i = 0; i < v->as.object.n; i++)
        assert_int_equal(v->as.object.at[i].value->as.integer, i);
    assert_int_equal(value_get(v, "ab")->as.integer, 2);
    assert_null(value_get(v, "abc"));
    assert_null(value_get(value_null(), "a"));
    assert_null(value_get(NULL, "a"));
    arena_free(&a);
}

static void keys_are_normalised_and_unique(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value_field twice[] = {FIELD("a", value_null()), FIELD("b", value_null()),
                                        FIELD("a", value_bool(true))};
    refused(value_object(&a, twice, 3, &e), &e, "E_FIELD_ORDER");
    assert_non_null(strstr(e.message, "\"a\""));
    const struct value_field same[] = {FIELD("e\xCC\x81", value_null()),
                                       FIELD("\xC3\xA9", value_null())};
    refused(value_object(&a, same, 2, &e), &e, "E_FIELD_ORDER");
    const struct value_field broken[] = {FIELD("\xC3", value_null())};
    refused(value_object(&a, broken, 1, &e), &e, "E_TEXT_INVALID");
    const struct value_field crlf[] = {FIELD("a\r\nb", value_null())};
    assert_non_null(value_get(value_object(&a, crlf, 1, &e), "a\nb"));
    assert_int_equal(value_object(&a, NULL, 0, &e)->as.object.n, 0);
    arena_free(&a);
}

static void fields_are_read_by_kind(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value_field fields[] = {FIELD("i", value_int(&a, -7)),
                                         FIELD("t", value_str(&a, "text")),
                                         FIELD("z", value_text(&a, "x\0y", 3, NULL))};
    const struct value *v = value_object(&a, fields, 3, NULL);
    int64_t i = 0;
    const char *t = NULL;
    assert_true(value_get_int(v, "i", &i));
    assert_true(i == -7);
    assert_true(value_get_text(v, "t", &t));
    assert_string_equal(t, "text");
    assert_false(value_get_int(v, "t", &i));
    assert_false(value_get_int(v, "none", &i));
    assert_false(value_get_text(v, "i", &t));
    assert_false(value_get_text(v, "z", &t)); // holds a NUL
    arena_free(&a);
}

static void contracts_are_told_from_other_objects(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *empty = value_object(&a, NULL, 0, NULL), *fields = NULL;
    int64_t number = 0;
    assert_true(value_is_contract(value_contract(&a, 902, empty), &number, &fields));
    assert_true(number == 902 && fields == empty);
    static const char *const keys[] = {
        "", "a", "0902", "+902", "-1", "90 2", "9999999999999999999"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct value_field f = {keys[i], strlen(keys[i]), empty};
        assert_false(value_is_contract(value_object(&a, &f, 1, NULL), &number, &fields));
    }
    assert_false(value_is_contract(value_contract(&a, 902, value_null()), &number, &fields));
    assert_false(value_is_contract(empty, &number, &fields));
    assert_false(value_is_contract(value_int(&a, 902), &number, &fields));
    arena_free(&a);
}

static void equality_is_structural(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *one = value_int(&a, 1), *two = value_int(&a, 2);
    const struct value *all[] = {
        value_null(),
        value_bool(false),
        value_bool(true),
        one,
        two,
        value_float(&a, 1, NULL),
        value_str(&a, "1"),
        value_bytes(&a, "1", 1),
        value_handle(&a, "&h_1", NULL),
        value_str(&a, "&h_1"),
        value_array(&a, NULL, 0),
        value_array(&a, &one, 1),
        value_array(&a, &two, 1),
        value_object(&a, NULL, 0, NULL),
        value_object(&a, &FIELD("a", one), 1, NULL),
        value_object(&a, &FIELD("a", two), 1, NULL),
        value_object(&a, &FIELD("b", one), 1, NULL),
    };
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t k = 0; k < COUNT(all); k++)
            assert_int_equal(value_equal(all[i], all[k]), i == k);
    const struct value *again = value_int(&a, 1);
    assert_true(value_equal(all[11], value_array(&a, &again, 1)));
    assert_true(value_equal(all[14], value_object(&a, &FIELD("a", again), 1, NULL)));
    arena_free(&a);
}

static const struct value *nested(struct arena *a, size_t arrays)
{
    const struct value *v = value_array(a, NULL, 0);
    for (size_t i = 1; i < arrays; i++)
        v = value_array(a, &v, 1);
    return v;
}

static void depth_is_counted_and_limited(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    assert_int_equal(value_depth(value_null()), 1);
    assert_int_equal(value_depth(nested(&a, 1)), 1);
    assert_int_equal(value_depth(nested(&a, 64)), 64);
    assert_true(value_validate(&a, nested(&a, 64), &e));
    assert_false(value_validate(&a, nested(&a, 65), &e));
    assert_string_equal(e.code, "E_DEPTH_EXCEEDED");
    const struct value *abyss = nested(&a, 1000000);
    assert_int_equal(value_depth(abyss), 1000000);
    assert_false(value_validate(&a, abyss, NULL));
    assert_true(value_equal(abyss, abyss));
    assert_false(value_equal(abyss, nested(&a, 1000000)));
    struct buf b = {0};
    value_json(abyss, 0, &b);
    assert_int_equal(b.n, 64 + 5 + 64);
    buf_free(&b);
    arena_free(&a);
}

// Values that no constructor makes, as a decoder with a fault might.
static void the_check_finds_what_constructors_prevent(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value_field backwards[] = {FIELD("b", value_null()), FIELD("a", value_null())};
    const struct value_field twice[] = {FIELD("a", value_null()), FIELD("a", value_null())};
    const struct value_field raw_key[] = {FIELD("e\xCC\x81", value_null())};
    const struct value zero = {.kind = VALUE_FLOAT, .depth = 1, .as.number = -0.0};
    const struct value nan = {.kind = VALUE_FLOAT, .depth = 1, .as.number = (double)NAN};
    const struct {
        const struct value *v;
        const char *code;
    } bad[] = {
        {value_object_sorted(&a, backwards, 2), "E_FIELD_ORDER"},
        {value_object_sorted(&a, twice, 2), "E_FIELD_ORDER"},
        {value_object_sorted(&a, raw_key, 1), "E_TEXT_INVALID"},
        {value_canonical(&a, VALUE_TEXT, LIT("a\r")), "E_TEXT_INVALID"},
        {value_canonical(&a, VALUE_TEXT, LIT("\xC0")), "E_TEXT_INVALID"},
        {value_canonical(&a, VALUE_HANDLE, LIT("x")), "E_HANDLE_INVALID"},
        {&zero, "E_FLOAT_SPECIAL"},
        {&nan, "E_FLOAT_SPECIAL"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct latent_error e = {0};
        const struct value *outer = value_array(&a, &bad[i].v, 1);
        assert_false(value_validate(&a, value_object(&a, &FIELD("k", outer), 1, NULL), &e));
        assert_string_equal(e.code, bad[i].code);
    }
    arena_free(&a);
}

static void json_is_for_people(void **state)
{
    (void)state;
    struct arena a = {0};
    const struct value *items[] = {value_null(), value_float(&a, 1, NULL),
                                   value_bytes(&a, "\x00\xAB", 2), value_array(&a, NULL, 0)};
    const struct value_field fields[] = {
        FIELD("z\"", value_array(&a, items, 4)),
        FIELD("h", value_handle(&a, "&h_x", NULL)),
        FIELD("o", value_object(&a, &FIELD("t", value_str(&a, "\xC3\xA9\n")), 1, NULL)),
    };
    const struct value *v = value_object(&a, fields, 3, NULL);
    struct buf b = {0};
    value_json(v, 0, &b);
    assert_string_equal(b.at, "{\"h\": \"&h_x\", \"o\": {\"t\": \"\xC3\xA9\\n\"}, "
                              "\"z\\\"\": [null, 1.0, {\"$bytes\": \"00ab\"}, []]}");
    buf_clear(&b);
    value_json(v, 2, &b);
    assert_string_equal(b.at,
                        "{\n  \"h\": \"&h_x\",\n  \"o\": {\n    \"t\": \"\xC3\xA9\\n\"\n  },\n"
                        "  \"z\\\"\": [\n    null,\n    1.0,\n    {\"$bytes\": \"00ab\"},\n"
                        "    []\n  ]\n}");
    buf_free(&b);
    arena_free(&a);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(value_kind_name(VALUE_NULL), "null");
    assert_string_equal(value_kind_name(VALUE_HANDLE), "handle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_hold_what_they_were_given),
        cmocka_unit_test(floats_are_finite_and_have_one_zero),
        cmocka_unit_test(text_is_normalised),
        cmocka_unit_test(marks_in_the_worst_order_are_sorted),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(objects_are_sorted_by_code_point),
        cmocka_unit_test(keys_are_normalised_and_unique),
        cmocka_unit_test(fields_are_read_by_kind),
        cmocka_unit_test(contracts_are_told_from_other_objects),
        cmocka_unit_test(equality_is_structural),
        cmocka_unit_test(depth_is_counted_and_limited),
        cmocka_unit_test(the_check_finds_what_constructors_prevent),
        cmocka_unit_test(json_is_for_people),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
