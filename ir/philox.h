// philox.h: the counter-based generator Philox4x32-10 (Salmon et al., SC 2011).
#ifndef HLX_IR_PHILOX_H
#define HLX_IR_PHILOX_H

#include <stddef.h>
#include <stdint.h>

// One block: four words from a counter and a key.
void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

// What names a stream of random words, apart from the element: see random_bits in ops.def.
struct philox_stream {
    uint32_t key[2]; // seed, low and high word
    uint32_t step, lo, hi;
};

// Words of elements start .. start + n of a stream.
void philox_fill(const struct philox_stream *s, uint64_t start, size_t n, uint32_t *out);

#endif
