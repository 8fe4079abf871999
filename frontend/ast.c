// ast.c: builds the nodes of the syntax tree for the grammar's actions.
#include "frontend/ast_build.h"

#include <string.h>

#include "frontend/syntax_error.h"

static const char *const kind_names[] = {
#define AST(id, name, doc) name,
#include "frontend/ast.def"
#undef AST
};

static const char *const operator_texts[] = {
    [AST_OR] = "or", [AST_AND] = "and", [AST_NOT] = "not", [AST_EQ] = "==", [AST_NE] = "!=",
    [AST_LT] = "<",  [AST_LE] = "<=",   [AST_GT] = ">",    [AST_GE] = ">=", [AST_ADD] = "+",
    [AST_SUB] = "-", [AST_MUL] = "*",   [AST_DIV] = "/",   [AST_REM] = "%", [AST_MATMUL] = "@",
    [AST_NEG] = "-", [AST_POW] = "**",
};

const char *ast_kind_name(enum ast_kind kind)
{
    return kind_names[kind];
}

const char *ast_operator_text(enum ast_operator op)
{
    return operator_texts[op];
}

struct ast *ast_leaf(struct parser *p, enum ast_kind kind, struct span span)
{
    struct ast *node = arena_new(p->arena, struct ast);
    node->kind = (uint8_t)kind;
    node->span = node->name_span = span;
    node->text = "";
    node->depth = 1;
    return node;
}

static void too_deep(struct parser *p, struct span at)
{
    if (p->scan->stopped)
        return;
    struct diag *g = diag_error(p->diags, at, "E_DEPTH_EXCEEDED",
                                "operators and blocks are nested more than %d deep", AST_MAX_DEPTH);
    diag_help(g, "give inner parts a name with %s", syntax_shown(p->scan, "let"));
    scan_stop(p->scan);
}

static void deepen(struct parser *p, struct ast *node, const struct ast *kid)
{
    if (!kid || kid->depth < node->depth)
        return;
    node->depth = kid->depth + 1;
    if (node->depth > AST_MAX_DEPTH)
        too_deep(p, kid->span);
}

struct ast *ast_node_(struct parser *p, enum ast_kind kind, struct span span, size_t n,
                      struct ast **kid)
{
    struct ast *node = ast_leaf(p, kind, span);
    node->kid = arena_array(p->arena, n, sizeof *kid);
    memcpy(node->kid, kid, n * sizeof *kid);
    node->nkids = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        deepen(p, node, kid[i]);
    return node;
}

struct ast *ast_named(struct ast *node, const struct ast *name)
{
    node->text = name->text;
    node->text_len = name->text_len;
    node->name_span = name->span;
    return node;
}

struct ast *ast_add(struct parser *p, struct ast *list, struct ast *kid)
{
    size_t n = list->nkids, word = sizeof *list->kid;
    if ((n & (n - 1)) == 0) // room is the next power of two
        list->kid = arena_grow(p->arena, list->kid, n * word, (n ? 2 * n : 1) * word);
    list->kid[list->nkids++] = kid;
    deepen(p, list, kid);
    return list;
}

struct ast *ast_close(struct ast *list, enum ast_kind kind, struct span span)
{
    list->kind = (uint8_t)kind;
    list->span = list->name_span = span;
    return list;
}

struct ast *ast_prepend(struct parser *p, struct ast *first, struct ast *list, enum ast_kind kind,
                        struct span span)
{
    struct ast **kid = arena_array(p->arena, (size_t)list->nkids + 1, sizeof *kid);
    kid[0] = first;
    if (list->nkids)
        memcpy(kid + 1, list->kid, list->nkids * sizeof *kid);
    list->kid = kid;
    list->nkids++;
    deepen(p, list, first);
    return ast_close(list, kind, span);
}

struct ast *ast_flag(struct ast *node, enum ast_flag flag)
{
    node->flags |= (uint16_t)flag;
    return node;
}

// What a person calls a node.
static const char *noun(const struct ast *node)
{
    if (node->kind == AST_BINARY || node->kind == AST_UNARY)
        return "operation";
    return ast_kind_name(node->kind);
}

// -- the top level -------------------------------------------------------------------------------

void ast_item(struct parser *p, struct ast *item)
{
    if (p->items)
        p->items->take(p->items->context, item, scan_peek(p->scan));
    else
        ast_add(p, p->file->program, item);
}

void ast_program(struct parser *p, struct span span)
{
    ast_close(p->file->program, AST_PROGRAM, span);
}

// -- statements ----------------------------------------------------------------------------------

struct ast *ast_block(struct parser *p, struct ast *list, struct span span)
{
    for (uint32_t i = 0; i < list->nkids; i++) {
        const struct ast *kid = list->kid[i];
        if (kid->kind == AST_IMPORT || kid->kind == AST_DATA || kid->kind == AST_ENTRY ||
            kid->kind == AST_SCHEMA)
            diag_error(p->diags, kid->span, "HLX0207", "%s stands at the top level of a file only",
                       syntax_shown(p->scan, ast_kind_name(kid->kind)));
    }
    return ast_close(list, AST_BLOCK, span);
}

