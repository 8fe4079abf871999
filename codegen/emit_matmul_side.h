// emit_matmul_side.h: one operand of a product through tiles: how its tile lies in shared memory,
// and how it comes there.
//
// A tile is made of lines of vectors. `across`: a line for each k, its vectors up to four rows (of
// A) or columns (of B) that lie side by side. `along`: a line for each row or column, its vectors
// four k, so that a load serves four products.
#ifndef HLX_CODEGEN_EMIT_MATMUL_SIDE_H
#define HLX_CODEGEN_EMIT_MATMUL_SIDE_H

#include "codegen/emit_matmul.h"

// Tiles of `extent` rows or columns by the variant's bk, of which an invocation takes `count`.
struct matmul_side {
    bool a, along;
    bool k_first; // neighbours in memory are neighbours along k
    unsigned extent, count;
    spv_id shared; // the array, once it is made
};

struct matmul_side matmul_side(const struct matmul *x, bool a);

// Rows or columns that lie in one vector, and elements of it.
unsigned side_width(const struct matmul_side *s);
unsigned side_depth(const struct matmul_side *s);
spv_id side_type(struct matmul *x, const struct matmul_side *s); // a vector
// Vectors from one line to the next.
unsigned side_pitch(const struct matmul *x, const struct matmul_side *s);

// Declares shared memory for all buffers of all slices.
spv_id side_array(struct matmul *x, const struct matmul_side *s);
// The first vector of a buffer of this invocation's slice.
spv_id side_start(struct matmul *x, const struct matmul_side *s, spv_id buffer);
// A pointer to an element of the tile that starts at vector `first`.
spv_id side_element(struct matmul *x, const struct matmul_side *s, spv_id first, spv_id kk,
                    spv_id other);

// Elements that an invocation copies of a tile, to and from as many local variables.
unsigned side_loads(const struct matmul *x, const struct matmul_side *s);
// Loads them from memory, for the tile at k0. Past the end of k the last elements are read again;
// nothing uses them.
void side_fetch(struct matmul *x, const struct matmul_side *s, spv_id k0, const spv_id *hold);
void side_put(struct matmul *x, const struct matmul_side *s, spv_id buffer, const spv_id *hold);

#endif
