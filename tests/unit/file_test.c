// file_test.c: tests of whole-file reading and writing, and of paths as text.
#define _XOPEN_SOURCE 700 // mkdtemp
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct fixture {
    struct arena arena;
    char dir[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/hlx-file-test-XXXXXX");
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static const char *in(struct fixture *f, const char *name)
{
    return path_join(&f->arena, f->dir, name);
}

// Removes the folder; returns how many entries it held.
static size_t empty_folder(struct fixture *f)
{
    size_t n = 0;
    DIR *d = opendir(f->dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (unlink(in(f, e->d_name)) != 0)
            rmdir(in(f, e->d_name));
    }
    closedir(d);
    return n;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    empty_folder(f);
    rmdir(f->dir);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static void expect_content(struct fixture *f, const char *path, const char *bytes, size_t len)
{
    const char *error = NULL;
    size_t n = 0;
    char *text = file_read(&f->arena, path, 0, &n, &error);
    assert_non_null(text);
    assert_int_equal(n, len);
    assert_memory_equal(text, bytes, len);
    assert_int_equal(text[n], 0);
    free(text);
}

static void expect_unreadable(struct fixture *f, const char *path, size_t limit, const char *why)
{
    const char *error = NULL;
    size_t n = 0;
    assert_null(file_read(&f->arena, path, limit, &n, &error));
    assert_string_equal(error, arena_printf(&f->arena, "cannot read `%s`: %s", path, why));
}

static void what_is_written_is_read(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL, *path = in(f, "a");
    assert_true(file_write(&f->arena, path, "x\0y\n", 4, &error));
    expect_content(f, path, "x\0y\n", 4);
    assert_true(file_write(&f->arena, path, "", 0, &error));
    expect_content(f, path, "", 0);
    size_t n = 3000001;
    char *large = malloc(n);
    for (size_t i = 0; i < n; i++)
        large[i] = (char)(i * 31);
    assert_true(file_write(&f->arena, path, large, n, &error));
    expect_content(f, path, large, n);
    free(large);
    assert_int_equal(empty_folder(f), 1); // no temporary file stays
}

static void reading_fails_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL;
    expect_unreadable(f, in(f, "missing"), 0, "No such file or directory");
    expect_unreadable(f, f->dir, 0, "it is a directory");
    assert_true(file_write(&f->arena, in(f, "a"), "12345", 5, &error));
    expect_unreadable(f, in(f, "a"), 4, "it is too large");
    expect_unreadable(f, in(f, "a/b"), 0, "Not a directory");
    size_t n = 0;
    char *text = file_read(&f->arena, in(f, "a"), 5, &n, &error);
    assert_int_equal(n, 5);
    free(text);
    assert_null(file_read(&f->arena, "/a\x1B[31m", 0, &n, &error));
    assert_null(strchr(error, '\x1B'));
}

// Feeds a pipe of `n` bytes from a child.
static pid_t feed(const char *fifo, size_t n)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    int fd = open(fifo, O_WRONLY);
    for (size_t i = 0; i < n; i++)
        if (write(fd, &"abcdefg"[i % 7], 1) != 1)
            _exit(1);
    _exit(0);
}

static void pipes_are_read_and_limited(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL, *fifo = in(f, "fifo");
    size_t n = 0;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    pid_t child = feed(fifo, 150000);
    char *text = file_read(&f->arena, fifo, 150000, &n, &error);
    assert_non_null(text);
    assert_int_equal(n, 150000);
    assert_memory_equal(text + 140000 / 7 * 7, "abcdefg", 7);
    free(text);
    waitpid(child, NULL, 0);
    child = feed(fifo, 1001);
    assert_null(file_read(&f->arena, fifo, 1000, &n, &error));
    assert_non_null(strstr(error, "it is too large"));
    waitpid(child, NULL, 0);
}

static void standard_input_is_a_dash(void **state)
{
    struct fixture *f = *state;
    int both[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(both), 0);
    assert_int_equal(write(both[1], "typed", 5), 5);
    close(both[1]);
    dup2(both[0], STDIN_FILENO);
    close(both[0]);
    expect_content(f, "-", "typed", 5);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void expect_unwritable(struct fixture *f, const char *path, const char *why)
{
    const char *error = NULL;
    assert_false(file_write(&f->arena, path, "new", 3, &error));
    assert_string_equal(error, arena_printf(&f->arena, "cannot write `%s`: %s", path, why));
}

static void writing_fails_with_a_sentence(void **state)
{
    struct fixture *f = *state;
    expect_unwritable(f, in(f, "missing/a"), "No such file or directory");
    expect_unwritable(f, f->dir, "it is a directory");
    expect_unwritable(f, "/dev/full", "No space left on device");
    expect_unwritable(f, "", "No such file or directory");
    assert_int_equal(empty_folder(f), 0);
}

static void devices_are_written_to(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL;
    struct stat st;
    assert_true(file_write(&f->arena, "/dev/null", "x", 1, &error));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void links_and_modes_stay(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL, *target = in(f, "target"), *link = in(f, "link");
    struct stat st;
    assert_true(file_write(&f->arena, target, "old", 3, &error));
    assert_int_equal(chmod(target, 0640), 0);
    assert_int_equal(symlink("target", link), 0);
    assert_true(file_write(&f->arena, link, "new", 3, &error));
    expect_content(f, target, "new", 3);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_link_that_leads_nowhere_is_followed(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL;
    struct stat st;
    assert_int_equal(symlink("second", in(f, "first")), 0);
    assert_int_equal(symlink("third", in(f, "second")), 0);
    assert_true(file_write(&f->arena, in(f, "first"), "new", 3, &error));
    assert_int_equal(lstat(in(f, "first"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    expect_content(f, in(f, "third"), "new", 3);
    assert_int_equal(symlink("loop", in(f, "loop")), 0);
    expect_unwritable(f, in(f, "loop"), "Too many levels of symbolic links");
}

static void what_cannot_be_written_is_known_before(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL;
    struct arena *a = &f->arena;
    assert_string_equal(file_unwritable(a, in(f, "missing/a")), "No such file or directory");
    assert_string_equal(file_unwritable(a, f->dir), "it is a directory");
    assert_string_equal(file_unwritable(a, ""), "it has no name");
    assert_null(file_unwritable(a, in(f, "a")));
    assert_null(file_unwritable(a, "-"));
    assert_null(file_unwritable(a, "/dev/null"));
    assert_int_equal(empty_folder(f), 0); // nothing was made
    assert_true(file_write(a, in(f, "a"), "old", 3, &error));
    assert_null(file_unwritable(a, in(f, "a")));
    assert_string_equal(file_unwritable(a, in(f, "a/b")), "Not a directory");
    expect_content(f, in(f, "a"), "old", 3);
}

static bool same(struct fixture *f, const char *x, const char *y)
{
    struct file_id first, second;
    return file_id(&f->arena, x, &first) && file_id(&f->arena, y, &second) &&
           file_id_equal(&first, &second);
}

static void one_file_has_one_identity(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL, *a = in(f, "a"), *absent = in(f, "absent");
    assert_true(file_write(&f->arena, a, "1", 1, &error));
    assert_true(file_write(&f->arena, in(f, "b"), "1", 1, &error));
    assert_int_equal(link(a, in(f, "hard")), 0);
    assert_int_equal(symlink("a", in(f, "soft")), 0);
    assert_int_equal(symlink("absent", in(f, "dangling")), 0);
    assert_true(same(f, a, in(f, "./a")));
    assert_true(same(f, a, in(f, "hard")));
    assert_true(same(f, a, in(f, "soft")));
    assert_false(same(f, a, in(f, "b")));
    assert_false(same(f, a, absent));
    assert_true(same(f, absent, in(f, ".//absent")));
    assert_true(same(f, absent, in(f, "dangling")));
    assert_false(same(f, absent, in(f, "other")));
    assert_false(same(f, "/dev/null", "/dev/null"));
    assert_false(same(f, "-", "-"));
    assert_false(same(f, in(f, "no/x"), in(f, "no/x")));
}

static void an_open_reader_keeps_the_old_bytes(void **state)
{
    struct fixture *f = *state;
    const char *error = NULL, *path = in(f, "a");
    char bytes[8] = "";
    assert_true(file_write(&f->arena, path, "old", 3, &error));
    int fd = open(path, O_RDONLY);
    assert_true(file_write(&f->arena, path, "newer", 5, &error));
    assert_int_equal(read(fd, bytes, 7), 3);
    assert_string_equal(bytes, "old");
    close(fd);
    expect_content(f, path, "newer", 5);
}

static void folders_of_paths(void **state)
{
    struct arena *a = &((struct fixture *)*state)->arena;
    assert_string_equal(path_dir(a, "a/b.c"), "a");
    assert_string_equal(path_dir(a, "a//b.c"), "a");
    assert_string_equal(path_dir(a, "b.c"), ".");
    assert_string_equal(path_dir(a, "/b.c"), "/");
    assert_string_equal(path_dir(a, "//b.c"), "/");
    assert_string_equal(path_dir(a, "/x/y/z"), "/x/y");
    assert_string_equal(path_dir(a, ""), ".");
    assert_string_equal(path_join(a, "a", "b"), "a/b");
    assert_string_equal(path_join(a, "a/", "b"), "a/b");
    assert_string_equal(path_join(a, ".", "b"), "b");
    assert_string_equal(path_join(a, "a", "/b"), "/b");
    assert_string_equal(path_join(a, "/", "b"), "/b");
}

static void clean_paths(void **state)
{
    struct arena *a = &((struct fixture *)*state)->arena;
    static const char *const cases[][2] = {
        {"", "."},
        {".", "."},
        {"./", "."},
        {"a", "a"},
        {"a/", "a"},
        {"./a", "a"},
        {"a//b///c", "a/b/c"},
        {"a/./b", "a/b"},
        {"a/../b", "b"},
        {"a/..", "."},
        {"..", ".."},
        {"../..", "../.."},
        {"../a/..", ".."},
        {"a/../../b", "../b"},
        {"/", "/"},
        {"//a", "/a"},
        {"/..", "/"},
        {"/../a", "/a"},
        {"/a/../..", "/"},
        {"/a/b/../c/.", "/a/c"},
        {"a/...", "a/..."},
        {"..a/b", "..a/b"},
        {"..a/..", "."},
        {"/..a/..", "/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(path_clean(a, cases[i][0]), cases[i][1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(reading_fails_with_a_sentence),
        TEST(pipes_are_read_and_limited),
        TEST(standard_input_is_a_dash),
        TEST(writing_fails_with_a_sentence),
        TEST(devices_are_written_to),
        TEST(links_and_modes_stay),
        TEST(a_link_that_leads_nowhere_is_followed),
        TEST(what_cannot_be_written_is_known_before),
        TEST(one_file_has_one_identity),
        TEST(an_open_reader_keeps_the_old_bytes),
        TEST(folders_of_paths),
        TEST(clean_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
