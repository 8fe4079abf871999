// store.c: opens a store, finds what people type, and reads objects, each verified.
#include "latent/store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "latent/lcb.h"

enum { PREFIX_LEAST = 8, HEX = 2 * HANDLE_BYTES };

// -- where it is ---------------------------------------------------------------------------------

const char *store_default_path(struct arena *a)
{
    const char *own = getenv("HLX_STORE"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (own && own[0] != '\0')
        return arena_strdup(a, own);
    if (data && data[0] == '/') // a relative one is to be ignored, says its specification
        return path_join(a, data, "hlx");
    if (home && home[0] == '/')
        return path_join(a, home, ".local/share/hlx");
    return "./.hlx";
}

const char *store_path(const struct store *s)
{
    return s->disk.path;
}

// -- errors --------------------------------------------------------------------------------------

const char *store_shown(struct store *s, const char *name)
{
    struct buf b = {0};
    const char *path =
        strcmp(name, ".") == 0 ? s->disk.path : arena_printf(s->arena, "%s/%s", s->disk.path, name);
    buf_visible(&b, path, strlen(path));
    const char *shown = arena_copy(s->arena, b.at, b.n);
    buf_free(&b);
    return shown;
}

bool store_io_error(struct store *s, struct latent_error *error, const char *verb, const char *name)
{
    const char *why = strerror(errno);
    return canon_fail(s->arena, error, "E_STORE_IO", 0, "cannot %s `%s`: %s", verb,
                      store_shown(s, name), why);
}

static bool not_found(struct store *s, struct latent_error *error, const char *text,
                      const char *more)
{
    return canon_fail(s->arena, error, "E_HANDLE_NOT_FOUND", 0, "%s is not in the store `%s`%s",
                      text, store_shown(s, "."), more);
}

// -- opening -------------------------------------------------------------------------------------

static bool has_objects(struct store *s)
{
    struct arena scratch = {0};
    disk_names names;
    bool ok = disk_list(&s->disk, &scratch, "objects", &names) && names.n == 0;
    arena_free(&scratch);
    return !ok;
}

static bool is_there(const struct store *s, const char *name)
{
    struct stat st;
    return fstatat(s->disk.folder, name, &st, 0) == 0;
}

// A new store gets an empty root, so that one that is lost later is noticed.
static bool make_root(struct store *s, struct latent_error *error)
{
    struct store_root empty = {0};
    if (is_there(s, STORE_ROOT))
        return true;
    if (!disk_lock(&s->disk, DISK_NAMES, true))
        return store_io_error(s, error, "lock", "lock");
    bool ok = is_there(s, STORE_ROOT) || has_objects(s) || store_root_save(s, &empty, error);
    disk_unlock(&s->disk, DISK_NAMES);
    return ok;
}

struct store *store_open(struct arena *a, const char *path, bool create, struct latent_error *error)
{
    struct store *s = arena_new(a, struct store);
    s->arena = a;
    if (!disk_open(&s->disk, a, arena_strdup(a, path), create)) {
        int why = errno;
        s->disk.path = arena_strdup(a, path);
        errno = why;
        if (create || why != ENOENT)
            store_io_error(s, error, create ? "make the store" : "open the store", ".");
        else
            canon_fail(a, error, "E_STORE_MISSING", 0, "there is no store at `%s`",
                       store_shown(s, "."));
        return NULL;
    }
    bool ok = create ? make_root(s, error) : is_there(s, "objects");
    if (ok)
        return s;
    if (!create)
        canon_fail(a, error, "E_STORE_MISSING", 0, "the folder `%s` holds no store",
                   store_shown(s, "."));
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    disk_close(&s->disk);
}

// -- the root ------------------------------------------------------------------------------------

bool store_root_load(struct store *s, struct arena *a, struct store_root *out,
                     struct latent_error *error)
{
    size_t n;
    *out = (struct store_root){0};
    unsigned char *bytes = disk_read(&s->disk, STORE_ROOT, &n);
    if (!bytes && errno == ENOENT) {
        if (!has_objects(s)) // somebody is making this store
            return true;
        bytes = disk_read(&s->disk, STORE_ROOT, &n); // perhaps it was made just now
    }
    if (!bytes && errno == ENOENT)
        return canon_fail(s->arena, error, "E_STORE_DAMAGED", 0,
                          "the root of the store, `%s`, is missing, and with it all names",
                          store_shown(s, STORE_ROOT));
    if (!bytes)
        return store_io_error(s, error, "read", STORE_ROOT);
    struct latent_error inner = {0};
    bool ok = root_read(a, bytes, n, out, &inner);
    free(bytes);
    return ok || canon_fail(s->arena, error, inner.code, inner.offset, "%s (`%s`)", inner.message,
                            store_shown(s, STORE_ROOT));
}

bool store_root_save(struct store *s, const struct store_root *root, struct latent_error *error)
{
    struct arena scratch = {0};
    struct buf bytes = {0};
    char temp[DISK_NAME];
    root_write(&scratch, root, &bytes);
    bool ok = disk_write_temp(&s->disk, bytes.at, bytes.n, true, temp);
    if (ok && !disk_rename(&s->disk, temp, STORE_ROOT)) {
        int why = errno;
        disk_remove(&s->disk, temp);
        errno = why;
        ok = false;
    }
    ok = ok && disk_sync_folder(&s->disk, ".");
    if (!ok)
        store_io_error(s, error, "write", STORE_ROOT);
    buf_free(&bytes);
    arena_free(&scratch);
    return ok;
}

bool store_list(struct store *s, struct arena *a, store_names *names, store_handles *snapshots,
                struct latent_error *error)
{
    struct store_root root;
    if (!store_root_load(s, a, &root, error))
        return false;
    if (names)
        *names = root.names;
    if (snapshots)
        *snapshots = root.snapshots;
    return true;
}

// -- objects -------------------------------------------------------------------------------------

void store_shard_name(unsigned shard, char name[DISK_NAME])
{
    snprintf(name, DISK_NAME, "objects/%02x", shard);
}

void store_object_name(const struct handle *h, char name[DISK_NAME])
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    snprintf(name, DISK_NAME, "objects/%.2s/%s", text + 3, text + 5);
}

