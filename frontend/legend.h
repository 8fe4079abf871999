// legend.h: the legend of a runic source, which gives long names that come often a rune each.
//
// It is the first line: the mark, and for each name its rune and the name. It is a function of the
// program: names are taken by what they save, equal ones by first use, and the runes stand in one
// fixed order (spec/language.md, section 17).
#ifndef HLX_FRONTEND_LEGEND_H
#define HLX_FRONTEND_LEGEND_H

#include "base/map.h"
#include "frontend/ast.h"

struct legend_name {
    const char *text; // "hidden", or a name and its member: "nn.linear"
    const char *rune;
    size_t len;
};

struct legend {
    VEC(struct legend_name) list; // in the order of the line
    struct map index;             // from a text to its rune
};

// The legend of a program: empty where none saves anything. `glyphs` is glyph_map_ascii's.
void legend_choose(struct arena *a, const struct ast *program, const struct map *glyphs,
                   struct legend *out);

// Appends the line with its end, or nothing for an empty legend.
void legend_write(const struct legend *legend, struct buf *out);

// The rune of a text of n bytes, or NULL.
const char *legend_rune(const struct legend *legend, const char *text, size_t n);

// Whether names may have this rune. `runes` is glyph_map_runes's: glyphs are taken.
bool legend_may_use(const struct map *runes, uint32_t rune);

#endif
