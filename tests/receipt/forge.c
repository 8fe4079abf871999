// forge.c: writes false receipts, one for each way of cheating, from a true one.
//
//   forge RECEIPT FOLDER
//
// A file is called REASON-WHAT.receipt: the reason is what a checker must answer. Those of
// `replay-...` are consistent in themselves: only running the program again can tell.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "latent/lcb.h"
#include "runtime/receipt.h"

struct forge {
    struct arena arena;
    const struct value *fields; // of the true receipt's contract
    const char *folder;
};

// -- values with one thing changed ---------------------------------------------------------------

// An object with a field replaced, added, or (value NULL) left out.
static const struct value *with(struct forge *f, const struct value *object, const char *key,
                                const struct value *value)
{
    struct arena *a = &f->arena;
    struct value_field *field = arena_array(a, object->as.object.n + 1, sizeof *field);
    size_t n = 0;
    for (size_t i = 0; i < object->as.object.n; i++)
        if (strcmp(object->as.object.at[i].key, key) != 0)
            field[n++] = object->as.object.at[i];
    if (value)
        field[n++] = (struct value_field){key, strlen(key), value};
    return value_object(a, field, n, NULL);
}

static const struct value *flipped(struct forge *f, const struct value *bytes, size_t at)
{
    char *copy = arena_copy(&f->arena, bytes->as.bytes.at, bytes->as.bytes.n);
    copy[at] ^= 1;
    return value_bytes(&f->arena, copy, bytes->as.bytes.n);
}

static const struct value *part(const struct value *object, const char *key)
{
    const struct value *v = value_get(object, key);
    if (!v)
        exit(70);
    return v;
}

static const struct value *record_at(struct forge *f, size_t i)
{
    return part(f->fields, "records")->as.array.at[i];
}

// The receipt with another head or another record i.
static const struct value *with_head(struct forge *f, const char *key, const struct value *value)
{
    const struct value *head = with(f, part(f->fields, "head"), key, value);
    return with(f, f->fields, "head", head);
}

static const struct value *with_record(struct forge *f, size_t i, const struct value *record)
{
    const struct value *list = part(f->fields, "records");
    const struct value **at = arena_array(&f->arena, list->as.array.n, sizeof *at);
    memcpy(at, list->as.array.at, list->as.array.n * sizeof *at);
    at[i] = record;
    return with(f, f->fields, "records", value_array(&f->arena, at, list->as.array.n));
}

// Records `from` to `to` - 1, without the one called `but`.
static const struct value *some_records(struct forge *f, size_t from, size_t to, size_t but)
{
    const struct value *list = part(f->fields, "records");
    const struct value **at = arena_array(&f->arena, list->as.array.n + 1, sizeof *at);
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        if (i != but)
            at[n++] = list->as.array.at[i];
    return with(f, f->fields, "records", value_array(&f->arena, at, n));
}

// Makes the links right again, as a careful forger would.
static const struct value *chained(struct forge *f, const struct value *fields)
{
    const struct value *head = part(fields, "head"), *list = part(fields, "records");
    const struct value **at = arena_array(&f->arena, list->as.array.n + 1, sizeof *at);
    struct receipt r = {.seed = (uint64_t)part(head, "seed")->as.integer,
                        .tensors = part(head, "tensors")};
    struct handle first = handle_of(head);
    unsigned char link[HANDLE_BYTES];
    memcpy(link, first.sha, sizeof link);
    for (size_t i = 0; i < list->as.array.n; i++) {
        const struct value *v = list->as.array.at[i];
        struct receipt_record record = {.step = (uint32_t)part(v, "step")->as.integer,
                                        .epoch = (uint64_t)part(v, "epoch")->as.integer,
                                        .outputs = part(v, "outputs"),
                                        .roots =
                                            (const unsigned char *)part(v, "roots")->as.bytes.at};
        receipt_link(&r, &record, link, link);
        at[i] = with(f, v, "link", value_bytes(&f->arena, link, sizeof link));
    }
    return with(f, fields, "records", value_array(&f->arena, at, list->as.array.n));
}

// -- files ---------------------------------------------------------------------------------------

static void put_bytes(struct forge *f, const char *name, const char *bytes, size_t n)
{
    const char *why, *path = arena_printf(&f->arena, "%s/%s.receipt", f->folder, name);
    if (file_write(&f->arena, path, bytes, n, &why))
        return;
    fprintf(stderr, "forge: %s\n", why);
    exit(4);
}

static void put_value(struct forge *f, const char *name, const struct value *v)
{
    struct buf bytes = {0};
    lcb_encode(v, &bytes);
    put_bytes(f, name, bytes.at, bytes.n);
    buf_free(&bytes);
}

