// lcr_plan.h: what occurs more than once in a value, and what of it becomes a dictionary entry.
// Private to latent/.
#ifndef HLX_LATENT_LCR_PLAN_H
#define HLX_LATENT_LCR_PLAN_H

#include "base/map.h"
#include "base/vec.h"
#include "latent/lcr_kit.h"

typedef uint32_t node_id;

enum { NODE_SHAPE = VALUE_HANDLE + 1 }; // the keys of objects, in order

// One of the different parts of a value, however often it occurs. Children have smaller numbers.
struct node {
    unsigned kind;         // enum value_kind, or NODE_SHAPE
    const struct value *v; // NULL for a shape
    const node_id *child;  // items, values of fields, or the texts of keys
    size_t n;
    node_id shape;    // of an object, or of the rows of a table
    size_t uses;      // by different parents, as a value
    size_t key_uses;  // of a text: in shapes and objects that spell their keys
    size_t length;    // estimate of its characters
    uint64_t weight;  // what a decoder builds (L8.5)
    bool entry;       // has a place in the dictionary
    bool placed;      // ... which has been given out
    bool table;       // an array that is written as a table
    bool columns;     // ... by column
    size_t reference; // the entry's number
};

struct plan {
    struct arena *arena;
    unsigned level;
    struct map index;       // from a node's content to its id + 1
    VEC(struct node) nodes; // children first
    VEC(node_id) stack;
    VEC(node_id) entries;             // in the order of the dictionary
    struct map phrases;               // from a piece of text to its number, at LCR_PHRASES
    size_t longest;                   // words in a phrase
    VEC(struct lcr_text) phrase_list; // in order
    node_id root;
    uint64_t weight; // of the root and all entries together
};

// Plans how a value is written at a level from LCR_BARE on.
void plan_make(struct plan *p, struct arena *a, const struct value *v, unsigned level);

// Chooses the phrases of the texts that are written out (lcr_phrase.c).
void plan_phrases(struct plan *p);
// The length of the word at the beginning of a text: letters, digits, or one other character.
size_t phrase_word(const char *s, size_t n);

// Whether an array holds nothing but ints.
bool plan_all_ints(const struct plan *p, const node_id *item, size_t n);

#endif
