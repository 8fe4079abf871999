// handle_test.c: tests of SHA-256 and handles.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "latent/handle.h"
#include "latent/lcb.h"

static void expect_sha(const unsigned char sha[HANDLE_BYTES], const char *hex)
{
    char text[HANDLE_TEXT + 1];
    struct handle h;
    memcpy(h.sha, sha, HANDLE_BYTES);
    handle_text(&h, text);
    assert_string_equal(text + 3, hex);
}

// The examples of FIPS 180: the empty message, "abc", and a million times "a".
static void sha256_meets_the_standard(void **state)
{
    (void)state;
    unsigned char sha[HANDLE_BYTES];
    sha256_of("", 0, sha);
    expect_sha(sha, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of("abc", 3, sha);
    expect_sha(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256 *h = sha256_new();
    for (int i = 0; i < 10000; i++)
        sha256_update(h,
                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                      100);
    sha256_final(h, sha);
    expect_sha(sha, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void a_handle_is_the_hash_of_the_encoding(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf lcb = {0};
    const struct value *v = value_str(&a, "hello");
    lcb_encode(v, &lcb);
    struct handle h = handle_of(v), same = handle_of_bytes(lcb.at, lcb.n);
    struct handle other = handle_of(value_str(&a, "hallo"));
    assert_true(handle_equal(&h, &same));
    assert_false(handle_equal(&h, &other));
    h = handle_of(value_null()); // SHA-256 of one zero byte
    expect_sha(h.sha, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    buf_free(&lcb);
    arena_free(&a);
}

static void text_and_handle_map_one_to_one(void **state)
{
    (void)state;
    struct arena a = {0};
    char text[HANDLE_TEXT + 1];
    struct handle h = handle_of(value_int(&a, 42)), back;
    handle_text(&h, text);
    assert_int_equal(strlen(text), HANDLE_TEXT);
    assert_true(handle_parse(text, HANDLE_TEXT, &back));
    assert_true(handle_equal(&h, &back));
    const struct value *v = handle_value(&a, &h);
    assert_int_equal(v->kind, VALUE_HANDLE);
    assert_string_equal(v->as.bytes.at, text);
    assert_true(value_equal(v, value_handle(&a, text, NULL)));
    arena_free(&a);
}

static void other_texts_are_no_full_handles(void **state)
{
    (void)state;
    char text[HANDLE_TEXT + 1];
    struct handle h = handle_of(value_null()), back = h;
    handle_text(&h, text);
    assert_false(handle_parse(text, HANDLE_TEXT - 1, &back));
    assert_false(handle_parse("&h_shader", 9, &back));
    assert_false(handle_parse("", 0, &back));
    for (size_t i = 0; i < HANDLE_TEXT; i++) {
        char good = text[i];
        for (const char *bad = "gGA/:`@ "; *bad != '\0'; bad++) {
            text[i] = *bad;
            assert_false(handle_parse(text, HANDLE_TEXT, &back));
        }
        text[i] = good;
    }
    assert_true(handle_equal(&h, &back)); // untouched by failures
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_meets_the_standard),
        cmocka_unit_test(a_handle_is_the_hash_of_the_encoding),
        cmocka_unit_test(text_and_handle_map_one_to_one),
        cmocka_unit_test(other_texts_are_no_full_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
