// hlxc_options.c: what hlxc can be asked for on its command line.
#include "codegen/hlxc_options.h"

#include <string.h>

#include "base/cli.h"
#include "base/version.h"
#include "codegen/rebuild.h"

enum {
    OPT_EMIT = 256,
    OPT_DUMP,
    OPT_CHECK,
    OPT_OPS,
    OPT_EXPLAIN,
    OPT_NUMERICS,
    OPT_TARGET,
    OPT_NO_FUSE,
    OPT_TIMES,
    OPT_DIAGS,
    OPT_COLOR
};

static const struct cli_option options[] = {
    {'o', "output", "FILE", "write to FILE (default: the input's name with .hbin)", "Output"},
    {OPT_EMIT, "emit", "ast|ast-value|ir|stats|plan|spirv|spirv-asm",
     "write a stage instead of the program (`spirv`: -o names a folder)", 0},
    {OPT_DUMP, "dump", "PASS", "write the IR after a pass (`fuse`: the kernels)", 0},
    {OPT_CHECK, "check", 0,
     "compile, report errors, write nothing; of a .hbin: are its kernels those of its IR?", 0},
    {OPT_OPS, "ops", 0, "print the reference of the IR's operations (Markdown)", 0},
    {'D', "define", "NAME=VALUE", "replace the top-level `let NAME` of the main file", "Source"},
    {'I', "include", "DIR", "look for imports in DIR, too", 0},
    {OPT_NUMERICS, "numerics", "exact|native", "the numeric profile (default exact)", 0},
    {OPT_TARGET, "target", "vulkan1.2|cpu",
     "what the program carries kernels for: Vulkan 1.2 devices (default), or none", 0},
    {OPT_NO_FUSE, "no-fuse", 0, "make every operation a kernel of its own (the same bits)", 0},
    {'g', "debug", 0, "put source lines into the kernels, for debuggers and profilers", 0},
    {OPT_TIMES, "time-passes", 0, "print the time each pass takes", "Messages"},
    {OPT_DIAGS, "diagnostics", "text|short|json", "the form of errors and warnings", 0},
    {OPT_EXPLAIN, "explain", "[CODE]", "explain a code, as HLX0401, with an example; or list them",
     0},
    {OPT_COLOR, "color", "auto|always|never", "whether errors are coloured", 0},
    CLI_COMMON,
    {0, 0, 0, 0, 0},
};

static const struct cli cli = {
    .tool = "hlxc",
    .usage = "hlxc [options] FILE",
    .summary =
        "Compiles HLXL, or HLX, to a program that hlxrun runs. Of a program (.hbin) it makes the "
        "kernels anew from its IR.",
    .trailer =
        "Examples:\n"
        "  hlxc model.hlxl && hlxrun model.hbin --train\n"
        "  hlxc model.hlxl --emit=stats\n"
        "  hlxc -D layers=8 model.hlxl -o deep.hbin\n"
        "  hlxc given.hbin -o mine.hbin\n"
        "\n"
        "Exit codes: 0 compiled; 1 errors in the source, or kernels that --check finds changed;\n"
        "2 wrong command line; 4 a file cannot be read or written; 70 an error of hlxc itself.\n",
    .options = options,
};

// The index of an option's value among the words it takes; -1 after saying which there are.
static int choose(const char *option, const char *value, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(words[i], value))
            return (int)i;
    const char *near = text_nearest(value, words, n);
    fprintf(stderr, "hlxc: --%s: `%s` is none of", option, value);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s %s", i ? "," : "", words[i]);
    fprintf(stderr, near ? "; did you mean `%s`?\n" : "\n", near);
    return -1;
}
#define CHOOSE(option, value, words) choose(option, value, words, sizeof words / sizeof *words)

static bool set_emit(struct hlxc_options *o, const char *value)
{
    static const char *const words[] = {"ast",  "ast-value", "ir",       "stats",
                                        "plan", "spirv",     "spirv-asm"};
    static const enum hlxc_make make[] = {HLXC_AST,  HLXC_AST_VALUE, HLXC_IR,       HLXC_STATS,
                                          HLXC_PLAN, HLXC_SPIRV,     HLXC_SPIRV_ASM};
    int i = CHOOSE("emit", value, words);
    if (i >= 0)
        o->make = make[i];
    return i >= 0;
}

static bool set_numerics(struct hlxc_options *o, const char *value)
{
    static const char *const words[] = {"exact", "native"};
    int i = CHOOSE("numerics", value, words);
    if (i >= 0)
        o->profile = words[i];
    return i >= 0;
}

static bool set_target(struct hlxc_options *o, const char *value)
{
    static const char *const words[] = {"vulkan1.2", "cpu"};
    int i = CHOOSE("target", value, words);
    o->cpu_only = i == 1;
    return i >= 0;
}

static bool set_diagnostics(struct hlxc_options *o, const char *value)
{
    static const char *const words[] = {"text", "short", "json"};
    static const enum diag_format format[] = {DIAG_TEXT, DIAG_SHORT, DIAG_JSON};
    int i = CHOOSE("diagnostics", value, words);
    if (i >= 0)
        o->diagnostics = format[i];
    return i >= 0;
}

static bool set_color(struct hlxc_options *o, const char *value)
{
    static const char *const words[] = {"auto", "always", "never"};
    static const enum diag_color color[] = {DIAG_COLOR_AUTO, DIAG_COLOR_ALWAYS, DIAG_COLOR_NEVER};
    int i = CHOOSE("color", value, words);
    if (i >= 0)
        o->color = color[i];
    return i >= 0;
}

