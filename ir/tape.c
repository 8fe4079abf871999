// tape.c: compiles the elementwise nodes of a kernel into values, trees expanded in place.
#include "ir/tape.h"

#include <string.h>

#include "ir/build.h"
#include "ir/lanes.h"
#include "ir/tape_code.h"

struct compiler {
    const struct tape_source *s;
    const struct ir_graph *g;
    struct arena *scratch;
    struct tape_draft draft;
    struct map made;  // value without its register fields -> index
    struct map nodes; // node of the kernel -> value
};

enum lane tape_lane_of(enum dtype t)
{
    static const unsigned char lane[DT_COUNT] = {
        [DT_F32] = LANE_F32, [DT_I32] = LANE_I32,  [DT_U32] = LANE_U32, [DT_BOOL] = LANE_BOOL,
        [DT_F16] = LANE_U32, [DT_BF16] = LANE_U32, [DT_I8] = LANE_U32,  [DT_U8] = LANE_U32};
    return (enum lane)lane[t];
}

// -- values --------------------------------------------------------------------------------------

static struct tape_value *value_at(struct compiler *c, uint32_t v)
{
    return &c->draft.values.at[v];
}

static uint32_t append(struct compiler *c, struct tape_value v)
{
    vec_push(c->scratch, &c->draft.values, v);
    return (uint32_t)c->draft.values.n - 1;
}

// The value of an instruction, made once.
static uint32_t make(struct compiler *c, uint32_t code, uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t key[5] = {code, x, y, z, 0};
    bool fresh;
    struct map_entry *e = map_put(&c->made, key, sizeof key, &fresh);
    if (fresh) {
        bool uniform = true;
        for (unsigned i = 1; i < 4; i++)
            uniform = uniform && (!key[i] || value_at(c, key[i])->uniform);
        e->value.u = append(c, (struct tape_value){code, 0, {x, y, z}, .uniform = uniform});
    }
    return (uint32_t)e->value.u;
}

static uint32_t make_port(struct compiler *c, uint32_t code, const struct tape_port *p,
                          bool uniform)
{
    struct {
        uint32_t code, unused;
        struct tape_port port;
    } key;
    bool fresh;
    memset(&key, 0, sizeof key);
    key.code = code;
    memcpy(&key.port, p, sizeof *p);
    struct map_entry *e = map_put(&c->made, &key, sizeof key, &fresh);
    if (fresh) {
        vec_push(c->scratch, &c->draft.ports, *p);
        struct tape_value v = {code, (uint32_t)c->draft.ports.n - 1, {0}, .uniform = uniform};
        e->value.u = append(c, v);
    }
    return (uint32_t)e->value.u;
}

// Ports are compared as bytes, so they start as zero bytes.
static struct tape_port port(tape_slot slot, enum dtype t)
{
    struct tape_port p;
    memset(&p, 0, sizeof p);
    p.slot = slot;
    p.bytes = (uint32_t)dtype_bytes(t);
    return p;
}

static uint32_t make_const(struct compiler *c, uint32_t bits)
{
    struct tape_port p = port(0, DT_U32);
    p.bits = bits;
    return make_port(c, TAPE_CONST, &p, true);
}

// -- what lies outside ---------------------------------------------------------------------------

void tape_map_axis(struct tape_map *m, int64_t dim, int64_t stride)
{
    if (dim == 1)
        return;
    if (m->rank && m->stride[m->rank - 1] == stride * dim) {
        m->dim[m->rank - 1] *= dim;
        m->stride[m->rank - 1] = stride;
        return;
    }
    m->dim[m->rank] = dim;
    m->stride[m->rank++] = stride;
}

// The elements of broadcast `via` in its operand.
static void map_broadcast(const struct ir_graph *g, ir_ref via, struct tape_map *m)
{
    const struct ir_type *to = ir_typeof(g, via), *from = ir_typeof(g, ir_arg(g, via, 0));
    int64_t stride[IR_MAX_RANK] = {0}, step = 1;
    unsigned missing = to->rank - from->rank;
    for (unsigned i = from->rank; i-- > 0;) {
        stride[missing + i] = from->dim[i] == 1 ? 0 : step;
        step *= from->dim[i];
    }
    for (unsigned i = 0; i < to->rank; i++)
        tape_map_axis(m, to->dim[i], stride[i]);
    if (step == 1)
        m->rank = 0;
}

static uint32_t read_memory(struct compiler *c, struct ir_view v)
{
    const struct ir_type *t = ir_typeof(c->g, v.node);
    struct tape_port p = port(c->s->slot_of[v.node], t->dtype);
    int64_t n = ir_type_count(t);
    if (v.via)
        map_broadcast(c->g, v.via, &p.map);
    else if (n > 1 && p.bytes == 4)
        return make_port(c, TAPE_MEMORY, &p, false);
    else
        tape_map_axis(&p.map, n, 1);
    return make_port(c, TAPE_READ, &p, p.map.rank == 0);
}

