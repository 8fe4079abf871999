// record.c: keeps the receipt of a run while it goes on, and writes it.
#include "runtime/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/version.h"
#include "ir/shard.h"

// Between two writings of a growing receipt pass so many seconds, and so many times what a writing
// takes: a large receipt costs its run a hundredth at most.
enum { PAUSE = 5, SHARE = 100 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// -- the head ------------------------------------------------------------------------------------

static const struct value *data_of(struct arena *a, const struct ir_data *data,
                                   const struct session_source *source)
{
    struct value_field field = {0};
    if (source) {
        field =
            (struct value_field){data->name, strlen(data->name), handle_value(a, &source->content)};
        return value_object(a, &field, 1, NULL);
    }
    return value_object(a, NULL, 0, NULL);
}

static bool initial_root(struct arena *a, struct exec *x, const struct value *tensors,
                         unsigned char *out, struct hlx_error *error)
{
    unsigned char *leaves = arena_array(a, x->layout.leaves + 1, HANDLE_BYTES);
    unsigned char *roots = arena_array(a, x->layout.n + 1, HANDLE_BYTES);
    if (!exec_state(x, leaves, error))
        return false;
    state_roots(&x->layout, leaves, roots);
    state_root(a, tensors, roots, out);
    return true;
}

bool record_head(struct arena *a, uint32_t every, const struct session *session,
                 const struct session_source *source, const struct train_run *run,
                 struct receipt_head *out, struct hlx_error *error)
{
    const struct ir_module *m = &session->program.module;
    const struct ir_entry *entry = run->batches->entry;
    unsigned char *initial = arena_array(a, HANDLE_BYTES, 1);
    *out = (struct receipt_head){
        .program = session->program.identity,
        .entry = entry->name,
        .numerics = m->numerics,
        .profile = m->profile,
        .seed = run->exec->seed,
        .shards = ir_entry_shards(entry),
        .every = every,
        .data = data_of(a, batches_source(m, entry), source),
        .tensors = state_tensors(a, &run->exec->layout),
        .initial = initial,
    };
    const char *bad = receipt_bad_tensors(out->tensors);
    if (bad)
        return hlx_fail(error, EXIT_DATA, "no receipt can hold this program's variables: %s", bad);
    return initial_root(a, run->exec, out->tensors, initial, error);
}

// -- records -------------------------------------------------------------------------------------

const struct value *record_outputs(struct arena *a, const struct train_run *run)
{
    struct value_field *field = arena_array(a, run->nscalars + 1, sizeof *field);
    for (size_t i = 0; i < run->nscalars; i++) {
        uint32_t bits;
        memcpy(&bits, run->out[run->scalar[i].output], sizeof bits);
        field[i] = (struct value_field){run->scalar[i].name, strlen(run->scalar[i].name),
                                        value_int(a, bits)};
    }
    return value_object(a, field, run->nscalars, NULL);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Where and when: what a stranger may want to know, and nothing can be proved from.
static const struct value *describe(struct record *r, const struct train_run *run)
{
    struct arena *a = &r->arena;
    double seconds = now(CLOCK_MONOTONIC) - r->started;
    const char *title = exec_title(run->exec), *file = base_name(r->file);
    const char *driver = exec_driver(run->exec);
    const struct value_field fields[] = {
        {"device", 6, value_text(a, title, strlen(title), NULL)},
        {"driver", 6, *driver ? value_text(a, driver, strlen(driver), NULL) : NULL},
        {"file", 4, value_text(a, file, strlen(file), NULL)},
        {"helix", 5, value_str(a, HLX_VERSION)},
        {"milliseconds", 12, value_int(a, (int64_t)(seconds * 1000))},
        {"started", 7, value_int(a, (int64_t)(now(CLOCK_REALTIME) - seconds))},
    };
    struct value_field known[sizeof fields / sizeof *fields];
    size_t n = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value) // a name that is not UTF-8, and what there is not, is left out
            known[n++] = fields[i];
    return value_object(a, known, n, NULL);
}

static bool write_file(struct record *r, const struct train_run *run, struct hlx_error *error)
{
    double start = now(CLOCK_MONOTONIC);
    r->receipt.run = describe(r, run);
    bool ok = receipt_write(&r->receipt, r->path, error);
    if (ok) {
        r->kept = r->receipt.records.at[r->receipt.records.n - 1].step;
        r->known = file_id(&r->arena, r->path, &r->file_id);
    }
    r->written = now(CLOCK_MONOTONIC);
    double share = SHARE * (r->written - start);
    r->pause = share > PAUSE ? share : PAUSE;
    return ok;
}

static void *add_record(void *context)
{
    struct record *r = context;
    state_roots(r->layout, r->leaves, r->roots);
    receipt_add(&r->receipt, r->step, r->epoch, r->outputs, r->roots);
    return NULL;
}

// Until it is done, the receipt and the arena are the thread's.
static void settle(struct record *r)
{
    if (r->busy)
        pthread_join(r->thread, NULL);
    r->busy = false;
}

bool record_state(struct record *r, const struct train_run *run, uint64_t epoch,
                  unsigned char *leaves, struct hlx_error *error)
{
    settle(r);
    bool due = now(CLOCK_MONOTONIC) - r->written >= r->pause && r->receipt.records.n > 0;
    bool ok = !due || write_file(r, run, error) || r->told;
    r->told = r->told || !ok;
    memcpy(r->leaves, leaves, r->layout->leaves * HANDLE_BYTES);
    r->step = run->step;
    r->epoch = epoch;
    r->outputs = record_outputs(&r->arena, run);
    r->busy = pthread_create(&r->thread, NULL, add_record, r) == 0;
    if (!r->busy)
        add_record(r);
    return ok;
}

// What has the receipt's name, if it is not the whole receipt.
static const char *describe_file(struct record *r)
{
    struct file_id id;
    bool there = file_id(&r->arena, r->path, &id) && !id.name;
    if (r->kept > 0 && there && r->known && file_id_equal(&id, &r->file_id))
        return arena_printf(&r->arena, "the receipt there goes up to step %lu",
                            (unsigned long)r->kept);
    if (there)
        return arena_printf(&r->arena, "`%s` is not this run's receipt", r->path);
    return "there is no receipt";
}

bool record_end(struct record *r, const struct train_run *run, struct hlx_error *error)
{
    settle(r);
    if (!r->path || r->receipt.records.n == 0 || write_file(r, run, error))
        return true;
    const char *why = arena_strdup(&r->arena, error->text);
    return hlx_fail(error, EXIT_DATA, "%s; %s", why, describe_file(r));
}

const char *record_missing(struct record *r)
{
    bool none = r->path && r->receipt.records.n == 0;
    return none ? describe_file(r) : NULL;
}

// -- opening and closing -------------------------------------------------------------------------

bool record_open(struct record *r, const char *path, uint32_t every, const struct session *session,
                 const struct session_source *source, const struct train_run *run,
                 struct hlx_error *error)
{
    struct receipt_head head;
    *r = (struct record){.path = path, .file = session->path};
    if (!path)
        return true;
    r->started = r->written = now(CLOCK_MONOTONIC);
    r->pause = PAUSE;
    r->layout = &run->exec->layout;
    r->roots = arena_array(&r->arena, r->layout->n + 1, HANDLE_BYTES);
    r->leaves = arena_array(&r->arena, r->layout->leaves + 1, HANDLE_BYTES);
    if (!record_head(&r->arena, every, session, source, run, &head, error)) {
        record_close(r);
        return false;
    }
    receipt_start(&r->receipt, &r->arena, &head);
    return true;
}

void record_close(struct record *r)
{
    settle(r);
    arena_free(&r->arena);
    *r = (struct record){0};
}
