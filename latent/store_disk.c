// store_disk.c: the store's files: whole writes, durable renames, locks, on POSIX and Linux.
#define _GNU_SOURCE // syncfs, and locks that belong to an open file
#include "latent/store_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

// -- opening -------------------------------------------------------------------------------------

static bool sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

// mkdir -p, where every folder that is made is also written into the one above it.
static bool make_path(struct arena *a, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        errno = ENOTDIR;
        return S_ISDIR(st.st_mode);
    }
    if (errno != ENOENT)
        return false;
    const char *above = path_dir(a, path);
    if (strcmp(above, path) != 0 && !make_path(a, above))
        return false;
    return (mkdir(path, 0777) == 0 || errno == EEXIST) && sync_path(above);
}

static bool make_parts(struct disk *d)
{
    return disk_make_folder(d, "objects") && disk_make_folder(d, "tmp") && d->lock >= 0 &&
           disk_sync_folder(d, ".");
}

bool disk_open(struct disk *d, struct arena *a, const char *path, bool create)
{
    *d = (struct disk){.path = path, .folder = -1, .lock = -1};
    if (create && !make_path(a, path_clean(a, path)))
        return false;
    d->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder < 0)
        return false;
    d->lock = openat(d->folder, "lock", O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0666);
    if (!create || make_parts(d))
        return true;
    int why = errno;
    disk_close(d);
    errno = why;
    return false;
}

void disk_close(struct disk *d)
{
    if (d->lock >= 0)
        close(d->lock);
    if (d->folder >= 0)
        close(d->folder);
    d->lock = d->folder = -1;
}

// -- locks ---------------------------------------------------------------------------------------

static bool set_lock(struct disk *d, enum disk_part part, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)part, .l_len = 1};
    int got;
    if (d->lock < 0) // a copy of a store may lack it
        d->lock = openat(d->folder, "lock", O_RDWR | O_CLOEXEC | O_CREAT, 0666);
    if (d->lock < 0)
        return false;
    do
        got = fcntl(d->lock, F_OFD_SETLKW, &lock);
    while (got != 0 && errno == EINTR);
    return got == 0;
}

bool disk_lock(struct disk *d, enum disk_part part, bool exclusive)
{
    return set_lock(d, part, exclusive ? F_WRLCK : F_RDLCK);
}

void disk_unlock(struct disk *d, enum disk_part part)
{
    set_lock(d, part, F_UNLCK);
}

// -- files ---------------------------------------------------------------------------------------

// Reads until `n` bytes are there. A file that has become shorter meanwhile is EIO.
static bool read_whole(int fd, unsigned char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, bytes, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return false;
        bytes += got;
        n -= (size_t)got;
    }
    return true;
}

unsigned char *disk_read(const struct disk *d, const char *name, size_t *n)
{
    struct stat st = {0};
    int fd = openat(d->folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    unsigned char *bytes = NULL;
    if (fstat(fd, &st) == 0) {
        errno = EINVAL;
        if (S_ISREG(st.st_mode))
            bytes = malloc((size_t)st.st_size + 1);
    }
    *n = (size_t)st.st_size;
    if (bytes && !read_whole(fd, bytes, *n)) {
        free(bytes);
        bytes = NULL;
    }
    int why = errno;
    close(fd);
    errno = why;
    return bytes;
}

static bool write_whole(int fd, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

// A name may be left over from a process that was killed and had the same number. The folder may be
// missing in a copy of a store.
static int open_temp(struct disk *d, char name[DISK_NAME])
{
    bool made = false;
    for (;;) {
        snprintf(name, DISK_NAME, "tmp/%ld.%u", (long)getpid(), d->temps++);
        int fd = openat(d->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        if (fd < 0 && errno == ENOENT && !made && disk_make_folder(d, "tmp"))
            made = true;
        else if (fd >= 0 || errno != EEXIST)
            return fd;
    }
}

bool disk_write_temp(struct disk *d, const void *bytes, size_t n, bool sync, char name[DISK_NAME])
{
    int fd = open_temp(d, name);
    if (fd < 0)
        return false;
    bool ok = write_whole(fd, bytes, n) && (!sync || fsync(fd) == 0);
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (!ok)
        disk_remove(d, name);
    errno = why;
    return ok;
}

bool disk_rename(const struct disk *d, const char *from, const char *to)
{
    return renameat(d->folder, from, d->folder, to) == 0;
}

void disk_remove(const struct disk *d, const char *name)
{
    unlinkat(d->folder, name, 0);
}

bool disk_make_folder(const struct disk *d, const char *name)
{
    return mkdirat(d->folder, name, 0777) == 0 || errno == EEXIST;
}

bool disk_sync_folder(const struct disk *d, const char *name)
{
    int fd = openat(d->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok;
}

bool disk_sync_all(const struct disk *d)
{
    return syncfs(d->folder) == 0;
}

// -- folders -------------------------------------------------------------------------------------

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool disk_list(const struct disk *d, struct arena *a, const char *name, disk_names *out)
{
    int fd = openat(d->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = (disk_names){0};
    if (fd < 0)
        return errno == ENOENT;
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return false;
    }
    for (struct dirent *e; errno = 0, (e = readdir(folder)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            vec_push(a, out, arena_strdup(a, e->d_name));
    int why = errno;
    closedir(folder);
    if (out->n > 0)
        qsort(out->at, out->n, sizeof *out->at, compare_names);
    errno = why;
    return why == 0;
}