static bool add_define(struct hlxc_options *o, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value) {
        fprintf(stderr, "hlxc: -D wants NAME=VALUE, not `%s`\n", value);
        return false;
    }
    const char *name = arena_copy(o->arena, value, (size_t)(equals - value));
    vec_push(o->arena, &o->defines, (struct hlxc_define){name, equals + 1});
    return true;
}

static bool apply(struct hlxc_options *o, int id, const char *value)
{
    switch (id) {
    case 'o': o->output = value; return true;
    case 'D': return add_define(o, value);
    case 'I': vec_push(o->arena, &o->include, value); return true;
    case OPT_EMIT: return set_emit(o, value);
    case OPT_DUMP:
        o->dump = value;
        o->make = HLXC_DUMP;
        return true;
    case OPT_CHECK: o->make = HLXC_CHECK; return true;
    case OPT_OPS: o->make = HLXC_OPS; return true;
    case OPT_EXPLAIN:
        o->make = HLXC_EXPLAIN;
        o->input = value;
        return true;
    case OPT_TARGET: return set_target(o, value);
    case OPT_NO_FUSE: return o->no_fuse = true;
    case 'g': return o->lines = true;
    case OPT_NUMERICS: return set_numerics(o, value);
    case OPT_TIMES: return o->time_passes = true;
    case OPT_DIAGS: return set_diagnostics(o, value);
    default: return set_color(o, value);
    }
}

// "a/model.hlxl" gives "a/model.hbin".
static const char *default_output(struct arena *a, const char *input)
{
    size_t n = strlen(input);
    if (n > 5 && !strcmp(input + n - 5, ".hlxl"))
        n -= 5;
    else if (n > 4 && !strcmp(input + n - 4, ".hlx"))
        n -= 4;
    return arena_printf(a, "%.*s.hbin", (int)n, input);
}

static int usage(const char *sentence)
{
    fprintf(stderr, "hlxc: %s; see hlxc --help\n", sentence);
    return EXIT_USAGE;
}

// The code to be explained stands behind `--explain=` or as an operand.
static int complete_explain(struct hlxc_options *o, int n, char **operand)
{
    if (n + (o->input != NULL) > 1)
        return usage("--explain takes one code");
    if (n == 1)
        o->input = operand[0];
    if (!o->input)
        o->input = "list";
    return -1;
}

// What shows kernels, of which there are none for the evaluator.
static bool shows_kernels(const struct hlxc_options *o)
{
    return o->make == HLXC_PLAN || o->make == HLXC_SPIRV || o->make == HLXC_SPIRV_ASM;
}

// A program has been staged, and through all passes; its IR says the profile.
static int complete_program(const struct hlxc_options *o)
{
    if (o->make == HLXC_AST || o->make == HLXC_AST_VALUE)
        return usage("a .hbin has no syntax tree, which --emit=ast and ast-value show");
    if (o->make == HLXC_DUMP && strcmp(o->dump, "fuse") != 0)
        return usage("a .hbin has been through all passes: of them --dump shows `fuse` alone");
    if (o->defines.n > 0 || o->include.n > 0 || o->profile)
        return usage("-D, -I and --numerics are for sources, not for a .hbin");
    if (o->make == HLXC_CHECK && o->cpu_only)
        return usage("--check of a .hbin looks at kernels, of which --target=cpu makes none");
    if (o->make == HLXC_HBIN && !o->output)
        return usage("of a .hbin the kernels are made anew, which needs -o NEW.hbin");
    return -1;
}

// What the operands and options must be together.
static int complete(struct hlxc_options *o, int n, char **operand)
{
    if (o->make == HLXC_OPS)
        return n == 0 ? -1 : usage("--ops takes no file");
    if (o->make == HLXC_EXPLAIN)
        return complete_explain(o, n, operand);
    if (n != 1)
        return usage(n == 0 ? "no file to compile was given" : "one file at a time");
    o->input = operand[0];
    o->compiled = strcmp(o->input, "-") != 0 && rebuild_is_program(o->input);
    if (o->compiled && complete_program(o) >= 0)
        return EXIT_USAGE;
    if (o->cpu_only && shows_kernels(o))
        return usage("--target=cpu makes no kernels, which --emit=plan, spirv and spirv-asm show");
    if (o->make == HLXC_SPIRV && !o->output)
        return usage("--emit=spirv needs -o FOLDER for the modules");
    if (o->make == HLXC_HBIN && !o->output && !strcmp(o->input, "-"))
        return usage("a program from the standard input needs -o FILE");
    if (o->make == HLXC_HBIN && !o->output)
        o->output = default_output(o->arena, o->input);
    if (o->make == HLXC_HBIN && !strcmp(o->output, o->input) && strcmp(o->input, "-") != 0)
        return usage("the output would replace the input");
    return -1;
}

int hlxc_options_read(struct hlxc_options *o, struct arena *a, int argc, char **argv)
{
    struct cli_parse p;
    int id;
    bool ok = true;
    *o = (struct hlxc_options){.arena = a};
    cli_start(&p, &cli, argc, argv);
    while (ok && (id = cli_next(&p)) != CLI_END)
        ok = id != CLI_BAD && apply(o, id, p.value);
    char **operand;
    int n = cli_operands(&p, &operand);
    int code = ok ? complete(o, n, operand) : EXIT_USAGE;
    cli_finish(&p);
    return code;
}
