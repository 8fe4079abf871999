// parse.h: from source text to a syntax tree.
#ifndef HLX_FRONTEND_PARSE_H
#define HLX_FRONTEND_PARSE_H

#include "base/diag.h"
#include "frontend/ast.h"

#define PARSE_MAX_DEPTH 200 // nested brackets and operators; deeper is E_DEPTH_EXCEEDED

// Parses file number `file` of `sources`. Reports every error it can go on after. Returns the tree,
// with ERROR nodes where it recovered, or NULL when nothing could be read. Re-entrant. The caller
// asks d->errors whether all was well.
struct ast_file *parse_file(struct arena *a, const struct sources *sources, struct diags *d,
                            uint32_t file);

// Takes the statements of the top level one by one, as soon as each is read.
struct parse_items {
    // `next` is the offset of the token behind the statement; the comments up to there are known.
    void (*take)(void *context, const struct ast *item, uint32_t next);
    void *context;
};

// The same without a program: statements go to `items`, which may reset `nodes`, where they live.
// `out` has the comments, which may be dropped too. Returns false when nothing could be read.
bool parse_items(struct arena *a, struct arena *nodes, const struct sources *sources,
                 struct diags *d, struct ast_file *out, const struct parse_items *items);

#endif
