// ast_value.c: a syntax tree as a latent value: contracts 100 to 105, literals 14 to 22.
//
// What has no contract of its own is an expression (101) whose operator is its word or mark.
#include "frontend/ast_value.h"

#include <string.h>

typedef VEC(const struct value *) values;

struct tree {
    struct arena *a;
    struct diags *d;
    bool failed;
};

// clang-format off
enum {
    LITERAL_INT = 14, LITERAL_FLOAT, LITERAL_TEXT, LITERAL_BYTES, LITERAL_ARRAY, LITERAL_OBJECT,
    LITERAL_HANDLE, LITERAL_NULL, LITERAL_BOOL,
    NODE_BLOCK = 100, NODE_EXPR, NODE_VAR_REF, NODE_ASSIGNMENT, NODE_FUNCTION_DEF,
    NODE_FUNCTION_CALL
};
// clang-format on

static const struct value *node_of(struct tree *t, const struct ast *n);

// -- values ---------------------------------------------------------------------------------------

// Takes what a constructor made; NULL is reported.
static const struct value *made(struct tree *t, const struct ast *n, const struct value *v,
                                const struct latent_error *error)
{
    if (!v && !t->failed)
        diag_error(t->d, n->span, error->code, "no value: %s", error->message);
    t->failed = t->failed || !v;
    return v ? v : value_null();
}

static const struct value *text_of(struct tree *t, const struct ast *n)
{
    struct latent_error error;
    return made(t, n, value_text(t->a, n->text, n->text_len, &error), &error);
}

static const struct value *list(struct tree *t, const values *items)
{
    return value_array(t->a, items->at, items->n);
}

static void add(struct tree *t, values *to, const struct value *v)
{
    if (v)
        vec_push(t->a, to, v);
}

static const struct value *contract(struct tree *t, int number, const struct value_field *fields,
                                    size_t n)
{
    return value_contract(t->a, number, value_object(t->a, fields, n, NULL));
}

static const struct value *literal(struct tree *t, int number, const struct value *v)
{
    const struct value_field field = {"value", 5, v};
    return contract(t, number, &field, 1);
}

static const struct value *operation(struct tree *t, const char *operator, const values * operands)
{
    const struct value_field fields[] = {{"operator", 8, value_str(t->a, operator)},
                                         {"operands", 8, list(t, operands)}};
    return contract(t, NODE_EXPR, fields, 2);
}

static const struct value *named(struct tree *t, int number, const struct value *name,
                                 const char *key, const struct value *v)
{
    const struct value_field fields[] = {{"name", 4, name}, {key, strlen(key), v}};
    return contract(t, number, fields, v ? 2 : 1);
}

static const struct value *assignment(struct tree *t, const struct ast *n, const struct ast *value)
{
    return named(t, NODE_ASSIGNMENT, text_of(t, n), "value", node_of(t, value));
}

// The values of the children from one on; missing ones are left out.
static values kids(struct tree *t, const struct ast *n, uint32_t from)
{
    values out = {0};
    for (uint32_t i = from; i < n->nkids; i++)
        if (n->kid[i])
            add(t, &out, node_of(t, n->kid[i]));
    return out;
}

// -- literals and expressions ---------------------------------------------------------------------

static const struct value *number(struct tree *t, const struct ast *n)
{
    struct latent_error error;
    if (n->kind == AST_INT)
        return literal(t, LITERAL_INT, value_int(t->a, n->as.integer));
    return literal(t, LITERAL_FLOAT, made(t, n, value_float(t->a, n->as.number, &error), &error));
}

// A handle's value, or a name that something may be bound to while the program is compiled.
static const struct value *handle(struct tree *t, const struct ast *n)
{
    values operands = {0};
    const struct value *v = value_handle(t->a, n->text, NULL);
    if (v)
        return literal(t, LITERAL_HANDLE, v);
    add(t, &operands, value_str(t->a, n->text + 1));
    return operation(t, "&", &operands);
}

static const struct value *simple(struct tree *t, const struct ast *n)
{
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: return literal(t, LITERAL_TEXT, text_of(t, n));
    case AST_BYTES: return literal(t, LITERAL_BYTES, value_bytes(t->a, n->text, n->text_len));
    case AST_BOOL: return literal(t, LITERAL_BOOL, value_bool(n->as.integer != 0));
    case AST_HANDLE: return handle(t, n);
    default: return contract(t, LITERAL_NULL, NULL, 0);
    }
}

