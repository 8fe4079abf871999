// doctor.c: `hlxrun doctor`: tests a device and says what it gets wrong.
#include "runtime/doctor.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/text.h"
#include "runtime/doctor_sweep.h"
#include "runtime/exec_vk.h"

struct report {
    struct arena arena;
    struct doctor doctor;
    const char *device;
    bool exhaustive, as_json;
    char **only; // groups or functions that were asked for
    int nonly;
    json_t *rows; // of --json
    size_t tests, failed;
    const char *first; // that failed
};

// -- one test that failed ------------------------------------------------------------------------

static const char *operand_text(struct arena *a, const uint32_t *operand, size_t n)
{
    if (n == 0)
        return "";
    return n == 1 ? arena_printf(a, " of %08" PRIx32, operand[0])
                  : arena_printf(a, " of %08" PRIx32 " and %08" PRIx32, operand[0], operand[1]);
}

static void text_fault(struct report *r, const struct doctor_result *g,
                       const struct doctor_fault *f)
{
    printf("  FAILED %s.%s", g->group->name, f->test);
    if (f->variant)
        printf(" (variant %s)", f->variant);
    if (f->example)
        printf(": %zu elements differ; element %zu%s is %08" PRIx32
               ", the evaluator gives %08" PRIx32 "\n",
               f->differ, f->index, operand_text(&r->arena, f->operand, f->noperands), f->have,
               f->want);
    else
        printf(
            ": the digest is not the golden one, and the evaluator of this build agrees with it\n");
}

static json_t *json_bits(uint32_t bits)
{
    char text[9];
    snprintf(text, sizeof text, "%08" PRIx32, bits);
    return json_string(text);
}

static json_t *json_operands(const uint32_t *operand, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_bits(operand[i]));
    return list;
}

static json_t *json_fault(const struct doctor_fault *f)
{
    json_t *o = json_pack("{s:s, s:s?}", "test", f->test, "variant", f->variant);
    if (!f->example)
        return o;
    json_object_set_new(o, "differ", json_integer((json_int_t)f->differ));
    json_object_set_new(o, "element", json_integer((json_int_t)f->index));
    json_object_set_new(o, "operands", json_operands(f->operand, f->noperands));
    json_object_set_new(o, "device", json_bits(f->have));
    json_object_set_new(o, "evaluator", json_bits(f->want));
    return o;
}

// -- groups --------------------------------------------------------------------------------------

static void text_group(struct report *r, const struct doctor_result *g)
{
    char variants[48] = "";
    if (g->variants.n > 0)
        snprintf(variants, sizeof variants, " (%zu variants)", g->variants.n);
    printf("%-17s %9" PRIu64 " %9.3f ms  %-6s  %s%s\n", g->group->name, g->elements,
           g->seconds * 1e3, g->faults.n > 0 ? "FAILED" : "ok", g->group->covers, variants);
    for (size_t i = 0; i < g->faults.n; i++)
        text_fault(r, g, &g->faults.at[i]);
    fflush(stdout);
}

static void json_group(struct report *r, const struct doctor_result *g)
{
    json_t *variants = json_array(), *faults = json_array();
    for (size_t i = 0; i < g->variants.n; i++)
        json_array_append_new(variants, json_string(g->variants.at[i]));
    for (size_t i = 0; i < g->faults.n; i++)
        json_array_append_new(faults, json_fault(&g->faults.at[i]));
    json_array_append_new(r->rows,
                          json_pack("{s:s, s:s, s:I, s:f, s:b, s:o, s:o}", "test", g->group->name,
                                    "covers", g->group->covers, "elements", (json_int_t)g->elements,
                                    "seconds", g->seconds, "ok", g->faults.n == 0, "variants",
                                    variants, "faults", faults));
}

static size_t count_tests(const char *group)
{
    size_t n = 0;
    for (size_t i = 0; i < doctor_ntests; i++)
        n += !strcmp(doctor_tests[i].group, group);
    return n;
}

// How many tests failed; one may do so in several variants.
static size_t count_failed(const struct doctor_result *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->faults.n; i++) {
        bool seen = false;
        for (size_t k = 0; !seen && k < i; k++)
            seen = !strcmp(g->faults.at[k].test, g->faults.at[i].test);
        n += !seen;
    }
    return n;
}

static bool run_group(struct report *r, const struct doctor_group *group, struct hlx_error *e)
{
    struct doctor_result g;
    if (!doctor_run(&r->doctor, &r->arena, group, &g, e))
        return false;
    (r->as_json ? json_group : text_group)(r, &g);
    r->tests += count_tests(group->name);
    r->failed += count_failed(&g);
    // What fails in the quick group has a name of its own in a later one.
    bool quick = !strcmp(group->name, DOCTOR_QUICK);
    if (g.faults.n > 0 && (!r->first || !strncmp(r->first, DOCTOR_QUICK ".", 6)) &&
        !(quick && r->first))
        r->first = arena_printf(&r->arena, "%s.%s", group->name, g.faults.at[0].test);
    return true;
}

