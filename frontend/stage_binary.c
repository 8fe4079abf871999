// stage_binary.c: evaluates operators on compile-time values and stages those on tensors.
#include "frontend/stage.h"

#include <math.h>
#include <string.h>

#include "ir/build.h"

static struct stage_value wrong_kinds(struct stage *s, struct span at, enum ast_operator op,
                                      struct stage_value a, struct stage_value b)
{
    struct diag *g =
        stage_error(s, at, "HLX0405", "`%s` cannot take %s and %s", ast_operator_text(op),
                    stage_kind_text(s->m, a), stage_kind_text(s->m, b));
    if (op == AST_ADD && (a.kind == STAGE_TEXT || b.kind == STAGE_TEXT))
        diag_help(g, "str(x) makes a text of any value");
    if ((stage_is_tensor(a) && stage_is_list(b)) || (stage_is_list(a) && stage_is_tensor(b)))
        diag_help(g, "tensor([...]) makes a constant tensor of an array");
    return stage_poison();
}

// -- arithmetic at compile time ------------------------------------------------------------------

static struct stage_value overflow(struct stage *s, struct span at, enum ast_operator op, int64_t a,
                                   int64_t b)
{
    return stage_fail(s, at, "HLX0701", "%lld %s %lld does not fit into 64 bits", (long long)a,
                      ast_operator_text(op), (long long)b);
}

static struct stage_value div_zero(struct stage *s, struct span at)
{
    return stage_fail(s, at, "HLX0702", "division by zero");
}

// Numbers as doubles; also the quotient of two ints.
static struct stage_value float_arith(struct stage *s, struct span at, enum ast_operator op,
                                      double a, double b)
{
    if (op == AST_DIV && b == 0.0)
        return div_zero(s, at);
    return stage_finite(s, at,
                        op == AST_ADD   ? a + b
                        : op == AST_SUB ? a - b
                        : op == AST_MUL ? a * b
                                        : a / b);
}

static struct stage_value int_arith(struct stage *s, struct span at, enum ast_operator op,
                                    int64_t a, int64_t b)
{
    int64_t r = 0;
    bool bad = op == AST_ADD   ? __builtin_add_overflow(a, b, &r)
               : op == AST_SUB ? __builtin_sub_overflow(a, b, &r)
                               : __builtin_mul_overflow(a, b, &r);
    return bad ? overflow(s, at, op, a, b) : stage_int(r);
}

static struct stage_value remainder_of(struct stage *s, struct span at, struct stage_value a,
                                       struct stage_value b)
{
    if (a.kind != STAGE_INT || b.kind != STAGE_INT)
        return wrong_kinds(s, at, AST_REM, a, b);
    if (b.as.integer == 0)
        return div_zero(s, at);
    return stage_int(b.as.integer == -1 ? 0 : a.as.integer % b.as.integer);
}

static struct stage_value numbers(struct stage *s, struct span at, enum ast_operator op,
                                  struct stage_value a, struct stage_value b)
{
    if (op == AST_REM)
        return remainder_of(s, at, a, b);
    if (a.kind == STAGE_INT && b.kind == STAGE_INT && op != AST_DIV)
        return int_arith(s, at, op, a.as.integer, b.as.integer);
    return float_arith(s, at, op, stage_number(a), stage_number(b));
}

// -- text, bytes, arrays -------------------------------------------------------------------------

static struct stage_value too_long(struct stage *s, struct span at)
{
    return stage_fail(s, at, "HLX0706", "the result of `+` is too long");
}

// Only then can the end of one text and the start of another make a character in form C.
static bool starts_beyond_ascii(struct stage_value v)
{
    return v.as.text.n > 0 && (unsigned char)v.as.text.at[0] >= 0x80;
}

