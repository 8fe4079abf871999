// pack_read.c: reads a pack, trusting nothing in it.
#include <stdlib.h>
#include <string.h>

#include "latent/canon.h"
#include "latent/lcb.h"
#include "latent/pack.h"

struct reader {
    struct arena *arena;
    const unsigned char *bytes;
    size_t n;
    struct latent_error *error;
    struct pack_object *object; // as many as the index has
    size_t count;
};

enum { MIN_PACK = PACK_HEADER + HANDLE_BYTES }; // an index and objects come on top

static uint64_t get_u64(const unsigned char *p)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | p[i];
    return n;
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool truncated(const struct reader *r, uint64_t need)
{
    return canon_fail(r->arena, r->error, "E_PACK_TRUNCATED", r->n,
                      "the pack is truncated: it has %zu bytes and needs at least %llu", r->n,
                      (unsigned long long)need);
}

static bool damaged(const struct reader *r, size_t offset, const char *what)
{
    return canon_fail(r->arena, r->error, "E_PACK_DAMAGED", offset, "the pack is damaged: %s",
                      what);
}

static bool damaged_object(const struct reader *r, const struct pack_object *o, const char *what)
{
    char text[HANDLE_TEXT + 1];
    handle_text(&o->handle, text);
    return damaged(r, 0, arena_printf(r->arena, "object %s %s", text, what));
}

static bool check_magic(const struct reader *r)
{
    size_t n = r->n < PACK_MAGIC_BYTES ? r->n : PACK_MAGIC_BYTES;
    if (n == 0 || memcmp(r->bytes, PACK_MAGIC, n) == 0)
        return r->n >= MIN_PACK || truncated(r, MIN_PACK);
    if (n >= 4 && memcmp(r->bytes, PACK_MAGIC, 4) == 0)
        return damaged(r, 4,
                       "its first bytes were changed, as happens when a program copies it "
                       "as text; copy it again as binary");
    return canon_fail(r->arena, r->error, "E_PACK_FOREIGN", 0,
                      "this is not a Helix pack: it begins with %s",
                      canon_show(r->arena, (const char *)r->bytes, n));
}

static bool check_version(const struct reader *r)
{
    uint32_t version = get_u32(r->bytes + PACK_AT_VERSION);
    if (version == PACK_VERSION)
        return true;
    if (version == 0)
        return damaged(r, PACK_AT_VERSION, "its version is 0");
    return canon_fail(r->arena, r->error, "E_PACK_VERSION", PACK_AT_VERSION,
                      "the pack has version %u, which is newer than this tool (it reads version "
                      "%d): use a newer Helix",
                      (unsigned)version, PACK_VERSION);
}

// The count is believed only as far as the file has room for the index.
static bool check_count(struct reader *r)
{
    uint64_t count = get_u64(r->bytes + PACK_AT_COUNT);
    if (count > (r->n - MIN_PACK) / PACK_ENTRY)
        return count > (UINT64_MAX - MIN_PACK) / PACK_ENTRY
                   ? damaged(r, PACK_AT_COUNT, "its object count is impossible")
                   : truncated(r, MIN_PACK + count * PACK_ENTRY);
    r->count = (size_t)count;
    return true;
}

// Reads entry i, whose object must begin at *offset, and moves *offset past the object. The object
// may still lie beyond the end of the file.
static bool read_entry(struct reader *r, size_t i, uint64_t *offset)
{
    const unsigned char *at = r->bytes + PACK_HEADER + i * PACK_ENTRY;
    struct pack_object *o = &r->object[i];
    memcpy(o->handle.sha, at, HANDLE_BYTES);
    uint64_t length = get_u64(at + HANDLE_BYTES + 8);
    if (i > 0 && memcmp(o[-1].handle.sha, o->handle.sha, HANDLE_BYTES) >= 0)
        return damaged_object(r, o, "is out of order in the index");
    if (get_u64(at + HANDLE_BYTES) != *offset)
        return damaged_object(r, o, "does not begin where the one before it ends");
    if (length == 0 || length > UINT64_MAX - HANDLE_BYTES - *offset)
        return damaged_object(r, o, "has an impossible length");
    *offset += length;
    o->n = (size_t)length;
    return true;
}

