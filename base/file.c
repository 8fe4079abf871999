// file.c: reads whole files, and writes them so that a reader sees the old bytes or the new ones.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static const char no_memory[] = "not enough memory";

static const char *sentence(struct arena *a, const char *verb, const char *path, const char *why)
{
    struct buf shown = {0};
    buf_visible(&shown, path, strlen(path));
    const char *text = arena_printf(a, "cannot %s `%s`: %s", verb, shown.n ? shown.at : "", why);
    buf_free(&shown);
    return text;
}

// Bytes read so far. One byte of `cap` is kept for the NUL.
struct input {
    char *at;
    size_t n, cap;
};

static bool grow(struct input *in, size_t limit)
{
    if (in->n + 1 < in->cap)
        return true;
    size_t cap = in->cap == 0 ? 64 << 10 : in->cap * 2;
    if (limit < SIZE_MAX - 2 &&
        cap > limit + 2) // a byte more than the limit shows that it is exceeded
        cap = limit + 2;
    char *at = realloc(in->at, cap);
    if (!at)
        return false;
    in->at = at;
    in->cap = cap;
    return true;
}

// Reads to the end of the file. Returns what went wrong, or NULL.
static const char *read_all(int fd, size_t limit, struct input *in)
{
    for (;;) {
        if (!grow(in, limit))
            return no_memory;
        ssize_t got = read(fd, in->at + in->n, in->cap - 1 - in->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        in->n += (size_t)got;
        if (in->n > limit)
            return "it is too large";
        if (got == 0)
            return NULL;
    }
}

// Looks at what is open: folders are refused, and a regular file's size is taken at once.
static const char *check_input(int fd, size_t limit, struct input *in)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "it is a directory";
    if (!S_ISREG(st.st_mode))
        return NULL;
    if ((uintmax_t)st.st_size > limit)
        return "it is too large";
    in->cap = (size_t)st.st_size + 2;
    in->at = malloc(in->cap);
    return in->at ? NULL : no_memory;
}

char *file_read(struct arena *a, const char *path, size_t limit, size_t *len, const char **error)
{
    bool standard = strcmp(path, "-") == 0;
    size_t most = limit == 0 ? UINT32_MAX - (size_t)1 : limit;
    struct input in = {0};
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const char *why = fd < 0 ? strerror(errno) : check_input(fd, most, &in);
    if (!why)
        why = read_all(fd, most, &in);
    if (fd >= 0 && !standard)
        close(fd);
    if (why) {
        bool exhausted = why == no_memory;
        free(in.at); // before there is need for more
        *error = sentence(a, "read", standard ? "standard input" : path, why);
        errno = exhausted ? ENOMEM : 0;
        return NULL;
    }
    in.at[in.n] = '\0';
    *len = in.n;
    return in.at;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

// Opens a file of a name that is not taken yet, beside the target. Its name goes to *temp.
static int open_beside(struct arena *a, const char *target, const char **temp)
{
    for (unsigned k = 0; k < 1000; k++) {
        *temp = arena_printf(a, "%s.%ld-%u.tmp", target, (long)getpid(), k);
        int fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

// Makes the rename last through a power cut. A file system that cannot do this for folders has
// still renamed, so a failure is not one of the write.
static void sync_folder(struct arena *a, const char *target)
{
    int fd = open(path_dir(a, target), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

// Replaces (or makes) a regular file. `old` is its state, or NULL where there is none.
static bool replace(struct arena *a, const char *target, const struct stat *old, const char *bytes,
                    size_t len)
{
    const char *temp;
    int fd = open_beside(a, target, &temp);
    if (fd < 0)
        return false;
    bool ok = (!old || fchmod(fd, old->st_mode & 07777) == 0) && write_all(fd, bytes, len) &&
              fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(temp, target) != 0) {
        ok = false;
        why = errno;
    }
    if (ok)
        sync_folder(a, target);
    else
        unlink(temp);
    errno = why;
    return ok;
}

// Devices and pipes are written to, never replaced.
static bool write_through(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes, len);
    int why = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = why;
    return ok;
}

static bool write_path(struct arena *a, const char *path, const char *bytes, size_t len)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT && *path && replace(a, file_target(a, path), NULL, bytes, len);
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (!S_ISREG(st.st_mode))
        return write_through(path, bytes, len);
    if (access(path, W_OK) != 0) // a rename would not ask for this right
        return false;
    return replace(a, file_target(a, path), &st, bytes, len);
}

bool file_write(struct arena *a, const char *path, const void *bytes, size_t len,
                const char **error)
{
    bool standard = strcmp(path, "-") == 0;
    bool ok = standard ? write_all(STDOUT_FILENO, bytes, len) : write_path(a, path, bytes, len);
    if (!ok)
        *error = sentence(a, "write", standard ? "standard output" : path,
                          errno == EISDIR ? "it is a directory" : strerror(errno));
    return ok;
}
