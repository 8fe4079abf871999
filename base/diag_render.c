// diag_render.c: diagnostics as text for people and as JSON for programs.
#include "base/diag.h"

#include <string.h>

#include "base/snippet.h"

enum paint { PAINT_NONE, PAINT_PLACE, PAINT_ERROR, PAINT_WARNING, PAINT_GUTTER, PAINT_NOTE };

static const char *const escapes[] = {
    [PAINT_NONE] = "\x1b[0m",       [PAINT_PLACE] = "\x1b[1m",     [PAINT_ERROR] = "\x1b[1;31m",
    [PAINT_WARNING] = "\x1b[1;33m", [PAINT_GUTTER] = "\x1b[1;34m", [PAINT_NOTE] = "\x1b[1;36m"};

static const struct {
    const char *name;
    enum paint paint;
} levels[] = {[DIAG_ERROR] = {"error", PAINT_ERROR}, [DIAG_WARNING] = {"warning", PAINT_WARNING}};

static const char *const part_names[] = {
    [DIAG_LABEL] = "label", [DIAG_NOTE] = "note", [DIAG_HELP] = "help"};

struct render {
    const struct sources *sources;
    bool color;
    int gutter; // columns of a line number
    struct buf *out;
};

static void paint(const struct render *r, enum paint paint)
{
    if (r->color)
        buf_puts(r->out, escapes[paint]);
}

// Text on one line: a newline in it becomes a space.
static void put_line(const struct render *r, const char *text)
{
    for (size_t n; *text != '\0'; text += n) {
        n = strcspn(text, "\n");
        buf_visible(r->out, text, n);
        if (text[n] == '\n') {
            buf_putc(r->out, ' ');
            n++;
        }
    }
}

// Text that may have several lines; the later ones are indented.
static void put_lines(const struct render *r, const char *text, size_t indent)
{
    for (size_t n; *text != '\0'; text += n) {
        n = strcspn(text, "\n");
        buf_visible(r->out, text, n);
        if (text[n] == '\n') {
            n++;
            buf_putc(r->out, '\n');
            buf_fill(r->out, ' ', text[n] == '\0' || text[n] == '\n' ? 0 : indent);
        }
    }
}

static bool has_place(const struct render *r, struct span at)
{
    return sources_get(r->sources, at.file) != NULL;
}

static void put_place(const struct render *r, struct span at)
{
    struct place p = source_place(r->sources, at.file, at.start);
    put_line(r, p.name);
    buf_printf(r->out, ":%u:%u", p.line, p.col);
}

static void put_header(const struct render *r, const struct diag *g)
{
    paint(r, PAINT_PLACE);
    if (has_place(r, g->span)) {
        put_place(r, g->span);
        buf_puts(r->out, ": ");
    }
    paint(r, levels[g->level].paint);
    buf_printf(r->out, "%s[%s]", levels[g->level].name, g->code);
    paint(r, PAINT_NONE);
    paint(r, PAINT_PLACE);
    buf_puts(r->out, ": ");
    put_line(r, g->text);
    paint(r, PAINT_NONE);
    buf_putc(r->out, '\n');
}

static void put_snippet(const struct render *r, struct span at, char mark, enum paint color,
                        const char *label)
{
    struct snippet cut = snippet_cut(r->sources, at);
    paint(r, PAINT_GUTTER);
    buf_printf(r->out, "%*u |", r->gutter, cut.line);
    paint(r, PAINT_NONE);
    if (cut.text.n != 0)
        buf_printf(r->out, " %s", cut.text.at);
    buf_putc(r->out, '\n');
    paint(r, PAINT_GUTTER);
    buf_printf(r->out, "%*s | ", r->gutter, "");
    paint(r, color);
    buf_fill(r->out, ' ', cut.at);
    buf_fill(r->out, mark, cut.width);
    if (label && label[0] != '\0') {
        buf_putc(r->out, ' ');
        put_lines(r, label, (size_t)r->gutter + 3 + cut.at + cut.width + 1);
    }
    paint(r, PAINT_NONE);
    buf_putc(r->out, '\n');
    snippet_free(&cut);
}

static void put_remark(const struct render *r, const struct diag_part *part)
{
    const char *name = part_names[part->kind];
    paint(r, PAINT_NOTE);
    buf_printf(r->out, "  = %s: ", name);
    paint(r, PAINT_NONE);
    put_lines(r, part->text, strlen(name) + 6);
    if (has_place(r, part->span)) {
        buf_putc(r->out, ' ');
        put_place(r, part->span);
    }
    buf_putc(r->out, '\n');
}

// A label in another file is led in by the file's name; in the same one the line number says it.
static void put_label(const struct render *r, const struct diag *g, const struct diag_part *part)
{
    if (part->span.file != g->span.file) {
        paint(r, PAINT_NOTE);
        buf_puts(r->out, "  = ");
        paint(r, PAINT_NONE);
        put_place(r, part->span);
        buf_puts(r->out, ":\n");
    }
    put_snippet(r, part->span, '-', PAINT_GUTTER, part->text);
}

