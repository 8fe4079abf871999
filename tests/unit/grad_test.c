// grad_test.c: every gradient rule against central differences in double precision.
//
// The op table is walked: a row with a gradient and without a case here fails. Both the original
// graph and the expanded one, also simplified, are evaluated by tests/oracle64.c.
#include "ir/grad.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/simplify.h"
#include "ir/verify.h"
#include "tests/oracle64.h"

enum { MAX_ARGS = 5 };

// An operand: a tensor of random elements in [lo, hi].
struct operand {
    enum dtype dtype;
    double lo, hi;
    unsigned rank;
    int64_t dim[4];
};

// One operation on operands, its attributes and, where the rule needs it, its result.
struct sample {
    enum ir_op op;
    unsigned nargs;
    struct operand arg[MAX_ARGS];
    unsigned nattrs;
    int64_t attr[12];
    const struct operand *result;
};

// A program with one entry, its inputs, and what they hold.
struct bench {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ir_module m;
    struct ir_graph *g;
    double *input[MAX_ARGS + 1];
    uint64_t random;
};

static bool covered[IR_OP_COUNT];

// -- programs ------------------------------------------------------------------------------------

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sources_init(&b->sources, &b->arena);
    diags_init(&b->diags, &b->arena, &b->sources);
    ir_module_init(&b->m, &b->arena);
    b->g = ir_graph_new(&b->m);
    b->random = 12345;
    struct ir_entry e = {.name = "test", .graph = b->g};
    vec_push(&b->arena, &b->m.entries, e);
}

static void bench_close(struct bench *b)
{
    arena_free(&b->arena);
}

// Numerical Recipes' 64-bit linear congruential step; the upper bits are good enough here.
static double uniform(struct bench *b, double lo, double hi)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * ((double)(b->random >> 11) * 0x1p-53);
}

static ir_ref new_input(struct bench *b, ir_typeid type, double lo, double hi)
{
    struct ir_entry *e = &b->m.entries.at[0];
    uint32_t index = (uint32_t)e->inputs.n;
    const struct ir_type t = *ir_type_get(&b->m, type);
    struct ir_field f = {arena_printf(&b->arena, "x%u", index), type};
    vec_push(&b->arena, &e->inputs, f);
    int64_t n = ir_type_count(&t);
    b->input[index] = arena_array(&b->arena, (size_t)n, sizeof(double));
    bool floating = dtype_class(t.dtype) == DTC_FLOAT || dtype_class(t.dtype) == DTC_SMALL_FLOAT;
    for (int64_t i = 0; i < n; i++)
        b->input[index][i] = floating ? uniform(b, lo, hi) : floor(uniform(b, lo, hi + 1));
    return ir_input(b->g, index, type);
}

static ir_ref operand_input(struct bench *b, const struct operand *o)
{
    return new_input(b, ir_type_make(&b->m, o->dtype, o->rank, o->dim, NULL), o->lo, o->hi);
}

// sum(w * f32(y)) with random w, so that every element of y has a gradient of its own.
static ir_ref weighed(struct bench *b, ir_ref y)
{
    int64_t axes[IR_MAX_RANK];
    y = ir_cast(b->g, y, DT_F32);
    unsigned rank = ir_typeof(b->g, y)->rank;
    for (unsigned i = 0; i < rank; i++)
        axes[i] = i;
    ir_ref w = new_input(b, ir_get(b->g, y)->type, 0.5, 2);
    ir_ref p = ir_binary(b->g, IR_mul, w, y);
    return rank ? ir_reduce(b->g, IR_sum, p, axes, rank) : p;
}

static void add_output(struct bench *b, ir_ref value)
{
    struct ir_entry *e = &b->m.entries.at[0];
    struct ir_named o = {arena_printf(&b->arena, "y%zu", e->outputs.n), value};
    vec_push(&b->arena, &e->outputs, o);
}

static void add_grad(struct bench *b, ir_ref loss, ir_ref wrt)
{
    add_output(b, ir_binary(b->g, IR_grad, loss, wrt));
}

