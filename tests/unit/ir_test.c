// ir_test.c: interning, builders, and what the verifier refuses.
#include "ir/ir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "ir/verify.h"

struct fixture {
    struct arena arena;
    struct ir_module m;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    ir_module_init(&f.m, &f.arena);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_free(&((struct fixture *)*state)->arena);
    return 0;
}

static void test_names(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    char text[] = "layers";
    ir_name a = ir_intern(m, text);
    text[0] = 'x'; // names are copies
    assert_int_equal(a, ir_intern(m, "layers"));
    assert_int_not_equal(a, ir_intern(m, "xayers"));
    assert_string_equal(ir_name_text(m, a), "layers");
    assert_int_equal(ir_intern(m, ""), 0);
    assert_string_equal(ir_name_text(m, 0), "");
}

static void test_types(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    const int64_t dims[] = {4, 16};
    const ir_name names[] = {ir_intern(m, "B"), 0};
    ir_typeid plain = ir_type_make(m, DT_F32, 2, dims, NULL);
    ir_typeid named = ir_type_make(m, DT_F32, 2, dims, names);
    assert_int_equal(plain, ir_type_make(m, DT_F32, 2, dims, (ir_name[]){0, 0}));
    assert_int_equal(named, ir_type_make(m, DT_F32, 2, dims, names));
    assert_int_not_equal(plain, named);
    assert_true(ir_type_equal(m, plain, named));
    assert_false(ir_type_equal(m, plain, ir_type_with(m, plain, DT_I32)));
    assert_string_equal(ir_type_text(m, named), "f32[B=4, 16]");
    assert_string_equal(ir_type_text(m, ir_type_with(m, named, DT_BF16)), "bf16[B=4, 16]");
    assert_string_equal(ir_type_text(m, ir_type_scalar(m, DT_BOOL)), "bool[]");
    assert_int_equal(ir_type_count(ir_type_get(m, named)), 64);
    assert_int_equal(ir_type_bytes(ir_type_get(m, named)), 256);
    assert_int_equal(ir_type_bytes(ir_type_get(m, ir_type_with(m, named, DT_I8))), 64);
    assert_int_equal(ir_type_count(ir_type_get(m, ir_type_scalar(m, DT_F32))), 1);
}

static void test_shapes(void **state)
{
    (void)state;
    const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_true(ir_shape_ok(0, NULL));
    assert_true(ir_shape_ok(8, nine));
    assert_false(ir_shape_ok(9, nine));
    assert_false(ir_shape_ok(1, (int64_t[]){0}));
    assert_false(ir_shape_ok(1, (int64_t[]){-1}));
    assert_true(ir_shape_ok(2, (int64_t[]){1 << 20, 1 << 20}));
    assert_false(ir_shape_ok(2, (int64_t[]){1 << 20, (1 << 20) + 1}));
    assert_false(ir_shape_ok(3, (int64_t[]){INT64_MAX, INT64_MAX, INT64_MAX}));
}

static void test_leaves_are_made_once(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_graph *g = ir_graph_new(m);
    ir_typeid t = ir_type_make(m, DT_F32, 1, (int64_t[]){12}, NULL);
    uint32_t bits[12] = {1, 2, 3};
    ir_ref a = ir_const_f32(g, 1), x = ir_input(g, 0, t), c = ir_const_array(g, t, bits);
    assert_int_equal(a, ir_const_f32(g, 1));
    assert_int_not_equal(a, ir_const_f32(g, 2));
    assert_int_not_equal(a, ir_const_bits(g, DT_U32, 0x3f800000));
    assert_int_not_equal(ir_const_f32(g, 0.0f), ir_const_f32(g, -0.0f));
    assert_int_equal(x, ir_input(g, 0, t));
    assert_int_not_equal(x, ir_input(g, 1, t));
    assert_int_equal(c, ir_const_array(g, t, bits));
    bits[11] = 9;
    assert_int_not_equal(c, ir_const_array(g, t, bits));
    ir_ref sum = ir_binary(g, IR_add, x, x);
    assert_int_not_equal(sum, ir_binary(g, IR_add, x, x)); // only leaves
}

