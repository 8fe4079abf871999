// program.c: opens a compiled program (.hbin) and answers what it says of data and places.
#include "runtime/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

bool program_handle(const struct value *v, struct handle *out)
{
    return v && v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, out);
}

struct handle program_identity(struct arena *a, const struct handle *ir, const char *numerics,
                               const char *profile)
{
    const struct value_field part[] = {
        {"ir", 2, handle_value(a, ir)},
        {"numerics", 8, value_str(a, numerics)},
        {"profile", 7, value_str(a, profile)},
    };
    return handle_of(value_object(a, part, sizeof part / sizeof *part, NULL));
}

// -- opening -------------------------------------------------------------------------------------

// A program that is checked, and what is wrong with it.
struct checking {
    struct program *program;
    const char *fault;
};

static void check(void *context)
{
    struct checking *c = context;
    c->fault = program_check(c->program);
}

// Takes over `bytes` (malloc). Without a path they came from memory.
static bool open_owned(struct program *p, const char *path, unsigned char *bytes, size_t n,
                       struct hlx_error *error)
{
    struct checking c = {.program = p};
    p->bytes = bytes;
    p->n = n;
    bool ok = hlx_reading(&p->arena, path ? path : "the program", check, &c, error);
    if (ok && !c.fault)
        return true;
    if (ok && path)
        hlx_fail(error, EXIT_DATA, "`%s` is not a program that can be run: %s", path, c.fault);
    else if (ok)
        hlx_fail(error, EXIT_DATA, "this is not a program that can be run: %s", c.fault);
    program_close(p);
    return false;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

bool program_open(struct program *p, const char *path, struct hlx_error *error)
{
    *p = (struct program){0};
    const char *why;
    size_t n;
    char *bytes = file_read(&p->arena, path, 0, &n, &why);
    if (!bytes) {
        hlx_unread(error, path, why);
        program_close(p);
        return false;
    }
    bool pack = n > 0 && bytes[0] == PACK_MAGIC[0]; // with which no text begins
    if (!pack && (ends_with(path, ".hlxl") || ends_with(path, ".hlx"))) {
        hlx_fail(error, EXIT_DATA, "`%s` is source text; compile it first: hlxc %s", path, path);
        free(bytes);
        program_close(p);
        return false;
    }
    return open_owned(p, path, (unsigned char *)bytes, n, error);
}

bool program_open_bytes(struct program *p, const void *bytes, size_t n, struct hlx_error *error)
{
    *p = (struct program){0};
    unsigned char *copy = malloc(n ? n : 1);
    if (!copy)
        return hlx_no_memory(error, "the program");
    if (n > 0)
        memcpy(copy, bytes, n);
    return open_owned(p, NULL, copy, n, error);
}

void program_close(struct program *p)
{
    free(p->bytes);
    arena_free(&p->arena);
    *p = (struct program){0};
}

static const struct value *source_of(const struct program *p, const struct ir_data *d)
{
    return p->data[d - p->module.data.at];
}

const struct value *program_data(struct program *p, const struct ir_data *d)
{
    struct handle h;
    if (!value_get(source_of(p, d), "carried")->as.boolean ||
        !program_handle(value_get(d->source, "content"), &h))
        return NULL;
    return pack_get(&p->arena, &p->pack, &h, NULL);
}

const char *program_hint(const struct program *p, const struct ir_data *d)
{
    const char *hint;
    return value_get_text(source_of(p, d), "hint", &hint) ? hint : NULL;
}

bool program_place(const struct program *p, struct span at, struct program_place *out)
{
    if (at.file < 1 || at.file > p->nfiles)
        return false;
    const struct program_file *f = &p->file[at.file - 1];
    size_t low = 0, high = f->nlines; // the line sought is in [low, high)
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->line[middle] <= at.start)
            low = middle;
        else
            high = middle;
    }
    *out = (struct program_place){f->name, (unsigned)low + 1, at.start - f->line[low] + 1};
    return true;
}
