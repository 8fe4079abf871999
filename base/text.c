// text.c: edit distance, for "did you mean".
#include "base/text.h"

#include <string.h>

enum { LONGEST_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// One row of the distance table: row[i] from the two rows above it. Returns the row's least value.
static size_t next_row(const char *a, const char *b, size_t nb, size_t i, size_t row[3][64])
{
    size_t *two_up = row[(i + 1) % 3], *up = row[(i + 2) % 3], *now = row[i % 3];
    size_t best = now[0] = i;
    for (size_t j = 1; j <= nb; j++) {
        now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            now[j] = least(now[j], two_up[j - 2] + 1);
        best = least(best, now[j]);
    }
    return best;
}

size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t na = strlen(a), nb = strlen(b);
    if (na > LONGEST_WORD || nb > LONGEST_WORD)
        return strcmp(a, b) == 0 ? 0 : limit + 1;
    if ((na > nb ? na - nb : nb - na) > limit)
        return limit + 1;
    size_t row[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= na; i++)
        if (next_row(a, b, nb, i, row) > limit)
            return limit + 1;
    return least(row[na % 3][nb], limit + 1);
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t third = strlen(word) / 3, limit = third < 1 ? 1 : third;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = text_distance(word, candidates[i], limit);
        if (d > limit)
            continue;
        nearest = candidates[i];
        if (d == 0)
            break;
        limit = d - 1; // only a nearer one may take its place
    }
    return nearest;
}
