// diag_test.c: tests of sources, spans and rendered diagnostics.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/diag.h"

#define REPLACED "\xEF\xBF\xBD"

struct fixture {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct buf out;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sources_init(&f->sources, &f->arena);
    diags_init(&f->diags, &f->arena, &f->sources);
    *state = f;
    return f ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    buf_free(&f->out);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static uint32_t add(struct fixture *f, const char *name, const char *text)
{
    return sources_add(&f->sources, name, text, strlen(text));
}

// The span of the first occurrence of `part`.
static struct span find(const struct fixture *f, uint32_t file, const char *part)
{
    const char *text = sources_get(&f->sources, file)->text, *at = strstr(text, part);
    assert_non_null(at);
    uint32_t start = (uint32_t)(at - text);
    return (struct span){file, start, start + (uint32_t)strlen(part)};
}

static const char *render(struct fixture *f, enum diag_format format)
{
    buf_clear(&f->out);
    diags_render(&f->diags, format, false, &f->out);
    return f->out.at ? f->out.at : "";
}

static void places(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a", "one\r\n\ttwo\n\nᚠᚢ x");
    struct place p = source_place(&f->sources, file, 0);
    assert_int_equal(p.line, 1);
    assert_int_equal(p.col, 1);
    assert_int_equal(p.line_len, 3);
    p = source_place(&f->sources, file, 6);
    assert_int_equal(p.line, 2);
    assert_int_equal(p.col, 9);
    assert_int_equal(p.byte_col, 2);
    p = source_place(&f->sources, file, 10);
    assert_int_equal(p.line, 3);
    assert_int_equal(p.line_len, 0);
    p = source_place(&f->sources, file, 18);
    assert_int_equal(p.line, 4);
    assert_int_equal(p.col, 4);
    assert_int_equal(p.byte_col, 8);
    p = source_place(&f->sources, file, 4000000000u);
    assert_int_equal(p.line, 4);
    assert_int_equal(p.col, 5);
    p = source_place(&f->sources, add(f, "empty", ""), 0);
    assert_int_equal(p.line, 1);
    assert_int_equal(p.col, 1);
    assert_null(sources_get(&f->sources, 0));
    assert_null(sources_get(&f->sources, 3));
}

static void spans_join(void **state)
{
    (void)state;
    struct span a = {1, 5, 9}, b = {1, 2, 6}, other = {2, 0, 1}, none = {0};
    struct span j = span_join(a, b);
    assert_int_equal(j.start, 2);
    assert_int_equal(j.end, 9);
    assert_int_equal(span_join(none, b).file, 1);
    assert_int_equal(span_join(a, none).end, 9);
    assert_int_equal(span_join(a, other).end, 9);
}

static void text_has_the_documented_shape(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "model.hlxl",
                        "# 1\n# 2\n# 3\n# 4\n# 5\n# 6\n"
                        "    let y = x + bias;\n}\n");
    struct diag *g = diag_error(&f->diags, find(f, file, "x + bias"), "HLX0301",
                                "shapes do not match in `+`: %s and %s", "f32[4, 16]", "f32[8]");
    diag_caret(g, "%d against %d in the last dimension", 16, 8);
    diag_note(g, find(f, file, "}"), "called from");
    diag_help(g, "make them\nequal");
    static const char expect[] =
        "model.hlxl:7:13: error[HLX0301]: shapes do not match in `+`: f32[4, 16] and f32[8]\n"
        "   7 |     let y = x + bias;\n"
        "     |             ^^^^^^^^ 16 against 8 in the last dimension\n"
        "  = note: called from model.hlxl:8:1\n"
        "  = help: make them\n"
        "          equal\n";
    assert_string_equal(render(f, DIAG_SHORT), "model.hlxl:7:13: error[HLX0301]: shapes do not "
                                               "match in `+`: f32[4, 16] and f32[8]\n");
    char with_count[600];
    snprintf(with_count, sizeof(with_count), "%s1 error\n", expect);
    assert_string_equal(render(f, DIAG_TEXT), with_count);
}

static void labels_show_their_own_lines(void **state)
{
    struct fixture *f = *state;
    uint32_t a = add(f, "a.hlxl", "let x = 1;\nlet x = 2;\n"), b = add(f, "b.hlxl", "use x;");
    struct span second = find(f, a, "x = 2");
    second.end = second.start + 1;
    struct diag *g = diag_warning(&f->diags, second, "HLX0101", "`x` is defined twice");
    struct span first = find(f, a, "x");
    diag_label(g, first, "first here");
    diag_label(g, find(f, b, "x"), "used here");
    assert_string_equal(render(f, DIAG_TEXT), "a.hlxl:2:5: warning[HLX0101]: `x` is defined twice\n"
                                              "   2 | let x = 2;\n"
                                              "     |     ^\n"
                                              "   1 | let x = 1;\n"
                                              "     |     - first here\n"
                                              "  = b.hlxl:1:5:\n"
                                              "   1 | use x;\n"
                                              "     |     - used here\n"
                                              "1 warning\n");
}

