// ast_build.h: what the grammar's actions call to build the tree.
#ifndef HLX_FRONTEND_AST_BUILD_H
#define HLX_FRONTEND_AST_BUILD_H

#include "frontend/scan.h"

struct parser {
    struct arena *arena; // of nodes
    struct diags *diags;
    struct scan *scan;
    struct ast_file *file;
    const struct parse_items *items; // NULL: statements go to file->program
};

// A node without children.
struct ast *ast_leaf(struct parser *p, enum ast_kind kind, struct span span);

// A node with n children; NULL children are kept.
struct ast *ast_node_(struct parser *p, enum ast_kind kind, struct span span, size_t n,
                      struct ast **kid);
#define ast_node(p, kind, span, ...)                                                               \
    ast_node_((p), (kind), (span), sizeof((struct ast *[]){__VA_ARGS__}) / sizeof(struct ast *),   \
              (struct ast *[]){__VA_ARGS__})

// A node that takes text and name_span from `name`.
struct ast *ast_named(struct ast *node, const struct ast *name);

// Appends a child. Returns the list.
struct ast *ast_add(struct parser *p, struct ast *list, struct ast *kid);
// Makes `list` a node of another kind and place.
struct ast *ast_close(struct ast *list, enum ast_kind kind, struct span span);
// The same with `first` before the children.
struct ast *ast_prepend(struct parser *p, struct ast *first, struct ast *list, enum ast_kind kind,
                        struct span span);

struct ast *ast_flag(struct ast *node, enum ast_flag flag);

// Takes a whole statement of the top level.
void ast_item(struct parser *p, struct ast *item);
// Ends the program.
void ast_program(struct parser *p, struct span span);

// Nodes with rules of their own.
struct ast *ast_block(struct parser *p, struct ast *list, struct span span);
struct ast *ast_statement(struct parser *p, struct ast *value, struct span span);
struct ast *ast_assign(struct parser *p, struct ast *target, struct ast *value, struct span span);
struct ast *ast_update(struct parser *p, struct ast *target, struct ast *value, struct span span);
struct ast *ast_variables(struct parser *p, struct ast *names, struct ast *type, struct ast *init,
                          struct span span);
struct ast *ast_unary(struct parser *p, enum ast_operator op, struct ast *operand,
                      struct span op_span, struct span span);
struct ast *ast_binary(struct parser *p, enum ast_operator op, struct ast *left, struct ast *right,
                       struct span op_span, struct span span);
struct ast *ast_as(struct parser *p, struct ast *call, struct ast *path, struct span span);
struct ast *ast_contract(struct ast *object, const struct ast *number, unsigned flags,
                         struct span span);
struct ast *ast_schema(struct parser *p, const struct ast *number, const struct ast *name,
                       struct ast *fields, struct span span);
struct ast *ast_index_key(struct parser *p, const struct ast *number, struct span span);
struct ast *ast_bool(struct ast *keyword, bool value);

// E_TRAILING_COMMA at a comma before a closing bracket.
void ast_trailing_comma(struct parser *p, struct span comma);

#endif
