// emit.h: from fused kernels to SPIR-V modules: the common part of all emitters.
//
// Every buffer is an array of u32 words; floats are bit casts of them, so no driver sees a float it
// might change on the way. Extents and strides reach a kernel as push constants, outside its
// identity: one module serves all shapes of one pattern. When the push constants are full, what is
// left over becomes constants of the module.
#ifndef HLX_CODEGEN_EMIT_H
#define HLX_CODEGEN_EMIT_H

#include "codegen/spv.h"
#include "ir/exact.h"
#include "ir/fuse.h"
#include "ir/tape_code.h"

typedef uint32_t emit_place; // where a tensor lies, as the plan numbers it; equal places alias
#define NO_PLACE UINT32_MAX

// What a kernel is made from.
struct emit_source {
    struct arena *arena;
    const struct ir_graph *graph;
    const struct ir_fusion *fusion;
    struct exact_trees *trees;
    const emit_place *place_of; // by node: stored nodes and leaves in memory
    const bool *observed;       // by node: leaves the program
    emit_place counters;
    bool exact;
    const struct sources *sources; // kernels carry their source lines; NULL: they do not
};

struct emit_buffer {
    emit_place place;
    bool writes;
    spv_id variable, variable4; // as words, and as groups of four; 0: not used so
};

// A finished kernel and what a call of it binds.
struct emit_call {
    const char *name;
    struct buf words;                // the module, to be freed with buf_free
    VEC(struct emit_buffer) buffers; // by binding
    VEC(uint32_t) push;
    uint32_t groups[3];
    uint32_t known; // the plan's number of a module that is there already + 1, or 0
};

// A lane in SPIR-V: its id and the type the id has (LANE_BOOL lanes are u32 0 or 1).
struct emit_value {
    spv_id id;
    enum lane lane;
    bool constant; // then `bits` says which, and a cast is another constant
    uint32_t bits;
};

// What stands for the elements of a place, whichever is asked for.
struct emit_given {
    emit_place place;
    struct emit_value value;
};

struct emit {
    struct arena scratch; // what dies with the module
    struct spv b;
    const struct emit_source *s;
    struct emit_call *call;
    struct tape_draft draft;
    const bool *live;          // by value of the draft: whether a store or the result needs it
    struct emit_value *value;  // by value of the draft
    spv_id *narrow, *word_at;  // by port: the word that WRITE puts together, and where it goes
    spv_id (*four)[4];         // by port: what it reads for four elements side by side (emit_tape4)
    spv_id push_block;         // reserved; declared when its size is known
    spv_id group_id, local_id; // built-ins, made on first use
    spv_id inside[4];          // of a word's elements: whether there is one; 0: there is
    VEC(struct emit_given) given; // is not read from memory
    unsigned part;                // of a concat: emit_move
    emit_place to;                // what it writes
};

// -- interface of a kernel (emit.c) ------------------------------------------------------------

// Starts a kernel: `name` tells its pattern, x and y the workgroup's size, `node` what it computes
// (for the source line).
void emit_begin(struct emit *e, const struct emit_source *s, struct emit_call *call,
                const char *name, ir_ref node, unsigned x, unsigned y);
// Ends it: declares the push constants and writes the module.
void emit_end(struct emit *e);

// A u32 that depends on shapes: a push constant while there is room (equal ones are shared), else a
// constant.
spv_id emit_extent(struct emit *e, uint64_t x);
// A word 0 that no driver knows to be one. Without a float mode that not all devices have, a driver
// may drop the addition of a constant zero, which changes the sign of -0.
spv_id emit_zero(struct emit *e);
// The next push constant, whether or not another has the same value now: for the first few extents
// of a kernel whose module must not depend on them.
spv_id emit_fresh_extent(struct emit *e, uint64_t x);
// The word `index` (u32) of a place's buffer.
spv_id emit_load(struct emit *e, emit_place place, spv_id index);
void emit_store(struct emit *e, emit_place place, spv_id index, spv_id word);
// Words 4 * index .. 4 * index + 3, in one load or store.
void emit_load4(struct emit *e, emit_place place, spv_id index, spv_id words[4]);
void emit_store4(struct emit *e, emit_place place, spv_id index, const spv_id words[4]);
// Component i of a built-in vector.
spv_id emit_group(struct emit *e, unsigned i);
spv_id emit_local(struct emit *e, unsigned i);

// Sets the call's workgroup counts for `n` groups in a row and returns this workgroup's number
// (u32).
spv_id emit_groups(struct emit *e, uint64_t n);
// Sets the call's workgroup counts for `n` invocations, `size` to a workgroup, returns this one's
// number (u32) and opens an `if` for those that are among the n; the caller ends it.
spv_id emit_each(struct emit *e, uint64_t n, unsigned size, struct spv_if *inside);

// All invocations of the workgroup wait; shared memory is visible.
void emit_barrier(struct emit *e);