bool store_object_handle(unsigned shard, const char *file, struct handle *out)
{
    char text[HANDLE_TEXT + 1];
    if (strlen(file) != HEX - 2)
        return false;
    snprintf(text, sizeof text, "&h_%02x%s", shard, file);
    return handle_parse(text, HANDLE_TEXT, out);
}

bool store_has(struct store *s, const struct handle *h)
{
    char name[DISK_NAME];
    store_object_name(h, name);
    return is_there(s, name);
}

unsigned char *store_load(struct store *s, const struct handle *h, size_t *n,
                          enum store_state *state, struct latent_error *error)
{
    char name[DISK_NAME], text[HANDLE_TEXT + 1];
    store_object_name(h, name);
    handle_text(h, text);
    unsigned char *bytes = disk_read(&s->disk, name, n);
    if (!bytes) {
        *state = errno == ENOENT ? STORE_ABSENT : STORE_BROKEN;
        if (*state == STORE_ABSENT)
            not_found(s, error, text, "");
        else
            store_io_error(s, error, "read", name);
        return NULL;
    }
    struct handle got = handle_of_bytes(bytes, *n);
    *state = handle_equal(&got, h) ? STORE_WHOLE : STORE_BROKEN;
    if (*state == STORE_WHOLE)
        return bytes;
    free(bytes);
    canon_fail(s->arena, error, "E_STORE_DAMAGED", 0,
               "the object %s is damaged: `%s` holds other bytes than were stored", text,
               store_shown(s, name));
    return NULL;
}

unsigned char *store_read(struct store *s, const struct handle *h, size_t *n,
                          struct latent_error *error)
{
    enum store_state state;
    return store_load(s, h, n, &state, error);
}

const struct value *store_get(struct store *s, struct arena *a, const struct handle *h,
                              struct latent_error *error)
{
    size_t n;
    struct latent_error inner = {0};
    unsigned char *bytes = store_read(s, h, &n, error);
    if (!bytes)
        return NULL;
    const struct value *v = lcb_decode(a, bytes, n, &inner);
    free(bytes);
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    if (!v)
        canon_fail(s->arena, error, "E_STORE_DAMAGED", 0, "the object %s is no value: %s", text,
                   inner.message);
    return v;
}

// -- what people type ----------------------------------------------------------------------------

