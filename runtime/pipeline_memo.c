// pipeline_memo.c: keeps the results of pipelines in the store, under what they were computed from.
//
// A result is a record (contract 806) with its outputs, under the name "memo." and the hash of the
// same record without them. Whatever is wrong with what is found there, the pipeline runs again.
#include "runtime/pipeline_run.h"

#include <string.h>

#include "latent/store.h"

static const char *name_of(struct arena *a, const struct value *key)
{
    char text[HANDLE_TEXT + 1];
    struct handle h = handle_of(key);
    handle_text(&h, text);
    return arena_printf(a, "memo.%s", text + 3);
}

static bool fail(const struct latent_error *why, struct hlx_error *error)
{
    return hlx_fail(error, EXIT_DATA, "--memo: %s", why->message);
}

// -- taking --------------------------------------------------------------------------------------

static bool take_output(struct store *store, struct pipeline_state *s, size_t i,
                        const struct value *outputs)
{
    struct arena *a = &s->arena;
    const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
    const struct value *v = value_get(outputs, b->name), *fields;
    struct handle h;
    int64_t number;
    if (!v || v->kind != VALUE_HANDLE || !handle_parse(v->as.bytes.at, v->as.bytes.n, &h) ||
        !value_is_contract(store_get(store, a, &h, NULL), &number, &fields))
        return false;
    const struct value *data = value_get(fields, "data");
    if (!data || data->kind != VALUE_BYTES || data->as.bytes.n != b->bytes)
        return false;
    struct handle own = handle_of(pipeline_tensor(a, b, data->as.bytes.at));
    if (!handle_equal(&own, &h)) // another type
        return false;
    memcpy(s->bytes[i], data->as.bytes.at, b->bytes);
    return true;
}

static bool take(struct store *store, struct pipeline_state *s, const struct value *key)
{
    struct handle h;
    int64_t number;
    const struct value *fields;
    if (!store_find(store, name_of(&s->arena, key), &h, NULL) ||
        !value_is_contract(store_get(store, &s->arena, &h, NULL), &number, &fields) ||
        number != CONTRACT_EXECUTION)
        return false;
    const struct value *outputs = value_get(fields, "outputs");
    for (size_t i = 0; i < s->pipeline.buffers.n; i++)
        if (s->pipeline.buffers.at[i].output && !take_output(store, s, i, outputs))
            return false;
    return outputs != NULL;
}

bool pipeline_memo_get(struct pipeline_state *s, const struct value *key, bool *found,
                       struct hlx_error *error)
{
    struct latent_error why = {0};
    struct store *store = store_open(&s->arena, store_default_path(&s->arena), true, &why);
    *found = false;
    if (!store)
        return fail(&why, error);
    *found = take(store, s, key);
    store_close(store);
    return true;
}

// -- keeping -------------------------------------------------------------------------------------

static bool put_record(struct store_tx *tx, struct pipeline_state *s, const struct value *key,
                       struct latent_error *why)
{
    struct arena *a = &s->arena;
    struct value_field *field = arena_array(a, s->pipeline.buffers.n, sizeof *field);
    size_t n = 0;
    struct handle h;
    for (size_t i = 0; i < s->pipeline.buffers.n; i++) {
        const struct pipeline_buffer *b = &s->pipeline.buffers.at[i];
        if (!b->output)
            continue;
        if (!store_put(tx, pipeline_tensor(a, b, s->bytes[i]), &h, why))
            return false;
        field[n++] = (struct value_field){b->name, strlen(b->name), handle_value(a, &h)};
    }
    const struct value_field part[] = {
        {"inputs", 6, value_get(key, "inputs")},
        {"outputs", 7, value_object(a, field, n, NULL)},
        {"pipeline", 8, value_get(key, "pipeline")},
    };
    const struct value *record =
        value_contract(a, CONTRACT_EXECUTION, value_object(a, part, 3, NULL));
    return store_put(tx, record, &h, why) && store_bind(tx, name_of(a, key), &h, why);
}

bool pipeline_memo_put(struct pipeline_state *s, const struct value *key, struct hlx_error *error)
{
    struct latent_error why = {0};
    struct store *store = store_open(&s->arena, store_default_path(&s->arena), true, &why);
    struct store_tx *tx = store ? store_begin(store, &why) : NULL;
    bool ok = tx && put_record(tx, s, key, &why);
    if (tx && !ok)
        store_abort(tx);
    ok = ok && store_commit(tx, &why);
    if (store)
        store_close(store);
    return ok || fail(&why, error);
}
