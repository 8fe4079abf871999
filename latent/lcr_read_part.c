// lcr_read_part.c: reads the parts of collapsed LC-R: texts, references, keys, shapes, phrases.
#include "latent/lcr_read.h"

bool collapsed_take(struct collapsed *d, unsigned level, const char *mark)
{
    reader_space(d->r);
    return d->level >= level && reader_take(d->r, mark);
}

// Charges what is built without standing in the text: `times` pieces of a weight.
bool collapsed_spend(struct collapsed *d, const char *from, uint64_t times, size_t weight)
{
    if (weight > 0 && times > d->left / weight)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                           "references and repetitions make too much of a text of this length");
    d->left -= (size_t)times * weight;
    return true;
}

// -- texts ----------------------------------------------------------------------------------------

static bool at_syllable(const struct collapsed *d)
{
    uint32_t c = 0;
    const struct reader *r = d->r;
    return r->at < r->end && utf8_decode(r->at, reader_left(r), &c) > 0 && c >= 0xAC00 &&
           c <= 0xD7A3;
}

static bool read_phrase(struct collapsed *d, struct buf *out)
{
    const char *from = d->r->at;
    uint64_t number;
    if (!lcr_read_digits(d->r, &lcr_syllables, &number))
        return false;
    if (number >= d->phrases.n)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "there is no phrase %llu",
                           (unsigned long long)number);
    const struct lcr_text *phrase = &d->phrases.at[number];
    if (!collapsed_spend(d, from, phrase->n, 1))
        return false;
    buf_put(out, phrase->at, phrase->n);
    return true;
}

static bool read_char(struct collapsed *d, struct buf *out)
{
    struct reader *r = d->r;
    bool phrases = d->level >= LCR_PHRASES, escaped = reader_take(r, "\\");
    if (escaped && !(phrases && at_syllable(d)))
        return reader_escape(r, out);
    if (!escaped && phrases && at_syllable(d))
        return read_phrase(d, out);
    uint32_t c = 0;
    size_t n = r->at < r->end ? utf8_decode(r->at, reader_left(r), &c) : 0;
    if (n == 0 || c < 0x20)
        return reader_expected(r, "a character of a text, an escape or the closing quote");
    buf_put(out, r->at, n);
    r->at += n;
    return true;
}

// The first `chars` characters of a text, in bytes; SIZE_MAX when it has fewer.
static size_t prefix_bytes(const struct lcr_text *s, uint64_t chars)
{
    size_t i = 0;
    for (; chars > 0 && i < s->n; chars--)
        for (i++; i < s->n && ((unsigned char)s->at[i] & 0xC0) == 0x80;)
            i++;
    return chars == 0 ? i : SIZE_MAX;
}

// Appends what a text shares with the one before it, of which the count comes next.
static bool read_prefix(struct collapsed *d, const struct lcr_text *before, struct buf *out)
{
    const char *from = d->r->at;
    uint64_t chars;
    if (!lcr_read_count(d->r, d->level, &chars))
        return false;
    size_t n = before == NULL ? SIZE_MAX : prefix_bytes(before, chars);
    if (n == SIZE_MAX)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE",
                           "the text before this one does not have that many characters");
    if (!collapsed_spend(d, from, n, 1))
        return false;
    buf_put(out, before->at, n);
    return true;
}

// The rest of a text up to its quote, after the part in `out`; a copy in the arena.
static bool finish_text(struct collapsed *d, const char *from, struct buf *out,
                        struct lcr_text *made)
{
    buf_puts(out, "");
    while (!reader_take(d->r, "\""))
        if (!read_char(d, out))
            return false;
    if (!reader_canonical(d->r, from, out->at, out->n))
        return false;
    *made = (struct lcr_text){arena_copy(d->r->arena, out->at, out->n), out->n};
    return true;
}

// A text that is written out, with its prefix where `shared`; it becomes the one before the next.
static bool read_text(struct collapsed *d, bool shared, struct lcr_text *before,
                      struct lcr_text *made)
{
    const char *from = d->r->at;
    struct buf s = {0};
    bool ok = (!shared || read_prefix(d, before, &s)) && finish_text(d, from, &s, made);
    buf_free(&s);
    if (ok && before != NULL)
        *before = *made;
    return ok;
}

const struct value *collapsed_text(struct collapsed *d, bool shared, struct lcr_text *before)
{
    struct lcr_text s;
    if (!read_text(d, shared, before, &s))
        return NULL;
    d->weight = LCR_WEIGHT + s.n;
    return value_borrowed(d->r->arena, VALUE_TEXT, s.at, s.n);
}

