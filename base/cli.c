// cli.c: command lines by one table: parsing with getopt_long, --help, --version.
#include "base/cli.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"

enum { HELP_COLUMNS = 100, HELP_INDENT = 30 };

// getopt_long's own forms of the table.
struct getopt_tables {
    struct option *longs;
    char shorts[]; // ":" and three bytes an option at most
};

static size_t count_options(const struct cli *cli)
{
    size_t n = 0;
    while (cli->options[n].name)
        n++;
    return n;
}

static bool has_short(const struct cli_option *o)
{
    return o->id < 128 && isalnum(o->id);
}

static int argument_kind(const struct cli_option *o)
{
    if (!o->arg)
        return no_argument;
    return o->arg[0] == '[' ? optional_argument : required_argument;
}

void cli_start(struct cli_parse *p, const struct cli *cli, int argc, char **argv)
{
    size_t n = count_options(cli);
    struct getopt_tables *t = malloc(sizeof(*t) + 2 * n + 2);
    struct option *longs = calloc(n + 1, sizeof(*longs));
    if (!t || !longs)
        arena_exhausted();
    char *s = t->shorts;
    *s++ = ':'; // a missing argument is told from an unknown option
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *o = &cli->options[i];
        longs[i] = (struct option){o->name, argument_kind(o), NULL, o->id};
        if (has_short(o))
            *s++ = (char)o->id;
        if (has_short(o) && argument_kind(o) == required_argument)
            *s++ = ':';
    }
    *s = '\0';
    t->longs = longs;
    *p = (struct cli_parse){.cli = cli, .argc = argc, .argv = argv, .index = 1, .state = t};
    optind = 0; // makes getopt forget an earlier command line
    opterr = 0;
}

void cli_finish(struct cli_parse *p)
{
    struct getopt_tables *t = p->state;
    if (t)
        free(t->longs);
    free(t);
    p->state = NULL;
}

static const struct cli_option *find_option(const struct cli *cli, int id)
{
    for (const struct cli_option *o = cli->options; o->name; o++)
        if (o->id == id)
            return o;
    return NULL;
}

static void complain(const struct cli *cli, const char *what, const char *word, const char *more)
{
    struct buf shown = {0};
    buf_visible(&shown, word, strlen(word));
    fprintf(stderr, "%s: %s `%s`%s\n", cli->tool, what, shown.n ? shown.at : "", more);
    fprintf(stderr, "Try `%s --help`.\n", cli->tool);
    buf_free(&shown);
}

static const char *nearest_option(const struct cli *cli, const char *word)
{
    size_t n = count_options(cli);
    const char **names = calloc(n + 1, sizeof(*names));
    if (!names)
        arena_exhausted();
    for (size_t i = 0; i < n; i++)
        names[i] = cli->options[i].name;
    const char *nearest = text_nearest(word, names, n);
    free(names);
    return nearest;
}

static size_t count_prefixed(const struct cli *cli, const char *word)
{
    size_t n = 0;
    for (const struct cli_option *o = cli->options; o->name; o++)
        n += strncmp(o->name, word, strlen(word)) == 0;
    return n;
}

// `word` is what was typed, such as "--stpes=3".
static void complain_long(const struct cli *cli, const char *word)
{
    struct buf name = {0}, more = {0};
    buf_put(&name, word + 2, strcspn(word + 2, "="));
    const char *nearest = nearest_option(cli, name.at);
    if (count_prefixed(cli, name.at) > 1)
        buf_puts(&more, ": more than one option starts like this");
    else if (nearest)
        buf_printf(&more, "; did you mean `--%s`?", nearest);
    complain(cli, "unknown option", word, more.n ? more.at : "");
    buf_free(&name);
    buf_free(&more);
}

static int bad(const struct cli_parse *p, int c)
{
    const struct cli_option *o = optopt == 0 ? NULL : find_option(p->cli, optopt);
    char letter[] = {'-', (char)optopt, '\0'}, name[80] = "";
    if (o)
        snprintf(name, sizeof(name), "--%s", o->name);
    if (c == ':')
        complain(p->cli, "option", name, " needs a value");
    else if (o)
        complain(p->cli, "option", name, " takes no value");
    else if (optopt != 0)
        complain(p->cli, "unknown option", letter, "");
    else
        complain_long(p->cli, p->argv[optind - 1]);
    return CLI_BAD;
}

// Ends the process after printing to stdout.
static void done(struct cli_parse *p)
{
    bool ok = fflush(stdout) == 0 && !ferror(stdout);
    if (!ok)
        fprintf(stderr, "%s: cannot write to standard output: %s\n", p->cli->tool, strerror(errno));
    cli_finish(p);
    exit(ok ? EXIT_OK : EXIT_DATA);
}

