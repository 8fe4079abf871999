// reentry_test.c: the front end keeps nothing between runs: broken sources again and again, in turn
// and in threads, say what they say alone. A language server lives from that.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/frontend.h"
#include "frontend/parse.h"
#include "ir/print.h"

static const struct text {
    const char *path, *text;
} texts[] = {
    {"syntax.hlxl",
     "let = 3\nlet a = f(1, [2\nlet b = 4 ? 5\nfn g(x { x }\nentry e() { return 1 < 2 < 3 }\n"
     "let gro\xcc\x88\x73se = \"\\q\" + \xe2\x80\x8b 1.\n"},
    {"stage.hlxl", "import nn\nimport missing\nlet a = [1, 2][5] + nothing\n"
                   "ls.collapse({ a: 1 }, name: \"one\")\n"
                   "print(ls.resolve(&one), ls.resolve(&two), ls.snapshot())\n"
                   "fn f(n) { f(n + 1) }\nlet b = f(0)\n"},
    {"shapes.hlxl", "import nn\nentry e(x: f32[4, 3]) {\n    let h = nn.linear(x, 2) as a\n"
                    "    return { y: h + iota(3), z: x @ x }\n}\n"},
    {"runic.hlx", "ᛚ a = 1 ᛖ\nᛚ b = (2\nᚠ f(x) { x ≡ }\nᛚ na\xc3\xafve = ⋔\n"},
    {"right.hlxl",
     "import nn\nparam w: f32[3] = 1.0\nentry e(x: f32[4, 3]) {\n"
     "    let h = nn.linear(x, 3) as a\n    return { y: h * w }\n}\nprint(ls.snapshot())\n"},
};

enum { NTEXTS = sizeof texts / sizeof *texts, ROUNDS = 20, THREADS = 4 };

// All that a run says and makes, as one text to be freed.
static char *run(const struct text *t)
{
    struct arena arena = {0};
    struct sources sources;
    struct diags diags;
    struct ir_module module;
    struct buf printed = {0}, out = {0};
    bool missing;
    struct frontend_options options = {.profile = "exact", .printed = &printed};
    sources_init(&sources, &arena);
    diags_init(&diags, &arena, &sources);
    ir_module_init(&module, &arena);
    if (frontend_compile_text(&arena, t->path, t->text, strlen(t->text), &options, &sources, &diags,
                              &module, &missing))
        ir_print(&module, 0, &out);
    buf_put(&out, printed.n ? printed.at : "", printed.n);
    diags_render(&diags, DIAG_TEXT, true, &out);
    diags_render(&diags, DIAG_JSON, false, &out);
    buf_free(&printed);
    arena_free(&arena);
    return out.at;
}

struct worker {
    pthread_t thread;
    size_t first;
    char **alone; // what each text says alone
    unsigned differ;
};

static void *work(void *state)
{
    struct worker *w = state;
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t k = (w->first + i) % NTEXTS;
        char *said = run(&texts[k]);
        w->differ += strcmp(said, w->alone[k]) != 0;
        free(said);
    }
    return NULL;
}

static int set_up(void **state)
{
    char **alone = calloc(NTEXTS, sizeof *alone);
    for (size_t i = 0; alone && i < NTEXTS; i++)
        alone[i] = run(&texts[i]);
    *state = alone;
    return alone == NULL;
}

static int tear_down(void **state)
{
    char **alone = *state;
    for (size_t i = 0; i < NTEXTS; i++)
        free(alone[i]);
    free(alone);
    return 0;
}

static void the_texts_are_what_they_are_for(void **state)
{
    char **alone = *state;
    static const char *const says[] = {"HLX0201", "E_HANDLE_NOT_FOUND", "HLX0403", "`ᛖ` (else)",
                                       "entry e"};
    for (size_t i = 0; i < NTEXTS; i++) {
        if (!strstr(alone[i], says[i]))
            fail_msg("%s does not say %s:\n%s", texts[i].path, says[i], alone[i]);
        assert_int_equal(strstr(alone[i], "error[") != NULL, i + 1 < NTEXTS);
    }
}

static void runs_in_turn_are_independent(void **state)
{
    struct worker w = {.alone = *state};
    work(&w);
    assert_int_equal(w.differ, 0);
}

static void runs_in_threads_are_independent(void **state)
{
    struct worker w[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.first = i, .alone = *state};
        assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(w[i].thread, NULL);
        assert_int_equal(w[i].differ, 0);
    }
}

// A tree comes out of a broken text, with what could be read on both sides of the error.
static void a_broken_text_has_a_tree(void **state)
{
    (void)state;
    static const char text[] = "let a = 1\nlet = 2\nfn f(x) { x + }\nlet b = [1, 2\nlet c = 3\n";
    struct arena arena = {0};
    struct sources sources;
    struct diags diags;
    struct buf tree = {0};
    sources_init(&sources, &arena);
    diags_init(&diags, &arena, &sources);
    uint32_t file = sources_add(&sources, "t.hlxl", text, strlen(text));
    const struct ast_file *parsed = parse_file(&arena, &sources, &diags, file);
    assert_non_null(parsed);
    assert_int_equal(diags.errors, 3);
    ast_dump(NULL, parsed->program, &tree);
    assert_non_null(strstr(tree.at, "let \"a\""));
    assert_non_null(strstr(tree.at, "let \"c\""));
    assert_non_null(strstr(tree.at, "error"));
    buf_free(&tree);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_texts_are_what_they_are_for),
        cmocka_unit_test(runs_in_turn_are_independent),
        cmocka_unit_test(runs_in_threads_are_independent),
        cmocka_unit_test(a_broken_text_has_a_tree),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