static void expand(struct bench *b)
{
    const char *why = ir_verify(&b->m, true);
    if (why)
        fail_msg("before: %s", why);
    if (!ir_expand_grads(&b->m, &b->diags))
        fail_msg("the gradient was refused: %s", b->diags.list.at[0]->text);
    why = ir_verify(&b->m, false);
    if (why)
        fail_msg("after: %s", why);
}

static const double *output(struct bench *b, size_t i)
{
    const struct ir_entry *e = &b->m.entries.at[0];
    double **value = oracle64(e->graph, (const double *const *)b->input, &b->arena);
    return value[e->outputs.at[i].value];
}

// -- central differences -------------------------------------------------------------------------

static double loss_at(struct bench *b, const struct ir_graph *staged, ir_ref loss)
{
    struct arena a = {0};
    double x = oracle64(staged, (const double *const *)b->input, &a)[loss][0];
    arena_free(&a);
    return x;
}

// Compares output `out` with the slope of the loss along input `in`.
static void compare(struct bench *b, const char *what, const struct ir_graph *staged, ir_ref loss,
                    size_t in, size_t out)
{
    const double *grad = output(b, out);
    int64_t n = ir_type_count(ir_type_get(&b->m, b->m.entries.at[0].inputs.at[in].type));
    for (int64_t i = 0; i < n; i++) {
        double *x = &b->input[in][i], at = *x, h = 1e-5;
        *x = at + h;
        double high = loss_at(b, staged, loss);
        *x = at - h;
        double slope = (high - loss_at(b, staged, loss)) / (2 * h);
        *x = at;
        if (!(fabs(slope - grad[i]) <= 1e-6 * fmax(1, fabs(slope))))
            fail_msg("%s: operand %zu element %lld: gradient %.9g, slope %.9g", what, in,
                     (long long)i, grad[i], slope);
    }
}

static bool has_gradient(const struct operand *o)
{
    return o->dtype == DT_F32;
}

static void check(const struct sample *s)
{
    struct bench b;
    ir_ref args[MAX_ARGS];
    ir_typeid wanted = 0;
    bench_open(&b);
    for (unsigned i = 0; i < s->nargs; i++)
        args[i] = operand_input(&b, &s->arg[i]);
    if (s->result)
        wanted = ir_type_make(&b.m, s->result->dtype, s->result->rank, s->result->dim, NULL);
    ir_ref y = ir_node_make(b.g, s->op, args, s->nargs, s->attr, s->nattrs, wanted);
    ir_ref loss = weighed(&b, y);
    for (unsigned i = 0; i < s->nargs; i++)
        if (has_gradient(&s->arg[i]))
            add_grad(&b, loss, args[i]);
    const struct ir_graph *staged = b.g;
    expand(&b);
    for (int simple = 0; simple < 2; simple++) {
        for (unsigned i = 0, out = 0; i < s->nargs; i++)
            if (has_gradient(&s->arg[i]))
                compare(&b, ir_op_info(s->op)->name, staged, loss, i, out++);
        ir_simplify(&b.m);
        assert_null(ir_verify(&b.m, false));
    }
    covered[s->op] = true;
    bench_close(&b);
}

// -- cases: elementwise --------------------------------------------------------------------------

static const struct operand shapes[] = {
    {DT_F32, 0, 0, 0, {0}}, {DT_F32, 0, 0, 1, {5}}, {DT_F32, 0, 0, 2, {2, 3}}};

static struct operand shaped(unsigned shape, double lo, double hi)
{
    struct operand o = shapes[shape];
    o.lo = lo;
    o.hi = hi;
    return o;
}

