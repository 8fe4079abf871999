// safetensors_read.c: reads safetensors files from anywhere, trusting nothing in them.
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "runtime/safetensors.h"

// A tensor and where its bytes lie in the data.
struct placed {
    struct safetensor tensor;
    uint64_t begin, end;
};

struct reader {
    struct arena *arena;
    const unsigned char *data; // what follows the header
    uint64_t data_n;
    struct placed *placed;
    size_t n;
    const char **pair;
    size_t nmeta;
    const char **error;
};

static bool fail(const struct reader *r, const char *message)
{
    *r->error = message;
    return false;
}

// The beginning of an untrusted text, fit for a terminal.
static const char *shown(struct arena *a, const char *s)
{
    enum { MOST = 200 };
    struct buf b = {0};
    size_t n = strlen(s);
    buf_visible(&b, s, n < MOST ? n : MOST);
    const char *copy = arena_copy(a, b.at, b.n);
    buf_free(&b);
    return copy;
}

static bool fail_tensor(const struct reader *r, const char *name, const char *fault)
{
    return fail(r, arena_printf(r->arena, "the tensor `%s` %s", shown(r->arena, name), fault));
}

static bool read_dtype(const struct reader *r, struct safetensor *t, json_t *j)
{
    const char *name = json_string_value(j);
    if (name == NULL)
        return fail_tensor(r, t->name, "has no dtype");
    for (int i = 0; i < DT_COUNT; i++)
        if (strcmp(safetensors_types[i].name, name) == 0) {
            t->dtype = (enum dtype)i;
            return true;
        }
    return fail_tensor(
        r, t->name,
        arena_printf(r->arena,
                     "has the dtype `%s`, which is not one of F32 F16 BF16 I32 U32 I8 U8 BOOL",
                     shown(r->arena, name)));
}

static bool read_shape(const struct reader *r, struct safetensor *t, json_t *j)
{
    if (!json_is_array(j))
        return fail_tensor(r, t->name, "has no shape");
    size_t rank = json_array_size(j);
    int64_t *dim = arena_array(r->arena, rank, sizeof *dim);
    for (size_t i = 0; i < rank; i++) {
        json_t *extent = json_array_get(j, i);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            return fail_tensor(r, t->name, "has a shape that is not made of whole numbers");
        dim[i] = json_integer_value(extent);
    }
    t->rank = (unsigned)rank; // the header's length bounds it
    t->dim = dim;
    return true;
}

