// stage_tensor.c: makes nodes of the graph being staged: constants, broadcasting, checked
// operations.
#include "frontend/stage.h"

#include <math.h>
#include <string.h>

#include "ir/build.h"

// -- values and nodes ----------------------------------------------------------------------------

struct stage_value stage_tensor(struct stage *s, ir_ref r)
{
    if (!r)
        return stage_poison();
    struct stage_value v = {.kind = STAGE_TENSOR};
    v.as.tensor.unit = s->unit;
    v.as.tensor.ref = r;
    return v;
}

ir_typeid stage_typeid(const struct stage *s, struct stage_value v)
{
    if (v.kind == STAGE_VAR)
        return s->m->vars.at[v.as.var].type;
    return ir_get(v.as.tensor.unit->graph, v.as.tensor.ref)->type;
}

const char *stage_type_text(struct ir_module *m, struct stage_value v)
{
    if (v.kind == STAGE_VAR)
        return ir_type_text(m, m->vars.at[v.as.var].type);
    if (v.kind == STAGE_TENSOR)
        return ir_type_text(m, ir_get(v.as.tensor.unit->graph, v.as.tensor.ref)->type);
    return stage_kind_text(m, v);
}

uint32_t stage_loc(struct stage *s, struct span at)
{
    if (!at.file)
        return 0;
    bool fresh;
    struct map_entry *e = map_put(&s->locs, &at, sizeof at, &fresh);
    if (fresh) {
        e->value.u = s->m->locs.n;
        vec_push(s->a, &s->m->locs, at);
    }
    return (uint32_t)e->value.u;
}

void stage_name_node(struct stage *s, struct stage_value v, const char *name)
{
    if (v.kind != STAGE_TENSOR || v.as.tensor.unit != s->unit || s->unit->kind != STAGE_ENTRY)
        return;
    struct ir_node *n = &s->unit->graph->nodes.at[v.as.tensor.ref];
    if (!n->name && ir_op_info((enum ir_op)n->op)->class != IRC_LEAF)
        n->name = ir_intern(s->m, stage_join(s, s->path, name));
}

static bool has_graph(struct stage *s, struct span at)
{
    if (s->unit)
        return true;
    struct diag *g = stage_error(s, at, "HLX0601", "a tensor cannot be computed here");
    diag_caret(g, "outside of any entry");
    diag_help(g, "tensors live in entries, in the functions they call, and in initialisers of "
                 "params and states");
    return false;
}

static ir_ref read_var(struct stage *s, struct span at, uint32_t var)
{
    if (s->unit->kind == STAGE_INIT) {
        stage_fail(s, at, "HLX0604", "an initialiser cannot read `%s`", s->m->vars.at[var].path);
        return 0;
    }
    ir_ref r = ir_var_read(s->unit->graph, var);
    struct ir_node *n = &s->unit->graph->nodes.at[r];
    if (!n->loc)
        n->loc = stage_loc(s, at);
    return r;
}

ir_ref stage_ref(struct stage *s, struct span at, struct stage_value v)
{
    if (v.kind == STAGE_POISON || !has_graph(s, at))
        return 0;
    if (v.kind == STAGE_VAR)
        return read_var(s, at, v.as.var);
    if (v.kind != STAGE_TENSOR) {
        stage_fail(s, at, "HLX0412", "a tensor is needed here, not %s", stage_kind_text(s->m, v));
        return 0;
    }
    if (v.as.tensor.unit == s->unit)
        return v.as.tensor.ref;
    struct diag *g = stage_error(s, at, "HLX0601", "this tensor belongs to `%s`, not to `%s`",
                                 v.as.tensor.unit->name, s->unit->name);
    diag_help(g, "an initialiser and an entry cannot use each other's tensors");
    return 0;
}

static void note_operands(struct stage *s, struct diag *g, const ir_typeid *types, unsigned n)
{
    const char *text = "";
    for (unsigned i = 0; i < n && i < 4; i++)
        text = arena_printf(s->a, "%s%s%s", text, i ? ", " : "", ir_type_text(s->m, types[i]));
    if (n)
        diag_caret(g, "%s%s", text, n > 4 ? " ..." : "");
}

ir_ref stage_node(struct stage *s, struct span at, enum ir_op op, const ir_ref *args,
                  unsigned nargs, const int64_t *attrs, unsigned nattrs, ir_typeid wanted)
{
    if (!has_graph(s, at))
        return 0;
    struct ir_graph *g = s->unit->graph;
    ir_typeid *types = arena_array(s->a, nargs, sizeof *types), type;
    for (unsigned i = 0; i < nargs; i++) {
        if (!args[i])
            return 0;
        types[i] = ir_get(g, args[i])->type;
    }
    struct ir_fault fault;
    if (!ir_infer(s->m, op, types, nargs, attrs, nattrs, wanted, &type, &fault)) {
        note_operands(s, stage_error(s, at, "HLX0408", "%s", fault.message), types, nargs);
        return 0;
    }
    if (++s->nodes > STAGE_MAX_NODES) {
        stage_halt(s, at, "the program has more than %d tensor operations", STAGE_MAX_NODES);
        return 0;
    }
    ir_ref r = ir_node_make(g, op, args, nargs, attrs, nattrs, wanted);
    if (!g->nodes.at[r].loc)
        g->nodes.at[r].loc = stage_loc(s, at);
    return r;
}