static void test_one_operand(void **state)
{
    (void)state;
    static const struct {
        enum ir_op op;
        double lo, hi;
    } rows[] = {{IR_neg, -2, 2},    {IR_abs, -2, -0.1},  {IR_abs, 0.1, 2}, {IR_sqrt, 0.5, 4},
                {IR_rsqrt, 0.5, 4}, {IR_exp, -2, 2},     {IR_exp2, -2, 2}, {IR_expm1, -2, 2},
                {IR_log, 0.5, 4},   {IR_log1p, -0.5, 3}, {IR_sin, -4, 4},  {IR_cos, -4, 4},
                {IR_tanh, -2, 2},   {IR_sigmoid, -4, 4}, {IR_erf, -2, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned k = 0; k < 3; k++)
            check(&(struct sample){
                .op = rows[i].op, .nargs = 1, .arg = {shaped(k, rows[i].lo, rows[i].hi)}});
}

static void test_two_operands(void **state)
{
    (void)state;
    static const struct {
        enum ir_op op;
        double alo, ahi, blo, bhi;
    } rows[] = {{IR_add, -2, 2, -2, 2}, {IR_sub, -2, 2, -2, 2},  {IR_mul, -2, 2, -2, 2},
                {IR_div, -2, 2, 1, 3},  {IR_div, -2, 2, -3, -1}, {IR_pow, 0.5, 3, -2, 2},
                {IR_min, -2, 2, -2, 2}, {IR_max, -2, 2, -2, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned k = 0; k < 3; k++)
            check(&(struct sample){
                .op = rows[i].op,
                .nargs = 2,
                .arg = {shaped(k, rows[i].alo, rows[i].ahi), shaped(k, rows[i].blo, rows[i].bhi)}});
}

static void test_select(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        struct operand flags = shaped(k, 0, 1);
        flags.dtype = DT_BOOL;
        check(&(struct sample){
            .op = IR_select, .nargs = 3, .arg = {flags, shaped(k, -2, 2), shaped(k, -2, 2)}});
    }
}

static void test_cast(void **state)
{
    (void)state;
    static const enum dtype to[] = {DT_F16, DT_BF16};
    for (unsigned i = 0; i < 2; i++) {
        struct operand result = shaped(2, 0, 0);
        result.dtype = to[i];
        check(&(struct sample){
            .op = IR_cast, .nargs = 1, .arg = {shaped(2, -2, 2)}, .result = &result});
    }
}

// -- cases: reductions and matmul ----------------------------------------------------------------

static void test_reductions(void **state)
{
    (void)state;
    static const enum ir_op ops[] = {IR_sum, IR_reduce_max, IR_reduce_min};
    const struct operand cube = {DT_F32, -2, 2, 3, {2, 3, 4}};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned axes = 1; axes < 8; axes++) {
            struct sample s = {.op = ops[i], .nargs = 1, .arg = {cube}};
            for (unsigned k = 0; k < 3; k++)
                if (axes >> k & 1)
                    s.attr[s.nattrs++] = k;
            check(&s);
        }
    check(&(struct sample){
        .op = IR_sum, .nargs = 1, .arg = {{DT_F32, -1, 1, 2, {3, 1}}}, .attr = {1}, .nattrs = 1});
}

static void test_matmul(void **state)
{
    (void)state;
    static const int64_t lead[3][2] = {{0, 0}, {2, 0}, {2, 3}};
    for (unsigned nlead = 0; nlead < 3; nlead++)
        for (int t = 0; t < 4; t++) {
            int ta = t >> 1, tb = t & 1;
            struct operand a = {DT_F32, -2, 2, nlead + 2, {0}}, b = a;
            for (unsigned i = 0; i < nlead; i++)
                a.dim[i] = b.dim[i] = lead[nlead][i];
            a.dim[nlead + !!ta] = 2, a.dim[nlead + !ta] = 4; // M, K
            b.dim[nlead + !!tb] = 4, b.dim[nlead + !tb] = 3; // K, N
            check(&(struct sample){
                .op = IR_matmul, .nargs = 2, .arg = {a, b}, .attr = {ta, tb}, .nattrs = 2});
        }
}

// -- cases: moves --------------------------------------------------------------------------------

static struct operand tensor(unsigned rank, int64_t d0, int64_t d1, int64_t d2)
{
    return (struct operand){DT_F32, -2, 2, rank, {d0, d1, d2}};
}

static void check_to(enum ir_op op, struct operand from, struct operand to)
{
    check(&(struct sample){.op = op, .nargs = 1, .arg = {from}, .result = &to});
}

