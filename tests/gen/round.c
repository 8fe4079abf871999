// round.c: formats a source, changes its spelling and back, and compares texts, trees and comments.
#include "tests/gen/round.h"

#include <string.h>

#include "base/diag.h"
#include "frontend/parse.h"
#include "frontend/pretty.h"

// A text on its way, with its tree.
struct station {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ast_file *file;
    uint32_t id;
    struct buf tree;
};

static bool arrive(struct station *s, const char *text, size_t n, bool runic)
{
    *s = (struct station){0};
    sources_init(&s->sources, &s->arena);
    diags_init(&s->diags, &s->arena, &s->sources);
    s->id = sources_add(&s->sources, runic ? "t.hlx" : "t.hlxl", text, n);
    s->file = parse_file(&s->arena, &s->sources, &s->diags, s->id);
    if (s->file)
        ast_dump(NULL, s->file->program, &s->tree);
    return s->file && s->diags.errors == 0;
}

static void leave(struct station *s)
{
    buf_free(&s->tree);
    arena_free(&s->arena);
}

static void print(struct station *s, bool runic, struct buf *out)
{
    buf_puts(out, ""); // so that there are bytes to point to
    pretty_print(&s->arena, &s->sources, s->file, runic, out);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n) == 0;
}

// Whether printing a statement at a time gives `want`.
static bool streams(struct station *s, const struct buf *want)
{
    struct buf out = {0};
    buf_puts(&out, "");
    bool ok = pretty_format(&s->arena, &s->sources, &s->diags, s->id, &out) && same(&out, want);
    buf_free(&out);
    return ok;
}

// Whether `text`, printed from `from`, has its tree and its comments, and prints as `text` again.
// With `back` not NULL: whether it prints as that in the other spelling.
static const char *follow(const struct station *from, const struct buf *text, bool runic,
                          const struct buf *back)
{
    struct station s;
    struct buf out = {0};
    const char *why = NULL;
    if (!arrive(&s, text->at, text->n, runic))
        why = "what is printed does not parse";
    else if (!same(&s.tree, &from->tree))
        why = "what is printed has another tree";
    else if (s.file->comments.n != from->file->comments.n)
        why = "what is printed has more or fewer comments";
    else if (print(&s, runic, &out), !same(&out, text))
        why = "printing again changes the text";
    buf_clear(&out);
    if (!why && back && (print(&s, !runic, &out), !same(&out, back)))
        why = "the other spelling does not lead back";
    buf_free(&out);
    leave(&s);
    return why;
}

static const char *check(struct station *s, bool runic)
{
    struct buf formatted = {0}, other = {0};
    print(s, runic, &formatted);
    const char *why = follow(s, &formatted, runic, NULL);
    if (!why && !runic && !streams(s, &formatted))
        why = "printing while parsing gives another text";
    if (!why) {
        struct station f;
        arrive(&f, formatted.at, formatted.n, runic);
        print(&f, !runic, &other);
        why = follow(&f, &other, !runic, &formatted);
        leave(&f);
    }
    buf_free(&formatted);
    buf_free(&other);
    return why;
}

// Errors can be told, whatever the text.
static const char *complain(struct station *s)
{
    struct buf out = {0};
    diags_render(&s->diags, DIAG_TEXT, true, &out);
    const char *why = out.n ? NULL : "it does not parse, and nobody says why";
    buf_free(&out);
    return why;
}

enum round_result round_check(const char *text, size_t n, bool runic, const char **why)
{
    struct station s;
    bool parses = arrive(&s, text, n, runic);
    *why = parses ? check(&s, runic) : complain(&s);
    leave(&s);
    return *why ? ROUND_FAILS : parses ? ROUND_HOLDS : ROUND_NO_PROGRAM;
}
