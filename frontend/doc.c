// doc.c: builds breakable documents.
#include "frontend/doc.h"

enum { WIDEST = 4 * DOC_WIDTH }; // what is far too wide anyway is not measured to its end

static uint16_t sum(unsigned a, unsigned b)
{
    return (uint16_t)(a + b < UINT16_MAX ? a + b : UINT16_MAX);
}

static unsigned columns(const char *text, size_t len)
{
    size_t n = len < WIDEST ? len : WIDEST;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] >= 0x80)
            return (unsigned)text_width(text, n, 0, 8);
    return (unsigned)n;
}

struct doc doc_of_text(enum doc_kind kind, const char *text, size_t n)
{
    return (struct doc){.kind = (uint8_t)kind,
                        .hard = kind != DOC_TEXT,
                        .width = (uint16_t)columns(text, n),
                        .n = (uint32_t)n,
                        .as.text = text};
}

static const struct doc *make_text(struct arena *a, enum doc_kind kind, const char *text, size_t n)
{
    struct doc *doc = arena_new(a, struct doc);
    *doc = doc_of_text(kind, text, n);
    return doc;
}

const struct doc *doc_text(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_TEXT, text, n);
}

const struct doc *doc_comment(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_COMMENT, text, n);
}

const struct doc *doc_raw(struct arena *a, const char *text, size_t n)
{
    return make_text(a, DOC_RAW, text, n);
}

const struct doc *doc_leaf(enum doc_kind kind)
{
    static const struct doc leaf[] = {
        [DOC_LINE] = {.kind = DOC_LINE, .width = 1},
        [DOC_SOFT] = {.kind = DOC_SOFT},
        [DOC_FILL] = {.kind = DOC_FILL, .width = 1},
        [DOC_HARD] = {.kind = DOC_HARD, .hard = true},
        [DOC_BLANK] = {.kind = DOC_BLANK, .hard = true},
    };
    return &leaf[kind];
}

const struct doc *doc_wrap(struct arena *a, enum doc_kind kind, const struct doc *child)
{
    struct doc *doc = arena_new(a, struct doc);
    *doc = (struct doc){
        .kind = (uint8_t)kind, .hard = child->hard, .width = child->width, .n = 1, .as.one = child};
    return doc;
}

const struct doc *doc_either(struct arena *a, const struct doc *first, const struct doc *second)
{
    struct doc *doc = arena_new(a, struct doc);
    *doc = (struct doc){.kind = DOC_EITHER, .hard = first->hard, .width = first->width, .n = 2};
    doc->as.kid = arena_array(a, 2, sizeof first);
    doc->as.kid[0] = first;
    doc->as.kid[1] = second;
    return doc;
}

const struct doc *doc_concat(struct arena *a, const struct doc_list *list)
{
    if (list->list.n == 1)
        return list->list.at[0];
    struct doc *doc = arena_new(a, struct doc);
    *doc = (struct doc){.kind = DOC_CONCAT, .n = (uint32_t)list->list.n, .as.kid = list->list.at};
    for (uint32_t i = 0; i < doc->n; i++) {
        doc->hard |= doc->as.kid[i]->hard;
        doc->width = sum(doc->width, doc->as.kid[i]->width);
    }
    return doc;
}
