// inspect.c: shows what is in a program: its handle, variables, data, entries.
#include "runtime/inspect.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/shard.h"
#include "runtime/spv_reflect.h"

// What both forms say of a program is taken from here.
static const char *kind_name(const struct ir_var *v)
{
    return v->kind == IR_PARAM ? "param" : "state";
}

static const char *identity(const struct program *p, char text[HANDLE_TEXT + 1])
{
    handle_text(&p->identity, text);
    return text;
}

static const char *source_kind(const struct ir_data *d)
{
    const char *kind;
    return value_get_text(d->source, "kind", &kind) ? kind : "?";
}

static const char *content_handle(const struct ir_data *d)
{
    const struct value *v = value_get(d->source, "content");
    return v && v->kind == VALUE_HANDLE ? v->as.bytes.at : "?";
}

static bool carried(struct program *p, const struct ir_data *d)
{
    return program_data(p, d) != NULL;
}

// -- text ----------------------------------------------------------------------------------------

static void text_vars(const struct program *p, enum ir_var_kind kind, struct buf *out)
{
    size_t n = 0, bytes = 0;
    long long elements = 0;
    for (size_t i = 0; i < p->module.vars.n; i++) {
        const struct ir_var *v = &p->module.vars.at[i];
        const struct ir_type *t = ir_type_get(&p->module, v->type);
        if (v->kind != kind)
            continue;
        buf_printf(out, "%s %s: ", kind_name(v), v->path);
        ir_type_print(&p->module, v->type, true, out);
        buf_putc(out, '\n');
        n++;
        bytes += ir_type_bytes(t);
        elements += ir_type_count(t);
    }
    buf_printf(out, "%s: %zu tensors, %lld elements, %zu bytes\n",
               kind == IR_PARAM ? "params" : "states", n, elements, bytes);
}

static void text_fields(const struct program *p, const struct ir_field *f, size_t n,
                        struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s%s: ", i ? ", " : "", f[i].name);
        ir_type_print(&p->module, f[i].type, true, out);
    }
}

static void text_data(struct program *p, struct buf *out)
{
    for (size_t i = 0; i < p->module.data.n; i++) {
        const struct ir_data *d = &p->module.data.at[i];
        buf_printf(out, "data %s: %s of ", d->name, source_kind(d));
        text_fields(p, d->fields.at, d->fields.n, out);
        buf_printf(out, "\n  %s%s", content_handle(d), carried(p, d) ? ", in the program" : "");
        const char *hint = program_hint(p, d);
        if (hint) {
            buf_puts(out, ", from ");
            buf_visible(out, hint, strlen(hint));
        }
        buf_putc(out, '\n');
    }
}

static void text_entry(const struct program *p, const struct ir_entry *e, struct buf *out)
{
    buf_printf(out, "entry %s(", e->name);
    text_fields(p, e->inputs.at, e->inputs.n, out);
    buf_puts(out, ")");
    if (ir_entry_shards(e) > 1)
        buf_printf(out, " in each of %u shards", (unsigned)ir_entry_shards(e));
    for (size_t i = 0; i < e->outputs.n; i++) {
        buf_printf(out, "%s%s: ", i ? ", " : " -> ", e->outputs.at[i].name);
        ir_type_print(&p->module, ir_get(e->graph, e->outputs.at[i].value)->type, true, out);
    }
    buf_printf(out, "\n  %zu nodes, %zu updates", e->graph->nodes.n - 1, e->updates.n);
    if (e->attrs) {
        struct buf shown = {0};
        buf_puts(out, ", using ");
        value_json(e->attrs, 0, &shown);
        buf_visible(out, shown.at ? shown.at : "", shown.n);
        buf_free(&shown);
    }
    buf_putc(out, '\n');
}

// -- kernels
// ---------------------------------------------------------------------------------------

// What is said of a kernel: a shader, and how it is started.
struct seen_kernel {
    const struct dispatch_kernel *kernel;
    struct spv_reflection shape;
    char handle[HANDLE_TEXT + 1];
    size_t calls; // in all variants of all entries
};

static struct seen_kernel see_kernel(struct program *p, size_t index)
{
    const struct dispatch_program *d = p->dispatch;
    struct seen_kernel k = {.kernel = &d->kernel[index]};
    spv_reflect(&p->arena, k.kernel->words, k.kernel->nwords, &k.shape);
    handle_text(&k.kernel->handle, k.handle);
    for (size_t e = 0; e < d->nentries; e++)
        for (size_t s = 0; s < d->entry[e].nsteps; s++)
            for (size_t v = 0; v < d->entry[e].step[s].nvariants; v++)
                for (size_t c = 0; c < d->entry[e].step[s].variant[v].ncalls; c++)
                    k.calls += d->entry[e].step[s].variant[v].call[c].kernel == index;
    return k;
}

