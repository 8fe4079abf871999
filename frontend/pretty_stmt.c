// pretty_stmt.c: lays out statements and items.
#include "frontend/pretty_build.h"

#include <string.h>

// Puts a token and an expression, or nothing where there is none.
static void put_expr(struct pretty *p, struct doc_list *out, int token, enum pretty_spaces spaces,
                     const struct ast *e)
{
    if (!e)
        return;
    pretty_token(p, out, token, spaces);
    doc_add(p->arena, out, pretty_expr(p, e));
}

static void put_type(struct pretty *p, struct doc_list *out, int token, enum pretty_spaces spaces,
                     const struct ast *type)
{
    if (!type)
        return;
    pretty_token(p, out, token, spaces);
    doc_add(p->arena, out, pretty_type(p, type));
}

static const struct doc *group(struct pretty *p, const struct doc_list *list)
{
    return doc_wrap(p->arena, DOC_GROUP, doc_concat(p->arena, list));
}

// -- items ---------------------------------------------------------------------------------------

static const struct doc *import(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_token(p, &out, TOK_IMPORT, SPACE_AFTER);
    if (node->flags & AST_PATH)
        doc_add(p->arena, &out, pretty_source(p, node->name_span));
    else
        pretty_name(p, &out, node);
    put_expr(p, &out, TOK_AS, SPACED, node->kid[0]);
    return doc_concat(p->arena, &out);
}

static const struct doc *data(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_token(p, &out, TOK_DATA, SPACE_AFTER);
    pretty_name(p, &out, node);
    put_expr(p, &out, TOK_ASSIGN, SPACED, node->kid[0]);
    return doc_concat(p->arena, &out);
}

// `(formals) -> type`
static void put_signature(struct pretty *p, struct doc_list *out, const struct ast *formals,
                          const struct ast *result)
{
    doc_add(p->arena, out, pretty_formals(p, formals));
    put_type(p, out, TOK_ARROW, SPACED, result);
}

const struct doc *pretty_function(struct pretty *p, const struct ast *fn)
{
    struct doc_list out = {0};
    const struct ast *body = fn->kid[2], *backward = fn->kid[3];
    unsigned style = fn->text_len ? BLOCK_VALUE : BLOCK_VALUE | BLOCK_FLAT;
    pretty_hoist(p, fn->span.start);
    pretty_token(p, &out, TOK_FN, SPACE_AFTER);
    pretty_name(p, &out, fn);
    put_signature(p, &out, fn->kid[0], fn->kid[1]);
    pretty_space(p, &out);
    doc_add(p->arena, &out, pretty_block(p, body, style));
    if (backward) {
        pretty_token(p, &out, TOK_BACKWARD, SPACED);
        put_signature(p, &out, backward->kid[0], NULL);
        pretty_space(p, &out);
        doc_add(p->arena, &out, pretty_block(p, backward->kid[1], style));
    }
    return group(p, &out);
}

// `contract 1001 Person(fields)`
static const struct doc *schema(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    const char *number = arena_printf(p->arena, "%lld ", (long long)node->as.integer);
    pretty_token(p, &out, TOK_CONTRACT, SPACE_AFTER);
    doc_add(p->arena, &out, doc_text(p->arena, number, strlen(number)));
    pretty_name(p, &out, node);
    doc_add(p->arena, &out, pretty_formals(p, node->kid[0]));
    return group(p, &out);
}

static const struct doc *function(struct pretty *p, const struct ast *node)
{
    return pretty_function(p, node);
}

static void put_clause_start(struct pretty *p, struct doc_list *out, uint32_t start)
{
    doc_add(p->arena, out, pretty_aside(p, start));
    pretty_comments_after(p, start, out);
    doc_add(p->arena, out, doc_leaf(DOC_LINE));
}

// Whether braces may stand in an expression: behind them a line end ends a header.
static bool has_braces(const struct ast *e)
{
    bool braces = e && (e->kind == AST_OBJECT || e->kind == AST_CONTRACT || e->kind == AST_FN ||
                        e->kind == AST_IF);
    for (uint32_t i = 0; e && i < e->nkids && !braces; i++)
        braces = has_braces(e->kid[i]);
    return braces;
}

