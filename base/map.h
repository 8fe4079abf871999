// map.h: a hash map from byte strings to 64-bit values, in an arena.
//
// Iteration is in order of insertion, so nothing that is printed or written depends on a hash.
// Keys are copied. Entries cannot be removed (nothing in the compiler needs it).
#ifndef HLX_BASE_MAP_H
#define HLX_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct map_entry {
    const char *key; // NUL-terminated copy; may hold NULs itself, `len` counts
    size_t len;
    uint64_t hash;
    union {
        uint64_t u;
        void *p;
        const void *c; // p again, for what is only read
    } value;
};

struct map {
    struct arena *arena;
    struct map_entry *entry; // in order of insertion
    size_t n, cap;
    uint32_t *slot; // open addressing; entry index + 1, 0 = free
    size_t nslots;  // a power of two, or 0
};

void map_init(struct map *m, struct arena *a);

// Returns the entry of a key, or NULL. The entry is valid until the next map_put.
struct map_entry *map_find(const struct map *m, const void *key, size_t len);
struct map_entry *map_find_str(const struct map *m, const char *key);

// Returns the entry of a key, made with value 0 where it was missing (*fresh says so; may be NULL).
struct map_entry *map_put(struct map *m, const void *key, size_t len, bool *fresh);
struct map_entry *map_put_str(struct map *m, const char *key, bool *fresh);

// The hash the map uses, for tables that need one of their own; it differs between machines.
uint64_t map_hash(const void *bytes, size_t len);

#endif
