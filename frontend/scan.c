// scan.c: turns the pieces of a spelling's scanner into the tokens that the grammar sees.
#include "frontend/scan.h"

#include <string.h>

#include "frontend/glyph.h"
#include "frontend/grammar.h"
#include "frontend/literal.h"
#include "frontend/runic.h"
#include "frontend/syntax_error.h"

enum token_class { KEYWORD, SOFT, OPERATOR, OPEN, CLOSE, MARK, LITERAL };

struct token_row {
    const char *text;
    uint8_t len, class, ends;
};

enum { FIRST_TOKEN = TOK_NAME }; // where the grammar begins to count

static const struct token_row tokens[] = {
#define TOKEN(id, text, glyph, class, ends)                                                        \
    [TOK_##id - FIRST_TOKEN] = {text, sizeof text - 1, class, ends},
#include "frontend/tokens.def"
};

enum {
    NTOKENS = sizeof tokens / sizeof *tokens,
    NROWS = 0
#define TOKEN(id, text, glyph, class, ends) +1
#include "frontend/tokens.def"
};
_Static_assert(NTOKENS == NROWS, "each token of the grammar has a row");
_Static_assert(NTOKENS <= (int)SCAN_TOKENS, "room for a row of each token");

static const struct token_row *row_of(int token)
{
    unsigned i = (unsigned)token - FIRST_TOKEN;
    return i < NTOKENS ? &tokens[i] : NULL;
}

const char *scan_spelling_of(int token)
{
    const struct token_row *row = row_of(token);
    return row && *row->text ? row->text : NULL;
}

static bool can_end(int token)
{
    const struct token_row *row = row_of(token);
    return row && row->ends;
}

// -- keywords ------------------------------------------------------------------------------------

void scan_list_keywords(struct scan *s)
{
    for (int i = 0; i < NTOKENS; i++) {
        if (tokens[i].class > SOFT)
            continue;
        uint8_t *first = &s->keyword[tokens[i].text[0] - 'a'];
        s->next_keyword[i] = *first;
        *first = (uint8_t)(i + 1);
    }
}

static int keyword(const struct scan *s, const char *text, size_t len)
{
    unsigned letter = (unsigned char)text[0] - (unsigned)'a';
    for (unsigned i = letter < 26 ? s->keyword[letter] : 0; i; i = s->next_keyword[i - 1]) {
        const struct token_row *row = &tokens[i - 1];
        if (row->len == len && memcmp(row->text, text, len) == 0)
            return FIRST_TOKEN + (int)i - 1;
    }
    return TOK_NAME;
}

bool scan_is_keyword(const struct scan *s, const char *word)
{
    return keyword(s, word, strlen(word)) != TOK_NAME;
}

// -- where things stand --------------------------------------------------------------------------

static int top(const struct scan *s)
{
    return s->depth ? s->bracket[s->depth - 1].close : 0;
}

// Whether statements are possible here: line ends count, and so do `;`.
static bool in_braces(const struct scan *s)
{
    return s->depth == 0 || top(s) == TOK_RBRACE;
}

// The held token is a word before a `:`, where any word is a name.
static bool before_colon(const struct scan *s)
{
    const char *text = s->source->text + s->held_at.end, *glyph = glyph_of_token(TOK_COLON);
    return *text == ':' || (s->runic && !strncmp(text, glyph, strlen(glyph)));
}

// A line that begins with one of these begins a statement, whatever is open.
static bool starts_statement(const struct scan *s)
{
    int t = s->held;
    return s->first_on_line && !before_colon(s) &&
           (t == TOK_LET || t == TOK_VAR || t == TOK_RETURN || t == TOK_IMPORT || t == TOK_PARAM);
}

// The token about to come is the first of its line, and a statement may begin with it.
static bool at_new_statement(const struct scan *s)
{
    bool in_header = s->in_header[s->depth] && !starts_statement(s);
    return s->first_on_line && in_braces(s) && !in_header && can_end(s->last);
}

// -- from pieces to tokens ------------------------------------------------------------------------

static void take_comment(struct scan *s)
{
    struct span at = s->at;
    const char *text = s->source->text;
    while (at.end > at.start &&
           (text[at.end - 1] == '\r' || text[at.end - 1] == ' ' || text[at.end - 1] == '\t'))
        at.end--;
    literal_check_comment(s, at);
    vec_push(s->arena, &s->file->comments,
             (struct ast_comment){.span = at, .own_line = s->first_on_line});
}

// A name is a keyword unless it follows `.` or `as`, where only names stand.
static int name_token(struct scan *s)
{
    if (s->last == TOK_DOT || s->last == TOK_AS)
        return TOK_NAME;
    if (s->spelled)
        return keyword(s, s->spelled, strlen(s->spelled));
    return keyword(s, s->source->text + s->at.start, s->at.end - s->at.start);
}

// `@` after an operand is the matrix product, elsewhere the field mark.
static int at_token(const struct scan *s)
{
    bool operand = can_end(s->last) && s->last != TOK_RETURN && !at_new_statement(s);
    return operand ? TOK_MATMUL : TOK_FIELD;
}

static int meaning(struct scan *s, int piece)
{
    if (piece == TOK_NAME)
        return name_token(s);
    if (piece == TOK_MATMUL)
        return at_token(s);
    return piece;
}

// Takes a piece as a token.
static void hold(struct scan *s, int piece)
{
    s->suspect = s->repaired; // a piece that was no token breeds errors right behind it
    s->repaired = piece < 0;
    s->held = piece < 0 ? literal_repair(s, piece) : meaning(s, piece);
    s->held_at = s->at;
    if (s->held == 0)
        s->held_at.start = s->held_at.end;
}

// Reads pieces up to the next token into s->held.
static void fetch(struct scan *s)
{
    for (;;) {
        int piece = s->runic ? runic_next(s) : s->spelling->next(s->state, &s->at);
        if (piece == SCAN_NEWLINE) {
            s->first_on_line = true;
        } else if (piece == SCAN_COMMENT) {
            take_comment(s);
        } else {
            hold(s, piece);
            if (s->held >= 0)
                return;
        }
    }
}

// -- brackets -------------------------------------------------------------------------------------

static int closing(const struct scan *s)
{
    switch (s->held) {
    case TOK_LPAREN: return TOK_RPAREN;
    case TOK_LBRACKET: return TOK_RBRACKET;
    case TOK_LBRACE: return TOK_RBRACE;
    case TOK_CONTRACT: return s->marks && s->last != TOK_FIELD ? TOK_END : 0;
    default: return 0;
    }
}

static bool is_closing(int token)
{
    return token == TOK_RPAREN || token == TOK_RBRACKET || token == TOK_RBRACE || token == TOK_END;
}

static bool open_below(const struct scan *s, int close)
{
    for (unsigned i = 0; i < s->depth; i++)
        if (s->bracket[i].close == close)
            return true;
    return false;
}

static void push_bracket(struct scan *s)
{
    if (s->depth < PARSE_MAX_DEPTH) {
        s->bracket[s->depth++] = (struct scan_bracket){closing(s), s->held_at};
        s->in_header[s->depth] = false;
        return;
    }
    struct diag *g = diag_error(s->diags, s->held_at, "E_DEPTH_EXCEEDED",
                                "brackets are nested more than %d deep", PARSE_MAX_DEPTH);
    diag_help(g, "give inner parts a name with %s", syntax_shown(s, "let"));
    scan_stop(s);
}

// A bracket as it is written, and what it is in HLXL where that is something else.
static const char *bracket_shown(const struct scan *s, struct span at)
{
    const char *text = arena_copy(s->arena, s->source->text + at.start, at.end - at.start);
    if (strcmp(text, "🜊") == 0)
        return syntax_shown(s, "contract");
    return arena_printf(s->arena, strcmp(text, "🜂") == 0 ? "`%s` (})" : "`%s`", text);
}

// One report for all the brackets that a token leaves open.
static void report_unclosed(struct scan *s)
{
    if (s->unclosed_at == s->held_at.end + 1)
        return;
    s->unclosed_at = s->held_at.end + 1;
    struct span open = s->bracket[s->depth - 1].open;
    struct diag *g =
        diag_error(s->diags, open, "HLX0202", "this %s is never closed", bracket_shown(s, open));
    if (s->held == TOK_SEMI)
        diag_label(g, s->held_at, "the statement ends here");
    else if (is_closing(s->held))
        diag_label(g, s->held_at, "this closes a bracket further out");
    else if (s->held != 0)
        diag_label(g, s->held_at, "the next statement begins here");
}

static void report_stray(struct scan *s)
{
    diag_error(s->diags, s->held_at, "HLX0203", "this %s closes nothing",
               bracket_shown(s, s->held_at));
}

// So does `for`, but a header may go on with it.
static bool starts_loop(const struct scan *s)
{
    return s->first_on_line && s->held == TOK_FOR && !before_colon(s);
}

// Whether the innermost bracket must be closed before the held token can be given.
static bool lacks_closing(const struct scan *s)
{
    if (s->depth == 0)
        return false;
    if (s->held == 0)
        return true;
    if (is_closing(s->held))
        return top(s) != s->held;
    return !in_braces(s) && (s->held == TOK_SEMI || starts_statement(s) || starts_loop(s));
}

static bool line_end_ends_statement(const struct scan *s)
{
    bool goes_on = s->held == TOK_ELSE || s->held == TOK_RBRACE || s->held == TOK_COMMA;
    return at_new_statement(s) && !goes_on && s->held != 0;
}

// Line ends do not count between the name of an entry or function and its body.
static void follow_header(struct scan *s)
{
    bool name = s->held == TOK_NAME || (s->held > 0 && row_of(s->held)->class == SOFT);
    if ((s->last == TOK_ENTRY || s->last == TOK_FN) && name)
        s->in_header[s->depth] = true;
    else if (s->held == TOK_SEMI || (s->held == TOK_LBRACE && s->last != TOK_USING))
        s->in_header[s->depth] = false;
}

// -- the grammar's side ---------------------------------------------------------------------------

// A token that is not written, right after the last one.
static int give_missing(struct scan *s, int token, struct ast **value, struct span *at)
{
    *value = NULL;
    *at = (struct span){s->file->file, s->last_end, s->last_end};
    s->last = token;
    return token;
}

// Names, literals, and keywords for where they are names.
static bool has_leaf(int token)
{
    const struct token_row *row = row_of(token);
    return row && (row->class <= SOFT || row->class == LITERAL);
}

// A repaired token has an ERROR node for its value. A keyword behind the field mark is a name.
static int give_held(struct scan *s, struct ast **value, struct span *at)
{
    int token = s->held;
    *value = has_leaf(token) ? literal_leaf(s, token, s->held_at, s->repaired) : NULL;
    *at = s->held_at;
    s->last =
        s->last == TOK_FIELD && row_of(token) && row_of(token)->class <= SOFT ? TOK_NAME : token;
    s->last_end = s->held_at.end;
    s->first_on_line = false;
    s->held = -1;
    return s->stopped ? 0 : token;
}

uint32_t scan_peek(struct scan *s)
{
    if (s->held < 0 && !s->stopped)
        fetch(s);
    return s->held_at.start;
}

int scan_next(struct scan *s, struct ast **value, struct span *at)
{
    *value = NULL;
    if (s->stopped)
        return *at = (struct span){s->file->file, s->last_end, s->last_end}, 0;
    if (s->held < 0)
        fetch(s);
    while (is_closing(s->held) && !open_below(s, s->held)) {
        report_stray(s);
        fetch(s);
    }
    if (lacks_closing(s)) {
        report_unclosed(s);
        int token = top(s);
        s->depth--;
        return give_missing(s, token, value, at);
    }
    if (line_end_ends_statement(s)) {
        s->line_start = s->held_at.start;
        s->in_header[s->depth] = false;
        return give_missing(s, TOK_SEMI, value, at);
    }
    follow_header(s);
    if (closing(s))
        push_bracket(s);
    else if (is_closing(s->held))
        s->depth--;
    return give_held(s, value, at);
}
