// store_impl.h: what the parts of the store share. Private to latent/.
#ifndef HLX_LATENT_STORE_IMPL_H
#define HLX_LATENT_STORE_IMPL_H

#include "latent/canon.h"
#include "latent/store_disk.h"
#include "latent/store_root.h"

#define STORE_ROOT "root"

struct store {
    struct arena *arena; // of messages
    struct disk disk;
    unsigned open; // transactions, which share one lock on the objects
};

// "cannot write `PATH/NAME`: No space left on device", from errno, as E_STORE_IO. Returns false.
bool store_io_error(struct store *s, struct latent_error *error, const char *verb,
                    const char *name);
// A name within the store as it is to be shown.
const char *store_shown(struct store *s, const char *name);

// objects/ab/cdef...; the folder of an object is objects/ab.
enum { STORE_SHARDS = 256 };
void store_object_name(const struct handle *h, char name[DISK_NAME]);
void store_shard_name(unsigned shard, char name[DISK_NAME]);
// The handle of a file of a shard's folder; false when the file has no object's name.
bool store_object_handle(unsigned shard, const char *file, struct handle *out);

// An object's bytes, verified; NULL fills *error and tells what is missing from what is damaged.
enum store_state { STORE_WHOLE, STORE_ABSENT, STORE_BROKEN };
unsigned char *store_load(struct store *s, const struct handle *h, size_t *n,
                          enum store_state *state, struct latent_error *error);

// The root as it is now, in the arena.
bool store_root_load(struct store *s, struct arena *a, struct store_root *out,
                     struct latent_error *error);
// Replaces the root, durably. The caller holds DISK_NAMES.
bool store_root_save(struct store *s, const struct store_root *root, struct latent_error *error);

#endif
