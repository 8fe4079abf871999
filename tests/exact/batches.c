// batches.c: one sample's logits must be the same bits in batches of every size, at every place.
//
//   batches PROGRAM.hbin [DEVICE ...]
//
// The reference is the first entry, a batch of one, on the evaluator. The other samples of a batch
// are noise.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/hlx.h"

struct test {
    struct hlx *h;
    struct hlx_error error;
    float *want; // logits of the sample
    size_t want_bytes;
    unsigned bad, good;
};

static uint32_t noise(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

// Row `at` holds the sample, the others noise that depends on where they are.
static void fill(int32_t *tokens, size_t rows, size_t row, size_t at)
{
    enum { VOCAB = 61, SAMPLE = 12345 };
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < row; i++)
            tokens[r * row + i] =
                (int32_t)(noise((uint32_t)(r == at ? SAMPLE + i : r * 977 + i * 31 + rows)) %
                          VOCAB);
}

static bool run_row(struct test *t, struct hlx_run *run, const struct hlx_tensor *in,
                    const struct hlx_tensor *out, size_t at)
{
    size_t rows = (size_t)in->dim[0], row = (size_t)in->dim[1], bytes = out->bytes / rows;
    int32_t *tokens = malloc(in->bytes);
    char *logits = malloc(out->bytes);
    bool ok = tokens && logits;
    if (ok)
        fill(tokens, rows, row, at);
    ok = ok && hlx_bind(run, in->name, tokens, in->bytes, &t->error) && hlx_step(run, &t->error) &&
         hlx_read(run, out->name, logits, out->bytes, &t->error);
    if (ok && !t->want) {
        t->want = malloc(bytes);
        t->want_bytes = bytes;
        memcpy(t->want, logits + at * bytes, bytes);
    }
    bool same = ok && bytes == t->want_bytes && !memcmp(t->want, logits + at * bytes, bytes);
    if (ok)
        printf("%s - %s: batch of %zu, sample %zu\n", same ? "ok" : "not ok", hlx_title(t->h), rows,
               at);
    t->good += same;
    t->bad += ok && !same;
    free(tokens);
    free(logits);
    return ok;
}

static bool run_entry(struct test *t, const char *name)
{
    struct hlx_tensor in, out;
    struct hlx_run *run = hlx_start(t->h, name, &t->error);
    bool ok = run && hlx_input(run, 0, &in) && hlx_output(run, 0, &out);
    size_t last = ok ? (size_t)in.dim[0] - 1 : 0;
    ok = ok && run_row(t, run, &in, &out, 0) && (last == 0 || run_row(t, run, &in, &out, last)) &&
         (last < 3 || run_row(t, run, &in, &out, last / 2));
    hlx_stop(run);
    return ok;
}

static bool run_device(struct test *t, const char *program, const char *device)
{
    const struct hlx_options options = {.device = device};
    t->h = hlx_open(program, &options, &t->error);
    bool ok = t->h != NULL;
    for (size_t i = 0; ok && hlx_entry(t->h, i); i++)
        ok = run_entry(t, hlx_entry(t->h, i));
    hlx_close(t->h);
    return ok;
}

int main(int argc, char **argv)
{
    struct test t = {0};
    bool ok = argc > 1 && run_device(&t, argv[1], "cpu");
    for (int i = 2; ok && i < argc; i++)
        ok = run_device(&t, argv[1], argv[i]);
    if (!ok) {
        printf("not ok - %s\n", argc > 1 ? t.error.text : "usage: batches PROGRAM.hbin DEVICE");
        t.bad++;
    }
    free(t.want);
    printf("%u passed, %u failed\n", t.good, t.bad);
    return t.bad > 0;
}
