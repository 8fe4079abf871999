// pretty.h: writes a syntax tree back as source, in the one style of hlxfmt.
#ifndef HLX_FRONTEND_PRETTY_H
#define HLX_FRONTEND_PRETTY_H

#include "frontend/ast.h"

// Appends the formatted text of a file that parsed without errors. Keeps comments and single blank
// lines; formatting the result again gives the same bytes.
void pretty_print(struct arena *a, const struct sources *sources, const struct ast_file *file,
                  struct buf *out);

#endif
