// lcb_test.c: tests of LC-B: vectors both ways, refusals, and generated values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/file.h"
#include "base/vec.h"
#include "latent/lcb.h"
#include "tests/unit/value_kit.h"

// -- vectors --------------------------------------------------------------------------------------

static const struct value *from_json(struct arena *a, json_t *j);

static const struct value *string_from_json(struct arena *a, json_t *j)
{
    const char *s = json_string_value(j);
    return strncmp(s, "&h_", 3) == 0 ? value_handle(a, s, NULL)
                                     : value_text(a, s, json_string_length(j), NULL);
}

static const struct value *array_from_json(struct arena *a, json_t *j)
{
    VEC(const struct value *) items = {0};
    for (size_t i = 0; i < json_array_size(j); i++)
        vec_push(a, &items, from_json(a, json_array_get(j, i)));
    return value_array(a, items.at, items.n);
}

static const struct value *object_from_json(struct arena *a, json_t *j)
{
    VEC(struct value_field) fields = {0};
    for (void *it = json_object_iter(j); it != NULL; it = json_object_iter_next(j, it)) {
        const char *key = arena_strdup(a, json_object_iter_key(it));
        const struct value *v = from_json(a, json_object_iter_value(it));
        vec_push(a, &fields, (struct value_field){key, strlen(key), v});
    }
    return value_object(a, fields.at, fields.n, NULL);
}

static const struct value *from_json(struct arena *a, json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_NULL: return value_null();
    case JSON_TRUE: return value_bool(true);
    case JSON_FALSE: return value_bool(false);
    case JSON_INTEGER: return value_int(a, json_integer_value(j));
    case JSON_REAL: return value_float(a, json_real_value(j), NULL);
    case JSON_STRING: return string_from_json(a, j);
    case JSON_ARRAY: return array_from_json(a, j);
    case JSON_OBJECT: return object_from_json(a, j);
    }
    return NULL;
}

