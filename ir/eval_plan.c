// eval_plan.c: decides where every tensor of an evaluation lies.
//
// What a kernel stores takes working memory from its step to the last step that reads it; roots are
// stored right into the caller's memory.
#include "ir/eval_step.h"

#include <string.h>

#include "ir/build.h"
#include "ir/lanes.h"

// -- slots ---------------------------------------------------------------------------------------

static tape_slot add_slot(struct eval *e, struct eval_slot s)
{
    vec_push(&e->arena, &e->slots, s);
    return (tape_slot)e->slots.n - 1;
}

static tape_slot add_work(struct eval *e, size_t bytes, size_t first)
{
    return add_slot(
        e, (struct eval_slot){.place = EVAL_WORK, .bytes = bytes, .first = first, .last = first});
}

// A constant's elements as they are stored.
static void *const_elements(struct eval *e, ir_ref r)
{
    const struct ir_type *t = ir_typeof(e->graph, r);
    size_t n = ir_get(e->graph, r)->nattrs, bytes = dtype_bytes(t->dtype);
    char *out = arena_array(&e->arena, n, bytes);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)ir_attr(e->graph, r, (unsigned)i);
        uint16_t half = (uint16_t)bits;
        if (t->dtype == DT_F32)
            bits = f32_flush_bits(bits);
        if (bytes == 4)
            memcpy(out + i * 4, &bits, 4);
        else if (bytes == 2)
            memcpy(out + i * 2, &half, 2);
        else
            out[i] = (char)bits;
    }
    return out;
}

static tape_slot leaf_slot(struct eval *e, ir_ref r)
{
    uint32_t index = (uint32_t)(ir_get(e->graph, r)->nattrs ? ir_attr(e->graph, r, 0) : 0);
    switch (ir_opcode(e->graph, r)) {
    case IR_input: return add_slot(e, (struct eval_slot){.place = EVAL_INPUT, .index = index});
    case IR_var: return add_slot(e, (struct eval_slot){.place = EVAL_VAR, .index = index});
    case IR_counter: return add_slot(e, (struct eval_slot){.fixed = &e->counters[index]});
    case IR_const: return add_slot(e, (struct eval_slot){.fixed = const_elements(e, r)});
    default: return 0; // made where it is read
    }
}

static void need_leaf(struct eval *e, ir_ref r)
{
    if (!e->slot_of[r] && !e->fusion.kernel_of.at[r])
        e->slot_of[r] = leaf_slot(e, r);
}

static void add_out(struct eval *e, const ir_ref *roots, size_t nroots)
{
    for (size_t i = 0; i < nroots; i++) {
        ir_ref r = ir_view_base(e->graph, roots[i]);
        if (!e->fusion.kernel_of.at[r] || e->slot_of[r])
            continue;
        e->slot_of[r] = add_slot(e, (struct eval_slot){.place = EVAL_OUT, .index = (uint32_t)i});
        e->observed[r] = true;
    }
}

static void add_copies(struct eval *e, const ir_ref *roots, size_t nroots)
{
    for (size_t i = 0; i < nroots; i++) {
        ir_ref r = ir_view_base(e->graph, roots[i]);
        need_leaf(e, r);
        const struct eval_slot *s = &e->slots.at[e->slot_of[r]];
        if (s->place == EVAL_OUT && s->index == i)
            continue;
        enum dtype t = ir_typeof(e->graph, r)->dtype;
        unsigned clean = t == DT_F32 ? EVAL_FLUSH | EVAL_CANON : t == DT_BOOL ? EVAL_TRUTH : 0;
        struct eval_copy c = {(uint32_t)i, e->slot_of[r], t, ir_type_count(ir_typeof(e->graph, r)),
                              clean};
        vec_push(&e->arena, &e->copies, c);
    }
}

static void add_stored(struct eval *e, size_t step)
{
    const struct ir_kernel *k = &e->fusion.kernels.at[step];
    for (size_t i = 0; i < k->inputs.n; i++) {
        need_leaf(e, k->inputs.at[i]);
        e->slots.at[e->slot_of[k->inputs.at[i]]].last = step;
    }
    for (size_t i = 0; i < k->outputs.n; i++) {
        ir_ref r = k->outputs.at[i];
        if (!e->slot_of[r])
            e->slot_of[r] = add_work(e, ir_type_bytes(ir_typeof(e->graph, r)), step);
    }
    if (!e->slot_of[k->anchor] && k->class != IRC_MAP) // read by the kernel's own tape
        e->slot_of[k->anchor] = add_work(e, ir_type_bytes(ir_typeof(e->graph, k->anchor)), step);
}

