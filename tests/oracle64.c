// oracle64.c: evaluates IR graphs node by node in double precision.
#include "tests/oracle64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    const struct ir_graph *g;
    const double *const *inputs;
    double **value;
    ir_ref r; // node being computed
    struct ir_type type;
    double *out;
};

// -- indices -------------------------------------------------------------------------------------

static void unravel(const struct ir_type *t, int64_t flat, int64_t index[IR_MAX_RANK])
{
    for (unsigned i = t->rank; i-- > 0;) {
        index[i] = flat % t->dim[i];
        flat /= t->dim[i];
    }
}

static int64_t ravel(const struct ir_type *t, const int64_t *index)
{
    int64_t flat = 0;
    for (unsigned i = 0; i < t->rank; i++)
        flat = flat * t->dim[i] + index[i];
    return flat;
}

static const struct ir_type *arg_type(const struct oracle *o, unsigned i)
{
    return ir_typeof(o->g, ir_arg(o->g, o->r, i));
}

static const double *arg(const struct oracle *o, unsigned i)
{
    return o->value[ir_arg(o->g, o->r, i)];
}

static int64_t attr(const struct oracle *o, unsigned i)
{
    return ir_attr(o->g, o->r, i);
}

// -- elementwise ---------------------------------------------------------------------------------

static double wrap(enum dtype t, double x)
{
    if (t == DT_I32)
        return (double)(int32_t)(uint32_t)(int64_t)x;
    return t == DT_U32 ? (double)(uint32_t)(int64_t)x : x;
}

static double rule_cast(double x, enum dtype from, enum dtype to)
{
    static const double low[DT_COUNT] = {[DT_I32] = -2147483648.0, [DT_I8] = -128};
    static const double high[DT_COUNT] = {
        [DT_I32] = 2147483647.0, [DT_U32] = 4294967295.0, [DT_I8] = 127, [DT_U8] = 255};
    (void)from;
    if (to == DT_BOOL)
        return x != 0;
    if (dtype_class(to) == DTC_FLOAT || dtype_class(to) == DTC_SMALL_FLOAT)
        return x;
    return isnan(x) ? 0 : fmin(fmax(trunc(x), low[to]), high[to]);
}

static double rule_bitcast(double x, enum dtype from, enum dtype to)
{
    uint32_t bits;
    float f = (float)x;
    if (from == DT_F32)
        memcpy(&bits, &f, 4);
    else
        bits = (uint32_t)(int64_t)x;
    memcpy(&f, &bits, 4);
    return to == DT_F32 ? (double)f : wrap(to, (double)bits);
}

static int64_t whole(double x)
{
    return (int64_t)x;
}

static uint32_t word(double x)
{
    return (uint32_t)(int64_t)x;
}

static double shift_right(double a, double b, enum dtype t)
{
    return t == DT_I32 ? (double)(whole(a) >> (word(b) & 31)) : (double)(word(a) >> (word(b) & 31));
}

static double divide(double a, double b, enum dtype t)
{
    if (t == DT_F32)
        return a / b;
    return b == 0 ? 0 : wrap(t, trunc(a / b));
}

static double remainder_of(double a, double b)
{
    return b == 0 ? 0 : fmod(a, b);
}

static double one_operand(enum ir_op op, double a, enum dtype from, enum dtype to)
{
    switch (op) {
    case IR_neg: return wrap(from, -a);
    case IR_abs: return wrap(from, fabs(a));
    case IR_floor: return floor(a);
    case IR_ceil: return ceil(a);
    case IR_trunc: return trunc(a);
    case IR_round: return rint(a);
    case IR_sqrt: return sqrt(a);
    case IR_rsqrt: return 1 / sqrt(a);
    case IR_exp: return exp(a);
    case IR_exp2: return exp2(a);
    case IR_expm1: return expm1(a);
    case IR_log: return log(a);
    case IR_log1p: return log1p(a);
    case IR_sin: return sin(a);
    case IR_cos: return cos(a);
    case IR_tanh: return tanh(a);
    case IR_sigmoid: return 1 / (1 + exp(-a));
    case IR_erf: return erf(a);
    case IR_not: return from == DT_BOOL ? a == 0 : wrap(from, (double)~word(a));
    case IR_cast: return rule_cast(a, from, to);
    case IR_bitcast: return rule_bitcast(a, from, to);
    default: return NAN;
    }
}

