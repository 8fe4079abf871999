// pipeline.h: pipelines of a user's own shaders (contracts 900, 901, 902): the checked reader of a
// .hbin whose root is a pipeline without a program. spec/contracts.md, "Pipelines", is the
// contract.
//
// What it reads becomes a program of one entry, `run`, whose variables are the buffers that kernels
// write and whose inputs are those that they only read, so that the executor runs it as it runs
// any other. There is no IR behind it: the evaluator cannot.
#ifndef HLX_RUNTIME_PIPELINE_H
#define HLX_RUNTIME_PIPELINE_H

#include "runtime/program.h"

#define PIPELINE_MAX_DEPTH 8     // pipelines within pipelines
#define PIPELINE_MAX_STAGES 4096 // kernels started in a run
#define PIPELINE_MAX_BUFFERS 1024

// A piece of memory that kernels share by name.
struct pipeline_buffer {
    const char *name; // without "&h_"; of a constant, its handle's text
    enum dtype dtype;
    unsigned rank;
    int64_t dim[IR_MAX_RANK];
    size_t bytes;                  // of its elements
    const unsigned char *constant; // its content, of a tensor (905) in the pack; or NULL
    bool written;                  // by a kernel; else it is an input or a constant
    bool output;                   // one of the results
    uint32_t index;                // among the variables, inputs or constants
};

// How a kernel that is started came to be, for people.
struct pipeline_stage {
    const char *name;
    uint32_t local[3];
    uint64_t shared;
};

struct pipeline {
    struct program program; // as the executor wants it; its arena holds everything
    const char *name;
    VEC(struct pipeline_buffer) buffers; // in order of their first use
    VEC(struct pipeline_stage) stages;   // by call
};

// Whether bytes are a pack whose root is a pipeline without a program.
bool pipeline_is(const void *bytes, size_t n);
// Opens and checks a pipeline: contracts, SPIR-V (by the validator of SPIRV-Tools), what the
// shaders themselves say against what their contracts say, sizes, missing barriers. On failure
// returns false and fills *error (EXIT_DATA); there is then nothing to close.
bool pipeline_open_bytes(struct pipeline *p, const void *bytes, size_t n, struct hlx_error *error);
void pipeline_close(struct pipeline *p);

// A buffer by name, or NULL.
const struct pipeline_buffer *pipeline_find(const struct pipeline *p, const char *name);
// "f32[64, 64]"
void pipeline_type_print(const struct pipeline_buffer *b, struct buf *out);
// The tensor (contract 905) that a buffer's bytes are.
const struct value *pipeline_tensor(struct arena *a, const struct pipeline_buffer *b,
                                    const void *bytes);
// What is in it, for `hlxrun inspect`.
void pipeline_text(const struct pipeline *p, struct buf *out);
// One JSON object and a line end. False when memory runs out.
bool pipeline_json(const struct pipeline *p, struct buf *out);

// -- private to pipeline*.c ----------------------------------------------------------------------

// A kernel of the tree, as it is started: its shader with the specialisation constants fixed, its
// inputs by binding.
struct pipeline_kernel {
    const char *name;
    struct dispatch_kernel kernel;
    uint32_t groups[3];
    uint32_t push[DISPATCH_MAX_PUSH];
    const struct value *input[DISPATCH_MAX_BINDINGS]; // handles
    bool writes[DISPATCH_MAX_BINDINGS];
    uint32_t local[3];
    uint64_t shared;
};

// One that is started, and its buffers by binding, as indices into the pipeline's.
struct pipeline_call {
    struct pipeline_kernel k;
    uint32_t buffer[DISPATCH_MAX_BINDINGS];
    bool barrier; // all before it is finished and visible
};

// Fills p->program from the buffers and n calls, which outlive it. NULL, or a sentence: a barrier
// is missing.
const char *pipeline_make_program(struct pipeline *p, const struct pipeline_call *call, size_t n);

// Reads the kernel (contract 901) with these fields and checks it. Returns NULL, or a sentence in
// the arena that names the kernel.
const char *pipeline_read_kernel(struct arena *a, const struct pack *pack,
                                 const struct value *fields, struct pipeline_kernel *out);
// The fields of the contract under a handle, checked against its schema: NULL, or a sentence.
const char *pipeline_contract(struct arena *a, const struct pack *pack, const struct value *handle,
                              int64_t *number, const struct value **fields);

#endif
