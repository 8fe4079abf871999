// hbin_debug.c: writes what people call the parts of a program, beside what is hashed.
//
// Tables first (files, places, names, shapes), then bytes that index them: per graph, variable,
// data source and entry. Numbers are LEB128, signed ones folded; index 0 is "none". Tables are
// filled in the order of first use, so equal modules give equal bytes.
#include <string.h>

#include "base/file.h"
#include "codegen/hbin.h"
#include "ir/shard.h"

struct writer {
    struct arena *a;
    const struct ir_module *m;
    const struct sources *sources;
    struct map file_index, place_index, name_index, shape_index;
    VEC(const struct value *) files, lines, names;
    struct buf places, shapes;
    int64_t last_start;
};

typedef VEC(const struct value *) values;

static void put_unsigned(struct buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        buf_putc(b, (char)(0x80 | (x & 0x7f)));
    buf_putc(b, (char)x);
}

static void put_signed(struct buf *b, int64_t x)
{
    put_unsigned(b, x < 0 ? ((uint64_t)(-(x + 1)) << 1 | 1) : (uint64_t)x << 1);
}

// Takes the bytes of a builder as a value and empties it.
static const struct value *take(struct arena *a, struct buf *b)
{
    const struct value *v = value_bytes(a, b->at ? b->at : "", b->n);
    buf_free(b);
    *b = (struct buf){0};
    return v;
}

// -- tables ------------------------------------------------------------------------------------

const char *hbin_source_name(struct arena *a, const struct sources *s, const char *name)
{
    if (!strncmp(name, "stdlib/", 7))
        return name;
    const char *dir = path_clean(a, path_dir(a, sources_get(s, 1)->name));
    const char *path = path_clean(a, name), *slash = strrchr(path, '/');
    size_t n = strlen(dir);
    if (!strncmp(path, dir, n) && path[n] == '/')
        return path + n + 1;
    bool inside = !strcmp(dir, ".") && path[0] != '/' && strncmp(path, "../", 3) != 0;
    return slash && !inside ? slash + 1 : path;
}

static const struct value *line_table(struct writer *w, const struct source *s)
{
    struct buf b = {0};
    size_t start = 0;
    for (size_t i = 0; i < s->len; i++)
        if (s->text[i] == '\n') {
            put_unsigned(&b, i + 1 - start);
            start = i + 1;
        }
    put_unsigned(&b, s->len - start);
    return take(w->a, &b);
}

static uint64_t file_of(struct writer *w, uint32_t file)
{
    bool fresh;
    struct map_entry *e = map_put(&w->file_index, &file, sizeof file, &fresh);
    if (fresh) {
        const struct source *s = sources_get(w->sources, file);
        const char *name = hbin_source_name(w->a, w->sources, s->name);
        const struct value *text = value_text(w->a, name, strlen(name), NULL);
        vec_push(w->a, &w->files, text ? text : value_str(w->a, "?"));
        vec_push(w->a, &w->lines, line_table(w, s));
        e->value.u = w->files.n;
    }
    return e->value.u;
}

static uint64_t place_of(struct writer *w, struct span at)
{
    if (at.file < 1 || at.file > w->sources->list.n)
        return 0;
    bool fresh;
    struct map_entry *e = map_put(&w->place_index, &at, sizeof at, &fresh);
    if (fresh) {
        e->value.u = w->place_index.n;
        put_unsigned(&w->places, file_of(w, at.file));
        put_signed(&w->places, (int64_t)at.start - w->last_start);
        put_unsigned(&w->places, at.end - at.start);
        w->last_start = at.start;
    }
    return e->value.u;
}

static uint64_t name_of(struct writer *w, ir_name name)
{
    if (!name)
        return 0;
    bool fresh;
    struct map_entry *e = map_put(&w->name_index, &name, sizeof name, &fresh);
    if (fresh) {
        vec_push(w->a, &w->names, value_str(w->a, ir_name_text(w->m, name)));
        e->value.u = w->names.n;
    }
    return e->value.u;
}

static uint64_t shape_of(struct writer *w, ir_typeid type)
{
    const struct ir_type *t = ir_type_get(w->m, type);
    if (t->base == type)
        return 0;
    bool fresh;
    struct map_entry *e = map_put(&w->shape_index, t->name, t->rank * sizeof *t->name, &fresh);
    if (fresh) {
        e->value.u = w->shape_index.n;
        put_unsigned(&w->shapes, t->rank);
        for (unsigned i = 0; i < t->rank; i++)
            put_unsigned(&w->shapes, name_of(w, t->name[i]));
    }
    return e->value.u;
}

// -- what the tables are for -------------------------------------------------------------------

static const struct value *graph(struct writer *w, const struct ir_graph *g)
{
    struct buf b = {0};
    int64_t last = 0;
    for (ir_ref r = 1; r < g->nodes.n; r++) {
        const struct ir_node *n = ir_get(g, r);
        int64_t place = (int64_t)place_of(w, w->m->locs.at[n->loc]);
        put_unsigned(&b, name_of(w, n->name));
        put_signed(&b, place - last);
        put_unsigned(&b, shape_of(w, n->type));
        last = place;
    }
    return take(w->a, &b);
}

