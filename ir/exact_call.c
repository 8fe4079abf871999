// exact_call.c: applies an exact function to compile-time floats by walking its tree.
#include "ir/exact.h"

#include "ir/build.h"
#include "ir/lanes.h"

// -- one lane of each operation, on words --------------------------------------------------------

typedef uint32_t (*lane_fn)(uint32_t a, uint32_t b, uint32_t c);

enum { no = 0, tree = 0 }; // what ops.def says where there is no expression

static inline uint32_t word_f32(float a)
{
    return f32_bits(a);
}
static inline uint32_t word_i32(int32_t a)
{
    return (uint32_t)a;
}
static inline uint32_t word_u32(uint32_t a)
{
    return a;
}

#define WORD(x) _Generic((x), float : word_f32, int : word_i32, uint32_t : word_u32)(x)

#define LANE(name, type, load, expression)                                                         \
    static uint32_t name(uint32_t wa, uint32_t wb, uint32_t wc)                                    \
    {                                                                                              \
        type a = load(wa), b = load(wb), c = load(wc);                                             \
        (void)a, (void)b, (void)c;                                                                 \
        return WORD(expression);                                                                   \
    }

// Only rows of class MAP have expressions.
#define LANES_MAP(name, f, i, u, b)                                                                \
    LANE(call_f32_##name, float, f32_of_bits, f)                                                   \
    LANE(call_i32_##name, int32_t, (int32_t), i)                                                   \
    LANE(call_u32_##name, uint32_t, , u)                                                           \
    LANE(call_bool_##name, uint32_t, , b)
#define LANES_LEAF(name, f, i, u, b)
#define LANES_REDUCE(name, f, i, u, b)
#define LANES_MATMUL(name, f, i, u, b)
#define LANES_MOVE(name, f, i, u, b)
#define LANES_GATHER(name, f, i, u, b)
#define LANES_ACROSS(name, f, i, u, b)
#define LANES_META(name, f, i, u, b)
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc)                           \
    LANES_##class(name, f, i, u, b)
#include "ir/ops.def"
#undef OP

LANE(choose, uint32_t, , (a ? b : c))
LANE(float_to_signed, float, f32_of_bits, i32_of_f32(a))
LANE(float_to_unsigned, float, f32_of_bits, u32_of_f32(a))
LANE(signed_to_float, int32_t, (int32_t), f32_of_i32(a))
LANE(unsigned_to_float, uint32_t, , f32_of_u32(a))

#define ROW_MAP(name)                                                                              \
    [IR_##name] = {call_f32_##name, call_i32_##name, call_u32_##name, call_bool_##name},
#define ROW_LEAF(name)
#define ROW_REDUCE(name)
#define ROW_MATMUL(name)
#define ROW_MOVE(name)
#define ROW_GATHER(name)
#define ROW_ACROSS(name)
#define ROW_META(name)
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) ROW_##class(name)
static const lane_fn lanes[IR_OP_COUNT][4] = {
#include "ir/ops.def"
};
#undef OP

// -- walking -------------------------------------------------------------------------------------

static lane_fn lane_of(const struct ir_graph *g, ir_ref r)
{
    static const unsigned column[DT_COUNT] = {
        [DT_F32] = 0, [DT_I32] = 1, [DT_U32] = 2, [DT_BOOL] = 3};
    enum ir_op op = ir_opcode(g, r);
    enum dtype from = ir_typeof(g, ir_arg(g, r, 0))->dtype, to = ir_typeof(g, r)->dtype;
    if (op == IR_select)
        return choose;
    if (op != IR_cast)
        return lanes[op][column[from]];
    if (from == DT_F32)
        return to == DT_I32 ? float_to_signed : float_to_unsigned;
    return from == DT_I32 ? signed_to_float : unsigned_to_float;
}

enum { MAX_NODES = 512 };

// Not inlined: it depends on the mode that its caller sets.
__attribute__((noinline)) static uint32_t walk(const struct exact_tree *t, const uint32_t *args)
{
    const struct ir_graph *g = t->graph;
    uint32_t word[MAX_NODES], result = 0;
    for (ir_ref r = 1; r <= t->value; r++) {
        enum ir_op op = ir_opcode(g, r);
        if (op == IR_const || op == IR_input) {
            uint32_t attr = (uint32_t)ir_attr(g, r, 0);
            result = word[r] = op == IR_const ? attr : args[attr];
            continue;
        }
        unsigned n = ir_get(g, r)->nargs;
        uint32_t a = word[ir_arg(g, r, 0)];
        uint32_t b = n > 1 ? word[ir_arg(g, r, 1)] : 0, c = n > 2 ? word[ir_arg(g, r, 2)] : 0;
        result = word[r] = lane_of(g, r)(a, b, c);
    }
    return result;
}

uint32_t exact_run(const struct exact_tree *t, const uint32_t *args)
{
    if (t->value >= MAX_NODES)
        IR_BUG("a tree of %u nodes", t->value);
    unsigned mode = flush_begin();
    uint32_t word = walk(t, args);
    flush_end(mode);
    return word;
}

float exact_call(struct exact_trees *t, enum ir_op op, const float *args, unsigned nargs)
{
    const struct exact_tree *tree_of_op = exact_get(t, op, DT_F32, DT_F32);
    uint32_t words[3];
    if (nargs != tree_of_op->nargs)
        IR_BUG("`%s` does not take %u operands", ir_op_info(op)->name, nargs);
    for (unsigned i = 0; i < nargs; i++)
        words[i] = f32_flush_bits(f32_bits(args[i]));
    uint32_t word = exact_run(tree_of_op, words);
    if (ir_typeof(tree_of_op->graph, tree_of_op->value)->dtype == DT_BOOL)
        return word ? 1.0f : 0.0f;
    return f32_of_bits(f32_canon_bits(word));
}
