// data_test.c: tests of data sources, of the order of samples and of batches.
#define ZLIB_CONST // input is const
#include "runtime/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#include <cmocka.h>

#include "runtime/batch.h"
#include "tests/unit/program_kit.h"

// A module with one data source.
struct origin {
    struct arena arena;
    struct ir_module module;
    struct ir_data data;
    struct data_set set;
    struct hlx_error error;
};

static void origin_init(struct origin *s)
{
    memset(s, 0, sizeof *s);
    ir_module_init(&s->module, &s->arena);
    s->data.name = "d";
}

static void origin_field(struct origin *s, const char *name, enum dtype dtype, unsigned rank,
                         int64_t dim)
{
    ir_typeid t = ir_type_make(&s->module, dtype, rank, &dim, NULL);
    vec_push(&s->arena, &s->data.fields, (struct ir_field){name, t});
}

static void origin_options(struct origin *s, const char *kind, const char *template,
                           const char *tokens, int64_t seq)
{
    const struct value_field f[] = {{"kind", 4, value_str(&s->arena, kind)},
                                    {"text", 4, value_str(&s->arena, template)},
                                    {"tokens", 6, value_str(&s->arena, tokens)},
                                    {"seq", 3, value_int(&s->arena, seq)}};
    s->data.source = value_object(&s->arena, f, sizeof f / sizeof *f, NULL);
    origin_field(s, "x", DT_I32, 1, seq);
    origin_field(s, "y", DT_I32, 1, seq);
}

static bool origin_open(struct origin *s, const void *bytes, size_t n)
{
    const struct value *content = value_bytes(&s->arena, bytes, n);
    return data_open(&s->set, &s->module, &s->data, content, "file.jsonl", &s->error);
}

static void origin_close(struct origin *s)
{
    data_close(&s->set);
    arena_free(&s->arena);
}

static void check_tokens(const struct origin *s, size_t sample, size_t field, const char *want,
                         size_t seq)
{
    int32_t got[16];
    data_read(&s->set, sample, field, got);
    for (size_t i = 0; i < seq; i++)
        assert_int_equal(got[i], (unsigned char)want[i]);
}

// -- jsonl ---------------------------------------------------------------------------------------

static void test_jsonl(void **state)
{
    (void)state;
    struct origin s;
    static const char text[] = "{\"a\": \"hi\", \"b\": \"you\"}\n\n  {\"b\":\"\",\"a\":\"\"}\r\n"
                               "{\"a\":\"longer than that\",\"b\":\"\",\"c\":[1]}";
    origin_init(&s);
    origin_options(&s, "jsonl", "{{{a}}}->{b}", "ascii", 8);
    assert_true(origin_open(&s, text, sizeof text - 1));
    assert_int_equal(s.set.n, 3);
    check_tokens(&s, 0, 0, "{hi}->yo", 8);
    check_tokens(&s, 0, 1, "hi}->you", 8);
    check_tokens(&s, 1, 0, "{}->\0\0\0\0", 8);
    check_tokens(&s, 1, 1, "}->\0\0\0\0\0", 8);
    check_tokens(&s, 2, 0, "{longer ", 8);
    check_tokens(&s, 2, 1, "longer t", 8); // the token behind the cut is still known
    origin_close(&s);
}