static const struct value *graphs(struct writer *w)
{
    values list = {0};
    for (size_t i = 0; i < w->m->vars.n; i++)
        vec_push(w->a, &list, graph(w, w->m->vars.at[i].init));
    for (size_t i = 0; i < w->m->entries.n; i++)
        vec_push(w->a, &list, graph(w, w->m->entries.at[i].graph));
    return value_array(w->a, list.at, list.n);
}

static const struct value *vars(struct writer *w)
{
    struct buf b = {0};
    for (size_t i = 0; i < w->m->vars.n; i++) {
        put_unsigned(&b, place_of(w, w->m->vars.at[i].span));
        put_unsigned(&b, shape_of(w, w->m->vars.at[i].type));
    }
    return take(w->a, &b);
}

static const struct value *data(struct writer *w)
{
    struct buf b = {0};
    for (size_t i = 0; i < w->m->data.n; i++)
        for (size_t k = 0; k < w->m->data.at[i].fields.n; k++)
            put_unsigned(&b, shape_of(w, w->m->data.at[i].fields.at[k].type));
    return take(w->a, &b);
}

static const struct value *entry(struct writer *w, const struct ir_entry *e)
{
    struct buf b = {0};
    put_unsigned(&b, place_of(w, e->span));
    for (size_t i = 0; i < e->inputs.n; i++)
        put_unsigned(&b, shape_of(w, e->inputs.at[i].type));
    for (size_t i = 0; i < e->grads.n; i++) {
        put_unsigned(&b, e->grads.at[i].var);
        put_unsigned(&b, e->grads.at[i].value);
    }
    return take(w->a, &b);
}

static const struct value *entries(struct writer *w)
{
    values list = {0};
    for (size_t i = 0; i < w->m->entries.n; i++)
        vec_push(w->a, &list, entry(w, &w->m->entries.at[i]));
    return value_array(w->a, list.at, list.n);
}

// Per step of a dispatch table the values it makes: node, then range.
static const struct value *made(struct arena *a, const struct dispatch_entry *e)
{
    struct buf b = {0};
    for (size_t i = 0; e && i < e->nsteps; i++) {
        const struct dispatch_step *s = &e->step[i];
        put_unsigned(&b, s->nmade);
        for (size_t k = 0; k < s->nmade; k++) {
            const struct dispatch_range *r = &s->made[k].range;
            put_unsigned(&b, s->made[k].node);
            put_unsigned(&b, r->arena);
            put_unsigned(&b, r->segment);
            put_unsigned(&b, r->offset / DISPATCH_ALIGN);
        }
    }
    return take(a, &b);
}

static const struct value *all_made(struct arena *a, const struct ir_module *m,
                                    const struct dispatch_program *device)
{
    values list = {0};
    ir_entries parts = {0};
    ir_parts(m, a, &parts);
    for (size_t i = 0; i < parts.n; i++)
        vec_push(a, &list, made(a, device ? dispatch_find(device, parts.at[i]->name) : NULL));
    return value_array(a, list.at, list.n);
}

const struct value *hbin_debug(struct arena *a, const struct ir_module *m, const struct sources *s,
                               const struct dispatch_program *device)
{
    struct writer w = {.a = a, .m = m, .sources = s};
    map_init(&w.file_index, a);
    map_init(&w.place_index, a);
    map_init(&w.name_index, a);
    map_init(&w.shape_index, a);
    struct value_field field[] = {
        {"graphs", 6, NULL}, {"vars", 4, NULL},  {"data", 4, NULL},  {"entries", 7, NULL},
        {"files", 5, NULL},  {"lines", 5, NULL}, {"names", 5, NULL}, {"places", 6, NULL},
        {"shapes", 6, NULL}, {"made", 4, NULL},
    };
    field[0].value = graphs(&w); // in this order, which is that of the tables
    field[1].value = vars(&w);
    field[2].value = data(&w);
    field[3].value = entries(&w);
    field[4].value = value_array(a, w.files.at, w.files.n);
    field[5].value = value_array(a, w.lines.at, w.lines.n);
    field[6].value = value_array(a, w.names.at, w.names.n);
    field[7].value = take(a, &w.places);
    field[8].value = take(a, &w.shapes);
    field[9].value = all_made(a, m, device);
    return value_object(a, field, sizeof field / sizeof *field, NULL);
}

const struct value *hbin_debug_again(struct arena *a, const struct ir_module *m,
                                     const struct value *debug,
                                     const struct dispatch_program *device)
{
    size_t n = debug->as.object.n;
    struct value_field *field = arena_array(a, n, sizeof *field);
    memcpy(field, debug->as.object.at, n * sizeof *field);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(field[i].key, "made"))
            field[i].value = all_made(a, m, device);
    return value_object(a, field, n, NULL);
}
