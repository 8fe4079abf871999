// store_tx.c: transactions of a store: objects under temporary names first, then renames, and last
// one rename of the root that makes names of them.
//
// What is written is brought to the disk before it gets its name, and names before the next step:
// a power cut between any two steps leaves the old names or the new ones, and whole objects.
#include "latent/store_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "latent/lcb.h"

// The first objects of a transaction are synced one by one; of more, all at once costs less.
enum { SYNC_SINGLY = 8 };

struct staged {
    struct handle handle;
    char temp[DISK_NAME]; // empty once the object is in its place
};

enum change_kind { CHANGE_BIND, CHANGE_UNBIND, CHANGE_RESTORE, CHANGE_SNAPSHOT, CHANGE_FORGET };

struct change {
    enum change_kind kind;
    const char *name;
    struct handle handle;
    store_names names;  // of CHANGE_RESTORE
    struct handle *out; // of CHANGE_SNAPSHOT
};

struct store_tx {
    struct store *store;
    struct arena arena; // holds the transaction itself
    struct map put;     // handles of this transaction
    VEC(struct staged) staged;
    VEC(struct change) changes;
    bool batched;               // objects were written that are not synced yet
    bool touched[STORE_SHARDS]; // folders whose names must be on the disk in the end
};

// -- beginning and ending ------------------------------------------------------------------------

struct store_tx *store_begin(struct store *s, struct latent_error *error)
{
    if (s->open == 0) {
        bool ok = disk_lock(&s->disk, DISK_GATE, true) && disk_lock(&s->disk, DISK_OBJECTS, false);
        int why = errno;
        disk_unlock(&s->disk, DISK_GATE);
        errno = why;
        if (!ok) {
            store_io_error(s, error, "lock", "lock");
            return NULL;
        }
    }
    s->open++;
    struct arena arena = {0};
    struct store_tx *tx = arena_new(&arena, struct store_tx);
    tx->arena = arena;
    tx->store = s;
    map_init(&tx->put, &tx->arena);
    return tx;
}

void store_abort(struct store_tx *tx)
{
    struct store *s = tx->store;
    for (size_t i = 0; i < tx->staged.n; i++)
        if (tx->staged.at[i].temp[0] != '\0')
            disk_remove(&s->disk, tx->staged.at[i].temp);
    assert(s->open > 0);
    if (--s->open == 0)
        disk_unlock(&s->disk, DISK_OBJECTS);
    struct arena arena = tx->arena;
    arena_free(&arena);
}

// -- objects -------------------------------------------------------------------------------------

// Makes an object young again, so that a collector that spares young ones spares it.
static bool freshen(struct store *s, const char *name)
{
    return utimensat(s->disk.folder, name, NULL, 0) == 0;
}

// Whether an object stands in its place with these bytes.
static bool is_stored(struct store *s, const struct handle *h, const void *bytes, size_t n)
{
    char name[DISK_NAME];
    size_t have;
    store_object_name(h, name);
    unsigned char *old = disk_read(&s->disk, name, &have);
    bool same = old && have == n && memcmp(old, bytes, n) == 0;
    free(old);
    return same && freshen(s, name);
}

static bool stage(struct store_tx *tx, const struct handle *h, const void *bytes, size_t n,
                  struct latent_error *error)
{
    struct staged object = {.handle = *h};
    bool singly = tx->staged.n < SYNC_SINGLY;
    tx->touched[h->sha[0]] = true;
    if (is_stored(tx->store, h, bytes, n))
        return true;
    if (!disk_write_temp(&tx->store->disk, bytes, n, singly, object.temp))
        return store_io_error(tx->store, error, "write an object to", "tmp");
    tx->batched = tx->batched || !singly;
    vec_push(&tx->arena, &tx->staged, object);
    return true;
}

