// pretty.c: writes a syntax tree back as source, in the one style of hlxfmt.
#include "frontend/pretty.h"

#include <string.h>

#include "frontend/pretty_build.h"

// Statements one under another, with the comments and empty lines between them.
struct sequence {
    struct ast *const *kid;
    uint32_t n, i;
    uint32_t end; // offset where the sequence ends
    bool first;   // nothing put yet
    bool value;   // a final expression is the value
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

// Where the region that starts at the next comment ends: behind `on`, or with the sequence.
// Comments and statements in it are passed.
static uint32_t pass_region(struct pretty *p, struct sequence *s)
{
    uint32_t end = trimmed(p, s->end);
    while (pretty_pending(p, s->end)) {
        const struct ast_comment *c = &p->file->comments.at[p->next++];
        while (s->i < s->n && s->kid[s->i]->span.end <= c->span.start)
            s->i++;
        bool inside = s->i < s->n && s->kid[s->i]->span.start < c->span.start;
        if (!inside && says(p, c, "// hlxfmt: on"))
            return c->span.end;
    }
    s->i = s->n;
    return end;
}

static void put_region(struct pretty *p, struct sequence *s, struct doc_list *out)
{
    uint32_t start = p->file->comments.at[p->next].span.start;
    uint32_t end = pass_region(p, s);
    doc_add(p->arena, out, doc_raw(p->arena, p->source->text + start, end - start));
}

// -- sequences -----------------------------------------------------------------------------------

static void put_comments(struct pretty *p, struct sequence *s, struct doc_list *out)
{
    for (;;) {
        uint32_t before = s->i < s->n ? s->kid[s->i]->span.start : s->end;
        const struct ast_comment *c = pretty_pending(p, before);
        if (!c)
            return;
        put_separator(p, s, c->span.start, out);
        if (says(p, c, "// hlxfmt: off"))
            put_region(p, s, out);
        else
            doc_add(p->arena, out, pretty_comment(p));
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

static bool may_be_flat(const struct pretty *p, const struct ast *block, unsigned style)
{
    return (style & BLOCK_FLAT) && block->nkids == 1 && !pretty_pending(p, block->span.end) &&
           (block->kid[0]->kind == AST_EXPR || block->kid[0]->kind == AST_RETURN);
}

const struct doc *pretty_block(struct pretty *p, const struct ast *block, unsigned style)
{
    struct doc_list out = {0}, body = {0}, lines = {0};
    struct sequence s = {.kid = block->kid,
                         .n = block->nkids,
                         .end = block->span.end - 1,
                         .first = true,
                         .value = (style & BLOCK_VALUE) != 0};
    pretty_hoist(p, block->span.start);
    pretty_token(p, &out, TOK_LBRACE, TIGHT);
    if (s.n == 0 && !pretty_pending(p, s.end)) {
        pretty_token(p, &out, TOK_RBRACE, TIGHT);
        return doc_concat(p->arena, &out);
    }
    enum doc_kind edge = may_be_flat(p, block, style) ? DOC_LINE : DOC_HARD;
    doc_add(p->arena, &out, pretty_aside(p, s.n ? s.kid[0]->span.start : s.end));
    while (put_next(p, &s, &lines))
        ;
    if (lines.list.n)
        doc_add(p->arena, &body, doc_leaf(edge));
    doc_add(p->arena, &body, doc_concat(p->arena, &lines));
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &body)));
    doc_add(p->arena, &out, doc_leaf(edge));
    pretty_token(p, &out, TOK_RBRACE, TIGHT);
    return doc_concat(p->arena, &out);
}

// -- the file ------------------------------------------------------------------------------------

enum { SCRATCH = 64 << 10 }; // documents of finished statements are dropped at this size

void pretty_print(struct arena *a, const struct sources *sources, const struct ast_file *file,
                  struct buf *out)
{
    struct arena scratch = {0};
    struct pretty p = {.arena = &scratch, .source = sources_get(sources, file->file), .file = file};
    struct sequence s = {.kid = file->program->kid,
                         .n = file->program->nkids,
                         .end = (uint32_t)p.source->len,
                         .first = true};
    struct doc_printer printer;
    pretty_token_start(&p);
    doc_printer_start(&printer, a, out);
    bool more = true;
    while (more) {
        struct doc_list piece = {0};
        more = put_next(&p, &s, &piece);
        if (piece.list.n)
            doc_print(&printer, doc_concat(&scratch, &piece));
        if (scratch.used > SCRATCH)
            arena_reset(&scratch);
    }
    doc_printer_finish(&printer);
    arena_free(&scratch);
}
