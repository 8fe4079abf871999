// codec_test.c: tests of all codecs together: every value comes back from every one of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "latent/codec.h"
#include "latent/handle.h"
#include "latent/lcb.h"
#include "latent/lcr.h"
#include "tests/unit/value_kit.h"

// Through one codec and back. The text must be the same when the value that came back is written.
static void there_and_back(const struct codec *c, unsigned level, const struct value *v)
{
    struct arena a = {0};
    struct sink text = {0}, again = {0};
    struct latent_error e = {0};
    c->encode(v, level, &text);
    const struct value *back = c->decode(&a, text.buf.at, text.buf.n, &e);
    if (back == NULL)
        fail_msg("%s %u: %s at %zu: %s\n%s", c->name, level, e.code, e.offset, e.message,
                 text.buf.at);
    if (!value_equal(v, back) || !value_validate(&a, back, &e))
        fail_msg("%s %u: another value came back from\n%s", c->name, level, text.buf.at);
    c->encode(back, level, &again);
    assert_int_equal(text.buf.n, again.buf.n);
    assert_memory_equal(text.buf.at, again.buf.at, text.buf.n);
    if (text.buf.n > 1 || !c->text)
        assert_string_equal(codec_guess(text.buf.at, text.buf.n)->name, c->name);
    buf_free(&text.buf);
    buf_free(&again.buf);
    arena_free(&a);
}

static void every_codec(const struct value *v)
{
    for (const struct codec *c = codecs; c->name != NULL; c++)
        for (unsigned level = 0; level <= c->max_level; level++)
            there_and_back(c, level, v);
}

static void generated_values_come_back(void **state)
{
    (void)state;
    struct chance s = {.state = 20261121};
    for (long round = chance_rounds(3000); round > 0; round--) {
        struct arena a = {0};
        s.arena = &a;
        every_codec(any_value(&s, 1));
        arena_free(&a);
    }
}

static void different_values_have_different_handles(void **state)
{
    (void)state;
    struct chance s = {.state = 803};
    for (long round = chance_rounds(10000); round > 0; round--) {
        struct arena a = {0};
        s.arena = &a;
        const struct value *v = any_value(&s, 5), *w = any_value(&s, 5);
        struct handle x = handle_of(v), y = handle_of(w);
        assert_int_equal(value_equal(v, w), handle_equal(&x, &y));
        arena_free(&a);
    }
}

// -- changed texts --------------------------------------------------------------------------------

static size_t without_space(char *s, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (strchr(" \t\r\n", s[i]) == NULL || s[i] == '\0')
            s[k++] = s[i];
    return k;
}

// What LC-T accepts differs from what is written by white space only.
static void same_but_for_space(struct buf *read, struct buf *written)
{
    read->n = without_space(read->at, read->n);
    written->n = without_space(written->at, written->n);
    assert_int_equal(read->n, written->n);
    assert_memory_equal(read->at, written->at, read->n);
}

// A changed text is refused, or it is a text of the value that it gives.
static bool change_one(struct chance *s, const struct codec *c, unsigned level)
{
    struct arena a = {0};
    struct sink text = {0}, again = {0};
    s->arena = &a;
    c->encode(any_value(s, 3), level, &text);
    struct buf *b = &text.buf;
    b->at[chance_below(s, (unsigned)b->n)] = b->at[chance_below(s, (unsigned)b->n)];
    struct latent_error e = {0};
    const struct value *v = c->decode(&a, b->at, b->n, &e);
    if (v == NULL) {
        assert_non_null(e.message);
        assert_true(e.offset + e.width <= b->n);
    } else {
        c->encode(v, level, &again);
        const struct value *back = c->decode(&a, again.buf.at, again.buf.n, &e);
        assert_true(back != NULL && value_equal(v, back) && value_validate(&a, v, &e));
        if (strcmp(c->name, "lct") == 0)
            same_but_for_space(b, &again.buf);
    }
    buf_free(b);
    buf_free(&again.buf);
    arena_free(&a);
    s->arena = NULL;
    return v != NULL;
}

static void changed_texts_are_refused_or_values(void **state)
{
    (void)state;
    struct chance s = {.state = 7};
    for (const struct codec *c = codecs + 1; c->name != NULL; c++) {
        long rounds = chance_rounds(20000), accepted = 0;
        for (long i = 0; i < rounds; i++)
            accepted += change_one(&s, c, (unsigned)(i % (c->max_level + 1)));
        assert_in_range(accepted, rounds / 50, rounds - rounds / 50);
    }
}

