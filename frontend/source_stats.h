// source_stats.h: counts how long a source is, with and without what every spelling has alike.
#ifndef HLX_FRONTEND_SOURCE_STATS_H
#define HLX_FRONTEND_SOURCE_STATS_H

#include "frontend/scan.h"

struct source_stats {
    size_t bytes, characters; // code points, of all
    size_t code;              // code points without comments and text literals
};

// Counts a text. A comment takes the space before it with it, and one alone on its lines the line;
// a text literal takes its quotes.
void source_stats_add(struct source_stats *stats, const char *text, size_t n,
                      const struct scan_spelling *spelling);

// Appends the line of a file, or the head of the table for name NULL: `a` in HLXL, `r` in HLX.
void source_stats_print(const char *name, const struct source_stats *a,
                        const struct source_stats *r, struct buf *out);

#endif
