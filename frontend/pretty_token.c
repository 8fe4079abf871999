// pretty_token.c: writes single tokens and names; the spelling of a language is chosen here.
#include "frontend/pretty_build.h"

#include <string.h>

void pretty_token_start(struct pretty *p)
{
    for (int i = 0; i < SCAN_TOKENS; i++) {
        const char *text = scan_spelling_of(TOK_NAME + i);
        if (text)
            p->token[i] = doc_of_text(DOC_TEXT, text, strlen(text));
    }
}

void pretty_space(struct pretty *p, struct doc_list *out)
{
    static const struct doc space = {.kind = DOC_TEXT, .width = 1, .n = 1, .as.text = " "};
    doc_add(p->arena, out, &space);
}

void pretty_token(struct pretty *p, struct doc_list *out, int token, enum pretty_spaces spaces)
{
    if (spaces & SPACE_BEFORE)
        pretty_space(p, out);
    doc_add(p->arena, out, &p->token[token - TOK_NAME]);
    if (spaces & SPACE_AFTER)
        pretty_space(p, out);
}

void pretty_name(struct pretty *p, struct doc_list *out, const struct ast *node)
{
    doc_add(p->arena, out, doc_text(p->arena, node->text, node->text_len));
}
