// inputs.h: the operands that the accuracy test tries, in an order that is part of its digests.
#ifndef HLX_TESTS_ULP_INPUTS_H
#define HLX_TESTS_ULP_INPUTS_H

#include <stdint.h>

#include "tests/ulp/oracle.h"

enum { CHUNK_SHIFT = 24, UNARY_CHUNKS = 256, PAIR_CHUNKS = 64 };

// Of a sample of every stride-th input, the one that stands for input i: somewhere in i .. i +
// stride
// - 1, so that no pattern of bits is left out. With stride 1, i itself.
uint64_t inputs_sample(uint64_t i, uint64_t stride);

// Input i (below chunks << CHUNK_SHIFT) of a function: with one operand, i itself; with two, a pair
// made from i: random bits in the first eighth, pairs chosen to be hard in the others.
void inputs_make(const struct oracle *o, uint64_t i, uint32_t *a, uint32_t *b);

#endif
