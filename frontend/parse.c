// parse.c: from source text to a syntax tree.
#include "frontend/parse.h"

#include "frontend/ast_build.h"
#include "frontend/grammar.h"

bool parse_items(struct arena *a, struct arena *nodes, const struct sources *sources,
                 struct diags *d, struct ast_file *out, const struct parse_items *items)
{
    struct scan *scan = arena_new(a, struct scan);
    struct parser p = {.arena = nodes, .diags = d, .scan = scan, .file = out, .items = items};
    out->program = arena_new(a, struct ast);
    out->program->text = "";
    out->program->depth = 1;
    const struct scan_spelling *spelling = scan_spelling_for(sources_get(sources, out->file));
    out->runic = spelling == &scan_hlx;
    if (!scan_start(scan, a, nodes, sources, d, out, spelling))
        return false;
    int failed = hlx_parse(&p);
    scan_finish(scan);
    return !failed;
}

struct ast_file *parse_file(struct arena *a, const struct sources *sources, struct diags *d,
                            uint32_t file)
{
    struct ast_file *out = arena_new(a, struct ast_file);
    out->file = file;
    return parse_items(a, a, sources, d, out, NULL) ? out : NULL;
}
