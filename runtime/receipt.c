// receipt.c: makes receipts: the head, the records, the chain that binds them.
#include "runtime/receipt.h"

#include <string.h>

#include "base/file.h"
#include "latent/lcb.h"

static const struct value *make_head(struct arena *a, const struct receipt_head *h)
{
    const struct value_field fields[] = {
        {"data", 4, h->data},
        {"entry", 5, value_str(a, h->entry)},
        {"every", 5, value_int(a, h->every)},
        {"initial", 7, value_bytes(a, h->initial, HANDLE_BYTES)},
        {"numerics", 8, value_str(a, h->numerics)},
        {"profile", 7, value_str(a, h->profile)},
        {"program", 7, handle_value(a, &h->program)},
        {"seed", 4, value_int(a, (int64_t)h->seed)},
        {"shards", 6, value_int(a, h->shards)},
        {"tensors", 7, h->tensors},
        {"version", 7, value_int(a, RECEIPT_VERSION)},
    };
    return value_object_sorted(a, fields, sizeof fields / sizeof *fields);
}

void receipt_start(struct receipt *r, struct arena *a, const struct receipt_head *h)
{
    *r = (struct receipt){.arena = a,
                          .head = make_head(a, h),
                          .run = value_object(a, NULL, 0, NULL),
                          .program = h->program,
                          .entry = h->entry,
                          .numerics = h->numerics,
                          .profile = h->profile,
                          .seed = h->seed,
                          .shards = h->shards,
                          .every = h->every,
                          .data = h->data,
                          .tensors = h->tensors};
    struct handle first = handle_of(r->head);
    memcpy(r->start, first.sha, HANDLE_BYTES);
    memcpy(r->initial, h->initial, HANDLE_BYTES);
}

void receipt_link(const struct receipt *r, const struct receipt_record *record,
                  const unsigned char link[HANDLE_BYTES], unsigned char out[HANDLE_BYTES])
{
    struct arena scratch = {0}, *a = &scratch;
    unsigned char root[HANDLE_BYTES], both[2 * HANDLE_BYTES];
    const struct state_step step = {record->step, record->epoch, r->seed, record->outputs};
    state_root(a, r->tensors, record->roots, root);
    memcpy(both, link, HANDLE_BYTES);
    state_digest(a, &step, root, both + HANDLE_BYTES);
    sha256_of(both, sizeof both, out);
    arena_free(a);
}

void receipt_add(struct receipt *r, uint32_t step, uint64_t epoch, const struct value *outputs,
                 const unsigned char *roots)
{
    struct receipt_record record = {.step = step, .epoch = epoch, .outputs = outputs};
    size_t n = r->tensors->as.array.n * HANDLE_BYTES;
    unsigned char *copy = arena_array(r->arena, n + 1, 1);
    memcpy(copy, roots, n);
    record.roots = copy;
    receipt_link(r, &record, receipt_seal(r), record.link);
    vec_push(r->arena, &r->records, record);
}

const unsigned char *receipt_seal(const struct receipt *r)
{
    return r->records.n > 0 ? r->records.at[r->records.n - 1].link : r->start;
}

const struct receipt_record *receipt_at(const struct receipt *r, uint32_t step)
{
    size_t low = 0, high = r->records.n; // records ascend
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->records.at[mid].step < step)
            low = mid + 1;
        else
            high = mid;
    }
    return low < r->records.n && r->records.at[low].step == step ? &r->records.at[low] : NULL;
}

// -- as a value ----------------------------------------------------------------------------------

static const struct value *record_value(struct arena *a, const struct receipt *r,
                                        const struct receipt_record *at)
{
    const struct value_field fields[] = {
        {"epoch", 5, value_int(a, (int64_t)at->epoch)},
        {"link", 4, value_bytes(a, at->link, HANDLE_BYTES)},
        {"outputs", 7, at->outputs},
        {"roots", 5, value_bytes(a, at->roots, r->tensors->as.array.n * HANDLE_BYTES)},
        {"step", 4, value_int(a, at->step)},
    };
    return value_object_sorted(a, fields, sizeof fields / sizeof *fields);
}

const struct value *receipt_value(struct arena *a, const struct receipt *r)
{
    const struct value **rows = arena_array(a, r->records.n + 1, sizeof *rows);
    for (size_t i = 0; i < r->records.n; i++)
        rows[i] = record_value(a, r, &r->records.at[i]);
    const struct value_field fields[] = {
        {"head", 4, r->head},
        {"records", 7, value_array(a, rows, r->records.n)},
        {"run", 3, r->run},
    };
    return value_contract(a, RECEIPT_CONTRACT, value_object_sorted(a, fields, 3));
}

bool receipt_write(const struct receipt *r, const char *path, struct hlx_error *error)
{
    const char *why;
    struct arena scratch = {0}; // a growing receipt is written many times
    struct buf bytes = {0};
    lcb_encode(receipt_value(&scratch, r), &bytes);
    bool ok = file_write(&scratch, path, bytes.at, bytes.n, &why);
    if (!ok)
        hlx_fail(error, EXIT_DATA, "%s", why);
    buf_free(&bytes);
    arena_free(&scratch);
    return ok;
}