int cli_next(struct cli_parse *p)
{
    struct getopt_tables *t = p->state;
    int c = getopt_long(p->argc, p->argv, t->shorts, t->longs, NULL);
    p->index = optind;
    p->value = optarg;
    if (c == '?' || c == ':')
        return bad(p, c);
    if (c == CLI_HELP)
        cli_help(p->cli, stdout);
    else if (c == CLI_VERSION)
        cli_version(p->cli, stdout);
    else if (c != CLI_COMPLETION)
        return c < 0 ? CLI_END : c;
    else if (!cli_completion(p->cli, optarg, stdout)) {
        complain(p->cli, "no completion for shell", optarg, "; known are bash, zsh and fish");
        return CLI_BAD;
    }
    done(p);
    return CLI_END;
}

int cli_operands(const struct cli_parse *p, char ***operands)
{
    *operands = p->argv + p->index;
    return p->argc - p->index;
}

int cli_take(const struct cli *cli, int argc, char **argv, const struct cli_taker *taker,
             void *user)
{
    struct cli_parse p;
    int id;
    bool ok = true;
    cli_start(&p, cli, argc, argv);
    while (ok && (id = cli_next(&p)) != CLI_END)
        ok = id != CLI_BAD && taker->option(user, &p, id);
    char **operand;
    int n = cli_operands(&p, &operand);
    cli_finish(&p);
    return ok ? taker->operands(user, n, operand) : EXIT_USAGE;
}

int cli_misuse(const struct cli *cli, const char *sentence)
{
    fprintf(stderr, "%s: %s; see %s --help\n", cli->tool, sentence, cli->tool);
    return EXIT_USAGE;
}

// Writes words from column `col`, breaking before HELP_COLUMNS; later lines start at `indent`.
static void put_wrapped(FILE *to, const char *text, size_t col, size_t indent)
{
    for (bool first = true; *text != '\0'; first = false) {
        size_t n = strcspn(text, " "), width = text_width(text, n, 0, 0);
        if (!first && col + 1 + width > HELP_COLUMNS) {
            fprintf(to, "\n%*s", (int)indent, "");
            col = indent;
        } else if (!first) {
            fputc(' ', to);
            col++;
        }
        fwrite(text, 1, n, to);
        col += width;
        text += n + strspn(text + n, " ");
    }
    fputc('\n', to);
}

// "  -o, --output=FILE", "      --dump-grads[=NAMES]"
static void put_option(FILE *to, const struct cli_option *o)
{
    struct buf b = {0};
    buf_puts(&b, "  ");
    buf_printf(&b, has_short(o) ? "-%c, " : "    ", o->id);
    buf_printf(&b, "--%s", o->name);
    if (argument_kind(o) == optional_argument)
        buf_printf(&b, "[=%s", o->arg + 1); // the table's "[NAMES]" has the closing bracket
    else if (o->arg)
        buf_printf(&b, "=%s", o->arg);
    fputs(b.at, to);
    if (b.n + 2 > HELP_INDENT) {
        fputc('\n', to);
        b.n = 0;
    }
    fprintf(to, "%*s", (int)(HELP_INDENT - b.n), "");
    put_wrapped(to, o->help, HELP_INDENT, HELP_INDENT);
    buf_free(&b);
}

static void put_commands(FILE *to, const struct cli *cli)
{
    if (cli->commands)
        fputs("\nCommands:\n", to);
    for (const struct cli_command *c = cli->commands; c && c->name; c++) {
        fprintf(to, "  %-*s", HELP_INDENT - 2, c->name);
        put_wrapped(to, c->cli->summary, HELP_INDENT, HELP_INDENT);
    }
}

void cli_help(const struct cli *cli, FILE *to)
{
    fprintf(to, "Usage: %s\n", cli->usage);
    put_wrapped(to, cli->summary, 0, 0);
    put_commands(to, cli);
    for (const struct cli_option *o = cli->options; o->name; o++) {
        if (o->group)
            fprintf(to, "\n%s:\n", o->group);
        put_option(to, o);
    }
    if (cli->trailer)
        fprintf(to, "\n%s%s", cli->trailer,
                cli->trailer[0] && cli->trailer[strlen(cli->trailer) - 1] == '\n' ? "" : "\n");
}

void cli_version(const struct cli *cli, FILE *to)
{
    static const char numerics[] = HLX_NUMERICS; // "exact-1"
    size_t word = strcspn(numerics, "-");
    fprintf(to, "%s %s (LC-B %d, hbin %d, %.*s %s)\n", cli->tool, HLX_VERSION, HLX_LCB_VERSION,
            HLX_HBIN_VERSION, (int)word, numerics, &numerics[word + 1]);
}

bool cli_integer(const struct cli_parse *p, const char *what, const char *text, long long lo,
                 long long hi, long long *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool digits = isdigit((unsigned char)end[-(end != text)]) && !isspace((unsigned char)text[0]);
    if (!digits || end == text || *end != '\0' || errno == ERANGE || value < lo || value > hi) {
        struct buf shown = {0};
        buf_visible(&shown, text, strlen(text));
        fprintf(stderr, "%s: %s: `%s` is not a whole number from %lld to %lld\n", p->cli->tool,
                what, shown.n ? shown.at : "", lo, hi);
        buf_free(&shown);
        return false;
    }
    *out = value;
    return true;
}
