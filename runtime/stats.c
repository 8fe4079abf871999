// stats.c: looks at gradients and named values: mean, deviation, extremes, zeros, NaNs.
#include "runtime/stats.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/shard.h"

// -- one tensor ----------------------------------------------------------------------------------

static double f32_value(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double f16_value(uint32_t bits)
{
    unsigned exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    double x = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
               : exponent == 0 ? ldexp(fraction, -24)
                               : ldexp(1024 + fraction, (int)exponent - 25);
    return bits & 0x8000 ? -x : x;
}

static double bf16_value(uint32_t bits)
{
    return f32_value(bits << 16);
}

static double i32_value(uint32_t bits)
{
    return (int32_t)bits;
}

static double i8_value(uint32_t bits)
{
    return (int8_t)bits;
}

static double unsigned_value(uint32_t bits)
{
    return bits;
}

// Elements of up to four bytes, little-endian as in files.
static double (*const value_of[DT_COUNT])(uint32_t bits) = {
    [DT_F32] = f32_value,     [DT_F16] = f16_value,       [DT_BF16] = bf16_value,
    [DT_I32] = i32_value,     [DT_I8] = i8_value,         [DT_U32] = unsigned_value,
    [DT_U8] = unsigned_value, [DT_BOOL] = unsigned_value,
};

static double element(enum dtype dtype, const void *at, size_t i)
{
    size_t bytes = dtype_bytes(dtype);
    const unsigned char *p = (const unsigned char *)at + i * bytes;
    uint32_t bits = 0;
    for (size_t k = 0; k < bytes; k++)
        bits |= (uint32_t)p[k] << 8 * k;
    return value_of[dtype](bits);
}

static void count(struct stats *s, double x, bool first)
{
    s->zeros += x == 0;
    s->mean += x;
    s->min = first || x < s->min ? x : s->min;
    s->max = first || x > s->max ? x : s->max;
    s->abs_max = fabs(x) > s->abs_max ? fabs(x) : s->abs_max;
}

void stats_of(enum dtype dtype, const void *at, size_t n, struct stats *out)
{
    struct stats s = {.n = n};
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        double x = element(dtype, at, i);
        s.nans += isnan(x) != 0;
        s.infs += isinf(x) != 0;
        if (isfinite(x))
            count(&s, x, finite++ == 0);
    }
    double squares = 0;
    s.mean = finite ? s.mean / (double)finite : 0;
    for (size_t i = 0; i < n; i++) {
        double x = element(dtype, at, i);
        if (isfinite(x))
            squares += (x - s.mean) * (x - s.mean);
    }
    s.std = finite ? sqrt(squares / (double)finite) : 0;
    *out = s;
}

// -- choosing ------------------------------------------------------------------------------------

static bool matches(const char *pattern, const char *name)
{
    return *name && (!strcmp(pattern, name) || fnmatch(pattern, name, 0) == 0);
}

static const char *node_name(const struct ir_entry *e, size_t r)
{
    return ir_name_text(e->graph->module, e->graph->nodes.at[r].name);
}

static bool add_row(struct stats_table *t, const char *name, bool gradient, ir_ref value)
{
    struct stats_row *row = realloc(t->row, (t->n + 1) * sizeof *row);
    if (!row)
        return false;
    t->row = row;
    t->row[t->n++] = (struct stats_row){.name = name, .gradient = gradient, .value = value};
    return true;
}

static bool has_node(const struct stats_table *t, ir_ref r)
{
    for (size_t i = 0; i < t->n; i++)
        if (!t->row[i].gradient && t->row[i].value == r)
            return true;
    return false;
}

static int by_var(const void *a, const void *b)
{
    uint32_t x = ((const struct ir_update *)a)->var, y = ((const struct ir_update *)b)->var;
    return (x > y) - (x < y);
}