static struct stage_value join_text(struct stage *s, struct span at, struct stage_value a,
                                    struct stage_value b)
{
    size_t n = a.as.text.n + b.as.text.n;
    if (n > STAGE_MAX_LENGTH)
        return too_long(s, at);
    char *bytes = arena_alloc(s->a, n + 1);
    memcpy(bytes, a.as.text.at, a.as.text.n);
    memcpy(bytes + a.as.text.n, b.as.text.at, b.as.text.n);
    const char *made = bytes;
    if (a.kind == STAGE_TEXT && starts_beyond_ascii(b))
        made = text_nfc(s->a, bytes, n, &n);
    a.as.text.at = made ? made : bytes; // not UTF-8, from -D: refused where it is stored
    a.as.text.n = n;
    return a;
}

static struct stage_value join_lists(struct stage *s, struct span at, struct stage_value a,
                                     struct stage_value b)
{
    if (stage_count(a) + stage_count(b) > STAGE_MAX_LENGTH)
        return too_long(s, at);
    struct stage_value v = stage_join_lists(s->a, a, b);
    stage_check_size(s, at, &v);
    return v;
}

// -- comparisons ---------------------------------------------------------------------------------

static bool order_holds(enum ast_operator op, int order)
{
    return op == AST_LT   ? order < 0
           : op == AST_LE ? order <= 0
           : op == AST_GT ? order > 0
                          : order >= 0;
}

static int compare_texts(struct stage_value a, struct stage_value b)
{
    size_t n = a.as.text.n < b.as.text.n ? a.as.text.n : b.as.text.n;
    int order = memcmp(a.as.text.at, b.as.text.at, n);
    return order ? order : (a.as.text.n > b.as.text.n) - (a.as.text.n < b.as.text.n);
}

static struct stage_value compare(struct stage *s, struct span at, enum ast_operator op,
                                  struct stage_value a, struct stage_value b)
{
    stage_charge(s, stage_size(a).weight);
    if (op == AST_EQ || op == AST_NE)
        return stage_bool(stage_equal(a, b) == (op == AST_EQ));
    if (a.kind == STAGE_INT && b.kind == STAGE_INT)
        return stage_bool(
            order_holds(op, (a.as.integer > b.as.integer) - (a.as.integer < b.as.integer)));
    if (stage_is_number(a) && stage_is_number(b)) {
        double x = stage_number(a), y = stage_number(b);
        return stage_bool(order_holds(op, (x > y) - (x < y)));
    }
    if (a.kind == STAGE_TEXT && b.kind == STAGE_TEXT)
        return stage_bool(order_holds(op, compare_texts(a, b)));
    return wrong_kinds(s, at, op, a, b);
}

// -- tensors -------------------------------------------------------------------------------------

static const struct {
    enum ir_op op;
    bool swap;
} tensor_ops[] = {
    [AST_OR] = {IR_or, false},   [AST_AND] = {IR_and, false}, [AST_EQ] = {IR_eq, false},
    [AST_NE] = {IR_ne, false},   [AST_LT] = {IR_lt, false},   [AST_LE] = {IR_le, false},
    [AST_GT] = {IR_lt, true},    [AST_GE] = {IR_le, true},    [AST_ADD] = {IR_add, false},
    [AST_SUB] = {IR_sub, false}, [AST_MUL] = {IR_mul, false}, [AST_DIV] = {IR_div, false},
    [AST_REM] = {IR_rem, false},
};

static enum dtype dtype_of(const struct stage *s, struct stage_value v)
{
    return ir_type_get(s->m, stage_typeid(s, v))->dtype;
}

// `and`, `or`, `not` take truth values only: bits have functions of their own.
static bool check_bool(struct stage *s, struct span at, enum ast_operator op, struct stage_value v)
{
    if (v.kind == STAGE_BOOL || v.kind == STAGE_POISON)
        return true;
    if (stage_is_tensor(v) && dtype_of(s, v) == DT_BOOL)
        return true;
    struct diag *g = stage_error(s, at, "HLX0405", "`%s` takes bools, not %s",
                                 ast_operator_text(op), stage_type_text(s->m, v));
    if (stage_is_tensor(v))
        diag_help(g, "compare it: x != 0; for bits there are bit_and, bit_or and bit_not");
    return false;
}

