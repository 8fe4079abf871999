// safetensors.h: writes and reads safetensors files, the format that other tools take weights from.
//
// A file is a u64 (little-endian) with the length of a JSON header, the header, and the tensors'
// bytes. What is written is canonical, byte for byte what the reference writer makes of the same
// tensors: sorted by element type (wider first) and then by name, the header padded with spaces to
// a multiple of 8.
#ifndef HLX_RUNTIME_SAFETENSORS_H
#define HLX_RUNTIME_SAFETENSORS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "ir/types.h"

struct safetensor {
    const char *name; // UTF-8
    enum dtype dtype;
    unsigned rank;
    const int64_t *dim;
    const void *data; // row-major elements as in buffers: bool is one u32 each (one byte in files)
};

// Appends the bytes of a file. metadata_pairs holds nmeta keys, each followed by its text; they are
// written sorted by key. On failure (a name or key twice, not UTF-8 or reserved, a shape that is
// none) returns false with a sentence in *error, and *out is unspecified.
bool safetensors_encode(struct arena *a, const struct safetensor *list, size_t n,
                        const char *const *metadata_pairs, size_t nmeta, struct buf *out,
                        const char **error);

// safetensors_encode to a file, which appears whole or not at all.
bool safetensors_write(struct arena *a, const char *path, const struct safetensor *list, size_t n,
                       const char *const *metadata_pairs, size_t nmeta, const char **error);

struct safetensors {
    const struct safetensor *at; // in the order of their bytes
    size_t n;
    const char *const *metadata_pairs; // keys and texts in turn
    size_t nmeta;                      // pairs
};

// Reads the bytes of a file, which must outlive the result. Nothing in them is trusted: header
// length, JSON, types, shapes and offsets are checked, and the tensors cover the rest of the file
// without holes or overlaps. `data` points into the input, where elements need not be aligned
// (copy them with memcpy); bool elements are unpacked into the arena. On failure returns false with
// a sentence in *error.
bool safetensors_read(struct arena *a, const void *bytes, size_t n, struct safetensors *out,
                      const char **error);

// Of one type: its name in files, the bytes of an element there, and its place in the order of the
// reference (greater comes first).
struct safetensors_type {
    const char *name;
    unsigned bytes, order;
};
extern const struct safetensors_type safetensors_types[DT_COUNT];

// The number of bytes of a tensor in a file; false when a dimension is negative or the product
// overflows.
bool safetensors_bytes(enum dtype dtype, unsigned rank, const int64_t *dim, uint64_t *out);

enum { SAFETENSORS_MAX_HEADER = 100000000 }; // the reference's limit
#define SAFETENSORS_METADATA "__metadata__"  // the header's key that names no tensor

#endif
