// store_root.c: reads, changes and writes the root of a store: names and snapshots.
#include "latent/store_root.h"

#include <stdlib.h>
#include <string.h>

#include "latent/canon.h"
#include "latent/lcb.h"

// -- names ---------------------------------------------------------------------------------------

// Where a name is, or has to be put.
static size_t place(const store_names *names, const char *name)
{
    size_t low = 0, high = names->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->at[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const store_names *names, size_t i, const char *name)
{
    return i < names->n && strcmp(names->at[i].name, name) == 0;
}

const struct handle *root_find(const store_names *names, const char *name)
{
    size_t i = place(names, name);
    return is_at(names, i, name) ? &names->at[i].handle : NULL;
}

bool root_bind(struct arena *a, store_names *names, const char *name, const struct handle *to)
{
    size_t i = place(names, name);
    bool there = is_at(names, i, name);
    if (to == NULL && !there)
        return false;
    if (there && to != NULL) {
        names->at[i].handle = *to;
        return true;
    }
    if (to != NULL)
        vec_push(a, names, (struct store_name){NULL, *to}); // makes room
    size_t after = names->n - i - 1;
    if (to == NULL) {
        memmove(&names->at[i], &names->at[i + 1], after * sizeof *names->at);
        names->n--;
    } else {
        memmove(&names->at[i + 1], &names->at[i], after * sizeof *names->at);
        names->at[i] = (struct store_name){arena_strdup(a, name), *to};
    }
    return true;
}

bool root_keep(struct arena *a, struct store_root *root, const struct handle *snapshot, bool keep)
{
    store_handles *all = &root->snapshots;
    size_t i = 0;
    while (i < all->n && memcmp(all->at[i].sha, snapshot->sha, HANDLE_BYTES) < 0)
        i++;
    bool there = i < all->n && handle_equal(&all->at[i], snapshot);
    if (there == keep)
        return false;
    if (keep) {
        vec_push(a, all, *snapshot);
        memmove(&all->at[i + 1], &all->at[i], (all->n - i - 1) * sizeof *all->at);
        all->at[i] = *snapshot;
    } else {
        memmove(&all->at[i], &all->at[i + 1], (all->n - i - 1) * sizeof *all->at);
        all->n--;
    }
    return true;
}

// -- values --------------------------------------------------------------------------------------

static const struct value *names_value(struct arena *a, const store_names *names)
{
    struct value_field *fields = arena_array(a, names->n, sizeof *fields);
    for (size_t i = 0; i < names->n; i++) {
        const struct store_name *n = &names->at[i];
        fields[i] = (struct value_field){n->name, strlen(n->name), handle_value(a, &n->handle)};
    }
    return value_object_sorted(a, fields, names->n);
}

const struct value *root_snapshot(struct arena *a, const store_names *names)
{
    struct value_field field = {"names", 5, names_value(a, names)};
    return value_object_sorted(a, &field, 1);
}

static bool full_handle(const struct value *v, struct handle *out)
{
    return v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, out);
}

// The keys come sorted and without repetition, as every object's.
static bool read_names(struct arena *a, const struct value *v, store_names *out)
{
    *out = (store_names){0};
    if (v == NULL || v->kind != VALUE_OBJECT)
        return false;
    vec_reserve(a, out, v->as.object.n + 1);
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        struct store_name name = {.name = f->key};
        const char *text = arena_printf(a, "&h_%s", f->key);
        if (strlen(f->key) != f->len || canon_handle_fault(text, strlen(text)) != NULL ||
            !full_handle(f->value, &name.handle))
            return false;
        vec_push(a, out, name);
    }
    return true;
}

bool root_snapshot_read(struct arena *a, const struct value *v, store_names *out)
{
    return v->kind == VALUE_OBJECT && v->as.object.n == 1 &&
           read_names(a, value_get(v, "names"), out);
}

static bool read_snapshots(struct arena *a, const struct value *v, store_handles *out)
{
    if (v == NULL || v->kind != VALUE_ARRAY)
        return false;
    for (size_t i = 0; i < v->as.array.n; i++) {
        struct handle h;
        if (!full_handle(v->as.array.at[i], &h) ||
            (i > 0 && memcmp(out->at[i - 1].sha, h.sha, HANDLE_BYTES) >= 0))
            return false;
        vec_push(a, out, h);
    }
    return true;
}

// -- the file ------------------------------------------------------------------------------------

static bool damaged(struct arena *a, struct latent_error *error, const char *why)
{
    return canon_fail(a, error, "E_STORE_DAMAGED", 0, "the root of the store %s", why);
}

// The version's digits stand before the line end, so that a later version can be told from damage.
static bool read_magic(struct arena *a, const unsigned char *bytes, size_t n,
                       struct latent_error *error)
{
    static const char before[] = "hlx store ";
    const size_t at = sizeof before - 1;
    if (n >= ROOT_HEADER && memcmp(bytes, ROOT_MAGIC, ROOT_MAGIC_BYTES) == 0)
        return true;
    if (n > at + 1 && memcmp(bytes, before, at) == 0 && bytes[at] >= '2' && bytes[at] <= '9' &&
        bytes[at + 1] == '\n')
        return canon_fail(a, error, "E_STORE_VERSION", at,
                          "the store has version %c, and this program knows version 1", bytes[at]);
    return damaged(a, error, n < ROOT_HEADER ? "is cut short" : "does not begin as one");
}

bool root_read(struct arena *a, const unsigned char *bytes, size_t n, struct store_root *out,
               struct latent_error *error)
{
    unsigned char sha[HANDLE_BYTES];
    *out = (struct store_root){0};
    if (!read_magic(a, bytes, n, error))
        return false;
    const unsigned char *body = bytes + ROOT_HEADER;
    sha256_of(body, n - ROOT_HEADER, sha);
    if (memcmp(sha, bytes + ROOT_MAGIC_BYTES, HANDLE_BYTES) != 0)
        return damaged(a, error, "does not match its checksum");
    const struct value *v = lcb_decode(a, body, n - ROOT_HEADER, NULL);
    if (v == NULL || v->kind != VALUE_OBJECT || v->as.object.n != 2 ||
        !read_names(a, value_get(v, "names"), &out->names) ||
        !read_snapshots(a, value_get(v, "snapshots"), &out->snapshots))
        return damaged(a, error, "does not hold names and snapshots");
    return true;
}

void root_write(struct arena *a, const struct store_root *root, struct buf *out)
{
    const struct value **items = arena_array(a, root->snapshots.n, sizeof *items);
    for (size_t i = 0; i < root->snapshots.n; i++)
        items[i] = handle_value(a, &root->snapshots.at[i]);
    const struct value_field fields[] = {
        {"names", 5, names_value(a, &root->names)},
        {"snapshots", 9, value_array(a, items, root->snapshots.n)},
    };
    struct buf body = {0};
    unsigned char sha[HANDLE_BYTES];
    lcb_encode(value_object_sorted(a, fields, 2), &body);
    sha256_of(body.at, body.n, sha);
    buf_put(out, ROOT_MAGIC, ROOT_MAGIC_BYTES);
    buf_put(out, sha, HANDLE_BYTES);
    buf_put(out, body.at, body.n);
    buf_free(&body);
}
