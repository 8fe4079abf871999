// lcb.h: LC-B, the canonical binary encoding (contract 800). One value, one encoding.
#ifndef HLX_LATENT_LCB_H
#define HLX_LATENT_LCB_H

#include "latent/value.h"

// Appends the encoding of a valid value.
void lcb_encode(const struct value *v, struct buf *out);

// Decodes exactly n bytes into the arena. Strict: refuses everything that lcb_encode would not
// write (see spec/latent.md) and never allocates on the word of a length field. Returns NULL and
// fills *error on bad input.
const struct value *lcb_decode(struct arena *a, const void *bytes, size_t n,
                               struct latent_error *error);

#endif
