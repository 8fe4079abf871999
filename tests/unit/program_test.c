// program_test.c: tests of the program format: what is written is read back, the rest refused.
#include "runtime/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/program_kit.h"

static void open_kit(struct kit *k, struct program *p)
{
    struct hlx_error e;
    kit_open(k, "/home/someone/models", 4, 3, false);
    if (!program_open_bytes(p, k->bytes.at, k->bytes.n, &e))
        fail_msg("%s", e.text);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct kit k;
    struct program p;
    open_kit(&k, &p);
    assert_true(handle_equal(&p.identity, &k.identity));
    struct buf before = {0}, after = {0};
    ir_print(&k.module, IR_PRINT_CANONICAL, &before);
    ir_print(&p.module, IR_PRINT_CANONICAL, &after);
    assert_string_equal(before.at, after.at);
    buf_free(&before);
    buf_free(&after);
    assert_int_equal(p.module.entries.n, 2);
    assert_int_equal(p.module.data.n, 1);
    program_close(&p);
    kit_close(&k);
}

static void test_names_come_back(void **state)
{
    (void)state;
    struct kit k;
    struct program p;
    open_kit(&k, &p);
    const struct ir_entry *e = ir_find_entry(&p.module, "train");
    assert_string_equal(ir_name_text(&p.module, ir_get(e->graph, 5)->name), "model.prediction");
    assert_int_equal(ir_get(e->graph, 4)->name, 0);
    const struct ir_type *t = ir_typeof(e->graph, 5);
    assert_string_equal(ir_name_text(&p.module, t->name[0]), "B");
    assert_string_equal(
        ir_name_text(&p.module, ir_type_get(&p.module, e->inputs.at[1].type)->name[0]), "B");
    assert_int_equal(e->grads.n, 1);
    assert_int_equal(e->grads.at[0].value, 12);
    program_close(&p);
    kit_close(&k);
}

static void test_places_come_back(void **state)
{
    (void)state;
    struct kit k;
    struct program p;
    struct program_place place;
    open_kit(&k, &p);
    const struct ir_entry *e = ir_find_entry(&p.module, "train");
    assert_true(program_place(&p, p.module.locs.at[ir_get(e->graph, 5)->loc], &place));
    assert_string_equal(place.file, "model.hlxl");
    assert_int_equal(place.line, 1);
    assert_int_equal(place.col, 21);
    assert_true(program_place(&p, p.module.locs.at[ir_get(e->graph, 10)->loc], &place));
    assert_int_equal(place.line, 2);
    assert_int_equal(place.col, 9);
    assert_true(program_place(&p, p.module.locs.at[ir_get(e->graph, 6)->loc], &place));
    assert_string_equal(place.file, "stdlib/loss.hlxl");
    assert_false(program_place(&p, p.module.locs.at[ir_get(e->graph, 4)->loc], &place));
    program_close(&p);
    kit_close(&k);
}

static void test_data_travels(void **state)
{
    (void)state;
    struct kit k;
    struct program p;
    open_kit(&k, &p);
    const struct value *content = program_data(&p, &p.module.data.at[0]);
    assert_non_null(content);
    assert_true(value_equal(content, k.module.data.at[0].content));
    assert_string_equal(program_hint(&p, &p.module.data.at[0]), "a/line");
    program_close(&p);
    kit_close(&k);
}

// The folder of the source leaves no trace (H2.1).
static void test_same_bytes_in_another_folder(void **state)
{
    (void)state;
    static const char *const folders[] = {"/home/someone/models", ".", "a/b", "../x", "/"};
    struct kit first;
    kit_open(&first, folders[0], 4, 3, false);
    for (size_t i = 1; i < sizeof folders / sizeof *folders; i++) {
        struct kit k;
        kit_open(&k, folders[i], 4, 3, false);
        assert_int_equal(k.bytes.n, first.bytes.n);
        assert_memory_equal(k.bytes.at, first.bytes.at, first.bytes.n);
        kit_close(&k);
    }
    kit_close(&first);
}

// Names are not identity; attributes are (H2.3).
static void test_identity(void **state)
{
    (void)state;
    struct kit a, b, c;
    kit_open(&a, ".", 4, 3, false);
    kit_open(&b, ".", 4, 3, false);
    kit_open(&c, ".", 4, 4, false);
    b.module.entries.at[0].graph->nodes.at[5].name = 0;
    buf_clear(&b.bytes);
    b.identity = hbin_write(&b.arena, &b.module, &b.sources, NULL, &b.bytes);
    assert_true(handle_equal(&a.identity, &b.identity));
    assert_false(a.bytes.n == b.bytes.n && !memcmp(a.bytes.at, b.bytes.at, a.bytes.n));
    assert_false(handle_equal(&a.identity, &c.identity));
    kit_close(&a);
    kit_close(&b);
    kit_close(&c);
}

