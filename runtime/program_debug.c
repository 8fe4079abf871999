// program_debug.c: gives a program's nodes their names, dimensions and places back.
//
// The canonical IR text holds only what a program means. What it is called and where it was written
// lies beside it, outside the program's handle (spec/hbin.md, section "Debug"). All of it is
// untrusted: every index is checked against the table it points into.
#include <stdint.h>
#include <string.h>

#include "runtime/leb.h"
#include "runtime/program.h"

// The tables of the debug object, and the reader's place in the one being read.
struct reader {
    struct program *p;
    struct arena *a;
    const struct value *debug;
    VEC(ir_name) names;
    VEC(const ir_name *) shapes; // IR_MAX_RANK names each
    VEC(unsigned) ranks;         // of the shapes
    const char *fault;
};

static bool fail(struct reader *r, const char *sentence)
{
    if (!r->fault)
        r->fault = sentence;
    return false;
}

static struct leb cursor_of(const struct value *bytes)
{
    return leb_start(bytes->as.bytes.at, bytes->as.bytes.n);
}

static bool done(struct reader *r, const struct leb *c)
{
    return (!c->bad && c->at == c->end) || fail(r, "a table of its debug part has a wrong length");
}

static const struct value *part(struct reader *r, const char *name, enum value_kind kind)
{
    const struct value *v = value_get(r->debug, name);
    if (v && v->kind == kind)
        return v;
    fail(r,
         arena_printf(r->a, "its debug part has no `%s` of kind %s", name, value_kind_name(kind)));
    return NULL;
}

static bool all_of(struct reader *r, const struct value *list, enum value_kind kind)
{
    for (size_t i = 0; i < list->as.array.n; i++) {
        const struct value *v = list->as.array.at[i];
        if (v->kind != kind)
            return fail(r, "a list of its debug part holds something of another kind");
        if (kind == VALUE_TEXT &&
            (strlen(v->as.bytes.at) != v->as.bytes.n || !program_name_ok(v->as.bytes.at)))
            return fail(r, "a name in its debug part is empty or cannot be shown");
    }
    return true;
}

// A list whose items are all of a kind.
static const struct value *list(struct reader *r, const char *name, enum value_kind kind)
{
    const struct value *v = part(r, name, VALUE_ARRAY);
    return v && all_of(r, v, kind) ? v : NULL;
}

// -- tables --------------------------------------------------------------------------------------

static bool read_file(struct reader *r, struct program_file *f, const char *name, struct leb c)
{
    VEC(uint32_t) line = {0};
    uint64_t at = 0;
    f->name = name;
    do {
        vec_push(r->a, &line, (uint32_t)at);
        at += leb_take(&c);
        if (at > UINT32_MAX)
            return fail(r, "a source file of its debug part is too long");
    } while (c.at < c.end);
    f->line = line.at;
    f->nlines = line.n;
    f->length = (uint32_t)at;
    return done(r, &c);
}

static bool read_files(struct reader *r)
{
    const struct value *names = list(r, "files", VALUE_TEXT);
    const struct value *lines = list(r, "lines", VALUE_BYTES);
    if (!names || !lines)
        return false;
    if (names->as.array.n != lines->as.array.n)
        return fail(r, "its debug part has another number of files than of line tables");
    struct program_file *file = arena_array(r->a, names->as.array.n, sizeof *file);
    for (size_t i = 0; i < names->as.array.n; i++)
        if (!read_file(r, &file[i], names->as.array.at[i]->as.bytes.at,
                       cursor_of(lines->as.array.at[i])))
            return false;
    r->p->file = file;
    r->p->nfiles = names->as.array.n;
    return true;
}

// module->locs: per place its file, the distance of its start from the last one's, its length.
static bool read_places(struct reader *r)
{
    const struct value *v = part(r, "places", VALUE_BYTES);
    if (!v)
        return false;
    struct leb c = cursor_of(v);
    int64_t start = 0;
    while (c.at < c.end) {
        uint64_t file = leb_take(&c);
        start += leb_take_signed(&c) % ((int64_t)1 << 33);
        uint64_t length = leb_take(&c);
        if (file < 1 || file > r->p->nfiles || start < 0 || start > r->p->file[file - 1].length ||
            length > r->p->file[file - 1].length - (uint64_t)start)
            return fail(r, "a place of its debug part lies outside its file");
        vec_push(
            r->a, &r->p->module.locs,
            (struct span){(uint32_t)file, (uint32_t)start, (uint32_t)(start + (int64_t)length)});
    }
    return done(r, &c);
}

static bool read_names(struct reader *r)
{
    const struct value *v = list(r, "names", VALUE_TEXT);
    if (!v)
        return false;
    vec_push(r->a, &r->names, 0);
    for (size_t i = 0; i < v->as.array.n; i++)
        vec_push(r->a, &r->names, ir_intern(&r->p->module, v->as.array.at[i]->as.bytes.at));
    return true;
}

static ir_name take_name(struct reader *r, struct leb *c)
{
    uint64_t i = leb_take(c);
    if (i < r->names.n)
        return r->names.at[i];
    fail(r, "its debug part refers to a name that it does not have");
    return 0;
}

static bool read_shapes(struct reader *r)
{
    const struct value *v = part(r, "shapes", VALUE_BYTES);
    if (!v)
        return false;
    struct leb c = cursor_of(v);
    vec_push(r->a, &r->shapes, NULL);
    vec_push(r->a, &r->ranks, 0);
    while (c.at < c.end && !r->fault) {
        uint64_t rank = leb_take(&c);
        if (rank < 1 || rank > IR_MAX_RANK)
            return fail(r, "a shape of its debug part has a bad rank");
        ir_name *shape = arena_array(r->a, IR_MAX_RANK, sizeof *shape);
        for (uint64_t i = 0; i < rank; i++)
            shape[i] = take_name(r, &c);
        vec_push(r->a, &r->shapes, shape);
        vec_push(r->a, &r->ranks, (unsigned)rank);
    }
    return !r->fault && done(r, &c);
}

