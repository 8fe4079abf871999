// value_kit.h: values made at random, for tests of everything that reads and writes them.
#ifndef HLX_TESTS_VALUE_KIT_H
#define HLX_TESTS_VALUE_KIT_H

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "latent/value.h"

struct chance {
    struct arena *arena;
    uint64_t state; // not 0
};

static inline uint64_t chance_next(struct chance *s)
{
    s->state ^= s->state << 13;
    s->state ^= s->state >> 7;
    s->state ^= s->state << 17;
    return s->state;
}

static inline unsigned chance_below(struct chance *s, unsigned n)
{
    return (unsigned)((chance_next(s) >> 20) % n);
}

// Rounds of a test: HLX_ROUNDS where it is set, for long runs.
static inline long chance_rounds(long usual)
{
    const char *rounds = getenv("HLX_ROUNDS");
    return rounds != NULL ? strtol(rounds, NULL, 10) : usual;
}

static inline const struct value *any_int(struct chance *s)
{
    uint64_t bits = chance_next(s) >> chance_below(s, 64);
    int64_t i;
    bits = chance_below(s, 2) ? ~bits : bits;
    memcpy(&i, &bits, sizeof i);
    return value_int(s->arena, i);
}

static inline const struct value *any_float(struct chance *s)
{
    for (;;) {
        uint64_t bits = chance_next(s);
        double x;
        memcpy(&x, &bits, sizeof x);
        x = chance_below(s, 2) ? x : (double)chance_below(s, 4000) / 8;
        const struct value *v = value_float(s->arena, x, NULL);
        if (v != NULL)
            return v;
    }
}

// A code point that is no surrogate; some are likely.
static inline uint32_t any_rune(struct chance *s)
{
    static const uint32_t pool[] = {'a',    'e',    '\r', '\n',   '"',    '\\',   '0',
                                    0x301,  0x323,  0x7F, 0xAC00, 0xD55C, 0x1100, 0x1161,
                                    0x212B, 0x4E00, 0,    0x2028, 0x202E, 0xFEFF};
    if (chance_below(s, 2))
        return pool[chance_below(s, sizeof pool / sizeof *pool)];
    return chance_below(s, 4) ? ' ' + chance_below(s, 95) : chance_below(s, 0xD800);
}

// Text of any code points, so that it has to be normalised, or of words that come again.
static inline const struct value *any_text(struct chance *s)
{
    static const char *const words[] = {"layers.", "attention", ".weight", "0", "1", "norm", "_"};
    struct buf b = {0};
    bool worded = chance_below(s, 2);
    for (unsigned n = chance_below(s, 8); n > 0; n--)
        if (worded)
            buf_puts(&b, words[chance_below(s, sizeof words / sizeof *words)]);
        else
            buf_rune(&b, any_rune(s));
    const struct value *v = value_text(s->arena, b.n ? b.at : "", b.n, NULL);
    buf_free(&b);
    return v;
}

static inline const struct value *any_value(struct chance *s, unsigned depth);

// Items of all kinds, or ints in a sequence, or the same item again and again.
static inline const struct value *any_array(struct chance *s, unsigned depth)
{
    const struct value *items[12];
    unsigned n = chance_below(s, 12), manner = chance_below(s, 4), step = chance_below(s, 3);
    for (unsigned i = 0; i < n; i++)
        if (manner == 0 && i > 0)
            items[i] = items[0];
        else if (manner == 1)
            items[i] = value_int(s->arena, (int64_t)(7 + i * step) - chance_below(s, 2));
        else if (n < 6 || depth > 3)
            items[i] = any_value(s, depth + 1);
        else
            items[i] = chance_below(s, 2) ? any_text(s) : any_int(s);
    return value_array(s->arena, items, n);
}

static inline const struct value *any_object(struct chance *s, unsigned depth)
{
    struct value_field fields[6];
    unsigned n = chance_below(s, 6);
    for (unsigned i = 0; i < n; i++) {
        const struct value *key = any_text(s);
        fields[i] =
            (struct value_field){key->as.bytes.at, key->as.bytes.n, any_value(s, depth + 1)};
    }
    const struct value *v = value_object(s->arena, fields, n, NULL);
    return v != NULL ? v : value_null(); // two keys were the same
}

// An array of objects that have the same keys.
static inline const struct value *any_table(struct chance *s, unsigned depth)
{
    const struct value *rows[9];
    unsigned n = chance_below(s, 9);
    for (unsigned i = 0; i < n; i++) {
        struct value_field fields[3] = {{"id", 2, value_int(s->arena, 10 + i)},
                                        {"name", 4, any_text(s)},
                                        {"x", 1, any_value(s, depth + 2)}};
        rows[i] = value_object(s->arena, fields, 3, NULL);
    }
    return value_array(s->arena, rows, n);
}

static inline const struct value *any_contract(struct chance *s, unsigned depth)
{
    struct value_field fields[2] = {{"@0", 2, any_text(s)}, {"name", 4, any_value(s, depth + 2)}};
    return value_contract(s->arena, chance_below(s, 1000),
                          value_object(s->arena, fields, chance_below(s, 3), NULL));
}

static inline const struct value *any_value(struct chance *s, unsigned depth)
{
    switch (chance_below(s, depth < 7 ? 14 : 8)) {
    case 0: return value_null();
    case 1: return value_bool(chance_below(s, 2));
    case 2: return any_int(s);
    case 3: return any_float(s);
    case 4:
    case 5: return any_text(s);
    case 6: return value_bytes(s->arena, &s->state, chance_below(s, 9));
    case 7:
        return value_handle(s->arena, arena_printf(s->arena, "&h_%x", chance_below(s, 999)), NULL);
    case 8:
    case 9: return any_array(s, depth);
    case 10: return any_table(s, depth);
    case 11: return any_contract(s, depth);
    default: return any_object(s, depth);
    }
}

#endif