// -- hostile bytes -------------------------------------------------------------------------------

static void refuse(const void *bytes, size_t n, const char *part)
{
    struct program p;
    struct hlx_error e = {0};
    // A copy of exactly n bytes shows a sanitizer every step beyond it.
    unsigned char *copy = malloc(n + (n == 0));
    memcpy(copy, bytes, n);
    if (program_open_bytes(&p, copy, n, &e))
        fail_msg("accepted what should be refused for `%s`", part);
    assert_int_equal(e.code, EXIT_DATA);
    if (!strstr(e.text, part))
        fail_msg("`%s` does not say `%s`", e.text, part);
    free(copy);
}

static void test_truncated(void **state)
{
    (void)state;
    struct kit k;
    kit_open(&k, ".", 4, 3, false);
    for (size_t n = 0; n < k.bytes.n; n += n < 200 ? 1 : 37)
        refuse(k.bytes.at, n, "not a program");
    kit_close(&k);
}

static void test_flipped_bytes(void **state)
{
    (void)state;
    struct kit k;
    kit_open(&k, ".", 4, 3, false);
    for (size_t i = 0; i < k.bytes.n; i += 7) {
        k.bytes.at[i] ^= 0x10;
        refuse(k.bytes.at, k.bytes.n, "not a program");
        k.bytes.at[i] ^= 0x10;
    }
    kit_close(&k);
}

// A program taken apart, to be put together again with a field changed.
struct parts {
    struct kit kit;
    struct pack pack;
    const struct value *tree; // fields of the root (902)
    const struct value *root; // fields of the program (904)
};

static void parts_open(struct parts *t)
{
    struct latent_error e;
    int64_t number;
    struct arena *a = &t->kit.arena;
    kit_open(&t->kit, ".", 4, 3, false);
    assert_true(pack_read(a, t->kit.bytes.at, t->kit.bytes.n, &t->pack, &e));
    assert_true(value_is_contract(pack_get(a, &t->pack, &t->pack.root, &e), &number, &t->tree));
    assert_int_equal(number, CONTRACT_PIPELINE);
    const struct value *program = value_get(t->tree, "program");
    assert_true(value_is_contract(pack_resolve(a, &t->pack, program, &e), &number, &t->root));
    assert_int_equal(number, CONTRACT_PROGRAM);
}

static const struct value *with_field(struct arena *a, const struct value *object, const char *key,
                                      const struct value *value)
{
    struct value_field *f = arena_array(a, object->as.object.n + 1, sizeof *f);
    size_t n = 0;
    bool found = false;
    for (size_t i = 0; i < object->as.object.n; i++) {
        f[n] = object->as.object.at[i];
        if (strcmp(f[n].key, key) != 0) {
            n++;
        } else if (value) {
            f[n++].value = value;
            found = true;
        }
    }
    if (value && !found)
        f[n++] = (struct value_field){key, strlen(key), value};
    return value_object(a, f, n, NULL);
}

static struct handle handle_in(const struct value *v)
{
    struct handle h;
    assert_true(handle_parse(v->as.bytes.at, v->as.bytes.n, &h));
    return h;
}

// Packs the objects again, without `drop`, with `extra`, under a changed program and tree.
static void pack_tree(struct parts *t, const struct value *tree, const struct value *root,
                      const struct value *extra, const struct handle *drop, struct buf *out)
{
    struct pack_writer w;
    struct arena *a = &t->kit.arena;
    struct handle program = handle_in(value_get(t->tree, "program"));
    pack_writer_init(&w, a);
    for (size_t i = 0; i < t->pack.n; i++) {
        const struct handle *h = &t->pack.object[i].handle;
        if (!handle_equal(h, &t->pack.root) && !handle_equal(h, &program) &&
            !(drop && handle_equal(h, drop)))
            pack_add(&w, pack_get(a, &t->pack, h, NULL));
    }
    if (extra)
        pack_add(&w, extra);
    struct handle h = pack_add(&w, value_contract(a, CONTRACT_PROGRAM, root));
    if (value_get(tree, "program") == value_get(t->tree, "program"))
        tree = with_field(a, tree, "program", handle_value(a, &h));
    h = pack_add(&w, value_contract(a, CONTRACT_PIPELINE, tree));
    pack_write(&w, &h, out);
}

