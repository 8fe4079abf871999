// hlxc_options.h: the command line of hlxc.
#ifndef HLX_CODEGEN_HLXC_OPTIONS_H
#define HLX_CODEGEN_HLXC_OPTIONS_H

#include "base/diag.h"

// What one run makes.
enum hlxc_make {
    HLXC_HBIN,
    HLXC_AST,
    HLXC_AST_VALUE,
    HLXC_IR,
    HLXC_STATS,
    HLXC_PLAN,
    HLXC_SPIRV,
    HLXC_SPIRV_ASM,
    HLXC_DUMP,
    HLXC_CHECK,
    HLXC_OPS,
    HLXC_EXPLAIN // `input` is the code
};

struct hlxc_define {
    const char *name, *value;
};

struct hlxc_options {
    struct arena *arena;
    enum hlxc_make make;
    const char *input;
    bool compiled;       // the input is a program (.hbin) and no source
    const char *output;  // NULL: the standard output (for what is text)
    const char *dump;    // name of the pass
    const char *profile; // NULL: not asked for
    bool cpu_only;       // --target=cpu: no kernels for devices
    bool no_fuse;        // every operation a kernel of its own
    bool lines;          // -g: kernels carry source lines
    bool time_passes;
    enum diag_format diagnostics;
    enum diag_color color;
    VEC(struct hlxc_define) defines;
    VEC(const char *) include;
};

// Reads a command line. Returns -1 when there is work to do, else the exit code (after saying why).
int hlxc_options_read(struct hlxc_options *o, struct arena *a, int argc, char **argv);

#endif
