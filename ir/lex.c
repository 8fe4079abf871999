// lex.c: cuts the IR's text form into tokens. Any bytes may come.
#include "ir/lex.h"

#include <string.h>

#include "base/text.h"

void lex_init(struct lex *l, struct arena *a, const char *text, size_t n)
{
    *l = (struct lex){a, text, text + n, 1};
}

static struct lex_token bad(const char *why)
{
    return (struct lex_token){.kind = LEX_BAD, .text = why};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_digit(char c)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    const char *h = c ? strchr(hex, c) : NULL;
    return h ? (int)(h - hex) & 15 : -1;
}

// Two digits that were seen to be some.
static char hex_byte(const char *s)
{
    return (char)((unsigned)hex_digit(s[0]) << 4 | (unsigned)hex_digit(s[1]));
}

static void skip_blank(struct lex *l)
{
    while (l->at < l->end) {
        if (*l->at == '\n')
            l->line++;
        if (*l->at == ' ' || *l->at == '\n' || *l->at == '\t' || *l->at == '\r') {
            l->at++;
        } else if (l->end - l->at >= 2 && l->at[0] == '/' && l->at[1] == '/') {
            const char *nl = memchr(l->at, '\n', (size_t)(l->end - l->at));
            l->at = nl ? nl : l->end;
        } else {
            return;
        }
    }
}

static struct lex_token word(struct lex *l)
{
    const char *start = l->at;
    while (l->at < l->end && (is_letter(*l->at) || is_digit(*l->at) || *l->at == '.'))
        l->at++;
    size_t n = (size_t)(l->at - start);
    return (struct lex_token){.kind = LEX_WORD, .text = arena_copy(l->arena, start, n), .n = n};
}

// Digits of a base, at most 63 bits. Returns false when there are none or too many.
static bool digits(struct lex *l, int base, int64_t *out)
{
    const char *start = l->at;
    *out = 0;
    for (; l->at < l->end; l->at++) {
        int d = base == 16 ? hex_digit(*l->at) : is_digit(*l->at) ? *l->at - '0' : -1;
        if (d < 0)
            break;
        if (*out > (INT64_MAX - d) / base)
            return false;
        *out = *out * base + d;
    }
    return l->at > start;
}

static struct lex_token number(struct lex *l, enum lex_kind kind)
{
    struct lex_token t = {.kind = kind};
    bool negative = kind == LEX_NUMBER && *l->at == '-', hex = false;
    l->at += negative;
    if (l->end - l->at >= 2 && l->at[0] == '0' && l->at[1] == 'x') {
        hex = true;
        l->at += 2;
    }
    if (!digits(l, hex ? 16 : 10, &t.number))
        return bad("a number has no digits, or too many");
    if (negative)
        t.number = -t.number;
    return t;
}

static struct lex_token bytes(struct lex *l)
{
    const char *start = ++l->at;
    while (l->at < l->end && hex_digit(*l->at) >= 0)
        l->at++;
    size_t n = (size_t)(l->at - start);
    if (n % 2)
        return bad("bytes need two hex digits each");
    char *out = arena_alloc(l->arena, n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++)
        out[i] = hex_byte(start + 2 * i);
    return (struct lex_token){.kind = LEX_BYTES, .text = out, .n = n / 2};
}

// -- quoted text ---------------------------------------------------------------------------------

// \xXX after the x.
static bool escape_byte(struct lex *l, struct buf *out)
{
    if (l->end - l->at < 2 || hex_digit(l->at[0]) < 0 || hex_digit(l->at[1]) < 0)
        return false;
    buf_putc(out, hex_byte(l->at));
    l->at += 2;
    return true;
}

// \u{XXXX} after the u.
static bool escape_rune(struct lex *l, struct buf *out)
{
    uint32_t rune = 0;
    if (l->at == l->end || *l->at++ != '{')
        return false;
    for (int d; l->at < l->end && (d = hex_digit(*l->at)) >= 0; l->at++) {
        rune = rune << 4 | (uint32_t)d;
        if (rune > 0x10ffff)
            return false;
    }
    if (l->at == l->end || *l->at++ != '}' || (rune >= 0xd800 && rune < 0xe000))
        return false;
    buf_rune(out, rune);
    return true;
}

static bool escape(struct lex *l, struct buf *out)
{
    static const char from[] = "ntr\"\\", to[] = "\n\t\r\"\\";
    char c = l->at < l->end ? *l->at++ : 0;
    if (c == 'x')
        return escape_byte(l, out);
    if (c == 'u')
        return escape_rune(l, out);
    const char *f = c ? strchr(from, c) : NULL;
    if (f)
        buf_putc(out, to[f - from]);
    return f != NULL;
}

static struct lex_token quoted(struct lex *l)
{
    struct buf out = {0};
    bool ok = true;
    l->at++;
    while (ok && l->at < l->end && *l->at != '"' && *l->at != '\n') {
        if (*l->at != '\\')
            buf_putc(&out, *l->at++);
        else
            l->at++, ok = escape(l, &out);
    }
    ok = ok && l->at < l->end && *l->at == '"' && !(out.n && memchr(out.at, 0, out.n));
    struct lex_token t = bad("quoted text is not closed or has a bad escape");
    if (ok) {
        l->at++;
        t = (struct lex_token){.kind = LEX_QUOTED, .n = out.n};
        t.text = arena_copy(l->arena, out.n ? out.at : "", out.n);
    }
    buf_free(&out);
    return t;
}

struct lex_token lex_next(struct lex *l)
{
    skip_blank(l);
    if (l->at == l->end)
        return (struct lex_token){.kind = LEX_END};
    char c = *l->at;
    if (is_letter(c))
        return word(l);
    if (is_digit(c) || c == '-')
        return number(l, LEX_NUMBER);
    if (c == '%') {
        l->at++;
        return number(l, LEX_REF);
    }
    if (c == '#')
        return bytes(l);
    if (c == '"')
        return quoted(l);
    if (!c || !strchr("=[]{},:!", c))
        return bad("a character that has no meaning here");
    l->at++;
    return (struct lex_token){.kind = LEX_PUNCT, .punct = c};
}