// The clauses after an entry's signature go to lines of their own together.
static const struct doc *entry_clauses(struct pretty *p, const struct ast *plan,
                                       const struct ast *using)
{
    struct doc_list out = {0};
    if (plan) {
        put_clause_start(p, &out, plan->span.start);
        pretty_token(p, &out, TOK_FOR, SPACE_AFTER);
        pretty_name(p, &out, plan);
        put_expr(p, &out, TOK_IN, SPACED, plan->kid[0]);
    }
    if (using) {
        if (plan && has_braces(plan->kid[0]))
            pretty_space(p, &out);
        else
            put_clause_start(p, &out, using->span.start);
        put_expr(p, &out, TOK_USING, SPACE_AFTER, using);
    }
    return doc_wrap(p->arena, DOC_INDENT, doc_concat(p->arena, &out));
}

static const struct doc *entry(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0}, header = {0};
    pretty_token(p, &header, TOK_ENTRY, SPACE_AFTER);
    pretty_name(p, &header, node);
    put_signature(p, &header, node->kid[0], node->kid[1]);
    if (node->kid[2] || node->kid[3])
        doc_add(p->arena, &header, entry_clauses(p, node->kid[2], node->kid[3]));
    pretty_space(p, &header);
    doc_add(p->arena, &out, group(p, &header));
    doc_add(p->arena, &out, pretty_block(p, node->kid[4], 0));
    return group(p, &out);
}

// -- statements ----------------------------------------------------------------------------------

static const struct doc *binding(struct pretty *p, int word, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_token(p, &out, word, SPACE_AFTER);
    pretty_name(p, &out, node);
    put_type(p, &out, TOK_COLON, SPACE_AFTER, node->kid[0]);
    put_expr(p, &out, TOK_ASSIGN, SPACED, node->kid[1]);
    return doc_concat(p->arena, &out);
}

static const struct doc *let(struct pretty *p, const struct ast *node)
{
    return binding(p, TOK_LET, node);
}

static const struct doc *var(struct pretty *p, const struct ast *node)
{
    return binding(p, TOK_VAR, node);
}

static const struct doc *assign(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_name(p, &out, node);
    put_expr(p, &out, TOK_ASSIGN, SPACED, node->kid[0]);
    return doc_concat(p->arena, &out);
}

static const struct doc *update(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    doc_add(p->arena, &out, pretty_expr(p, node->kid[0]));
    put_expr(p, &out, TOK_UPDATE, SPACED, node->kid[1]);
    return doc_concat(p->arena, &out);
}

static const struct doc *variables(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0}, more = {0};
    uint32_t names = node->nkids - 2;
    if (node->flags & AST_SHARE)
        pretty_token(p, &out, TOK_SHARE, SPACE_AFTER);
    pretty_token(p, &out, node->flags & AST_STATE ? TOK_STATE : TOK_PARAM, SPACE_AFTER);
    pretty_name(p, &out, node->kid[0]);
    for (uint32_t i = 1; i < names; i++) {
        pretty_token(p, &more, TOK_COMMA, TIGHT);
        doc_add(p->arena, &more, doc_leaf(DOC_LINE));
        pretty_name(p, &more, node->kid[i]);
    }
    if (names > 1)
        doc_add(p->arena, &out, doc_wrap(p->arena, DOC_INDENT, group(p, &more)));
    put_type(p, &out, TOK_COLON, SPACE_AFTER, node->kid[names]);
    put_expr(p, &out, TOK_ASSIGN, SPACED, node->kid[names + 1]);
    return doc_concat(p->arena, &out);
}

static const struct doc *loop(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_token(p, &out, TOK_FOR, SPACE_AFTER);
    if (node->kid[0]) {
        pretty_name(p, &out, node->kid[0]);
        pretty_token(p, &out, TOK_COMMA, SPACE_AFTER);
    }
    pretty_name(p, &out, node);
    put_expr(p, &out, TOK_IN, SPACED, node->kid[1]);
    pretty_space(p, &out);
    doc_add(p->arena, &out, pretty_block(p, node->kid[2], 0));
    return doc_concat(p->arena, &out);
}

