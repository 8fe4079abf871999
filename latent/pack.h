// pack.h: one file with many objects, each under its handle. A .hbin is a pack. See spec/hbin.md.
//
// Layout: magic, version, root handle, object count, an index sorted by handle (handle, offset,
// length), the objects' LC-B bytes in index order, and a SHA-256 of all that precedes it.
#ifndef HLX_LATENT_PACK_H
#define HLX_LATENT_PACK_H

#include "base/map.h"
#include "base/vec.h"
#include "latent/handle.h"

// spec/hbin.md, H1. The magic is not text, so that a transfer as text is noticed.
#define PACK_MAGIC "\x89HLX\r\n\x1a\n"
enum {
    PACK_VERSION = 1,
    PACK_MAGIC_BYTES = 8,
    PACK_AT_VERSION = 8, // u32, little-endian as all numbers here
    PACK_AT_ROOT = 12,   // the root object's handle
    PACK_AT_COUNT = 44,  // u64
    PACK_HEADER = 52,    // the index begins here
    PACK_ENTRY = 48      // handle, u64 offset, u64 length
};

struct pack_object {
    struct handle handle;
    const unsigned char *bytes; // LC-B
    size_t n;
};

struct pack_writer {
    struct arena *arena;
    struct map index; // handle bytes -> object index
    VEC(struct pack_object) objects;
};

void pack_writer_init(struct pack_writer *w, struct arena *a);
// Adds a valid value (encoded into the arena), once. Returns its handle.
struct handle pack_add(struct pack_writer *w, const struct value *v);
// Adds an object by its LC-B (copied), once.
void pack_add_lcb(struct pack_writer *w, const struct handle *h, const void *lcb, size_t n);
// Appends the whole pack; its root must have been added. Objects are sorted by handle, so the
// order of pack_add does not matter.
void pack_write(const struct pack_writer *w, const struct handle *root, struct buf *out);

struct pack {
    struct handle root;
    const struct pack_object *object; // sorted by handle; bytes point into the input
    size_t n;
};

// Reads and checks a whole pack: magic, version, sizes, offsets, order, the trailing hash and every
// object's hash. The bytes must outlive the pack. On failure returns false and fills *error with a
// sentence (E_PACK_FOREIGN, E_PACK_TRUNCATED, E_PACK_VERSION, E_PACK_DAMAGED). Nothing in the input
// is trusted.
bool pack_read(struct arena *a, const void *bytes, size_t n, struct pack *out,
               struct latent_error *error);
// Decodes the object under a handle; NULL (and *error, E_HANDLE_NOT_FOUND) when missing or when
// it is not LC-B.
const struct value *pack_get(struct arena *a, const struct pack *p, const struct handle *h,
                             struct latent_error *error);
// Follows a handle value of the pack ("&h_" text), or returns v itself when it is not a handle.
const struct value *pack_resolve(struct arena *a, const struct pack *p, const struct value *v,
                                 struct latent_error *error);

#endif
