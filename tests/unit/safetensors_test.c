// safetensors_test.c: tests of safetensors files: canonical bytes, round trips, and refusals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/safetensors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DIMS(...) ((const int64_t[]){__VA_ARGS__})

static void encoded(struct arena *a, const struct safetensor *list, size_t n,
                    const char *const *pairs, size_t nmeta, struct buf *out)
{
    const char *error = NULL;
    if (!safetensors_encode(a, list, n, pairs, nmeta, out, &error))
        fail_msg("%s", error);
}

// A file of the header's JSON, spaces up to a multiple of 8, and the data.
static void expect(const struct buf *file, const char *json, const void *data, size_t n)
{
    size_t used = strlen(json), length = (used + 7) / 8 * 8;
    unsigned char prefix[8] = {(unsigned char)length, (unsigned char)(length >> 8)};
    assert_int_equal(file->n, 8 + length + n);
    assert_memory_equal(file->at, prefix, 8);
    if (memcmp(file->at + 8, json, used) != 0)
        fail_msg("header: %.*s", (int)length, file->at + 8);
    for (size_t i = used; i < length; i++)
        assert_int_equal(file->at[8 + i], ' ');
    assert_memory_equal(file->at + 8 + length, data, n);
}

static void the_bytes_are_the_reference_writers(void **state)
{
    (void)state;
    const float w[6] = {0, 1, 2, 3, 4, 5};
    const struct safetensor t = {"w", DT_F32, 2, DIMS(2, 3), w};
    const char *const pairs[] = {"format", "pt"};
    struct arena a = {0};
    struct buf b = {0};
    encoded(&a, &t, 1, NULL, 0, &b);
    expect(&b, "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", w, 24);
    assert_int_equal(b.at[0], 64); // 57 of JSON and 7 spaces
    buf_clear(&b);
    encoded(&a, &t, 1, pairs, 1, &b);
    expect(&b,
           "{\"__metadata__\":{\"format\":\"pt\"},"
           "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}",
           w, 24);
    buf_clear(&b);
    encoded(&a, NULL, 0, NULL, 0, &b);
    expect(&b, "{}", "", 0);
    buf_free(&b);
    arena_free(&a);
}

// One tensor of every type, and two of some, given out of order.
static const uint32_t mask[3] = {1, 0, 1};
static const struct safetensor all_types[] = {
    {"mask", DT_BOOL, 1, DIMS(3), mask},      {"u8", DT_U8, 1, DIMS(2), "ab"},
    {"i8", DT_I8, 1, DIMS(1), "c"},           {"f16", DT_F16, 1, DIMS(1), "de"},
    {"bf16", DT_BF16, 1, DIMS(1), "fg"},      {"i32", DT_I32, 1, DIMS(1), "hijk"},
    {"u32", DT_U32, 1, DIMS(1), "lmno"},      {"b.f32", DT_F32, 0, NULL, "pqrs"},
    {"a.f32", DT_F32, 2, DIMS(0, 4), NULL},   {"B.f32", DT_F32, 1, DIMS(1), "tuvw"},
    {"a.f16", DT_F16, 2, DIMS(1, 2), "xyz!"},
};

static const char all_header[] =
    "{\"B.f32\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
    "\"a.f32\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[4,4]},"
    "\"b.f32\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},"
    "\"u32\":{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[8,12]},"
    "\"i32\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[12,16]},"
    "\"bf16\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[16,18]},"
    "\"a.f16\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[18,22]},"
    "\"f16\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[22,24]},"
    "\"i8\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[24,25]},"
    "\"u8\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[25,27]},"
    "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[27,30]}}";

static void wider_types_come_first_then_names(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    encoded(&a, all_types, COUNT(all_types), NULL, 0, &b);
    expect(&b, all_header, "tuvwpqrslmnohijkfgxyz!decab\1\0\1", 30);
    buf_free(&b);
    arena_free(&a);
}

