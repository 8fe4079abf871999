// replay_main.c: the command `hlxrun replay`: goes to one step of a receipt's run and shows it.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/version.h"
#include "runtime/export.h"
#include "runtime/lane.h"
#include "runtime/run_files.h"

struct command {
    struct arena arena;
    struct replay_options asked;
    uint32_t step; // 0: the last that the receipt has
    bool dump;
    const char *names;  // of --dump=NAMES, or NULL
    const char *export; // or NULL
    struct replay replay;
    struct lane lane;
};

// -- one step ------------------------------------------------------------------------------------

// Gradients and named values as the step computes them: at the variables before its updates.
static bool dump(struct command *c, struct hlx_error *error)
{
    struct lane *l = &c->lane;
    struct batches *b = &l->batches;
    struct stats_table t;
    uint32_t before = c->step - 1;
    if (!stats_choose(&t, b->entry, &c->replay.session.program.module, c->names, error))
        return false;
    batches_epoch(b, l->exec->seed, (uint32_t)(before / b->steps + 1));
    batches_fill(b, before % b->steps);
    bool ok = stats_compute(&t, l->exec, (const void *const *)b->input, c->step, error);
    if (ok) {
        struct buf out = {0};
        stats_print(&t, &out);
        fputs(out.at, stdout);
        buf_free(&out);
    }
    stats_free(&t);
    return ok;
}

static void say_outputs(const struct train_run *r)
{
    struct buf out = {0};
    buf_printf(&out, "step %" PRIu32 ":", r->step);
    for (size_t i = 0; i < r->nscalars; i++) {
        uint32_t bits;
        float x;
        memcpy(&bits, r->out[r->scalar[i].output], sizeof bits);
        memcpy(&x, &bits, sizeof x);
        buf_printf(&out, " %s=", r->scalar[i].name);
        if (r->scalar[i].integer)
            buf_printf(&out, "%" PRId32, (int32_t)bits);
        else
            buf_printf(&out, "%.9g (%08" PRIx32 ")", (double)x, bits);
    }
    puts(out.at);
    buf_free(&out);
}

static bool check_record(struct command *c, struct hlx_error *error)
{
    const struct receipt *r = &c->replay.receipt;
    const struct receipt_record *want = receipt_at(r, c->step);
    struct receipt_record have;
    if (!want) {
        printf("the receipt has no record of this step\n");
        return true;
    }
    if (!lane_record(&c->lane, &c->arena, &have, error))
        return false;
    const char *differ =
        replay_difference(&c->arena, r, &c->lane.run, &have, want, "the receipt says");
    if (differ)
        return hlx_fail(error, EXIT_MISMATCH, "step %" PRIu32 " is not what the receipt says: %s",
                        c->step, differ);
    printf("identical with the receipt's record\n");
    return true;
}

static bool check_dump(const struct command *c, struct hlx_error *error)
{
    const struct ir_entry *e = c->replay.entry;
    return !c->dump || c->names || e->grads.n > 0 ||
           hlx_fail(error, EXIT_USAGE,
                    "entry `%s` computes no gradients; --dump=NAMES shows named values", e->name);
}

static bool go(struct command *c, struct hlx_error *error)
{
    struct lane *l = &c->lane;
    if (!check_dump(c, error) || !replay_check_start(&c->replay, &l->run, error) ||
        !lane_go(l, c->step - 1, error) || (c->dump && !dump(c, error)) ||
        !lane_go(l, c->step, error))
        return false;
    say_outputs(&l->run);
    return (!c->export || export_safetensors(c->export, &l->run, false, error)) &&
           check_record(c, error);
}

// That the params are not written over what is replayed.
static bool check_files(struct command *c, struct hlx_error *error)
{
    struct run_files files = {.arena = &c->arena};
    run_files_session(&files, &c->replay.session);
    run_files_read(&files, "the receipt", c->asked.receipt);
    run_files_write(&files, "the exported params", c->export);
    return run_files_check(&files, error);
}

static bool replay(struct command *c, struct hlx_error *error)
{
    if (!replay_open(&c->replay, &c->asked, error))
        return false;
    const struct receipt *r = &c->replay.receipt;
    assert(r->tensors && r->records.n > 0); // replay_open has them
    if (c->step == 0)
        c->step = r->records.at[r->records.n - 1].step;
    bool ok = (!c->export || check_files(c, error)) &&
              lane_open(&c->lane, &c->replay, &c->asked.device, error);
    if (ok) {
        ok = go(c, error);
        lane_close(&c->lane);
    }
    replay_close(&c->replay);
    return ok;
}

// -- the command line ----------------------------------------------------------------------------

enum { OPT_STEP = 256, OPT_DUMP, OPT_EXPORT };

static const struct cli_option table[] = {
    {OPT_STEP, "step", "N", "the step to go to (default: the receipt's last)", "What to run"},
    REPLAY_ROW_PROGRAM(0),
    REPLAY_ROW_DATA(0),
    REPLAY_ROW_DEVICE("run on this device (see hlxrun --help)"),
    {OPT_DUMP, "dump", "[NAMES]",
     "print statistics of every gradient of the step, and of the values NAMES", "Output"},
    {OPT_EXPORT, "export-safetensors", "FILE", "write the params after the step", 0},
    CLI_COMMON_COMMAND,
    {0, 0, 0, 0, 0},
};

const struct cli replay_cli = {
    .tool = "hlxrun replay",
    .usage = "hlxrun replay RECEIPT [--step N] [--dump[=NAMES]] [options]",
    .summary = "Runs a receipt's run again up to a step, and shows that step.",
    .trailer = "Exit codes: 0 done; 2 wrong command line; 3 no such device; 4 the receipt is "
               "damaged, or\nabout another program or other data; 5 the step is not what the "
               "receipt says.\n",
    .options = table,
};

static bool set_step(struct command *c, const struct cli_parse *p)
{
    long long x;
    if (!cli_integer(p, "--step", p->value, 1, UINT32_MAX - 1, &x))
        return false;
    c->step = (uint32_t)x;
    return true;
}

static bool apply(void *user, const struct cli_parse *p, int id)
{
    struct command *c = user;
    switch (id) {
    case OPT_STEP: return set_step(c, p);
    case OPT_EXPORT: c->export = p->value; return true;
    case OPT_DUMP: c->names = p->value; return c->dump = true;
    default: return replay_option(&c->asked, &c->arena, p, id);
    }
}

static int run(void *user, int n, char **operand)
{
    struct command *c = user;
    struct hlx_error error;
    if (n != 1)
        return cli_misuse(&replay_cli, n == 0 ? "no receipt was given" : "one receipt at a time");
    c->asked.receipt = operand[0];
    if (replay(c, &error))
        return EXIT_OK;
    fflush(stdout);
    fprintf(stderr, "hlxrun replay: %s\n", error.text);
    return error.code;
}

int replay_main(int argc, char **argv)
{
    struct command c = {0};
    int code = cli_take(&replay_cli, argc, argv, &(struct cli_taker){apply, run}, &c);
    arena_free(&c.arena);
    return code;
}