// Variables are in the order of their paths.
static bool choose_gradients(struct stats_table *t, const struct ir_module *m)
{
    size_t n = t->entry->grads.n;
    struct ir_update *sorted = calloc(n + 1, sizeof *sorted);
    bool ok = sorted != NULL;
    if (ok && n > 0)
        memcpy(sorted, t->entry->grads.at, n * sizeof *sorted);
    if (ok)
        qsort(sorted, n, sizeof *sorted, by_var);
    for (size_t i = 0; ok && i < n; i++)
        ok = add_row(t, m->vars.at[sorted[i].var].path, true, sorted[i].value);
    free(sorted);
    return ok;
}

// Fails with what there is in a pattern's place.
static bool unknown_name(const struct stats_table *t, const char *pattern, struct hlx_error *error)
{
    struct arena a = {0};
    VEC(const char *) known = {0};
    for (size_t i = 0; i < t->n; i++)
        vec_push(&a, &known, t->row[i].name);
    for (size_t r = 1; r < t->entry->graph->nodes.n; r++)
        if (*node_name(t->entry, r))
            vec_push(&a, &known, node_name(t->entry, r));
    const char *near = text_nearest(pattern, known.at, known.n);
    if (known.n == 0)
        hlx_fail(error, EXIT_USAGE, "entry `%s` has no gradient and no value with a name",
                 t->entry->name);
    else
        hlx_fail(error, EXIT_USAGE, "entry `%s` has no value that is called `%s`; %s%s%s",
                 t->entry->name, pattern, near ? "did you mean `" : "the pattern `*`",
                 near ? near : " shows what there is", near ? "`?" : "");
    arena_free(&a);
    return false;
}

// Whether each shard has a value of its own, so that there is none to show.
static bool is_local(const struct ir_entry *e, size_t r)
{
    struct arena scratch = {0};
    struct ir_module m = *e->graph->module; // the check takes memory, and changes nothing
    struct ir_entry asked = {.name = e->name, .graph = e->graph, .attrs = e->attrs};
    ir_shard_faults faults = {0};
    if (!e->split)
        return false;
    m.arena = &scratch;
    for (size_t i = 0; i < e->inputs.n; i++)
        vec_push(&scratch, &asked.inputs, e->inputs.at[i]);
    vec_push(&scratch, &asked.outputs, (struct ir_named){"asked", (ir_ref)r});
    ir_shard_check(&m, &asked, &faults);
    arena_free(&scratch);
    return faults.n > 0;
}

static bool local_name(const struct stats_table *t, const char *pattern, const char *name,
                       struct hlx_error *error)
{
    return hlx_fail(error, EXIT_USAGE,
                    strcmp(pattern, name) == 0
                        ? "`%s` of entry `%s` is local to a shard: there are %u of it"
                        : "`%s` and all other values of entry `%s` that were asked for are local "
                          "to a shard: there are %u of each",
                    name, t->entry->name, (unsigned)t->entry->split->shards);
}

// Adds the nodes that a pattern matches. Those of single shards are left out of what a pattern
// with wildcards finds, unless it finds nothing else.
static bool choose_nodes(struct stats_table *t, const char *pattern, struct hlx_error *error)
{
    const char *local = NULL;
    bool any = false;
    for (size_t i = 0; i < t->n && !any; i++)
        any = matches(pattern, t->row[i].name);
    for (size_t r = 1; r < t->entry->graph->nodes.n; r++) {
        const char *name = node_name(t->entry, r);
        if (!matches(pattern, name))
            continue;
        if (is_local(t->entry, r)) {
            local = name;
            continue;
        }
        any = true;
        if (!has_node(t, (ir_ref)r) && !add_row(t, name, false, (ir_ref)r))
            return hlx_no_memory(error, "statistics");
    }
    if (any)
        return true;
    return local ? local_name(t, pattern, local, error) : unknown_name(t, pattern, error);
}

static bool choose_names(struct stats_table *t, const char *names, struct hlx_error *error)
{
    struct arena a = {0};
    char *rest = arena_strdup(&a, names), *pattern;
    bool ok = true;
    while (ok && (pattern = strtok_r(NULL, ",", &rest)))
        ok = choose_nodes(t, pattern, error);
    arena_free(&a);
    return ok;
}

