// ast_dump.c: prints a syntax tree for `hlxc --emit=ast`.
#include "frontend/ast.h"

static const struct {
    enum ast_flag flag;
    const char *name;
} flags[] = {
    {AST_PATH, "path"},   {AST_SHAPED, "shaped"}, {AST_SHARE, "share"},   {AST_STATE, "state"},
    {AST_VALUE, "value"}, {AST_AT, "at"},         {AST_QUOTED, "quoted"},
};

static void dump_place(const struct sources *s, struct span at, struct buf *out)
{
    struct place from = source_place(s, at.file, at.start), to = source_place(s, at.file, at.end);
    buf_printf(out, " %u:%u-%u:%u", from.line, from.col, to.line, to.col);
}

static void dump_head(const struct ast *n, struct buf *out)
{
    buf_puts(out, ast_kind_name(n->kind));
    if (n->kind == AST_UNARY || n->kind == AST_BINARY)
        buf_printf(out, " %s", ast_operator_text(n->op));
    if (n->kind == AST_BOOL)
        buf_puts(out, n->as.integer ? " true" : " false");
    else if (n->kind == AST_INT || n->kind == AST_CONTRACT)
        buf_printf(out, " %lld", (long long)n->as.integer);
    else if (n->kind == AST_FLOAT)
        buf_putc(out, ' '), buf_double(out, n->as.number);
    else if (n->text_len)
        buf_putc(out, ' '), buf_quote(out, n->text, n->text_len);
    if (n->kind == AST_SCHEMA)
        buf_printf(out, " %lld", (long long)n->as.integer);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (n->flags & flags[i].flag)
            buf_printf(out, " +%s", flags[i].name);
}

static void dump(const struct sources *s, const struct ast *n, size_t level, struct buf *out)
{
    buf_fill(out, ' ', 2 * level);
    if (!n) {
        buf_puts(out, "-\n");
        return;
    }
    dump_head(n, out);
    if (s)
        dump_place(s, n->span, out);
    buf_putc(out, '\n');
    for (uint32_t i = 0; i < n->nkids; i++)
        dump(s, n->kid[i], level + 1, out);
}

void ast_dump(const struct sources *s, const struct ast *tree, struct buf *out)
{
    dump(s, tree, 0, out);
}
