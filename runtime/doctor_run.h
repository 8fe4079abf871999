// doctor_run.h: runs the groups of tests of runtime/doctor.hlxl on a device and compares digests.
#ifndef HLX_RUNTIME_DOCTOR_RUN_H
#define HLX_RUNTIME_DOCTOR_RUN_H

#include "runtime/exec.h"

// The compiled runtime/doctor.hlxl, as tools/embed_gzip.sh writes it.
struct doctor_pack {
    const char *sha; // SHA-256 of the file, as text
    size_t n, npacked;
    const unsigned char *packed;
};
extern const struct doctor_pack doctor_pack;

// A test: an output of an entry, and the digest of its elements (spec/numerics.md, N13.6).
struct doctor_test {
    const char *group, *name;
    uint64_t digest;
};
extern const struct doctor_test doctor_tests[]; // by group
extern const size_t doctor_ntests;

// A group: an entry without inputs.
struct doctor_group {
    const char *name, *covers;
};
extern const struct doctor_group doctor_groups[];
extern const size_t doctor_ngroups;
// The group that stands for all in the automatic check.
#define DOCTOR_QUICK "quick"

struct doctor {
    struct program program;
    struct exec *exec;
};

// A test that failed. With an example, element `index` is `have` on the device and `want` on the
// evaluator, and it is the first of `differ` elements.
struct doctor_fault {
    const char *test;
    const char *variant; // that ran, or NULL
    bool example;
    size_t index, differ;
    size_t noperands;
    uint32_t operand[2], have, want; // bits
};

struct doctor_result {
    const struct doctor_group *group;
    uint64_t elements;
    double seconds; // of one run, without compilation
    VEC(const char *) variants;
    VEC(struct doctor_fault) faults;
};

// Unpacks the program and puts it on a device; there it runs unchecked. On failure nothing is open.
bool doctor_open(struct doctor *d, const char *device, struct hlx_error *e);
void doctor_close(struct doctor *d);

// Runs a group with every variant that the device may choose by itself and has room for. False when
// it could not be run; *out lives in the arena.
bool doctor_run(struct doctor *d, struct arena *a, const struct doctor_group *g,
                struct doctor_result *out, struct hlx_error *e);
// The same with those variants alone that `variants` (a list with commas) has.
bool doctor_run_with(struct doctor *d, struct arena *a, const struct doctor_group *g,
                     const char *variants, struct doctor_result *out, struct hlx_error *e);

// Element i of a tensor as a word: its bits, extended by zeros.
uint32_t doctor_word(const struct ir_type *t, const void *bytes, size_t i);
// The digest of a tensor: FNV over its elements as words (spec/numerics.md, N2.9).
uint64_t doctor_digest(const struct ir_type *t, const void *bytes);
// The digest of output `name` of a group as the device has it now; for making the table.
bool doctor_measure(struct doctor *d, const struct doctor_group *g, uint64_t *digests,
                    struct hlx_error *e);

// Whether the device is the evaluator, or a Vulkan driver for the CPU.
bool doctor_on_cpu(const struct doctor *d);

// Elapsed time in seconds, for differences.
double doctor_clock(void);

#endif