static const char *without_prefix(const char *text)
{
    if (text[0] == '&')
        text++;
    return strncmp(text, "h_", 2) == 0 ? text + 2 : text;
}

static bool is_digits(const char *text)
{
    size_t n = strlen(text);
    return n >= PREFIX_LEAST && n <= HEX && strspn(text, "0123456789abcdef") == n;
}

const char *store_name_text(struct store *s, const char *text, struct latent_error *error)
{
    const char *name = without_prefix(text);
    const char *whole = arena_printf(s->arena, "&h_%s", name);
    const char *fault = canon_handle_fault(whole, strlen(whole));
    if (!fault && is_digits(name))
        fault = "could be the first digits of a hash";
    if (!fault)
        return name;
    canon_fail(s->arena, error, "E_HANDLE_INVALID", 0, "the name %s %s",
               canon_show(s->arena, whole, strlen(whole)), fault);
    return NULL;
}

// The objects whose digits begin like this: how many, and one of them.
static bool find_digits(struct store *s, const char *digits, unsigned *count, struct handle *out)
{
    struct arena scratch = {0};
    disk_names files;
    char folder[DISK_NAME];
    snprintf(folder, sizeof folder, "objects/%.2s", digits);
    bool ok = disk_list(&s->disk, &scratch, folder, &files);
    unsigned shard = (unsigned)strtoul(folder + strlen("objects/"), NULL, 16);
    const char *rest = digits + 2;
    const size_t n = strlen(rest);
    *count = 0;
    for (size_t i = 0; ok && i < files.n; i++)
        if (strncmp(files.at[i], rest, n) == 0)
            *count += store_object_handle(shard, files.at[i], out);
    arena_free(&scratch);
    return ok;
}

static bool by_digits(struct store *s, const char *digits, struct handle *out,
                      struct latent_error *error)
{
    unsigned count;
    if (!find_digits(s, digits, &count, out))
        return store_io_error(s, error, "list", "objects");
    if (count == 1)
        return true;
    if (count == 0)
        return not_found(s, error, arena_printf(s->arena, "a handle that begins &h_%s", digits),
                         "");
    return canon_fail(s->arena, error, "E_HANDLE_NOT_FOUND", 0,
                      "&h_%s begins %u handles; write more of its digits", digits, count);
}

static bool by_name(struct store *s, const char *name, struct handle *out,
                    struct latent_error *error)
{
    struct arena scratch = {0};
    struct store_root root;
    if (!store_root_load(s, &scratch, &root, error)) {
        arena_free(&scratch);
        return false;
    }
    const struct handle *bound = root_find(&root.names, name);
    if (bound) {
        *out = *bound;
    } else {
        const char **names = arena_array(&scratch, root.names.n + 1, sizeof *names);
        for (size_t i = 0; i < root.names.n; i++)
            names[i] = root.names.at[i].name;
        const char *nearest = text_nearest(name, names, root.names.n);
        not_found(s, error, arena_printf(s->arena, "&h_%s", name),
                  nearest ? arena_printf(s->arena, "; did you mean &h_%s?", nearest) : "");
    }
    arena_free(&scratch);
    return bound != NULL;
}

bool store_find(struct store *s, const char *text, struct handle *out, struct latent_error *error)
{
    const char *name = without_prefix(text);
    const char *whole = arena_printf(s->arena, "&h_%s", name);
    const char *fault = canon_handle_fault(whole, strlen(whole));
    if (handle_parse(whole, strlen(whole), out))
        return true;
    if (is_digits(name))
        return by_digits(s, name, out, error);
    if (!fault)
        return by_name(s, name, out, error);
    return canon_fail(s->arena, error, "E_HANDLE_INVALID", 0, "the handle %s %s",
                      canon_show(s->arena, whole, strlen(whole)), fault);
}

const struct value *store_resolve(struct store *s, struct arena *a, const char *text,
                                  struct handle *out, struct latent_error *error)
{
    const struct value *v = NULL;
    struct handle before;
    bool again = store_find(s, text, out, error);
    while (again && !(v = store_get(s, a, out, error))) {
        before = *out;
        again =
            !store_has(s, out) && store_find(s, text, out, error) && !handle_equal(out, &before);
    }
    return v;
}
