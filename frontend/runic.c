// runic.c: reads HLX, the runic spelling: glyphs, and the runes of the legend.
#include "frontend/runic.h"

#include <string.h>

#include "frontend/glyph.h"
#include "frontend/grammar.h"
#include "frontend/legend.h"

static const char *at_text(const struct scan *s)
{
    return s->source->text + s->at.start;
}

static size_t at_len(const struct scan *s)
{
    return s->at.end - s->at.start;
}

static const struct glyph *glyph_at(const struct scan *s)
{
    const struct map_entry *e = map_find(&s->runic->glyphs, at_text(s), at_len(s));
    return e ? e->value.p : NULL;
}

// -- the legend -----------------------------------------------------------------------------------

static void bad_legend(struct scan *s, const char *sentence, const char *help)
{
    struct diag *g = diag_error(s->diags, s->at, "HLX0114", "%s", sentence);
    if (help)
        diag_help(g, "%s", help);
}

// Whether a rune may stand for a name, and is the first of its kind.
static bool check_rune(struct scan *s)
{
    uint32_t rune;
    utf8_decode(at_text(s), at_len(s), &rune);
    const struct glyph *g = glyph_at(s);
    if (g)
        bad_legend(s, arena_printf(s->arena, "this rune is a glyph of the language (%s)", g->ascii),
                   NULL);
    else if (!legend_may_use(&s->runic->glyphs, rune))
        bad_legend(s, arena_printf(s->arena, "U+%04X is no rune for a legend", rune),
                   "those are the runic letters that are no glyphs, then Ogham and Glagolitic");
    else if (map_find(&s->runic->legend, at_text(s), at_len(s)))
        bad_legend(s, "the legend has this rune twice", NULL);
    else
        return true;
    return false;
}

static bool check_name(struct scan *s, const char *name, struct span at)
{
    bool twice = false;
    for (size_t i = 0; i < s->runic->legend.n; i++)
        twice = twice || !strcmp(s->runic->legend.entry[i].value.p, name);
    if (!twice && !scan_is_keyword(s, name))
        return true;
    s->at = at;
    bad_legend(
        s,
        arena_printf(s->arena,
                     twice ? "the legend has `%s` twice" : "`%s` is a keyword, which has its glyph",
                     name),
        NULL);
    return false;
}

// Reads "name" or "name.member" from a piece that is a name on. Returns the piece behind it.
static int legend_name(struct scan *s, const char **name, struct span *at)
{
    *at = s->at;
    *name = arena_copy(s->arena, at_text(s), at_len(s));
    int piece = s->spelling->next(s->state, &s->at);
    if (piece != TOK_DOT)
        return piece;
    piece = s->spelling->next(s->state, &s->at);
    if (piece != TOK_NAME) {
        bad_legend(s, "a member's name follows the `.`", NULL);
        return piece;
    }
    at->end = s->at.end;
    *name = arena_printf(s->arena, "%s.%.*s", *name, (int)at_len(s), at_text(s));
    return s->spelling->next(s->state, &s->at);
}

// Reads a pair of the legend from a piece on; returns the piece behind it.
static int legend_pair(struct scan *s, int piece)
{
    const char *name;
    struct span at;
    if (piece != SCAN_RUNE) {
        bad_legend(s, "a legend is made of runes, each with its name", "write `ᛝᚡvocabᚣnn.linear`");
        return s->spelling->next(s->state, &s->at);
    }
    bool usable = check_rune(s);
    const char *rune = arena_copy(s->arena, at_text(s), at_len(s));
    piece = s->spelling->next(s->state, &s->at);
    if (piece != TOK_NAME) {
        bad_legend(s, "a name follows each rune of a legend", NULL);
        return piece;
    }
    piece = legend_name(s, &name, &at);
    struct span behind = s->at;
    if (usable && check_name(s, name, at))
        map_put_str(&s->runic->legend, rune, NULL)->value.c = name;
    s->at = behind;
    return piece;
}

// Reads the rest of the line behind the mark. What ends it is left to be read.
static void read_legend(struct scan *s)
{
    int piece = s->spelling->next(s->state, &s->at);
    while (piece != 0 && piece != SCAN_NEWLINE && piece != SCAN_COMMENT)
        piece = legend_pair(s, piece);
    s->runic->part[0] = (struct runic_part){piece, s->at, NULL};
    s->runic->parts = 1;
}

void runic_start(struct scan *s)
{
    struct runic *r = s->runic = arena_new(s->arena, struct runic);
    map_init(&r->glyphs, s->arena);
    map_init(&r->legend, s->arena);
    glyph_map_runes(&r->glyphs);
    s->file->legend = &r->legend;
    int piece = s->spelling->next(s->state, &s->at);
    const struct glyph *g = piece == SCAN_RUNE ? glyph_at(s) : NULL;
    if (g && g->token == TOK_LEGEND) {
        read_legend(s);
        return;
    }
    r->part[0] = (struct runic_part){piece, s->at, NULL};
    r->parts = 1;
}

