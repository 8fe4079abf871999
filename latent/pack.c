// pack.c: writes a pack, one file with many objects, each under its handle.
#include "latent/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"

void pack_writer_init(struct pack_writer *w, struct arena *a)
{
    memset(w, 0, sizeof *w);
    w->arena = a;
    map_init(&w->index, a);
}

void pack_add_lcb(struct pack_writer *w, const struct handle *h, const void *lcb, size_t n)
{
    struct pack_object object = {.handle = *h, .n = n};
    bool fresh;
    struct map_entry *entry = map_put(&w->index, h->sha, HANDLE_BYTES, &fresh);
    if (!fresh)
        return;
    entry->value.u = w->objects.n;
    object.bytes = (const unsigned char *)arena_copy(w->arena, lcb, n);
    vec_push(w->arena, &w->objects, object);
}

struct handle pack_add(struct pack_writer *w, const struct value *v)
{
    struct buf lcb = {0};
    lcb_encode(v, &lcb);
    struct handle h = handle_of_bytes(lcb.at, lcb.n);
    pack_add_lcb(w, &h, lcb.at, lcb.n);
    buf_free(&lcb);
    return h;
}

static void put_u32(struct buf *out, uint32_t n)
{
    for (int shift = 0; shift < 32; shift += 8)
        buf_putc(out, (char)(n >> shift));
}

static void put_u64(struct buf *out, uint64_t n)
{
    for (int shift = 0; shift < 64; shift += 8)
        buf_putc(out, (char)(n >> shift));
}

static int object_compare(const void *a, const void *b)
{
    const struct pack_object *x = a, *y = b;
    return memcmp(x->handle.sha, y->handle.sha, HANDLE_BYTES);
}

static void put_index(const struct pack_object *object, size_t n, struct buf *out)
{
    uint64_t offset = PACK_HEADER + (uint64_t)n * PACK_ENTRY;
    for (size_t i = 0; i < n; i++) {
        buf_put(out, object[i].handle.sha, HANDLE_BYTES);
        put_u64(out, offset);
        put_u64(out, object[i].n);
        offset += object[i].n;
    }
}

void pack_write(const struct pack_writer *w, const struct handle *root, struct buf *out)
{
    assert(map_find(&w->index, root->sha, HANDLE_BYTES) != NULL);
    struct arena scratch = {0};
    size_t n = w->objects.n, begin = out->n;
    struct pack_object *object = arena_array(&scratch, n, sizeof *object);
    memcpy(object, w->objects.at, n * sizeof *object);
    qsort(object, n, sizeof *object, object_compare);

    buf_put(out, PACK_MAGIC, PACK_MAGIC_BYTES);
    put_u32(out, PACK_VERSION);
    buf_put(out, root->sha, HANDLE_BYTES);
    put_u64(out, n);
    put_index(object, n, out);
    for (size_t i = 0; i < n; i++)
        buf_put(out, object[i].bytes, object[i].n);

    unsigned char sha[HANDLE_BYTES];
    sha256_of(out->at + begin, out->n - begin, sha);
    buf_put(out, sha, HANDLE_BYTES);
    arena_free(&scratch);
}