static int digits(unsigned n)
{
    int count = 1;
    for (; n >= 10; n /= 10)
        count++;
    return count;
}

// One width for all snippets of a diagnostic, so that their bars stand in one line.
static int gutter_width(const struct render *r, const struct diag *g)
{
    int width = 4;
    for (size_t i = 0; i <= g->parts.n; i++) {
        bool part = i < g->parts.n;
        struct span at = part ? g->parts.at[i].span : g->span;
        if (!has_place(r, at) || (part && g->parts.at[i].kind != DIAG_LABEL))
            continue;
        int n = digits(source_place(r->sources, at.file, at.start).line);
        width = n > width ? n : width;
    }
    return width;
}

static void put_text(const struct render *to, const struct diag *g)
{
    struct render with_gutter = *to, *r = &with_gutter;
    put_header(r, g);
    r->gutter = gutter_width(r, g);
    if (has_place(r, g->span))
        put_snippet(r, g->span, '^', levels[g->level].paint, g->label);
    for (size_t i = 0; i < g->parts.n; i++) {
        const struct diag_part *part = &g->parts.at[i];
        if (part->kind == DIAG_LABEL && has_place(r, part->span))
            put_label(r, g, part);
        else
            put_remark(r, part);
    }
}

static void put_string(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "\"%s\":", key);
    if (text)
        buf_json(out, text, strlen(text));
    else
        buf_puts(out, "null");
    buf_putc(out, ',');
}

// The members that say where a span is, without braces. All are null where there is no place.
static void put_json_place(const struct render *r, struct span at)
{
    if (!has_place(r, at)) {
        buf_puts(r->out, "\"file\":null,\"line\":null,\"col\":null,\"byte_start\":null,"
                         "\"byte_end\":null");
        return;
    }
    struct place p = source_place(r->sources, at.file, at.start);
    put_string(r->out, "file", p.name);
    buf_printf(r->out, "\"line\":%u,\"col\":%u,\"byte_start\":%u,\"byte_end\":%u", p.line, p.col,
               (unsigned)at.start, (unsigned)at.end);
}

static void put_json_parts(const struct render *r, const struct diag *g)
{
    buf_puts(r->out, "\"parts\":[");
    for (size_t i = 0; i < g->parts.n; i++) {
        const struct diag_part *part = &g->parts.at[i];
        buf_puts(r->out, i == 0 ? "{" : ",{");
        put_string(r->out, "kind", part_names[part->kind]);
        put_string(r->out, "message", part->text);
        buf_puts(r->out, has_place(r, part->span) ? "\"place\":{" : "\"place\":null");
        if (has_place(r, part->span)) {
            put_json_place(r, part->span);
            buf_putc(r->out, '}');
        }
        buf_putc(r->out, '}');
    }
    buf_puts(r->out, "],");
}

static void put_json(const struct render *r, const struct diag *g)
{
    struct buf text = {0};
    struct render plain = {.sources = r->sources, .out = &text};
    put_text(&plain, g);
    buf_putc(r->out, '{');
    put_string(r->out, "code", g->code);
    put_string(r->out, "level", levels[g->level].name);
    put_string(r->out, "message", g->text);
    put_json_place(r, g->span);
    buf_putc(r->out, ',');
    put_string(r->out, "label", g->label);
    put_json_parts(r, g);
    buf_puts(r->out, "\"rendered\":");
    buf_json(r->out, text.at, text.n);
    buf_puts(r->out, "}\n");
    buf_free(&text);
}

static void put_count(const struct render *r, unsigned n, const char *what)
{
    buf_printf(r->out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

static void put_counts(const struct render *r, const struct diags *d)
{
    size_t hidden = (size_t)d->errors + d->warnings - d->list.n;
    if (d->errors != 0)
        put_count(r, d->errors, "error");
    if (d->errors != 0 && d->warnings != 0)
        buf_puts(r->out, ", ");
    if (d->warnings != 0)
        put_count(r, d->warnings, "warning");
    if (hidden != 0)
        buf_printf(r->out, " (%zu more not shown)", hidden);
    else if (diags_full(d))
        buf_puts(r->out, " (there may be more)"); // phases stop there
    if (d->errors != 0 || d->warnings != 0)
        buf_putc(r->out, '\n');
}

void diags_render(const struct diags *d, enum diag_format format, bool color, struct buf *out)
{
    static void (*const put[])(const struct render *, const struct diag *) = {
        [DIAG_TEXT] = put_text, [DIAG_SHORT] = put_header, [DIAG_JSON] = put_json};
    struct render r = {.sources = d->sources, .color = color, .out = out};
    for (size_t i = 0; i < d->list.n; i++)
        put[format](&r, d->list.at[i]);
    if (format == DIAG_TEXT)
        put_counts(&r, d);
}
