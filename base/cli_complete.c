// cli_complete.c: completion scripts for bash, zsh and fish, from a tool's option table and
// those of its commands.
//
// An argument written with bars ("text|short|json") is completed with those words, any other with
// file names.
#include "base/cli.h"

#include <ctype.h>
#include <string.h>

static bool has_short(const struct cli_option *o)
{
    return o->id < 128 && isalnum(o->id);
}

static bool is_optional(const struct cli_option *o)
{
    return o->arg && o->arg[0] == '[';
}

static bool has_choices(const struct cli_option *o)
{
    return o->arg && strchr(o->arg, '|');
}

// The choices of an argument, parted by spaces.
static void put_choices(FILE *to, const struct cli_option *o)
{
    for (const char *p = o->arg; *p != '\0'; p++)
        if (*p != '[' && *p != ']')
            fputc(*p == '|' ? ' ' : *p, to);
}

// Text with a backslash before each of `special`; a quote is left out of the quotes it is in.
static void put_escaped(FILE *to, const char *text, const char *special)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            fputs("'\\'", to);
        else if (strchr(special, *p))
            fputc('\\', to);
        fputc(*p, to);
    }
}

// -- bash ----------------------------------------------------------------------------------------

// Sets `words` for the options of a tool or command, and for the value of the option before.
static void put_bash_words(const struct cli *cli, FILE *to)
{
    fputs("    case $prev in\n", to);
    for (const struct cli_option *o = cli->options; o->name; o++) {
        if (!has_choices(o))
            continue;
        fprintf(to, "    --%s) words='", o->name);
        put_choices(to, o);
        fputs("' ;;\n", to);
    }
    fputs("    *) [[ $cur == -* ]] && words='", to);
    for (const struct cli_option *o = cli->options; o->name; o++)
        fprintf(to, "%s--%s", o == cli->options ? "" : " ", o->name);
    fputs("' ;;\n    esac\n", to);
}

static void put_bash_commands(const struct cli *cli, FILE *to)
{
    fputs("    if [[ $COMP_CWORD -eq 1 && $cur != -* ]]; then\n        words='", to);
    for (const struct cli_command *c = cli->commands; c->name; c++)
        fprintf(to, "%s%s", c == cli->commands ? "" : " ", c->name);
    fputs("'\n    fi\n    case ${COMP_WORDS[1]} in\n", to);
    for (const struct cli_command *c = cli->commands; c->name; c++) {
        fprintf(to, "    %s)\n", c->name);
        put_bash_words(c->cli, to);
        fputs("    ;;\n", to);
    }
    fputs("    *)\n", to);
    put_bash_words(cli, to);
    fputs("    ;;\n    esac\n", to);
}

static void put_bash(const struct cli *cli, FILE *to)
{
    fprintf(to,
            "_%s() {\n"
            "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
            "    if [[ $cur == = ]]; then\n"
            "        cur=\n"
            "    elif [[ $prev == = ]]; then\n"
            "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
            "    fi\n"
            "    local words=\n",
            cli->tool);
    if (cli->commands)
        put_bash_commands(cli, to);
    else
        put_bash_words(cli, to);
    fprintf(to,
            "    COMPREPLY=()\n"
            "    [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
            "}\n"
            "complete -o default -F _%s %s\n",
            cli->tool, cli->tool);
}

// -- zsh -----------------------------------------------------------------------------------------

static void put_zsh_option(const struct cli_option *o, FILE *to)
{
    if (has_short(o))
        fprintf(to, "    '(-%c --%s)'{-%c%s,--%s%s}'[", o->id, o->name, o->id, o->arg ? "+" : "",
                o->name, o->arg ? "=" : "");
    else
        fprintf(to, "    '--%s%s[", o->name, is_optional(o) ? "=-" : o->arg ? "=" : "");
    put_escaped(to, o->help, "[]:\\");
    fputc(']', to);
    if (o->arg)
        fprintf(to, "%s%s:", is_optional(o) ? "::" : ":", o->name);
    if (has_choices(o)) {
        fputc('(', to);
        put_choices(to, o);
        fputc(')', to);
    } else if (o->arg) {
        fputs("_files", to);
    }
    fputs("' \\\n", to);
}

