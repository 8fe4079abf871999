// hlxls_options.c: what hlxls can be asked for on its command line.
#include "latent/hlxls_options.h"

#include <string.h>

#include "base/cli.h"
#include "base/version.h"
#include "latent/lcr.h"
#include "latent/store.h"

enum {
    OPT_STORE = 256,
    OPT_FROM,
    OPT_TO,
    OPT_LEVEL,
    OPT_NAME,
    OPT_BIND,
    OPT_DROP,
    OPT_RESTORE,
    OPT_GRACE,
    OPT_DEPTH,
    OPT_JSON,
    OPT_LIST,
    OPT_REPAIR,
    OPT_DRY_RUN,
    OPT_ALL,
    OPT_NAMES,
    OPT_FULL,
    OPT_TOKENS,
    OPT_DIAGNOSTICS,
    OPT_COLOR
};

enum { DEPTH_MOST = 64, GRACE = 3600 };

// -- rows that several commands have -------------------------------------------------------------

// clang-format off
#define ROW_STORE                                                                                  \
    {OPT_STORE, "store", "FOLDER",                                                                 \
     "the store (default: $HLX_STORE, else ~/.local/share/hlx, else ./.hlx)", "Store"}
#define ROW_FROM                                                                                   \
    {OPT_FROM, "from", "lcb|lct|lcr|json|bytes|text",                                              \
     "the form of the input (default: by the end of the file's name, else by its look)", "Input"}
#define ROWS_TO                                                                                    \
    {OPT_TO, "to", "lcb|lct|lcr|json|bytes",                                                       \
     "the form of the output; `bytes` is the content of bytes or text alone", "Output"},           \
    {OPT_LEVEL, "level", "N", "how dense LC-R is to be, 0 to 12 (default 12)", 0},                 \
    {'o', "output", "FILE", "write to FILE", 0}
#define ROWS_MESSAGES                                                                              \
    {OPT_DIAGNOSTICS, "diagnostics", "text|short|json", "the form of error messages", "Messages"}, \
    {OPT_COLOR, "color", "auto|always|never", "when to use colour", 0}
// clang-format on

#define EXIT_CODES "Exit codes: 0 done; 2 wrong command line; 4 damaged or missing data.\n"

// -- storing and finding -------------------------------------------------------------------------

