// syntax_error.h: what the grammar says when a token cannot stand where it does.
#ifndef HLX_FRONTEND_SYNTAX_ERROR_H
#define HLX_FRONTEND_SYNTAX_ERROR_H

#include "frontend/ast_build.h"

// A token as messages name it, by its HLXL spelling: "`let`", and "`ᛚ` (let)" in runic source.
const char *syntax_shown(const struct scan *s, const char *ascii);

// Reports the token `found` at a place where one of n `expected` ones could stand (names of the
// grammar: a spelling, or words such as "a name").
void syntax_error(struct parser *p, struct span at, const char *found, const char *const *expected,
                  size_t n);

// The grammar's stack is full.
void syntax_too_deep(struct parser *p, struct span at);

#endif
