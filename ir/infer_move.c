// infer_move.c: computes result types of reductions, matmul, moves and row gathers.
#include "ir/infer_rules.h"

#include <string.h>

// -- reductions ----------------------------------------------------------------------------------

static bool check_number(struct infer *c, unsigned arg)
{
    enum dtype t = infer_arg(c, arg)->dtype;
    if (t == DT_F32 || t == DT_I32 || t == DT_U32)
        return true;
    const char *hint = dtype_class(t) == DTC_SMALL_FLOAT ? ": cast to f32 first"
                       : dtype_class(t) == DTC_SMALL_INT ? ": cast to i32 or u32 first"
                                                         : ": cast it first";
    return infer_fail(c, (int)arg, -1, "`%s` takes f32, i32 or u32, not %s%s", c->name,
                      dtype_name(t), hint);
}

static bool check_axis(struct infer *c, int64_t axis)
{
    const struct ir_type *t = infer_arg(c, 0);
    if (axis >= 0 && axis < (int64_t)t->rank)
        return true;
    return infer_fail(c, 0, -1, "`%s` has no axis %lld in %s", c->name, (long long)axis,
                      infer_text(c, 0));
}

static ir_typeid reduce(struct infer *c, enum dtype out)
{
    const struct ir_type *a = infer_arg(c, 0);
    struct ir_type r = {0};
    if (!check_number(c, 0))
        return 0;
    if (!c->nattrs)
        return infer_fail(c, 0, -1, "`%s` needs at least one axis", c->name);
    for (unsigned i = 0; i < c->nattrs; i++) {
        if (!check_axis(c, c->attrs[i]))
            return 0;
        if (i && c->attrs[i] <= c->attrs[i - 1])
            return infer_fail(c, 0, (int)c->attrs[i],
                              "`%s` needs its axes in ascending order, each once", c->name);
    }
    for (unsigned k = 0, i = 0; k < a->rank; k++) {
        if (i < c->nattrs && c->attrs[i] == (int64_t)k) {
            i++;
            continue;
        }
        r.dim[r.rank] = a->dim[k];
        r.name[r.rank++] = a->name[k];
    }
    return infer_result(c, out, r.rank, r.dim, r.name);
}

ir_typeid infer_sum_rule(struct infer *c)
{
    return reduce(c, infer_arg(c, 0)->dtype);
}
ir_typeid infer_reduce_rule(struct infer *c)
{
    return reduce(c, infer_arg(c, 0)->dtype);
}
ir_typeid infer_argmax_rule(struct infer *c)
{
    return reduce(c, DT_I32);
}

// -- matmul --------------------------------------------------------------------------------------

static bool check_matmul_arg(struct infer *c, unsigned i)
{
    const struct ir_type *t = infer_arg(c, i);
    if (t->dtype != DT_F32)
        return infer_fail(c, (int)i, -1, "`matmul` takes f32, not %s: cast to f32 first",
                          dtype_name(t->dtype));
    if (t->rank < 2)
        return infer_fail(c, (int)i, -1, "`matmul` needs matrices (at least 2 dimensions), not %s",
                          infer_text(c, i));
    return true;
}

// "cannot multiply [4, 16] by [8, 3]", with what the transposes make of the shapes.
static ir_typeid matmul_fault(struct infer *c, int axis, const char *why, int64_t x, int64_t y)
{
    return infer_fail(
        c, 1, axis, "`matmul` cannot multiply %s%s by %s%s: the %s %lld and %lld differ",
        infer_shape_text(c, 0), c->attrs[0] ? " transposed" : "", infer_shape_text(c, 1),
        c->attrs[1] ? " transposed" : "", why, (long long)x, (long long)y);
}