static void test_jsonl_gzip(void **state)
{
    (void)state;
    struct origin s;
    static const char text[] = "{\"a\":\"x\"}\n{\"a\":\"y\"}\n";
    unsigned char packed[200];
    z_stream z = {.next_in = (const unsigned char *)text,
                  .avail_in = sizeof text - 1,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = sizeof packed - z.avail_out;
    deflateEnd(&z);
    origin_init(&s);
    origin_options(&s, "jsonl", "{a}", "ascii", 2);
    assert_true(origin_open(&s, packed, n));
    assert_int_equal(s.set.n, 2);
    data_close(&s.set);
    assert_false(origin_open(&s, packed, n - 9)); // cut
    assert_non_null(strstr(s.error.text, "gzip"));
    packed[n - 6] ^= 1; // checksum
    assert_false(origin_open(&s, packed, n));
    origin_close(&s);
}

static void refuse_jsonl(const char *text, const char *tokens, const char *part)
{
    struct origin s;
    origin_init(&s);
    origin_options(&s, "jsonl", "{a}", tokens, 4);
    if (origin_open(&s, text, strlen(text)))
        fail_msg("accepted: %s", text);
    assert_int_equal(s.error.code, EXIT_DATA);
    if (!strstr(s.error.text, part))
        fail_msg("`%s` does not say `%s`", s.error.text, part);
    origin_close(&s);
}

static void test_jsonl_bad_lines(void **state)
{
    (void)state;
    refuse_jsonl("{\"a\":\"x\"}\n{\"a\":\n{\"a\":\"x\"}\n", "ascii", "file.jsonl:2:");
    refuse_jsonl("{\"a\":\"x\"}\n{\"a\" 1}\n", "ascii", "offset 1");
    refuse_jsonl("{\"a\":\"x\"}\n[1]\n", "ascii", "file.jsonl:2: the line is not an object");
    refuse_jsonl("{\"b\":\"x\"}\n", "ascii", "file.jsonl:1: the object has no field `a`");
    refuse_jsonl("{\"a\":3}\n", "ascii", "field `a` is not text");
    refuse_jsonl("{\"a\":\"x\",\"a\":\"y\"}\n", "ascii", "duplicate");
    refuse_jsonl("{\"a\":\"x\"}\n\n{\"a\":\"\xc3\xa9\"}\n", "ascii", "file.jsonl:3:");
    refuse_jsonl("{\"a\":\"\xff\"}\n", "bytes", "file.jsonl:1:");
    refuse_jsonl("{\"a\":\"x\"} trailing\n", "ascii", "file.jsonl:1:");
}

static void test_jsonl_bytes(void **state)
{
    (void)state;
    struct origin s;
    origin_init(&s);
    origin_options(&s, "jsonl", "{a}", "bytes", 4);
    assert_true(origin_open(&s, "{\"a\":\"\xc3\xa9\\u0000z\"}", 17));
    check_tokens(&s, 0, 0, "\xc3\xa9\0z", 4);
    origin_close(&s);
}

static void test_bad_options(void **state)
{
    (void)state;
    static const char *const templates[] = {"{a", "a}", "{}", "{{a}", "{a{b}}"};
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct origin s;
        origin_init(&s);
        origin_options(&s, "jsonl", templates[i], "ascii", 4);
        assert_false(origin_open(&s, "", 0));
        origin_close(&s);
    }
    struct origin s;
    origin_init(&s);
    origin_options(&s, "parquet", "{a}", "ascii", 4);
    assert_false(origin_open(&s, "", 0));
    assert_non_null(strstr(s.error.text, "parquet"));
    origin_close(&s);
}

// -- text ----------------------------------------------------------------------------------------

static void test_text(void **state)
{
    (void)state;
    struct origin s;
    origin_init(&s);
    origin_options(&s, "text", "", "ascii", 4);
    assert_true(origin_open(&s, "abcdefghijklm", 13));
    assert_int_equal(s.set.n, 3); // 12 tokens have one behind them
    check_tokens(&s, 0, 0, "abcd", 4);
    check_tokens(&s, 0, 1, "bcde", 4);
    check_tokens(&s, 2, 0, "ijkl", 4);
    check_tokens(&s, 2, 1, "jklm", 4);
    data_close(&s.set);
    assert_false(origin_open(&s, "ab\nc\xe9 ...", 9));
    assert_non_null(strstr(s.error.text, "file.jsonl:2:2: byte 0xe9 (at offset 4)"));
    assert_true(origin_open(&s, "", 0));
    assert_int_equal(s.set.n, 0);
    origin_close(&s);
}

// -- table ---------------------------------------------------------------------------------------

