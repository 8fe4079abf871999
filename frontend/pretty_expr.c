// pretty_expr.c: lays out expressions and types.
#include "frontend/pretty_build.h"

#include <string.h>

enum level {
    LEVEL_WHOLE, // anything goes
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_ADD,
    LEVEL_MUL,
    LEVEL_NEG,
    LEVEL_POW,
    LEVEL_AS,
    LEVEL_POSTFIX
};

static const struct {
    uint8_t level;
    int16_t token;
} operators[] = {
    [AST_OR] = {LEVEL_OR, TOK_OR},          [AST_AND] = {LEVEL_AND, TOK_AND},
    [AST_NOT] = {LEVEL_NOT, TOK_NOT},       [AST_EQ] = {LEVEL_COMPARE, TOK_EQ},
    [AST_NE] = {LEVEL_COMPARE, TOK_NE},     [AST_LT] = {LEVEL_COMPARE, TOK_LT},
    [AST_LE] = {LEVEL_COMPARE, TOK_LE},     [AST_GT] = {LEVEL_COMPARE, TOK_GT},
    [AST_GE] = {LEVEL_COMPARE, TOK_GE},     [AST_ADD] = {LEVEL_ADD, TOK_PLUS},
    [AST_SUB] = {LEVEL_ADD, TOK_MINUS},     [AST_MUL] = {LEVEL_MUL, TOK_STAR},
    [AST_DIV] = {LEVEL_MUL, TOK_SLASH},     [AST_REM] = {LEVEL_MUL, TOK_PERCENT},
    [AST_MATMUL] = {LEVEL_MUL, TOK_MATMUL}, [AST_NEG] = {LEVEL_NEG, TOK_MINUS},
    [AST_POW] = {LEVEL_POW, TOK_POWER},
};

static enum level level_of(const struct ast *e)
{
    if (e->kind == AST_BINARY || e->kind == AST_UNARY)
        return operators[e->op].level;
    return e->kind == AST_AS ? LEVEL_AS : LEVEL_POSTFIX;
}

// -- parts ---------------------------------------------------------------------------------------

const struct doc *pretty_source(struct pretty *p, struct span span)
{
    return doc_text(p->arena, p->source->text + span.start, span.end - span.start);
}

static const struct doc *in_parentheses(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0}, body = {0};
    pretty_token(p, &out, TOK_LPAREN, TIGHT);
    doc_add(p->arena, &body, doc_leaf(DOC_SOFT));
    doc_add(p->arena, &body, pretty_expr(p, e));
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &body)));
    doc_add(p->arena, &out, doc_leaf(DOC_SOFT));
    pretty_token(p, &out, TOK_RPAREN, TIGHT);
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

// An operand: in parentheses where the grammar needs them, and where an operation was written in
// them.
static const struct doc *operand(struct pretty *p, const struct ast *e, enum level least)
{
    bool operation = level_of(e) < LEVEL_POSTFIX || e->kind == AST_IF || e->kind == AST_FN;
    if (level_of(e) < least || (operation && (e->flags & AST_PARENS)))
        return in_parentheses(p, e);
    return pretty_expr(p, e);
}

// -- operators -----------------------------------------------------------------------------------

static const struct doc *unary(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    bool neg = e->op == AST_NEG;
    pretty_token(p, &out, neg ? TOK_MINUS : TOK_NOT, neg ? TIGHT : SPACE_AFTER);
    doc_add(p->arena, &out, operand(p, e->kid[0], neg ? LEVEL_POW : LEVEL_NOT));
    return doc_concat(p->arena, &out);
}

// The operator and the comments behind it, up to the right operand.
static void put_operator(struct pretty *p, const struct ast *e, struct doc_list *out)
{
    uint32_t start = e->kid[1]->span.start;
    pretty_token(p, out, operators[e->op].token, SPACE_BEFORE);
    doc_add(p->arena, out, pretty_aside(p, start));
    pretty_comments_after(p, start, out);
    doc_add(p->arena, out, doc_leaf(DOC_LINE));
}

