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

static const uint8_t operator_level[] = {
    [AST_OR] = LEVEL_OR,      [AST_AND] = LEVEL_AND,    [AST_NOT] = LEVEL_NOT,
    [AST_EQ] = LEVEL_COMPARE, [AST_NE] = LEVEL_COMPARE, [AST_LT] = LEVEL_COMPARE,
    [AST_LE] = LEVEL_COMPARE, [AST_GT] = LEVEL_COMPARE, [AST_GE] = LEVEL_COMPARE,
    [AST_ADD] = LEVEL_ADD,    [AST_SUB] = LEVEL_ADD,    [AST_MUL] = LEVEL_MUL,
    [AST_DIV] = LEVEL_MUL,    [AST_REM] = LEVEL_MUL,    [AST_MATMUL] = LEVEL_MUL,
    [AST_NEG] = LEVEL_NEG,    [AST_POW] = LEVEL_POW,
};

static enum level level_of(const struct ast *e)
{
    if (e->kind == AST_BINARY || e->kind == AST_UNARY)
        return operator_level[e->op];
    return e->kind == AST_AS ? LEVEL_AS : LEVEL_POSTFIX;
}

// -- parts ---------------------------------------------------------------------------------------

struct doc *pretty_source(struct pretty *p, struct span span)
{
    return doc_text(p->arena, p->source->text + span.start, span.end - span.start);
}

static struct doc *node_text(struct pretty *p, const struct ast *e)
{
    return doc_text(p->arena, e->text, e->text_len);
}

// Numbers and bytes are written in lower case.
static struct doc *lower_text(struct pretty *p, const char *text, size_t n)
{
    char *copy = arena_copy(p->arena, text, n);
    for (size_t i = 0; i < n; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return doc_text(p->arena, copy, n);
}

static struct doc *in_parentheses(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0}, body = {0};
    doc_puts(p->arena, &out, "(");
    doc_add(p->arena, &body, doc_leaf(p->arena, DOC_SOFT));
    doc_add(p->arena, &body, pretty_expr(p, e));
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &body)));
    doc_add(p->arena, &out, doc_leaf(p->arena, DOC_SOFT));
    doc_puts(p->arena, &out, ")");
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

// An operand: in parentheses where the grammar needs them, and where an operation was written in
// them.
static struct doc *operand(struct pretty *p, const struct ast *e, enum level least)
{
    bool operation = level_of(e) < LEVEL_POSTFIX || e->kind == AST_IF || e->kind == AST_FN;
    if (level_of(e) < least || (operation && (e->flags & AST_PARENS)))
        return in_parentheses(p, e);
    return pretty_expr(p, e);
}

// -- operators -----------------------------------------------------------------------------------

static struct doc *unary(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    bool neg = e->op == AST_NEG;
    doc_puts(p->arena, &out, neg ? "-" : "not ");
    doc_add(p->arena, &out, operand(p, e->kid[0], neg ? LEVEL_POW : LEVEL_NOT));
    return doc_concat(p->arena, &out);
}

// The operator and the comments behind it, up to the right operand.
static void put_operator(struct pretty *p, const struct ast *e, struct doc_list *out)
{
    uint32_t start = e->kid[1]->span.start;
    doc_puts(p->arena, out, " ");
    doc_puts(p->arena, out, ast_operator_text(e->op));
    doc_add(p->arena, out, pretty_aside(p, start));
    pretty_comments_after(p, start, out);
    doc_add(p->arena, out, doc_leaf(p->arena, DOC_LINE));
}

static struct doc *chain(struct pretty *p, struct doc *first, const struct doc_list *rest)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, first);
    doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, rest)));
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, &out));
}

// a ** b ** c: to the right, and a sign on the right needs no parentheses.
static struct doc *power(struct pretty *p, const struct ast *e)
{
    struct doc_list rest = {0};
    struct doc *first = operand(p, e->kid[0], LEVEL_POW + 1);
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
static struct doc *binary(struct pretty *p, const struct ast *e)
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
    struct doc *first = operand(p, left, chains(level) ? level : level + 1);
    while (spine.n) {
        e = vec_pop(&spine);
        put_operator(p, e, &rest);
        doc_add(p->arena, &rest, operand(p, e->kid[1], level + 1));
    }
    return chain(p, first, &rest);
}

// -- postfix -------------------------------------------------------------------------------------

static struct doc *after_base(struct pretty *p, const struct ast *e, const char *open,
                              const char *close, bool hug)
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

static struct doc *call(struct pretty *p, const struct ast *e)
{
    return after_base(p, e, "(", ")", true);
}

static struct doc *subscript(struct pretty *p, const struct ast *e)
{
    return after_base(p, e, "[", "]", false);
}

static struct doc *member(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_POSTFIX));
    doc_puts(p->arena, &out, ".");
    doc_add(p->arena, &out, node_text(p, e));
    return doc_concat(p->arena, &out);
}

static void put_segment(struct pretty *p, const struct ast *segment, struct doc_list *out)
{
    doc_add(p->arena, out, node_text(p, segment));
    for (uint32_t i = 0; i < segment->nkids; i++) {
        doc_puts(p->arena, out, "[");
        doc_add(p->arena, out, pretty_expr(p, segment->kid[i]));
        doc_puts(p->arena, out, "]");
    }
}

static struct doc *scoped(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_POSTFIX));
    for (uint32_t i = 1; i < e->nkids; i++) {
        doc_puts(p->arena, &out, i == 1 ? " as " : ".");
        put_segment(p, e->kid[i], &out);
    }
    return doc_concat(p->arena, &out);
}

