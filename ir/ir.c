// ir.c: modules, graphs, interned names and types, and looking things up in them.
#include "ir/ir.h"

#include <string.h>

#include "base/version.h"
#include "ir/build.h"

void ir_module_init(struct ir_module *m, struct arena *a)
{
    *m = (struct ir_module){.arena = a, .numerics = HLX_NUMERICS, .profile = "exact"};
    map_init(&m->type_index, a);
    map_init(&m->name_index, a);
    vec_push(a, &m->types, (struct ir_type){0});
    vec_push(a, &m->names, "");
    vec_push(a, &m->locs, (struct span){0});
}

struct ir_graph *ir_graph_new(struct ir_module *m)
{
    struct ir_graph *g = arena_new(m->arena, struct ir_graph);
    g->module = m;
    map_init(&g->leaves, m->arena);
    vec_push(m->arena, &g->nodes, (struct ir_node){0});
    return g;
}

ir_name ir_intern(struct ir_module *m, const char *text)
{
    if (!*text)
        return 0;
    bool fresh;
    struct map_entry *e = map_put_str(&m->name_index, text, &fresh);
    if (fresh) {
        e->value.u = m->names.n;
        vec_push(m->arena, &m->names, e->key);
    }
    return (ir_name)e->value.u;
}

const char *ir_name_text(const struct ir_module *m, ir_name name)
{
    return m->names.at[name];
}

// -- types ---------------------------------------------------------------------------------------

bool ir_shape_ok(unsigned rank, const int64_t *dims)
{
    if (rank > IR_MAX_RANK)
        return false;
    int64_t count = 1;
    for (unsigned i = 0; i < rank; i++) {
        if (dims[i] < 1 || dims[i] > IR_MAX_ELEMENTS / count)
            return false;
        count *= dims[i];
    }
    return true;
}

static ir_typeid intern_type(struct ir_module *m, const struct ir_type *t)
{
    int64_t key[2 + 2 * IR_MAX_RANK];
    size_t n = 0;
    key[n++] = t->dtype;
    key[n++] = t->rank;
    for (unsigned i = 0; i < t->rank; i++)
        key[n++] = t->dim[i];
    for (unsigned i = 0; i < t->rank; i++)
        key[n++] = t->name[i];
    bool fresh;
    struct map_entry *e = map_put(&m->type_index, key, n * sizeof *key, &fresh);
    if (fresh) {
        e->value.u = m->types.n;
        vec_push(m->arena, &m->types, *t);
    }
    return (ir_typeid)e->value.u;
}

ir_typeid ir_type_make(struct ir_module *m, enum dtype dtype, unsigned rank, const int64_t *dims,
                       const ir_name *names)
{
    if (!ir_shape_ok(rank, dims))
        IR_BUG("a type of rank %u with a bad shape", rank);
    struct ir_type t = {.dtype = dtype, .rank = rank};
    for (unsigned i = 0; i < rank; i++)
        t.dim[i] = dims[i];
    ir_typeid base = intern_type(m, &t);
    m->types.at[base].base = base;
    bool named = false;
    for (unsigned i = 0; names && i < rank; i++) {
        t.name[i] = names[i];
        named = named || names[i] != 0;
    }
    t.base = base;
    return named ? intern_type(m, &t) : base;
}

ir_typeid ir_type_scalar(struct ir_module *m, enum dtype dtype)
{
    return ir_type_make(m, dtype, 0, NULL, NULL);
}

ir_typeid ir_type_with(struct ir_module *m, ir_typeid id, enum dtype dtype)
{
    struct ir_type t = m->types.at[id];
    return t.dtype == dtype ? id : ir_type_make(m, dtype, t.rank, t.dim, t.name);
}

const struct ir_type *ir_type_get(const struct ir_module *m, ir_typeid t)
{
    return &m->types.at[t];
}

bool ir_type_equal(const struct ir_module *m, ir_typeid a, ir_typeid b)
{
    return m->types.at[a].base == m->types.at[b].base;
}

int64_t ir_type_count(const struct ir_type *t)
{
    int64_t count = 1;
    for (unsigned i = 0; i < t->rank; i++)
        count *= t->dim[i];
    return count;
}

size_t ir_type_bytes(const struct ir_type *t)
{
    return (size_t)ir_type_count(t) * dtype_bytes(t->dtype);
}

void ir_type_print(const struct ir_module *m, ir_typeid id, bool names, struct buf *out)
{
    const struct ir_type *t = ir_type_get(m, id);
    buf_printf(out, "%s[", dtype_name(t->dtype));
    for (unsigned i = 0; i < t->rank; i++) {
        if (i)
            buf_puts(out, ", ");
        if (names && t->name[i])
            buf_printf(out, "%s=", ir_name_text(m, t->name[i]));
        buf_printf(out, "%lld", (long long)t->dim[i]);
    }
    buf_putc(out, ']');
}

const char *ir_type_text(struct ir_module *m, ir_typeid t)
{
    struct buf b = {0};
    ir_type_print(m, t, true, &b);
    const char *text = arena_copy(m->arena, b.at, b.n);
    buf_free(&b);
    return text;
}

// -- nodes ---------------------------------------------------------------------------------------

const struct ir_node *ir_get(const struct ir_graph *g, ir_ref r)
{
    return &g->nodes.at[r];
}

enum ir_op ir_opcode(const struct ir_graph *g, ir_ref r)
{
    return (enum ir_op)g->nodes.at[r].op;
}

ir_ref ir_arg(const struct ir_graph *g, ir_ref r, unsigned i)
{
    return g->args.at[g->nodes.at[r].args + i];
}

int64_t ir_attr(const struct ir_graph *g, ir_ref r, unsigned i)
{
    return g->attrs.at[g->nodes.at[r].attrs + i];
}

const struct ir_type *ir_typeof(const struct ir_graph *g, ir_ref r)
{
    return ir_type_get(g->module, g->nodes.at[r].type);
}

// -- vars and entries ----------------------------------------------------------------------------

int64_t ir_find_var(const struct ir_module *m, const char *path)
{
    for (size_t i = 0; i < m->vars.n; i++)
        if (!strcmp(m->vars.at[i].path, path))
            return (int64_t)i;
    return -1;
}

struct ir_entry *ir_find_entry(const struct ir_module *m, const char *name)
{
    for (size_t i = 0; i < m->entries.n; i++)
        if (!strcmp(m->entries.at[i].name, name))
            return &m->entries.at[i];
    return NULL;
}
