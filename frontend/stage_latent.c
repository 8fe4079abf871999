// stage_latent.c: turns values of compile time into latent values and back.
#include "frontend/stage.h"

#include <stdlib.h>
#include <string.h>

static const struct value *refuse(struct stage *s, struct span at, const struct latent_error *error)
{
    stage_fail(s, at, error->code ? error->code : "HLX0707", "%s",
               error->message ? error->message : "this is no value that can be stored");
    return NULL;
}

static const struct value *list(struct stage *s, struct span at, struct stage_value v)
{
    size_t n = stage_count(v);
    const struct value **items = arena_array(s->a, n, sizeof *items);
    for (size_t i = 0; i < n; i++)
        if (!stage_work(s, at) || !(items[i] = stage_to_latent(s, at, stage_item(v, i))))
            return NULL;
    return value_array(s->a, items, n);
}

static const struct value *object(struct stage *s, struct span at, struct stage_value v)
{
    struct latent_error error = {0};
    const struct stage_object *o = v.as.object;
    struct value_field *fields = arena_array(s->a, o->n, sizeof *fields);
    for (size_t i = 0; i < o->n; i++) {
        const struct value *x = stage_work(s, at) ? stage_to_latent(s, at, o->at[i].value) : NULL;
        if (!x)
            return NULL;
        fields[i] = (struct value_field){o->at[i].key, o->at[i].len, x};
    }
    const struct value *made = value_object(s->a, fields, o->n, &error);
    if (!made)
        return refuse(s, at, &error);
    return v.kind == STAGE_CONTRACT ? value_contract(s->a, o->contract, made) : made;
}

const struct value *stage_to_latent(struct stage *s, struct span at, struct stage_value v)
{
    struct latent_error error = {0};
    const struct value *made = NULL;
    switch (v.kind) {
    case STAGE_POISON: return NULL;
    case STAGE_NULL: return value_null();
    case STAGE_BOOL: return value_bool(v.as.boolean);
    case STAGE_INT: return value_int(s->a, v.as.integer);
    case STAGE_FLOAT: made = value_float(s->a, v.as.number, &error); break;
    case STAGE_TEXT: made = value_text(s->a, v.as.text.at, v.as.text.n, &error); break;
    case STAGE_BYTES: return value_bytes(s->a, v.as.text.at, v.as.text.n);
    case STAGE_HANDLE: made = value_handle(s->a, v.as.text.at, &error); break;
    case STAGE_ARRAY:
    case STAGE_RANGE: return list(s, at, v);
    case STAGE_OBJECT:
    case STAGE_CONTRACT: return object(s, at, v);
    default:
        stage_fail(s, at, "HLX0707", "a %s is no value that can be stored",
                   stage_kind_text(s->m, v));
        return NULL;
    }
    return made ? made : refuse(s, at, &error);
}

static struct stage_value fields_of(struct stage *s, const struct value *v)
{
    struct stage_field *fields = arena_array(s->a, v->as.object.n, sizeof *fields);
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        fields[i] = (struct stage_field){f->key, f->len, stage_from_latent(s, f->value)};
    }
    return stage_object(s->a, fields, v->as.object.n);
}

static struct stage_value from_object(struct stage *s, const struct value *v)
{
    int64_t number;
    const struct value *fields;
    if (!value_is_contract(v, &number, &fields))
        return fields_of(s, v);
    struct stage_object *o = arena_new(s->a, struct stage_object);
    *o = *fields_of(s, fields).as.object;
    o->contract = number;
    return (struct stage_value){.kind = STAGE_CONTRACT, .as.object = o};
}

static struct stage_value from_array(struct stage *s, const struct value *v)
{
    struct stage_value *items = arena_array(s->a, v->as.array.n, sizeof *items);
    for (size_t i = 0; i < v->as.array.n; i++)
        items[i] = stage_from_latent(s, v->as.array.at[i]);
    return stage_array(s->a, items, v->as.array.n);
}

struct stage_value stage_from_latent(struct stage *s, const struct value *v)
{
    static const enum stage_kind text_kind[] = {
        [VALUE_TEXT] = STAGE_TEXT, [VALUE_BYTES] = STAGE_BYTES, [VALUE_HANDLE] = STAGE_HANDLE};
    switch (v->kind) {
    case VALUE_NULL: return stage_null();
    case VALUE_BOOL: return stage_bool(v->as.boolean);
    case VALUE_INT: return stage_int(v->as.integer);
    case VALUE_FLOAT: return stage_float(v->as.number);
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_HANDLE: return stage_bytes(s->a, text_kind[v->kind], v->as.bytes.at, v->as.bytes.n);
    case VALUE_ARRAY: return from_array(s, v);
    case VALUE_OBJECT: return from_object(s, v);
    }
    return stage_null();
}
