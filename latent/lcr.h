// lcr.h: LC-R, values in runes, in 13 collapse levels from plain (0) to densest (12).
#ifndef HLX_LATENT_LCR_H
#define HLX_LATENT_LCR_H

#include "latent/sink.h"
#include "latent/value.h"

enum { LCR_MAX_LEVEL = 12 };

// Appends the text of a valid value (see value_validate; the depth is asserted) at a level, in one
// line without a line end. The same value and level give the same text. A text so much shorter
// than its value that a decoder would refuse it (spec/latent.md, L8.5) is written at the highest
// level below that fits.
void lcr_encode(const struct value *v, unsigned level, struct sink *out);

// Decodes exactly n bytes of any level. What the text makes by references, repetition and
// sequences is bounded by its length (L8.5). Returns NULL and fills *error (which may be NULL) on
// bad input, with the offset and the width of what is wrong.
const struct value *lcr_decode(struct arena *a, const char *text, size_t n,
                               struct latent_error *error);

#endif
