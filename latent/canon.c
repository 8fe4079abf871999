// canon.c: the canonical form of texts and handles, and errors about them.
#include "latent/canon.h"

#include <string.h>

enum { HANDLE_PREFIX = 3, HANDLE_HEX = 64, HANDLE_NAME_MAX = 255, SHOW_MAX = 48, NUMBER_MAX = 18 };

static bool plain_ascii(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80 || s[i] == '\r')
            return false;
    return true;
}

// Every CRLF and every lone CR becomes LF.
static const char *unify_line_ends(struct arena *a, const char *s, size_t *n)
{
    if (memchr(s, '\r', *n) == NULL)
        return s;
    char *out = arena_alloc(a, *n);
    size_t k = 0;
    for (size_t i = 0; i < *n; i++) {
        bool cr = s[i] == '\r';
        out[k++] = cr ? '\n' : s[i];
        if (cr && i + 1 < *n && s[i + 1] == '\n')
            i++;
    }
    *n = k;
    return out;
}

const char *canon_text(struct arena *a, const char *s, size_t n, size_t *out_n)
{
    *out_n = n;
    if (plain_ascii(s, n))
        return s;
    s = unify_line_ends(a, s, &n);
    return text_nfc(a, s, n, out_n);
}

const char *canon_text_fault(struct arena *a, const char *s, size_t n)
{
    if (plain_ascii(s, n))
        return NULL;
    if (!utf8_valid(s, n))
        return "is not valid UTF-8";
    if (memchr(s, '\r', n) != NULL)
        return "holds a carriage return (line ends are LF)";
    size_t nfc_n;
    const char *nfc = text_nfc(a, s, n, &nfc_n);
    if (nfc_n != n || memcmp(nfc, s, n) != 0)
        return "is not in Unicode normalisation form C";
    return NULL;
}

static bool is_lower_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_hex(char c)
{
    return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

static bool is_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
}

static bool all(bool (*test)(char), const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!test(s[i]))
            return false;
    return true;
}

const char *canon_handle_fault(const char *s, size_t n)
{
    if (n < HANDLE_PREFIX || memcmp(s, "&h_", HANDLE_PREFIX) != 0)
        return "does not begin with &h_";
    s += HANDLE_PREFIX;
    n -= HANDLE_PREFIX;
    if (n == 0)
        return "has nothing after &h_";
    if (n > HANDLE_NAME_MAX)
        return "is longer than 255 characters after &h_";
    if (!all(is_name, s, n))
        return "holds a character other than ASCII letters, digits, _, - and .";
    if (n == HANDLE_HEX && all(is_hex, s, n) && !all(is_lower_hex, s, n))
        return "spells its hash with capital letters";
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool canon_is_number(const char *s, size_t n)
{
    return n > 0 && n <= NUMBER_MAX && (s[0] != '0' || n == 1) && all(is_digit, s, n);
}

int canon_key_compare(const char *a, size_t an, const char *b, size_t bn)
{
    int order = memcmp(a, b, an < bn ? an : bn);
    return order != 0 ? order : (an > bn) - (an < bn);
}

const char *canon_show(struct arena *a, const char *s, size_t n)
{
    struct buf b = {0};
    buf_quote(&b, s, n < SHOW_MAX ? n : SHOW_MAX);
    if (n > SHOW_MAX)
        buf_puts(&b, "...");
    const char *shown = arena_copy(a, b.at, b.n);
    buf_free(&b);
    return shown;
}

bool canon_fail(struct arena *a, struct latent_error *error, const char *code, size_t offset,
                const char *format, ...)
{
    if (error == NULL)
        return false;
    va_list args;
    va_start(args, format);
    *error = (struct latent_error){
        .code = code, .message = arena_vprintf(a, format, args), .offset = offset};
    va_end(args);
    return false;
}
