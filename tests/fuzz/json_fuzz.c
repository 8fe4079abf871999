// json_fuzz.c: feeds bytes to the reader of JSON; what it accepts comes back from what is written.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "latent/value.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct latent_error e = {0};
    const struct value *v = value_from_json(&a, (const char *)data, size, &e);
    if (v != NULL) {
        struct buf json = {0};
        require(value_validate(&a, v, &e));
        value_json(v, size % 3, &json);
        const struct value *back = value_from_json(&a, json.at, json.n, &e);
        require(back != NULL && value_equal(v, back));
        buf_free(&json);
    } else {
        require(e.code != NULL && e.message != NULL && e.offset + e.width <= size);
    }
    arena_free(&a);
    return 0;
}
