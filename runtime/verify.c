// verify.c: runs a receipt's run again and compares every record.
#include "runtime/verify.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/version.h"
#include "runtime/record.h"
#include "runtime/replay.h"

// -- comparing -----------------------------------------------------------------------------------

struct verify {
    struct arena arena;
    struct replay_options asked;
    uint32_t from, to; // the span: steps whose records are compared
    bool quiet;

    struct replay replay;
    size_t compared;
    unsigned char *roots;
};

static const char *path_of(const struct receipt *r, size_t tensor)
{
    return r->tensors->as.array.at[tensor]->as.array.at[0]->as.bytes.at;
}

// "`a`, `b` and 3 more", of what differs; NULL when nothing does.
static const char *list_tensors(struct verify *v, const struct receipt_record *want)
{
    enum { SHOWN = 4 };
    const struct receipt *r = &v->replay.receipt;
    struct buf out = {0};
    size_t n = 0;
    for (size_t i = 0; i < r->tensors->as.array.n; i++) {
        size_t at = i * HANDLE_BYTES;
        if (memcmp(want->roots + at, v->roots + at, HANDLE_BYTES) == 0)
            continue;
        if (n++ < SHOWN)
            buf_printf(&out, "%s`%s`", n > 1 ? ", " : "", path_of(r, i));
    }
    if (n > SHOWN)
        buf_printf(&out, " and %zu more", n - SHOWN);
    const char *text = n > 0 ? arena_copy(&v->arena, out.at, out.n) : NULL;
    buf_free(&out);
    return text;
}

static const char *show_bits(struct arena *a, const struct train_scalar *s, const struct value *v)
{
    if (!v)
        return "nothing";
    uint32_t bits = (uint32_t)v->as.integer;
    float x;
    memcpy(&x, &bits, sizeof x);
    return s->integer ? arena_printf(a, "%08lx", (unsigned long)bits)
                      : arena_printf(a, "%.9g (%08lx)", (double)x, (unsigned long)bits);
}

// The first output that differs, with both values; NULL when none does.
static const char *first_output(struct verify *v, const struct train_run *run,
                                const struct receipt_record *want)
{
    const struct value *have = record_outputs(&v->arena, run);
    if (value_equal(have, want->outputs))
        return NULL;
    for (size_t i = 0; i < run->nscalars; i++) {
        const struct train_scalar *s = &run->scalar[i];
        const struct value *x = value_get(want->outputs, s->name), *y = value_get(have, s->name);
        if (!x || !value_equal(x, y))
            return arena_printf(&v->arena, "%s is %s, the receipt says %s", s->name,
                                show_bits(&v->arena, s, y), show_bits(&v->arena, s, x));
    }
    return "the receipt has outputs that the program has not";
}

// What can be done about a difference.
static const char *advice(const struct receipt *r)
{
    return strcmp(r->profile, "exact") == 0
               ? "`hlxrun bisect` finds where"
               : "in the profile `native` only the device and driver of the receipt must give it";
}

static bool compare(struct verify *v, const struct train_run *run, uint64_t epoch,
                    const struct receipt_record *want, struct hlx_error *error)
{
    const char *tensors = list_tensors(v, want), *output = first_output(v, run, want);
    v->compared++;
    if (!tensors && !output && epoch == want->epoch)
        return true;
    if (!tensors && !output)
        return hlx_fail(error, EXIT_MISMATCH, "step %lu is in epoch %llu, the receipt says %llu",
                        (unsigned long)run->step, (unsigned long long)epoch,
                        (unsigned long long)want->epoch);
    return hlx_fail(
        error, EXIT_MISMATCH, "the first record that differs is that of step %lu: %s%s%s%s; %s",
        (unsigned long)run->step, tensors ? "the state differs in " : "", tensors ? tensors : "",
        tensors && output ? "; " : "", output ? output : "", advice(&v->replay.receipt));
}

static bool on_state(void *user, const struct train_run *run, uint64_t epoch, unsigned char *leaves,
                     struct hlx_error *error)
{
    struct verify *v = user;
    const struct receipt_record *want = receipt_at(&v->replay.receipt, run->step);
    if (!want || run->step < v->from || run->step > v->to)
        return true;
    state_roots(&run->exec->layout, leaves, v->roots);
    return compare(v, run, epoch, want, error);
}

// -- running -------------------------------------------------------------------------------------

static void say(const struct verify *v, const struct train_run *run)
{
    const struct receipt *r = &v->replay.receipt;
    struct handle seal;
    char text[HANDLE_TEXT + 1];
    memcpy(seal.sha, receipt_seal(r), HANDLE_BYTES);
    handle_text(&seal, text);
    printf("identical: %zu of %zu records, up to step %lu, on %s\nseal: %s\n", v->compared,
           r->records.n, (unsigned long)run->step, exec_title(run->exec), text + 3);
    if (run->exec->ops != &exec_cpu) // which runs the IR itself
        printf("note: with the kernels of %s; hlxc %s -o NEW makes them anew from its IR\n",
               v->replay.session.path, v->replay.session.path);
    if (strcmp(r->profile, "exact") != 0)
        printf("note: in the profile `%s` this holds for this device and driver alone\n",
               r->profile);
}

