// file.h: whole files in, whole files out, with errors as sentences.
#ifndef HLX_BASE_FILE_H
#define HLX_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

// Reads a file ("-" is stdin) into malloc'ed memory with a NUL after it. On failure returns NULL
// and stores a sentence in *error (arena): "cannot read `x`: No such file or directory".
// errno is then ENOMEM where memory ran out, else 0.
// Directories and files above `limit` bytes (0: 4 GiB - 1) are errors.
char *file_read(struct arena *a, const char *path, size_t limit, size_t *len, const char **error);

// Writes a new file beside `path`, fsyncs it and renames it over `path` ("-" is stdout). On failure
// the old file is untouched and *error says why.
bool file_write(struct arena *a, const char *path, const void *bytes, size_t len,
                const char **error);

// The folder part of a path ("." when there is none), and a path joined to a folder (absolute
// `path` stays as it is).
const char *path_dir(struct arena *a, const char *path);
const char *path_join(struct arena *a, const char *dir, const char *path);
// Lexically removes "." and ".." and doubled slashes.
const char *path_clean(struct arena *a, const char *path);

#endif
