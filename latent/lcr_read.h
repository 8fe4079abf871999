// lcr_read.h: the state of LC-R's reader from level 1 on, and the parts that values are made of.
// Private to latent/.
#ifndef HLX_LATENT_LCR_READ_H
#define HLX_LATENT_LCR_READ_H

#include "base/vec.h"
#include "latent/lcr_kit.h"

struct entry {
    const struct value *v;           // NULL: a shape
    const struct value_field *field; // of a shape, the keys
    size_t n;
    size_t weight;
};

struct collapsed {
    struct reader *r;
    unsigned level;
    size_t left;   // of the budget
    size_t weight; // of the value or shape read last
    VEC(struct entry) entries;
    VEC(struct lcr_text) phrases;
    VEC(const struct value *) items; // of the arrays and tables that are open
    VEC(struct value_field) fields;  // of the objects and shapes that are open
};

// Skips white space, and a mark that exists from a level on.
bool collapsed_take(struct collapsed *d, unsigned level, const char *mark);

// Charges what is built without standing in the text: `times` pieces of a weight.
bool collapsed_spend(struct collapsed *d, const char *from, uint64_t times, size_t weight);

// Reads a text after its quote, or after the mark of a shared beginning, as a value.
const struct value *collapsed_text(struct collapsed *d, bool shared, struct lcr_text *before);

// A reference, when there is one at the cursor. *found is NULL when there is none.
bool collapsed_reference(struct collapsed *d, const struct entry **found);

// Whether a count begins at the cursor (from LCR_NUMBERS on).
bool collapsed_at_count(const struct reader *r);

// Reads a key and puts it on the stack of fields, in its order. Its weight is added to *weight.
bool collapsed_key(struct collapsed *d, size_t base, struct lcr_text *before, size_t *weight);

// The keys of a shape up to its mark; the first mark has been read.
bool collapsed_shape(struct collapsed *d, struct entry *out);

// The phrases, up to the mark of the dictionary.
bool collapsed_phrases(struct collapsed *d);

#endif
