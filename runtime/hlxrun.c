// hlxrun.c: the runner's command line: opens a program, runs its entries, shows and exports.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/bisect.h"
#include "runtime/devices.h"
#include "runtime/doctor.h"
#include "runtime/export.h"
#include "runtime/hlxrun_options.h"
#include "runtime/inspect.h"
#include "runtime/log.h"
#include "runtime/pipeline_run.h"
#include "runtime/progress.h"
#include "runtime/record.h"
#include "runtime/replay.h"
#include "runtime/run_files.h"
#include "runtime/verify.h"

// The signal that asked the run to end, or 0. A handler can reach nothing else.
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

// The first signal lets the step end; the second ends the process at once.
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct run {
    const struct hlxrun_options *options;
    struct session session;
    struct exec *exec;
    struct log log;
    struct record record;
    struct progress progress;
    const char *word; // what an epoch's line begins with
    bool dumped;      // --dump-grads is done: it looks at the first entry that runs
    struct hlx_error *error;
    struct hlx_error late; // code not 0: what is to be told when all is done
};

// -- failures that do not end a run --------------------------------------------------------------

// Weeks of training are not given up for a full disk: a log or a receipt that cannot be written is
// told at once and when the run is over, and what else was asked for is done.

static bool told(struct run *r, bool ok, const struct hlx_error *error)
{
    if (!ok) {
        progress_clear(&r->progress);
        fprintf(stderr, "hlxrun: %s; the run goes on\n", error->text);
    }
    return true;
}

static void tell_later(struct run *r, bool ok, const struct hlx_error *error)
{
    if (!ok && r->late.code)
        fprintf(stderr, "hlxrun: %s\n", r->late.text);
    if (!ok)
        r->late = *error;
}

static bool tell_late(struct run *r, bool ok)
{
    if (r->late.code && !ok) // of two failures the one that ended the run comes last
        fprintf(stderr, "hlxrun: %s\n", r->late.text);
    else if (r->late.code)
        *r->error = r->late;
    return ok && !r->late.code;
}

// -- what is shown -------------------------------------------------------------------------------

static bool on_step(void *user, const struct train_run *t, const struct train_step *s,
                    struct hlx_error *error)
{
    struct run *r = user;
    progress_step(&r->progress, t, s);
    return told(r, log_step(&r->log, t, s, error), error);
}

static bool on_epoch(void *user, const struct train_run *t, const struct train_epoch *e,
                     struct hlx_error *error)
{
    struct run *r = user;
    progress_epoch(&r->progress, r->word, t, e);
    return told(r, log_epoch(&r->log, t, e, error), error);
}

static bool on_state(void *user, const struct train_run *t, uint64_t epoch, unsigned char *leaves,
                     struct hlx_error *error)
{
    struct run *r = user;
    return told(r, record_state(&r->record, t, epoch, leaves, error), error);
}

static void say_program(const struct run *r)
{
    char handle[HANDLE_TEXT + 1];
    handle_text(&r->session.program.identity, handle);
    printf("program: %.19s (%s), device %s, seed %llu\n", handle, r->session.program.module.profile,
           exec_title(r->exec), (unsigned long long)r->options->seed);
}

static void say_data(const struct batches *b, const struct session_source *source)
{
    if (!b->data)
        return;
    size_t used = b->weighted ? b->samples : b->steps * b->size;
    printf("data: %s%s: %zu of %zu samples%s, %zu a step, %zu step%s an epoch\n", source->shown,
           source->own ? "" : " (not the program's own)", used, b->data->n,
           b->shuffled ? " shuffled" : "", b->size, b->steps, b->steps == 1 ? "" : "s");
    size_t left = b->samples - used;
    if (left > 0)
        printf(
            "note: %zu sample%s no batch and %s left out (an input `weight: f32[%zu]` would keep "
            "%s)\n",
            left, left == 1 ? " fills" : "s fill", left == 1 ? "is" : "are", b->size,
            left == 1 ? "it" : "them");
}

// -- one entry -----------------------------------------------------------------------------------

static bool dump_grads(struct run *r, struct batches *b)
{
    struct stats_table t;
    const char *names = r->options->dump_names;
    if (b->entry->grads.n == 0 && !names)
        return hlx_fail(r->error, EXIT_USAGE, "entry `%s` computes no gradients", b->entry->name);
    if (!stats_choose(&t, b->entry, &r->session.program.module, names, r->error))
        return false;
    batches_epoch(b, r->options->seed, 1);
    batches_fill(b, 0);
    bool ok = stats_compute(&t, r->exec, (const void *const *)b->input, 1, r->error);
    if (ok) {
        struct buf out = {0};
        stats_print(&t, &out);
        fputs(out.at, stdout);
        fflush(stdout);
        buf_free(&out);
    }
    stats_free(&t);
    return ok;
}

