// pretty_comment.c: takes comments to the places where the formatter keeps them.
#include "frontend/pretty_build.h"

const struct ast_comment *pretty_pending(const struct pretty *p, uint32_t before)
{
    if (p->next >= p->file->comments.n)
        return NULL;
    const struct ast_comment *c = &p->file->comments.at[p->next];
    return c->span.start < before ? c : NULL;
}

const struct doc *pretty_comment(struct pretty *p)
{
    struct span at = p->file->comments.at[p->next++].span;
    return doc_comment(p->arena, p->source->text + at.start, at.end - at.start);
}

const struct doc *pretty_aside(struct pretty *p, uint32_t before)
{
    const struct ast_comment *c = pretty_pending(p, before);
    return c && !c->own_line ? pretty_comment(p) : NULL;
}

void pretty_comments_after(struct pretty *p, uint32_t before, struct doc_list *out)
{
    while (pretty_pending(p, before)) {
        doc_add(p->arena, out, doc_leaf(DOC_HARD));
        doc_add(p->arena, out, pretty_comment(p));
    }
}

void pretty_comments_above(struct pretty *p, uint32_t before, struct doc_list *out)
{
    while (pretty_pending(p, before)) {
        doc_add(p->arena, out, pretty_comment(p));
        doc_add(p->arena, out, doc_leaf(DOC_HARD));
    }
}

void pretty_comments_only(struct pretty *p, uint32_t before, struct doc_list *out)
{
    if (pretty_pending(p, before))
        doc_add(p->arena, out, pretty_comment(p));
    pretty_comments_after(p, before, out);
}

void pretty_hoist(struct pretty *p, uint32_t before)
{
    pretty_comments_above(p, before, p->above);
}

bool pretty_blank_before(const struct pretty *p, uint32_t offset)
{
    unsigned lines = 0;
    const char *text = p->source->text;
    for (; offset > 0 && lines < 2; offset--) {
        char c = text[offset - 1];
        if (c == '\n')
            lines++;
        else if (c != ' ' && c != '\t' && c != '\r')
            break;
    }
    return lines >= 2;
}
