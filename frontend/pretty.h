// pretty.h: writes a syntax tree back as source, in the one style of hlxfmt.
#ifndef HLX_FRONTEND_PRETTY_H
#define HLX_FRONTEND_PRETTY_H

#include "base/diag.h"
#include "frontend/ast.h"

// Appends the formatted text of a file that parsed without errors, in HLX or in HLXL, whichever the
// file is in. Keeps comments and single blank lines; formatting the result again gives the same
// bytes, and so does going to the other spelling and back.
void pretty_print(struct arena *a, const struct sources *sources, const struct ast_file *file,
                  bool runic, struct buf *out);

// Parses file number `file` and appends its formatted text, in memory for the largest statement
// only. Returns false after errors, with something in `out`.
bool pretty_format(struct arena *a, const struct sources *sources, struct diags *d, uint32_t file,
                   struct buf *out);

#endif
