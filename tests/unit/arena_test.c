// arena_test.c: tests of the arena and of the vectors in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/vec.h"

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

// Takes a little from the arena and then, from it or a joined one, more than there is.
struct hungry {
    struct arena *arena;
    bool joined, reached;
};

static void eat(void *context)
{
    struct hungry *h = context;
    struct arena scratch = {0};
    arena_join(&scratch, h->arena);
    arena_alloc(h->arena, 100);
    arena_alloc(h->joined ? &scratch : h->arena, SIZE_MAX / 4);
    h->reached = true;
}

static void nest(void *context)
{
    struct hungry *h = context;
    assert_false(arena_try(h->arena, eat, h));
    assert_false(h->reached);
    eat(h); // is this work's failure, not that of the one before
}

static void little(void *context)
{
    struct hungry *h = context;
    arena_alloc(h->arena, 100);
    h->reached = true;
}

static void memory_that_runs_out_ends_what_is_tried(void **state)
{
    (void)state;
    struct arena a = {0};
    for (int joined = 0; joined < 2; joined++) {
        struct hungry h = {&a, joined == 1, false};
        assert_false(arena_try(&a, eat, &h));
        assert_false(arena_try(&a, nest, &h));
        assert_false(h.reached);
        assert_null(a.trap);
        assert_true(arena_try(&a, little, &h));
        assert_true(h.reached);
        assert_null(a.trap);
        assert_true(all_zero(arena_alloc(&a, 1000), 1000));
    }
    arena_free(&a);
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena a = {0};
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 16 << 10, 3 << 20, 5, 2 << 20, 7};
    size_t sum = 0;
    for (size_t k = 0; k < 400; k++) {
        size_t n = sizes[k % (sizeof(sizes) / sizeof(sizes[0]))] >> (k > 11 ? 4 : 0);
        char *p = arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_true(all_zero(p, n));
        memset(p, 0xA5, n);
        sum += n;
    }
    assert_true(a.used >= sum);
    arena_free(&a);
    assert_null(a.head);
    assert_int_equal(a.used, 0);
    assert_true(all_zero(arena_alloc(&a, 100), 100));
    arena_free(&a);
}

static void empty_pieces_are_distinct(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    char *p = arena_alloc(&a, 0), *q = arena_alloc(&a, 0);
    assert_non_null(p);
    assert_ptr_not_equal(p, q);
    arena_free(&a);
}

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *piece[300];
    for (size_t k = 0; k < 300; k++) {
        size_t n = (k * 7919) % 9001 + 1;
        piece[k] = arena_alloc(&a, n);
        memset(piece[k], (int)(k & 0xFF), n);
    }
    for (size_t k = 0; k < 300; k++) {
        size_t n = (k * 7919) % 9001 + 1;
        assert_int_equal(piece[k][0], k & 0xFF);
        assert_int_equal(piece[k][n - 1], k & 0xFF);
    }
    arena_free(&a);
}

static void texts_are_copied(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_memory_equal(arena_copy(&a, "a\0b", 3), "a\0b", 4);
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    assert_string_equal(arena_strdup(&a, "word"), "word");
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    const char *longer = arena_printf(&a, "%*d", 100000, 1);
    assert_int_equal(strlen(longer), 100000);
    arena_free(&a);
}

static void the_newest_piece_grows_in_place(void **state)
{
    (void)state;
    struct arena a = {0};
    char *p = arena_alloc(&a, 16);
    strcpy(p, "fifteen letters");
    char *q = arena_grow(&a, p, 16, 64);
    assert_ptr_equal(p, q);
    arena_alloc(&a, 1);
    char *r = arena_grow(&a, q, 64, 128);
    assert_ptr_not_equal(q, r);
    assert_string_equal(r, "fifteen letters");
    assert_true(all_zero(r + 16, 112));
    assert_ptr_equal(arena_grow(&a, r, 128, 100), r);
    assert_non_null(arena_grow(&a, NULL, 0, 10));
    arena_free(&a);
}

static void vectors_keep_what_is_pushed(void **state)
{
    (void)state;
    struct arena a = {0};
    VEC(uint64_t) xs = {0};
    VEC(char) other = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        vec_push(&a, &xs, i * i);
        if (i % 3 == 0)
            vec_push(&a, &other, (char)i);
    }
    assert_int_equal(xs.n, 100000);
    for (uint64_t i = 0; i < 100000; i++)
        assert_true(xs.at[i] == i * i);
    assert_int_equal(vec_pop(&xs), 99999ull * 99999);
    assert_int_equal(vec_last(&xs), 99998ull * 99998);
    size_t cap = xs.cap;
    vec_reserve(&a, &xs, 1);
    assert_int_equal(xs.cap, cap);
    vec_reserve(&a, &xs, 100001);
    assert_true(xs.cap >= 200000);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(memory_that_runs_out_ends_what_is_tried),
        cmocka_unit_test(empty_pieces_are_distinct),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(the_newest_piece_grows_in_place),
        cmocka_unit_test(vectors_keep_what_is_pushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
