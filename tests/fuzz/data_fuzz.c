// data_fuzz.c: feeds bytes to the decoders of data sources.
//
// The first byte chooses the kind; the rest is the file (for `idx` cut in two, for `table` LC-B).
// Every sample that is accepted is read.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/data.h"

enum { SEQ = 8, PIXELS = 3 };

struct target {
    const char *kind;
    const char *tokens;
    enum dtype x, y;
    unsigned x_rank, y_rank;
    int64_t extent;
};

static const struct target targets[] = {
    {"jsonl", "ascii", DT_I32, DT_I32, 1, 1, SEQ}, {"jsonl", "bytes", DT_I32, DT_I32, 1, 1, SEQ},
    {"text", "ascii", DT_I32, DT_I32, 1, 1, SEQ},  {"text", "bytes", DT_I32, DT_I32, 1, 1, SEQ},
    {"idx", "", DT_F32, DT_I32, 1, 0, PIXELS},     {"table", "", DT_F32, DT_BOOL, 1, 0, 2},
};

static const struct value *source(struct arena *a, const struct target *t)
{
    const struct value_field f[] = {{"kind", 4, value_str(a, t->kind)},
                                    {"text", 4, value_str(a, "{a}: {b}")},
                                    {"tokens", 6, value_str(a, t->tokens)},
                                    {"seq", 3, value_int(a, SEQ)}};
    return value_object(a, f, sizeof f / sizeof *f, NULL);
}

static const struct value *content(struct arena *a, const struct target *t, const uint8_t *bytes,
                                   size_t n)
{
    if (!strcmp(t->kind, "table"))
        return lcb_decode(a, bytes, n, NULL);
    if (strcmp(t->kind, "idx") != 0)
        return value_bytes(a, bytes, n);
    if (n == 0)
        return NULL;
    size_t cut = bytes[0] % n; // labels, then images
    const struct value_field f[] = {
        {"images", 6, value_bytes(a, bytes + 1 + cut, n - 1 - cut)},
        {"labels", 6, value_bytes(a, bytes + 1, cut)},
    };
    return value_object(a, f, 2, NULL);
}

static void read_all(const struct data_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->nfields; k++) {
            void *to = malloc(s->field[k].bytes); // exactly: a sanitizer sees a step beyond
            data_read(s, i, k, to);
            free(to);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct ir_module m;
    struct data_set s;
    struct hlx_error e = {0};
    if (n == 0)
        return 0;
    const struct target *t = &targets[bytes[0] % (sizeof targets / sizeof *targets)];
    ir_module_init(&m, &a);
    struct ir_data d = {.name = "d", .source = source(&a, t)};
    ir_typeid x = ir_type_make(&m, t->x, t->x_rank, &t->extent, NULL);
    ir_typeid y = ir_type_make(&m, t->y, t->y_rank, &t->extent, NULL);
    vec_push(&a, &d.fields, (struct ir_field){"x", x});
    vec_push(&a, &d.fields, (struct ir_field){"y", y});
    const struct value *v = content(&a, t, bytes + 1, n - 1);
    if (v && data_open(&s, &m, &d, v, "fuzz", &e)) {
        read_all(&s);
        data_close(&s);
    } else if (v && (e.code == 0 || !e.text[0])) {
        abort();
    }
    arena_free(&a);
    return 0;
}
