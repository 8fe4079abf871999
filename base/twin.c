// twin.c: the ASCII word that a word with other letters looks like, or stands for.
#include "base/text.h"

#include <string.h>

#include <utf8proc.h>

enum { DECOMPOSED = 32 }; // code points of one, at most

// Letters that look like one of ASCII's, to be taken for it where a word has letters of both.
static const struct pair {
    uint32_t rune;
    const char *ascii;
} lookalikes[] = {
    {0x0391, "A"}, {0x0392, "B"}, {0x0395, "E"}, {0x0396, "Z"}, {0x0397, "H"}, {0x0399, "I"},
    {0x039a, "K"}, {0x039c, "M"}, {0x039d, "N"}, {0x039f, "O"}, {0x03a1, "P"}, {0x03a4, "T"},
    {0x03a5, "Y"}, {0x03a7, "X"}, {0x03b1, "a"}, {0x03b9, "i"}, {0x03ba, "k"}, {0x03bd, "v"},
    {0x03bf, "o"}, {0x03c1, "p"}, {0x03c5, "u"}, {0x03c7, "x"}, {0x0405, "S"}, {0x0406, "I"},
    {0x0408, "J"}, {0x0410, "A"}, {0x0412, "B"}, {0x0415, "E"}, {0x041a, "K"}, {0x041c, "M"},
    {0x041d, "H"}, {0x041e, "O"}, {0x0420, "P"}, {0x0421, "C"}, {0x0422, "T"}, {0x0425, "X"},
    {0x0430, "a"}, {0x0435, "e"}, {0x043a, "k"}, {0x043e, "o"}, {0x0440, "p"}, {0x0441, "c"},
    {0x0443, "y"}, {0x0445, "x"}, {0x0455, "s"}, {0x0456, "i"}, {0x0458, "j"}, {0x04bb, "h"},
    {0x0501, "d"}, {0x051b, "q"}, {0x051d, "w"}, {0x0585, "o"}, {0x057d, "u"}, {0x0570, "h"},
};

// Letters that are written with others in ASCII.
static const struct pair spelled[] = {
    {0x00c6, "AE"},      {0x00d0, "D"},     {0x00d8, "O"},       {0x00de, "Th"},
    {0x00df, "ss"},      {0x00e6, "ae"},    {0x00f0, "d"},       {0x00f8, "o"},
    {0x00fe, "th"},      {0x0110, "D"},     {0x0111, "d"},       {0x0131, "i"},
    {0x0141, "L"},       {0x0142, "l"},     {0x0152, "OE"},      {0x0153, "oe"},
    {0x0192, "f"},       {0x0391, "Alpha"}, {0x0392, "Beta"},    {0x0393, "Gamma"},
    {0x0394, "Delta"},   {0x0398, "Theta"}, {0x039b, "Lambda"},  {0x03a0, "Pi"},
    {0x03a3, "Sigma"},   {0x03a6, "Phi"},   {0x03a8, "Psi"},     {0x03a9, "Omega"},
    {0x03b1, "alpha"},   {0x03b2, "beta"},  {0x03b3, "gamma"},   {0x03b4, "delta"},
    {0x03b5, "epsilon"}, {0x03b6, "zeta"},  {0x03b7, "eta"},     {0x03b8, "theta"},
    {0x03b9, "iota"},    {0x03ba, "kappa"}, {0x03bb, "lambda"},  {0x03bc, "mu"},
    {0x03bd, "nu"},      {0x03be, "xi"},    {0x03c0, "pi"},      {0x03c1, "rho"},
    {0x03c3, "sigma"},   {0x03c4, "tau"},   {0x03c5, "upsilon"}, {0x03c6, "phi"},
    {0x03c7, "chi"},     {0x03c8, "psi"},   {0x03c9, "omega"},   {0x2202, "d"},
    {0x2207, "grad"},
};

#define FIND(table, rune) find((table), sizeof(table) / sizeof *(table), (rune))

static const char *find(const struct pair *table, size_t n, uint32_t rune)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].rune == rune)
            return table[i].ascii;
    return NULL;
}

const char *text_lookalike(uint32_t rune)
{
    return FIND(lookalikes, rune);
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(uint32_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

// Letters and digits of ASCII that a character is made of, marks left out; false: it has others.
static bool put_decomposed(uint32_t rune, struct buf *out)
{
    utf8proc_int32_t part[DECOMPOSED];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)rune, part, DECOMPOSED,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && n <= DECOMPOSED; i++) {
        if (!is_word((uint32_t)part[i]))
            return false;
        buf_putc(out, (char)part[i]);
    }
    return n >= 0 && n <= DECOMPOSED;
}

static bool put_twin(uint32_t rune, bool mixed, struct buf *out)
{
    const char *ascii = mixed ? FIND(lookalikes, rune) : NULL;
    if (!ascii)
        ascii = FIND(spelled, rune);
    if (!ascii)
        ascii = FIND(lookalikes, rune);
    if (!ascii)
        return put_decomposed(rune, out);
    buf_puts(out, ascii);
    return true;
}

static bool has_ascii_letter(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_letter((unsigned char)s[i]))
            return true;
    return false;
}

const char *text_ascii_twin(struct arena *a, const char *s, size_t n)
{
    struct buf out = {0};
    bool mixed = has_ascii_letter(s, n), whole = true;
    for (size_t i = 0, len; i < n && whole; i += len) {
        uint32_t rune = 0;
        len = utf8_decode(s + i, n - i, &rune);
        whole = len > 0 && put_twin(rune, mixed, &out);
    }
    bool name = whole && out.n > 0 && (is_letter((unsigned char)out.at[0]) || out.at[0] == '_');
    const char *twin = name ? arena_copy(a, out.at, out.n) : NULL;
    buf_free(&out);
    return twin;
}
