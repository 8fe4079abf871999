// layout.h: writes tokens with space, line ends and comments between them as people do, and worse.
#ifndef HLX_TESTS_GEN_LAYOUT_H
#define HLX_TESTS_GEN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { LAYOUT_DEPTH = 256 };

struct layout {
    struct buf *out;
    uint64_t random;
    const char *line_end;
    bool runic;      // half of the tokens that have a glyph are written as that
    unsigned untidy; // of 32: how often there is more than a space between tokens
    bool ends;       // a statement can end behind the last token
    unsigned header; // 1 + the depth at which a function's or entry's header stands, or 0
    unsigned depth;
    char open[LAYOUT_DEPTH]; // brackets
};

// A number below n, from the seed's sequence; and whether one in n turned out.
unsigned layout_chance(struct layout *l, unsigned n);
bool layout_one_in(struct layout *l, unsigned n);

// Writes a token behind which no statement ends, or one behind which one can end.
void layout_token(struct layout *l, const char *text);
void layout_ending(struct layout *l, const char *text);

// A token right behind the last one.
void layout_glued(struct layout *l, const char *text);

// Ends a statement of which more follow, or begins the first: `;`, line ends, blank lines,
// comments.
void layout_statement_end(struct layout *l);
void layout_lines(struct layout *l);

// A line of its own.
void layout_line(struct layout *l, const char *text);

#endif
