// nfc.c: Unicode normalisation form C, in time that no input can make quadratic.
//
// utf8proc decomposes and composes. The canonical order of combining marks is made here, because
// utf8proc exchanges neighbours until they are sorted: minutes for a megabyte of marks.
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/vec.h"

enum { MOST = 4 }; // code points in the longest canonical decomposition of one

struct runes {
    VEC(utf8proc_int32_t) v;
    struct arena arena;
};

// Texts below U+0300, which has the first combining mark, are in form C; also tells whether the
// text is UTF-8 at all.
static bool scan(const char *s, size_t n, bool *plain)
{
    uint32_t c = 0;
    *plain = true;
    for (size_t i = 0, len; i < n; i += len) {
        len = utf8_decode(s + i, n - i, &c);
        if (len == 0)
            return false;
        *plain &= c < 0x300;
    }
    return true;
}

static void decompose(const char *s, size_t n, struct runes *r)
{
    uint32_t c = 0;
    for (size_t i = 0; i < n; i += utf8_decode(s + i, n - i, &c)) {
        utf8_decode(s + i, n - i, &c);
        vec_reserve(&r->arena, &r->v, MOST);
        int boundary = 0;
        utf8proc_ssize_t got = utf8proc_decompose_char((utf8proc_int32_t)c, r->v.at + r->v.n, MOST,
                                                       UTF8PROC_DECOMPOSE, &boundary);
        if (got < 0 || got > MOST)
            arena_exhausted(); // no valid code point gets here
        r->v.n += (size_t)got;
    }
}

static uint64_t combining_class(utf8proc_int32_t c)
{
    return (uint64_t)utf8proc_get_property(c)->combining_class;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Sorts marks by combining class, keeping the order within a class: the key holds class, position
// and code point, in this order.
static void sort_marks(struct arena *a, utf8proc_int32_t *at, size_t n)
{
    uint64_t *key = arena_array(a, n, sizeof *key);
    for (size_t i = 0; i < n; i++)
        key[i] = combining_class(at[i]) << 56 | (uint64_t)i << 21 | (uint64_t)at[i];
    qsort(key, n, sizeof *key, compare_keys);
    for (size_t i = 0; i < n; i++)
        at[i] = (utf8proc_int32_t)(key[i] & 0x1FFFFF);
}

// Puts every run of marks into canonical order.
static void order(struct runes *r)
{
    size_t begin = 0; // of the run
    bool sorted = true;
    uint64_t before = 0;
    for (size_t i = 0; i <= r->v.n; i++) {
        uint64_t now = i < r->v.n ? combining_class(r->v.at[i]) : 0;
        if (now == 0) {
            if (!sorted)
                sort_marks(&r->arena, r->v.at + begin, i - begin);
            begin = i + 1;
            sorted = true;
        } else if (now < before) {
            sorted = false;
        }
        before = now;
    }
}

const char *text_nfc(struct arena *a, const char *s, size_t n, size_t *out_n)
{
    bool plain;
    *out_n = n;
    if (!scan(s, n, &plain))
        return NULL;
    if (plain)
        return s;
    struct runes r = {0};
    decompose(s, n, &r);
    order(&r);
    arena_join(&r.arena, a);
    vec_reserve(&r.arena, &r.v, 1); // utf8proc_reencode ends the text with a NUL
    utf8proc_ssize_t len =
        utf8proc_reencode(r.v.at, (utf8proc_ssize_t)r.v.n, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (len < 0)
        arena_exhausted(); // it has no other failure
    *out_n = (size_t)len;
    bool same = *out_n == n && memcmp(r.v.at, s, n) == 0;
    const char *made = same ? s : arena_copy(a, r.v.at, *out_n);
    arena_free(&r.arena);
    return made;
}
