// path.c: paths taken apart and put together as text, without looking at the disk.
#include "base/file.h"

#include <string.h>

const char *path_dir(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? "/" : arena_copy(a, path, (size_t)(slash - path));
}

const char *path_join(struct arena *a, const char *dir, const char *path)
{
    if (path[0] == '/' || dir[0] == '\0' || strcmp(dir, ".") == 0)
        return path;
    const char *between = dir[strlen(dir) - 1] == '/' ? "" : "/";
    return arena_printf(a, "%s%s%s", dir, between, path);
}

// Drops the last name of out[0..n) for a ".."; false where there is none to drop. `root` bytes
// (0 or 1) are the leading slash.
static bool drop_name(const char *out, size_t root, size_t *n)
{
    size_t start = *n;
    while (start > root && out[start - 1] != '/')
        start--;
    bool up = *n - start == 2 && memcmp(out + start, "..", 2) == 0;
    if (*n == root || up)
        return root == 1 && *n == root; // above the root is the root
    *n = start > root ? start - 1 : root;
    return true;
}

const char *path_clean(struct arena *a, const char *path)
{
    char *out = arena_alloc(a, strlen(path) + 2);
    size_t root = path[0] == '/', n = root;
    out[0] = '/';
    for (const char *p = path, *next; *p != '\0'; p = next) {
        size_t len = strcspn(p, "/");
        next = p + len + strspn(p + len, "/");
        bool dot = len == 1 && p[0] == '.', up = len == 2 && memcmp(p, "..", 2) == 0;
        if (len == 0 || dot || (up && drop_name(out, root, &n)))
            continue;
        if (n > root)
            out[n++] = '/';
        memcpy(out + n, p, len);
        n += len;
    }
    if (n == 0)
        out[n++] = '.';
    out[n] = '\0';
    return out;
}
