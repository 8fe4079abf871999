// replay.c: finds what a receipt is about, and checks that it is that.
#include "runtime/replay.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
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

// -- the program ---------------------------------------------------------------------------------

// The file that the receipt names, beside the receipt, else here; NULL when there is none.
static const char *find_program(struct replay *r, const struct replay_options *o)
{
    const char *name;
    if (o->program)
        return o->program;
    if (!value_get_text(r->receipt.run, "file", &name) || !*name || strchr(name, '/'))
        return NULL;
    const char *beside = path_join(&r->arena, path_dir(&r->arena, o->receipt), name);
    if (access(beside, R_OK) == 0)
        return beside;
    return access(name, R_OK) == 0 ? arena_strdup(&r->arena, name) : NULL;
}

static bool foreign(const struct replay *r, struct hlx_error *error, const char *what)
{
    char want[HANDLE_TEXT + 1], have[HANDLE_TEXT + 1];
    handle_text(&r->receipt.program, want);
    handle_text(&r->session.program.identity, have);
    return hlx_fail(error, EXIT_DATA,
                    "`%s`: E_RECEIPT_PROGRAM: %s: the receipt is about %s, this is %s",
                    r->session.path, what, want, have);
}

static bool check_program(struct replay *r, struct hlx_error *error)
{
    const struct receipt *c = &r->receipt;
    const struct ir_module *m = &r->session.program.module;
    struct state_layout layout;
    if (!handle_equal(&c->program, &r->session.program.identity))
        return foreign(r, error, "this is another program");
    state_layout_make(&r->arena, m, &layout);
    r->entry = ir_find_entry(m, c->entry);
    if (!r->entry)
        return foreign(r, error, "it has no such entry");
    if (strcmp(c->profile, m->profile) != 0 || strcmp(c->numerics, m->numerics) != 0)
        return foreign(r, error, "its profile or numeric contract is another");
    if (!value_equal(c->tensors, state_tensors(&r->arena, &layout)))
        return foreign(r, error, "its tensors are others");
    return ir_entry_shards(r->entry) == c->shards ||
           foreign(r, error, "it has another number of shards");
}

// -- the data ------------------------------------------------------------------------------------

static bool check_data(struct replay *r, struct hlx_error *error)
{
    const struct ir_data *d = batches_source(&r->session.program.module, r->entry);
    if (!session_data(&r->session, r->entry, &r->source, error))
        return false;
    const struct value *want = d ? value_get(r->receipt.data, d->name) : NULL;
    if (r->receipt.data->as.object.n != (d ? 1u : 0u) || (d && !want))
        return hlx_fail(error, EXIT_DATA,
                        "`%s`: E_RECEIPT_DATA: the receipt is about other data sources than the "
                        "entry `%s` reads",
                        r->session.path, r->entry->name);
    if (!d || value_equal(want, handle_value(&r->arena, &r->source->content)))
        return true;
    char have[HANDLE_TEXT + 1];
    handle_text(&r->source->content, have);
    return hlx_fail(error, EXIT_DATA,
                    "`%s`: E_RECEIPT_DATA: data `%s`: the receipt is about %s, this is %s; give "
                    "its file with --data %s=FILE",
                    r->source->shown, d->name, want->as.bytes.at, have, d->name);
}

// -- opening -------------------------------------------------------------------------------------

bool replay_open(struct replay *r, const struct replay_options *o, struct hlx_error *error)
{
    *r = (struct replay){0};
    bool ok = receipt_open(&r->receipt, &r->arena, o->receipt, error);
    const char *program = ok ? find_program(r, o) : NULL;
    if (ok && !program)
        ok = hlx_fail(error, EXIT_DATA,
                      "the program of `%s` is not beside it; give its file with --program FILE",
                      o->receipt);
    ok = ok && session_open(&r->session, program, o->data.at, o->data.n, error);
    if (ok && check_program(r, error) && check_data(r, error))
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
