// emit_tape.c: writes a tape's values as SPIR-V, one element per call.
#include "codegen/emit.h"

#include <string.h>

#include "ir/lanes.h"

// -- preparing ---------------------------------------------------------------------------------

void emit_draft(struct emit *e, uint32_t kernel, ir_ref result)
{
    const struct emit_source *s = e->s;
    const struct tape_source source = {.graph = s->graph,
                                       .fusion = s->fusion,
                                       .trees = s->trees,
                                       .slot_of = s->place_of,
                                       .observed = s->observed,
                                       .counters = s->counters,
                                       .trees_only = true,
                                       .clean = true, // exec_clean
                                       .direct = s->exact ? NULL : emit_is_native};
    tape_draft_make(&source, kernel, result, &e->scratch, &e->draft);
    e->live = tape_live(&e->draft, &e->scratch);
    e->value = arena_array(&e->scratch, e->draft.values.n, sizeof *e->value);
    e->narrow = arena_array(&e->scratch, e->draft.ports.n + 1, sizeof *e->narrow);
    e->word_at = arena_array(&e->scratch, e->draft.ports.n + 1, sizeof *e->word_at);
    e->four = arena_array(&e->scratch, e->draft.ports.n + 1, sizeof *e->four);
}

unsigned emit_per_word(const struct emit *e)
{
    unsigned per = 1;
    for (size_t i = 1; i < e->draft.values.n; i++) {
        const struct tape_value *v = &e->draft.values.at[i];
        if (v->code == TAPE_WRITE && 4 / e->draft.ports.at[v->port].bytes > per)
            per = 4 / e->draft.ports.at[v->port].bytes;
    }
    return per;
}

// -- ports -------------------------------------------------------------------------------------

// Where a tape is at: the element, its place in a word, what is given in a register; where four
// elements are computed one after another, the number of the four.
struct here {
    spv_id index;
    unsigned k;
    emit_place given_at;
    struct emit_value given;
    spv_id index4; // 0: one at a time
};

static struct emit_value word(spv_id id)
{
    return (struct emit_value){.id = id, .lane = LANE_U32};
}

spv_id emit_map_index(struct emit *e, const struct tape_map *map, spv_id index)
{
    spv_id at = map->offset ? emit_extent(e, (uint64_t)map->offset) : 0, rest = index;
    for (unsigned i = map->rank; i-- > 0;) {
        spv_id along = rest;
        if (i > 0) {
            spv_id dim = emit_extent(e, (uint64_t)map->dim[i]);
            along = emit_mod(e, rest, dim);
            rest = emit_div(e, rest, dim);
        }
        if (map->stride[i] == 0)
            continue;
        if (map->stride[i] != 1)
            along = emit_mul(e, along, emit_extent(e, (uint64_t)map->stride[i]));
        at = at ? emit_add(e, at, along) : along;
    }
    return at ? at : spv_c32(&e->b, 0);
}

// The `bytes` bytes wide element `index` of a place, as the low bits of a word.
spv_id emit_load_element(struct emit *e, emit_place place, unsigned bytes, spv_id index)
{
    struct spv *b = &e->b;
    if (bytes == 4)
        return emit_load(e, place, index);
    unsigned per = 4 / bytes;
    spv_id all = emit_load(e, place, emit_div(e, index, spv_c32(b, per)));
    spv_id within = emit_mod(e, index, spv_c32(b, per));
    spv_id shift = emit_mul(e, within, spv_c32(b, 8 * bytes));
    spv_id low = spv_value(b, SpvOpShiftRightLogical, spv_u32(b), SPV(all, shift));
    return spv_value(b, SpvOpBitwiseAnd, spv_u32(b), SPV(low, spv_c32(b, (1u << 8 * bytes) - 1)));
}

static struct emit_value port_const(struct emit *e, const struct tape_port *p, const struct here *h)
{
    (void)h;
    return (struct emit_value){
        .id = spv_c32(&e->b, p->bits), .lane = LANE_U32, .constant = true, .bits = p->bits};
}

// The k-th word of what a port reads for the four elements; the first time it is loaded, at
// `index4`.
static struct emit_value one_of_four(struct emit *e, const struct tape_port *p,
                                     const struct here *h, spv_id index4)
{
    spv_id *words = e->four[p - e->draft.ports.at];
    if (h->k == 0)
        emit_load4(e, p->slot, index4, words);
    return word(words[h->k]);
}

