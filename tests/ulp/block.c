// block.c: a small register machine for trees: one loop over a block of lanes per node.
#include "tests/ulp/block.h"

#include <stdlib.h>
#include <string.h>

#include "ir/build.h"
#include "ir/lanes.h"

typedef void (*loop)(uint32_t *restrict r, const uint32_t *a, const uint32_t *b, const uint32_t *c);

// -- one loop for each operation and lane type ---------------------------------------------------

enum { no = 0, tree = 0 }; // what ops.def says where there is no expression

static inline uint32_t i32_bits(int32_t a)
{
    return (uint32_t)a;
}
static inline uint32_t u32_bits(uint32_t a)
{
    return a;
}
static inline uint32_t u32_of_bits(uint32_t u)
{
    return u;
}
static inline int32_t i32_of_bits(uint32_t u)
{
    return (int32_t)u;
}

#define BITS(x) _Generic((x), float : f32_bits, int : i32_bits, uint32_t : u32_bits)(x)

#define LOOP(name, type, load, expression)                                                         \
    static void name(uint32_t *restrict r, const uint32_t *pa, const uint32_t *pb,                 \
                     const uint32_t *pc)                                                           \
    {                                                                                              \
        for (int k = 0; k < BLOCK_LANES; k++) {                                                    \
            type a = load(pa[k]), b = load(pb[k]), c = load(pc[k]);                                \
            (void)a, (void)b, (void)c;                                                             \
            r[k] = BITS(expression);                                                               \
        }                                                                                          \
    }

