// cli_command.c: tools with commands: finds the one that a command line begins with.
#include "base/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *nearest_command(const struct cli *cli, const char *word)
{
    size_t n = 0;
    while (cli->commands[n].name)
        n++;
    const char **names = calloc(n + 1, sizeof(*names));
    if (!names)
        arena_exhausted();
    for (size_t i = 0; i < n; i++)
        names[i] = cli->commands[i].name;
    const char *nearest = text_nearest(word, names, n);
    free(names);
    return nearest;
}

static void complain(const struct cli *cli, const char *word)
{
    struct buf shown = {0};
    const char *nearest = nearest_command(cli, word);
    buf_visible(&shown, word, strlen(word));
    fprintf(stderr, "%s: unknown command `%s`", cli->tool, shown.n ? shown.at : "");
    if (nearest)
        fprintf(stderr, "; did you mean `%s`?", nearest);
    fputc('\n', stderr);
    buf_free(&shown);
}

// Options before a command: those that every tool has print and exit.
static void parse_common(const struct cli *cli, int argc, char **argv)
{
    struct cli_parse p;
    cli_start(&p, cli, argc, argv);
    cli_next(&p);
    cli_finish(&p);
}

const struct cli_command *cli_command(const struct cli *cli, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word && word[0] == '-' && word[1] != '\0') {
        parse_common(cli, argc, argv);
        return NULL;
    }
    for (const struct cli_command *c = cli->commands; word && c->name; c++)
        if (strcmp(c->name, word) == 0)
            return c;
    if (word)
        complain(cli, word);
    else
        fprintf(stderr, "%s: say what is to be done\n", cli->tool);
    fprintf(stderr, "Try `%s --help`.\n", cli->tool);
    return NULL;
}
