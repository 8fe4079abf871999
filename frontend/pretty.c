// pretty.c: writes a syntax tree back as source, in the one style of hlxfmt.
#include "frontend/pretty.h"

#include <string.h>

#include "frontend/glyph.h"
#include "frontend/pretty_build.h"

// Statements one under another, with the comments and empty lines between them; or a part of them.
struct sequence {
    const struct ast *const *kid;
    uint32_t n, i;
    uint32_t end;    // offset where the sequence ends
    uint32_t region; // 1 + where the region that is left as it is begins, or 0
    bool first;      // nothing put yet
    bool last;       // no part follows
    bool value;      // a final expression is the value
};

static void put_separator(struct pretty *p, struct sequence *s, uint32_t start,
                          struct doc_list *out)
{
    if (!s->first)
        doc_add(p->arena, out, doc_leaf(pretty_blank_before(p, start) ? DOC_BLANK : DOC_HARD));
    s->first = false;
}

// -- hlxfmt: off ---------------------------------------------------------------------------------

static bool says(const struct pretty *p, const struct ast_comment *c, const char *text)
{
    size_t n = strlen(text);
    return c->own_line && c->span.end - c->span.start == n &&
           memcmp(p->source->text + c->span.start, text, n) == 0;
}

static uint32_t trimmed(const struct pretty *p, uint32_t end)
{
    while (end > 0 && strchr(" \t\r\n", p->source->text[end - 1]))
        end--;
    return end;
}

// Where the open region ends: behind `on`, or with the sequence, or 0 if it goes on in the next
// part. Comments and statements in it are passed.
static uint32_t pass_region(struct pretty *p, struct sequence *s)
{
    while (pretty_pending(p, s->end)) {
        const struct ast_comment *c = &p->file->comments.at[p->next++];
        while (s->i < s->n && s->kid[s->i]->span.end <= c->span.start)
            s->i++;
        bool inside = s->i < s->n && s->kid[s->i]->span.start < c->span.start;
        if (!inside && says(p, c, "// hlxfmt: on"))
            return c->span.end;
    }
    s->i = s->n;
    return s->last ? trimmed(p, s->end) : 0;
}

static void put_region(struct pretty *p, struct sequence *s, struct doc_list *out)
{
    uint32_t start = s->region - 1, end = pass_region(p, s);
    if (end == 0)
        return;
    doc_add(p->arena, out, pretty_region(p, start, end));
    s->region = 0;
}

// -- sequences -----------------------------------------------------------------------------------

static void put_comments(struct pretty *p, struct sequence *s, struct doc_list *out)
{
    if (s->region)
        put_region(p, s, out);
    for (;;) {
        uint32_t before = s->i < s->n ? s->kid[s->i]->span.start : s->end;
        const struct ast_comment *c = pretty_pending(p, before);
        if (!c)
            return;
        if (c->own_line || s->first) // else `;` stood between it and a statement that is printed
            put_separator(p, s, c->span.start, out);
        if (says(p, c, "// hlxfmt: off")) {
            s->region = c->span.start + 1;
            put_region(p, s, out);
        } else {
            doc_add(p->arena, out, pretty_comment(p));
        }
    }
}

// Puts the next statement with the comments before and beside it, or the comments at the end.
static bool put_next(struct pretty *p, struct sequence *s, struct doc_list *out)
{
    put_comments(p, s, out);
    if (s->i == s->n)
        return false;
    const struct ast *node = s->kid[s->i++];
    put_separator(p, s, node->span.start, out);
    doc_add(p->arena, out, pretty_statement(p, node, s->value && s->i == s->n));
    doc_add(p->arena, out, pretty_aside(p, s->i < s->n ? s->kid[s->i]->span.start : s->end));
    return true;
}

// Whether a block may stay on the line. In HLX one with a single statement does, unless that has
// blocks itself.
static bool may_be_flat(const struct pretty *p, const struct ast *block, unsigned style)
{
    if (block->nkids != 1 || pretty_pending(p, block->span.end))
        return false;
    enum ast_kind kind = block->kid[0]->kind;
    bool blocks = kind == AST_FN || kind == AST_IF || kind == AST_FOR;
    return p->runic ? !blocks : (style & BLOCK_FLAT) && (kind == AST_EXPR || kind == AST_RETURN);
}

static void put_edge(struct pretty *p, bool flat, struct doc_list *out)
{
    if (!flat)
        doc_add(p->arena, out, doc_leaf(DOC_HARD));
    else if (!p->runic)
        doc_add(p->arena, out, doc_leaf(DOC_LINE));
}