// What stands for a port's elements, or NULL.
static const struct emit_value *given(const struct emit *e, const struct tape_port *p,
                                      const struct here *h)
{
    if (p->slot == h->given_at)
        return &h->given;
    for (size_t i = 0; i < e->given.n; i++)
        if (p->slot == e->given.at[i].place)
            return &e->given.at[i].value;
    return NULL;
}

static struct emit_value port_memory(struct emit *e, const struct tape_port *p,
                                     const struct here *h)
{
    const struct emit_value *known = given(e, p, h);
    if (known)
        return *known;
    if (h->index4)
        return one_of_four(e, p, h, h->index4);
    return word(emit_load(e, p->slot, h->index));
}

// Strides but the innermost, and the offset, are multiples of four.
static bool keeps_fours(const struct tape_map *m)
{
    bool all = m->offset % 4 == 0;
    for (unsigned i = 0; i + 1 < m->rank; i++)
        all = all && m->stride[i] % 4 == 0;
    return all;
}

bool emit_is_by_four(const struct tape_map *m)
{
    return m->rank > 0 && m->dim[m->rank - 1] % 4 == 0 && m->stride[m->rank - 1] == 1 &&
           keeps_fours(m);
}

// Whether a map takes four elements side by side to one.
static bool is_shared(const struct tape_map *m)
{
    return m->rank == 0 || (m->dim[m->rank - 1] % 4 == 0 && m->stride[m->rank - 1] == 0);
}

static struct emit_value port_read(struct emit *e, const struct tape_port *p, const struct here *h)
{
    spv_id *words = e->four[p - e->draft.ports.at];
    const struct emit_value *known = given(e, p, h);
    if (known)
        return *known;
    if (h->index4 && h->k > 0 && is_shared(&p->map))
        return word(words[0]);
    if (h->index4 && h->k > 0 && p->bytes == 4 && emit_is_by_four(&p->map))
        return word(words[h->k]);
    spv_id at = emit_map_index(e, &p->map, h->index);
    if (h->index4 && p->bytes == 4 && emit_is_by_four(&p->map))
        return one_of_four(e, p, h, emit_div(e, at, spv_c32(&e->b, 4)));
    words[0] = emit_load_element(e, p->slot, p->bytes, at);
    return word(words[0]);
}

static struct emit_value port_iota(struct emit *e, const struct tape_port *p, const struct here *h)
{
    spv_id at = h->index;
    if (p->inner != 1)
        at = emit_div(e, at, emit_extent(e, (uint64_t)p->inner));
    return word(emit_mod(e, at, emit_extent(e, (uint64_t)p->dim)));
}

// One round of Philox4x32: two wide products, exchanged and mixed with the key (Salmon et al.
// 2011).
static void philox_round(struct emit *e, spv_id c[4], const spv_id key[2])
{
    enum { M0 = 0, M1 = 1 };
    static const uint32_t factor[2] = {0xd2511f53u, 0xcd9e8d57u};
    struct spv *b = &e->b;
    spv_id u32 = spv_u32(b), pair = spv_once(b, SpvOpTypeStruct, 0, SPV(u32, u32)), low[2], high[2];
    for (int i = M0; i <= M1; i++) {
        spv_id both = spv_value(b, SpvOpUMulExtended, pair, SPV(c[2 * i], spv_c32(b, factor[i])));
        low[i] = spv_value(b, SpvOpCompositeExtract, u32, SPV(both, 0));
        high[i] = spv_value(b, SpvOpCompositeExtract, u32, SPV(both, 1));
    }
    spv_id mix0 = spv_value(b, SpvOpBitwiseXor, u32, SPV(high[M1], c[1]));
    spv_id mix1 = spv_value(b, SpvOpBitwiseXor, u32, SPV(high[M0], c[3]));
    c[0] = spv_value(b, SpvOpBitwiseXor, u32, SPV(mix0, key[0]));
    c[1] = low[M1];
    c[2] = spv_value(b, SpvOpBitwiseXor, u32, SPV(mix1, key[1]));
    c[3] = low[M0];
}

