// session.h: a program opened together with the data its entries ask for.
#ifndef HLX_RUNTIME_SESSION_H
#define HLX_RUNTIME_SESSION_H

#include "runtime/batch.h"

// A file given in the place of a data source: --data [NAME=]FILE.
struct session_file {
    const char *name; // NULL: the only source there is
    const char *path;
};

// Reads "NAME=FILE" or "FILE". What stands before '=' is a name only where one can be spelled so.
struct session_file session_file(struct arena *a, const char *text);

struct session_source {
    bool open;
    bool own;                  // the content is the program's own (equal handles)
    const char *shown;         // where it came from
    const struct value *value; // the content, once it was found
    struct handle content;     // its handle
    struct data_set set;
};

struct session {
    struct program program;
    const char *path; // of the .hbin
    const struct session_file *file;
    size_t nfiles;
    struct session_source *source; // per data source of the module
};

// Opens a program. `files` outlive the session. A file for a source that the program does not have
// fails with EXIT_USAGE.
bool session_open(struct session *s, const char *path, const struct session_file *files, size_t n,
                  struct hlx_error *error);
void session_close(struct session *s);

// The entry of a name; NULL and *error (EXIT_USAGE) with the nearest one when there is none.
const struct ir_entry *session_entry(struct session *s, const char *name, struct hlx_error *error);

// Where the entry's samples come from, found but not decoded: its content's handle is known.
// *out is NULL when the entry asks for none.
bool session_content(struct session *s, const struct ir_entry *entry,
                     const struct session_source **out, struct hlx_error *error);

// The samples an entry asks for, decoded once: from --data, from the program, or from where the
// compiler found them if what is there has not changed. *out is NULL when it asks for none.
bool session_data(struct session *s, const struct ir_entry *entry,
                  const struct session_source **out, struct hlx_error *error);

#endif
