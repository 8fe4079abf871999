// safetensors.c: writes safetensors files as the reference writer does.
#include "runtime/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are written as they lie");

const struct safetensors_type safetensors_types[DT_COUNT] = {
    [DT_BOOL] = {"BOOL", 1, 0}, [DT_U8] = {"U8", 1, 1},     [DT_I8] = {"I8", 1, 2},
    [DT_F16] = {"F16", 2, 3},   [DT_BF16] = {"BF16", 2, 4}, [DT_I32] = {"I32", 4, 5},
    [DT_U32] = {"U32", 4, 6},   [DT_F32] = {"F32", 4, 7},
};

bool safetensors_bytes(enum dtype dtype, unsigned rank, const int64_t *dim, uint64_t *out)
{
    uint64_t n = safetensors_types[dtype].bytes;
    bool empty = false;
    for (unsigned i = 0; i < rank; i++) {
        if (dim[i] < 0)
            return false;
        empty |= dim[i] == 0;
    }
    for (unsigned i = 0; i < rank && !empty; i++)
        if (__builtin_mul_overflow(n, (uint64_t)dim[i], &n))
            return false;
    *out = empty ? 0 : n;
    return true;
}

struct pair {
    const char *key, *text;
};

static int compare_tensors(const void *a, const void *b)
{
    const struct safetensor *x = a, *y = b;
    unsigned xo = safetensors_types[x->dtype].order, yo = safetensors_types[y->dtype].order;
    return xo != yo ? (xo < yo) - (xo > yo) : strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static bool fail(struct arena *a, const char **error, const char *what, const char *name,
                 const char *fault)
{
    struct buf shown = {0};
    buf_visible(&shown, name, strlen(name));
    *error = arena_printf(a, "the %s `%s` %s", what, shown.n > 0 ? shown.at : "", fault);
    buf_free(&shown);
    return false;
}

// Names must be UTF-8 and differ. Sorts them.
static bool check_names(struct arena *a, const char *what, const char **name, size_t n,
                        const char **error)
{
    if (n > 0)
        qsort(name, n, sizeof *name, compare_names);
    for (size_t i = 0; i < n; i++) {
        if (!utf8_valid(name[i], strlen(name[i])))
            return fail(a, error, what, name[i], "is not valid UTF-8");
        if (i > 0 && strcmp(name[i - 1], name[i]) == 0)
            return fail(a, error, what, name[i], "is given twice");
    }
    return true;
}

static bool check_tensors(struct arena *a, const struct safetensor *list, size_t n,
                          const char **error)
{
    const char **name = arena_array(a, n, sizeof *name);
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes;
        name[i] = list[i].name;
        if (strcmp(name[i], SAFETENSORS_METADATA) == 0)
            return fail(a, error, "tensor", name[i], "has a name that the format keeps for itself");
        if (!safetensors_bytes(list[i].dtype, list[i].rank, list[i].dim, &bytes))
            return fail(a, error, "tensor", name[i], "has an impossible shape");
    }
    return check_names(a, "tensor", name, n, error);
}

static bool check_pairs(struct arena *a, const struct pair *pair, size_t n, const char **error)
{
    const char **key = arena_array(a, n, sizeof *key);
    for (size_t i = 0; i < n; i++) {
        key[i] = pair[i].key;
        if (!utf8_valid(pair[i].text, strlen(pair[i].text)))
            return fail(a, error, "metadata text of", key[i], "is not valid UTF-8");
    }
    return check_names(a, "metadata key", key, n, error);
}

// A JSON string with exactly the escapes of the reference writer, which leaves DEL and all that is
// not ASCII as it is.
static void put_string(struct buf *out, const char *s)
{
    static const char letter[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    buf_putc(out, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 && letter[c] != 0)
            buf_printf(out, "\\%c", letter[c]);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_putc(out, *s);
    }
    buf_putc(out, '"');
}

