// npy_test.c: tests of reading and writing .npy files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/npy.h"

// A file of a version with this header and n bytes of elements behind it, in exactly as much
// memory.
static unsigned char *file(int version, const char *header, const void *data, size_t n,
                           size_t *size)
{
    size_t length = strlen(header), prefix = version == 1 ? 10 : 12;
    unsigned char *f = malloc(prefix + length + n);
    assert_non_null(f);
    memcpy(f, "\x93NUMPY", 6);
    f[6] = (unsigned char)version;
    f[7] = 0;
    for (size_t i = 8; i < prefix; i++)
        f[i] = (unsigned char)(length >> 8 * (i - 8));
    memcpy(f + prefix, header, length);
    if (n > 0)
        memcpy(f + prefix + length, data, n);
    *size = prefix + length + n;
    return f;
}

static void every_version_and_order_of_keys(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n",
        "{'shape': (2, 1), 'fortran_order': False, 'descr': '<f4'}",
        "{'fortran_order':False,'shape':(2,1),'descr':'<f4'}   \n",
    };
    const float want[] = {1.5f, -2.0f};
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < 3; i++) {
            struct arena a = {0};
            struct npy out;
            size_t n, size;
            unsigned char *f = file(version, headers[i], want, sizeof want, &n);
            assert_null(npy_read(&a, f, n, &out));
            assert_int_equal(out.rank, 2);
            assert_int_equal(out.dim[0], 2);
            unsigned char *elements = npy_elements(&out, DT_F32, &size);
            assert_int_equal(size, sizeof want);
            assert_memory_equal(elements, want, sizeof want);
            assert_null(npy_elements(&out, DT_I32, &size));
            free(elements);
            free(f);
            arena_free(&a);
        }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const int64_t dim[] = {3, 2};
    const uint32_t words[] = {1, 0, 0, 1, 7, 0x80000000};
    for (unsigned t = 0; t < DT_COUNT; t++) {
        enum dtype dtype = (enum dtype)t;
        struct arena a = {0};
        struct buf out = {0};
        struct npy f;
        size_t size;
        npy_write(dtype, 2, dim, words, &out);
        assert_int_equal((out.n - 6 * (dtype == DT_BOOL ? 1 : dtype_bytes(dtype))) % 64, 0);
        assert_null(npy_read(&a, out.at, out.n, &f));
        unsigned char *elements = npy_elements(&f, dtype, &size);
        assert_non_null(elements);
        assert_int_equal(size, 6 * dtype_bytes(dtype));
        if (dtype == DT_BOOL)
            assert_int_equal(elements[4 * 4], 1);
        else
            assert_memory_equal(elements, words, size);
        free(elements);
        buf_free(&out);
        arena_free(&a);
    }
}

static void scalars_and_vectors(void **state)
{
    (void)state;
    const int32_t x = 7;
    static const int64_t dim[] = {1};
    for (unsigned rank = 0; rank < 2; rank++) {
        struct arena a = {0};
        struct buf out = {0};
        struct npy f;
        npy_write(DT_I32, rank, dim, &x, &out);
        assert_non_null(strstr(out.at + 10, rank ? "(1,)" : "()"));
        assert_null(npy_read(&a, out.at, out.n, &f));
        assert_int_equal(f.rank, rank);
        buf_free(&out);
        arena_free(&a);
    }
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *header, *part;
        size_t n;
    } rows[] = {
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "version 4", 4},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "big-endian", 4},
        {1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "element type", 8},
        {1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", "Fortran", 4},
        {1, "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,)}", "truth", 4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "as many", 4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "as many", 5},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "tuple", 4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1", "tuple", 4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': 1}", "no shape", 4},
        {1, "{'descr': '<f4', 'fortran_order': False}", "lacks", 4},
        {1, "{'more': 1}", "another key", 4},
        {1, "", "dictionary", 4},
        {1, "{   ", "another key", 0},
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1)}",
         "dimensions", 4},
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "tuple",
         4},
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,999999999999)}",
         "as many", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a = {0};
        struct npy out;
        size_t n;
        unsigned char *f = file(rows[i].version, rows[i].header, "abcdefgh", rows[i].n, &n);
        const char *why = npy_read(&a, f, n, &out);
        if (!why || !strstr(why, rows[i].part))
            fail_msg("%s: `%s` does not say `%s`", rows[i].header, why ? why : "accepted",
                     rows[i].part);
        for (size_t cut = 0; cut < n; cut++) { // no prefix is a file, or read beyond its end
            unsigned char *part = malloc(cut + (cut == 0));
            memcpy(part, f, cut);
            why = npy_read(&a, part, cut, &out);
            assert_true(why || cut == n - 1); // the row with a byte too many is a file without it
            free(part);
        }
        free(f);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_order_of_keys),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(scalars_and_vectors),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