// -- pieces ---------------------------------------------------------------------------------------

static const char *skip_space(const char *text)
{
    text += strspn(text, " \t\r\n");
    while (text[0] == '/' && text[1] == '/') {
        text += strcspn(text, "\n");
        text += strspn(text, " \t\r\n");
    }
    return text;
}

bool runic_has_marks(const char *behind)
{
    const char *mark = glyph_of_token(TOK_FIELD), *end = glyph_of_token(TOK_END);
    behind = skip_space(behind);
    size_t digits = strspn(behind, "0123456789_abcdefABCDEFxX");
    behind = skip_space(behind + digits);
    return digits && (!strncmp(behind, mark, strlen(mark)) || !strncmp(behind, end, strlen(end)));
}

// A legend behind the first token: reported, and passed over with its line.
static int late_legend(struct scan *s)
{
    struct runic *r = s->runic;
    int piece;
    bad_legend(s, "a legend stands in the first line, before everything else", NULL);
    do
        piece = s->spelling->next(s->state, &s->at);
    while (piece != 0 && piece != SCAN_NEWLINE && piece != SCAN_COMMENT);
    r->next_part = r->parts = 0;
    return piece;
}

static int glyph_piece(struct scan *s, const struct glyph *g)
{
    bool word = g->token == TOK_NAME || (g->ascii[0] >= 'a' && g->ascii[0] <= 'z');
    if (g->token == TOK_BYTES)
        return SCAN_RUNE; // without its text
    if (g->token == TOK_CONTRACT)
        s->marks = runic_has_marks(s->source->text + s->at.end);
    if (g->token == TOK_LEGEND)
        return late_legend(s);
    if (!word)
        return g->token;
    s->spelled = g->ascii;
    return TOK_NAME;
}

// A pair's three tokens share the rune's bytes, so that each has a place of its own.
static int legend_piece(struct scan *s, const char *text)
{
    struct runic *r = s->runic;
    const char *dot = strchr(text, '.');
    struct span at = s->at;
    s->spelled = text;
    if (!dot)
        return TOK_NAME;
    uint32_t first = at.start + 1, second = first + 1;
    r->part[0] = (struct runic_part){TOK_DOT, {at.file, first, second}, NULL};
    r->part[1] = (struct runic_part){TOK_NAME, {at.file, second, at.end}, dot + 1};
    r->parts = 2;
    r->next_part = 0;
    s->spelled = arena_copy(s->arena, text, (size_t)(dot - text));
    s->at.end = first;
    return TOK_NAME;
}

static int rune_piece(struct scan *s)
{
    const struct glyph *g = glyph_at(s);
    if (g)
        return glyph_piece(s, g);
    const struct map_entry *e = map_find(&s->runic->legend, at_text(s), at_len(s));
    return e ? legend_piece(s, e->value.p) : SCAN_RUNE;
}

int runic_next(struct scan *s)
{
    struct runic *r = s->runic;
    int piece;
    s->spelled = NULL;
    s->marks = false;
    if (r->next_part < r->parts) {
        const struct runic_part *part = &r->part[r->next_part++];
        s->at = part->at;
        s->spelled = part->name;
        piece = part->piece;
        if (r->next_part == r->parts)
            r->next_part = r->parts = 0;
    } else {
        piece = s->spelling->next(s->state, &s->at);
    }
    return piece == SCAN_RUNE ? rune_piece(s) : piece;
}

// -- texts ----------------------------------------------------------------------------------------

bool runic_detect(const char *text, size_t len)
{
    struct arena arena = {0};
    struct map glyphs;
    struct span at = {0};
    bool found = false;
    int piece;
    map_init(&glyphs, &arena);
    glyph_map_runes(&glyphs);
    void *state = scan_hlx.open(text, len);
    while (!found && (piece = scan_hlx.next(state, &at)) != 0)
        found = piece == SCAN_RUNE && map_find(&glyphs, text + at.start, at.end - at.start);
    scan_hlx.close(state);
    arena_free(&arena);
    return found;
}

// `first` and n bytes, which may hold NULs when they are no literal after all.
static const char *join(struct arena *a, const char *first, const char *rest, size_t n, size_t *len)
{
    size_t head = strlen(first);
    char *out = arena_alloc(a, head + n + 1);
    memcpy(out, first, head);
    memcpy(out + head, rest, n);
    out[head + n] = '\0';
    *len = head + n;
    return out;
}

const char *runic_literal(struct arena *a, int token, const char *text, size_t *len)
{
    static const struct {
        int token;
        const char *ascii;
    } marks[] = {{TOK_HANDLE, "&h_"}, {TOK_BYTES, "x"}};
    if (token == TOK_FLOAT && text[0] == '.')
        return join(a, "0", text, *len, len);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *glyph = glyph_of_token(marks[i].token);
        size_t n = strlen(glyph);
        if (token == marks[i].token && *len >= n && !memcmp(text, glyph, n))
            return join(a, marks[i].ascii, text + n, *len - n, len);
    }
    return text;
}
