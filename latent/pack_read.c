// pack_read.c: reads a pack, trusting nothing in it.
#include <assert.h>
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

// Appends what is left of bytes when line ends and top bits do not count.
static size_t as_text(const unsigned char *bytes, size_t n, unsigned char *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if ((bytes[i] & 0x7F) != '\r')
            out[kept++] = bytes[i] & 0x7F;
    return kept;
}

// Whether the first bytes are the magic as a transfer as text leaves it (H1.6).
static bool changed_as_text(const struct reader *r)
{
    enum { SEEN = 2 * PACK_MAGIC_BYTES }; // it may have grown
    unsigned char want[PACK_MAGIC_BYTES], have[SEEN];
    size_t n = as_text((const unsigned char *)PACK_MAGIC, PACK_MAGIC_BYTES, want);
    return as_text(r->bytes, r->n < SEEN ? r->n : SEEN, have) >= n && memcmp(have, want, n) == 0;
}

static bool check_magic(const struct reader *r)
{
    size_t n = r->n < PACK_MAGIC_BYTES ? r->n : PACK_MAGIC_BYTES;
    if (n == 0 || memcmp(r->bytes, PACK_MAGIC, n) == 0)
        return true;
    if (changed_as_text(r))
        return damaged(r, 0,
                       "its first bytes were changed, as happens when a program copies it "
                       "as text; copy it again as binary");
    return canon_fail(r->arena, r->error, "E_PACK_FOREIGN", 0,
                      "this is not a Helix pack: it begins with %s",
                      canon_show(r->arena, (const char *)r->bytes, n));
}

// A later version may have another header: nothing but its number is looked at.
static bool check_version(const struct reader *r)
{
    if (r->n < PACK_AT_ROOT)
        return true;
    uint32_t version = get_u32(r->bytes + PACK_AT_VERSION);
    return version <= PACK_VERSION ||
           canon_fail(r->arena, r->error, "E_PACK_VERSION", PACK_AT_VERSION,
                      "the pack has version %u, which is newer than this tool (it reads version "
                      "%d): use a newer Helix",
                      (unsigned)version, PACK_VERSION);
}

// The bytes from `at` on that `n` items of `each` bytes reach to; more than there can be is
// UINT64_MAX.
static uint64_t reach(uint64_t at, uint64_t n, uint64_t each)
{
    return n > (UINT64_MAX - at) / each ? UINT64_MAX : at + n * each;
}

// Whether the file is as long as the header and the index promise; what they promise is believed
// only as far as the file goes. This comes before all that may be damaged (H1.8).
static bool check_size(struct reader *r)
{
    if (r->n < MIN_PACK)
        return truncated(r, MIN_PACK);
    uint64_t count = get_u64(r->bytes + PACK_AT_COUNT), end = reach(MIN_PACK, count, PACK_ENTRY);
    if (end > r->n)
        return truncated(r, end);
    r->count = (size_t)count;
    for (size_t i = 0; i < r->count; i++)
        end = reach(end, get_u64(r->bytes + PACK_HEADER + i * PACK_ENTRY + HANDLE_BYTES + 8), 1);
    return end <= r->n || truncated(r, end);
}

// Reads entry i, whose object must begin at *offset, and moves *offset past the object, which the
// file is long enough for.
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
    if (length == 0)
        return damaged_object(r, o, "has no bytes");
    *offset += length;
    o->n = (size_t)length;
    return true;
}

static bool read_index(struct reader *r)
{
    uint64_t offset = PACK_HEADER + (uint64_t)r->count * PACK_ENTRY;
    if (get_u32(r->bytes + PACK_AT_VERSION) == 0)
        return damaged(r, PACK_AT_VERSION, "its version is 0");
    r->object = arena_array(r->arena, r->count + 1, sizeof *r->object); // never nothing
    for (size_t i = 0; i < r->count; i++)
        if (!read_entry(r, i, &offset))
            return false;
    return offset + HANDLE_BYTES == r->n ||
           damaged(r, (size_t)offset + HANDLE_BYTES, "something follows its end");
}

static bool check_objects(struct reader *r)
{
    const unsigned char *at = r->bytes + PACK_HEADER + r->count * PACK_ENTRY;
    assert(r->object); // read_index has them
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
    if (!check_magic(&r) || !check_version(&r) || !check_size(&r) || !read_index(&r) ||
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