struct ast *ast_statement(struct parser *p, struct ast *value, struct span span)
{
    if (value->kind != AST_IF && value->kind != AST_ERROR)
        return ast_node(p, AST_EXPR, span, value);
    for (struct ast *arm = value; arm && arm->kind == AST_IF; arm = arm->kid[2])
        arm->flags &= (uint16_t)~AST_VALUE;
    return value;
}

struct ast *ast_assign(struct parser *p, struct ast *target, struct ast *value, struct span span)
{
    struct ast *node = ast_named(ast_node(p, AST_ASSIGN, span, value), target);
    if (target->kind != AST_NAME && target->kind != AST_ERROR) {
        struct diag *g = diag_error(p->diags, target->span, "HLX0205",
                                    "only a name can be assigned to, not this %s", noun(target));
        diag_help(g, "%s compares; values do not change in place: make a new one with %s",
                  syntax_shown(p->scan, "=="), syntax_shown(p->scan, "let"));
    }
    return node;
}

struct ast *ast_update(struct parser *p, struct ast *target, struct ast *value, struct span span)
{
    bool updatable = target->kind == AST_NAME || target->kind == AST_MEMBER ||
                     target->kind == AST_INDEX || target->kind == AST_ERROR;
    if (!updatable)
        diag_error(p->diags, target->span, "HLX0205", "%s updates a param or state, not this %s",
                   syntax_shown(p->scan, ":="), ast_kind_name(target->kind));
    return ast_node(p, AST_UPDATE, span, target, value);
}

struct ast *ast_variables(struct parser *p, struct ast *names, struct ast *type, struct ast *init,
                          struct span span)
{
    ast_add(p, names, type);
    ast_add(p, names, init);
    return ast_close(names, AST_PARAM, span);
}

// -- expressions ---------------------------------------------------------------------------------

struct ast *ast_unary(struct parser *p, enum ast_operator op, struct ast *operand,
                      struct span op_span, struct span span)
{
    struct ast *node = ast_node(p, AST_UNARY, span, operand);
    node->op = (uint8_t)op;
    node->name_span = op_span;
    return node;
}

struct ast *ast_binary(struct parser *p, enum ast_operator op, struct ast *left, struct ast *right,
                       struct span op_span, struct span span)
{
    struct ast *node = ast_node(p, AST_BINARY, span, left, right);
    node->op = (uint8_t)op;
    node->name_span = op_span;
    return node;
}

// Segments and indices of a path.
static size_t path_length(const struct ast *path)
{
    size_t n = path->nkids;
    for (uint32_t i = 0; i < path->nkids; i++)
        n += path->kid[i]->nkids;
    return n;
}

// `f(x) as inner as outer` is `f(x) as outer.inner`: one node, outermost first.
struct ast *ast_as(struct parser *p, struct ast *call, struct ast *path, struct span span)
{
    if (path_length(path) + (call->kind == AST_AS ? call->nkids : 0) > AST_MAX_DEPTH)
        too_deep(p, span);
    if (call->kind == AST_AS) {
        for (uint32_t i = 1; i < call->nkids; i++)
            ast_add(p, path, call->kid[i]);
        call = call->kid[0];
    } else if (call->kind != AST_CALL && call->kind != AST_ERROR) {
        struct diag *g =
            diag_error(p->diags, call->span, "HLX0206", "%s follows a call, not this %s",
                       syntax_shown(p->scan, "as"), noun(call));
        diag_help(g, "%s binds tighter than operators: put it right after the call",
                  syntax_shown(p->scan, "as"));
    }
    return ast_prepend(p, call, path, AST_AS, span);
}

struct ast *ast_contract(struct ast *object, const struct ast *number, unsigned flags,
                         struct span span)
{
    ast_close(object, AST_CONTRACT, span);
    object->as.integer = number->as.integer;
    object->text = number->text;
    object->text_len = number->text_len;
    object->name_span = number->span;
    object->flags |= (uint16_t)flags;
    return object;
}

struct ast *ast_schema(struct parser *p, const struct ast *number, const struct ast *name,
                       struct ast *fields, struct span span)
{
    struct ast *node = ast_named(ast_node(p, AST_SCHEMA, span, fields), name);
    node->as.integer = number->as.integer;
    return node;
}

struct ast *ast_index_key(struct parser *p, const struct ast *number, struct span span)
{
    struct ast *key = ast_leaf(p, AST_NAME, span);
    key->text = arena_printf(p->arena, "@%lld", (long long)number->as.integer);
    key->text_len = (uint32_t)strlen(key->text);
    return key;
}

struct ast *ast_bool(struct ast *keyword, bool value)
{
    keyword->kind = AST_BOOL;
    keyword->as.integer = value;
    return keyword;
}

void ast_trailing_comma(struct parser *p, struct span comma)
{
    struct diag *g =
        diag_error(p->diags, comma, "E_TRAILING_COMMA", "there is a comma after the last element");
    diag_help(g, "remove the comma");
}
