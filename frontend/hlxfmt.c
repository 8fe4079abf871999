// hlxfmt.c: the formatter's command line.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/version.h"
#include "frontend/diff.h"
#include "frontend/pretty.h"

enum { OPT_CHECK = 256, OPT_STDIN_NAME, OPT_DIAGNOSTICS, OPT_COLOR };

static const struct cli_option options[] = {
    {'w', "write", 0, "write files that change, in place", "Output"},
    {'l', "list", 0, "print the names of files that would change", 0},
    {'d', "diff", 0, "print a diff of what would change", 0},
    {OPT_CHECK, "check", 0, "like --list, and exit with 1 if there is any", 0},
    {OPT_STDIN_NAME, "stdin-filename", "NAME", "how messages call standard input", "Messages"},
    {OPT_DIAGNOSTICS, "diagnostics", "text|short|json", "the form of error messages", 0},
    {OPT_COLOR, "color", "auto|always|never", "when to use colour", 0},
    CLI_COMMON,
    {0, 0, 0, 0, 0},
};

static const struct cli cli = {
    .tool = "hlxfmt",
    .usage = "hlxfmt [options] [FILE or FOLDER]...",
    .summary =
        "Writes HLXL in the one style of the language. Without files it reads standard input.",
    .trailer = "Examples:\n"
               "  hlxfmt -w .                 format all .hlxl files below this folder\n"
               "  hlxfmt --check src          for a CI job: fails and names what is not formatted\n"
               "  hlxfmt -d model.hlxl        show what would change\n"
               "\n"
               "A region between the lines `// hlxfmt: off` and `// hlxfmt: on` is left as it is.\n"
               "\n"
               "Exit codes: 0 done; 1 a file does not parse, or --check found one to format;\n"
               "2 wrong command line; 4 a file cannot be read or written.\n",
    .options = options,
};

struct hlxfmt {
    bool write, list, diff, check;
    const char *stdin_name;
    enum diag_format diagnostics;
    enum diag_color color;
    int code;           // to exit with
    struct arena arena; // of names and messages
};

// The gravest code stays: an unreadable file before one that does not parse.
static void fail(struct hlxfmt *f, int code)
{
    if (code > f->code)
        f->code = code;
}

static void complain(struct hlxfmt *f, const char *sentence)
{
    fprintf(stderr, "hlxfmt: %s\n", sentence);
    fail(f, EXIT_DATA);
}

// -- one text ------------------------------------------------------------------------------------

// Formats a text; prints what is wrong with it and returns false where it does not parse.
static bool format_text(struct hlxfmt *f, const char *name, const char *text, size_t len,
                        struct buf *out)
{
    struct arena arena = {0};
    struct sources sources;
    struct diags diags;
    sources_init(&sources, &arena);
    diags_init(&diags, &arena, &sources);
    uint32_t id = sources_add(&sources, name, text, len);
    bool ok = pretty_format(&arena, &sources, &diags, id, out);
    if (!ok)
        fail(f, EXIT_PROGRAM);
    diags_print(&diags, f->diagnostics, f->color, stderr);
    arena_free(&arena);
    return ok;
}

static void show_diff(struct hlxfmt *f, const char *name, const char *text, size_t len,
                      const struct buf *out)
{
    struct buf diff = {0};
    diff_unified(arena_printf(&f->arena, "%s.orig", name), name, text, len, out->at, out->n,
                 diag_use_color(f->color, stdout), &diff);
    fwrite(diff.at, 1, diff.n, stdout);
    buf_free(&diff);
}

static void report_change(struct hlxfmt *f, const char *path, const char *name, const char *text,
                          size_t len, const struct buf *out)
{
    const char *error;
    if (f->list || f->check)
        printf("%s\n", name);
    if (f->check)
        fail(f, EXIT_PROGRAM);
    if (f->diff)
        show_diff(f, name, text, len, out);
    if (f->write && !file_write(&f->arena, path, out->at, out->n, &error))
        complain(f, error);
}