ir_typeid infer_matmul_rule(struct infer *c)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!check_matmul_arg(c, i))
            return 0;
        if (c->attrs[i] != 0 && c->attrs[i] != 1)
            return infer_fail(c, -1, -1, "`matmul` takes 0 or 1 for ta and tb");
    }
    struct ir_type a = *infer_arg(c, 0), b = *infer_arg(c, 1);
    if (a.rank != b.rank)
        return infer_fail(c, 1, -1,
                          "`matmul` cannot multiply %s by %s: one has %u dimensions, the other %u",
                          infer_shape_text(c, 0), infer_shape_text(c, 1), a.rank, b.rank);
    unsigned m = a.rank - 2 + (c->attrs[0] != 0), ka = a.rank - 1 - (c->attrs[0] != 0);
    unsigned n = a.rank - 1 - (c->attrs[1] != 0), kb = a.rank - 2 + (c->attrs[1] != 0);
    for (unsigned i = 0; i + 2 < a.rank; i++) {
        if (a.dim[i] != b.dim[i])
            return matmul_fault(c, (int)i, "leading extents", a.dim[i], b.dim[i]);
        if (!a.name[i])
            a.name[i] = b.name[i];
    }
    if (a.dim[ka] != b.dim[kb])
        return matmul_fault(c, (int)kb, "inner extents", a.dim[ka], b.dim[kb]);
    struct ir_type r = a;
    r.dim[r.rank - 2] = a.dim[m];
    r.name[r.rank - 2] = a.name[m];
    r.dim[r.rank - 1] = b.dim[n];
    r.name[r.rank - 1] = b.name[n];
    return infer_result(c, DT_F32, r.rank, r.dim, r.name);
}

// -- moves ---------------------------------------------------------------------------------------

// The shape of `wanted` with the operand's element type; BUGs are not possible: wanted is a type.
static bool wanted_shape(struct infer *c, struct ir_type *out)
{
    if (!c->wanted)
        return infer_fail(c, -1, -1, "`%s` needs to be told its type", c->name);
    *out = *ir_type_get(c->m, c->wanted);
    out->dtype = infer_arg(c, 0)->dtype;
    return true;
}

static const char *wanted_text(const struct infer *c)
{
    return strchr(ir_type_text(c->m, c->wanted), '[');
}

// Leading and trailing dimensions that a reshape leaves alone keep their names.
static void keep_names(const struct ir_type *from, struct ir_type *to)
{
    unsigned n = from->rank < to->rank ? from->rank : to->rank, i = 0;
    for (; i < n && from->dim[i] == to->dim[i]; i++)
        if (!to->name[i])
            to->name[i] = from->name[i];
    for (unsigned k = 1; i + k <= n && from->dim[from->rank - k] == to->dim[to->rank - k]; k++)
        if (!to->name[to->rank - k])
            to->name[to->rank - k] = from->name[from->rank - k];
}

