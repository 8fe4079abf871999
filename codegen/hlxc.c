// hlxc.c: the compiler's command line: source in, a program or one of its stages out. Of a program,
// its kernels are made anew.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/version.h"
#include "codegen/hbin.h"
#include "codegen/hlxc_options.h"
#include "codegen/modules.h"
#include "codegen/plan.h"
#include "codegen/plan_print.h"
#include "codegen/rebuild.h"
#include "codegen/report.h"
#include "frontend/frontend.h"
#include "ir/fuse.h"
#include "ir/pass.h"
#include "ir/print.h"
#include "ir/shard.h"
#include "runtime/pipeline.h"

// One compilation.
struct compile {
    struct arena *arena;
    const struct hlxc_options *options;
    struct sources sources;
    struct diags diags;
    struct ir_module staged, *module; // of a source; which one it is
    struct program opened, *program;  // what is compiled anew, or NULL: a source is
    struct frontend_root root;        // a pipeline of the program's own kernels, or nothing
    struct pipeline pipeline;         // the same, opened
    struct buf printed;               // by `print` in the program
    struct buf out;                   // what is to be written
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void say_time(const struct compile *c, const char *what, double start)
{
    if (c->options->time_passes)
        fprintf(stderr, "%-10s %8.3f ms\n", what, 1e3 * (now() - start));
}

// -- the stages --------------------------------------------------------------------------------

// Whether the syntax tree is all that is asked for.
static bool syntax_only(const struct hlxc_options *o)
{
    return o->make == HLXC_AST || o->make == HLXC_AST_VALUE;
}

static bool dump_tree(struct compile *c, bool *missing)
{
    const char *input = c->options->input;
    if (c->options->make == HLXC_AST)
        return frontend_dump_ast(c->arena, input, &c->sources, &c->diags, &c->out, missing);
    return frontend_dump_ast_value(c->arena, input, &c->sources, &c->diags, &c->out, missing);
}

// Returns the exit code so far.
static int run_frontend(struct compile *c)
{
    const struct hlxc_options *o = c->options;
    double start = now();
    bool missing = false;
    struct frontend_define *define = arena_array(c->arena, o->defines.n, sizeof *define);
    for (size_t i = 0; i < o->defines.n; i++)
        define[i] = (struct frontend_define){o->defines.at[i].name, o->defines.at[i].value};
    struct frontend_options options = {
        .defines = define,
        .ndefines = o->defines.n,
        .include = o->include.at,
        .ninclude = o->include.n,
        .profile = o->profile,
        .printed = &c->printed,
        .assemble = modules_assemble,
        .root = &c->root,
    };
    bool ok = syntax_only(o) ? dump_tree(c, &missing)
                             : frontend_compile(c->arena, o->input, &options, &c->sources,
                                                &c->diags, c->module, &missing);
    say_time(c, "frontend", start);
    if (ok)
        return EXIT_OK;
    return missing ? EXIT_DATA : EXIT_PROGRAM;
}

static bool dumps(const struct compile *c, const char *pass)
{
    return c->options->make == HLXC_DUMP && !strcmp(c->options->dump, pass);
}

static int run_passes(struct compile *c)
{
    bool dump = c->options->make == HLXC_DUMP && !dumps(c, "fuse"); // which is no pass over IR
    struct ir_pass_options options = {
        .dump = dump ? c->options->dump : NULL,
        .dump_to = &c->out,
        .times = c->options->time_passes,
    };
    return ir_run_passes(c->module, &c->diags, &options) ? EXIT_OK : EXIT_PROGRAM;
}

static void dump_fusion(struct compile *c)
{
    ir_entries parts = {0};
    ir_parts(c->module, c->arena, &parts);
    for (size_t i = 0; i < parts.n; i++) {
        const struct ir_entry *e = parts.at[i];
        ir_refs roots = {0};
        struct ir_fusion fusion = {0};
        ir_entry_roots(e, false, c->arena, &roots);
        ir_fuse(e->graph, roots.at, roots.n, true, c->arena, &fusion);
        buf_printf(&c->out, "entry %s\n", e->name);
        ir_fusion_print(e->graph, &fusion, &c->out);
    }
}

// Packs the pipeline, and opens it as a runner will: what is wrong with it is told now.
static int make_pipeline(struct compile *c)
{
    struct hlx_error error;
    double start = now();
    hbin_write_pipeline(c->arena, c->root.value, c->root.object, c->root.n, &c->out);
    bool ok = pipeline_open_bytes(&c->pipeline, c->out.at, c->out.n, &error);
    if (!ok)
        fprintf(stderr, "hlxc: %s\n", error.text);
    if (c->options->make != HLXC_HBIN)
        buf_clear(&c->out);
    say_time(c, "pipeline", start);
    return ok ? EXIT_OK : EXIT_PROGRAM;
}

static const struct dispatch_program *make_plan(struct compile *c)
{
    double start = now();
    const char *why = NULL;
    if (c->root.value)
        return c->pipeline.program.dispatch;
    if (c->options->cpu_only)
        return NULL;
    const struct sources *lines = c->options->lines ? &c->sources : NULL;
    const struct dispatch_program *device =
        plan_program(c->arena, c->module, lines, !c->options->no_fuse, &why);
    if (!device)
        fprintf(stderr, "hlxc: only --device cpu will run this: %s\n", why);
    say_time(c, "plan", start);
    return device;
}

static int make_program(struct compile *c)
{
    if (c->root.value)
        return EXIT_OK; // it is there already
    const struct dispatch_program *device = make_plan(c);
    double start = now();
    if (c->program)
        hbin_rewrite(c->arena, c->program, device, &c->out);
    else
        hbin_write(c->arena, c->module, &c->sources, device, &c->out);
    say_time(c, "pack", start);
    return EXIT_OK;
}

// What a device would run, in one of three forms.
static int make_device_code(struct compile *c)
{
    const struct dispatch_program *device = make_plan(c);
    const char *folder = c->options->output, *why = NULL;
    bool ok = device != NULL;
    if (!ok)
        return EXIT_PROGRAM; // which make_plan explained
    switch (c->options->make) {
    case HLXC_PLAN: plan_print(device, &c->out); break;
    case HLXC_SPIRV_ASM: ok = modules_text(c->arena, device, &c->out, &why); break;
    default: ok = modules_write(c->arena, device, folder, &why); break;
    }
    if (ok)
        return EXIT_OK;
    fprintf(stderr, "hlxc: %s\n", why);
    return EXIT_DATA;
}

static int make_stats(struct compile *c)
{
    make_program(c);
    size_t bytes = c->out.n;
    buf_clear(&c->out);
    report_stats(c->arena, c->module, bytes, &c->out);
    return EXIT_OK;
}

static int make_output(struct compile *c)
{
    switch (c->options->make) {
    case HLXC_HBIN: return make_program(c);
    case HLXC_IR: ir_print(c->module, 0, &c->out); break;
    case HLXC_STATS: return make_stats(c);
    case HLXC_PLAN:
    case HLXC_SPIRV:
    case HLXC_SPIRV_ASM: return make_device_code(c);
    case HLXC_DUMP:
        if (dumps(c, "fuse"))
            dump_fusion(c);
        break;
    default: break; // the tree is there already; --check makes nothing
    }
    return EXIT_OK;
}

// -- writing -----------------------------------------------------------------------------------

static int write_output(struct compile *c)
{
    const struct hlxc_options *o = c->options;
    const char *why;
    if (o->make == HLXC_CHECK || o->make == HLXC_SPIRV)
        return EXIT_OK;
    if (file_write(c->arena, o->output ? o->output : "-", c->out.n ? c->out.at : "", c->out.n,
                   &why))
        return EXIT_OK;
    fprintf(stderr, "hlxc: %s\n", why);
    return EXIT_DATA;
}

// What the program printed goes to the standard output, unless that carries the result.
static void show_printed(struct compile *c)
{
    bool taken =
        c->options->make != HLXC_CHECK && (!c->options->output || !strcmp(c->options->output, "-"));
    if (c->printed.n > 0)
        fwrite(c->printed.at, 1, c->printed.n, taken ? stderr : stdout);
    fflush(stdout);
}

static int compile_source(struct compile *c)
{
    c->module = &c->staged;
    sources_init(&c->sources, c->arena);
    diags_init(&c->diags, c->arena, &c->sources);
    ir_module_init(c->module, c->arena);
    int code = run_frontend(c);
    if (code == EXIT_OK && !syntax_only(c->options))
        code = run_passes(c);
    show_printed(c);
    diags_print(&c->diags, c->options->diagnostics, c->options->color, stderr);
    if (code == EXIT_OK && c->root.value)
        code = make_pipeline(c);
    if (code != EXIT_OK)
        return code;
    frontend_settle_places(c->arena, &c->sources, c->module);
    code = make_output(c);
    return code == EXIT_OK ? write_output(c) : code;
}

// -- programs ------------------------------------------------------------------------------------

// The ways to make kernels, and how that is said.
static const struct {
    struct rebuild_how how;
    const char *said;
} ways[] = {
    {{.fuse = true, .lines = false}, ""},
    {{.fuse = false, .lines = false}, " with --no-fuse"},
    {{.fuse = true, .lines = true}, " with -g"},
    {{.fuse = false, .lines = true}, " with --no-fuse and -g"},
};
enum { WAYS = sizeof ways / sizeof *ways };

// Those that the options leave; returns how many.
static size_t ways_left(const struct hlxc_options *o, struct rebuild_how *how, const char **said)
{
    size_t n = 0;
    for (size_t i = 0; i < WAYS; i++) {
        if ((o->no_fuse && ways[i].how.fuse) || (o->lines && !ways[i].how.lines))
            continue;
        how[n] = ways[i].how;
        said[n++] = ways[i].said;
    }
    return n;
}

// Whether a program carries what this hlxc makes of its IR.
static int check_kernels(struct compile *c)
{
    const char *input = c->options->input, *said[WAYS];
    struct rebuild_how how[WAYS];
    size_t same, n = ways_left(c->options, how, said);
    if (!c->program->dispatch) {
        printf("`%s` carries no kernels; the device cpu alone runs it\n", input);
        return EXIT_OK;
    }
    const char *why = rebuild_compare(c->arena, c->program, how, n, &same);
    if (!why) {
        printf("the kernels of `%s` are what this hlxc makes of its IR%s\n", input, said[same]);
        return EXIT_OK;
    }
    fprintf(stderr,
            "hlxc: the kernels of `%s` are not what this hlxc makes of its IR: %s\n"
            "they are of another hlxc, or were replaced; hlxc %s -o NEW.hbin makes them anew\n",
            input, why, input);
    return EXIT_PROGRAM;
}

static int remake(struct compile *c)
{
    const char *why;
    c->module = &c->program->module;
    if (c->options->make == HLXC_CHECK)
        return check_kernels(c);
    if (c->options->lines && !rebuild_sources(c->arena, c->program, &c->sources, &why)) {
        fprintf(stderr, "hlxc: `%s`: %s\n", c->options->input, why);
        return EXIT_DATA;
    }
    int code = make_output(c);
    return code == EXIT_OK ? write_output(c) : code;
}

static int compile_program(struct compile *c)
{
    struct hlx_error error;
    double start = now();
    if (!program_open(&c->opened, c->options->input, &error)) {
        fprintf(stderr, "hlxc: %s\n", error.text);
        return error.code;
    }
    say_time(c, "open", start);
    c->program = &c->opened;
    int code = remake(c);
    program_close(c->program);
    return code;
}

// -- the command line --------------------------------------------------------------------------

static bool known_pass(struct arena *a, const char *name)
{
    VEC(const char *) names = {0};
    vec_push(a, &names, "stage");
    for (const struct ir_pass *p = ir_passes; p->name; p++)
        vec_push(a, &names, p->name);
    vec_push(a, &names, "fuse");
    for (size_t i = 0; i < names.n; i++)
        if (!strcmp(names.at[i], name))
            return true;
    fprintf(stderr, "hlxc: --dump: there is no pass `%s`; the passes:", name);
    for (size_t i = 0; i < names.n; i++)
        fprintf(stderr, " %s", names.at[i]);
    const char *near = text_nearest(name, names.at, names.n);
    fprintf(stderr, near ? "; did you mean `%s`?\n" : "\n", near);
    return false;
}

// Writes a reference to the standard output, and frees it.
static int print_reference(struct arena *a, struct buf *out)
{
    const char *why;
    bool ok = file_write(a, "-", out->at, out->n, &why);
    buf_free(out);
    if (!ok)
        fprintf(stderr, "hlxc: %s\n", why);
    return ok ? EXIT_OK : EXIT_DATA;
}

static int print_ops(struct arena *a)
{
    struct buf out = {0};
    ir_ops_markdown(&out);
    return print_reference(a, &out);
}

static int print_explanation(struct arena *a, const char *code)
{
    struct buf out = {0};
    const char *near;
    if (frontend_explain(code, &out, &near))
        return print_reference(a, &out);
    fprintf(stderr, "hlxc: --explain: there is no code `%s`; ", code);
    fprintf(stderr, near ? "did you mean %s?\n" : "hlxc --explain lists all\n", near);
    return EXIT_USAGE;
}

static int run(struct arena *a, const struct hlxc_options *o)
{
    struct compile c = {.arena = a, .options = o};
    if (o->make == HLXC_OPS)
        return print_ops(a);
    if (o->make == HLXC_EXPLAIN)
        return print_explanation(a, o->input);
    if (o->make == HLXC_DUMP && !known_pass(a, o->dump))
        return EXIT_USAGE;
    int code = o->compiled ? compile_program(&c) : compile_source(&c);
    if (c.root.value)
        pipeline_close(&c.pipeline);
    buf_free(&c.printed);
    buf_free(&c.out);
    return code;
}

int main(int argc, char **argv)
{
    struct arena a = {0};
    struct hlxc_options o;
    int code = hlxc_options_read(&o, &a, argc, argv);
    if (code < 0)
        code = run(&a, &o);
    arena_free(&a);
    return code;
}
