// layout.c: decides what stands between tokens, from a sequence of random numbers.
#include "tests/gen/layout.h"

#include <string.h>

// Vigna's splitmix64.
static uint64_t next_random(struct layout *l)
{
    uint64_t z = l->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned layout_chance(struct layout *l, unsigned n)
{
    return (unsigned)(next_random(l) % n);
}

bool layout_one_in(struct layout *l, unsigned n)
{
    return layout_chance(l, n) == 0;
}

static void put(struct layout *l, const char *text)
{
    buf_puts(l->out, text);
}

// -- space ---------------------------------------------------------------------------------------

static void put_space(struct layout *l)
{
    static const char *const spaces[] = {" ", " ", " ", "  ", "\t", "    "};
    put(l, spaces[layout_chance(l, 6)]);
}

static void put_comment(struct layout *l)
{
    static const char *const comments[] = {
        "//",
        "// why",
        "//no space",
        "// trailing space  ",
        "//\ttab\tin it",
        "// let x = 1; // twice",
        "// \xf0\x9f\x9c\x8a and \xc3\xa9, \xe4\xbd\xa0\xe5\xa5\xbd",
        "// a comment that goes on for so long that no line of a hundred columns has room for it",
    };
    put(l, comments[layout_chance(l, sizeof comments / sizeof *comments)]);
}

// The rest of the line, perhaps with a comment, and lines with nothing or with comments.
void layout_lines(struct layout *l)
{
    if (layout_one_in(l, 4))
        put(l, " "), put_comment(l);
    put(l, l->line_end);
    while (layout_one_in(l, 3)) {
        if (layout_one_in(l, 2))
            put(l, "   "), put_comment(l);
        put(l, l->line_end);
    }
    put(l, &"        "[layout_chance(l, 9)]);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static char last_byte(const struct layout *l)
{
    return l->out->n ? l->out->at[l->out->n - 1] : '\n';
}

// Whether two tokens would run together.
static bool would_join(char before, char behind)
{
    if (is_word(before))
        return is_word(behind) || behind == '"' || behind == '.';
    return strchr("*/=<>!:-.&|@+%", before) && strchr("*/=<>!:-.&|@+%0123456789", behind);
}

// A line end does not end the statement before `text`.
static bool may_break(const struct layout *l, const char *text)
{
    bool in_brackets = l->depth && l->open[l->depth - 1] != '{';
    bool goes_on = strcmp(text, "else") == 0 || *text == '}' || *text == ',';
    return in_brackets || !l->ends || l->header == l->depth + 1 || goes_on;
}

static void put_gap(struct layout *l, const char *text, const char *here)
{
    if (may_break(l, text) && layout_chance(l, 32) < l->untidy)
        layout_lines(l);
    else if (would_join(last_byte(l), *here) || layout_chance(l, 32) < 8 + l->untidy)
        put_space(l);
}

// -- glyphs --------------------------------------------------------------------------------------

// The spelling of a token in this place.
static const char *spelled(struct layout *l, const char *text)
{
    static const struct {
        const char *ascii, *glyph;
    } rows[] = {
#define TOKEN(id, ascii, glyph, class, ends) {ascii, glyph},
#define WORD(name, glyph) {name, glyph},
#define TYPE(name, glyph) {name, glyph},
#include "frontend/tokens.def"
    };
    for (size_t i = 0; l->runic && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].ascii, text) == 0 && *rows[i].glyph)
            return layout_one_in(l, 2) ? rows[i].glyph : text;
    return text;
}

// -- tokens --------------------------------------------------------------------------------------

static void follow_bracket(struct layout *l, const char *text)
{
    if (strchr("([{", *text) && !text[1] && l->depth < LAYOUT_DEPTH)
        l->open[l->depth++] = *text;
    else if (strchr(")]}", *text) && l->depth)
        l->depth--;
}

void layout_glued(struct layout *l, const char *text)
{
    put(l, spelled(l, text));
    follow_bracket(l, text);
    l->ends = false;
}

void layout_token(struct layout *l, const char *text)
{
    const char *here = spelled(l, text);
    put_gap(l, text, here);
    put(l, here);
    follow_bracket(l, text);
    l->ends = false;
}

void layout_ending(struct layout *l, const char *text)
{
    layout_token(l, text);
    l->ends = true;
}

// -- statements ----------------------------------------------------------------------------------

void layout_statement_end(struct layout *l)
{
    bool line = l->ends && layout_one_in(l, 4);
    if (!line)
        layout_token(l, ";");
    while (!line && layout_one_in(l, 12))
        layout_token(l, ";");
    if (line || !layout_one_in(l, 8))
        layout_lines(l);
    l->ends = false;
}

void layout_line(struct layout *l, const char *text)
{
    if (last_byte(l) != '\n')
        put(l, l->line_end);
    put(l, text);
    put(l, l->line_end);
}
