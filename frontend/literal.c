// literal.c: decodes names and literals, and explains pieces of text that are no tokens.
#include "frontend/literal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/grammar.h"
#include "frontend/runic.h"

static struct span part(struct span whole, size_t from, size_t len)
{
    whole.start += (uint32_t)from;
    whole.end = whole.start + (uint32_t)len;
    return whole;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// -- numbers -------------------------------------------------------------------------------------

static bool digits_are_separated(const char *text, size_t len, bool hex)
{
    for (size_t i = hex ? 2 : 0; i < len; i++) {
        if (text[i] != '_')
            continue;
        bool before = i > 0 && (hex ? i > 2 && hex_value(text[i - 1]) >= 0 : is_digit(text[i - 1]));
        bool after = i + 1 < len && (hex ? hex_value(text[i + 1]) >= 0 : is_digit(text[i + 1]));
        if (!before || !after)
            return false;
    }
    return true;
}

static void bad_number(struct scan *s, struct span at, const char *why)
{
    diag_error(s->diags, at, "HLX0107", "malformed number: %s", why);
}

static bool check_digits(struct scan *s, struct span at, const char *text, size_t len, bool hex)
{
    if (!digits_are_separated(text, len, hex))
        bad_number(s, at, "a `_` stands between two digits");
    else if (!hex && len > 1 && text[0] == '0' && is_digit(text[1]))
        bad_number(s, at, "a number does not begin with 0 (hexadecimal begins with 0x)");
    else
        return true;
    return false;
}

static void read_integer(struct scan *s, struct ast *leaf, const char *text, size_t len)
{
    bool hex = len > 2 && (text[1] == 'x' || text[1] == 'X');
    if (!check_digits(s, leaf->span, text, len, hex))
        return;
    int64_t value = 0;
    for (size_t i = hex ? 2 : 0; i < len; i++) {
        if (text[i] == '_')
            continue;
        if (__builtin_mul_overflow(value, hex ? 16 : 10, &value) ||
            __builtin_add_overflow(value, hex_value(text[i]), &value)) {
            struct diag *g = diag_error(s->diags, leaf->span, "HLX0108",
                                        "the integer is larger than 9223372036854775807");
            diag_help(g, "write a float, or a text if it is no quantity");
            return;
        }
    }
    leaf->as.integer = value;
}

static void read_float(struct scan *s, struct ast *leaf, const char *text, size_t len)
{
    if (!check_digits(s, leaf->span, text, len, false))
        return;
    char *plain = arena_alloc(s->nodes, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '_')
            plain[n++] = text[i];
    if (!text_double(plain, n, &leaf->as.number))
        bad_number(s, leaf->span, "this is not a float");
    else if (!isfinite(leaf->as.number))
        diag_error(s->diags, leaf->span, "E_FLOAT_SPECIAL", "the float is too large for a double");
}

// -- texts, bytes, handles -----------------------------------------------------------------------

static char simple_escape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '"': return '"';
    case '\\': return '\\';
    default: return 0;
    }
}

// Reads {X...} of \u at text; returns its length, or 0 when it is malformed.
static size_t read_rune(const char *text, size_t len, uint32_t *rune)
{
    size_t i = 1;
    *rune = 0;
    if (len == 0 || text[0] != '{')
        return 0;
    for (; i < len && i < 8 && hex_value(text[i]) >= 0; i++)
        *rune = *rune * 16 + (uint32_t)hex_value(text[i]);
    bool valid = i > 1 && i < len && text[i] == '}' && *rune <= 0x10ffff &&
                 (*rune < 0xd800 || *rune > 0xdfff);
    return valid ? i + 1 : 0;
}

static size_t put_rune(char *out, uint32_t c)
{
    if (c < 0x80)
        return out[0] = (char)c, 1;
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n) | c);
    return n;
}

static void bad_escape(struct scan *s, struct span at, char c)
{
    if (c == 'x') {
        struct diag *g = diag_error(s->diags, at, "HLX0106", "`\\x` is no escape of texts");
        diag_help(g, "write \\u{...} for a character, or a bytes literal: x\"00ff\"");
    } else if (c == 'u') {
        struct diag *g = diag_error(s->diags, at, "HLX0106", "`\\u` wants a code point in braces");
        diag_help(g, "write \\u{1F701}: one to six hexadecimal digits, no surrogate");
    } else {
        struct diag *g = diag_error(s->diags, at, "HLX0106", "an escape that texts do not have");
        diag_help(g, "the escapes are \\n \\t \\r \\\" \\\\ and \\u{...}");
    }
}

