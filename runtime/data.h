// data.h: data sources decoded into samples (spec/language.md, section "Data").
#ifndef HLX_RUNTIME_DATA_H
#define HLX_RUNTIME_DATA_H

#include "runtime/program.h"

struct data_field {
    const char *name;
    ir_typeid type; // of one sample
    size_t bytes;   // of one sample, in storage form
};

// The samples of one source. Field `i` of sample `k` is read with data_read.
struct data_set {
    const struct ir_data *data; // outlives this
    const struct ir_module *module;
    size_t n; // samples
    struct data_field *field;
    size_t nfields;
    const struct data_kind *kind;
    void *state; // the kind's own
};

// Decodes `content` (BYTES of a file, or the object of a table) as the source says. `shown` names
// it in messages ("corpus.jsonl"). The content must outlive the set. On failure returns false and
// fills *error (EXIT_DATA): what is wrong, with the line or sample where it is.
bool data_open(struct data_set *s, const struct ir_module *m, const struct ir_data *d,
               const struct value *content, const char *shown, struct hlx_error *error);
void data_close(struct data_set *s);

// Writes one field of one sample, in storage form.
void data_read(const struct data_set *s, size_t sample, size_t field, void *to);

// The index of a field, or -1.
int data_find(const struct data_set *s, const char *name);

// -- private to data*.c
// ----------------------------------------------------------------------------

struct data_input {
    const struct value *source; // options
    const struct value *content;
    const char *shown;
};

struct data_kind {
    const char *name;
    bool (*open)(struct data_set *s, const struct data_input *in, struct hlx_error *error);
    void (*read)(const struct data_set *s, size_t sample, size_t field, void *to);
    void (*close)(struct data_set *s); // after a failed open, too
};

extern const struct data_kind data_jsonl, data_text, data_table, data_idx;

// A file's bytes, unpacked where they are gzip. Free with free(). NULL and *error on failure.
unsigned char *data_bytes(const struct data_input *in, size_t *n, struct hlx_error *error);

// What jsonl and text have in common: fields x and y, i32[seq] each, y one token behind x.
struct data_tokens {
    bool ascii; // tokens above 127 are refused
    size_t seq;
    int x, y; // fields
};
bool data_tokens_open(const struct data_set *s, const struct data_input *in,
                      struct data_tokens *out, struct hlx_error *error);
// Writes field x or y of a sample whose tokens are n bytes at `at`; what is missing is 0.
void data_tokens_read(const struct data_tokens *t, const unsigned char *at, size_t n, size_t field,
                      void *to);

#endif
