// session.c: finds the data of a program: given by the user, carried in it, or where it was.
#include "runtime/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

struct session_file session_file(struct arena *a, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t n = strspn(text, letters);
    if (n > 0 && text[n] == '=')
        return (struct session_file){arena_copy(a, text, n), text + n + 1};
    return (struct session_file){NULL, text};
}

// -- opening -------------------------------------------------------------------------------------

static bool check_file(struct session *s, const struct session_file *f, struct hlx_error *error)
{
    const struct ir_module *m = &s->program.module;
    if (!f->name && m->data.n == 1)
        return true;
    if (!f->name)
        return hlx_fail(error, EXIT_USAGE,
                        "the program has %zu data sources: say which one `%s` is (--data NAME=%s)",
                        m->data.n, f->path, f->path);
    const char **names = arena_array(&s->program.arena, m->data.n, sizeof *names);
    for (size_t i = 0; i < m->data.n; i++) {
        names[i] = m->data.at[i].name;
        if (!strcmp(names[i], f->name))
            return true;
    }
    const char *near = text_nearest(f->name, names, m->data.n);
    return hlx_fail(error, EXIT_USAGE, "the program has no data source `%s`%s%s%s", f->name,
                    near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

bool session_open(struct session *s, const char *path, const struct session_file *files, size_t n,
                  struct hlx_error *error)
{
    *s = (struct session){.path = path, .file = files, .nfiles = n};
    if (!program_open(&s->program, path, error))
        return false;
    s->source = calloc(s->program.module.data.n + 1, sizeof *s->source);
    bool ok = s->source || hlx_no_memory(error, "the data sources");
    for (size_t i = 0; ok && i < n; i++)
        ok = check_file(s, &files[i], error);
    if (!ok)
        session_close(s);
    return ok;
}

void session_close(struct session *s)
{
    for (size_t i = 0; s->source && i < s->program.module.data.n; i++)
        if (s->source[i].open)
            data_close(&s->source[i].set);
    free(s->source);
    program_close(&s->program);
    *s = (struct session){0};
}

// -- entries -------------------------------------------------------------------------------------

const struct ir_entry *session_entry(struct session *s, const char *name, struct hlx_error *error)
{
    const struct ir_module *m = &s->program.module;
    const struct ir_entry *e = ir_find_entry(m, name);
    if (e)
        return e;
    const char **names = arena_array(&s->program.arena, m->entries.n, sizeof *names);
    struct buf list = {0};
    for (size_t i = 0; i < m->entries.n; i++) {
        names[i] = m->entries.at[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = text_nearest(name, names, m->entries.n);
    if (m->entries.n == 0)
        hlx_fail(error, EXIT_USAGE, "`%s` has no entry `%s`: it has none at all", s->path, name);
    else
        hlx_fail(error, EXIT_USAGE, "`%s` has no entry `%s`; it has %s%s%s%s", s->path, name,
                 list.at, near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
    buf_free(&list);
    return NULL;
}

// -- data ----------------------------------------------------------------------------------------

static const struct session_file *file_for(const struct session *s, const struct ir_data *d)
{
    const struct session_file *found = NULL;
    for (size_t i = 0; i < s->nfiles; i++)
        if (!s->file[i].name || !strcmp(s->file[i].name, d->name))
            found = &s->file[i]; // the last one counts, as with other options
    return found;
}

// A file's bytes as a value; NULL and *why when it cannot be read.
static const struct value *read_bytes(struct session *s, const char *dir, const char *path,
                                      const char **why)
{
    struct arena *a = &s->program.arena;
    size_t n;
    char *bytes = file_read(a, path_join(a, dir, path), 0, &n, why);
    if (!bytes && errno == ENOMEM)
        arena_spent(a);
    const struct value *v = bytes ? value_bytes(a, bytes, n) : NULL;
    free(bytes);
    return v;
}

// Images and labels: "IMAGES,LABELS", or with a line end between them as the compiler notes them:
// then a comma is part of a name.
static const struct value *read_pair(struct session *s, const char *dir, const char *paths,
                                     const char **why)
{
    struct arena *a = &s->program.arena;
    size_t n = strcspn(paths, strchr(paths, '\n') ? "\n" : ",");
    *why = "images and labels are two files: IMAGES,LABELS";
    if (!paths[n])
        return NULL;
    const struct value *images = read_bytes(s, dir, arena_copy(a, paths, n), why);
    const struct value *labels = images ? read_bytes(s, dir, paths + n + 1, why) : NULL;
    const struct value_field fields[] = {{"images", 6, images}, {"labels", 6, labels}};
    return labels ? value_object(a, fields, 2, NULL) : NULL;
}

// What a source's file or files hold; paths are relative to `dir`.
static const struct value *read_content(struct session *s, const struct ir_data *d, const char *dir,
                                        const char *paths, const char **why)
{
    const char *kind;
    bool pair = value_get_text(d->source, "kind", &kind) && !strcmp(kind, "idx");
    return pair ? read_pair(s, dir, paths, why) : read_bytes(s, dir, paths, why);
}

// The content that the program was compiled with.
static bool stated_content(const struct ir_data *d, struct handle *out)
{
    const struct value *own = value_get(d->source, "content");
    return own && own->kind == VALUE_HANDLE && handle_parse(own->as.bytes.at, own->as.bytes.n, out);
}

// Notes the handle of what was read, and whether it is the program's own.
static void know_content(struct session_source *to, const struct ir_data *d,
                         const struct value *content)
{
    struct handle stated;
    to->content = handle_of(content);
    to->own = stated_content(d, &stated) && handle_equal(&stated, &to->content);
}

static const struct value *given_content(struct session *s, const struct ir_data *d,
                                         const char *path, struct session_source *to,
                                         struct hlx_error *error)
{
    const char *why;
    const struct value *v = read_content(s, d, ".", path, &why);
    if (!v)
        hlx_fail(error, EXIT_DATA, "%s", why);
    else
        know_content(to, d, v);
    to->shown = path;
    return v;
}

// A hint as it may be shown: on one line, with nothing that cannot be seen.
static const char *shown_hint(struct session *s, const char *hint)
{
    char *line = arena_strdup(&s->program.arena, hint);
    for (char *p = line; *p; p++)
        if (*p == '\n')
            *p = ',';
    struct buf clean = {0};
    buf_visible(&clean, line, strlen(line));
    const char *text = arena_copy(&s->program.arena, clean.at ? clean.at : "", clean.n);
    buf_free(&clean);
    return text;
}

// Looks where the compiler found the file: beside the .hbin, then as it was written.
static const struct value *hinted_content(struct session *s, const struct ir_data *d,
                                          struct session_source *to, struct hlx_error *error)
{
    const char *hint = program_hint(&s->program, d), *why;
    const char *dir = path_dir(&s->program.arena, s->path);
    const struct value *v = hint ? read_content(s, d, dir, hint, &why) : NULL;
    if (hint && !v)
        v = read_content(s, d, ".", hint, &why);
    to->shown = hint ? shown_hint(s, hint) : d->name;
    if (v)
        know_content(to, d, v);
    if (v && to->own)
        return v;
    if (v)
        hlx_fail(error, EXIT_DATA,
                 "data `%s`: what is in `%s` is not what the program was compiled with; to use it "
                 "all the same: --data %s=FILE",
                 d->name, to->shown, d->name);
    else
        hlx_fail(error, EXIT_DATA,
                 "data `%s` is not in the program%s%s%s; give its file: --data %s=FILE", d->name,
                 hint ? ", and `" : "", hint ? to->shown : "", hint ? "` cannot be read" : "",
                 d->name);
    return NULL;
}

// A search that memory may end.
struct finding {
    struct session *session;
    const struct ir_data *data;
    struct session_source *to;
    const struct value *found; // or NULL
    struct hlx_error *error;
};

static void look_for_content(void *context)
{
    struct finding *f = context;
    struct session *s = f->session;
    const struct ir_data *d = f->data;
    const struct session_file *given = file_for(s, d);
    const struct value *carried = program_data(&s->program, d);
    const char *hint = program_hint(&s->program, d);
    if (given) {
        f->found = given_content(s, d, given->path, f->to, f->error);
    } else if (!carried) {
        f->found = hinted_content(s, d, f->to, f->error);
    } else {
        f->to->own = stated_content(d, &f->to->content); // the pack was asked by it, and checks it
        f->to->shown = hint ? shown_hint(s, hint) : d->name;
        f->found = carried;
    }
}

static const struct value *find_content(struct session *s, const struct ir_data *d,
                                        struct session_source *to, struct hlx_error *error)
{
    struct finding f = {s, d, to, NULL, error};
    const struct session_file *given = file_for(s, d);
    const char *hint = program_hint(&s->program, d);
    const char *path = given ? given->path : hint ? hint : d->name;
    return hlx_reading(&s->program.arena, path, look_for_content, &f, error) ? f.found : NULL;
}

bool session_content(struct session *s, const struct ir_entry *entry,
                     const struct session_source **out, struct hlx_error *error)
{
    const struct ir_data *d = batches_source(&s->program.module, entry);
    *out = NULL;
    if (!d)
        return true;
    struct session_source *to = &s->source[d - s->program.module.data.at];
    *out = to;
    if (!to->value)
        to->value = find_content(s, d, to, error);
    return to->value != NULL;
}

bool session_data(struct session *s, const struct ir_entry *entry,
                  const struct session_source **out, struct hlx_error *error)
{
    const struct ir_module *m = &s->program.module;
    if (!session_content(s, entry, out, error))
        return false;
    if (!*out || (*out)->open)
        return true;
    size_t i = (size_t)(*out - s->source);
    struct session_source *to = &s->source[i];
    to->open = data_open(&to->set, m, &m->data.at[i], to->value, to->shown, error);
    return to->open;
}
