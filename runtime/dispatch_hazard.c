// dispatch_hazard.c: finds calls that touch the same bytes without a barrier between them.
//
// The accesses since the last barrier are kept in a list, "open". With several variants of a step,
// each is replayed from the same open accesses, and what any of them leaves open stays open: so a
// pair is found exactly when some choice of variants has it.
#include "runtime/dispatch_kit.h"

// A plan that keeps more accesses open than this is refused: the comparison is quadratic.
enum { MAX_OPEN = 16384 };

struct access {
    const struct dispatch_binding *binding;
    const struct dispatch_step *step;
    const struct dispatch_variant *variant;
    size_t call;
};

struct accesses {
    VEC(struct access) list;
};

struct replay {
    struct arena *arena;
    const struct dispatch_program *program;
    struct accesses open; // before the step
    struct accesses next; // left open by the variants replayed so far
    struct accesses own;  // of the variant being replayed, since its last barrier
    const char *fault;
};

static bool overlap(const struct dispatch_range *a, const struct dispatch_range *b)
{
    return a->arena == b->arena && a->segment == b->segment && a->offset < b->offset + b->size &&
           b->offset < a->offset + a->size;
}

static const char *describe(struct arena *a, const struct access *x)
{
    return arena_printf(a, "call %zu of `%s` (%s)", x->call + 1, x->step->label, x->variant->name);
}

static bool conflict(struct replay *r, const struct access *before, const struct access *now)
{
    bool wrote = before->binding->writes, writes = now->binding->writes;
    if ((!wrote && !writes) || !overlap(&before->binding->range, &now->binding->range))
        return false;
    r->fault = arena_printf(r->arena, "%s %s what %s %s, without a barrier between them",
                            describe(r->arena, now), writes ? "overwrites" : "reads",
                            describe(r->arena, before), wrote ? "wrote" : "reads");
    return true;
}

static bool conflicts(struct replay *r, const struct accesses *before, const struct access *now)
{
    for (size_t i = 0; i < before->list.n; i++)
        if (conflict(r, &before->list.at[i], now))
            return true;
    return false;
}

static bool same(const struct access *a, const struct access *b)
{
    const struct dispatch_range *x = &a->binding->range, *y = &b->binding->range;
    return a->binding->writes == b->binding->writes && x->arena == y->arena &&
           x->segment == y->segment && x->offset == y->offset && x->size == y->size;
}

// Adds an access unless one like it is there: most calls read the same few ranges.
static bool add(struct replay *r, struct accesses *to, const struct access *x)
{
    for (size_t i = 0; i < to->list.n; i++)
        if (same(&to->list.at[i], x))
            return true;
    if (to->list.n == MAX_OPEN) {
        r->fault = arena_printf(r->arena, "%s: more than %d accesses without a barrier",
                                describe(r->arena, x), (int)MAX_OPEN);
        return false;
    }
    vec_push(r->arena, &to->list, *x);
    return true;
}

static bool add_all(struct replay *r, struct accesses *to, const struct accesses *from)
{
    for (size_t i = 0; i < from->list.n; i++)
        if (!add(r, to, &from->list.at[i]))
            return false;
    return true;
}

// The bindings of one call may overlap each other: it is one program's business.
static bool replay_call(struct replay *r, const struct access *which, bool behind)
{
    const struct dispatch_call *c = &which->variant->call[which->call];
    size_t n = r->program->kernel[c->kernel].bindings;
    struct access x = *which;
    for (size_t i = 0; i < n; i++) {
        x.binding = &c->binding[i];
        if ((!behind && conflicts(r, &r->open, &x)) || conflicts(r, &r->own, &x))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        x.binding = &c->binding[i];
        if (!add(r, &r->own, &x))
            return false;
    }
    return true;
}

// *kept: what was open before stays open, since this variant has no barrier.
static bool replay_variant(struct replay *r, const struct dispatch_step *s,
                           const struct dispatch_variant *v, bool *kept)
{
    bool behind = false; // a barrier
    r->own.list.n = 0;
    for (size_t i = 0; i < v->ncalls; i++) {
        if (v->call[i].barrier) {
            behind = true;
            r->own.list.n = 0;
        }
        if (!replay_call(r, &(struct access){NULL, s, v, i}, behind))
            return false;
    }
    *kept = *kept || !behind;
    return add_all(r, &r->next, &r->own);
}

static bool replay_step(struct replay *r, const struct dispatch_step *s, size_t first, size_t last)
{
    bool kept = false;
    r->next.list.n = 0;
    for (size_t v = first; v <= last; v++)
        if (!replay_variant(r, s, &s->variant[v], &kept))
            return false;
    if (kept && !add_all(r, &r->next, &r->open))
        return false;
    struct accesses swap = r->open;
    r->open = r->next;
    r->next = swap;
    return true;
}

const char *dispatch_hazard(struct arena *a, const struct dispatch_program *p,
                            const struct dispatch_entry *entry, size_t v)
{
    struct replay r = {.arena = a, .program = p};
    for (size_t i = 0; i < entry->nsteps; i++) {
        const struct dispatch_step *s = &entry->step[i];
        size_t one = v < s->nvariants ? v : 0;
        bool ok = v == DISPATCH_ANY ? replay_step(&r, s, 0, s->nvariants - 1)
                                    : replay_step(&r, s, one, one);
        if (!ok)
            return r.fault;
    }
    return NULL;
}

const char *dispatch_hazard_choice(struct arena *a, const struct dispatch_program *p,
                                   const struct dispatch_entry *entry, const uint32_t *variant)
{
    struct replay r = {.arena = a, .program = p};
    for (size_t i = 0; i < entry->nsteps; i++)
        if (!replay_step(&r, &entry->step[i], variant[i], variant[i]))
            return r.fault;
    return NULL;
}
