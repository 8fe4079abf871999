// pipeline.c: opens a pipeline of a user's own kernels and makes a program of it that the executor
// can run.
#include "runtime/pipeline.h"

#include <stdlib.h>
#include <string.h>

typedef const char *fault;

struct reader {
    struct pipeline *p;
    struct arena *arena;
    const struct contract *schema; // of 902
    VEC(struct pipeline_call) calls;
};

// The pipeline whose stages are being read, and those around it: where names are looked up.
struct scope {
    const struct scope *up;
    const struct value *fields;
    unsigned depth;
};

// -- buffers -------------------------------------------------------------------------------------

// "f32[64, 64]": a name of an element type, then extents of 1 or more.
static bool parse_type(const char *text, struct pipeline_buffer *b)
{
    char name[8] = "";
    size_t n = strcspn(text, "[");
    if (n >= sizeof name || text[n] != '[')
        return false;
    memcpy(name, text, n);
    const char *at = text + n + 1;
    if (!dtype_find(name, &b->dtype))
        return false;
    for (b->rank = 0; *at && *at != ']'; b->rank++) {
        char *end;
        if (*at < '1' || *at > '9' || b->rank == IR_MAX_RANK)
            return false;
        b->dim[b->rank] = strtoll(at, &end, 10);
        at = end + (*end == ',' ? 1 : 0);
        at += strspn(at, " ");
        if (end[0] != ',' && end[0] != ']')
            return false;
    }
    return at[0] == ']' && at[1] == '\0' && at[-1] != ' ' && at[-1] != ',';
}

static bool size_ok(struct pipeline_buffer *b)
{
    uint64_t bytes = dtype_bytes(b->dtype);
    for (unsigned i = 0; i < b->rank; i++) {
        if (b->dim[i] < 1 || (uint64_t)b->dim[i] > DISPATCH_SEGMENT / bytes)
            return false;
        bytes *= (uint64_t)b->dim[i];
    }
    b->bytes = (size_t)bytes;
    return true;
}

static const struct value *declared_type(const struct reader *r, const struct scope *s,
                                         const char *name)
{
    for (; s; s = s->up) {
        const struct value *all = contract_get(r->schema, s->fields, "buffers");
        const struct value *v = all ? value_get(all, name) : NULL;
        if (v)
            return v;
    }
    return NULL;
}

static fault named_buffer(struct reader *r, const struct scope *s, const char *name,
                          struct pipeline_buffer *b)
{
    const struct value *type = declared_type(r, s, name);
    if (!program_name_ok(name) || !type)
        return arena_printf(r->arena, "the pipeline's `buffers` give no type to `%s`", name);
    if (type->kind != VALUE_TEXT || !parse_type(type->as.bytes.at, b))
        return arena_printf(r->arena,
                            "the type of the buffer `%s` is not written like "
                            "\"f32[64, 64]\"",
                            name);
    if (!size_ok(b))
        return arena_printf(r->arena, "the buffer `%s` has more than 128 MiB", name);
    return NULL;
}

// A tensor of the pack (contract 905).
static fault constant_buffer(struct reader *r, const struct value *handle,
                             struct pipeline_buffer *b)
{
    int64_t number;
    const struct value *fields;
    const struct contract *c = contract_find(NULL, CONTRACT_TENSOR);
    fault f = pipeline_contract(r->arena, &r->p->program.pack, handle, &number, &fields);
    if (f)
        return f;
    const struct value *shape = number == CONTRACT_TENSOR ? contract_get(c, fields, "shape") : NULL;
    if (!shape || shape->kind != VALUE_ARRAY || shape->as.array.n > IR_MAX_RANK)
        return "an input is no tensor (contract 905)";
    const struct value *data = contract_get(c, fields, "data");
    b->rank = (unsigned)shape->as.array.n;
    for (unsigned i = 0; i < b->rank; i++)
        b->dim[i] = shape->as.array.at[i]->as.integer;
    if (!dtype_find(contract_get(c, fields, "dtype")->as.bytes.at, &b->dtype) || !size_ok(b) ||
        data->kind != VALUE_BYTES || data->as.bytes.n != b->bytes)
        return "a tensor's bytes do not fit its dtype and shape";
    b->constant = (const unsigned char *)data->as.bytes.at;
    return NULL;
}

