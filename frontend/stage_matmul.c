// stage_matmul.c: stages `@`: vectors, matrices and batches of them, as NumPy pairs them.
#include "frontend/stage.h"

#include <string.h>

#include "ir/build.h"

// One operand: a tensor of at least two dimensions, perhaps to be read with its last two swapped.
struct side {
    ir_ref ref;
    struct ir_type type; // of ref
    bool vector;         // was a vector: its extra dimension goes away in the end
    bool swapped;
};

static void set_type(struct stage *s, struct side *x)
{
    if (x->ref)
        x->type = *ir_typeof(s->unit->graph, x->ref);
}

// A vector becomes a row on the left, a column on the right.
static void widen(struct stage *s, struct span at, struct side *x, bool left)
{
    x->vector = x->type.rank == 1;
    if (!x->vector)
        return;
    int64_t n = x->type.dim[0];
    ir_name name = x->type.name[0];
    int64_t dims[2] = {left ? 1 : n, left ? n : 1};
    ir_name names[2] = {left ? 0 : name, left ? name : 0};
    x->ref = stage_reshape(s, at, x->ref, 2, dims, names);
    set_type(s, x);
}

// Looks through a transposition of the last two dimensions: matmul reads either way.
static void look_through(struct stage *s, struct side *x)
{
    const struct ir_graph *g = s->unit->graph;
    unsigned n = x->type.rank;
    if (ir_opcode(g, x->ref) != IR_transpose)
        return;
    for (unsigned i = 0; i < n; i++) {
        unsigned want = i + 2 < n ? i : 2 * n - 3 - i;
        if (ir_attr(g, x->ref, i) != (int64_t)want)
            return;
    }
    x->ref = ir_arg(g, x->ref, 0);
    x->swapped = true;
    set_type(s, x);
}

static int64_t rows(const struct side *x)
{
    return x->type.dim[x->type.rank - (x->swapped ? 1 : 2)];
}

static int64_t columns(const struct side *x)
{
    return x->type.dim[x->type.rank - (x->swapped ? 2 : 1)];
}

static bool check(struct stage *s, struct span at, struct stage_value a, struct stage_value b,
                  const struct side *x, const struct side *y)
{
    if (columns(x) == rows(y))
        return true;
    struct diag *g = stage_error(s, at, "HLX0403", "shapes do not match in `@`: %s and %s",
                                 stage_type_text(s->m, a), stage_type_text(s->m, b));
    diag_caret(g, "%lld columns against %lld rows", (long long)columns(x), (long long)rows(y));
    return false;
}

// [..., M, K] @ [K, N]: the leading dimensions of the left side are rows of one product.
static ir_ref flat(struct stage *s, struct span at, struct side *x, struct side *y)
{
    unsigned n = x->type.rank;
    int64_t k = x->type.dim[n - 1], m = ir_type_count(&x->type) / k;
    ir_ref r = stage_reshape(s, at, x->ref, 2, (int64_t[]){m, k}, NULL);
    r = stage_node(s, at, IR_matmul, (ir_ref[]){r, y->ref}, 2, (int64_t[]){0, y->swapped}, 2, 0);
    if (!r)
        return 0;
    struct ir_type out = x->type, product = *ir_typeof(s->unit->graph, r);
    out.dim[n - 1] = product.dim[1];
    out.name[n - 1] = product.name[1];
    return stage_reshape(s, at, r, n, out.dim, out.name);
}

