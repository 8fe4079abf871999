// lcb.h: LC-B, the canonical binary encoding (contract 800). One value, one encoding.
#ifndef HLX_LATENT_LCB_H
#define HLX_LATENT_LCB_H

#include "latent/sink.h"
#include "latent/value.h"

enum lcb_tag {
    LCB_NULL,
    LCB_INT,       // SLEB128
    LCB_FLOAT,     // 8 bytes, big-endian
    LCB_TEXT,      // length, UTF-8
    LCB_BYTES,     // length, bytes
    LCB_ARR_START, // count, values, LCB_ARR_END
    LCB_ARR_END,
    LCB_OBJ_START, // count, (key length, key, value)*, LCB_OBJ_END
    LCB_OBJ_END,
    LCB_HANDLE_REF, // length, "&h_..."
    LCB_TRUE,
    LCB_FALSE,
    LCB_TAGS // how many there are
};

// Appends the encoding of a valid value (see value_validate; the depth is asserted).
void lcb_encode(const struct value *v, struct buf *out);
// The same into a sink, which gets large BYTES without a copy.
void lcb_write(const struct value *v, struct sink *out);
// How long the encoding is, in bytes.
size_t lcb_size(const struct value *v);

// Decodes exactly n bytes into the arena. Strict: refuses everything that lcb_encode would not
// write (see spec/latent.md) and never allocates on the word of a length field. Returns NULL and
// fills *error (which may be NULL) on bad input.
const struct value *lcb_decode(struct arena *a, const void *bytes, size_t n,
                               struct latent_error *error);
// The same, but BYTES are not copied: they point into the input, which has to outlive the value.
const struct value *lcb_decode_in_place(struct arena *a, const void *bytes, size_t n,
                                        struct latent_error *error);

#endif