static const struct value *array(struct tree *t, const struct ast *n)
{
    values items = kids(t, n, 0);
    return literal(t, LITERAL_ARRAY, list(t, &items));
}

static const struct value *object(struct tree *t, const struct ast *n)
{
    struct latent_error error;
    struct value_field *fields = arena_array(t->a, n->nkids, sizeof *fields);
    for (uint32_t i = 0; i < n->nkids; i++) {
        const struct value *key = text_of(t, n->kid[i]);
        fields[i] =
            (struct value_field){key->as.bytes.at, key->as.bytes.n, node_of(t, n->kid[i]->kid[0])};
        if (t->failed)
            return value_null();
    }
    const struct value *v = made(t, n, value_object(t->a, fields, n->nkids, &error), &error);
    return literal(t, LITERAL_OBJECT, v);
}

static const struct value *contract_literal(struct tree *t, const struct ast *n)
{
    values operands = {0};
    add(t, &operands, value_int(t->a, n->as.integer));
    add(t, &operands, object(t, n));
    return operation(t, n->flags & AST_AT ? "@" : "contract", &operands);
}

static const struct value *name(struct tree *t, const struct ast *n)
{
    return named(t, NODE_VAR_REF, text_of(t, n), "", NULL);
}

// `a - b - c` is one operation with three operands: operators of one kind lean to the left.
static const struct value *binary(struct tree *t, const struct ast *n)
{
    values operands = {0}, reversed = {0};
    const struct ast *left = n;
    for (; left->kind == AST_BINARY && left->op == n->op && n->op != AST_POW; left = left->kid[0])
        add(t, &reversed, node_of(t, left->kid[1]));
    if (n->op == AST_POW) {
        add(t, &reversed, node_of(t, n->kid[1]));
        left = n->kid[0];
    }
    add(t, &operands, node_of(t, left));
    while (reversed.n)
        add(t, &operands, vec_pop(&reversed));
    return operation(t, ast_operator_text(n->op), &operands);
}

static const struct value *operator_node(struct tree *t, const struct ast *n)
{
    static const char *const words[AST_KIND_COUNT] = {
        [AST_INDEX] = "[]",      [AST_AS] = "as",     [AST_IF] = "if",
        [AST_RETURN] = "return", [AST_UPDATE] = ":=", [AST_CALL] = "()",
    };
    values operands = kids(t, n, 0);
    if (n->kind == AST_UNARY)
        return operation(t, ast_operator_text(n->op), &operands);
    return operation(t, words[n->kind], &operands);
}

static const struct value *range(struct tree *t, const struct ast *n)
{
    values operands = {0};
    for (int i = 0; i < 2; i++)
        add(t, &operands, n->kid[i] ? node_of(t, n->kid[i]) : value_null());
    return operation(t, "..", &operands);
}

// Names that are no expressions are plain texts among the operands.
static const struct value *with_name(struct tree *t, const char *operator, const struct ast * n,
                                     uint32_t from)
{
    values operands = {0}, rest = kids(t, n, from);
    add(t, &operands, text_of(t, n));
    for (size_t i = 0; i < rest.n; i++)
        add(t, &operands, rest.at[i]);
    return operation(t, operator, & operands);
}

static const struct value *member(struct tree *t, const struct ast *n)
{
    values operands = kids(t, n, 0);
    add(t, &operands, text_of(t, n));
    return operation(t, ".", &operands);
}

static const struct value *segment(struct tree *t, const struct ast *n)
{
    return n->nkids ? with_name(t, "[]", n, 0) : text_of(t, n);
}

static const struct value *type(struct tree *t, const struct ast *n)
{
    return n->flags & AST_SHAPED ? with_name(t, "[]", n, 0) : text_of(t, n);
}

