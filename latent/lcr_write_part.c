// lcr_write_part.c: writes the tokens of collapsed LC-R: numbers, texts, references, bytes.
#include <string.h>

#include "latent/lcr_write.h"

const struct node *writer_node(const struct writer *w, node_id id)
{
    return &w->plan->nodes.at[id];
}

// Begins a token: one of letters and digits does not run into the one before it.
static void begin(struct writer *w, bool wordy)
{
    if (w->word && wordy)
        buf_putc(w->out, ' ');
    w->word = false;
}

void writer_mark(struct writer *w, const char *mark)
{
    begin(w, false);
    buf_puts(w->out, mark);
}

void writer_count(struct writer *w, uint64_t n)
{
    begin(w, true);
    lcr_put_count(w->out, w->level, n);
    w->word = w->level < LCR_NUMBERS;
}

void writer_reference(struct writer *w, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    begin(w, n < LCR_LETTERS);
    if (n < LCR_LETTERS)
        buf_putc(w->out, letters[n]);
    else
        lcr_put_digits(w->out, &lcr_syllables, n - LCR_LETTERS);
}

// -- texts ----------------------------------------------------------------------------------------

// The number of the longest phrase at the beginning of a text, and its length; 0: none.
static size_t find_phrase(const struct plan *p, const char *s, size_t n, uint64_t *number)
{
    size_t best = 0, length = 0;
    for (size_t words = 0; words < p->longest && length < n; words++) {
        length += phrase_word(s + length, n - length);
        const struct map_entry *e = map_find(&p->phrases, s, length);
        if (e != NULL && e->value.u > 0) {
            best = length;
            *number = e->value.u - 1;
        }
    }
    return best;
}

static void put_chars(struct writer *w, const char *s, size_t n)
{
    bool phrases = w->level >= LCR_PHRASES;
    for (size_t i = 0, length; i < n; i += length) {
        uint64_t number = 0;
        length = phrases ? find_phrase(w->plan, s + i, n - i, &number) : 0;
        if (length > 0) {
            lcr_put_digits(w->out, &lcr_syllables, number);
        } else {
            length = phrases ? phrase_word(s + i, n - i) : n;
            lcr_put_chars(w->out, s + i, length, phrases);
        }
    }
}

// A key, and a text in the dictionary: at LCR_PREFIXES a count of characters of the one before it.
static void put_key_chars(struct writer *w, const char *s, size_t n, struct lcr_text *before)
{
    size_t shared = 0;
    if (w->level < LCR_PREFIXES) {
        writer_mark(w, "\"");
    } else {
        shared = lcr_shared(before, s, n);
        writer_count(w, lcr_chars(s, shared));
    }
    put_chars(w, s + shared, n - shared);
    buf_putc(w->out, '"');
    *before = (struct lcr_text){s, n};
}

void writer_key(struct writer *w, node_id id, struct lcr_text *before)
{
    const struct node *key = writer_node(w, id);
    if (key->entry)
        writer_reference(w, key->reference);
    else
        put_key_chars(w, key->v->as.bytes.at, key->v->as.bytes.n, before);
}

// A text as a value. In a list, `before` is the text before it.
static void put_text(struct writer *w, const struct value *v, struct lcr_text *before)
{
    const char *s = v->as.bytes.at;
    size_t n = v->as.bytes.n, shared = 0;
    if (before != NULL && w->level >= LCR_PREFIXES)
        shared = lcr_shared(before, s, n);
    if (lcr_chars(s, shared) > 2) {
        writer_mark(w, LCR_PREFIX);
        writer_count(w, lcr_chars(s, shared));
    } else {
        writer_mark(w, "\"");
        shared = 0;
    }
    put_chars(w, s + shared, n - shared);
    buf_putc(w->out, '"');
    if (before != NULL)
        *before = (struct lcr_text){s, n};
}

// -- scalars --------------------------------------------------------------------------------------

void writer_int(struct writer *w, int64_t i)
{
    begin(w, true);
    if (w->level >= LCR_NUMBERS) {
        lcr_put_int(w->out, i);
        return;
    }
    buf_printf(w->out, "%lld", (long long)i);
    w->word = true;
}

static void put_float_bits(struct writer *w, double x)
{
    uint64_t bits;
    unsigned char bytes[sizeof bits];
    memcpy(&bits, &x, sizeof bits);
    for (size_t i = 0; i < sizeof bits; i++)
        bytes[i] = (unsigned char)(bits >> (56 - 8 * i));
    writer_mark(w, LCR_FLOAT);
    lcr_put_bits(w->out, bytes, sizeof bytes);
}

static void put_float(struct writer *w, double x)
{
    struct buf b = {0};
    buf_double(&b, x);
    if (w->level >= LCR_NUMBERS && b.n > 6) {
        put_float_bits(w, x);
    } else {
        begin(w, w->level < LCR_NUMBERS);
        if (w->level >= LCR_NUMBERS)
            buf_putc(w->out, '~');
        buf_put(w->out, b.at, b.n);
        w->word = true;
    }
    buf_free(&b);
}

static void put_bytes(struct writer *w, const struct value *v)
{
    writer_mark(w, LCR_BYTES);
    if (w->level >= LCR_DENSE) {
        lcr_put_count(w->out, w->level, v->as.bytes.n);
        lcr_put_bits(w->out, v->as.bytes.at, v->as.bytes.n);
        w->word = v->as.bytes.n == 0;
        return;
    }
    struct sink hex = {.buf = *w->out};
    sink_hex(&hex, v->as.bytes.at, v->as.bytes.n);
    *w->out = hex.buf;
    w->word = true;
}

void writer_scalar(struct writer *w, const struct node *node, struct lcr_text *before)
{
    const struct value *v = node->v;
    switch (v->kind) {
    case VALUE_NULL: writer_mark(w, LCR_NULL); break;
    case VALUE_BOOL: writer_mark(w, v->as.boolean ? LCR_TRUE : LCR_FALSE); break;
    case VALUE_INT: writer_int(w, v->as.integer); break;
    case VALUE_FLOAT: put_float(w, v->as.number); break;
    case VALUE_TEXT: put_text(w, v, before); break;
    case VALUE_BYTES: put_bytes(w, v); break;
    default:
        writer_mark(w, LCR_HANDLE);
        buf_put(w->out, v->as.bytes.at + 3, v->as.bytes.n - 3);
        w->word = true;
    }
}
