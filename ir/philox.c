// philox.c: random words that are a function of seed, step, stream and element only.
#include "ir/philox.h"

#include <string.h>

void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    enum { ROUNDS = 10 };
    const uint32_t golden = 0x9e3779b9u, root3 = 0xbb67ae85u; // key schedule
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t p = (uint64_t)0xd2511f53u * x0, q = (uint64_t)0xcd9e8d57u * x2;
        x0 = (uint32_t)(q >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)q;
        x2 = (uint32_t)(p >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)p;
        k0 += golden;
        k1 += root3;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

void philox_fill(const struct philox_stream *s, uint64_t start, size_t n, uint32_t *out)
{
    for (uint64_t e = start; e < start + n;) {
        uint32_t counter[4] = {(uint32_t)(e / 4), s->step, s->lo, s->hi}, word[4];
        philox(counter, s->key, word);
        size_t from = e % 4, left = start + n - e, take = left < 4 - from ? left : 4 - from;
        memcpy(out, word + from, take * sizeof *out);
        out += take;
        e += take;
    }
}