ir_typeid infer_reshape_rule(struct infer *c)
{
    struct ir_type a = *infer_arg(c, 0), r = {0};
    if (!wanted_shape(c, &r))
        return 0;
    int64_t have = ir_type_count(&a), want = ir_type_count(&r);
    if (have != want)
        return infer_fail(c, 0, -1, "`reshape` cannot turn %s into %s: %lld elements against %lld",
                          infer_shape_text(c, 0), wanted_text(c), (long long)have, (long long)want);
    keep_names(&a, &r);
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

ir_typeid infer_transpose_rule(struct infer *c)
{
    struct ir_type a = *infer_arg(c, 0), r = a;
    unsigned seen = 0;
    if (c->nattrs != a.rank)
        return infer_fail(c, 0, -1, "`transpose` of %s needs %u axes, not %u", infer_text(c, 0),
                          a.rank, c->nattrs);
    for (unsigned i = 0; i < a.rank; i++) {
        if (!check_axis(c, c->attrs[i]))
            return 0;
        if (seen >> c->attrs[i] & 1)
            return infer_fail(c, 0, (int)c->attrs[i], "`transpose` names axis %lld twice",
                              (long long)c->attrs[i]);
        seen |= 1u << c->attrs[i];
        r.dim[i] = a.dim[c->attrs[i]];
        r.name[i] = a.name[c->attrs[i]];
    }
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

ir_typeid infer_broadcast_rule(struct infer *c)
{
    struct ir_type a = *infer_arg(c, 0), r = {0};
    if (!wanted_shape(c, &r))
        return 0;
    if (a.rank > r.rank)
        return infer_fail(c, 0, -1, "%s cannot be broadcast to %s: it has more dimensions",
                          infer_shape_text(c, 0), wanted_text(c));
    for (unsigned i = 0; i < a.rank; i++) {
        unsigned k = r.rank - a.rank + i;
        if (a.dim[i] != r.dim[k] && a.dim[i] != 1)
            return infer_fail(
                c, 0, (int)i, "%s cannot be broadcast to %s: extent %lld is neither %lld nor 1",
                infer_shape_text(c, 0), wanted_text(c), (long long)a.dim[i], (long long)r.dim[k]);
        if (a.dim[i] == r.dim[k] && !r.name[k])
            r.name[k] = a.name[i];
    }
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

ir_typeid infer_slice_rule(struct infer *c)
{
    struct ir_type a = *infer_arg(c, 0), r = a;
    if (c->nattrs != 3 * a.rank)
        return infer_fail(c, 0, -1, "`slice` of %s needs start, end and step for each of %u axes",
                          infer_text(c, 0), a.rank);
    for (unsigned i = 0; i < a.rank; i++) {
        int64_t start = c->attrs[3 * i], end = c->attrs[3 * i + 1], step = c->attrs[3 * i + 2];
        if (step < 1)
            return infer_fail(c, 0, (int)i, "`slice` needs a step of at least 1, not %lld",
                              (long long)step);
        if (start < 0 || end > a.dim[i])
            return infer_fail(c, 0, (int)i, "`slice` %lld..%lld is outside of dimension %u of %s",
                              (long long)start, (long long)end, i, infer_text(c, 0));
        if (start >= end)
            return infer_fail(c, 0, (int)i, "`slice` %lld..%lld of dimension %u is empty",
                              (long long)start, (long long)end, i);
        r.dim[i] = (end - start - 1) / step + 1;
        if (r.dim[i] != a.dim[i])
            r.name[i] = 0;
    }
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

// Extent of a padded axis, or 0 where a margin is negative or the sum too large.
static int64_t padded(int64_t dim, const int64_t margin[3])
{
    for (unsigned i = 0; i < 3; i++)
        if (margin[i] < 0 || margin[i] > IR_MAX_ELEMENTS)
            return 0;
    if (dim > 1 && margin[2] > IR_MAX_ELEMENTS / (dim - 1))
        return 0;
    int64_t n = margin[0] + margin[1] + dim + (dim - 1) * margin[2];
    return n > IR_MAX_ELEMENTS ? 0 : n;
}

ir_typeid infer_pad_rule(struct infer *c)
{
    struct ir_type a = *infer_arg(c, 0), r = a;
    const struct ir_type *value = infer_arg(c, 1);
    if (value->rank || value->dtype != a.dtype)
        return infer_fail(c, 1, -1, "`pad` of %s needs a scalar %s[] to fill with, not %s",
                          infer_text(c, 0), dtype_name(a.dtype), infer_text(c, 1));
    if (c->nattrs != 3 * a.rank)
        return infer_fail(c, 0, -1, "`pad` of %s needs low, high and interior for each of %u axes",
                          infer_text(c, 0), a.rank);
    for (unsigned i = 0; i < a.rank; i++) {
        r.dim[i] = padded(a.dim[i], c->attrs + 3 * i);
        if (!r.dim[i])
            return infer_fail(c, 0, (int)i, "`pad` needs margins from 0 to 2^40, in dimension %u",
                              i);
        if (r.dim[i] != a.dim[i])
            r.name[i] = 0;
    }
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

// Checks that operand i of a concat fits operand 0; adds its extent.
static bool concat_one(struct infer *c, unsigned i, struct ir_type *r)
{
    const struct ir_type *b = infer_arg(c, i);
    unsigned axis = (unsigned)c->attrs[0];
    if (b->dtype != r->dtype)
        return infer_fail(c, (int)i, -1, "`concat` needs operands of one type, not %s and %s",
                          dtype_name(r->dtype), dtype_name(b->dtype));
    if (b->rank != r->rank)
        return infer_fail(c, (int)i, -1, "`concat` needs operands of equal rank, not %s and %s",
                          infer_shape_text(c, 0), infer_shape_text(c, i));
    for (unsigned k = 0; k < r->rank; k++) {
        if (k != axis && b->dim[k] != r->dim[k])
            return infer_fail(c, (int)i, (int)k,
                              "`concat` along dimension %u needs the others equal, but %s and %s "
                              "differ in dimension %u",
                              axis, infer_shape_text(c, 0), infer_shape_text(c, i), k);
        if (k != axis && !r->name[k])
            r->name[k] = b->name[k];
    }
    if (b->dim[axis] > IR_MAX_ELEMENTS - r->dim[axis])
        return infer_fail(c, (int)i, (int)axis, "the result of `concat` would be too large");
    r->dim[axis] += b->dim[axis];
    return true;
}

ir_typeid infer_concat_rule(struct infer *c)
{
    struct ir_type r = *infer_arg(c, 0);
    if (!check_axis(c, c->attrs[0]))
        return 0;
    for (unsigned i = 1; i < c->nargs; i++)
        if (!concat_one(c, i, &r))
            return 0;
    if (c->nargs > 1)
        r.name[c->attrs[0]] = 0;
    return infer_result(c, r.dtype, r.rank, r.dim, r.name);
}

// -- rows by index -------------------------------------------------------------------------------

static bool check_indices(struct infer *c, unsigned arg)
{
    if (infer_arg(c, arg)->dtype == DT_I32)
        return true;
    return infer_fail(c, (int)arg, -1, "`%s` needs i32 indices, not %s", c->name,
                      infer_text(c, arg));
}

// Appends dimensions from .. of t to r. Returns false when there are too many.
static bool append_dims(const struct ir_type *t, unsigned from, struct ir_type *r)
{
    for (unsigned i = from; i < t->rank; i++) {
        if (r->rank == IR_MAX_RANK)
            return false;
        r->dim[r->rank] = t->dim[i];
        r->name[r->rank++] = t->name[i];
    }
    return true;
}

ir_typeid infer_gather_rows_rule(struct infer *c)
{
    const struct ir_type *table = infer_arg(c, 0);
    struct ir_type r = *infer_arg(c, 1);
    if (!table->rank)
        return infer_fail(c, 0, -1, "`gather_rows` needs a table with rows, not a scalar");
    if (!check_indices(c, 1))
        return 0;
    if (!append_dims(table, 1, &r))
        return infer_fail(
            c, -1, -1,
            "the result of `gather_rows` would have %u dimensions; at most %d are allowed",
            infer_arg(c, 1)->rank + table->rank - 1, IR_MAX_RANK);
    return infer_result(c, table->dtype, r.rank, r.dim, r.name);
}

ir_typeid infer_scatter_rows_rule(struct infer *c)
{
    const struct ir_type *index = infer_arg(c, 0), *values = infer_arg(c, 1);
    if (!check_indices(c, 0) || !check_number(c, 1))
        return 0;
    if (values->rank < index->rank ||
        memcmp(values->dim, index->dim, index->rank * sizeof *index->dim) != 0)
        return infer_fail(c, 1, -1,
                          "`scatter_rows` needs a row for each index: %s does not start with %s",
                          infer_shape_text(c, 1), infer_shape_text(c, 0));
    if (c->attrs[0] < 1 || c->attrs[0] > IR_MAX_ELEMENTS)
        return infer_fail(c, -1, -1, "`scatter_rows` needs from 1 to 2^40 rows");
    struct ir_type r = {.rank = 1, .dim = {c->attrs[0]}};
    if (!append_dims(values, index->rank, &r))
        return infer_fail(c, -1, -1,
                          "the result of `scatter_rows` would have more than %d dimensions",
                          IR_MAX_RANK);
    return infer_result(c, values->dtype, r.rank, r.dim, r.name);
}
