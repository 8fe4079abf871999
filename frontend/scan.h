// scan.h: tokens for the grammar, whichever of the two spellings they come from.
//
// A spelling's scanner (hlxl_scan.l) only cuts the text into pieces and says what each looks like.
// Everything that both spellings share is done here, once: keywords, literal values, statement ends
// at line ends, the balance of brackets, comments.
#ifndef HLX_FRONTEND_SCAN_H
#define HLX_FRONTEND_SCAN_H

#include "base/diag.h"
#include "frontend/ast.h"
#include "frontend/parse.h"

// What a spelling's scanner returns besides the grammar's tokens (0 is the end of the text).
enum scan_piece {
    SCAN_NEWLINE = -1,
    SCAN_COMMENT = -2,
    SCAN_BAD_CHAR = -3,   // a character that no token begins with
    SCAN_FOREIGN = -4,    // a word with characters that are not ASCII
    SCAN_OPEN_TEXT = -5,  // a text literal that its line does not close
    SCAN_BAD_NUMBER = -6, // letters right after digits
    SCAN_BAD_FLOAT = -7,  // .5
    SCAN_BAD_HANDLE = -8, // & without a name
    SCAN_ALIEN_AND = -9,  // &&, ||, ! of other languages
    SCAN_ALIEN_OR = -10,
    SCAN_ALIEN_NOT = -11,
    SCAN_ALIEN_ASSIGN = -12, // += and its like
    SCAN_BLOCK_COMMENT = -13,
    SCAN_SINGLE_QUOTED = -14,
    SCAN_RUNE = -15 // in HLX: one character beyond ASCII
};

// One spelling. `next` moves *at to the next piece and says what it is; at->end is where it stands.
struct scan_spelling {
    void *(*open)(const char *text, size_t len);
    int (*next)(void *state, struct span *at);
    void (*close)(void *state);
};

extern const struct scan_spelling scan_hlxl, scan_hlx;

enum { SCAN_TOKENS = 64 }; // at most, in the grammar

struct scan_bracket {
    int close; // the token that closes it
    struct span open;
};

struct scan {
    struct arena *arena; // of what stays to the end
    struct arena *nodes; // of leaves
    const struct source *source;
    struct diags *diags;
    struct ast_file *file; // takes the comments
    const struct scan_spelling *spelling;
    void *state;
    struct runic *runic;    // of HLX, else NULL
    const char *spelled;    // the last piece, if HLXL spells it in another way
    bool marks;             // the last piece is a contract whose fields have marks
    struct span at;         // of the last piece
    struct span held_at;    // of `held`
    int held;               // a token to be given next, or -1
    int last;               // the last token given
    uint32_t last_end;      // where it ended
    bool first_on_line;     // no token yet on this line
    bool repaired, suspect; // the last piece, and the one before the last token, was no token
    uint32_t line_start;    // start of the last token whose line end ended a statement before it
    uint32_t unclosed_at;   // end + 1 of the last token before which brackets lacked
    uint8_t keyword[26];    // the first of each letter, as a row of the table + 1
    uint8_t next_keyword[SCAN_TOKENS];
    bool stopped; // an error after which going on makes no sense
    unsigned depth;
    struct scan_bracket bracket[PARSE_MAX_DEPTH];
    bool in_header[PARSE_MAX_DEPTH + 1]; // at each depth: between `fn` or `entry` and the body
};

// Starts on file->file. Comments go to file->comments in `a`, leaves to `nodes`. Returns false
// after an error (a text that is not UTF-8, or too long).
bool scan_start(struct scan *s, struct arena *a, struct arena *nodes, const struct sources *sources,
                struct diags *d, struct ast_file *file, const struct scan_spelling *spelling);
void scan_finish(struct scan *s);

// The next token (0 at the end), its place, and for names, keywords and literals a leaf node.
// Brackets always balance: a missing one is reported and given with an empty span.
int scan_next(struct scan *s, struct ast **value, struct span *at);

// Reads on to the next token without giving it. Returns where it begins.
uint32_t scan_peek(struct scan *s);

// Says nothing more and ends the text: for errors that would only breed others.
void scan_stop(struct scan *s);

// The spelling of a source: HLX if it is named so (.hlx), HLXL if it is named so (.hlxl), else HLX
// if it has a glyph outside of comments and texts.
const struct scan_spelling *scan_spelling_for(const struct source *source);

// The HLXL spelling of a token, or NULL for literals.
const char *scan_spelling_of(int token);
bool scan_is_keyword(const struct scan *s, const char *word);
// Private to scan*.c: lists the keywords by their first letter.
void scan_list_keywords(struct scan *s);

#endif