static void put(struct forge *f, const char *name, const struct value *fields)
{
    put_value(f, name, value_contract(&f->arena, RECEIPT_CONTRACT, fields));
}

// -- forgeries -----------------------------------------------------------------------------------

static void forge_bytes(struct forge *f, const char *bytes, size_t n)
{
    char *other = arena_copy(&f->arena, bytes, n);
    put_bytes(f, "E_LC_PARSE-truncated", bytes, n - 7);
    put_bytes(f, "E_LC_PARSE-empty", bytes, 0);
    other[n / 2] ^= 0x10;
    put_bytes(f, "ANY-bit", other, n);
    put_value(f, "E_RECEIPT_FOREIGN-contract", value_contract(&f->arena, 902, f->fields));
    put_value(f, "E_RECEIPT_FOREIGN-array", value_array(&f->arena, NULL, 0));
}

// Texts and names that a reader in C would take for others, and one that would cost it hours.
static void forge_texts(struct forge *f, const struct value *head)
{
    enum { LONG = 4097 };
    struct arena *a = &f->arena;
    static const char exact[] = "exact\0ly", seed[] = "seed\0s";
    const struct value *text = value_text(a, exact, sizeof exact - 1, NULL), *tensor[3];
    const struct value_field more = {seed, sizeof seed - 1, text};
    struct value_field *field = arena_array(a, head->as.object.n + 1, sizeof *field);
    memcpy(field, head->as.object.at, head->as.object.n * sizeof *field);
    field[head->as.object.n] = more;
    put(f, "E_RECEIPT_FIELD-nul_text", chained(f, with_head(f, "numerics", text)));
    put(f, "E_RECEIPT_FIELD-nul_name",
        chained(f,
                with(f, f->fields, "head", value_object(a, field, head->as.object.n + 1, NULL))));
    char *path = arena_array(a, LONG, 1);
    memset(path, '~', LONG); // the last of the paths
    memcpy(tensor, part(head, "tensors")->as.array.at[0]->as.array.at, sizeof tensor);
    tensor[0] = value_text(a, path, LONG, NULL);
    const struct value *row = value_array(a, tensor, 3);
    put(f, "E_RECEIPT_FIELD-path", with_head(f, "tensors", value_array(a, &row, 1)));
}

// Another program than the receipt's own head says, though under its handle.
static void forge_program(struct forge *f, const struct value *head)
{
    struct arena *a = &f->arena;
    const struct value *all = part(head, "tensors"), *row[3];
    const struct value **tensor = arena_array(a, all->as.array.n, sizeof *tensor);
    memcpy(tensor, all->as.array.at, all->as.array.n * sizeof *tensor);
    memcpy(row, all->as.array.at[1]->as.array.at, sizeof row);
    row[1] = value_str(a, "u32");
    tensor[1] = value_array(a, row, 3);
    put(f, "E_RECEIPT_PROGRAM-entry",
        chained(f, with_head(f, "entry",
                             value_str(a, "tr\xe2\x80\xae"
                                          "ain"))));
    put(f, "E_RECEIPT_PROGRAM-shards", chained(f, with_head(f, "shards", value_int(a, 4))));
    put(f, "E_RECEIPT_PROGRAM-profile",
        chained(f, with_head(f, "profile", value_str(a, "native"))));
    put(f, "E_RECEIPT_PROGRAM-tensors",
        chained(f, with_head(f, "tensors", value_array(a, tensor, all->as.array.n))));
}

static void forge_head(struct forge *f)
{
    struct arena *a = &f->arena;
    const struct value *head = part(f->fields, "head");
    const struct value *none = value_object(a, NULL, 0, NULL);
    const struct value *other = handle_value(a, &(struct handle){{0xab}});
    put(f, "E_RECEIPT_VERSION-later", with_head(f, "version", value_int(a, 2)));
    put(f, "E_RECEIPT_FIELD-no_seed", with_head(f, "seed", NULL));
    put(f, "E_RECEIPT_FIELD-more", with_head(f, "trust", value_str(a, "me")));
    put(f, "E_RECEIPT_FIELD-kind", with_head(f, "program", value_str(a, "mine")));
    put(f, "E_RECEIPT_FIELD-range", with_head(f, "every", value_int(a, 0)));
    put(f, "E_RECEIPT_FIELD-tensors", with_head(f, "tensors", value_array(a, &none, 1)));
    forge_texts(f, head);
    put(f, "E_RECEIPT_CHAIN-seed", with_head(f, "seed", value_int(a, 99)));
    put(f, "E_RECEIPT_CHAIN-initial",
        with_head(f, "initial", flipped(f, part(head, "initial"), 0)));
    put(f, "E_RECEIPT_CHAIN-program", with_head(f, "program", other));
    forge_program(f, head);
    put(f, "E_RECEIPT_PROGRAM-foreign", chained(f, with_head(f, "program", other)));
    if (part(head, "data")->as.object.n > 0) {
        const char *name = part(head, "data")->as.object.at[0].key;
        put(f, "E_RECEIPT_DATA-foreign",
            chained(f, with_head(f, "data", with(f, part(head, "data"), name, other))));
    }
    put(f, "replay-seed", chained(f, with_head(f, "seed", value_int(a, 99))));
    put(f, "replay-initial",
        chained(f, with_head(f, "initial", flipped(f, part(head, "initial"), 5))));
}

