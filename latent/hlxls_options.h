// hlxls_options.h: the command line of hlxls: its commands, and what each can be asked for.
#ifndef HLX_LATENT_HLXLS_OPTIONS_H
#define HLX_LATENT_HLXLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/vec.h"

typedef VEC(const char *) hlxls_words;

struct hlxls_options {
    const char *command;
    const char *store;     // --store, or the default
    const char *from, *to; // forms, or NULL
    unsigned level;
    const char *output; // "-" is standard output
    hlxls_words names;  // --name, in order
    hlxls_words bind;   // NAME=HANDLE
    hlxls_words drop;
    const char *restore;
    uint64_t grace; // seconds
    unsigned depth;
    const char *tokens; // the script that counts them, or NULL
    bool depth_given, json, list, repair, dry_run, all, bind_all, full;
    enum diag_format diagnostics;
    enum diag_color color;
    char **operand;
    int noperands;
};

// Reads a command line. Returns -1 when there is work to do, else the exit code (after saying why).
int hlxls_options_read(struct hlxls_options *o, struct arena *a, int argc, char **argv);

#endif