// A call of a name, or of a module's member, is contract 105; any other callee is an operand.
static const struct value *call(struct tree *t, const struct ast *n)
{
    const struct ast *f = n->kid[0];
    const struct ast *base =
        f->kind == AST_MEMBER && f->kid[0]->kind == AST_NAME ? f->kid[0] : NULL;
    const struct value *callee = NULL;
    if (base)
        callee = value_str(t->a, arena_printf(t->a, "%s.%s", base->text, f->text));
    else if (f->kind == AST_NAME)
        callee = text_of(t, f);
    else
        return operator_node(t, n);
    values arguments = kids(t, n, 1);
    return named(t, NODE_FUNCTION_CALL, callee, "arguments", list(t, &arguments));
}

static const struct value *argument(struct tree *t, const struct ast *n)
{
    return n->text_len ? assignment(t, n, n->kid[0]) : node_of(t, n->kid[0]);
}

// -- functions ------------------------------------------------------------------------------------

static const struct value *definition(struct tree *t, const struct value *fn_name,
                                      const struct ast *formals, const struct ast *body)
{
    values parameters = {0};
    for (uint32_t i = 0; i < formals->nkids; i++)
        add(t, &parameters, text_of(t, formals->kid[i]));
    const struct value_field fields[] = {{"name", 4, fn_name},
                                         {"parameters", 10, list(t, &parameters)},
                                         {"body", 4, node_of(t, body)}};
    return contract(t, NODE_FUNCTION_DEF, fields, 3);
}

// `:` with a parameter's name, its type or null, and its default if there is one.
static const struct value *formal(struct tree *t, const struct ast *n)
{
    values operands = {0};
    add(t, &operands, text_of(t, n));
    add(t, &operands, n->kid[0] ? type(t, n->kid[0]) : value_null());
    if (n->kid[1])
        add(t, &operands, node_of(t, n->kid[1]));
    return operation(t, ":", &operands);
}

// What contract 104 does not tell: types and defaults of formals, and the result's type.
static void add_signature(struct tree *t, values *to, const struct ast *formals,
                          const struct ast *result)
{
    for (uint32_t i = 0; i < formals->nkids; i++)
        if (formals->kid[i]->kid[0] || formals->kid[i]->kid[1])
            add(t, to, formal(t, formals->kid[i]));
    if (!result)
        return;
    values one = {0};
    add(t, &one, type(t, result));
    add(t, to, operation(t, "->", &one));
}

static const struct value *function(struct tree *t, const struct ast *n)
{
    values parts = {0};
    const struct ast *rule = n->kid[3];
    const struct value *plain = definition(t, text_of(t, n), n->kid[0], n->kid[2]);
    add(t, &parts, plain);
    add_signature(t, &parts, n->kid[0], n->kid[1]);
    if (rule)
        add(t, &parts, definition(t, value_str(t->a, "backward"), rule->kid[0], rule->kid[1]));
    return parts.n == 1 ? plain : operation(t, "fn", &parts);
}

static const struct value *entry(struct tree *t, const struct ast *n)
{
    values parts = {0}, using = {0};
    add(t, &parts, definition(t, text_of(t, n), n->kid[0], n->kid[4]));
    add_signature(t, &parts, n->kid[0], n->kid[1]);
    if (n->kid[2])
        add(t, &parts, with_name(t, "for", n->kid[2], 0));
    if (n->kid[3]) {
        add(t, &using, node_of(t, n->kid[3]));
        add(t, &parts, operation(t, "using", &using));
    }
    return operation(t, "entry", &parts);
}

static const struct value *schema(struct tree *t, const struct ast *n)
{
    values parts = {0};
    add(t, &parts, value_int(t->a, n->as.integer));
    add(t, &parts, text_of(t, n));
    for (uint32_t i = 0; i < n->kid[0]->nkids; i++)
        add(t, &parts, formal(t, n->kid[0]->kid[i]));
    return operation(t, "contract", &parts);
}

// -- statements -----------------------------------------------------------------------------------

static const struct value *binding(struct tree *t, const struct ast *n)
{
    values operands = {0};
    add(t, &operands, assignment(t, n, n->kid[n->nkids - 1]));
    if (n->kind != AST_DATA && n->kid[0])
        add(t, &operands, type(t, n->kid[0]));
    return operation(t,
                     n->kind == AST_LET   ? "let"
                     : n->kind == AST_VAR ? "var"
                                          : "data",
                     &operands);
}