static bool put(struct store_tx *tx, const void *bytes, size_t n, struct handle *out,
                struct latent_error *error)
{
    bool fresh;
    struct handle h = handle_of_bytes(bytes, n);
    if (out)
        *out = h;
    if (map_find(&tx->put, h.sha, HANDLE_BYTES))
        return true;
    if (!stage(tx, &h, bytes, n, error))
        return false;
    map_put(&tx->put, h.sha, HANDLE_BYTES, &fresh);
    return true;
}

bool store_put(struct store_tx *tx, const struct value *v, struct handle *out,
               struct latent_error *error)
{
    struct buf lcb = {0};
    lcb_encode(v, &lcb);
    bool ok = put(tx, lcb.at, lcb.n, out, error);
    buf_free(&lcb);
    return ok;
}

bool store_put_lcb(struct store_tx *tx, const void *bytes, size_t n, struct handle *out,
                   struct latent_error *error)
{
    struct arena scratch = {0};
    struct latent_error inner = {0};
    bool ok = lcb_decode_in_place(&scratch, bytes, n, &inner) != NULL;
    if (!ok)
        canon_fail(tx->store->arena, error, inner.code, inner.offset, "%s", inner.message);
    arena_free(&scratch);
    return ok && put(tx, bytes, n, out, error);
}

// -- names ---------------------------------------------------------------------------------------

// An object that is to be named must be there, whole.
static bool require(struct store_tx *tx, const struct handle *h, struct latent_error *error)
{
    size_t n;
    if (map_find(&tx->put, h->sha, HANDLE_BYTES))
        return true;
    unsigned char *bytes = store_read(tx->store, h, &n, error);
    free(bytes);
    tx->touched[h->sha[0]] = true;
    return bytes != NULL;
}

bool store_bind(struct store_tx *tx, const char *name, const struct handle *h,
                struct latent_error *error)
{
    const char *plain = store_name_text(tx->store, name, error);
    if (!plain || !require(tx, h, error))
        return false;
    vec_push(&tx->arena, &tx->changes,
             (struct change){CHANGE_BIND, arena_strdup(&tx->arena, plain), *h, {0}, NULL});
    return true;
}

bool store_unbind(struct store_tx *tx, const char *name, struct latent_error *error)
{
    struct handle now;
    const char *plain = store_name_text(tx->store, name, error);
    if (!plain || !store_find(tx->store, plain, &now, error))
        return false;
    vec_push(&tx->arena, &tx->changes,
             (struct change){CHANGE_UNBIND, arena_strdup(&tx->arena, plain), now, {0}, NULL});
    return true;
}

bool store_restore(struct store_tx *tx, const struct handle *snapshot, struct latent_error *error)
{
    struct change c = {.kind = CHANGE_RESTORE};
    char text[HANDLE_TEXT + 1];
    const struct value *v = store_get(tx->store, &tx->arena, snapshot, error);
    handle_text(snapshot, text);
    if (!v)
        return false;
    if (!root_snapshot_read(&tx->arena, v, &c.names))
        return canon_fail(tx->store->arena, error, "E_HANDLE_NOT_FOUND", 0, "%s is no snapshot",
                          text);
    for (size_t i = 0; i < c.names.n; i++)
        if (!require(tx, &c.names.at[i].handle, error))
            return false;
    vec_push(&tx->arena, &tx->changes, c);
    return true;
}

void store_snapshot(struct store_tx *tx, struct handle *out)
{
    vec_push(&tx->arena, &tx->changes, (struct change){CHANGE_SNAPSHOT, NULL, {{0}}, {0}, out});
}

bool store_forget(struct store_tx *tx, const struct handle *snapshot, struct latent_error *error)
{
    store_handles kept;
    char text[HANDLE_TEXT + 1];
    if (!store_list(tx->store, &tx->arena, NULL, &kept, error))
        return false;
    for (size_t i = 0; i < kept.n; i++)
        if (handle_equal(&kept.at[i], snapshot)) {
            vec_push(&tx->arena, &tx->changes,
                     (struct change){CHANGE_FORGET, NULL, *snapshot, {0}, NULL});
            return true;
        }
    handle_text(snapshot, text);
    return canon_fail(tx->store->arena, error, "E_HANDLE_NOT_FOUND", 0,
                      "%s is no snapshot that the store keeps", text);
}