static void names_are_escaped_as_json_has_it(void **state)
{
    (void)state;
    const struct safetensor t = {"q\"\\\b\f\n\r\t\x01\x1f\x7f/\xC3\xA9", DT_U8, 1, DIMS(0), NULL};
    const char *const pairs[] = {"b", "2", "a", "1\n"};
    struct arena a = {0};
    struct buf b = {0};
    encoded(&a, &t, 1, pairs, 2, &b);
    expect(&b,
           "{\"__metadata__\":{\"a\":\"1\\n\",\"b\":\"2\"},"
           "\"q\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\xC3\xA9\":"
           "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
           "", 0);
    struct safetensors back;
    const char *error = NULL;
    assert_true(safetensors_read(&a, b.at, b.n, &back, &error));
    assert_string_equal(back.at[0].name, t.name);
    assert_int_equal(back.nmeta, 2);
    assert_string_equal(back.metadata_pairs[1], "1\n");
    buf_free(&b);
    arena_free(&a);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    const struct safetensor w = {"w", DT_U8, 0, NULL, "x"};
    const struct safetensor twice[] = {w, {"v", DT_U8, 0, NULL, "x"}, w};
    const struct safetensor reserved = {"__metadata__", DT_U8, 0, NULL, "x"};
    const struct safetensor broken = {"\xFF", DT_U8, 0, NULL, "x"};
    const struct safetensor negative = {"n", DT_U8, 1, DIMS(-1), "x"};
    const struct safetensor huge = {"h", DT_F32, 2, DIMS(INT64_MAX, 2), "x"};
    const char *const same[] = {"k", "1", "k", "2"}, *const bad[] = {"k", "\xC0"};
    const struct {
        const struct safetensor *list;
        size_t n;
        const char *const *pairs;
        size_t nmeta;
        const char *part;
    } cases[] = {
        {twice, 3, NULL, 0, "`w` is given twice"}, {&reserved, 1, NULL, 0, "keeps for itself"},
        {&broken, 1, NULL, 0, "not valid UTF-8"},  {&negative, 1, NULL, 0, "impossible shape"},
        {&huge, 1, NULL, 0, "impossible shape"},   {&w, 1, same, 2, "`k` is given twice"},
        {&w, 1, bad, 1, "not valid UTF-8"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct buf b = {0};
        const char *error = "";
        assert_false(safetensors_encode(&a, cases[i].list, cases[i].n, cases[i].pairs,
                                        cases[i].nmeta, &b, &error));
        if (strstr(error, cases[i].part) == NULL)
            fail_msg("case %zu: %s", i, error);
        buf_free(&b);
        arena_free(&a);
    }
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    const char *const pairs[] = {"format", "pt"};
    struct arena a = {0};
    struct buf b = {0}, again = {0};
    const char *error = NULL;
    struct safetensors back;
    encoded(&a, all_types, COUNT(all_types), pairs, 1, &b);
    if (!safetensors_read(&a, b.at, b.n, &back, &error))
        fail_msg("%s", error);
    assert_int_equal(back.n, COUNT(all_types));
    assert_int_equal(back.nmeta, 1);
    assert_string_equal(back.metadata_pairs[0], "format");
    assert_string_equal(back.metadata_pairs[1], "pt");
    const struct safetensor *last = &back.at[back.n - 1];
    assert_string_equal(last->name, "mask");
    assert_memory_equal(last->data, mask, sizeof mask);
    encoded(&a, back.at, back.n, back.metadata_pairs, back.nmeta, &again);
    assert_int_equal(b.n, again.n);
    assert_memory_equal(b.at, again.at, b.n);
    buf_free(&b);
    buf_free(&again);
    arena_free(&a);
}

static void files_are_written_whole(void **state)
{
    (void)state;
    char dir[] = "/tmp/hlx-safetensors-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct arena a = {0};
    struct buf b = {0};
    const char *error = NULL, *path = path_join(&a, dir, "w.safetensors");
    encoded(&a, all_types, COUNT(all_types), NULL, 0, &b);
    assert_true(safetensors_write(&a, path, all_types, COUNT(all_types), NULL, 0, &error));
    size_t n;
    char *bytes = file_read(&a, path, 0, &n, &error);
    assert_non_null(bytes);
    assert_int_equal(n, b.n);
    assert_memory_equal(bytes, b.at, n);
    const struct safetensor bad = {"w", DT_U8, 1, DIMS(-1), NULL};
    assert_false(safetensors_write(&a, path, &bad, 1, NULL, 0, &error));
    assert_non_null(strstr(error, path));
    assert_false(safetensors_write(&a, path_join(&a, dir, "none/w"), NULL, 0, NULL, 0, &error));
    assert_non_null(strstr(error, "none/w"));
    unlink(path);
    assert_int_equal(rmdir(dir), 0); // nothing else was left behind
    free(bytes);
    buf_free(&b);
    arena_free(&a);
}

// Builds a file of a header text and some zero bytes of data, and reads it.
static bool read_header(struct arena *a, const char *header, size_t data, const char **error)
{
    size_t length = strlen(header), n = 8 + length + data;
    unsigned char *bytes = calloc(n, 1); // of its exact size, for the sanitizer
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    for (size_t i = 0; i < length; i++)
        bytes[8 + i] = (unsigned char)header[i];
    struct safetensors out;
    bool ok = safetensors_read(a, bytes, n, &out, error);
    free(bytes);
    return ok;
}

// A tensor described by dtype, shape and offsets.
#define TENSOR(name, dtype, shape, offsets)                                                        \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void other_writers_files_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
    } good[] = {
        {"{}", 0},
        {"{}   ", 0},
        {"{ \"__metadata__\" : {} }", 0},
        {"{\"w\":{\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\"}}", 4},
        {"{" TENSOR("b", "U8", "[3]", "[1,4]") "," TENSOR("a", "I8", "[1]", "[0,1]") "}", 4},
        {"{" TENSOR("e", "F32", "[0,9223372036854775807]", "[0,0]") "}", 0},
        {"{" TENSOR("e", "U8", "[0]", "[2,2]") "," TENSOR("f", "U8", "[2]", "[0,2]") "}", 2},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct arena a = {0};
        const char *error = NULL;
        if (!read_header(&a, good[i].header, good[i].data, &error))
            fail_msg("%s: %s", good[i].header, error);
        arena_free(&a);
    }
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *part;
    } bad[] = {
        {"", 0, "does not begin with {"},
        {" {}", 0, "does not begin with {"},
        {"[]", 0, "does not begin with {"},
        {"{", 0, "not valid JSON"},
        {"{} x", 0, "not valid JSON"},
        {"{}{}", 0, "not valid JSON"},
        {"{\"\xFF\":1}", 0, "not valid JSON"},
        {"{}", 1, "belong to no tensor"},
        {"{\"w\":1}", 0, "not described by"},
        {"{\"w\":{}}", 0, "not described by"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[],\"offsets\":[0,1]}}", 1, "no data_offsets"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"x\":1}}", 1, "described"},
        {"{" TENSOR("w", "F31", "[1]", "[0,4]") "}", 4, "dtype `F31`"},
        {"{" TENSOR("w", "F64", "[1]", "[0,8]") "}", 8, "dtype `F64`"},
        {"{" TENSOR("w\\u001b[2J", "F64", "[1]", "[0,8]") "}", 8, "tensor `w\xEF\xBF\xBD[2J`"},
        {"{" TENSOR("w", "U8", "3", "[0,3]") "}", 3, "no shape"},
        {"{" TENSOR("w", "U8", "[-1]", "[0,1]") "}", 1, "whole numbers"},
        {"{" TENSOR("w", "U8", "[1.0]", "[0,1]") "}", 1, "whole numbers"},
        {"{" TENSOR("w", "U8", "[18446744073709551617]", "[0,1]") "}", 1, "not valid JSON"},
        {"{" TENSOR("w", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "do not fit"},
        {"{" TENSOR("w", "F32", "[4611686018427387904]", "[0,0]") "}", 0, "do not fit"},
        {"{" TENSOR("w", "U8", "[1]", "[0]") "}", 1, "no data_offsets"},
        {"{" TENSOR("w", "U8", "[1]", "[0,1,2]") "}", 1, "no data_offsets"},
        {"{" TENSOR("w", "U8", "[1]", "[\\\"0\\\",1]") "}", 1, "not valid JSON"},
        {"{" TENSOR("w", "U8", "[1]", "[-1,0]") "}", 1, "outside of the file"},
        {"{" TENSOR("w", "U8", "[1]", "[1,0]") "}", 1, "outside of the file"},
        {"{" TENSOR("w", "U8", "[2]", "[0,2]") "}", 1, "outside of the file"},
        {"{" TENSOR("w", "U8", "[2]", "[0,1]") "}", 1, "do not fit"},
        {"{" TENSOR("w", "U8", "[1]", "[1,2]") "}", 2, "comes after unused"},
        {"{" TENSOR("w", "U8", "[1]", "[0,1]") "}", 2, "belong to no tensor"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1]") "," TENSOR("b", "U8", "[1]", "[0,1]") "}", 1,
         "overlaps"},
        {"{" TENSOR("a", "U8", "[2]", "[0,2]") "," TENSOR("b", "U8", "[2]", "[1,3]") "}", 3,
         "overlaps"},
        {"{" TENSOR("a", "U8", "[1]", "[0,1]") "," TENSOR("a", "U8", "[1]", "[1,2]") "}", 2,
         "not valid JSON"},
        {"{\"__metadata__\":1}", 0, "not an object"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "more than strings"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "not valid JSON"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct arena a = {0};
        const char *error = "";
        if (read_header(&a, bad[i].header, bad[i].data, &error))
            fail_msg("%s is accepted", bad[i].header);
        if (strstr(error, bad[i].part) == NULL)
            fail_msg("%s: %s", bad[i].header, error);
        arena_free(&a);
    }
}

