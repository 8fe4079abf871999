// codecs.c: measures how fast values are encoded and decoded, on one core, in processor time.
//
// Prints one line for each codec and kind of value: name, kind, MB/s encoded, MB/s decoded. So that
// codecs compare, the bytes are those of the value's LC-B. Best of five.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "latent/codec.h"
#include "latent/handle.h"
#include "latent/lcb.h"

enum { ROUNDS = 5, OBJECTS = 50000, BIG = 16 << 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const struct value *leaf(struct arena *a, int i)
{
    struct value_field f[] = {
        {"id", 2, value_int(a, i)},
        {"name", 4, value_str(a, arena_printf(a, "layers.%d.weight", i % 97))},
        {"scale", 5, value_float(a, i * 0.5, NULL)},
        {"trained", 7, value_bool(i % 3 == 0)},
    };
    return value_object(a, f, sizeof f / sizeof *f, NULL);
}

// A tree of small objects: each has a name and four more below it.
static const struct value *tree(struct arena *a, int n)
{
    const struct value *below[4];
    if (n <= 1)
        return leaf(a, n);
    for (int i = 0; i < 4; i++)
        below[i] = tree(a, (n - 1) / 4 - (i == 0 ? 0 : i % 2));
    struct value_field f[] = {
        {"children", 8, value_array(a, below, 4)},
        {"name", 4, value_str(a, arena_printf(a, "node %d", n % 89))},
        {"self", 4, leaf(a, n)},
    };
    return value_object(a, f, sizeof f / sizeof *f, NULL);
}

static const struct value *large(struct arena *a, const char *bytes)
{
    const struct value *item[4];
    for (int i = 0; i < 4; i++)
        item[i] = value_borrowed(a, VALUE_BYTES, bytes, BIG / 4);
    return value_array(a, item, 4);
}

static double lesser(double best, double start)
{
    double took = now() - start;
    return took < best ? took : best;
}

static void measure(const struct codec *c, const char *kind, const struct value *v)
{
    double encode = 1e9, decode = 1e9;
    size_t n = lcb_size(v);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena a = {0};
        struct sink out = {0};
        double start = now();
        c->encode(v, c->max_level, &out);
        encode = lesser(encode, start);
        start = now();
        if (c->decode(&a, out.buf.at, out.buf.n, NULL) == NULL)
            abort();
        arena_free(&a);
        decode = lesser(decode, start);
        buf_free(&out.buf);
    }
    printf("%s %s %.1f %.1f\n", c->name, kind, (double)n / encode / 1e6, (double)n / decode / 1e6);
}

// The table's LC-B leaves BYTES where they are, which takes no time at all; this one copies them.
static const struct value *copy_lcb(struct arena *a, const char *bytes, size_t n,
                                    struct latent_error *error)
{
    return lcb_decode(a, bytes, n, error);
}

static void measure_handle(const struct value *v)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now();
        struct handle h = handle_of(v);
        best = lesser(best, start);
        (void)h;
    }
    printf("handle bytes %.1f -\n", BIG / best / 1e6);
}

int main(void)
{
    struct arena a = {0};
    char *bytes = malloc(BIG);
    if (bytes == NULL)
        return 70;
    for (int i = 0; i < BIG; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    const struct value *objects = tree(&a, OBJECTS), *blob = large(&a, bytes);
    for (const struct codec *c = codecs; c->name != NULL; c++) {
        struct codec copying = *c;
        copying.decode = strcmp(c->name, "lcb") == 0 ? copy_lcb : c->decode;
        measure(&copying, "objects", objects);
        measure(&copying, "bytes", blob);
    }
    measure_handle(blob);
    arena_free(&a);
    free(bytes);
    return 0;
}