// -- references -----------------------------------------------------------------------------------

static bool letter_number(int c, uint64_t *n)
{
    bool small = c >= 'a' && c <= 'z';
    if (!small && (c < 'A' || c > 'Z'))
        return false;
    *n = (uint64_t)(small ? c - 'a' : c - 'A' + 26);
    return true;
}

// A reference, when there is one at the cursor. *found is NULL when there is none.
bool collapsed_reference(struct collapsed *d, const struct entry **found)
{
    struct reader *r = d->r;
    const char *from = r->at;
    uint64_t n;
    *found = NULL;
    if (d->level < LCR_KEYS)
        return true;
    if (letter_number(reader_peek(r), &n)) {
        r->at++;
    } else if (at_syllable(d)) {
        if (!lcr_read_digits(r, &lcr_syllables, &n))
            return false;
        n = n > UINT64_MAX - LCR_LETTERS ? n : n + LCR_LETTERS;
    } else {
        return true;
    }
    if (n >= d->entries.n)
        return reader_fail(r, from, r->at, "E_LC_PARSE", "this refers to entry %llu, of %zu so far",
                           (unsigned long long)n, d->entries.n);
    *found = &d->entries.at[n];
    return collapsed_spend(d, from, 1, (*found)->weight);
}

// -- keys and shapes ------------------------------------------------------------------------------

static bool key_by_reference(struct collapsed *d, struct lcr_text *key)
{
    const char *from = d->r->at;
    const struct entry *e;
    if (!collapsed_reference(d, &e))
        return false;
    if (e == NULL)
        return reader_expected(d->r, "a key");
    if (e->v == NULL || e->v->kind != VALUE_TEXT)
        return reader_fail(d->r, from, d->r->at, "E_LC_PARSE", "this entry is no text");
    *key = (struct lcr_text){e->v->as.bytes.at, e->v->as.bytes.n};
    return true;
}

bool collapsed_at_count(const struct reader *r)
{
    int c = reader_peek(r);
    return (c >= '0' && c <= '9') || lcr_at_digit(r, &lcr_ideographs);
}

// Reads a key and puts it on the stack of fields, in its order. Its weight is added to `weight`.
bool collapsed_key(struct collapsed *d, size_t base, struct lcr_text *before, size_t *weight)
{
    struct lcr_text key = {0};
    reader_space(d->r);
    const char *from = d->r->at;
    bool prefixes = d->level >= LCR_PREFIXES, ok;
    if (prefixes ? collapsed_at_count(d->r) : reader_take(d->r, "\""))
        ok = read_text(d, prefixes, before, &key);
    else
        ok = key_by_reference(d, &key);
    if (!ok)
        return false;
    struct value_field field = {key.at, key.n, NULL};
    const struct value_field *last = d->fields.n > base ? &vec_last(&d->fields) : NULL;
    if (!reader_key_order(d->r, from, last, &field))
        return false;
    vec_push(&d->r->scratch, &d->fields, field);
    *weight += LCR_WEIGHT + key.n;
    return true;
}

// The keys of a shape up to its mark; the first mark has been read.
bool collapsed_shape(struct collapsed *d, struct entry *out)
{
    struct lcr_text before = {"", 0};
    size_t base = d->fields.n;
    *out = (struct entry){.weight = LCR_WEIGHT};
    while (!collapsed_take(d, LCR_SHAPES, LCR_SEPARATOR))
        if (!collapsed_key(d, base, &before, &out->weight))
            return false;
    out->n = d->fields.n - base;
    struct value_field *field = arena_array(&d->r->scratch, out->n, sizeof *field);
    for (size_t i = 0; i < out->n; i++)
        field[i] = d->fields.at[base + i];
    out->field = field;
    d->fields.n = base;
    return true;
}

// -- phrases -------------------------------------------------------------------------------------

bool collapsed_phrases(struct collapsed *d)
{
    struct lcr_text before = {"", 0};
    while (!collapsed_take(d, LCR_PHRASES, LCR_NEST)) {
        struct lcr_text phrase;
        struct buf s = {0};
        const char *from = d->r->at;
        size_t known = d->phrases.n;
        d->phrases.n = 0; // phrases hold no phrases
        bool ok = read_prefix(d, &before, &s) && finish_text(d, from, &s, &phrase);
        d->phrases.n = known;
        buf_free(&s);
        if (!ok)
            return false;
        vec_push(&d->r->scratch, &d->phrases, phrase);
        before = phrase;
    }
    return true;
}