bool stats_choose(struct stats_table *t, const struct ir_entry *entry, const struct ir_module *m,
                  const char *names, struct hlx_error *error)
{
    *t = (struct stats_table){.entry = entry};
    bool ok = choose_gradients(t, m) || hlx_no_memory(error, "statistics");
    ok = ok && (!names || choose_names(t, names, error));
    if (!ok)
        stats_free(t);
    return ok;
}

// -- computing -----------------------------------------------------------------------------------

static const struct ir_type *row_type(const struct stats_table *t, size_t i)
{
    return ir_typeof(t->entry->graph, t->row[i].value);
}

static bool take_rows(struct stats_table *t, ir_ref *root, void **out)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->row[i].bytes);
        root[i] = t->row[i].value;
        out[i] = t->row[i].bytes = malloc(ir_type_bytes(row_type(t, i)));
        if (!out[i])
            return false;
    }
    return true;
}

bool stats_compute(struct stats_table *t, struct exec *x, const void *const *inputs, uint32_t step,
                   struct hlx_error *error)
{
    ir_ref *root = calloc(t->n + 1, sizeof *root);
    void **out = calloc(t->n + 1, sizeof *out);
    bool ok = false;
    if (root && out && take_rows(t, root, out))
        ok = exec_probe(x, t->entry, root, t->n, inputs, step, out, error);
    else
        hlx_no_memory(error, "statistics");
    for (size_t i = 0; ok && i < t->n; i++)
        stats_of(row_type(t, i)->dtype, t->row[i].bytes, (size_t)ir_type_count(row_type(t, i)),
                 &t->row[i].stats);
    free(root);
    free(out);
    return ok;
}

void stats_free(struct stats_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->row[i].bytes);
    free(t->row);
    *t = (struct stats_table){0};
}

// -- printing ------------------------------------------------------------------------------------

// Nodes of one name are told apart by their number: x, x#2, x#3 ...
static const char *row_label(struct arena *a, const struct stats_table *t, size_t i)
{
    const struct stats_row *r = &t->row[i];
    size_t same = 1;
    if (r->gradient)
        return arena_printf(a, "grad(%s)", r->name);
    for (size_t k = 0; k < i; k++)
        same += !t->row[k].gradient && !strcmp(t->row[k].name, r->name);
    return same == 1 ? r->name : arena_printf(a, "%s#%zu", r->name, same);
}

static const char *row_shape(struct arena *a, const struct stats_table *t, size_t i)
{
    struct buf b = {0};
    ir_type_print(t->entry->graph->module, t->entry->graph->nodes.at[t->row[i].value].type, false,
                  &b);
    const char *text = arena_copy(a, b.at, b.n);
    buf_free(&b);
    return text;
}

static void print_row(const struct stats *s, const char *label, int width, const char *shape,
                      int shape_width, struct buf *out)
{
    buf_printf(out, "%-*s  %-*s", width, label, shape_width, shape);
    const double column[] = {s->mean, s->std, s->min, s->max, s->abs_max};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        buf_printf(out, " %12.5e", column[i]);
    buf_printf(out, "  zeros %zu/%zu  nan %zu  inf %zu\n", s->zeros, s->n, s->nans, s->infs);
}

void stats_print(const struct stats_table *t, struct buf *out)
{
    struct arena a = {0};
    int width = 4, shape_width = 5; // of the headings
    for (size_t i = 0; i < t->n; i++) {
        int w = (int)strlen(row_label(&a, t, i)), s = (int)strlen(row_shape(&a, t, i));
        width = w > width ? w : width;
        shape_width = s > shape_width ? s : shape_width;
    }
    buf_printf(out, "%-*s  %-*s %12s %12s %12s %12s %12s\n", width, "name", shape_width, "shape",
               "mean", "std", "min", "max", "abs_max");
    for (size_t i = 0; i < t->n; i++)
        print_row(&t->row[i].stats, row_label(&a, t, i), width, row_shape(&a, t, i), shape_width,
                  out);
    arena_free(&a);
}
