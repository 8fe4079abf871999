// legend.c: chooses which names of a program get a rune, by the characters that this saves.
#include "frontend/legend.h"

#include <string.h>

#include "frontend/ast_build.h"
#include "frontend/glyph.h"
#include "frontend/grammar.h"

// -- the runes ------------------------------------------------------------------------------------

// Runic letters, Ogham letters, Glagolitic capitals, in this order; glyphs among them are left out.
static const struct {
    uint32_t first, last;
} alphabets[] = {{0x16a0, 0x16ea}, {0x16ee, 0x16f8}, {0x1681, 0x169a}, {0x2c00, 0x2c2e}};

enum { NALPHABETS = sizeof alphabets / sizeof *alphabets };

static size_t encode(uint32_t rune, char out[4])
{
    out[0] = (char)(0xe0 | rune >> 12);
    out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[2] = (char)(0x80 | (rune & 0x3f));
    out[3] = '\0';
    return 3;
}

bool legend_may_use(const struct map *runes, uint32_t rune)
{
    char text[4];
    for (size_t i = 0; i < NALPHABETS; i++)
        if (rune >= alphabets[i].first && rune <= alphabets[i].last)
            return !map_find(runes, text, encode(rune, text));
    return false;
}

// Steps to the next rune that names may have; false behind the last.
static bool next_rune(const struct map *runes, uint32_t *rune)
{
    for (size_t i = 0; i < NALPHABETS; i++) {
        uint32_t first = alphabets[i].first, last = alphabets[i].last;
        bool here = *rune >= first && *rune <= last;
        if (*rune != 0 && !here)
            continue;
        for (uint32_t r = here ? *rune + 1 : first; r <= last; r++)
            if (legend_may_use(runes, r))
                return *rune = r, true;
        *rune = 0; // this alphabet is used up: the first of the next
    }
    return false;
}

// -- what could have one --------------------------------------------------------------------------

#define NONE UINT32_MAX

// A name, or a name with its member.
struct candidate {
    const char *text;
    size_t len;
    size_t uses;         // that are not part of a chosen pair
    size_t cost;         // characters that one use takes now; of a pair it follows from its parts
    uint32_t base, part; // of a pair: the two candidates; else NONE
    bool chosen;
};

struct choice {
    struct arena *arena;
    const struct map *glyphs;
    struct map index; // text -> candidate
    VEC(struct candidate) list;
};

static uint32_t candidate(struct choice *c, const char *text, size_t len)
{
    bool fresh;
    struct map_entry *e = map_put(&c->index, text, len, &fresh);
    if (fresh) {
        bool glyph = map_find(c->glyphs, text, len) != NULL;
        struct candidate one = {.text = e->key,
                                .len = len,
                                .cost = glyph ? 1 : len,
                                .base = NONE,
                                .part = NONE,
                                .chosen = glyph};
        e->value.u = c->list.n;
        vec_push(c->arena, &c->list, one);
    }
    return (uint32_t)e->value.u;
}

static uint32_t count_name(struct choice *c, const char *text, size_t len)
{
    uint32_t i = candidate(c, text, len);
    c->list.at[i].uses++;
    return i;
}

static bool has_name(const struct ast *n)
{
    switch ((enum ast_kind)n->kind) {
    case AST_IMPORT: return !(n->flags & AST_PATH);
    case AST_FIELD: return !(n->flags & AST_QUOTED) && n->text[0] != '@';
    case AST_TEXT:
    case AST_BYTES:
    case AST_HANDLE:
    case AST_INT:
    case AST_FLOAT:
    case AST_BOOL:
    case AST_CONTRACT: return false;
    default: return n->text_len > 0;
    }
}

static void count_pair(struct choice *c, const struct ast *member)
{
    const struct ast *base = member->kid[0];
    const char *text = arena_printf(c->arena, "%s.%s", base->text, member->text);
    uint32_t pair = count_name(c, text, (size_t)base->text_len + 1 + member->text_len);
    uint32_t first = count_name(c, base->text, base->text_len);
    uint32_t second = count_name(c, member->text, member->text_len);
    c->list.at[pair].base = first;
    c->list.at[pair].part = second;
}

static void count(struct choice *c, const struct ast *n)
{
    if (!n)
        return;
    if (n->kind == AST_MEMBER && n->kid[0]->kind == AST_NAME) {
        count_pair(c, n);
        return;
    }
    if (has_name(n))
        count_name(c, n->text, n->text_len);
    for (uint32_t i = 0; i < n->nkids; i++)
        count(c, n->kid[i]);
}

// -- the choice -----------------------------------------------------------------------------------

// Characters that a rune for a candidate saves: each use takes one, the legend one and the text.
static long benefit(const struct choice *c, const struct candidate *one)
{
    size_t cost = one->cost;
    if (one->base != NONE)
        cost = c->list.at[one->base].cost + 1 + c->list.at[one->part].cost;
    return one->chosen ? 0 : (long)(one->uses * (cost - 1)) - (long)(one->len + 1);
}

static struct candidate *best(struct choice *c)
{
    struct candidate *found = NULL;
    long most = 0;
    for (size_t i = 0; i < c->list.n; i++) {
        long saved = benefit(c, &c->list.at[i]);
        if (saved > most) {
            most = saved;
            found = &c->list.at[i];
        }
    }
    return found;
}

static void choose(struct choice *c, struct candidate *one)
{
    one->chosen = true;
    one->cost = 1;
    if (one->base != NONE) {
        c->list.at[one->base].uses -= one->uses;
        c->list.at[one->part].uses -= one->uses;
    }
}

void legend_choose(struct arena *a, const struct ast *program, const struct map *glyphs,
                   struct legend *out)
{
    struct choice c = {.arena = a, .glyphs = glyphs};
    struct map runes;
    struct candidate *one;
    uint32_t rune = 0;
    char text[4];
    *out = (struct legend){0};
    map_init(&out->index, a);
    map_init(&c.index, a);
    map_init(&runes, a);
    glyph_map_runes(&runes);
    count(&c, program);
    while ((one = best(&c)) != NULL && next_rune(&runes, &rune)) {
        choose(&c, one);
        const char *copy = arena_copy(a, text, encode(rune, text));
        vec_push(a, &out->list, (struct legend_name){one->text, copy, one->len});
        map_put(&out->index, one->text, one->len, NULL)->value.c = copy;
    }
}

void legend_write(const struct legend *legend, struct buf *out)
{
    if (legend->list.n == 0)
        return;
    buf_puts(out, glyph_of_token(TOK_LEGEND));
    for (size_t i = 0; i < legend->list.n; i++) {
        buf_puts(out, legend->list.at[i].rune);
        buf_put(out, legend->list.at[i].text, legend->list.at[i].len);
    }
    buf_putc(out, '\n');
}

const char *legend_rune(const struct legend *legend, const char *text, size_t n)
{
    const struct map_entry *e = map_find(&legend->index, text, n);
    return e ? e->value.c : NULL;
}
