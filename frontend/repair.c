// repair.c: says what is wrong with characters and words that are no tokens, and goes on.
#include "frontend/literal.h"

#include <string.h>

#include "frontend/glyph.h"
#include "frontend/grammar.h"
#include "frontend/syntax_error.h"

struct range {
    uint32_t first, last;
};

// Characters that show nothing, spaces that are not U+0020, and characters that change how the rest
// of the line is shown: none of them stands among tokens.
static const struct range hidden[] = {
    {0x0080, 0x00a0}, {0x00ad, 0x00ad},   {0x034f, 0x034f}, {0x061c, 0x061c}, {0x115f, 0x1160},
    {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
    {0x3000, 0x3000}, {0x3164, 0x3164},   {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

// Of those, the ones that reorder text: not even texts may have them.
static const struct range reordering[] = {{0x202a, 0x202e}, {0x2066, 0x2069}};

// Of those, the ones that comments may have: spaces, joiners and variations, which prose in many
// scripts, and emoji, need.
static const struct range prose[] = {
    {0x00a0, 0x00a0}, {0x180b, 0x180d}, {0x180f, 0x180f}, {0x2000, 0x200a}, {0x200c, 0x200d},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfe00, 0xfe0f},
};

#define IS_IN(rune, table) is_in((rune), (table), sizeof(table) / sizeof *(table))

static bool is_in(uint32_t rune, const struct range *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rune >= table[i].first && rune <= table[i].last)
            return true;
    return false;
}

// What was probably meant, and the token that stands for it.
static const struct lookalike {
    uint32_t rune;
    const char *meant;
    int token;
} lookalikes[] = {
    {0x2212, "-", TOK_MINUS},  {0x2010, "-", TOK_MINUS},   {0x2013, "-", TOK_MINUS},
    {0x2014, "-", TOK_MINUS},  {0x00d7, "*", TOK_STAR},    {0x00b7, "*", TOK_STAR},
    {0x22c5, "*", TOK_STAR},   {0x2217, "*", TOK_STAR},    {0x00f7, "/", TOK_SLASH},
    {0x2215, "/", TOK_SLASH},  {0x2264, "<=", TOK_LE},     {0x2265, ">=", TOK_GE},
    {0x2260, "!=", TOK_NE},    {0x2262, "!=", TOK_NE},     {0x2261, "==", TOK_EQ},
    {0x2192, "->", TOK_ARROW}, {0x2254, ":=", TOK_UPDATE}, {0x2227, "and", TOK_AND},
    {0x2228, "or", TOK_OR},    {0x00ac, "not", TOK_NOT},   {0x201c, "\"", TOK_NAME},
    {0x201d, "\"", TOK_NAME},  {0x2018, "\"", TOK_NAME},   {0x2019, "\"", TOK_NAME},
    {0xff0c, ",", TOK_COMMA},  {0xff1b, ";", TOK_SEMI},    {0xff1a, ":", TOK_COLON},
};

static const struct lookalike *find_lookalike(uint32_t rune)
{
    for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
        if (lookalikes[i].rune == rune)
            return &lookalikes[i];
    return NULL;
}

// The first rune beyond ASCII in a span; the span is narrowed to it.
static uint32_t first_foreign(const char *text, struct span *at)
{
    uint32_t rune = 0;
    while (at->start < at->end && (unsigned char)text[at->start] < 0x80)
        at->start++;
    at->end = at->start + (uint32_t)utf8_decode(text + at->start, at->end - at->start, &rune);
    return rune;
}

static void report_hidden(struct scan *s, struct span at, uint32_t rune)
{
    struct diag *g = diag_error(s->diags, at, "HLX0104",
                                "U+%04X is invisible or changes the direction of text", rune);
    diag_help(g, "remove it; in a text write \\u{%X}", rune);
}

// A piece together with the one character before it, with which a mark at its start would combine.
static struct span with_base(const struct scan *s)
{
    const char *text = s->source->text;
    struct span at = s->at;
    if (at.start > 0 && (unsigned char)text[at.start - 1] > ' ')
        do
            at.start--;
        while (at.start > 0 && ((unsigned char)text[at.start] & 0xc0) == 0x80);
    return at;
}

// The form C of a place, in *n bytes; NULL if it has that form.
static const char *composed(const struct scan *s, struct span at, size_t *n)
{
    const char *text = s->source->text + at.start;
    size_t len = at.end - at.start;
    const char *nfc = text_nfc(s->arena, text, len, n);
    return *n == len && !memcmp(nfc, text, len) ? NULL : nfc;
}

static const struct glyph *glyph_at(const struct scan *s, struct span at)
{
    struct map runes;
    map_init(&runes, s->arena);
    glyph_map_runes(&runes);
    const struct map_entry *e = map_find(&runes, s->source->text + at.start, at.end - at.start);
    return e ? e->value.p : NULL;
}

static int report_decomposed(struct scan *s, struct span at, const char *nfc, size_t n)
{
    struct diag *g = diag_error(s->diags, at, "HLX0113", "this is not in normalisation form C");
    uint32_t rune;
    const struct lookalike *like = utf8_decode(nfc, n, &rune) == n ? find_lookalike(rune) : NULL;
    const char *twin = like ? like->meant : text_ascii_twin(s->arena, nfc, n);
    if (twin && s->spelling == &scan_hlxl)
        diag_help(g, "did you mean `%s`?", twin);
    else
        diag_help(g, "write `%.*s`; uconv -x nfc FILE converts a file", (int)n, nfc);
    if (at.start < s->at.start)
        return -1; // a mark behind a token, which stays
    return like ? like->token : TOK_NAME;
}

// Says what a word looks like or stands for.
static void suggest_ascii(const struct scan *s, struct diag *g, struct span word, uint32_t rune)
{
    const char *letter = text_lookalike(rune), *text = s->source->text;
    const char *twin = text_ascii_twin(s->arena, text + word.start, word.end - word.start);
    if (letter)
        diag_caret(g, "looks like the letter %s", letter);
    if (twin)
        diag_help(g, "did you mean `%s`?", twin);
}

// What both spellings do not have among tokens. Returns false if it is none of that.
static bool repair_hygiene(struct scan *s, struct span at, uint32_t rune, int *token)
{
    bool alone = at.start == s->at.start && at.end == s->at.end;
    struct span wide = with_base(s);
    const char *nfc;
    size_t n;
    *token = alone ? -1 : TOK_NAME;
    if (IS_IN(rune, hidden))
        report_hidden(s, at, rune);
    else if ((nfc = composed(s, s->at, &n)) != NULL)
        *token = report_decomposed(s, s->at, nfc, n);
    else if ((nfc = composed(s, wide, &n)) != NULL)
        *token = report_decomposed(s, wide, nfc, n);
    else
        return false;
    return true;
}

// A word of HLXL with characters beyond ASCII.
static int repair_foreign(struct scan *s)
{
    struct span at = s->at;
    uint32_t rune = first_foreign(s->source->text, &at);
    bool alone = at.start == s->at.start && at.end == s->at.end;
    int token;
    if (repair_hygiene(s, at, rune, &token))
        return token;
    struct diag *g =
        diag_error(s->diags, at, "HLX0103",
                   "U+%04X stands outside text and comments, where all is ASCII", rune);
    const struct lookalike *like = find_lookalike(rune);
    const struct glyph *glyph = like ? NULL : glyph_at(s, at);
    if (like)
        diag_help(g, "did you mean `%s`?", like->meant);
    else if (glyph && *glyph->ascii)
        diag_help(g, "it is the runic spelling of `%s`, for files that end with .hlx",
                  glyph->ascii);
    else
        suggest_ascii(s, g, s->at, rune);
    return like && alone ? like->token : TOK_NAME;
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The letters around a rune of HLX.
static struct span word_around(const struct scan *s, struct span at)
{
    const char *text = s->source->text;
    while (at.start > 0 && is_word_byte(text[at.start - 1]))
        at.start--;
    while (is_word_byte(text[at.end]))
        at.end++;
    return at;
}

// A rune of HLX that is no glyph and that the legend does not have.
static int repair_rune(struct scan *s)
{
    uint32_t rune = 0;
    int token;
    utf8_decode(s->source->text + s->at.start, s->at.end - s->at.start, &rune);
    if (repair_hygiene(s, s->at, rune, &token))
        return token;
    const struct glyph *glyph = glyph_at(s, s->at);
    if (glyph) {
        diag_error(s->diags, s->at, "HLX0109", "digits in quotes follow the mark of bytes");
        return TOK_BYTES;
    }
    struct diag *g = diag_error(s->diags, s->at, "HLX0103",
                                "U+%04X is no glyph, and the legend does not have it", rune);
    const struct lookalike *like = find_lookalike(rune);
    if (like)
        diag_help(g, "did you mean `%s`?", like->meant);
    else
        suggest_ascii(s, g, word_around(s, s->at), rune);
    return like ? like->token : -1;
}

static int repair_char(struct scan *s)
{
    unsigned char c = (unsigned char)s->source->text[s->at.start];
    if (c < 0x20 || c == 0x7f) {
        diag_error(s->diags, s->at, "HLX0104", "control character U+%04X in the source", c);
        return -1;
    }
    struct diag *g = diag_error(s->diags, s->at, "HLX0102", "`%c` means nothing here", c);
    if (c == '\'' || c == '`')
        diag_help(g, "texts stand in double quotes");
    else if (c == '#')
        diag_help(g, "comments begin with //");
    else if (c == '^')
        diag_help(g, "a power is written %s", syntax_shown(s, "**"));
    return -1;
}

static int repair_alien(struct scan *s, const char *ours, int token)
{
    diag_error(s->diags, s->at, "HLX0111", "`%.*s` is written %s", (int)(s->at.end - s->at.start),
               s->source->text + s->at.start, syntax_shown(s, ours));
    return token;
}

static int repair_block_comment(struct scan *s)
{
    struct span open = {s->at.file, s->at.start, s->at.start + 2};
    struct diag *g = diag_error(s->diags, open, "HLX0111", "there are no block comments");
    diag_help(g, "a comment begins with // and ends with its line");
    return -1;
}

static int repair_assign(struct scan *s)
{
    struct diag *g = diag_error(s->diags, s->at, "HLX0111", "there is no `%.*s`",
                                (int)(s->at.end - s->at.start), s->source->text + s->at.start);
    diag_help(g, "write `x = x %.*s ...`", (int)(s->at.end - s->at.start - 1),
              s->source->text + s->at.start);
    return TOK_ASSIGN;
}

static int repair_open_text(struct scan *s)
{
    struct diag *g = diag_error(s->diags, s->at, "HLX0105", "the text is not closed on its line");
    diag_help(g, "end it with `\"`; a line end inside a text is written \\n");
    return TOK_TEXT;
}

static int repair_quotes(struct scan *s)
{
    diag_error(s->diags, s->at, "HLX0102", "texts stand in double quotes");
    return TOK_TEXT;
}

static int repair_number(struct scan *s)
{
    const char *text = s->source->text + s->at.start, *why = "letters follow the digits";
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        why = "hexadecimal digits are 0 to 9 and a to f";
    else if (strchr("eE+-", s->source->text[s->at.end - 1]))
        why = "the exponent has no digits";
    diag_error(s->diags, s->at, "HLX0107", "malformed number: %s", why);
    return TOK_INT;
}

static int repair_float(struct scan *s)
{
    diag_error(s->diags, s->at, "HLX0107", "a float begins with a digit: write 0%.*s",
               (int)(s->at.end - s->at.start), s->source->text + s->at.start);
    return TOK_FLOAT;
}

static int repair_handle(struct scan *s)
{
    struct diag *g = diag_error(s->diags, s->at, "HLX0110", "`&` without the name of a handle");
    diag_help(g, "a handle is written &h_... or &name; the logical operator is %s",
              syntax_shown(s, "and"));
    return TOK_HANDLE;
}

int literal_repair(struct scan *s, int piece)
{
    if (diags_full(s->diags))
        scan_stop(s);
    switch (piece) {
    case SCAN_FOREIGN: return repair_foreign(s);
    case SCAN_RUNE: return repair_rune(s);
    case SCAN_OPEN_TEXT: return repair_open_text(s);
    case SCAN_BAD_NUMBER: return repair_number(s);
    case SCAN_BAD_FLOAT: return repair_float(s);
    case SCAN_BAD_HANDLE: return repair_handle(s);
    case SCAN_ALIEN_AND: return repair_alien(s, "and", TOK_AND);
    case SCAN_ALIEN_OR: return repair_alien(s, "or", TOK_OR);
    case SCAN_ALIEN_NOT: return repair_alien(s, "not", TOK_NOT);
    case SCAN_ALIEN_ASSIGN: return repair_assign(s);
    case SCAN_SINGLE_QUOTED: return repair_quotes(s);
    case SCAN_BLOCK_COMMENT: return repair_block_comment(s);
    default: return repair_char(s);
    }
}

// Reports what a comment or text may not have: control characters, and the characters of `refused`.
static void check_runes(struct scan *s, struct span at, const struct range *refused, size_t n,
                        bool text)
{
    const char *from = s->source->text;
    for (uint32_t i = at.start; i < at.end;) {
        unsigned char c = (unsigned char)from[i];
        uint32_t rune = c;
        size_t len = c < 0x80 ? 1 : utf8_decode(from + i, at.end - i, &rune);
        struct span one = {at.file, i, i + (uint32_t)len};
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            diag_error(s->diags, one, "HLX0104", "control character U+%04X in the source", c);
        else if (c >= 0xc2 && is_in(rune, refused, n) && (text || !IS_IN(rune, prose)))
            report_hidden(s, one, rune);
        i += (uint32_t)len;
    }
}

void literal_check_text(struct scan *s, struct span at)
{
    check_runes(s, at, reordering, sizeof reordering / sizeof *reordering, true);
}

void literal_check_comment(struct scan *s, struct span at)
{
    check_runes(s, at, hidden, sizeof hidden / sizeof *hidden, false);
}
