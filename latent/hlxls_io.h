// hlxls_io.h: what the commands of hlxls share: values in, values out, the store, messages.
#ifndef HLX_LATENT_HLXLS_IO_H
#define HLX_LATENT_HLXLS_IO_H

#include "latent/codec.h"
#include "latent/hlxls_options.h"
#include "latent/pack.h"
#include "latent/store.h"

struct hlxls {
    struct arena arena;
    struct hlxls_options options;
    struct store *store; // opened when it is first needed
    int code;            // to exit with
    VEC(char *) inputs;  // malloc'ed; values point into them
};

// A value that an operand named.
struct hlxls_input {
    const char *name; // as it is to be shown
    const struct value *value;
    const struct pack *pack; // the pack whose root the value is, or NULL
    bool stored;             // it came from the store
    struct handle handle;    // of a stored value, and of a pack's root
};

// Prints what is wrong and makes the exit code the gravest so far. Returns false.
bool hlxls_fail(struct hlxls *t, const struct latent_error *error);
bool hlxls_complain(struct hlxls *t, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The store; with `create` it is made. NULL after saying why not.
struct store *hlxls_store(struct hlxls *t, bool create);

// The value of a file ("-" is standard input), in the form that --from says, or `otherwise`; NULL
// there means by its look. A pack gives its root. False after saying why not.
bool hlxls_read_file(struct hlxls *t, const char *path, const char *otherwise,
                     struct hlxls_input *out);
// The value of a file, or of a handle in the store where there is no such file.
bool hlxls_read(struct hlxls *t, const char *operand, struct hlxls_input *out);
// The form that a file's name ends with, or NULL.
const char *hlxls_form_of(const char *path);

// Appends a value in the form --to, `otherwise` where that is not given; a text ends with a line
// end. False after saying why not.
bool hlxls_put(struct hlxls *t, const struct value *v, const char *otherwise, struct buf *out);
// Writes to --output or standard output, all or nothing.
bool hlxls_write(struct hlxls *t, const struct buf *bytes);

#endif
