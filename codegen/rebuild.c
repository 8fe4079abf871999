// rebuild.c: makes the kernels of a compiled program anew, and compares.
#include "codegen/rebuild.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/hbin.h"
#include "codegen/plan.h"
#include "codegen/rebuild_diff.h"

enum { BEGINNING = 4 }; // bytes of the magic that a transfer as text leaves alone

bool rebuild_is_program(const char *path)
{
    char first[BEGINNING];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = fd < 0 ? 0 : read(fd, first, sizeof first);
    if (fd >= 0)
        close(fd);
    return n > 0 && memcmp(first, PACK_MAGIC, (size_t)n) == 0;
}

// -- places --------------------------------------------------------------------------------------

enum { LONGEST_SOURCES = 64 << 20 }; // bytes: what a .hbin says of its sources costs it nothing

static bool lengths_ok(const struct program *p)
{
    uint64_t all = 0;
    for (size_t i = 0; i < p->nfiles; i++)
        all += p->file[i].length;
    return all <= LONGEST_SOURCES;
}

static void add_file(struct arena *a, struct sources *out, const struct program_file *f)
{
    char *text = arena_alloc(a, (size_t)f->length + 1);
    memset(text, ' ', f->length);
    text[f->length] = '\0';
    for (size_t i = 1; i < f->nlines; i++)
        if (f->line[i] > 0)
            text[f->line[i] - 1] = '\n';
    sources_lend(out, f->name, text, f->length);
}

// File names in a .hbin are relative to the main file, which need not be among those named: one of
// no name comes first.
bool rebuild_sources(struct arena *a, struct program *p, struct sources *out, const char **error)
{
    *error = "the source files that it names are too long for -g";
    if (!lengths_ok(p))
        return false;
    sources_init(out, a);
    sources_lend(out, "", "", 0);
    for (size_t i = 0; i < p->nfiles; i++)
        add_file(a, out, &p->file[i]);
    for (size_t i = 0; i < p->module.locs.n; i++)
        p->module.locs.at[i].file += p->module.locs.at[i].file > 0;
    return true;
}

// -- comparing -----------------------------------------------------------------------------------

// A program made in one way, from the bytes of another: planning adds to the module.
struct attempt {
    struct program program;
    struct arena arena;
    struct buf bytes;
};

// Returns whether the bytes are those of `p`; otherwise *why is where the tables differ.
static bool attempt(struct attempt *t, const struct program *p, const struct rebuild_how *how,
                    struct rebuild_difference *why)
{
    struct sources sources;
    const char *refused = NULL;
    struct hlx_error error;
    if (!program_open_bytes(&t->program, p->bytes, p->n, &error)) { // which was opened before
        why->text = arena_strdup(&t->arena, error.text);
        return false;
    }
    if (how->lines && !rebuild_sources(&t->arena, &t->program, &sources, &why->text))
        return false;
    const struct dispatch_program *device = plan_program(
        &t->arena, &t->program.module, how->lines ? &sources : NULL, how->fuse, &refused);
    hbin_rewrite(&t->arena, &t->program, device, &t->bytes);
    if (t->bytes.n == p->n && !memcmp(t->bytes.at, p->bytes, p->n))
        return true;
    if (rebuild_diff(&t->arena, p->dispatch, device, why))
        why->text = "its table of kernels is not written as this hlxc writes it";
    return false;
}

static bool later(const struct rebuild_difference *x, const struct rebuild_difference *y)
{
    return x->entry != y->entry ? x->entry > y->entry : x->step > y->step;
}

const char *rebuild_compare(struct arena *a, const struct program *p, const struct rebuild_how *how,
                            size_t n, size_t *same)
{
    struct rebuild_difference last = {0};
    for (*same = 0; *same < n; ++*same) {
        struct rebuild_difference d = {0};
        struct attempt t = {0};
        bool equal = attempt(&t, p, &how[*same], &d);
        if (!equal && (!last.text || later(&d, &last))) {
            last = d;
            last.text = arena_strdup(a, d.text);
        }
        program_close(&t.program);
        buf_free(&t.bytes);
        arena_free(&t.arena);
        if (equal)
            return NULL;
    }
    return last.text;
}
