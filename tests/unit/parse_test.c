// parse_test.c: the token table, literals, trees, recovery, and texts that mean harm.
#include "frontend/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "frontend/grammar.h"
#include "frontend/pretty.h"
#include "frontend/scan.h"

struct parsed {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ast_file *file;
    struct buf tree, text; // dumped, formatted
};

static void parse_bytes(struct parsed *p, const char *text, size_t n)
{
    *p = (struct parsed){0};
    sources_init(&p->sources, &p->arena);
    diags_init(&p->diags, &p->arena, &p->sources);
    uint32_t id = sources_add(&p->sources, "t.hlxl", text, n);
    p->file = parse_file(&p->arena, &p->sources, &p->diags, id);
    assert_true(p->file || p->diags.errors > 0);
    if (p->file)
        ast_dump(NULL, p->file->program, &p->tree);
}

static void parse(struct parsed *p, const char *text)
{
    parse_bytes(p, text, strlen(text));
}

static void drop(struct parsed *p)
{
    buf_free(&p->tree);
    buf_free(&p->text);
    arena_free(&p->arena);
}

static void expect_tree(const char *text, const char *tree)
{
    struct parsed p;
    parse(&p, text);
    assert_int_equal(p.diags.errors, 0);
    assert_string_equal(p.tree.at, tree);
    drop(&p);
}

static void expect_one_error(const char *text, size_t n, const char *code)
{
    struct parsed p;
    parse_bytes(&p, text, n);
    assert_int_equal(p.diags.errors, 1);
    assert_string_equal(p.diags.list.at[0]->code, code);
    drop(&p);
}

// -- tokens --------------------------------------------------------------------------------------

static const struct {
    int token;
    const char *ascii, *glyph;
} rows[] = {
#define TOKEN(id, ascii, glyph, class, ends) {TOK_##id, ascii, glyph},
#include "frontend/tokens.def"
};

enum { NROWS = sizeof rows / sizeof *rows };

static const struct {
    const char *name, *glyph;
} words[] = {
#define WORD(name, glyph) {name, glyph},
#include "frontend/tokens.def"
};

enum { NWORDS = sizeof words / sizeof *words };

static const char *const builtins[] = {
#define BUILTIN(name, signature, function, aux, meaning) #name,
#include "frontend/builtins.def"
#include "frontend/builtins_ls.def"
#undef BUILTIN
};

enum { NBUILTINS = sizeof builtins / sizeof *builtins };

// The first token of a text.
static int first_token(const char *text)
{
    struct parsed p = {0};
    struct ast_file file = {.file = 1};
    struct scan *scan = calloc(1, sizeof *scan);
    struct ast *value;
    struct span at;
    assert_non_null(scan);
    sources_init(&p.sources, &p.arena);
    diags_init(&p.diags, &p.arena, &p.sources);
    sources_add(&p.sources, "t.hlxl", text, strlen(text));
    assert_true(scan_start(scan, &p.arena, &p.arena, &p.sources, &p.diags, &file, &scan_hlxl));
    int token = scan_next(scan, &value, &at);
    scan_finish(scan);
    free(scan);
    arena_free(&p.arena);
    return token;
}

static void test_spellings(void **state)
{
    (void)state;
    for (size_t i = 0; i < NROWS; i++) {
        bool closes = rows[i].ascii[0] && strchr(")]}", rows[i].ascii[0]); // nothing alone
        if (!*rows[i].ascii || closes)
            continue;
        int want = strcmp(rows[i].ascii, "@") == 0 ? TOK_FIELD : rows[i].token;
        assert_int_equal(first_token(rows[i].ascii), want);
        assert_string_equal(scan_spelling_of(rows[i].token), rows[i].ascii);
    }
    static const struct {
        const char *text;
        int token;
    } literals[] = {{"a_1", TOK_NAME},  {"12", TOK_INT},      {"0xf", TOK_INT},  {"1e3", TOK_FLOAT},
                    {"\"\"", TOK_TEXT}, {"x\"\"", TOK_BYTES}, {"&h", TOK_HANDLE}};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        assert_int_equal(first_token(literals[i].text), literals[i].token);
}