static bool run_steps(struct verify *v, struct exec *x, struct batches *b, struct hlx_error *error)
{
    const struct receipt *r = &v->replay.receipt;
    uint32_t last = r->records.at[r->records.n - 1].step;
    struct train_run run;
    v->roots = arena_array(&v->arena, x->layout.n + 1, HANDLE_BYTES);
    const struct train_options options = {.steps = v->to < last ? v->to : last,
                                          .any_loss = true,
                                          .every = r->every,
                                          .watch = {.user = v, .state = on_state}};
    if (!train_open(&run, x, b, &options, error))
        return false;
    bool ok = replay_check_start(&v->replay, &run, error) && train(&run, error);
    if (ok && v->compared == 0)
        ok = hlx_fail(error, EXIT_USAGE, "the receipt has no record from step %lu to %lu",
                      (unsigned long)v->from, (unsigned long)v->to);
    if (ok && !v->quiet)
        say(v, &run);
    train_close(&run);
    return ok;
}

static bool run_replay(struct verify *v, struct hlx_error *error)
{
    struct replay *r = &v->replay;
    struct batches b;
    v->asked.device.seed = r->receipt.seed;
    if (!batches_open(&b, &r->session.program.module, r->entry, r->source ? &r->source->set : NULL,
                      error))
        return false;
    struct exec *x = exec_start(&v->asked.device, &r->session.program, error);
    bool ok = x && run_steps(v, x, &b, error);
    exec_close(x);
    batches_close(&b);
    return ok;
}

static bool verify(struct verify *v, struct hlx_error *error)
{
    if (!replay_open(&v->replay, &v->asked, error))
        return false;
    assert(v->replay.receipt.tensors && v->replay.entry); // replay_open has them
    bool ok = run_replay(v, error);
    replay_close(&v->replay);
    return ok;
}

// -- the command line ----------------------------------------------------------------------------

enum { OPT_SPAN = 256, OPT_NO_FUSE, OPT_WORKERS };

static const struct cli_option table[] = {
    REPLAY_ROW_PROGRAM("What to run"),
    {OPT_SPAN, "span", "A:B", "compare the records of steps A to B alone", 0},
    REPLAY_ROW_DATA(0),
    REPLAY_ROW_DEVICE("run on this device (see hlxrun --help)"),
    REPLAY_ROW_VARIANT("force these kernel variants where a step has them"),
    {OPT_NO_FUSE, "no-fuse", 0, "make every operation a kernel of its own (the same bits)", 0},
    {OPT_WORKERS, "workers", "N",
     "share the shards among N workers, a power of two (the same bits)", 0},
    {'q', "quiet", 0, "say nothing but errors", "Output"},
    CLI_COMMON_COMMAND,
    {0, 0, 0, 0, 0},
};

const struct cli verify_cli = {
    .tool = "hlxrun verify",
    .usage = "hlxrun verify RECEIPT [--program FILE.hbin] [options]",
    .summary = "Checks a receipt: its form and chain, then every digest, by running it again.",
    .trailer = "Exit codes: 0 identical; 2 wrong command line; 3 no such device; 4 the receipt is\n"
               "damaged, or about another program or other data; 5 a digest differs.\n",
    .options = table,
};

static bool read_step(const char **at, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(*at, &end, 10);
    bool ok = isdigit((unsigned char)**at) && errno == 0 && x <= UINT32_MAX;
    *out = (uint32_t)x;
    *at = end;
    return ok;
}

static bool read_span(const char *text, uint32_t *from, uint32_t *to)
{
    return read_step(&text, from) && *text++ == ':' && read_step(&text, to) && !*text &&
           *from <= *to;
}

static bool set_span(struct verify *v, const struct cli_parse *p)
{
    if (read_span(p->value, &v->from, &v->to))
        return true;
    cli_misuse(p->cli, "--span takes two steps, A:B, A not above B");
    return false;
}

static bool apply(void *user, const struct cli_parse *p, int id)
{
    struct verify *v = user;
    switch (id) {
    case OPT_SPAN: return set_span(v, p);
    case OPT_WORKERS: return replay_workers(p, &v->asked.device.workers);
    case OPT_NO_FUSE: v->asked.device.flags |= EXEC_NO_FUSE; return true;
    case 'q': return v->quiet = true;
    default: return replay_option(&v->asked, &v->arena, p, id);
    }
}

static int run(void *user, int n, char **operand)
{
    struct verify *v = user;
    struct hlx_error error;
    if (n != 1)
        return cli_misuse(&verify_cli, n == 0 ? "no receipt was given" : "one receipt at a time");
    v->asked.receipt = operand[0];
    if (verify(v, &error))
        return EXIT_OK;
    fprintf(stderr, "hlxrun verify: %s\n", error.text);
    return error.code;
}

int verify_main(int argc, char **argv)
{
    struct verify v = {.from = 1, .to = UINT32_MAX};
    int code = cli_take(&verify_cli, argc, argv, &(struct cli_taker){apply, run}, &v);
    arena_free(&v.arena);
    return code;
}
