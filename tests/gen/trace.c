// trace.c: parses generated programs in both spellings with a parser that tells each of its steps
// on standard error, for rules.sh.
//
//   trace COUNT
#include <stdio.h>
#include <stdlib.h>

#include "frontend/parse.h"
#include "frontend/pretty.h"
#include "tests/gen/program.h"

extern int hlx_debug; // the parser's, where it is compiled with HLX_DEBUG

static struct ast_file *parse(struct arena *a, struct sources *sources, struct diags *d,
                              const char *name, const struct buf *text)
{
    return parse_file(a, sources, d, sources_add(sources, name, text->at, text->n));
}

static bool trace(uint64_t seed)
{
    struct arena arena = {0};
    struct sources sources;
    struct diags diags;
    struct buf ascii = {0}, runic = {0};
    sources_init(&sources, &arena);
    diags_init(&diags, &arena, &sources);
    program_generate(seed, false, &ascii);
    struct ast_file *file = parse(&arena, &sources, &diags, "t.hlxl", &ascii);
    if (file && diags.errors == 0) {
        pretty_print(&arena, &sources, file, true, &runic);
        parse(&arena, &sources, &diags, "t.hlx", &runic);
    }
    bool ok = diags.errors == 0;
    buf_free(&ascii);
    buf_free(&runic);
    arena_free(&arena);
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    bool ok = count > 0;
    hlx_debug = 1;
    setvbuf(stderr, NULL, _IOFBF, BUFSIZ); // it says much
    for (uint64_t seed = 0; seed < count; seed++)
        ok = trace(seed) && ok;
    return !ok;
}
