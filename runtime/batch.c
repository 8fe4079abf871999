// batch.c: fills an entry's inputs, batch by batch, from the samples of a data source.
#include "runtime/batch.h"

#include <stdlib.h>
#include <string.h>

#include "ir/philox.h"
#include "ir/shard.h"

// -- order ---------------------------------------------------------------------------------------

void batches_shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t epoch)
{
    enum { WORDS = 256 };
    uint32_t word[WORDS];
    const struct philox_stream s = {
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .step = epoch,
        .lo = 0x66756873, // "shuffle" in ASCII
        .hi = 0x00656c66,
    };
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t e = 0; e + 1 < n; e++) {
        size_t i = n - 1 - e;
        if (e % WORDS == 0)
            philox_fill(&s, e, WORDS, word);
        size_t j = (size_t)((uint64_t)word[e % WORDS] * (i + 1) >> 32);
        uint32_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

// -- binding -------------------------------------------------------------------------------------

static int64_t attr_int(const struct ir_entry *e, const char *name, int64_t missing)
{
    int64_t x;
    return value_get_int(e->attrs, name, &x) ? x : missing;
}

static bool attr_bool(const struct ir_entry *e, const char *name)
{
    const struct value *v = value_get(e->attrs, name);
    return v && v->kind == VALUE_BOOL && v->as.boolean;
}

const struct ir_data *batches_source(const struct ir_module *m, const struct ir_entry *entry)
{
    const char *name;
    if (!value_get_text(entry->attrs, "data", &name))
        return NULL;
    for (size_t i = 0; i < m->data.n; i++)
        if (!strcmp(m->data.at[i].name, name))
            return &m->data.at[i];
    return NULL;
}

// Whether type `b` is [B] + `sample`; sets or checks B.
static bool batch_of(const struct ir_module *m, const struct ir_type *b, ir_typeid sample,
                     size_t *size)
{
    const struct ir_type *s = ir_type_get(m, sample);
    if (b->dtype != s->dtype || b->rank != s->rank + 1)
        return false;
    for (unsigned i = 0; i < s->rank; i++)
        if (b->dim[i + 1] != s->dim[i])
            return false;
    if (*size == 0)
        *size = (size_t)b->dim[0];
    return *size == (size_t)b->dim[0];
}

static bool bind_field(struct batches *b, const struct ir_module *m, size_t i,
                       struct hlx_error *error)
{
    const struct ir_field *in = &b->entry->inputs.at[i];
    const struct data_field *f = &b->data->field[b->field[i]];
    const struct ir_type whole = ir_entry_input(m, b->entry, i);
    if (batch_of(m, &whole, f->type, &b->size))
        return true;
    struct buf batch = {0}, sample = {0};
    ir_type_print(m, in->type, true, &batch);
    ir_type_print(m, f->type, true, &sample);
    hlx_fail(error, EXIT_DATA,
             "entry `%s` wants `%s: %s`, which is no batch of the data's `%s: %s`%s",
             b->entry->name, in->name, batch.at, f->name, sample.at,
             b->size ? " of the same size as the inputs before it" : "");
    buf_free(&batch);
    buf_free(&sample);
    return false;
}

static bool bind_weight(struct batches *b, const struct ir_module *m, size_t i,
                        struct hlx_error *error)
{
    const struct ir_field *in = &b->entry->inputs.at[i];
    const struct ir_type t = ir_entry_input(m, b->entry, i);
    if (strcmp(in->name, "weight") != 0)
        return hlx_fail(error, EXIT_DATA, "entry `%s` wants an input `%s`, and data `%s` has none",
                        b->entry->name, in->name, b->data->data->name);
    if (t.dtype != DT_F32 || t.rank != 1 || (b->size && (size_t)t.dim[0] != b->size))
        return hlx_fail(error, EXIT_DATA,
                        "input `weight` of entry `%s` must be f32[B], one number for each sample",
                        b->entry->name);
    b->size = (size_t)t.dim[0];
    b->weighted = true;
    return true;
}

static bool bind_input(struct batches *b, const struct ir_module *m, size_t i,
                       struct hlx_error *error)
{
    const struct ir_field *in = &b->entry->inputs.at[i];
    const struct ir_type t = ir_entry_input(m, b->entry, i);
    b->field[i] = data_find(b->data, in->name);
    bool ok = b->field[i] >= 0 ? bind_field(b, m, i, error) : bind_weight(b, m, i, error);
    if (!ok)
        return false;
    if (b->tokens == 0 && t.dtype == DT_I32 && t.rank == 2)
        b->tokens = (size_t)ir_type_count(&t);
    b->input[i] = calloc(1, ir_type_bytes(&t));
    return b->input[i] || hlx_no_memory(error, "a batch");
}

static bool bind_all(struct batches *b, const struct ir_module *m, struct hlx_error *error)
{
    size_t n = b->entry->inputs.n;
    if (!b->data)
        return hlx_fail(error, EXIT_DATA,
                        "entry `%s` takes inputs, but names no data to take them from "
                        "(`using { data: NAME }`)",
                        b->entry->name);
    b->field = calloc(n, sizeof *b->field);
    b->input = calloc(n, sizeof *b->input);
    if (!b->field || !b->input)
        return hlx_no_memory(error, "a batch");
    for (size_t i = 0; i < n; i++)
        if (!bind_input(b, m, i, error))
            return false;
    return true;
}

static bool count_steps(struct batches *b, struct hlx_error *error)
{
    int64_t limit = attr_int(b->entry, "limit", INT64_MAX);
    b->samples = b->data->n;
    if (limit >= 0 && (uint64_t)limit < b->samples)
        b->samples = (size_t)limit;
    b->steps = b->samples / b->size + (b->weighted && b->samples % b->size != 0);
    if (b->steps > 0)
        return true;
    if (b->samples == 0)
        return hlx_fail(error, EXIT_DATA, "data `%s` has no samples", b->data->data->name);
    return hlx_fail(error, EXIT_DATA, "data `%s` has %zu samples, fewer than a batch of %zu%s",
                    b->data->data->name, b->samples, b->size,
                    b->weighted ? "" : " (with an input `weight: f32[B]` it would be padded)");
}

static bool take_order(struct batches *b, struct hlx_error *error)
{
    b->shuffled = attr_bool(b->entry, "shuffle");
    if (!b->shuffled)
        return true;
    if (b->samples > UINT32_MAX)
        return hlx_fail(error, EXIT_DATA, "data `%s` has too many samples to be shuffled",
                        b->data->data->name);
    b->order = calloc(b->samples, sizeof *b->order);
    return b->order || hlx_no_memory(error, "the order of the samples");
}

bool batches_open(struct batches *b, const struct ir_module *m, const struct ir_entry *entry,
                  const struct data_set *data, struct hlx_error *error)
{
    *b = (struct batches){.entry = entry, .data = entry->inputs.n ? data : NULL, .steps = 1};
    if (entry->inputs.n == 0)
        return true;
    b->data = data;
    if (bind_all(b, m, error) && count_steps(b, error) && take_order(b, error))
        return true;
    batches_close(b);
    return false;
}

void batches_close(struct batches *b)
{
    for (size_t i = 0; b->input && i < b->entry->inputs.n; i++)
        free(b->input[i]);
    free(b->input);
    free(b->field);
    free(b->order);
    *b = (struct batches){0};
}

// -- filling -------------------------------------------------------------------------------------

void batches_epoch(struct batches *b, uint64_t seed, uint32_t epoch)
{
    if (b->shuffled)
        batches_shuffle(b->order, b->samples, seed, epoch);
}

static void fill_weight(float *weight, size_t real, size_t size)
{
    for (size_t k = 0; k < size; k++)
        weight[k] = k < real ? 1.0f : 0.0f;
}

static void fill_field(const struct batches *b, size_t i, size_t first, size_t real)
{
    size_t bytes = b->data->field[b->field[i]].bytes;
    char *to = b->input[i];
    for (size_t k = 0; k < real; k++) {
        size_t sample = b->order ? b->order[first + k] : first + k;
        data_read(b->data, sample, (size_t)b->field[i], to + k * bytes);
    }
    memset(to + real * bytes, 0, (b->size - real) * bytes);
}

size_t batches_fill(struct batches *b, size_t step)
{
    if (!b->data)
        return 0;
    size_t first = step * b->size, left = b->samples - first;
    size_t real = left < b->size ? left : b->size;
    for (size_t i = 0; i < b->entry->inputs.n; i++)
        if (b->field[i] >= 0)
            fill_field(b, i, first, real);
        else
            fill_weight(b->input[i], real, b->size);
    return real;
}