// -- constants -----------------------------------------------------------------------------------

// Rounds as spec/numerics.md does: to nearest even, and what is below 2^-126 then is zero.
bool stage_f32(struct stage *s, struct span at, double x, float *out)
{
    if (fabs(x) >= 0x1.ffffffp+127) {
        stage_fail(s, at, "E_FLOAT_SPECIAL", "%g is too large for f32", x);
        return false;
    }
    *out = fabs(x) < 0x1p-126 * (1.0 - 0x1p-25) ? 0.0f : (float)x;
    return true;
}

static bool f32_bits(struct stage *s, struct span at, double x, uint32_t *bits)
{
    float f;
    if (!stage_f32(s, at, x, &f))
        return false;
    memcpy(bits, &f, sizeof *bits);
    return true;
}

struct exact_trees *stage_trees(struct stage *s)
{
    if (!s->exact_ready)
        exact_init(&s->exact, s->m);
    s->exact_ready = true;
    return &s->exact;
}

struct stage_value stage_finite(struct stage *s, struct span at, double x)
{
    if (!isfinite(x))
        return stage_fail(s, at, "E_FLOAT_SPECIAL", "the result is %s, which no float may be",
                          isnan(x) ? "not a number" : "infinite");
    return stage_float(x);
}

static bool int_bits(struct stage *s, struct span at, int64_t x, enum dtype dtype, uint32_t *bits)
{
    static const struct {
        int64_t low, high;
        uint32_t mask;
    } limit[DT_COUNT] = {
        [DT_I32] = {INT32_MIN, INT32_MAX, UINT32_MAX},
        [DT_U32] = {0, UINT32_MAX, UINT32_MAX},
        [DT_I8] = {INT8_MIN, INT8_MAX, UINT8_MAX},
        [DT_U8] = {0, UINT8_MAX, UINT8_MAX},
    };
    if (x < limit[dtype].low || x > limit[dtype].high) {
        stage_fail(s, at, "HLX0413", "%lld does not fit into %s", (long long)x, dtype_name(dtype));
        return false;
    }
    *bits = (uint32_t)x & limit[dtype].mask;
    return true;
}

bool stage_number_bits(struct stage *s, struct span at, struct stage_value v, enum dtype dtype,
                       uint32_t *bits)
{
    enum dtype_class class = dtype_class(dtype);
    if (class == DTC_BOOL && v.kind == STAGE_BOOL) {
        *bits = v.as.boolean;
        return true;
    }
    if (class == DTC_FLOAT && stage_is_number(v))
        return f32_bits(s, at, stage_number(v), bits);
    if ((class == DTC_INT || class == DTC_SMALL_INT) && v.kind == STAGE_INT)
        return int_bits(s, at, v.as.integer, dtype, bits);
    struct diag *g =
        stage_error(s, at, "HLX0413", "%s %s cannot stand with %s",
                    v.kind == STAGE_INT ? "the" : "a", stage_kind_text(s->m, v), dtype_name(dtype));
    if (v.kind == STAGE_FLOAT)
        diag_help(g, "cast the tensor with cast(x, f32), or write an int");
    return false;
}

static enum dtype own_dtype(struct stage_value v)
{
    return v.kind == STAGE_FLOAT ? DT_F32 : v.kind == STAGE_BOOL ? DT_BOOL : DT_I32;
}

ir_ref stage_constant(struct stage *s, struct span at, struct stage_value v, enum dtype dtype)
{
    uint32_t bits;
    if (dtype == DT_COUNT)
        dtype = own_dtype(v);
    enum dtype made = dtype_class(dtype) == DTC_SMALL_FLOAT ? DT_F32 : dtype;
    if (!has_graph(s, at) || !stage_number_bits(s, at, v, made, &bits))
        return 0;
    ir_ref r = ir_const_bits(s->unit->graph, made, bits);
    return made == dtype ? r : ir_cast(s->unit->graph, r, dtype);
}

ir_ref stage_lift(struct stage *s, struct span at, struct stage_value v, enum dtype dtype)
{
    if (stage_is_number(v) || v.kind == STAGE_BOOL)
        return stage_constant(s, at, v, dtype);
    if (stage_is_list(v)) {
        struct diag *g = stage_error(s, at, "HLX0412", "an array is no tensor");
        diag_help(g, "tensor([...]) makes a constant tensor of an array");
        return 0;
    }
    return stage_ref(s, at, v);
}

// -- shapes --------------------------------------------------------------------------------------

static bool same_shape(const struct ir_type *a, const struct ir_type *b)
{
    return a->rank == b->rank && !memcmp(a->dim, b->dim, a->rank * sizeof *a->dim);
}

ir_ref stage_spread(struct stage *s, struct span at, ir_ref r, ir_typeid type)
{
    if (!r || !has_graph(s, at))
        return 0;
    const struct ir_type *from = ir_typeof(s->unit->graph, r);
    if (same_shape(from, ir_type_get(s->m, type)))
        return r;
    return stage_node(s, at, IR_broadcast, &r, 1, NULL, 0, ir_type_with(s->m, type, from->dtype));
}

