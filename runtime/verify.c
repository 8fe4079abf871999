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
    uint32_t first, last; // the records of the span
    size_t wanted, compared;
    unsigned char *roots;
};

// What can be done about a difference.
static const char *advice(struct verify *v)
{
    const struct receipt *r = &v->replay.receipt;
    const char *device, *driver;
    struct buf seen = {0};
    if (strcmp(r->profile, "exact") == 0)
        return "`hlxrun bisect` finds where";
    if (!value_get_text(r->run, "device", &device))
        device = "not stated";
    if (!value_get_text(r->run, "driver", &driver))
        driver = "";
    buf_visible(&seen, device, strlen(device));
    buf_puts(&seen, *driver ? ", driver " : "");
    buf_visible(&seen, driver, strlen(driver));
    const char *text = arena_printf(&v->arena,
                                    "in the profile `native` only the device and driver of the "
                                    "receipt must give it (%s)",
                                    seen.at);
    buf_free(&seen);
    return text;
}

static bool on_state(void *user, const struct train_run *run, uint64_t epoch, unsigned char *leaves,
                     struct hlx_error *error)
{
    struct verify *v = user;
    const struct receipt *r = &v->replay.receipt;
    const struct receipt_record *want = receipt_at(r, run->step);
    if (!want || run->step < v->from || run->step > v->to)
        return true;
    state_roots(&run->exec->layout, leaves, v->roots);
    const struct receipt_record have = {
        .epoch = epoch, .outputs = record_outputs(&v->arena, run), .roots = v->roots};
    const char *differ = replay_difference(&v->arena, r, run, &have, want, "the receipt says");
    v->compared++;
    return !differ || hlx_fail(error, EXIT_MISMATCH,
                               "the first record that differs is that of step %lu: %s; %s",
                               (unsigned long)run->step, differ, advice(v));
}

// -- running -------------------------------------------------------------------------------------

static void say(struct verify *v, const struct train_run *run)
{
    const struct receipt *r = &v->replay.receipt;
    struct handle seal;
    char text[HANDLE_TEXT + 1];
    memcpy(seal.sha, receipt_seal(r), HANDLE_BYTES);
    handle_text(&seal, text);
    printf("identical: %zu of %zu records, up to step %lu, on %s\nseal: %s", v->compared,
           r->records.n, (unsigned long)run->step, exec_title(run->exec), text + 3);
    if (v->wanted < r->records.n) // the seal is that of all records
        printf(" (only step%s %lu%s%s checked)", v->wanted > 1 ? "s" : "", (unsigned long)v->first,
               v->wanted > 1 ? arena_printf(&v->arena, " to %lu", (unsigned long)v->last) : "",
               v->wanted > 1 ? " were" : " was");
    putchar('\n');
    if (run->exec->ops != &exec_cpu) // which runs the IR itself
        printf("note: with the kernels of %s; hlxc %s -o NEW makes them anew from its IR\n",
               v->replay.session.path, v->replay.session.path);
    if (strcmp(r->profile, "exact") != 0)
        printf("note: in the profile `%s` this holds for this device and driver alone\n",
               r->profile);
}

// The records of the span are known before anything is run.
static bool choose_span(struct verify *v, struct hlx_error *error)
{
    const struct receipt *r = &v->replay.receipt;
    for (size_t i = 0; i < r->records.n; i++) {
        uint32_t step = r->records.at[i].step;
        if (step < v->from || step > v->to)
            continue;
        v->first = v->first ? v->first : step;
        v->last = step;
        v->wanted++;
    }
    return v->wanted > 0 ||
           hlx_fail(error, EXIT_USAGE,
                    "the receipt has no record from step %lu to %lu; it has steps %lu to %lu",
                    (unsigned long)v->from, (unsigned long)v->to,
                    (unsigned long)r->records.at[0].step,
                    (unsigned long)r->records.at[r->records.n - 1].step);
}

// All of the span was compared, or nothing is said to be identical.
static bool check_count(const struct verify *v, const struct train_run *run,
                        struct hlx_error *error)
{
    return v->compared == v->wanted ||
           hlx_fail(error, EXIT_MISMATCH,
                    "the run ended with step %lu, after %zu of the %zu records to compare",
                    (unsigned long)run->step, v->compared, v->wanted);
}

static bool run_steps(struct verify *v, struct exec *x, struct batches *b, struct hlx_error *error)
{
    struct train_run run;
    v->roots = arena_array(&v->arena, x->layout.n + 1, HANDLE_BYTES);
    const struct train_options options = {.steps = v->last,
                                          .any_loss = true,
                                          .every = v->replay.receipt.every,
                                          .watch = {.user = v, .state = on_state}};
    if (!train_open(&run, x, b, &options, error))
        return false;
    bool ok = replay_check_start(&v->replay, &run, error) && train(&run, error) &&
              check_count(v, &run, error);
    if (ok && !v->quiet)
        say(v, &run);
    train_close(&run);
    return ok;
}

static bool run_replay(struct verify *v, struct hlx_error *error)
{
    struct replay *r = &v->replay;
    struct batches b;
    if (!batches_open(&b, &r->session.program.module, r->entry, r->source ? &r->source->set : NULL,
                      error))
        return false;
    struct exec *x = replay_start(r, &v->asked.device, error);
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
    bool ok = choose_span(v, error) && run_replay(v, error);
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
    {OPT_NO_FUSE, "no-fuse", 0, "on cpu: make every operation a kernel of its own (the same bits)",
     0},
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
