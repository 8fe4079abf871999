// glyph.h: the two spellings of every token and builtin name, from tokens.def.
#ifndef HLX_FRONTEND_GLYPH_H
#define HLX_FRONTEND_GLYPH_H

#include "base/map.h"

struct glyph {
    const char *ascii; // "" where HLXL has no such token
    const char *rune;  // "" where HLX has no glyph for it
    int token;         // TOK_NAME for builtin functions and element types
};

// Fills an empty map with the rows that have a glyph: from a glyph to its row, or from a word or
// mark of HLXL to its row. Values are `const struct glyph *`. Where HLXL spells two tokens alike
// (`@`) the first row counts.
void glyph_map_runes(struct map *m);
void glyph_map_ascii(struct map *m);

// The glyph of a token of the grammar, "" where HLX has none.
const char *glyph_of_token(int token);

#endif
