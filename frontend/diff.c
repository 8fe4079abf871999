// diff.c: finds the fewest lines to remove and add, and prints them with their context.
#include "frontend/diff.h"

#include <string.h>

#include "base/vec.h"

enum {
    CONTEXT = 3,
    MOST_EDITS = 2000 // beyond, the differing middle counts as replaced: memory is this squared
};

struct line {
    const char *at;
    size_t len; // with the line end
};

struct lines {
    VEC(struct line) list;
};

// One step from the old to the new text.
struct edit {
    char sign; // ' ' keep, '-' remove, '+' add
    struct line line;
};

struct diff {
    struct arena *arena;
    struct lines from, to;
    VEC(struct edit) edits;
};

static void split(struct arena *a, const char *text, size_t len, struct lines *out)
{
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) + 1 : len;
        vec_push(a, &out->list, (struct line){text, n});
        text += n;
        len -= n;
    }
}

static bool same(struct line a, struct line b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static void keep(struct diff *d, char sign, const struct line *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vec_push(d->arena, &d->edits, (struct edit){sign, line[i]});
}

// -- Myers' greedy search ------------------------------------------------------------------------

// The part of both texts that differs, and the furthest x reached on each diagonal, per number of
// edits: row e holds 2e + 1 entries for diagonals -e to e.
struct search {
    const struct line *a, *b;
    int na, nb;
    VEC(int *) rows;
};

static int furthest(const struct search *s, int e, int k)
{
    return s->rows.at[e][k + e];
}

// The x at which e edits get on diagonal k before any equal lines.
static int step(const struct search *s, int e, int k)
{
    if (e == 0)
        return 0;
    bool down = k == -e || (k != e && furthest(s, e - 1, k - 1) < furthest(s, e - 1, k + 1));
    return down ? furthest(s, e - 1, k + 1) : furthest(s, e - 1, k - 1) + 1;
}

static int slide(const struct search *s, int x, int k)
{
    while (x < s->na && x - k < s->nb && same(s->a[x], s->b[x - k]))
        x++;
    return x;
}

// Returns the number of edits, or -1 when there are too many.
static int search(struct arena *a, struct search *s)
{
    for (int e = 0; e <= MOST_EDITS; e++) {
        int *row = arena_array(a, 2 * (size_t)e + 1, sizeof *row);
        vec_push(a, &s->rows, row);
        for (int k = -e; k <= e; k += 2) {
            int x = row[k + e] = slide(s, step(s, e, k), k);
            if (x == s->na && x - k == s->nb)
                return e;
        }
    }
    return -1;
}

// Walks back from the end and writes the edits into list[0 .. n), last first.
static size_t trace(const struct search *s, int e, struct edit *list)
{
    size_t n = 0;
    int x = s->na, y = s->nb;
    for (; e >= 0; e--) {
        int from = step(s, e, x - y);
        while (x > from) {
            list[n++] = (struct edit){' ', s->a[--x]};
            y--;
        }
        if (e == 0)
            break;
        int k = x - y;
        bool down = k == -e || (k != e && furthest(s, e - 1, k - 1) < furthest(s, e - 1, k + 1));
        list[n++] = down ? (struct edit){'+', s->b[--y]} : (struct edit){'-', s->a[--x]};
    }
    return n;
}

static void compare_middle(struct diff *d, const struct line *a, size_t na, const struct line *b,
                           size_t nb)
{
    struct search s = {.a = a, .b = b, .na = (int)na, .nb = (int)nb};
    int edits = na && nb && na + nb < INT32_MAX / 2 ? search(d->arena, &s) : -1;
    if (edits < 0) {
        keep(d, '-', a, na);
        keep(d, '+', b, nb);
        return;
    }
    struct edit *list = arena_array(d->arena, na + nb, sizeof *list);
    for (size_t n = trace(&s, edits, list); n > 0; n--)
        keep(d, list[n - 1].sign, &list[n - 1].line, 1);
}

static void compare(struct diff *d)
{
    const struct line *a = d->from.list.at, *b = d->to.list.at;
    size_t na = d->from.list.n, nb = d->to.list.n, head = 0, tail = 0;
    while (head < na && head < nb && same(a[head], b[head]))
        head++;
    while (tail < na - head && tail < nb - head && same(a[na - 1 - tail], b[nb - 1 - tail]))
        tail++;
    keep(d, ' ', a, head);
    compare_middle(d, a + head, na - head - tail, b + head, nb - head - tail);
    keep(d, ' ', a + na - tail, tail);
}

// -- printing ------------------------------------------------------------------------------------

// The end of the hunk that begins at edit i: changes less than two contexts apart are one hunk.
static size_t hunk_end(const struct diff *d, size_t i)
{
    size_t end = i, kept = 0;
    for (; i < d->edits.n && kept <= 2 * CONTEXT; i++) {
        kept = d->edits.at[i].sign == ' ' ? kept + 1 : 0;
        if (kept == 0)
            end = i + 1;
    }
    end += CONTEXT;
    return end < d->edits.n ? end : d->edits.n;
}

static void put_line(const struct edit *e, bool color, struct buf *out)
{
    const char *paint = e->sign == '-' ? "\033[31m" : e->sign == '+' ? "\033[32m" : "";
    bool ended = e->line.len && e->line.at[e->line.len - 1] == '\n';
    buf_puts(out, color ? paint : "");
    buf_putc(out, e->sign);
    buf_put(out, e->line.at, e->line.len - ended);
    buf_puts(out, color && *paint ? "\033[0m\n" : "\n");
    if (!ended)
        buf_puts(out, "\\ No newline at end of file\n");
}

static void put_hunk(const struct diff *d, size_t from, size_t to, size_t old_line, size_t new_line,
                     bool color, struct buf *out)
{
    size_t old_n = 0, new_n = 0;
    for (size_t i = from; i < to; i++) {
        old_n += d->edits.at[i].sign != '+';
        new_n += d->edits.at[i].sign != '-';
    }
    buf_printf(out, "%s@@ -%zu,%zu +%zu,%zu @@%s\n", color ? "\033[36m" : "",
               old_line + (old_n > 0), old_n, new_line + (new_n > 0), new_n,
               color ? "\033[0m" : "");
    for (size_t i = from; i < to; i++)
        put_line(&d->edits.at[i], color, out);
}

static void put_hunks(const struct diff *d, bool color, struct buf *out)
{
    size_t old_line = 0, new_line = 0, done = 0;
    for (size_t i = 0; i < d->edits.n; i++) {
        if (d->edits.at[i].sign == ' ')
            continue;
        size_t from = i > done + CONTEXT ? i - CONTEXT : done, to = hunk_end(d, i);
        for (; done < from; done++, old_line++, new_line++)
            ;
        put_hunk(d, from, to, old_line, new_line, color, out);
        for (; done < to; done++) {
            old_line += d->edits.at[done].sign != '+';
            new_line += d->edits.at[done].sign != '-';
        }
        i = to - 1;
    }
}

void diff_unified(const char *old_name, const char *new_name, const char *old_text, size_t old_len,
                  const char *new_text, size_t new_len, bool color, struct buf *out)
{
    if (old_len == new_len && memcmp(old_text, new_text, old_len) == 0)
        return;
    struct arena a = {0};
    struct diff d = {.arena = &a};
    split(&a, old_text, old_len, &d.from);
    split(&a, new_text, new_len, &d.to);
    compare(&d);
    const char *bold = color ? "\033[1m" : "", *plain = color ? "\033[0m" : "";
    buf_printf(out, "%s--- %s%s\n%s+++ %s%s\n", bold, old_name, plain, bold, new_name, plain);
    put_hunks(&d, color, out);
    arena_free(&a);
}
