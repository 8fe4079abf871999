// replay.c: makes the run of a receipt ready: its options, data, device and beginning.
#include "runtime/replay.h"

#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "ir/shard.h"
#include "runtime/record.h"

// -- options -------------------------------------------------------------------------------------

bool replay_option(struct replay_options *o, struct arena *a, const struct cli_parse *p, int id)
{
    switch (id) {
    case REPLAY_PROGRAM: o->program = p->value; return true;
    case REPLAY_DATA: vec_push(a, &o->data, session_file(a, p->value)); return true;
    case REPLAY_DEVICE: o->device.device = p->value; return true;
    case REPLAY_VARIANT: o->device.variant = p->value; return true;
    default: return false;
    }
}

bool replay_workers(const struct cli_parse *p, unsigned *workers)
{
    long long n;
    if (!cli_integer(p, "--workers", p->value, 1, IR_MAX_SHARDS, &n))
        return false;
    *workers = (unsigned)n;
    if (ir_shards_ok(n))
        return true;
    cli_misuse(p->cli, "--workers takes a power of two, as the shards of an entry are");
    return false;
}

// -- the data ------------------------------------------------------------------------------------

static bool wrong_data(const char *shown, struct hlx_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong_data(const char *shown, struct hlx_error *error, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    hlx_fail(error, EXIT_DATA, "`%s`: E_RECEIPT_DATA: %s", shown, text.at);
    buf_free(&text);
    return false;
}

// Whether the user said where a source is.
static bool is_given(const struct replay_options *o, const char *source)
{
    bool given = false;
    for (size_t i = 0; i < o->data.n; i++)
        given = given || !o->data.at[i].name || !strcmp(o->data.at[i].name, source);
    return given;
}

// The data's handle, before anything looks into it: other data may be anything.
static bool check_content(struct replay *r, const struct replay_options *o, const struct ir_data *d,
                          struct hlx_error *error)
{
    char have[HANDLE_TEXT + 1];
    if (!session_content(&r->session, r->entry, &r->source, error)) {
        const char *text = arena_strdup(&r->arena, error->text);
        return error->code == EXIT_DATA ? wrong_data(r->session.path, error, "%s", text) : false;
    }
    const struct value *want = value_get(r->receipt.data, d->name);
    if (value_equal(want, handle_value(&r->arena, &r->source->content)))
        return true;
    handle_text(&r->source->content, have);
    wrong_data(r->source->shown, error, "data `%s`: the receipt is about %s, this is %s%s%s%s",
               d->name, want->as.bytes.at, have,
               is_given(o, d->name) ? "" : "; give its file with --data ",
               is_given(o, d->name) ? "" : d->name, is_given(o, d->name) ? "" : "=FILE");
    return false;
}

static bool check_data(struct replay *r, const struct replay_options *o, struct hlx_error *error)
{
    const struct ir_data *d = batches_source(&r->session.program.module, r->entry);
    const struct value *data = r->receipt.data;
    if (data->as.object.n != (d ? 1u : 0u) || (d && !value_get(data, d->name)))
        return wrong_data(r->session.path, error,
                          "the receipt is about other data sources than the entry `%s` reads",
                          r->entry->name);
    return (!d || check_content(r, o, d, error)) &&
           session_data(&r->session, r->entry, &r->source, error);
}

// -- opening -------------------------------------------------------------------------------------

bool replay_open(struct replay *r, const struct replay_options *o, struct hlx_error *error)
{
    *r = (struct replay){0};
    bool ok =
        receipt_open(&r->receipt, &r->arena, o->receipt, error) && replay_open_program(r, o, error);
    if (ok && check_data(r, o, error))
        return true;
    if (ok)
        session_close(&r->session);
    arena_free(&r->arena);
    return false;
}

void replay_close(struct replay *r)
{
    session_close(&r->session);
    arena_free(&r->arena);
}

// What was asked for is not ignored.
static bool check_device(const struct exec_options *o, const struct exec *x,
                         struct hlx_error *error)
{
    if (o->variant && x->ops == &exec_cpu)
        return hlx_fail(error, EXIT_USAGE,
                        "--variant is for Vulkan devices, and this would run on cpu, which has no "
                        "kernels; name one with --device, or leave --variant out");
    if ((o->flags & EXEC_NO_FUSE) && x->ops != &exec_cpu)
        return hlx_fail(error, EXIT_USAGE,
                        "--no-fuse is for cpu, and this would run on %s, whose kernels were made "
                        "by hlxc, which has such an option; leave it out, or take --device cpu",
                        exec_title(x));
    return true;
}

struct exec *replay_start(const struct replay *r, const struct exec_options *device,
                          struct hlx_error *error)
{
    struct exec_options with_seed = *device;
    with_seed.seed = r->receipt.seed;
    struct exec *x = exec_start(&with_seed, &r->session.program, error);
    if (!x || check_device(device, x, error))
        return x;
    exec_close(x);
    return NULL;
}

bool replay_check_start(const struct replay *r, const struct train_run *run,
                        struct hlx_error *error)
{
    struct arena a = {0};
    struct receipt_head head;
    bool ok = record_head(&a, r->receipt.every, &r->session, r->source, run, &head, error);
    if (ok && memcmp(head.initial, r->receipt.initial, HANDLE_BYTES) != 0)
        ok = hlx_fail(error, EXIT_MISMATCH,
                      "the initial state differs from the receipt's, before any step");
    arena_free(&a);
    return ok;
}
