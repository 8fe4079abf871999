// rebuild.h: the kernels of a compiled program (.hbin), made anew from its IR, and compared with
// those it carries.
//
// The handle of a program covers its IR and data. What devices run follows from the IR
// (spec/hbin.md, H2.1), but a file may say something else: whoever did not compile it makes its
// kernels anew.
#ifndef HLX_CODEGEN_REBUILD_H
#define HLX_CODEGEN_REBUILD_H

#include "base/source.h"
#include "runtime/program.h"

// Whether a file begins as a .hbin does, or as much of it as there is. Only regular files are
// looked at: reading takes nothing away from them.
bool rebuild_is_program(const char *path);

// Makes sources in which the places of a program have their lines and columns, for kernels with
// lines (-g), and lets the places refer to them. Their text is blank, as a .hbin does not hold it.
// Returns false with a sentence in *error when the program states files of absurd length. Then, and
// afterwards, program_place does not answer.
bool rebuild_sources(struct arena *a, struct program *p, struct sources *out, const char **error);

// How kernels can be made of an IR.
struct rebuild_how {
    bool fuse, lines;
};

// Compares the kernels that a program carries (it has some) with what this hlxc makes of its IR, in
// each of n ways. *same is the way that gives the file byte for byte, or n. Where none does,
// returns a sentence (arena) about the first difference from the way that differs last; it ends
// without a full stop.
const char *rebuild_compare(struct arena *a, const struct program *p, const struct rebuild_how *how,
                            size_t n, size_t *same);

#endif
