// store_walk.h: follows handles from object to object through a store. Private to latent/.
#ifndef HLX_LATENT_STORE_WALK_H
#define HLX_LATENT_STORE_WALK_H

#include "base/map.h"
#include "latent/store_impl.h"

// Sees every object once: its LC-B, verified, for the time of the call.
typedef void store_walk_fn(void *user, const struct handle *h, const unsigned char *bytes,
                           size_t n);

struct store_walk {
    struct store *store;
    struct arena *arena;   // of the lists
    struct map seen;       // handles of the objects that were walked
    store_handles todo;    // to be walked
    store_handles missing; // referred to, but not in the store
    store_walk_fn *visit;  // may be NULL
    void *user;
};

void store_walk_init(struct store_walk *w, struct store *s, struct arena *a);
void store_walk_add(struct store_walk *w, const struct handle *h);
bool store_walk_seen(const struct store_walk *w, const struct handle *h);
// Walks from what was added to all that it leads to. A handle that leads nowhere goes to `missing`;
// an object that cannot be read or is damaged ends the walk with false and *error.
bool store_walk_run(struct store_walk *w, struct latent_error *error);

#endif
