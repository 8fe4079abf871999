// cli_test.c: tests of option tables: parsing, messages, help, version and completion.
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cli.h"
#include "base/version.h"

enum { OPT_STEPS = 256, OPT_GRADS, OPT_FORMAT };

static const struct cli_option options[] = {
    {'o', "output", "FILE", "write the program to FILE", "Output"},
    {'q', "quiet", NULL, "print nothing but errors", NULL},
    {OPT_STEPS, "steps", "N",
     "stop after N steps; this sentence is long enough to be broken over "
     "two lines of the help at the hundredth column",
     "Training"},
    {OPT_GRADS, "dump-grads", "[NAMES]", "print statistics of gradients", NULL},
    {OPT_FORMAT, "a-format-with-a-long-name", "text|short|json", "choose; it's [a] choice", NULL},
    CLI_COMMON,
    {0},
};

static const struct cli cli = {"hlxt",
                               "hlxt [options] FILE",
                               "Tests the option parser.",
                               "Exit codes: 0 fine, 2 usage.",
                               options,
                               NULL};

static const struct cli_option pack_options[] = {
    {OPT_FORMAT, "form", "one|two", "the form of the pack", "Output"},
    CLI_COMMON,
    {0},
};
static const struct cli pack_cli = {
    "hlxs pack", "hlxs pack [options] FILE", "Packs files.", NULL, pack_options, NULL};
static const struct cli list_cli = {"hlxs list", "hlxs list",      "Lists what is there.",
                                    NULL,        pack_options + 1, NULL};
static const struct cli_command commands[] = {{"pack", &pack_cli}, {"list", &list_cli}, {0}};
static const struct cli with_commands = {"hlxs", "hlxs COMMAND",   "Tests commands.",
                                         NULL,   pack_options + 1, commands};

