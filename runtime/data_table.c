// data_table.c: samples written in the program itself, as arrays of numbers.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data.h"

struct table {
    unsigned char **column; // per field: all samples in storage form
};

static void table_close(struct data_set *s)
{
    struct table *t = s->state;
    for (size_t i = 0; t->column && i < s->nfields; i++)
        free(t->column[i]);
    free(t->column);
    free(t);
}

// -- one number ----------------------------------------------------------------------------------

static bool store_f32(const struct value *v, void *to)
{
    double x = v->kind == VALUE_INT ? (double)v->as.integer : v->as.number;
    float f = (float)x;
    memcpy(to, &f, sizeof f);
    return (v->kind == VALUE_INT || v->kind == VALUE_FLOAT) && isfinite(f);
}

static bool whole(const struct value *v, int64_t low, int64_t high, int64_t *x)
{
    *x = v->kind == VALUE_INT ? v->as.integer : 0;
    return v->kind == VALUE_INT && *x >= low && *x <= high;
}

static bool store_i32(const struct value *v, void *to)
{
    int64_t x;
    bool ok = whole(v, INT32_MIN, INT32_MAX, &x);
    int32_t i = (int32_t)x;
    memcpy(to, &i, sizeof i);
    return ok;
}

static bool store_u32(const struct value *v, void *to)
{
    int64_t x;
    bool ok = whole(v, 0, UINT32_MAX, &x);
    uint32_t u = (uint32_t)x;
    memcpy(to, &u, sizeof u);
    return ok;
}

static bool store_i8(const struct value *v, void *to)
{
    int64_t x;
    bool ok = whole(v, INT8_MIN, INT8_MAX, &x);
    *(int8_t *)to = (int8_t)x;
    return ok;
}

static bool store_u8(const struct value *v, void *to)
{
    int64_t x;
    bool ok = whole(v, 0, UINT8_MAX, &x);
    *(uint8_t *)to = (uint8_t)x;
    return ok;
}

static bool store_bool(const struct value *v, void *to)
{
    uint32_t u = v->kind == VALUE_BOOL && v->as.boolean;
    memcpy(to, &u, sizeof u);
    return v->kind == VALUE_BOOL;
}

// NULL: a table has no fields of this type.
static bool (*const store[DT_COUNT])(const struct value *v, void *to) = {
    [DT_F32] = store_f32, [DT_I32] = store_i32, [DT_U32] = store_u32,
    [DT_I8] = store_i8,   [DT_U8] = store_u8,   [DT_BOOL] = store_bool,
};

// -- columns -------------------------------------------------------------------------------------

// Stores the elements of a sample in row-major order. Axes are at most IR_MAX_RANK deep.
static bool put_elements(const struct ir_type *t, unsigned axis, const struct value *v,
                         unsigned char **to)
{
    if (axis == t->rank) {
        bool ok = store[t->dtype](v, *to);
        *to += dtype_bytes(t->dtype);
        return ok;
    }
    bool ok = v->kind == VALUE_ARRAY && v->as.array.n == (uint64_t)t->dim[axis];
    for (size_t i = 0; ok && i < v->as.array.n; i++)
        ok = put_elements(t, axis + 1, v->as.array.at[i], to);
    return ok;
}

static bool fill_column(struct data_set *s, size_t i, const struct value *rows,
                        struct hlx_error *error)
{
    const struct data_field *f = &s->field[i];
    const struct ir_type *t = ir_type_get(s->module, f->type);
    struct table *table = s->state;
    if (!store[t->dtype])
        return hlx_fail(error, EXIT_DATA, "a table has no field of type %s", dtype_name(t->dtype));
    unsigned char *to = NULL;
    if (rows->as.array.n <= SIZE_MAX / f->bytes)
        to = table->column[i] = malloc(rows->as.array.n * f->bytes + 1);
    if (!to)
        return hlx_no_memory(error, "the data");
    for (size_t k = 0; k < rows->as.array.n; k++)
        if (!put_elements(t, 0, rows->as.array.at[k], &to))
            return hlx_fail(error, EXIT_DATA, "sample %zu of `%s` in data `%s` does not fit %s", k,
                            f->name, s->data->name, dtype_name(t->dtype));
    return true;
}

static bool table_open(struct data_set *s, const struct data_input *in, struct hlx_error *error)
{
    struct table *t = s->state = calloc(1, sizeof *t);
    if (t)
        t->column = calloc(s->nfields + 1, sizeof *t->column);
    if (!t || !t->column)
        return hlx_no_memory(error, "the data");
    if (in->content->kind != VALUE_OBJECT)
        return hlx_fail(error, EXIT_DATA,
                        "data `%s` is a table written in the program; no file can replace it",
                        s->data->name);
    for (size_t i = 0; i < s->nfields; i++) {
        const struct value *rows = value_get(in->content, s->field[i].name);
        if (!rows || rows->kind != VALUE_ARRAY)
            return hlx_fail(error, EXIT_DATA, "data `%s` has no column `%s`", s->data->name,
                            s->field[i].name);
        if (i > 0 && rows->as.array.n != s->n)
            return hlx_fail(error, EXIT_DATA, "the columns of data `%s` have different lengths",
                            s->data->name);
        s->n = rows->as.array.n;
        if (!fill_column(s, i, rows, error))
            return false;
    }
    return true;
}

static void table_read(const struct data_set *s, size_t sample, size_t field, void *to)
{
    const struct table *t = s->state;
    size_t bytes = s->field[field].bytes;
    memcpy(to, t->column[field] + sample * bytes, bytes);
}

const struct data_kind data_table = {"table", table_open, table_read, table_close};