static void test_reshape_and_broadcast(void **state)
{
    (void)state;
    check_to(IR_reshape, tensor(2, 2, 6, 0), tensor(3, 3, 1, 4));
    check_to(IR_reshape, tensor(0, 0, 0, 0), tensor(2, 1, 1, 0));
    check_to(IR_reshape, tensor(1, 1, 0, 0), tensor(0, 0, 0, 0));
    check_to(IR_broadcast, tensor(0, 0, 0, 0), tensor(2, 3, 2, 0));
    check_to(IR_broadcast, tensor(1, 3, 0, 0), tensor(2, 2, 3, 0));
    check_to(IR_broadcast, tensor(2, 2, 1, 0), tensor(2, 2, 3, 0));
    check_to(IR_broadcast, tensor(2, 1, 3, 0), tensor(3, 4, 2, 3));
    check_to(IR_broadcast, tensor(1, 1, 0, 0), tensor(2, 1, 1, 0));
    check_to(IR_broadcast, tensor(1, 2, 0, 0), tensor(2, 1, 2, 0));
}

static void test_transpose(void **state)
{
    (void)state;
    static const int64_t perms[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < 6; i++) {
        struct sample s = {.op = IR_transpose, .nargs = 1, .arg = {tensor(3, 2, 3, 4)}};
        memcpy(s.attr, perms[i], sizeof perms[i]);
        s.nattrs = 3;
        check(&s);
    }
    check(&(struct sample){.op = IR_transpose, .nargs = 1, .arg = {tensor(0, 0, 0, 0)}});
}

static void check_attrs(enum ir_op op, unsigned nargs, const struct operand *args, unsigned nattrs,
                        const int64_t *attrs)
{
    struct sample s = {.op = op, .nargs = nargs, .nattrs = nattrs};
    memcpy(s.arg, args, nargs * sizeof *args);
    for (unsigned i = 0; i < nattrs; i++)
        s.attr[i] = attrs[i];
    check(&s);
}

static void test_slice_and_pad(void **state)
{
    (void)state;
    static const int64_t bounds[][6] = {{0, 5, 1, 0, 4, 1}, {1, 4, 1, 2, 3, 1}, {0, 5, 2, 1, 4, 2},
                                        {1, 5, 3, 0, 4, 3}, {4, 5, 7, 0, 1, 1}, {2, 3, 1, 0, 3, 2}};
    static const int64_t margins[][6] = {
        {0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 2, 0}, {0, 0, 1, 0, 0, 2}, {2, 1, 1, 1, 2, 3}};
    struct operand square = tensor(2, 5, 4, 0), pair[2] = {tensor(2, 3, 2, 0), shaped(0, -2, 2)};
    for (unsigned i = 0; i < sizeof bounds / sizeof *bounds; i++)
        check_attrs(IR_slice, 1, &square, 6, bounds[i]);
    for (unsigned i = 0; i < sizeof margins / sizeof *margins; i++)
        check_attrs(IR_pad, 2, pair, 6, margins[i]);
    pair[0] = shaped(0, -2, 2);
    check_attrs(IR_pad, 2, pair, 0, margins[0]);
}

static void test_concat(void **state)
{
    (void)state;
    const struct operand rows[3] = {tensor(2, 1, 3, 0), tensor(2, 2, 3, 0), tensor(2, 3, 3, 0)};
    const struct operand cols[3] = {tensor(2, 2, 2, 0), tensor(2, 2, 1, 0), tensor(2, 2, 4, 0)};
    for (unsigned n = 1; n <= 3; n++) {
        check_attrs(IR_concat, n, rows, 1, (int64_t[]){0});
        check_attrs(IR_concat, n, cols, 1, (int64_t[]){1});
    }
}

// Indices from -1 to 4 for 4 rows: some repeat, some are out of range.
static void test_rows(void **state)
{
    (void)state;
    struct operand index = {DT_I32, -1, 4, 0, {3, 4}};
    for (unsigned rank = 0; rank < 3; rank++)
        for (unsigned width = 0; width < 3; width++) {
            struct operand table = tensor(1 + width, 4, 2, 3), values = index;
            index.rank = values.rank = rank;
            values = (struct operand){DT_F32, -2, 2, rank + width, {3, 4}};
            for (unsigned i = 0; i < width; i++)
                values.dim[rank + i] = table.dim[1 + i];
            check_attrs(IR_gather_rows, 2, (struct operand[]){table, index}, 0, NULL);
            check_attrs(IR_scatter_rows, 2, (struct operand[]){index, values}, 1, (int64_t[]){4});
        }
}

