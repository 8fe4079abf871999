// hlxls_tokens.h: counts the tokens of a language model, by a script that knows its vocabulary.
#ifndef HLX_LATENT_HLXLS_TOKENS_H
#define HLX_LATENT_HLXLS_TOKENS_H

#include "latent/hlxls_io.h"

// Runs `node SCRIPT FILE...` over the texts and reads its table, as tools/tokens.js prints it: a
// heading, then a line a file that ends with the tokens of o200k_base and of cl100k_base. out[i] is
// the former. False after saying what went wrong.
bool hlxls_tokens(struct hlxls *t, const char *script, const struct buf *texts, size_t n,
                  long *out);

#endif
