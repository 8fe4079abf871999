// npy.h: NumPy's .npy files (versions 1 to 3), read and written.
#ifndef HLX_RUNTIME_NPY_H
#define HLX_RUNTIME_NPY_H

#include "base/text.h"
#include "ir/ir.h"

struct npy {
    enum dtype dtype;
    bool raw16; // 16-bit integers: f16 and bf16 by their bits
    unsigned rank;
    int64_t dim[IR_MAX_RANK];
    const unsigned char *data; // in the input; row-major, little-endian
    size_t n;                  // bytes
};

// Reads a file's bytes, which must outlive *out. Returns NULL, or a sentence in the arena about why
// it is not a row-major, little-endian array of f2 f4 i1 u1 u2 i4 u4 or b1. Nothing is trusted.
const char *npy_read(struct arena *a, const void *bytes, size_t n, struct npy *out);

// Appends a file of version 1 with these elements in storage form (booleans are u32 there and
// bytes in a file). bf16 is written as u2, which holds its bits.
void npy_write(enum dtype dtype, unsigned rank, const int64_t *dim, const void *data,
               struct buf *out);

// The elements of a file in storage form (malloc; *size bytes), if it has this type: also f16 and
// bf16 from u2. NULL when it has another one, or memory runs out.
unsigned char *npy_elements(const struct npy *f, enum dtype dtype, size_t *size);

// "<f4 of shape (64, 64)", as NumPy says it.
void npy_print(const struct npy *f, struct buf *out);

#endif
