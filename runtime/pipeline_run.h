// pipeline_run.h: hlxrun FILE --run: runs a pipeline of a user's own kernels over .npy files.
#ifndef HLX_RUNTIME_PIPELINE_RUN_H
#define HLX_RUNTIME_PIPELINE_RUN_H

#include "runtime/pipeline.h"
#include "runtime/session.h"

struct pipeline_order {
    const char *file;                // the .hbin
    const char *device;              // as of exec_start; NULL: any Vulkan device
    const struct session_file *bind; // what buffers hold at first; no name: the only input
    size_t nbind;
    const struct session_file *out; // where results go; no name: the only output
    size_t nout;
    unsigned repeat; // how often it runs; every run must give the same results
    bool memo;       // results are kept in the store, and taken from there
    bool quiet;
    unsigned fail_at; // as of exec_options
};

// Runs it and prints the handle of every output. Buffers that nothing is bound to and that are
// written begin as zeros. Fails with EXIT_DEVICE on the device `cpu`, which has no SPIR-V, and with
// EXIT_MISMATCH when two runs differ.
bool pipeline_run(const struct pipeline_order *order, struct hlx_error *error);

// Whether a file is a pack whose root is a pipeline without a program.
bool pipeline_is_file(const char *path);
// Prints what is in one.
bool pipeline_inspect(const char *path, bool json, struct hlx_error *error);

// -- private to pipeline_run.c and pipeline_memo.c -----------------------------------------------

// What a run goes from and leads to: per buffer of the pipeline its bytes, padded to words with
// zeros (malloc); of constants NULL.
struct pipeline_state {
    struct arena arena;
    struct pipeline pipeline;
    unsigned char **bytes;
    bool *bound;
};

// The results of an earlier run from the default store, if it has them: *found, and their bytes
// are in the state. False and *error only when there is no store to ask.
bool pipeline_memo_get(struct pipeline_state *s, const struct value *key, bool *found,
                       struct hlx_error *error);
bool pipeline_memo_put(struct pipeline_state *s, const struct value *key, struct hlx_error *error);

#endif