// -- committing ----------------------------------------------------------------------------------

// Renames an object to its place; its folder may be the first of its kind.
static bool put_in_place(struct store_tx *tx, struct staged *object, struct latent_error *error)
{
    struct disk *d = &tx->store->disk;
    char name[DISK_NAME], folder[DISK_NAME];
    store_object_name(&object->handle, name);
    store_shard_name(object->handle.sha[0], folder);
    bool ok = disk_rename(d, object->temp, name);
    if (!ok && errno == ENOENT)
        ok = disk_make_folder(d, folder) && disk_rename(d, object->temp, name);
    if (!ok)
        return store_io_error(tx->store, error, "write", name);
    object->temp[0] = '\0';
    return true;
}

// Brings the names of objects to the disk.
static bool sync_places(struct store_tx *tx, struct latent_error *error)
{
    struct disk *d = &tx->store->disk;
    char folder[DISK_NAME];
    bool ok = true, any = false;
    if (tx->batched)
        return disk_sync_all(d) || store_io_error(tx->store, error, "sync", "objects");
    for (unsigned i = 0; ok && i < STORE_SHARDS; i++)
        if (tx->touched[i]) {
            store_shard_name(i, folder);
            ok = disk_sync_folder(d, folder);
            any = true;
        }
    ok = ok && (!any || disk_sync_folder(d, "objects"));
    return ok || store_io_error(tx->store, error, "sync", "objects");
}

static bool commit_objects(struct store_tx *tx, struct latent_error *error)
{
    if (tx->batched && !disk_sync_all(&tx->store->disk))
        return store_io_error(tx->store, error, "sync", "tmp");
    for (size_t i = 0; i < tx->staged.n; i++)
        if (tx->staged.at[i].temp[0] != '\0' && !put_in_place(tx, &tx->staged.at[i], error))
            return false;
    return sync_places(tx, error);
}

// Stores the names as an object and keeps it.
static bool take_snapshot(struct store_tx *tx, struct store_root *root, struct handle *out,
                          struct latent_error *error)
{
    if (!store_put(tx, root_snapshot(&tx->arena, &root->names), out, error) ||
        !commit_objects(tx, error))
        return false;
    root_keep(&tx->arena, root, out, true);
    return true;
}

static bool apply(struct store_tx *tx, const struct change *c, struct store_root *root,
                  struct latent_error *error)
{
    switch (c->kind) {
    case CHANGE_BIND: root_bind(&tx->arena, &root->names, c->name, &c->handle); return true;
    case CHANGE_UNBIND: root_bind(&tx->arena, &root->names, c->name, NULL); return true;
    case CHANGE_RESTORE: root->names = c->names; return true;
    case CHANGE_SNAPSHOT: return take_snapshot(tx, root, c->out, error);
    case CHANGE_FORGET: root_keep(&tx->arena, root, &c->handle, false); return true;
    }
    return false;
}

static bool commit_names(struct store_tx *tx, struct latent_error *error)
{
    struct store *s = tx->store;
    struct store_root root;
    if (!disk_lock(&s->disk, DISK_NAMES, true))
        return store_io_error(s, error, "lock", "lock");
    bool ok = store_root_load(s, &tx->arena, &root, error);
    for (size_t i = 0; ok && i < tx->changes.n; i++)
        ok = apply(tx, &tx->changes.at[i], &root, error);
    ok = ok && store_root_save(s, &root, error);
    disk_unlock(&s->disk, DISK_NAMES);
    return ok;
}

bool store_commit(struct store_tx *tx, struct latent_error *error)
{
    bool ok = commit_objects(tx, error) && (tx->changes.n == 0 || commit_names(tx, error));
    store_abort(tx); // what is in its place stays there
    return ok;
}
