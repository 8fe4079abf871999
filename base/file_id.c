// file_id.c: which file a path names, whether it is there or not, and whether it can be written.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_PATH = 4096 };

const char *file_target(struct arena *a, const char *path)
{
    char to[MOST_PATH];
    for (int k = 0; k < MOST_LINKS; k++) {
        ssize_t n = readlink(path, to, sizeof to);
        if (n < 0 || n == sizeof to)
            break;
        path = path_join(a, path_dir(a, path), arena_copy(a, to, (size_t)n));
    }
    return path;
}

// A file is replaced by one that is made beside it.
static bool can_replace(struct arena *a, const char *path)
{
    return access(path_dir(a, file_target(a, path)), W_OK | X_OK) == 0;
}

const char *file_unwritable(struct arena *a, const char *path)
{
    struct stat st;
    bool ok = true;
    if (strcmp(path, "-") == 0)
        return NULL;
    if (path[0] == '\0')
        return "it has no name";
    if (stat(path, &st) != 0)
        ok = errno == ENOENT && can_replace(a, path);
    else if (S_ISDIR(st.st_mode))
        return "it is a directory";
    else
        ok = access(path, W_OK) == 0 && (!S_ISREG(st.st_mode) || can_replace(a, path));
    return ok ? NULL : arena_strdup(a, strerror(errno));
}

bool file_is_stream(const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return true;
    if (stat(path, &st) != 0)
        return false;
    if (!S_ISCHR(st.st_mode))
        return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool terminal = fd >= 0 && isatty(fd);
    if (fd >= 0)
        close(fd);
    return terminal;
}

static bool id_of(const struct stat *st, const char *name, struct file_id *out)
{
    *out = (struct file_id){st->st_dev, st->st_ino, name};
    return true;
}

bool file_id(struct arena *a, const char *path, struct file_id *out)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return false;
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode) && id_of(&st, NULL, out);
    const char *target = file_target(a, path), *slash = strrchr(target, '/');
    return stat(path_dir(a, target), &st) == 0 && id_of(&st, slash ? slash + 1 : target, out);
}

bool file_id_open(int fd, struct file_id *out)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && id_of(&st, NULL, out);
}

bool file_id_equal(const struct file_id *x, const struct file_id *y)
{
    bool named = x->name && y->name ? strcmp(x->name, y->name) == 0 : x->name == y->name;
    return x->device == y->device && x->inode == y->inode && named;
}