// Decodes the escape at text (after the backslash); returns its length there.
static size_t read_escape(struct scan *s, struct span at, const char *text, size_t len, char *out,
                          size_t *n)
{
    uint32_t rune;
    size_t digits = text[0] == 'u' ? read_rune(text + 1, len - 1, &rune) : 0;
    if (digits) {
        *n += put_rune(out + *n, rune);
        return 1 + digits;
    }
    char c = simple_escape(text[0]);
    if (c)
        out[(*n)++] = c;
    else
        bad_escape(s, part(at, 0, 2), text[0]);
    return 1;
}

static void read_text(struct scan *s, struct ast *leaf, const char *text, size_t len)
{
    literal_check_text(s, leaf->span);
    char *out = arena_alloc(s->nodes, len);
    size_t n = 0;
    for (size_t i = 1; i < len - 1;) {
        const char *escape = memchr(text + i, '\\', len - 1 - i);
        size_t plain = escape ? (size_t)(escape - text) - i : len - 1 - i;
        memcpy(out + n, text + i, plain);
        n += plain;
        i += plain;
        if (escape)
            i += 1 + read_escape(s, part(leaf->span, i, 0), text + i + 1, len - 2 - i, out, &n);
    }
    out[n] = '\0';
    const char *nfc = text_nfc(s->nodes, out, n, &n);
    leaf->text = nfc ? nfc : out; // a bad escape may have cut a character in two
    leaf->text_len = (uint32_t)n;
}

static void read_bytes(struct scan *s, struct ast *leaf, const char *text, size_t len)
{
    size_t n = (len - 3) / 2;
    char *out = arena_alloc(s->nodes, n + 1);
    const char *digits = text + 2;
    for (size_t i = 0; i < len - 3; i++) {
        if (hex_value(digits[i]) < 0) {
            size_t mark = leaf->span.end - leaf->span.start - (len - 2);
            diag_error(s->diags, part(leaf->span, mark + i, 1), "HLX0109",
                       "bytes are written as hexadecimal digits only");
            return;
        }
    }
    if (len % 2 == 0)
        diag_error(s->diags, leaf->span, "HLX0109", "bytes want an even number of digits");
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(hex_value(digits[2 * i]) * 16 + hex_value(digits[2 * i + 1]));
    leaf->text = out;
    leaf->text_len = (uint32_t)n;
}

static void keep_text(struct scan *s, struct ast *leaf, const char *text, size_t len)
{
    leaf->text = arena_copy(s->nodes, text, len);
    leaf->text_len = (uint32_t)len;
}

// A keyword's leaf is the name it would be, for where keywords are names.
static void keep_spelling(struct ast *leaf, int token)
{
    leaf->text = scan_spelling_of(token);
    leaf->text_len = (uint32_t)strlen(leaf->text);
}

static enum ast_kind leaf_kind(int token)
{
    switch (token) {
    case TOK_INT: return AST_INT;
    case TOK_FLOAT: return AST_FLOAT;
    case TOK_TEXT: return AST_TEXT;
    case TOK_BYTES: return AST_BYTES;
    case TOK_HANDLE: return AST_HANDLE;
    default: return AST_NAME;
    }
}

// The piece as HLXL spells it.
static const char *ascii_text(const struct scan *s, int token, size_t *len)
{
    const char *text = s->source->text + s->at.start;
    *len = s->at.end - s->at.start;
    if (!s->runic)
        return text;
    if (s->spelled)
        return *len = strlen(s->spelled), s->spelled;
    return runic_literal(s->nodes, token, text, len);
}

struct ast *literal_leaf(struct scan *s, int token, struct span at, bool repaired)
{
    struct ast *leaf = arena_new(s->nodes, struct ast);
    size_t len;
    const char *text = ascii_text(s, token, &len);
    leaf->kind = (uint8_t)(repaired ? AST_ERROR : leaf_kind(token));
    leaf->span = leaf->name_span = at;
    leaf->depth = 1;
    leaf->text = "";
    if (repaired)
        return leaf;
    if (leaf->kind == AST_TEXT)
        return read_text(s, leaf, text, len), leaf;
    if (leaf->kind == AST_BYTES)
        return read_bytes(s, leaf, text, len), leaf;
    if (scan_spelling_of(token))
        return keep_spelling(leaf, token), leaf;
    keep_text(s, leaf, text, len);
    if (leaf->kind == AST_INT)
        read_integer(s, leaf, text, len);
    if (leaf->kind == AST_FLOAT)
        read_float(s, leaf, text, len);
    return leaf;
}
