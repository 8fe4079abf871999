// inputs.c: operands for the accuracy test: all f32, and structured pairs of them.
#include "tests/ulp/inputs.h"

#include "runtime/doctor_pairs.h"

uint64_t inputs_sample(uint64_t i, uint64_t stride)
{
    return stride == 1 ? i : i + doctor_mix((uint32_t)(i ^ i >> 32)) % stride;
}

void inputs_make(const struct oracle *o, uint64_t i, uint32_t *a, uint32_t *b)
{
    *a = (uint32_t)i;
    *b = 0;
    if (o->nargs > 1)
        doctor_pair(o->op == IR_pow, i, a, b);
}
