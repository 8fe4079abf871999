// order_test.c: the canonical numbers of nodes: the rule itself, and what it must not see.
#include "ir/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

static const char head[] = "helix_ir 1\nnumerics \"exact-1\"\nprofile exact\n\n"
                           "param w f32[] {\n"
                           "  %1 = const f32[] {bits=0x0}\n"
                           "  value %1\n"
                           "}\n\n"
                           "entry e {\n"
                           "  input x f32[]\n"
                           "  input y f32[]\n";

static const char *ordered(struct arena *a, const char *body)
{
    struct ir_parse_error error;
    struct ir_module m;
    struct buf b = {0};
    const char *text = arena_printf(a, "%s%s}\n", head, body);
    ir_module_init(&m, a);
    if (!ir_parse(&m, text, strlen(text), &error))
        fail_msg("line %zu: %s in\n%s", error.line, error.message, text);
    ir_order(&m);
    const char *why = ir_verify(&m, false);
    if (why)
        fail_msg("%s", why);
    ir_print(&m, 0, &b);
    assert_memory_equal(b.at, head, sizeof head - 1);
    const char *out = arena_copy(a, b.at + sizeof head - 1, b.n - (sizeof head - 1) - 2);
    buf_free(&b);
    return out;
}

// That `body` becomes `expect`, and `expect` itself.
static void check(const char *body, const char *expect)
{
    struct arena a = {0};
    assert_string_equal(ordered(&a, body), expect);
    assert_string_equal(ordered(&a, expect), expect);
    arena_free(&a);
}

// Outputs before updates, operands from the left, a node after what it needs and once.
static void test_rule(void **state)
{
    (void)state;
    check("  %1 = var f32[] {index=0}\n"
          "  %2 = input f32[] {index=1}\n"
          "  %3 = input f32[] {index=0}\n"
          "  %4 = exp f32[] %2\n"
          "  %5 = sub f32[] %1 %4\n"
          "  %6 = mul f32[] %3 %4\n"
          "  %7 = add f32[] %6 %6\n"
          "  output a %7\n"
          "  output b %3\n"
          "  update w %5\n",
          "  %1 = input f32[] {index=0}\n"
          "  %2 = input f32[] {index=1}\n"
          "  %3 = exp f32[] %2\n"
          "  %4 = mul f32[] %1 %3\n"
          "  %5 = add f32[] %4 %4\n"
          "  %6 = var f32[] {index=0}\n"
          "  %7 = sub f32[] %6 %3\n"
          "  output a %5\n"
          "  output b %1\n"
          "  update w %7\n");
}

static void test_needless_nodes_go_and_notes_stay(void **state)
{
    (void)state;
    check("  %1 = input f32[] {index=0}\n"
          "  %2 = log f32[] %1\n"
          "  %3 = input f32[] {index=1} ! name=why\n"
          "  %4 = exp f32[] %3 ! name=\"a b\" recompute\n"
          "  output a %4\n"
          "  update w %4\n"
          "  grad w %3\n",
          "  %1 = input f32[] {index=1} ! name=why\n"
          "  %2 = exp f32[] %1 ! name=\"a b\" recompute\n"
          "  output a %2\n"
          "  update w %2\n"
          "  grad w %1\n");
}

// -- what is not seen ----------------------------------------------------------------------------

static uint64_t random_state;

static unsigned below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((random_state >> 33) % n);
}

enum { NODES = 40 };

// Which nodes the operands of each node are; 0 and 1 have none.
struct plan {
    unsigned arg[NODES][2];
};

// Makes a node of the plan, its operands in any order.
static ir_ref make_nodes(struct ir_graph *g, const struct plan *p, unsigned node, ir_ref *made)
{
    if (made[node])
        return made[node];
    if (node < 2)
        return made[node] = ir_input(g, node, ir_type_scalar(g->module, DT_F32));
    unsigned first = below(2); // of the operands
    make_nodes(g, p, p->arg[node][first], made);
    make_nodes(g, p, p->arg[node][!first], made);
    enum ir_op op = node % 2 ? IR_add : IR_mul;
    return made[node] = ir_binary(g, op, made[p->arg[node][0]], made[p->arg[node][1]]);
}

static const char *shuffled(struct arena *a, const struct plan *p, bool order)
{
    struct ir_module m;
    struct buf b = {0};
    ir_ref made[NODES] = {0}, roots[2], to[NODES + 1] = {0};
    ir_module_init(&m, a);
    struct ir_graph *g = ir_graph_new(&m);
    for (unsigned i = 0; i < 8; i++)
        make_nodes(g, p, below(NODES), made);
    roots[0] = make_nodes(g, p, NODES - 1, made);
    roots[1] = make_nodes(g, p, NODES - 2, made);
    ir_print_graph(order ? ir_order_graph(g, roots, 2, to) : g, 0, &b);
    const char *text = arena_copy(a, b.at, b.n);
    buf_free(&b);
    return text;
}

static void test_order_of_making_is_not_seen(void **state)
{
    (void)state;
    unsigned differed = 0;
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct arena a = {0};
        struct plan p = {{{0}}};
        random_state = seed;
        for (unsigned i = 2; i < NODES; i++) {
            p.arg[i][0] = below(i);
            p.arg[i][1] = below(i);
        }
        const char *first = shuffled(&a, &p, true);
        for (unsigned i = 0; i < 4; i++)
            assert_string_equal(shuffled(&a, &p, true), first);
        const char *draft = shuffled(&a, &p, false);
        differed += strcmp(draft, shuffled(&a, &p, false)) != 0;
        arena_free(&a);
    }
    assert_true(differed > 40); // so the drafts did differ
}

// A chain longer than any stack, and a node with more operands than are kept at hand.
static void test_deep_and_wide(void **state)
{
    (void)state;
    enum { DEEP = 1000000, WIDE = 20 };
    struct arena a = {0};
    struct ir_module m;
    ir_module_init(&m, &a);
    struct ir_graph *g = ir_graph_new(&m);
    ir_ref parts[WIDE], x = ir_input(g, 0, ir_type_make(&m, DT_F32, 1, (int64_t[]){1}, NULL));
    for (unsigned i = 0; i < DEEP; i++)
        x = ir_unary(g, IR_neg, x);
    for (unsigned i = 0; i < WIDE; i++)
        parts[i] = i % 2 ? x : ir_unary(g, IR_exp, x);
    x = ir_node_make(g, IR_concat, parts, WIDE, (int64_t[]){0}, 1, 0);
    ir_ref *to = arena_array(&a, g->nodes.n, sizeof *to);
    const struct ir_graph *fresh = ir_order_graph(g, &x, 1, to);
    assert_int_equal(fresh->nodes.n, g->nodes.n);
    assert_int_equal(ir_get(fresh, to[x])->nargs, WIDE);
    assert_int_equal(ir_arg(fresh, to[x], 1), to[parts[1]]);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_needless_nodes_go_and_notes_stay),
        cmocka_unit_test(test_order_of_making_is_not_seen),
        cmocka_unit_test(test_deep_and_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
