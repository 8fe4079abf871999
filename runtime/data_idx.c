// data_idx.c: images and labels in IDX, the format of MNIST.
#include <stdlib.h>
#include <string.h>

#include "runtime/data.h"

// An unpacked file of unsigned bytes.
struct idx {
    unsigned char *bytes;
    const unsigned char *element; // behind the header
    unsigned rank;
    uint64_t dim[IR_MAX_RANK]; // dim[0] counts the samples
};

struct images {
    struct idx images, labels;
    size_t pixels; // of an image
    int x, y;      // fields
};

static void idx_close(struct data_set *s)
{
    struct images *m = s->state;
    free(m->images.bytes);
    free(m->labels.bytes);
    free(m);
}

// Reads the header: 0, 0, 8 (unsigned bytes), the rank, and each extent as four bytes.
static bool read_header(struct idx *f, size_t n)
{
    const unsigned char *h = f->bytes;
    if (n < 4 || h[0] || h[1] || h[2] != 8 || h[3] < 1 || h[3] > IR_MAX_RANK ||
        n < 4 + 4 * (size_t)h[3])
        return false;
    f->rank = h[3];
    f->element = h + 4 + 4 * (size_t)f->rank;
    uint64_t count = 1;
    for (unsigned i = 0; i < f->rank; i++) {
        const unsigned char *d = h + 4 + 4 * (size_t)i;
        f->dim[i] = (uint64_t)d[0] << 24 | (uint64_t)d[1] << 16 | (uint64_t)d[2] << 8 | d[3];
        if (f->dim[i] == 0 || f->dim[i] > n / count)
            return false;
        count *= f->dim[i];
    }
    return count == n - (size_t)(f->element - h);
}

static bool read_idx(struct idx *f, const struct data_input *in, const char *part,
                     struct hlx_error *error)
{
    struct data_input file = *in;
    size_t n;
    file.content = value_get(in->content, part);
    if (!file.content)
        return hlx_fail(error, EXIT_DATA, "`%s` has no %s", in->shown, part);
    f->bytes = data_bytes(&file, &n, error);
    if (!f->bytes)
        return false;
    return read_header(f, n) ||
           hlx_fail(error, EXIT_DATA, "the %s of `%s` are no whole IDX file of bytes", part,
                    in->shown);
}

static bool fits(const struct data_set *s, const struct images *m)
{
    if (s->nfields != 2 || m->x < 0 || m->y < 0 || m->labels.rank != 1)
        return false;
    const struct ir_type *x = ir_type_get(s->module, s->field[m->x].type);
    const struct ir_type *y = ir_type_get(s->module, s->field[m->y].type);
    bool same = x->dtype == DT_F32 && x->rank + 1 == m->images.rank;
    for (unsigned i = 0; same && i < x->rank; i++)
        same = (uint64_t)x->dim[i] == m->images.dim[i + 1];
    return same && y->dtype == DT_I32 && y->rank == 0;
}

static bool idx_open(struct data_set *s, const struct data_input *in, struct hlx_error *error)
{
    struct images *m = s->state = calloc(1, sizeof *m);
    if (!m)
        return hlx_no_memory(error, "the data");
    if (!read_idx(&m->images, in, "images", error) || !read_idx(&m->labels, in, "labels", error))
        return false;
    m->x = data_find(s, "x");
    m->y = data_find(s, "y");
    if (!fits(s, m))
        return hlx_fail(error, EXIT_DATA,
                        "`%s` holds images or labels of another shape than data "
                        "`%s` has",
                        in->shown, s->data->name);
    if (m->images.dim[0] != m->labels.dim[0])
        return hlx_fail(error, EXIT_DATA, "`%s` holds %llu images and %llu labels", in->shown,
                        (unsigned long long)m->images.dim[0], (unsigned long long)m->labels.dim[0]);
    s->n = (size_t)m->images.dim[0];
    m->pixels = s->field[m->x].bytes / sizeof(float);
    return true;
}

// Pixels are divided by 255: one correctly rounded division each.
static void idx_read(const struct data_set *s, size_t sample, size_t field, void *to)
{
    const struct images *m = s->state;
    if ((int)field == m->y) {
        int32_t label = m->labels.element[sample];
        memcpy(to, &label, sizeof label);
        return;
    }
    const unsigned char *pixel = m->images.element + sample * m->pixels;
    float *out = to;
    for (size_t i = 0; i < m->pixels; i++)
        out[i] = (float)pixel[i] / 255.0f;
}

const struct data_kind data_idx = {"idx", idx_open, idx_read, idx_close};
