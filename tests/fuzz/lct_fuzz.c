// lct_fuzz.c: feeds bytes to the reader of LC-T; what it accepts differs by white space only from
// what is written.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lct.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool same_but_for_space(const char *a, size_t an, const char *b, size_t bn)
{
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < an && is_space(a[i]))
            i++;
        while (k < bn && is_space(b[k]))
            k++;
        if (i == an || k == bn)
            return i == an && k == bn;
        if (a[i] != b[k])
            return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value *v = lct_decode(&a, (const char *)data, size, &e);
    require(a.used <= 4096 + 256 * size);
    if (v != NULL) {
        struct sink out = {0};
        require(value_validate(&a, v, &e));
        lct_encode(v, &out);
        require(same_but_for_space((const char *)data, size, out.buf.at, out.buf.n));
        buf_free(&out.buf);
    } else {
        require(e.code != NULL && e.message != NULL && e.offset + e.width <= size);
    }
    arena_free(&a);
    return 0;
}