// Runs f in a child with stdout or stderr (fd) in `out`. Returns the exit status.
static int capture(int fd, void (*f)(void *), void *with, char *out, size_t size)
{
    FILE *file = tmpfile();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(file), fd);
        f(with);
        fflush(NULL);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    rewind(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct words {
    int n;
    char *word[8]; // after the tool's name; ends with NULL
};

static struct words words_of(char *const *argv)
{
    struct words w = {.n = 1, .word = {"hlxt"}};
    for (; argv[w.n - 1]; w.n++)
        w.word[w.n] = argv[w.n - 1];
    return w;
}

#define WORDS(...) words_of((char *[]){__VA_ARGS__, NULL})

static void options_and_operands_mix(void **state)
{
    (void)state;
    struct words w = WORDS("a", "-qofile", "--steps", "3", "b", "--dump-grads");
    struct cli_parse p;
    cli_start(&p, &cli, w.n, w.word);
    assert_int_equal(cli_next(&p), 'q');
    assert_null(p.value);
    assert_int_equal(cli_next(&p), 'o');
    assert_string_equal(p.value, "file");
    assert_int_equal(cli_next(&p), OPT_STEPS);
    assert_string_equal(p.value, "3");
    assert_int_equal(cli_next(&p), OPT_GRADS);
    assert_null(p.value);
    assert_int_equal(cli_next(&p), CLI_END);
    char **operands;
    assert_int_equal(cli_operands(&p, &operands), 2);
    assert_string_equal(operands[0], "a");
    assert_string_equal(operands[1], "b");
    cli_finish(&p);
}

static void optional_values_need_an_equals_sign(void **state)
{
    (void)state;
    struct words w = WORDS("--dump-grads=w,b", "--dump-grads", "file", "--", "-q");
    struct cli_parse p;
    cli_start(&p, &cli, w.n, w.word);
    assert_int_equal(cli_next(&p), OPT_GRADS);
    assert_string_equal(p.value, "w,b");
    assert_int_equal(cli_next(&p), OPT_GRADS);
    assert_null(p.value);
    assert_int_equal(cli_next(&p), CLI_END);
    char **operands;
    assert_int_equal(cli_operands(&p, &operands), 2);
    assert_string_equal(operands[0], "file");
    assert_string_equal(operands[1], "-q");
    cli_finish(&p);
}

// What cli_take handed over.
struct taken {
    int options, n;
    const char *first;
};

static bool take_option(void *user, const struct cli_parse *p, int id)
{
    struct taken *t = user;
    t->options++;
    return id != OPT_STEPS || strcmp(p->value, "3") == 0;
}

static int take_operands(void *user, int n, char **operand)
{
    struct taken *t = user;
    t->n = n;
    t->first = n > 0 ? operand[0] : NULL;
    return 42;
}

static const struct cli_taker taker = {take_option, take_operands};

static void options_come_before_operands(void **state)
{
    (void)state;
    struct words w = WORDS("a", "-q", "--steps=3", "b");
    struct taken t = {0, -1, NULL};
    assert_int_equal(cli_take(&cli, w.n, w.word, &taker, &t), 42);
    assert_int_equal(t.options, 2);
    assert_int_equal(t.n, 2);
    assert_string_equal(t.first, "a");
    w = WORDS("--steps=4", "-q", "a");
    t = (struct taken){0, -1, NULL};
    assert_int_equal(cli_take(&cli, w.n, w.word, &taker, &t), EXIT_USAGE);
    assert_int_equal(t.options, 1); // nothing is taken after what is wrong
    assert_int_equal(t.n, -1);
}

static void take(void *with)
{
    struct words *w = with;
    struct taken t = {0, -1, NULL};
    int code = cli_take(&cli, w->n, w->word, &taker, &t);
    if (code == 42 && t.n == 0)
        code = cli_misuse(&cli, "no file was given");
    fflush(NULL);
    _exit(code);
}

static void misuse_is_told(void **state)
{
    (void)state;
    char text[500];
    struct words none = WORDS("-q"), bad = WORDS("-x");
    assert_int_equal(capture(STDERR_FILENO, take, &none, text, sizeof(text)), EXIT_USAGE);
    assert_string_equal(text, "hlxt: no file was given; see hlxt --help\n");
    assert_int_equal(capture(STDERR_FILENO, take, &bad, text, sizeof(text)), EXIT_USAGE);
    assert_string_equal(text, "hlxt: unknown option `-x`\nTry `hlxt --help`.\n");
}

static void no_words_no_options(void **state)
{
    (void)state;
    char *argv[] = {"hlxt", NULL}, **operands;
    struct cli_parse p;
    cli_start(&p, &cli, 1, argv);
    assert_int_equal(cli_next(&p), CLI_END);
    assert_int_equal(cli_operands(&p, &operands), 0);
    cli_finish(&p);
}

// Exits with 2 at the first bad option, and with 0 without one.
static void parse(void *with)
{
    struct words *w = with;
    struct cli_parse p;
    int id;
    cli_start(&p, &cli, w->n, w->word);
    while ((id = cli_next(&p)) >= 0)
        continue;
    cli_finish(&p);
    fflush(NULL);
    _exit(id == CLI_BAD ? EXIT_USAGE : 99);
}

static void expect_bad(struct words w, const char *message)
{
    char text[500], expect[500];
    assert_int_equal(capture(STDERR_FILENO, parse, &w, text, sizeof(text)), EXIT_USAGE);
    snprintf(expect, sizeof(expect), "hlxt: %s\nTry `hlxt --help`.\n", message);
    assert_string_equal(text, expect);
}

static void bad_options_are_explained(void **state)
{
    (void)state;
    expect_bad(WORDS("--stpes=3"), "unknown option `--stpes=3`; did you mean `--steps`?");
    expect_bad(WORDS("x", "--ouput", "f"), "unknown option `--ouput`; did you mean `--output`?");
    expect_bad(WORDS("--zzzzzz"), "unknown option `--zzzzzz`");
    expect_bad(WORDS("--=1"), "unknown option `--=1`: more than one option starts like this");
    expect_bad(WORDS("-x"), "unknown option `-x`");
    expect_bad(WORDS("-qx"), "unknown option `-x`");
    expect_bad(WORDS("-o"), "option `--output` needs a value");
    expect_bad(WORDS("--steps"), "option `--steps` needs a value");
    expect_bad(WORDS("--quiet=yes"), "option `--quiet` takes no value");
    expect_bad(WORDS("--\x1B[31m"), "unknown option `--\xEF\xBF\xBD[31m`");
    expect_bad(WORDS("--completion=csh"),
               "no completion for shell `csh`; known are bash, zsh and fish");
}

static void help_is_grouped_and_wrapped(void **state)
{
    (void)state;
    char text[4000];
    struct words w = WORDS("--help");
    assert_int_equal(capture(STDOUT_FILENO, parse, &w, text, sizeof(text)), 0);
    assert_string_equal(
        text,
        "Usage: hlxt [options] FILE\n"
        "Tests the option parser.\n"
        "\n"
        "Output:\n"
        "  -o, --output=FILE           write the program to FILE\n"
        "  -q, --quiet                 print nothing but errors\n"
        "\n"
        "Training:\n"
        "      --steps=N               stop after N steps; this sentence is long enough to be "
        "broken over two\n"
        "                              lines of the help at the hundredth column\n"
        "      --dump-grads[=NAMES]    print statistics of gradients\n"
        "      --a-format-with-a-long-name=text|short|json\n"
        "                              choose; it's [a] choice\n"
        "\n"
        "General:\n"
        "  -h, --help                  print this help and exit\n"
        "  -V, --version               print the version and exit\n"
        "      --completion=bash|zsh|fish\n"
        "                              print a completion script\n"
        "\n"
        "Exit codes: 0 fine, 2 usage.\n");
}

static void version_is_one_line(void **state)
{
    (void)state;
    char text[200];
    struct words w = WORDS("-V");
    assert_int_equal(capture(STDOUT_FILENO, parse, &w, text, sizeof(text)), 0);
    assert_string_equal(text, "hlxt " HLX_VERSION " (LC-B 1, hbin 1, exact 1)\n");
}

static void help_to_a_full_disk_fails(void **state)
{
    (void)state;
    struct words w = WORDS("--help");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/full", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(77);
        parse(&w);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), EXIT_DATA);
}

