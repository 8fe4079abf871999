// store_pack.h: moves objects between stores and packs, with all that they lead to.
#ifndef HLX_LATENT_STORE_PACK_H
#define HLX_LATENT_STORE_PACK_H

#include "latent/pack.h"
#include "latent/store.h"

// Adds an object of the store, and all that it leads to, to a pack. *outside counts the handles
// that lead out of the store; they stay as they are. False fills *error.
bool store_pack(struct store *s, struct pack_writer *w, const struct handle *root, size_t *outside,
                struct latent_error *error);
// Puts every object of a pack into a transaction. False fills *error: an object is no value, or
// cannot be written.
bool store_unpack(struct store_tx *tx, const struct pack *p, struct latent_error *error);

// The value of a store's names, {"names": {NAME: HANDLE, ...}}, which a snapshot is; and back,
// false when a value is no such thing.
const struct value *store_names_value(struct arena *a, const store_names *names);
bool store_names_read(struct arena *a, const struct value *v, store_names *out);

#endif
