// stage_files.c: builtins that read files while compiling: bytes_of and ls.open. What enters the
// program is what a file holds, never where it lies.
#include "frontend/stage_builtin.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "frontend/stage_store.h"

// Reads the file that argument i names, of at most `limit` bytes (0: 4 GiB). Its bytes do not count
// as memory that the program uses.
static const struct value *read_file(struct stage *s, struct stage_call *c, unsigned i,
                                     size_t limit, const char **path)
{
    const char *error, *source = sources_get(s->sources, c->at.file)->name;
    size_t n;
    if (!stage_want_text(s, c, i, NULL, path))
        return NULL;
    char *bytes =
        file_read(s->a, path_join(s->a, path_dir(s->a, source), *path), limit, &n, &error);
    if (!bytes) {
        struct diag *g = stage_error(s, c->arg_at[i], "HLX0612", "%s", error);
        diag_help(g, "paths are relative to the folder of the source file");
        *s->missing = true;
        return NULL;
    }
    size_t before = s->a->used;
    const struct value *v = value_bytes(s->a, bytes, n);
    s->files += s->a->used - before;
    free(bytes);
    return v;
}

const struct value *stage_read_file(struct stage *s, struct stage_call *c, unsigned i,
                                    const char **path)
{
    return read_file(s, c, i, 0, path);
}

// bytes_of(path)
struct stage_value stage_files_bytes(struct stage *s, struct stage_call *c)
{
    const char *path;
    const struct value *v = read_file(s, c, 0, STAGE_MAX_LENGTH, &path);
    if (!v)
        return stage_poison();
    stage_charge(s, v->as.bytes.n / 8);
    return (struct stage_value){.kind = STAGE_BYTES, .as.text = {v->as.bytes.at, v->as.bytes.n}};
}

// -- packs ---------------------------------------------------------------------------------------

// Binds the names of a snapshot, { names: { NAME: handle, ... } } (spec/store.md, S6.1).
static void bind_names(struct stage *s, const struct value *snapshot)
{
    const struct value *names = value_get(snapshot, "names");
    if (!names || names->kind != VALUE_OBJECT)
        return;
    for (size_t i = 0; i < names->as.object.n; i++) {
        const struct value_field *f = &names->as.object.at[i];
        if (f->value->kind == VALUE_HANDLE)
            stage_store_bind(s, f->key, f->value->as.bytes.at);
    }
}

static struct stage_value refuse(struct stage *s, struct stage_call *c,
                                 const struct latent_error *error)
{
    *s->missing = true;
    return stage_fail(s, c->arg_at[0], error->code, "%s", error->message);
}

// Puts a pack's objects into the store; returns the size of its root.
static size_t keep_objects(struct stage *s, const struct pack *pack)
{
    size_t root = 0;
    for (size_t i = 0; i < pack->n; i++) {
        const struct pack_object *o = &pack->object[i];
        stage_store_add(s, (struct stage_stored){.handle = o->handle, .pack = pack, .n = o->n});
        root = handle_equal(&o->handle, &pack->root) ? o->n : root;
    }
    return root;
}

// ls.open(path)
struct stage_value stage_ls_open(struct stage *s, struct stage_call *c)
{
    struct latent_error error = {0};
    struct pack *pack = arena_new(s->a, struct pack);
    const char *path;
    const struct value *file = read_file(s, c, 0, 0, &path), *root = NULL;
    if (!file)
        return stage_poison();
    if (!pack_read(s->a, file->as.bytes.at, file->as.bytes.n, pack, &error))
        return refuse(s, c, &error);
    stage_charge(s, file->as.bytes.n / 64 + pack->n);
    if (keep_objects(s, pack) <= STAGE_MAX_OBJECT) { // a larger one is no snapshot
        if (!(root = pack_get(s->a, pack, &pack->root, &error)))
            return refuse(s, c, &error);
        bind_names(s, root);
    }
    char text[HANDLE_TEXT + 1];
    handle_text(&pack->root, text);
    return stage_bytes(s->a, STAGE_HANDLE, text, HANDLE_TEXT);
}
