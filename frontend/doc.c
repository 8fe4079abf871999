// doc.c: builds breakable documents.
#include "frontend/doc.h"

#include <string.h>

static struct doc *make(struct arena *a, enum doc_kind kind, bool hard)
{
    struct doc *doc = arena_new(a, struct doc);
    doc->kind = (unsigned char)kind;
    doc->hard = hard;
    return doc;
}

static struct doc *make_text(struct arena *a, enum doc_kind kind, bool hard, const char *text,
                             size_t n)
{
    struct doc *doc = make(a, kind, hard);
    doc->as.text = text;
    doc->n = (unsigned)n;
    return doc;
}

struct doc *doc_text(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_TEXT, false, text, n);
}

struct doc *doc_string(struct arena *a, const char *text)
{
    return doc_text(a, text, strlen(text));
}

struct doc *doc_comment(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_COMMENT, true, text, n);
}

struct doc *doc_raw(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_RAW, true, text, n);
}

struct doc *doc_leaf(struct arena *a, enum doc_kind kind)
{
    return make(a, kind, kind == DOC_HARD || kind == DOC_BLANK);
}

struct doc *doc_wrap(struct arena *a, enum doc_kind kind, struct doc *child)
{
    struct doc *doc = make(a, kind, child->hard);
    doc->as.kid = arena_array(a, 1, sizeof child);
    doc->as.kid[0] = child;
    doc->n = 1;
    return doc;
}

struct doc *doc_either(struct arena *a, struct doc *first, struct doc *second)
{
    struct doc *doc = make(a, DOC_EITHER, first->hard && second->hard);
    doc->as.kid = arena_array(a, 2, sizeof first);
    doc->as.kid[0] = first;
    doc->as.kid[1] = second;
    doc->n = 2;
    return doc;
}

void doc_add(struct arena *a, struct doc_list *list, struct doc *doc)
{
    if (doc)
        vec_push(a, &list->list, doc);
}

void doc_puts(struct arena *a, struct doc_list *list, const char *text)
{
    doc_add(a, list, doc_string(a, text));
}

struct doc *doc_concat(struct arena *a, const struct doc_list *list)
{
    if (list->list.n == 1)
        return list->list.at[0];
    struct doc *doc = make(a, DOC_CONCAT, false);
    doc->as.kid = list->list.at;
    doc->n = (unsigned)list->list.n;
    for (unsigned i = 0; i < doc->n; i++)
        doc->hard |= doc->as.kid[i]->hard;
    return doc;
}
