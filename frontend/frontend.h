// frontend.h: the one entry to the front end: source files in, staged IR out.
#ifndef HLX_FRONTEND_FRONTEND_H
#define HLX_FRONTEND_FRONTEND_H

#include "base/diag.h"
#include "ir/ir.h"

struct frontend_define {
    const char *name, *value; // -D name=value; value is a literal of the language, or text
};

// What ls.root made the compiled file: a pipeline, and the stored values that it leads to.
struct frontend_root {
    const struct value *value; // NULL: the program is one of entries
    const struct value **object;
    size_t n;
};

struct frontend_options {
    const struct frontend_define *defines; // top-level names, over `let` of the main file
    size_t ndefines;
    const char *const *include; // -I folders for imports by name and path
    size_t ninclude;
    const char *profile; // "exact" or "native"
    struct buf *printed; // what `print` printed
    // Turns SPIR-V assembly into little-endian words; false fills *why. NULL: there is no
    // assembler.
    bool (*assemble)(struct arena *a, const char *text, size_t n, struct buf *out,
                     const char **why);
    struct frontend_root *root; // out; may be NULL
};

// Reads, parses and stages `path` ("-" is stdin) into an initialised, empty module. Returns false
// after errors (in d). `sources` collects the main file, imports and stdlib modules. A file that
// cannot be read is an error of code HLX0001 at no place; *missing says so (exit code 4).
bool frontend_compile(struct arena *a, const char *path, const struct frontend_options *options,
                      struct sources *sources, struct diags *d, struct ir_module *m, bool *missing);

// The same of a text of n bytes; `path` says where it is from.
bool frontend_compile_text(struct arena *a, const char *path, const char *text, size_t n,
                           const struct frontend_options *options, struct sources *sources,
                           struct diags *d, struct ir_module *m, bool *missing);

// Moves the places of a compiled module to where they are in its formatted HLXL
// (frontend/places.h), which stands in `sources` then. To be called when the diagnostics are
// printed.
void frontend_settle_places(struct arena *a, struct sources *sources, struct ir_module *m);

// Parses only, for --emit=ast.
bool frontend_dump_ast(struct arena *a, const char *path, struct sources *sources, struct diags *d,
                       struct buf *out, bool *missing);

// The same for --emit=ast-value: the tree as a value (frontend/ast_value.h) in LC-B.
bool frontend_dump_ast_value(struct arena *a, const char *path, struct sources *sources,
                             struct diags *d, struct buf *out, bool *missing);

// Appends what the code of a diagnostic means, with an example (docs/errors.md); "list" appends all
// codes, one a line. False for a code that there is not; *near is then the nearest one, or NULL.
bool frontend_explain(const char *code, struct buf *out, const char **near);

#endif