static void pack_again(struct parts *t, const struct value *root, const struct value *extra,
                       const struct handle *drop, struct buf *out)
{
    pack_tree(t, t->tree, root, extra, drop, out);
}

static void refuse_root(struct parts *t, const char *key, const struct value *value,
                        const char *part)
{
    struct buf out = {0};
    pack_again(t, with_field(&t->kit.arena, t->root, key, value), NULL, NULL, &out);
    refuse(out.at, out.n, part);
    buf_free(&out);
}

static void test_root_fields(void **state)
{
    (void)state;
    struct parts t;
    parts_open(&t);
    struct arena *a = &t.kit.arena;
    struct handle other = handle_of(value_int(a, 1));
    const struct value *h = handle_value(a, &other);
    refuse_root(&t, "hbin", value_int(a, 2), "version 2");
    refuse_root(&t, "hbin", value_str(a, "1"), "`hbin`");
    refuse_root(&t, "hbin", NULL, "`hbin`");
    refuse_root(&t, "more", value_int(a, 2), "no field `more`");
    refuse_root(&t, "numerics", value_str(a, "exact-9"), "exact-9");
    refuse_root(&t, "profile", value_str(a, "fast"), "neither");
    refuse_root(&t, "profile", value_str(a, "native"), "another profile");
    refuse_root(&t, "identity", h, "identity");
    refuse_root(&t, "ir", h, "pack");
    refuse_root(&t, "ir", value_get(t.root, "debug"), "not text");
    refuse_root(&t, "debug", h, "pack");
    refuse_root(&t, "debug", value_get(t.root, "ir"), "not an object");
    refuse_root(&t, "data", value_array(a, &h, 1), "not in the pack");
    refuse_root(&t, "data", value_array(a, NULL, 0), "list of data");
    refuse_root(&t, "data", value_get(t.root, "data")->as.array.at[0], "no array");
    refuse_root(&t, "params", value_array(a, NULL, 0), "table of params");
    refuse_root(&t, "dispatch", h, "pack");
    kit_close(&t.kit);
}

static void refuse_tree(struct parts *t, const char *key, const struct value *value,
                        const char *part)
{
    struct buf out = {0};
    pack_tree(t, with_field(&t->kit.arena, t->tree, key, value), t->root, NULL, NULL, &out);
    refuse(out.at, out.n, part);
    buf_free(&out);
}

// The tree over a program says what its dispatch table says, and nothing else.
static void test_tree(void **state)
{
    (void)state;
    struct parts t;
    parts_open(&t);
    struct arena *a = &t.kit.arena;
    struct handle other = handle_of(value_int(a, 1));
    const struct value *h = handle_value(a, &other), *debug = value_get(t.root, "debug");
    refuse_tree(&t, "pipeline_id", value_str(a, "mine"), "tree of pipelines");
    refuse_tree(&t, "pipeline_id", value_int(a, 1), "pipeline_id");
    refuse_tree(&t, "stages", value_array(a, &h, 1), "tree of pipelines");
    refuse_tree(&t, "stages", NULL, "stages");
    refuse_tree(&t, "output_image", value_str(a, ""), "tree of pipelines");
    refuse_tree(&t, "program", NULL, "without a program");
    refuse_tree(&t, "program", h, "not in the pack");
    refuse_tree(&t, "program", debug, "904");
    refuse_tree(&t, "more", h, "no field `more`");
    kit_close(&t.kit);
}