static struct doc *range(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    if (e->kid[0])
        doc_add(p->arena, &out, operand(p, e->kid[0], LEVEL_OR));
    doc_puts(p->arena, &out, "..");
    if (e->kid[1])
        doc_add(p->arena, &out, operand(p, e->kid[1], LEVEL_OR));
    return doc_concat(p->arena, &out);
}

// -- literals ------------------------------------------------------------------------------------

static struct doc *name(struct pretty *p, const struct ast *e)
{
    return node_text(p, e);
}

static struct doc *null(struct pretty *p, const struct ast *e)
{
    (void)e;
    return doc_string(p->arena, "null");
}

static struct doc *boolean(struct pretty *p, const struct ast *e)
{
    return doc_string(p->arena, e->as.integer ? "true" : "false");
}

static struct doc *number(struct pretty *p, const struct ast *e)
{
    return lower_text(p, e->text, e->text_len);
}

static struct doc *text(struct pretty *p, const struct ast *e)
{
    return pretty_source(p, e->span);
}

static struct doc *bytes(struct pretty *p, const struct ast *e)
{
    return lower_text(p, p->source->text + e->span.start, e->span.end - e->span.start);
}

static bool is_number(const struct ast *e)
{
    if (e->kind == AST_UNARY && e->op == AST_NEG)
        e = e->kid[0];
    return e->kind == AST_INT || e->kind == AST_FLOAT;
}

static struct doc *array(struct pretty *p, const struct ast *e)
{
    pretty_hoist(p, e->span.start);
    struct pretty_list list = {.open = "[",
                               .close = "]",
                               .kid = e->kid,
                               .n = e->nkids,
                               .end = e->span.end,
                               .fill = !pretty_pending(p, e->span.end)};
    for (uint32_t i = 0; i < e->nkids && list.fill; i++)
        list.fill = is_number(e->kid[i]);
    return pretty_list(p, &list);
}

static struct doc *object(struct pretty *p, const struct ast *e)
{
    pretty_hoist(p, e->span.start);
    struct pretty_list list = {
        .open = "{", .close = "}", .pad = true, .kid = e->kid, .n = e->nkids, .end = e->span.end};
    return pretty_list(p, &list);
}

static struct doc *contract(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    doc_puts(p->arena, &out, e->flags & AST_AT ? "@" : "contract ");
    doc_add(p->arena, &out, number(p, e));
    doc_puts(p->arena, &out, " ");
    doc_add(p->arena, &out, object(p, e));
    return doc_concat(p->arena, &out);
}

// -- what has a name and a value -----------------------------------------------------------------

static struct doc *labelled(struct pretty *p, struct doc *label, const struct ast *value)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, label);
    doc_puts(p->arena, &out, ": ");
    doc_add(p->arena, &out, pretty_expr(p, value));
    return doc_concat(p->arena, &out);
}

static struct doc *field(struct pretty *p, const struct ast *e)
{
    struct doc *key = e->flags & AST_QUOTED ? pretty_source(p, e->name_span) : node_text(p, e);
    return labelled(p, key, e->kid[0]);
}

static struct doc *argument(struct pretty *p, const struct ast *e)
{
    return e->text_len ? labelled(p, node_text(p, e), e->kid[0]) : pretty_expr(p, e->kid[0]);
}

static struct doc *formal(struct pretty *p, const struct ast *e)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, node_text(p, e));
    if (e->kid[0]) {
        doc_puts(p->arena, &out, ": ");
        doc_add(p->arena, &out, pretty_type(p, e->kid[0]));
    }
    if (e->kid[1]) {
        doc_puts(p->arena, &out, " = ");
        doc_add(p->arena, &out, pretty_expr(p, e->kid[1]));
    }
    return doc_concat(p->arena, &out);
}

struct doc *pretty_formals(struct pretty *p, const struct ast *formals)
{
    pretty_hoist(p, formals->span.start);
    struct pretty_list list = {.open = "(",
                               .close = ")",
                               .kid = formals->kid,
                               .n = formals->nkids,
                               .end = formals->span.end};
    return pretty_list(p, &list);
}

struct doc *pretty_type(struct pretty *p, const struct ast *type)
{
    if (!(type->flags & AST_SHAPED))
        return node_text(p, type);
    struct doc_list out = {0};
    doc_add(p->arena, &out, node_text(p, type));
    pretty_hoist(p, type->name_span.end);
    struct pretty_list list = {
        .open = "[", .close = "]", .kid = type->kid, .n = type->nkids, .end = type->span.end};
    doc_add(p->arena, &out, pretty_list(p, &list));
    return doc_concat(p->arena, &out);
}

static struct doc *closure(struct pretty *p, const struct ast *e)
{
    return pretty_function(p, "fn ", e);
}

static struct doc *conditional(struct pretty *p, const struct ast *e)
{
    return pretty_if(p, e, BLOCK_VALUE | BLOCK_FLAT);
}

struct doc *pretty_expr(struct pretty *p, const struct ast *e)
{
    static struct doc *(*const rule[AST_KIND_COUNT])(struct pretty *, const struct ast *) = {
        [AST_FORMAL] = formal, [AST_FN] = closure,        [AST_IF] = conditional,
        [AST_NAME] = name,     [AST_NULL_] = null,        [AST_BOOL] = boolean,
        [AST_INT] = number,    [AST_FLOAT] = number,      [AST_TEXT] = text,
        [AST_BYTES] = bytes,   [AST_HANDLE] = name,       [AST_ARRAY] = array,
        [AST_OBJECT] = object, [AST_CONTRACT] = contract, [AST_FIELD] = field,
        [AST_UNARY] = unary,   [AST_BINARY] = binary,     [AST_CALL] = call,
        [AST_ARG] = argument,  [AST_INDEX] = subscript,   [AST_RANGE] = range,
        [AST_MEMBER] = member, [AST_AS] = scoped,
    };
    return rule[e->kind](p, e);
}
