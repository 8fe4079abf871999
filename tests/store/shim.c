// shim.c: an LD_PRELOAD library that lets a file operation of a program fail, kills the program at
// one, or cuts the power there.
//
//   SHIM_AT=n        the operation, counted from 1; every write, fsync, syncfs, renameat, mkdirat,
//                    unlinkat and every openat that makes a file is one; `exit`: the power is
//                    cut when the program has ended by itself
//   SHIM_DO=eio      it fails with EIO        enospc  with ENOSPC
//           short    a write writes half (other operations are done)
//           kill     the process ends there with SIGKILL
//           power    the same, and what was not brought to the disk before may be lost: files keep
//           a
//                    part of their bytes, renames and new folders are undone, each or not as
//                    SHIM_SEED says
//   SHIM_FOLDER=DIR  an empty folder on the same file system, for copies of what renames replace
//   SHIM_LOG=FILE    gets "n" when operation n was reached
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 4096 };

// What has been done and may still be lost.
enum kind { NONE, FILE_DATA, RENAMED, MADE };

struct pending {
    enum kind kind;
    char *path;   // of the file, or of what a rename or mkdirat made
    char *from;   // of a rename
    char *backup; // what the rename replaced, or NULL
};

static struct pending pending[MOST];
static size_t npending;
static unsigned long operation;
static unsigned long long dice;

// The C library's function of a name. A pointer to an object may not become one to a function, but
// its bytes may.
static void real(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(out, &found, sizeof found);
}

static bool roll(void)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return dice >> 63;
}

static char *path_of(int fd, const char *name)
{
    char link[64], folder[PATH_MAX], *path;
    if (name && name[0] == '/')
        return strdup(name);
    if (fd == AT_FDCWD)
        return strdup(name);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, folder, sizeof folder - 1);
    if (n < 0)
        return strdup("");
    folder[n] = '\0';
    if (!name || strcmp(name, ".") == 0)
        return strdup(folder);
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        abort();
    return path;
}

static void add(enum kind kind, char *path, char *from, char *backup)
{
    if (npending == MOST)
        abort();
    pending[npending++] = (struct pending){kind, path, from, backup};
}

// -- losing power --------------------------------------------------------------------------------

static void remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder)) != NULL;) {
        char *inner;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            asprintf(&inner, "%s/%s", path, e->d_name) < 0)
            continue;
        remove_tree(inner);
        free(inner);
    }
    if (folder)
        closedir(folder);
    remove(path);
}

static void lose(const struct pending *p)
{
    struct stat st;
    if (p->kind == FILE_DATA && stat(p->path, &st) == 0) {
        chmod(p->path, 0644);
        if (truncate(p->path, st.st_size / 2) != 0)
            abort();
        chmod(p->path, st.st_mode & 07777);
    } else if (p->kind == RENAMED) {
        rename(p->path, p->from);
        if (p->backup)
            rename(p->backup, p->path);
    } else if (p->kind == MADE) {
        remove_tree(p->path);
    }
}

// The last first, as each was done on top of those before.
static void cut_power(void)
{
    const char *seed = getenv("SHIM_SEED");
    dice = seed ? strtoull(seed, NULL, 10) : 1;
    for (int i = 0; i < 8; i++)
        roll();
    for (size_t i = npending; i-- > 0;)
        if (pending[i].kind != NONE && roll())
            lose(&pending[i]);
}

__attribute__((destructor)) static void at_exit(void)
{
    const char *at = getenv("SHIM_AT");
    if (at && strcmp(at, "exit") == 0)
        cut_power();
}

static bool is_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

// A file's or folder's data is on the disk now. Names are what a folder holds.
static void synced(const char *path)
{
    for (size_t i = 0; i < npending; i++) {
        struct pending *p = &pending[i];
        bool names = (p->kind == RENAMED || p->kind == MADE) && is_in(p->path, path);
        if (names || (p->kind == FILE_DATA && strcmp(p->path, path) == 0))
            p->kind = NONE;
    }
}