// -- what the tables are for ---------------------------------------------------------------------

// Names the dimensions of a type by the shape that comes next.
static void take_shape(struct reader *r, struct leb *c, ir_typeid *type)
{
    uint64_t i = leb_take(c);
    if (i == 0)
        return;
    struct ir_type t = *ir_type_get(&r->p->module, *type);
    if (i >= r->shapes.n || r->ranks.at[i] != t.rank)
        fail(r, "its debug part names the dimensions of another rank");
    else
        *type = ir_type_make(&r->p->module, t.dtype, t.rank, t.dim, r->shapes.at[i]);
}

static uint32_t take_place(struct reader *r, struct leb *c)
{
    uint64_t i = leb_take(c);
    if (i < r->p->module.locs.n)
        return (uint32_t)i;
    fail(r, "its debug part refers to a place that it does not have");
    return 0;
}

// Per node: its name, the distance of its place from the last node's, its shape.
static bool read_graph(struct reader *r, struct ir_graph *g, struct leb c)
{
    int64_t place = 0;
    for (size_t i = 1; i < g->nodes.n && !r->fault && !c.bad; i++) {
        struct ir_node *n = &g->nodes.at[i];
        n->name = take_name(r, &c);
        place += leb_take_signed(&c) % ((int64_t)1 << 33);
        if (place < 0 || place >= (int64_t)r->p->module.locs.n)
            return fail(r, "its debug part refers to a place that it does not have");
        n->loc = (uint32_t)place;
        take_shape(r, &c, &n->type);
    }
    return !r->fault && done(r, &c);
}

static bool read_graphs(struct reader *r)
{
    struct ir_module *m = &r->p->module;
    const struct value *v = list(r, "graphs", VALUE_BYTES);
    if (!v)
        return false;
    if (v->as.array.n != m->vars.n + m->entries.n)
        return fail(r, "its debug part describes another number of graphs than its IR has");
    for (size_t i = 0; i < v->as.array.n; i++) {
        struct ir_graph *g =
            i < m->vars.n ? m->vars.at[i].init : m->entries.at[i - m->vars.n].graph;
        if (!read_graph(r, g, cursor_of(v->as.array.at[i])))
            return false;
    }
    return true;
}

static bool read_vars(struct reader *r)
{
    struct ir_module *m = &r->p->module;
    const struct value *v = part(r, "vars", VALUE_BYTES);
    if (!v)
        return false;
    struct leb c = cursor_of(v);
    for (size_t i = 0; i < m->vars.n && !r->fault; i++) {
        m->vars.at[i].span = m->locs.at[take_place(r, &c)];
        take_shape(r, &c, &m->vars.at[i].type);
    }
    return !r->fault && done(r, &c);
}

static bool read_data(struct reader *r)
{
    struct ir_module *m = &r->p->module;
    const struct value *v = part(r, "data", VALUE_BYTES);
    if (!v)
        return false;
    struct leb c = cursor_of(v);
    for (size_t i = 0; i < m->data.n; i++)
        for (size_t k = 0; k < m->data.at[i].fields.n && !r->fault; k++)
            take_shape(r, &c, &m->data.at[i].fields.at[k].type);
    return !r->fault && done(r, &c);
}

static bool take_grad(struct reader *r, struct ir_entry *e, struct leb *c)
{
    struct ir_module *m = &r->p->module;
    uint64_t var = leb_take(c), value = leb_take(c);
    if (var >= m->vars.n || value < 1 || value >= e->graph->nodes.n ||
        !ir_type_equal(m, m->vars.at[var].type, e->graph->nodes.at[value].type))
        return fail(r, "a gradient of its debug part does not fit its parameter");
    vec_push(r->a, &e->grads, (struct ir_update){(uint32_t)var, (ir_ref)value});
    return true;
}

static bool read_entry(struct reader *r, struct ir_entry *e, struct leb c)
{
    e->span = r->p->module.locs.at[take_place(r, &c)];
    for (size_t i = 0; i < e->inputs.n && !r->fault; i++)
        take_shape(r, &c, &e->inputs.at[i].type);
    while (c.at < c.end && !r->fault)
        take_grad(r, e, &c);
    return !r->fault && done(r, &c);
}

static bool read_entries(struct reader *r)
{
    struct ir_module *m = &r->p->module;
    const struct value *v = list(r, "entries", VALUE_BYTES);
    if (!v)
        return false;
    if (v->as.array.n != m->entries.n)
        return fail(r, "its debug part describes another number of entries than its IR has");
    for (size_t i = 0; i < m->entries.n; i++)
        if (!read_entry(r, &m->entries.at[i], cursor_of(v->as.array.at[i])))
            return false;
    return true;
}

const char *program_attach_debug(struct program *p, const struct value *debug)
{
    static bool (*const parts[])(struct reader *) = {read_files,  read_places, read_names,
                                                     read_shapes, read_graphs, read_vars,
                                                     read_data,   read_entries};
    enum { NPARTS = sizeof parts / sizeof *parts };
    struct reader r = {.p = p, .a = &p->arena, .debug = debug};
    if (debug->kind != VALUE_OBJECT || debug->as.object.n != NPARTS + 2) // and lines, made
        return "its debug part is not an object of the known fields";
    for (size_t i = 0; i < NPARTS; i++)
        if (!parts[i](&r))
            return r.fault;
    return NULL;
}