static bool read_offsets(const struct reader *r, struct placed *p, json_t *j)
{
    const char *name = p->tensor.name;
    json_t *begin = json_array_get(j, 0), *end = json_array_get(j, 1);
    uint64_t bytes;
    if (json_array_size(j) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return fail_tensor(r, name, "has no data_offsets");
    p->begin = (uint64_t)json_integer_value(begin);
    p->end = (uint64_t)json_integer_value(end);
    if (p->begin > p->end || p->end > r->data_n)
        return fail_tensor(r, name, "lies outside of the file, which may be truncated");
    if (!safetensors_bytes(p->tensor.dtype, p->tensor.rank, p->tensor.dim, &bytes) ||
        bytes != p->end - p->begin)
        return fail_tensor(r, name, "has data_offsets that do not fit its shape and dtype");
    p->tensor.data = r->data + p->begin;
    return true;
}

static bool read_tensor(struct reader *r, const char *name, json_t *j)
{
    struct placed *p = &r->placed[r->n++];
    p->tensor.name = arena_strdup(r->arena, name);
    if (json_object_size(j) != 3)
        return fail_tensor(r, name, "is not described by dtype, shape and data_offsets");
    return read_dtype(r, &p->tensor, json_object_get(j, "dtype")) &&
           read_shape(r, &p->tensor, json_object_get(j, "shape")) &&
           read_offsets(r, p, json_object_get(j, "data_offsets"));
}

static bool read_metadata(struct reader *r, json_t *j)
{
    if (!json_is_object(j))
        return fail(r, "the header's " SAFETENSORS_METADATA " is not an object");
    r->pair = arena_array(r->arena, json_object_size(j), 2 * sizeof *r->pair);
    const char *key;
    json_t *text;
    json_object_foreach(j, key, text)
    {
        if (!json_is_string(text))
            return fail(r, "the header's " SAFETENSORS_METADATA " holds more than strings");
        r->pair[2 * r->nmeta] = arena_strdup(r->arena, key);
        r->pair[2 * r->nmeta + 1] = arena_strdup(r->arena, json_string_value(text));
        r->nmeta++;
    }
    return true;
}

static bool read_entries(struct reader *r, json_t *header)
{
    r->placed = arena_array(r->arena, json_object_size(header), sizeof *r->placed);
    const char *key;
    json_t *entry;
    json_object_foreach(header, key, entry)
    {
        bool ok = strcmp(key, SAFETENSORS_METADATA) == 0 ? read_metadata(r, entry)
                                                         : read_tensor(r, key, entry);
        if (!ok)
            return false;
    }
    return true;
}

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

// Every byte of the data belongs to exactly one tensor.
static bool check_cover(const struct reader *r)
{
    uint64_t at = 0;
    qsort(r->placed, r->n, sizeof *r->placed, compare_placed);
    for (size_t i = 0; i < r->n; i++) {
        const struct placed *p = &r->placed[i];
        if (p->begin != at)
            return fail_tensor(r, p->tensor.name,
                               p->begin < at ? "overlaps another" : "comes after unused bytes");
        at = p->end;
    }
    return at == r->data_n || fail(r, "the file has bytes that belong to no tensor");
}

// Files hold a bool in one byte, buffers in one u32.
static bool unpack_bool(const struct reader *r, struct safetensor *t, uint64_t n)
{
    const unsigned char *byte = t->data;
    uint32_t *element = arena_array(r->arena, (size_t)n, sizeof *element);
    for (uint64_t i = 0; i < n; i++) {
        if (byte[i] > 1)
            return fail_tensor(r, t->name, "is BOOL and holds a byte other than 0 and 1");
        element[i] = byte[i];
    }
    t->data = element;
    return true;
}

static bool finish(const struct reader *r, struct safetensors *out)
{
    struct safetensor *list = arena_array(r->arena, r->n, sizeof *list);
    for (size_t i = 0; i < r->n; i++) {
        const struct placed *p = &r->placed[i];
        list[i] = p->tensor;
        if (list[i].dtype == DT_BOOL && !unpack_bool(r, &list[i], p->end - p->begin))
            return false;
    }
    *out = (struct safetensors){list, r->n, r->pair, r->nmeta};
    return true;
}

static bool read_length(const struct reader *r, const unsigned char *bytes, size_t n,
                        uint64_t *length)
{
    if (n < 8)
        return fail(r, "this is not a safetensors file: it is shorter than 8 bytes");
    *length = 0;
    for (int i = 7; i >= 0; i--)
        *length = *length << 8 | bytes[i];
    if (*length > SAFETENSORS_MAX_HEADER)
        return fail(r, "this is not a safetensors file: its header would exceed 100 MB");
    if (*length > n - 8)
        return fail(r, "the file is truncated: it ends within its header");
    if (*length == 0 || bytes[8] != '{')
        return fail(r, "this is not a safetensors file: its header does not begin with {");
    return true;
}

bool safetensors_read(struct arena *a, const void *bytes, size_t n, struct safetensors *out,
                      const char **error)
{
    const unsigned char *p = bytes;
    struct reader r = {.arena = a, .error = error};
    uint64_t length;
    if (!read_length(&r, p, n, &length))
        return false;
    r.data = p + 8 + length;
    r.data_n = n - 8 - length;
    json_error_t where;
    json_t *header =
        json_loadb((const char *)p + 8, (size_t)length, JSON_REJECT_DUPLICATES, &where);
    if (header == NULL)
        return fail(&r, arena_printf(a, "the header is not valid JSON: %s", shown(a, where.text)));
    bool ok = read_entries(&r, header) && check_cover(&r) && finish(&r, out);
    json_decref(header);
    return ok;
}
