// map.c: a hash map with open addressing over an array of entries in order of insertion.
#include "base/map.h"

#include <string.h>

void map_init(struct map *m, struct arena *a)
{
    *m = (struct map){.arena = a};
}

// A product mixes upwards only, and the slot is taken from the low bits.
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

uint64_t map_hash(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t h = mix(0, len), word = 0;
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        h = mix(h, word);
    }
    word = 0;
    if (len > 0)
        memcpy(&word, p, len);
    return mix(h, word);
}

// How far apart the slots lie that a hash tries. Odd, so that all are reached; from bits that do
// not choose the first slot, so that keys made to meet in one slot part again.
static size_t step_of(uint64_t hash)
{
    return (size_t)(hash >> 32) | 1;
}

// The slot that holds the key, or the free slot where it belongs. There is always a free one.
static size_t find_slot(const struct map *m, const void *key, size_t len, uint64_t hash)
{
    size_t mask = m->nslots - 1, i = hash & mask;
    for (; m->slot[i] != 0; i = (i + step_of(hash)) & mask) {
        const struct map_entry *e = &m->entry[m->slot[i] - 1];
        if (e->hash == hash && e->len == len && (len == 0 || memcmp(e->key, key, len) == 0))
            break;
    }
    return i;
}

struct map_entry *map_find(const struct map *m, const void *key, size_t len)
{
    if (m->n == 0)
        return NULL;
    uint32_t at = m->slot[find_slot(m, key, len, map_hash(key, len))];
    return at == 0 ? NULL : &m->entry[at - 1];
}

struct map_entry *map_find_str(const struct map *m, const char *key)
{
    return map_find(m, key, strlen(key));
}

// Doubles the slots and places every entry again; stored hashes make this cheap.
static void grow_slots(struct map *m)
{
    m->nslots = m->nslots == 0 ? 16 : m->nslots * 2;
    m->slot = arena_array(m->arena, m->nslots, sizeof(m->slot[0]));
    size_t mask = m->nslots - 1;
    for (size_t k = 0; k < m->n; k++) {
        size_t i = m->entry[k].hash & mask;
        while (m->slot[i] != 0)
            i = (i + step_of(m->entry[k].hash)) & mask;
        m->slot[i] = (uint32_t)(k + 1);
    }
}

static struct map_entry *add_entry(struct map *m, const void *key, size_t len, uint64_t hash)
{
    if (m->n == UINT32_MAX - 1)
        arena_exhausted();
    if (m->n == m->cap) {
        size_t cap = m->cap == 0 ? 8 : m->cap * 2;
        m->entry =
            arena_grow(m->arena, m->entry, m->cap * sizeof(m->entry[0]), cap * sizeof(m->entry[0]));
        m->cap = cap;
    }
    struct map_entry *e = &m->entry[m->n++];
    *e = (struct map_entry){.key = arena_copy(m->arena, key, len), .len = len, .hash = hash};
    return e;
}

struct map_entry *map_put(struct map *m, const void *key, size_t len, bool *fresh)
{
    if (m->n >= m->nslots / 4 * 3)
        grow_slots(m);
    uint64_t hash = map_hash(key, len);
    size_t i = find_slot(m, key, len, hash);
    bool missing = m->slot[i] == 0;
    if (fresh)
        *fresh = missing;
    if (!missing)
        return &m->entry[m->slot[i] - 1];
    struct map_entry *e = add_entry(m, key, len, hash);
    m->slot[i] = (uint32_t)m->n;
    return e;
}

struct map_entry *map_put_str(struct map *m, const char *key, bool *fresh)
{
    return map_put(m, key, strlen(key), fresh);
}
