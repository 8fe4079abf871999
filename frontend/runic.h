// runic.h: reads HLX, the runic spelling, over the pieces that its scanner cuts.
#ifndef HLX_FRONTEND_RUNIC_H
#define HLX_FRONTEND_RUNIC_H

#include "base/map.h"
#include "frontend/scan.h"

// A token that a rune of the legend stands for, still to be given.
struct runic_part {
    int piece;
    struct span at;
    const char *name;
};

struct runic {
    struct map glyphs;         // glyph -> struct glyph
    struct map legend;         // rune -> its name, "nn" or "nn.linear"
    struct runic_part part[2]; // of the rune just read, behind the first
    unsigned parts, next_part;
};

// Prepares a scan of runic source, and reads the legend if there is one.
void runic_start(struct scan *s);

// The next piece, as HLXL's scanner would give it; s->at is its place. Sets s->spelled to the HLXL
// spelling of a name or keyword that is written in another way, else to NULL.
int runic_next(struct scan *s);

// Whether the fields of a contract have marks, by the text behind its glyph: `🜊902🜁0 ...🜂`.
bool runic_has_marks(const char *behind);

// Whether a text is runic: it has a glyph outside of comments and text literals.
bool runic_detect(const char *text, size_t len);

// How HLXL spells the literal at s->source->text + *start, *len bytes: `.5`, `⟁shader` (&h_shader),
// `᛫"00"`. Returns the text (in the arena if it differs) and its length in *len.
const char *runic_literal(struct arena *a, int token, const char *text, size_t *len);

#endif
