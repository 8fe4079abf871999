// hlxls.c: the command line of Latent Collapse: stores, finds, converts, shows and checks values.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "latent/hlxls_commands.h"

static const struct {
    const char *name;
    void (*run)(struct hlxls *t);
} commands[] = {
    {"collapse", hlxls_collapse}, {"resolve", hlxls_resolve},
    {"convert", hlxls_convert},   {"show", hlxls_show},
    {"validate", hlxls_validate}, {"stats", hlxls_stats},
    {"names", hlxls_names},       {"snapshot", hlxls_snapshot},
    {"fsck", hlxls_fsck},         {"gc", hlxls_gc},
    {"pack", hlxls_pack},         {"unpack", hlxls_unpack},
};

static void finish(struct hlxls *t)
{
    if (t->store)
        store_close(t->store);
    for (size_t i = 0; i < t->inputs.n; i++)
        free(t->inputs.at[i]);
    arena_free(&t->arena);
}

int main(int argc, char **argv)
{
    struct hlxls t = {0};
    int code = hlxls_options_read(&t.options, &t.arena, argc, argv);
    if (code >= 0) {
        finish(&t);
        return code;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, t.options.command) == 0)
            commands[i].run(&t);
    if (fflush(stdout) != 0 || ferror(stdout))
        hlxls_complain(&t, EXIT_DATA, "cannot write to standard output: %s", strerror(errno));
    code = t.code;
    finish(&t);
    return code;
}
