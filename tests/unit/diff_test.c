// diff_test.c: applying a diff to the old text gives the new one.
#include "frontend/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end + 1 : at + strlen(at);
}

// Copies `n` lines, or all that are left.
static const char *copy_lines(const char *from, size_t n, struct buf *out)
{
    while (n-- > 0 && *from) {
        const char *end = next_line(from);
        buf_put(out, from, (size_t)(end - from));
        from = end;
    }
    return from;
}

// Applies one hunk; `line` counts the old lines passed.
static const char *apply_hunk(const char *diff, const char **old_text, size_t *line,
                              struct buf *out)
{
    size_t from, count, to, new_count;
    assert_int_equal(sscanf(diff, "@@ -%zu,%zu +%zu,%zu @@", &from, &count, &to, &new_count), 4);
    size_t skip = from - (count > 0) - *line;
    *old_text = copy_lines(*old_text, skip, out);
    *line += skip;
    for (diff = next_line(diff); *diff && *diff != '@'; diff = next_line(diff)) {
        const char *end = next_line(diff);
        bool bare = *end == '\\'; // "\ No newline at end of file"
        if (*diff == '\\')
            continue;
        if (*diff != '+') {
            assert_memory_equal(*old_text, diff + 1, (size_t)(end - diff) - 1 - bare);
            *old_text = next_line(*old_text);
            ++*line;
        }
        if (*diff != '-')
            buf_put(out, diff + 1, (size_t)(end - diff) - 1 - bare);
    }
    return diff;
}

static void check(const char *old_text, const char *new_text)
{
    struct buf diff = {0}, out = {0};
    const char *old = old_text;
    size_t line = 0;
    diff_unified("a", "b", old_text, strlen(old_text), new_text, strlen(new_text), false, &diff);
    const char *at = diff.at ? diff.at : "";
    if (*at)
        at = next_line(next_line(at)); // the names
    while (*at)
        at = apply_hunk(at, &old, &line, &out);
    copy_lines(old, (size_t)-1, &out);
    assert_string_equal(out.at ? out.at : "", new_text);
    buf_free(&diff);
    buf_free(&out);
}

static void test_edges(void **state)
{
    (void)state;
    check("", "");
    check("a\n", "a\n");
    check("", "a\n");
    check("a\n", "");
    check("a", "a\n");
    check("a\n", "a");
    check("a\nb", "a\nc");
    check("a\nb\nc\n", "c\nb\na\n");
}

static void random_text(uint32_t *seed, int lines, struct buf *out)
{
    for (int i = 0; i < lines; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        buf_putc(out, (char)('a' + (*seed >> 16) % 4));
        buf_putc(out, '\n');
    }
    buf_putc(out, '.');
}

static void test_random(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int i = 0; i < 2000; i++) {
        struct buf a = {0}, b = {0};
        random_text(&seed, i % 37, &a);
        random_text(&seed, (i * 7) % 41, &b);
        check(a.at, b.at);
        buf_free(&a);
        buf_free(&b);
    }
}

static void test_many_edits(void **state)
{
    (void)state;
    struct buf a = {0}, b = {0};
    for (int i = 0; i < 5000; i++) {
        buf_printf(&a, "a%d\n", i);
        buf_printf(&b, "b%d\n", i);
    }
    check(a.at, b.at);
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_many_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
