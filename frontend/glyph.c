// glyph.c: the two spellings of every token and builtin name, as maps.
#include "frontend/glyph.h"

#include <string.h>

#include "frontend/ast_build.h"
#include "frontend/grammar.h"

static const struct glyph glyphs[] = {
#define TOKEN(id, ascii, glyph, class, ends) {ascii, glyph, TOK_##id},
#define WORD(name, glyph) {name, glyph, TOK_NAME},
#define TYPE(name, glyph) {name, glyph, TOK_NAME},
#include "frontend/tokens.def"
};

enum { NGLYPHS = sizeof glyphs / sizeof *glyphs };

static void put(struct map *m, const char *key, const struct glyph *g)
{
    bool fresh;
    struct map_entry *e = map_put_str(m, key, &fresh);
    if (fresh)
        e->value.c = g;
}

void glyph_map_runes(struct map *m)
{
    for (size_t i = 0; i < NGLYPHS; i++)
        if (*glyphs[i].rune)
            put(m, glyphs[i].rune, &glyphs[i]);
}

void glyph_map_ascii(struct map *m)
{
    for (size_t i = 0; i < NGLYPHS; i++)
        if (*glyphs[i].rune && *glyphs[i].ascii)
            put(m, glyphs[i].ascii, &glyphs[i]);
}

const char *glyph_of_token(int token)
{
    for (size_t i = 0; i < NGLYPHS; i++)
        if (glyphs[i].token == token)
            return glyphs[i].rune;
    return "";
}
