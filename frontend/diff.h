// diff.h: the difference of two texts, as `diff -u` prints it.
#ifndef HLX_FRONTEND_DIFF_H
#define HLX_FRONTEND_DIFF_H

#include <stdbool.h>

#include "base/text.h"

// Appends a unified diff with three lines of context, headed by the names. Nothing for equal texts.
void diff_unified(const char *old_name, const char *new_name, const char *old_text, size_t old_len,
                  const char *new_text, size_t new_len, bool color, struct buf *out);

#endif