// -- vectors --------------------------------------------------------------------------------------

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static void unescape(char *s, struct buf *out)
{
    buf_puts(out, "");
    for (; *s != '\0'; s++)
        if (*s == '%') {
            buf_putc(out, (char)(hex(s[1]) << 4 | hex(s[2])));
            s += 2;
        } else {
            buf_putc(out, *s);
        }
}

// Calls `check` with the columns of every line of a table. Returns the number of lines.
static size_t each_line(const char *path, size_t columns, void (*check)(struct arena *, char **))
{
    struct arena a = {0};
    const char *error = NULL;
    size_t n, lines = 0;
    char *text = file_read(&a, path, 0, &n, &error), *next = text;
    if (text == NULL)
        fail_msg("%s", error);
    for (char *line; (line = next) != NULL && *line != '\0';) {
        char *column[5];
        next = strchr(line, '\n');
        assert_non_null(next);
        *next++ = '\0';
        if (*line == '#')
            continue;
        for (size_t i = 0; i < columns; i++) {
            column[i] = line;
            line += strcspn(line, "\t");
            assert_int_equal(*line == '\t', i + 1 < columns);
            *line++ = '\0';
        }
        check(&a, column);
        lines++;
    }
    free(text);
    arena_free(&a);
    return lines;
}

// form, level, LC-B in hexadecimal, text
static void check_form(struct arena *a, char **column)
{
    const struct codec *c = codec_find(column[0]);
    struct buf lcb = {0};
    struct sink text = {0};
    struct latent_error e = {0};
    for (const char *p = column[2]; *p != '\0'; p += 2)
        buf_putc(&lcb, (char)(hex(p[0]) << 4 | hex(p[1])));
    const struct value *v = lcb_decode(a, lcb.at, lcb.n, &e);
    assert_non_null(v);
    const struct value *read = c->decode(a, column[3], strlen(column[3]), &e);
    if (read == NULL || !value_equal(v, read))
        fail_msg("%s %s is read as something else: %s", column[0], column[3],
                 read ? "" : e.message);
    if (strcmp(column[0], "json") == 0)
        value_json(v, 0, &text.buf);
    else
        c->encode(v, (unsigned)atoi(column[1]), &text);
    assert_string_equal(text.buf.at, column[3]);
    buf_free(&lcb);
    buf_free(&text.buf);
}

static void forms_hold_both_ways(void **state)
{
    (void)state;
    assert_true(each_line("tests/vectors/forms.tsv", 4, check_form) >= 600);
}

// codec, name, code, line:column, text
static void check_refusal(struct arena *a, char **column)
{
    struct buf text = {0};
    struct latent_error e = {0};
    struct sources sources;
    struct diags d;
    unescape(column[4], &text);
    const struct codec *c = codec_find(column[0]);
    if (c->decode(a, text.at, text.n, &e) != NULL)
        fail_msg("%s is accepted", column[1]);
    sources_init(&sources, a);
    diags_init(&d, a, &sources);
    codec_report(c, sources_add(&sources, "x", text.at, text.n), &e, &d);
    struct place at = source_place(&sources, 1, d.list.at[0]->span.start);
    if (strcmp(e.code, column[2]) != 0 ||
        strcmp(arena_printf(a, "%u:%u", at.line, at.col), column[3]) != 0)
        fail_msg("%s: %u:%u: %s: %s", column[1], at.line, at.col, e.code, e.message);
    assert_true(strlen(e.message) > 10 && e.offset + e.width <= text.n);
    buf_free(&text);
}

static void malformed_texts_are_refused_where_they_are_wrong(void **state)
{
    (void)state;
    assert_true(each_line("tests/vectors/text_bad.tsv", 5, check_refusal) >= 170);
}

// -- what is free ---------------------------------------------------------------------------------

static void read_as(const char *name, const char *text, const char *json)
{
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value *v = codec_find(name)->decode(&a, text, strlen(text), &e);
    if (v == NULL)
        fail_msg("%s: %s", text, e.message);
    assert_true(value_equal(v, value_from_json(&a, json, strlen(json), &e)));
    arena_free(&a);
}