// -- the operation -------------------------------------------------------------------------------

static const char *what(void)
{
    const char *s = getenv("SHIM_DO");
    return s ? s : "";
}

static void log_it(void)
{
    const char *path = getenv("SHIM_LOG");
    int (*open_real)(const char *, int, ...);
    real("open", &open_real);
    int fd = path ? open_real(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
    if (fd >= 0)
        close(fd);
}

// Counts an operation. Returns an errno with which it has to fail, or 0; *now says that it is the
// one.
static int count(bool *now)
{
    const char *at = getenv("SHIM_AT");
    *now = at && ++operation == strtoul(at, NULL, 10);
    if (!*now)
        return 0;
    log_it();
    if (strcmp(what(), "power") == 0)
        cut_power();
    if (strcmp(what(), "power") == 0 || strcmp(what(), "kill") == 0)
        raise(SIGKILL);
    return strcmp(what(), "eio") == 0 ? EIO : strcmp(what(), "enospc") == 0 ? ENOSPC : 0;
}

static int failing(void)
{
    bool now;
    int why = count(&now);
    if (why)
        errno = why;
    return why;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    static ssize_t (*real_write)(int, const void *, size_t);
    bool now;
    if (!real_write)
        real("write", &real_write);
    if (fd <= STDERR_FILENO)
        return real_write(fd, bytes, n);
    int why = count(&now);
    if (why) {
        real_write(fd, bytes, n / 2); // a full disk takes what it can
        errno = why;
        return -1;
    }
    if (now && strcmp(what(), "short") == 0 && n > 1)
        n /= 2;
    ssize_t put = real_write(fd, bytes, n);
    add(FILE_DATA, path_of(fd, NULL), NULL, NULL);
    return put;
}

int fsync(int fd)
{
    int (*real_fsync)(int);
    real("fsync", &real_fsync);
    if (failing())
        return -1;
    int got = real_fsync(fd);
    char *path = path_of(fd, NULL);
    if (got == 0)
        synced(path);
    free(path);
    return got;
}

int syncfs(int fd)
{
    int (*real_syncfs)(int);
    real("syncfs", &real_syncfs);
    if (failing())
        return -1;
    npending = 0;
    return real_syncfs(fd);
}

// A link to what a rename is about to replace.
static char *back_up(const char *path)
{
    char *to;
    const char *folder = getenv("SHIM_FOLDER");
    if (!folder || access(path, F_OK) != 0 || asprintf(&to, "%s/%lu", folder, operation) < 0)
        return NULL;
    if (link(path, to) != 0)
        abort();
    return to;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    int (*real_renameat)(int, const char *, int, const char *);
    real("renameat", &real_renameat);
    if (failing())
        return -1;
    char *source = path_of(from_fd, from), *target = path_of(to_fd, to), *backup = back_up(target);
    int got = real_renameat(from_fd, from, to_fd, to);
    for (size_t i = 0; got == 0 && i < npending; i++)
        if (pending[i].kind == FILE_DATA && strcmp(pending[i].path, source) == 0)
            pending[i].path = strdup(target);
    if (got == 0) {
        add(RENAMED, target, source, backup);
    } else {
        free(source);
        free(target);
        free(backup);
    }
    return got;
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    int (*real_mkdirat)(int, const char *, mode_t);
    real("mkdirat", &real_mkdirat);
    if (failing())
        return -1;
    int got = real_mkdirat(fd, name, mode);
    if (got == 0)
        add(MADE, path_of(fd, name), NULL, NULL);
    return got;
}

int unlinkat(int fd, const char *name, int flags)
{
    int (*real_unlinkat)(int, const char *, int);
    real("unlinkat", &real_unlinkat);
    return failing() ? -1 : real_unlinkat(fd, name, flags);
}

int openat(int fd, const char *name, int flags, ...)
{
    int (*real_openat)(int, const char *, int, ...);
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
    va_end(args);
    real("openat", &real_openat);
    if ((flags & O_CREAT) && failing())
        return -1;
    return real_openat(fd, name, flags, mode);
}
