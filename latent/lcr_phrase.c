// lcr_phrase.c: chooses the pieces of texts that LC-R's last level writes once and refers to.
//
// Candidates are up to MOST_WORDS words in a row. What a phrase would save is counted twice: by all
// its occurrences, and then by those that are left to it where longer phrases match first.
#include <stdlib.h>
#include <string.h>

#include "latent/lcr_plan.h"

enum { MOST_WORDS = 8, MOST_PHRASES = 4096, MOST_COUNTED = 1 << 18, LEAST_CHARS = 3 };

static bool is_alpha(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

size_t phrase_word(const char *s, size_t n)
{
    const unsigned char *at = (const unsigned char *)s;
    bool (*same)(unsigned char) = is_alpha(at[0]) ? is_alpha : is_digit(at[0]) ? is_digit : NULL;
    size_t i = 1;
    if (same != NULL)
        while (i < n && same(at[i]))
            i++;
    else
        while (i < n && (at[i] & 0xC0) == 0x80)
            i++;
    return i;
}

// Calls `use` for all texts that are written out.
static void each_text(struct plan *p, void (*use)(struct plan *, const char *, size_t, void *),
                      void *ctx)
{
    for (size_t id = 0; id < p->nodes.n; id++) {
        const struct node *node = &p->nodes.at[id];
        if (node->kind == VALUE_TEXT && node->uses + node->key_uses > 0)
            use(p, node->v->as.bytes.at, node->v->as.bytes.n, ctx);
    }
}

static void count_pieces(struct plan *p, const char *s, size_t n, void *ctx)
{
    struct map *pieces = ctx;
    (void)p;
    for (size_t i = 0; i < n && pieces->n < MOST_COUNTED; i += phrase_word(s + i, n - i)) {
        size_t length = 0;
        for (int words = 0; words < MOST_WORDS && i + length < n; words++) {
            length += phrase_word(s + i + length, n - i - length);
            if (lcr_chars(s + i, length) >= LEAST_CHARS)
                map_put(pieces, s + i, length, NULL)->value.u++;
        }
    }
}

// Characters that a phrase of so many uses saves.
static int64_t gain(const struct map_entry *e, uint64_t uses)
{
    int64_t chars = (int64_t)lcr_chars(e->key, e->len);
    return (int64_t)uses * (chars - 1) - (chars + 2);
}

static int by_gain(const void *a, const void *b)
{
    const struct map_entry *x = a, *y = b;
    int64_t xg = gain(x, x->value.u), yg = gain(y, y->value.u);
    if (xg != yg)
        return (xg < yg) - (xg > yg);
    int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

// Puts the best of the pieces into p->phrases. `pieces` is no map afterwards.
static void take_best(struct plan *p, struct map *pieces)
{
    if (pieces->n == 0)
        return;
    qsort(pieces->entry, pieces->n, sizeof *pieces->entry, by_gain);
    for (size_t i = 0; i < pieces->n && i < MOST_PHRASES; i++) {
        const struct map_entry *e = &pieces->entry[i];
        if (e->value.u < 2 || gain(e, e->value.u) <= 0)
            break;
        map_put(&p->phrases, e->key, e->len, NULL)->value.u = 1;
    }
}

// The longest phrase at the beginning of a text.
static struct map_entry *longest_at(const struct plan *p, const char *s, size_t n)
{
    struct map_entry *best = NULL;
    size_t length = 0;
    for (int words = 0; words < MOST_WORDS && length < n; words++) {
        length += phrase_word(s + length, n - length);
        struct map_entry *e = map_find(&p->phrases, s, length);
        best = e != NULL && e->value.u > 0 ? e : best;
    }
    return best;
}

// Adds the uses of phrases in one text to a count of each; the value of an entry is its uses + 1.
static void count_uses(struct plan *p, const char *s, size_t n, void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < n;) {
        struct map_entry *e = longest_at(p, s + i, n - i);
        if (e != NULL)
            e->value.u++;
        i += e != NULL ? e->len : phrase_word(s + i, n - i);
    }
}

// Leaves out the phrases that do not pay when longer ones match first.
static void drop_idle(struct plan *p)
{
    each_text(p, count_uses, NULL);
    for (size_t i = 0; i < p->phrases.n; i++) {
        struct map_entry *e = &p->phrases.entry[i];
        bool pays = e->value.u > 0 && gain(e, e->value.u - 1) > 0;
        e->value.u = pays;
    }
}

static int by_text(const void *a, const void *b)
{
    const struct lcr_text *x = a, *y = b;
    int order = memcmp(x->at, y->at, x->n < y->n ? x->n : y->n);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

void plan_phrases(struct plan *p)
{
    struct map pieces;
    map_init(&pieces, p->arena);
    each_text(p, count_pieces, &pieces);
    take_best(p, &pieces);
    drop_idle(p);
    drop_idle(p);
    for (size_t i = 0; i < p->phrases.n; i++) {
        const struct map_entry *e = &p->phrases.entry[i];
        if (e->value.u > 0)
            vec_push(p->arena, &p->phrase_list, (struct lcr_text){e->key, e->len});
    }
    if (p->phrase_list.n == 0)
        return;
    qsort(p->phrase_list.at, p->phrase_list.n, sizeof *p->phrase_list.at, by_text);
    for (size_t i = 0; i < p->phrase_list.n; i++) {
        const struct lcr_text *phrase = &p->phrase_list.at[i];
        map_find(&p->phrases, phrase->at, phrase->n)->value.u = i + 1;
        p->weight += phrase->n;
    }
    p->longest = MOST_WORDS;
}
