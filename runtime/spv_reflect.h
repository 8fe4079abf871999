// spv_reflect.h: reads from a compute shader's SPIR-V what whoever starts it must know: workgroup
// size, buffers, push constants, specialisation constants.
#ifndef HLX_RUNTIME_SPV_REFLECT_H
#define HLX_RUNTIME_SPV_REFLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define SPV_MAX_BUFFERS 24

enum spv_number { SPV_U32, SPV_I32, SPV_F32, SPV_BOOL, SPV_NUMBERS };

struct spv_buffer {
    uint32_t set, binding;
    bool reads, writes; // neither decorated NonReadable nor NonWritable: both
};

// A word of the block of push constants.
struct spv_push {
    uint32_t offset; // bytes
    enum spv_number type;
};

struct spv_special {
    uint32_t number; // SpecId
    enum spv_number type;
    size_t at; // of its instruction, in words
};

struct spv_reflection {
    const char *name;  // of the entry point
    uint32_t local[3]; // size of a workgroup
    uint64_t shared;   // bytes of memory that a workgroup shares; where known
    struct spv_buffer *buffer;
    size_t nbuffers;
    struct spv_push *push; // by offset
    size_t npush;
    struct spv_special *special;
    size_t nspecial;
};

// Checks the framing of a module: its header, and that its instructions fill it. Returns NULL, or
// a sentence. Nothing else here looks at words that did not pass.
const char *spv_framing(const uint32_t *words, size_t n);

// Reads a module that passed spv_framing; it need not be valid SPIR-V. Returns NULL and fills *out
// (in the arena), or a sentence about what has no place in a contract.
const char *spv_reflect(struct arena *a, const uint32_t *words, size_t n,
                        struct spv_reflection *out);

// Makes a specialisation constant a plain one with these bits, in place; for a bool, 0 is false.
void spv_specialise(uint32_t *words, const struct spv_special *c, uint32_t bits);
// Removes what makes constants special. Returns how many words are left.
size_t spv_freeze(uint32_t *words, size_t n);

// "u32", "i32", "f32", "bool".
const char *spv_number_name(enum spv_number type);

#endif
