// editors.c: prints what editors need to colour HLXL and HLX, from the tables of tokens.
//
//   editors textmate    a TextMate grammar, in JSON
//   editors vim         a syntax file for Vim
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"

enum token_class { KEYWORD, SOFT, OPERATOR, OPEN, CLOSE, MARK, LITERAL };

enum token_id {
#define TOKEN(id, ascii, glyph, class, ends) ID_##id,
#include "frontend/tokens.def"
    NTOKENS
};

// What an editor tells apart.
enum group { CONTROL, DECLARATION, WORD_OPERATOR, CONSTANT, FUNCTION, ELEMENT, SYMBOL, NGROUPS };

static const struct {
    const char *scope;       // TextMate's
    const char *name, *link; // Vim's
} groups[NGROUPS] = {
    [CONTROL] = {"keyword.control", "Control", "Statement"},
    [DECLARATION] = {"storage.type", "Declaration", "Keyword"},
    [WORD_OPERATOR] = {"keyword.operator.word", "WordOperator", "Operator"},
    [CONSTANT] = {"constant.language", "Constant", "Constant"},
    [FUNCTION] = {"support.function.builtin", "Function", "Function"},
    [ELEMENT] = {"support.type", "Type", "Type"},
    [SYMBOL] = {"keyword.operator", "Symbol", "Operator"},
};

static int group_of(int id, enum token_class class)
{
    switch (id) {
    case ID_TRUE:
    case ID_FALSE:
    case ID_NULL: return CONSTANT;
    case ID_AND:
    case ID_OR:
    case ID_NOT: return WORD_OPERATOR;
    case ID_LET:
    case ID_VAR:
    case ID_FN:
    case ID_PARAM:
    case ID_STATE:
    case ID_SHARE:
    case ID_DATA:
    case ID_ENTRY:
    case ID_CONTRACT: return DECLARATION;
    case ID_LEGEND: return -1; // it has a pattern of its own
    default: break;
    }
    if (class == OPERATOR || class == MARK || id == ID_END)
        return SYMBOL;
    return class == KEYWORD || class == SOFT ? CONTROL : -1;
}

static const struct {
    const char *ascii, *glyph;
    int id, class, group;
} table[] = {
#define TOKEN(id, ascii, glyph, class, ends) {ascii, glyph, ID_##id, class, -1},
#define WORD(name, glyph) {name, glyph, NTOKENS, LITERAL, FUNCTION},
#define TYPE(name, glyph) {name, glyph, NTOKENS, LITERAL, ELEMENT},
#include "frontend/tokens.def"
};

enum { NROWS = sizeof table / sizeof *table };

static int group_of_row(size_t i)
{
    return table[i].id == NTOKENS ? table[i].group : group_of(table[i].id, table[i].class);
}

static const char *glyph_of(int id)
{
    return table[id].glyph; // tokens stand first, in their order
}

// Texts of a group in one of the spellings, without doubles, longer ones first.
struct words {
    const char *at[NROWS];
    size_t n;
};

static int by_length(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t nx = strlen(x), ny = strlen(y);
    return nx != ny ? (nx < ny) - (nx > ny) : strcmp(x, y);
}

static struct words collect(int group, bool glyphs)
{
    struct words w = {.n = 0};
    for (size_t i = 0; i < NROWS; i++) {
        const char *text = glyphs ? table[i].glyph : table[i].ascii;
        bool both = glyphs && strcmp(table[i].glyph, table[i].ascii) == 0;
        if (group_of_row(i) == group && *text && !both)
            w.at[w.n++] = text;
    }
    qsort(w.at, w.n, sizeof *w.at, by_length);
    size_t n = 0;
    for (size_t i = 0; i < w.n; i++)
        if (n == 0 || strcmp(w.at[n - 1], w.at[i]) != 0)
            w.at[n++] = w.at[i];
    w.n = n;
    return w;
}

// Appends the words as alternatives of a pattern in which `special` characters are escaped.
static void put_alternatives(struct buf *out, const struct words *w, const char *special,
                             const char *bar)
{
    for (size_t i = 0; i < w->n; i++) {
        buf_puts(out, i ? bar : "");
        for (const char *c = w->at[i]; *c; c++) {
            if (strchr(special, *c))
                buf_putc(out, '\\');
            buf_putc(out, *c);
        }
    }
}

