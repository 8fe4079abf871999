// store_fuzz.c: feeds bytes to the reader of a store's root, as they are and with their checksum
// made to fit.
//
// What it accepts it must write with the same bytes, and what names it holds must be found.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/store_root.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_names(struct arena *a, const struct store_root *root)
{
    store_names again;
    for (size_t i = 0; i < root->names.n; i++) {
        const struct handle *h = root_find(&root->names, root->names.at[i].name);
        require(h == &root->names.at[i].handle);
    }
    const struct value *v = root_snapshot(a, &root->names);
    require(root_snapshot_read(a, v, &again) && again.n == root->names.n);
}

static void check(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct store_root root;
    struct latent_error e = {0};
    struct buf out = {0};
    if (root_read(&a, bytes, n, &root, &e)) {
        check_names(&a, &root);
        root_write(&a, &root, &out);
        require(out.n == n && memcmp(out.at, bytes, n) == 0);
    } else {
        require(e.code != NULL && e.message != NULL);
    }
    buf_free(&out);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    // A copy of exactly n bytes shows a sanitizer every step beyond it.
    uint8_t *copy = malloc(n + (n == 0));
    if (n > 0)
        memcpy(copy, data, n);
    check(copy, n);
    if (n >= ROOT_HEADER) {
        memcpy(copy, ROOT_MAGIC, ROOT_MAGIC_BYTES);
        sha256_of(copy + ROOT_HEADER, n - ROOT_HEADER, copy + ROOT_MAGIC_BYTES);
        check(copy, n);
    }
    free(copy);
    return 0;
}
