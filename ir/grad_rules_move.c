// grad_rules_move.c: the gradients of reductions, matmul, moves and row gathers.
#include "ir/grad_rules.h"

static const struct ir_type *type_of(const struct grad_step *s, ir_ref r)
{
    return ir_typeof(s->g, r);
}

// -- reductions ----------------------------------------------------------------------------------

static bool has_axis(const int64_t *axes, unsigned n, unsigned axis)
{
    for (unsigned i = 0; i < n; i++)
        if (axes[i] == (int64_t)axis)
            return true;
    return false;
}

// Reshaped with extent 1 where it was reduced, then repeated.
void grad_sum_rule(struct grad_step *s)
{
    struct ir_type t = *type_of(s, s->a[0]);
    ir_typeid shape = ir_get(s->g, s->a[0])->type;
    unsigned n = ir_get(s->g, s->y)->nattrs;
    for (unsigned i = 0; i < t.rank; i++)
        if (has_axis(s->attrs, n, i))
            t.dim[i] = 1;
    s->da[0] = ir_broadcast_to(s->g, ir_reshape(s->g, s->dy, t.rank, t.dim), shape);
}

// The order of axes that brings the reduced ones last, and the shape that then has them as one.
struct row_view {
    int64_t perm[IR_MAX_RANK], back[IR_MAX_RANK];
    int64_t dims[IR_MAX_RANK];
    unsigned rank; // of dims: kept axes and one more
};

static struct row_view view_rows(const struct ir_type *t, const int64_t *axes, unsigned n)
{
    struct row_view v = {.dims = {0}};
    int64_t len = 1;
    unsigned at = 0;
    for (unsigned i = 0; i < t->rank; i++)
        if (!has_axis(axes, n, i)) {
            v.dims[v.rank++] = t->dim[i];
            v.perm[at++] = i;
        }
    for (unsigned i = 0; i < t->rank; i++)
        if (has_axis(axes, n, i)) {
            len *= t->dim[i];
            v.perm[at++] = i;
        }
    for (unsigned i = 0; i < t->rank; i++)
        v.back[v.perm[i]] = i;
    v.dims[v.rank++] = len;
    return v;
}

// Spreads a tensor of the kept axes along the last axis of the rows.
static ir_ref along_rows(struct grad_step *s, const struct row_view *v, ir_ref a, ir_typeid rows)
{
    struct row_view one = *v;
    one.dims[one.rank - 1] = 1;
    return ir_broadcast_to(s->g, ir_reshape(s->g, a, one.rank, one.dims), rows);
}

// dy at the lowest index of the largest of `key` (NaN wins), 0 elsewhere. `key` is the operand, or
// minus it for the smallest.
static void pick_row(struct grad_step *s, ir_ref key)
{
    struct ir_module *m = s->g->module;
    const struct ir_type t = *type_of(s, key);
    struct row_view v = view_rows(&t, s->attrs, ir_get(s->g, s->y)->nattrs);
    int64_t last = v.rank - 1;
    ir_ref moved = ir_transpose(s->g, key, v.perm);
    ir_typeid shape = ir_get(s->g, moved)->type;
    ir_ref rows = ir_reshape(s->g, moved, v.rank, v.dims);
    ir_typeid index_type = ir_type_make(m, DT_I32, v.rank, v.dims, NULL);
    ir_ref best = ir_reduce(s->g, IR_argmax, rows, &last, 1);
    ir_ref index = ir_node_make(s->g, IR_iota, NULL, 0, &last, 1, index_type);
    ir_ref hit = ir_binary(s->g, IR_eq, index, along_rows(s, &v, best, index_type));
    ir_ref dy = along_rows(s, &v, s->dy, ir_get(s->g, rows)->type);
    ir_ref d = ir_select(s->g, hit, dy, grad_fill(s, dy, 0));
    s->da[0] = ir_transpose(s->g, ir_reshape_to(s->g, d, shape), v.back);
}

void grad_reduce_max_rule(struct grad_step *s)
{
    pick_row(s, s->a[0]);
}

void grad_reduce_min_rule(struct grad_step *s)
{
    pick_row(s, grad_neg(s, s->a[0]));
}

// -- matmul --------------------------------------------------------------------------------------

// With A' = A or its transpose: dA' = dY B'^T and dB' = A'^T dY, written so that no transpose is
// left over.
void grad_matmul_rule(struct grad_step *s)
{
    ir_ref a = s->a[0], b = s->a[1], dy = s->dy;
    bool ta = s->attrs[0], tb = s->attrs[1];
    if (s->need[0])
        s->da[0] = ta ? ir_matmul(s->g, b, dy, tb, true) : ir_matmul(s->g, dy, b, false, !tb);
    if (s->need[1])
        s->da[1] = tb ? ir_matmul(s->g, dy, a, true, ta) : ir_matmul(s->g, a, dy, !ta, false);
}

// -- moves ---------------------------------------------------------------------------------------

