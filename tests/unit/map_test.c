// map_test.c: tests of the hash map.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

static void an_empty_map_finds_nothing(void **state)
{
    (void)state;
    struct arena a = {0};
    struct map m;
    map_init(&m, &a);
    assert_null(map_find_str(&m, "x"));
    assert_null(map_find(&m, NULL, 0));
    arena_free(&a);
}

static void keys_are_copied_and_compared_by_bytes(void **state)
{
    (void)state;
    struct arena a = {0};
    struct map m;
    map_init(&m, &a);
    char key[] = "a\0b";
    bool fresh = false;
    map_put(&m, key, 3, &fresh)->value.u = 1;
    assert_true(fresh);
    key[2] = 'c';
    map_put(&m, key, 3, &fresh)->value.u = 2;
    assert_true(fresh);
    map_put_str(&m, "a", NULL)->value.u = 3;
    map_put(&m, "", 0, &fresh)->value.u = 4;
    assert_true(fresh);
    assert_int_equal(map_find(&m, "a\0b", 3)->value.u, 1);
    assert_int_equal(map_find(&m, "a\0c", 3)->value.u, 2);
    assert_int_equal(map_find_str(&m, "a")->value.u, 3);
    assert_int_equal(map_find(&m, NULL, 0)->value.u, 4);
    assert_null(map_find(&m, "a\0", 2));
    map_put(&m, "a\0b", 3, &fresh)->value.u += 10;
    assert_false(fresh);
    assert_int_equal(map_find(&m, "a\0b", 3)->value.u, 11);
    assert_int_equal(m.n, 4);
    arena_free(&a);
}

static void many_keys_stay_in_order(void **state)
{
    (void)state;
    enum { N = 50000 };
    struct arena a = {0};
    struct map m;
    map_init(&m, &a);
    char key[32];
    for (unsigned i = 0; i < N; i++) {
        bool fresh = false;
        snprintf(key, sizeof(key), "key%u", i * 7);
        map_put_str(&m, key, &fresh)->value.u = i;
        assert_true(fresh);
    }
    assert_int_equal(m.n, N);
    for (unsigned i = 0; i < N; i++) {
        snprintf(key, sizeof(key), "key%u", i * 7);
        assert_string_equal(m.entry[i].key, key);
        assert_int_equal(m.entry[i].value.u, i);
        assert_ptr_equal(map_find_str(&m, key), &m.entry[i]);
        snprintf(key, sizeof(key), "key%u", i * 7 + 1);
        assert_null(map_find_str(&m, key));
    }
    arena_free(&a);
}

static void equal_hash_bits_do_not_mix_keys(void **state)
{
    (void)state;
    // Keys whose hashes agree in the low 10 bits start at one slot.
    struct arena a = {0};
    struct map m;
    map_init(&m, &a);
    uint32_t kept[40];
    size_t n = 0;
    for (uint32_t i = 0; n < 40; i++)
        if ((map_hash(&i, sizeof(i)) & 0x3FF) == 0x3FF)
            kept[n++] = i;
    for (size_t k = 0; k < n; k++)
        map_put(&m, &kept[k], sizeof(kept[k]), NULL)->value.u = k;
    for (size_t k = 0; k < n; k++)
        assert_int_equal(map_find(&m, &kept[k], sizeof(kept[k]))->value.u, k);
    assert_int_equal(m.n, 40);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(keys_are_copied_and_compared_by_bytes),
        cmocka_unit_test(many_keys_stay_in_order),
        cmocka_unit_test(equal_hash_bits_do_not_mix_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