static void white_space_is_free(void **state)
{
    (void)state;
    read_as("lct", " [\n\tARR_START,INT(1) ,\r\nTEXT(\"a b\"), ARR_END\n]\n", "[1, \"a b\"]");
    read_as("lcr", " ⋔[ 🜃1 ⋅ ᛭\"a b\" ]\n", "[1, \"a b\"]");
    read_as("lcr", "⊕[ 1 \"a b\"\n]", "[1, \"a b\"]");
    read_as("json", " [1 ,\n\"a b\" ]\n", "[1, \"a b\"]");
}

static void level_0_is_read_with_and_without_what_is_optional(void **state)
{
    (void)state;
    const char *json = "{\"902\": {\"@0\": \"test\", \"@1\": \"&h_shader\"}}";
    read_as("lcr", "🜊902🜁0 \"test\"🜁1 ⟁shader🜂", json);
    read_as("lcr", "🜊902🜁0 ᛭\"test\"🜁1⟁shader🜂", json);
    read_as("lcr", "🜊902🜁\"@0\" \"test\" 🜁1 ⟁shader 🜂", json);
    read_as("lcr", "⋕{᛭\"902\"⋯⋕{᛭\"@0\"⋯᛭\"test\"⋅᛭\"@1\"⋯⟁shader}}", json);
}

// -- large bytes ----------------------------------------------------------------------------------

struct pieces {
    const void *large; // where one piece is expected to be
    size_t count, bytes, largest;
    bool seen;
};

static bool take_piece(void *ctx, const void *bytes, size_t n)
{
    struct pieces *p = ctx;
    p->count++;
    p->bytes += n;
    p->largest = n > p->largest ? n : p->largest;
    p->seen |= bytes == p->large;
    return true;
}

static bool refuse_piece(void *ctx, const void *bytes, size_t n)
{
    (void)bytes, (void)n;
    ++*(int *)ctx;
    return false;
}

static void large_bytes_go_through_a_sink_without_a_copy(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    struct arena a = {0};
    char *bytes = calloc(N, 1);
    assert_non_null(bytes);
    const struct value *item[] = {value_int(&a, 1), value_borrowed(&a, VALUE_BYTES, bytes, N)};
    const struct value *v = value_array(&a, item, 2);
    struct pieces p = {.large = bytes};
    struct sink sink = {.write = take_piece, .ctx = &p};
    lcb_write(v, &sink);
    assert_true(sink_close(&sink));
    assert_true(p.seen && p.bytes == lcb_size(v) && p.largest == N);
    p = (struct pieces){0};
    sink = (struct sink){.write = take_piece, .ctx = &p};
    codec_find("lct")->encode(v, 0, &sink);
    assert_true(sink_close(&sink));
    assert_true(p.bytes > 2 * N && p.largest < 2 * SINK_PIECE);
    int asked = 0;
    sink = (struct sink){.write = refuse_piece, .ctx = &asked};
    codec_find("lct")->encode(v, 0, &sink);
    assert_false(sink_close(&sink));
    assert_int_equal(asked, 1); // nothing is sent after a refusal
    free(bytes);
    arena_free(&a);
}

static void bytes_in_place_point_into_the_input(void **state)
{
    (void)state;
    static const unsigned char lcb[] = {4, 3, 'a', 'b', 'c'};
    struct arena a = {0};
    const struct value *v = lcb_decode_in_place(&a, lcb, sizeof lcb, NULL);
    assert_ptr_equal(v->as.bytes.at, lcb + 2);
    v = lcb_decode(&a, lcb, sizeof lcb, NULL);
    assert_ptr_not_equal(v->as.bytes.at, lcb + 2);
    arena_free(&a);
}

// -- other ----------------------------------------------------------------------------------------

