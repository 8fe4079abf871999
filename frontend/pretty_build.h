// pretty_build.h: what the parts of the formatter share.
//
// The tree is walked in source order; comments are taken from the file's list as the walk passes
// them. A comment is put at the nearest of these places: before or after a statement, an element of
// a bracketed list, an operand; after an opening bracket; before a closing one; before `else`. One
// that stands elsewhere in a statement goes above it.
#ifndef HLX_FRONTEND_PRETTY_BUILD_H
#define HLX_FRONTEND_PRETTY_BUILD_H

#include "frontend/ast.h"
#include "frontend/doc.h"
#include "frontend/grammar.h"
#include "frontend/legend.h"
#include "frontend/scan.h"

struct pretty {
    struct arena *arena;           // of documents
    struct doc token[SCAN_TOKENS]; // as they are spelled; from TOK_NAME on
    const struct source *source;
    const struct ast_file *file;
    bool runic;             // writes HLX
    struct legend legend;   // of HLX
    struct map glyphs;      // from words to their glyphs, for HLX
    size_t next;            // comment to come
    struct doc_list *above; // comments that go above the current statement
};

// How a block is laid out.
enum block_style {
    BLOCK_VALUE = 1, // its last expression is its value and stands without `;`
    BLOCK_FLAT = 2   // one expression or `return` may stay on the line
};

// Where spaces stand beside a token.
enum pretty_spaces { TIGHT = 0, SPACE_BEFORE = 1, SPACE_AFTER = 2, SPACED = 3 };

// A bracketed list.
struct pretty_list {
    int open, close; // tokens
    bool pad;        // spaces inside the brackets
    bool hug;        // the last element may open on the line of the bracket
    bool fill;       // as many elements on a line as fit
    struct ast *const *kid;
    uint32_t n;
    uint32_t end; // offset behind which comments are not the list's
};

// -- pretty_token.c: here alone tokens get their spelling
void pretty_token_start(struct pretty *p);
void pretty_token(struct pretty *p, struct doc_list *out, int token, enum pretty_spaces spaces);
void pretty_space(struct pretty *p, struct doc_list *out);
// A name as the spelling has it, and that of a node.
const struct doc *pretty_word(struct pretty *p, const char *text, size_t n);
void pretty_name(struct pretty *p, struct doc_list *out, const struct ast *node);
// A name and its member, if the legend has a rune for both together; else NULL.
const struct doc *pretty_pair(struct pretty *p, const struct ast *member);
// Numbers, bytes, handles and the keys of fields.
const struct doc *pretty_number(struct pretty *p, const struct ast *e);
const struct doc *pretty_bytes(struct pretty *p, const struct ast *e);
const struct doc *pretty_handle(struct pretty *p, const struct ast *e);
const struct doc *pretty_key(struct pretty *p, const struct ast *field);

// -- pretty_comment.c
// The next comment, if it begins before a source offset.
const struct ast_comment *pretty_pending(const struct pretty *p, uint32_t before);
// Takes the next comment as a document.
const struct doc *pretty_comment(struct pretty *p);
// Takes the next comment if it begins before an offset and follows code on its line.
const struct doc *pretty_aside(struct pretty *p, uint32_t before);
// Takes all comments before an offset, each on a line of its own: with a line end before each, with
// one after each, or with line ends between them.
void pretty_comments_after(struct pretty *p, uint32_t before, struct doc_list *out);
void pretty_comments_above(struct pretty *p, uint32_t before, struct doc_list *out);
void pretty_comments_only(struct pretty *p, uint32_t before, struct doc_list *out);
// Puts all comments before an offset above the current statement.
void pretty_hoist(struct pretty *p, uint32_t before);
// Whether an empty line stands before an offset.
bool pretty_blank_before(const struct pretty *p, uint32_t offset);

// -- pretty_list.c
const struct doc *pretty_list(struct pretty *p, const struct pretty_list *list);

// -- pretty_expr.c
const struct doc *pretty_expr(struct pretty *p, const struct ast *e);
const struct doc *pretty_type(struct pretty *p, const struct ast *type);
const struct doc *pretty_formals(struct pretty *p, const struct ast *formals);
// The text of a span as it is written.
const struct doc *pretty_source(struct pretty *p, struct span span);

// -- pretty_stmt.c
// A function, named or not.
const struct doc *pretty_function(struct pretty *p, const struct ast *fn);
const struct doc *pretty_if(struct pretty *p, const struct ast *node, unsigned style);
// One statement with its `;` (none after a final value).
const struct doc *pretty_statement(struct pretty *p, const struct ast *node, bool value);

// -- pretty_region.c
// The source from `start` to `end`, which hlxfmt leaves as it is, but for the spelling.
const struct doc *pretty_region(struct pretty *p, uint32_t start, uint32_t end);

// -- pretty.c
const struct doc *pretty_block(struct pretty *p, const struct ast *block, unsigned style);

#endif
