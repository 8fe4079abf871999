// spv.h: builds one SPIR-V module word by word.
//
// One buffer per section of a module's logical layout (SPIR-V specification 2.4); types, constants
// and decorated pointers are unique by content; word counts are computed in one place. Float adds,
// subtractions and multiplications of the exact profile get NoContraction from spv_arith.
//
// A module's bytes are a function of the program alone. C leaves the order of arguments to the
// compiler, so of the arguments of one call at most one may add to the module; asking for a scalar
// type adds nothing, since every module starts with these.
#ifndef HLX_CODEGEN_SPV_H
#define HLX_CODEGEN_SPV_H

#include <stdbool.h>
#include <stdint.h>

#include <spirv/unified1/spirv.h>

#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"

enum spv_section {
    SPV_CAPABILITY,
    SPV_IMPORT,
    SPV_MEMORY_MODEL,
    SPV_ENTRY,
    SPV_MODE,
    SPV_SOURCE, // OpString, OpSource
    SPV_NAME,
    SPV_DECORATION,
    SPV_GLOBAL, // types, constants, global variables
    SPV_FUNCTION,
    SPV_SECTIONS
};

typedef uint32_t spv_id;

struct spv_words {
    uint32_t *at;
    size_t n, cap;
};

struct spv {
    struct arena *arena;
    struct spv_words section[SPV_SECTIONS];
    struct spv_words locals;  // OpVariable of the current function: they open its first block
    size_t body;              // where in SPV_FUNCTION they go
    struct spv_words globals; // ids of module-scope variables: the interface of the entry point
    spv_id main;
    const char *main_name;
    struct map unique; // words of a type, constant ... -> id
    spv_id next;
    spv_id glsl; // import of GLSL.std.450, made on first use (native profile only)
    bool exact;  // NoContraction on float arithmetic
};

// A list of operand words: SPV(b, c) in a call that takes (const uint32_t *words, size_t n).
#define SPV(...) (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4

// Starts a compute module: Shader capability, GLSL450 memory model, the scalar types.
void spv_init(struct spv *b, struct arena *a, bool exact);

spv_id spv_new(struct spv *b);

// Appends one instruction to a word buffer; `type` and `result` are 0 where the instruction has
// none. The only place where word counts are computed.
void spv_emit(struct spv *b, struct spv_words *out, SpvOp op, spv_id type, spv_id result,
              const uint32_t *words, size_t n);
// Appends an instruction without result to a section.
void spv_put(struct spv *b, enum spv_section section, SpvOp op, const uint32_t *words, size_t n);
// Appends an instruction with result type and result to the function section; returns the result.
spv_id spv_value(struct spv *b, SpvOp op, spv_id type, const uint32_t *words, size_t n);
// An instruction of GLSL.std.450 (native profile only: no two devices agree on its bits).
spv_id spv_glsl(struct spv *b, uint32_t instruction, spv_id type, const uint32_t *words, size_t n);
// spv_value for OpFAdd, OpFSub, OpFMul: decorated NoContraction in the exact profile.
spv_id spv_arith(struct spv *b, SpvOp op, spv_id type, spv_id x, spv_id y);
// An instruction of SPV_FUNCTION without result (stores, branches, barriers ...).
void spv_do(struct spv *b, SpvOp op, const uint32_t *words, size_t n);
// Makes a type or constant once. `type` is 0 for instructions without result type.
spv_id spv_once(struct spv *b, SpvOp op, spv_id type, const uint32_t *words, size_t n);

spv_id spv_void(struct spv *b);
spv_id spv_bool(struct spv *b);
spv_id spv_u32(struct spv *b);
spv_id spv_i32(struct spv *b);
spv_id spv_f32(struct spv *b);
spv_id spv_vector(struct spv *b, spv_id element, unsigned n);
spv_id spv_array(struct spv *b, spv_id element, unsigned n); // no stride: not for buffers
spv_id spv_pointer(struct spv *b, SpvStorageClass class, spv_id to);
spv_id spv_c32(struct spv *b, uint32_t x); // u32 constant
spv_id spv_ci32(struct spv *b, int32_t x);
spv_id spv_cf32(struct spv *b, uint32_t bits);
spv_id spv_cbool(struct spv *b, bool x);

// A storage buffer `{ element[] }` at set 0 and a binding; returns the variable. stride in bytes.
spv_id spv_buffer(struct spv *b, unsigned binding, spv_id element, unsigned stride,
                  const char *name);
// Declares `variable` (reserved with spv_new) as a block of n u32 push constants: how many there
// are is known when the code that reads them is written.
void spv_push_block(struct spv *b, spv_id variable, unsigned n);
// A u32x3 input decorated with a built-in (GlobalInvocationId ...).
spv_id spv_builtin(struct spv *b, SpvBuiltIn which);
// A workgroup-shared or private array variable.
spv_id spv_variable(struct spv *b, SpvStorageClass class, spv_id type);
// A function-local variable.
spv_id spv_local(struct spv *b, spv_id type);

spv_id spv_load(struct spv *b, spv_id type, spv_id pointer);
void spv_store(struct spv *b, spv_id pointer, spv_id value);
spv_id spv_access(struct spv *b, spv_id pointer_type, spv_id base, const uint32_t *index, size_t n);

void spv_name(struct spv *b, spv_id id, const char *name);
void spv_decorate(struct spv *b, spv_id id, SpvDecoration d, const uint32_t *words, size_t n);
void spv_member_decorate(struct spv *b, spv_id id, unsigned member, SpvDecoration d,
                         const uint32_t *words, size_t n);
spv_id spv_string(struct spv *b, const char *text); // OpString, for OpLine

// Opens `void main()` with a workgroup size; spv_end_main closes it and declares it the entry
// point, with every module-scope variable made so far as its interface (SPIR-V 1.4 and later).
spv_id spv_begin_main(struct spv *b, const char *name, unsigned x, unsigned y, unsigned z);
void spv_end_main(struct spv *b);

spv_id spv_label(struct spv *b); // a fresh label's id, not placed yet
void spv_place(struct spv *b, spv_id label);

// A counted loop: i from `from` by `step` (u32) while i < `to`. Body between begin and end; the
// counter's value is loop.i.
struct spv_loop {
    spv_id head, body, next, merge, i, counter, step;
};
void spv_loop_begin(struct spv *b, struct spv_loop *l, spv_id from, spv_id to, spv_id step);
void spv_loop_end(struct spv *b, struct spv_loop *l);

// if (cond) { ... }
struct spv_if {
    spv_id merge;
};
void spv_if_begin(struct spv *b, struct spv_if *s, spv_id cond);
void spv_if_end(struct spv *b, struct spv_if *s);

// Appends the finished module's words (host order) to *out.
void spv_finish(const struct spv *b, struct buf *out);

#endif
