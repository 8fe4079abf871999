// run_files.h: the files that a run reads and writes: none is written over another.
#ifndef HLX_RUNTIME_RUN_FILES_H
#define HLX_RUNTIME_RUN_FILES_H

#include "base/file.h"
#include "base/vec.h"
#include "runtime/session.h"

struct run_file {
    const char *what; // "the program", "the receipt"
    const char *path;
    bool written;
    bool replaced; // by a new file, when the run has something to write
    bool known;    // it has an identity; devices and pipes have none and are like no other
    struct file_id id;
};

// Everything lies in the arena.
struct run_files {
    struct arena *arena;
    VEC(struct run_file) list;
};

// Notes a file that is read; one that is opened before the run, to be written as it goes; and one
// that is written with file_write. A path NULL is none.
void run_files_read(struct run_files *f, const char *what, const char *path);
void run_files_open(struct run_files *f, const char *what, const char *path);
void run_files_write(struct run_files *f, const char *what, const char *path);
// Notes the program and all files that its data may come from: those given and those it names.
void run_files_session(struct run_files *f, struct session *s);

// Fails with EXIT_USAGE when a file that is to be written is read, too, or asked for twice, or is
// where the standard output goes; with EXIT_DATA when file_write could not write it. Touches
// nothing.
bool run_files_check(struct run_files *f, struct hlx_error *error);

#endif
