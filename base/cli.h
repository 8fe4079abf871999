// cli.h: one option table per tool drives getopt_long, --help, the man page's option list and shell
// completion.
#ifndef HLX_BASE_CLI_H
#define HLX_BASE_CLI_H

#include <stdbool.h>
#include <stdio.h>

struct cli_option {
    int id;            // what cli_next returns; a letter when there is a short form, else >= 256
    const char *name;  // long name without "--"
    const char *arg;   // NULL: a flag; "FILE": takes a value; "[NAMES]": takes an optional =value;
                       // "a|b|c": takes one of these (shown and completed; the tool checks)
    const char *help;  // one sentence for --help
    const char *group; // heading in --help, or NULL for the group of the row before
};

struct cli_command;

struct cli {
    const char *tool;    // "hlxc", or "hlxls pack" for a command of a tool
    const char *usage;   // "hlxc [options] FILE.hlxl"
    const char *summary; // one sentence
    const char *trailer; // examples and exit codes, printed after the options; may be NULL
    const struct cli_option *options;   // ends with a row of zeroes
    const struct cli_command *commands; // of a tool that has them; ends with a row of zeroes
};

// A command, the first word after the tool's name. Its summary is its line in the tool's --help.
struct cli_command {
    const char *name;
    const struct cli *cli;
};

struct cli_parse {
    const struct cli *cli;
    int argc;
    char **argv;
    const char *value; // of the option just returned, or NULL
    int index;         // getopt's optind
    void *state;       // private
};

enum { CLI_END = -1, CLI_BAD = -2 };

// The options every tool has, to be put into its table: -h --help, -V --version, --completion. A
// command has no completion script: its tool's covers it.
#define CLI_HELP 'h'
#define CLI_VERSION 'V'
#define CLI_COMPLETION 250
// clang-format off
#define CLI_COMMON_COMMAND                                                                         \
    {CLI_HELP, "help", 0, "print this help and exit", "General"},                                  \
    {CLI_VERSION, "version", 0, "print the version and exit", 0}
#define CLI_COMMON                                                                                 \
    CLI_COMMON_COMMAND,                                                                            \
    {CLI_COMPLETION, "completion", "bash|zsh|fish", "print a completion script", 0}
// clang-format on

// What is done with a command line.
struct cli_taker {
    // Takes an option that cli_next returned; false after saying what is wrong with its value.
    bool (*option)(void *user, const struct cli_parse *p, int id);
    // Takes the operands, after all options. Returns the exit code, or what the caller knows.
    int (*operands)(void *user, int n, char **operand);
};

// Parses a command line from its first word to its last. Returns what `operands` returned, or 2
// when an option was wrong, which has been said.
int cli_take(const struct cli *cli, int argc, char **argv, const struct cli_taker *taker,
             void *user);

// The same in single steps: starts parsing. Options and operands may be mixed; "--" ends options.
void cli_start(struct cli_parse *p, const struct cli *cli, int argc, char **argv);

// Returns the next option's id, CLI_END, or CLI_BAD after printing what is wrong with a "did you
// mean" and a pointer to --help (the caller exits with 2). Prints help, version and completion
// itself and exits 0.
int cli_next(struct cli_parse *p);

// After CLI_END: the operands.
int cli_operands(const struct cli_parse *p, char ***operands);

// Frees what cli_start took.
void cli_finish(struct cli_parse *p);

void cli_help(const struct cli *cli, FILE *to);
// One line "hlxc 0.1.0 (LC-B 1, hbin 1, exact 1)".
void cli_version(const struct cli *cli, FILE *to);
// bash, zsh or fish; false for another shell.
bool cli_completion(const struct cli *cli, const char *shell, FILE *to);

// The command that a command line begins with; it is parsed with its own table, from argv + 1 on.
// NULL after printing what is wrong (the caller exits with 2); the tool's own help, version and
// completion are printed here and exit 0.
const struct cli_command *cli_command(const struct cli *cli, int argc, char **argv);

// Prints "hlxc: SENTENCE; see hlxc --help" and returns 2.
int cli_misuse(const struct cli *cli, const char *sentence);

// Parses a decimal integer in [lo, hi]; prints "hlxc: --steps: ..." and returns false otherwise.
bool cli_integer(const struct cli_parse *p, const char *what, const char *text, long long lo,
                 long long hi, long long *out);

#endif
