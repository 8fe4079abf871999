// plan_memory.c: gives places their ranges: intermediate tensors share memory by liveness.
#include "codegen/plan.h"

#include <string.h>

static uint64_t align(uint64_t x)
{
    return (x + DISPATCH_ALIGN - 1) / DISPATCH_ALIGN * DISPATCH_ALIGN;
}

bool plan_append(struct arena *a, struct plan_segments *segments, enum dispatch_arena arena,
                 uint64_t bytes, struct dispatch_range *out)
{
    if (bytes > DISPATCH_SEGMENT)
        return false;
    if (!segments->n || align(vec_last(segments)) + bytes > DISPATCH_SEGMENT)
        vec_push(a, segments, 0);
    uint64_t at = align(vec_last(segments));
    *out = (struct dispatch_range){arena, (uint32_t)segments->n - 1, at, bytes};
    vec_last(segments) = at + bytes;
    return true;
}

// -- intermediate tensors ------------------------------------------------------------------------

struct lodger {
    const struct plan_place *place;
    struct lodger *next; // by offset, within a segment
};

static bool live_together(const struct plan_place *a, const struct plan_place *b)
{
    return a->first <= b->last && b->first <= a->last;
}

// The lowest free offset of a segment for the whole life of `t`, or UINT64_MAX.
static uint64_t find_room(const struct lodger *first, const struct plan_place *t)
{
    uint64_t at = 0;
    for (const struct lodger *l = first; l; l = l->next) {
        if (!live_together(l->place, t))
            continue;
        if (at + t->bytes <= l->place->range.offset)
            break;
        uint64_t end = align(l->place->range.offset + l->place->range.size);
        at = end > at ? end : at;
    }
    return at + t->bytes <= DISPATCH_SEGMENT ? at : UINT64_MAX;
}

static void move_in(struct arena *a, struct lodger **first, const struct plan_place *t)
{
    while (*first && (*first)->place->range.offset < t->range.offset)
        first = &(*first)->next;
    struct lodger *l = arena_new(a, struct lodger);
    *l = (struct lodger){t, *first};
    *first = l;
}

typedef VEC(struct lodger *) lodgers;

static bool place_work(struct plan *p, lodgers *segments, struct plan_place *t)
{
    struct plan_segments *sizes = &p->segments[ARENA_WORK];
    if (t->bytes > DISPATCH_SEGMENT)
        return false;
    size_t s = 0;
    uint64_t at = UINT64_MAX;
    for (; s < segments->n; s++)
        if ((at = find_room(segments->at[s], t)) != UINT64_MAX)
            break;
    if (s == segments->n) {
        vec_push(p->arena, segments, NULL);
        vec_push(p->arena, sizes, 0);
        at = 0;
    }
    t->range = (struct dispatch_range){ARENA_WORK, (uint32_t)s, at, t->bytes};
    if (at + t->bytes > sizes->at[s])
        sizes->at[s] = at + t->bytes;
    move_in(p->arena, &segments->at[s], t);
    return true;
}

// -- all places ----------------------------------------------------------------------------------

static bool place_one(struct plan *p, const struct dispatch_range *vars, lodgers *work,
                      struct plan_place *t)
{
    static const enum dispatch_arena arena[] = {
        [PLACE_WORK] = ARENA_WORK,    [PLACE_VAR] = ARENA_VARS,
        [PLACE_INPUT] = ARENA_INPUTS, [PLACE_OUTPUT] = ARENA_OUTPUTS,
        [PLACE_CONST] = ARENA_CONSTS, [PLACE_COUNTERS] = ARENA_COUNTERS};
    bool used = t->first != UINT32_MAX;
    if (t->kind == PLACE_VAR) {
        t->range = vars[t->index];
        return true;
    }
    if (!used && t->kind != PLACE_OUTPUT)
        return true;
    if (t->kind == PLACE_WORK)
        return place_work(p, work, t);
    return plan_append(p->arena, &p->segments[arena[t->kind]], arena[t->kind], t->bytes, &t->range);
}

bool plan_memory(struct plan *p, const struct dispatch_range *vars, const char **error)
{
    lodgers work = {0};
    for (size_t i = 0; i < p->places.n; i++) {
        struct plan_place *t = &p->places.at[i];
        if (place_one(p, vars, &work, t))
            continue;
        *error = arena_printf(p->arena,
                              "entry %s: a tensor of %llu MiB does not fit a device's buffer range "
                              "of %llu MiB; make the batch smaller",
                              p->entry->name, (unsigned long long)(t->bytes >> 20),
                              (unsigned long long)(DISPATCH_SEGMENT >> 20));
        return false;
    }
    return true;
}
