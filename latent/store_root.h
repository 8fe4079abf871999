// store_root.h: the root of a store, which says what is bound to which name and which snapshots
// are kept. See spec/store.md, S3. Private to latent/.
//
// The file: a line with the version, the SHA-256 of what follows, and the LC-B of
// {"names": {NAME: HANDLE, ...}, "snapshots": [HANDLE, ...]}.
#ifndef HLX_LATENT_STORE_ROOT_H
#define HLX_LATENT_STORE_ROOT_H

#include "latent/store.h"

#define ROOT_MAGIC "hlx store 1\n"
enum { ROOT_MAGIC_BYTES = 12, ROOT_HEADER = ROOT_MAGIC_BYTES + HANDLE_BYTES };

struct store_root {
    store_names names;       // sorted, each once
    store_handles snapshots; // sorted, each once
};

// Reads a root file. False fills *error (E_STORE_VERSION, E_STORE_DAMAGED).
bool root_read(struct arena *a, const unsigned char *bytes, size_t n, struct store_root *out,
               struct latent_error *error);
void root_write(struct arena *a, const struct store_root *root, struct buf *out);

// A snapshot's value, {"names": {...}}, and back. False when it is not one.
const struct value *root_snapshot(struct arena *a, const store_names *names);
bool root_snapshot_read(struct arena *a, const struct value *v, store_names *out);

// Binds a name (copied into the arena), or with NULL takes it away; false when there was nothing to
// take.
bool root_bind(struct arena *a, store_names *names, const char *name, const struct handle *to);
const struct handle *root_find(const store_names *names, const char *name);
// Adds or takes away a snapshot; false when nothing changes.
bool root_keep(struct arena *a, struct store_root *root, const struct handle *snapshot, bool keep);

#endif
