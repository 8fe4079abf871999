// pack_fuzz.c: feeds bytes to the pack reader, as they are and with their hashes made to fit.
//
// No fuzzer guesses a SHA-256, so every input is tried three times: untouched; with the hash at its
// end made to fit; and with every object's handle made to fit as well, which leads into the
// objects.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/pack.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | p[i];
    return n;
}

static void fit_trailer(uint8_t *bytes, size_t n)
{
    if (n >= HANDLE_BYTES)
        sha256_of(bytes, n - HANDLE_BYTES, bytes + n - HANDLE_BYTES);
}

static int compare_entries(const void *a, const void *b)
{
    return memcmp(a, b, HANDLE_BYTES);
}

// Cuts the space after the index into objects of the lengths that the index states (the low byte of
// each), names each by its hash, and sorts: a well-formed pack around whatever the objects hold.
static void fit_objects(uint8_t *bytes, size_t n)
{
    enum { MOST = 8 };
    uint64_t count = n < PACK_HEADER + HANDLE_BYTES ? 0 : get_u64(bytes + PACK_AT_COUNT);
    if (count == 0 || count > MOST || n < PACK_HEADER + count * PACK_ENTRY + HANDLE_BYTES)
        return;
    uint8_t *index = bytes + PACK_HEADER, *objects = index + count * PACK_ENTRY, *at = objects;
    size_t left = n - HANDLE_BYTES - (size_t)(objects - bytes);
    uint8_t *sorted = malloc(left + 1), *out = sorted;
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *entry = index + i * PACK_ENTRY;
        size_t length = i + 1 == count || entry[40] > left ? left : entry[40];
        sha256_of(at, length, entry);
        for (int k = 0; k < 8; k++) {
            entry[32 + k] = (uint8_t)((uint64_t)(at - bytes) >> 8 * k);
            entry[40 + k] = (uint8_t)((uint64_t)length >> 8 * k);
        }
        at += length;
        left -= length;
    }
    qsort(index, (size_t)count, PACK_ENTRY, compare_entries);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *entry = index + i * PACK_ENTRY;
        size_t length = (size_t)get_u64(entry + 40), from = (size_t)get_u64(entry + 32);
        memcpy(out, bytes + from, length);
        for (int k = 0; k < 8; k++)
            entry[32 + k] = (uint8_t)((uint64_t)(objects - bytes + (out - sorted)) >> 8 * k);
        out += length;
    }
    memcpy(objects, sorted, (size_t)(out - sorted));
    memcpy(bytes + PACK_AT_ROOT, index, HANDLE_BYTES);
    free(sorted);
}

static void check_object(struct arena *a, const struct pack *p, const struct pack_object *o)
{
    struct latent_error e = {0};
    const struct value *v = pack_get(a, p, &o->handle, &e);
    require(v != NULL || (e.code != NULL && e.message != NULL));
    if (v == NULL)
        return;
    struct handle h = handle_of(v);
    require(handle_equal(&h, &o->handle));
    pack_resolve(a, p, v, &e);
}

// A pack that was read and whose objects are all LC-B is what the writer would have written.
static void check_accepted(struct arena *a, const struct pack *p, const uint8_t *data, size_t n)
{
    struct pack_writer w;
    struct buf b = {0};
    pack_writer_init(&w, a);
    for (size_t i = 0; i < p->n; i++) {
        check_object(a, p, &p->object[i]);
        const struct value *v = pack_get(a, p, &p->object[i].handle, NULL);
        if (v == NULL)
            return;
        pack_add(&w, v);
    }
    pack_write(&w, &p->root, &b);
    require(b.n == n && memcmp(b.at, data, n) == 0);
    buf_free(&b);
}

static void try_pack(const uint8_t *data, size_t n)
{
    struct arena a = {0};
    struct latent_error e = {0};
    struct pack p;
    if (pack_read(&a, data, n, &p, &e))
        check_accepted(&a, &p, data, n);
    else
        require(e.code != NULL && e.message != NULL);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + (size == 0));
    if (size > 0)
        memcpy(bytes, data, size);
    try_pack(bytes, size);
    fit_trailer(bytes, size);
    try_pack(bytes, size);
    fit_objects(bytes, size);
    fit_trailer(bytes, size);
    try_pack(bytes, size);
    free(bytes);
    return 0;
}
