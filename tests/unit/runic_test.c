// runic_test.c: glyphs against the scanner, the tables and the specification; legends; trees as
// values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "frontend/ast_value.h"
#include "frontend/glyph.h"
#include "frontend/grammar.h"
#include "frontend/legend.h"
#include "frontend/parse.h"
#include "frontend/pretty.h"
#include "frontend/scan.h"
#include "ir/types.h"
#include "latent/contract.h"

struct parsed {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ast_file *file;
    struct buf text;
};

static void parse(struct parsed *p, const char *name, const char *text, size_t n)
{
    *p = (struct parsed){0};
    sources_init(&p->sources, &p->arena);
    diags_init(&p->diags, &p->arena, &p->sources);
    p->file =
        parse_file(&p->arena, &p->sources, &p->diags, sources_add(&p->sources, name, text, n));
}

static void drop(struct parsed *p)
{
    buf_free(&p->text);
    arena_free(&p->arena);
}

// The formatted text of a source, in one of the spellings.
static char *format(const char *name, const char *text, bool runic)
{
    struct parsed p;
    parse(&p, name, text, strlen(text));
    if (!p.file || p.diags.errors) {
        struct buf out = {0};
        diags_render(&p.diags, DIAG_SHORT, false, &out);
        fail_msg("%s", out.at);
    }
    pretty_print(&p.arena, &p.sources, p.file, runic, &p.text);
    char *out = strdup(p.text.n ? p.text.at : "");
    drop(&p);
    return out;
}

static void expect_format(const char *ascii, const char *runic)
{
    char *there = format("t.hlxl", ascii, true), *back = format("t.hlx", runic, false);
    char *again = format("t.hlx", runic, true);
    assert_string_equal(there, runic);
    assert_string_equal(back, ascii);
    assert_string_equal(again, runic);
    free(there);
    free(back);
    free(again);
}

// -- glyphs --------------------------------------------------------------------------------------

static const struct row {
    const char *ascii, *glyph;
    int token;
} rows[] = {
#define TOKEN(id, ascii, glyph, class, ends) {ascii, glyph, TOK_##id},
#define WORD(name, glyph) {name, glyph, TOK_NAME},
#define TYPE(name, glyph) {name, glyph, TOK_NAME},
#include "frontend/tokens.def"
};

enum { NROWS = sizeof rows / sizeof *rows };

// The first token of a runic source, and the name that its leaf has.
static int first_token(const char *text, char *name, size_t room)
{
    struct parsed p = {0};
    struct ast_file file = {.file = 1};
    struct scan *scan = calloc(1, sizeof *scan);
    struct ast *value;
    struct span at;
    assert_non_null(scan);
    sources_init(&p.sources, &p.arena);
    diags_init(&p.diags, &p.arena, &p.sources);
    sources_add(&p.sources, "t.hlx", text, strlen(text));
    assert_true(scan_start(scan, &p.arena, &p.arena, &p.sources, &p.diags, &file, &scan_hlx));
    int token = scan_next(scan, &value, &at);
    snprintf(name, room, "%s", value ? value->text : "");
    scan_finish(scan);
    free(scan);
    arena_free(&p.arena);
    return token;
}

static bool stands_alone(const struct row *r)
{
    bool closes = r->token == TOK_END || (*r->ascii && strchr(")]}", *r->ascii));
    return !closes && r->token != TOK_LEGEND && r->token != TOK_HANDLE && r->token != TOK_BYTES;
}

static void test_glyphs_are_tokens(void **state)
{
    (void)state;
    char name[64];
    for (size_t i = 0; i < NROWS; i++) {
        const struct row *r = &rows[i];
        if (!*r->glyph || !stands_alone(r))
            continue;
        int want = strcmp(r->glyph, "@") ? r->token : TOK_FIELD;
        assert_int_equal(first_token(r->glyph, name, sizeof name), want);
        if (r->ascii[0] >= 'a' && r->ascii[0] <= 'z')
            assert_string_equal(name, r->ascii);
    }
    assert_int_equal(first_token("⟁shader", name, sizeof name), TOK_HANDLE);
    assert_string_equal(name, "&h_shader");
    assert_int_equal(first_token("᛫\"00ff\"", name, sizeof name), TOK_BYTES);
    assert_int_equal(first_token(".5", name, sizeof name), TOK_FLOAT);
    assert_string_equal(name, "0.5");
}

// HLX reads every ASCII spelling that HLXL does.
static void test_ascii_is_read(void **state)
{
    (void)state;
    char name[64];
    for (size_t i = 0; i < NROWS; i++) {
        if (!*rows[i].ascii || !stands_alone(&rows[i]))
            continue;
        int want = strcmp(rows[i].ascii, "@") ? rows[i].token : TOK_FIELD;
        assert_int_equal(first_token(rows[i].ascii, name, sizeof name), want);
    }
}

