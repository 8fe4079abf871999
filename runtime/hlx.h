// hlx.h: libhlx, which runs compiled Helix programs (.hbin) from C.
//
// A program is opened on a device; one of its entries is made ready; its inputs are bound, it is
// stepped, its outputs are read:
//
//     struct hlx_error error;
//     struct hlx *h = hlx_open("model.hbin", NULL, &error);
//     struct hlx_run *run = h ? hlx_start(h, "train", &error) : NULL;
//     while (... && hlx_bind(run, "x", x, sizeof x, &error) && hlx_step(run, &error))
//         hlx_read(run, "loss", &loss, sizeof loss, &error);
//     hlx_stop(run);
//     hlx_close(h);
//
// Tensors are row-major, in the byte order of the machine, each element as large as its type; a
// bool is a 32-bit 0 or 1. The same program, inputs and seed give the same bits on every device.
//
// Functions that can fail return false or NULL and fill *error, which must not be NULL. Nothing is
// printed and no signal is handled. One exception remains: when the host has no memory left for
// small things (not tensors), the process ends with a message. One thread at a time may use what
// was made from one hlx_open; what was made from two is independent.
#ifndef HLX_H
#define HLX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HLX_API __attribute__((visibility("default")))
#else
#define HLX_API
#endif

// What kind of failure it was; the tools exit with the same numbers.
enum hlx_code {
    HLX_OK = 0,
    HLX_USAGE = 2,  // a call that cannot be: no such name, another size
    HLX_DEVICE = 3, // no device, a driver's failure, out of memory
    HLX_DATA = 4    // a file is missing, damaged or foreign
};

struct hlx_error {
    int code;       // enum hlx_code
    char text[600]; // one sentence, valid UTF-8 without control characters; cut when too long
};

struct hlx;     // a program on a device, with the values of its variables
struct hlx_run; // one of its entries, made ready

HLX_API const char *hlx_version(void); // "0.1.0"

// -- devices -------------------------------------------------------------------------------------

struct hlx_device {
    char device[24]; // for hlx_options: "vulkan:0", "cpu"
    char name[256];  // "llvmpipe (LLVM 15.0.6, 256 bits)"
    char kind[16];   // "discrete GPU", "integrated GPU", "virtual GPU", "CPU", "other"
    bool usable;     // it can run programs
    bool best;       // it is taken when none is asked for
};

// Fills at most `room` rows (`out` may be NULL when room is 0) and returns how many devices there
// are. The evaluator, "cpu", is always one.
HLX_API size_t hlx_devices(struct hlx_device *out, size_t room);

// -- programs ------------------------------------------------------------------------------------

struct hlx_options {
    const char *device;  // a device, its UUID or a part of its name; NULL: the best
    const char *variant; // kernel variants to be preferred, with commas; NULL: the fastest
    uint64_t seed;       // of initial values, random numbers and the order of samples
};

// Opens a program and gives its variables their initial values. `options` may be NULL. Nothing in
// the file is trusted.
HLX_API struct hlx *hlx_open(const char *path, const struct hlx_options *options,
                             struct hlx_error *error);
// Its runs are stopped first. NULL is allowed.
HLX_API void hlx_close(struct hlx *h);

HLX_API const char *hlx_handle(const struct hlx *h); // of the program: "&h_" and 64 digits
HLX_API const char *hlx_title(const struct hlx *h);  // of the device

// -- variables -----------------------------------------------------------------------------------

struct hlx_tensor {
    const char *name;
    const char *dtype; // "f32", "i32", "u32", "bool", "f16", "bf16", "i8", "u8"
    unsigned rank;
    int64_t dim[8];
    size_t bytes;
};

// Params and states, in order of their paths. Past the last one: false.
HLX_API bool hlx_var(const struct hlx *h, size_t i, struct hlx_tensor *out);

// Reads and writes a variable by its path. `n` is the tensor's size in bytes. Steps under way are
// finished first.
HLX_API bool hlx_get(struct hlx *h, const char *path, void *bytes, size_t n,
                     struct hlx_error *error);
HLX_API bool hlx_set(struct hlx *h, const char *path, const void *bytes, size_t n,
                     struct hlx_error *error);

// -- entries -------------------------------------------------------------------------------------

// The name of an entry, or NULL past the last one.
HLX_API const char *hlx_entry(const struct hlx *h, size_t i);

// Makes an entry ready. Several may be ready at the same time; they share the variables.
HLX_API struct hlx_run *hlx_start(struct hlx *h, const char *entry, struct hlx_error *error);
HLX_API void hlx_stop(struct hlx_run *r); // NULL is allowed

// Past the last one: false.
HLX_API bool hlx_input(const struct hlx_run *r, size_t i, struct hlx_tensor *out);
HLX_API bool hlx_output(const struct hlx_run *r, size_t i, struct hlx_tensor *out);

// Copies a tensor for an input. It stays bound for all steps until another one is; before the first
// time an input is zeros.
HLX_API bool hlx_bind(struct hlx_run *r, const char *input, const void *bytes, size_t n,
                      struct hlx_error *error);

// Binds all inputs to a batch of the program's own data, as hlxrun would: `epoch` counts from 1,
// `batch` from 0 to hlx_batches - 1. The entry must name a data source.
HLX_API bool hlx_feed(struct hlx_run *r, uint32_t epoch, size_t batch, struct hlx_error *error);
// Batches of an epoch; 0 when the entry has no data, or it cannot be read (hlx_feed says why).
HLX_API size_t hlx_batches(struct hlx_run *r);

// Runs a step: its outputs can be read and its updates are made.
HLX_API bool hlx_step(struct hlx_run *r, struct hlx_error *error);

// The same in two parts: up to hlx_depth steps may be submitted before the first one is collected,
// and run while the host goes on. hlx_read reads the step collected last.
HLX_API bool hlx_submit(struct hlx_run *r, struct hlx_error *error);
HLX_API bool hlx_collect(struct hlx_run *r, struct hlx_error *error);
HLX_API unsigned hlx_depth(const struct hlx_run *r);

// The number of the step that was submitted last; the first is 1. It is a part of the key of random
// numbers. hlx_set_steps says how many have been made, for instance by an earlier process; no step
// may be under way.
HLX_API uint32_t hlx_steps(const struct hlx_run *r);
HLX_API bool hlx_set_steps(struct hlx_run *r, uint32_t steps, struct hlx_error *error);

// Reads an output of the step collected last.
HLX_API bool hlx_read(struct hlx_run *r, const char *output, void *bytes, size_t n,
                      struct hlx_error *error);

#ifdef __cplusplus
}
#endif

#endif