static bool same_type(const struct pipeline_buffer *a, const struct pipeline_buffer *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

static fault find_buffer(struct reader *r, const struct scope *s, const struct value *handle,
                         bool writes, uint32_t *out)
{
    struct handle full;
    bool constant = handle_parse(handle->as.bytes.at, handle->as.bytes.n, &full);
    struct pipeline_buffer b = {.name = handle->as.bytes.at + (constant ? 0 : 3)}; // "&h_"
    fault f = constant ? constant_buffer(r, handle, &b) : named_buffer(r, s, b.name, &b);
    if (f)
        return f;
    if (constant && writes)
        return arena_printf(r->arena,
                            "a kernel may write to the tensor %.19s, which is constant "
                            "(is its binding decorated NonWritable?)",
                            b.name);
    for (*out = 0; *out < r->p->buffers.n; (*out)++) {
        struct pipeline_buffer *known = &r->p->buffers.at[*out];
        if (strcmp(known->name, b.name) != 0)
            continue;
        known->written = known->written || writes;
        return same_type(known, &b) ? NULL : arena_printf(r->arena, "`%s` has two types", b.name);
    }
    b.written = writes;
    if (r->p->buffers.n == PIPELINE_MAX_BUFFERS)
        return "it has too many buffers";
    vec_push(r->arena, &r->p->buffers, b);
    return NULL;
}

// -- stages --------------------------------------------------------------------------------------

static fault add_kernel(struct reader *r, const struct scope *s, const struct value *fields,
                        bool barrier)
{
    struct pipeline_call c = {.barrier = barrier};
    if (r->calls.n == PIPELINE_MAX_STAGES)
        return "it has too many stages";
    fault f = pipeline_read_kernel(r->arena, &r->p->program.pack, fields, &c.k);
    for (uint32_t i = 0; !f && i < c.k.kernel.bindings; i++) {
        f = find_buffer(r, s, c.k.input[i], c.k.writes[i], &c.buffer[i]);
        if (f)
            return arena_printf(r->arena, "kernel `%s`, binding %lu: %s", c.k.name,
                                (unsigned long)i, f);
    }
    if (f)
        return f;
    vec_push(r->arena, &r->calls, c);
    struct pipeline_stage stage = {.name = c.k.name, .shared = c.k.shared};
    memcpy(stage.local, c.k.local, sizeof stage.local);
    vec_push(r->arena, &r->p->stages, stage);
    return NULL;
}

// Whether stage i waits for all before it.
static fault waits(struct reader *r, const struct scope *s, size_t i, size_t n, bool *out)
{
    const struct value *list = contract_get(r->schema, s->fields, "sync_barriers");
    *out = list == NULL;
    for (size_t k = 0; list && k < list->as.array.n; k++) {
        int64_t at = list->as.array.at[k]->as.integer;
        if (at < 0 || (uint64_t)at >= n)
            return "its sync_barriers name a stage that it has not";
        *out = *out || (uint64_t)at == i;
    }
    return NULL;
}

static fault add_stages(struct reader *r, const struct scope *s, bool barrier);

static fault add_stage(struct reader *r, const struct scope *s, const struct value *handle,
                       bool barrier)
{
    int64_t number;
    const struct value *fields;
    fault f = pipeline_contract(r->arena, &r->p->program.pack, handle, &number, &fields);
    if (f)
        return arena_printf(r->arena, "the stage %s: %s", handle->as.bytes.at, f);
    if (number == CONTRACT_KERNEL)
        return add_kernel(r, s, fields, barrier);
    if (number != CONTRACT_PIPELINE)
        return arena_printf(r->arena,
                            "a stage is contract %lld; a kernel (901) or a pipeline "
                            "(902) can be one",
                            (long long)number);
    const struct scope inner = {s, fields, s->depth + 1};
    return inner.depth > PIPELINE_MAX_DEPTH ? "its pipelines nest more than 8 deep"
                                            : add_stages(r, &inner, barrier);
}

static fault add_stages(struct reader *r, const struct scope *s, bool barrier)
{
    const struct value *list =
        contract_list(r->arena, contract_get(r->schema, s->fields, "stages"));
    const struct value *barriers = contract_get(r->schema, s->fields, "sync_barriers");
    bool wait;
    if (barriers && barriers->kind != VALUE_ARRAY)
        return "its sync_barriers are no array";
    for (size_t i = 0; i < list->as.array.n; i++) {
        fault f = waits(r, s, i, list->as.array.n, &wait);
        if (!f)
            f = add_stage(r, s, list->as.array.at[i], wait || (barrier && i == 0));
        if (f)
            return f;
    }
    return NULL;
}

static fault mark_outputs(struct reader *r, const struct value *fields)
{
    const struct value *list = contract_get(r->schema, fields, "outputs");
    if (!list || list->kind != VALUE_ARRAY || list->as.array.n == 0)
        return "its `outputs`, the names of the buffers that are its results, are missing";
    for (size_t i = 0; i < list->as.array.n; i++) {
        const char *name = list->as.array.at[i]->as.bytes.at;
        struct pipeline_buffer *b = NULL;
        for (size_t k = 0; k < r->p->buffers.n; k++)
            if (!strcmp(r->p->buffers.at[k].name, name))
                b = &r->p->buffers.at[k];
        if (!b || !b->written)
            return arena_printf(r->arena, "no kernel writes the output `%s`", name);
        b->output = true;
    }
    return NULL;
}

// -- opening -------------------------------------------------------------------------------------

static fault read_all(struct reader *r)
{
    struct program *g = &r->p->program;
    struct latent_error why = {0};
    int64_t number;
    struct scope top = {0};
    if (!pack_read(r->arena, g->bytes, g->n, &g->pack, &why))
        return why.message;
    const struct value *root = handle_value(r->arena, &g->pack.root);
    fault f = pipeline_contract(r->arena, &g->pack, root, &number, &top.fields);
    if (f)
        return f;
    if (number != CONTRACT_PIPELINE || contract_get(r->schema, top.fields, "program"))
        return "its root is not a pipeline (contract 902) of kernels; a compiled program is run "
               "with "
               "--train, --eval or --entry";
    r->p->name = contract_get(r->schema, top.fields, "pipeline_id")->as.bytes.at;
    if (!program_name_ok(r->p->name))
        return "its pipeline_id cannot be shown";
    f = add_stages(r, &top, false);
    if (!f && r->calls.n == 0)
        return "it has no stages";
    if (!f)
        f = mark_outputs(r, top.fields);
    return f ? f : pipeline_make_program(r->p, r->calls.at, r->calls.n);
}

bool pipeline_is(const void *bytes, size_t n)
{
    struct arena a = {0};
    struct pack pack;
    int64_t number;
    const struct value *fields;
    bool is = pack_read(&a, bytes, n, &pack, NULL) &&
              value_is_contract(pack_get(&a, &pack, &pack.root, NULL), &number, &fields) &&
              number == CONTRACT_PIPELINE && !value_get(fields, "program");
    arena_free(&a);
    return is;
}

bool pipeline_open_bytes(struct pipeline *p, const void *bytes, size_t n, struct hlx_error *error)
{
    *p = (struct pipeline){0};
    struct program *g = &p->program;
    struct reader r = {
        .p = p, .arena = &g->arena, .schema = contract_find(NULL, CONTRACT_PIPELINE)};
    g->bytes = malloc(n ? n : 1);
    if (!g->bytes)
        return hlx_no_memory(error, "the pipeline");
    memcpy(g->bytes, bytes, n);
    g->n = n;
    fault f = read_all(&r);
    if (!f)
        return true;
    hlx_fail(error, EXIT_DATA, "this is not a pipeline that can be run: %s", f);
    pipeline_close(p);
    return false;
}

void pipeline_close(struct pipeline *p)
{
    program_close(&p->program);
    *p = (struct pipeline){0};
}

const struct pipeline_buffer *pipeline_find(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->buffers.n; i++)
        if (!strcmp(p->buffers.at[i].name, name))
            return &p->buffers.at[i];
    return NULL;
}

void pipeline_type_print(const struct pipeline_buffer *b, struct buf *out)
{
    buf_printf(out, "%s[", dtype_name(b->dtype));
    for (unsigned i = 0; i < b->rank; i++)
        buf_printf(out, "%s%lld", i ? ", " : "", (long long)b->dim[i]);
    buf_putc(out, ']');
}

const struct value *pipeline_tensor(struct arena *a, const struct pipeline_buffer *b,
                                    const void *bytes)
{
    const struct value *dim[IR_MAX_RANK];
    for (unsigned i = 0; i < b->rank; i++)
        dim[i] = value_int(a, b->dim[i]);
    const struct value_field field[] = {
        {"data", 4, value_bytes(a, bytes, b->bytes)},
        {"dtype", 5, value_str(a, dtype_name(b->dtype))},
        {"shape", 5, value_array(a, dim, b->rank)},
    };
    return value_contract(a, CONTRACT_TENSOR, value_object(a, field, 3, NULL));
}
