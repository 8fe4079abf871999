// handle.h: content addresses. A handle is "&h_" and the SHA-256 of a value's LC-B bytes in hex.
#ifndef HLX_LATENT_HANDLE_H
#define HLX_LATENT_HANDLE_H

#include "latent/value.h"

#define HANDLE_BYTES 32
#define HANDLE_TEXT 67 // "&h_" + 64, without NUL

struct handle {
    unsigned char sha[HANDLE_BYTES];
};

// Streaming SHA-256 (libcrypto). sha256_final frees the state.
struct sha256;
struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *h, const void *bytes, size_t n);
void sha256_final(struct sha256 *h, unsigned char out[HANDLE_BYTES]);
void sha256_of(const void *bytes, size_t n, unsigned char out[HANDLE_BYTES]);

struct handle handle_of_bytes(const void *lcb, size_t n);
struct handle handle_of(const struct value *v);
bool handle_equal(const struct handle *a, const struct handle *b);

// Writes "&h_" + 64 hex digits + NUL.
void handle_text(const struct handle *h, char out[HANDLE_TEXT + 1]);
// Reads a full handle's text; false for named or short handles.
bool handle_parse(const char *text, size_t n, struct handle *out);

// A handle value that refers to v.
const struct value *handle_value(struct arena *a, const struct handle *h);

#endif