// What came of a run is in its log and receipt also when it failed.
static bool train_recorded(struct run *r, struct train_run *t, const struct session_source *source)
{
    struct hlx_error late;
    if (!record_open(&r->record, r->options->receipt, t->options.every, &r->session, source, t,
                     r->error))
        return false;
    bool ok = train(t, r->error);
    tell_later(r, record_end(&r->record, t, &late), &late);
    const char *missing = record_missing(&r->record);
    if (missing)
        fprintf(stderr, "hlxrun: note: the run ended before its first record: %s\n", missing);
    record_close(&r->record);
    return ok;
}

static bool run_steps(struct run *r, struct batches *b, const struct session_source *source,
                      const struct train_options *options)
{
    struct train_run t;
    struct hlx_error late;
    if (!train_open(&t, r->exec, b, options, r->error))
        return false;
    bool ok = log_run(&r->log, &t, r->error) && train_recorded(r, &t, source);
    progress_clear(&r->progress);
    const char *end = t.end == TRAIN_STOPPED ? "stopped" : "done";
    log_end(&r->log, &t, ok ? end : r->error->text, &late); // log_close tells of a failure
    if (ok && t.end == TRAIN_STOPPED && !r->options->quiet)
        printf("stopped by a signal after step %lu\n", (unsigned long)t.step);
    if (ok && r->options->export && b->entry->updates.n > 0)
        ok = export_safetensors(r->options->export, &t, r->options->export_grads, r->error);
    train_close(&t);
    return ok;
}

static bool run_batches(struct run *r, struct batches *b, const struct session_source *source,
                        const struct train_options *options)
{
    if (!r->options->quiet)
        say_data(b, source);
    if (r->options->dump_grads && !r->dumped && !dump_grads(r, b))
        return false;
    r->dumped = true;
    return hlxrun_only_dumps(r->options) || run_steps(r, b, source, options);
}

static bool run_entry(struct run *r, const char *name, const struct train_options *options)
{
    struct batches b;
    const struct session_source *source;
    const struct ir_entry *e = session_entry(&r->session, name, r->error);
    if (!e || !session_data(&r->session, e, &source, r->error) ||
        !batches_open(&b, &r->session.program.module, e, source ? &source->set : NULL, r->error))
        return false;
    r->word = e->updates.n > 0 ? "Epoch" : e->name;
    bool ok = run_batches(r, &b, source, options);
    batches_close(&b);
    return ok;
}

static bool run_entries(struct run *r)
{
    const struct hlxrun_options *o = r->options;
    uint32_t usual = o->receipt ? RECEIPT_EVERY : 0;
    uint32_t every = o->receipt_every ? o->receipt_every : usual;
    struct train_options options = {
        .epochs = o->epochs,
        .steps = o->steps,
        .every = every,
        .stop = &caught,
        .watch = {.user = r, .step = on_step, .epoch = on_epoch, .state = on_state},
    };
    if (o->entry)
        return run_entry(r, o->entry, &options);
    if (o->train && !run_entry(r, "train", &options))
        return false;
    if (o->train) { // what limits training does not limit the evaluation after it
        options.epochs = 0;
        options.steps = TRAIN_NO_LIMIT;
    }
    bool eval = o->eval && !caught && !(o->train && hlxrun_only_dumps(o));
    return !eval || run_entry(r, "eval", &options);
}

// -- commands ------------------------------------------------------------------------------------

// What was asked for is not ignored.
static bool check_variant(const struct run *r)
{
    if (!r->options->variant || r->exec->ops != &exec_cpu)
        return true;
    return hlx_fail(r->error, EXIT_USAGE,
                    "--variant is for Vulkan devices, and this would run on cpu, which has no "
                    "kernels; name one with --device, or leave --variant out");
}

static bool check_fusion(const struct run *r)
{
    if (!r->options->no_fuse || r->exec->ops == &exec_cpu)
        return true;
    return hlx_fail(
        r->error, EXIT_USAGE,
        "--no-fuse is for cpu: the kernels of other devices are in the program; compile "
        "it with hlxc --no-fuse, or add --device cpu");
}

