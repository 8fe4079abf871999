// stage.c: loads the main file and its imports, and runs their top levels.
#include "frontend/stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "frontend/parse.h"
#include "frontend/embedded.h"

// -- finding modules -----------------------------------------------------------------------------

// Where a module's text comes from.
struct origin {
    const char *path;                     // of a file, or NULL
    const struct embedded_file *embedded; // or NULL
};

static bool is_file(const char *path)
{
    return access(path, R_OK) == 0;
}

static const struct embedded_file *find_embedded(const char *name)
{
    for (const struct embedded_file *f = stdlib_files; f->name; f++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

// "a.hlxl" of "a.hlx", and the other way round; NULL for other names.
static const char *twin(struct stage *s, const char *path)
{
    size_t n = strlen(path);
    if (n > 4 && !strcmp(path + n - 4, ".hlx"))
        return arena_printf(s->a, "%sl", path);
    return n > 5 && !strcmp(path + n - 5, ".hlxl") ? arena_copy(s->a, path, n - 1) : NULL;
}

// A file, or else the one of that name in the other spelling.
static bool find_file(struct stage *s, const char *path, struct origin *out)
{
    const char *other = twin(s, path);
    out->path = is_file(path) ? path : other && is_file(other) ? other : NULL;
    return out->path;
}

static bool find_included(struct stage *s, const char *file, struct origin *out)
{
    for (size_t i = 0; i < s->options->ninclude; i++)
        if (find_file(s, path_join(s->a, s->options->include[i], file), out))
            return true;
    return false;
}

// A module by name must not be there in both spellings.
static void check_one_spelling(struct stage *s, const struct ast *item, const struct origin *found)
{
    const char *other = twin(s, found->path);
    if (!other || !is_file(other))
        return;
    struct diag *g =
        stage_error(s, item->name_span.file ? item->name_span : item->span, "HLX0004",
                    "`%s` is there in both spellings: %s and %s", item->text, found->path, other);
    diag_help(g, "remove one of them, or import one by its path");
}

// A name: a file of that name in the -I folders, else the standard library's. A path: from the
// folder of the file that imports, then the -I folders.
static bool find_module(struct stage *s, const struct stage_module *from, const struct ast *item,
                        struct origin *out)
{
    *out = (struct origin){0};
    if (item->flags & AST_PATH)
        return find_file(s, path_join(s->a, from->folder, item->text), out) ||
               find_included(s, item->text, out);
    if (!find_included(s, arena_printf(s->a, "%s.hlxl", item->text), out)) {
        out->embedded = find_embedded(item->text);
        return out->embedded;
    }
    check_one_spelling(s, item, out);
    return true;
}

static void not_found(struct stage *s, const struct ast *item)
{
    stage_names names = {0};
    struct diag *g = stage_error(s, item->name_span.file ? item->name_span : item->span, "HLX0002",
                                 "there is no %s `%s` to import",
                                 item->flags & AST_PATH ? "file" : "module", item->text);
    for (const struct embedded_file *f = stdlib_files; f->name; f++)
        vec_push(s->a, &names, f->name);
    if (!(item->flags & AST_PATH))
        stage_suggest(g, item->text, names.at, names.n);
    else
        diag_help(g, "paths are relative to the folder of this file, or to a folder given with -I");
}

// -- loading -------------------------------------------------------------------------------------

// Parses a text as a module; tree is NULL when it has errors, which are reported.
static struct stage_module *new_module(struct stage *s, const char *name, const char *shown,
                                       const char *text, size_t n)
{
    struct stage_module *m = arena_new(s->a, struct stage_module);
    unsigned errors = s->d->errors;
    m->name = name;
    m->shown = shown;
    m->folder = path_dir(s->a, shown);
    map_init(&m->names, s->a);
    struct ast_file *tree =
        parse_file(s->a, s->sources, s->d, sources_add(s->sources, shown, text, n));
    if (s->d->errors == errors && tree)
        m->tree = tree;
    return m;
}

static struct stage_module *read_module(struct stage *s, const char *name, const struct origin *o,
                                        struct span at)
{
    size_t n;
    const char *error;
    if (o->embedded) {
        const char *shown = arena_printf(s->a, "stdlib/%s.hlxl", o->embedded->name);
        return new_module(s, name, shown, o->embedded->text, o->embedded->len);
    }
    char *text = file_read(s->a, o->path, 0, &n, &error);
    if (!text) {
        stage_fail(s, at, "HLX0001", "%s", error);
        return NULL;
    }
    struct stage_module *m = new_module(s, name, o->path, text, n);
    free(text);
    return m;
}

static struct stage_value module_value(struct stage_module *m)
{
    return (struct stage_value){.kind = STAGE_MODULE, .as.module = m};
}

// "a.hlxl -> b.hlxl -> a.hlxl"
static void cycle(struct stage *s, const struct ast *item, const struct stage_module *from,
                  const struct stage_module *to)
{
    const char *chain = to->shown;
    for (const struct stage_module *m = from; m && m != to; m = m->importer)
        chain = arena_printf(s->a, "%s -> %s", m->shown, chain);
    struct diag *g =
        stage_error(s, item->span, "HLX0003", "imports form a cycle: %s -> %s", to->shown, chain);
    diag_help(g, "move what both need into a third file");
}

static void run_module(struct stage *s, struct stage_module *m);

static struct stage_module *load(struct stage *s, struct stage_module *from, const struct ast *item,
                                 const char *name)
{
    struct origin o;
    struct span at = item->name_span.file ? item->name_span : item->span;
    if (!find_module(s, from, item, &o)) {
        not_found(s, item);
        return NULL;
    }
    const char *key =
        o.embedded ? arena_printf(s->a, "stdlib:%s", o.embedded->name) : path_clean(s->a, o.path);
    struct map_entry *e = map_find_str(&s->modules, key);
    if (e) {
        struct stage_module *known = e->value.p;
        if (!known->loading)
            return known;
        cycle(s, item, from, known);
        return NULL;
    }
    struct stage_module *m = read_module(s, name, &o, at);
    if (!m)
        return NULL;
    m->importer = from;
    map_put_str(&s->modules, key, NULL)->value.p = m;
    run_module(s, m);
    return m;
}

// "lib/model.hlxl" -> "model"
static const char *base_name(struct stage *s, const char *path)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    return arena_copy(s->a, from, strcspn(from, "."));
}

static void import(struct stage *s, struct stage_env *env, const struct ast *item)
{
    const struct ast *as = item->nkids ? item->kid[0] : NULL;
    const char *name = as                       ? as->text
                       : item->flags & AST_PATH ? base_name(s, item->text)
                                                : item->text;
    struct stage_module *m = load(s, env->module, item, name);
    bool usable = m && m->tree;
    stage_bind(s, env, name, usable ? module_value(m) : stage_poison(), false,
               as ? as->span : item->name_span);
}

// -- running -------------------------------------------------------------------------------------

// Functions of a file can call each other wherever they stand in it.
static void bind_function(struct stage *s, struct stage_env *env, const struct ast *fn)
{
    struct span at = fn->name_span.file ? fn->name_span : fn->span;
    const struct map_entry *before = map_find_str(&env->module->names, fn->text);
    if (before) {
        struct diag *g = stage_error(s, at, "HLX0302", "`%s` is declared twice", fn->text);
        diag_label(g, ((const struct stage_binding *)before->value.p)->span, "first here");
        return;
    }
    stage_bind(s, env, fn->text, stage_make_function(s, env, fn), false, at);
}

static void run_items(struct stage *s, struct stage_env *env, const struct ast *program,
                      enum ast_kind kind,
                      void (*run)(struct stage *, struct stage_env *, const struct ast *))
{
    for (uint32_t i = 0; i < program->nkids && !s->stop; i++)
        if (program->kid[i]->kind == kind && (kind != AST_FN || *program->kid[i]->text))
            run(s, env, program->kid[i]);
}

static void run_statements(struct stage *s, struct stage_env *env, const struct ast *program)
{
    for (uint32_t i = 0; i < program->nkids && !s->stop; i++) {
        stage_statement(s, env, program->kid[i]);
        s->unwind = false;
    }
}

static void run_module(struct stage *s, struct stage_module *m)
{
    struct stage_env env = {m, NULL, true};
    struct stage_frame *frame = s->frame;
    if (!m->tree)
        return;
    m->loading = true;
    s->frame = NULL;
    run_items(s, &env, m->tree->program, AST_FN, bind_function);
    run_items(s, &env, m->tree->program, AST_IMPORT, import);
    if (m == s->main)
        stage_defines_bind(s, &env, m->tree->program);
    run_items(s, &env, m->tree->program, AST_SCHEMA, stage_schema);
    run_statements(s, &env, m->tree->program);
    if (m == s->main)
        run_items(s, &env, m->tree->program, AST_ENTRY, stage_entry);
    s->frame = frame;
    m->loading = false;
}

static void load_prelude(struct stage *s)
{
    const struct embedded_file *f = find_embedded("prelude");
    if (!f)
        return;
    struct stage_module *m = new_module(s, "prelude", "stdlib/prelude.hlxl", f->text, f->len);
    run_module(s, m);
    s->prelude = m;
}

void stage_run(struct stage *s, const char *path, const char *text, size_t n)
{
    bool standard = !strcmp(path, "-");
    s->main = new_module(s, base_name(s, path), standard ? "<stdin>" : path, text, n);
    map_put_str(&s->modules, path_clean(s->a, path), NULL)->value.p = s->main;
    if (!s->main->tree)
        return;
    stage_defines_init(s); // their texts are sources, too: the main file is the first
    load_prelude(s);
    run_module(s, s->main);
}
