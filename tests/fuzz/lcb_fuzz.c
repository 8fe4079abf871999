// lcb_fuzz.c: feeds bytes to the LC-B decoder; what it accepts must be canonical and valid.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_accepted(struct arena *a, const struct value *v, const uint8_t *data, size_t n)
{
    struct latent_error e = {0};
    struct buf b = {0};
    require(value_depth(v) <= VALUE_MAX_DEPTH && value_validate(a, v, &e));
    lcb_encode(v, &b);
    require(b.n == n && memcmp(b.at, data, n) == 0);
    require(value_equal(v, lcb_decode(a, b.at, b.n, &e)));
    buf_clear(&b);
    value_json(v, 1, &b);
    require(utf8_valid(b.at, b.n));
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value *v = lcb_decode(&a, data, size, &e);
    if (v != NULL)
        check_accepted(&a, v, data, size);
    else
        require(e.code != NULL && e.message != NULL && e.offset <= size);
    require(a.used <= 4096 + 256 * size); // memory follows the input, not what it claims
    arena_free(&a);
    return 0;
}
