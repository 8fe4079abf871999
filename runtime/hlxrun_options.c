// hlxrun_options.c: what hlxrun can be asked for on its command line.
#include "runtime/hlxrun_options.h"

#include <string.h>

#include "base/cli.h"
#include "base/file.h"
#include "runtime/bisect.h"
#include "runtime/doctor.h"
#include "runtime/replay.h"
#include "runtime/train.h"
#include "runtime/verify.h"

enum {
    OPT_TRAIN = 256,
    OPT_EVAL,
    OPT_ENTRY,
    OPT_EPOCHS,
    OPT_STEPS,
    OPT_SEED,
    OPT_DEVICE,
    OPT_VARIANT,
    OPT_LIST,
    OPT_LOG,
    OPT_RECEIPT,
    OPT_FAULT,
    OPT_RECEIPT_EVERY,
    OPT_DUMP,
    OPT_EXPORT,
    OPT_GRADS,
    OPT_NO_FUSE,
    OPT_WORKERS,
    OPT_RUN,
    OPT_BIND,
    OPT_OUT,
    OPT_REPEAT,
    OPT_MEMO,
    OPT_JSON
};

static const struct cli_option run_table[] = {
    {OPT_TRAIN, "train", 0, "run the entry `train`", "What to run"},
    {OPT_EVAL, "eval", 0, "run the entry `eval` over its data (after training, with both)", 0},
    {OPT_ENTRY, "entry", "NAME", "run the entry NAME instead", 0},
    {OPT_EPOCHS, "epochs", "N", "go N times through the data (default: as the program says)", 0},
    {OPT_STEPS, "steps", "N", "stop after N steps; alone, it replaces the number of epochs", 0},
    {OPT_SEED, "seed", "N", "seed of initial values and of shuffling (default 0)", 0},
    REPLAY_ROW_DATA("Data and device"),
    {OPT_DEVICE, "device", "NAME",
     "run on `cpu`, `vulkan`, `vulkan:1`, a UUID or a part of a name (default: the first GPU, else "
     "cpu)",
     0},
    {OPT_VARIANT, "variant", "NAMES", "force these kernel variants where a step has them", 0},
    {OPT_LIST, "list-devices", 0, "print the devices, with what programs may use, and exit", 0},
    {OPT_JSON, "json", 0, "with --list-devices: print JSON", 0},
    {OPT_NO_FUSE, "no-fuse", 0, "on cpu: make every operation a kernel of its own (the same bits)",
     0},
    {OPT_WORKERS, "workers", "N",
     "share the shards of an entry among N workers, a power of two, by turns (the same bits)", 0},
    {OPT_RUN, "run", 0, "run a pipeline of your own kernels", "Pipelines"},
    {OPT_BIND, "bind", "NAME=FILE.npy",
     "what the buffer NAME holds at first (FILE alone: the only "
     "input)",
     0},
    {OPT_OUT, "out", "NAME=FILE.npy", "write the output NAME to FILE (FILE alone: the only one)",
     0},
    {OPT_REPEAT, "repeat", "N", "run N times; every run must give the same results", 0},
    {OPT_MEMO, "memo", 0, "keep results in the store, and take them from there", 0},
    {OPT_LOG, "log", "FILE.jsonl", "record every step and epoch as JSON lines", "Results"},
    {OPT_RECEIPT, "receipt", "FILE", "keep a receipt of the run: digests that anyone can check", 0},
    {OPT_RECEIPT_EVERY, "receipt-every", "K", "a digest of the state every K steps (default 50)",
     0},
    {'q', "quiet", 0, "print nothing but errors and what was asked for", 0},
    {OPT_DUMP, "dump-grads", "[NAMES]",
     "print statistics of every gradient at the first batch, and of the values NAMES", 0},
    {OPT_EXPORT, "export-safetensors", "FILE", "write the params when done", 0},
    {OPT_GRADS, "grads", 0, "export the next batch and its gradients, too", 0},
#ifdef HLX_TEST_FAULTS
    {OPT_FAULT, "inject-fault", "STEP:PATH:ELEMENT:BIT", "flip a bit after a step", "Tests"},
#endif
    CLI_COMMON,
    {0, 0, 0, 0, 0},
};