void eval_plan_slots(struct eval *e, const ir_ref *roots, size_t nroots)
{
    size_t n = e->graph->nodes.n;
    e->slot_of = arena_array(&e->arena, n, sizeof *e->slot_of);
    e->observed = arena_array(&e->arena, n, sizeof *e->observed);
    add_slot(e, (struct eval_slot){.fixed = e->counters}); // 0: also what needs no memory
    add_out(e, roots, nroots);
    for (size_t i = 0; i < e->fusion.kernels.n; i++)
        add_stored(e, i);
    add_copies(e, roots, nroots);
}

// -- working memory
// --------------------------------------------------------------------------------

enum { ALIGN = 64 };

// A free stretch of working memory; the list is in order and neighbours are merged.
struct stretch {
    size_t at, bytes;
};

struct allocator {
    struct eval *e;
    VEC(struct stretch) free;
    size_t end; // of all that was ever used
};

static size_t aligned(size_t bytes)
{
    return bytes > SIZE_MAX - ALIGN ? SIZE_MAX : (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static void remove_stretch(struct allocator *x, size_t i)
{
    memmove(x->free.at + i, x->free.at + i + 1, (--x->free.n - i) * sizeof *x->free.at);
}

// The first stretch that is long enough, else new memory at the end.
static size_t take(struct allocator *x, size_t bytes)
{
    for (size_t i = 0; i < x->free.n; i++) {
        struct stretch *s = &x->free.at[i];
        if (s->bytes < bytes)
            continue;
        size_t at = s->at;
        s->at += bytes;
        s->bytes -= bytes;
        if (!s->bytes)
            remove_stretch(x, i);
        return at;
    }
    size_t at = x->end;
    x->end = bytes > SIZE_MAX - at ? SIZE_MAX : at + bytes;
    return at;
}

static void give(struct allocator *x, size_t at, size_t bytes)
{
    size_t i = 0;
    while (i < x->free.n && x->free.at[i].at < at)
        i++;
    vec_push(&x->e->arena, &x->free, (struct stretch){0});
    memmove(x->free.at + i + 1, x->free.at + i, (x->free.n - 1 - i) * sizeof *x->free.at);
    x->free.at[i] = (struct stretch){at, bytes};
    for (size_t k = i + 1; k-- > (i ? i - 1 : 0);)
        if (k + 1 < x->free.n && x->free.at[k].at + x->free.at[k].bytes == x->free.at[k + 1].at) {
            x->free.at[k].bytes += x->free.at[k + 1].bytes;
            remove_stretch(x, k + 1);
        }
}

typedef VEC(tape_slot) slot_list;

// The slots of working memory whose `first` (or `last`) is a step, for every step.
static slot_list *by_step(struct eval *e, bool last)
{
    slot_list *list = arena_array(&e->arena, e->steps.n + 1, sizeof *list);
    for (tape_slot i = 0; i < e->slots.n; i++) {
        const struct eval_slot *s = &e->slots.at[i];
        if (s->place == EVAL_WORK)
            vec_push(&e->arena, &list[last ? s->last : s->first], i);
    }
    return list;
}

void eval_plan_memory(struct eval *e)
{
    struct allocator x = {.e = e};
    for (size_t i = 0; i < e->steps.n; i++)
        if (e->steps.at[i].temp_bytes)
            e->steps.at[i].temp = add_work(e, e->steps.at[i].temp_bytes, i);
    slot_list *first = by_step(e, false), *last = by_step(e, true);
    for (size_t i = 0; i < e->steps.n; i++) {
        for (size_t k = 0; k < first[i].n; k++) {
            struct eval_slot *s = &e->slots.at[first[i].at[k]];
            s->offset = take(&x, aligned(s->bytes));
        }
        for (size_t k = 0; k < last[i].n; k++) {
            struct eval_slot *s = &e->slots.at[last[i].at[k]];
            give(&x, s->offset, aligned(s->bytes));
        }
    }
    e->work_bytes = x.end;
}