static const struct doc *chain(struct pretty *p, const struct doc *first,
                               const struct doc_list *rest)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, first);
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, rest)));
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

// a ** b ** c: to the right, and a sign on the right needs no parentheses.
static const struct doc *power(struct pretty *p, const struct ast *e)
{
    struct doc_list rest = {0};
    const struct doc *first = operand(p, e->kid[0], LEVEL_POW + 1);
    for (;;) {
        const struct ast *right = e->kid[1];
        bool more = right->kind == AST_BINARY && right->op == AST_POW;
        put_operator(p, e, &rest);
        if (!more || (right->flags & AST_PARENS)) {
            doc_add(p->arena, &rest, operand(p, right, LEVEL_NEG));
            return chain(p, first, &rest);
        }
        doc_add(p->arena, &rest, operand(p, right->kid[0], LEVEL_POW + 1));
        e = right;
    }
}

static bool chains(enum level level)
{
    return level == LEVEL_OR || level == LEVEL_AND || level == LEVEL_ADD || level == LEVEL_MUL;
}

// a + b - c is one chain: its operators break together.
static const struct doc *binary(struct pretty *p, const struct ast *e)
{
    VEC(const struct ast *) spine = {0};
    struct doc_list rest = {0};
    enum level level = level_of(e);
    const struct ast *left = e;
    if (level == LEVEL_POW)
        return power(p, e);
    do {
        vec_push(p->arena, &spine, left);
        left = left->kid[0];
    } while (chains(level) && left->kind == AST_BINARY && level_of(left) == level &&
             !(left->flags & AST_PARENS));
    const struct doc *first = operand(p, left, chains(level) ? level : level + 1);
    while (spine.n) {
        e = vec_pop(&spine);
        put_operator(p, e, &rest);
        doc_add(p->arena, &rest, operand(p, e->kid[1], level + 1));
    }
    return chain(p, first, &rest);
}

// -- postfix -------------------------------------------------------------------------------------

static const struct doc *after_base(struct pretty *p, const struct ast *e, int open, int close,
                                    bool hug)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_POSTFIX));
    pretty_hoist(p, e->kid[0]->span.end);
    struct pretty_list list = {.open = open,
                               .close = close,
                               .hug = hug,
                               .kid = e->kid + 1,
                               .n = e->nkids - 1,
                               .end = e->span.end};
    doc_add(p->arena, &out, pretty_list(p, &list));
    return doc_concat(p->arena, &out);
}

static const struct doc *call(struct pretty *p, const struct ast *e)
{
    return after_base(p, e, TOK_LPAREN, TOK_RPAREN, true);
}

static const struct doc *subscript(struct pretty *p, const struct ast *e)
{
    return after_base(p, e, TOK_LBRACKET, TOK_RBRACKET, false);
}

static const struct doc *member(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    const struct doc *pair = pretty_pair(p, e);
    if (pair)
        return pair;
    doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_POSTFIX));
    pretty_token(p, &out, TOK_DOT, TIGHT);
    pretty_name(p, &out, e);
    return doc_concat(p->arena, &out);
}

static void put_segment(struct pretty *p, const struct ast *segment, struct doc_list *out)
{
    pretty_name(p, out, segment);
    for (uint32_t i = 0; i < segment->nkids; i++) {
        pretty_token(p, out, TOK_LBRACKET, TIGHT);
        doc_add(p->arena, out, pretty_expr(p, segment->kid[i]));
        pretty_token(p, out, TOK_RBRACKET, TIGHT);
    }
}

static const struct doc *scoped(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_POSTFIX));
    for (uint32_t i = 1; i < e->nkids; i++) {
        pretty_token(p, &out, i == 1 ? TOK_AS : TOK_DOT, i == 1 ? SPACED : TIGHT);
        put_segment(p, e->kid[i], &out);
    }
    return doc_concat(p->arena, &out);
}

