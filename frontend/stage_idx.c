// stage_idx.c: reads the header of an IDX file, so that the compiler knows the shape of its images.
#include "frontend/stage_idx.h"

#include <string.h>

#define ZLIB_CONST // input is const
#include <zlib.h>

enum { HEADER = 4 + 4 * IR_MAX_RANK };

// The first bytes of the file, unpacked. Returns how many there are.
static size_t first_bytes(const char *bytes, size_t n, unsigned char out[HEADER])
{
    if (n < 2 || (unsigned char)bytes[0] != 0x1f || (unsigned char)bytes[1] != 0x8b) {
        size_t take = n < HEADER ? n : HEADER;
        memcpy(out, bytes, take);
        return take;
    }
    z_stream z = {.next_in = (const unsigned char *)bytes,
                  .avail_in = n < 1u << 20 ? (uInt)n : 1u << 20,
                  .next_out = out,
                  .avail_out = HEADER};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return 0;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return HEADER - z.avail_out;
}

bool stage_idx_read(const char *bytes, size_t n, struct stage_idx *out)
{
    unsigned char h[HEADER];
    size_t have = first_bytes(bytes, n, h);
    if (have < 4 || h[0] || h[1] || h[2] != 8 || h[3] < 1 || h[3] > IR_MAX_RANK ||
        have < 4 + 4 * (size_t)h[3])
        return false;
    out->rank = h[3];
    for (unsigned i = 0; i < out->rank; i++) {
        const unsigned char *d = h + 4 + 4 * i;
        out->dim[i] = (int64_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
    }
    return true;
}
