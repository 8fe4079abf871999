// store_gc.c: removes the objects of a store that no name and no snapshot leads to.
//
// First everything that can be reached is marked without a lock, which takes long. Then writers
// wait while what they added meanwhile is marked, too, and the rest is removed: a transaction holds
// its lock from before it looks whether an object is there until its names are bound, so none that
// it relies on can go.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "latent/store_check.h"
#include "latent/store_walk.h"

struct found {
    struct handle handle;
    uint64_t bytes;
    bool young;
};

struct collector {
    struct store *store;
    struct arena *arena;
    struct store_walk walk;
    VEC(struct found) found;
    uint64_t grace;
    struct store_gc *out;
};

// Marks from the names and snapshots of this moment, and from what led nowhere the last time.
static bool mark_roots(struct collector *c, struct latent_error *error)
{
    struct store_root root;
    store_handles again = c->walk.missing;
    c->walk.missing = (store_handles){0};
    if (!store_root_load(c->store, c->arena, &root, error))
        return false;
    for (size_t i = 0; i < root.names.n; i++)
        store_walk_add(&c->walk, &root.names.at[i].handle);
    for (size_t i = 0; i < root.snapshots.n; i++)
        store_walk_add(&c->walk, &root.snapshots.at[i]);
    for (size_t i = 0; i < again.n; i++)
        store_walk_add(&c->walk, &again.at[i]);
    return store_walk_run(&c->walk, error);
}

// -- what is there -------------------------------------------------------------------------------

static void find_object(struct collector *c, unsigned shard, const char *file)
{
    struct found f;
    struct stat st;
    char name[DISK_NAME];
    if (!store_object_handle(shard, file, &f.handle))
        return; // fsck tells
    store_object_name(&f.handle, name);
    if (fstatat(c->store->disk.folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return;
    time_t now = time(NULL);
    f.bytes = (uint64_t)st.st_size;
    f.young = st.st_mtime > now || (uint64_t)(now - st.st_mtime) < c->grace;
    vec_push(c->arena, &c->found, f);
}

static bool find_objects(struct collector *c, struct latent_error *error)
{
    char folder[DISK_NAME];
    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct arena scratch = {0};
        disk_names files;
        store_shard_name(shard, folder);
        bool ok = disk_list(&c->store->disk, &scratch, folder, &files);
        for (size_t i = 0; ok && i < files.n; i++)
            find_object(c, shard, files.at[i]);
        arena_free(&scratch);
        if (!ok)
            return store_io_error(c->store, error, "list", folder);
    }
    return true;
}

// Young objects keep what they lead to. One that is damaged has nothing to keep.
static void mark_young(struct collector *c)
{
    for (size_t i = 0; i < c->found.n; i++)
        if (c->found.at[i].young) {
            store_walk_add(&c->walk, &c->found.at[i].handle);
            while (!store_walk_run(&c->walk, NULL))
                continue;
        }
}

// -- removing ------------------------------------------------------------------------------------

static void sweep_objects(struct collector *c, bool dry_run)
{
    char name[DISK_NAME];
    for (size_t i = 0; i < c->found.n; i++) {
        const struct found *f = &c->found.at[i];
        if (f->young || store_walk_seen(&c->walk, &f->handle)) {
            c->out->kept++;
            c->out->kept_bytes += f->bytes;
            continue;
        }
        c->out->removed++;
        c->out->removed_bytes += f->bytes;
        vec_push(c->arena, &c->out->handles, f->handle);
        store_object_name(&f->handle, name);
        if (!dry_run)
            disk_remove(&c->store->disk, name);
    }
}

// No transaction is in progress, so whatever is here was left behind.
static bool sweep_temps(struct collector *c, bool dry_run, struct latent_error *error)
{
    struct arena scratch = {0};
    disk_names files;
    char name[DISK_NAME];
    bool ok = disk_list(&c->store->disk, &scratch, "tmp", &files);
    for (size_t i = 0; ok && i < files.n; i++) {
        int n = snprintf(name, sizeof name, "tmp/%s", files.at[i]);
        c->out->temps++;
        if (!dry_run && n > 0 && n < DISK_NAME)
            disk_remove(&c->store->disk, name);
    }
    arena_free(&scratch);
    return ok || store_io_error(c->store, error, "list", "tmp");
}

static bool collect(struct collector *c, bool dry_run, struct latent_error *error)
{
    if (!mark_roots(c, error) || !find_objects(c, error))
        return false;
    mark_young(c);
    sweep_objects(c, dry_run);
    return sweep_temps(c, dry_run, error);
}

bool store_gc(struct store *s, struct arena *a, uint64_t grace, bool dry_run, struct store_gc *out,
              struct latent_error *error)
{
    struct collector c = {.store = s, .arena = a, .grace = grace, .out = out};
    *out = (struct store_gc){0};
    store_walk_init(&c.walk, s, a);
    if (!mark_roots(&c, error))
        return false;
    bool ok = disk_lock(&s->disk, DISK_GATE, true) && disk_lock(&s->disk, DISK_OBJECTS, true);
    if (!ok)
        store_io_error(s, error, "lock", "lock");
    ok = ok && collect(&c, dry_run, error);
    disk_unlock(&s->disk, DISK_OBJECTS);
    disk_unlock(&s->disk, DISK_GATE);
    return ok;
}
