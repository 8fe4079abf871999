// emit_matmul.h: matrix products: the parts that every variant shares, and the variants.
#ifndef HLX_CODEGEN_EMIT_MATMUL_H
#define HLX_CODEGEN_EMIT_MATMUL_H

#include "codegen/emit.h"

enum { MATMUL_BLOCK = 512, MATMUL_MAX_TILE = 128 };

struct matmul_shape {
    uint64_t batch, m, n, k;
    bool ta, tb;
};

struct matmul;

// A way to do it: a workgroup of `threads` makes bm x bn outputs, an invocation tm x tn of them.
struct matmul_tile {
    const char *name;
    unsigned bm, bn, bk, tm, tn, threads;
    bool packs; // a transposed B is laid out in rows first, by a call of its own
    // Of variants that share tiles: how these lie (emit_matmul_side.h), how many of an operand
    // there is room for, 1 or 2, how many k are one piece of code, and by how many times `threads`
    // a workgroup works on several blocks of k, each on its own (0: by `threads`, one block after
    // another).
    bool along;
    unsigned buffers, unroll, slices;
    const struct matmul_tile *split; // what takes its place where k has several blocks, or NULL
    // Sets x->row and x->col and prepares what `products` needs.
    void (*begin)(struct matmul *x);
    // Adds the products of k = from .. end - 1, ascending, to the accumulators.
    void (*products)(struct matmul *x, spv_id from, spv_id end);
};

#define MATMUL_SHAPE(m, n, k, rows, columns, count)                                                \
    .bm = m, .bn = n, .bk = k, .tm = rows, .tn = columns, .threads = count

// What becomes of an output: it is stored; it goes through the kernel's own elementwise nodes; it
// is stored and goes through those of a tail.
enum matmul_then { MATMUL_STORED, MATMUL_OWN, MATMUL_TAIL };

// A product that is being written.
struct matmul {
    struct emit e;
    const struct matmul_tile *tile;
    struct matmul_shape shape;
    enum matmul_then then;
    emit_place a, b;   // operands
    spv_id m, n, k;    // extents
    spv_id row0, col0; // first row and column of the workgroup's tile
    spv_id a0, b0, c0; // first elements of the batch
    spv_id row[MATMUL_MAX_TILE], col[MATMUL_MAX_TILE]; // of this invocation's outputs
    spv_id acc[MATMUL_MAX_TILE], total[MATMUL_MAX_TILE];
    spv_id thread, shared_a, shared_b, down, across; // tile variants
    spv_id slice, joined; // where there are several: which one this is, and where all leave sums
};

extern const struct matmul_tile matmul_rows_8x8, matmul_rows_4x4; // no shared memory
extern const struct matmul_tile matmul_rows_8x16;                 // the same, for CPU devices
extern const struct matmul_tile matmul_tile_8, matmul_tile_16;    // shared memory
extern const struct matmul_tile matmul_tile_32, matmul_tile_64, matmul_tile_128;

// All variants; ends with NULL.
extern const struct matmul_tile *const matmul_tiles[];

void matmul_shape(const struct ir_graph *g, ir_ref r, struct matmul_shape *out);

// Whether a variant's workgroups for a shape stay within what every device has along each axis.
bool matmul_has_groups(const struct matmul_shape *s, const struct matmul_tile *t);

// Whether the elementwise nodes of a MATMUL kernel are short enough to be fused with the product.
// Where they are not, the kernel is two calls: the product alone, then emit_map.
bool matmul_fused(const struct emit_source *s, uint32_t kernel);

// What the module of a product alone depends on. Compared as bytes.
struct matmul_pattern {
    const struct matmul_tile *tile;
    bool ta, tb, blocks, by_four, fits, observed, exact, one_operand;
    struct span line; // where kernels carry their source lines
};

void matmul_pattern(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                    emit_place packed, struct matmul_pattern *out);

// Writes a transposed operand B in rows to `packed`, for variants that want it so.
void emit_matmul_pack(const struct emit_source *s, uint32_t kernel, emit_place packed,
                      struct emit_call *call);
// Whether a variant's code stays short if the elementwise nodes of kernel `after`, the product's
// own or a tail's, run on each of its outputs.
bool matmul_takes(const struct emit_source *s, uint32_t after, const struct matmul_tile *tile);
// Emits the product of a MATMUL kernel by one variant. `tape`: the number + 1 of a kernel whose
// elementwise nodes run on each output: its own, if matmul_fused, or that of a tail, for which the
// product is stored, too; 0: none.
// `packed`: where emit_matmul_pack put B, or NO_PLACE.
void emit_matmul(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                 uint32_t tape, emit_place packed, struct emit_call *call);
// What emit_matmul without fusion fills but the module, which an earlier call of the same pattern
// has: buffers, push constants, groups.
void emit_matmul_again(const struct emit_source *s, uint32_t kernel, const struct matmul_tile *tile,
                       emit_place packed, struct emit_call *call);

// -- for the variants ----------------------------------------------------------------------------

spv_id matmul_clamp(struct matmul *x, spv_id i, spv_id n); // min(i, n - 1)
spv_id matmul_load_a(struct matmul *x, spv_id row, spv_id k);
spv_id matmul_load_b(struct matmul *x, spv_id k, spv_id col);
// Whether all lines of all operands are whole groups of four words.
bool matmul_by_four(const struct matmul_shape *s);
// How many blocks of k a workgroup works on at once.
unsigned matmul_slices(const struct matmul *x);
// Adds the sums of the blocks behind the one at `from`, which the other slices have, if there are
// as many, to the totals.
void matmul_join(struct matmul *x, spv_id from);
// Whether tiles cover the result exactly, so that nothing is computed past an edge.
bool matmul_fits(const struct matmul_shape *s, const struct matmul_tile *t);
// Four elements of A (or B) in one load: group `low4` of line `high` of the operand as it lies.
void matmul_load4(struct matmul *x, bool a, spv_id high, spv_id low4, spv_id out[4]);
// acc[i][j] += a[i] * b[j]
void matmul_accumulate(struct matmul *x, const spv_id *a, const spv_id *b);

#endif
