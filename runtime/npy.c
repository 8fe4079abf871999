// npy.c: reads and writes NumPy's .npy format: a magic number, a version, the length of a header,
// the header (a Python literal), the elements.
#include "runtime/npy.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC = 6, PREFIX_1 = 10, PREFIX_2 = 12, ALIGN = 64, MAX_HEADER = 65536 };

static const char magic[] = "\x93NUMPY";

// How NumPy spells the types that we have.
static const struct {
    const char *descr;
    enum dtype dtype;
    bool raw16;
} types[] = {
    {"<f4", DT_F32, false}, {"<i4", DT_I32, false}, {"<u4", DT_U32, false},  {"<f2", DT_F16, false},
    {"|i1", DT_I8, false},  {"|u1", DT_U8, false},  {"|b1", DT_BOOL, false}, {"<u2", DT_BF16, true},
    {"<i1", DT_I8, false},  {"<u1", DT_U8, false},
};
enum { TYPES = sizeof types / sizeof *types };

// -- the header ----------------------------------------------------------------------------------

// A Python dictionary literal, as numpy.save writes it: keys may come in any order.
struct header {
    struct arena *arena;
    const char *at, *end;
    struct npy *out;
    bool descr, order, shape;
};

static void skip(struct header *h)
{
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
        h->at++;
}

static bool take(struct header *h, const char *text)
{
    size_t n = strlen(text);
    skip(h);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, text, n) != 0)
        return false;
    h->at += n;
    return true;
}

static const char *read_descr(struct header *h)
{
    for (size_t i = 0; i < TYPES; i++)
        if (take(h, arena_printf(h->arena, "'%s'", types[i].descr))) {
            h->out->dtype = types[i].dtype;
            h->out->raw16 = types[i].raw16;
            h->descr = true;
            return NULL;
        }
    if (take(h, "'>"))
        return "its numbers are big-endian";
    return "its element type is none of f2 f4 i1 u1 u2 i4 u4 b1";
}

static const char *read_order(struct header *h)
{
    if (take(h, "True"))
        return "it is in Fortran order; numpy.ascontiguousarray() changes that";
    h->order = take(h, "False");
    return h->order ? NULL : "its header has no truth value for fortran_order";
}

static bool extent(struct header *h, int64_t *out)
{
    skip(h);
    if (h->at == h->end || *h->at < '0' || *h->at > '9')
        return false;
    for (*out = 0; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
        if (*out > ((int64_t)1 << 40))
            return false;
        *out = 10 * *out + (*h->at - '0');
    }
    return true;
}

static const char *read_shape(struct header *h)
{
    struct npy *f = h->out;
    if (!take(h, "("))
        return "its header has no shape";
    for (f->rank = 0; !take(h, ")"); f->rank++) {
        if (f->rank == IR_MAX_RANK)
            return "it has too many dimensions";
        if (!extent(h, &f->dim[f->rank]))
            return "its shape is no tuple of numbers";
        if (!take(h, ",") && (h->at == h->end || *h->at != ')'))
            return "its shape is no tuple of numbers";
    }
    h->shape = true;
    return NULL;
}

static const char *read_header(struct header *h)
{
    const char *why = take(h, "{") ? NULL : "its header is no dictionary";
    while (!why && !take(h, "}")) {
        if (take(h, "'descr':"))
            why = read_descr(h);
        else if (take(h, "'fortran_order':"))
            why = read_order(h);
        else if (take(h, "'shape':"))
            why = read_shape(h);
        else
            why = "its header has another key than descr, fortran_order and shape";
        take(h, ",");
    }
    if (why)
        return why;
    return h->descr && h->order && h->shape ? NULL : "its header lacks a key";
}

static bool data_size(const struct npy *f, size_t *out)
{
    size_t size = f->dtype == DT_BOOL ? 1 : dtype_bytes(f->dtype);
    for (unsigned i = 0; i < f->rank; i++) {
        if (f->dim[i] != 0 && size > SIZE_MAX / 2 / (size_t)f->dim[i])
            return false;
        size *= (size_t)f->dim[i];
    }
    *out = size;
    return true;
}

const char *npy_read(struct arena *a, const void *bytes, size_t n, struct npy *out)
{
    const unsigned char *b = bytes;
    *out = (struct npy){0};
    if (n < PREFIX_2 || memcmp(b, magic, MAGIC) != 0)
        return "it is no .npy file";
    if (b[6] < 1 || b[6] > 3)
        return arena_printf(a, "it has version %d of the format; 1 to 3 are known", b[6]);
    size_t prefix = b[6] == 1 ? PREFIX_1 : PREFIX_2, length = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (length > MAX_HEADER || length > n - prefix)
        return "its header is cut off";
    const char *from = (const char *)b + prefix;
    struct header h = {.arena = a, .at = from, .end = from + length, .out = out};
    const char *why = read_header(&h);
    if (why)
        return why;
    out->data = b + prefix + length;
    out->n = n - prefix - length;
    size_t want;
    if (!data_size(out, &want) || want != out->n)
        return "its bytes are not as many as its shape says";
    return NULL;
}

// -- elements ------------------------------------------------------------------------------------

unsigned char *npy_elements(const struct npy *f, enum dtype dtype, size_t *size)
{
    bool same = f->raw16 ? dtype == DT_F16 || dtype == DT_BF16 : dtype == f->dtype;
    *size = dtype == DT_BOOL ? 4 * f->n : f->n;
    unsigned char *out = same ? calloc(*size + 1, 1) : NULL;
    if (!out)
        return NULL;
    if (dtype != DT_BOOL)
        memcpy(out, f->data, f->n);
    for (size_t i = 0; dtype == DT_BOOL && i < f->n; i++)
        out[4 * i] = f->data[i] != 0;
    return out;
}

static const char *descr_of(enum dtype dtype)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].dtype == dtype)
            return types[i].descr;
    return "|V1";
}

static void put_shape(unsigned rank, const int64_t *dim, struct buf *out)
{
    buf_putc(out, '(');
    for (unsigned i = 0; i < rank; i++)
        buf_printf(out, "%s%lld", i ? ", " : "", (long long)dim[i]);
    buf_puts(out, rank == 1 ? ",)" : ")");
}

void npy_write(enum dtype dtype, unsigned rank, const int64_t *dim, const void *data,
               struct buf *out)
{
    struct buf head = {0};
    size_t n = 1;
    for (unsigned i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    buf_printf(&head, "{'descr': '%s', 'fortran_order': False, 'shape': ", descr_of(dtype));
    put_shape(rank, dim, &head);
    buf_puts(&head, ", }");
    size_t all = (PREFIX_1 + head.n + 1 + ALIGN - 1) / ALIGN * ALIGN;
    buf_fill(&head, ' ', all - PREFIX_1 - head.n - 1);
    buf_putc(&head, '\n');
    buf_put(out, magic, MAGIC);
    buf_put(out, "\x01\x00", 2);
    buf_putc(out, (char)(head.n & 0xff));
    buf_putc(out, (char)(head.n >> 8));
    buf_put(out, head.at, head.n);
    buf_free(&head);
    if (dtype != DT_BOOL)
        buf_put(out, data, n * dtype_bytes(dtype));
    for (size_t i = 0; dtype == DT_BOOL && i < n; i++)
        buf_putc(out, ((const char *)data)[4 * i]);
}

void npy_print(const struct npy *f, struct buf *out)
{
    buf_printf(out, "%s of shape ", f->raw16 ? "<u2" : descr_of(f->dtype));
    put_shape(f->rank, f->dim, out);
}