static void carets_follow_display_columns(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a", "\tᚠ日e\xCC\x81 bad 日本\t!\n");
    diag_error(&f->diags, find(f, file, "bad"), "E", "one");
    diag_error(&f->diags, find(f, file, "日本"), "E", "two");
    diag_error(&f->diags, find(f, file, "\t!"), "E", "three");
    assert_string_equal(render(f, DIAG_TEXT), "a:1:14: error[E]: one\n"
                                              "   1 |         ᚠ日e\xCC\x81 bad 日本   !\n"
                                              "     |              ^^^\n"
                                              "a:1:18: error[E]: two\n"
                                              "   1 |         ᚠ日e\xCC\x81 bad 日本   !\n"
                                              "     |                  ^^^^\n"
                                              "a:1:22: error[E]: three\n"
                                              "   1 |         ᚠ日e\xCC\x81 bad 日本   !\n"
                                              "     |                      ^^^^\n"
                                              "3 errors\n");
}

static void spans_inside_a_character_cover_it(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a", "x日y");
    diag_error(&f->diags, (struct span){file, 2, 3}, "E", "inside");
    assert_string_equal(render(f, DIAG_TEXT) + strlen("a:1:3: error[E]: inside\n"), "   1 | x日y\n"
                                                                                    "     |  ^^\n"
                                                                                    "1 error\n");
}

static void long_spans_stop_at_the_line_end(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a", "  f(1,   \r\n    2)\n");
    diag_error(&f->diags, find(f, file, "f(1,   \r\n    2)"), "E", "m");
    diag_error(&f->diags, find(f, file, "\r"), "E", "n");
    assert_string_equal(render(f, DIAG_TEXT), "a:1:3: error[E]: m\n"
                                              "   1 |   f(1,\n"
                                              "     |   ^^^^\n"
                                              "a:1:10: error[E]: n\n"
                                              "   1 |   f(1,\n"
                                              "     |          ^\n"
                                              "2 errors\n");
}

static void the_end_of_the_file_is_a_place(void **state)
{
    struct fixture *f = *state;
    uint32_t with = add(f, "with", "a\n"), without = add(f, "without", "ab");
    diag_error(&f->diags, (struct span){with, 2, 2}, "E", "end");
    diag_error(&f->diags, (struct span){without, 2, 2}, "E", "end");
    diag_error(&f->diags, (struct span){without, 99, 4000000000u}, "E", "beyond");
    diag_error(&f->diags, (struct span){add(f, "empty", ""), 0, 0}, "E", "empty");
    assert_string_equal(render(f, DIAG_TEXT), "with:2:1: error[E]: end\n"
                                              "   2 |\n"
                                              "     | ^\n"
                                              "without:1:3: error[E]: end\n"
                                              "   1 | ab\n"
                                              "     |   ^\n"
                                              "without:1:3: error[E]: beyond\n"
                                              "   1 | ab\n"
                                              "     |   ^\n"
                                              "empty:1:1: error[E]: empty\n"
                                              "   1 |\n"
                                              "     | ^\n"
                                              "4 errors\n");
}

static void no_place_gives_no_snippet(void **state)
{
    struct fixture *f = *state;
    struct diag *g = diag_error(&f->diags, (struct span){0}, "E_IO", "cannot read `x`");
    diag_caret(g, "never shown");
    diag_label(g, (struct span){0}, "a label");
    diag_note(g, (struct span){7, 0, 0}, "a note");
    assert_string_equal(render(f, DIAG_TEXT), "error[E_IO]: cannot read `x`\n"
                                              "  = label: a label\n"
                                              "  = note: a note\n"
                                              "1 error\n");
}

static void hostile_text_is_made_harmless(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a\x1B]0;x\x07", "\x1B[31m red \xFF \xE2\x80\xAE\x7F x\n");
    struct diag *g = diag_error(&f->diags, find(f, file, "x"), "E", "bad \x1B[2J\nname");
    diag_caret(g, "\r\x1B");
    diag_note(g, (struct span){0}, "\x1B");
    static const enum diag_format formats[] = {DIAG_TEXT, DIAG_SHORT, DIAG_JSON};
    for (size_t k = 0; k < 3; k++)
        for (const char *p = render(f, formats[k]); *p != '\0'; p++)
            assert_true((unsigned char)*p >= 0x20 ? *p != 0x7F : *p == '\n');
    assert_string_equal(render(f, DIAG_TEXT),
                        "a" REPLACED "]0;x" REPLACED ":1:16: error[E]: bad " REPLACED "[2J name\n"
                        "   1 | " REPLACED "[31m red " REPLACED " " REPLACED REPLACED " x\n"
                        "     |                ^ " REPLACED REPLACED "\n"
                        "  = note: " REPLACED "\n"
                        "1 error\n");
}