static void completions_name_every_option(void **state)
{
    (void)state;
    char text[8000];
    static char *shells[] = {"--completion=bash", "--completion=zsh", "--completion=fish"};
    for (size_t i = 0; i < 3; i++) {
        struct words w = WORDS(shells[i]);
        assert_int_equal(capture(STDOUT_FILENO, parse, &w, text, sizeof(text)), 0);
        for (const struct cli_option *o = options; o->name; o++)
            assert_non_null(strstr(text, o->name));
        assert_non_null(strstr(text, "text short json"));
    }
}

// Asks bash itself, so that the script is known to work where it is used.
static void bash_completes(void **state)
{
    (void)state;
    if (system("bash -c : >/dev/null 2>&1") != 0)
        skip();
    char path[] = "/tmp/hlx-cli-test-XXXXXX", command[400];
    int fd = mkstemp(path);
    FILE *script = fdopen(fd, "w");
    assert_true(cli_completion(&cli, "bash", script));
    fprintf(script,
            "ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _hlxt; "
            "echo \"${COMPREPLY[*]}\"; }\n"
            "[ \"$(ask hlxt --st)\" = --steps ] || exit 1\n"
            "[ \"$(ask hlxt --completion = f)\" = fish ] || exit 2\n"
            "[ \"$(ask hlxt --a-format-with-a-long-name =)\" = 'text short json' ] || exit 3\n"
            "[ -z \"$(ask hlxt fi)\" ] || exit 4\n");
    fclose(script);
    snprintf(command, sizeof(command), "bash %s", path);
    int status = system(command);
    unlink(path);
    assert_int_equal(status, 0);
}

// -- commands ------------------------------------------------------------------------------------

static void find_command(void *with)
{
    const struct words *w = with;
    if (!cli_command(&with_commands, w->n, (char **)w->word))
        exit(EXIT_USAGE);
}

static void commands_are_found_or_explained(void **state)
{
    (void)state;
    static const struct {
        struct words words;
        const char *message;
    } cases[] = {
        {{2, {"hlxs", "pakc"}}, "hlxs: unknown command `pakc`; did you mean `pack`?\n"},
        {{1, {"hlxs"}}, "hlxs: say what is to be done\n"},
        {{2, {"hlxs", "--hlep"}}, "hlxs: unknown option `--hlep`; did you mean `--help`?\n"},
    };
    struct words good = {3, {"hlxs", "list", "x"}};
    char text[500], want[500];
    assert_ptr_equal(cli_command(&with_commands, good.n, good.word), &commands[1]);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct words w = cases[i].words;
        assert_int_equal(capture(STDERR_FILENO, find_command, &w, text, sizeof(text)), EXIT_USAGE);
        snprintf(want, sizeof(want), "%sTry `hlxs --help`.\n", cases[i].message);
        assert_string_equal(text, want);
    }
}

