// stage_ls.c: the module `ls`: a store of content-addressed values that lives for one compilation.
#include "frontend/stage_store.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/stage_builtin.h"

enum { PREFIX = 3, SHORTEST = 8 }; // "&h_", and digits of a shortened handle

static struct stage_value handle_text_value(struct stage *s, const char *text)
{
    return stage_bytes(s->a, STAGE_HANDLE, text, strlen(text));
}

void stage_store_add(struct stage *s, struct stage_stored object)
{
    char text[HANDLE_TEXT + 1];
    handle_text(&object.handle, text);
    struct map_entry *e = map_put_str(&s->store, text, NULL);
    if (e->value.p)
        return;
    struct stage_stored *kept = e->value.p = arena_new(s->a, struct stage_stored);
    *kept = object;
}

void stage_store_bind(struct stage *s, const char *name, const char *handle)
{
    const char *key = arena_printf(s->a, "&%s", name);
    map_put_str(&s->bound, key, NULL)->value.p = arena_strdup(s->a, handle);
}

// ls.collapse(value, name)
struct stage_value stage_ls_collapse(struct stage *s, struct stage_call *c)
{
    const char *name;
    const struct value *v = stage_to_latent(s, c->arg_at[0], c->arg[0]);
    if (!v || !stage_want_text(s, c, 1, "", &name))
        return stage_poison();
    char text[HANDLE_TEXT + 1];
    struct handle h = handle_of(v);
    handle_text(&h, text);
    stage_store_add(s, (struct stage_stored){.handle = h, .value = v});
    if (*name)
        stage_store_bind(s, name, text);
    return handle_text_value(s, text);
}

// -- resolving -----------------------------------------------------------------------------------

static bool is_hex(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr("0123456789abcdef", at[i]) || !at[i])
            return false;
    return true;
}

// The stored handles that begin with a text; *found is the last of them.
static unsigned find_prefix(const struct stage *s, const char *text, size_t n,
                            struct stage_stored **found)
{
    unsigned count = 0;
    for (size_t i = 0; i < s->store.n; i++) {
        const struct map_entry *e = &s->store.entry[i];
        if (e->value.p && e->len >= n && !memcmp(e->key, text, n)) {
            *found = e->value.p;
            count++;
        }
    }
    return count;
}

static struct stage_value not_found(struct stage *s, struct stage_call *c, const char *text)
{
    stage_names names = {0};
    for (size_t i = 0; i < s->bound.n; i++)
        if (s->bound.entry[i].value.p)
            vec_push(s->a, &names, s->bound.entry[i].key);
    struct diag *g =
        stage_error(s, c->arg_at[0], "E_HANDLE_NOT_FOUND", "nothing is stored under `%s`", text);
    stage_suggest(g, text, names.at, names.n);
    diag_help(g, "a compilation begins with an empty store: ls.collapse(value, name: \"shader\") "
                 "stores a value as &shader");
    return stage_poison();
}

const struct value *stage_stored_value(struct stage *s, struct stage_stored *kept)
{
    return kept->value ? kept->value : pack_get(s->a, kept->pack, &kept->handle, NULL);
}

// The value of a stored object.
static struct stage_value give(struct stage *s, struct stage_call *c, struct stage_stored *kept)
{
    struct latent_error error = {0};
    if (!kept->value && kept->n > STAGE_MAX_OBJECT)
        return stage_fail(s, c->arg_at[0], "HLX0706",
                          "the object has %zu bytes; at most %d can be "
                          "used while compiling",
                          kept->n, STAGE_MAX_OBJECT);
    stage_charge(s, kept->value ? 0 : kept->n);
    if (!kept->value)
        kept->value = pack_get(s->a, kept->pack, &kept->handle, &error);
    if (!kept->value)
        return stage_fail(s, c->arg_at[0], error.code, "%s", error.message);
    return stage_from_latent(s, kept->value);
}

