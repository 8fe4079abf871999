// pretty_list.c: lays out arguments, elements, fields and dimensions in their brackets.
#include "frontend/pretty_build.h"

// Where the comments of element i end: at the next element, or at the closing bracket.
static uint32_t reach(const struct pretty_list *list, uint32_t i)
{
    return i + 1 < list->n ? list->kid[i + 1]->span.start : list->end;
}

// Adds element i with its comments. `items` gets the bare element.
static void put_element(struct pretty *p, const struct pretty_list *list, uint32_t i,
                        struct doc_list *inner, struct doc_list *items)
{
    pretty_comments_above(p, list->kid[i]->span.start, inner);
    const struct doc *item = pretty_expr(p, list->kid[i]);
    doc_add(p->arena, items, item);
    doc_add(p->arena, inner, item);
    if (i + 1 < list->n)
        pretty_token(p, inner, TOK_COMMA, TIGHT);
    doc_add(p->arena, inner, pretty_aside(p, reach(list, i)));
    if (i + 1 < list->n)
        doc_add(p->arena, inner, doc_leaf(list->fill ? DOC_FILL : DOC_LINE));
}

static const struct doc *bracketed(struct pretty *p, const struct pretty_list *list,
                                   const struct doc *aside, const struct doc_list *inner)
{
    struct doc_list out = {0}, body = {0};
    enum doc_kind edge = list->pad ? DOC_LINE : DOC_SOFT;
    pretty_token(p, &out, list->open, TIGHT);
    doc_add(p->arena, &out, aside);
    if (inner->list.n)
        doc_add(p->arena, &body, doc_leaf(edge));
    doc_add(p->arena, &body, doc_concat(p->arena, inner));
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &body)));
    doc_add(p->arena, &out, doc_leaf(edge));
    pretty_token(p, &out, list->close, TIGHT);
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

static bool opens_lines(const struct ast *e)
{
    if (e->kind == AST_ARG)
        e = e->kid[0];
    bool brackets = e->kind == AST_OBJECT || e->kind == AST_ARRAY || e->kind == AST_CONTRACT;
    return e->kind == AST_FN || (brackets && e->nkids > 0);
}

// All but the last element on the line of the bracket, or NULL where that cannot be.
static const struct doc *hugged(struct pretty *p, const struct pretty_list *list,
                                const struct doc_list *items)
{
    uint32_t n = list->n;
    const struct doc *const *item = items->list.at; // NULL where there is none
    if (!list->hug || !item || !opens_lines(list->kid[n - 1]))
        return NULL;
    struct doc_list out = {0};
    pretty_token(p, &out, list->open, TIGHT);
    for (uint32_t i = 0; i + 1 < n; i++) {
        if (item[i]->hard)
            return NULL;
        doc_add(p->arena, &out, doc_wrap(p->arena, DOC_FLAT, item[i]));
        pretty_token(p, &out, TOK_COMMA, SPACE_AFTER);
    }
    doc_add(p->arena, &out, item[n - 1]);
    pretty_token(p, &out, list->close, TIGHT);
    return doc_concat(p->arena, &out);
}

static const struct doc *empty_list(struct pretty *p, const struct pretty_list *list)
{
    struct doc_list out = {0};
    pretty_token(p, &out, list->open, TIGHT);
    pretty_token(p, &out, list->close, TIGHT);
    return doc_concat(p->arena, &out);
}

const struct doc *pretty_list(struct pretty *p, const struct pretty_list *list)
{
    if (list->n == 0 && !pretty_pending(p, list->end))
        return empty_list(p, list);
    struct doc_list inner = {0}, items = {0};
    const struct doc *aside = pretty_aside(p, list->n ? list->kid[0]->span.start : list->end);
    for (uint32_t i = 0; i < list->n; i++)
        put_element(p, list, i, &inner, &items);
    if (list->n)
        pretty_comments_after(p, list->end, &inner);
    else
        pretty_comments_only(p, list->end, &inner);
    const struct doc *broken = bracketed(p, list, aside, &inner);
    bool comments = aside || inner.list.n > (list->n ? 3 * list->n - 2 : 0);
    const struct doc *hug = comments ? NULL : hugged(p, list, &items);
    return hug ? doc_either(p->arena, hug, broken) : broken;
}
