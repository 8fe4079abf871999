// safetensors_fuzz.c: feeds bytes to the safetensors reader; what it accepts is written and read
// again.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/safetensors.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

// A name may hold what a header can spell and a C string can: all but NUL. So every tensor that was
// read can be written, and the second reading finds as many bytes of tensors.
static void check_accepted(struct arena *a, const struct safetensors *s)
{
    struct buf b = {0};
    struct safetensors back;
    const char *error = NULL;
    require(safetensors_encode(a, s->at, s->n, s->metadata_pairs, s->nmeta, &b, &error));
    require(safetensors_read(a, b.at, b.n, &back, &error));
    require(back.n == s->n && back.nmeta == s->nmeta);
    struct buf again = {0};
    require(
        safetensors_encode(a, back.at, back.n, back.metadata_pairs, back.nmeta, &again, &error));
    require(again.n == b.n && memcmp(again.at, b.at, b.n) == 0);
    buf_free(&again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct safetensors s;
    const char *error = NULL;
    if (safetensors_read(&a, data, size, &s, &error))
        check_accepted(&a, &s);
    else
        require(error != NULL);
    arena_free(&a);
    return 0;
}