static const struct cli_option inspect_table[] = {
    {OPT_JSON, "json", 0, "print JSON", "Output"},
    CLI_COMMON_COMMAND,
    {0, 0, 0, 0, 0},
};

static const struct cli inspect_cli = {
    .tool = "hlxrun inspect",
    .usage = "hlxrun inspect FILE.hbin [--json]",
    .summary = "Prints what is in a program.",
    .options = inspect_table,
};

static const struct cli_command commands[] = {
    {"bisect", &bisect_cli}, {"doctor", &doctor_cli}, {"inspect", &inspect_cli},
    {"replay", &replay_cli}, {"verify", &verify_cli}, {0},
};

static const struct cli run_cli = {
    .tool = "hlxrun",
    .usage = "hlxrun [options] FILE.hbin --train\n"
             "       hlxrun FILE.hbin --run [--bind NAME=FILE.npy ...] [--out FILE.npy]\n"
             "       hlxrun COMMAND [options] FILE...",
    .summary = "Trains, evaluates and inspects programs that hlxc compiled.",
    .trailer = "Examples:\n"
               "  hlxrun model.hbin --train\n"
               "  hlxrun model.hbin --train --steps 100 --log run.jsonl\n"
               "  hlxrun model.hbin --train --dump-grads='layers.0.*'\n"
               "  hlxrun model.hbin --train --eval --export-safetensors model.safetensors\n"
               "\n"
               "Exit codes: 0 done; 2 wrong command line; 3 no such device, or out of memory;\n"
               "4 a file is missing, damaged or cannot be written; 5 results that should be the\n"
               "same differ; 6 the loss became NaN or infinite; 70 an error of hlxrun itself;\n"
               "130 and 143 interrupted by SIGINT and SIGTERM (the step was finished).\n",
    .options = run_table,
    .commands = commands,
};

static int usage(const char *sentence)
{
    return cli_misuse(&run_cli, sentence);
}

static bool set_number(struct hlxrun_options *o, const struct cli_parse *p, int id)
{
    static const struct {
        int id;
        const char *name;
        long long low, high;
    } rows[] = {
        {OPT_EPOCHS, "--epochs", 1, UINT32_MAX - 1},
        {OPT_STEPS, "--steps", 0, UINT32_MAX - 1},
        {OPT_SEED, "--seed", 0, INT64_MAX},
    };
    const size_t row = (size_t)(id - OPT_EPOCHS);
    long long x;
    if (!cli_integer(p, rows[row].name, p->value, rows[row].low, rows[row].high, &x))
        return false;
    if (id == OPT_EPOCHS)
        o->epochs = (uint64_t)x;
    else if (id == OPT_STEPS)
        o->steps = (uint32_t)x;
    else
        o->seed = (uint64_t)x;
    return true;
}

static bool set_every(struct hlxrun_options *o, const struct cli_parse *p)
{
    long long x;
    if (!cli_integer(p, "--receipt-every", p->value, 1, UINT32_MAX, &x))
        return false;
    o->receipt_every = (uint32_t)x;
    return true;
}

static bool set_repeat(struct hlxrun_options *o, const struct cli_parse *p)
{
    long long n;
    if (!cli_integer(p, "--repeat", p->value, 1, UINT32_MAX, &n))
        return false;
    o->repeat = (uint32_t)n;
    return true;
}

