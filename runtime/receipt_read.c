// receipt_read.c: reads a receipt and checks all that it states by itself (spec/receipts.md, D3).
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "latent/lcb.h"
#include "runtime/receipt.h"

// Where the reader is.
struct reader {
    struct receipt *r;
    const char *name;
    size_t record; // 1-based; 0: in the head
    struct hlx_error *error;
};

static bool refuse(struct reader *in, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct reader *in, const char *code, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    struct buf seen = {0}; // names from the file may hold anything
    buf_visible(&seen, text.at, text.n);
    if (in->record)
        hlx_fail(in->error, EXIT_DATA, "`%s`: %s: record %zu: %s", in->name, code, in->record,
                 seen.at);
    else
        hlx_fail(in->error, EXIT_DATA, "`%s`: %s: %s", in->name, code, seen.at);
    buf_free(&seen);
    buf_free(&text);
    return false;
}

// -- fields --------------------------------------------------------------------------------------

static bool wrong_kind(struct reader *in, const char *key, const struct value *v, const char *want)
{
    return v ? refuse(in, "E_RECEIPT_FIELD", "`%s` is %s, not %s", key, value_kind_name(v->kind),
                      want)
             : refuse(in, "E_RECEIPT_FIELD", "`%s` is missing", key);
}

// Takes the next field of an object whose fields are known; they are sorted by name.
static const struct value *take(struct reader *in, const struct value *object, const char *key,
                                enum value_kind kind)
{
    const struct value *v = value_get(object, key);
    if (v && v->kind == kind)
        return v;
    wrong_kind(in, key, v, value_kind_name(kind));
    return NULL;
}

static bool only(struct reader *in, const struct value *object, const char *const *names, size_t n)
{
    for (size_t i = 0; i < object->as.object.n; i++) {
        const struct value_field *f = &object->as.object.at[i];
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known = known || (f->len == strlen(names[k]) && !memcmp(f->key, names[k], f->len));
        if (!known)
            return refuse(in, "E_RECEIPT_FIELD", "there is no field `%s`", f->key);
    }
    return true;
}

static bool number(struct reader *in, const struct value *object, const char *key, int64_t low,
                   int64_t high, int64_t *out)
{
    const struct value *v = take(in, object, key, VALUE_INT);
    if (!v)
        return false;
    *out = v->as.integer;
    return (low <= *out && *out <= high) ||
           refuse(in, "E_RECEIPT_FIELD", "`%s` is %" PRId64 ", not from %" PRId64 " to %" PRId64,
                  key, *out, low, high);
}

static bool text(struct reader *in, const struct value *object, const char *key, const char **out)
{
    return value_get_text(object, key, out) || wrong_kind(in, key, value_get(object, key), "text");
}

static bool bytes(struct reader *in, const struct value *object, const char *key, size_t n,
                  const void **out)
{
    const struct value *v = take(in, object, key, VALUE_BYTES);
    if (!v)
        return false;
    *out = v->as.bytes.at;
    return v->as.bytes.n == n ||
           refuse(in, "E_RECEIPT_FIELD", "`%s` has %zu bytes, not %zu", key, v->as.bytes.n, n);
}

// A text or name that holds a NUL would be another one to whoever reads it as a C string.
static bool holds_nul(const struct value *v)
{
    bool found = v->kind == VALUE_TEXT && memchr(v->as.bytes.at, '\0', v->as.bytes.n);
    for (size_t i = 0; v->kind == VALUE_ARRAY && !found && i < v->as.array.n; i++)
        found = holds_nul(v->as.array.at[i]);
    for (size_t i = 0; v->kind == VALUE_OBJECT && !found && i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        found = memchr(f->key, '\0', f->len) || holds_nul(f->value);
    }
    return found;
}

static bool no_nul(struct reader *in, const struct value *v)
{
    return !holds_nul(v) || refuse(in, "E_RECEIPT_FIELD", "a text or a name holds U+0000");
}

static bool is_handle(const struct value *v)
{
    struct handle h;
    return v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, &h);
}

// -- the head ------------------------------------------------------------------------------------

static bool extents_ok(const struct value *extents)
{
    enum { MOST = 40 }; // elements of a tensor, as a power of two (spec/ir.md, I2.2)
    uint64_t n = 1;
    for (size_t i = 0; i < extents->as.array.n; i++) {
        const struct value *v = extents->as.array.at[i];
        if (v->kind != VALUE_INT || v->as.integer < 1 ||
            (uint64_t)v->as.integer > (1ull << MOST) / n)
            return false;
        n *= (uint64_t)v->as.integer;
    }
    return extents->as.array.n <= IR_MAX_RANK;
}

