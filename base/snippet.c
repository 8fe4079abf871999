// snippet.c: cuts a source line to what a terminal can show, with the underline of a span.
#include "base/snippet.h"

#include <string.h>

enum { TAB = 8, BEFORE = 60 }; // columns kept before the span in a line that is cut

static const char ellipsis[] = "...";

// The columns of a line that are shown: [left, right).
struct window {
    size_t left, right;
};

// Moves an offset that points into the middle of a code point to its first byte.
static size_t rune_start(const char *line, size_t len, size_t at)
{
    for (size_t back = 1; back <= 3 && back <= at && at < len; back++) {
        uint32_t c;
        if (utf8_decode(line + at - back, len - (at - back), &c) > back)
            return at - back;
    }
    return at;
}

static size_t rune_end(const char *line, size_t len, size_t at)
{
    size_t first = rune_start(line, len, at);
    uint32_t c;
    return first == at ? at : first + utf8_decode(line + first, len - first, &c);
}

static struct window choose_window(size_t at, size_t width)
{
    if (width <= SNIPPET_COLUMNS)
        return (struct window){0, width};
    size_t left = at < BEFORE ? 0 : at - BEFORE;
    if (left + SNIPPET_COLUMNS > width)
        left = at < width ? width - SNIPPET_COLUMNS : left;
    return (struct window){left, left + SNIPPET_COLUMNS};
}

// Appends the line's columns in the window. A wide character or a tab that the window cuts through
// leaves spaces, so that all that follows keeps its column.
static void draw(struct buf *out, const char *line, size_t len, struct window w)
{
    for (size_t i = 0, n, col = 0, next; i < len && col < w.right; i += n, col = next) {
        uint32_t c = 0;
        n = utf8_decode(line + i, len - i, &c);
        n = n == 0 ? 1 : n;
        next = col + text_width(line + i, n, col, TAB);
        size_t from = col < w.left ? w.left : col, to = next > w.right ? w.right : next;
        if (c == '\t' || col < w.left || next > w.right)
            buf_fill(out, ' ', to > from ? to - from : 0);
        else
            buf_visible(out, line + i, n);
    }
}

static void trim(struct buf *b)
{
    while (b->n != 0 && b->at[b->n - 1] == ' ')
        b->at[--b->n] = '\0';
}

static size_t trimmed_length(const char *line, size_t len)
{
    while (len != 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    return len;
}

struct snippet snippet_cut(const struct sources *s, struct span at)
{
    struct place p = source_place(s, at.file, at.start);
    const char *line = p.line_text;
    size_t len = trimmed_length(line, p.line_len), first = p.byte_col - 1;
    size_t bytes = at.end > at.start ? at.end - at.start : 0;
    size_t last = first + bytes < len ? rune_end(line, len, first + bytes) : len;
    first = rune_start(line, p.line_len, first < p.line_len ? first : p.line_len);
    size_t from = text_width(line, first, 0, TAB);
    size_t to = first < last ? text_width(line, last, 0, TAB) : from;
    size_t width = text_width(line, len, 0, TAB);
    struct window w = choose_window(from, width);
    struct snippet cut = {.line = p.line, .at = from - w.left};
    if (w.left != 0) {
        buf_puts(&cut.text, ellipsis);
        cut.at += strlen(ellipsis);
    }
    draw(&cut.text, line, len, w);
    if (w.right < width)
        buf_puts(&cut.text, ellipsis);
    trim(&cut.text);
    to = to > w.right ? w.right : to;
    cut.width = to > from ? to - from : 1;
    return cut;
}

void snippet_free(struct snippet *s)
{
    buf_free(&s->text);
}