static void put_metadata(struct buf *out, const struct pair *pair, size_t n)
{
    put_string(out, SAFETENSORS_METADATA);
    buf_puts(out, ":{");
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_string(out, pair[i].key);
        buf_putc(out, ':');
        put_string(out, pair[i].text);
    }
    buf_putc(out, '}');
}

// Writes one tensor's entry; its bytes begin at *offset, which moves past them.
static void put_entry(struct buf *out, const struct safetensor *t, uint64_t *offset)
{
    uint64_t bytes = 0, begin = *offset;
    safetensors_bytes(t->dtype, t->rank, t->dim, &bytes);
    *offset += bytes;
    put_string(out, t->name);
    buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", safetensors_types[t->dtype].name);
    for (unsigned i = 0; i < t->rank; i++)
        buf_printf(out, "%s%lld", i > 0 ? "," : "", (long long)t->dim[i]);
    buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
               (unsigned long long)*offset);
}

static void put_header(struct buf *out, const struct safetensor *list, size_t n,
                       const struct pair *pair, size_t nmeta)
{
    uint64_t offset = 0;
    buf_putc(out, '{');
    if (nmeta > 0)
        put_metadata(out, pair, nmeta);
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 || nmeta > 0 ? "," : "");
        put_entry(out, &list[i], &offset);
    }
    buf_putc(out, '}');
    buf_fill(out, ' ', (8 - out->n % 8) % 8);
}

static void put_data(struct buf *out, const struct safetensor *t)
{
    uint64_t bytes = 0;
    safetensors_bytes(t->dtype, t->rank, t->dim, &bytes);
    if (t->dtype != DT_BOOL) {
        if (bytes > 0)
            buf_put(out, t->data, (size_t)bytes);
        return;
    }
    const uint32_t *element = t->data;
    for (uint64_t i = 0; i < bytes; i++)
        buf_putc(out, element[i] != 0);
}

static void put_file(struct buf *out, const struct buf *header, const struct safetensor *list,
                     size_t n)
{
    for (int shift = 0; shift < 64; shift += 8)
        buf_putc(out, (char)((uint64_t)header->n >> shift));
    buf_put(out, header->at, header->n);
    for (size_t i = 0; i < n; i++)
        put_data(out, &list[i]);
}

bool safetensors_encode(struct arena *a, const struct safetensor *list, size_t n,
                        const char *const *metadata_pairs, size_t nmeta, struct buf *out,
                        const char **error)
{
    struct safetensor *sorted = arena_array(a, n, sizeof *sorted);
    struct pair *pair = arena_array(a, nmeta, sizeof *pair);
    for (size_t i = 0; i < n; i++)
        sorted[i] = list[i];
    for (size_t i = 0; i < nmeta; i++)
        pair[i] = (struct pair){metadata_pairs[2 * i], metadata_pairs[2 * i + 1]};
    if (!check_tensors(a, sorted, n, error) || !check_pairs(a, pair, nmeta, error))
        return false;
    qsort(sorted, n, sizeof *sorted, compare_tensors);
    qsort(pair, nmeta, sizeof *pair, compare_pairs);

    struct buf header = {0};
    put_header(&header, sorted, n, pair, nmeta);
    bool fits = header.n <= SAFETENSORS_MAX_HEADER;
    if (fits)
        put_file(out, &header, sorted, n);
    else
        *error = arena_printf(a, "%zu tensors need a header of %zu bytes; readers take at most %d",
                              n, header.n, SAFETENSORS_MAX_HEADER);
    buf_free(&header);
    return fits;
}

bool safetensors_write(struct arena *a, const char *path, const struct safetensor *list, size_t n,
                       const char *const *metadata_pairs, size_t nmeta, const char **error)
{
    struct buf bytes = {0};
    const char *why = NULL;
    bool ok = safetensors_encode(a, list, n, metadata_pairs, nmeta, &bytes, &why);
    if (ok)
        ok = file_write(a, path, bytes.at, bytes.n, error);
    else
        *error = arena_printf(a, "cannot write `%s`: %s", path, why);
    buf_free(&bytes);
    return ok;
}
