// store_check.h: what keeps a store in order: collection of what nothing needs, and a check of all
// that is there.
#ifndef HLX_LATENT_STORE_CHECK_H
#define HLX_LATENT_STORE_CHECK_H

#include "latent/store.h"

// -- collection ----------------------------------------------------------------------------------

struct store_gc {
    size_t kept, removed;               // objects
    uint64_t kept_bytes, removed_bytes; // of their LC-B
    size_t temps;                       // files that killed writers left behind
    store_handles handles;              // of what is removed, sorted
};

// Removes the objects that no name and no kept snapshot leads to, and temporary files. Objects that
// were stored less than `grace` seconds ago stay, with all that they lead to: somebody may be about
// to name them. Waits for transactions in progress, and lets new ones wait while it removes. With
// `dry_run` it only tells. False (*error) changes nothing when something that is needed is damaged.
bool store_gc(struct store *s, struct arena *a, uint64_t grace, bool dry_run, struct store_gc *out,
              struct latent_error *error);

// -- check ---------------------------------------------------------------------------------------

struct store_finding {
    const char *code;    // "E_STORE_DAMAGED", "E_HANDLE_NOT_FOUND"
    const char *message; // which object, file or name, and what is wrong
    const char *repair;  // what was done about it, or NULL
};

struct store_report {
    size_t objects, names, snapshots;
    uint64_t bytes;    // of the objects' LC-B
    size_t temps;      // temporary files; no damage
    size_t unresolved; // handles in values that lead out of the store; no damage
    VEC(struct store_finding) findings;
};

// Reads everything there is. With `repair`, damaged and foreign files go to the folder `quarantine`
// of the store, objects in a wrong place to theirs, and names and snapshots that lead nowhere are
// taken away. False (*error) when it cannot look; findings are no error.
bool store_fsck(struct store *s, struct arena *a, bool repair, struct store_report *out,
                struct latent_error *error);

#endif
