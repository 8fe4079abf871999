// run_files.c: which files a run reads and writes, and that they are as many as there are names.
#include "runtime/run_files.h"

#include <string.h>
#include <unistd.h>

static void note(struct run_files *f, struct run_file file)
{
    if (!file.path)
        return;
    file.known = file_id(f->arena, file.path, &file.id);
    vec_push(f->arena, &f->list, file);
}

void run_files_read(struct run_files *f, const char *what, const char *path)
{
    note(f, (struct run_file){.what = what, .path = path});
}

void run_files_open(struct run_files *f, const char *what, const char *path)
{
    note(f, (struct run_file){.what = what, .path = path, .written = true});
}

void run_files_write(struct run_files *f, const char *what, const char *path)
{
    note(f, (struct run_file){.what = what, .path = path, .written = true, .replaced = true});
}

// -- the files of a program ----------------------------------------------------------------------

// A data source's file, or its two files, as the session reads them. Where there is no such file
// there is none to be kept.
static void note_data(struct run_files *f, const char *what, const char *dir, const char *paths)
{
    struct file_id id;
    size_t n = strcspn(paths, strchr(paths, '\n') ? "\n" : ",");
    const char *whole = path_join(f->arena, dir, paths);
    if (!paths[n] || (file_id(f->arena, whole, &id) && !id.name)) {
        run_files_read(f, what, whole);
        return;
    }
    run_files_read(f, what, path_join(f->arena, dir, arena_copy(f->arena, paths, n)));
    run_files_read(f, what, path_join(f->arena, dir, paths + n + 1));
}

void run_files_session(struct run_files *f, struct session *s)
{
    const struct ir_module *m = &s->program.module;
    run_files_read(f, "the program", s->path);
    for (size_t i = 0; i < s->nfiles; i++)
        note_data(f, "a file of data", ".", s->file[i].path);
    for (size_t i = 0; i < m->data.n; i++) {
        const char *hint = program_hint(&s->program, &m->data.at[i]);
        const char *what = arena_printf(f->arena, "the data `%s`", m->data.at[i].name);
        if (!hint)
            continue;
        note_data(f, what, path_dir(f->arena, s->path), hint);
        note_data(f, what, ".", hint);
    }
}

// -- checking ------------------------------------------------------------------------------------

static bool same(const struct run_file *x, const struct run_file *y)
{
    return x->known && y->known && file_id_equal(&x->id, &y->id);
}

// That two files are not one, where at least one of them is written.
static bool check_pair(const struct run_file *x, const struct run_file *y, struct hlx_error *error)
{
    const struct run_file *out = x->written ? x : y, *other = x->written ? y : x;
    if ((!x->written && !y->written) || !same(x, y))
        return true;
    if (other->written)
        return hlx_fail(error, EXIT_USAGE, "%s and %s would be one file, `%s`", x->what, y->what,
                        x->path);
    return hlx_fail(error, EXIT_USAGE, "%s would be written over %s, `%s`", out->what, other->what,
                    other->path);
}

static bool check_pairs(const struct run_files *f, struct hlx_error *error)
{
    for (size_t k = 1; k < f->list.n; k++)
        for (size_t i = 0; i < k; i++)
            if (!check_pair(&f->list.at[i], &f->list.at[k], error))
                return false;
    return true;
}

// What is printed goes somewhere, too.
static void note_standard_output(struct run_files *f)
{
    struct run_file file = {.what = "the standard output", .path = "-", .written = true};
    file.known = file_id_open(STDOUT_FILENO, &file.id);
    vec_push(f->arena, &f->list, file);
}

bool run_files_check(struct run_files *f, struct hlx_error *error)
{
    note_standard_output(f);
    if (!check_pairs(f, error))
        return false;
    for (size_t i = 0; i < f->list.n; i++) {
        const struct run_file *out = &f->list.at[i];
        const char *why = out->replaced ? file_unwritable(f->arena, out->path) : NULL;
        if (why)
            return hlx_fail(error, EXIT_DATA, "cannot write %s `%s`: %s", out->what, out->path,
                            why);
    }
    return true;
}
