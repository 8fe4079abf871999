// codec.h: the table of all forms that a value can be written in, for tools that convert.
#ifndef HLX_LATENT_CODEC_H
#define HLX_LATENT_CODEC_H

#include "base/diag.h"
#include "latent/sink.h"
#include "latent/value.h"

struct codec {
    const char *name;    // "lcb", "lct", "lcr", "json"
    const char *summary; // for --help
    bool text;           // errors have a line and a column; otherwise a byte offset
    unsigned max_level;  // levels are 0 to this
    // Writes a valid value of depth 64 at most. A text has no line end.
    void (*encode)(const struct value *v, unsigned level, struct sink *out);
    // Reads exactly n bytes. The value may point into them (see lcb_decode_in_place), so they have
    // to outlive it. NULL: *error says what is wrong.
    const struct value *(*decode)(struct arena *a, const char *bytes, size_t n,
                                  struct latent_error *error);
};

// All codecs, NULL name last.
extern const struct codec codecs[];

// The codec of a name, or NULL.
const struct codec *codec_find(const char *name);

// The codec that the first bytes of an input look like: LC-B by its tag, LC-R by a rune, LC-T by
// its first token, else JSON. Decoding decides whether it is.
const struct codec *codec_guess(const char *bytes, size_t n);

// Makes a diagnostic of what a decoder refused. For a text, `file` is its number in d->sources, and
// the diagnostic points at the place; LC-B has no lines, so the sentence tells the byte.
void codec_report(const struct codec *c, uint32_t file, const struct latent_error *error,
                  struct diags *d);

#endif
