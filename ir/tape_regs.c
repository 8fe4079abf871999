// tape_regs.c: gives the values of a tape registers, and writes its instructions.
//
// Values that are the same for every element come first and are computed once per run. The others
// take registers that are free again: the last one freed first, as it is still in the cache.
#include "ir/tape_code.h"

#define NEVER UINT32_MAX  // last use of what lives until the end of the run
#define BOUND 0x80000000u // registers that are memory, until the number of the others is known

struct allocator {
    struct tape_draft *d;
    struct arena *scratch, *arena;
    struct tape *out;
    VEC(uint32_t) free;
};

static bool is_store(const struct tape_value *v)
{
    return v->stored || v->code == TAPE_WRITE;
}

bool *tape_live(const struct tape_draft *d, struct arena *a)
{
    size_t n = d->values.n;
    bool *live = arena_array(a, n, sizeof *live);
    live[d->result] = true;
    for (size_t v = n; v-- > 1;) {
        const struct tape_value *value = &d->values.at[v];
        live[v] = live[v] || is_store(value);
        for (unsigned i = 0; live[v] && i < 3; i++)
            live[value->arg[i]] = true;
    }
    return live;
}

static void find_last_uses(struct allocator *x, const bool *live)
{
    for (uint32_t v = 1; v < x->d->values.n; v++) {
        const struct tape_value *value = &x->d->values.at[v];
        for (unsigned i = 0; live[v] && i < 3; i++) {
            struct tape_value *arg = &x->d->values.at[value->arg[i]];
            arg->last = arg->uniform && !value->uniform ? NEVER : v > arg->last ? v : arg->last;
        }
    }
    x->d->values.at[x->d->result].last = NEVER;
}

static uint32_t take(struct allocator *x)
{
    return x->free.n ? vec_pop(&x->free) : x->out->nown++;
}

static uint32_t bind(struct allocator *x, tape_slot slot)
{
    uint32_t reg = BOUND | (uint32_t)x->out->bound.n;
    vec_push(x->arena, &x->out->bound, (struct tape_binding){reg, slot});
    return reg;
}

static void release_operands(struct allocator *x, uint32_t v)
{
    const struct tape_value *value = &x->d->values.at[v];
    for (unsigned i = 0; i < 3; i++) {
        struct tape_value *arg = &x->d->values.at[value->arg[i]];
        if (value->arg[i] && arg->last == v && !(arg->reg & BOUND)) {
            vec_push(x->scratch, &x->free, arg->reg);
            arg->last = 0; // an operand may stand twice
        }
    }
}

// The result's register is never one of the operands': loops take them as different memory.
static void emit(struct allocator *x, uint32_t v)
{
    struct tape_value *value = &x->d->values.at[v];
    struct tape_ins ins = {value->code, value->port, 0, {0}};
    if (value->code == TAPE_MEMORY) {
        value->reg = bind(x, x->d->ports.at[value->port].slot);
        return;
    }
    if (value->code != TAPE_WRITE)
        value->reg = value->stored ? bind(x, value->slot) : take(x);
    ins.to = value->reg;
    for (unsigned i = 0; i < 3; i++)
        ins.from[i] = x->d->values.at[value->arg[value->arg[i] ? i : 0]].reg;
    if (value->uniform)
        vec_push(x->arena, &x->out->once, ins);
    else
        vec_push(x->arena, &x->out->body, ins);
    release_operands(x, v);
}

// Numbers the registers that are memory after the others.
static void number_bound(struct tape *t)
{
    struct tape_ins *part[2] = {t->once.at, t->body.at};
    size_t n[2] = {t->once.n, t->body.n};
    for (unsigned p = 0; p < 2; p++)
        for (size_t at = 0; at < n[p]; at++) {
            struct tape_ins *i = &part[p][at];
            uint32_t *reg[4] = {&i->to, &i->from[0], &i->from[1], &i->from[2]};
            for (unsigned k = 0; k < 4; k++)
                if (*reg[k] & BOUND)
                    *reg[k] = t->nown + (*reg[k] & ~BOUND);
        }
    for (size_t i = 0; i < t->bound.n; i++)
        t->bound.at[i].reg = t->nown + (uint32_t)i;
    if (t->result & BOUND)
        t->result = t->nown + (t->result & ~BOUND);
    t->nregs = t->nown + (unsigned)t->bound.n;
}

void tape_assign(struct tape_draft *d, struct arena *scratch, struct arena *a, struct tape *out)
{
    struct allocator x = {.d = d, .scratch = scratch, .arena = a, .out = out};
    const bool *live = tape_live(x.d, x.scratch);
    find_last_uses(&x, live);
    for (unsigned uniform = 2; uniform-- > 0;)
        for (uint32_t v = 1; v < d->values.n; v++)
            if (live[v] && d->values.at[v].uniform == uniform)
                emit(&x, v);
    out->has_result = d->result != 0;
    out->result = d->values.at[d->result].reg;
    for (size_t i = 0; i < d->ports.n; i++)
        vec_push(a, &out->ports, d->ports.at[i]);
    number_bound(out);
}
