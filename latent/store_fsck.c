// store_fsck.c: reads everything in a store and tells, or repairs, what is not as it should be.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "latent/lcb.h"
#include "latent/store_check.h"
#include "latent/store_impl.h"

#define QUARANTINE "quarantine"

struct check {
    struct store *store;
    struct arena *arena;
    struct map whole;    // handles of the objects that are as they should be
    struct map referred; // handles that occur in them
    bool repair;
    struct store_report *out;
};

static void report(struct check *c, const char *code, const char *repair, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void report(struct check *c, const char *code, const char *repair, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct store_finding f = {code, arena_vprintf(c->arena, format, args), repair};
    va_end(args);
    vec_push(c->arena, &c->out->findings, f);
}

// -- repairs -------------------------------------------------------------------------------------

// Moves a file to the quarantine, under a name that is free there. Returns what was done, or NULL.
static const char *put_away(struct check *c, const char *name)
{
    const struct disk *d = &c->store->disk;
    struct stat st;
    if (!c->repair || !disk_make_folder(d, QUARANTINE))
        return NULL;
    const char *flat = arena_strdup(c->arena, name);
    for (char *p = strchr(flat, '/'); p; p = strchr(p, '/'))
        *p = '-';
    for (unsigned k = 0;; k++) {
        const char *to =
            arena_printf(c->arena, k ? QUARANTINE "/%s.%u" : QUARANTINE "/%s", flat, k);
        if (fstatat(d->folder, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        if (!disk_rename(d, name, to))
            return NULL;
        return arena_printf(c->arena, "moved to `%s`", store_shown(c->store, to));
    }
}

// Moves a value that lies in a wrong place to its own.
static const char *put_right(struct check *c, const char *name, const struct handle *h)
{
    char to[DISK_NAME], folder[DISK_NAME];
    store_object_name(h, to);
    store_shard_name(h->sha[0], folder);
    if (!c->repair || store_has(c->store, h))
        return put_away(c, name);
    if (!disk_make_folder(&c->store->disk, folder) || !disk_rename(&c->store->disk, name, to))
        return NULL;
    map_put(&c->whole, h->sha, HANDLE_BYTES, NULL);
    return arena_printf(c->arena, "moved to `%s`", store_shown(c->store, to));
}

// -- objects -------------------------------------------------------------------------------------

static void note_handles(struct check *c, const struct value *v)
{
    struct handle h;
    if (v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
        map_put(&c->referred, h.sha, HANDLE_BYTES, NULL);
    for (size_t i = 0; v->kind == VALUE_ARRAY && i < v->as.array.n; i++)
        note_handles(c, v->as.array.at[i]);
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->as.object.n; i++)
        note_handles(c, v->as.object.at[i].value);
}

static bool is_value(struct check *c, const unsigned char *bytes, size_t n)
{
    struct arena scratch = {0};
    const struct value *v = lcb_decode_in_place(&scratch, bytes, n, NULL);
    if (v)
        note_handles(c, v);
    arena_free(&scratch);
    return v != NULL;
}

// Bytes that do not have the hash of their file's name: an object in a wrong folder, if the rest of
// the name is that of its hash; a value in a file that no object would have; or damage.
static void report_bytes(struct check *c, const char *name, const struct handle *want,
                         const struct handle *got, bool value)
{
    char text[HANDLE_TEXT + 1];
    const char *shown = store_shown(c->store, name);
    handle_text(want ? want : got, text);
    if (value && (!want || memcmp(want->sha + 1, got->sha + 1, HANDLE_BYTES - 1) == 0)) {
        handle_text(got, text);
        report(c, "E_STORE_DAMAGED", put_right(c, name, got),
               "the object %s is in a wrong place: `%s`", text, shown);
    } else if (want) {
        report(c, "E_STORE_DAMAGED", put_away(c, name), "the object %s is damaged: `%s`", text,
               shown);
    } else {
        report(c, "E_STORE_DAMAGED", put_away(c, name), "the file `%s` is no object", shown);
    }
}

// An object's file, as its name says; `want` is NULL for a name that no object has.
static void check_bytes(struct check *c, const char *name, const struct handle *want,
                        const unsigned char *bytes, size_t n)
{
    struct handle got = handle_of_bytes(bytes, n);
    bool value = is_value(c, bytes, n);
    if (!want || !value || !handle_equal(&got, want)) {
        report_bytes(c, name, want, &got, value);
        return;
    }
    map_put(&c->whole, want->sha, HANDLE_BYTES, NULL);
    c->out->objects++;
    c->out->bytes += n;
}

// A file that a collector has removed since the folder was read is none.
static void check_file(struct check *c, const char *name, const struct handle *want)
{
    size_t n;
    unsigned char *bytes = disk_read(&c->store->disk, name, &n);
    if (bytes)
        check_bytes(c, name, want, bytes, n);
    else if (errno != ENOENT) {
        const char *why = strerror(errno);
        report(c, "E_STORE_DAMAGED", put_away(c, name), "`%s` cannot be read: %s",
               store_shown(c->store, name), errno == EINVAL ? "it is no regular file" : why);
    }
    free(bytes);
}

static void check_shard(struct check *c, unsigned shard, const char *folder)
{
    struct arena scratch = {0};
    disk_names files;
    if (!disk_list(&c->store->disk, &scratch, folder, &files))
        report(c, "E_STORE_DAMAGED", NULL, "the folder `%s` cannot be read: %s",
               store_shown(c->store, folder), strerror(errno));
    for (size_t i = 0; i < files.n; i++) {
        struct handle h;
        const char *name = arena_printf(&scratch, "%s/%s", folder, files.at[i]);
        check_file(c, name, store_object_handle(shard, files.at[i], &h) ? &h : NULL);
    }
    arena_free(&scratch);
}

static bool shard_number(const char *file, unsigned *shard)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(file) != 2 || strspn(file, digits) != 2)
        return false;
    *shard = (unsigned)strtoul(file, NULL, 16);
    return true;
}

static bool check_objects(struct check *c, struct latent_error *error)
{
    disk_names files;
    if (!disk_list(&c->store->disk, c->arena, "objects", &files))
        return store_io_error(c->store, error, "list", "objects");
    for (size_t i = 0; i < files.n; i++) {
        unsigned shard;
        const char *name = arena_printf(c->arena, "objects/%s", files.at[i]);
        if (shard_number(files.at[i], &shard))
            check_shard(c, shard, name);
        else
            check_file(c, name, NULL);
    }
    return true;
}

// -- names ---------------------------------------------------------------------------------------

static bool is_whole(const struct check *c, const struct handle *h)
{
    return map_find(&c->whole, h->sha, HANDLE_BYTES) != NULL;
}

// Whether an object is there. One that was stored after its folder was read is looked at now.
static bool leads_somewhere(struct check *c, const struct handle *h)
{
    size_t n;
    if (is_whole(c, h))
        return true;
    unsigned char *bytes = store_read(c->store, h, &n, NULL);
    bool ok = bytes && is_value(c, bytes, n);
    free(bytes);
    return ok;
}

static const char *taken_away(const struct check *c)
{
    return c->repair ? "taken away" : NULL;
}

static void check_names(struct check *c, store_names *names)
{
    size_t kept = 0;
    char text[HANDLE_TEXT + 1];
    c->out->names = names->n;
    for (size_t i = 0; i < names->n; i++) {
        handle_text(&names->at[i].handle, text);
        if (leads_somewhere(c, &names->at[i].handle))
            names->at[kept++] = names->at[i];
        else
            report(c, "E_HANDLE_NOT_FOUND", taken_away(c),
                   "the name &h_%s is bound to %s, which is missing or damaged", names->at[i].name,
                   text);
    }
    names->n = kept;
}

// Whether a snapshot can be restored.
static bool is_snapshot(struct check *c, const struct handle *h)
{
    struct arena scratch = {0};
    store_names names;
    const struct value *v = store_get(c->store, &scratch, h, NULL);
    bool ok = v && root_snapshot_read(&scratch, v, &names);
    for (size_t i = 0; ok && i < names.n; i++)
        ok = leads_somewhere(c, &names.at[i].handle);
    arena_free(&scratch);
    return ok;
}

static void check_snapshots(struct check *c, store_handles *snapshots)
{
    size_t kept = 0;
    char text[HANDLE_TEXT + 1];
    c->out->snapshots = snapshots->n;
    for (size_t i = 0; i < snapshots->n; i++) {
        handle_text(&snapshots->at[i], text);
        if (is_snapshot(c, &snapshots->at[i]))
            snapshots->at[kept++] = snapshots->at[i];
        else
            report(c, "E_HANDLE_NOT_FOUND", taken_away(c),
                   "the snapshot %s, or an object that it binds, is missing or damaged", text);
    }
    snapshots->n = kept;
}

// A root that cannot be read is put away, and the store begins without names.
static bool check_root(struct check *c, struct latent_error *error)
{
    struct store_root root;
    struct latent_error inner = {0};
    bool ok = store_root_load(c->store, c->arena, &root, &inner);
    if (!ok && strcmp(inner.code, "E_STORE_DAMAGED") != 0)
        return canon_fail(c->arena, error, inner.code, 0, "%s", inner.message);
    if (ok) {
        check_names(c, &root.names);
        check_snapshots(c, &root.snapshots);
    } else {
        struct stat st;
        bool there = fstatat(c->store->disk.folder, STORE_ROOT, &st, 0) == 0;
        const char *moved = there ? put_away(c, STORE_ROOT) : NULL;
        root = (struct store_root){0};
        report(c, inner.code, moved || !c->repair ? moved : "made anew, without names", "%s",
               inner.message);
    }
    size_t found = c->out->findings.n;
    return !c->repair || found == 0 || store_root_save(c->store, &root, error);
}

// -- all of it -----------------------------------------------------------------------------------

static size_t count_unresolved(const struct check *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->referred.n; i++)
        n += map_find(&c->whole, c->referred.entry[i].key, HANDLE_BYTES) == NULL;
    return n;
}