static struct emit_value port_random(struct emit *e, const struct tape_port *p,
                                     const struct here *h)
{
    struct spv *b = &e->b;
    spv_id u32 = spv_u32(b), four = spv_c32(b, 4), key[2], c[4];
    for (uint32_t i = 0; i < 2; i++)
        key[i] = emit_load(e, p->slot, spv_c32(b, i));
    c[0] = emit_div(e, h->index, four);
    c[1] = emit_load(e, p->slot, spv_c32(b, 2));
    c[2] = emit_extent(e, p->stream[0]);
    c[3] = emit_extent(e, p->stream[1]);
    for (int round = 0; round < 10; round++) {
        philox_round(e, c, key);
        key[0] = emit_add(e, key[0], spv_c32(b, 0x9e3779b9u));
        key[1] = emit_add(e, key[1], spv_c32(b, 0xbb67ae85u));
    }
    spv_id which = emit_mod(e, h->index, four), out = c[3];
    for (uint32_t i = 3; i-- > 0;) {
        spv_id is = spv_value(b, SpvOpIEqual, spv_bool(b), SPV(which, spv_c32(b, i)));
        out = spv_value(b, SpvOpSelect, u32, SPV(is, c[i], out));
    }
    return word(out);
}

// -- instructions that are no rows of ops.def --------------------------------------------------

static spv_id bit_test(struct emit *e, SpvOp op, spv_id u, uint32_t mask, uint32_t against)
{
    struct spv *b = &e->b;
    spv_id masked = spv_value(b, SpvOpBitwiseAnd, spv_u32(b), SPV(u, spv_c32(b, mask)));
    return spv_value(b, op, spv_bool(b), SPV(masked, spv_c32(b, against)));
}

static struct emit_value convert(struct emit *e, SpvOp op, enum lane from, enum lane to,
                                 struct emit_value x)
{
    struct spv *b = &e->b;
    spv_id type = to == LANE_F32 ? spv_f32(b) : to == LANE_I32 ? spv_i32(b) : spv_u32(b);
    return (struct emit_value){.id = spv_value(b, op, type, SPV(emit_as(e, x, from))), .lane = to};
}

static struct emit_value extra(struct emit *e, uint32_t code, struct emit_value x)
{
    struct spv *b = &e->b;
    switch (code) {
    case TAPE_f32_to_i32: return convert(e, SpvOpConvertFToS, LANE_F32, LANE_I32, x);
    case TAPE_f32_to_u32: return convert(e, SpvOpConvertFToU, LANE_F32, LANE_U32, x);
    case TAPE_i32_to_f32: return convert(e, SpvOpConvertSToF, LANE_I32, LANE_F32, x);
    case TAPE_u32_to_f32: return convert(e, SpvOpConvertUToF, LANE_U32, LANE_F32, x);
    default: break;
    }
    spv_id u = emit_as(e, x, LANE_U32);
    switch (code) {
    case TAPE_canon: {
        spv_id nan = bit_test(e, SpvOpUGreaterThan, u, 0x7fffffffu, 0x7f800000u);
        return word(emit_choose(e, nan, spv_c32(b, F32_NAN_BITS), u));
    }
    case TAPE_flush: {
        spv_id sign = spv_value(b, SpvOpBitwiseAnd, spv_u32(b), SPV(u, spv_c32(b, 0x80000000u)));
        return word(emit_choose(e, bit_test(e, SpvOpIEqual, u, 0x7f800000u, 0), sign, u));
    }
    case TAPE_truth: {
        spv_id one = spv_c32(b, 1), zero = spv_c32(b, 0);
        return word(emit_choose(e, bit_test(e, SpvOpINotEqual, u, UINT32_MAX, 0), one, zero));
    }
    default: return x; // TAPE_copy: a value of its own, so that it can be stored
    }
}

// -- stores ------------------------------------------------------------------------------------

struct emit_value emit_seen(struct emit *e, ir_ref node, struct emit_value v)
{
    bool seen = e->s->observed[node] && ir_typeof(e->s->graph, node)->dtype == DT_F32;
    return word(emit_as(e, seen ? extra(e, TAPE_canon, v) : v, LANE_U32));
}

// Stores a word whose first element is the k-th that this invocation computes, if there is one.
static void store_inside(struct emit *e, unsigned k, emit_place place, spv_id index, spv_id w)
{
    struct spv_if inside;
    if (e->inside[k])
        spv_if_begin(&e->b, &inside, e->inside[k]);
    emit_store(e, place, index, w);
    if (e->inside[k])
        spv_if_end(&e->b, &inside);
}

// Elements narrower than a word are collected; the last of a word stores it.
static void write_narrow(struct emit *e, const struct tape_value *v, const struct here *h)
{
    struct spv *b = &e->b;
    const struct tape_port *p = &e->draft.ports.at[v->port];
    unsigned per = 4 / p->bytes, k = h->k % per;
    spv_id u32 = spv_u32(b), x = emit_as(e, e->value[v->arg[0]], LANE_U32);
    x = spv_value(b, SpvOpBitwiseAnd, u32, SPV(x, spv_c32(b, (1u << 8 * p->bytes) - 1)));
    x = spv_value(b, SpvOpShiftLeftLogical, u32, SPV(x, spv_c32(b, 8 * p->bytes * k)));
    spv_id *all = &e->narrow[v->port];
    *all = k ? spv_value(b, SpvOpBitwiseOr, u32, SPV(*all, x)) : x;
    if (k == 0)
        e->word_at[v->port] = emit_div(e, h->index, spv_c32(b, per));
    if (k == per - 1)
        store_inside(e, h->k - k, p->slot, e->word_at[v->port], *all);
}