// A glyph is one code point that NFC leaves alone, and no other row's.
static void check_glyph(struct arena *a, const char *glyph, const char *ascii, struct map *seen)
{
    size_t n = strlen(glyph), nfc_len;
    uint32_t rune;
    bool fresh;
    if (n == 0)
        return;
    assert_int_equal(utf8_decode(glyph, n, &rune), n);
    assert_true(text_nfc(a, glyph, n, &nfc_len) == glyph);
    assert_true(rune >= 0x80 || strcmp(glyph, ascii) == 0);
    map_put_str(seen, glyph, &fresh);
    assert_true(fresh);
}

static void test_glyphs(void **state)
{
    (void)state;
    struct arena a = {0};
    struct map seen;
    map_init(&seen, &a);
    for (size_t i = 0; i < NROWS; i++)
        check_glyph(&a, rows[i].glyph, rows[i].ascii, &seen);
    for (size_t i = 0; i < NWORDS; i++)
        check_glyph(&a, words[i].glyph, "", &seen);
    arena_free(&a);
}

// Every builtin has a row of its own, and nothing else has one.
static void test_builtins(void **state)
{
    (void)state;
    assert_int_equal(NWORDS, NBUILTINS);
    for (size_t i = 0; i < NBUILTINS; i++) {
        size_t found = 0;
        for (size_t k = 0; k < NWORDS; k++)
            found += strcmp(builtins[i], words[k].name) == 0;
        if (found != 1)
            fail_msg("`%s` has %zu rows in tokens.def", builtins[i], found);
    }
}

// -- literals and trees --------------------------------------------------------------------------

static void test_literals(void **state)
{
    (void)state;
    expect_tree("[0xFF, 1_000, 9223372036854775807, 1_0.5e-1, 1E3]",
                "program\n"
                "  expression statement\n"
                "    array\n"
                "      int 255\n"
                "      int 1000\n"
                "      int 9223372036854775807\n"
                "      float 1.05\n"
                "      float 1000.0\n");
    expect_tree("[\"a\\n\\\"\\\\\\u{1F701}\\u{0}\xc3\xbc\", x\"00fF\", &h_a, true, null, \"\"]",
                "program\n"
                "  expression statement\n"
                "    array\n"
                "      text \"a\\n\\\"\\\\\\u{1F701}\\u{0000}\\u{00FC}\"\n"
                "      bytes \"\\u{0000}\\xFF\"\n"
                "      handle \"&h_a\"\n"
                "      bool true\n"
                "      null\n"
                "      text\n");
}

static void test_precedence(void **state)
{
    (void)state;
    expect_tree("a or not b == -c ** 2 * d", "program\n"
                                             "  expression statement\n"
                                             "    binary or\n"
                                             "      name \"a\"\n"
                                             "      unary not\n"
                                             "        binary ==\n"
                                             "          name \"b\"\n"
                                             "          binary *\n"
                                             "            unary -\n"
                                             "              binary **\n"
                                             "                name \"c\"\n"
                                             "                int 2\n"
                                             "            name \"d\"\n");
    expect_tree("f(x) as o as layers[l].attn", "program\n"
                                               "  expression statement\n"
                                               "    as\n"
                                               "      call\n"
                                               "        name \"f\"\n"
                                               "        argument\n"
                                               "          name \"x\"\n"
                                               "      scope segment \"layers\"\n"
                                               "        name \"l\"\n"
                                               "      scope segment \"attn\"\n"
                                               "      scope segment \"o\"\n");
}