// -- TextMate ------------------------------------------------------------------------------------

static void put_pattern(struct buf *out, const char *scope, const char *pattern)
{
    buf_puts(out, "        { \"name\": ");
    struct buf name = {0};
    buf_printf(&name, "%s.hlx", scope);
    buf_json(out, name.at, name.n);
    buf_free(&name);
    buf_puts(out, ", \"match\": ");
    buf_json(out, pattern, strlen(pattern));
    buf_puts(out, " },\n");
}

// Words are names after a dot and before a colon; functions and types are names like any other.
static void textmate_words(struct buf *out, enum group group)
{
    struct words w = collect(group, false);
    struct buf pattern = {0};
    buf_puts(&pattern, group == SYMBOL ? "(?:" : "(?<![.\\w])(?:");
    put_alternatives(&pattern, &w, "\\^$.|?*+()[]{}", "|");
    if (group == FUNCTION)
        buf_puts(&pattern, ")(?=\\s*\\()");
    else
        buf_puts(&pattern, group == SYMBOL ? ")" : ")\\b(?!\\s*:(?!=))");
    put_pattern(out, groups[group].scope, pattern.at);
    buf_free(&pattern);
}

static void textmate_glyphs(struct buf *out, enum group group)
{
    struct words w = collect(group, true);
    struct buf pattern = {0};
    put_alternatives(&pattern, &w, "\\^$.|?*+()[]{}", "|");
    put_pattern(out, groups[group].scope, pattern.at);
    buf_free(&pattern);
}

static void textmate_literals(struct buf *out)
{
    struct buf pattern = {0};
    put_pattern(out, "comment.line.double-slash", "//.*$");
    buf_printf(&pattern, "^%s.*$", glyph_of(ID_LEGEND));
    put_pattern(out, "meta.preprocessor.legend", pattern.at);
    buf_clear(&pattern);
    buf_printf(&pattern, "(?:\\bx|%s)\"[0-9A-Fa-f]*\"", glyph_of(ID_BYTES));
    put_pattern(out, "string.quoted.other.bytes", pattern.at);
    buf_puts(out, "        {\n"
                  "            \"name\": \"string.quoted.double.hlx\", \"begin\": \"\\\"\",\n"
                  "            \"end\": \"\\\"|$\", \"patterns\": [\n"
                  "                { \"name\": \"constant.character.escape.hlx\",\n"
                  "                  \"match\": \"\\\\\\\\(?:[ntr\\\"\\\\\\\\]|"
                  "u\\\\{[0-9A-Fa-f]{1,6}\\\\})\" },\n"
                  "                { \"name\": \"invalid.illegal.escape.hlx\", "
                  "\"match\": \"\\\\\\\\.\" }\n"
                  "            ]\n"
                  "        },\n");
    buf_clear(&pattern);
    buf_printf(&pattern, "(?:&|%s)[A-Za-z_]\\w*", glyph_of(ID_HANDLE));
    put_pattern(out, "constant.other.handle", pattern.at);
    put_pattern(out, "constant.numeric.hex", "\\b0[xX][0-9A-Fa-f_]+\\b");
    put_pattern(out, "constant.numeric",
                "(?<!\\w)(?:[0-9][0-9_]*(?:\\.[0-9][0-9_]*)?|(?<!\\.)\\.[0-9][0-9_]*)"
                "(?:[eE][+-]?[0-9][0-9_]*)?\\b");
    buf_free(&pattern);
}

static void textmate_definitions(struct buf *out)
{
    buf_printf(
        out,
        "        { \"match\": \"(?:\\\\b(fn|entry)\\\\s+|(%s|%s)\\\\s*)([A-Za-z_]\\\\w*)\",\n"
        "          \"captures\": { \"1\": { \"name\": \"storage.type.hlx\" }, "
        "\"2\": { \"name\": \"storage.type.hlx\" },\n"
        "                        \"3\": { \"name\": \"entity.name.function.hlx\" } } },\n",
        glyph_of(ID_FN), glyph_of(ID_ENTRY));
}

static void print_textmate(struct buf *out)
{
    buf_puts(out, "{\n"
                  "    \"name\": \"Helix\",\n"
                  "    \"scopeName\": \"source.hlx\",\n"
                  "    \"fileTypes\": [\"hlxl\", \"hlx\"],\n"
                  "    \"patterns\": [\n");
    textmate_literals(out);
    textmate_definitions(out);
    for (int g = 0; g < NGROUPS; g++) {
        textmate_words(out, g);
        textmate_glyphs(out, g);
    }
    out->n -= 2; // the last comma
    buf_puts(out, "\n    ]\n}\n");
}