static bool tensor_ok(const struct value *row)
{
    if (row->kind != VALUE_ARRAY || row->as.array.n != 3)
        return false;
    const struct value *const *at = row->as.array.at;
    if (at[0]->kind != VALUE_TEXT || at[1]->kind != VALUE_TEXT || at[2]->kind != VALUE_ARRAY)
        return false;
    if (at[0]->as.bytes.n > RECEIPT_PATH)
        return false;
    bool known = false;
    for (int t = 0; t < DT_COUNT; t++)
        known = known || !strcmp(at[1]->as.bytes.at, dtype_name((enum dtype)t));
    return known && extents_ok(at[2]);
}

const char *receipt_bad_tensors(const struct value *tensors)
{
    for (size_t i = 0; i < tensors->as.array.n; i++) {
        if (!tensor_ok(tensors->as.array.at[i]))
            return "`tensors` holds what is no `[path, dtype, [extent, ...]]`";
        if (i == 0)
            continue;
        const struct value *a = tensors->as.array.at[i - 1]->as.array.at[0];
        const struct value *b = tensors->as.array.at[i]->as.array.at[0];
        if (strcmp(a->as.bytes.at, b->as.bytes.at) >= 0)
            return "`tensors` is not in the order of the paths";
    }
    return NULL;
}

static bool read_data(struct reader *in, const struct value *head)
{
    in->r->data = take(in, head, "data", VALUE_OBJECT);
    for (size_t i = 0; in->r->data && i < in->r->data->as.object.n; i++)
        if (!is_handle(in->r->data->as.object.at[i].value))
            return refuse(in, "E_RECEIPT_FIELD", "`data` holds what is no full handle");
    return in->r->data != NULL;
}

static bool read_numbers(struct reader *in, const struct value *head)
{
    int64_t seed, shards, every;
    if (!number(in, head, "seed", 0, INT64_MAX, &seed) ||
        !number(in, head, "shards", 1, INT32_MAX, &shards) ||
        !number(in, head, "every", 1, UINT32_MAX, &every))
        return false;
    in->r->seed = (uint64_t)seed;
    in->r->shards = (uint32_t)shards;
    in->r->every = (uint32_t)every;
    return true;
}

static bool read_program(struct reader *in, const struct value *head)
{
    struct receipt *r = in->r;
    const struct value *program = take(in, head, "program", VALUE_HANDLE);
    if (!program)
        return false;
    if (!handle_parse(program->as.bytes.at, program->as.bytes.n, &r->program))
        return refuse(in, "E_RECEIPT_FIELD", "`program` is no full handle");
    if (!text(in, head, "entry", &r->entry) || !text(in, head, "numerics", &r->numerics) ||
        !text(in, head, "profile", &r->profile))
        return false;
    return !strcmp(r->profile, "exact") || !strcmp(r->profile, "native") ||
           refuse(in, "E_RECEIPT_FIELD", "`profile` is neither `exact` nor `native`");
}

static bool read_tensors(struct reader *in, const struct value *head)
{
    const void *initial;
    in->r->tensors = take(in, head, "tensors", VALUE_ARRAY);
    const char *bad = in->r->tensors ? receipt_bad_tensors(in->r->tensors) : NULL;
    if (bad)
        return refuse(in, "E_RECEIPT_FIELD", "%s", bad);
    if (!in->r->tensors || !bytes(in, head, "initial", HANDLE_BYTES, &initial))
        return false;
    memcpy(in->r->initial, initial, HANDLE_BYTES);
    return true;
}

static bool read_head(struct reader *in, const struct value *head)
{
    static const char *const names[] = {"data",     "entry",   "every",   "initial",
                                        "numerics", "profile", "program", "seed",
                                        "shards",   "tensors", "version"};
    int64_t version;
    in->r->head = head;
    if (!number(in, head, "version", INT64_MIN, INT64_MAX, &version))
        return false;
    if (version != RECEIPT_VERSION)
        return refuse(in, "E_RECEIPT_VERSION",
                      "this is version %" PRId64 " of receipts; this program knows %d", version,
                      RECEIPT_VERSION);
    if (!only(in, head, names, sizeof names / sizeof *names) || !no_nul(in, head) ||
        !read_data(in, head) || !read_program(in, head) || !read_numbers(in, head) ||
        !read_tensors(in, head))
        return false;
    struct handle first = handle_of(head);
    memcpy(in->r->start, first.sha, HANDLE_BYTES);
    return true;
}

// -- records -------------------------------------------------------------------------------------

static bool read_outputs(struct reader *in, const struct value *outputs)
{
    for (size_t i = 0; i < outputs->as.object.n; i++) {
        const struct value_field *f = &outputs->as.object.at[i];
        int64_t x;
        if (!number(in, outputs, f->key, 0, UINT32_MAX, &x))
            return false;
    }
    return true;
}

