// diag.h: diagnostics for people. Every message of hlxc, hlxfmt and hlxls about a user's text goes
// through here.
//
//     model.hlxl:7:13: error[HLX0401]: shapes do not match in `+`: f32[4, 16] and f32[8]
//        7 |     let y = x + bias;
//          |             ^^^^^^^^ 16 against 8 in the last dimension
//       = note: called from model.hlxl:20:9
//       = help: ...
//
// Usage: diag_error(...) starts a diagnostic and returns it; diag_label, diag_note, diag_help add
// to it. Diagnostics are kept and printed by diags_print, sorted by nothing: the order they were
// found in is the order of reading. At most `limit` errors (20) and as many warnings are
// kept; later ones are counted.
#ifndef HLX_BASE_DIAG_H
#define HLX_BASE_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/source.h"
#include "base/text.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };
enum diag_format { DIAG_TEXT, DIAG_SHORT, DIAG_JSON };
enum diag_color { DIAG_COLOR_AUTO, DIAG_COLOR_ALWAYS, DIAG_COLOR_NEVER };

enum diag_part_kind { DIAG_LABEL, DIAG_NOTE, DIAG_HELP };

struct diag_part {
    enum diag_part_kind kind;
    struct span span; // file 0: no place
    const char *text;
};

struct diag {
    enum diag_level level;
    const char *code; // "HLX0401" or a family code such as "E_FLOAT_SPECIAL"
    struct span span;
    const char *text;
    const char *label; // text after the carets, or NULL
    VEC(struct diag_part) parts;
    struct arena *arena; // where texts are kept
};

struct diags {
    struct arena *arena;
    const struct sources *sources;
    VEC(struct diag *) list;
    unsigned errors, warnings;
    unsigned limit;   // of errors kept, and of warnings
    struct diag sink; // what is returned once the limit is reached
};

void diags_init(struct diags *d, struct arena *a, const struct sources *sources);

// Starts an error (or warning) at a span. `code` must outlive d. Never returns NULL.
struct diag *diag_error(struct diags *d, struct span at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
struct diag *diag_warning(struct diags *d, struct span at, const char *code, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

// The text after the carets of the main span.
void diag_caret(struct diag *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A second place with its own snippet.
void diag_label(struct diag *g, struct span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A note without (file 0) or with a place (printed as file:line:col, no snippet).
void diag_note(struct diag *g, struct span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_help(struct diag *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

// True once no further error would be kept: phases stop.
bool diags_full(const struct diags *d);

// Renders all diagnostics, and a last line with the counts in DIAG_TEXT. JSON is one object a line.
void diags_render(const struct diags *d, enum diag_format format, bool color, struct buf *out);

// diags_render to a stream; resolves DIAG_COLOR_AUTO by NO_COLOR, CLICOLOR_FORCE, tty and TERM.
void diags_print(const struct diags *d, enum diag_format format, enum diag_color color, FILE *to);

// Whether colour is wanted on a stream: by flag, NO_COLOR, CLICOLOR_FORCE, tty and TERM, in this
// order.
bool diag_use_color(enum diag_color color, FILE *to);

#endif