struct stage_value stage_ls_resolve(struct stage *s, struct stage_call *c)
{
    struct stage_stored *kept = NULL;
    if (c->arg[0].kind != STAGE_HANDLE)
        return stage_arg_error(s, c, 0, "a handle");
    const char *text = c->arg[0].as.text.at;
    const struct map_entry *bound = map_find_str(&s->bound, text);
    const char *full = bound && bound->value.p ? bound->value.p : text;
    size_t n = strlen(full);
    stage_charge(s, s->store.n);
    bool digits = n >= PREFIX + SHORTEST && !strncmp(full, "&h_", PREFIX) &&
                  is_hex(full + PREFIX, n - PREFIX);
    unsigned found = digits ? find_prefix(s, full, n, &kept) : 0;
    if (found > 1)
        return stage_fail(s, c->arg_at[0], "E_HANDLE_NOT_FOUND",
                          "`%s` begins %u stored handles; write more of its digits", text, found);
    return found ? give(s, c, kept) : not_found(s, c, text);
}

// -- the whole store -----------------------------------------------------------------------------

// The handle of { objects: [handles in order], names: { name: handle } }.
struct stage_value stage_ls_snapshot(struct stage *s, struct stage_call *c)
{
    stage_charge(s, 32 * (uint64_t)(s->store.n + s->bound.n));
    struct stage_field *held = arena_array(s->a, s->store.n, sizeof *held);
    struct stage_field *names = arena_array(s->a, s->bound.n, sizeof *names);
    size_t nheld = 0, nnames = 0;
    for (size_t i = 0; i < s->store.n; i++)
        if (s->store.entry[i].value.p) {
            const struct map_entry *e = &s->store.entry[i];
            held[nheld++] = (struct stage_field){e->key, e->len, handle_text_value(s, e->key)};
        }
    for (size_t i = 0; i < s->bound.n; i++)
        if (s->bound.entry[i].value.p) {
            const struct map_entry *e = &s->bound.entry[i];
            names[nnames++] = (struct stage_field){e->key + 1, e->len - 1, // without its `&`
                                                   handle_text_value(s, e->value.p)};
        }
    struct stage_value sorted = stage_object(s->a, held, nheld); // by handle
    struct stage_value *objects = arena_array(s->a, nheld, sizeof *objects);
    for (size_t i = 0; i < nheld; i++)
        objects[i] = sorted.as.object->at[i].value;
    struct stage_field state[2] = {{"names", 5, stage_object(s->a, names, nnames)},
                                   {"objects", 7, stage_array(s->a, objects, nheld)}};
    const struct value *v = stage_to_latent(s, c->at, stage_object(s->a, state, 2));
    if (!v)
        return stage_poison();
    char text[HANDLE_TEXT + 1];
    struct handle h = handle_of(v);
    handle_text(&h, text);
    return handle_text_value(s, text);
}

// What a map held, to put back: entries made since lose their value.
static void *save(struct stage *s, const struct map *m)
{
    void **kept = arena_array(s->a, m->n, sizeof *kept);
    for (size_t i = 0; i < m->n; i++)
        kept[i] = m->entry[i].value.p;
    return kept;
}

static void restore(struct map *m, void **kept, size_t n)
{
    for (size_t i = 0; i < m->n; i++)
        m->entry[i].value.p = i < n ? kept[i] : NULL;
}

struct stage_value stage_ls_transaction(struct stage *s, struct stage_call *c)
{
    size_t nstore = s->store.n, nbound = s->bound.n;
    void **store = save(s, &s->store), **bound = save(s, &s->bound);
    unsigned errors = s->d->errors;
    stage_charge(s, s->store.n + s->bound.n);
    struct stage_value v = stage_apply(s, c->at, c->arg[0], NULL, 0);
    if (s->d->errors != errors) {
        restore(&s->store, store, nstore);
        restore(&s->bound, bound, nbound);
    }
    return v;
}