static void json_is_mapped_both_ways(void **state)
{
    (void)state;
    static const char *const as_written[] = {
        "{\"$bytes\": \"00ff\"}",
        "\"&h_x\"",
        "{\"$text\": \"&h_x\"}",
        "{\"$object\": {\"$bytes\": \"00ff\"}}",
        "{\"$schema\": 1}",
        "1.0",
        "1e+30",
        "{\"$object\": {\"$object\": {\"$text\": \"&h_\"}, \"a\": 1}}",
        "\"a\\u0000b\"",
    };
    static const char *const other[][2] = {{"-0", "0"},
                                           {"-0.0", "0.0"},
                                           {"1E3", "1000.0"},
                                           {"\"a\\r\\nb\\/\"", "\"a\\nb/\""},
                                           {"{\"b\":1,\"a\":2}", "{\"a\": 2, \"b\": 1}"},
                                           {"{\"$bytes\": \"AbCd\"}", "{\"$bytes\": \"abcd\"}"}};
    struct arena a = {0};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof as_written / sizeof *as_written; i++) {
        const char *json = as_written[i];
        buf_clear(&b);
        value_json(value_from_json(&a, json, strlen(json), NULL), 0, &b);
        assert_string_equal(b.at, json);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        buf_clear(&b);
        value_json(value_from_json(&a, other[i][0], strlen(other[i][0]), NULL), 0, &b);
        assert_string_equal(b.at, other[i][1]);
    }
    buf_free(&b);
    arena_free(&a);
}

// A text that builds more than a decoder allows is not written.
static void long_repetitions_are_written_at_a_level_that_is_read(void **state)
{
    (void)state;
    enum { FEW = 1000000, MANY = 1100000 }; // the limit is 16,777,216 / 16 of them (L8.5)
    struct arena a = {0};
    const struct value **item = calloc(MANY, sizeof *item), *zero = value_int(&a, 0);
    assert_non_null(item);
    for (size_t i = 0; i < MANY; i++)
        item[i] = zero;
    const struct value *few = value_array(&a, item, FEW), *many = value_array(&a, item, MANY);
    struct sink text = {0};
    codec_find("lcr")->encode(few, 12, &text);
    assert_true(text.buf.n < 32); // a mark, the item, a count
    there_and_back(codec_find("lcr"), 12, few);
    buf_clear(&text.buf);
    codec_find("lcr")->encode(many, 12, &text);
    assert_memory_equal(text.buf.at, "⊜", 3); // level 6, which has no repetitions
    there_and_back(codec_find("lcr"), 12, many);
    buf_free(&text.buf);
    free(item);
    arena_free(&a);
}

// What references would build is refused before it is built.
static void references_are_worth_no_more_than_the_text(void **state)
{
    (void)state;
    struct arena a = {0};
    struct latent_error e = {0};
    struct buf text = {0};
    buf_puts(&text, "⊝◇[0→1×1000]");
    for (int c = 'a'; c < 'z'; c++) // each entry holds the one before it a hundred times
        buf_printf(&text, "[%c×100]", c);
    buf_puts(&text, "→z");
    assert_null(lcr_decode(&a, text.at, text.n, &e));
    assert_non_null(strstr(e.message, "too much"));
    assert_true(a.used < 1 << 20);
    buf_free(&text);
    arena_free(&a);
}

static void the_table_guesses(void **state)
{
    (void)state;
    assert_string_equal(codec_guess("", 0)->name, "lcb");
    assert_string_equal(codec_guess("\n", 1)->name, "lcb"); // true
    assert_string_equal(codec_guess("\t\x04&h_a", 6)->name, "lcb");
    assert_string_equal(codec_guess("\n[1]", 4)->name, "json");
    assert_string_equal(codec_guess(" [ NULL]", 8)->name, "lct");
    assert_string_equal(codec_guess("[null]", 6)->name, "json");
    assert_string_equal(codec_guess("⟡1", 4)->name, "lcr");
    assert_null(codec_find("xml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_values_come_back),
        cmocka_unit_test(different_values_have_different_handles),
        cmocka_unit_test(changed_texts_are_refused_or_values),
        cmocka_unit_test(forms_hold_both_ways),
        cmocka_unit_test(malformed_texts_are_refused_where_they_are_wrong),
        cmocka_unit_test(white_space_is_free),
        cmocka_unit_test(level_0_is_read_with_and_without_what_is_optional),
        cmocka_unit_test(large_bytes_go_through_a_sink_without_a_copy),
        cmocka_unit_test(bytes_in_place_point_into_the_input),
        cmocka_unit_test(json_is_mapped_both_ways),
        cmocka_unit_test(long_repetitions_are_written_at_a_level_that_is_read),
        cmocka_unit_test(references_are_worth_no_more_than_the_text),
        cmocka_unit_test(the_table_guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