// -- a whole tape ------------------------------------------------------------------------------

typedef struct emit_value port_function(struct emit *e, const struct tape_port *p,
                                        const struct here *h);

static struct emit_value compute(struct emit *e, const struct tape_value *v, const struct here *h)
{
    static port_function *const port[] = {
        [TAPE_CONST] = port_const, [TAPE_MEMORY] = port_memory, [TAPE_READ] = port_read,
        [TAPE_IOTA] = port_iota,   [TAPE_RANDOM] = port_random,
    };
    if (v->code >= TAPE_CONST)
        return port[v->code](e, &e->draft.ports.at[v->port], h);
    if (v->code >= TAPE_FIRST_EXTRA)
        return extra(e, v->code, e->value[v->arg[0]]);
    struct emit_value x[3];
    for (unsigned i = 0; i < 3; i++)
        x[i] = e->value[v->arg[i]];
    return emit_op(e, (enum tape_code)v->code, x);
}

// What is stored is stored when all is read: a kernel may put a variable's new value where it reads
// the old one.
static void store_values(struct emit *e, const struct here *h)
{
    for (uint32_t i = 1; i < e->draft.values.n; i++) {
        const struct tape_value *v = &e->draft.values.at[i];
        if (v->code == TAPE_WRITE && e->live[i])
            write_narrow(e, v, h);
        else if (v->stored && e->live[i])
            store_inside(e, h->k, v->slot, h->index, emit_as(e, e->value[i], LANE_U32));
    }
}

static void compute_values(struct emit *e, const struct here *h)
{
    for (uint32_t i = 1; i < e->draft.values.n; i++) {
        const struct tape_value *v = &e->draft.values.at[i];
        if (e->live[i] && v->code != TAPE_WRITE)
            e->value[i] = compute(e, v, h);
    }
}

struct emit_value emit_tape(struct emit *e, spv_id index, unsigned k, emit_place given_at,
                            struct emit_value given)
{
    const struct here h = {index, k, given_at, given, 0};
    compute_values(e, &h);
    store_values(e, &h);
    return e->value[e->draft.result];
}

void emit_tape_each(struct emit *e, const spv_id *index, unsigned n, struct emit_value *out)
{
    size_t values = e->draft.values.n;
    spv_id *stored = arena_array(&e->scratch, values * n, sizeof *stored);
    for (unsigned k = 0; k < n; k++) {
        const struct here h = {index[k], 0, NO_PLACE, {0}, 0};
        compute_values(e, &h);
        for (size_t i = 1; i < values; i++)
            if (e->draft.values.at[i].stored && e->live[i])
                stored[i * n + k] = emit_as(e, e->value[i], LANE_U32);
        out[k] = e->value[e->draft.result];
    }
    for (size_t i = 1; i < values; i++)
        for (unsigned k = 0; e->draft.values.at[i].stored && e->live[i] && k < n; k++)
            emit_store(e, e->draft.values.at[i].slot, index[k], stored[i * n + k]);
}

// Stores come when all four are computed: nothing is read after it.
void emit_tape4(struct emit *e, spv_id index, struct emit_value out[4])
{
    size_t n = e->draft.values.n;
    spv_id(*stored)[4] = arena_array(&e->scratch, n, sizeof *stored);
    spv_id first = emit_mul(e, index, spv_c32(&e->b, 4));
    for (uint32_t k = 0; k < 4; k++) {
        spv_id at = k ? emit_add(e, first, spv_c32(&e->b, k)) : first;
        const struct here h = {at, k, NO_PLACE, {0}, index};
        compute_values(e, &h);
        for (size_t i = 1; i < n; i++)
            if (e->draft.values.at[i].stored && e->live[i])
                stored[i][k] = emit_as(e, e->value[i], LANE_U32);
        out[k] = e->value[e->draft.result];
    }
    for (size_t i = 1; i < n; i++)
        if (e->draft.values.at[i].stored && e->live[i])
            emit_store4(e, e->draft.values.at[i].slot, index, stored[i]);
}
