// dispatch_kit.h: what the files of the dispatch table's codec share: the reader's state, numbers
// out of lists, shader objects. Private to dispatch_*.c.
#ifndef HLX_RUNTIME_DISPATCH_KIT_H
#define HLX_RUNTIME_DISPATCH_KIT_H

#include "runtime/dispatch.h"

// Where the reader is, for messages, and what it has so far.
struct dispatch_reader {
    struct arena *arena;
    const struct pack *pack;
    struct latent_error *error;
    struct dispatch_program *program;
    const struct dispatch_entry *entry; // being read, or NULL
    const char *label;                  // of the step being read, or NULL
    size_t accesses;                    // bindings of all calls so far
};

// A list of numbers that is read from the front.
struct dispatch_cursor {
    const struct value *list;
    size_t at;
};

// Fills the error with where the reader is and what is wrong there; returns false.
bool dispatch_bad(struct dispatch_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The field of an object, of a kind; NULL and the error when it is missing or of another kind.
const struct value *dispatch_field(struct dispatch_reader *r, const struct value *object,
                                   const char *name, enum value_kind kind);
// Takes the next number, which must be there and lie in 0 .. max.
bool dispatch_take(struct dispatch_reader *r, struct dispatch_cursor *c, const char *what,
                   uint64_t max, uint64_t *out);

// Reads the kernels and their shader objects.
bool dispatch_read_kernels(struct dispatch_reader *r, const struct value *list);

// The object of a shader (contract 900).
const struct value *dispatch_shader(struct arena *a, const struct dispatch_kernel *k);

// Sizes of an arena's segments as an entry sees them, and how many there are.
const uint64_t *dispatch_segments(const struct dispatch_program *p, const struct dispatch_entry *e,
                                  enum dispatch_arena arena, size_t *n);

#endif
