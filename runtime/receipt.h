// receipt.h: receipts of training runs: made while a run goes on, written, read and checked
// (spec/receipts.md).
#ifndef HLX_RUNTIME_RECEIPT_H
#define HLX_RUNTIME_RECEIPT_H

#include "base/vec.h"
#include "runtime/error.h"
#include "runtime/state.h"

#define RECEIPT_CONTRACT 907
#define RECEIPT_VERSION 1
#define RECEIPT_EVERY 50                   // steps between records, unless the user says otherwise
#define RECEIPT_MOST ((size_t)1 << 30)     // bytes of a file
#define RECEIPT_LAST_STEP (UINT32_MAX - 1) // what may be counted (D2)
#define RECEIPT_PATH 4096                  // bytes of a tensor's path

struct receipt_record {
    uint32_t step;
    uint64_t epoch;
    const struct value *outputs; // object of ints: the scalars' bits by name
    const unsigned char *roots;  // by tensor, HANDLE_BYTES each
    unsigned char link[HANDLE_BYTES];
};

// A receipt in memory; everything lies in `arena`.
struct receipt {
    struct arena *arena;
    const struct value *head; // the object that link 0 is made from
    const struct value *run;  // object: where and when; proves nothing

    // What the head says.
    struct handle program;
    const char *entry, *numerics, *profile;
    uint64_t seed;
    uint32_t shards, every;
    const struct value *data;    // object of handles
    const struct value *tensors; // state_tensors
    unsigned char initial[HANDLE_BYTES];

    unsigned char start[HANDLE_BYTES]; // link 0
    VEC(struct receipt_record) records;
};

// What a head is made from. Texts and values outlive the receipt.
struct receipt_head {
    struct handle program;
    const char *entry, *numerics, *profile;
    uint64_t seed;
    uint32_t shards, every;
    const struct value *data, *tensors;
    const unsigned char *initial; // HANDLE_BYTES
};

// Starts a receipt without records. `run` may be replaced until it is written.
void receipt_start(struct receipt *r, struct arena *a, const struct receipt_head *head);

// Adds the record of a step and its link. The roots are copied.
void receipt_add(struct receipt *r, uint32_t step, uint64_t epoch, const struct value *outputs,
                 const unsigned char *roots);

// The receipt as a contract, in `a`.
const struct value *receipt_value(struct arena *a, const struct receipt *r);
// Writes it to a file, whole or not at all; EXIT_DATA on failure.
bool receipt_write(const struct receipt *r, const char *path, struct hlx_error *error);

// Reads and checks what a receipt states by itself: D2 and D3 but for the last two rows. `name` is
// for messages, which begin with the reason's code. On failure returns false with EXIT_DATA.
bool receipt_read(struct receipt *r, struct arena *a, const void *bytes, size_t n, const char *name,
                  struct hlx_error *error);
bool receipt_open(struct receipt *r, struct arena *a, const char *path, struct hlx_error *error);

// The last link: the receipt's seal.
const unsigned char *receipt_seal(const struct receipt *r);
// The record of a step, or NULL.
const struct receipt_record *receipt_at(const struct receipt *r, uint32_t step);

// The link after `link` when a step with these contents follows (D2.2).
void receipt_link(const struct receipt *r, const struct receipt_record *record,
                  const unsigned char link[HANDLE_BYTES], unsigned char out[HANDLE_BYTES]);

// Paths, dtypes and extents of a `tensors` array are right: NULL, or what is wrong.
const char *receipt_bad_tensors(const struct value *tensors);

#endif