static bool check_quotient(struct stage *s, struct span at, struct stage_value a,
                           struct stage_value b)
{
    struct stage_value t = stage_is_tensor(a) ? a : b;
    enum dtype_class class = dtype_class(dtype_of(s, t));
    if (class != DTC_INT && class != DTC_SMALL_INT)
        return true;
    struct diag *g = stage_error(s, at, "HLX0405", "`/` gives floats, and %s holds ints",
                                 stage_type_text(s->m, t));
    diag_help(g, "div(a, b) divides ints; f32(a) / f32(b) divides as floats");
    return false;
}

// Arithmetic and order are for numbers.
static bool check_numbers(struct stage *s, struct span at, enum ast_operator op,
                          struct stage_value a, struct stage_value b)
{
    struct stage_value t = stage_is_tensor(a) ? a : b;
    if (op == AST_AND || op == AST_OR || op == AST_EQ || op == AST_NE || dtype_of(s, t) != DT_BOOL)
        return true;
    struct diag *g = stage_error(s, at, "HLX0405", "`%s` takes numbers, not %s",
                                 ast_operator_text(op), stage_type_text(s->m, t));
    diag_help(g, "f32(x) makes 0.0 and 1.0 of bools, i32(x) makes 0 and 1");
    return false;
}

static struct stage_value tensors(struct stage *s, struct span at, enum ast_operator op,
                                  struct stage_value a, struct stage_value b)
{
    if ((op == AST_AND || op == AST_OR) && (!check_bool(s, at, op, a) || !check_bool(s, at, op, b)))
        return stage_poison();
    if (!check_numbers(s, at, op, a, b) || (op == AST_DIV && !check_quotient(s, at, a, b)))
        return stage_poison();
    struct stage_value v[2] = {a, b};
    ir_ref r[2];
    if (!stage_common(s, at, ast_operator_text(op), v, 2, r))
        return stage_poison();
    ir_ref swapped[2] = {r[1], r[0]};
    return stage_tensor(
        s, stage_node(s, at, tensor_ops[op].op, tensor_ops[op].swap ? swapped : r, 2, NULL, 0, 0));
}

// What can stand with a tensor in an elementwise operation.
static bool is_operand(struct stage_value v)
{
    return stage_is_tensor(v) || stage_is_number(v) || v.kind == STAGE_BOOL;
}

// -- powers --------------------------------------------------------------------------------------

// x ** n by squarings from the most significant bit of n on, with `*` as the language has it.
static struct stage_value repeated(struct stage *s, struct span at, struct stage_value x,
                                   uint64_t n)
{
    struct stage_value r = x;
    unsigned top = 63;
    while (!(n >> top & 1))
        top--;
    while (top-- > 0) {
        r = stage_binary_value(s, at, AST_MUL, r, r);
        if (n >> top & 1)
            r = stage_binary_value(s, at, AST_MUL, r, x);
        if (r.kind == STAGE_POISON)
            break;
    }
    return r;
}

// x ** 0: ones of the operand's type and shape.
static struct stage_value one_like(struct stage *s, struct span at, struct stage_value x)
{
    if (!stage_is_tensor(x))
        return x.kind == STAGE_INT ? stage_int(1) : stage_float(1.0);
    ir_typeid type = stage_typeid(s, x);
    ir_ref one = stage_constant(s, at, stage_int(1), ir_type_get(s->m, type)->dtype);
    return stage_tensor(s, stage_spread(s, at, one, type));
}

static struct stage_value int_power(struct stage *s, struct span at, struct stage_value x,
                                    int64_t n)
{
    if (n == 0)
        return one_like(s, at, x);
    if (n > 0)
        return repeated(s, at, x, (uint64_t)n);
    struct stage_value below = repeated(s, at, x, -(uint64_t)n);
    return stage_binary_value(s, at, AST_DIV, stage_int(1), below);
}

