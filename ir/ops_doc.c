// ops_doc.c: prints the reference of operations, spec/ops.md, from the table.
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "ir/ops.h"

static const char intro[] =
    "# Operations\n"
    "\n"
    "Printed from `ir/ops.def` by `hlxc --ops`; do not edit. How types are computed is in\n"
    "[ir.md](ir.md), what the operations compute to the bit in [numerics.md](numerics.md).\n"
    "\n"
    "* *operands*: how many; `1+` is one or more.\n"
    "* *attributes*: integers by name; `*` is a list.\n"
    "* *gradient*: the rule of [ir.md](ir.md) that takes the gradient back; `none`: no gradient\n"
    "  flows; `leaf`: there is nothing to flow to; `refuse`: an error.\n"
    "* *exactness*: `prim` is exact on every device as it stands; `tree` is an expression over "
    "prims\n"
    "  (`ir/exact*.c`); `shape` moves bits; `order` is exact by an order of additions or "
    "comparisons;\n"
    "  `meta` is for the compiler and gone before anything runs.\n"
    "* *f32 i32 u32 bool*: what an elementwise operation does in a lane of each type, over lanes "
    "a, "
    "b, c;\n"
    "  `tree` is a tree, empty is refused. Helpers such as `i32_add` are total (`ir/lanes.h`).\n";

static const struct {
    enum ir_class class;
    const char *title;
} sections[] = {
    {IRC_LEAF, "Leaves"},
    {IRC_MAP, "Elementwise"},
    {IRC_REDUCE, "Reductions"},
    {IRC_MATMUL, "Matrix product"},
    {IRC_MOVE, "Moves"},
    {IRC_GATHER, "Rows by index"},
    {IRC_ACROSS, "Between shards"},
    {IRC_META, "For the compiler"},
};

// What operations take, by type rule. Elementwise rows show it in their lanes instead.
#define IN_LANES ""
static const char takes_given[] = "none", takes_iota[] = "none", takes_num[] = IN_LANES,
                  takes_sign[] = IN_LANES, takes_f32[] = IN_LANES, takes_bits[] = IN_LANES,
                  takes_cast[] = IN_LANES, takes_bitcast[] = IN_LANES, takes_num2[] = IN_LANES,
                  takes_int2[] = IN_LANES, takes_f322[] = IN_LANES, takes_bits2[] = IN_LANES,
                  takes_u322[] = IN_LANES, takes_cmp[] = IN_LANES, takes_select[] = IN_LANES,
                  takes_sum[] = "f32, i32, u32", takes_reduce[] = "f32, i32, u32",
                  takes_argmax[] = "f32, i32, u32; gives i32", takes_matmul[] = "f32",
                  takes_reshape[] = "any", takes_transpose[] = "any", takes_broadcast[] = "any",
                  takes_slice[] = "any", takes_pad[] = "any", takes_concat[] = "any",
                  takes_gather_rows[] = "any; i32", takes_scatter_rows[] = "i32; f32, i32, u32",
                  takes_identity[] = "any", takes_grad[] = "f32", takes_across[] = "f32, i32, u32";

static const char *const takes[IR_OP_COUNT] = {
#define TYPE(rule) takes_##rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) [IR_##name] = type,
#include "ir/ops.def"
#undef OP
#undef TYPE
};

// A table cell: bars would end it.
static void put_cell(struct buf *out, const char *text)
{
    buf_puts(out, " ");
    for (; *text; text++) {
        if (*text == '|')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_puts(out, " |");
}

static void put_code(struct buf *out, const char *text)
{
    struct buf code = {0};
    if (*text)
        buf_printf(&code, "`%s`", text);
    put_cell(out, *text ? code.at : "");
    buf_free(&code);
}

static void put_row(struct buf *out, enum ir_op op)
{
    static const char *const exact[] = {[IRX_PRIM] = "prim",
                                        [IRX_TREE] = "tree",
                                        [IRX_SHAPE] = "shape",
                                        [IRX_ORDER] = "order",
                                        [IRX_META] = "meta"};
    const struct ir_op_info *info = ir_op_info(op);
    buf_puts(out, "|");
    put_code(out, info->name);
    buf_puts(out, " ");
    if (info->nargs == IR_VARIADIC)
        buf_puts(out, "1+ |");
    else
        buf_printf(out, "%u |", info->nargs);
    if (info->class == IRC_MAP) {
        for (unsigned lane = 0; lane < 4; lane++)
            put_code(out, ir_op_takes(op, lane) ? info->lane[lane] : "");
    } else {
        put_code(out, info->attrs);
        put_cell(out, takes[op]);
    }
    put_cell(out, info->grad);
    put_cell(out, exact[info->exact]);
    put_cell(out, info->doc);
    buf_putc(out, '\n');
}

void ir_ops_markdown(struct buf *out)
{
    static const char map_head[] =
        "| operation | operands | f32 | i32 | u32 | bool | gradient | exactness | meaning |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    static const char head[] =
        "| operation | operands | attributes | types | gradient | exactness | meaning |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n";
    buf_puts(out, intro);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        buf_printf(out, "\n## %s\n\n", sections[i].title);
        buf_puts(out, sections[i].class == IRC_MAP ? map_head : head);
        for (unsigned op = IR_none + 1; op < IR_OP_COUNT; op++)
            if (ir_op_info((enum ir_op)op)->class == sections[i].class)
                put_row(out, (enum ir_op)op);
    }
}
