// emit_reduce_short.c: reductions of a few elements: one invocation makes one output.
//
// The order is that of all sums: each element is a partial of its own, added to +0, and the tree
// joins 32 partials, those without an element at +0. Nothing is shared and nothing waits.
#include "codegen/emit_reduce.h"

enum { FEW = 16, LONG = 1500 }; // elements of an output; values of all their tapes

bool reduce_is_short(const struct emit *e, const struct reduce_pass *p)
{
    return p->n <= FEW && p->blocks == 1 && !p->how.with_index && p->n * e->draft.values.n <= LONG;
}

// Where element i of an output lies from the output's first.
static uint64_t offset_of(const struct tape_map *map, uint64_t i)
{
    uint64_t at = 0;
    for (unsigned d = map->rank; d-- > 0;) {
        at += i % (uint64_t)map->dim[d] * (uint64_t)map->stride[d];
        i /= (uint64_t)map->dim[d];
    }
    return at;
}

static struct emit_value partial(struct emit *e, const struct reduce_pass *p, spv_id base,
                                 struct emit_value start, uint64_t i)
{
    spv_id at = i ? emit_add(e, base, emit_extent(e, offset_of(&p->reduced, i))) : base;
    return reduce_join(e, &p->how, start, emit_tape(e, at, 0, NO_PLACE, (struct emit_value){0}));
}

static struct emit_value tree(struct emit *e, const struct reduce_pass *p, struct emit_value *v)
{
    for (unsigned w = REDUCE_PARTIALS / 2; w > 0; w /= 2)
        for (unsigned i = 0; i < w; i++)
            if (!v[i].constant || !v[i + w].constant) // two without an element are as one
                v[i] = reduce_join(e, &p->how, v[i], v[i + w]);
    return v[0];
}

void emit_reduce_short(struct emit *e, const struct reduce_pass *p, uint32_t kernel, uint32_t tail)
{
    struct spv *b = &e->b;
    uint32_t bits = reduce_neutral(&p->how);
    const struct emit_value start = {
        .id = spv_c32(b, bits), .lane = LANE_U32, .constant = true, .bits = bits};
    struct emit_value v[REDUCE_PARTIALS];
    struct spv_if inside;
    spv_id unit = emit_each(e, p->outputs, REDUCE_GROUP, &inside);
    spv_id base = emit_map_index(e, &p->kept, unit);
    for (uint64_t i = 0; i < REDUCE_PARTIALS; i++)
        v[i] = i < p->n ? partial(e, p, base, start, i) : start;
    reduce_finish(e, kernel, tail, unit, tree(e, p, v));
    spv_if_end(b, &inside);
    emit_end(e);
}