// -- sweeps --------------------------------------------------------------------------------------

static void text_sweep(struct report *r, const struct sweep_row *row, const struct sweep_result *s)
{
    bool ok = s->digest == row->digest;
    printf("%-9s %10" PRIu64 " %8.2f s  %016" PRIx64 "  %s\n", row->name, s->inputs, s->seconds,
           s->digest, ok ? "ok" : "FAILED");
    if (s->example)
        printf("  FAILED: the result%s is %08" PRIx32 ", the evaluator gives %08" PRIx32 "\n",
               operand_text(&r->arena, s->operand, row->operands), s->have, s->want);
    else if (!ok)
        printf("  FAILED: the digest is to be %016" PRIx64
               ", and the evaluator of this build agrees with the device\n",
               row->digest);
    fflush(stdout);
}

static void json_sweep(struct report *r, const struct sweep_row *row, const struct sweep_result *s)
{
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, s->digest);
    json_t *o = json_pack("{s:s, s:I, s:f, s:s, s:b}", "function", row->name, "inputs",
                          (json_int_t)s->inputs, "seconds", s->seconds, "digest", digest, "ok",
                          s->digest == row->digest);
    if (s->example) {
        json_object_set_new(o, "operands", json_operands(s->operand, row->operands));
        json_object_set_new(o, "device", json_bits(s->have));
        json_object_set_new(o, "evaluator", json_bits(s->want));
    }
    json_array_append_new(r->rows, o);
}

static bool run_sweep(struct report *r, const struct sweep_row *row, struct hlx_error *e)
{
    struct sweep_result s;
    if (!sweep_run(&r->doctor, row, 0, sweep_blocks(row), &s, e))
        return false;
    bool ok = s.digest == row->digest, evaluator = r->doctor.exec->ops == &exec_cpu;
    if (!ok && !evaluator && !sweep_example(&r->doctor, row, &s, e))
        return false;
    (r->as_json ? json_sweep : text_sweep)(r, row, &s);
    r->tests++;
    r->failed += !ok;
    if (!ok && !r->first)
        r->first = row->entry;
    return true;
}

// -- all of it -----------------------------------------------------------------------------------

static bool wanted(const struct report *r, const char *name)
{
    for (int i = 0; i < r->nonly; i++)
        if (!strcmp(r->only[i], name))
            return true;
    return r->nonly == 0;
}

static const char *sweep_name(const struct sweep_row *row)
{
    return row->entry + strlen("sweep_");
}

static bool run_all(struct report *r, struct hlx_error *e)
{
    bool ok = true;
    for (size_t i = 0; ok && !r->exhaustive && i < doctor_ngroups; i++)
        if (wanted(r, doctor_groups[i].name))
            ok = run_group(r, &doctor_groups[i], e);
    for (size_t i = 0; ok && r->exhaustive && i < sweep_nrows; i++)
        if (wanted(r, sweep_name(&sweep_rows[i])))
            ok = run_sweep(r, &sweep_rows[i], e);
    return ok;
}

// A device that failed anything is refused from now on; one that passed all of it is not.
static void remember(const struct report *r)
{
    const struct exec *x = r->doctor.exec;
    const struct vk_exec *v = x->device;
    bool whole = r->nonly == 0 && !r->exhaustive;
    if (x->ops == &exec_vulkan && (r->first || whole))
        doctor_remember(v->d.physical, r->first ? r->first : "");
}

static void text_end(const struct report *r)
{
    bool evaluator = r->doctor.exec->ops == &exec_cpu;
    const char *s = r->tests == 1 ? "" : "s";
    if (!r->first)
        printf("%zu test%s, %s\n", r->tests, s, r->tests == 1 ? "passed" : "all passed");
    else if (evaluator)
        printf("%zu test%s, %zu failed: this build's evaluator is wrong; what it computes cannot "
               "be trusted\n",
               r->tests, s, r->failed);
    else
        printf("%zu test%s, %zu failed: exact programs are refused on this device\n", r->tests, s,
               r->failed);
}

static bool json_end(struct report *r, struct hlx_error *e)
{
    struct buf clean = {0};
    const char *title = exec_title(r->doctor.exec);
    buf_visible(&clean, title, strlen(title));
    json_t *all = json_pack("{s:s, s:b, s:I, s:I, s:O}", "device", clean.at, "ok", !r->first,
                            "tests", (json_int_t)r->tests, "failed", (json_int_t)r->failed,
                            r->exhaustive ? "functions" : "groups", r->rows);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    if (text)
        puts(text);
    free(text);
    json_decref(all);
    buf_free(&clean);
    return text || hlx_no_memory(e, "the report");
}