// u32 arithmetic.
spv_id emit_add(struct emit *e, spv_id x, spv_id y);
spv_id emit_mul(struct emit *e, spv_id x, spv_id y);
spv_id emit_div(struct emit *e, spv_id x, spv_id y);
spv_id emit_mod(struct emit *e, spv_id x, spv_id y);
spv_id emit_sub(struct emit *e, spv_id x, spv_id y);
spv_id emit_less(struct emit *e, spv_id x, spv_id y); // a SPIR-V bool
spv_id emit_choose(struct emit *e, spv_id condition, spv_id x, spv_id y);
spv_id emit_least(struct emit *e, spv_id x, spv_id y);

// -- lanes (emit_lane*.c) ----------------------------------------------------------------------

// A value seen as another lane type: the same bits.
spv_id emit_as(struct emit *e, struct emit_value v, enum lane lane);
// An elementwise row of ops.def (code = op * LANE_COUNT + lane) on its operands.
struct emit_value emit_op(struct emit *e, enum tape_code code, const struct emit_value *x);
// Whether the table has a row for a code.
bool emit_has_op(enum tape_code code);
// Whether the native profile leaves an operation to the device.
bool emit_is_native(enum ir_op op);
// f32 add and mul of the profile.
spv_id emit_fadd(struct emit *e, spv_id x, spv_id y);
spv_id emit_fmul(struct emit *e, spv_id x, spv_id y);
// x * y + z: two roundings in the exact profile, the device's fused operation in the native one.
spv_id emit_fma(struct emit *e, spv_id x, spv_id y, spv_id z);

// -- tapes (emit_tape.c) -----------------------------------------------------------------------

// Prepares the draft of a kernel's elementwise nodes; `result` (0: none) as for tape_compile.
void emit_draft(struct emit *e, uint32_t kernel, ir_ref result);
// Elements of the narrowest type that the draft writes per word: 1, 2 or 4.
unsigned emit_per_word(const struct emit *e);

// Emits what the draft computes for element `index`. `given` (at place `given_at`) stands for an
// input that is in a register (a product's element); given_at NO_PLACE: none. 32-bit stores go to
// the places of the outputs; narrow ones are put into words, `k`-th of a word, and stored by the
// last. Returns the draft's result, if it has one.
struct emit_value emit_tape(struct emit *e, spv_id index, unsigned k, emit_place given_at,
                            struct emit_value given);
// The same for the four elements from 4 * index; what lies side by side is loaded and stored at
// once. No stores that are narrower than a word. The results, if any, go to out.
void emit_tape4(struct emit *e, spv_id index, struct emit_value out[4]);
// The same for n elements anywhere: all are computed before any is stored, so that what they read
// is fetched at once. No stores that are narrower than a word.
void emit_tape_each(struct emit *e, const spv_id *index, unsigned n, struct emit_value *out);
// Whether a map takes four elements side by side, the first a multiple of four, to four words side
// by side, the first a multiple of four.
bool emit_is_by_four(const struct tape_map *map);
// The `bytes` bytes wide element `index` of a place, as the low bits of a word.
spv_id emit_load_element(struct emit *e, emit_place place, unsigned bytes, spv_id index);
// A node's 32-bit value as it may be seen outside: one NaN where the node leaves the program.
struct emit_value emit_seen(struct emit *e, ir_ref node, struct emit_value v);
// The element of a map (a broadcast's view) that shows at `index`.
spv_id emit_map_index(struct emit *e, const struct tape_map *map, spv_id index);

// -- kernels, one emitter per class; each fills *call ------------------------------------------

// How many calls a MOVE or gather_rows node takes: 1, or more where a concat has more operands than
// a kernel has buffers.
size_t emit_move_calls(const struct ir_graph *g, ir_ref r);
// Call `part` of them, which writes all elements to `to`.
void emit_move(const struct emit_source *s, ir_ref r, unsigned part, emit_place to,
               struct emit_call *call);
// The elements of any node that lies in memory, copied.
void emit_copy(const struct emit_source *s, ir_ref r, emit_place to, struct emit_call *call);
void emit_scatter(const struct emit_source *s, uint32_t kernel, struct emit_call *call);
void emit_map(const struct emit_source *s, uint32_t kernel, struct emit_call *call);
// The same, for CPU devices, which load and store word by word and lane by lane: four elements to
// an invocation. Returns false where it is not for a kernel.
bool emit_map4(const struct emit_source *s, uint32_t kernel, struct emit_call *call);

// Reductions take one call for every 4096-fold: at most EMIT_MAX_CALLS. `tail` (0: none) is the
// number
// + 1 of a MAP kernel over the results that runs at the end of the last call. scratch: two places
// of emit_reduce_scratch words each (0: none needed). Returns how many calls were filled.
#define EMIT_MAX_CALLS 4
size_t emit_reduce(const struct emit_source *s, uint32_t kernel, uint32_t tail,
                   const emit_place scratch[2], struct emit_call *calls);
// The same for CPU devices, in one call: an invocation makes an output, or four side by side,
// alone. Returns false where it is not for a kernel.
bool emit_reduce_alone(const struct emit_source *s, uint32_t kernel, uint32_t tail,
                       struct emit_call *call);
// Whether a MAP kernel can be a tail: no narrow stores, and few enough buffers beside
// `reduction`'s.
bool emit_is_simple(const struct emit_source *s, uint32_t kernel, ir_ref reduction);
uint64_t emit_reduce_scratch(const struct ir_graph *g, ir_ref anchor);

#endif
