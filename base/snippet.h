// snippet.h: one source line with a span of it underlined, for diagnostics.
#ifndef HLX_BASE_SNIPPET_H
#define HLX_BASE_SNIPPET_H

#include "base/source.h"
#include "base/text.h"

// A line and an underline as they are to be printed, ready to be put behind a gutter. Tabs are
// spaces, nothing in `text` moves a cursor, and a line wider than SNIPPET_COLUMNS is cut to a
// window around the span, with "..." where text is missing.
struct snippet {
    unsigned line;    // 1-based
    struct buf text;  // the line, without trailing space
    size_t at, width; // the underline in columns of `text`; width > 0
};

enum { SNIPPET_COLUMNS = 160 };

// Cuts the line where `at` starts. A span of several lines is underlined to the end of its first
// one; an empty span, or one at the end of the file, gets one column. The file must be valid.
struct snippet snippet_cut(const struct sources *s, struct span at);
void snippet_free(struct snippet *s);

#endif