static void help_lists_commands(void **state)
{
    (void)state;
    struct words w = {2, {"hlxs", "--help"}};
    char text[2000];
    assert_int_equal(capture(STDOUT_FILENO, find_command, &w, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "\nCommands:\n"
                                 "  pack                        Packs files.\n"
                                 "  list                        Lists what is there.\n"
                                 "\nGeneral:\n"));
}

static void bash_completes_commands(void **state)
{
    (void)state;
    if (system("bash -c : >/dev/null 2>&1") != 0)
        skip();
    char path[] = "/tmp/hlx-cli-test-XXXXXX", command[400];
    int fd = mkstemp(path);
    FILE *script = fdopen(fd, "w");
    assert_true(cli_completion(&with_commands, "bash", script));
    fprintf(script, "ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _hlxs; "
                    "echo \"${COMPREPLY[*]}\"; }\n"
                    "[ \"$(ask hlxs '')\" = 'pack list' ] || exit 1\n"
                    "[ \"$(ask hlxs l)\" = list ] || exit 2\n"
                    "[ \"$(ask hlxs pack --f)\" = --form ] || exit 3\n"
                    "[ \"$(ask hlxs pack --form =)\" = 'one two' ] || exit 4\n"
                    "[ -z \"$(ask hlxs list --f)\" ] || exit 5\n"
                    "[ \"$(ask hlxs --comp)\" = --completion ] || exit 6\n");
    fclose(script);
    snprintf(command, sizeof(command), "bash %s", path);
    int status = system(command);
    unlink(path);
    assert_int_equal(status, 0);
}

struct number {
    const char *text;
    bool ok;
    long long value;
};

static void integers(void **state)
{
    (void)state;
    struct cli_parse p = {.cli = &cli};
    static const struct number cases[] = {{"0", true, 0},
                                          {"10", true, 10},
                                          {"-3", true, -3},
                                          {"+7", true, 7},
                                          {"007", true, 7},
                                          {"11", false, 0},
                                          {"-4", false, 0},
                                          {"", false, 0},
                                          {" 1", false, 0},
                                          {"1 ", false, 0},
                                          {"1x", false, 0},
                                          {"0x1", false, 0},
                                          {"-", false, 0},
                                          {"1.0", false, 0},
                                          {"99999999999999999999", false, 0},
                                          {"-99999999999999999999", false, 0}};
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        long long value = 42;
        bool ok = cli_integer(&p, "--steps", cases[i].text, -3, 10, &value);
        assert_true(ok == cases[i].ok);
        assert_true(value == (ok ? cases[i].value : 42));
    }
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void bad_integer(void *with)
{
    long long value;
    cli_integer(with, "--steps", "many", 1, 9, &value);
}

static void bad_integers_are_explained(void **state)
{
    (void)state;
    struct cli_parse p = {.cli = &cli};
    char text[200];
    capture(STDERR_FILENO, bad_integer, &p, text, sizeof(text));
    assert_string_equal(text, "hlxt: --steps: `many` is not a whole number from 1 to 9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_mix),
        cmocka_unit_test(optional_values_need_an_equals_sign),
        cmocka_unit_test(no_words_no_options),
        cmocka_unit_test(options_come_before_operands),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(bad_options_are_explained),
        cmocka_unit_test(help_is_grouped_and_wrapped),
        cmocka_unit_test(version_is_one_line),
        cmocka_unit_test(help_to_a_full_disk_fails),
        cmocka_unit_test(completions_name_every_option),
        cmocka_unit_test(bash_completes),
        cmocka_unit_test(commands_are_found_or_explained),
        cmocka_unit_test(help_lists_commands),
        cmocka_unit_test(bash_completes_commands),
        cmocka_unit_test(integers),
        cmocka_unit_test(bad_integers_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