static const struct doc *range(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    if (e->kid[0])
        doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_OR));
    pretty_token(p, &out, TOK_RANGE, TIGHT);
    if (e->kid[1])
        doc_add(p->arena, &out, operand(p, e->kid[1], LEVEL_OR));
    return doc_concat(p->arena, &out);
}

// -- literals ------------------------------------------------------------------------------------

static const struct doc *name(struct pretty *p, const struct ast *e)
{
    return pretty_word(p, e->text, e->text_len);
}

static const struct doc *null(struct pretty *p, const struct ast *e)
{
    (void)e;
    return &p->token[TOK_NULL - TOK_NAME];
}

static const struct doc *boolean(struct pretty *p, const struct ast *e)
{
    return &p->token[(e->as.integer ? TOK_TRUE : TOK_FALSE) - TOK_NAME];
}

static const struct doc *text(struct pretty *p, const struct ast *e)
{
    return pretty_source(p, e->span);
}

static bool is_number(const struct ast *e)
{
    if (e->kind == AST_UNARY && e->op == AST_NEG)
        e = e->kid[0];
    return e->kind == AST_INT || e->kind == AST_FLOAT;
}

static const struct doc *array(struct pretty *p, const struct ast *e)
{
    pretty_hoist(p, e->span.start);
    struct pretty_list list = {.open = TOK_LBRACKET,
                               .close = TOK_RBRACKET,
                               .kid = e->kid,
                               .n = e->nkids,
                               .end = e->span.end,
                               .fill = !pretty_pending(p, e->span.end)};
    for (uint32_t i = 0; i < e->nkids && list.fill; i++)
        list.fill = is_number(e->kid[i]);
    return pretty_list(p, &list);
}

static const struct doc *object(struct pretty *p, const struct ast *e)
{
    pretty_hoist(p, e->span.start);
    struct pretty_list list = {.open = TOK_LBRACE,
                               .close = TOK_RBRACE,
                               .pad = true,
                               .kid = e->kid,
                               .n = e->nkids,
                               .end = e->span.end};
    return pretty_list(p, &list);
}

// A key and its value behind the mark; the space parts what could run together.
static const struct doc *marked_field(struct pretty *p, const struct ast *field)
{
    static const struct doc space = {.kind = DOC_TEXT, .width = 1, .n = 1, .as.text = " "};
    struct doc_list out = {0};
    if (field->text[0] != '@' || (field->flags & AST_QUOTED))
        pretty_token(p, &out, TOK_FIELD, TIGHT);
    doc_add(p->arena, &out, pretty_key(p, field));
    doc_add(p->arena, &out, &space);
    doc_add(p->arena, &out, pretty_expr(p, field->kid[0]));
    return doc_concat(p->arena, &out);
}

// `🜊902🜁0 "test"🜁1 ⟁shader🜂`
static const struct doc *marked_contract(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    pretty_hoist(p, e->span.start);
    pretty_token(p, &out, TOK_CONTRACT, TIGHT);
    doc_add(p->arena, &out, pretty_number(p, e));
    doc_add(p->arena, &out, pretty_aside(p, e->nkids ? e->kid[0]->span.start : e->span.end));
    for (uint32_t i = 0; i < e->nkids; i++) {
        uint32_t reach = i + 1 < e->nkids ? e->kid[i + 1]->span.start : e->span.end;
        doc_add(p->arena, &out, doc_leaf(DOC_SOFT));
        pretty_comments_above(p, e->kid[i]->span.start, &out);
        doc_add(p->arena, &out, marked_field(p, e->kid[i]));
        doc_add(p->arena, &out, pretty_aside(p, reach));
    }
    pretty_comments_after(p, e->span.end, &out);
    pretty_token(p, &out, TOK_END, TIGHT);
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

static const struct doc *contract(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    if (p->runic && !(e->flags & AST_AT))
        return marked_contract(p, e);
    if (e->flags & AST_AT)
        pretty_token(p, &out, TOK_FIELD, TIGHT);
    else
        pretty_token(p, &out, TOK_CONTRACT, SPACE_AFTER);
    doc_add(p->arena, &out, pretty_number(p, e));
    pretty_space(p, &out);
    doc_add(p->arena, &out, object(p, e));
    return doc_concat(p->arena, &out);
}

// -- what has a name and a value -----------------------------------------------------------------

static const struct doc *labelled(struct pretty *p, const struct doc *label,
                                  const struct ast *value)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, label);
    pretty_token(p, &out, TOK_COLON, SPACE_AFTER);
    doc_add(p->arena, &out, pretty_expr(p, value));
    return doc_concat(p->arena, &out);
}