void grad_reshape_rule(struct grad_step *s)
{
    s->da[0] = ir_reshape_to(s->g, s->dy, ir_get(s->g, s->a[0])->type);
}

void grad_transpose_rule(struct grad_step *s)
{
    int64_t back[IR_MAX_RANK];
    for (unsigned i = 0; i < type_of(s, s->y)->rank; i++)
        back[s->attrs[i]] = i;
    s->da[0] = ir_transpose(s->g, s->dy, back);
}

// Sums over the axes along which elements were repeated.
void grad_broadcast_rule(struct grad_step *s)
{
    const struct ir_type from = *type_of(s, s->a[0]), to = *type_of(s, s->y);
    int64_t axes[IR_MAX_RANK];
    unsigned n = 0, lead = to.rank - from.rank;
    for (unsigned i = 0; i < to.rank; i++)
        if (to.dim[i] > 1 && (i < lead || from.dim[i - lead] == 1))
            axes[n++] = i;
    ir_ref d = n ? ir_reduce(s->g, IR_sum, s->dy, axes, n) : s->dy;
    s->da[0] = ir_reshape_to(s->g, d, ir_get(s->g, s->a[0])->type);
}

static ir_ref pad(struct grad_step *s, ir_ref a, ir_ref fill, const int64_t *margins)
{
    return ir_node_make(s->g, IR_pad, (ir_ref[]){a, fill}, 2, margins, 3 * type_of(s, a)->rank, 0);
}

static ir_ref slice(struct grad_step *s, ir_ref a, const int64_t *bounds)
{
    return ir_node_make(s->g, IR_slice, &a, 1, bounds, 3 * type_of(s, a)->rank, 0);
}

void grad_slice_rule(struct grad_step *s)
{
    const struct ir_type from = *type_of(s, s->a[0]), to = *type_of(s, s->y);
    int64_t margins[3 * IR_MAX_RANK];
    for (unsigned i = 0; i < from.rank; i++) {
        int64_t low = s->attrs[3 * i], step = s->attrs[3 * i + 2];
        margins[3 * i] = low;
        margins[3 * i + 1] = from.dim[i] - (low + (to.dim[i] - 1) * step + 1);
        margins[3 * i + 2] = step - 1;
    }
    s->da[0] = pad(s, s->dy, ir_const_f32(s->g, 0), margins);
}

// To the operand what stands at its places; to the fill the sum of the rest.
void grad_pad_rule(struct grad_step *s)
{
    const struct ir_type from = *type_of(s, s->a[0]), to = *type_of(s, s->y);
    int64_t bounds[3 * IR_MAX_RANK], axes[IR_MAX_RANK];
    for (unsigned i = 0; i < from.rank; i++) {
        int64_t low = s->attrs[3 * i], step = s->attrs[3 * i + 2] + 1;
        bounds[3 * i] = low;
        bounds[3 * i + 1] = low + (from.dim[i] - 1) * step + 1;
        bounds[3 * i + 2] = step;
        axes[i] = i;
    }
    if (s->need[0])
        s->da[0] = slice(s, s->dy, bounds);
    if (!s->need[1] || !to.rank)
        return; // a scalar has no room for the fill
    ir_typeid flags = ir_type_make(s->g->module, DT_BOOL, from.rank, from.dim, NULL);
    ir_ref yes = ir_splat_f32(s->g, flags, 1);
    ir_ref inside = pad(s, yes, ir_const_bits(s->g, DT_BOOL, 0), s->attrs);
    ir_ref rest = ir_select(s->g, inside, grad_fill(s, s->dy, 0), s->dy);
    s->da[1] = ir_reduce(s->g, IR_sum, rest, axes, to.rank);
}

void grad_concat_rule(struct grad_step *s)
{
    const struct ir_type to = *type_of(s, s->y);
    int64_t bounds[3 * IR_MAX_RANK], axis = s->attrs[0], at = 0;
    for (unsigned k = 0; k < to.rank; k++) {
        bounds[3 * k] = 0;
        bounds[3 * k + 1] = to.dim[k];
        bounds[3 * k + 2] = 1;
    }
    for (unsigned i = 0; i < s->nargs; i++) {
        int64_t len = type_of(s, s->a[i])->dim[axis];
        bounds[3 * axis] = at;
        bounds[3 * axis + 1] = at + len;
        if (s->need[i])
            s->da[i] = slice(s, s->dy, bounds);
        at += len;
    }
}

// -- rows by index -------------------------------------------------------------------------------

void grad_gather_rows_rule(struct grad_step *s)
{
    int64_t rows = type_of(s, s->a[0])->dim[0];
    s->da[0] = ir_node_make(s->g, IR_scatter_rows, (ir_ref[]){s->a[1], s->dy}, 2, &rows, 1, 0);
}

void grad_scatter_rows_rule(struct grad_step *s)
{
    s->da[1] = ir_binary(s->g, IR_gather_rows, s->dy, s->a[0]);
}