// Checks that no line is wide and that the carets stand under `mark`.
static void check_window(struct fixture *f, uint32_t file, const char *mark, bool cut_left,
                         bool cut_right)
{
    f->diags.list.n = 0;
    diag_error(&f->diags, find(f, file, mark), "E", "m");
    const char *line = strstr(render(f, DIAG_TEXT), "   1 | ") + 7, *end = strchr(line, '\n');
    const char *under = strstr(end, "     | ") + 7, *caret = strchr(under, '^');
    assert_true(text_width(line, (size_t)(end - line), 0, 0) <= 166);
    assert_true((strncmp(line, "...", 3) == 0) == cut_left);
    assert_true((strncmp(end - 3, "...", 3) == 0) == cut_right);
    const char *at = strstr(line, mark);
    assert_non_null(at);
    assert_int_equal(text_width(line, (size_t)(at - line), 0, 0), caret - under);
    assert_int_equal(text_width(mark, strlen(mark), 0, 0), strspn(caret, "^"));
}

static void long_lines_are_cut_around_the_caret(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    buf_puts(&b, "first ");
    for (int i = 0; i < 100; i++)
        buf_puts(&b, "日ᚠ\tx");
    buf_puts(&b, " middle ");
    for (int i = 0; i < 101; i++)
        buf_puts(&b, "日ᚠ\tx");
    buf_puts(&b, " last");
    uint32_t file = add(f, "long", b.at);
    check_window(f, file, "first", false, true);
    check_window(f, file, "middle", true, true);
    check_window(f, file, "last", true, false);
    diag_error(&f->diags, (struct span){file, 0, (uint32_t)b.n}, "E", "all of it");
    const char *carets = strrchr(render(f, DIAG_TEXT), '|') + 2;
    assert_int_equal(strspn(carets, "^"), 160);
    diag_error(&f->diags, (struct span){file, (uint32_t)b.n, (uint32_t)b.n}, "E", "its end");
    assert_int_equal(strspn(strchr(strrchr(render(f, DIAG_TEXT), '|'), '^'), "^"), 1);
    buf_free(&b);
}

static void gutters_widen_for_long_numbers(void **state)
{
    struct fixture *f = *state;
    struct buf b = {0};
    buf_fill(&b, '\n', 12344);
    buf_puts(&b, "x");
    uint32_t file = add(f, "a", b.at);
    buf_free(&b);
    diag_label(diag_error(&f->diags, find(f, file, "\n"), "E", "m"), find(f, file, "x"), "l");
    assert_string_equal(render(f, DIAG_TEXT), "a:1:1: error[E]: m\n"
                                              "    1 |\n"
                                              "      | ^\n"
                                              "12345 | x\n"
                                              "      | - l\n"
                                              "1 error\n");
}

static void errors_beyond_the_limit_are_counted(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 30; i++) {
        assert_true(diags_full(&f->diags) == (i >= 20));
        struct diag *g = diag_error(&f->diags, (struct span){0}, "E", "number %d", i);
        diag_caret(g, "label");
        diag_label(g, (struct span){0}, "label");
        diag_note(g, (struct span){0}, "note");
        diag_help(g, "help");
    }
    diag_warning(&f->diags, (struct span){0}, "W", "a warning");
    assert_int_equal(f->diags.list.n, 21);
    assert_int_equal(f->diags.errors, 30);
    const char *last = strstr(render(f, DIAG_TEXT), "warning[W]");
    assert_string_equal(last, "warning[W]: a warning\n30 errors, 1 warning (10 more not shown)\n");
}

static void nothing_to_say_is_nothing(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(render(f, DIAG_TEXT), "");
    assert_string_equal(render(f, DIAG_SHORT), "");
    assert_string_equal(render(f, DIAG_JSON), "");
}