static const struct doc *field(struct pretty *p, const struct ast *e)
{
    return labelled(p, pretty_key(p, e), e->kid[0]);
}

static const struct doc *argument(struct pretty *p, const struct ast *e)
{
    return e->text_len ? labelled(p, name(p, e), e->kid[0]) : pretty_expr(p, e->kid[0]);
}

static const struct doc *formal(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    pretty_name(p, &out, e);
    if (e->kid[0]) {
        pretty_token(p, &out, TOK_COLON, SPACE_AFTER);
        doc_add(p->arena, &out, pretty_type(p, e->kid[0]));
    }
    if (e->kid[1]) {
        pretty_token(p, &out, TOK_ASSIGN, SPACED);
        doc_add(p->arena, &out, pretty_expr(p, e->kid[1]));
    }
    return doc_concat(p->arena, &out);
}

const struct doc *pretty_formals(struct pretty *p, const struct ast *formals)
{
    pretty_hoist(p, formals->span.start);
    struct pretty_list list = {.open = TOK_LPAREN,
                               .close = TOK_RPAREN,
                               .kid = formals->kid,
                               .n = formals->nkids,
                               .end = formals->span.end};
    return pretty_list(p, &list);
}

const struct doc *pretty_type(struct pretty *p, const struct ast *type)
{
    if (!(type->flags & AST_SHAPED))
        return name(p, type);
    struct doc_list out = {0};
    pretty_name(p, &out, type);
    pretty_hoist(p, type->name_span.end);
    struct pretty_list list = {.open = TOK_LBRACKET,
                               .close = TOK_RBRACKET,
                               .kid = type->kid,
                               .n = type->nkids,
                               .end = type->span.end};
    doc_add(p->arena, &out, pretty_list(p, &list));
    return doc_concat(p->arena, &out);
}

static const struct doc *closure(struct pretty *p, const struct ast *e)
{
    return pretty_function(p, e);
}

static const struct doc *conditional(struct pretty *p, const struct ast *e)
{
    return pretty_if(p, e, BLOCK_VALUE | BLOCK_FLAT);
}

const struct doc *pretty_expr(struct pretty *p, const struct ast *e)
{
    static const struct doc *(*const rule[AST_KIND_COUNT])(struct pretty *, const struct ast *) = {
        [AST_FORMAL] = formal,
        [AST_FN] = closure,
        [AST_IF] = conditional,
        [AST_NAME] = name,
        [AST_NULL_] = null,
        [AST_BOOL] = boolean,
        [AST_INT] = pretty_number,
        [AST_FLOAT] = pretty_number,
        [AST_TEXT] = text,
        [AST_BYTES] = pretty_bytes,
        [AST_HANDLE] = pretty_handle,
        [AST_ARRAY] = array,
        [AST_OBJECT] = object,
        [AST_CONTRACT] = contract,
        [AST_FIELD] = field,
        [AST_UNARY] = unary,
        [AST_BINARY] = binary,
        [AST_CALL] = call,
        [AST_ARG] = argument,
        [AST_INDEX] = subscript,
        [AST_RANGE] = range,
        [AST_MEMBER] = member,
        [AST_AS] = scoped,
    };
    return rule[e->kind](p, e);
}
