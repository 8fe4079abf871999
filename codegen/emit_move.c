// emit_move.c: kernels of class MOVE, and gather_rows: one invocation makes one word.
//
// Each operation says which element of which operand an element of the result is; narrow elements
// are put together to words here, once for all of them.
#include "codegen/emit.h"

enum { GROUP = 128, OPERANDS = 16 /* of a concat, in a call */ };

// The element at `index` (u32) of the anchor's result, as the low bits of a word.
typedef spv_id element_function(struct emit *e, ir_ref r, spv_id index);

static const struct ir_type *operand_type(struct emit *e, ir_ref r, unsigned i)
{
    return ir_typeof(e->s->graph, ir_arg(e->s->graph, r, i));
}

static spv_id load_operand(struct emit *e, ir_ref r, unsigned i, spv_id index)
{
    const struct ir_graph *g = e->s->graph;
    ir_ref from = ir_view_base(g, ir_arg(g, r, i));
    const struct ir_type *t = ir_typeof(g, from);
    return emit_load_element(e, e->s->place_of[from], (unsigned)dtype_bytes(t->dtype), index);
}

static void row_major(const struct ir_type *t, int64_t stride[IR_MAX_RANK])
{
    int64_t step = 1;
    for (unsigned i = t->rank; i-- > 0;) {
        stride[i] = step;
        step *= t->dim[i];
    }
}

// -- one function per operation ------------------------------------------------------------------

static spv_id transposed(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_type *t = ir_typeof(e->s->graph, r);
    struct tape_map map = {0};
    int64_t stride[IR_MAX_RANK];
    row_major(operand_type(e, r, 0), stride);
    for (unsigned i = 0; i < t->rank; i++)
        tape_map_axis(&map, t->dim[i], stride[ir_attr(e->s->graph, r, i)]);
    return load_operand(e, r, 0, emit_map_index(e, &map, index));
}

static spv_id broadcasted(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_type *to = ir_typeof(e->s->graph, r), *from = operand_type(e, r, 0);
    struct tape_map map = {0};
    int64_t stride[IR_MAX_RANK];
    unsigned missing = to->rank - from->rank;
    row_major(from, stride);
    for (unsigned i = 0; i < to->rank; i++) {
        bool repeats = i < missing || from->dim[i - missing] == 1;
        tape_map_axis(&map, to->dim[i], repeats ? 0 : stride[i - missing]);
    }
    return load_operand(e, r, 0, emit_map_index(e, &map, index));
}

static spv_id sliced(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_type *t = ir_typeof(e->s->graph, r);
    struct tape_map map = {0};
    int64_t stride[IR_MAX_RANK];
    row_major(operand_type(e, r, 0), stride);
    for (unsigned i = 0; i < t->rank; i++) {
        map.offset += ir_attr(e->s->graph, r, 3 * i) * stride[i];
        tape_map_axis(&map, t->dim[i], ir_attr(e->s->graph, r, 3 * i + 2) * stride[i]);
    }
    return load_operand(e, r, 0, emit_map_index(e, &map, index));
}

static spv_id both(struct emit *e, spv_id x, spv_id y)
{
    return x ? spv_value(&e->b, SpvOpLogicalAnd, spv_bool(&e->b), SPV(x, y)) : y;
}

// The coordinate along axis i of element `index` of a tensor.
static spv_id coordinate(struct emit *e, const struct ir_type *t, unsigned i, spv_id index)
{
    int64_t stride[IR_MAX_RANK];
    row_major(t, stride);
    spv_id at = stride[i] == 1 ? index : emit_div(e, index, emit_extent(e, (uint64_t)stride[i]));
    return i == 0 ? at : emit_mod(e, at, emit_extent(e, (uint64_t)t->dim[i]));
}

// A coordinate before the low margin wraps to a number that is larger than any extent.
static spv_id padded(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_graph *g = e->s->graph;
    const struct ir_type *to = ir_typeof(g, r), *from = operand_type(e, r, 0);
    int64_t stride[IR_MAX_RANK];
    spv_id inside = 0, at = spv_c32(&e->b, 0);
    row_major(from, stride);
    for (unsigned i = 0; i < to->rank; i++) {
        int64_t low = ir_attr(g, r, 3 * i), step = ir_attr(g, r, 3 * i + 2) + 1;
        spv_id c = coordinate(e, to, i, index);
        if (low)
            c = emit_sub(e, c, emit_extent(e, (uint64_t)low));
        if (step != 1) {
            spv_id every = emit_extent(e, (uint64_t)step), rest = emit_mod(e, c, every);
            inside = both(e, inside, emit_less(e, rest, spv_c32(&e->b, 1)));
            c = emit_div(e, c, every);
        }
        inside = both(e, inside, emit_less(e, c, emit_extent(e, (uint64_t)from->dim[i])));
        at = emit_add(e, at, emit_mul(e, c, emit_extent(e, (uint64_t)stride[i])));
    }
    spv_id zero = spv_c32(&e->b, 0), fill = load_operand(e, r, 1, zero);
    if (!inside)
        return load_operand(e, r, 0, zero);
    return emit_choose(e, inside, load_operand(e, r, 0, emit_choose(e, inside, at, zero)), fill);
}

// Elements that are not of this call's operands: what an earlier call wrote stays.
static spv_id written(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_type *t = ir_typeof(e->s->graph, r);
    return e->part ? emit_load_element(e, e->to, (unsigned)dtype_bytes(t->dtype), index) : 0;
}