// The leading dimensions of both sides, broadcast.
static bool leading(struct stage *s, struct span at, struct stage_value a, struct stage_value b,
                    const struct side *x, const struct side *y, struct ir_type *out)
{
    unsigned nx = x->type.rank - 2, ny = y->type.rank - 2;
    out->rank = nx > ny ? nx : ny;
    for (unsigned k = 1; k <= out->rank; k++) {
        int64_t p = k <= nx ? x->type.dim[nx - k] : 1, q = k <= ny ? y->type.dim[ny - k] : 1;
        if (p != q && p != 1 && q != 1) {
            struct diag *g = stage_error(s, at, "HLX0403", "shapes do not match in `@`: %s and %s",
                                         stage_type_text(s->m, a), stage_type_text(s->m, b));
            diag_caret(g, "%lld against %lld in the leading dimensions", (long long)p,
                       (long long)q);
            return false;
        }
        bool left = k <= nx && (p != 1 || k > ny);
        out->dim[out->rank - k] = left ? p : q;
        out->name[out->rank - k] = left ? x->type.name[nx - k] : y->type.name[ny - k];
    }
    return true;
}

static ir_ref batched(struct stage *s, struct span at, const struct ir_type *lead, struct side *x,
                      struct side *y)
{
    struct side *both[2] = {x, y};
    ir_ref r[2];
    for (unsigned i = 0; i < 2; i++) {
        struct ir_type t = *lead, from = both[i]->type;
        for (unsigned k = 0; k < 2; k++) {
            t.dim[t.rank] = from.dim[from.rank - 2 + k];
            t.name[t.rank++] = from.name[from.rank - 2 + k];
        }
        if (!ir_shape_ok(t.rank, t.dim)) {
            stage_fail(s, at, "HLX0410", "the operands of `@` would be too large");
            return 0;
        }
        r[i] = stage_spread(s, at, both[i]->ref,
                            ir_type_make(s->m, from.dtype, t.rank, t.dim, t.name));
    }
    return stage_node(s, at, IR_matmul, r, 2, (int64_t[]){x->swapped, y->swapped}, 2, 0);
}

// Drops the dimensions that vectors were given.
static ir_ref narrow(struct stage *s, struct span at, ir_ref r, const struct side *x,
                     const struct side *y)
{
    if (!r || (!x->vector && !y->vector))
        return r;
    struct ir_type t = *ir_typeof(s->unit->graph, r);
    if (y->vector)
        t.rank--;
    if (x->vector) {
        unsigned at_row = t.rank - (y->vector ? 1 : 2);
        if (!y->vector) {
            t.dim[at_row] = t.dim[at_row + 1];
            t.name[at_row] = t.name[at_row + 1];
        }
        t.rank--;
    }
    return stage_reshape(s, at, r, t.rank, t.dim, t.name);
}

struct stage_value stage_matmul(struct stage *s, struct span at, struct stage_value a,
                                struct stage_value b)
{
    if (!stage_is_tensor(a) || !stage_is_tensor(b))
        return stage_fail(s, at, "HLX0405", "`@` takes tensors, not %s and %s",
                          stage_kind_text(s->m, a), stage_kind_text(s->m, b));
    struct side x = {.ref = stage_ref(s, at, a)}, y = {.ref = stage_ref(s, at, b)};
    if (!x.ref || !y.ref)
        return stage_poison();
    set_type(s, &x);
    set_type(s, &y);
    if (!x.type.rank || !y.type.rank)
        return stage_fail(s, at, "HLX0403", "`@` takes vectors and matrices, not %s and %s",
                          stage_type_text(s->m, a), stage_type_text(s->m, b));
    widen(s, at, &x, true);
    widen(s, at, &y, false);
    if (!x.ref || !y.ref)
        return stage_poison();
    look_through(s, &y);
    bool flatten = y.type.rank == 2 && x.type.rank > 2;
    if (!flatten)
        look_through(s, &x);
    if (!check(s, at, a, b, &x, &y))
        return stage_poison();
    struct ir_type lead = {0};
    if (flatten)
        return stage_tensor(s, narrow(s, at, flat(s, at, &x, &y), &x, &y));
    if (!leading(s, at, a, b, &x, &y, &lead))
        return stage_poison();
    if (lead.rank + 2 > IR_MAX_RANK)
        return stage_fail(s, at, "HLX0410", "the result of `@` has more than %d dimensions",
                          IR_MAX_RANK);
    return stage_tensor(s, narrow(s, at, batched(s, at, &lead, &x, &y), &x, &y));
}