// -- backward rules of the user's ----------------------------------------------------------------

// custom(e^x, x, factor * dy * e^x)
static ir_ref custom_exp(struct bench *b, ir_ref x, int64_t id, float factor)
{
    ir_typeid t = ir_get(b->g, x)->type;
    ir_ref y = ir_unary(b->g, IR_exp, x);
    ir_ref dy = ir_node_make(b->g, IR_cotangent, NULL, 0, &id, 1, t);
    ir_ref d =
        ir_binary(b->g, IR_mul, ir_binary(b->g, IR_mul, dy, y), ir_splat_f32(b->g, t, factor));
    return ir_node_make(b->g, IR_custom, (ir_ref[]){y, x, d}, 3, (int64_t[]){id, 1}, 2, 0);
}

static void test_custom(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(2, -1, 1);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref inner = custom_exp(&b, x, 7, 1);
    ir_ref twice = custom_exp(&b, ir_binary(b.g, IR_mul, inner, x), 3, 1);
    ir_ref loss = weighed(&b, ir_binary(b.g, IR_add, twice, inner));
    add_grad(&b, loss, x);
    const struct ir_graph *staged = b.g;
    expand(&b);
    compare(&b, "custom", staged, loss, 0, 0);
    covered[IR_custom] = true;
    bench_close(&b);
}

// The rule is what counts, not the derivative of the value.
static void test_custom_rule_is_used(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(1, -1, 1);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref loss = weighed(&b, custom_exp(&b, x, 1, 3));
    add_grad(&b, loss, x);
    expand(&b);
    const double *grad = output(&b, 0);
    for (int i = 0; i < 5; i++)
        assert_true(fabs(grad[i] - 3 * b.input[1][i] * exp(b.input[0][i])) < 1e-9);
    bench_close(&b);
}

static void test_cotangent_outside_is_refused(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(0, -1, 1);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref y = custom_exp(&b, x, 1, 1);
    add_grad(&b, y, x);
    add_output(&b, ir_arg(b.g, y, 2));
    assert_false(ir_expand_grads(&b.m, &b.diags));
    assert_string_equal(b.diags.list.at[0]->code, "HLX0503");
    bench_close(&b);
}

// -- what has no gradient ------------------------------------------------------------------------

// y = f32(op(cast x ...)) of an operation without a gradient.
static ir_ref through(struct bench *b, enum ir_op op, ir_ref x)
{
    static const enum dtype lanes[] = {DT_F32, DT_I32, DT_U32, DT_BOOL};
    enum dtype t = DT_F32;
    for (unsigned lane = 4; lane-- > 0;)
        if (ir_op_takes(op, lane))
            t = lanes[lane];
    ir_ref args[2] = {ir_cast(b->g, x, t), 0};
    args[1] = args[0];
    int64_t axis = 0;
    ir_typeid wanted = op == IR_bitcast ? ir_type_with(&b->m, ir_get(b->g, x)->type, DT_I32) : 0;
    return ir_node_make(b->g, op, args, ir_op_info(op)->nargs, &axis, op == IR_argmax, wanted);
}

static void test_none(void **state)
{
    (void)state;
    for (unsigned op = IR_none + 1; op < IR_OP_COUNT; op++) {
        struct bench b;
        const struct operand o = shaped(1, -2, 2);
        if (strcmp(ir_op_info((enum ir_op)op)->grad, "none") != 0)
            continue;
        bench_open(&b);
        ir_ref x = operand_input(&b, &o);
        ir_ref y = ir_cast(b.g, through(&b, (enum ir_op)op, x), DT_F32);
        add_grad(&b, weighed(&b, y), x);
        expand(&b);
        const double *grad = output(&b, 0);
        for (int i = 0; i < 5; i++)
            if (grad[i] != 0)
                fail_msg("a gradient flows through `%s`", ir_op_info((enum ir_op)op)->name);
        assert_int_equal(b.diags.warnings, 1);
        assert_string_equal(b.diags.list.at[0]->code, "HLX0502");
        covered[op] = true;
        bench_close(&b);
    }
}