// The last record: a step that cannot be counted, and what no link but running it again can tell.
static void forge_last(struct forge *f, size_t last)
{
    struct arena *a = &f->arena;
    const struct value *r = record_at(f, last), *outputs = part(r, "outputs");
    const struct value *later = value_int(a, part(r, "epoch")->as.integer + 1);
    put(f, "E_RECEIPT_FIELD-last_step",
        chained(f, with_record(f, last, with(f, r, "step", value_int(a, UINT32_MAX)))));
    put(f, "replay-epoch", chained(f, with_record(f, last, with(f, r, "epoch", later))));
    put(f, "replay-output",
        chained(f, with_record(f, last,
                               with(f, r, "outputs", with(f, outputs, "more", value_int(a, 1))))));
}

static void forge_records(struct forge *f)
{
    struct arena *a = &f->arena;
    size_t n = part(f->fields, "records")->as.array.n, mid = n / 2;
    const struct value *r = record_at(f, mid), *outputs = part(r, "outputs");
    const struct value *less = with(f, outputs, "loss", value_int(a, 0x3f000000));
    put(f, "E_RECEIPT_CHAIN-root",
        with_record(f, mid, with(f, r, "roots", flipped(f, part(r, "roots"), 3))));
    put(f, "E_RECEIPT_CHAIN-loss", with_record(f, mid, with(f, r, "outputs", less)));
    put(f, "E_RECEIPT_CHAIN-link",
        with_record(f, 0, with(f, record_at(f, 0), "link", part(r, "link"))));
    put(f, "E_RECEIPT_CHAIN-epoch",
        with_record(f, mid, with(f, r, "epoch", value_int(a, part(r, "epoch")->as.integer + 1))));
    put(f, "E_RECEIPT_FIELD-roots",
        with_record(f, mid, with(f, r, "roots", value_bytes(a, "short", 5))));
    put(f, "E_RECEIPT_FIELD-output",
        with_record(f, mid, with(f, r, "outputs", with(f, outputs, "loss", value_int(a, -1)))));
    put(f, "E_RECEIPT_ORDER-missing", some_records(f, 0, n, mid));
    put(f, "E_RECEIPT_ORDER-first", some_records(f, 1, n, n));
    put(f, "E_RECEIPT_ORDER-none", some_records(f, 0, 0, 0));
    put(f, "E_RECEIPT_ORDER-twice", with_record(f, mid + 1, r));
    put(f, "E_RECEIPT_ORDER-swapped", with_record(f, mid, record_at(f, mid + 1)));
    put(f, "replay-root",
        chained(f, with_record(f, mid, with(f, r, "roots", flipped(f, part(r, "roots"), 3)))));
    put(f, "replay-loss", chained(f, with_record(f, mid, with(f, r, "outputs", less))));
    forge_last(f, n - 1);
    put(f, "true-shorter", some_records(f, 0, mid + 1, n));
}

int main(int argc, char **argv)
{
    struct forge f = {0};
    struct hlx_error error;
    struct receipt receipt;
    size_t n;
    const char *why = "usage: forge RECEIPT FOLDER";
    char *bytes = argc == 3 ? file_read(&f.arena, argv[1], 0, &n, &why) : NULL;
    if (!bytes || !receipt_read(&receipt, &f.arena, bytes, n, argv[1], &error)) {
        fprintf(stderr, "forge: %s\n", bytes ? error.text : why);
        return 2;
    }
    int64_t number;
    f.folder = argv[2];
    if (!value_is_contract(receipt_value(&f.arena, &receipt), &number, &f.fields) ||
        receipt.records.n < 4)
        return 2;
    forge_bytes(&f, bytes, n);
    forge_head(&f);
    forge_records(&f);
    free(bytes);
    arena_free(&f.arena);
    return 0;
}
