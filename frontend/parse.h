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

#endif