static void test_builders(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_graph *g = ir_graph_new(m);
    ir_typeid t = ir_type_make(m, DT_F32, 2, (int64_t[]){2, 3}, NULL);
    ir_ref x = ir_input(g, 0, t);
    assert_int_equal(ir_cast(g, x, DT_F32), x);
    assert_int_equal(ir_reshape_to(g, x, t), x);
    assert_int_equal(ir_broadcast_to(g, x, t), x);
    ir_ref one = ir_splat_f32(g, ir_type_with(m, t, DT_I32), -3);
    assert_int_equal(ir_opcode(g, one), IR_broadcast);
    assert_int_equal((uint32_t)ir_attr(g, ir_arg(g, one, 0), 0), (uint32_t)-3);
    ir_ref y = ir_matmul(g, x, x, false, true);
    assert_string_equal(ir_type_text(m, ir_get(g, y)->type), "f32[2, 2]");
    ir_ref copy = ir_node_copy(g, g, y, (ir_ref[]){x, x});
    assert_int_not_equal(copy, y);
    assert_int_equal(ir_attr(g, copy, 1), 1);
}

// -- the verifier --------------------------------------------------------------------------------

// A module with one var, one entry and an update of the var; tests break one thing each.
static struct ir_entry *good_module(struct ir_module *m)
{
    struct arena *a = m->arena;
    ir_typeid t = ir_type_make(m, DT_F32, 1, (int64_t[]){3}, NULL);
    struct ir_var w = {.kind = IR_PARAM, .path = "w", .type = t, .init = ir_graph_new(m)};
    w.init_value = ir_splat_f32(w.init, t, 1);
    vec_push(a, &m->vars, w);
    struct ir_entry e = {.name = "train", .graph = ir_graph_new(m)};
    vec_push(a, &e.inputs, (struct ir_field){"x", t});
    ir_ref x = ir_input(e.graph, 0, t), v = ir_var_read(e.graph, 0);
    ir_ref y = ir_binary(e.graph, IR_add, x, v);
    vec_push(a, &e.outputs, (struct ir_named){"y", y});
    vec_push(a, &e.updates, (struct ir_update){0, y});
    vec_push(a, &m->entries, e);
    assert_null(ir_verify(m, false));
    return &m->entries.at[0];
}

static void refused(struct ir_module *m, bool staged, const char *why)
{
    const char *got = ir_verify(m, staged);
    assert_non_null(got);
    assert_string_equal(got, why);
}

static void test_verify_nodes(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_graph *g = good_module(m)->graph;
    struct ir_node *last = &vec_last(&g->nodes);
    g->args.at[last->args] = 3;
    refused(m, false, "entry `train`: node %3 `add`: an operand does not come before it");
    g->args.at[last->args] = 0;
    refused(m, false, "entry `train`: node %3 `add`: an operand does not come before it");
    g->args.at[last->args] = 1;
    last->nargs = 1;
    refused(m, false, "entry `train`: node %3 `add`: `add` takes 2 operands, not 1");
    last->nargs = 1000;
    refused(m, false, "entry `train`: node %3 `add`: its operands or attributes are out of range");
    last->nargs = 2;
    last->type = ir_type_scalar(m, DT_F32);
    refused(m, false, "entry `train`: node %3 `add`: `add` gives f32[3] here, not f32[]");
    last->type = 0;
    refused(m, false, "entry `train`: node %3 `add`: it has no type");
    last->op = IR_OP_COUNT;
    refused(m, false, "entry `train`: node %3 has no operation");
}

