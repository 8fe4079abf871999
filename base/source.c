// source.c: source texts and the places of byte offsets in them.
#include "base/source.h"

#include <string.h>

#include "base/text.h"

void sources_init(struct sources *s, struct arena *a)
{
    *s = (struct sources){.arena = a};
}

static void index_lines(struct arena *a, struct source *source)
{
    vec_push(a, &source->lines, 0);
    const char *end = source->text + source->len;
    for (const char *p = source->text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL;) {
        p++;
        vec_push(a, &source->lines, (uint32_t)(p - source->text));
    }
}

static struct source make(struct arena *a, const char *name, const char *text, size_t len)
{
    struct source source = {.name = arena_strdup(a, name), .text = text, .len = len};
    index_lines(a, &source);
    return source;
}

uint32_t sources_lend(struct sources *s, const char *name, const char *text, size_t len)
{
    struct source source = make(s->arena, name, text, len);
    vec_push(s->arena, &s->list, source);
    return (uint32_t)s->list.n;
}

uint32_t sources_add(struct sources *s, const char *name, const char *text, size_t len)
{
    return sources_lend(s, name, arena_copy(s->arena, text, len), len);
}

void sources_replace(struct sources *s, uint32_t file, const char *name, const char *text,
                     size_t len)
{
    s->list.at[file - 1] = make(s->arena, name, arena_copy(s->arena, text, len), len);
}

const struct source *sources_get(const struct sources *s, uint32_t file)
{
    return file == 0 || file > s->list.n ? NULL : &s->list.at[file - 1];
}

// The last line that starts at or before the offset.
static size_t find_line(const struct source *source, uint32_t offset)
{
    size_t lo = 0, hi = source->lines.n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (source->lines.at[mid] <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static size_t line_length(const struct source *source, size_t line)
{
    size_t start = source->lines.at[line];
    if (line + 1 == source->lines.n)
        return source->len - start;
    size_t end = source->lines.at[line + 1] - 1;
    return end > start && source->text[end - 1] == '\r' ? end - 1 - start : end - start;
}

struct place source_place(const struct sources *s, uint32_t file, uint32_t offset)
{
    const struct source *source = sources_get(s, file);
    if (offset > source->len)
        offset = (uint32_t)source->len;
    size_t line = find_line(source, offset);
    const char *text = source->text + source->lines.at[line];
    size_t before = offset - source->lines.at[line];
    return (struct place){.name = source->name,
                          .line = (unsigned)line + 1,
                          .col = (unsigned)text_width(text, before, 0, 8) + 1,
                          .byte_col = (unsigned)before + 1,
                          .line_text = text,
                          .line_len = line_length(source, line)};
}

struct span span_join(struct span a, struct span b)
{
    if (a.file == 0)
        return b;
    if (b.file != a.file)
        return a;
    return (struct span){a.file, a.start < b.start ? a.start : b.start,
                         a.end > b.end ? a.end : b.end};
}
