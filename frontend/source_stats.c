// source_stats.c: counts how long a source is, with and without what every spelling has alike.
#include "frontend/source_stats.h"

#include "frontend/ast_build.h"
#include "frontend/grammar.h"

static size_t characters(const char *text, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

// Widens a comment by the space before it, and by its line end where it is alone on the line.
static struct span with_space(const char *text, size_t n, struct span at)
{
    while (at.start > 0 && (text[at.start - 1] == ' ' || text[at.start - 1] == '\t'))
        at.start--;
    bool alone = at.start == 0 || text[at.start - 1] == '\n';
    if (alone && at.end < n && text[at.end] == '\n')
        at.end++;
    return at;
}

void source_stats_add(struct source_stats *stats, const char *text, size_t n,
                      const struct scan_spelling *spelling)
{
    void *state = spelling->open(text, n);
    struct span at = {0};
    size_t all = characters(text, n), left_out = 0;
    int piece;
    while ((piece = spelling->next(state, &at)) != 0) {
        struct span part = piece == SCAN_COMMENT ? with_space(text, n, at) : at;
        if (piece == SCAN_COMMENT || piece == TOK_TEXT)
            left_out += characters(text + part.start, part.end - part.start);
    }
    spelling->close(state);
    stats->bytes += n;
    stats->characters += all;
    stats->code += all - left_out;
}

static void put_share(struct buf *out, size_t part, size_t whole)
{
    buf_printf(out, " %6.1f %%", whole ? 100.0 * (double)part / (double)whole : 100.0);
}

void source_stats_print(const char *name, const struct source_stats *a,
                        const struct source_stats *r, struct buf *out)
{
    if (!name) {
        buf_printf(out, "%-32s %26s %26s %26s\n", "", "code", "characters", "bytes");
        buf_printf(out, "%-32s", "");
        for (int i = 0; i < 3; i++)
            buf_printf(out, " %8s %8s %8s", "HLXL", "HLX", "");
        buf_puts(out, "\n");
        return;
    }
    buf_printf(out, "%-32s %8zu %8zu", name, a->code, r->code);
    put_share(out, r->code, a->code);
    buf_printf(out, " %8zu %8zu", a->characters, r->characters);
    put_share(out, r->characters, a->characters);
    buf_printf(out, " %8zu %8zu", a->bytes, r->bytes);
    put_share(out, r->bytes, a->bytes);
    buf_puts(out, "\n");
}