static void test_verify_leaves(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_graph *g = good_module(m)->graph;
    g->attrs.at[g->nodes.at[1].attrs] = 1;
    refused(m, false, "entry `train`: node %1 `input`: there is no such input");
    g->attrs.at[g->nodes.at[1].attrs] = 0;
    g->attrs.at[g->nodes.at[2].attrs] = 7;
    refused(m, false, "entry `train`: node %2 `var`: there is no such var");
    g->attrs.at[g->nodes.at[2].attrs] = 0;
    m->entries.at[0].inputs.at[0].type = ir_type_scalar(m, DT_F32);
    refused(m, false, "entry `train`: node %1 `input`: its type is not the input's");
}

static void test_verify_entries(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_entry *e = good_module(m);
    vec_push(m->arena, &e->updates, e->updates.at[0]);
    refused(m, false, "entry `train`: var `w` is updated twice");
    e->updates.n = 1;
    e->updates.at[0].value = 9;
    refused(m, false, "entry `train`: the update of `w` is no node");
    e->updates.at[0].value = 3;
    e->updates.at[0].var = 1;
    refused(m, false, "entry `train`: an update has no var");
    e->updates.at[0].var = 0;
    vec_push(m->arena, &e->outputs, e->outputs.at[0]);
    refused(m, false, "entry `train`: output `y` is there twice");
    e->outputs.n = 1;
    ir_ref one = ir_const_f32(e->graph, 1);
    e->updates.at[0].value = one;
    refused(m, false, "entry `train`: the update of `w` is f32[], not f32[3]");
    e->updates.at[0].value = 3;
    vec_push(m->arena, &e->grads, (struct ir_update){0, one});
    refused(m, false, "entry `train`: the gradient of `w` is f32[], not f32[3]");
    e->grads.n = 0;
    vec_push(m->arena, &m->entries, m->entries.at[0]);
    refused(m, false, "module: entry `train` is there twice");
}

static void test_verify_module(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    good_module(m);
    m->profile = "fast";
    refused(m, false, "module: there is no profile `fast`");
    m->profile = "native";
    assert_null(ir_verify(m, false));
    m->numerics = "exact-0";
    refused(m, false, "module: numerics `exact-0` are not known here (this is exact-1)");
    m->numerics = "exact-1";
    struct ir_var *w = &m->vars.at[0];
    w->init_value = ir_const_f32(w->init, 2);
    refused(m, false, "var `w`: its initial value is f32[], not f32[3]");
    w->init_value = ir_var_read(w->init, 0);
    refused(m, false, "var `w`: node %4 `var`: an initialiser reads no vars");
    w->init = NULL;
    refused(m, false, "var `w`: it has no graph");
}

static void test_verify_staged(void **state)
{
    struct ir_module *m = &((struct fixture *)*state)->m;
    struct ir_graph *g = good_module(m)->graph;
    ir_typeid t = ir_get(g, 3)->type;
    ir_ref dy = ir_node_make(g, IR_cotangent, NULL, 0, (int64_t[]){4}, 1, t);
    refused(m, true, "entry `train`: node %4 `cotangent`: no custom node has its id");
    ir_node_make(g, IR_custom, (ir_ref[]){3, 1, dy}, 3, (int64_t[]){4, 1}, 2, 0);
    assert_null(ir_verify(m, true));
    refused(m, false, "entry `train`: node %4 `cotangent`: it must be gone by now");
    ir_node_make(g, IR_custom, (ir_ref[]){3, 1, dy}, 3, (int64_t[]){4, 1}, 2, 0);
    refused(m, true, "entry `train`: node %6 `custom`: its id is taken by another custom node");
    g->nodes.n--;
    g->nodes.at[5].op = IR_none;
    refused(m, true, "entry `train`: node %5 has no operation");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_names),         TEST(test_types),
        TEST(test_shapes),        TEST(test_leaves_are_made_once),
        TEST(test_builders),      TEST(test_verify_nodes),
        TEST(test_verify_leaves), TEST(test_verify_entries),
        TEST(test_verify_module), TEST(test_verify_staged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
