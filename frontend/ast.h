// ast.h: the syntax tree that both spellings share. Built by the grammar's actions, read by the
// staging evaluator and by the formatter; nothing else happens to it.
#ifndef HLX_FRONTEND_AST_H
#define HLX_FRONTEND_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/source.h"
#include "base/text.h"

enum ast_kind {
#define AST(id, name, doc) AST_##id,
#include "frontend/ast.def"
#undef AST
    AST_KIND_COUNT
};

enum ast_flag {
    AST_PATH = 1,
    AST_SHAPED = 2,
    AST_SHARE = 4,
    AST_STATE = 8,
    AST_VALUE = 16,
    AST_AT = 32,
    AST_QUOTED = 64,
    AST_PARENS = 128 // written in parentheses; for the formatter only
};

// Operators of UNARY and BINARY, in groups of rising precedence (see spec/language.md).
// clang-format off
enum ast_operator {
    AST_OR, AST_AND, AST_NOT,
    AST_EQ, AST_NE, AST_LT, AST_LE, AST_GT, AST_GE,
    AST_ADD, AST_SUB,
    AST_MUL, AST_DIV, AST_REM, AST_MATMUL,
    AST_NEG,
    AST_POW
};
// clang-format on

#define AST_MAX_DEPTH 1000 // so that walks over a tree can recurse

struct ast {
    uint8_t kind; // enum ast_kind
    uint8_t op;   // enum ast_operator
    uint16_t flags;
    struct span span;
    struct span name_span; // of `text` where the node names something; of a BINARY's operator
    uint32_t depth;        // levels below and with this node; at most AST_MAX_DEPTH
    uint32_t text_len;
    uint32_t nkids;
    const char *text; // NUL-terminated; "" when empty
    struct ast **kid;
    union {
        int64_t integer;
        double number;
    } as;
};

// A comment, kept beside the tree for the formatter.
struct ast_comment {
    struct span span; // from "//" to the line's end
    bool own_line;    // nothing but space before it on its line
};

struct ast_file {
    uint32_t file;            // in struct sources
    bool runic;               // written in HLX
    const struct map *legend; // of HLX: from a rune to its name; else NULL
    struct ast *program;
    VEC(struct ast_comment) comments; // in source order
};

const char *ast_kind_name(enum ast_kind kind);
const char *ast_operator_text(enum ast_operator op); // ASCII spelling
// Writes a tree for `hlxc --emit=ast`: one node a line, indented, with spans as line:col (without
// spans when `s` is NULL).
void ast_dump(const struct sources *s, const struct ast *tree, struct buf *out);

#endif