struct stage_value stage_power(struct stage *s, struct span at, struct stage_value x,
                               struct stage_value n)
{
    if (x.kind == STAGE_POISON || n.kind == STAGE_POISON)
        return stage_poison();
    if (!is_operand(x) || !is_operand(n) || x.kind == STAGE_BOOL || n.kind == STAGE_BOOL)
        return wrong_kinds(s, at, AST_POW, x, n);
    if (n.kind == STAGE_INT)
        return int_power(s, at, x, n.as.integer);
    if (stage_is_tensor(x) || stage_is_tensor(n)) {
        struct stage_value v[2] = {x, n};
        if (x.kind == STAGE_INT) // the base takes the exponent's type, which is a float's
            v[0] = stage_float(stage_number(x));
        return stage_map(s, at, "**", IR_pow, v, 2);
    }
    float args[2];
    if (!stage_f32(s, at, stage_number(x), &args[0]) ||
        !stage_f32(s, at, stage_number(n), &args[1]))
        return stage_poison();
    return stage_finite(s, at, (double)exact_call(stage_trees(s), IR_pow, args, 2));
}

// -- all together --------------------------------------------------------------------------------

struct stage_value stage_unary_value(struct stage *s, struct span at, enum ast_operator op,
                                     struct stage_value v)
{
    if (v.kind == STAGE_POISON)
        return v;
    if (op == AST_NOT) {
        if (!check_bool(s, at, op, v))
            return stage_poison();
        return v.kind == STAGE_BOOL ? stage_bool(!v.as.boolean)
                                    : stage_map(s, at, "not", IR_not, &v, 1);
    }
    if (stage_is_tensor(v))
        return stage_map(s, at, "-", IR_neg, &v, 1);
    if (v.kind == STAGE_FLOAT)
        return stage_float(-v.as.number);
    if (v.kind == STAGE_INT)
        return int_arith(s, at, AST_SUB, 0, v.as.integer);
    return stage_fail(s, at, "HLX0405", "`-` takes a number or a tensor, not %s",
                      stage_kind_text(s->m, v));
}

static bool is_arithmetic(enum ast_operator op)
{
    return op >= AST_ADD && op <= AST_REM;
}

static struct stage_value values(struct stage *s, struct span at, enum ast_operator op,
                                 struct stage_value a, struct stage_value b)
{
    if (op >= AST_EQ && op <= AST_GE)
        return compare(s, at, op, a, b);
    if (op == AST_AND || op == AST_OR)
        return check_bool(s, at, op, a) && check_bool(s, at, op, b) ? b : stage_poison();
    if (is_arithmetic(op) && stage_is_number(a) && stage_is_number(b))
        return numbers(s, at, op, a, b);
    if (op == AST_ADD && a.kind == b.kind && (a.kind == STAGE_TEXT || a.kind == STAGE_BYTES))
        return join_text(s, at, a, b);
    if (op == AST_ADD && stage_is_list(a) && stage_is_list(b))
        return join_lists(s, at, a, b);
    return wrong_kinds(s, at, op, a, b);
}

struct stage_value stage_binary_value(struct stage *s, struct span at, enum ast_operator op,
                                      struct stage_value a, struct stage_value b)
{
    if (a.kind == STAGE_POISON || b.kind == STAGE_POISON)
        return stage_poison();
    if (op == AST_POW)
        return stage_power(s, at, a, b);
    if (op == AST_MATMUL)
        return stage_matmul(s, at, a, b);
    if (op == AST_OR || op == AST_AND) {
        // A compile-time bool that decides nothing gives way to the other side.
        if (a.kind == STAGE_BOOL)
            return check_bool(s, at, op, b) ? b : stage_poison();
    }
    if ((stage_is_tensor(a) || stage_is_tensor(b)) && is_operand(a) && is_operand(b))
        return tensors(s, at, op, a, b);
    return values(s, at, op, a, b);
}
