// parse_fuzz.c: feeds bytes to the scanner, the parser and the formatter; what parses must format
// to a text with the same tree that formats to itself.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/parse.h"
#include "frontend/pretty.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct parsed {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ast_file *file;
    struct buf tree, formatted;
};

static void parse(struct parsed *p, const char *text, size_t n)
{
    *p = (struct parsed){0};
    sources_init(&p->sources, &p->arena);
    diags_init(&p->diags, &p->arena, &p->sources);
    p->file = parse_file(&p->arena, &p->sources, &p->diags,
                         sources_add(&p->sources, "fuzz.hlxl", text, n));
    require(p->file || p->diags.errors > 0);
    if (p->file)
        ast_dump(NULL, p->file->program, &p->tree);
}

static void drop(struct parsed *p)
{
    buf_free(&p->tree);
    buf_free(&p->formatted);
    arena_free(&p->arena);
}

static const char *text_of(const struct buf *b)
{
    return b->at ? b->at : "";
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && memcmp(text_of(a), text_of(b), a->n) == 0;
}

// Every comment is kept: the formatted text has as many.
static void check_formatting(struct parsed *first)
{
    struct parsed second;
    pretty_print(&first->arena, &first->sources, first->file, first->file->runic,
                 &first->formatted);
    parse(&second, text_of(&first->formatted), first->formatted.n);
    require(second.diags.errors == 0);
    require(same(&first->tree, &second.tree));
    require(first->file->comments.n == second.file->comments.n);
    pretty_print(&second.arena, &second.sources, second.file, second.file->runic,
                 &second.formatted);
    require(same(&first->formatted, &second.formatted));
    drop(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parsed p;
    parse(&p, (const char *)data, size);
    if (p.diags.errors == 0) {
        check_formatting(&p);
    } else {
        struct buf out = {0};
        diags_render(&p.diags, DIAG_TEXT, true, &out);
        require(out.n > 0);
        buf_free(&out);
    }
    drop(&p);
    return 0;
}
