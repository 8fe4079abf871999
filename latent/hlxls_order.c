// hlxls_order.c: the commands of hlxls that keep a store in order, and those that pack and unpack.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "latent/hlxls_commands.h"
#include "latent/store_check.h"
#include "latent/store_pack.h"

static const char *s_if(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_handle(const struct handle *h)
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    puts(text);
}

// -- fsck ----------------------------------------------------------------------------------------

static void print_counts(const struct store_report *r)
{
    printf("%zu object%s, %llu bytes, %zu name%s, %zu snapshot%s\n", r->objects, s_if(r->objects),
           (unsigned long long)r->bytes, r->names, s_if(r->names), r->snapshots,
           s_if(r->snapshots));
    if (r->unresolved > 0)
        printf("%zu handle%s in values lead%s out of the store\n", r->unresolved,
               s_if(r->unresolved), r->unresolved == 1 ? "s" : "");
    if (r->temps > 0)
        printf(
            "%zu temporary file%s of writers that are at work or were killed; `hlxls gc` removes "
            "them\n",
            r->temps, s_if(r->temps));
}

void hlxls_fsck(struct hlxls *t)
{
    struct store_report r;
    struct latent_error error = {0};
    size_t left = 0;
    struct store *s = hlxls_store(t, false);
    if (!s)
        return;
    if (!store_fsck(s, &t->arena, t->options.repair, &r, &error)) {
        hlxls_fail(t, &error);
        return;
    }
    print_counts(&r);
    for (size_t i = 0; i < r.findings.n; i++) {
        const struct store_finding *f = &r.findings.at[i];
        printf("%s: %s%s%s\n", f->code, f->message, f->repair ? "; " : "",
               f->repair ? f->repair : "");
        left += f->repair == NULL;
    }
    if (left > 0)
        hlxls_complain(t, EXIT_DATA, "the store `%s` is damaged%s", store_path(s),
                       t->options.repair ? "" : "; `hlxls fsck --repair` mends what can be mended");
}

// -- gc ------------------------------------------------------------------------------------------

void hlxls_gc(struct hlxls *t)
{
    struct store_gc gc;
    struct latent_error error = {0};
    bool dry = t->options.dry_run;
    struct store *s = hlxls_store(t, false);
    if (!s)
        return;
    if (!store_gc(s, &t->arena, t->options.grace, dry, &gc, &error)) {
        hlxls_fail(t, &error);
        return;
    }
    for (size_t i = 0; dry && i < gc.handles.n; i++)
        print_handle(&gc.handles.at[i]);
    printf("%s %zu object%s, %llu bytes; kept %zu, %llu bytes", dry ? "would remove" : "removed",
           gc.removed, s_if(gc.removed), (unsigned long long)gc.removed_bytes, gc.kept,
           (unsigned long long)gc.kept_bytes);
    if (gc.temps > 0)
        printf("; %zu temporary file%s", gc.temps, s_if(gc.temps));
    putchar('\n');
}

// -- pack ----------------------------------------------------------------------------------------

// The names that operands name, or all.
static bool choose_names(struct hlxls *t, store_names *out)
{
    struct latent_error error = {0};
    const struct hlxls_options *o = &t->options;
    *out = (store_names){0};
    if (o->all)
        return store_list(t->store, &t->arena, out, NULL, &error) || hlxls_fail(t, &error);
    struct value_field *fields = arena_array(&t->arena, (size_t)o->noperands, sizeof *fields);
    for (int i = 0; i < o->noperands; i++) {
        struct handle h;
        const char *name = store_name_text(t->store, o->operand[i], &error);
        if (!name || !store_find(t->store, name, &h, &error))
            return hlxls_fail(t, &error);
        fields[i] = (struct value_field){name, strlen(name), handle_value(&t->arena, &h)};
    }
    const struct value *v = value_object(&t->arena, fields, (size_t)o->noperands, &error);
    if (!v)
        return hlxls_fail(t, &error);
    struct value_field whole = {"names", 5, v};
    return store_names_read(&t->arena, value_object_sorted(&t->arena, &whole, 1), out);
}

// Fills the writer; false after saying why not.
static bool gather(struct hlxls *t, struct pack_writer *w, struct handle *root, size_t *outside)
{
    struct latent_error error = {0};
    const struct hlxls_options *o = &t->options;
    store_names names;
    size_t more;
    if (!o->all && o->noperands == 1)
        return (store_find(t->store, o->operand[0], root, &error) &&
                store_pack(t->store, w, root, outside, &error)) ||
               hlxls_fail(t, &error);
    if (!choose_names(t, &names))
        return false;
    *root = pack_add(w, store_names_value(&t->arena, &names));
    for (size_t i = 0; i < names.n; i++) {
        if (!store_pack(t->store, w, &names.at[i].handle, &more, &error))
            return hlxls_fail(t, &error);
        *outside += more;
    }
    return true;
}

void hlxls_pack(struct hlxls *t)
{
    struct pack_writer w;
    struct handle root;
    struct buf bytes = {0};
    size_t outside = 0;
    pack_writer_init(&w, &t->arena);
    if (!hlxls_store(t, false) || !gather(t, &w, &root, &outside))
        return;
    pack_write(&w, &root, &bytes);
    if (hlxls_write(t, &bytes) && outside > 0)
        fprintf(stderr, "hlxls: note: %zu handle%s lead%s out of the store, and of the pack\n",
                outside, s_if(outside), outside == 1 ? "s" : "");
    buf_free(&bytes);
}

// -- unpack --------------------------------------------------------------------------------------

static bool bind_names(struct hlxls *t, struct store_tx *tx, const struct hlxls_input *in,
                       struct latent_error *error)
{
    store_names names;
    if (t->options.names.n > 0 && !store_bind(tx, t->options.names.at[0], &in->handle, error))
        return false;
    if (!t->options.bind_all)
        return true;
    if (!store_names_read(&t->arena, in->value, &names)) {
        *error = (struct latent_error){.code = "E_HANDLE_NOT_FOUND",
                                       .message = "the root of the pack holds no names"};
        return false;
    }
    for (size_t i = 0; i < names.n; i++)
        if (!store_bind(tx, names.at[i].name, &names.at[i].handle, error))
            return false;
    return true;
}

void hlxls_unpack(struct hlxls *t)
{
    struct hlxls_input in;
    struct latent_error error = {0};
    const char *path = t->options.operand[0];
    if (!hlxls_read_file(t, path, NULL, &in))
        return;
    if (!in.pack) {
        hlxls_complain(t, EXIT_DATA, "`%s` is no pack; `hlxls collapse` stores single values",
                       in.name);
        return;
    }
    struct store *s = hlxls_store(t, true);
    struct store_tx *tx = s ? store_begin(s, &error) : NULL;
    bool ok = tx && store_unpack(tx, in.pack, &error) && bind_names(t, tx, &in, &error);
    if (tx && !ok)
        store_abort(tx);
    if (ok)
        ok = store_commit(tx, &error);
    if (ok)
        print_handle(&in.handle);
    else if (s)
        hlxls_fail(t, &error);
}
