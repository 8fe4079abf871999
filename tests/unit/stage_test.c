// stage_test.c: the staging evaluator as a library: modules it makes, and its reference in spec/.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "frontend/frontend.h"
#include "frontend/stage.h"
#include "ir/print.h"
#include "ir/verify.h"

struct compiled {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ir_module module;
    struct buf printed;
    bool ok, missing;
};

static void compile(struct compiled *c, const char *text)
{
    memset(c, 0, sizeof *c);
    struct frontend_options options = {.profile = "exact", .printed = &c->printed};
    sources_init(&c->sources, &c->arena);
    diags_init(&c->diags, &c->arena, &c->sources);
    ir_module_init(&c->module, &c->arena);
    c->ok = frontend_compile_text(&c->arena, "test.hlxl", text, strlen(text), &options, &c->sources,
                                  &c->diags, &c->module, &c->missing);
}

static void done(struct compiled *c)
{
    buf_free(&c->printed);
    arena_free(&c->arena);
}

static void vars_are_in_order_of_path(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, "param z: f32[2] = 1.0\n"
                "entry e(x: f32[2]) {\n"
                "    param b: f32[2] = 2.0\n"
                "    param a: f32[2] = 3.0\n"
                "    z := a\n"
                "    return { b: b }\n"
                "}\n");
    assert_true(c.ok);
    assert_null(ir_verify(&c.module, true));
    assert_int_equal(c.module.vars.n, 3);
    assert_string_equal(c.module.vars.at[0].path, "a");
    assert_string_equal(c.module.vars.at[2].path, "z");
    const struct ir_entry *e = &c.module.entries.at[0];
    assert_int_equal(e->updates.at[0].var, 2);
    assert_int_equal(ir_opcode(e->graph, e->updates.at[0].value), IR_var);
    assert_int_equal(ir_attr(e->graph, e->updates.at[0].value, 0), 0);
    assert_int_equal(ir_attr(e->graph, e->outputs.at[0].value, 0), 1);
    done(&c);
}

static void nodes_know_their_place(void **state)
{
    (void)state;
    struct compiled c;
    const char *text = "entry e(x: f32[2]) { return x + tanh(x) }\n";
    compile(&c, text);
    assert_true(c.ok);
    const struct ir_entry *e = &c.module.entries.at[0];
    const struct ir_node *sum = ir_get(e->graph, e->outputs.at[0].value);
    struct span at = c.module.locs.at[sum->loc];
    assert_int_equal(sum->op, IR_add);
    assert_int_equal(at.start, strstr(text, "x + tanh") - text);
    assert_int_equal(at.end, strstr(text, " }") - text);
    done(&c);
}

static void staging_twice_gives_the_same(void **state)
{
    (void)state;
    const char *text = "import transformer\nimport loss\nimport optim\n"
                       "let c = { vocab: 16, d: 8, layers: 12, heads: 2, ffn: 16 }\n"
                       "entry train(x: i32[2, 4], y: i32[2, 4]) {\n"
                       "    let l = loss.cross_entropy(transformer.decoder(x, c), y, ignore: 0)\n"
                       "    optim.adam(l)\n"
                       "    return { loss: l }\n"
                       "}\n";
    struct buf first = {0}, second = {0};
    struct compiled c;
    compile(&c, text);
    assert_true(c.ok);
    assert_null(ir_verify(&c.module, true));
    ir_print(&c.module, 0, &first);
    done(&c);
    compile(&c, text);
    ir_print(&c.module, 0, &second);
    done(&c);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.at, second.at, first.n);
    buf_free(&first);
    buf_free(&second);
}

// Large values are limited before anything walks them: each array holds the one before it twice.
static void values_that_double_are_limited(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, "var a = [1]\nfor i in 0..60 { a = [a, a] }\nprint(a == a, a)\n");
    assert_false(c.ok);
    assert_string_equal(c.diags.list.at[0]->code, "HLX0706");
    done(&c);
}

static void joined_arrays_do_not_share_what_follows(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, "let a = [1] + [2]\nlet b = a + [3]\nlet c = a + [4]\nprint(a, b, c, b + c)\n");
    assert_true(c.ok);
    assert_string_equal(c.printed.at, "[1, 2] [1, 2, 3] [1, 2, 4] [1, 2, 3, 1, 2, 4]\n");
    done(&c);
}

static void a_missing_file_is_said_so(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, "");
    bool missing = false;
    struct frontend_options options = {.profile = "exact"};
    assert_false(frontend_compile(&c.arena, "/nowhere/a.hlxl", &options, &c.sources, &c.diags,
                                  &c.module, &missing));
    assert_true(missing);
    assert_string_equal(c.diags.list.at[0]->code, "HLX0001");
    done(&c);
}

// Every row of the tables has an answer to what people read, and the reference in spec/ is it.
static void the_reference_of_builtins_is_current(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf reference = {0};
    const char *error;
    size_t n;
    for (const struct stage_builtin *b = stage_builtins; b->name; b++)
        assert_true(b->run && *b->doc);
    stage_builtins_markdown(&reference);
    char *spec = file_read(&a, "spec/language.md", 0, &n, &error);
    assert_non_null(spec);
    assert_non_null(strstr(spec, reference.at));
    free(spec);
    buf_free(&reference);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vars_are_in_order_of_path),
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(staging_twice_gives_the_same),
        cmocka_unit_test(values_that_double_are_limited),
        cmocka_unit_test(joined_arrays_do_not_share_what_follows),
        cmocka_unit_test(a_missing_file_is_said_so),
        cmocka_unit_test(the_reference_of_builtins_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
