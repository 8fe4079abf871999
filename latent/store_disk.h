// store_disk.h: what the store asks of a file system: writes that last, renames, lists, locks.
// Private to latent/.
//
// Names are relative to the store's folder. A function that returns false (or NULL, or -1) leaves
// the reason in errno.
#ifndef HLX_LATENT_STORE_DISK_H
#define HLX_LATENT_STORE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/vec.h"

enum { DISK_NAME = 80 }; // the longest name within a store, with its NUL

// What a lock is on. They are always taken in this order.
enum disk_part {
    DISK_GATE,    // held for a moment by writers on their way in, and by a collector that waits
    DISK_OBJECTS, // shared by writers, exclusive for who removes objects
    DISK_NAMES    // exclusive while the root is read, changed and replaced
};

struct disk {
    const char *path; // as it is to be shown
    int folder;       // descriptors, or -1
    int lock;         // made when it is first needed, so that readers make nothing
    unsigned temps;   // how many temporary names were given away
};

// Opens a store's folder; `create` makes what is missing of it, and makes that last.
bool disk_open(struct disk *d, struct arena *a, const char *path, bool create);
void disk_close(struct disk *d);

// Waits for a lock. Locks belong to the open store, not to the process, and end with it.
bool disk_lock(struct disk *d, enum disk_part part, bool exclusive);
void disk_unlock(struct disk *d, enum disk_part part);

// Reads a whole file into malloc'ed memory. What is no regular file is EINVAL.
unsigned char *disk_read(const struct disk *d, const char *name, size_t *n);
// Writes a new temporary file, whose name goes to `name`. `sync`: it also reaches the disk.
bool disk_write_temp(struct disk *d, const void *bytes, size_t n, bool sync, char name[DISK_NAME]);
bool disk_rename(const struct disk *d, const char *from, const char *to);
void disk_remove(const struct disk *d, const char *name);
bool disk_make_folder(const struct disk *d, const char *name);
// Makes a folder's renames last ("." is the store's own), or all that was written to the file
// system of the store.
bool disk_sync_folder(const struct disk *d, const char *name);
bool disk_sync_all(const struct disk *d);

typedef VEC(const char *) disk_names;
// What a folder holds, sorted. A folder that is missing is empty.
bool disk_list(const struct disk *d, struct arena *a, const char *name, disk_names *out);

#endif
