// hlxfmt.c: the formatter's command line.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/version.h"
#include "frontend/diff.h"
#include "frontend/parse.h"
#include "frontend/pretty.h"
#include "frontend/source_stats.h"

enum {
    OPT_CHECK = 256,
    OPT_RUNIC,
    OPT_ASCII,
    OPT_STATS,
    OPT_STDIN_NAME,
    OPT_DIAGNOSTICS,
    OPT_COLOR
};

static const struct cli_option options[] = {
    {OPT_RUNIC, "runic", 0, "write HLX, the runic spelling", "Spelling"},
    {OPT_ASCII, "ascii", 0, "write HLXL, the ASCII spelling (default: that of the source)", 0},
    {'w', "write", 0, "write files that change, in place (a new spelling: renamed)", "Output"},
    {'l', "list", 0, "print the names of files that would change", 0},
    {'d', "diff", 0, "print a diff of what would change", 0},
    {OPT_CHECK, "check", 0, "like --list, and exit with 1 if there is any", 0},
    {OPT_STATS, "stats", 0, "print how long the sources are in both spellings", 0},
    {OPT_STDIN_NAME, "stdin-filename", "NAME",
     "what standard input is called; .hlx or .hlxl tells its spelling", "Messages"},
    {OPT_DIAGNOSTICS, "diagnostics", "text|short|json", "the form of error messages", 0},
    {OPT_COLOR, "color", "auto|always|never", "when to use colour", 0},
    CLI_COMMON,
    {0, 0, 0, 0, 0},
};

static const struct cli cli = {
    .tool = "hlxfmt",
    .usage = "hlxfmt [options] [FILE or FOLDER]...",
    .summary = "Writes HLXL and HLX in the one style of the language, in either spelling. Without "
               "files it "
               "reads standard input.",
    .trailer = "Examples:\n"
               "  hlxfmt -w .                 format all .hlxl and .hlx files below this folder\n"
               "  hlxfmt --check src          for a CI job: fails and names what is not formatted\n"
               "  hlxfmt -d model.hlxl        show what would change\n"
               "  hlxfmt --runic model.hlxl   the same program in runes\n"
               "  hlxfmt --stats src          how much shorter they are\n"
               "\n"
               "A region between the lines `// hlxfmt: off` and `// hlxfmt: on` is left as it is.\n"
               "\n"
               "Exit codes: 0 done; 1 a file does not parse, or --check found one to format;\n"
               "2 wrong command line; 4 a file cannot be read or written.\n",
    .options = options,
};

enum spelling { SPELLING_KEPT, SPELLING_RUNIC, SPELLING_ASCII };

