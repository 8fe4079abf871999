// syntax_error.c: puts a syntax error into words.
#include "frontend/syntax_error.h"

#include <string.h>

#include "frontend/glyph.h"

static bool is_any(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

#define IS_ANY(word, ...)                                                                          \
    is_any((word), (const char *const[]){__VA_ARGS__},                                             \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

// Tokens that begin an expression; where all of them could stand, "an expression" says it.
static bool begins_expression(const char *t)
{
    return IS_ANY(t, "a name", "an integer", "a float", "a text", "bytes", "a handle", "true",
                  "false", "null", "fn", "if", "contract", "not", "data", "entry", "state", "share",
                  "using", "backward", "(", "[", "{", "-", "field mark");
}

// Words that can stand for a name: not listed where a name is.
static bool is_word(const char *t)
{
    return t[0] >= 'a' && t[0] <= 'z' && !strchr(t, ' ');
}

// Tokens that merely go on with a complete expression.
static bool continues_expression(const char *t)
{
    return IS_ANY(t, "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "@",
                  "**", "(", "[", ".", "as", "..");
}

// The glyph of an HLXL spelling; the spelling itself where it has none.
static const char *rune_of(const struct scan *s, const char *ascii)
{
    struct map words;
    map_init(&words, s->arena);
    glyph_map_ascii(&words);
    const struct map_entry *e = map_find_str(&words, ascii);
    return e ? ((const struct glyph *)e->value.p)->rune : ascii;
}

const char *syntax_shown(const struct scan *s, const char *ascii)
{
    const char *rune = s->spelling == &scan_hlxl ? ascii : rune_of(s, ascii);
    return arena_printf(s->arena, strcmp(rune, ascii) ? "`%s` (%s)" : "`%s`", rune, ascii);
}

static const char *shown(const struct parser *p, const char *name)
{
    if (strcmp(name, ";") == 0)
        return "the end of the statement";
    if (strcmp(name, "field mark") == 0)
        return p->scan->spelling == &scan_hlxl ? "`@`" : "the field mark `🜁` (`@`)";
    if (strchr(name, ' ') || strcmp(name, "bytes") == 0)
        return name;
    return syntax_shown(p->scan, name);
}

static void join(const struct parser *p, struct buf *out, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", shown(p, list[i]));
}

// What the expected tokens amount to.
struct expectation {
    bool statement;  // a statement could begin
    bool expression; // an expression could begin
    bool complete;   // an expression could go on
    bool ends;       // the statement could end
    bool name;       // a name could stand here, so any word may be listed
};

static struct expectation sum_up(const char *const *expected, size_t n)
{
    struct expectation e = {.expression = is_any("a float", expected, n),
                            .complete = is_any("**", expected, n),
                            .ends = is_any(";", expected, n),
                            .name = is_any("a name", expected, n)};
    e.statement = e.ends && is_any("import", expected, n);
    return e;
}

static bool goes_without_saying(const struct expectation *e, const char *t)
{
    return (e->expression && begins_expression(t)) || (e->complete && continues_expression(t)) ||
           (e->name && is_word(t)) || (e->ends && IS_ANY(t, "end of file", "}"));
}

// Tokens that HLXL has no spelling for.
static bool is_foreign(const struct parser *p, const char *t)
{
    return p->scan->spelling == &scan_hlxl && IS_ANY(t, "end of contract", "legend");
}

// Describes the expected tokens in `out`: nothing when there are too many to help.
static void describe(const struct parser *p, const char *const *expected, size_t n, struct buf *out)
{
    const struct expectation e = sum_up(expected, n);
    const char *named[4];
    size_t kept = 0;
    if (e.statement) {
        buf_puts(out, "a statement");
        return;
    }
    if (e.expression)
        named[kept++] = "an expression";
    for (size_t i = 0; i < n; i++) {
        if (goes_without_saying(&e, expected[i]) || is_foreign(p, expected[i]))
            continue;
        if (kept == sizeof named / sizeof *named)
            return;
        named[kept++] = expected[i];
    }
    join(p, out, named, kept);
}

static bool is_comparison(const char *t)
{
    return IS_ANY(t, "==", "!=", "<", "<=", ">", ">=");
}

static const char *found_text(const struct parser *p, const char *found, struct span at)
{
    if (strcmp(found, "end of file") == 0)
        return "the end of the file";
    if (at.start == at.end)
        return "the end of the line";
    if (strcmp(found, "a name") == 0)
        return arena_printf(p->arena, "the name `%.*s`", (int)(at.end - at.start),
                            p->scan->source->text + at.start);
    return strcmp(found, ";") == 0 ? "`;`" : shown(p, found);
}

static void advise(const struct parser *p, struct diag *g, const char *found, struct span at)
{
    bool line_end = strcmp(found, ";") == 0 && at.start == at.end;
    bool goes_on = continues_expression(found) || strcmp(found, "=") == 0;
    if (line_end || (goes_on && at.start == p->scan->line_start))
        diag_help(g, "a line that goes on ends with an operator or a comma, or stands in ( )");
    else if (strcmp(found, "else") == 0)
        diag_help(g, "%s follows the `}` of an %s", syntax_shown(p->scan, "else"),
                  syntax_shown(p->scan, "if"));
}

void syntax_error(struct parser *p, struct span at, const char *found, const char *const *expected,
                  size_t n)
{
    bool missing =
        at.start == at.end && strcmp(found, ";") != 0 && strcmp(found, "end of file") != 0;
    if (p->scan->stopped || p->scan->suspect || missing) // said already
        return;
    if (diags_full(p->diags)) {
        scan_stop(p->scan);
        return;
    }
    if (is_comparison(found) && is_any("and", expected, n)) {
        struct diag *g = diag_error(p->diags, at, "HLX0204", "comparisons do not chain");
        diag_help(g, "write `a < b and b < c`, or put one comparison in parentheses");
        return;
    }
    struct buf list = {0};
    describe(p, expected, n, &list);
    struct diag *g = list.n ? diag_error(p->diags, at, "HLX0201", "expected %s, found %s", list.at,
                                         found_text(p, found, at))
                            : diag_error(p->diags, at, "HLX0201", "%s cannot stand here",
                                         found_text(p, found, at));
    advise(p, g, found, at);
    buf_free(&list);
}

void syntax_too_deep(struct parser *p, struct span at)
{
    if (p->scan->stopped)
        return;
    struct diag *g = diag_error(p->diags, at, "E_DEPTH_EXCEEDED", "nested too deeply");
    diag_help(g, "give inner parts a name with %s", syntax_shown(p->scan, "let"));
    scan_stop(p->scan);
}
