// frontend.c: the front end's one entry: source files in, staged IR out.
#include "frontend/frontend.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "frontend/ast_value.h"
#include "frontend/parse.h"
#include "frontend/places.h"
#include "frontend/stage.h"
#include "latent/lcb.h"

static void init(struct stage *s)
{
    struct map *maps[] = {&s->modules,  &s->vars,  &s->globals, &s->locs,
                          &s->reported, &s->store, &s->bound};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        map_init(maps[i], s->a);
    stage_builtins_init(s);
}

bool frontend_compile_text(struct arena *a, const char *path, const char *text, size_t n,
                           const struct frontend_options *options, struct sources *sources,
                           struct diags *d, struct ir_module *m, bool *missing)
{
    struct stage *s = arena_new(a, struct stage);
    *s = (struct stage){.a = a,
                        .m = m,
                        .sources = sources,
                        .d = d,
                        .options = options,
                        .path = "",
                        .missing = missing};
    *missing = false;
    m->profile = options->profile ? options->profile : "exact";
    init(s);
    stage_run(s, path, text, n);
    stage_pipeline_close(s);
    stage_order_parts(d);
    if (d->errors)
        return false;
    stage_sort_vars(s);
    return true;
}

static char *read_main(struct arena *a, const char *path, struct diags *d, size_t *n, bool *missing)
{
    const char *error;
    char *text = file_read(a, path, 0, n, &error);
    *missing = !text;
    if (!text)
        diag_error(d, (struct span){0}, "HLX0001", "%s", error);
    return text;
}

bool frontend_compile(struct arena *a, const char *path, const struct frontend_options *options,
                      struct sources *sources, struct diags *d, struct ir_module *m, bool *missing)
{
    size_t n;
    char *text = read_main(a, path, d, &n, missing);
    bool ok = text && frontend_compile_text(a, path, text, n, options, sources, d, m, missing);
    free(text);
    return ok;
}

void frontend_settle_places(struct arena *a, struct sources *sources, struct ir_module *m)
{
    places_settle(a, sources, m);
}

static const struct ast_file *parse_path(struct arena *a, const char *path, struct sources *sources,
                                         struct diags *d, bool *missing)
{
    size_t n;
    char *text = read_main(a, path, d, &n, missing);
    if (!text)
        return NULL;
    uint32_t file = sources_add(sources, strcmp(path, "-") ? path : "<stdin>", text, n);
    free(text);
    return parse_file(a, sources, d, file);
}

bool frontend_dump_ast(struct arena *a, const char *path, struct sources *sources, struct diags *d,
                       struct buf *out, bool *missing)
{
    const struct ast_file *tree = parse_path(a, path, sources, d, missing);
    if (tree)
        ast_dump(sources, tree->program, out);
    return tree && !d->errors;
}

bool frontend_dump_ast_value(struct arena *a, const char *path, struct sources *sources,
                             struct diags *d, struct buf *out, bool *missing)
{
    const struct ast_file *tree = parse_path(a, path, sources, d, missing);
    const struct value *v = tree && !d->errors ? ast_value(a, d, tree->program) : NULL;
    if (v)
        lcb_encode(v, out);
    return v;
}
