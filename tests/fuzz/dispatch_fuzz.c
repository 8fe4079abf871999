// dispatch_fuzz.c: feeds changed dispatch tables and SPIR-V words to their readers.
//
// The first byte says what the rest is: a table object, changes to the numbers of a good table (8
// bytes each: which one, and what to add), or changes to the words of a good kernel. What the
// reader takes must keep every range inside its segment and be fit for the hazard checker.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/spv_check.h"
#include "tests/unit/table_kit.h"

enum part { PART_OBJECT, PART_NUMBERS, PART_WORDS, PART_COUNT };

struct change {
    uint32_t which;
    int32_t by;
};

// A value with the `left`-th of its numbers changed; counts *left down.
static const struct value *changed(struct arena *a, const struct value *v, uint32_t *left,
                                   int32_t by)
{
    if (v->kind == VALUE_ARRAY) {
        const struct value **item = arena_array(a, v->as.array.n, sizeof *item);
        for (size_t i = 0; i < v->as.array.n; i++)
            item[i] = changed(a, v->as.array.at[i], left, by);
        return value_array(a, item, v->as.array.n);
    }
    if (v->kind == VALUE_OBJECT) {
        struct value_field *f = arena_array(a, v->as.object.n, sizeof *f);
        for (size_t i = 0; i < v->as.object.n; i++) {
            f[i] = v->as.object.at[i];
            f[i].value = changed(a, f[i].value, left, by);
        }
        return value_object_sorted(a, f, v->as.object.n);
    }
    if (v->kind != VALUE_INT || (*left)-- != 0)
        return v;
    return value_int(a, (int64_t)((uint64_t)v->as.integer + (uint64_t)(int64_t)by));
}

static void check_range(const struct dispatch_program *p, const struct dispatch_entry *e,
                        const struct dispatch_range *r)
{
    bool vars = r->arena == ARENA_VARS;
    size_t n = vars ? p->nvar_segments : e->nsegments[r->arena];
    const uint64_t *segment = vars ? p->var_segment : e->segment[r->arena];
    if (r->segment >= n || r->size == 0 || r->offset + r->size > segment[r->segment])
        abort();
}

static void check_calls(const struct dispatch_program *p, const struct dispatch_entry *e,
                        const struct dispatch_variant *v)
{
    for (size_t i = 0; i < v->ncalls; i++)
        for (size_t b = 0; b < p->kernel[v->call[i].kernel].bindings; b++)
            check_range(p, e, &v->call[i].binding[b].range);
}

static void use(struct table_kit *k, const struct dispatch_program *p)
{
    dispatch_match(&k->arena, p, &k->module);
    for (size_t i = 0; i < p->nentries; i++) {
        const struct dispatch_entry *e = &p->entry[i];
        dispatch_hazard(&k->arena, p, e, 0);
        dispatch_hazard(&k->arena, p, e, DISPATCH_ANY);
        for (size_t s = 0; s < e->nsteps; s++)
            for (size_t v = 0; v < e->step[s].nvariants; v++)
                check_calls(p, e, &e->step[s].variant[v]);
    }
}

static void read_table(struct table_kit *k, const struct pack_writer *good,
                       const struct value *table)
{
    struct pack_writer w = *good;
    struct pack pack;
    struct latent_error error = {0};
    struct buf bytes = {0};
    if (!value_validate(&k->arena, table, &error))
        return;
    struct handle h = pack_add(&w, table);
    pack_write(&w, &h, &bytes);
    if (!pack_read(&k->arena, bytes.at, bytes.n, &pack, &error))
        abort();
    const struct dispatch_program *p = dispatch_read(&k->arena, &pack, &h, &error);
    if (p)
        use(k, p);
    else if (!error.message)
        abort();
    buf_free(&bytes);
}

static void read_words(struct table_kit *k, const uint8_t *data, size_t n)
{
    struct dispatch_kernel x = k->program.kernel[k->blend];
    uint32_t *words = (void *)arena_copy(&k->arena, x.words, 4 * x.nwords);
    struct change c;
    for (; n >= sizeof c; data += sizeof c, n -= sizeof c) {
        memcpy(&c, data, sizeof c);
        words[c.which % x.nwords] += (uint32_t)c.by;
    }
    x.words = words;
    x.handle = dispatch_kernel_handle(&k->arena, &x);
    struct pack_writer w;
    struct dispatch_program one = {.kernel = &x, .nkernels = 1};
    struct pack pack;
    struct latent_error error;
    struct buf bytes = {0};
    struct spv_needs needs;
    pack_writer_init(&w, &k->arena);
    struct handle h = dispatch_write(&w, &one);
    pack_write(&w, &h, &bytes);
    if (!pack_read(&k->arena, bytes.at, bytes.n, &pack, &error))
        abort();
    const struct dispatch_program *p = dispatch_read(&k->arena, &pack, &h, &error);
    if (p)
        spv_check(&k->arena, &p->kernel[0], &needs);
    buf_free(&bytes);
}

static void read_object(struct table_kit *k, enum part part, const uint8_t *data, size_t n)
{
    struct pack_writer w;
    struct change c;
    pack_writer_init(&w, &k->arena);
    struct handle h = dispatch_write(&w, &k->program);
    const struct pack_object *o = &w.objects.at[map_find(&w.index, h.sha, HANDLE_BYTES)->value.u];
    const struct value *table = lcb_decode(&k->arena, o->bytes, o->n, NULL);
    if (part == PART_OBJECT)
        table = lcb_decode(&k->arena, data, n, NULL);
    for (; part == PART_NUMBERS && n >= sizeof c; data += sizeof c, n -= sizeof c) {
        memcpy(&c, data, sizeof c);
        c.which %= 256;
        table = changed(&k->arena, table, &c.which, c.by);
    }
    if (table)
        read_table(k, &w, table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct table_kit k;
    if (n == 0)
        return 0;
    enum part part = data[0] % PART_COUNT;
    table_open(&k);
    if (part == PART_WORDS)
        read_words(&k, data + 1, n - 1);
    else
        read_object(&k, part, data + 1, n - 1);
    table_close(&k);
    return 0;
}
