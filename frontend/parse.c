// parse.c: from source text to a syntax tree.
#include "frontend/parse.h"

#include "frontend/ast_build.h"
#include "frontend/grammar.h"

struct ast_file *parse_file(struct arena *a, const struct sources *sources, struct diags *d,
                            uint32_t file)
{
    struct ast_file *out = arena_new(a, struct ast_file);
    struct scan *scan = arena_new(a, struct scan);
    struct parser p = {.arena = a, .diags = d, .scan = scan, .file = out};
    out->file = file;
    if (!scan_start(scan, a, sources, d, out, &scan_hlxl))
        return NULL;
    int failed = hlx_parse(&p);
    scan_finish(scan);
    return failed || !out->program ? NULL : out;
}