static const struct value *assign(struct tree *t, const struct ast *n)
{
    return assignment(t, n, n->kid[0]);
}

static const struct value *import(struct tree *t, const struct ast *n)
{
    values operands = {0};
    add(t, &operands,
        n->flags & AST_PATH ? literal(t, LITERAL_TEXT, text_of(t, n)) : text_of(t, n));
    if (n->kid[0])
        add(t, &operands, text_of(t, n->kid[0]));
    return operation(t, "import", &operands);
}

static const struct value *variables(struct tree *t, const struct ast *n)
{
    values names = {0}, operands = {0};
    uint32_t last = n->nkids - 2;
    for (uint32_t i = 0; i < last; i++)
        add(t, &names, text_of(t, n->kid[i]));
    add(t, &operands, list(t, &names));
    add(t, &operands, type(t, n->kid[last]));
    if (n->kid[last + 1])
        add(t, &operands, node_of(t, n->kid[last + 1]));
    const char *word = n->flags & AST_STATE ? "state" : "param";
    if (n->flags & AST_SHARE)
        word = arena_printf(t->a, "share %s", word);
    return operation(t, word, &operands);
}

static const struct value *loop(struct tree *t, const struct ast *n)
{
    values operands = {0};
    if (n->kid[0])
        add(t, &operands, text_of(t, n->kid[0]));
    add(t, &operands, text_of(t, n));
    add(t, &operands, node_of(t, n->kid[1]));
    add(t, &operands, node_of(t, n->kid[2]));
    return operation(t, "for", &operands);
}

static const struct value *expression(struct tree *t, const struct ast *n)
{
    return node_of(t, n->kid[0]);
}

static const struct value *block(struct tree *t, const struct ast *n)
{
    values statements = kids(t, n, 0);
    const struct value_field field = {"statements", 10, list(t, &statements)};
    return contract(t, NODE_BLOCK, &field, 1);
}

static const struct value *node_of(struct tree *t, const struct ast *n)
{
    static const struct value *(*const rule[AST_KIND_COUNT])(struct tree *, const struct ast *) = {
        [AST_PROGRAM] = block,
        [AST_IMPORT] = import,
        [AST_DATA] = binding,
        [AST_ENTRY] = entry,
        [AST_FN] = function,
        [AST_SCHEMA] = schema,
        [AST_TYPE] = type,
        [AST_BLOCK] = block,
        [AST_LET] = binding,
        [AST_VAR] = binding,
        [AST_ASSIGN] = assign,
        [AST_UPDATE] = operator_node,
        [AST_PARAM] = variables,
        [AST_FOR] = loop,
        [AST_RETURN] = operator_node,
        [AST_EXPR] = expression,
        [AST_IF] = operator_node,
        [AST_NAME] = name,
        [AST_NULL_] = simple,
        [AST_BOOL] = simple,
        [AST_INT] = number,
        [AST_FLOAT] = number,
        [AST_TEXT] = simple,
        [AST_BYTES] = simple,
        [AST_HANDLE] = simple,
        [AST_ARRAY] = array,
        [AST_OBJECT] = object,
        [AST_CONTRACT] = contract_literal,
        [AST_UNARY] = operator_node,
        [AST_BINARY] = binary,
        [AST_CALL] = call,
        [AST_ARG] = argument,
        [AST_INDEX] = operator_node,
        [AST_RANGE] = range,
        [AST_MEMBER] = member,
        [AST_AS] = operator_node,
        [AST_SEGMENT] = segment,
    };
    const struct value *v = rule[n->kind](t, n);
    if (v->depth > VALUE_MAX_DEPTH && !t->failed) {
        struct diag *g = diag_error(t->d, n->span, "E_DEPTH_EXCEEDED",
                                    "the value of this tree nests deeper than %d", VALUE_MAX_DEPTH);
        diag_help(g, "give inner parts a name with `let`");
        t->failed = true;
    }
    return t->failed ? value_null() : v;
}

const struct value *ast_value(struct arena *a, struct diags *d, const struct ast *program)
{
    struct tree t = {.a = a, .d = d};
    const struct value *v = node_of(&t, program);
    return t.failed ? NULL : v;
}