static bool apply(void *user, const struct cli_parse *p, int id)
{
    struct hlxrun_options *o = user;
    switch (id) {
    case OPT_TRAIN: return o->train = true;
    case OPT_EVAL: return o->eval = true;
    case OPT_ENTRY: o->entry = p->value; return true;
    case OPT_EPOCHS:
    case OPT_STEPS:
    case OPT_SEED: return set_number(o, p, id);
    case REPLAY_DATA: vec_push(o->arena, &o->data, session_file(o->arena, p->value)); return true;
    case OPT_RUN: return o->run = true;
    case OPT_BIND: vec_push(o->arena, &o->bind, session_file(o->arena, p->value)); return true;
    case OPT_OUT: vec_push(o->arena, &o->out, session_file(o->arena, p->value)); return true;
    case OPT_REPEAT: return set_repeat(o, p);
    case OPT_MEMO: return o->memo = true;
    case OPT_DEVICE: o->device = p->value; return true;
    case OPT_VARIANT: o->variant = p->value; return true;
    case OPT_LIST: return o->list_devices = true;
    case OPT_LOG: o->log = p->value; return true;
    case OPT_FAULT: o->fault = p->value; return true;
    case OPT_RECEIPT: o->receipt = p->value; return true;
    case OPT_RECEIPT_EVERY: return set_every(o, p);
    case OPT_NO_FUSE: return o->no_fuse = true;
    case OPT_WORKERS: return replay_workers(p, &o->workers);
    case OPT_DUMP: o->dump_names = p->value; return o->dump_grads = true;
    case OPT_EXPORT: o->export = p->value; return true;
    case OPT_GRADS: return o->export_grads = true;
    case OPT_JSON: return o->json = true;
    default: return o->quiet = true;
    }
}

bool hlxrun_only_dumps(const struct hlxrun_options *o)
{
    return o->dump_grads && o->epochs == 0 && o->steps == TRAIN_NO_LIMIT && !o->export;
}

// Something was asked for that only programs have.
static bool wants_program(const struct hlxrun_options *o)
{
    return o->receipt || o->log || o->export || o->dump_grads || o->epochs > 0 ||
           o->steps != TRAIN_NO_LIMIT || o->workers > 0 || o->variant || o->no_fuse ||
           o->data.n > 0;
}

// The receipt that is asked for can be kept.
static int complete_receipt(const struct hlxrun_options *o)
{
    if (o->receipt && o->train && o->eval)
        return usage("--receipt keeps one entry's run: give --train or --eval alone");
    if (o->receipt_every && !o->receipt)
        return usage("--receipt-every belongs to --receipt FILE");
    if (o->receipt && file_is_stream(o->receipt))
        return usage("--receipt takes a file: it is written more than once");
    if (o->receipt && (o->steps == 0 || hlxrun_only_dumps(o)))
        return usage("--receipt keeps the receipt of a run, and here no step is to be made");
    return -1;
}

static int complete(void *user, int n, char **operand)
{
    struct hlxrun_options *o = user;
    if (o->list_devices)
        return -1;
    if (n != 1)
        return usage(n == 0 ? "no program to run was given" : "one program at a time");
    o->file = operand[0];
    if (o->inspect)
        return -1;
    if (o->run && (o->train || o->eval || o->entry))
        return usage("--run is for pipelines; --train, --eval and --entry are for programs");
    if (!o->run && (o->bind.n > 0 || o->out.n > 0 || o->repeat > 1 || o->memo))
        return usage("--bind, --out, --repeat and --memo belong to --run");
    if (o->run && wants_program(o))
        return usage("--run goes with --bind, --out, --device, --repeat, --memo and --quiet alone");
    if (o->run)
        return -1;
    if (!o->train && !o->eval && !o->entry)
        return usage("say what is to be done: --train, --eval, --entry NAME or --run");
    if (o->entry && (o->train || o->eval))
        return usage("--entry NAME stands instead of --train and --eval");
    if (o->export_grads && !o->export)
        return usage("--grads belongs to --export-safetensors FILE");
    return complete_receipt(o);
}

int hlxrun_options_read(struct hlxrun_options *o, struct arena *a, int argc, char **argv)
{
    static const struct cli_taker taker = {apply, complete};
    bool inspect = argc > 1 && !strcmp(argv[1], "inspect");
    *o = (struct hlxrun_options){
        .arena = a, .steps = TRAIN_NO_LIMIT, .repeat = 1, .inspect = inspect};
    return inspect ? cli_take(&inspect_cli, argc - 1, argv + 1, &taker, o)
                   : cli_take(&run_cli, argc, argv, &taker, o);
}
