// doctor_pairs.h: the pairs of operands of spec/numerics.md, N2.9.
#ifndef HLX_RUNTIME_DOCTOR_PAIRS_H
#define HLX_RUNTIME_DOCTOR_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

enum { DOCTOR_PAIR_SHIFT = 27 }; // an eighth of the 2^30 pairs is of one kind

// Pair i of pow, or of div: random bits in the first eighth, pairs chosen to be hard in the others.
void doctor_pair(bool power, uint64_t i, uint32_t *a, uint32_t *b);

// The finaliser of the 32-bit MurmurHash3 (Austin Appleby, public domain): scrambles an index.
uint32_t doctor_mix(uint32_t h);

#endif