static const struct cli_option collapse_table[] = {
    {OPT_FROM, "from", "lcb|lct|lcr|json|bytes|text",
     "the form of the files (default: by the end of their names, others are bytes; standard input "
     "by its look)",
     "Input"},
    {OPT_NAME, "name", "NAME", "bind NAME to the value; once for each file, in their order",
     "Store"},
    {OPT_STORE, "store", "FOLDER",
     "the store (default: $HLX_STORE, else ~/.local/share/hlx, else ./.hlx)", 0},
    ROWS_MESSAGES,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli collapse_cli = {
    .tool = "hlxls collapse",
    .usage = "hlxls collapse [options] FILE...",
    .summary = "Stores values, all or none, and prints their handles.",
    .trailer = "Examples:\n"
               "  hlxls collapse config.json --name config\n"
               "  echo '{\"layers\": 4}' | hlxls collapse -\n"
               "  hlxls collapse model.spv --from bytes --name shader\n"
               "\n" EXIT_CODES,
    .options = collapse_table,
};

static const struct cli_option resolve_table[] = {ROW_STORE, ROWS_TO, CLI_COMMON_COMMAND, {0}};
static const struct cli resolve_cli = {
    .tool = "hlxls resolve",
    .usage = "hlxls resolve [options] HANDLE...",
    .summary = "Prints stored values (as LC-T); `-` reads handles from standard input.",
    .trailer = "A handle is written &h_ and its digits (or 8 and more first ones), or &h_ and a "
               "name; &h_\nmay be left out.\n\n"
               "Examples:\n"
               "  hlxls resolve config --to json\n"
               "  hlxls resolve shader --to bytes -o shader.spv\n"
               "\n" EXIT_CODES,
    .options = resolve_table,
};

static const struct cli_option names_table[] = {
    {OPT_BIND, "bind", "NAME=HANDLE", "bind NAME to a stored value; may be given more than once",
     "Names"},
    {OPT_DROP, "drop", "NAME", "take NAME away; may be given more than once", 0},
    {OPT_JSON, "json", 0, "print JSON", "Output"},
    ROW_STORE,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli names_cli = {
    .tool = "hlxls names",
    .usage = "hlxls names [options]",
    .summary = "Lists names and what they are bound to, or changes them, all or none.",
    .trailer = EXIT_CODES,
    .options = names_table,
};

static const struct cli_option snapshot_table[] = {
    {OPT_LIST, "list", 0, "list the snapshots that are kept", "Snapshots"},
    {OPT_RESTORE, "restore", "HANDLE", "make the names those of a snapshot", 0},
    {OPT_DROP, "drop", "HANDLE", "no longer keep a snapshot", 0},
    ROW_STORE,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli snapshot_cli = {
    .tool = "hlxls snapshot",
    .usage = "hlxls snapshot [options]",
    .summary = "Keeps the names as they are now under a handle, and prints it.",
    .trailer = EXIT_CODES,
    .options = snapshot_table,
};

// -- order ---------------------------------------------------------------------------------------

static const struct cli_option fsck_table[] = {
    {OPT_REPAIR, "repair", 0, "move damaged files to `quarantine`, mend names", "Check"},
    ROW_STORE,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli fsck_cli = {
    .tool = "hlxls fsck",
    .usage = "hlxls fsck [options]",
    .summary = "Reads the whole store and tells what is damaged.",
    .trailer = "Exit codes: 0 all is well, or is now; 2 wrong command line; 4 something is "
               "damaged.\n",
    .options = fsck_table,
};

static const struct cli_option gc_table[] = {
    {'n', "dry-run", 0, "only print what would be removed", "Collection"},
    {OPT_GRACE, "grace", "SECONDS",
     "keep what was stored less than SECONDS ago, whatever leads to it (default 3600)", 0},
    ROW_STORE,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli gc_cli = {
    .tool = "hlxls gc",
    .usage = "hlxls gc [options]",
    .summary = "Removes values that no name and no snapshot leads to.",
    .trailer = EXIT_CODES,
    .options = gc_table,
};

// -- packs ---------------------------------------------------------------------------------------

static const struct cli_option pack_table[] = {
    {'o', "output", "FILE", "the pack to write", "Output"},
    {OPT_ALL, "all", 0, "pack all names", "What to pack"},
    ROW_STORE,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli pack_cli = {
    .tool = "hlxls pack",
    .usage = "hlxls pack -o FILE HANDLE\n"
             "       hlxls pack -o FILE NAME NAME...\n"
             "       hlxls pack -o FILE --all",
    .summary = "Writes stored values, with all that they lead to, into one file.",
    .trailer =
        "Of several names the pack's root is {\"names\": {NAME: HANDLE, ...}}.\n\n" EXIT_CODES,
    .options = pack_table,
};

static const struct cli_option unpack_table[] = {
    {OPT_NAME, "name", "NAME", "bind NAME to the root of the pack", "Store"},
    {OPT_NAMES, "names", 0, "bind the names that were packed", 0},
    {OPT_STORE, "store", "FOLDER",
     "the store (default: $HLX_STORE, else ~/.local/share/hlx, else ./.hlx)", 0},
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli unpack_cli = {
    .tool = "hlxls unpack",
    .usage = "hlxls unpack [options] FILE",
    .summary = "Stores the values of a pack (a .hbin is one), and prints its root's handle.",
    .trailer = EXIT_CODES,
    .options = unpack_table,
};

// -- values --------------------------------------------------------------------------------------

static const struct cli_option convert_table[] = {
    ROW_FROM, ROWS_TO, ROWS_MESSAGES, CLI_COMMON_COMMAND, {0}};
static const struct cli convert_cli = {
    .tool = "hlxls convert",
    .usage = "hlxls convert --to FORM [options] [FILE]",
    .summary = "Writes a value in another form.",
    .trailer = "Examples:\n"
               "  hlxls convert --to lcr --level 12 value.json\n"
               "  hlxls convert --from lct --to lcb <value.lct >value.lcb\n"
               "\n" EXIT_CODES,
    .options = convert_table,
};

static const struct cli_option show_table[] = {
    ROW_FROM,
    {OPT_DEPTH, "depth", "N", "follow handles N deep (default: 0; in a pack: 64)", "Output"},
    {OPT_FULL, "full", 0, "do not cut long texts, bytes and lists", 0},
    {OPT_JSON, "json", 0, "print JSON", 0},
    ROW_STORE,
    ROWS_MESSAGES,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli show_cli = {
    .tool = "hlxls show",
    .usage = "hlxls show [options] FILE | HANDLE ...",
    .summary = "Prints values, packs and contracts for people.",
    .trailer = EXIT_CODES,
    .options = show_table,
};

static const struct cli_option validate_table[] = {
    ROW_FROM, ROW_STORE, ROWS_MESSAGES, CLI_COMMON_COMMAND, {0}};
static const struct cli validate_cli = {
    .tool = "hlxls validate",
    .usage = "hlxls validate [options] FILE | HANDLE ...",
    .summary = "Checks the contracts in values (contract 805).",
    .trailer = "Exit codes: 0 all are valid; 1 a contract is broken; 2 wrong command line;\n"
               "4 damaged or missing data.\n",
    .options = validate_table,
};

static const struct cli_option stats_table[] = {
    ROW_FROM,
    {OPT_TOKENS, "tokens", "SCRIPT",
     "count tokens of a language model, too, with `node SCRIPT` (tools/tokens.js of the sources)",
     "Output"},
    {OPT_JSON, "json", 0, "print JSON", 0},
    ROW_STORE,
    ROWS_MESSAGES,
    CLI_COMMON_COMMAND,
    {0},
};
static const struct cli stats_cli = {
    .tool = "hlxls stats",
    .usage = "hlxls stats [options] FILE | HANDLE ...",
    .summary = "Measures values in every form: characters, bytes, tokens.",
    .trailer = EXIT_CODES,
    .options = stats_table,
};

// -- all commands --------------------------------------------------------------------------------

static const struct cli_command commands[] = {
    {"collapse", &collapse_cli},
    {"resolve", &resolve_cli},
    {"convert", &convert_cli},
    {"show", &show_cli},
    {"validate", &validate_cli},
    {"stats", &stats_cli},
    {"names", &names_cli},
    {"snapshot", &snapshot_cli},
    {"fsck", &fsck_cli},
    {"gc", &gc_cli},
    {"pack", &pack_cli},
    {"unpack", &unpack_cli},
    {0},
};

static const struct cli_option common_table[] = {CLI_COMMON, {0}};

static const struct cli hlxls_cli = {
    .tool = "hlxls",
    .usage = "hlxls COMMAND [options] [FILE or HANDLE]...",
    .summary = "Stores, finds, converts and checks latent values.",
    .trailer = "`hlxls COMMAND --help` tells about one. `-` is standard input.\n",
    .options = common_table,
    .commands = commands,
};

// -- reading -------------------------------------------------------------------------------------

static bool choose(const struct cli_parse *p, const char *what, const char *const *words,
                   unsigned *out)
{
    for (unsigned i = 0; words[i]; i++)
        if (strcmp(words[i], p->value) == 0) {
            *out = i;
            return true;
        }
    fprintf(stderr, "%s: %s: `%s` is none of", p->cli->tool, what, p->value);
    for (unsigned i = 0; words[i]; i++)
        fprintf(stderr, " %s", words[i]);
    fputc('\n', stderr);
    return false;
}

static bool set_form(const struct cli_parse *p, const char *what, bool input, const char **out)
{
    static const char *const forms[] = {"lcb", "lct", "lcr", "json", "bytes", "text", NULL};
    static const char *const outputs[] = {"lcb", "lct", "lcr", "json", "bytes", NULL};
    const char *const *words = input ? forms : outputs;
    unsigned i = 0;
    if (!choose(p, what, words, &i))
        return false;
    *out = words[i];
    return true;
}

static bool set_number(struct hlxls_options *o, const struct cli_parse *p, int id)
{
    long long x;
    switch (id) {
    case OPT_LEVEL:
        if (!cli_integer(p, "--level", p->value, 0, LCR_MAX_LEVEL, &x))
            return false;
        o->level = (unsigned)x;
        return true;
    case OPT_DEPTH:
        if (!cli_integer(p, "--depth", p->value, 0, DEPTH_MOST, &x))
            return false;
        o->depth = (unsigned)x;
        return o->depth_given = true;
    default:
        if (!cli_integer(p, "--grace", p->value, 0, INT64_MAX, &x))
            return false;
        o->grace = (uint64_t)x;
        return true;
    }
}

static bool set_messages(struct hlxls_options *o, const struct cli_parse *p, int id)
{
    static const char *const formats[] = {"text", "short", "json", NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    unsigned i = 0;
    if (id == OPT_DIAGNOSTICS && choose(p, "--diagnostics", formats, &i))
        o->diagnostics = (enum diag_format)i;
    else if (id == OPT_COLOR && choose(p, "--color", colors, &i))
        o->color = (enum diag_color)i;
    else
        return false;
    return true;
}

static bool apply(struct hlxls_options *o, struct arena *a, const struct cli_parse *p, int id)
{
    switch (id) {
    case OPT_STORE: o->store = p->value; return true;
    case OPT_FROM: return set_form(p, "--from", true, &o->from);
    case OPT_TO: return set_form(p, "--to", false, &o->to);
    case OPT_LEVEL:
    case OPT_DEPTH:
    case OPT_GRACE: return set_number(o, p, id);
    case 'o': o->output = p->value; return true;
    case OPT_NAME: vec_push(a, &o->names, p->value); return true;
    case OPT_BIND: vec_push(a, &o->bind, p->value); return true;
    case OPT_DROP: vec_push(a, &o->drop, p->value); return true;
    case OPT_RESTORE: o->restore = p->value; return true;
    case OPT_JSON: return o->json = true;
    case OPT_LIST: return o->list = true;
    case OPT_REPAIR: return o->repair = true;
    case 'n': return o->dry_run = true;
    case OPT_ALL: return o->all = true;
    case OPT_NAMES: return o->bind_all = true;
    case OPT_FULL: return o->full = true;
    case OPT_TOKENS: o->tokens = p->value; return true;
    default: return set_messages(o, p, id);
    }
}

// How many operands each command takes.
static bool count_fits(const struct hlxls_options *o, int *least, int *most)
{
    static const struct {
        const char *command;
        int least, most;
    } rows[] = {{"convert", 0, 1}, {"names", 0, 0},  {"snapshot", 0, 0}, {"fsck", 0, 0},
                {"gc", 0, 0},      {"unpack", 1, 1}, {"pack", 0, -1}};
    *least = 1;
    *most = -1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].command, o->command) == 0) {
            *least = rows[i].least;
            *most = rows[i].most;
        }
    return o->noperands >= *least && (*most < 0 || o->noperands <= *most);
}

static const char *misuse(const struct hlxls_options *o)
{
    int least, most;
    for (size_t i = 0; i < o->bind.n; i++)
        if (!strchr(o->bind.at[i], '='))
            return "--bind wants NAME=HANDLE";
    bool packs = strcmp(o->command, "pack") == 0;
    if (!count_fits(o, &least, &most))
        return o->noperands < least ? "say which value: a file or a handle is missing"
               : most == 0          ? "there is nothing to be done with a file or handle"
                                    : "one file at a time";
    if (strcmp(o->command, "convert") == 0 && !o->to)
        return "say what is wanted: --to lcb, lct, lcr, json or bytes";
    if (packs && !o->output)
        return "say where to: -o FILE";
    if (packs && o->all == (o->noperands > 0))
        return "say what to pack: handles, or --all";
    if (strcmp(o->command, "collapse") == 0 && o->names.n > (size_t)o->noperands)
        return "there are more names than files";
    if (strcmp(o->command, "unpack") == 0 && o->names.n > 1)
        return "a pack has one root to be named";
    if (strcmp(o->command, "snapshot") == 0 && o->list + (o->restore != NULL) + (o->drop.n > 0) > 1)
        return "one of --list, --restore and --drop at a time";
    return NULL;
}

int hlxls_options_read(struct hlxls_options *o, struct arena *a, int argc, char **argv)
{
    struct cli_parse p;
    int id;
    bool ok = true;
    const struct cli_command *command = cli_command(&hlxls_cli, argc, argv);
    *o = (struct hlxls_options){.level = LCR_MAX_LEVEL, .grace = GRACE};
    if (!command)
        return EXIT_USAGE;
    o->command = command->name;
    cli_start(&p, command->cli, argc - 1, argv + 1);
    while (ok && (id = cli_next(&p)) != CLI_END)
        ok = id != CLI_BAD && apply(o, a, &p, id);
    o->noperands = cli_operands(&p, &o->operand);
    const char *why = ok ? misuse(o) : NULL;
    if (why)
        fprintf(stderr, "%s: %s; see %s --help\n", command->cli->tool, why, command->cli->tool);
    if (!o->store)
        o->store = store_default_path(a);
    cli_finish(&p);
    return ok && !why ? -1 : EXIT_USAGE;
}