static const struct doc *give_back(struct pretty *p, const struct ast *node)
{
    struct doc_list out = {0};
    pretty_token(p, &out, TOK_RETURN, TIGHT);
    if (node->kid[0]) {
        pretty_space(p, &out);
        doc_add(p->arena, &out, pretty_expr(p, node->kid[0]));
    }
    return doc_concat(p->arena, &out);
}

static const struct doc *expression(struct pretty *p, const struct ast *node)
{
    return pretty_expr(p, node->kid[0]);
}

// `else`, after the comments between it and the `}` before it.
static void put_else(struct pretty *p, struct doc_list *out, uint32_t start)
{
    const struct doc *aside = pretty_aside(p, start);
    bool comments = aside || pretty_pending(p, start);
    doc_add(p->arena, out, aside);
    pretty_comments_after(p, start, out);
    if (comments)
        doc_add(p->arena, out, doc_leaf(DOC_HARD));
    pretty_token(p, out, TOK_ELSE, comments ? SPACE_AFTER : SPACED);
}

const struct doc *pretty_if(struct pretty *p, const struct ast *node, unsigned style)
{
    struct doc_list out = {0};
    for (;;) {
        put_expr(p, &out, TOK_IF, SPACE_AFTER, node->kid[0]);
        pretty_space(p, &out);
        doc_add(p->arena, &out, pretty_block(p, node->kid[1], style));
        const struct ast *other = node->kid[2];
        if (!other)
            break;
        put_else(p, &out, other->span.start);
        if (other->kind != AST_IF) {
            doc_add(p->arena, &out, pretty_block(p, other, style));
            break;
        }
        node = other;
    }
    return group(p, &out);
}

static bool always_has_value(const struct ast *node)
{
    while (node && node->kind == AST_IF)
        node = node->kid[2];
    return node != NULL;
}

// -- all of them ---------------------------------------------------------------------------------

static const struct doc *bare_statement(struct pretty *p, const struct ast *node, bool value)
{
    static const struct doc *(*const rule[AST_KIND_COUNT])(struct pretty *, const struct ast *) = {
        [AST_IMPORT] = import, [AST_DATA] = data,        [AST_ENTRY] = entry,
        [AST_FN] = function,   [AST_LET] = let,          [AST_VAR] = var,
        [AST_ASSIGN] = assign, [AST_UPDATE] = update,    [AST_PARAM] = variables,
        [AST_FOR] = loop,      [AST_RETURN] = give_back, [AST_EXPR] = expression,
        [AST_SCHEMA] = schema,
    };
    if (node->kind != AST_IF)
        return rule[node->kind](p, node);
    return pretty_if(p, node, value && always_has_value(node) ? BLOCK_VALUE | BLOCK_FLAT : 0);
}

static bool wants_semicolon(const struct ast *node, bool value)
{
    switch (node->kind) {
    case AST_FN:
    case AST_ENTRY:
    case AST_FOR:
    case AST_IF: return false;
    case AST_EXPR: return !value;
    default: return true;
    }
}

const struct doc *pretty_statement(struct pretty *p, const struct ast *node, bool value)
{
    struct doc_list above = {0}, *outer = p->above;
    p->above = &above;
    const struct doc *bare = bare_statement(p, node, value);
    // What is left stood where no comment is kept: the last one may follow the statement.
    const struct ast_comment *c;
    while ((c = pretty_pending(p, node->span.end)) != NULL) {
        bool last = p->next + 1 == p->file->comments.n || c[1].span.start >= node->span.end;
        if (last && !c->own_line)
            break;
        doc_add(p->arena, &above, pretty_comment(p));
        doc_add(p->arena, &above, doc_leaf(DOC_HARD));
    }
    p->above = outer;
    doc_add(p->arena, &above, bare);
    if (wants_semicolon(node, value))
        pretty_token(p, &above, TOK_SEMI, TIGHT);
    return doc_concat(p->arena, &above);
}
