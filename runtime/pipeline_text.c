// pipeline_text.c: shows what is in a pipeline: stages, buffers, handles.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/pipeline.h"

static const char *role(const struct pipeline_buffer *b)
{
    if (b->constant)
        return "constant";
    return b->output ? "output" : b->written ? "work" : "input";
}

static void put_stage(const struct pipeline *p, size_t i, struct buf *out)
{
    const struct dispatch_call *c = &p->program.dispatch->entry->step->variant->call[i];
    const struct dispatch_kernel *k = &p->program.dispatch->kernel[c->kernel];
    const struct pipeline_stage *s = &p->stages.at[i];
    char handle[HANDLE_TEXT + 1];
    handle_text(&k->handle, handle);
    buf_printf(out, "stage %zu: %s%s\n  %s\n", i, s->name,
               i > 0 && c->barrier ? ", after all before it" : "", handle);
    buf_printf(out,
               "  %lux%lux%lu workgroups of %lux%lux%lu, %lu buffers, %lu push constants, "
               "%llu bytes shared, %zu bytes\n",
               (unsigned long)c->groups[0], (unsigned long)c->groups[1],
               (unsigned long)c->groups[2], (unsigned long)s->local[0], (unsigned long)s->local[1],
               (unsigned long)s->local[2], (unsigned long)k->bindings, (unsigned long)k->push,
               (unsigned long long)s->shared, 4 * k->nwords);
}

void pipeline_text(const struct pipeline *p, struct buf *out)
{
    char root[HANDLE_TEXT + 1];
    handle_text(&p->program.pack.root, root);
    buf_printf(out, "pipeline %s\nroot %s\n%zu bytes, %zu objects\n", p->name, root, p->program.n,
               p->program.pack.n);
    for (size_t i = 0; i < p->buffers.n; i++) {
        const struct pipeline_buffer *b = &p->buffers.at[i];
        buf_printf(out, "%s %s: ", role(b), b->name);
        pipeline_type_print(b, out);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < p->stages.n; i++)
        put_stage(p, i, out);
}

// -- JSON ----------------------------------------------------------------------------------------

static json_t *json_triple(const uint32_t x[3])
{
    return json_pack("[I, I, I]", (json_int_t)x[0], (json_int_t)x[1], (json_int_t)x[2]);
}

static json_t *json_buffers(const struct pipeline *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->buffers.n; i++) {
        const struct pipeline_buffer *b = &p->buffers.at[i];
        json_t *shape = json_array();
        for (unsigned k = 0; k < b->rank; k++)
            json_array_append_new(shape, json_integer(b->dim[k]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:I}", "name", b->name, "role",
                                              role(b), "dtype", dtype_name(b->dtype), "shape",
                                              shape, "bytes", (json_int_t)b->bytes));
    }
    return list;
}

static json_t *json_stages(const struct pipeline *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->stages.n; i++) {
        const struct dispatch_call *c = &p->program.dispatch->entry->step->variant->call[i];
        const struct dispatch_kernel *k = &p->program.dispatch->kernel[c->kernel];
        char handle[HANDLE_TEXT + 1];
        handle_text(&k->handle, handle);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I}", "name",
                            p->stages.at[i].name, "handle", handle, "barrier", (int)c->barrier,
                            "workgroups", json_triple(c->groups), "workgroup",
                            json_triple(p->stages.at[i].local), "shared",
                            (json_int_t)p->stages.at[i].shared, "buffers", (json_int_t)k->bindings,
                            "push", (json_int_t)k->push, "bytes", 4 * (json_int_t)k->nwords));
    }
    return list;
}

bool pipeline_json(const struct pipeline *p, struct buf *out)
{
    char root[HANDLE_TEXT + 1];
    handle_text(&p->program.pack.root, root);
    json_t *o =
        json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "pipeline", p->name, "root", root, "bytes",
                  (json_int_t)p->program.n, "objects", (json_int_t)p->program.pack.n, "buffers",
                  json_buffers(p), "stages", json_stages(p));
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    if (!text)
        return false;
    buf_printf(out, "%s\n", text);
    free(text);
    return true;
}
