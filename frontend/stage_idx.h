// stage_idx.h: the header of an IDX file, the format of MNIST.
#ifndef HLX_FRONTEND_STAGE_IDX_H
#define HLX_FRONTEND_STAGE_IDX_H

#include <stdbool.h>
#include <stddef.h>

#include "ir/ir.h"

struct stage_idx {
    unsigned rank;            // at least 1
    int64_t dim[IR_MAX_RANK]; // dim[0] counts the samples
};

// Reads the header of an IDX file of unsigned bytes, packed with gzip or not. False when the n
// bytes are something else.
bool stage_idx_read(const char *bytes, size_t n, struct stage_idx *out);

#endif
