// sink.h: where an encoder writes to: a buffer that grows, or a function that takes pieces.
#ifndef HLX_LATENT_SINK_H
#define HLX_LATENT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

// Takes n bytes; false says that it cannot, and nothing more is sent.
typedef bool sink_write(void *ctx, const void *bytes, size_t n);

// With `write`, what is appended to `buf` goes there a piece at a time, and large bytes go there
// without being copied. Without it everything stays in `buf`, which the caller frees. Start with
// {0} or with {.write = f, .ctx = c}.
struct sink {
    struct buf buf;
    sink_write *write;
    void *ctx;
    bool failed;
};

enum { SINK_PIECE = 32 << 10 }; // what a sink with `write` gathers before it hands it over

// Hands over what has been gathered when that is a piece or more. Encoders call it after every
// value that they append to `buf`.
void sink_turn(struct sink *s);

// Appends bytes that may be large.
void sink_put(struct sink *s, const void *bytes, size_t n);

// Appends bytes as lower-case hexadecimal digits, two each.
void sink_hex(struct sink *s, const void *bytes, size_t n);

// Hands over the rest and frees `buf`; without `write` it does nothing. False when `write` ever
// was.
bool sink_close(struct sink *s);

#endif
