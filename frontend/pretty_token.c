// pretty_token.c: writes single tokens, names and literals; the spelling of a language is chosen
// here.
#include "frontend/pretty_build.h"

#include <string.h>

#include "frontend/glyph.h"

// `;` has no place in HLX: a line ends a statement.
static const char *spelling(const struct pretty *p, int token)
{
    if (!p->runic)
        return scan_spelling_of(token);
    return token == TOK_SEMI ? "" : glyph_of_token(token);
}

void pretty_token_start(struct pretty *p)
{
    for (int i = 0; i < SCAN_TOKENS; i++) {
        const char *text = spelling(p, TOK_NAME + i);
        if (text)
            p->token[i] = doc_of_text(DOC_TEXT, text, strlen(text));
    }
}

void pretty_space(struct pretty *p, struct doc_list *out)
{
    static const struct doc space = {.kind = DOC_TEXT, .width = 1, .n = 1, .as.text = " "};
    doc_add(p->arena, out, p->runic ? NULL : &space);
}

void pretty_token(struct pretty *p, struct doc_list *out, int token, enum pretty_spaces spaces)
{
    const struct doc *doc = &p->token[token - TOK_NAME];
    if (spaces & SPACE_BEFORE)
        pretty_space(p, out);
    doc_add(p->arena, out, doc->n ? doc : NULL);
    if (spaces & SPACE_AFTER)
        pretty_space(p, out);
}

// -- names ----------------------------------------------------------------------------------------

const struct doc *pretty_word(struct pretty *p, const char *text, size_t n)
{
    const char *rune = p->runic ? legend_rune(&p->legend, text, n) : NULL;
    const struct map_entry *e = p->runic && !rune ? map_find(&p->glyphs, text, n) : NULL;
    if (e)
        rune = ((const struct glyph *)e->value.p)->rune;
    return rune ? doc_text(p->arena, rune, strlen(rune)) : doc_text(p->arena, text, n);
}

void pretty_name(struct pretty *p, struct doc_list *out, const struct ast *node)
{
    doc_add(p->arena, out, pretty_word(p, node->text, node->text_len));
}

const struct doc *pretty_pair(struct pretty *p, const struct ast *member)
{
    const struct ast *base = member->kid[0];
    if (!p->runic || base->kind != AST_NAME)
        return NULL;
    const char *text = arena_printf(p->arena, "%s.%s", base->text, member->text);
    const char *rune = legend_rune(&p->legend, text, strlen(text));
    return rune ? doc_text(p->arena, rune, strlen(rune)) : NULL;
}

// -- literals -------------------------------------------------------------------------------------

// A text of two parts.
static const struct doc *join(struct pretty *p, const char *first, const char *second)
{
    const char *text = arena_printf(p->arena, "%s%s", first, second);
    return doc_text(p->arena, text, strlen(text));
}

// In lower case; HLX leaves out the 0 of 0.5.
const struct doc *pretty_number(struct pretty *p, const struct ast *e)
{
    char *copy = arena_copy(p->arena, e->text, e->text_len);
    for (size_t i = 0; i < e->text_len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    size_t zero = p->runic && e->kind == AST_FLOAT && !strncmp(copy, "0.", 2);
    return doc_text(p->arena, copy + zero, e->text_len - zero);
}

const struct doc *pretty_bytes(struct pretty *p, const struct ast *e)
{
    static const char digit[] = "0123456789abcdef";
    char *hex = arena_alloc(p->arena, 2 * (size_t)e->text_len + 1);
    for (size_t i = 0; i < e->text_len; i++) {
        hex[2 * i] = digit[(unsigned char)e->text[i] >> 4];
        hex[2 * i + 1] = digit[e->text[i] & 15];
    }
    return join(p, p->runic ? glyph_of_token(TOK_BYTES) : "x",
                arena_printf(p->arena, "\"%.*s\"", (int)(2 * e->text_len), hex));
}

const struct doc *pretty_handle(struct pretty *p, const struct ast *e)
{
    if (p->runic && !strncmp(e->text, "&h_", 3) && e->text[3])
        return join(p, glyph_of_token(TOK_HANDLE), e->text + 3);
    return doc_text(p->arena, e->text, e->text_len);
}

const struct doc *pretty_key(struct pretty *p, const struct ast *field)
{
    if (field->flags & AST_QUOTED)
        return pretty_source(p, field->name_span);
    if (field->text[0] == '@')
        return join(p, p->runic ? glyph_of_token(TOK_FIELD) : "@", field->text + 1);
    return pretty_word(p, field->text, field->text_len);
}
