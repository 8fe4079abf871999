// receipt_fuzz.c: feeds bytes to the reader of receipts, as they are and with the links made right.
//
// No fuzzer guesses a SHA-256, so what is well-formed LC-B is tried a second time with the links of
// its records computed anew, as a forger would: that leads behind the chain.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/receipt.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

// An accepted receipt is what the writer would have written, and its parts can be relied on.
static void check_accepted(struct arena *a, const struct receipt *r, const void *bytes, size_t n)
{
    struct buf again = {0};
    require(r->records.n > 0 && r->tensors && r->data && r->run && r->every > 0);
    for (size_t i = 0; i < r->records.n; i++)
        require(receipt_at(r, r->records.at[i].step) == &r->records.at[i]);
    lcb_encode(receipt_value(a, r), &again);
    require(again.n == n && memcmp(again.at, bytes, n) == 0);
    buf_free(&again);
}

static void try_receipt(const void *bytes, size_t n)
{
    struct arena a = {0};
    struct receipt r;
    struct hlx_error error = {0};
    if (receipt_read(&r, &a, bytes, n, "input", &error))
        check_accepted(&a, &r, bytes, n);
    else
        require(error.code == EXIT_DATA && strstr(error.text, ": E_"));
    arena_free(&a);
}

// -- links made right ----------------------------------------------------------------------------

static const struct value *with_link(struct arena *a, const struct value *record,
                                     const unsigned char *link)
{
    struct value_field *field = arena_array(a, record->as.object.n + 1, sizeof *field);
    memcpy(field, record->as.object.at, record->as.object.n * sizeof *field);
    for (size_t i = 0; i < record->as.object.n; i++)
        if (!strcmp(field[i].key, "link"))
            field[i].value = value_bytes(a, link, HANDLE_BYTES);
    return value_object_sorted(a, field, record->as.object.n);
}

// The record with the link that it must have, or NULL when it has not what a link is made from.
static const struct value *relink(struct arena *a, const struct receipt *r, const struct value *v,
                                  unsigned char *link)
{
    const struct value *roots = value_get(v, "roots"), *outputs = value_get(v, "outputs");
    int64_t step, epoch;
    if (!value_get_int(v, "step", &step) || !value_get_int(v, "epoch", &epoch) || !outputs ||
        !roots || roots->kind != VALUE_BYTES ||
        roots->as.bytes.n != r->tensors->as.array.n * HANDLE_BYTES)
        return NULL;
    const struct receipt_record record = {.step = (uint32_t)step,
                                          .epoch = (uint64_t)epoch,
                                          .outputs = outputs,
                                          .roots = (const unsigned char *)roots->as.bytes.at};
    receipt_link(r, &record, link, link);
    return with_link(a, v, link);
}

static void try_linked(struct arena *a, const struct value *fields)
{
    const struct value *head = value_get(fields, "head"), *list = value_get(fields, "records");
    const struct value *run = value_get(fields, "run"), *tensors = value_get(head, "tensors");
    struct receipt r = {.tensors = tensors};
    int64_t seed;
    if (!list || list->kind != VALUE_ARRAY || !run || !tensors || tensors->kind != VALUE_ARRAY ||
        !value_get_int(head, "seed", &seed) || receipt_bad_tensors(tensors))
        return;
    r.seed = (uint64_t)seed;
    struct handle link = handle_of(head);
    const struct value **record = arena_array(a, list->as.array.n + 1, sizeof *record);
    for (size_t i = 0; i < list->as.array.n; i++)
        if (!(record[i] = relink(a, &r, list->as.array.at[i], link.sha)))
            return;
    const struct value_field part[] = {{"head", 4, head},
                                       {"records", 7, value_array(a, record, list->as.array.n)},
                                       {"run", 3, run}};
    struct buf bytes = {0};
    lcb_encode(value_contract(a, RECEIPT_CONTRACT, value_object_sorted(a, part, 3)), &bytes);
    try_receipt(bytes.at, bytes.n);
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct latent_error bad;
    int64_t number;
    const struct value *fields, *v = lcb_decode(&a, data, size, &bad);
    try_receipt(data, size);
    if (v && value_is_contract(v, &number, &fields) && fields->kind == VALUE_OBJECT)
        try_linked(&a, fields);
    arena_free(&a);
    return 0;
}
