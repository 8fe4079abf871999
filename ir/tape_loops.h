// tape_loops.h: the loops of a tape, one per operation and lane type, from the expressions of
// ops.def. tape_run.c includes it once per instruction set, with LOOP_NAME(x) naming the set and
// LOOP_TARGET choosing it. The bits are the same in all of them.

// A lane expression that reads `no` or `tree` makes no loop. HAS(expression) is 0 for those, else
// 1: they bring a comma that shifts the 0 into second place.
#define no ~, 0
#define tree ~, 0
#define HAS(...) HAS_(__VA_ARGS__, 1, 1)
#define HAS_(first, second, ...) second
#define PASTE(a, b) PASTE_(a, b)
#define PASTE_(a, b) a##b

// Operand a is of the lane's type, but for the operation of three operands it is the condition.
#define FIRST_0(type) type
#define FIRST_1(type) type
#define FIRST_2(type) type
#define FIRST_3(type) lane_uint32_t
#define FIRST_VARIADIC(type) type

#define LOOP(name, first, type, expression)                                                        \
    LOOP_TARGET static void LOOP_NAME(name)(void *restrict d, const void *x, const void *y,        \
                                            const void *z, size_t n)                               \
    {                                                                                              \
        const first *px = x;                                                                       \
        const type *py = y, *pz = z;                                                               \
        for (size_t i = 0; i < n; i++) {                                                           \
            first a = px[i];                                                                       \
            type b = py[i], c = pz[i];                                                             \
            __typeof__(expression) r = expression;                                                 \
            memcpy((char *)d + 4 * i, &r, 4);                                                      \
            (void)a, (void)b, (void)c;                                                             \
        }                                                                                          \
    }

#define MAKE_0(name, first, type, expression)
#define MAKE_1(name, first, type, expression) LOOP(name, first, type, expression)
#define ROW(name, nargs, type, has, expression)                                                    \
    PASTE(MAKE_, has)(name, FIRST_##nargs(type), type, expression)
#define OP(name, nargs, class, attrs, t, grad, f, i, u, b, kind, doc)                              \
    ROW(name##_f32, nargs, lane_float, HAS(f), (f))                                                \
    ROW(name##_i32, nargs, lane_int32_t, HAS(i), (i))                                              \
    ROW(name##_u32, nargs, lane_uint32_t, HAS(u), (u))                                             \
    ROW(name##_bool, nargs, lane_uint32_t, HAS(b), (b))
#include "ir/ops.def"
#undef OP
#undef ROW
#undef MAKE_0
#undef MAKE_1

#define X(name, type, expression) LOOP(name, lane_##type, lane_##type, (expression))
TAPE_EXTRA(X)
#undef X

#define MAKE_0(name) NULL
#define MAKE_1(name) LOOP_NAME(name)
#define OP(name, nargs, class, attrs, t, grad, f, i, u, b, kind, doc)                              \
    [IR_##name] = {PASTE(MAKE_, HAS(f))(name##_f32), PASTE(MAKE_, HAS(i))(name##_i32),             \
                   PASTE(MAKE_, HAS(u))(name##_u32), PASTE(MAKE_, HAS(b))(name##_bool)},
static tape_loop *const LOOP_NAME(rows)[IR_OP_COUNT][LANE_COUNT] = {
#include "ir/ops.def"
};

#define X(name, type, expression) LOOP_NAME(name),
static tape_loop *const LOOP_NAME(extras)[] = {TAPE_EXTRA(X)};
#undef X

#undef OP
#undef MAKE_0
#undef MAKE_1
#undef FIRST_0
#undef FIRST_1
#undef FIRST_2
#undef FIRST_3
#undef FIRST_VARIADIC
#undef LOOP
#undef PASTE
#undef PASTE_
#undef HAS
#undef HAS_
#undef no
#undef tree