// -- Vim -----------------------------------------------------------------------------------------

static void vim_words(struct buf *out, enum group group)
{
    struct words w = collect(group, false);
    if (group == SYMBOL || group == FUNCTION) {
        buf_printf(out, "syn match hlx%s \"%s", groups[group].name,
                   group == SYMBOL ? "" : "\\<\\%(");
        put_alternatives(out, &w, "\\^$.*~[]/\"", "\\|");
        buf_puts(out, group == SYMBOL ? "\"\n" : "\\)\\ze\\s*(\"\n");
    } else {
        buf_printf(out, "syn keyword hlx%s ", groups[group].name);
        put_alternatives(out, &w, "", " ");
        buf_puts(out, "\n");
    }
}

static void vim_glyphs(struct buf *out, enum group group)
{
    struct words w = collect(group, true);
    buf_printf(out, "syn match hlx%s \"[", groups[group].name);
    put_alternatives(out, &w, "\\]^-", "");
    buf_puts(out, "]\"\n");
}

// Later items win where several match, so what holds others comes last.
static void vim_literals(struct buf *out)
{
    buf_puts(out, "syn match hlxNumber \"\\v<0[xX][0-9A-Fa-f_]+>\"\n"
                  "syn match hlxNumber \"\\v<[0-9][0-9_]*(\\.[0-9][0-9_]*)?([eE][+-]?[0-9_]+)?>\"\n"
                  "syn match hlxNumber \"\\v[0-9_.]@1<!\\.[0-9][0-9_]*([eE][+-]?[0-9_]+)?>\"\n");
    buf_printf(out, "syn match hlxHandle \"\\v(\\&|%s)\\h\\w*\"\n", glyph_of(ID_HANDLE));
    buf_puts(out, "syn match hlxEscape contained \"\\v\\\\([ntr\\\"\\\\]|u\\{\\x{1,6}\\})\"\n"
                  "syn region hlxText start=+\"+ skip=+\\\\\\\\\\|\\\\\"+ end=+\"+ oneline "
                  "contains=hlxEscape\n");
    buf_printf(out, "syn match hlxText \"\\v(<x|%s)\\\"\\x*\\\"\"\n", glyph_of(ID_BYTES));
    buf_puts(out, "syn match hlxComment \"//.*$\" contains=@Spell\n");
    buf_printf(out, "syn match hlxLegend \"\\%%^%s.*$\"\n", glyph_of(ID_LEGEND));
}

static void vim_links(struct buf *out)
{
    static const char *const links[][2] = {{"Number", "Number"},   {"Handle", "Identifier"},
                                           {"Text", "String"},     {"Escape", "SpecialChar"},
                                           {"Comment", "Comment"}, {"Legend", "PreProc"}};
    for (int g = 0; g < NGROUPS; g++)
        buf_printf(out, "hi def link hlx%s %s\n", groups[g].name, groups[g].link);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        buf_printf(out, "hi def link hlx%s %s\n", links[i][0], links[i][1]);
}

static void print_vim(struct buf *out)
{
    buf_puts(out, "\" hlx.vim: colours HLXL and HLX; written by `make editors`.\n"
                  "scriptencoding utf-8\n"
                  "if exists('b:current_syntax')\n"
                  "    finish\n"
                  "endif\n");
    for (int g = NGROUPS - 1; g >= 0; g--) {
        vim_words(out, g);
        vim_glyphs(out, g);
    }
    vim_literals(out);
    vim_links(out);
    buf_puts(out, "let b:current_syntax = 'hlx'\n");
}

int main(int argc, char **argv)
{
    struct buf out = {0};
    if (argc == 2 && strcmp(argv[1], "textmate") == 0) {
        print_textmate(&out);
    } else if (argc == 2 && strcmp(argv[1], "vim") == 0) {
        print_vim(&out);
    } else {
        fputs("usage: editors textmate|vim\n", stderr);
        return EXIT_USAGE;
    }
    bool ok = fwrite(out.at, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    buf_free(&out);
    return ok ? EXIT_OK : EXIT_DATA;
}