// The step after the last one must be the next that `every` divides, or the run's last.
static bool check_order(struct reader *in, const struct receipt_record *record, bool last)
{
    const struct receipt *r = in->r;
    size_t n = r->records.n;
    uint32_t before = n > 0 ? r->records.at[n - 1].step : 0;
    uint64_t next = ((uint64_t)before / r->every + 1) * r->every;
    if (record->step <= before)
        return refuse(in, "E_RECEIPT_ORDER", "step %lu comes after step %lu",
                      (unsigned long)record->step, (unsigned long)before);
    if (record->step > next || (!last && record->step != next))
        return refuse(in, "E_RECEIPT_ORDER", "step %lu comes where step %lu must",
                      (unsigned long)record->step, (unsigned long)next);
    if (n > 0 && record->epoch < r->records.at[n - 1].epoch)
        return refuse(in, "E_RECEIPT_ORDER", "epoch %llu comes after epoch %llu",
                      (unsigned long long)record->epoch,
                      (unsigned long long)r->records.at[n - 1].epoch);
    return true;
}

static bool read_record(struct reader *in, const struct value *v, bool last)
{
    static const char *const names[] = {"epoch", "link", "outputs", "roots", "step"};
    struct receipt *r = in->r;
    struct receipt_record record;
    const void *link, *roots;
    int64_t step, epoch;
    unsigned char want[HANDLE_BYTES];
    if (v->kind != VALUE_OBJECT)
        return refuse(in, "E_RECEIPT_FIELD", "it is %s, not an object", value_kind_name(v->kind));
    record.outputs = take(in, v, "outputs", VALUE_OBJECT);
    if (!only(in, v, names, 5) || !no_nul(in, v) ||
        !number(in, v, "step", 1, RECEIPT_LAST_STEP, &step) ||
        !number(in, v, "epoch", 1, INT64_MAX, &epoch) || !record.outputs ||
        !read_outputs(in, record.outputs) ||
        !bytes(in, v, "roots", r->tensors->as.array.n * HANDLE_BYTES, &roots) ||
        !bytes(in, v, "link", HANDLE_BYTES, &link))
        return false;
    record.step = (uint32_t)step;
    record.epoch = (uint64_t)epoch;
    record.roots = roots;
    memcpy(record.link, link, HANDLE_BYTES);
    if (!check_order(in, &record, last))
        return false;
    receipt_link(r, &record, receipt_seal(r), want);
    if (memcmp(want, link, HANDLE_BYTES) != 0)
        return refuse(in, "E_RECEIPT_CHAIN",
                      "its link is not that of its contents: the receipt was changed at or before "
                      "step %lu",
                      (unsigned long)record.step);
    vec_push(r->arena, &r->records, record);
    return true;
}

static bool read_records(struct reader *in, const struct value *list)
{
    size_t n = list->as.array.n;
    if (n == 0)
        return refuse(in, "E_RECEIPT_ORDER", "it has no record");
    for (size_t i = 0; i < n; i++) {
        in->record = i + 1;
        if (!read_record(in, list->as.array.at[i], i + 1 == n))
            return false;
    }
    in->record = 0;
    return true;
}

// -- the whole -----------------------------------------------------------------------------------

static bool read_value(struct reader *in, const struct value *v)
{
    static const char *const names[] = {"head", "records", "run"};
    const struct value *fields, *head, *records;
    int64_t contract;
    if (!value_is_contract(v, &contract, &fields) || contract != RECEIPT_CONTRACT)
        return refuse(in, "E_RECEIPT_FOREIGN", "this is no receipt (contract %d)",
                      RECEIPT_CONTRACT);
    if (!(head = take(in, fields, "head", VALUE_OBJECT)) || !read_head(in, head) ||
        !only(in, fields, names, 3) || !(records = take(in, fields, "records", VALUE_ARRAY)) ||
        !(in->r->run = take(in, fields, "run", VALUE_OBJECT)))
        return false;
    return read_records(in, records);
}

bool receipt_read(struct receipt *r, struct arena *a, const void *bytes_, size_t n,
                  const char *name, struct hlx_error *error)
{
    struct reader in = {.r = r, .name = name, .error = error};
    struct latent_error bad;
    *r = (struct receipt){.arena = a};
    const struct value *v = lcb_decode(a, bytes_, n, &bad);
    if (v)
        return read_value(&in, v);
    return refuse(&in, bad.code, "%s: this is no receipt, or a damaged one", bad.message);
}

// A reading that memory may end.
struct opening {
    struct receipt *receipt;
    struct arena *arena;
    const char *bytes, *path;
    size_t n;
    bool ok;
    struct hlx_error *error;
};

static void read_opened(void *context)
{
    struct opening *o = context;
    o->ok = receipt_read(o->receipt, o->arena, o->bytes, o->n, o->path, o->error);
}

bool receipt_open(struct receipt *r, struct arena *a, const char *path, struct hlx_error *error)
{
    struct opening o = {.receipt = r, .arena = a, .path = path, .error = error};
    const char *why;
    char *file = file_read(a, path, RECEIPT_MOST, &o.n, &why);
    if (!file)
        return hlx_unread(error, path, why);
    o.bytes = file;
    bool ok = hlx_reading(a, path, read_opened, &o, error) && o.ok;
    free(file);
    return ok;
}
