// stage_math.c: elementwise builtins, of tensors as nodes and of numbers as values.
#include "frontend/stage_builtin.h"

#include <math.h>

#include "ir/build.h"

static bool is_operand(struct stage_value v)
{
    return stage_is_tensor(v) || stage_is_number(v);
}

// -- one operand ---------------------------------------------------------------------------------

// Nearest whole number, ties to even, whatever the rounding mode of the machine's library is.
static double round_even(double x)
{
    double low = floor(x), part = x - low;
    bool even = floor(low / 2.0) * 2.0 == low;
    return part < 0.5 || (part == 0.5 && even) ? low : low + 1.0;
}

// Functions that are exact on doubles; the others go through the f32 trees (spec/numerics.md).
static bool exact_double(enum ir_op op, double x, double *out)
{
    switch (op) {
    case IR_sqrt: *out = sqrt(x); return x >= 0.0;
    case IR_abs: *out = fabs(x); return true;
    case IR_floor: *out = floor(x); return true;
    case IR_ceil: *out = ceil(x); return true;
    case IR_trunc: *out = trunc(x); return true;
    case IR_round: *out = round_even(x); return true;
    default: return false;
    }
}

static struct stage_value number_unary(struct stage *s, struct stage_call *c, struct stage_value v)
{
    enum ir_op op = (enum ir_op)c->builtin->op;
    double y;
    float x;
    if (v.kind == STAGE_INT && op == IR_abs)
        return v.as.integer >= 0 ? v : stage_unary_value(s, c->at, AST_NEG, v);
    if (v.kind == STAGE_INT &&
        (op == IR_floor || op == IR_ceil || op == IR_round || op == IR_trunc))
        return v;
    if (exact_double(op, stage_number(v), &y))
        return stage_float(y);
    if (!stage_f32(s, c->at, stage_number(v), &x))
        return stage_poison();
    return stage_finite(s, c->at, (double)exact_call(stage_trees(s), op, &x, 1));
}

struct stage_value stage_math_unary(struct stage *s, struct stage_call *c)
{
    if (stage_is_number(c->arg[0]))
        return number_unary(s, c, c->arg[0]);
    if (!stage_is_tensor(c->arg[0]))
        return stage_arg_error(s, c, 0, "a tensor or a number");
    return stage_map(s, c->at, c->builtin->name, (enum ir_op)c->builtin->op, c->arg, 1);
}

// -- two operands --------------------------------------------------------------------------------

static bool check_operands(struct stage *s, struct stage_call *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!is_operand(c->arg[i])) {
            stage_arg_error(s, c, i, "a tensor or a number");
            return false;
        }
    return true;
}

struct stage_value stage_math_min_max(struct stage *s, struct stage_call *c)
{
    if (!check_operands(s, c, 2))
        return stage_poison();
    if (stage_is_tensor(c->arg[0]) || stage_is_tensor(c->arg[1]))
        return stage_map(s, c->at, c->builtin->name, (enum ir_op)c->builtin->op, c->arg, 2);
    struct stage_value less = stage_binary_value(s, c->at, AST_LT, c->arg[1], c->arg[0]);
    bool second = less.as.boolean == (c->builtin->op == IR_min);
    return c->arg[second && !stage_equal(c->arg[0], c->arg[1])];
}

// div and mod.
struct stage_value stage_math_int(struct stage *s, struct stage_call *c)
{
    if (!check_operands(s, c, 2))
        return stage_poison();
    struct stage_value a = c->arg[0], b = c->arg[1];
    if (stage_is_tensor(a) || stage_is_tensor(b)) {
        struct stage_value t = stage_is_tensor(a) ? a : b;
        enum dtype dtype = ir_type_get(s->m, stage_typeid(s, t))->dtype;
        if (dtype != DT_I32 && dtype != DT_U32)
            return stage_arg_error(s, c, stage_is_tensor(a) ? 0 : 1, "i32 or u32");
        return stage_map(s, c->at, c->builtin->name, (enum ir_op)c->builtin->op, c->arg, 2);
    }
    if (c->builtin->op == IR_rem)
        return stage_binary_value(s, c->at, AST_REM, a, b);
    if (a.kind != STAGE_INT || b.kind != STAGE_INT)
        return stage_arg_error(s, c, a.kind == STAGE_INT, "an int");
    if (b.as.integer == 0)
        return stage_fail(s, c->at, "HLX0702", "division by zero");
    if (b.as.integer == -1)
        return stage_unary_value(s, c->at, AST_NEG, a);
    return stage_int(a.as.integer / b.as.integer);
}

static int64_t bits_of(enum ir_op op, uint32_t a, uint32_t b)
{
    uint32_t r = op == IR_and   ? a & b
                 : op == IR_or  ? a | b
                 : op == IR_xor ? a ^ b
                 : op == IR_not ? ~a
                 : op == IR_shl ? a << (b & 31)
                                : a >> (b & 31);
    return r;
}