static void nested_json_is_no_danger(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct arena a = {0};
    struct buf b = {0};
    const char *error = "";
    buf_puts(&b, "{\"w\":");
    buf_fill(&b, '[', N);
    assert_false(read_header(&a, b.at, 0, &error));
    assert_non_null(strstr(error, "not valid JSON"));
    buf_free(&b);
    arena_free(&a);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    encoded(&a, all_types, COUNT(all_types), NULL, 0, &b);
    for (size_t n = 0; n < b.n; n++) {
        struct safetensors out;
        const char *error = NULL;
        unsigned char *copy = malloc(n + (n == 0));
        memcpy(copy, b.at, n);
        assert_false(safetensors_read(&a, copy, n, &out, &error));
        assert_non_null(error);
        free(copy);
    }
    buf_free(&b);
    arena_free(&a);
}

static void lengths_and_bools_are_checked(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    struct safetensors out;
    const char *error = NULL;
    assert_false(safetensors_read(&a, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, &out, &error));
    assert_non_null(strstr(error, "exceed"));
    assert_false(safetensors_read(&a, "\x03\0\0\0\0\0\0\0{}", 10, &out, &error));
    assert_non_null(strstr(error, "truncated"));
    const struct safetensor t = {"m", DT_BOOL, 1, DIMS(3), mask};
    encoded(&a, &t, 1, NULL, 0, &b);
    b.at[b.n - 1] = 2;
    assert_false(safetensors_read(&a, b.at, b.n, &out, &error));
    assert_non_null(strstr(error, "other than 0 and 1"));
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_the_reference_writers),
        cmocka_unit_test(wider_types_come_first_then_names),
        cmocka_unit_test(names_are_escaped_as_json_has_it),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(files_are_written_whole),
        cmocka_unit_test(other_writers_files_are_read),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(nested_json_is_no_danger),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(lengths_and_bools_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
