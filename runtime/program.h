// program.h: the program format: what a .hbin holds, and its checked reader. The writer is
// codegen/hbin.c; spec/hbin.md is the contract for both.
#ifndef HLX_RUNTIME_PROGRAM_H
#define HLX_RUNTIME_PROGRAM_H

#include "ir/ir.h"
#include "latent/pack.h"

// Field names of the root object (contract 904 PROGRAM), shared with the writer.
#define PROGRAM_CONTRACT 904

struct program {
    struct arena arena;       // everything below
    unsigned char *bytes;     // the file
    size_t n;
    struct pack pack;
    struct ir_module module;  // parsed from the canonical IR, with names and places re-attached
    struct handle identity;   // the program's handle (numerics.md 12)
    const struct value *root; // fields of the 904 contract
    const struct value *source_map;
};

// Opens and checks a .hbin. On failure returns false with a sentence in *error (in p->arena, which
// the caller still closes) and the exit code in *code (EXIT_DATA).
bool program_open(struct program *p, const char *path, const char **error, int *code);
bool program_open_bytes(struct program *p, const void *bytes, size_t n, const char **error,
                        int *code);
void program_close(struct program *p);

// The content of a data source: from the pack, else NULL (then it must be given by --data).
const struct value *program_data(struct program *p, const struct ir_data *data);

#endif
