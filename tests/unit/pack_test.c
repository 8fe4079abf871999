// pack_test.c: tests of packs: contents, canonical bytes, and everything the reader refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "latent/lcb.h"
#include "latent/pack.h"

// A pack of a root that refers to two objects, one of them twice.
struct sample {
    struct arena arena;
    struct handle root, text, number;
    struct buf bytes;
};

static const struct value *sample_root(struct sample *s)
{
    const struct value *text = handle_value(&s->arena, &s->text);
    const struct value *number = handle_value(&s->arena, &s->number);
    const struct value_field fields[] = {{"again", 5, text}, {"n", 1, number}, {"text", 4, text}};
    return value_object(&s->arena, fields, 3, NULL);
}

static void sample_open(struct sample *s)
{
    memset(s, 0, sizeof *s);
    struct pack_writer w;
    pack_writer_init(&w, &s->arena);
    s->text = pack_add(&w, value_str(&s->arena, "hello"));
    s->number = pack_add(&w, value_int(&s->arena, 42));
    s->root = pack_add(&w, sample_root(s));
    pack_write(&w, &s->root, &s->bytes);
}

static void sample_close(struct sample *s)
{
    buf_free(&s->bytes);
    arena_free(&s->arena);
}

// Makes the trailing hash fit what stands before it.
static void rehash(unsigned char *bytes, size_t n)
{
    sha256_of(bytes, n - HANDLE_BYTES, bytes + n - HANDLE_BYTES);
}

static void refused(const void *bytes, size_t n, const char *code, const char *part)
{
    struct arena a = {0};
    struct latent_error e = {0};
    struct pack p;
    // A copy of exactly n bytes shows a sanitizer every step beyond it.
    unsigned char *copy = malloc(n + (n == 0));
    memcpy(copy, bytes, n);
    assert_false(pack_read(&a, copy, n, &p, NULL));
    assert_false(pack_read(&a, copy, n, &p, &e));
    if (strcmp(e.code, code) != 0 || strstr(e.message, part) == NULL)
        fail_msg("%s ... %s expected, but: %s: %s", code, part, e.code, e.message);
    free(copy);
    arena_free(&a);
}

static void a_pack_gives_back_its_objects(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    struct latent_error e = {0};
    struct pack p;
    assert_true(pack_read(&s.arena, s.bytes.at, s.bytes.n, &p, &e));
    assert_int_equal(p.n, 3);
    assert_true(handle_equal(&p.root, &s.root));
    const struct value *root = pack_get(&s.arena, &p, &p.root, &e);
    assert_true(value_equal(root, sample_root(&s)));
    const struct value *text = pack_resolve(&s.arena, &p, value_get(root, "text"), &e);
    assert_string_equal(text->as.bytes.at, "hello");
    assert_ptr_equal(pack_resolve(&s.arena, &p, text, &e), text);
    for (size_t i = 1; i < p.n; i++)
        assert_true(memcmp(p.object[i - 1].handle.sha, p.object[i].handle.sha, HANDLE_BYTES) < 0);
    sample_close(&s);
}

static void what_is_not_in_the_pack_is_reported(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    struct latent_error e = {0};
    struct pack p;
    assert_true(pack_read(&s.arena, s.bytes.at, s.bytes.n, &p, &e));
    struct handle other = handle_of(value_null());
    char text[HANDLE_TEXT + 1];
    handle_text(&other, text);
    assert_null(pack_get(&s.arena, &p, &other, &e));
    assert_string_equal(e.code, "E_HANDLE_NOT_FOUND");
    assert_non_null(strstr(e.message, text));
    e = (struct latent_error){0};
    assert_null(pack_resolve(&s.arena, &p, value_handle(&s.arena, "&h_shader", NULL), &e));
    assert_string_equal(e.code, "E_HANDLE_NOT_FOUND");
    assert_non_null(strstr(e.message, "&h_shader"));
    sample_close(&s);
}