static const char *member(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void json_is_one_object_a_line(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a \"b\".hlxl", "let ᚠ = 日;\n");
    struct diag *g = diag_error(&f->diags, find(f, file, "日"), "HLX0001", "a \"message\"\n\x1B");
    diag_caret(g, "here");
    diag_note(g, (struct span){0}, "no place");
    diag_label(g, find(f, file, "let"), "a place");
    diag_warning(&f->diags, (struct span){0}, "HLX0002", "no place");
    char *text = strdup(render(f, DIAG_JSON)), *second = strchr(text, '\n') + 1;
    assert_string_equal(strchr(second, '\n'), "\n");
    second[-1] = '\0';
    json_t *o = json_loads(text, 0, NULL), *p = json_loads(second, 0, NULL);
    assert_non_null(o);
    assert_non_null(p);
    assert_string_equal(member(o, "code"), "HLX0001");
    assert_string_equal(member(o, "level"), "error");
    assert_string_equal(member(o, "message"), "a \"message\"\n\x1B");
    assert_string_equal(member(o, "file"), "a \"b\".hlxl");
    assert_string_equal(member(o, "label"), "here");
    assert_int_equal(json_integer_value(json_object_get(o, "line")), 1);
    assert_int_equal(json_integer_value(json_object_get(o, "col")), 9);
    assert_int_equal(json_integer_value(json_object_get(o, "byte_start")), 10);
    assert_int_equal(json_integer_value(json_object_get(o, "byte_end")), 13);
    json_t *parts = json_object_get(o, "parts"), *label = json_array_get(parts, 1);
    assert_int_equal(json_array_size(parts), 2);
    assert_string_equal(member(json_array_get(parts, 0), "kind"), "note");
    assert_true(json_is_null(json_object_get(json_array_get(parts, 0), "place")));
    assert_string_equal(member(label, "kind"), "label");
    assert_string_equal(member(label, "message"), "a place");
    json_t *place = json_object_get(label, "place");
    assert_int_equal(json_integer_value(json_object_get(place, "byte_end")), 3);
    assert_non_null(strstr(member(o, "rendered"), "   1 | let ᚠ = 日;\n     |         ^^ here\n"));
    assert_string_equal(member(p, "level"), "warning");
    assert_true(json_is_null(json_object_get(p, "file")));
    assert_true(json_is_null(json_object_get(p, "line")));
    assert_true(json_is_null(json_object_get(p, "label")));
    json_decref(o);
    json_decref(p);
    free(text);
}

static void color_only_adds_escapes(void **state)
{
    struct fixture *f = *state;
    uint32_t file = add(f, "a", "let x\n");
    diag_help(diag_error(&f->diags, find(f, file, "x"), "E", "m"), "h");
    char *plain = strdup(render(f, DIAG_TEXT)), *to = f->out.at;
    buf_clear(&f->out);
    diags_render(&f->diags, DIAG_TEXT, true, &f->out);
    assert_non_null(strstr(f->out.at, "\x1B[1;31merror[E]\x1B[0m"));
    to = f->out.at;
    for (const char *p = f->out.at; *p != '\0'; p++) {
        if (*p == '\x1B')
            p = strchr(p, 'm');
        else
            *to++ = *p;
    }
    *to = '\0';
    assert_string_equal(f->out.at, plain);
    free(plain);
}

static void color_follows_the_environment(void **state)
{
    (void)state;
    FILE *to = tmpfile();
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
    assert_false(diag_use_color(DIAG_COLOR_AUTO, to));
    assert_true(diag_use_color(DIAG_COLOR_ALWAYS, to));
    setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(diag_use_color(DIAG_COLOR_AUTO, to));
    assert_false(diag_use_color(DIAG_COLOR_NEVER, to));
    setenv("CLICOLOR_FORCE", "0", 1);
    assert_false(diag_use_color(DIAG_COLOR_AUTO, to));
    setenv("CLICOLOR_FORCE", "1", 1);
    setenv("NO_COLOR", "1", 1);
    assert_false(diag_use_color(DIAG_COLOR_AUTO, to));
    assert_true(diag_use_color(DIAG_COLOR_ALWAYS, to));
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
    fclose(to);
}

static void printing_writes_what_rendering_makes(void **state)
{
    struct fixture *f = *state;
    FILE *to = tmpfile();
    diag_error(&f->diags, (struct span){0}, "E", "m");
    diags_print(&f->diags, DIAG_TEXT, DIAG_COLOR_AUTO, to);
    rewind(to);
    char text[100] = "";
    size_t n = fread(text, 1, sizeof(text) - 1, to);
    assert_int_equal(n, strlen("error[E]: m\n1 error\n"));
    assert_string_equal(text, "error[E]: m\n1 error\n");
    fclose(to);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(places),
        TEST(spans_join),
        TEST(text_has_the_documented_shape),
        TEST(labels_show_their_own_lines),
        TEST(carets_follow_display_columns),
        TEST(spans_inside_a_character_cover_it),
        TEST(long_spans_stop_at_the_line_end),
        TEST(the_end_of_the_file_is_a_place),
        TEST(no_place_gives_no_snippet),
        TEST(hostile_text_is_made_harmless),
        TEST(long_lines_are_cut_around_the_caret),
        TEST(gutters_widen_for_long_numbers),
        TEST(errors_beyond_the_limit_are_counted),
        TEST(nothing_to_say_is_nothing),
        TEST(json_is_one_object_a_line),
        TEST(color_only_adds_escapes),
        TEST(color_follows_the_environment),
        TEST(printing_writes_what_rendering_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
