// store_walk.c: walks from some objects of a store to all that they refer to.
#include "latent/store_walk.h"

#include <stdlib.h>

#include "latent/lcb.h"

void store_walk_init(struct store_walk *w, struct store *s, struct arena *a)
{
    *w = (struct store_walk){.store = s, .arena = a};
    map_init(&w->seen, a);
}

bool store_walk_seen(const struct store_walk *w, const struct handle *h)
{
    return map_find(&w->seen, h->sha, HANDLE_BYTES) != NULL;
}

void store_walk_add(struct store_walk *w, const struct handle *h)
{
    if (!store_walk_seen(w, h))
        vec_push(w->arena, &w->todo, *h);
}

// No deeper than VALUE_MAX_DEPTH, since the value was decoded. Named handles are not followed: what
// they are bound to changes.
static void add_handles(struct store_walk *w, const struct value *v)
{
    struct handle h;
    if (v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
        store_walk_add(w, &h);
    for (size_t i = 0; v->kind == VALUE_ARRAY && i < v->as.array.n; i++)
        add_handles(w, v->as.array.at[i]);
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->as.object.n; i++)
        add_handles(w, v->as.object.at[i].value);
}

static bool walk_object(struct store_walk *w, const struct handle *h, const unsigned char *bytes,
                        size_t n, struct latent_error *error)
{
    struct arena scratch = {0};
    struct latent_error inner = {0};
    char text[HANDLE_TEXT + 1];
    const struct value *v = lcb_decode_in_place(&scratch, bytes, n, &inner);
    handle_text(h, text);
    if (v) {
        map_put(&w->seen, h->sha, HANDLE_BYTES, NULL);
        add_handles(w, v);
        if (w->visit)
            w->visit(w->user, h, bytes, n);
    } else {
        canon_fail(w->store->arena, error, "E_STORE_DAMAGED", 0, "the object %s is no value: %s",
                   text, inner.message);
    }
    arena_free(&scratch);
    return v != NULL;
}

bool store_walk_run(struct store_walk *w, struct latent_error *error)
{
    while (w->todo.n > 0) {
        const struct handle h = vec_pop(&w->todo);
        size_t n;
        enum store_state state;
        if (store_walk_seen(w, &h))
            continue;
        unsigned char *bytes = store_load(w->store, &h, &n, &state, error);
        if (!bytes && state == STORE_ABSENT) {
            vec_push(w->arena, &w->missing, h);
            continue;
        }
        bool ok = bytes && walk_object(w, &h, bytes, n, error);
        free(bytes);
        if (!ok)
            return false;
    }
    return true;
}
