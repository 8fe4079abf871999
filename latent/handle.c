// handle.c: SHA-256 and content addresses.
#include "latent/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/version.h"
#include "latent/canon.h"
#include "latent/lcb.h"

struct sha256 {
    EVP_MD_CTX *ctx;
};

// libcrypto fails here only without memory or with a broken installation: no caller can go on.
static void must(int ok)
{
    if (ok == 1)
        return;
    fputs("helix: SHA-256 failed in libcrypto (out of memory, or a damaged installation)\n",
          stderr);
    exit(EXIT_INTERNAL);
}

struct sha256 *sha256_new(void)
{
    struct sha256 *h = malloc(sizeof *h);
    must(h != NULL);
    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL);
    must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
    return h;
}

void sha256_update(struct sha256 *h, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(h->ctx, bytes, n));
}

void sha256_final(struct sha256 *h, unsigned char out[HANDLE_BYTES])
{
    must(EVP_DigestFinal_ex(h->ctx, out, NULL));
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void sha256_of(const void *bytes, size_t n, unsigned char out[HANDLE_BYTES])
{
    must(EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL));
}

struct handle handle_of_bytes(const void *lcb, size_t n)
{
    struct handle h;
    sha256_of(lcb, n, h.sha);
    return h;
}

static bool hash_piece(void *ctx, const void *bytes, size_t n)
{
    sha256_update(ctx, bytes, n);
    return true;
}

struct handle handle_of(const struct value *v)
{
    struct handle h;
    struct sha256 *state = sha256_new();
    struct sink sink = {.write = hash_piece, .ctx = state};
    lcb_write(v, &sink);
    sink_close(&sink);
    sha256_final(state, h.sha);
    return h;
}

bool handle_equal(const struct handle *a, const struct handle *b)
{
    return memcmp(a->sha, b->sha, HANDLE_BYTES) == 0;
}

void handle_text(const struct handle *h, char out[HANDLE_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *at = out;
    *at++ = '&';
    *at++ = 'h';
    *at++ = '_';
    for (size_t i = 0; i < HANDLE_BYTES; i++) {
        *at++ = digits[h->sha[i] >> 4];
        *at++ = digits[h->sha[i] & 15];
    }
    *at = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool handle_parse(const char *text, size_t n, struct handle *out)
{
    if (n != HANDLE_TEXT || memcmp(text, "&h_", 3) != 0)
        return false;
    struct handle h;
    for (size_t i = 0; i < HANDLE_BYTES; i++) {
        int high = nibble(text[3 + 2 * i]), low = nibble(text[4 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        h.sha[i] = (unsigned char)(high << 4 | low);
    }
    *out = h;
    return true;
}

const struct value *handle_value(struct arena *a, const struct handle *h)
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    return value_canonical(a, VALUE_HANDLE, text, HANDLE_TEXT);
}
