// lcr_fuzz.c: feeds bytes to the reader of LC-R; what it accepts is a value that comes back from
// every level, and it builds no more than the length of the input allows.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "latent/lcr.h"

enum { SMALL = 100000 }; // values with longer encodings are not written at all levels

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void come_back(const struct value *v, unsigned level)
{
    struct arena a = {0};
    struct sink text = {0}, again = {0};
    lcr_encode(v, level, &text);
    const struct value *back = lcr_decode(&a, text.buf.at, text.buf.n, NULL);
    require(back != NULL && value_equal(v, back));
    lcr_encode(back, level, &again);
    require(again.buf.n == text.buf.n && memcmp(again.buf.at, text.buf.at, text.buf.n) == 0);
    buf_free(&text.buf);
    buf_free(&again.buf);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value *v = lcr_decode(&a, (const char *)data, size, &e);
    require(a.used <= ((size_t)64 << 20) + 1024 * size); // L8.5
    if (v == NULL) {
        require(e.code != NULL && e.message != NULL && e.offset + e.width <= size);
    } else if (lcb_size(v) <= SMALL) {
        require(value_validate(&a, v, &e));
        for (unsigned level = 0; level <= LCR_MAX_LEVEL; level++)
            come_back(v, level);
    }
    arena_free(&a);
    return 0;
}
