// pretty_region.c: writes source that hlxfmt leaves as it is, token by token, in another spelling.
//
// All that stands between tokens stays. Where HLXL would run two words together it has a space
// between them, and HLX keeps that: so a region of HLX is written as its HLXL is.
#include <string.h>

#include "frontend/glyph.h"
#include "frontend/pretty_build.h"
#include "frontend/runic.h"

// One walk over the pieces of a region.
struct region {
    struct pretty *p;
    struct map glyphs;        // of the spelling that is read
    const struct map *legend; // of the file that is read
    const char *text;
    struct span at;
    struct buf *out;
    VEC(int) open; // brackets: fields so far of a contract with marks, else -1
    bool key;      // the next piece is the key of a marked field
    bool value;    // the next piece begins its value
};

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Puts a token of HLXL, apart from a word right before it.
static void put_word(struct region *r, const char *text, size_t n, bool glued)
{
    if (glued && n && r->out->n && is_word_byte(r->out->at[r->out->n - 1]) && is_word_byte(*text))
        buf_putc(r->out, ' ');
    buf_put(r->out, text, n);
}

static int *innermost(struct region *r)
{
    return r->open.n ? &vec_last(&r->open) : NULL;
}

// -- to HLXL --------------------------------------------------------------------------------------

static void follow_bracket(struct region *r, int token)
{
    bool closes = token == TOK_RPAREN || token == TOK_RBRACKET || token == TOK_RBRACE;
    if (token == TOK_LPAREN || token == TOK_LBRACKET || token == TOK_LBRACE)
        vec_push(r->p->arena, &r->open, -1);
    else if (closes && r->open.n)
        r->open.n--;
}

// What a glyph is in HLXL; the marks of a contract become braces, commas and colons.
static const char *ascii_of(struct region *r, const struct glyph *g)
{
    int *fields = innermost(r);
    bool marked = fields && *fields >= 0;
    if (g->token == TOK_CONTRACT && runic_has_marks(r->text + r->at.end))
        vec_push(r->p->arena, &r->open, 0);
    if (g->token == TOK_FIELD && marked && !r->value) {
        r->key = true;
        return (*fields)++ ? ", " : " { ";
    }
    if (g->token == TOK_END && marked) {
        r->open.n--;
        return *fields ? " }" : " {}";
    }
    return g->ascii;
}

static const char *rune_to_ascii(struct region *r, size_t *n)
{
    const char *text = r->text + r->at.start;
    const struct map_entry *e = map_find(&r->glyphs, text, *n);
    const char *ascii = text;
    if (e)
        ascii = ascii_of(r, e->value.p);
    else if (r->legend && (e = map_find(r->legend, text, *n)) != NULL)
        ascii = e->value.p;
    if (e)
        *n = strlen(ascii);
    return ascii;
}

static void piece_to_ascii(struct region *r, int piece, bool glued)
{
    const char *text = r->text + r->at.start;
    size_t n = r->at.end - r->at.start;
    bool key = r->key, token = piece != SCAN_NEWLINE && piece != SCAN_COMMENT;
    if (token)
        r->key = false;
    if (piece == SCAN_RUNE)
        text = rune_to_ascii(r, &n);
    else if (piece > 0)
        text = runic_literal(r->p->arena, piece, text, &n);
    follow_bracket(r, piece);
    if (key && token && piece == TOK_INT)
        buf_putc(r->out, '@');
    put_word(r, text, n, glued);
    if (key && token)
        buf_putc(r->out, ':');
    if (token)
        r->value = key;
}

// -- to HLX ---------------------------------------------------------------------------------------

static void literal_to_runic(struct region *r, int piece, const char *text, size_t n)
{
    size_t skip = 0; // what the glyph, or nothing, stands for
    if (piece == TOK_FLOAT && !strncmp(text, "0.", 2))
        skip = 1;
    if (piece == TOK_BYTES)
        skip = strlen("x");
    if (piece == TOK_HANDLE && n > 3 && !strncmp(text, "&h_", 3))
        skip = strlen("&h_");
    buf_puts(r->out, skip && piece != TOK_FLOAT ? glyph_of_token(piece) : "");
    buf_put(r->out, text + skip, n - skip);
}

// Looks for `name.member` at a name: the length of the text, or 0.
static size_t pair_at(const struct region *r, const char *text, size_t n, size_t rest)
{
    size_t end = n + 1;
    if (rest <= end || text[n] != '.' || (text[end] >= '0' && text[end] <= '9'))
        return 0;
    while (end < rest && is_word_byte(text[end]))
        end++;
    return legend_rune(&r->p->legend, text, end) ? end : 0;
}

static void piece_to_runic(struct region *r, int piece)
{
    const char *text = r->text + r->at.start;
    size_t n = r->at.end - r->at.start;
    const struct map_entry *e = piece > 0 ? map_find(&r->p->glyphs, text, n) : NULL;
    const char *rune = piece == TOK_NAME ? legend_rune(&r->p->legend, text, n) : NULL;
    if (e && !rune)
        rune = ((const struct glyph *)e->value.p)->rune;
    if (rune)
        buf_puts(r->out, rune);
    else
        literal_to_runic(r, piece, text, n);
}

// -- the walk -------------------------------------------------------------------------------------

static void walk(struct pretty *p, const char *text, size_t n, bool to_runic, struct buf *out)
{
    const struct scan_spelling *spelling = to_runic ? &scan_hlxl : &scan_hlx;
    struct region r = {.p = p, .text = text, .out = out, .legend = p->file->legend};
    void *state = spelling->open(text, n);
    uint32_t end = 0;
    int piece;
    map_init(&r.glyphs, p->arena);
    glyph_map_runes(&r.glyphs);
    while ((piece = spelling->next(state, &r.at)) != 0) {
        size_t pair = piece == TOK_NAME && to_runic
                          ? pair_at(&r, text + r.at.start, r.at.end - r.at.start, n - r.at.start)
                          : 0;
        buf_put(out, text + end, r.at.start - end);
        if (pair) {
            buf_puts(out, legend_rune(&p->legend, text + r.at.start, pair));
            for (uint32_t to = r.at.start + (uint32_t)pair; r.at.end < to;)
                spelling->next(state, &r.at);
        } else if (to_runic) {
            piece_to_runic(&r, piece);
        } else {
            piece_to_ascii(&r, piece, end == r.at.start);
        }
        end = r.at.end;
    }
    buf_put(out, text + end, n - end);
    spelling->close(state);
}

const struct doc *pretty_region(struct pretty *p, uint32_t start, uint32_t end)
{
    const char *text = p->source->text + start;
    size_t n = end - start;
    bool runic[] = {false, true}, wanted[] = {p->file->runic, p->runic};
    for (size_t i = 0; i < 2; i++) {
        struct buf out = {0};
        if (!wanted[i])
            continue;
        walk(p, text, n, runic[i], &out);
        text = arena_copy(p->arena, out.at ? out.at : "", n = out.n);
        buf_free(&out);
    }
    return doc_raw(p->arena, text, n);
}
