// ops.c: the table of operations as data, from ops.def.
#include "ir/ops.h"

#include <stddef.h>
#include <string.h>

#define VARIADIC IR_VARIADIC
#define TYPE(rule) #rule
#define GRAD(rule) #rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc)                           \
    [IR_##name] = {#name, nargs, IRC_##class, attrs, type, grad, {#f, #i, #u, #b}, IRX_##kind, doc},

static const struct ir_op_info ops[IR_OP_COUNT] = {
    [IR_none] = {"none", 0, IRC_META, "", "", "", {"no", "no", "no", "no"}, IRX_META, ""},
#include "ir/ops.def"
};

const struct ir_op_info *ir_op_info(enum ir_op op)
{
    return &ops[op];
}

bool ir_op_find(const char *name, enum ir_op *out)
{
    for (unsigned op = IR_none + 1; op < IR_OP_COUNT; op++)
        if (!strcmp(ops[op].name, name)) {
            *out = (enum ir_op)op;
            return true;
        }
    return false;
}

bool ir_op_takes(enum ir_op op, unsigned lane)
{
    return ops[op].class == IRC_MAP && lane < 4 && strcmp(ops[op].lane[lane], "no") != 0;
}

unsigned ir_op_attr_count(enum ir_op op, bool *list)
{
    const char *s = ops[op].attrs;
    unsigned n = *s != 0;
    for (; *s; s++)
        n += *s == ' ';
    *list = n && s[-1] == '*';
    return n;
}