static void test_statements(void **state)
{
    (void)state;
    expect_tree("share state a, b: f32[2] = 0.0", "program\n"
                                                  "  param +share +state\n"
                                                  "    name \"a\"\n"
                                                  "    name \"b\"\n"
                                                  "    type \"f32\" +shaped\n"
                                                  "      int 2\n"
                                                  "    float 0.0\n");
    expect_tree("entry e() for B in [1] using { data: d } { return }", "program\n"
                                                                       "  entry \"e\"\n"
                                                                       "    formals\n"
                                                                       "    -\n"
                                                                       "    for plan \"B\"\n"
                                                                       "      array\n"
                                                                       "        int 1\n"
                                                                       "    object\n"
                                                                       "      field \"data\"\n"
                                                                       "        name \"d\"\n"
                                                                       "    block\n"
                                                                       "      return\n"
                                                                       "        -\n");
    expect_tree("if a { 1 }\nlet b = if a { 1 } else { @2 { \"k\": 1 } }",
                "program\n"
                "  if\n"
                "    name \"a\"\n"
                "    block\n"
                "      expression statement\n"
                "        int 1\n"
                "    -\n"
                "  let \"b\"\n"
                "    -\n"
                "    if +value\n"
                "      name \"a\"\n"
                "      block\n"
                "        expression statement\n"
                "          int 1\n"
                "      block\n"
                "        expression statement\n"
                "          contract 2 +at\n"
                "            field \"k\" +quoted\n"
                "              int 1\n");
}

static void test_spans(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "\xef\xbb\xbflet ab = c +\r\n  (d)");
    const struct ast *let = p.file->program->kid[0], *sum = let->kid[1];
    assert_int_equal(let->span.start, 3);
    assert_int_equal(let->name_span.start, 7);
    assert_int_equal(let->name_span.end, 9);
    assert_int_equal(sum->span.start, 12);
    assert_int_equal(sum->span.end, 22);
    assert_int_equal(sum->name_span.start, 14);
    assert_int_equal(sum->kid[1]->span.start, 20);
    drop(&p);
}

// -- errors --------------------------------------------------------------------------------------

static void test_recovery(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p,
          "let a = ;\nfn f(x, { x }\nlet b = g(1 2)\nlet c = [3\nlet d = 4\nprint(}\nlet e = 5");
    assert_true(p.diags.errors >= 5);
    assert_non_null(p.file);
    assert_non_null(strstr(p.tree.at, "let \"d\"\n    -\n    int 4\n"));
    assert_non_null(strstr(p.tree.at, "let \"e\"\n    -\n    int 5\n"));
    assert_non_null(strstr(p.tree.at, "  error\n"));
    drop(&p);
}

static void test_deep(void **state)
{
    (void)state;
    static const char *const links[] = {"[",   "(",  "{a:", "f(",  "-",      "not ",   "a+",
                                        "a**", "a[", ".b",  "(1)", "if a {", "fn(x){", " as b"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct buf text = {0};
        buf_puts(&text, "let x = a");
        if (links[i][0] != '.' && strcmp(links[i], "(1)") != 0 && links[i][0] != ' ')
            text.n--;
        size_t more = links[i][0] == ' ' ? 1 : 100000; // segments make no tree deeper
        if (more == 1)
            buf_puts(&text, "()");
        for (size_t k = 0; k < more; k++)
            buf_puts(&text, links[i]);
        if (more == 1) {
            struct parsed p;
            parse_bytes(&p, text.at, text.n);
            assert_int_equal(p.diags.errors, 0);
            drop(&p);
        } else {
            expect_one_error(text.at, text.n, "E_DEPTH_EXCEEDED");
        }
        buf_free(&text);
    }
}

static void test_errors_are_bounded(void **state)
{
    (void)state;
    struct buf text = {0};
    struct parsed p;
    for (int i = 0; i < 100000; i++)
        buf_puts(&text, "\x01 let = 'a' 007 )\n");
    parse_bytes(&p, text.at, text.n);
    assert_int_equal(p.diags.list.n, 20);
    drop(&p);
    buf_free(&text);
}

// -- texts that mean harm ------------------------------------------------------------------------

static const char sample[] =
    "import nn; // x\n"
    "let c = { a: 1, \"b\": [1.5, -2, x\"00\"], @0: &h_a }\n"
    "fn f(x: f32[B, c.a], n: int = 3) -> f32[] {\n"
    "    param w: f32[2] = normal(0.02)\n"
    "    if n > 1 and not x { return f(x, n: n - 1) as a.b[n] } else { w := w ** -2 }\n"
    "    for i, y in 0..n { y[.., 1] := fn (z) { z @ w } }\n"
    "} backward (g) { g }\n"
    "entry e(x) for B in [1, 2] using { data: d } { contract 902 { @1: (x) } }\n";