static void format_file(struct hlxfmt *f, const char *path)
{
    const char *error, *name = strcmp(path, "-") == 0 ? f->stdin_name : path;
    struct buf out = {0};
    size_t len;
    char *text = file_read(&f->arena, path, 0, &len, &error);
    if (!text) {
        complain(f, error);
        return;
    }
    if (format_text(f, name, text, len, &out)) {
        bool same = out.n == len && (len == 0 || memcmp(out.at, text, len) == 0);
        if (out.n == 0)
            buf_puts(&out, ""); // so that there are bytes to point to
        if (!f->write && !f->list && !f->check && !f->diff)
            fwrite(out.at, 1, out.n, stdout);
        else if (!same)
            report_change(f, path, name, text, len, &out);
    }
    buf_free(&out);
    free(text);
}

// -- folders -------------------------------------------------------------------------------------

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void format_folder(struct hlxfmt *f, const char *path);

// What a folder holds; links are not followed, so there are no cycles.
static void format_entry(struct hlxfmt *f, const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return;
    size_t n = strlen(path);
    if (S_ISDIR(st.st_mode))
        format_folder(f, path);
    else if (S_ISREG(st.st_mode) && n > 5 && strcmp(path + n - 5, ".hlxl") == 0)
        format_file(f, path);
}

static void format_folder(struct hlxfmt *f, const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, is_visible, alphasort);
    if (n < 0) {
        complain(f, arena_printf(&f->arena, "cannot read the folder `%s`", path));
        return;
    }
    for (int i = 0; i < n; i++) {
        format_entry(f, path_join(&f->arena, path, names[i]->d_name));
        free(names[i]);
    }
    free(names);
}

static void format_operand(struct hlxfmt *f, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        format_folder(f, path);
    else
        format_file(f, path);
}

// -- the command line ----------------------------------------------------------------------------

// The index of a word in a NULL-ended list, or -1 after saying what the words are.
static int choose(const char *option, const char *value, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    fprintf(stderr, "hlxfmt: --%s: `%s` is none of %s, %s, %s\n", option, value, words[0], words[1],
            words[2]);
    return -1;
}

static bool take_option(struct hlxfmt *f, int option, const char *value)
{
    static const char *const formats[] = {"text", "short", "json", NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    int i = 0;
    switch (option) {
    case 'w': f->write = true; break;
    case 'l': f->list = true; break;
    case 'd': f->diff = true; break;
    case OPT_CHECK: f->check = true; break;
    case OPT_STDIN_NAME: f->stdin_name = value; break;
    case OPT_DIAGNOSTICS:
        i = choose("diagnostics", value, formats);
        f->diagnostics = (enum diag_format)(i < 0 ? 0 : i);
        break;
    case OPT_COLOR:
        i = choose("color", value, colors);
        f->color = (enum diag_color)(i < 0 ? 0 : i);
        break;
    default: return false;
    }
    return i >= 0;
}

static bool take_options(struct hlxfmt *f, struct cli_parse *parse)
{
    for (int option; (option = cli_next(parse)) != CLI_END;)
        if (option == CLI_BAD || !take_option(f, option, parse->value))
            return false;
    return true;
}

static bool usable(const struct hlxfmt *f, int n, char **operands)
{
    bool reads_stdin = n == 0;
    for (int i = 0; i < n; i++)
        reads_stdin = reads_stdin || strcmp(operands[i], "-") == 0;
    if (f->write && reads_stdin)
        fprintf(stderr, "hlxfmt: --write needs files: standard input cannot be written in place\n");
    return !(f->write && reads_stdin);
}

int main(int argc, char **argv)
{
    struct hlxfmt f = {.stdin_name = "<stdin>"};
    struct cli_parse parse;
    char **operands, *standard[] = {"-"};
    cli_start(&parse, &cli, argc, argv);
    bool ok = take_options(&f, &parse);
    int n = ok ? cli_operands(&parse, &operands) : 0;
    if (!ok || !usable(&f, n, operands)) {
        cli_finish(&parse);
        return EXIT_USAGE;
    }
    if (n == 0)
        n = 1, operands = standard;
    for (int i = 0; i < n; i++)
        format_operand(&f, operands[i]);
    cli_finish(&parse);
    if (fflush(stdout) != 0 || ferror(stdout))
        complain(&f, "cannot write to standard output");
    arena_free(&f.arena);
    return f.code;
}