static bool check_all(struct check *c, struct latent_error *error)
{
    disk_names temps;
    if (!disk_list(&c->store->disk, c->arena, "tmp", &temps))
        return store_io_error(c->store, error, "list", "tmp");
    c->out->temps = temps.n;
    if (!check_objects(c, error) || !check_root(c, error))
        return false;
    c->out->unresolved = count_unresolved(c);
    return true;
}

// A check keeps collectors away, and lets writers write. A repair keeps writers away, too.
bool store_fsck(struct store *s, struct arena *a, bool repair, struct store_report *out,
                struct latent_error *error)
{
    struct check c = {.store = s, .arena = a, .repair = repair, .out = out};
    *out = (struct store_report){0};
    map_init(&c.whole, a);
    map_init(&c.referred, a);
    bool locked = disk_lock(&s->disk, DISK_GATE, true) && disk_lock(&s->disk, DISK_OBJECTS, repair);
    if (!locked && (repair || s->disk.lock >= 0)) // a store that can only be read has no collector
        return store_io_error(s, error, "lock", "lock");
    if (!repair)
        disk_unlock(&s->disk, DISK_GATE);
    bool ok = check_all(&c, error);
    disk_unlock(&s->disk, DISK_OBJECTS);
    disk_unlock(&s->disk, DISK_GATE);
    return ok;
}