struct hlxfmt {
    bool write, list, diff, check, stats;
    enum spelling spelling;
    struct source_stats ascii, runic; // of all files
    struct buf table;
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

// A text on its way.
struct job {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    uint32_t source;
    bool runic; // what it is to be
};

static void start(struct job *j, const struct hlxfmt *f, const char *name, const char *text,
                  size_t len)
{
    *j = (struct job){0};
    sources_init(&j->sources, &j->arena);
    diags_init(&j->diags, &j->arena, &j->sources);
    j->source = sources_lend(&j->sources, name, text, len);
    j->runic = f->spelling == SPELLING_RUNIC;
    if (f->spelling == SPELLING_KEPT)
        j->runic = scan_spelling_for(sources_get(&j->sources, j->source)) == &scan_hlx;
}

// Prints what is wrong with a text. Returns whether nothing is.
static bool report(struct hlxfmt *f, struct job *j, bool parsed)
{
    bool ok = parsed && j->diags.errors == 0;
    if (!ok)
        fail(f, EXIT_PROGRAM);
    diags_print(&j->diags, f->diagnostics, f->color, stderr);
    return ok;
}

static void count(struct hlxfmt *f, struct job *j, const char *name)
{
    const struct ast_file *file = parse_file(&j->arena, &j->sources, &j->diags, j->source);
    if (!report(f, j, file != NULL))
        return;
    struct source_stats stats[2] = {{0}, {0}};
    struct source_stats *total[] = {&f->ascii, &f->runic};
    for (int runic = 0; runic < 2; runic++) {
        const struct scan_spelling *spelling = runic ? &scan_hlx : &scan_hlxl;
        struct buf out = {0};
        pretty_print(&j->arena, &j->sources, file, runic, &out);
        source_stats_add(&stats[runic], out.at, out.n, spelling);
        source_stats_add(total[runic], out.at, out.n, spelling);
        buf_free(&out);
    }
    if (f->table.n == 0)
        source_stats_print(NULL, NULL, NULL, &f->table);
    source_stats_print(name, &stats[0], &stats[1], &f->table);
}

static void print_stats(struct hlxfmt *f)
{
    if (f->table.n == 0)
        return;
    source_stats_print("together", &f->ascii, &f->runic, &f->table);
    buf_puts(&f->table, "\nCode is all but comments and text literals. tools/tokens.js counts the "
                        "tokens of language models.\n");
    fwrite(f->table.at, 1, f->table.n, stdout);
    buf_free(&f->table);
}

static void show_diff(struct hlxfmt *f, const char *name, const char *text, size_t len,
                      const struct buf *out)
{
    struct buf diff = {0};
    diff_unified(arena_printf(&f->arena, "%s.orig", name), name, text, len, out->at, out->n,
                 diag_use_color(f->color, stdout), &diff);
    if (diff.n > 0)
        fwrite(diff.at, 1, diff.n, stdout);
    buf_free(&diff);
}

static bool ends_with(const char *path, const char *extension)
{
    size_t n = strlen(path), len = strlen(extension);
    return n > len && strcmp(path + n - len, extension) == 0;
}

// The name of a file in the other spelling.
static const char *renamed(struct hlxfmt *f, const char *path, bool runic)
{
    if (runic && ends_with(path, ".hlxl"))
        return arena_copy(&f->arena, path, strlen(path) - 1);
    return !runic && ends_with(path, ".hlx") ? arena_printf(&f->arena, "%sl", path) : path;
}

// Writes a file; in another spelling it gets another name, and must not take that of another file.
static void write_file(struct hlxfmt *f, const char *path, bool runic, const struct buf *out)
{
    const char *error, *to = renamed(f, path, runic);
    if (to != path && access(to, F_OK) == 0)
        complain(
            f, arena_printf(&f->arena, "`%s` is there already, so `%s` stays as it is", to, path));
    else if (!file_write(&f->arena, to, out->at, out->n, &error))
        complain(f, error);
    else if (to != path && remove(path) != 0)
        complain(f, arena_printf(&f->arena, "cannot remove `%s`, which is now `%s`", path, to));
}

static void report_change(struct hlxfmt *f, const char *path, const char *name, const char *text,
                          size_t len, bool runic, const struct buf *out)
{
    if (f->list || f->check)
        printf("%s\n", name);
    if (f->check)
        fail(f, EXIT_PROGRAM);
    if (f->diff)
        show_diff(f, name, text, len, out);
    if (f->write)
        write_file(f, path, runic, out);
}

// HLX begins with the names of the whole file; HLXL is printed while it is parsed.
static bool format_text(struct job *j, struct buf *out)
{
    if (!j->runic)
        return pretty_format(&j->arena, &j->sources, &j->diags, j->source, out);
    const struct ast_file *file = parse_file(&j->arena, &j->sources, &j->diags, j->source);
    if (!file || j->diags.errors)
        return false;
    pretty_print(&j->arena, &j->sources, file, true, out);
    return true;
}

static void format(struct hlxfmt *f, struct job *j, const char *path, const char *name,
                   const char *text, size_t len)
{
    struct buf out = {0};
    bool ok = report(f, j, format_text(j, &out));
    if (out.n == 0)
        buf_puts(&out, ""); // so that there are bytes to point to
    bool same = out.n == len && memcmp(out.at, text, len) == 0 &&
                renamed(f, path, j->runic) == path; // comments alone are the same in both spellings
    if (ok && !f->write && !f->list && !f->check && !f->diff)
        fwrite(out.at, 1, out.n, stdout);
    else if (ok && !same)
        report_change(f, path, name, text, len, j->runic, &out);
    buf_free(&out);
}

static void format_file(struct hlxfmt *f, const char *path)
{
    const char *error, *name = strcmp(path, "-") == 0 ? f->stdin_name : path;
    struct job j;
    size_t len;
    char *text = file_read(&f->arena, path, 0, &len, &error);
    if (!text) {
        complain(f, error);
        return;
    }
    start(&j, f, name, text, len);
    if (f->stats)
        count(f, &j, name);
    else
        format(f, &j, path, name, text, len);
    arena_free(&j.arena);
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
    if (S_ISDIR(st.st_mode))
        format_folder(f, path);
    else if (S_ISREG(st.st_mode) && (ends_with(path, ".hlxl") || ends_with(path, ".hlx")))
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
    case OPT_STATS: f->stats = true; break;
    case OPT_RUNIC: f->spelling = SPELLING_RUNIC; break;
    case OPT_ASCII: f->spelling = SPELLING_ASCII; break;
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
    bool formats = f->write || f->list || f->diff || f->check;
    if (f->write && reads_stdin)
        fprintf(stderr, "hlxfmt: --write needs files: standard input cannot be written in place\n");
    if (f->stats && formats)
        fprintf(stderr, "hlxfmt: --stats only counts: it does not go with --write, --list, --diff "
                        "or --check\n");
    return !(f->write && reads_stdin) && !(f->stats && formats);
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
    print_stats(&f);
    if (fflush(stdout) != 0 || ferror(stdout))
        complain(&f, "cannot write to standard output");
    arena_free(&f.arena);
    return f.code;
}