static void test_grad_of_grad_is_refused(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(0, 1, 2);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref inner = ir_binary(b.g, IR_grad, ir_unary(b.g, IR_exp, x), x);
    add_grad(&b, inner, x);
    assert_null(ir_verify(&b.m, true));
    assert_false(ir_expand_grads(&b.m, &b.diags));
    assert_int_equal(b.diags.errors, 1);
    assert_string_equal(b.diags.list.at[0]->code, "HLX0501");
    bench_close(&b);
}

// stop_gradient makes a gradient a constant, so this is fine.
static void test_grad_of_stopped_grad(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(0, 1, 2);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref inner = ir_binary(b.g, IR_grad, ir_unary(b.g, IR_exp, x), x);
    ir_ref fixed = ir_unary(b.g, IR_stop_gradient, inner);
    add_grad(&b, ir_binary(b.g, IR_mul, fixed, x), x);
    expand(&b);
    assert_true(fabs(output(&b, 0)[0] - exp(b.input[0][0])) < 1e-9);
    bench_close(&b);
}

// -- edges ---------------------------------------------------------------------------------------

// The gradient of sum(op(x, ...)) by x at given elements.
static void edge(enum ir_op op, unsigned n, const double *x, const double *second,
                 const double *want, const double *want_second)
{
    struct bench b;
    struct operand o = {DT_F32, 0, 0, 1, {n}};
    int64_t axis = 0;
    bench_open(&b);
    ir_ref args[2] = {operand_input(&b, &o), 0};
    if (second)
        args[1] = operand_input(&b, &o);
    bool reduces = ir_op_info(op)->class == IRC_REDUCE;
    ir_ref y = ir_node_make(b.g, op, args, second ? 2 : 1, &axis, reduces, 0);
    ir_ref loss = reduces ? y : ir_reduce(b.g, IR_sum, y, &axis, 1);
    add_grad(&b, loss, args[0]);
    if (second)
        add_grad(&b, loss, args[1]);
    memcpy(b.input[0], x, n * sizeof *x);
    if (second)
        memcpy(b.input[1], second, n * sizeof *x);
    expand(&b);
    for (unsigned i = 0; i < n; i++) {
        assert_true(output(&b, 0)[i] == want[i]);
        if (second)
            assert_true(output(&b, 1)[i] == want_second[i]);
    }
    bench_close(&b);
}

static void test_edges(void **state)
{
    (void)state;
    edge(IR_abs, 3, (double[]){-2, 0, 3}, NULL, (double[]){-1, 0, 1}, NULL);
    edge(IR_max, 3, (double[]){0, 0, 0}, (double[]){0, -1, 1}, (double[]){1, 1, 0},
         (double[]){0, 0, 1}); // relu'(0) = 0 as max(0, x)
    edge(IR_min, 2, (double[]){1, 2}, (double[]){1, 1}, (double[]){1, 0}, (double[]){0, 1});
    edge(IR_reduce_max, 4, (double[]){1, 3, 3, 2}, NULL, (double[]){0, 1, 0, 0}, NULL);
    edge(IR_reduce_min, 4, (double[]){2, 1, 3, 1}, NULL, (double[]){0, 1, 0, 0}, NULL);
    edge(IR_pow, 3, (double[]){-2, 0, 3}, (double[]){2, 0, 0}, (double[]){-4, 0, 0},
         (double[]){0, 0, log(3)});
}

// -- the walk ------------------------------------------------------------------------------------

// Contributions add in reverse order of uses, the last operand of one node first.
static void test_order_of_contributions(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(0, 1, 2);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    ir_ref c = operand_input(&b, &o);
    ir_ref first = ir_binary(b.g, IR_mul, x, c);      // gives dy * c
    ir_ref second = ir_binary(b.g, IR_sub, first, x); // gives -dy
    add_grad(&b, second, x);
    expand(&b);
    const struct ir_entry *e = &b.m.entries.at[0];
    ir_ref sum = e->outputs.at[0].value;
    assert_int_equal(ir_opcode(e->graph, sum), IR_add);
    assert_int_equal(ir_opcode(e->graph, ir_arg(e->graph, sum, 0)), IR_neg);
    assert_int_equal(ir_opcode(e->graph, ir_arg(e->graph, sum, 1)), IR_mul);
    bench_close(&b);
}