// The object of a data source, changed.
static void test_data_objects(void **state)
{
    (void)state;
    struct parts t;
    parts_open(&t);
    struct arena *a = &t.kit.arena;
    const struct value *list = value_get(t.root, "data"), *fields;
    struct handle old = handle_in(list->as.array.at[0]);
    int64_t number;
    assert_true(value_is_contract(pack_get(a, &t.pack, &old, NULL), &number, &fields));
    assert_int_equal(number, CONTRACT_DATA);
    const struct {
        const char *key;
        const struct value *value;
        const char *part;
    } rows[] = {
        {"name", value_str(a, "other"), "not what its IR says"},
        {"fields", value_array(a, NULL, 0), "not what its IR says"},
        {"content", value_null(), "not what its IR says"},
        {"carried", value_bool(false), "nothing refers to"},
        {"carried", value_int(a, 1), "carried"},
        {"carried", NULL, "carried"},
        {"hint", value_int(a, 1), "hint"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct value *changed =
            value_contract(a, CONTRACT_DATA, with_field(a, fields, rows[i].key, rows[i].value));
        struct handle h = handle_of(changed);
        const struct value *item = handle_value(a, &h);
        struct buf out = {0};
        pack_again(&t, with_field(a, t.root, "data", value_array(a, &item, 1)), changed, &old,
                   &out);
        refuse(out.at, out.n, rows[i].part);
        buf_free(&out);
    }
    kit_close(&t.kit);
}

static void test_other_roots(void **state)
{
    (void)state;
    struct parts t;
    struct buf out = {0};
    parts_open(&t);
    struct pack_writer w;
    pack_writer_init(&w, &t.kit.arena);
    struct handle h = pack_add(&w, value_int(&t.kit.arena, 904));
    pack_write(&w, &h, &out);
    refuse(out.at, out.n, "902");
    buf_clear(&out);
    pack_again(&t, t.root, value_str(&t.kit.arena, "stowaway"), NULL, &out);
    refuse(out.at, out.n, "nothing refers to");
    buf_free(&out);
    kit_close(&t.kit);
}

// Another IR text under a right identity.
static void refuse_ir(struct parts *t, const char *ir, const char *part)
{
    struct arena *a = &t->kit.arena;
    const struct value *text = value_str(a, ir);
    struct handle h = handle_of(text), old, id = program_identity(a, &h, "exact-1", "exact");
    const struct value *own = value_get(t->root, "ir");
    assert_true(handle_parse(own->as.bytes.at, own->as.bytes.n, &old));
    const struct value *root = with_field(a, t->root, "ir", handle_value(a, &h));
    struct buf out = {0};
    pack_again(t, with_field(a, root, "identity", handle_value(a, &id)), text, &old, &out);
    refuse(out.at, out.n, part);
    buf_free(&out);
}

static void test_ir(void **state)
{
    (void)state;
    struct parts t;
    parts_open(&t);
    struct arena *a = &t.kit.arena;
    struct handle h;
    const struct value *own = value_get(t.root, "ir");
    assert_true(handle_parse(own->as.bytes.at, own->as.bytes.n, &h));
    const char *text = pack_get(a, &t.pack, &h, NULL)->as.bytes.at;
    refuse_ir(&t, "", "line 1");
    refuse_ir(&t, "hello\n", "line 1");
    refuse_ir(&t, arena_printf(a, "%s\n", text), "canonical");
    char *cut = arena_strdup(a, text);
    cut[strlen(cut) / 2] = '\0';
    refuse_ir(&t, cut, "line");
    refuse_ir(&t, kit_ir, "canonical"); // with names and places
    kit_close(&t.kit);
}

// Every byte of the debug part's tables, changed one at a time, is refused or harmless.
static void test_debug_bytes(void **state)
{
    (void)state;
    struct parts t;
    parts_open(&t);
    struct arena *a = &t.kit.arena;
    struct handle h;
    const struct value *own = value_get(t.root, "debug");
    assert_true(handle_parse(own->as.bytes.at, own->as.bytes.n, &h));
    const struct value *debug = pack_get(a, &t.pack, &h, NULL);
    static const char *const tables[] = {"places", "shapes", "vars", "data"};
    size_t refused = 0;
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
        const struct value *old = value_get(debug, tables[k]);
        for (size_t i = 0; i < old->as.bytes.n; i++) {
            char *bytes = arena_copy(a, old->as.bytes.at, old->as.bytes.n);
            bytes[i] = (char)(bytes[i] + 1 + (int)(i * 29 % 200));
            const struct value *changed =
                with_field(a, debug, tables[k], value_bytes(a, bytes, old->as.bytes.n));
            struct handle changed_handle = handle_of(changed);
            struct buf out = {0};
            pack_again(&t, with_field(a, t.root, "debug", handle_value(a, &changed_handle)),
                       changed, &h, &out);
            struct program p;
            struct hlx_error e = {0};
            if (program_open_bytes(&p, out.at, out.n, &e))
                program_close(&p);
            else
                refused++;
            buf_free(&out);
        }
    }
    assert_true(refused > 5);
    kit_close(&t.kit);
}

static void test_files(void **state)
{
    (void)state;
    struct program p;
    struct hlx_error e;
    assert_false(program_open(&p, "/nonexistent/x.hbin", &e));
    assert_int_equal(e.code, EXIT_DATA);
    assert_non_null(strstr(e.text, "/nonexistent/x.hbin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_names_come_back),
        cmocka_unit_test(test_places_come_back),
        cmocka_unit_test(test_data_travels),
        cmocka_unit_test(test_same_bytes_in_another_folder),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_root_fields),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_data_objects),
        cmocka_unit_test(test_other_roots),
        cmocka_unit_test(test_ir),
        cmocka_unit_test(test_debug_bytes),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
