// store_test.c: tests of the store: objects, names, transactions, snapshots, collection, check.
#define _XOPEN_SOURCE 700 // nftw, mkdtemp
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "latent/lcb.h"
#include "latent/store_check.h"
#include "latent/store_pack.h"

// A store in a folder of its own.
struct rig {
    struct arena arena;
    char folder[64];
    const char *path;
    struct store *store;
    struct latent_error e;
};

static void rig_open(struct rig *r)
{
    *r = (struct rig){0};
    const char *tmp = getenv("TMPDIR");
    snprintf(r->folder, sizeof r->folder, "%s/hlx-store-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->folder));
    r->path = path_join(&r->arena, r->folder, "deep/store");
    r->store = store_open(&r->arena, r->path, true, &r->e);
    assert_non_null(r->store);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static void rig_close(struct rig *r)
{
    store_close(r->store);
    nftw(r->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&r->arena);
}

static struct store_tx *begin(struct rig *r)
{
    struct store_tx *tx = store_begin(r->store, &r->e);
    assert_non_null(tx);
    return tx;
}

static void commit(struct rig *r, struct store_tx *tx)
{
    if (!store_commit(tx, &r->e))
        fail_msg("%s: %s", r->e.code, r->e.message);
}

// Stores a text, under a name where one is given.
static struct handle keep(struct rig *r, const char *text, const char *name)
{
    struct handle h;
    struct store_tx *tx = begin(r);
    assert_true(store_put(tx, value_str(&r->arena, text), &h, &r->e));
    if (name)
        assert_true(store_bind(tx, name, &h, &r->e));
    commit(r, tx);
    return h;
}

static const char *file_of(struct rig *r, const struct handle *h)
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    return arena_printf(&r->arena, "%s/objects/%.2s/%s", r->path, text + 3, text + 5);
}

static void overwrite(const char *path, const void *bytes, size_t n)
{
    unlink(path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static bool holds(struct rig *r, const struct handle *h, const char *text)
{
    const struct value *v = store_get(r->store, &r->arena, h, &r->e);
    return v && v->kind == VALUE_TEXT && strcmp(v->as.bytes.at, text) == 0;
}

static struct store_report check(struct rig *r, bool repair)
{
    struct store_report report;
    if (!store_fsck(r->store, &r->arena, repair, &report, &r->e))
        fail_msg("%s: %s", r->e.code, r->e.message);
    return report;
}

static void refused(struct rig *r, const char *code, const char *part)
{
    if (strcmp(r->e.code, code) != 0 || strstr(r->e.message, part) == NULL)
        fail_msg("%s ... %s expected, but: %s: %s", code, part, r->e.code, r->e.message);
}

// -- objects and names ---------------------------------------------------------------------------

static void what_is_stored_is_found_again(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting"), got;
    struct handle direct = handle_of(value_str(&r.arena, "hello"));
    char text[HANDLE_TEXT + 1], part[12];
    assert_true(handle_equal(&h, &direct));
    assert_true(holds(&r, &h, "hello"));
    handle_text(&h, text);
    snprintf(part, sizeof part, "%.11s", text);
    const char *const ways[] = {text,     text + 1,   text + 3,     part,
                                part + 3, "greeting", "h_greeting", "&h_greeting"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_true(store_find(r.store, ways[i], &got, &r.e));
        assert_true(handle_equal(&got, &h));
    }
    store_close(r.store);
    r.store = store_open(&r.arena, r.path, false, &r.e); // another process would see the same
    assert_true(store_find(r.store, "greeting", &got, &r.e) && holds(&r, &got, "hello"));
    rig_close(&r);
}

static void what_is_not_stored_is_said(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting"), other = handle_of(value_null()), got;
    char text[HANDLE_TEXT + 1];
    (void)h;
    assert_false(store_find(r.store, "greting", &got, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "did you mean &h_greeting?");
    assert_false(store_find(r.store, "00000000", &got, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "begins &h_00000000");
    assert_false(store_find(r.store, "no/name", &got, &r.e));
    refused(&r, "E_HANDLE_INVALID", "no/name");
    handle_text(&other, text);
    assert_null(store_get(r.store, &r.arena, &other, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", text);
    assert_null(store_open(&r.arena, path_join(&r.arena, r.folder, "none"), false, &r.e));
    refused(&r, "E_STORE_MISSING", "none");
    assert_null(store_open(&r.arena, r.folder, false, &r.e));
    refused(&r, "E_STORE_MISSING", "holds no store");
    rig_close(&r);
}

// Two handles with the same first digits are not to be had; two files are.
static void digits_must_tell_one_object(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", NULL), twin = h, got;
    char text[HANDLE_TEXT + 1], part[12];
    twin.sha[31] ^= 1;
    overwrite(file_of(&r, &twin), "x", 1);
    handle_text(&h, text);
    snprintf(part, sizeof part, "%.11s", text);
    assert_false(store_find(r.store, part, &got, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "begins 2 handles");
    rig_close(&r);
}

static void names_are_bound_moved_and_taken_away(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle one = keep(&r, "one", "b"), two = keep(&r, "two", "a"), got;
    store_names names;
    assert_true(store_list(r.store, &r.arena, &names, NULL, &r.e));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0].name, "a");
    assert_true(handle_equal(&names.at[1].handle, &one));
    keep(&r, "two", "b");
    assert_true(store_find(r.store, "b", &got, &r.e) && handle_equal(&got, &two));
    struct store_tx *tx = begin(&r);
    assert_true(store_unbind(tx, "&h_a", &r.e));
    assert_false(store_unbind(tx, "c", &r.e));
    commit(&r, tx);
    assert_false(store_find(r.store, "a", &got, &r.e));
    assert_true(store_find(r.store, "b", &got, &r.e));
    rig_close(&r);
}

static void bad_names_and_missing_objects_are_not_bound(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", NULL), other = handle_of(value_null());
    struct store_tx *tx = begin(&r);
    assert_false(store_bind(tx, "0123abcd", &h, &r.e));
    refused(&r, "E_HANDLE_INVALID", "first digits");
    assert_false(store_bind(tx, "a b", &h, &r.e));
    assert_false(store_bind(tx, "", &h, &r.e));
    assert_false(store_bind(tx, "null", &other, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "&h_6e340b9c");
    assert_false(store_put_lcb(tx, "\x01\x80\x00", 3, NULL, &r.e));
    refused(&r, "E_LC_PARSE", "longer than needed");
    store_abort(tx);
    rig_close(&r);
}

// -- transactions --------------------------------------------------------------------------------

static void an_aborted_transaction_leaves_nothing(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h;
    struct store_tx *tx = begin(&r);
    assert_true(store_put(tx, value_str(&r.arena, "gone"), &h, &r.e));
    assert_true(store_bind(tx, "gone", &h, &r.e));
    assert_false(store_has(r.store, &h));
    store_abort(tx);
    assert_false(store_has(r.store, &h));
    assert_false(store_find(r.store, "gone", &h, &r.e));
    struct store_report report = check(&r, false);
    assert_int_equal(report.findings.n + report.temps + report.objects, 0);
    rig_close(&r);
}

static void a_large_transaction_is_one(void **state)
{
    (void)state;
    enum { N = 300 };
    struct rig r;
    rig_open(&r);
    struct handle h[N];
    struct store_tx *tx = begin(&r);
    for (int i = 0; i < N; i++) {
        assert_true(store_put(tx, value_int(&r.arena, i / 2), &h[i], &r.e)); // each twice
        assert_true(store_bind(tx, arena_printf(&r.arena, "n%d", i), &h[i], &r.e));
    }
    commit(&r, tx);
    for (int i = 0; i < N; i++) {
        const struct value *v = store_get(r.store, &r.arena, &h[i], &r.e);
        assert_true(v && v->as.integer == i / 2);
    }
    struct store_report report = check(&r, false);
    assert_int_equal(report.objects, N / 2);
    assert_int_equal(report.names, N);
    assert_int_equal(report.findings.n + report.temps, 0);
    rig_close(&r);
}

static void storing_again_mends_a_damaged_object(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting");
    overwrite(file_of(&r, &h), "\x03\x05hellO", 7);
    assert_false(holds(&r, &h, "hello"));
    refused(&r, "E_STORE_DAMAGED", file_of(&r, &h));
    keep(&r, "hello", NULL);
    assert_true(holds(&r, &h, "hello"));
    rig_close(&r);
}

// -- snapshots and collection --------------------------------------------------------------------

static struct handle snapshot(struct rig *r)
{
    struct handle h;
    struct store_tx *tx = begin(r);
    store_snapshot(tx, &h);
    commit(r, tx);
    return h;
}

static size_t collect(struct rig *r, uint64_t grace, bool dry_run)
{
    struct store_gc gc;
    if (!store_gc(r->store, &r->arena, grace, dry_run, &gc, &r->e))
        fail_msg("%s: %s", r->e.code, r->e.message);
    assert_int_equal(gc.handles.n, gc.removed);
    return gc.removed;
}

static void a_snapshot_brings_names_back(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle one = keep(&r, "one", "a"), before = snapshot(&r), again = snapshot(&r), got;
    store_handles kept;
    assert_true(handle_equal(&before, &again)); // the same state, the same handle
    keep(&r, "two", "a");
    keep(&r, "three", "b");
    assert_int_equal(collect(&r, 0, false), 0);
    struct store_tx *tx = begin(&r);
    assert_false(store_restore(tx, &one, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "is no snapshot");
    assert_true(store_restore(tx, &before, &r.e));
    commit(&r, tx);
    assert_true(store_find(r.store, "a", &got, &r.e) && handle_equal(&got, &one));
    assert_false(store_find(r.store, "b", &got, &r.e));
    assert_int_equal(collect(&r, 0, false), 2); // two, three
    tx = begin(&r);
    assert_false(store_forget(tx, &one, &r.e));
    assert_true(store_forget(tx, &before, &r.e));
    commit(&r, tx);
    assert_true(store_list(r.store, &r.arena, NULL, &kept, &r.e) && kept.n == 0);
    assert_int_equal(collect(&r, 0, false), 1); // the snapshot
    assert_true(holds(&r, &one, "one"));
    rig_close(&r);
}

static void what_is_reached_is_kept(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle leaf = keep(&r, "leaf", NULL), loose = keep(&r, "loose", NULL), tree;
    const struct value *item = handle_value(&r.arena, &leaf);
    const struct value *list = value_array(&r.arena, &item, 1);
    const struct value_field field = {"list", 4, list};
    struct store_tx *tx = begin(&r);
    assert_true(store_put(tx, value_object(&r.arena, &field, 1, NULL), &tree, &r.e));
    assert_true(store_bind(tx, "tree", &tree, &r.e));
    commit(&r, tx);
    assert_int_equal(collect(&r, 3600, false), 0); // all are young
    assert_int_equal(collect(&r, 0, true), 1);
    assert_true(store_has(r.store, &loose));
    assert_int_equal(collect(&r, 0, false), 1);
    assert_false(store_has(r.store, &loose));
    assert_true(store_has(r.store, &leaf) && store_has(r.store, &tree));
    rig_close(&r);
}

// What was stored again just now keeps the old objects that it leads to.
static void the_young_keep_the_old(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle leaf = keep(&r, "leaf", NULL), loose = keep(&r, "loose", NULL), list;
    const struct value *item = handle_value(&r.arena, &leaf);
    const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct store_tx *tx = begin(&r);
    assert_true(store_put(tx, value_array(&r.arena, &item, 1), &list, &r.e));
    commit(&r, tx);
    assert_int_equal(utimensat(AT_FDCWD, file_of(&r, &leaf), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, file_of(&r, &loose), old, 0), 0);
    assert_int_equal(collect(&r, 3600, false), 1);
    assert_true(store_has(r.store, &leaf) && !store_has(r.store, &loose));
    assert_int_equal(utimensat(AT_FDCWD, file_of(&r, &leaf), old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, file_of(&r, &list), old, 0), 0);
    keep(&r, "leaf", NULL); // young again
    assert_int_equal(collect(&r, 3600, false), 1);
    assert_true(store_has(r.store, &leaf) && !store_has(r.store, &list));
    rig_close(&r);
}

static void nothing_is_collected_where_something_is_damaged(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting"), loose = keep(&r, "loose", NULL);
    struct store_gc gc;
    overwrite(file_of(&r, &h), "\x03\x05hellO", 7);
    assert_false(store_gc(r.store, &r.arena, 0, false, &gc, &r.e));
    refused(&r, "E_STORE_DAMAGED", "is damaged");
    assert_true(store_has(r.store, &loose));
    rig_close(&r);
}

// -- check ---------------------------------------------------------------------------------------

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting");
    const char *const files[] = {file_of(&r, &h), path_join(&r.arena, r.path, "root")};
    for (size_t f = 0; f < 2; f++) {
        size_t n;
        const char *why;
        char *bytes = file_read(&r.arena, files[f], 0, &n, &why);
        assert_non_null(bytes);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            overwrite(files[f], bytes, n);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            struct handle got;
            assert_false(store_find(r.store, "greeting", &got, &r.e) && holds(&r, &got, "hello"));
            assert_non_null(strstr(r.e.message, files[f]));
            struct store_report report;
            if (store_fsck(r.store, &r.arena, false, &report, &r.e))
                assert_true(report.findings.n > 0);
            else // the version's digit
                assert_string_equal(r.e.code, "E_STORE_VERSION");
        }
        overwrite(files[f], bytes, n);
        free(bytes);
        assert_int_equal(check(&r, false).findings.n, 0);
    }
    rig_close(&r);
}

static void damage_is_put_away(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle bad = keep(&r, "bad", "bad"), good = keep(&r, "good", "good");
    struct handle lost = keep(&r, "lost", "lost"), astray = keep(&r, "astray", "astray");
    overwrite(file_of(&r, &bad),
              "\x03\x03"
              "baD",
              5);
    unlink(file_of(&r, &lost));
    const char *elsewhere = path_join(&r.arena, r.path, "objects/stray");
    assert_int_equal(rename(file_of(&r, &astray), elsewhere), 0);
    overwrite(path_join(&r.arena, r.path, "objects/notes.txt"), "x", 1);
    overwrite(path_join(&r.arena, r.path, "tmp/1.1"), "x", 1);
    // bad and its name; lost's name; stray; notes. A name whose object is elsewhere leads nowhere.
    assert_int_equal(check(&r, false).findings.n, 6);
    assert_int_equal(check(&r, false).temps, 1);
    struct store_report report = check(&r, true);
    assert_int_equal(report.findings.n, 5); // the stray object is at home again
    for (size_t i = 0; i < report.findings.n; i++)
        assert_non_null(report.findings.at[i].repair);
    assert_int_equal(check(&r, false).findings.n, 0);
    assert_true(holds(&r, &good, "good") && holds(&r, &astray, "astray"));
    struct handle got;
    assert_false(store_find(r.store, "bad", &got, &r.e));
    size_t n;
    const char *why, *kept = path_join(&r.arena, r.path, "quarantine/objects-notes.txt");
    char *bytes = file_read(&r.arena, kept, 0, &n, &why);
    assert_non_null(bytes);
    free(bytes);
    rig_close(&r);
}

static void a_lost_root_is_noticed(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle h = keep(&r, "hello", "greeting");
    struct store_gc gc;
    unlink(path_join(&r.arena, r.path, "root"));
    assert_false(store_find(r.store, "greeting", &h, &r.e));
    refused(&r, "E_STORE_DAMAGED", "is missing");
    assert_false(store_gc(r.store, &r.arena, 0, false, &gc, &r.e));
    store_close(r.store);
    r.store = store_open(&r.arena, r.path, true, &r.e); // does not hide it
    assert_int_equal(check(&r, false).findings.n, 1);
    assert_int_equal(check(&r, true).findings.n, 1);
    assert_int_equal(check(&r, false).findings.n, 0);
    assert_true(holds(&r, &h, "hello"));
    rig_close(&r);
}

// As many tools copy it: without empty folders and files.
static void a_copy_without_its_empty_parts_works(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct handle one = keep(&r, "one", "a"), got;
    store_close(r.store);
    assert_int_equal(rmdir(path_join(&r.arena, r.path, "tmp")), 0);
    assert_int_equal(unlink(path_join(&r.arena, r.path, "lock")), 0);
    r.store = store_open(&r.arena, r.path, false, &r.e);
    assert_non_null(r.store);
    const struct value *v = store_resolve(r.store, &r.arena, "a", &got, &r.e);
    assert_true(v && handle_equal(&got, &one));
    assert_int_equal(access(path_join(&r.arena, r.path, "lock"), F_OK), -1); // readers make nothing
    assert_int_equal(check(&r, false).findings.n, 0);
    assert_int_equal(collect(&r, 0, false), 0);
    keep(&r, "two", "b");
    assert_null(store_resolve(r.store, &r.arena, "c", &got, &r.e));
    refused(&r, "E_HANDLE_NOT_FOUND", "&h_c");
    assert_true(store_resolve(r.store, &r.arena, "b", &got, &r.e));
    rig_close(&r);
}

// -- packs ---------------------------------------------------------------------------------------

static void a_pack_carries_a_tree_to_another_store(void **state)
{
    (void)state;
    struct rig r, other;
    rig_open(&r);
    rig_open(&other);
    struct handle leaf = keep(&r, "leaf", NULL), away = handle_of(value_null()), tree;
    const struct value *items[] = {handle_value(&r.arena, &leaf), handle_value(&r.arena, &away)};
    struct store_tx *tx = begin(&r);
    assert_true(store_put(tx, value_array(&r.arena, items, 2), &tree, &r.e));
    commit(&r, tx);
    keep(&r, "loose", NULL);

    struct pack_writer w;
    struct buf bytes = {0};
    struct pack p;
    size_t outside;
    pack_writer_init(&w, &r.arena);
    assert_true(store_pack(r.store, &w, &tree, &outside, &r.e));
    assert_int_equal(outside, 1);
    assert_false(store_pack(r.store, &w, &away, &outside, &r.e));
    pack_write(&w, &tree, &bytes);
    assert_true(pack_read(&r.arena, bytes.at, bytes.n, &p, &r.e));
    assert_int_equal(p.n, 2);
    tx = begin(&other);
    assert_true(store_unpack(tx, &p, &other.e));
    commit(&other, tx);
    assert_true(holds(&other, &leaf, "leaf") && store_has(other.store, &tree));
    buf_free(&bytes);
    rig_close(&other);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_found_again),
        cmocka_unit_test(what_is_not_stored_is_said),
        cmocka_unit_test(digits_must_tell_one_object),
        cmocka_unit_test(names_are_bound_moved_and_taken_away),
        cmocka_unit_test(bad_names_and_missing_objects_are_not_bound),
        cmocka_unit_test(an_aborted_transaction_leaves_nothing),
        cmocka_unit_test(a_large_transaction_is_one),
        cmocka_unit_test(storing_again_mends_a_damaged_object),
        cmocka_unit_test(a_snapshot_brings_names_back),
        cmocka_unit_test(what_is_reached_is_kept),
        cmocka_unit_test(the_young_keep_the_old),
        cmocka_unit_test(nothing_is_collected_where_something_is_damaged),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(damage_is_put_away),
        cmocka_unit_test(a_lost_root_is_noticed),
        cmocka_unit_test(a_copy_without_its_empty_parts_works),
        cmocka_unit_test(a_pack_carries_a_tree_to_another_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