static const char *text_of(const struct buf *b)
{
    return b->at ? b->at : "";
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && memcmp(text_of(a), text_of(b), a->n) == 0;
}

// What parses formats to the same tree and comments, and formatting again changes nothing.
static bool check_round(const char *text, size_t n)
{
    struct parsed first, second;
    parse_bytes(&first, text, n);
    bool parses = first.diags.errors == 0;
    if (parses) {
        pretty_print(&first.arena, &first.sources, first.file, first.file->runic, &first.text);
        parse_bytes(&second, text_of(&first.text), first.text.n);
        assert_int_equal(second.diags.errors, 0);
        assert_true(same(&first.tree, &second.tree));
        assert_int_equal(first.file->comments.n, second.file->comments.n);
        pretty_print(&second.arena, &second.sources, second.file, second.file->runic, &second.text);
        assert_true(same(&first.text, &second.text));
        drop(&second);
    }
    drop(&first);
    return parses;
}

static void test_bytes(void **state)
{
    (void)state;
    static const char *const frames[] = {"%c",  "let a = %c;", "\"%c\"", "// %c", "f(%c)",
                                         "1%c", "x\"%c\"",     "&%c",    "a %c b"};
    for (size_t f = 0; f < sizeof frames / sizeof *frames; f++) {
        const char *hole = strchr(frames[f], '%');
        for (int byte = 0; byte < 256; byte++) {
            struct buf text = {0};
            buf_put(&text, frames[f], (size_t)(hole - frames[f]));
            buf_putc(&text, (char)byte);
            buf_puts(&text, hole + 2);
            check_round(text.at, text.n);
            buf_free(&text);
        }
    }
}

static void test_prefixes(void **state)
{
    (void)state;
    assert_true(check_round(sample, strlen(sample)));
    for (size_t n = 0; n < strlen(sample); n++)
        check_round(sample, n);
}

static void test_noise(void **state)
{
    (void)state;
    static const char *const noise[] = {"\n", "\n\n", " // c\n", "\n// c\n", "\n// hlxfmt: off\n",
                                        ";",  ")",    "{",       "\r\n",     "\xe2\x80\x8b"};
    size_t parsed = 0;
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        for (size_t at = 0; at <= strlen(sample); at++) {
            struct buf text = {0};
            buf_put(&text, sample, at);
            buf_puts(&text, noise[i]);
            buf_puts(&text, sample + at);
            parsed += check_round(text.at, text.n);
            buf_free(&text);
        }
    }
    assert_true(parsed > 500);
}

// A character behind a backslash is cut in two; the literal keeps what is there.
static void test_cut_character(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "let a = \"x\\\xe2\x9f\x81\";");
    assert_int_equal(p.diags.errors, 1);
    assert_non_null(p.file);
    const struct ast *value = p.file->program->kid[0]->kid[1];
    assert_int_equal(value->kind, AST_TEXT);
    assert_non_null(value->text);
    assert_int_equal(value->text[0], 'x');
    drop(&p);
}

static void test_random(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        struct buf text = {0};
        for (int k = 0; k < 40; k++) {
            seed = seed * 1664525u + 1013904223u;
            size_t row = (seed >> 8) % NROWS;
            buf_puts(&text, *rows[row].ascii ? rows[row].ascii : "a");
            buf_putc(&text, (seed >> 28) < 2 ? '\n' : ' ');
        }
        check_round(text.at, text.n);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings),  cmocka_unit_test(test_glyphs),
        cmocka_unit_test(test_builtins),   cmocka_unit_test(test_literals),
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_statements),
        cmocka_unit_test(test_spans),      cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_deep),       cmocka_unit_test(test_errors_are_bounded),
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_noise),      cmocka_unit_test(test_cut_character),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
