// hbin.c: packs a compiled program: its IR, what people call its parts, its data, and the tree of
// pipelines over what a device runs.
#include "codegen/hbin.h"

#include <string.h>

#include "base/version.h"
#include "ir/print.h"
#include "latent/lcb.h"

static const struct value *ir_text(struct arena *a, const struct ir_module *m)
{
    struct buf text = {0};
    ir_print(m, IR_PRINT_CANONICAL, &text);
    const struct value *v = value_text(a, text.at, text.n, NULL);
    buf_free(&text);
    return v;
}

static bool travels(const struct value *content)
{
    struct buf bytes = {0};
    lcb_encode(content, &bytes);
    bool small = bytes.n <= PROGRAM_DATA_LIMIT;
    buf_free(&bytes);
    return small;
}

// Adds the data sources, with the contents that are small enough, and what makes tokens of them.
static const struct value *add_data(struct pack_writer *w, const struct ir_module *m)
{
    const struct value **item = arena_array(w->arena, m->data.n, sizeof *item), *tokenizer;
    for (size_t i = 0; i < m->data.n; i++) {
        const struct ir_data *d = &m->data.at[i];
        bool carried = d->content && travels(d->content);
        if (carried)
            pack_add(w, d->content);
        struct handle h = pack_add(w, program_source(w->arena, m, d, carried, d->hint, &tokenizer));
        if (tokenizer)
            pack_add(w, tokenizer);
        item[i] = handle_value(w->arena, &h);
    }
    return value_array(w->arena, item, m->data.n);
}

// What a program is but for its kernels, in the pack already.
struct body {
    struct handle ir, debug;
    const struct value *data; // handles
    const struct ir_module *module;
};

// Adds the root and what hangs on it. Returns its handle.
static struct handle add_tree(struct pack_writer *w, const struct dispatch_program *device,
                              const struct handle *program)
{
    program_values tree = {0};
    struct handle root = {{0}};
    program_tree(w->arena, device, program, &tree);
    for (size_t i = 0; i < tree.n; i++)
        root = pack_add(w, tree.at[i]);
    return root;
}

// Adds the kernels, the program and the tree, and appends the pack. Returns the program's handle.
static struct handle finish(struct pack_writer *w, const struct body *b,
                            const struct dispatch_program *device, struct buf *out)
{
    struct arena *a = w->arena;
    const struct ir_module *m = b->module;
    struct handle identity = program_identity(a, &b->ir, m->numerics, m->profile);
    const struct value *table = value_null();
    if (device) {
        struct handle h = dispatch_write(w, device);
        table = handle_value(a, &h);
    }
    const struct value_field fields[] = {
        {"data", 4, b->data},
        {"debug", 5, handle_value(a, &b->debug)},
        {"dispatch", 8, table},
        {"hbin", 4, value_int(a, HLX_HBIN_VERSION)},
        {"identity", 8, handle_value(a, &identity)},
        {"ir", 2, handle_value(a, &b->ir)},
        {"numerics", 8, value_str(a, m->numerics)},
        {"params", 6, program_params(a, m)},
        {"profile", 7, value_str(a, m->profile)},
    };
    const struct value *object = value_object(a, fields, sizeof fields / sizeof *fields, NULL);
    struct handle program = pack_add(w, value_contract(a, CONTRACT_PROGRAM, object));
    struct handle root = add_tree(w, device, &program);
    pack_write(w, &root, out);
    return identity;
}

struct handle hbin_write(struct arena *a, const struct ir_module *m, const struct sources *s,
                         const struct dispatch_program *device, struct buf *out)
{
    struct pack_writer w;
    struct body body = {.module = m};
    pack_writer_init(&w, a);
    body.ir = pack_add(&w, ir_text(a, m));
    body.debug = pack_add(&w, hbin_debug(a, m, s, device));
    body.data = add_data(&w, m);
    return finish(&w, &body, device, out);
}

// -- programs that were read ---------------------------------------------------------------------

// Adds what a program that was read has under a handle; nothing for null.
static void keep(struct pack_writer *w, struct program *p, const struct value *v)
{
    struct handle h;
    if (program_handle(v, &h))
        pack_add(w, pack_get(w->arena, &p->pack, &h, NULL)); // which the reader has seen
}

static void keep_data(struct pack_writer *w, struct program *p)
{
    const struct value *list = value_get(p->parts, "data");
    for (size_t i = 0; i < p->module.data.n; i++) {
        keep(w, p, list->as.array.at[i]);
        keep(w, p, value_get(p->data[i], "tokenizer"));
        if (value_get(p->data[i], "carried")->as.boolean)
            keep(w, p, value_get(p->data[i], "content"));
    }
}

struct handle hbin_rewrite(struct arena *a, struct program *p,
                           const struct dispatch_program *device, struct buf *out)
{
    struct pack_writer w;
    struct body body = {.data = value_get(p->parts, "data"), .module = &p->module};
    struct handle debug;
    pack_writer_init(&w, a);
    program_handle(value_get(p->parts, "debug"), &debug);
    const struct value *map = pack_get(a, &p->pack, &debug, NULL);
    program_handle(value_get(p->parts, "ir"), &body.ir);
    keep(&w, p, value_get(p->parts, "ir"));
    body.debug = pack_add(&w, hbin_debug_again(a, &p->module, map, device));
    keep_data(&w, p);
    return finish(&w, &body, device, out);
}

void hbin_write_pipeline(struct arena *a, const struct value *root,
                         const struct value *const *object, size_t n, struct buf *out)
{
    struct pack_writer w;
    pack_writer_init(&w, a);
    for (size_t i = 0; i < n; i++)
        pack_add(&w, object[i]);
    struct handle h = pack_add(&w, root);
    pack_write(&w, &h, out);
}