static void test_table(void **state)
{
    (void)state;
    struct origin s;
    origin_init(&s);
    const struct value *rows[] = {
        value_array(
            &s.arena,
            (const struct value *[]){value_int(&s.arena, 1), value_float(&s.arena, 0.1, NULL)}, 2),
        value_array(&s.arena,
                    (const struct value *[]){value_float(&s.arena, -2.5, NULL),
                                             value_int(&s.arena, 16777217)},
                    2)};
    const struct value *flags[] = {value_bool(true), value_bool(false)};
    const struct value_field columns[] = {{"flag", 4, value_array(&s.arena, flags, 2)},
                                          {"x", 1, value_array(&s.arena, rows, 2)}};
    const struct value_field kind[] = {{"kind", 4, value_str(&s.arena, "table")}};
    s.data.source = value_object(&s.arena, kind, 1, NULL);
    origin_field(&s, "x", DT_F32, 1, 2);
    origin_field(&s, "flag", DT_BOOL, 0, 0);
    const struct value *content = value_object(&s.arena, columns, 2, NULL);
    assert_true(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    assert_int_equal(s.set.n, 2);
    float x[2];
    uint32_t flag;
    data_read(&s.set, 0, 0, x);
    assert_true(x[0] == 1.0f && x[1] == 0.1f);
    data_read(&s.set, 1, 0, x);
    assert_true(x[0] == -2.5f && x[1] == 16777216.0f);
    data_read(&s.set, 0, 1, &flag);
    assert_int_equal(flag, 1);
    data_close(&s.set);
    s.data.fields.at[0].type = ir_type_scalar(&s.module, DT_F32); // rows of another shape
    assert_false(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    s.data.fields.at[0].name = "z";
    assert_false(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    assert_non_null(strstr(s.error.text, "`z`"));
    assert_false(
        data_open(&s.set, &s.module, &s.data, value_bytes(&s.arena, "", 0), "d", &s.error));
    origin_close(&s);
}

// -- idx -----------------------------------------------------------------------------------------

static const struct value *idx_content(struct arena *a, const void *images, size_t n,
                                       const void *labels, size_t m)
{
    const struct value_field f[] = {{"images", 6, value_bytes(a, images, n)},
                                    {"labels", 6, value_bytes(a, labels, m)}};
    return value_object(a, f, 2, NULL);
}

static void test_idx(void **state)
{
    (void)state;
    static const unsigned char images[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 255, 51, 2, 3};
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 200};
    struct origin s;
    origin_init(&s);
    const struct value_field kind[] = {{"kind", 4, value_str(&s.arena, "idx")}};
    s.data.source = value_object(&s.arena, kind, 1, NULL);
    origin_field(&s, "x", DT_F32, 1, 3);
    origin_field(&s, "y", DT_I32, 0, 0);
    const struct value *content =
        idx_content(&s.arena, images, sizeof images, labels, sizeof labels);
    assert_true(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    assert_int_equal(s.set.n, 2);
    float x[3];
    int32_t y;
    data_read(&s.set, 0, 0, x);
    assert_true(x[0] == 0.0f && x[1] == 1.0f / 255.0f && x[2] == 1.0f);
    data_read(&s.set, 1, 0, x);
    assert_true(x[0] == 0.2f);
    data_read(&s.set, 1, 1, &y);
    assert_int_equal(y, 200);
    data_close(&s.set);
    for (size_t n = 0; n < sizeof images; n++) { // every truncation
        content = idx_content(&s.arena, images, n, labels, sizeof labels);
        assert_false(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    }
    static const unsigned char huge[] = {0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    content = idx_content(&s.arena, huge, sizeof huge, labels, sizeof labels);
    assert_false(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    content = idx_content(&s.arena, images, sizeof images, labels, sizeof labels - 1);
    assert_false(data_open(&s.set, &s.module, &s.data, content, "d", &s.error));
    origin_close(&s);
}

// -- order and batches ---------------------------------------------------------------------------

// Every epoch is a permutation; epochs and seeds differ; one is that of spec/running.md, R3.2.
static void test_shuffle(void **state)
{
    (void)state;
    enum { N = 1000 };
    uint32_t a[N], b[N], c[N];
    bool seen[N] = {false};
    batches_shuffle(a, N, 0, 1);
    batches_shuffle(b, N, 0, 2);
    batches_shuffle(c, N, 1, 1);
    for (size_t i = 0; i < N; i++) {
        assert_true(a[i] < N && !seen[a[i]]);
        seen[a[i]] = true;
    }
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    batches_shuffle(b, N, 0, 1);
    assert_memory_equal(a, b, sizeof a);
    uint32_t small[5];
    batches_shuffle(small, 5, 0, 1);
    static const uint32_t want[5] = {4, 2, 0, 3, 1};
    assert_memory_equal(small, want, sizeof small);
    batches_shuffle(small, 1, 0, 1);
    assert_int_equal(small[0], 0);
}

static void open_table(struct kit *k, struct data_set *set, int samples, bool shuffle)
{
    struct hlx_error e;
    kit_open(k, ".", samples, 1, shuffle);
    const struct ir_data *d = &k->module.data.at[0];
    if (!data_open(set, &k->module, d, d->content, "line", &e))
        fail_msg("%s", e.text);
}

static void test_batches_drop(void **state)
{
    (void)state;
    struct kit k;
    struct data_set set;
    struct batches b;
    struct hlx_error e;
    open_table(&k, &set, 5, false);
    assert_true(batches_open(&b, &k.module, &k.module.entries.at[0], &set, &e));
    assert_int_equal(b.steps, 2);
    assert_int_equal(b.size, 2);
    batches_epoch(&b, 0, 1);
    assert_int_equal(batches_fill(&b, 1), 2);
    const float *x = b.input[0], *y = b.input[1];
    assert_true(x[0] == 3 && x[1] == 4 && y[0] == 6 && y[1] == 8);
    batches_close(&b);
    data_close(&set);
    kit_close(&k);
}

static void test_batches_pad_with_weight(void **state)
{
    (void)state;
    struct kit k;
    struct data_set set;
    struct batches b;
    struct hlx_error e;
    open_table(&k, &set, 5, false);
    assert_true(batches_open(&b, &k.module, &k.module.entries.at[1], &set, &e));
    assert_int_equal(b.steps, 2);
    assert_int_equal(batches_fill(&b, 0), 3);
    assert_int_equal(batches_fill(&b, 1), 2);
    const float *x = b.input[0], *w = b.input[1];
    assert_true(x[0] == 4 && x[1] == 5 && x[2] == 0);
    assert_true(w[0] == 1 && w[1] == 1 && w[2] == 0);
    batches_close(&b);
    data_close(&set);
    kit_close(&k);
}

static void test_batches_shuffled(void **state)
{
    (void)state;
    struct kit k;
    struct data_set set;
    struct batches b;
    struct hlx_error e;
    open_table(&k, &set, 4, true);
    assert_true(batches_open(&b, &k.module, &k.module.entries.at[0], &set, &e));
    batches_epoch(&b, 3, 7);
    uint32_t order[4];
    batches_shuffle(order, 4, 3, 7);
    for (size_t i = 0; i < 4; i++) {
        batches_fill(&b, i / 2);
        assert_true(((const float *)b.input[0])[i % 2] == (float)order[i] + 1);
    }
    batches_close(&b);
    data_close(&set);
    kit_close(&k);
}

static void test_batches_refused(void **state)
{
    (void)state;
    struct kit k;
    struct data_set set;
    struct batches b;
    struct hlx_error e;
    open_table(&k, &set, 1, false);
    struct ir_entry *entry = &k.module.entries.at[0];
    assert_false(batches_open(&b, &k.module, entry, &set, &e));
    assert_non_null(strstr(e.text, "fewer than a batch of 2"));
    assert_false(batches_open(&b, &k.module, entry, NULL, &e));
    assert_non_null(strstr(e.text, "names no data"));
    entry->inputs.at[1].name = "z";
    assert_false(batches_open(&b, &k.module, entry, &set, &e));
    assert_non_null(strstr(e.text, "`z`"));
    entry->inputs.at[1].name = "weight"; // the right type for it
    assert_true(batches_open(&b, &k.module, entry, &set, &e));
    batches_close(&b);
    entry->inputs.at[0].type = ir_type_scalar(&k.module, DT_F32);
    assert_false(batches_open(&b, &k.module, entry, &set, &e));
    assert_non_null(strstr(e.text, "no batch"));
    data_close(&set);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonl),
        cmocka_unit_test(test_jsonl_gzip),
        cmocka_unit_test(test_jsonl_bad_lines),
        cmocka_unit_test(test_jsonl_bytes),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_batches_drop),
        cmocka_unit_test(test_batches_pad_with_weight),
        cmocka_unit_test(test_batches_shuffled),
        cmocka_unit_test(test_batches_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