#define LOOPS_MAP(name, f, i, u, b)                                                                \
    LOOP(f32_loop_##name, float, f32_of_bits, f)                                                   \
    LOOP(i32_loop_##name, int32_t, i32_of_bits, i)                                                 \
    LOOP(u32_loop_##name, uint32_t, u32_of_bits, u)                                                \
    LOOP(bool_loop_##name, uint32_t, u32_of_bits, b)
#define LOOPS_LEAF(name, f, i, u, b)
#define LOOPS_REDUCE(name, f, i, u, b)
#define LOOPS_MATMUL(name, f, i, u, b)
#define LOOPS_MOVE(name, f, i, u, b)
#define LOOPS_GATHER(name, f, i, u, b)
#define LOOPS_ACROSS(name, f, i, u, b)
#define LOOPS_META(name, f, i, u, b)
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc)                           \
    LOOPS_##class(name, f, i, u, b)
#include "ir/ops.def"
#undef OP

LOOP(choose, uint32_t, u32_of_bits, (a ? b : c))
LOOP(float_to_signed, float, f32_of_bits, i32_of_f32(a))
LOOP(float_to_unsigned, float, f32_of_bits, u32_of_f32(a))
LOOP(signed_to_float, int32_t, i32_of_bits, f32_of_i32(a))
LOOP(unsigned_to_float, uint32_t, u32_of_bits, f32_of_u32(a))

#define ROWS_MAP(name)                                                                             \
    [IR_##name] = {f32_loop_##name, i32_loop_##name, u32_loop_##name, bool_loop_##name},
#define ROWS_LEAF(name)
#define ROWS_REDUCE(name)
#define ROWS_MATMUL(name)
#define ROWS_MOVE(name)
#define ROWS_GATHER(name)
#define ROWS_ACROSS(name)
#define ROWS_META(name)
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) ROWS_##class(name)
static const loop loops[IR_OP_COUNT][4] = {
#include "ir/ops.def"
};
#undef OP

// -- compiling -----------------------------------------------------------------------------------

struct step {
    loop run;
    uint32_t to, from[3]; // registers
};

struct block_program {
    struct step *steps;
    size_t nsteps;
    uint32_t *constants; // of registers NARGS ...
    uint32_t nconstants;
    uint32_t nregs;
    uint32_t value; // register of the result
};

enum { NARGS = 2 }; // the first registers

static unsigned lane_of(enum dtype t)
{
    return t == DT_F32 ? 0 : t == DT_I32 ? 1 : t == DT_U32 ? 2 : 3;
}

static loop loop_of(const struct ir_graph *g, ir_ref r)
{
    enum ir_op op = ir_opcode(g, r);
    enum dtype from = ir_typeof(g, ir_arg(g, r, 0))->dtype, to = ir_typeof(g, r)->dtype;
    if (op == IR_select)
        return choose;
    if (op != IR_cast)
        return loops[op][lane_of(from)];
    if (from == DT_F32)
        return to == DT_I32 ? float_to_signed : float_to_unsigned;
    return from == DT_I32 ? signed_to_float : unsigned_to_float;
}

static bool is_step(const struct ir_graph *g, ir_ref r)
{
    enum ir_op op = ir_opcode(g, r);
    return op != IR_input && op != IR_const && op != IR_bitcast;
}

unsigned block_ops(const struct exact_tree *t)
{
    unsigned n = 0;
    for (ir_ref r = 1; r < t->graph->nodes.n; r++)
        n += is_step(t->graph, r);
    return n;
}

struct compiler {
    const struct ir_graph *g;
    struct block_program *p;
    ir_ref *same;   // node -> the node whose register it shares (bitcasts)
    ir_ref *last;   // node -> the last node that reads it
    uint32_t *reg;  // node -> register
    uint32_t *free; // registers that can be used again
    size_t nfree;
};

static void find_uses(struct compiler *c, ir_ref value)
{
    for (ir_ref r = 1; r < c->g->nodes.n; r++) {
        c->same[r] = ir_opcode(c->g, r) == IR_bitcast ? c->same[ir_arg(c->g, r, 0)] : r;
        for (unsigned i = 0; i < ir_get(c->g, r)->nargs; i++)
            c->last[c->same[ir_arg(c->g, r, i)]] = r;
    }
    c->last[c->same[value]] = UINT32_MAX;
}

static void place_leaves(struct compiler *c)
{
    c->p->nregs = NARGS;
    for (ir_ref r = 1; r < c->g->nodes.n; r++) {
        if (ir_opcode(c->g, r) == IR_input)
            c->reg[r] = (uint32_t)ir_attr(c->g, r, 0);
        if (ir_opcode(c->g, r) == IR_const) {
            c->p->constants[c->p->nconstants++] = (uint32_t)ir_attr(c->g, r, 0);
            c->reg[r] = c->p->nregs++;
        }
    }
}

static void emit(struct compiler *c, ir_ref r)
{
    struct step s = {.run = loop_of(c->g, r)};
    unsigned nargs = ir_get(c->g, r)->nargs;
    for (unsigned i = 0; i < 3; i++)
        s.from[i] = c->reg[c->same[ir_arg(c->g, r, i < nargs ? i : 0)]];
    s.to = c->nfree ? c->free[--c->nfree] : c->p->nregs++;
    c->reg[r] = s.to;
    c->p->steps[c->p->nsteps++] = s;
}

// Frees the registers of operands that node r reads last.
static void release(struct compiler *c, ir_ref r)
{
    for (unsigned i = 0; i < ir_get(c->g, r)->nargs; i++) {
        ir_ref a = c->same[ir_arg(c->g, r, i)];
        if (c->last[a] == r && is_step(c->g, a)) {
            c->last[a] = 0; // once, also where it is both operands
            c->free[c->nfree++] = c->reg[a];
        }
    }
}

struct block_program *block_new(const struct exact_tree *t)
{
    size_t n = t->graph->nodes.n;
    struct block_program *p = calloc(1, sizeof *p);
    struct compiler c = {t->graph,
                         p,
                         calloc(n, sizeof(ir_ref)),
                         calloc(n, sizeof(ir_ref)),
                         calloc(n, sizeof(uint32_t)),
                         calloc(n, sizeof(uint32_t)),
                         0};
    p->steps = calloc(n, sizeof *p->steps);
    p->constants = calloc(n, sizeof *p->constants);
    find_uses(&c, t->value);
    place_leaves(&c);
    for (ir_ref r = 1; r < n; r++)
        if (is_step(t->graph, r)) {
            emit(&c, r);
            release(&c, r);
        }
    p->value = c.reg[c.same[t->value]];
    free(c.same);
    free(c.last);
    free(c.reg);
    free(c.free);
    return p;
}

void block_free(struct block_program *p)
{
    free(p->steps);
    free(p->constants);
    free(p);
}

// -- running -------------------------------------------------------------------------------------

uint32_t *block_registers(const struct block_program *p)
{
    uint32_t *regs = calloc((size_t)p->nregs * BLOCK_LANES, sizeof *regs);
    for (uint32_t i = 0; regs && i < p->nconstants; i++)
        for (unsigned k = 0; k < BLOCK_LANES; k++)
            regs[(NARGS + i) * BLOCK_LANES + k] = p->constants[i];
    return regs;
}

static void run(const struct block_program *p, uint32_t *regs)
{
    for (size_t i = 0; i < p->nsteps; i++) {
        const struct step *s = &p->steps[i];
        s->run(regs + (size_t)s->to * BLOCK_LANES, regs + (size_t)s->from[0] * BLOCK_LANES,
               regs + (size_t)s->from[1] * BLOCK_LANES, regs + (size_t)s->from[2] * BLOCK_LANES);
    }
}

void block_run(const struct block_program *p, uint32_t *registers, const uint32_t *const args[2],
               uint32_t *out, bool flush)
{
    for (unsigned i = 0; i < NARGS; i++)
        if (args[i])
            memcpy(registers + i * BLOCK_LANES, args[i], BLOCK_LANES * sizeof *registers);
    if (flush) {
        unsigned mode = flush_begin();
        run(p, registers);
        flush_end(mode);
    } else {
        run(p, registers);
    }
    memcpy(out, registers + (size_t)p->value * BLOCK_LANES, BLOCK_LANES * sizeof *out);
}
