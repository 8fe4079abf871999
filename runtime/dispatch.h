// dispatch.h: what a Vulkan device runs: kernels, where tensors lie, and each entry's steps. Part
// of the program format: codegen/ fills these structs and encodes them (contract 903
// DISPATCH_TABLE), the runtime decodes and checks them (spec/hbin.md).
//
// Memory is a few arenas, each a list of segments of at most 128 MiB (the range limit of the
// smallest devices). A tensor lies in one segment at an offset that is a multiple of 256. VARS is
// one for the program; the other arenas belong to an entry. Inputs, outputs and counters are kept
// several times by the runtime so that steps may be in flight together.
#ifndef HLX_RUNTIME_DISPATCH_H
#define HLX_RUNTIME_DISPATCH_H

#include "latent/handle.h"
#include "latent/pack.h"

#define DISPATCH_CONTRACT 903
#define SHADER_CONTRACT 900
#define DISPATCH_SEGMENT ((uint64_t)128 << 20)
#define DISPATCH_ALIGN 256
#define DISPATCH_MAX_BINDINGS 24
#define DISPATCH_MAX_PUSH 32 // u32 words: the 128 bytes that every device has
#define DISPATCH_MAX_GROUPS 65535
#define DISPATCH_MAX_VARIANTS 64
#define DISPATCH_FOR_CPU "cpu_" // names of variants that no GPU needs to try begin so
#define DISPATCH_MAX_ENTRIES 4096
#define DISPATCH_MAX_ACCESSES ((size_t)1 << 20) // bindings of all calls
#define DISPATCH_COUNTERS_SIZE 12
#define DISPATCH_ANY SIZE_MAX // of dispatch_hazard

enum dispatch_arena {
    ARENA_VARS,     // params, then states, in order of path
    ARENA_WORK,     // intermediate tensors and variants' scratch, by liveness
    ARENA_INPUTS,   // the entry's inputs
    ARENA_OUTPUTS,  // the entry's outputs
    ARENA_CONSTS,   // constants with more than one element: filled once
    ARENA_COUNTERS, // u32[3]: seed low, seed high, step
    ARENA_COUNT
};

struct dispatch_range {
    enum dispatch_arena arena;
    uint32_t segment;
    uint64_t offset, size; // bytes; offset % 256 == 0, size > 0 and a multiple of 4
};

// One SPIR-V module with one entry point `main`-like function, its name in `name`. Storage buffers
// are set 0, bindings 0 .. bindings-1; push constants are `push` u32 words.
struct dispatch_kernel {
    struct handle handle; // of its shader object in the pack
    const char *name;     // entry point
    const uint32_t *words;
    size_t nwords;
    uint32_t bindings, push;
};

struct dispatch_binding {
    struct dispatch_range range;
    bool writes; // else only read
};

struct dispatch_call {
    uint32_t kernel;
    uint32_t groups[3];                     // each 1 .. 65535
    const struct dispatch_binding *binding; // as many as the kernel has
    const uint32_t *push;                   // as many as the kernel has
    bool barrier; // what ran before must be finished and visible before this call
};

// Ways to do one step; all give the same bits in the exact profile.
// A name that begins with `tile` says that invocations share memory: CPU devices try the others.
struct dispatch_variant {
    const char *name; // "tile_64x64x16", "rows_8x2"; for --variant and the autotuner's cache
    const struct dispatch_call *call;
    size_t ncalls;
};

// A value of the entry's graph, where a step leaves it.
struct dispatch_made {
    uint32_t node;
    struct dispatch_range range;
};

struct dispatch_step {
    const char *label; // of the anchor: "matmul layers.0.ffn.w1", for profiles and messages
    const struct dispatch_variant *variant;
    size_t nvariants; // at least 1; the first is the default
    // What it makes: for those who look for a fault. Not part of the table: program_made.c.
    const struct dispatch_made *made;
    size_t nmade;
};

struct dispatch_entry {
    const char *name;                     // of the IR entry
    const uint64_t *segment[ARENA_COUNT]; // sizes in bytes (VARS: empty, see the program)
    size_t nsegments[ARENA_COUNT];
    const struct dispatch_range *input; // by input of the entry; size 0: never read
    size_t ninputs;
    const struct dispatch_range *output; // by output of the entry
    size_t noutputs;
    const unsigned char *const *consts; // contents of each CONSTS segment
    const struct dispatch_step *step;
    size_t nsteps;
};

struct dispatch_program {
    const struct dispatch_kernel *kernel; // unique by content, sorted by handle
    size_t nkernels;
    const uint64_t *var_segment;
    size_t nvar_segments;
    const struct dispatch_range *var; // by var of the module
    size_t nvars;
    const struct dispatch_entry *entry;
    size_t nentries;
};

// Adds the table and its shaders to a pack; returns the table's handle. Shaders are contract 900
// objects {spirv_binary, entry_point, shader_stage: "compute"}.
struct handle dispatch_write(struct pack_writer *w, const struct dispatch_program *p);

// Decodes and checks a table: every handle, range, count and size, SPIR-V headers and word counts.
// Returns NULL and fills *error when anything is off. `nvars` etc. of the module are checked by the
// caller.
const struct dispatch_program *dispatch_read(struct arena *a, const struct pack *pack,
                                             const struct handle *h, struct latent_error *error);

// The handle of a kernel's shader object: what `handle` must be, and the order of the kernels.
struct handle dispatch_kernel_handle(struct arena *a, const struct dispatch_kernel *k);

// Checks that a table is one of a module: as many variables, entries by name, and for every
// variable, input and output a range that holds it. Returns NULL, or a sentence.
struct ir_module;
const char *dispatch_match(struct arena *a, const struct dispatch_program *p,
                           const struct ir_module *m);

// An entry by name, or NULL.
const struct dispatch_entry *dispatch_find(const struct dispatch_program *p, const char *name);

// Replays the steps of an entry (for each, variant `v` or the first where it has fewer) and checks
// that every read-after-write, write-after-read and write-after-write pair of overlapping ranges
// has a barrier in between. Returns NULL, or a sentence that names the two calls. With v =
// DISPATCH_ANY every mixture of variants is checked at once: what a compiler must guarantee.
const char *dispatch_hazard(struct arena *a, const struct dispatch_program *p,
                            const struct dispatch_entry *entry, size_t v);
// The same for a choice: for each step the index of its variant.
const char *dispatch_hazard_choice(struct arena *a, const struct dispatch_program *p,
                                   const struct dispatch_entry *entry, const uint32_t *variant);

#endif
