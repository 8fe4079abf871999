// data_text.c: a text file as sequences of tokens, one after the other.
#include <stdlib.h>

#include "runtime/data.h"

struct text {
    struct data_tokens tokens;
    unsigned char *bytes;
    size_t n;
};

static void text_close(struct data_set *s)
{
    struct text *t = s->state;
    free(t->bytes);
    free(t);
}

// Line and column of a byte, for the message.
static bool refuse_byte(const struct text *t, size_t at, const char *shown, struct hlx_error *error)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at; i++)
        if (t->bytes[i] == '\n') {
            line++;
            start = i + 1;
        }
    return hlx_fail(error, EXIT_DATA,
                    "%s:%zu:%zu: byte 0x%02x (at offset %zu) is not ASCII, as `tokens: ascii` "
                    "says; `tokens: bytes` takes any",
                    shown, line, at - start + 1, t->bytes[at], at);
}

// Sample k holds the seq + 1 tokens from k * seq on; a last one that would be shorter is left out.
static bool text_open(struct data_set *s, const struct data_input *in, struct hlx_error *error)
{
    struct text *t = s->state = calloc(1, sizeof *t);
    if (!t)
        return hlx_no_memory(error, "the data");
    if (!data_tokens_open(s, in, &t->tokens, error))
        return false;
    t->bytes = data_bytes(in, &t->n, error);
    if (!t->bytes)
        return false;
    for (size_t i = 0; t->tokens.ascii && i < t->n; i++)
        if (t->bytes[i] > 127)
            return refuse_byte(t, i, in->shown, error);
    s->n = t->n ? (t->n - 1) / t->tokens.seq : 0;
    return true;
}

static void text_read(const struct data_set *s, size_t sample, size_t field, void *to)
{
    const struct text *t = s->state;
    size_t start = sample * t->tokens.seq;
    data_tokens_read(&t->tokens, t->bytes + start, t->n - start, field, to);
}

const struct data_kind data_text = {"text", text_open, text_read, text_close};
