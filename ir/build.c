// build.c: makes nodes, with their types inferred.
#include "ir/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"

_Noreturn void ir_bug(const char *file, int line, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    fprintf(stderr,
            "internal error at %s:%d: %s. Please report it with the program that caused it.\n",
            file, line, text.at);
    exit(EXIT_INTERNAL);
}

// -- the general builder -------------------------------------------------------------------------

static ir_ref append(struct ir_graph *g, enum ir_op op, const ir_ref *args, unsigned nargs,
                     const int64_t *attrs, unsigned nattrs, ir_typeid type)
{
    struct arena *a = g->module->arena;
    if (g->nodes.n >= UINT32_MAX || g->args.n + nargs > UINT32_MAX ||
        g->attrs.n + nattrs > UINT32_MAX)
        IR_BUG("a graph of more than 2^32 nodes");
    struct ir_node n = {.op = (uint16_t)op, .type = type};
    n.args = (uint32_t)g->args.n;
    n.nargs = nargs;
    n.attrs = (uint32_t)g->attrs.n;
    n.nattrs = nattrs;
    vec_reserve(a, &g->args, nargs);
    if (nargs)
        memcpy(g->args.at + g->args.n, args, nargs * sizeof *args);
    g->args.n += nargs;
    vec_reserve(a, &g->attrs, nattrs);
    if (nattrs)
        memcpy(g->attrs.at + g->attrs.n, attrs, nattrs * sizeof *attrs);
    g->attrs.n += nattrs;
    vec_push(a, &g->nodes, n);
    return (ir_ref)(g->nodes.n - 1);
}

// Makes const, input, var and counter once: an entry of the graph's map of leaves, with value 0
// when it is new.
static struct map_entry *leaf_slot(struct ir_graph *g, enum ir_op op, const int64_t *attrs,
                                   unsigned nattrs, ir_typeid type)
{
    static const bool once[IR_OP_COUNT] = {
        [IR_const] = true, [IR_input] = true, [IR_var] = true, [IR_counter] = true};
    if (!once[op])
        return NULL;
    int64_t small[10], *key = small;
    if (nattrs > 8)
        key = arena_array(g->module->arena, nattrs + 2u, sizeof *key);
    key[0] = op;
    key[1] = g->module->types.at[type].base;
    if (nattrs)
        memcpy(key + 2, attrs, nattrs * sizeof *attrs);
    return map_put(&g->leaves, key, (nattrs + 2u) * sizeof *key, NULL);
}

ir_ref ir_node_make(struct ir_graph *g, enum ir_op op, const ir_ref *args, unsigned nargs,
                    const int64_t *attrs, unsigned nattrs, ir_typeid wanted)
{
    ir_typeid small[8] = {0}, *types = small, type;
    struct ir_fault fault;
    if (nargs > 8)
        types = arena_array(g->module->arena, nargs, sizeof *types);
    for (unsigned i = 0; i < nargs; i++) {
        if (!args[i] || args[i] >= g->nodes.n)
            IR_BUG("`%s` with an operand that is not there", ir_op_info(op)->name);
        types[i] = g->nodes.at[args[i]].type;
    }
    if (!ir_infer(g->module, op, types, nargs, attrs, nattrs, wanted, &type, &fault))
        IR_BUG("%s", fault.message);
    struct map_entry *leaf = leaf_slot(g, op, attrs, nattrs, type);
    if (leaf && leaf->value.u)
        return (ir_ref)leaf->value.u;
    ir_ref r = append(g, op, args, nargs, attrs, nattrs, type);
    if (leaf)
        leaf->value.u = r;
    return r;
}

ir_ref ir_node_copy(struct ir_graph *g, const struct ir_graph *from, ir_ref r, const ir_ref *args)
{
    struct ir_node n = from->nodes.at[r];
    int64_t *attrs = NULL;
    if (n.nattrs) { // copied: g may be `from`, whose attributes may move
        attrs = arena_array(g->module->arena, n.nattrs, sizeof *attrs);
        memcpy(attrs, from->attrs.at + n.attrs, n.nattrs * sizeof *attrs);
    }
    ir_ref made = ir_node_make(g, (enum ir_op)n.op, args, n.nargs, attrs, n.nattrs, n.type);
    struct ir_node *to = &g->nodes.at[made];
    to->flags |= n.flags;
    if (!to->name)
        to->name = n.name;
    if (!to->loc)
        to->loc = n.loc;
    return made;
}

// -- elementwise ---------------------------------------------------------------------------------

ir_ref ir_unary(struct ir_graph *g, enum ir_op op, ir_ref a)
{
    return ir_node_make(g, op, &a, 1, NULL, 0, 0);
}

ir_ref ir_binary(struct ir_graph *g, enum ir_op op, ir_ref a, ir_ref b)
{
    return ir_node_make(g, op, (ir_ref[]){a, b}, 2, NULL, 0, 0);
}

ir_ref ir_select(struct ir_graph *g, ir_ref cond, ir_ref a, ir_ref b)
{
    return ir_node_make(g, IR_select, (ir_ref[]){cond, a, b}, 3, NULL, 0, 0);
}

