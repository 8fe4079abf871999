// stage_env.c: scopes: binding names, finding them, and guessing what was meant.
#include "frontend/stage.h"

#include <string.h>

void stage_bind(struct stage *s, struct stage_env *env, const char *name, struct stage_value value,
                bool rebindable, struct span span)
{
    struct stage_binding *b = arena_new(s->a, struct stage_binding);
    *b = (struct stage_binding){name, value, rebindable, span, NULL};
    if (env->top) {
        map_put_str(&env->module->names, name, NULL)->value.p = b;
        return;
    }
    b->next = env->locals;
    env->locals = b;
}

static struct stage_binding *find_in(const struct stage_module *module, const char *name)
{
    const struct map_entry *e = module ? map_find_str(&module->names, name) : NULL;
    return e ? e->value.p : NULL;
}

struct stage_binding *stage_find(const struct stage *s, const struct stage_env *env,
                                 const char *name)
{
    for (struct stage_binding *b = env->locals; b; b = b->next)
        if (!strcmp(b->name, name))
            return b;
    struct stage_binding *b = find_in(env->module, name);
    return b ? b : find_in(s->prelude, name);
}

bool stage_lookup(struct stage *s, const struct stage_env *env, const char *name,
                  struct stage_value *out)
{
    const struct stage_binding *b = stage_find(s, env, name);
    const struct map_entry *e;
    enum dtype t;
    if (b)
        *out = b->value;
    else if ((e = map_find_str(&s->builtins, name)))
        *out = *(const struct stage_value *)e->value.p;
    else if (dtype_find(name, &t))
        *out = stage_type(t);
    else
        return false;
    return true;
}

static void add_names(struct stage *s, const struct map *names, stage_names *to)
{
    for (size_t i = 0; i < names->n; i++)
        vec_push(s->a, to, names->entry[i].key);
}

struct diag *stage_unknown_name(struct stage *s, const struct stage_env *env, struct span at,
                                const char *name)
{
    stage_names names = {0};
    struct diag *g = stage_error(s, at, "HLX0301", "there is no `%s` here", name);
    if (!g->arena)
        return g; // said before
    for (const struct stage_binding *b = env->locals; b; b = b->next)
        vec_push(s->a, &names, b->name);
    add_names(s, &env->module->names, &names);
    if (s->prelude)
        add_names(s, &s->prelude->names, &names);
    add_names(s, &s->builtins, &names);
    stage_suggest(g, name, names.at, names.n);
    return g;
}

const char *stage_join(struct stage *s, const char *path, const char *name)
{
    if (!*path)
        return name;
    return *name ? arena_printf(s->a, "%s.%s", path, name) : path;
}