// Numbers are taken as u32, the natural habitat of bits.
static struct stage_value number_bits(struct stage *s, struct stage_call *c, unsigned n)
{
    uint32_t x[2] = {0};
    for (unsigned i = 0; i < n; i++) {
        if (c->arg[i].kind != STAGE_INT)
            return stage_arg_error(s, c, i, "an int or a tensor of ints");
        if (!stage_number_bits(s, c->arg_at[i], c->arg[i], DT_U32, &x[i]))
            return stage_poison();
    }
    return stage_int(bits_of((enum ir_op)c->builtin->op, x[0], x[1]));
}

struct stage_value stage_math_bits(struct stage *s, struct stage_call *c)
{
    unsigned n = c->builtin->op == IR_not ? 1 : 2;
    bool tensor = stage_is_tensor(c->arg[0]) || (n == 2 && stage_is_tensor(c->arg[1]));
    if (!tensor)
        return number_bits(s, c, n);
    if (!check_operands(s, c, n))
        return stage_poison();
    for (unsigned i = 0; i < n; i++)
        if (stage_is_tensor(c->arg[i]) &&
            dtype_class(ir_type_get(s->m, stage_typeid(s, c->arg[i]))->dtype) == DTC_BOOL)
            return stage_arg_error(s, c, i, "ints; bools take and, or, not");
    return stage_map(s, c->at, c->builtin->name, (enum ir_op)c->builtin->op, c->arg, n);
}

// -- choices and conversions ---------------------------------------------------------------------

// All three in one shape; broadcasting goes every way.
static struct stage_value choose(struct stage *s, struct stage_call *c)
{
    struct ir_type type = {.dtype = DT_BOOL};
    ir_ref x[3] = {stage_ref(s, c->arg_at[0], c->arg[0])};
    if (!x[0] || !stage_common(s, c->at, "where", c->arg + 1, 2, x + 1))
        return stage_poison();
    for (unsigned i = 0; i < 2; i++)
        if (!stage_widen(s, c->at, "where", &type, ir_get(s->unit->graph, x[i])->type))
            return stage_poison();
    if (!ir_shape_ok(type.rank, type.dim))
        return stage_fail(s, c->at, "HLX0410", "the result of `where` would be too large");
    ir_typeid shape = ir_type_make(s->m, DT_BOOL, type.rank, type.dim, type.name);
    for (unsigned i = 0; i < 3; i++)
        x[i] = stage_spread(s, c->at, x[i], shape);
    return stage_tensor(s, stage_node(s, c->at, IR_select, x, 3, NULL, 0, 0));
}

struct stage_value stage_math_where(struct stage *s, struct stage_call *c)
{
    if (c->arg[0].kind == STAGE_BOOL)
        return c->arg[c->arg[0].as.boolean ? 1 : 2];
    if (!stage_is_tensor(c->arg[0]) ||
        ir_type_get(s->m, stage_typeid(s, c->arg[0]))->dtype != DT_BOOL)
        return stage_arg_error(s, c, 0, "a bool tensor");
    for (unsigned i = 1; i < 3; i++)
        if (!is_operand(c->arg[i]) && c->arg[i].kind != STAGE_BOOL)
            return stage_arg_error(s, c, i, "a tensor or a number");
    return choose(s, c);
}

struct stage_value stage_cast(struct stage *s, struct span at, struct stage_value v,
                              enum dtype dtype)
{
    if (stage_is_number(v) && dtype_class(dtype) == DTC_FLOAT)
        v = stage_float(stage_number(v));
    ir_ref r = stage_lift(s, at, v, DT_COUNT);
    if (!r)
        return stage_poison();
    if (ir_typeof(s->unit->graph, r)->dtype == dtype)
        return stage_tensor(s, r);
    ir_typeid type = ir_type_with(s->m, ir_get(s->unit->graph, r)->type, dtype);
    return stage_tensor(s, stage_node(s, at, IR_cast, &r, 1, NULL, 0, type));
}

struct stage_value stage_math_cast(struct stage *s, struct stage_call *c)
{
    if (c->arg[1].kind != STAGE_TYPE)
        return stage_arg_error(s, c, 1, "an element type: f32, i32, u32, bool, f16, bf16, i8, u8");
    return stage_cast(s, c->arg_at[0], c->arg[0], c->arg[1].as.type);
}

struct stage_value stage_math_bitcast(struct stage *s, struct stage_call *c)
{
    ir_ref r;
    if (c->arg[1].kind != STAGE_TYPE)
        return stage_arg_error(s, c, 1, "an element type: f32, i32 or u32");
    if (!stage_want_tensor(s, c, 0, &r))
        return stage_poison();
    ir_typeid type = ir_type_with(s->m, ir_get(s->unit->graph, r)->type, c->arg[1].as.type);
    if (ir_typeof(s->unit->graph, r)->dtype == c->arg[1].as.type)
        return stage_tensor(s, r);
    return stage_tensor(s, stage_node(s, c->at, IR_bitcast, &r, 1, NULL, 0, type));
}