static void the_order_of_adding_does_not_matter(void **state)
{
    (void)state;
    enum { N = 200 };
    struct arena a = {0};
    struct buf up = {0}, down = {0};
    struct pack_writer w, x;
    struct handle root = {{0}};
    pack_writer_init(&w, &a);
    pack_writer_init(&x, &a);
    for (int i = 0; i < N; i++)
        root = pack_add(&w, value_int(&a, i));
    for (int i = 2 * N - 1; i >= 0; i--)
        pack_add(&x, value_int(&a, i % N));
    pack_write(&w, &root, &up);
    pack_write(&x, &root, &down);
    assert_int_equal(up.n, down.n);
    assert_memory_equal(up.at, down.at, up.n);
    struct pack p;
    assert_true(pack_read(&a, up.at, up.n, &p, NULL));
    assert_int_equal(p.n, N);
    buf_free(&up);
    buf_free(&down);
    arena_free(&a);
}

// The layout that spec/hbin.md H1 promises, byte by byte, for a pack of null alone.
static void the_layout_is_the_specified_one(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    struct pack_writer w;
    pack_writer_init(&w, &a);
    struct handle root = pack_add(&w, value_null());
    pack_write(&w, &root, &b);
    unsigned char expected[52 + 48 + 1 + 32] = "\x89HLX\r\n\x1a\n\x01";
    memcpy(expected + 12, root.sha, 32);
    expected[44] = 1;
    memcpy(expected + 52, root.sha, 32);
    expected[84] = 100;
    expected[92] = 1;
    rehash(expected, sizeof expected);
    assert_int_equal(b.n, sizeof expected);
    assert_memory_equal(b.at, expected, sizeof expected);
    buf_free(&b);
    arena_free(&a);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    for (size_t n = 0; n < s.bytes.n; n++)
        refused(s.bytes.at, n, "E_PACK_TRUNCATED", "truncated");
    buf_putc(&s.bytes, '\0');
    refused(s.bytes.at, s.bytes.n, "E_PACK_DAMAGED", "follows");
    sample_close(&s);
}

static void every_changed_byte_is_refused(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    for (size_t i = 0; i < s.bytes.n; i++)
        for (int flip = 1; flip < 256; flip++) {
            struct arena a = {0};
            struct latent_error e = {0};
            struct pack p;
            s.bytes.at[i] = (char)(s.bytes.at[i] ^ flip);
            if (pack_read(&a, s.bytes.at, s.bytes.n, &p, &e))
                fail_msg("byte %zu, flip %02x", i, flip);
            assert_memory_equal(e.code, "E_PACK_", 7);
            s.bytes.at[i] = (char)(s.bytes.at[i] ^ flip);
            arena_free(&a);
        }
    sample_close(&s);
}

static void foreign_and_newer_files_are_told_apart(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    unsigned char *bytes = (unsigned char *)s.bytes.at;
    refused("\x7f"
            "ELF and so on",
            14, "E_PACK_FOREIGN", "not a Helix pack");
    refused("{", 1, "E_PACK_FOREIGN", "not a Helix pack");
    refused("\x89PNG\r\n\x1a\n", 8, "E_PACK_FOREIGN", "not a Helix pack");
    refused("\x89HLX\n\x1a\n\x01\0\0\0", 11, "E_PACK_DAMAGED", "as text");
    refused("\tHLX\r\n\x1a\n\x01\0\0\0", 12, "E_PACK_DAMAGED", "as text");
    refused("\x89HLX\r\r\n\x1a\r\n\x01\0", 12, "E_PACK_DAMAGED", "as text");
    refused("\x89HLX is a picture", 16, "E_PACK_FOREIGN", "not a Helix pack");
    refused("\x89HLX\r\n\x1a\n\2\0\0\0", 12, "E_PACK_VERSION", "version 2");
    bytes[PACK_AT_VERSION] = 2;
    rehash(bytes, s.bytes.n);
    refused(bytes, s.bytes.n, "E_PACK_VERSION", "version 2, which is newer");
    bytes[PACK_AT_VERSION] = 0;
    rehash(bytes, s.bytes.n);
    refused(bytes, s.bytes.n, "E_PACK_DAMAGED", "version is 0");
    sample_close(&s);
}

static void a_pack_without_objects_has_no_root(void **state)
{
    (void)state;
    unsigned char bytes[PACK_HEADER + HANDLE_BYTES] = PACK_MAGIC "\x01";
    rehash(bytes, sizeof bytes);
    refused(bytes, sizeof bytes, "E_PACK_DAMAGED", "root object is missing");
}

