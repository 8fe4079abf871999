// sink.c: gathers what encoders write into pieces, and passes large bytes on without a copy.
#include "latent/sink.h"

static void hand_over(struct sink *s, const void *bytes, size_t n)
{
    if (!s->failed && n > 0)
        s->failed = !s->write(s->ctx, bytes, n);
}

static void empty(struct sink *s)
{
    hand_over(s, s->buf.at, s->buf.n);
    buf_clear(&s->buf);
}

void sink_turn(struct sink *s)
{
    if (s->write != NULL && s->buf.n >= SINK_PIECE)
        empty(s);
}

void sink_put(struct sink *s, const void *bytes, size_t n)
{
    if (s->write == NULL || n < SINK_PIECE) {
        buf_put(&s->buf, bytes, n);
        return;
    }
    empty(s);
    hand_over(s, bytes, n);
}

void sink_hex(struct sink *s, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;
    char piece[1024];
    while (n > 0) {
        size_t take = n < sizeof piece / 2 ? n : sizeof piece / 2;
        for (size_t i = 0; i < take; i++) {
            piece[2 * i] = digits[at[i] >> 4];
            piece[2 * i + 1] = digits[at[i] & 15];
        }
        buf_put(&s->buf, piece, 2 * take);
        sink_turn(s);
        at += take;
        n -= take;
    }
}

bool sink_close(struct sink *s)
{
    if (s->write == NULL)
        return true;
    empty(s);
    buf_free(&s->buf);
    return !s->failed;
}