static spv_id concatenated(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_graph *g = e->s->graph;
    const struct ir_type *to = ir_typeof(g, r);
    unsigned axis = (unsigned)ir_attr(g, r, 0), n = ir_get(g, r)->nargs;
    unsigned begin = e->part * OPERANDS, end = n - begin < OPERANDS ? n : begin + OPERANDS;
    int64_t stride[IR_MAX_RANK] = {0}, first = 0;
    row_major(to, stride);
    for (unsigned i = 0; i < begin; i++)
        first += operand_type(e, r, i)->dim[axis];
    spv_id c = coordinate(e, to, axis, index), out = written(e, r, index), zero = spv_c32(&e->b, 0);
    spv_id inner = emit_extent(e, (uint64_t)stride[axis]);
    spv_id whole = emit_extent(e, (uint64_t)(stride[axis] * to->dim[axis]));
    spv_id outer = emit_div(e, index, whole), low = emit_mod(e, index, inner);
    for (unsigned i = begin; i < end; i++) {
        int64_t dim = operand_type(e, r, i)->dim[axis];
        spv_id from = emit_sub(e, c, emit_extent(e, (uint64_t)first));
        spv_id extent = emit_extent(e, (uint64_t)dim), mine = emit_less(e, from, extent);
        spv_id above = emit_mul(e, outer, extent);
        spv_id row = emit_add(e, above, emit_choose(e, mine, from, zero));
        spv_id x = load_operand(e, r, i, emit_add(e, emit_mul(e, row, inner), low));
        out = out ? emit_choose(e, mine, x, out) : x;
        first += dim;
    }
    return out;
}

// A row beyond the table reads zeros; a negative index is one.
static spv_id gathered(struct emit *e, ir_ref r, spv_id index)
{
    const struct ir_type *table = operand_type(e, r, 0);
    uint64_t rows = (uint64_t)table->dim[0], width = (uint64_t)ir_type_count(table) / rows;
    spv_id inner = emit_extent(e, width), zero = spv_c32(&e->b, 0);
    spv_id row = load_operand(e, r, 1, emit_div(e, index, inner));
    spv_id valid = emit_less(e, row, emit_extent(e, rows));
    spv_id line = emit_mul(e, emit_choose(e, valid, row, zero), inner);
    spv_id at = emit_add(e, line, emit_mod(e, index, inner));
    return emit_choose(e, valid, load_operand(e, r, 0, at), zero);
}

static spv_id copied(struct emit *e, ir_ref r, spv_id index)
{
    unsigned bytes = (unsigned)dtype_bytes(ir_typeof(e->s->graph, r)->dtype);
    r = ir_view_base(e->s->graph, r);
    if (ir_opcode(e->s->graph, r) == IR_counter)
        return emit_load(e, e->s->counters, spv_c32(&e->b, (uint32_t)ir_attr(e->s->graph, r, 0)));
    return emit_load_element(e, e->s->place_of[r], bytes, index);
}

static element_function *const functions[IR_OP_COUNT] = {
    [IR_transpose] = transposed, [IR_broadcast] = broadcasted, [IR_slice] = sliced,
    [IR_pad] = padded,           [IR_concat] = concatenated,   [IR_gather_rows] = gathered,
};

// -- the kernel ----------------------------------------------------------------------------------

// Elements k = 0 .. per-1 of word `at`, the last element again where there are no more.
static spv_id make_word(struct emit *e, element_function *f, ir_ref r, spv_id at, uint64_t n,
                        unsigned bytes)
{
    struct spv *b = &e->b;
    unsigned per = 4 / bytes;
    if (per == 1)
        return f(e, r, at);
    spv_id u32 = spv_u32(b), out = 0, last = emit_extent(e, n - 1);
    for (unsigned k = 0; k < per; k++) {
        spv_id first = emit_mul(e, at, spv_c32(b, per));
        spv_id x = f(e, r, emit_least(e, emit_add(e, first, spv_c32(b, k)), last));
        x = spv_value(b, SpvOpShiftLeftLogical, u32, SPV(x, spv_c32(b, 8 * bytes * k)));
        out = k ? spv_value(b, SpvOpBitwiseOr, u32, SPV(out, x)) : x;
    }
    return out;
}

static void emit_words(const struct emit_source *s, const char *name, element_function *f, ir_ref r,
                       unsigned part, emit_place to, struct emit_call *call)
{
    const struct ir_type *t = ir_typeof(s->graph, r);
    uint64_t n = (uint64_t)ir_type_count(t);
    unsigned bytes = (unsigned)dtype_bytes(t->dtype), per = 4 / bytes;
    uint64_t work = (n + per - 1) / per;
    struct emit e;
    emit_begin(&e, s, call, name, r, GROUP, 1);
    e.part = part;
    e.to = to;
    struct spv_if inside;
    spv_id at = emit_each(&e, work, GROUP, &inside);
    struct emit_value v = {.id = make_word(&e, f, r, at, n, bytes), .lane = LANE_U32};
    emit_store(&e, to, at, emit_seen(&e, r, v).id);
    spv_if_end(&e.b, &inside);
    emit_end(&e);
}

size_t emit_move_calls(const struct ir_graph *g, ir_ref r)
{
    if (ir_opcode(g, r) != IR_concat)
        return 1;
    return (ir_get(g, r)->nargs + OPERANDS - 1) / OPERANDS;
}

void emit_move(const struct emit_source *s, ir_ref r, unsigned part, emit_place to,
               struct emit_call *call)
{
    enum ir_op op = ir_opcode(s->graph, r);
    emit_words(s, ir_op_info(op)->name, functions[op], r, part, to, call);
}

void emit_copy(const struct emit_source *s, ir_ref r, emit_place to, struct emit_call *call)
{
    emit_words(s, "copy", copied, r, 0, to, call);
}