static void test_types(void **state)
{
    (void)state;
    struct arena a = {0};
    struct map ascii;
    map_init(&ascii, &a);
    glyph_map_ascii(&ascii);
#define DTYPE(id, name, bytes, class) assert_non_null(map_find_str(&ascii, name));
#include "ir/types.def"
#undef DTYPE
    arena_free(&a);
}

static const char *role(const struct row *r)
{
    static const struct {
        int token;
        const char *name;
    } roles[] = {{TOK_END, "end of a contract"},
                 {TOK_LEGEND, "legend"},
                 {TOK_HANDLE, "`&h_` of a handle"},
                 {TOK_BYTES, "`x` of bytes"},
                 {TOK_FIELD, "`@` of a field"}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i].token == r->token)
            return roles[i].name;
    return NULL;
}

// The table of clause 17.14 has a line for each glyph that is not the ASCII spelling, and no other.
static void test_spec_table(void **state)
{
    (void)state;
    struct arena a = {0};
    const char *error = NULL;
    size_t n = 0, lines = 0, want = 0;
    char *spec = file_read(&a, "spec/language.md", 0, &n, &error);
    if (!spec)
        fail_msg("%s (run from the repository's root)", error);
    char *table = strstr(spec, "| HLXL | HLX | code point |\n");
    assert_non_null(table);
    for (size_t i = 0; i < NROWS; i++) {
        uint32_t rune;
        if (!*rows[i].glyph || !strcmp(rows[i].glyph, rows[i].ascii))
            continue;
        utf8_decode(rows[i].glyph, strlen(rows[i].glyph), &rune);
        const char *name = role(&rows[i]);
        if (!name)
            name = arena_printf(&a, "`%s`", rows[i].ascii);
        const char *line = arena_printf(&a, "\n| %s | %s | U+%04X |\n", name, rows[i].glyph, rune);
        if (!strstr(table, line))
            fail_msg("spec/language.md, 17.14 lacks%s", line);
        want++;
    }
    for (char *at = table; (at = strstr(at, " | U+")) != NULL; at++)
        lines++;
    assert_int_equal(lines, want);
    free(spec);
    arena_free(&a);
}

// -- legends -------------------------------------------------------------------------------------

static void test_legend_runes(void **state)
{
    (void)state;
    struct arena a = {0};
    struct map runes;
    size_t n = 0, nfc;
    map_init(&runes, &a);
    glyph_map_runes(&runes);
    for (uint32_t rune = 0x80; rune < 0x20000; rune++) {
        struct buf text = {0};
        if ((rune >= 0xd800 && rune <= 0xdfff) || !legend_may_use(&runes, rune))
            continue;
        buf_rune(&text, rune);
        assert_null(map_find(&runes, text.at, text.n));
        assert_true(text_nfc(&a, text.at, text.n, &nfc) == text.at);
        buf_free(&text);
        n++;
    }
    assert_true(n > 100);
    arena_free(&a);
}

static void test_legend_choice(void **state)
{
    (void)state;
    // 4 * (5 - 1) - 6 of alpha against 4 * (4 - 1) - 5 of beta, and delta as good as alpha
    expect_format("let alpha = beta + delta;\n"
                  "let delta = alpha + beta + delta;\n"
                  "let alpha = beta + delta * alpha * beta;\n",
                  "ᛝᚡalphaᚣdeltaᚤbeta\n"
                  "ᛚᚡ=ᚤ+ᚣ\n"
                  "ᛚᚣ=ᚡ+ᚤ+ᚣ\n"
                  "ᛚᚡ=ᚤ+ᚣ*ᚡ*ᚤ\n");
    // a pair counts for its parts no longer, and words with glyphs need none
    expect_format("let a = nn.linear(sum) + nn.linear(sum) + nn.linear(sum);\n",
                  "ᛝᚡnn.linear\n"
                  "ᛚa=ᚡ(∑)+ᚡ(∑)+ᚡ(∑)\n");
    expect_format("let a = b + b;\n", "ᛚa=b+b\n");
}

// More names than there are runes: the best have one.
static void test_legend_full(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 400; i++)
        buf_printf(&text, "let long_name_%d = long_name_%d;\n", i, i);
    char *runic = format("t.hlxl", text.at, true), *back = format("t.hlx", runic, false);
    assert_string_equal(back, text.at);
    assert_non_null(strstr(runic, "ᛚlong_name_399=long_name_399\n"));
    free(runic);
    free(back);
    buf_free(&text);
}

