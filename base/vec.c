// vec.c: the growing step of typed vectors.
#include "base/vec.h"

#include <stdint.h>

void *vec_grow_(struct arena *a, void *at, size_t *cap, size_t n, size_t need, size_t size)
{
    if (need < n || need > SIZE_MAX / 4 / size)
        arena_exhausted();
    size_t old = *cap, new_cap = old < 8 ? 8 : old;
    while (new_cap < need)
        new_cap *= 2;
    *cap = new_cap;
    return arena_grow(a, at, old * size, new_cap * size);
}
