// hlxls_tokens.c: lets node count tokens: texts into files, a script over them, its table back.
#define _XOPEN_SOURCE 700 // mkdtemp
#include "latent/hlxls_tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/version.h"

// Runs a command with its standard output in a pipe. Returns the end to read from, or -1.
static int start(const char **argv, pid_t *child)
{
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0)
        return -1;
    fflush(stdout);
    *child = fork();
    if (*child == 0) {
        dup2(pipe_ends[1], STDOUT_FILENO);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(pipe_ends[1]);
    if (*child > 0)
        return pipe_ends[0];
    close(pipe_ends[0]);
    return -1;
}

static void read_all(int fd, struct buf *out)
{
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            buf_put(out, piece, (size_t)got);
    close(fd);
}

static bool run(struct hlxls *t, const char **argv, struct buf *table)
{
    pid_t child;
    int status = 0, fd = start(argv, &child);
    if (fd < 0)
        return hlxls_complain(t, EXIT_DATA, "cannot run node: %s", strerror(errno));
    read_all(fd, table);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return hlxls_complain(t, EXIT_DATA, "--tokens needs node, which is not installed");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           hlxls_complain(t, EXIT_DATA, "`node %s` failed", argv[1]);
}

// The last number but one of a line.
static bool read_line(const char *line, size_t n, long *out)
{
    size_t fields = 0;
    while (n > 0 && fields < 2) {
        while (n > 0 && line[n - 1] == ' ')
            n--;
        while (n > 0 && line[n - 1] != ' ')
            n--;
        fields++;
    }
    char *end;
    *out = strtol(line + n, &end, 10);
    return fields == 2 && end != line + n && *end == ' ' && *out >= 0;
}

static bool read_table(const char *table, size_t n, long *out)
{
    const char *line = strchr(table, '\n'); // behind the heading
    for (size_t i = 0; i < n; i++) {
        const char *start_of = line ? line + 1 : NULL;
        line = start_of ? strchr(start_of, '\n') : NULL;
        if (!line || !read_line(start_of, (size_t)(line - start_of), &out[i]))
            return false;
    }
    return true;
}

static bool write_texts(struct hlxls *t, const struct buf *texts, size_t n, const char *folder,
                        const char **paths)
{
    const char *why;
    for (size_t i = 0; i < n; i++) {
        paths[i] = arena_printf(&t->arena, "%s/%zu", folder, i);
        if (!file_write(&t->arena, paths[i], texts[i].at, texts[i].n, &why))
            return hlxls_complain(t, EXIT_DATA, "%s", why);
    }
    return true;
}

bool hlxls_tokens(struct hlxls *t, const char *script, const struct buf *texts, size_t n, long *out)
{
    const char *tmp = getenv("TMPDIR"), **argv = arena_array(&t->arena, n + 3, sizeof *argv);
    char *folder =
        arena_strdup(&t->arena, path_join(&t->arena, tmp && tmp[0] ? tmp : "/tmp", "hlxls-XXXXXX"));
    struct buf table = {0};
    if (!mkdtemp(folder))
        return hlxls_complain(t, EXIT_DATA, "cannot make a folder in `%s`: %s",
                              path_dir(&t->arena, folder), strerror(errno));
    argv[0] = "node";
    argv[1] = script;
    bool ok = write_texts(t, texts, n, folder, argv + 2) && run(t, argv, &table);
    if (ok && !(table.n > 0 && read_table(table.at, n, out)))
        ok = hlxls_complain(t, EXIT_DATA, "`%s` printed no table of tokens", script);
    for (size_t i = 0; i < n && argv[i + 2]; i++)
        unlink(argv[i + 2]);
    rmdir(folder);
    buf_free(&table);
    return ok;
}