static void test_spellings(void **state)
{
    (void)state;
    expect_format("let p = contract 902 { pipeline_id: \"a\", @1: [&h_a], \"x y\": @14 {} };\n"
                  "contract 5 {};\n",
                  "ᛚp=🜊902🜁pipeline_id \"a\"🜁1 [⟁a]🜁\"x y\" 🜁14{}🜂\n"
                  "🜊5🜂\n");
    expect_format("contract 1001 Person(name: text = \"\");\n", "🜊1001 Person(name⋯⋘=\"\")\n");
    expect_format("let o = { let: 0.5, sum: x\"00ff\", b: a.data.if.sum };\n",
                  "ᛚo={ᛚ⋯.5⋅∑⋯᛫\"00ff\"⋅b⋯a.ᛞ.ᛁ.∑}\n");
    expect_format("if not a {\n    return;\n} else {\n    x[1..] := -y ** 2;\n}\n",
                  "ᛁ¬a{ᚱ}ᛖ{x[1⋰]≔-y↑2}\n");
}

static void test_detection(void **state)
{
    (void)state;
    struct parsed p;
    const struct {
        const char *name, *text;
        bool runic;
    } cases[] = {{"<stdin>", "let a = 1;", false}, {"<stdin>", "// ᛚ\nlet a = \"ᛚ\";", false},
                 {"<stdin>", "ᛚa=1", true},        {"a.hlx", "let a = 1;", true},
                 {"a.hlxl", "ᛚa=1", false},        {"<stdin>", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse(&p, cases[i].name, cases[i].text, strlen(cases[i].text));
        assert_non_null(p.file);
        assert_true(p.file->runic == cases[i].runic);
        drop(&p);
    }
}

// -- trees as values -----------------------------------------------------------------------------

static void check_value(const char *text, const char *json)
{
    struct parsed p;
    struct buf out = {0};
    contract_faults faults = {0};
    parse(&p, "t.hlxl", text, strlen(text));
    assert_int_equal(p.diags.errors, 0);
    const struct value *v = ast_value(&p.arena, &p.diags, p.file->program);
    assert_non_null(v);
    if (!contract_validate(&p.arena, v, NULL, &faults))
        fail_msg("%s: %s", text, faults.at[0].message);
    if (json) {
        value_json(v, 0, &out);
        assert_string_equal(out.at, json);
    }
    buf_free(&out);
    drop(&p);
}

static void test_values(void **state)
{
    (void)state;
    check_value(
        "x = f(1, n: -y);",
        "{\"100\": {\"statements\": [{\"103\": {\"name\": \"x\", \"value\": {\"105\": "
        "{\"arguments\": [{\"14\": {\"value\": 1}}, {\"103\": {\"name\": \"n\", \"value\": "
        "{\"101\": {\"operands\": [{\"102\": {\"name\": \"y\"}}], \"operator\": \"-\"}}}}], "
        "\"name\": \"f\"}}}}]}}");
    check_value(
        "a - b - c;",
        "{\"100\": {\"statements\": [{\"101\": {\"operands\": [{\"102\": {\"name\": \"a\"}}, "
        "{\"102\": {\"name\": \"b\"}}, {\"102\": {\"name\": \"c\"}}], \"operator\": "
        "\"-\"}}]}}");
    check_value("import nn; import \"a.hlxl\" as b; data d = table({ x: [1.5, null] });"
                "param a, b: f32[2, n] = 0.0; share state c: f32[];"
                "contract 1001 P(name: text); let p = contract 1001 { @0: x\"00\" };"
                "fn f(x: f32[B], y = 2) -> f32[] { x.a.b[1, ..2] } backward (g) { g };"
                "entry e(x: f32[B]) for B in [1, 2] using { data: d } { return { y: x }; };"
                "for i, x in 0..3 { p := (if true { a } else { b })(3) as q.r[1]; };"
                "var t: int = 3; fn (z) { return; }; a ** b ** c; not (a == b); &h;",
                NULL);
}

static void test_values_refused(void **state)
{
    (void)state;
    struct parsed p;
    struct buf deep = {0};
    for (int i = 0; i < 40; i++)
        buf_puts(&deep, "f(");
    buf_puts(&deep, "1");
    for (int i = 0; i < 40; i++)
        buf_puts(&deep, ")");
    const char *const texts[] = {deep.at, "let o = { a: 1, a: 2 };"};
    for (size_t i = 0; i < 2; i++) {
        parse(&p, "t.hlxl", texts[i], strlen(texts[i]));
        assert_int_equal(p.diags.errors, 0);
        assert_null(ast_value(&p.arena, &p.diags, p.file->program));
        assert_int_equal(p.diags.errors, 1);
        drop(&p);
    }
    buf_free(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glyphs_are_tokens),
        cmocka_unit_test(test_ascii_is_read),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_spec_table),
        cmocka_unit_test(test_legend_runes),
        cmocka_unit_test(test_legend_choice),
        cmocka_unit_test(test_legend_full),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_detection),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
