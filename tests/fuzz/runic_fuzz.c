// runic_fuzz.c: feeds bytes to the scanner, parser and formatter of HLX; what parses must keep its
// tree in both spellings, and come back to the same bytes from each.
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
    struct buf tree, ascii, runic;
};

static const char *text_of(const struct buf *b)
{
    return b->at ? b->at : "";
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && memcmp(text_of(a), text_of(b), a->n) == 0;
}

static void parse(struct parsed *p, const char *name, const char *text, size_t n)
{
    *p = (struct parsed){0};
    sources_init(&p->sources, &p->arena);
    diags_init(&p->diags, &p->arena, &p->sources);
    p->file =
        parse_file(&p->arena, &p->sources, &p->diags, sources_add(&p->sources, name, text, n));
    require(p->file || p->diags.errors > 0);
    if (p->diags.errors)
        return;
    ast_dump(NULL, p->file->program, &p->tree);
    pretty_print(&p->arena, &p->sources, p->file, false, &p->ascii);
    pretty_print(&p->arena, &p->sources, p->file, true, &p->runic);
}

static void drop(struct parsed *p)
{
    buf_free(&p->tree);
    buf_free(&p->ascii);
    buf_free(&p->runic);
    arena_free(&p->arena);
}

// A formatted text has the tree and the comments of its source, and formats to the same texts.
static void check(const struct parsed *first, const char *name, const struct buf *text)
{
    struct parsed second;
    parse(&second, name, text_of(text), text->n);
    require(second.diags.errors == 0);
    require(same(&first->tree, &second.tree));
    require(first->file->comments.n == second.file->comments.n);
    require(same(&first->ascii, &second.ascii));
    require(same(&first->runic, &second.runic));
    drop(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"fuzz.hlx", "fuzz.hlxl"};
    for (size_t i = 0; i < 2; i++) {
        struct parsed p;
        parse(&p, names[i], (const char *)data, size);
        if (p.diags.errors == 0) {
            check(&p, "fuzz.hlxl", &p.ascii);
            check(&p, "fuzz.hlx", &p.runic);
        } else {
            struct buf out = {0};
            diags_render(&p.diags, DIAG_TEXT, true, &out);
            require(out.n > 0);
            buf_free(&out);
        }
        drop(&p);
    }
    return 0;
}
