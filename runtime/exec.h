// exec.h: runs a program on a device: its variables, its entries made ready, its steps.
//
// A device is a row of functions (struct exec_ops). All devices give the same bits, so what is not
// worth a device's while (initialisers, statistics) is computed by the evaluator for all of them.
#ifndef HLX_RUNTIME_EXEC_H
#define HLX_RUNTIME_EXEC_H

#include "ir/eval.h"
#include "runtime/program.h"
#include "runtime/state.h"

struct exec;      // a program on a device, with the values of its params and states
struct exec_plan; // one of its entries, ready to run

enum {
    EXEC_NO_FUSE = 1,
    EXEC_UNCHECKED = 2 // exact programs run on devices that were not tested (doctor.h)
};

struct exec_ops {
    const char *name; // for --device
    const char *doc;  // for --list-devices
    unsigned depth;   // steps that may be submitted before the first is collected
    bool (*open)(struct exec *x, struct hlx_error *error);
    void (*close)(struct exec *x); // after a failed open, too
    bool (*set)(struct exec *x, uint32_t var, const void *bytes, struct hlx_error *error);
    bool (*get)(struct exec *x, uint32_t var, void *bytes, struct hlx_error *error);
    struct exec_plan *(*prepare)(struct exec *x, const struct ir_entry *entry,
                                 struct hlx_error *error);
    void (*discard)(struct exec_plan *plan);
    bool (*submit)(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                   struct hlx_error *error);
    bool (*collect)(struct exec_plan *plan, void *const *outputs, struct hlx_error *error);
    bool (*hash)(struct exec_plan *plan, struct hlx_error *error);
    bool (*leaves)(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *error);
    const char *(*title)(const struct exec *x);  // of the very device; NULL: there is only one
    const char *(*driver)(const struct exec *x); // its driver and version; NULL: it has none
};

// Brings what the workers made to where the global part of a step reads it (spec/numerics.md, N9).
struct exec_transport {
    void *user;
    // Copies output `output` of a shard that `worker` ran.
    bool (*gather)(void *user, unsigned worker, uint32_t shard, size_t output, const void *from,
                   void *to, size_t bytes, struct hlx_error *error);
};

// What the user asked for.
struct exec_options {
    const char *device;  // "cpu", "vulkan", "vulkan:1", a UUID, a part of a name; NULL: the best
    const char *variant; // names of kernel variants to be preferred, with commas; or NULL
    uint64_t seed;
    unsigned flags;
    unsigned workers;                       // that hold the shards of an entry; 0: one
    const struct exec_transport *transport; // between them; NULL: within this process
    const char
        *fault;       // tests: "STEP:PATH:ELEMENT:BIT", a bit of a variable that flips after a step
    unsigned fail_at; // tests: the number of the driver's call that fails, from 1; 0: none
    int fail_with;    // with this VkResult
};

// What every device's own struct begins with.
struct exec {
    const struct exec_ops *ops;
    const struct program *program; // outlives this
    uint64_t seed;
    unsigned flags;
    struct exec_options options; // texts outlive this
    struct arena arena;
    struct state_layout layout; // of the program's variables
    bool absent;                // after a failed open: there is no such device for the program
    void *device;               // the device's own state
};

struct exec_plan {
    struct exec *exec;
    const struct ir_entry *entry;
    void *device; // the device's own state; of an entry with shards a struct exec_shards
};

// Puts a program on the device that is asked for and gives its variables their initial values.
// Without a name the best device is taken: a discrete GPU, else an integrated one, else `cpu`. A
// device asked for by name that is not there is an error (EXIT_DEVICE), and so is a failure of the
// one that was taken. Returns NULL and fills *error.
struct exec *exec_start(const struct exec_options *options, const struct program *program,
                        struct hlx_error *error);

// The same on a device of this program's choice, under `seed`.
struct exec *exec_open(const struct exec_ops *device, const struct program *program, uint64_t seed,
                       unsigned flags, struct hlx_error *error);
void exec_close(struct exec *x); // plans are discarded first

// The device's name for people: "cpu", "llvmpipe (LLVM 15.0.6, 256 bits)".
const char *exec_title(const struct exec *x);
// The driver that runs it, with its version; "" where there is none.
const char *exec_driver(const struct exec *x);

// Writes and reads a variable in storage form (row-major, ir_type_bytes of its type). What is
// written is cleaned (exec_clean).
bool exec_set(struct exec *x, uint32_t var, const void *bytes, struct hlx_error *error);
bool exec_get(struct exec *x, uint32_t var, void *bytes, struct hlx_error *error);

// Makes an entry ready. One with shards becomes a plan of two plans, its local and its global part:
// inputs are of the whole batch, and a step runs the local part for each shard, the workers by
// turns. More workers than shards are an error (EXIT_USAGE).
struct exec_plan *exec_prepare(struct exec *x, const struct ir_entry *entry,
                               struct hlx_error *error);
void exec_discard(struct exec_plan *plan);

// Starts a step: inputs[i] is the entry's input i in storage form, free again on return. At most
// `depth` steps may be under way. exec_collect waits for the oldest one, writes its outputs in the
// entry's order, and by then its updates are made.
bool exec_submit(struct exec_plan *plan, const void *const *inputs, uint32_t step,
                 struct hlx_error *error);
bool exec_collect(struct exec_plan *plan, void *const *outputs, struct hlx_error *error);

// Hashes the state's leaves (spec/receipts.md) as they are after the step that was submitted last,
// while steps go on; exec_leaves waits for the oldest hash under way and writes x->layout.leaves
// hashes, in the layout's order. exec_collect of that step comes between the two. A hash belongs to
// a step: as many may be under way as steps.
bool exec_hash(struct exec_plan *plan, struct hlx_error *error);
bool exec_leaves(struct exec_plan *plan, unsigned char *leaves, struct hlx_error *error);
// The leaves of the present state. No step may be under way.
bool exec_state(struct exec *x, unsigned char *leaves, struct hlx_error *error);

// Computes any nodes of an entry at the variables' present values, without updating them: out[i]
// receives root i. No step may be under way.
bool exec_probe(struct exec *x, const struct ir_entry *entry, const ir_ref *roots, size_t n,
                const void *const *inputs, uint32_t step, void *const *out,
                struct hlx_error *error);

extern const struct exec_ops exec_cpu;    // exec_cpu.c
extern const struct exec_ops exec_vulkan; // exec_vk.c

// -- for devices
// ---------------------------------------------------------------------------------

// Copies a tensor from outside: subnormal floats become zero, NaNs the canonical one, truth values
// 0 or 1, as if an operation had made them.
void exec_clean(const struct ir_type *t, void *to, const void *from);
// Flips the bit that options.fault asks for, if this is its step: what a faulty memory would do.
bool exec_flip(struct exec *x, uint32_t step, struct hlx_error *error);
// Makes the NaNs of a result the one that may be seen.
void exec_canon(const struct ir_type *t, void *bytes);

#endif
