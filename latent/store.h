// store.h: a folder of values under their handles, and of names bound to them. See spec/store.md.
//
// Many processes may use a store at once. Readers take no lock. Whatever is stored is on the disk
// when store_commit says so, all of a transaction or nothing; a value that is read has been hashed.
//
// Errors have the codes E_STORE_MISSING, E_STORE_IO, E_STORE_DAMAGED, E_STORE_VERSION,
// E_HANDLE_NOT_FOUND and E_HANDLE_INVALID; messages live in the store's arena.
#ifndef HLX_LATENT_STORE_H
#define HLX_LATENT_STORE_H

#include "base/vec.h"
#include "latent/handle.h"

struct store;
struct store_tx;

struct store_name {
    const char *name; // without &h_
    struct handle handle;
};
typedef VEC(struct store_name) store_names; // sorted by name
typedef VEC(struct handle) store_handles;

// $HLX_STORE; or the folder hlx of $XDG_DATA_HOME or of ~/.local/share; or ./.hlx.
const char *store_default_path(struct arena *a);

// Opens the store at a folder, or with `create` makes it where it is missing. The store lives in
// the arena and holds descriptors until store_close. NULL fills *error.
struct store *store_open(struct arena *a, const char *path, bool create,
                         struct latent_error *error);
void store_close(struct store *s);
const char *store_path(const struct store *s);

// -- reading -------------------------------------------------------------------------------------

// An object's LC-B, verified, in malloc'ed memory. NULL fills *error.
unsigned char *store_read(struct store *s, const struct handle *h, size_t *n,
                          struct latent_error *error);
// The value of an object, in the arena.
const struct value *store_get(struct store *s, struct arena *a, const struct handle *h,
                              struct latent_error *error);
// Whether there is an object of this handle (unread).
bool store_has(struct store *s, const struct handle *h);
// What a person types: a handle; a name; 8 or more first digits of one handle that is stored. A `&`
// and `h_` in front may be left out.
bool store_find(struct store *s, const char *text, struct handle *out, struct latent_error *error);
// Both: finds what was typed, and reads its value into the arena. A name that is bound anew between
// the two is looked up again.
const struct value *store_resolve(struct store *s, struct arena *a, const char *text,
                                  struct handle *out, struct latent_error *error);
// What is bound, and which snapshots are kept.
bool store_list(struct store *s, struct arena *a, store_names *names, store_handles *snapshots,
                struct latent_error *error);

// -- transactions --------------------------------------------------------------------------------

// Starts a transaction. Nothing of it can be seen under a name before store_commit; meanwhile
// nothing is collected. NULL fills *error.
struct store_tx *store_begin(struct store *s, struct latent_error *error);
// Stores a valid value, or LC-B that is checked to be one. An object that is there is not written
// again, unless it is damaged.
bool store_put(struct store_tx *tx, const struct value *v, struct handle *out,
               struct latent_error *error);
bool store_put_lcb(struct store_tx *tx, const void *bytes, size_t n, struct handle *out,
                   struct latent_error *error);
// Binds a name to an object that is stored, or in this transaction; takes a name away (false when
// it is not bound); makes the names those of a snapshot. They take effect in this order, with
// store_commit.
bool store_bind(struct store_tx *tx, const char *name, const struct handle *h,
                struct latent_error *error);
bool store_unbind(struct store_tx *tx, const char *name, struct latent_error *error);
bool store_restore(struct store_tx *tx, const struct handle *snapshot, struct latent_error *error);
// Also takes a snapshot as it commits, whose handle goes to *out; no longer keeps one.
void store_snapshot(struct store_tx *tx, struct handle *out);
bool store_forget(struct store_tx *tx, const struct handle *snapshot, struct latent_error *error);
// Ends a transaction. After true, all of it outlasts a power cut. After false the store is as
// before, but that objects without a name may have been added.
bool store_commit(struct store_tx *tx, struct latent_error *error);
void store_abort(struct store_tx *tx);

// The name in what a person types ("&h_shader", "h_shader", "shader"), or NULL (*error) where it is
// no name: 1 to 255 of the characters A-Z a-z 0-9 _ - . and not 8 or more hexadecimal digits alone.
const char *store_name_text(struct store *s, const char *text, struct latent_error *error);

#endif
