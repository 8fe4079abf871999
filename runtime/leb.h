// leb.h: reads LEB128 numbers out of untrusted bytes.
#ifndef HLX_RUNTIME_LEB_H
#define HLX_RUNTIME_LEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leb {
    const unsigned char *at, *end;
    bool bad; // a number was cut off or too large; from then on all are 0
};

static inline struct leb leb_start(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    return (struct leb){at, at + n, false};
}

// The next unsigned number, of at most 63 bits.
static inline uint64_t leb_take(struct leb *c)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 63 && c->at < c->end; shift += 7) {
        unsigned char byte = *c->at++;
        x |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return x;
    }
    c->bad = true;
    c->at = c->end;
    return 0;
}

// The next signed number: 0, -1, 1, -2, 2 ... are folded into 0, 1, 2, 3, 4 ...
static inline int64_t leb_take_signed(struct leb *c)
{
    uint64_t x = leb_take(c);
    return (x & 1) ? -(int64_t)(x >> 1) - 1 : (int64_t)(x >> 1);
}

#endif
