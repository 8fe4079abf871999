// replay_record.c: compares records of one step, and says how they differ.
#include <inttypes.h>
#include <string.h>

#include "runtime/replay.h"

// "the state differs in `a`, `b` and 3 more"; nothing when it does not.
static void list_tensors(const struct receipt *r, const unsigned char *x, const unsigned char *y,
                         struct buf *out)
{
    enum { SHOWN = 4 };
    size_t n = 0;
    for (size_t i = 0; i < r->tensors->as.array.n; i++) {
        if (memcmp(x + i * HANDLE_BYTES, y + i * HANDLE_BYTES, HANDLE_BYTES) == 0)
            continue;
        if (n++ < SHOWN)
            buf_printf(out, "%s`%s`", n > 1 ? ", " : "the state differs in ",
                       r->tensors->as.array.at[i]->as.array.at[0]->as.bytes.at);
    }
    if (n > SHOWN)
        buf_printf(out, " and %zu more", n - SHOWN);
}

static void put_bits(const struct train_scalar *s, const struct value *v, struct buf *out)
{
    if (!v) {
        buf_puts(out, "nothing");
        return;
    }
    uint32_t bits = (uint32_t)v->as.integer;
    float x;
    memcpy(&x, &bits, sizeof x);
    if (s->integer)
        buf_printf(out, "%08" PRIx32, bits);
    else
        buf_printf(out, "%.9g (%08" PRIx32 ")", (double)x, bits);
}

// The first output that differs, with both values.
static void put_output(const struct train_run *run, const struct value *x, const struct value *y,
                       const char *says, struct buf *out)
{
    for (size_t i = 0; i < run->nscalars; i++) {
        const struct train_scalar *s = &run->scalar[i];
        const struct value *a = value_get(x, s->name), *b = value_get(y, s->name);
        if (a == b || (a && b && value_equal(a, b))) // both may be missing
            continue;
        buf_printf(out, "%s is ", s->name);
        put_bits(s, a, out);
        buf_printf(out, ", %s ", says);
        put_bits(s, b, out);
        return;
    }
    buf_printf(out, "%s another set of outputs", says);
}

static void semicolon(struct buf *out)
{
    if (out->n > 0)
        buf_puts(out, "; ");
}

bool replay_same(const struct receipt *r, const struct receipt_record *x,
                 const struct receipt_record *y)
{
    return memcmp(x->roots, y->roots, r->tensors->as.array.n * HANDLE_BYTES) == 0 &&
           x->epoch == y->epoch && value_equal(x->outputs, y->outputs);
}

const char *replay_difference(struct arena *a, const struct receipt *r, const struct train_run *run,
                              const struct receipt_record *x, const struct receipt_record *y,
                              const char *says)
{
    struct buf out = {0}, seen = {0};
    if (replay_same(r, x, y))
        return NULL;
    list_tensors(r, x->roots, y->roots, &out);
    if (!value_equal(x->outputs, y->outputs)) {
        semicolon(&out);
        put_output(run, x->outputs, y->outputs, says, &out);
    }
    if (x->epoch != y->epoch) {
        semicolon(&out);
        buf_printf(&out, "the epoch is %" PRIu64 ", %s %" PRIu64, x->epoch, says, y->epoch);
    }
    buf_visible(&seen, out.at, out.n); // paths from the file may hold anything
    const char *text = arena_copy(a, seen.at, seen.n);
    buf_free(&seen);
    buf_free(&out);
    return text;
}
