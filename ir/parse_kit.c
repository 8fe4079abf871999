// parse_kit.c: what the parts of the parser share: tokens, names, references, types, values,
// places.
#include "ir/parse_kit.h"

#include <string.h>

#include "latent/lcb.h"

// -- tokens --------------------------------------------------------------------------------------

bool parse_fail(struct parser *p, const char *format, ...)
{
    if (p->error->message)
        return false;
    va_list args;
    va_start(args, format);
    p->error->message = arena_vprintf(p->arena, format, args);
    p->error->line = p->lex.line;
    va_end(args);
    return false;
}

bool parse_expected(struct parser *p, const char *what)
{
    if (p->t.kind == LEX_BAD)
        return parse_fail(p, "%s", p->t.text);
    return parse_fail(p, "expected %s", what);
}

void parse_advance(struct parser *p)
{
    p->t = lex_next(&p->lex);
}

bool parse_is_word(const struct parser *p, const char *word)
{
    return p->t.kind == LEX_WORD && !strcmp(p->t.text, word);
}

bool parse_is_punct(const struct parser *p, char c)
{
    return p->t.kind == LEX_PUNCT && p->t.punct == c;
}

bool parse_accept_punct(struct parser *p, char c)
{
    if (!parse_is_punct(p, c))
        return false;
    parse_advance(p);
    return true;
}

bool parse_punct(struct parser *p, char c)
{
    return parse_accept_punct(p, c) || parse_expected(p, (char[]){'`', c, '`', 0});
}

bool parse_word(struct parser *p, const char *w)
{
    if (!parse_is_word(p, w))
        return parse_expected(p, arena_printf(p->arena, "`%s`", w));
    parse_advance(p);
    return true;
}

bool parse_name(struct parser *p, const char **out)
{
    if (p->t.kind != LEX_WORD && p->t.kind != LEX_QUOTED)
        return parse_expected(p, "a name");
    *out = p->t.text;
    parse_advance(p);
    return true;
}

bool parse_number(struct parser *p, int64_t *out)
{
    if (p->t.kind != LEX_NUMBER)
        return parse_expected(p, "a number");
    *out = p->t.number;
    parse_advance(p);
    return true;
}

// A reference to a node of g that was read before.
bool parse_ref(struct parser *p, const struct ir_graph *g, ir_ref *out)
{
    if (p->t.kind != LEX_REF)
        return parse_expected(p, "a node such as %5");
    if (p->t.number < 1 || (uint64_t)p->t.number >= g->nodes.n)
        return parse_fail(p, "node %%%lld is not defined yet", (long long)p->t.number);
    *out = (ir_ref)p->t.number;
    parse_advance(p);
    return true;
}

bool parse_unique(struct parser *p, const char *what, const char *owner, const char *key)
{
    bool fresh;
    const char *full = arena_printf(p->arena, "%s %zu %s %s", what, strlen(owner), owner, key);
    map_put_str(&p->seen, full, &fresh);
    return fresh || parse_fail(p, "%s `%s` is there twice", what, key);
}

// -- types, values, places -----------------------------------------------------------------------

static bool dimension(struct parser *p, struct ir_type *t)
{
    const char *text = NULL;
    if (t->rank == IR_MAX_RANK)
        return parse_fail(p, "a type has at most %d dimensions", IR_MAX_RANK);
    if (p->t.kind != LEX_NUMBER) {
        if (!parse_name(p, &text) || !parse_punct(p, '='))
            return false;
        t->name[t->rank] = ir_intern(p->m, text);
    }
    return parse_number(p, &t->dim[t->rank++]);
}

bool parse_type(struct parser *p, ir_typeid *out)
{
    struct ir_type t = {0};
    const char *text = NULL;
    if (!parse_name(p, &text))
        return false;
    if (!dtype_find(text, &t.dtype))
        return parse_fail(p, "there is no element type `%s`", text);
    if (!parse_punct(p, '['))
        return false;
    for (bool more = !parse_is_punct(p, ']'); more; more = parse_accept_punct(p, ','))
        if (!dimension(p, &t))
            return false;
    if (!parse_punct(p, ']'))
        return false;
    if (!ir_shape_ok(t.rank, t.dim))
        return parse_fail(p, "extents are from 1 up, and a tensor has at most 2^40 elements");
    *out = ir_type_make(p->m, t.dtype, t.rank, t.dim, t.name);
    return true;
}

bool parse_value(struct parser *p, const struct value **out)
{
    struct latent_error error = {0};
    if (p->t.kind != LEX_BYTES)
        return parse_expected(p, "the bytes of a value, #...");
    *out = lcb_decode(p->arena, p->t.text, p->t.n, &error);
    if (!*out)
        return parse_fail(p, "a value is no LC-B: %s", error.message ? error.message : "bad bytes");
    if ((*out)->kind != VALUE_OBJECT)
        return parse_fail(p, "expected the bytes of an object");
    parse_advance(p);
    return true;
}

// at=FILE:START:END, after the word.
bool parse_place(struct parser *p, struct span *out)
{
    int64_t x[3] = {0};
    if (!parse_punct(p, '='))
        return false;
    for (int i = 0; i < 3; i++) {
        if ((i && !parse_punct(p, ':')) || !parse_number(p, &x[i]))
            return false;
        if (x[i] < 0 || x[i] > UINT32_MAX)
            return parse_fail(p, "a place is out of range");
    }
    *out = (struct span){(uint32_t)x[0], (uint32_t)x[1], (uint32_t)x[2]};
    return true;
}

bool parse_optional_place(struct parser *p, struct span *out)
{
    return !parse_accept_punct(p, '!') || (parse_word(p, "at") && parse_place(p, out));
}
