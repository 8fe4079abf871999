// hbin.c: packs a compiled program: its IR, what people call its parts, and its data.
#include "codegen/hbin.h"

#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "ir/print.h"
#include "latent/lcb.h"
#include "runtime/program.h"

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

static int by_handle(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct handle));
}

// Adds the contents that are small enough. The list is sorted and holds no handle twice.
static const struct value *add_data(struct pack_writer *w, const struct ir_module *m)
{
    struct handle *found = arena_array(w->arena, m->data.n, sizeof *found);
    const struct value **item = arena_array(w->arena, m->data.n, sizeof *item);
    size_t nfound = 0, n = 0;
    for (size_t i = 0; i < m->data.n; i++) {
        const struct value *content = m->data.at[i].content;
        if (content && travels(content))
            found[nfound++] = pack_add(w, content);
    }
    qsort(found, nfound, sizeof *found, by_handle);
    for (size_t i = 0; i < nfound; i++)
        if (i == 0 || !handle_equal(&found[i - 1], &found[i]))
            item[n++] = handle_value(w->arena, &found[i]);
    return value_array(w->arena, item, n);
}

static const struct value *hints(struct arena *a, const struct ir_module *m)
{
    struct value_field *field = arena_array(a, m->data.n, sizeof *field);
    size_t n = 0;
    for (size_t i = 0; i < m->data.n; i++) {
        const struct ir_data *d = &m->data.at[i];
        const struct value *hint = d->hint ? value_text(a, d->hint, strlen(d->hint), NULL) : NULL;
        if (hint) // a name that is not UTF-8 cannot be kept
            field[n++] = (struct value_field){d->name, strlen(d->name), hint};
    }
    return value_object(a, field, n, NULL);
}

struct handle hbin_write(struct arena *a, const struct ir_module *m, const struct sources *s,
                         const struct dispatch_program *device, struct buf *out)
{
    struct pack_writer w;
    pack_writer_init(&w, a);
    struct handle ir = pack_add(&w, ir_text(a, m));
    struct handle debug = pack_add(&w, hbin_debug(a, m, s));
    struct handle identity = program_identity(a, &ir, m->numerics, m->profile);
    const struct value *table = value_null();
    if (device) {
        struct handle h = dispatch_write(&w, device);
        table = handle_value(a, &h);
    }
    const struct value_field fields[] = {
        {"data", 4, add_data(&w, m)},
        {"debug", 5, handle_value(a, &debug)},
        {"dispatch", 8, table},
        {"hbin", 4, value_int(a, HLX_HBIN_VERSION)},
        {"hints", 5, hints(a, m)},
        {"identity", 8, handle_value(a, &identity)},
        {"ir", 2, handle_value(a, &ir)},
        {"numerics", 8, value_str(a, m->numerics)},
        {"profile", 7, value_str(a, m->profile)},
    };
    const struct value *object = value_object(a, fields, sizeof fields / sizeof *fields, NULL);
    struct handle root = pack_add(&w, value_contract(a, PROGRAM_CONTRACT, object));
    pack_write(&w, &root, out);
    return identity;
}