static void test_last_operand_first(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(0, 1, 2);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o);
    add_grad(&b, ir_binary(b.g, IR_sub, x, x), x);
    expand(&b);
    const struct ir_entry *e = &b.m.entries.at[0];
    ir_ref sum = e->outputs.at[0].value;
    assert_int_equal(ir_opcode(e->graph, sum), IR_add);
    assert_int_equal(ir_opcode(e->graph, ir_arg(e->graph, sum, 0)), IR_neg);
    assert_int_equal(ir_opcode(e->graph, ir_arg(e->graph, sum, 1)), IR_const);
    bench_close(&b);
}

// Several tensors of one loss, one of them in the middle of the graph, and a second loss.
static void test_several(void **state)
{
    (void)state;
    struct bench b;
    const struct operand o = shaped(2, 0.5, 1.5);
    bench_open(&b);
    ir_ref x = operand_input(&b, &o), w = operand_input(&b, &o);
    ir_ref h = ir_unary(b.g, IR_tanh, ir_binary(b.g, IR_mul, x, w));
    ir_ref y = ir_binary(b.g, IR_div, ir_unary(b.g, IR_exp, h), ir_binary(b.g, IR_add, h, x));
    ir_ref loss = weighed(&b, y);
    add_grad(&b, loss, x);
    add_grad(&b, loss, w);
    add_grad(&b, loss, h);
    add_grad(&b, loss, loss);
    ir_ref other = ir_binary(b.g, IR_mul, loss, loss);
    add_grad(&b, other, w);
    const struct ir_graph *staged = b.g;
    expand(&b);
    compare(&b, "several", staged, loss, 0, 0);
    compare(&b, "several", staged, loss, 1, 1);
    compare(&b, "several", staged, other, 1, 4);
    assert_true(output(&b, 3)[0] == 1);
    const struct ir_graph *g = b.m.entries.at[0].graph;
    assert_int_equal(ir_type_count(ir_typeof(g, b.m.entries.at[0].outputs.at[2].value)), 6);
    bench_close(&b);
}

// -- shards --------------------------------------------------------------------------------------

// The gradient of a sum over shards divided by a weight, with one shard; more are in shard_test.c.
static void test_across(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const struct operand f = {DT_F32, 0.5, 2, 1, {5}};
    ir_ref x = operand_input(&b, &f);
    ir_ref part = weighed(&b, ir_binary(b.g, IR_mul, x, x));
    ir_ref sum = ir_node_make(b.g, IR_across, &part, 1, (int64_t[]){IR_ACROSS_SUM}, 1, 0);
    ir_ref loss = ir_binary(b.g, IR_div, sum, ir_const_f32(b.g, 3));
    add_grad(&b, loss, x);
    const struct ir_graph *staged = b.g;
    expand(&b);
    compare(&b, "across", staged, loss, 0, 0);
    covered[IR_across] = true;
    bench_close(&b);
}

// -- the table -----------------------------------------------------------------------------------

// Runs last: every row was met by a case above.
static void test_every_row_is_covered(void **state)
{
    (void)state;
    for (unsigned op = IR_none + 1; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *info = ir_op_info((enum ir_op)op);
        bool exempt = !strcmp(info->grad, "leaf") || !strcmp(info->grad, "refuse");
        if (!exempt && !covered[op])
            fail_msg("`%s` has the gradient rule `%s` and no case", info->name, info->grad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_operand),
        cmocka_unit_test(test_two_operands),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_cast),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_matmul),
        cmocka_unit_test(test_reshape_and_broadcast),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_slice_and_pad),
        cmocka_unit_test(test_concat),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_custom),
        cmocka_unit_test(test_custom_rule_is_used),
        cmocka_unit_test(test_cotangent_outside_is_refused),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_grad_of_grad_is_refused),
        cmocka_unit_test(test_grad_of_stopped_grad),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_order_of_contributions),
        cmocka_unit_test(test_last_operand_first),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_across),
        cmocka_unit_test(test_every_row_is_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