static void put_zsh_options(const struct cli *cli, FILE *to)
{
    fputs("_arguments -s -S \\\n", to);
    for (const struct cli_option *o = cli->options; o->name; o++)
        put_zsh_option(o, to);
    fputs("    '*:file:_files'\n", to);
}

// Whether the tool does something without a command: it has options of its own.
static bool works_alone(const struct cli *cli)
{
    return cli->options->id != CLI_HELP;
}

static void put_zsh_commands(const struct cli *cli, FILE *to)
{
    fputs("if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
          "  _values command \\\n",
          to);
    for (const struct cli_command *c = cli->commands; c->name; c++) {
        fprintf(to, "    '%s[", c->name);
        put_escaped(to, c->cli->summary, "[]:\\");
        fprintf(to, "]'%s\n", c[1].name ? " \\" : "");
    }
    fprintf(to, "%s  return\nfi\ncase $words[2] in\n", works_alone(cli) ? "  _files\n" : "");
    for (const struct cli_command *c = cli->commands; c->name; c++) {
        fprintf(to, "%s) shift words; (( CURRENT-- ))\n", c->name);
        put_zsh_options(c->cli, to);
        fputs(";;\n", to);
    }
    fputs("*)\n", to);
    put_zsh_options(cli, to);
    fputs(";;\nesac\n", to);
}

static void put_zsh(const struct cli *cli, FILE *to)
{
    fprintf(to, "#compdef %s\n", cli->tool);
    if (cli->commands)
        put_zsh_commands(cli, to);
    else
        put_zsh_options(cli, to);
}

// -- fish ----------------------------------------------------------------------------------------

static void put_fish_help(const char *help, FILE *to)
{
    fputs(" -d '", to);
    for (const char *p = help; *p != '\0'; p++)
        fprintf(to, *p == '\'' || *p == '\\' ? "\\%c" : "%c", *p);
    fputs("'\n", to);
}

// `when` is a condition with its -n, or empty.
static void put_fish_options(const struct cli *cli, const char *tool, const char *when, FILE *to)
{
    for (const struct cli_option *o = cli->options; o->name; o++) {
        fprintf(to, "complete -c %s%s -l %s", tool, when, o->name);
        if (has_short(o))
            fprintf(to, " -s %c", o->id);
        if (o->arg && !is_optional(o))
            fputs(has_choices(o) ? " -x" : " -r", to);
        if (has_choices(o)) {
            fputs(" -a '", to);
            put_choices(to, o);
            fputc('\'', to);
        }
        put_fish_help(o->help, to);
    }
}

static void put_fish(const struct cli *cli, FILE *to)
{
    if (!cli->commands) {
        put_fish_options(cli, cli->tool, "", to);
        return;
    }
    for (const struct cli_command *c = cli->commands; c->name; c++) {
        char when[80];
        fprintf(to, "complete -c %s -n __fish_use_subcommand -f -a %s", cli->tool, c->name);
        put_fish_help(c->cli->summary, to);
        snprintf(when, sizeof(when), " -n '__fish_seen_subcommand_from %s'", c->name);
        put_fish_options(c->cli, cli->tool, when, to);
    }
    fputs("set -l commands", to);
    for (const struct cli_command *c = cli->commands; c->name; c++)
        fprintf(to, " %s", c->name);
    fputc('\n', to);
    put_fish_options(cli, cli->tool, " -n \"not __fish_seen_subcommand_from $commands\"", to);
}

bool cli_completion(const struct cli *cli, const char *shell, FILE *to)
{
    static const struct {
        const char *shell;
        void (*put)(const struct cli *, FILE *);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shell, shells[i].shell) == 0) {
            shells[i].put(cli, to);
            return true;
        }
    }
    return false;
}