static bool read_index(struct reader *r)
{
    uint64_t offset = PACK_HEADER + (uint64_t)r->count * PACK_ENTRY;
    r->object = arena_array(r->arena, r->count, sizeof *r->object);
    for (size_t i = 0; i < r->count; i++)
        if (!read_entry(r, i, &offset))
            return false;
    if (offset + HANDLE_BYTES > r->n)
        return truncated(r, offset + HANDLE_BYTES);
    if (offset + HANDLE_BYTES < r->n)
        return damaged(r, (size_t)offset + HANDLE_BYTES, "something follows its end");
    return true;
}

static bool check_objects(struct reader *r)
{
    const unsigned char *at = r->bytes + PACK_HEADER + r->count * PACK_ENTRY;
    for (size_t i = 0; i < r->count; i++) {
        struct pack_object *o = &r->object[i];
        o->bytes = at;
        struct handle h = handle_of_bytes(o->bytes, o->n);
        if (!handle_equal(&h, &o->handle))
            return damaged_object(r, o, "does not match its handle");
        at += o->n;
    }
    return true;
}

static bool check_trailer(const struct reader *r)
{
    unsigned char sha[HANDLE_BYTES];
    size_t end = r->n - HANDLE_BYTES;
    sha256_of(r->bytes, end, sha);
    return memcmp(sha, r->bytes + end, HANDLE_BYTES) == 0 ||
           damaged(r, end, "its contents do not match the SHA-256 at its end");
}

static int entry_compare(const void *handle, const void *object)
{
    return memcmp(handle, ((const struct pack_object *)object)->handle.sha, HANDLE_BYTES);
}

static const struct pack_object *find(const struct pack *p, const struct handle *h)
{
    return p->n == 0 ? NULL : bsearch(h->sha, p->object, p->n, sizeof *p->object, entry_compare);
}

bool pack_read(struct arena *a, const void *bytes, size_t n, struct pack *out,
               struct latent_error *error)
{
    struct reader r = {.arena = a, .bytes = bytes, .n = n, .error = error};
    if (!check_magic(&r) || !check_version(&r) || !check_count(&r) || !read_index(&r) ||
        !check_objects(&r) || !check_trailer(&r))
        return false;
    struct pack p = {.object = r.object, .n = r.count};
    memcpy(p.root.sha, r.bytes + PACK_AT_ROOT, HANDLE_BYTES);
    if (find(&p, &p.root) == NULL)
        return damaged(&r, PACK_AT_ROOT, "its root object is missing");
    *out = p;
    return true;
}

static const struct value *bad_object(struct arena *a, const struct handle *h, const char *what,
                                      struct latent_error *error)
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    canon_fail(a, error, "E_HANDLE_NOT_FOUND", 0, "the object %s %s", text, what);
    return NULL;
}

const struct value *pack_get(struct arena *a, const struct pack *p, const struct handle *h,
                             struct latent_error *error)
{
    const struct pack_object *object = find(p, h);
    if (object == NULL)
        return bad_object(a, h, "is not in the pack", error);
    struct latent_error inner = {0};
    const struct value *v = lcb_decode(a, object->bytes, object->n, &inner);
    if (v != NULL)
        return v;
    return bad_object(a, h, arena_printf(a, "is not valid LC-B: %s: %s", inner.code, inner.message),
                      error);
}

const struct value *pack_resolve(struct arena *a, const struct pack *p, const struct value *v,
                                 struct latent_error *error)
{
    struct handle h;
    if (v->kind != VALUE_HANDLE)
        return v;
    if (handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
        return pack_get(a, p, &h, error);
    canon_fail(a, error, "E_HANDLE_NOT_FOUND", 0,
               "the handle %s is a name; a pack knows objects by their hash only", v->as.bytes.at);
    return NULL;
}
