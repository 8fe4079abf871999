// program.h: the program format: what a .hbin holds, and its checked reader. The writer is
// codegen/hbin.c; spec/hbin.md is the contract for both.
#ifndef HLX_RUNTIME_PROGRAM_H
#define HLX_RUNTIME_PROGRAM_H

#include "ir/ir.h"
#include "latent/contract.h"
#include "latent/pack.h"
#include "runtime/dispatch.h"
#include "runtime/error.h"
#include "runtime/program_parts.h"

// Data contents of up to this many bytes (as LC-B) travel in the pack.
#define PROGRAM_DATA_LIMIT ((size_t)1 << 20)

// A source file that the program was compiled from, by a name that tells nothing of the machine.
struct program_file {
    const char *name;
    const uint32_t *line; // byte offset of each line's first byte
    size_t nlines;
    uint32_t length; // bytes
};

struct program_place {
    const char *file;
    unsigned line, col; // 1-based; col counts bytes
};

struct program {
    struct arena arena;   // everything below
    unsigned char *bytes; // the pack (malloc)
    size_t n;
    struct pack pack;
    struct ir_module module;   // parsed from the canonical IR, with names and places re-attached
    struct handle identity;    // the program's handle (numerics.md 12)
    const struct value *root;  // fields of the root, a pipeline (902)
    const struct value *parts; // fields of the program (904) that it leads to
    struct map known;          // handles of the objects that something refers to
    const struct value **data; // per data source the fields of its object (909)
    const struct program_file *file; // span.file is a 1-based index into this
    size_t nfiles;
    const struct dispatch_program *dispatch; // what Vulkan devices run; NULL: compiled without
};

// Opens and checks a .hbin. On failure returns false and fills *error (EXIT_DATA); there is then
// nothing to close.
bool program_open(struct program *p, const char *path, struct hlx_error *error);
// The same for bytes in memory (copied).
bool program_open_bytes(struct program *p, const void *bytes, size_t n, struct hlx_error *error);
void program_close(struct program *p);

// The handle of a program: that of {"ir": handle of its canonical text, "numerics", "profile"}.
struct handle program_identity(struct arena *a, const struct handle *ir, const char *numerics,
                               const char *profile);

// The content of a data source: from the pack, else NULL (then it must be given by --data).
const struct value *program_data(struct program *p, const struct ir_data *data);
// Where the compiler found the data of a source, or NULL.
const char *program_hint(const struct program *p, const struct ir_data *data);
// The place of a span of the module; false when it has none.
bool program_place(const struct program *p, struct span at, struct program_place *out);

// -- private to program*.c -----------------------------------------------------------------------

// Checks everything in p->bytes and fills *p. Returns NULL, or a sentence about what is wrong.
const char *program_check(struct program *p);

// Reads a full handle; false for NULL and for anything else.
bool program_handle(const struct value *v, struct handle *out);

// Whether a name is not empty and holds only what can be seen.
bool program_name_ok(const char *name);

// Re-attaches names, places and kept gradients (the object under "debug") to a parsed module.
// Returns NULL, or a sentence about what is wrong with it.
const char *program_attach_debug(struct program *p, const struct value *debug);
// Tells the steps of the dispatch table what they make (`made` of the same object), once both are
// there. Returns NULL, or a sentence.
const char *program_attach_made(struct program *p, const struct value *debug);

#endif
