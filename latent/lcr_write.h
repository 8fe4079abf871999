// lcr_write.h: the state of LC-R's writer from level 1 on, and the tokens that it writes. Private
// to latent/.
#ifndef HLX_LATENT_LCR_WRITE_H
#define HLX_LATENT_LCR_WRITE_H

#include "latent/lcr_plan.h"

struct writer {
    struct plan *plan;
    struct buf *out;
    unsigned level;
    bool word; // the last token would run into a letter or digit
};

const struct node *writer_node(const struct writer *w, node_id id);

// A mark, or anything else that does not run into what stands before it.
void writer_mark(struct writer *w, const char *mark);
void writer_count(struct writer *w, uint64_t n);
void writer_int(struct writer *w, int64_t i);

// The n-th entry of the dictionary.
void writer_reference(struct writer *w, size_t n);

// A key or a reference to it. `before` is the key before it, and becomes this one.
void writer_key(struct writer *w, node_id id, struct lcr_text *before);

// A value that has no parts, written out. In a list, `before` is the text before it.
void writer_scalar(struct writer *w, const struct node *node, struct lcr_text *before);

#endif