static bool run_opened(struct run *r)
{
    const struct hlxrun_options *o = r->options;
    const struct exec_options options = {.device = o->device,
                                         .variant = o->variant,
                                         .seed = o->seed,
                                         .fault = o->fault,
                                         .workers = o->workers,
                                         .flags = o->no_fuse ? EXEC_NO_FUSE : 0};
    r->exec = exec_start(&options, &r->session.program, r->error);
    if (!r->exec || !check_variant(r) || !check_fusion(r))
        return false;
    if (!o->quiet)
        say_program(r);
    return run_entries(r);
}

// No file is written over another, and all can be written: known before anything is.
static bool check_files(struct session *s, const struct hlxrun_options *o, struct hlx_error *error)
{
    struct run_files files = {.arena = &s->program.arena};
    run_files_session(&files, s);
    run_files_open(&files, "the log", o->log);
    run_files_write(&files, "the receipt", o->receipt);
    run_files_write(&files, "the exported params", o->export);
    return run_files_check(&files, error);
}

static bool run_program(const struct hlxrun_options *o, struct hlx_error *error)
{
    struct run r = {.options = o, .error = error};
    struct hlx_error late;
    if (!session_open(&r.session, o->file, o->data.at, o->data.n, error))
        return false;
    progress_init(&r.progress, stdout, o->quiet);
    watch_signals();
    bool ok = check_files(&r.session, o, error) && log_open(&r.log, o->log, error);
    if (ok) {
        ok = run_opened(&r);
        bool closed = log_close(&r.log, &late);
        tell_later(&r, closed || !ok, &late);
        ok = tell_late(&r, ok);
    }
    exec_close(r.exec);
    session_close(&r.session);
    return ok;
}

static bool run_pipeline(const struct hlxrun_options *o, struct hlx_error *error)
{
    const struct pipeline_order order = {.file = o->file,
                                         .device = o->device,
                                         .bind = o->bind.at,
                                         .nbind = o->bind.n,
                                         .out = o->out.at,
                                         .nout = o->out.n,
                                         .repeat = o->repeat,
                                         .memo = o->memo,
                                         .quiet = o->quiet};
    struct run_files files = {.arena = o->arena};
    run_files_read(&files, "the pipeline", o->file);
    for (size_t i = 0; i < o->bind.n; i++)
        run_files_read(&files, "what is bound", o->bind.at[i].path);
    for (size_t i = 0; i < o->out.n; i++)
        run_files_write(&files, "an output", o->out.at[i].path);
    return run_files_check(&files, error) && pipeline_run(&order, error);
}

static bool inspect(const struct hlxrun_options *o, struct hlx_error *error)
{
    struct program p;
    struct buf out = {0};
    if (pipeline_is_file(o->file))
        return pipeline_inspect(o->file, o->json, error);
    if (!program_open(&p, o->file, error))
        return false;
    bool ok = true;
    if (o->json)
        ok = inspect_json(&p, &out) || hlx_no_memory(error, "the description");
    else
        inspect_text(&p, &out);
    if (ok)
        fwrite(out.at, 1, out.n, stdout);
    buf_free(&out);
    program_close(&p);
    return ok;
}

static bool list_devices(const struct hlxrun_options *o, struct hlx_error *error)
{
    struct buf out = {0};
    bool ok = true;
    if (o->json)
        ok = devices_json(&out) || hlx_no_memory(error, "the list of devices");
    else
        devices_text(&out);
    if (ok)
        fwrite(out.at, 1, out.n, stdout);
    buf_free(&out);
    return ok;
}

// What was printed must have arrived. A reader that went away is no error worth a sentence.
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "hlxrun: cannot write to the standard output\n");
    return code ? code : EXIT_DATA;
}

// Commands with a command line of their own.
static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} commands[] = {
    {"bisect", bisect_main},
    {"doctor", doctor_main},
    {"replay", replay_main},
    {"verify", verify_main},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name))
            return finish(commands[i].main(argc - 1, argv + 1));
    struct arena a = {0};
    struct hlxrun_options o;
    struct hlx_error error;
    int code = hlxrun_options_read(&o, &a, argc, argv);
    if (code < 0) {
        bool ok = true;
        if (o.list_devices)
            ok = list_devices(&o, &error);
        else
            ok = o.inspect ? inspect(&o, &error)
                 : o.run   ? run_pipeline(&o, &error)
                           : run_program(&o, &error);
        if (!ok)
            fprintf(stderr, "hlxrun: %s\n", error.text);
        code = ok ? (caught ? 128 + caught : EXIT_OK) : error.code;
    }
    arena_free(&a);
    return finish(code);
}
