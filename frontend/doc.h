// doc.h: documents that know where they may be broken, and the printer that decides.
//
// After Wadler and Oppen: a group is printed on one line if it and what follows it up to the next
// possible line end fit, else all its own lines break. The look-ahead is bounded by the line's
// width, so printing takes time linear in the document.
#ifndef HLX_FRONTEND_DOC_H
#define HLX_FRONTEND_DOC_H

#include <stdbool.h>

#include "base/text.h"
#include "base/vec.h"

#define DOC_WIDTH 100 // columns of a line

enum doc_kind {
    DOC_TEXT,
    DOC_CONCAT,
    DOC_INDENT,  // one child: lines in it start 4 columns further right
    DOC_GROUP,   // one child: all on one line, or broken
    DOC_FLAT,    // one child: never broken
    DOC_LINE,    // a space, or a line end where the group is broken
    DOC_SOFT,    // nothing, or a line end where the group is broken
    DOC_FILL,    // a space, or a line end where what follows it up to the next one does not fit
    DOC_HARD,    // always a line end
    DOC_BLANK,   // always a line end and an empty line
    DOC_COMMENT, // text to the end of a line of its own or after code
    DOC_RAW,     // text of several lines, as it is
    DOC_EITHER   // the first child if its first line fits, else the second
};

struct doc {
    uint8_t kind;
    bool hard;      // holds a line end that cannot be avoided
    uint16_t width; // columns where nothing is broken; all that is far too wide is alike
    uint32_t n;     // bytes of text, or children
    union {
        const char *text;
        const struct doc *one;
        const struct doc **kid;
    } as;
};

// A list of documents being made.
struct doc_list {
    VEC(const struct doc *) list;
};

// Texts are not copied. A document may be part of several.
struct doc doc_of_text(enum doc_kind kind, const char *text, size_t n);
const struct doc *doc_text(struct arena *a, const char *text, size_t n);
const struct doc *doc_comment(struct arena *a, const char *text, size_t n);
const struct doc *doc_raw(struct arena *a, const char *text, size_t n);
const struct doc *doc_leaf(enum doc_kind kind); // without text and children
const struct doc *doc_wrap(struct arena *a, enum doc_kind kind, const struct doc *child);
const struct doc *doc_either(struct arena *a, const struct doc *first, const struct doc *second);

static inline void doc_add(struct arena *a, struct doc_list *list, const struct doc *doc)
{
    if (doc) // NULL adds nothing
        vec_push(a, &list->list, doc);
}

const struct doc *doc_concat(struct arena *a, const struct doc_list *list);

// One step of a walk over a document: the next child of a node.
struct doc_frame {
    const struct doc *doc;
    unsigned next;   // child to be visited
    unsigned indent; // of lines that begin in it
};

// A comment after code, so that those of neighbouring lines can be put under one another.
struct doc_aside {
    size_t offset;                        // in the output, of the space before it
    unsigned line, indent, column, width; // of its line; where it begins; how wide it is
};

// Prints documents one after another into one text.
struct doc_printer {
    struct arena *arena;
    struct buf *out;
    unsigned column; // of the next character, from 0
    unsigned indent; // of the current line
    unsigned line;
    bool dense;         // no spaces, no indentation, no lines broken but for comments and blocks
    bool empty;         // nothing on the line yet; its indentation is still to be written
    bool after_comment; // nothing may follow on this line
    VEC(struct doc_frame) stack;
    VEC(struct doc_frame) probe;  // of the look-ahead
    VEC(struct doc_aside) asides; // of a run of lines
};

void doc_printer_start(struct doc_printer *p, struct arena *a, bool dense, struct buf *out);
void doc_print(struct doc_printer *p, const struct doc *doc);
// Ends the last line.
void doc_printer_finish(struct doc_printer *p);

#endif
