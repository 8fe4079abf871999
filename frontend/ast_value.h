// ast_value.h: a syntax tree as a latent value: contracts 100 to 105, literals 14 to 22.
#ifndef HLX_FRONTEND_AST_VALUE_H
#define HLX_FRONTEND_AST_VALUE_H

#include "base/diag.h"
#include "frontend/ast.h"
#include "latent/value.h"

// The value of a tree without errors (spec/language.md, section 18). It has neither places nor
// comments, so both spellings of a program give the same. NULL after an error in `d`: a tree whose
// value would nest deeper than values may, an object with a key twice.
const struct value *ast_value(struct arena *a, struct diags *d, const struct ast *program);

#endif
