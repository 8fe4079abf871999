// hlxrun_options.h: the command line of hlxrun.
#ifndef HLX_RUNTIME_HLXRUN_OPTIONS_H
#define HLX_RUNTIME_HLXRUN_OPTIONS_H

#include "runtime/session.h"

struct hlxrun_options {
    struct arena *arena;
    const char *file;
    bool list_devices;
    bool inspect, json; // hlxrun inspect FILE [--json]
    bool train, eval;
    bool run; // --run: a pipeline of the user's own kernels
    VEC(struct session_file) bind, out;
    uint32_t repeat; // of --run
    bool memo;
    const char *entry; // --entry, or NULL
    uint64_t epochs;   // 0: as the program says
    uint32_t steps;    // TRAIN_NO_LIMIT: as the program says
    uint64_t seed;
    VEC(struct session_file) data;
    const char *device;  // NULL: the best
    const char *variant; // NULL: what was measured fastest
    const char *log;
    const char *receipt;    // or NULL
    uint32_t receipt_every; // 0: the usual number
    const char *fault;      // tests: a bit to flip, or NULL
    unsigned workers;       // 0: one
    bool quiet, no_fuse;
    bool dump_grads;
    const char *dump_names; // of --dump-grads=NAMES, or NULL
    const char *export;     // file for --export-safetensors, or NULL
    bool export_grads;
};

// Whether nothing but gradients was asked for: no step is made.
bool hlxrun_only_dumps(const struct hlxrun_options *o);

// Reads a command line. Returns -1 when there is work to do, else the exit code (after saying why).
int hlxrun_options_read(struct hlxrun_options *o, struct arena *a, int argc, char **argv);

#endif
