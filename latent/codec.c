// codec.c: the table of codecs, and how what they refuse is told to people.
#include "latent/codec.h"

#include <string.h>

#include "latent/lcb.h"
#include "latent/lcr.h"
#include "latent/lct.h"

static void encode_lcb(const struct value *v, unsigned level, struct sink *out)
{
    (void)level;
    lcb_write(v, out);
}

static const struct value *decode_lcb(struct arena *a, const char *bytes, size_t n,
                                      struct latent_error *error)
{
    return lcb_decode_in_place(a, bytes, n, error);
}

static void encode_lct(const struct value *v, unsigned level, struct sink *out)
{
    (void)level;
    lct_encode(v, out);
}

static void encode_lcr(const struct value *v, unsigned level, struct sink *out)
{
    lcr_encode(v, level, out);
}

static void encode_json(const struct value *v, unsigned level, struct sink *out)
{
    (void)level;
    value_json(v, 2, &out->buf);
}

const struct codec codecs[] = {
    {"lcb", "binary, canonical: what handles are made from", false, 0, encode_lcb, decode_lcb},
    {"lct", "ASCII tokens", true, 0, encode_lct, lct_decode},
    {"lcr", "runes, in 13 collapse levels", true, LCR_MAX_LEVEL, encode_lcr, lcr_decode},
    {"json", "JSON, for people", true, 0, encode_json, value_from_json},
    {0},
};

const struct codec *codec_find(const char *name)
{
    for (const struct codec *c = codecs; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && is_space(s[i]))
        i++;
    return i;
}

// A bracket and a capital letter; JSON's words are in small letters.
static bool looks_like_lct(const char *s, size_t n)
{
    if (n == 0 || *s != '[')
        return false;
    size_t i = 1 + skip_space(s + 1, n - 1);
    return i < n && s[i] >= 'A' && s[i] <= 'Z';
}

// A handle's tag is a tab and true's a line feed, which a text may begin with too.
static bool looks_like_lcb(const char *s, size_t n)
{
    bool control = n > 0 && (unsigned char)s[0] < 0x20 && !is_space(s[0]);
    bool handle = n > 4 && s[0] == '\t' &&
                  (memcmp(s + 2, "&h_", 3) == 0 || (n > 5 && memcmp(s + 3, "&h_", 3) == 0));
    return n == 0 || control || handle || (n == 1 && s[0] == '\n');
}

const struct codec *codec_guess(const char *bytes, size_t n)
{
    if (looks_like_lcb(bytes, n))
        return codec_find("lcb");
    size_t i = skip_space(bytes, n);
    if (i < n && (unsigned char)bytes[i] >= 0x80)
        return codec_find("lcr");
    return codec_find(looks_like_lct(bytes + i, n - i) ? "lct" : "json");
}

void codec_report(const struct codec *c, uint32_t file, const struct latent_error *error,
                  struct diags *d)
{
    struct span at = {0};
    if (c->text)
        at = (struct span){file, (uint32_t)error->offset, (uint32_t)(error->offset + error->width)};
    diag_error(d, at, error->code, "%s", error->message);
}