static double two_operands(enum ir_op op, double a, double b, enum dtype t)
{
    switch (op) {
    case IR_add: return wrap(t, a + b);
    case IR_sub: return wrap(t, a - b);
    case IR_mul: return t == DT_F32 ? a * b : wrap(t, (double)(word(a) * word(b)));
    case IR_div: return divide(a, b, t);
    case IR_rem: return remainder_of(a, b);
    case IR_pow: return pow(a, b);
    case IR_min: return a < b ? a : b;
    case IR_max: return a > b ? a : b;
    case IR_and: return wrap(t, (double)(word(a) & word(b)));
    case IR_or: return wrap(t, (double)(word(a) | word(b)));
    case IR_xor: return wrap(t, (double)(word(a) ^ word(b)));
    case IR_shl: return wrap(t, (double)(word(a) << (word(b) & 31)));
    case IR_shr: return shift_right(a, b, t);
    case IR_mul_hi: return (double)((uint64_t)word(a) * word(b) >> 32);
    case IR_eq: return a == b;
    case IR_ne: return a != b;
    case IR_lt: return a < b;
    case IR_le: return a <= b;
    default: return NAN;
    }
}

static void run_map(struct oracle *o)
{
    enum ir_op op = ir_opcode(o->g, o->r);
    unsigned nargs = ir_get(o->g, o->r)->nargs;
    enum dtype from = arg_type(o, 0)->dtype;
    for (int64_t i = 0; i < ir_type_count(&o->type); i++) {
        if (nargs == 1)
            o->out[i] = one_operand(op, arg(o, 0)[i], from, o->type.dtype);
        else if (nargs == 2)
            o->out[i] = two_operands(op, arg(o, 0)[i], arg(o, 1)[i], from);
        else
            o->out[i] = arg(o, 0)[i] != 0 ? arg(o, 1)[i] : arg(o, 2)[i];
    }
}

// -- leaves --------------------------------------------------------------------------------------

static double from_bits(enum dtype t, uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return t == DT_F32 ? (double)f : wrap(t, (double)bits);
}

static void run_leaf(struct oracle *o)
{
    int64_t index[IR_MAX_RANK] = {0};
    enum ir_op op = ir_opcode(o->g, o->r);
    for (int64_t i = 0; i < ir_type_count(&o->type); i++) {
        unravel(&o->type, i, index);
        if (op == IR_const)
            o->out[i] = from_bits(o->type.dtype, (uint32_t)attr(o, (unsigned)i));
        else if (op == IR_input)
            o->out[i] = o->inputs[attr(o, 0)][i];
        else
            o->out[i] = op == IR_iota ? (double)index[attr(o, 0)] : NAN;
    }
}

// -- reductions and matmul -----------------------------------------------------------------------

static bool better(enum ir_op op, double x, double best)
{
    return op == IR_reduce_min ? x < best : x > best;
}

static void run_reduce(struct oracle *o)
{
    const struct ir_type *from = arg_type(o, 0);
    const struct ir_node *n = ir_get(o->g, o->r);
    enum ir_op op = ir_opcode(o->g, o->r);
    int64_t count = ir_type_count(&o->type), index[IR_MAX_RANK], kept[IR_MAX_RANK];
    double *best = calloc((size_t)count, sizeof *best);
    bool *seen = calloc((size_t)count, sizeof *seen);
    for (int64_t i = 0; i < ir_type_count(from); i++) {
        unsigned rank = 0, next = 0;
        unravel(from, i, index);
        for (unsigned k = 0; k < from->rank; k++) {
            if (next < n->nattrs && attr(o, next) == (int64_t)k)
                next++;
            else
                kept[rank++] = index[k];
        }
        int64_t at = ravel(&o->type, kept);
        double x = arg(o, 0)[i];
        if (op == IR_sum) {
            o->out[at] += x;
        } else if (!seen[at] || better(op, x, best[at])) {
            best[at] = x;
            o->out[at] = op == IR_argmax ? (double)index[attr(o, 0)] : x;
        }
        seen[at] = true;
    }
    free(best);
    free(seen);
}

static void run_matmul(struct oracle *o)
{
    const struct ir_type *a = arg_type(o, 0), *b = arg_type(o, 1);
    unsigned rank = a->rank;
    bool ta = attr(o, 0), tb = attr(o, 1);
    int64_t index[IR_MAX_RANK], at[IR_MAX_RANK], bt[IR_MAX_RANK];
    int64_t inner = a->dim[ta ? rank - 2 : rank - 1];
    for (int64_t i = 0; i < ir_type_count(&o->type); i++) {
        unravel(&o->type, i, index);
        memcpy(at, index, sizeof at);
        memcpy(bt, index, sizeof bt);
        for (int64_t k = 0; k < inner; k++) {
            at[ta ? rank - 1 : rank - 2] = index[rank - 2];
            at[ta ? rank - 2 : rank - 1] = k;
            bt[tb ? rank - 2 : rank - 1] = index[rank - 1];
            bt[tb ? rank - 1 : rank - 2] = k;
            o->out[i] += arg(o, 0)[ravel(a, at)] * arg(o, 1)[ravel(b, bt)];
        }
    }
}

