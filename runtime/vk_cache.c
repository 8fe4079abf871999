// vk_cache.c: keeps small files between runs, each behind a header that tells damage.
#include "runtime/vk_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "latent/handle.h"

enum { LIMIT = 256 << 20 }; // more than this is no cache of ours

// The folder, made where it is missing; NULL when there is none. A relative $XDG_CACHE_HOME is to
// be ignored, says its specification.
static const char *folder(struct arena *a)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!base || base[0] != '/') {
        if (!home || home[0] != '/')
            return NULL;
        base = path_join(a, home, ".cache");
    }
    const char *own = path_join(a, base, "hlx");
    struct stat st;
    mkdir(base, 0700);
    mkdir(own, 0700);
    return stat(own, &st) == 0 && S_ISDIR(st.st_mode) ? own : NULL;
}

static void put_hex(struct buf *b, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x", bytes[i]);
}

char *vk_cache_path(const struct vk_physical *p, const char *kind)
{
    struct arena a = {0};
    struct buf name = {0};
    unsigned char sha[HANDLE_BYTES];
    const char *dir = folder(&a);
    const VkPhysicalDeviceProperties *d = &p->properties;
    const char *driver = arena_printf(&a, "%s %u %u %u %s", p->driver, d->driverVersion,
                                      d->vendorID, d->deviceID, d->deviceName);
    sha256_of(driver, strlen(driver), sha);
    buf_printf(&name, "%s-", kind);
    put_hex(&name, p->uuid, VK_UUID_SIZE);
    buf_putc(&name, '-');
    put_hex(&name, sha, 8);
    const char *path = dir ? path_join(&a, dir, name.at) : NULL;
    char *out = path ? malloc(strlen(path) + 1) : NULL;
    if (out)
        memcpy(out, path, strlen(path) + 1);
    buf_free(&name);
    arena_free(&a);
    return out;
}

// The header: "hlx " and the kind in 20 bytes, then the SHA-256 of what follows.
enum { KIND = 20, HEADER = KIND + HANDLE_BYTES };

static void header(unsigned char out[HEADER], const char *kind, const void *bytes, size_t n)
{
    char text[KIND + 1] = "hlx ";
    strncat(text, kind, KIND - 4);
    memcpy(out, text, KIND);
    sha256_of(bytes, n, out + KIND);
}

unsigned char *vk_cache_read(const char *path, const char *kind, size_t *n)
{
    struct arena a = {0};
    const char *why;
    unsigned char want[HEADER];
    size_t all = 0;
    char *bytes = path ? file_read(&a, path, LIMIT, &all, &why) : NULL;
    arena_free(&a);
    if (bytes && all > HEADER) {
        header(want, kind, bytes + HEADER, all - HEADER);
        if (!memcmp(want, bytes, HEADER)) {
            *n = all - HEADER;
            memmove(bytes, bytes + HEADER, *n);
            return (unsigned char *)bytes;
        }
    }
    free(bytes);
    return NULL;
}

void vk_cache_write(const char *path, const char *kind, const void *bytes, size_t n)
{
    unsigned char *all = path ? malloc(HEADER + n) : NULL;
    if (!all)
        return;
    struct arena a = {0};
    const char *why;
    header(all, kind, bytes, n);
    memcpy(all + HEADER, bytes, n);
    file_write(&a, path, all, HEADER + n, &why);
    free(all);
    arena_free(&a);
}