static void text_kernels(struct program *p, struct buf *out)
{
    size_t n = p->dispatch ? p->dispatch->nkernels : 0, words = 0;
    for (size_t i = 0; i < n; i++) {
        struct seen_kernel k = see_kernel(p, i);
        words += k.kernel->nwords;
        buf_printf(out, "kernel %s\n  ", k.handle);
        buf_visible(out, k.kernel->name, strlen(k.kernel->name));
        buf_printf(out, ", workgroup %lux%lux%lu, %lu buffers, %lu push constants",
                   (unsigned long)k.shape.local[0], (unsigned long)k.shape.local[1],
                   (unsigned long)k.shape.local[2], (unsigned long)k.kernel->bindings,
                   (unsigned long)k.kernel->push);
        if (k.shape.shared > 0)
            buf_printf(out, ", %llu bytes shared", (unsigned long long)k.shape.shared);
        buf_printf(out, ", %zu bytes, in %zu call%s\n", 4 * k.kernel->nwords, k.calls,
                   k.calls == 1 ? "" : "s");
    }
    if (p->dispatch)
        buf_printf(out, "kernels: %zu, %zu bytes of SPIR-V\n", n, 4 * words);
    else
        buf_puts(out, "kernels: none, for --device cpu alone\n");
}

static const char *root_handle(const struct program *p, char text[HANDLE_TEXT + 1])
{
    handle_text(&p->pack.root, text);
    return text;
}

void inspect_text(struct program *p, struct buf *out)
{
    char handle[HANDLE_TEXT + 1], root[HANDLE_TEXT + 1];
    buf_printf(out,
               "program %s\nroot %s\nnumerics %s, profile %s, hbin %d, %zu bytes, %zu objects\n",
               identity(p, handle), root_handle(p, root), p->module.numerics, p->module.profile,
               HLX_HBIN_VERSION, p->n, p->pack.n);
    text_vars(p, IR_PARAM, out);
    text_vars(p, IR_STATE, out);
    text_data(p, out);
    for (size_t i = 0; i < p->module.entries.n; i++)
        text_entry(p, &p->module.entries.at[i], out);
    text_kernels(p, out);
}

// -- JSON ----------------------------------------------------------------------------------------

static json_t *json_shape(const struct ir_type *t)
{
    json_t *shape = json_array();
    for (unsigned i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer(t->dim[i]));
    return shape;
}

static json_t *json_tensor(const struct program *p, const char *name, ir_typeid type)
{
    const struct ir_type *t = ir_type_get(&p->module, type);
    return json_pack("{s:s, s:s, s:o}", "name", name, "dtype", dtype_name(t->dtype), "shape",
                     json_shape(t));
}

static json_t *json_fields(const struct program *p, const struct ir_field *f, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_tensor(p, f[i].name, f[i].type));
    return list;
}

static json_t *json_vars(const struct program *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->module.vars.n; i++) {
        const struct ir_var *v = &p->module.vars.at[i];
        json_t *o = json_tensor(p, v->path, v->type);
        json_object_set_new(o, "kind", json_string(kind_name(v)));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *json_data(struct program *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->module.data.n; i++) {
        const struct ir_data *d = &p->module.data.at[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:b, s:s?, s:o}", "name", d->name, "kind",
                                        source_kind(d), "content", content_handle(d), "carried",
                                        (int)carried(p, d), "hint", program_hint(p, d), "fields",
                                        json_fields(p, d->fields.at, d->fields.n)));
    }
    return list;
}

// Attributes are a latent value, which knows how to write itself as JSON.
static json_t *json_value(const struct value *v)
{
    struct buf text = {0};
    if (v)
        value_json(v, 0, &text);
    json_t *o = v ? json_loadb(text.at, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    buf_free(&text);
    return o ? o : json_null();
}

static json_t *json_entries(const struct program *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->module.entries.n; i++) {
        const struct ir_entry *e = &p->module.entries.at[i];
        json_t *outputs = json_array();
        for (size_t k = 0; k < e->outputs.n; k++)
            json_array_append_new(outputs,
                                  json_tensor(p, e->outputs.at[k].name,
                                              ir_get(e->graph, e->outputs.at[k].value)->type));
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:I, s:I, s:o}", "name", e->name, "inputs",
                            json_fields(p, e->inputs.at, e->inputs.n), "outputs", outputs, "nodes",
                            (json_int_t)e->graph->nodes.n - 1, "updates", (json_int_t)e->updates.n,
                            "using", json_value(e->attrs)));
    }
    return list;
}

static json_t *json_kernels(struct program *p)
{
    json_t *list = json_array();
    for (size_t i = 0; p->dispatch && i < p->dispatch->nkernels; i++) {
        struct seen_kernel k = see_kernel(p, i);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:[I, I, I], s:I, s:I, s:I, s:I, s:I}", "handle", k.handle,
                            "name", k.kernel->name, "workgroup", (json_int_t)k.shape.local[0],
                            (json_int_t)k.shape.local[1], (json_int_t)k.shape.local[2], "shared",
                            (json_int_t)k.shape.shared, "buffers", (json_int_t)k.kernel->bindings,
                            "push", (json_int_t)k.kernel->push, "bytes",
                            4 * (json_int_t)k.kernel->nwords, "calls", (json_int_t)k.calls));
    }
    return list;
}

bool inspect_json(struct program *p, struct buf *out)
{
    char handle[HANDLE_TEXT + 1], root[HANDLE_TEXT + 1];
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o}", "program",
                  identity(p, handle), "root", root_handle(p, root), "numerics", p->module.numerics,
                  "profile", p->module.profile, "hbin", HLX_HBIN_VERSION, "bytes", (json_int_t)p->n,
                  "objects", (json_int_t)p->pack.n, "vars", json_vars(p), "data", json_data(p),
                  "entries", json_entries(p), "kernels", json_kernels(p));
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    if (!text)
        return false;
    buf_printf(out, "%s\n", text);
    free(text);
    return true;
}