static uint32_t read_stored(struct compiler *c, struct ir_view v)
{
    uint32_t x = read_memory(c, v);
    enum ir_op op = ir_opcode(c->g, v.node);
    enum dtype t = ir_typeof(c->g, v.node)->dtype;
    bool foreign = !c->s->clean && (op == IR_input || op == IR_var);
    if (foreign && t == DT_F32)
        return make(c, TAPE_flush, x, 0, 0);
    return foreign && t == DT_BOOL ? make(c, TAPE_truth, x, 0, 0) : x;
}

static uint32_t read_const(struct compiler *c, struct ir_view v)
{
    const struct ir_type *t = ir_typeof(c->g, v.node);
    if (ir_type_count(t) > 1)
        return read_stored(c, v);
    uint32_t bits = (uint32_t)ir_attr(c->g, v.node, 0);
    return make_const(c, t->dtype == DT_F32 ? f32_flush_bits(bits) : bits);
}

static uint32_t read_counter(struct compiler *c, struct ir_view v)
{
    struct tape_port p = port(c->s->counters, DT_U32);
    p.map.offset = ir_attr(c->g, v.node, 0);
    return make_port(c, TAPE_READ, &p, true);
}

static uint32_t read_iota(struct compiler *c, struct ir_view v)
{
    const struct ir_type *t = ir_typeof(c->g, v.node);
    struct tape_port p = port(0, t->dtype);
    unsigned axis = (unsigned)ir_attr(c->g, v.node, 0);
    p.dim = t->dim[axis];
    p.inner = 1;
    for (unsigned i = axis + 1; i < t->rank; i++)
        p.inner *= t->dim[i];
    return make_port(c, TAPE_IOTA, &p, false);
}

static uint32_t read_random(struct compiler *c, struct ir_view v)
{
    struct tape_port p = port(c->s->counters, DT_U32);
    p.stream[0] = (uint32_t)ir_attr(c->g, v.node, 0);
    p.stream[1] = (uint32_t)ir_attr(c->g, v.node, 1);
    return make_port(c, TAPE_RANDOM, &p, false);
}

// The value that an operand shows: a node of this kernel, or something outside.
static uint32_t operand(struct compiler *c, ir_ref r)
{
    static uint32_t (*const leaf[IR_OP_COUNT])(struct compiler *, struct ir_view) = {
        [IR_const] = read_const,
        [IR_counter] = read_counter,
        [IR_iota] = read_iota,
        [IR_random_bits] = read_random,
    };
    struct ir_view v = ir_view_of(c->g, c->s->fusion->fused, r);
    struct map_entry *own = map_find(&c->nodes, &v.node, sizeof v.node);
    if (own && !v.via)
        return (uint32_t)own->value.u;
    enum ir_op op = ir_opcode(c->g, v.node);
    bool in_memory = c->s->fusion->kernel_of.at[v.node] != 0;
    return leaf[op] && !in_memory ? leaf[op](c, v) : read_stored(c, v);
}

// -- operations ----------------------------------------------------------------------------------

// Between the lanes of a tree, cast is the conversion of numbers in range, bitcast moves bits.
static uint32_t raw_cast(struct compiler *c, enum lane from, enum lane to, uint32_t x)
{
    static const uint32_t code[LANE_COUNT][LANE_COUNT] = {
        [LANE_F32] = {[LANE_I32] = TAPE_f32_to_i32, [LANE_U32] = TAPE_f32_to_u32},
        [LANE_I32] = {[LANE_F32] = TAPE_i32_to_f32},
        [LANE_U32] = {[LANE_F32] = TAPE_u32_to_f32},
        [LANE_BOOL] = {[LANE_F32] = TAPE_u32_to_f32},
    };
    return code[from][to] ? make(c, code[from][to], x, 0, 0) : x;
}

static uint32_t row(struct compiler *c, enum ir_op op, enum lane lane, const uint32_t x[3])
{
    return make(c, (uint32_t)op * LANE_COUNT + lane, x[0], x[1], x[2]);
}

// A node of a tree, its operands made.
static uint32_t tree_node(struct compiler *c, const struct ir_graph *g, ir_ref r,
                          const uint32_t *at, const uint32_t *args)
{
    const struct ir_node *n = ir_get(g, r);
    uint32_t x[3] = {0};
    if (n->op == IR_input)
        return args[ir_attr(g, r, 0)];
    if (n->op == IR_const)
        return make_const(c, (uint32_t)ir_attr(g, r, 0));
    for (unsigned i = 0; i < n->nargs; i++)
        x[i] = at[ir_arg(g, r, i)];
    enum lane lane = tape_lane_of(ir_typeof(g, ir_arg(g, r, n->op == IR_select))->dtype);
    if (n->op == IR_bitcast)
        return x[0];
    if (n->op == IR_cast)
        return raw_cast(c, lane, tape_lane_of(ir_typeof(g, r)->dtype), x[0]);
    return row(c, (enum ir_op)n->op, lane, x);
}

