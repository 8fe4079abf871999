// lct.h: LC-T, values as ASCII tokens (contract 801), such as [OBJ_START, FIELD_1, INT(5),
// OBJ_END].
#ifndef HLX_LATENT_LCT_H
#define HLX_LATENT_LCT_H

#include "latent/sink.h"
#include "latent/value.h"

// Appends the one text of a valid value (see value_validate; the depth is asserted), in one line
// without a line end.
void lct_encode(const struct value *v, struct sink *out);

// Decodes exactly n bytes. White space between tokens is free; everything else must be as
// lct_encode writes it (spec/latent.md, L7). Returns NULL and fills *error (which may be NULL) on
// bad input, with the offset and the width of what is wrong.
const struct value *lct_decode(struct arena *a, const char *text, size_t n,
                               struct latent_error *error);

#endif