ir_ref ir_cast(struct ir_graph *g, ir_ref a, enum dtype to)
{
    if (ir_typeof(g, a)->dtype == to)
        return a;
    return ir_node_make(g, IR_cast, &a, 1, NULL, 0,
                        ir_type_with(g->module, ir_get(g, a)->type, to));
}

ir_ref ir_bitcast(struct ir_graph *g, ir_ref a, enum dtype to)
{
    if (ir_typeof(g, a)->dtype == to)
        return a;
    return ir_node_make(g, IR_bitcast, &a, 1, NULL, 0,
                        ir_type_with(g->module, ir_get(g, a)->type, to));
}

// -- leaves --------------------------------------------------------------------------------------

ir_ref ir_const_bits(struct ir_graph *g, enum dtype dtype, uint32_t bits)
{
    return ir_const_array(g, ir_type_scalar(g->module, dtype), &bits);
}

ir_ref ir_const_f32(struct ir_graph *g, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return ir_const_bits(g, DT_F32, bits);
}

ir_ref ir_const_array(struct ir_graph *g, ir_typeid type, const uint32_t *bits)
{
    int64_t n = ir_type_count(ir_type_get(g->module, type));
    if (n > UINT32_MAX)
        IR_BUG("a constant of %lld elements", (long long)n);
    int64_t one, *attrs = n == 1 ? &one : arena_array(g->module->arena, (size_t)n, sizeof *attrs);
    for (int64_t i = 0; i < n; i++)
        attrs[i] = bits[i];
    return ir_node_make(g, IR_const, NULL, 0, attrs, (unsigned)n, type);
}

// The bits of a number in an element type; only numbers that are exact there.
static uint32_t exact_bits(enum dtype t, float x)
{
    uint32_t bits;
    if (t == DT_F32)
        memcpy(&bits, &x, sizeof bits);
    else if (t == DT_I32 && x >= -2147483648.0f && x < 2147483648.0f && (float)(int32_t)x == x)
        bits = (uint32_t)(int32_t)x;
    else if (t == DT_U32 && x >= 0.0f && x < 4294967296.0f && (float)(uint32_t)x == x)
        bits = (uint32_t)x;
    else if ((t == DT_BOOL && x == 1.0f) || x == 0.0f)
        bits = x != 0.0f;
    else
        IR_BUG("%g is not exact in %s", (double)x, dtype_name(t));
    return bits;
}

ir_ref ir_splat_f32(struct ir_graph *g, ir_typeid like, float x)
{
    enum dtype t = ir_type_get(g->module, like)->dtype;
    return ir_broadcast_to(g, ir_const_bits(g, t, exact_bits(t, x)), like);
}

ir_ref ir_input(struct ir_graph *g, uint32_t index, ir_typeid type)
{
    return ir_node_make(g, IR_input, NULL, 0, (int64_t[]){index}, 1, type);
}

ir_ref ir_var_read(struct ir_graph *g, uint32_t index)
{
    if (index >= g->module->vars.n)
        IR_BUG("var %u is not there", index);
    return ir_node_make(g, IR_var, NULL, 0, (int64_t[]){index}, 1, g->module->vars.at[index].type);
}

// -- reductions, matmul, moves -------------------------------------------------------------------

ir_ref ir_reduce(struct ir_graph *g, enum ir_op op, ir_ref a, const int64_t *axes, unsigned n)
{
    return ir_node_make(g, op, &a, 1, axes, n, 0);
}

ir_ref ir_matmul(struct ir_graph *g, ir_ref a, ir_ref b, bool ta, bool tb)
{
    return ir_node_make(g, IR_matmul, (ir_ref[]){a, b}, 2, (int64_t[]){ta, tb}, 2, 0);
}

ir_ref ir_reshape(struct ir_graph *g, ir_ref a, unsigned rank, const int64_t *dims)
{
    ir_typeid type = ir_type_make(g->module, ir_typeof(g, a)->dtype, rank, dims, NULL);
    return ir_node_make(g, IR_reshape, &a, 1, NULL, 0, type);
}

static bool same_shape(const struct ir_type *a, const struct ir_type *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

// A move to the shape of `type`, or the operand itself where it has that shape.
static ir_ref move_to(struct ir_graph *g, enum ir_op op, ir_ref a, ir_typeid type)
{
    const struct ir_type *from = ir_typeof(g, a);
    if (same_shape(from, ir_type_get(g->module, type)))
        return a;
    return ir_node_make(g, op, &a, 1, NULL, 0, ir_type_with(g->module, type, from->dtype));
}

ir_ref ir_reshape_to(struct ir_graph *g, ir_ref a, ir_typeid type)
{
    return move_to(g, IR_reshape, a, type);
}

ir_ref ir_broadcast_to(struct ir_graph *g, ir_ref a, ir_typeid type)
{
    return move_to(g, IR_broadcast, a, type);
}

ir_ref ir_transpose(struct ir_graph *g, ir_ref a, const int64_t *perm)
{
    return ir_node_make(g, IR_transpose, &a, 1, perm, ir_typeof(g, a)->rank, 0);
}
