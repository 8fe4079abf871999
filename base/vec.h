// vec.h: typed growable arrays that live in an arena.
//
//     VEC(int) xs = {0};
//     vec_push(arena, &xs, 3);
//     for (size_t i = 0; i < xs.n; i++) use(xs.at[i]);
//
// A vector never shrinks its storage; pointers into it are valid until the next push.
#ifndef HLX_BASE_VEC_H
#define HLX_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n, cap;                                                                             \
    }

// Makes room for `extra` more elements.
#define vec_reserve(arena, v, extra)                                                               \
    do {                                                                                           \
        if ((v)->n + (extra) > (v)->cap)                                                           \
            (v)->at = vec_grow_((arena), (v)->at, &(v)->cap, (v)->n, (v)->n + (extra),             \
                                sizeof(*(v)->at));                                                 \
    } while (0)

#define vec_push(arena, v, ...)                                                                    \
    do {                                                                                           \
        vec_reserve((arena), (v), 1);                                                              \
        (v)->at[(v)->n++] = (__VA_ARGS__);                                                         \
    } while (0)

#define vec_pop(v) ((v)->at[--(v)->n])
#define vec_last(v) ((v)->at[(v)->n - 1])

// Private to the macros above: doubles the capacity until `need` fits.
void *vec_grow_(struct arena *a, void *at, size_t *cap, size_t n, size_t need, size_t size);

#endif