static uint32_t expand(struct compiler *c, const struct exact_tree *t, const uint32_t *args)
{
    uint32_t *at = arena_array(c->scratch, t->graph->nodes.n, sizeof *at);
    for (ir_ref r = 1; r < t->graph->nodes.n; r++)
        at[r] = tree_node(c, t->graph, r, at, args);
    return at[t->value];
}

// Seen from outside f32 there is one NaN, and inside there are no subnormals.
static uint32_t bitcast(struct compiler *c, enum dtype from, enum dtype to, uint32_t x)
{
    if (from == to || (from != DT_F32 && to != DT_F32))
        return x;
    return make(c, from == DT_F32 ? TAPE_canon : TAPE_flush, x, 0, 0);
}

// Correctly rounded in the tree and in hardware alike.
static uint32_t in_hardware(enum ir_op op, enum dtype t)
{
    if (t != DT_F32)
        return 0;
    return op == IR_div ? TAPE_div : op == IR_sqrt ? TAPE_sqrt : 0;
}

static uint32_t compute(struct compiler *c, ir_ref r)
{
    const struct ir_node *n = ir_get(c->g, r);
    enum ir_op op = (enum ir_op)n->op;
    uint32_t x[3] = {0};
    for (unsigned i = 0; i < n->nargs; i++)
        x[i] = operand(c, ir_arg(c->g, r, i));
    enum dtype from = ir_typeof(c->g, ir_arg(c->g, r, op == IR_select))->dtype;
    enum dtype to = ir_typeof(c->g, r)->dtype;
    if (op == IR_bitcast)
        return bitcast(c, from, to, x[0]);
    if (op == IR_cast && from == to)
        return x[0];
    if (!c->s->trees_only && in_hardware(op, from))
        return make(c, in_hardware(op, from), x[0], x[1], 0);
    if (c->s->direct && from == DT_F32 && c->s->direct(op))
        return row(c, op, LANE_F32, x);
    if (!strcmp(ir_op_info(op)->lane[tape_lane_of(from)], "tree"))
        return expand(c, exact_get(c->s->trees, op, from, to), x);
    return row(c, op, tape_lane_of(from), x);
}

// -- stores --------------------------------------------------------------------------------------

// A value can be computed right into memory once, if it is computed at all.
static bool can_lie_in_memory(const struct tape_value *v)
{
    return v->code < TAPE_CONST && !v->uniform && !v->stored;
}

static void store(struct compiler *c, ir_ref r, uint32_t x)
{
    enum dtype t = ir_typeof(c->g, r)->dtype;
    struct tape_port p = port(c->s->slot_of[r], t);
    if (c->s->observed[r] && t == DT_F32)
        x = make(c, TAPE_canon, x, 0, 0);
    if (p.bytes != 4) {
        vec_push(c->scratch, &c->draft.ports, p);
        append(c, (struct tape_value){
                      .code = TAPE_WRITE, .port = (uint32_t)c->draft.ports.n - 1, .arg = {x}});
        return;
    }
    if (!can_lie_in_memory(value_at(c, x)))
        x = append(c, (struct tape_value){.code = TAPE_copy, .arg = {x}});
    value_at(c, x)->stored = true;
    value_at(c, x)->slot = p.slot;
}

// An iota or random bits that others must find in memory.
static void compile_leaf(struct compiler *c, ir_ref r)
{
    struct ir_view v = {r, 0};
    store(c, r, ir_opcode(c->g, r) == IR_iota ? read_iota(c, v) : read_random(c, v));
}

static void compile_nodes(struct compiler *c, const struct ir_kernel *k)
{
    if (k->class == IRC_LEAF)
        compile_leaf(c, k->anchor);
    for (size_t i = 0; i < k->nodes.n; i++) {
        ir_ref r = k->nodes.at[i];
        if (ir_op_info(ir_opcode(c->g, r))->class != IRC_MAP)
            continue;
        uint32_t x = compute(c, r);
        map_put(&c->nodes, &r, sizeof r, NULL)->value.u = x;
        if (ir_kernel_stores(k, r))
            store(c, r, x);
    }
}

void tape_draft_make(const struct tape_source *s, uint32_t kernel, ir_ref result,
                     struct arena *scratch, struct tape_draft *out)
{
    struct compiler c = {.s = s, .g = s->graph, .scratch = scratch};
    map_init(&c.made, scratch);
    map_init(&c.nodes, scratch);
    append(&c, (struct tape_value){0});
    compile_nodes(&c, &s->fusion->kernels.at[kernel]);
    if (result)
        c.draft.result = operand(&c, result);
    *out = c.draft;
}

struct tape *tape_compile(const struct tape_source *s, uint32_t kernel, ir_ref result,
                          struct arena *a)
{
    struct arena scratch = {0};
    struct tape_draft draft;
    struct tape *t = arena_new(a, struct tape);
    tape_draft_make(s, kernel, result, &scratch, &draft);
    t->counters = s->counters;
    tape_assign(&draft, &scratch, a, t);
    arena_free(&scratch);
    return t;
}
