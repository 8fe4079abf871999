// tape_code.h: what tape.c and tape_regs.c write and tape_run.c runs: values, instructions, the
// tape.
#ifndef HLX_IR_TAPE_CODE_H
#define HLX_IR_TAPE_CODE_H

#include "ir/tape.h"

// Lane types: columns F, I, U, B of ops.def. Storage-only element types travel as their bits in
// u32.
enum lane { LANE_F32, LANE_I32, LANE_U32, LANE_BOOL, LANE_COUNT };

// Loops that are no rows of ops.def: name, operand type, result expression.
#define TAPE_EXTRA(X)                                                                              \
    X(div, float, f32_div(a, b))                                                                   \
    X(sqrt, float, f32_sqrt(a))                                                                    \
    X(f32_to_i32, float, i32_of_f32(a))                                                            \
    X(f32_to_u32, float, u32_of_f32(a))                                                            \
    X(i32_to_f32, int32_t, f32_of_i32(a))                                                          \
    X(u32_to_f32, uint32_t, f32_of_u32(a))                                                         \
    X(canon, uint32_t, f32_canon_bits(a))                                                          \
    X(flush, uint32_t, f32_flush_bits(a))                                                          \
    X(truth, uint32_t, (uint32_t)(a != 0))                                                         \
    X(copy, uint32_t, a)

// Codes: op * LANE_COUNT + lane for the rows of ops.def, then the extras, then the ports.
enum tape_code {
    TAPE_LAST_ROW = IR_OP_COUNT * LANE_COUNT - 1,
#define X(name, type, expression) TAPE_##name,
    TAPE_EXTRA(X)
#undef X
        TAPE_CONST, // constant bits
    TAPE_MEMORY,    // elements in order, read where they lie
    TAPE_READ,      // elements by index, widened to 32 bits
    TAPE_IOTA,      // indices
    TAPE_RANDOM,    // random words
    TAPE_WRITE      // elements in order, narrowed from 32 bits
};
#define TAPE_FIRST_EXTRA (TAPE_LAST_ROW + 1)

// How a tensor's elements are found from an element's index: axes outermost first, none of extent
// 1, neighbours merged where they can be. Rank 0: always the element at `offset`.
struct tape_map {
    unsigned rank;
    int64_t offset;
    int64_t dim[IR_MAX_RANK], stride[IR_MAX_RANK];
};

// What an instruction reads or writes besides registers.
struct tape_port {
    tape_slot slot;
    uint32_t bytes;     // of one element
    uint32_t bits;      // CONST
    uint32_t stream[2]; // RANDOM
    int64_t inner, dim; // IOTA: element e has value e / inner % dim
    struct tape_map map;
};

struct tape_ins {
    uint32_t code, port;
    uint32_t to, from[3]; // registers; unused operands repeat the first
};

// Register `reg` is memory itself, moving with the block.
struct tape_binding {
    uint32_t reg;
    tape_slot slot;
};

struct tape {
    VEC(struct tape_ins) once, body; // per run; per block
    VEC(struct tape_binding) bound;
    VEC(struct tape_port) ports;
    unsigned nregs, nown; // registers; the first nown have lanes of their own
    bool has_result;
    uint32_t result;
    tape_slot counters;
};

// -- between tape.c and tape_regs.c: values, each made once --------------------------------------

struct tape_value {
    uint32_t code, port;
    uint32_t arg[3]; // values; 0 = none
    bool uniform;    // the same for every element
    bool stored;     // lies in memory at `slot`
    tape_slot slot;
    uint32_t last; // value that reads it last (tape_regs.c)
    uint32_t reg;
};

struct tape_draft {
    VEC(struct tape_value) values; // [0] is a dummy
    VEC(struct tape_port) ports;
    uint32_t result; // value, or 0
};

// Compiles the elementwise nodes of a kernel into values, each made once, operands first; for
// tape_compile and for codegen, which writes them as SPIR-V. `result` as for tape_compile.
void tape_draft_make(const struct tape_source *s, uint32_t kernel, ir_ref result,
                     struct arena *scratch, struct tape_draft *out);

// By value: whether a store or the result needs it. Operands come before their users.
bool *tape_live(const struct tape_draft *d, struct arena *a);

enum lane tape_lane_of(enum dtype t);

// Appends an inner axis to a map.
void tape_map_axis(struct tape_map *m, int64_t dim, int64_t stride);

// Gives values registers and writes the instructions that are needed.
void tape_assign(struct tape_draft *d, struct arena *scratch, struct arena *a, struct tape *out);

#endif
