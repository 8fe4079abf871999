// data.c: data sources as samples: the kinds there are, and what they share.
#define ZLIB_CONST // input is const
#include "runtime/data.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const struct data_kind *const kinds[] = {&data_jsonl, &data_text, &data_table, &data_idx};

static const struct data_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

static bool take_fields(struct data_set *s, struct hlx_error *error)
{
    s->nfields = s->data->fields.n;
    s->field = calloc(s->nfields + 1, sizeof *s->field);
    if (!s->field)
        return hlx_no_memory(error, "the data");
    for (size_t i = 0; i < s->nfields; i++) {
        const struct ir_field *f = &s->data->fields.at[i];
        s->field[i] =
            (struct data_field){f->name, f->type, ir_type_bytes(ir_type_get(s->module, f->type))};
    }
    return true;
}

bool data_open(struct data_set *s, const struct ir_module *m, const struct ir_data *d,
               const struct value *content, const char *shown, struct hlx_error *error)
{
    struct data_input in = {d->source, content, shown};
    const char *kind = "";
    value_get_text(d->source, "kind", &kind);
    *s = (struct data_set){.data = d, .module = m, .kind = find_kind(kind)};
    if (!s->kind)
        return hlx_fail(error, EXIT_DATA,
                        "data `%s` is of kind `%s`, which this hlxrun cannot read", d->name, kind);
    if (take_fields(s, error) && s->kind->open(s, &in, error))
        return true;
    if (error->code == EXIT_DEVICE) // nothing else fails so here
        hlx_no_memory_reading(error, shown);
    data_close(s);
    return false;
}

void data_close(struct data_set *s)
{
    if (s->kind && s->state)
        s->kind->close(s);
    free(s->field);
    *s = (struct data_set){0};
}

void data_read(const struct data_set *s, size_t sample, size_t field, void *to)
{
    s->kind->read(s, sample, field, to);
}

int data_find(const struct data_set *s, const char *name)
{
    for (size_t i = 0; i < s->nfields; i++)
        if (!strcmp(s->field[i].name, name))
            return (int)i;
    return -1;
}

// -- files ---------------------------------------------------------------------------------------

// Unpacked data may be this many times its packed size, and no more than this many bytes.
enum { MOST_RATIO = 1100 };
static const size_t most_bytes = (size_t)1 << 32;

// Returns zlib's status; Z_BUF_ERROR for what is too large.
static int unpack(z_stream *z, unsigned char **out, size_t *n, size_t most)
{
    size_t cap = 0;
    int status = Z_OK;
    while (status == Z_OK) {
        if (*n == cap) {
            if (cap >= most)
                return Z_BUF_ERROR;
            cap = cap ? cap * 2 : 1 << 16;
            cap = cap < most ? cap : most;
            unsigned char *more = realloc(*out, cap + 1);
            if (!more)
                return Z_MEM_ERROR;
            *out = more;
        }
        size_t room = cap - *n < 1u << 30 ? cap - *n : 1u << 30;
        z->next_out = *out + *n;
        z->avail_out = (uInt)room;
        status = inflate(z, Z_NO_FLUSH);
        *n += room - z->avail_out;
    }
    return status == Z_STREAM_END && z->avail_in > 0 ? Z_DATA_ERROR : status;
}

static unsigned char *gunzip(const struct data_input *in, size_t *n, struct hlx_error *error)
{
    size_t packed = in->content->as.bytes.n;
    size_t most = packed < most_bytes / MOST_RATIO ? packed * MOST_RATIO : most_bytes;
    unsigned char *out = NULL;
    z_stream z = {.next_in = (const unsigned char *)in->content->as.bytes.at,
                  .avail_in = (uInt)packed};
    *n = 0;
    int status = packed <= UINT32_MAX ? inflateInit2(&z, 15 + 16) : Z_BUF_ERROR;
    if (status == Z_OK) {
        status = unpack(&z, &out, n, most);
        inflateEnd(&z);
    }
    if (status == Z_STREAM_END)
        return out;
    free(out);
    if (status == Z_MEM_ERROR)
        hlx_no_memory(error, "the data");
    else
        hlx_fail(error, EXIT_DATA, "`%s` is no gzip file, or a damaged one", in->shown);
    return NULL;
}

unsigned char *data_bytes(const struct data_input *in, size_t *n, struct hlx_error *error)
{
    if (in->content->kind != VALUE_BYTES) {
        hlx_fail(error, EXIT_DATA, "the content of `%s` is not a file's", in->shown);
        return NULL;
    }
    const char *at = in->content->as.bytes.at;
    *n = in->content->as.bytes.n;
    if (*n >= 2 && (unsigned char)at[0] == 0x1f && (unsigned char)at[1] == 0x8b)
        return gunzip(in, n, error);
    unsigned char *copy = malloc(*n + 1);
    if (!copy)
        hlx_no_memory(error, "the data");
    else if (*n > 0)
        memcpy(copy, at, *n);
    return copy;
}

// -- sequences of tokens -------------------------------------------------------------------------

bool data_tokens_open(const struct data_set *s, const struct data_input *in,
                      struct data_tokens *out, struct hlx_error *error)
{
    const char *tokens = "";
    int64_t seq = 0;
    value_get_text(in->source, "tokens", &tokens);
    value_get_int(in->source, "seq", &seq);
    bool ascii = !strcmp(tokens, "ascii");
    if (!ascii && strcmp(tokens, "bytes") != 0)
        return hlx_fail(error, EXIT_DATA, "data `%s` has tokens `%s`: not `ascii` or `bytes`",
                        s->data->name, tokens);
    out->x = data_find(s, "x");
    out->y = data_find(s, "y");
    bool fits = seq >= 1 && s->nfields == 2 && out->x >= 0 && out->y >= 0;
    for (size_t i = 0; fits && i < 2; i++) {
        const struct ir_type *t = ir_type_get(s->module, s->field[i].type);
        fits = t->dtype == DT_I32 && t->rank == 1 && t->dim[0] == seq;
    }
    if (!fits)
        return hlx_fail(error, EXIT_DATA, "data `%s` must have fields x and y of type i32[seq]",
                        s->data->name);
    out->ascii = ascii;
    out->seq = (size_t)seq;
    return true;
}

void data_tokens_read(const struct data_tokens *t, const unsigned char *at, size_t n, size_t field,
                      void *to)
{
    int32_t *out = to;
    size_t shift = (int)field == t->y;
    for (size_t i = 0; i < t->seq; i++)
        out[i] = i + shift < n ? at[i + shift] : 0;
}
