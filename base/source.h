// source.h: source texts, byte spans in them, and lines and columns computed only when printing.
#ifndef HLX_BASE_SOURCE_H
#define HLX_BASE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

// A span of bytes in one source. file 0 means "no place". Compared and copied by value.
struct span {
    uint32_t file;       // 1-based index into struct sources
    uint32_t start, end; // byte offsets, end exclusive
};

struct source {
    const char *name;    // as it is to be shown: the path the user typed, or "stdlib/nn.hlxl"
    const char *text;    // NUL-terminated
    size_t len;          // below 4 GiB
    VEC(uint32_t) lines; // byte offset of each line's first byte
};

struct sources {
    struct arena *arena;
    VEC(struct source) list;
};

struct place {
    const char *name;
    unsigned line, col;    // 1-based; col counts display columns, tabs to multiples of 8
    unsigned byte_col;     // 1-based byte in the line
    const char *line_text; // not NUL-terminated
    size_t line_len;       // without the line end
};

void sources_init(struct sources *s, struct arena *a);

// Adds a text (copied) under a name. Returns its 1-based file number.
uint32_t sources_add(struct sources *s, const char *name, const char *text, size_t len);
// The same without a copy: the text ends in a NUL and outlives `s`.
uint32_t sources_lend(struct sources *s, const char *name, const char *text, size_t len);
// Gives a file (which must be there) another name and text.
void sources_replace(struct sources *s, uint32_t file, const char *name, const char *text,
                     size_t len);
const struct source *sources_get(const struct sources *s, uint32_t file);

// The place of a byte offset. file must be valid.
struct place source_place(const struct sources *s, uint32_t file, uint32_t offset);

// The smallest span that covers both. Where one has no place it is the other; where they are in
// different files it is `a`.
struct span span_join(struct span a, struct span b);

#endif