static bool run(struct report *r, struct hlx_error *e)
{
    if (!doctor_open(&r->doctor, r->device, e))
        return false;
    if (!r->as_json)
        printf("device: %s\n", exec_title(r->doctor.exec));
    bool ok = run_all(r, e);
    if (ok) {
        remember(r);
        if (r->as_json)
            ok = json_end(r, e);
        else
            text_end(r);
    }
    doctor_close(&r->doctor);
    return ok;
}

// -- the command line ----------------------------------------------------------------------------

enum { COLUMNS = 90 };
enum { OPT_DEVICE = 256, OPT_EXHAUSTIVE, OPT_JSON };

static const struct cli_option table[] = {
    {OPT_DEVICE, "device", "NAME", "test this device (see hlxrun --help)", "What to test"},
    {OPT_EXHAUSTIVE, "exhaustive", 0,
     "try all 2^32 operands of every function and conversion (minutes on a GPU)", 0},
    {OPT_JSON, "json", 0, "print JSON", "Output"},
    CLI_COMMON_COMMAND,
    {0, 0, 0, 0, 0},
};

const struct cli doctor_cli = {
    .tool = "hlxrun doctor",
    .usage = "hlxrun doctor [--device NAME] [--exhaustive] [TEST...]",
    .summary = "Tests whether a device computes what the numeric contract says.",
    .options = table,
};

// What a TEST can be called, in order.
static size_t test_names(struct arena *a, bool exhaustive, const char ***out)
{
    size_t n = exhaustive ? sweep_nrows : doctor_ngroups;
    const char **name = *out = arena_array(a, n, sizeof *name);
    for (size_t i = 0; i < n; i++)
        name[i] = exhaustive ? sweep_name(&sweep_rows[i]) : doctor_groups[i].name;
    return n;
}

static void put_names(struct buf *out, size_t column, const char *const *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool breaks = column + strlen(name[i]) + 2 > COLUMNS;
        const char *before = i == 0 ? "" : breaks ? "\n" : " ";
        buf_printf(out, "%s%s%s", before, name[i], i + 1 < n ? "," : ".");
        column = (breaks ? 0 : column + strlen(before)) + strlen(name[i]) + 1;
    }
}

// The tables know the names, so the end of --help is made.
static const char *help_end(struct arena *a)
{
    static const char first[] = "TEST is a row of the table: ", second[] = "With --exhaustive: ";
    const char **name;
    struct buf out = {0};
    size_t n = test_names(a, false, &name);
    buf_puts(&out, first);
    put_names(&out, strlen(first), name, n);
    n = test_names(a, true, &name);
    buf_printf(&out, "\n%s", second);
    put_names(&out, strlen(second), name, n);
    buf_puts(&out,
             "\n\nExit codes: 0 all passed; 2 wrong command line; 3 a test failed, or there is no "
             "such\ndevice.\n");
    const char *text = arena_copy(a, out.at, out.n);
    buf_free(&out);
    return text;
}

static bool known(struct report *r, const char *word)
{
    const char **name;
    size_t n = test_names(&r->arena, r->exhaustive, &name);
    struct buf list = {0}, shown = {0};
    for (size_t i = 0; i < n; i++)
        if (!strcmp(name[i], word))
            return true;
    put_names(&list, 0, name, n);
    buf_visible(&shown, word, strlen(word));
    fprintf(stderr, "hlxrun doctor: there is no test `%s`%s; there are:\n%s\n",
            shown.n ? shown.at : "", r->exhaustive ? " with --exhaustive" : "", list.at);
    buf_free(&list);
    buf_free(&shown);
    return false;
}

static int report(struct report *r)
{
    struct hlx_error error;
    for (int i = 0; i < r->nonly; i++)
        if (!known(r, r->only[i]))
            return EXIT_USAGE;
    r->rows = r->as_json ? json_array() : NULL;
    bool ok = run(r, &error);
    json_decref(r->rows);
    if (ok)
        return r->first ? EXIT_DEVICE : EXIT_OK;
    fprintf(stderr, "hlxrun doctor: %s\n", error.text);
    return error.code;
}

int doctor_main(int argc, char **argv)
{
    struct report r = {0};
    struct cli_parse p;
    struct cli cli = doctor_cli;
    int id, code = -1;
    cli.trailer = help_end(&r.arena);
    cli_start(&p, &cli, argc, argv);
    while (code < 0 && (id = cli_next(&p)) != CLI_END)
        switch (id) {
        case OPT_DEVICE: r.device = p.value; break;
        case OPT_EXHAUSTIVE: r.exhaustive = true; break;
        case OPT_JSON: r.as_json = true; break;
        default: code = EXIT_USAGE;
        }
    r.nonly = cli_operands(&p, &r.only);
    if (code < 0)
        code = report(&r);
    cli_finish(&p);
    arena_free(&r.arena);
    return code;
}