const struct doc *pretty_block(struct pretty *p, const struct ast *block, unsigned style)
{
    struct doc_list out = {0}, body = {0}, lines = {0};
    struct sequence s = {.kid = (const struct ast *const *)block->kid,
                         .n = block->nkids,
                         .end = block->span.end - 1,
                         .first = true,
                         .last = true,
                         .value = (style & BLOCK_VALUE) != 0};
    pretty_hoist(p, block->span.start);
    pretty_token(p, &out, TOK_LBRACE, TIGHT);
    if (s.n == 0 && !pretty_pending(p, s.end)) {
        pretty_token(p, &out, TOK_RBRACE, TIGHT);
        return doc_concat(p->arena, &out);
    }
    bool flat = may_be_flat(p, block, style);
    doc_add(p->arena, &out, pretty_aside(p, s.n ? s.kid[0]->span.start : s.end));
    while (put_next(p, &s, &lines))
        ;
    if (lines.list.n)
        put_edge(p, flat, &body);
    doc_add(p->arena, &body, doc_concat(p->arena, &lines));
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &body)));
    if (!p->runic) // there the brace stands behind the last statement
        put_edge(p, flat, &out);
    pretty_token(p, &out, TOK_RBRACE, TIGHT);
    return doc_concat(p->arena, &out);
}

// -- the file ------------------------------------------------------------------------------------

enum { SCRATCH = 64 << 10 }; // bytes from which documents and trees that are printed are dropped

static void start_runic(struct pretty *p, struct arena *a, struct buf *out)
{
    map_init(&p->glyphs, a);
    glyph_map_ascii(&p->glyphs);
    legend_choose(a, p->file->program, &p->glyphs, &p->legend);
    legend_write(&p->legend, out);
}

// A file on its way: printed as a whole, or a statement at a time while it is parsed.
struct stream {
    struct pretty p;
    struct sequence s;
    struct doc_printer printer;
    struct ast_file file; // while it is parsed
    struct arena docs, nodes;
    const struct diags *diags;
};

static void start(struct stream *st, struct arena *a, const struct source *source,
                  const struct ast_file *file, bool runic, struct buf *out)
{
    st->p.arena = &st->docs;
    st->p.source = source;
    st->p.file = file;
    st->p.runic = runic;
    st->s.first = true;
    if (runic)
        start_runic(&st->p, a, out);
    pretty_token_start(&st->p);
    doc_printer_start(&st->printer, a, runic, out);
}

// Prints statements and the comments around them up to an offset.
static void print_part(struct stream *st, const struct ast *const *kid, uint32_t n, uint32_t end)
{
    st->s.kid = kid;
    st->s.n = n;
    st->s.i = 0;
    st->s.end = end;
    for (bool more = true; more;) {
        struct doc_list piece = {0};
        more = put_next(&st->p, &st->s, &piece);
        if (piece.list.n)
            doc_print(&st->printer, doc_concat(&st->docs, &piece));
        if (st->docs.used > SCRATCH)
            arena_reset(&st->docs);
    }
}

static void print_last_part(struct stream *st, const struct ast *const *kid, uint32_t n)
{
    st->s.last = true;
    print_part(st, kid, n, (uint32_t)st->p.source->len);
    doc_printer_finish(&st->printer);
}

void pretty_print(struct arena *a, const struct sources *sources, const struct ast_file *file,
                  bool runic, struct buf *out)
{
    struct stream *st = arena_new(a, struct stream);
    start(st, a, sources_get(sources, file->file), file, runic, out);
    print_last_part(st, (const struct ast *const *)file->program->kid, file->program->nkids);
    arena_free(&st->docs);
}

// Prints a statement that has just been read, unless there has been an error.
static void take(void *context, const struct ast *item, uint32_t next)
{
    struct stream *st = context;
    if (st->diags->errors == 0) {
        print_part(st, &item, 1, next);
        st->file.comments.n = st->p.next = 0;
    }
    if (st->nodes.used > SCRATCH)
        arena_reset(&st->nodes);
}

bool pretty_format(struct arena *a, const struct sources *sources, struct diags *d, uint32_t file,
                   struct buf *out)
{
    struct stream *st = arena_new(a, struct stream);
    const struct parse_items items = {take, st};
    st->diags = d;
    st->file.file = file;
    start(st, a, sources_get(sources, file), &st->file, false, out);
    bool ok = parse_items(a, &st->nodes, sources, d, &st->file, &items) && d->errors == 0;
    if (ok)
        print_last_part(st, NULL, 0);
    arena_free(&st->nodes);
    arena_free(&st->docs);
    return ok;
}
