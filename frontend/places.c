// places.c: places of a compiled module, moved to where they are in the formatted sources.
//
// A source and its formatted text have the same tree. So a place that is that of a node goes to the
// place of the same node; staging knows no others.
#include "frontend/places.h"

#include <string.h>

#include "frontend/parse.h"
#include "frontend/pretty.h"

// One source: nothing to move if it is formatted HLXL already.
struct settled {
    bool known;
    bool moved;
    struct map places; // from start and end to start and end
    const char *text;  // formatted
    size_t len;
};

struct settle {
    struct arena *arena;
    struct sources *sources;
    struct settled *file; // by number - 1
    size_t nfiles;
};

static void put(struct map *m, struct span from, struct span to)
{
    uint32_t key[2] = {from.start, from.end};
    bool fresh;
    struct map_entry *e = map_put(m, key, sizeof key, &fresh);
    if (fresh)
        e->value.u = (uint64_t)to.start << 32 | to.end;
}

static void pair(struct map *m, const struct ast *from, const struct ast *to)
{
    if (!from || !to)
        return;
    put(m, from->span, to->span);
    put(m, from->name_span, to->name_span);
    for (uint32_t i = 0; i < from->nkids && i < to->nkids; i++)
        pair(m, from->kid[i], to->kid[i]);
}

static const struct ast *parse(struct arena *a, struct sources *sources, uint32_t file,
                               struct buf *formatted)
{
    struct diags diags;
    diags_init(&diags, a, sources);
    const struct ast_file *tree = parse_file(a, sources, &diags, file);
    if (!tree || diags.errors)
        return NULL;
    if (formatted)
        pretty_print(a, sources, tree, false, formatted);
    return tree->program;
}

static void settle_file(struct settle *s, uint32_t file, struct settled *out)
{
    const struct source *source = sources_get(s->sources, file);
    struct buf text = {0};
    struct sources formatted;
    const struct ast *from = parse(s->arena, s->sources, file, &text), *to = NULL;
    sources_init(&formatted, s->arena);
    out->known = true;
    if (from && (text.n != source->len || memcmp(text.at, source->text, text.n) != 0)) {
        uint32_t id = sources_add(&formatted, "formatted.hlxl", text.at, text.n);
        to = parse(s->arena, &formatted, id, NULL);
    }
    if (to) {
        out->moved = true;
        out->text = sources_get(&formatted, 1)->text;
        out->len = text.n;
        map_init(&out->places, s->arena);
        pair(&out->places, from, to);
    }
    buf_free(&text);
}

static void settle(struct settle *s, struct span *at)
{
    if (at->file == 0 || at->file > s->nfiles)
        return;
    struct settled *f = &s->file[at->file - 1];
    if (!f->known)
        settle_file(s, at->file, f);
    if (!f->moved)
        return;
    uint32_t key[2] = {at->start, at->end};
    const struct map_entry *e = map_find(&f->places, key, sizeof key);
    if (e)
        *at = (struct span){at->file, (uint32_t)(e->value.u >> 32), (uint32_t)e->value.u};
    else
        *at = (struct span){0};
}

// "model.hlx" is shown as "model.hlxl".
static const char *hlxl_name(struct arena *a, const char *name)
{
    size_t n = strlen(name);
    bool runic = n > 4 && !strcmp(name + n - 4, ".hlx");
    return runic ? arena_printf(a, "%sl", name) : name;
}

void places_settle(struct arena *a, struct sources *sources, struct ir_module *m)
{
    size_t n = sources->list.n;
    struct settle s = {a, sources, arena_array(a, n, sizeof *s.file), n};
    memset(s.file, 0, n * sizeof *s.file);
    for (size_t i = 0; i < m->locs.n; i++)
        settle(&s, &m->locs.at[i]);
    for (size_t i = 0; i < m->vars.n; i++)
        settle(&s, &m->vars.at[i].span);
    for (size_t i = 0; i < m->entries.n; i++)
        settle(&s, &m->entries.at[i].span);
    for (uint32_t i = 0; i < n; i++) {
        const struct settled *f = &s.file[i];
        const char *name = hlxl_name(a, sources->list.at[i].name);
        if (f->moved)
            sources_replace(sources, i + 1, name, f->text, f->len);
        else
            sources->list.at[i].name = name;
    }
}
