// store_pack.c: packs objects of a store into one file, and stores the objects of a pack.
#include "latent/store_pack.h"

#include <stdlib.h>

#include "latent/store_walk.h"

static void add(void *user, const struct handle *h, const unsigned char *bytes, size_t n)
{
    pack_add_lcb(user, h, bytes, n);
}

bool store_pack(struct store *s, struct pack_writer *w, const struct handle *root, size_t *outside,
                struct latent_error *error)
{
    struct arena scratch = {0};
    struct store_walk walk;
    size_t n;
    unsigned char *bytes = store_read(s, root, &n, error); // what is asked for must be there
    bool ok = bytes != NULL;
    free(bytes);
    store_walk_init(&walk, s, &scratch);
    walk.visit = add;
    walk.user = w;
    if (ok) {
        store_walk_add(&walk, root);
        ok = store_walk_run(&walk, error);
    }
    *outside = walk.missing.n;
    arena_free(&scratch);
    return ok;
}

bool store_unpack(struct store_tx *tx, const struct pack *p, struct latent_error *error)
{
    for (size_t i = 0; i < p->n; i++)
        if (!store_put_lcb(tx, p->object[i].bytes, p->object[i].n, NULL, error))
            return false;
    return true;
}

const struct value *store_names_value(struct arena *a, const store_names *names)
{
    return root_snapshot(a, names);
}

bool store_names_read(struct arena *a, const struct value *v, store_names *out)
{
    return root_snapshot_read(a, v, out);
}
