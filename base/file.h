// file.h: whole files in, whole files out, with errors as sentences.
#ifndef HLX_BASE_FILE_H
#define HLX_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

// Reads a file ("-" is stdin) into malloc'ed memory with a NUL after it. On failure returns NULL
// and stores a sentence in *error (arena): "cannot read `x`: No such file or directory".
// errno is then ENOMEM where memory ran out, else 0.
// Directories and files above `limit` bytes (0: 4 GiB - 1) are errors.
char *file_read(struct arena *a, const char *path, size_t limit, size_t *len, const char **error);

// Writes a new file beside `path`, fsyncs it and renames it over `path` ("-" is stdout). Symbolic
// links stay, also one that led nowhere; devices and pipes are written to. On failure the old file
// is untouched and *error says why.
bool file_write(struct arena *a, const char *path, const void *bytes, size_t len,
                const char **error);
// Why file_write would fail, as far as it can be known without touching anything; NULL when nothing
// stands against it.
const char *file_unwritable(struct arena *a, const char *path);
// Whether what is written there follows what was written before, as in "-", a pipe, a terminal.
bool file_is_stream(const char *path);
// The path that file_write replaces: `path` after all symbolic links in its last part.
const char *file_target(struct arena *a, const char *path);

// Which file it is, whatever it is called. One that is not there yet is told by its folder and
// name.
struct file_id {
    uint64_t device, inode;
    const char *name; // of a file that is not there, else NULL
};

// False for what is no regular file and would not become one: a device, a pipe, "-", a file in a
// folder that is not there.
bool file_id(struct arena *a, const char *path, struct file_id *out);
bool file_id_open(int fd, struct file_id *out);
bool file_id_equal(const struct file_id *x, const struct file_id *y);

// The folder part of a path ("." when there is none), and a path joined to a folder (absolute
// `path` stays as it is).
const char *path_dir(struct arena *a, const char *path);
const char *path_join(struct arena *a, const char *dir, const char *path);
// Lexically removes "." and ".." and doubled slashes.
const char *path_clean(struct arena *a, const char *path);

#endif