// -- moves and gathers ---------------------------------------------------------------------------

// Result element `index` of a move as an element of the first operand, or -1 for the fill of a pad.
static int64_t moved_from(const struct oracle *o, const int64_t *index)
{
    const struct ir_type *from = arg_type(o, 0);
    int64_t at[IR_MAX_RANK] = {0};
    enum ir_op op = ir_opcode(o->g, o->r);
    for (unsigned i = 0; i < from->rank; i++) {
        if (op == IR_transpose) {
            at[attr(o, i)] = index[i];
        } else if (op == IR_broadcast) {
            at[i] = from->dim[i] == 1 ? 0 : index[i + o->type.rank - from->rank];
        } else if (op == IR_slice) {
            at[i] = attr(o, 3 * i) + index[i] * attr(o, 3 * i + 2);
        } else {
            int64_t offset = index[i] - attr(o, 3 * i), step = attr(o, 3 * i + 2) + 1;
            if (offset < 0 || offset % step || offset / step >= from->dim[i])
                return -1;
            at[i] = offset / step;
        }
    }
    return ravel(from, at);
}

static double concat_at(const struct oracle *o, int64_t *index)
{
    int64_t axis = attr(o, 0), at = index[axis];
    for (unsigned i = 0;; i++) {
        const struct ir_type *t = arg_type(o, i);
        index[axis] = at;
        if (at < t->dim[axis])
            return arg(o, i)[ravel(t, index)];
        at -= t->dim[axis];
    }
}

static void run_move(struct oracle *o)
{
    enum ir_op op = ir_opcode(o->g, o->r);
    int64_t index[IR_MAX_RANK] = {0};
    for (int64_t i = 0; i < ir_type_count(&o->type); i++) {
        unravel(&o->type, i, index);
        if (op == IR_concat) {
            o->out[i] = concat_at(o, index);
            continue;
        }
        int64_t from = op == IR_reshape ? i : moved_from(o, index);
        o->out[i] = from < 0 ? arg(o, 1)[0] : arg(o, 0)[from];
    }
}

static void run_gather(struct oracle *o)
{
    bool gather = ir_opcode(o->g, o->r) == IR_gather_rows;
    const struct ir_type *table = gather ? arg_type(o, 0) : &o->type;
    const struct ir_type *indices = arg_type(o, gather ? 1 : 0);
    const double *index = arg(o, gather ? 1 : 0);
    int64_t row = ir_type_count(table) / table->dim[0];
    for (int64_t i = 0; i < ir_type_count(indices); i++) {
        if (index[i] < 0 || index[i] >= (double)table->dim[0])
            continue;
        for (int64_t k = 0; k < row; k++)
            if (gather)
                o->out[i * row + k] = arg(o, 0)[(int64_t)index[i] * row + k];
            else
                o->out[(int64_t)index[i] * row + k] += arg(o, 1)[i * row + k];
    }
}

// -- the graph -----------------------------------------------------------------------------------

static void run_meta(struct oracle *o)
{
    memcpy(o->out, arg(o, 0), (size_t)ir_type_count(&o->type) * sizeof *o->out);
}

static bool can_run(const struct oracle *o)
{
    enum ir_op op = ir_opcode(o->g, o->r);
    unsigned nargs = op == IR_custom ? 1 : ir_get(o->g, o->r)->nargs;
    for (unsigned i = 0; i < nargs; i++)
        if (!arg(o, i))
            return false;
    return op != IR_grad && op != IR_cotangent;
}

double **oracle64(const struct ir_graph *g, const double *const *inputs, struct arena *a)
{
    static void (*const run[])(struct oracle *) = {
        [IRC_LEAF] = run_leaf,     [IRC_MAP] = run_map,   [IRC_REDUCE] = run_reduce,
        [IRC_MATMUL] = run_matmul, [IRC_MOVE] = run_move, [IRC_GATHER] = run_gather,
        [IRC_ACROSS] = run_meta, // of one shard
        [IRC_META] = run_meta,
    };
    struct oracle o = {.g = g, .inputs = inputs};
    o.value = arena_array(a, g->nodes.n, sizeof *o.value);
    for (o.r = 1; o.r < g->nodes.n; o.r++) {
        if (!can_run(&o))
            continue;
        o.type = *ir_typeof(g, o.r);
        o.out = o.value[o.r] = arena_array(a, (size_t)ir_type_count(&o.type), sizeof *o.out);
        run[ir_op_info(ir_opcode(g, o.r))->class](&o);
    }
    return o.value;
}
