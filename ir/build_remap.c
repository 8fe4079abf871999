// build_remap.c: the roots of an entry, and moving them to a rebuilt graph.
#include "ir/build.h"

static ir_ref new_ref(const struct ir_remap *map, ir_ref old)
{
    if (old >= map->n || !map->to[old])
        IR_BUG("a pass lost node %u that an entry needs", old);
    return map->to[old];
}

void ir_entry_remap(struct ir_entry *e, struct ir_graph *fresh, const struct ir_remap *map)
{
    e->graph = fresh;
    for (size_t i = 0; i < e->outputs.n; i++)
        e->outputs.at[i].value = new_ref(map, e->outputs.at[i].value);
    for (size_t i = 0; i < e->updates.n; i++)
        e->updates.at[i].value = new_ref(map, e->updates.at[i].value);
    for (size_t i = 0; i < e->grads.n; i++)
        e->grads.at[i].value = new_ref(map, e->grads.at[i].value);
}

void ir_entry_roots(const struct ir_entry *e, bool with_grads, struct arena *a, ir_refs *roots)
{
    for (size_t i = 0; i < e->outputs.n; i++)
        vec_push(a, roots, e->outputs.at[i].value);
    for (size_t i = 0; i < e->updates.n; i++)
        vec_push(a, roots, e->updates.at[i].value);
    for (size_t i = 0; with_grads && i < e->grads.n; i++)
        vec_push(a, roots, e->grads.at[i].value);
}