ir_ref stage_reshape(struct stage *s, struct span at, ir_ref r, unsigned rank, const int64_t *dims,
                     const ir_name *names)
{
    if (!r)
        return 0;
    struct ir_type from = *ir_typeof(s->unit->graph, r);
    if (rank == from.rank && !memcmp(dims, from.dim, rank * sizeof *dims))
        return r;
    if (!ir_shape_ok(rank, dims)) {
        stage_fail(s, at, "HLX0410", "this shape has too many dimensions or elements");
        return 0;
    }
    ir_typeid type = ir_type_make(s->m, from.dtype, rank, dims, names);
    return stage_node(s, at, IR_reshape, &r, 1, NULL, 0, type);
}

static const char *which_dimension(struct stage *s, unsigned from_last)
{
    static const char *const name[] = {"last", "second last", "third last"};
    return from_last < 3 ? name[from_last] : arena_printf(s->a, "%uth last", from_last + 1);
}

bool stage_widen(struct stage *s, struct span at, const char *what, struct ir_type *to,
                 ir_typeid other)
{
    struct ir_type a = *to, b = *ir_type_get(s->m, other);
    const struct ir_type *longer = a.rank >= b.rank ? &a : &b;
    *to = *longer;
    to->dtype = a.dtype;
    for (unsigned k = 1; k <= a.rank && k <= b.rank; k++) {
        int64_t x = a.dim[a.rank - k], y = b.dim[b.rank - k];
        if (x != y && x != 1 && y != 1) {
            ir_typeid left = ir_type_make(s->m, a.dtype, a.rank, a.dim, a.name);
            struct diag *g = stage_error(s, at, "HLX0401", "shapes do not match in `%s`: %s and %s",
                                         what, ir_type_text(s->m, left), ir_type_text(s->m, other));
            diag_caret(g, "%lld against %lld in the %s dimension", (long long)x, (long long)y,
                       which_dimension(s, k - 1));
            return false;
        }
        const struct ir_type *wide = x == 1 && y != 1 ? &b : &a;
        ir_name name = wide->name[wide->rank - k];
        if (!name && x == y)
            name = b.name[b.rank - k];
        to->dim[to->rank - k] = wide->dim[wide->rank - k];
        to->name[to->rank - k] = name;
    }
    return true;
}

// The element type of an operation: the tensors' own, which must agree; of numbers alone, the
// widest.
static bool common_dtype(struct stage *s, struct span at, const char *what,
                         const struct stage_value *v, unsigned n, enum dtype *out)
{
    const struct stage_value *first = NULL;
    bool real = false, whole = false;
    for (unsigned i = 0; i < n; i++) {
        real |= v[i].kind == STAGE_FLOAT;
        whole |= v[i].kind == STAGE_INT;
        if (!stage_is_tensor(v[i]))
            continue;
        enum dtype t = ir_type_get(s->m, stage_typeid(s, v[i]))->dtype;
        if (first && t != *out) {
            struct diag *g =
                stage_error(s, at, "HLX0405", "`%s` needs operands of one element type: %s and %s",
                            what, stage_type_text(s->m, *first), stage_type_text(s->m, v[i]));
            diag_help(g, "cast(x, %s) converts", dtype_name(*out));
            return false;
        }
        first = &v[i];
        *out = t;
    }
    if (!first)
        *out = real ? DT_F32 : whole ? DT_I32 : DT_BOOL;
    return true;
}

bool stage_common(struct stage *s, struct span at, const char *what, struct stage_value *v,
                  unsigned n, ir_ref *out)
{
    enum dtype dtype = DT_F32;
    for (unsigned i = 0; i < n; i++)
        if (v[i].kind == STAGE_POISON)
            return false;
    if (!has_graph(s, at) || !common_dtype(s, at, what, v, n, &dtype))
        return false;
    struct ir_graph *g = s->unit->graph;
    struct ir_type type = {.dtype = dtype};
    for (unsigned i = 0; i < n; i++) {
        out[i] = stage_lift(s, at, v[i], dtype);
        if (!out[i] || !stage_widen(s, at, what, &type, ir_get(g, out[i])->type))
            return false;
    }
    if (!ir_shape_ok(type.rank, type.dim)) {
        stage_fail(s, at, "HLX0410", "the result of `%s` would be too large", what);
        return false;
    }
    ir_typeid id = ir_type_make(s->m, dtype, type.rank, type.dim, type.name);
    for (unsigned i = 0; i < n; i++)
        if (!(out[i] = stage_spread(s, at, out[i], id)))
            return false;
    return true;
}

struct stage_value stage_map(struct stage *s, struct span at, const char *what, enum ir_op op,
                             struct stage_value *v, unsigned n)
{
    ir_ref r[3];
    if (!stage_common(s, at, what, v, n, r))
        return stage_poison();
    return stage_tensor(s, stage_node(s, at, op, r, n, NULL, 0, 0));
}