// One change to a good pack, with the trailing hash made to fit.
struct change {
    size_t at;
    const char *bytes;
    size_t n;
    const char *code, *part;
};

static void a_fitting_hash_is_not_enough(void **state)
{
    (void)state;
    struct sample s;
    sample_open(&s);
    const size_t entry = PACK_HEADER + PACK_ENTRY, object = PACK_HEADER + 3 * PACK_ENTRY;
    const struct change changes[] = {
        {PACK_AT_ROOT, "\0\0", 2, "E_PACK_DAMAGED", "root object is missing"},
        {PACK_AT_COUNT, "\4", 1, "E_PACK_", ""},
        {PACK_AT_COUNT, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, "E_PACK_TRUNCATED", "truncated"},
        {PACK_AT_COUNT, "\0\0\0\x10", 4, "E_PACK_TRUNCATED", "truncated"},
        {PACK_AT_COUNT, "\2", 1, "E_PACK_DAMAGED", "does not begin"},
        {PACK_AT_COUNT, "\0", 1, "E_PACK_DAMAGED", "follows"},
        {entry, "\0\0\0\0", 4, "E_PACK_DAMAGED", "out of order"},
        {entry + 32, "\1", 1, "E_PACK_DAMAGED", "does not begin"},
        {entry + 40, "\0\0\0\0\0\0\0\0", 8, "E_PACK_DAMAGED", "has no bytes"},
        {entry + 40, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, "E_PACK_TRUNCATED", "truncated"},
        {entry + 40 + PACK_ENTRY, "\xFF\xFF", 2, "E_PACK_TRUNCATED", "truncated"},
        {object, "\x55", 1, "E_PACK_DAMAGED", "does not match its handle"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *c = &changes[i];
        unsigned char *bytes = malloc(s.bytes.n);
        memcpy(bytes, s.bytes.at, s.bytes.n);
        memcpy(bytes + c->at, c->bytes, c->n);
        rehash(bytes, s.bytes.n);
        struct arena a = {0};
        struct latent_error e = {0};
        struct pack p;
        assert_false(pack_read(&a, bytes, s.bytes.n, &p, &e));
        if (strncmp(e.code, c->code, strlen(c->code)) != 0 || strstr(e.message, c->part) == NULL)
            fail_msg("change %zu: %s: %s", i, e.code, e.message);
        arena_free(&a);
        free(bytes);
    }
    sample_close(&s);
}

// An object that is what its handle says, but not LC-B: made by hand, as no writer would.
static void an_object_that_is_not_lcb_is_reported(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    struct pack_writer w;
    struct buf b = {0};
    struct pack p;
    pack_writer_init(&w, &a);
    struct handle root = pack_add(&w, value_bool(true));
    pack_write(&w, &root, &b);
    unsigned char *bytes = (unsigned char *)b.at;
    bytes[PACK_HEADER + PACK_ENTRY] = LCB_ARR_END;
    root = handle_of_bytes(bytes + PACK_HEADER + PACK_ENTRY, 1);
    memcpy(bytes + PACK_AT_ROOT, root.sha, HANDLE_BYTES);
    memcpy(bytes + PACK_HEADER, root.sha, HANDLE_BYTES);
    rehash(bytes, b.n);
    assert_true(pack_read(&a, bytes, b.n, &p, &e));
    assert_null(pack_get(&a, &p, &root, &e));
    assert_string_equal(e.code, "E_HANDLE_NOT_FOUND");
    assert_non_null(strstr(e.message, "E_LC_PARSE"));
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_gives_back_its_objects),
        cmocka_unit_test(what_is_not_in_the_pack_is_reported),
        cmocka_unit_test(the_order_of_adding_does_not_matter),
        cmocka_unit_test(the_layout_is_the_specified_one),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(foreign_and_newer_files_are_told_apart),
        cmocka_unit_test(a_pack_without_objects_has_no_root),
        cmocka_unit_test(a_fitting_hash_is_not_enough),
        cmocka_unit_test(an_object_that_is_not_lcb_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
