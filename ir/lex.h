// lex.h: tokens of the IR's text form; private to parse*.c.
#ifndef HLX_IR_LEX_H
#define HLX_IR_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum lex_kind {
    LEX_END,
    LEX_WORD,   // text
    LEX_QUOTED, // text, unescaped
    LEX_NUMBER, // number
    LEX_REF,    // number: %5
    LEX_BYTES,  // text, n: #0a0b
    LEX_PUNCT,  // one of = [ ] { } , : !
    LEX_BAD     // text says why
};

struct lex_token {
    enum lex_kind kind;
    char punct;
    const char *text; // in the arena
    size_t n;
    int64_t number;
};

struct lex {
    struct arena *arena;
    const char *at, *end;
    size_t line; // 1-based, of the token just read
};

void lex_init(struct lex *l, struct arena *a, const char *text, size_t n);

// Reads the next token. Spaces, line ends and comments from // to the line's end separate tokens.
struct lex_token lex_next(struct lex *l);

#endif
