// stage_store.h: the store of one compilation: what ls.collapse put there and what packs hold that
// the program opened. It is empty at first, so that a build does not depend on the machine.
#ifndef HLX_FRONTEND_STAGE_STORE_H
#define HLX_FRONTEND_STAGE_STORE_H

#include "frontend/stage.h"
#include "latent/pack.h"

// An object, decoded when it is first asked for.
struct stage_stored {
    struct handle handle;
    const struct value *value; // or NULL: still in the pack
    const struct pack *pack;
    size_t n; // bytes of its encoding in the pack
};

enum { STAGE_MAX_OBJECT = 1 << 26 }; // bytes of an object of a pack that is decoded

// Keeps an object under its handle, once: one that was there stays.
void stage_store_add(struct stage *s, struct stage_stored object);
// Binds a name, to be written &name, to a full handle; a later binding replaces an earlier one.
void stage_store_bind(struct stage *s, const char *name, const char *handle);

// The value of a stored object; NULL when its pack does not have it as it should.
const struct value *stage_stored_value(struct stage *s, struct stage_stored *kept);

#endif