// Turns hex into bytes. Returns a malloc'ed block of exactly n bytes, so that a sanitizer sees
// every step beyond it.
static unsigned char *from_hex(const char *hex, size_t *n)
{
    *n = strlen(hex) / 2;
    unsigned char *bytes = malloc(*n + (*n == 0));
    for (size_t i = 0; i < *n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
    return bytes;
}

static void split(char *line, size_t columns, char **column)
{
    for (size_t i = 0; i < columns; i++) {
        size_t n = strcspn(line, "\t");
        assert_int_equal(line[n] == '\t', i + 1 < columns);
        column[i] = line;
        line += n + (line[n] == '\t');
        column[i][n] = '\0';
    }
}

// Calls `check` with the columns of every line of a table. Returns the number of lines.
static size_t each_line(struct arena *a, const char *path, size_t columns,
                        void (*check)(struct arena *, char **))
{
    const char *error = NULL;
    size_t n, lines = 0;
    char *text = file_read(a, path, 0, &n, &error), *next = text, *column[4];
    if (text == NULL)
        fail_msg("%s", error);
    for (char *line; (line = next) != NULL && *line != '\0';) {
        next = strchr(line, '\n');
        assert_non_null(next);
        *next++ = '\0';
        if (*line == '#')
            continue;
        split(line, columns, column);
        check(a, column);
        lines++;
    }
    free(text);
    return lines;
}

static void check_vector(struct arena *a, char **column)
{
    json_error_t where;
    json_t *j = json_loads(column[0], JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
    assert_non_null(j);
    const struct value *v = from_json(a, j);
    json_decref(j);
    size_t n;
    unsigned char *bytes = from_hex(column[1], &n);
    struct buf out = {0};
    lcb_encode(v, &out);
    if (out.n != n || memcmp(out.at, bytes, n) != 0)
        fail_msg("%s encodes to other bytes", column[0]);
    struct latent_error e = {0};
    const struct value *back = lcb_decode(a, bytes, n, &e);
    if (back == NULL)
        fail_msg("%s: %s: %s", column[0], e.code, e.message);
    assert_true(value_equal(v, back));
    assert_true(value_validate(a, back, &e));
    // No proper prefix of an encoding is one.
    for (size_t k = 0; k < n; k++)
        assert_null(lcb_decode(a, bytes, k, NULL));
    buf_free(&out);
    free(bytes);
}

static void vectors_hold_both_ways(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_true(each_line(&a, "tests/vectors/lcb.tsv", 2, check_vector) >= 90);
    arena_free(&a);
}

static void check_refusal(struct arena *a, char **column)
{
    size_t n;
    unsigned char *bytes = from_hex(column[3], &n);
    struct latent_error e = {0};
    if (lcb_decode(a, bytes, n, &e) != NULL)
        fail_msg("%s is accepted", column[0]);
    if (strcmp(e.code, column[1]) != 0)
        fail_msg("%s: %s expected, but: %s: %s", column[0], column[1], e.code, e.message);
    assert_true(strlen(e.message) > 10);
    if (e.offset != strtoul(column[2], NULL, 10))
        fail_msg("%s: offset %s expected, not %zu", column[0], column[2], e.offset);
    free(bytes);
}

static void malformed_input_is_refused(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_true(each_line(&a, "tests/vectors/lcb_bad.tsv", 4, check_refusal) >= 80);
    arena_free(&a);
}

// -- what JSON cannot say -------------------------------------------------------------------------

static void bytes_and_nul_have_encodings(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    lcb_encode(value_bytes(&a, "\xFF\0\r", 3), &b);
    lcb_encode(value_bytes(&a, "", 0), &b);
    lcb_encode(value_text(&a, "a\0", 2, NULL), &b);
    static const unsigned char expected[] = {4, 3, 0xFF, 0, '\r', 4, 0, 3, 2, 'a', 0};
    assert_int_equal(b.n, sizeof expected);
    assert_memory_equal(b.at, expected, sizeof expected);
    const struct value *v = lcb_decode(&a, expected, 5, NULL);
    assert_int_equal(v->kind, VALUE_BYTES);
    assert_memory_equal(v->as.bytes.at, "\xFF\0\r", 4);
    buf_free(&b);
    arena_free(&a);
}

static void every_power_of_two_survives(void **state)
{
    (void)state;
    struct arena a = {0};
    for (unsigned k = 0; k < 64; k++)
        for (int delta = -1; delta <= 1; delta++)
            for (int sign = 0; sign < 2; sign++) {
                uint64_t u = (UINT64_C(1) << k) + (uint64_t)(int64_t)delta;
                int64_t i;
                u = sign ? ~u : u;
                memcpy(&i, &u, sizeof i);
                struct buf b = {0};
                lcb_encode(value_int(&a, i), &b);
                assert_true(b.n <= 11);
                assert_true(lcb_decode(&a, b.at, b.n, NULL)->as.integer == i);
                buf_free(&b);
            }
    arena_free(&a);
}

// Counts that only claim to be large must not cost memory.
static void claims_take_no_memory(void **state)
{
    (void)state;
    enum { N = 100000 };
    unsigned char *bytes = calloc(N, 1);
    static const unsigned char claim[] = {LCB_ARR_START, 0x80, 0x80, 4};
    size_t at = 0;
    for (int i = 0; i < 60; i++) { // arrays in arrays, each said to hold 65536 items
        memcpy(bytes + at, claim, sizeof claim);
        at += 4;
    }
    struct arena a = {0};
    struct latent_error e = {0};
    assert_null(lcb_decode(&a, bytes, N, &e));
    assert_string_equal(e.code, "E_LC_PARSE");
    assert_true(a.used < 100000);
    arena_free(&a);
    free(bytes);
}

static void the_error_may_be_left_out(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_null(lcb_decode(&a, "\x0C", 1, NULL));
    assert_null(lcb_decode(&a, NULL, 0, NULL));
    arena_free(&a);
}

// -- generated values -----------------------------------------------------------------------------

static void check_identity(struct arena *a, const struct value *v, struct buf *lcb)
{
    struct latent_error e = {0};
    struct buf again = {0};
    assert_true(value_validate(a, v, &e));
    lcb_encode(v, lcb);
    const struct value *back = lcb_decode(a, lcb->at, lcb->n, &e);
    if (back == NULL)
        fail_msg("%s: %s", e.code, e.message);
    assert_true(value_equal(v, back));
    assert_int_equal(value_depth(v), value_depth(back));
    lcb_encode(back, &again);
    assert_int_equal(lcb->n, again.n);
    assert_memory_equal(lcb->at, again.at, again.n);
    buf_free(&again);
}

static void generated_values_come_back(void **state)
{
    (void)state;
    struct chance s = {.state = 20240229};
    for (long round = 0; round < chance_rounds(20000); round++) {
        struct arena a = {0};
        struct buf one = {0}, two = {0};
        s.arena = &a;
        const struct value *v = any_value(&s, 1), *w = any_value(&s, 1);
        check_identity(&a, v, &one);
        check_identity(&a, w, &two);
        bool same = one.n == two.n && memcmp(one.at, two.at, one.n) == 0;
        assert_int_equal(value_equal(v, w), same);
        buf_free(&one);
        buf_free(&two);
        arena_free(&a);
    }
}

// Whatever a changed byte decodes to encodes to exactly the changed bytes.
static void what_is_accepted_is_canonical(void **state)
{
    (void)state;
    struct chance s = {.state = 7};
    size_t accepted = 0;
    for (long round = 0; round < chance_rounds(100000); round++) {
        struct arena a = {0};
        struct buf b = {0}, again = {0};
        s.arena = &a;
        lcb_encode(any_value(&s, 1), &b);
        b.at[chance_below(&s, (unsigned)b.n)] = (char)chance_next(&s);
        const struct value *v = lcb_decode(&a, b.at, b.n, NULL);
        if (v != NULL) {
            lcb_encode(v, &again);
            assert_int_equal(b.n, again.n);
            assert_memory_equal(b.at, again.at, b.n);
            accepted++;
        }
        buf_free(&b);
        buf_free(&again);
        arena_free(&a);
    }
    assert_in_range(accepted, chance_rounds(100000) / 10, chance_rounds(100000) / 100 * 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_both_ways),
        cmocka_unit_test(malformed_input_is_refused),
        cmocka_unit_test(bytes_and_nul_have_encodings),
        cmocka_unit_test(every_power_of_two_survives),
        cmocka_unit_test(claims_take_no_memory),
        cmocka_unit_test(the_error_may_be_left_out),
        cmocka_unit_test(generated_values_come_back),
        cmocka_unit_test(what_is_accepted_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
