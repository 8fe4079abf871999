// dispatch_test.c: the dispatch table: round trips, tables that must be refused, hazards.
#include "runtime/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "latent/lcb.h"
#include "runtime/spv_check.h"
#include "tests/unit/table_kit.h"

// A table as a pack, and what a reader makes of it.
struct packed {
    struct arena arena;
    struct buf bytes;
    struct pack pack;
    struct latent_error error;
};

static struct handle write(struct packed *p, const struct dispatch_program *table)
{
    struct pack_writer w;
    *p = (struct packed){0};
    pack_writer_init(&w, &p->arena);
    struct handle h = dispatch_write(&w, table);
    pack_write(&w, &h, &p->bytes);
    assert_true(pack_read(&p->arena, p->bytes.at, p->bytes.n, &p->pack, &p->error));
    return h;
}

static void release(struct packed *p)
{
    buf_free(&p->bytes);
    arena_free(&p->arena);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct table_kit k;
    struct packed one, two;
    table_open(&k);
    struct handle h = write(&one, &k.program);
    const struct dispatch_program *again = dispatch_read(&one.arena, &one.pack, &h, &one.error);
    if (!again) {
        fail_msg("%s", one.error.message);
        return;
    }
    assert_int_equal(again->nkernels, 6);
    assert_int_equal(again->nvars, 2);
    const struct dispatch_entry *e = dispatch_find(again, "train");
    assert_non_null(e);
    assert_null(dispatch_find(again, "trai"));
    assert_int_equal(e->input[1].size, 0);
    assert_int_equal(e->output[1].segment, 1);
    assert_int_equal(e->output[1].offset, 256);
    assert_memory_equal(e->consts[0], "0123456789abcdef", 16);
    assert_string_equal(e->step[0].variant[2].name, "loop");
    assert_true(e->step[1].variant[0].call[0].binding[2].writes);
    assert_true(e->step[1].variant[0].call[0].barrier);
    assert_int_equal(e->step[0].variant[1].call[0].push[0], TABLE_N);
    write(&two, again);
    assert_int_equal(one.bytes.n, two.bytes.n);
    assert_memory_equal(one.bytes.at, two.bytes.at, one.bytes.n);
    release(&one);
    release(&two);
    table_close(&k);
}

// -- tables that must be refused -----------------------------------------------------------------

// A value with one of its scalars changed: the n-th in order of reading. Counts down *n.
static const struct value *mutate(struct arena *a, const struct value *v, long *n, int64_t by)
{
    if (v->kind == VALUE_ARRAY) {
        const struct value **item = arena_array(a, v->as.array.n, sizeof *item);
        for (size_t i = 0; i < v->as.array.n; i++)
            item[i] = mutate(a, v->as.array.at[i], n, by);
        return value_array(a, item, v->as.array.n);
    }
    if (v->kind == VALUE_OBJECT) {
        struct value_field *f = arena_array(a, v->as.object.n, sizeof *f);
        for (size_t i = 0; i < v->as.object.n; i++) {
            f[i] = v->as.object.at[i];
            f[i].value = mutate(a, f[i].value, n, by);
        }
        return value_object_sorted(a, f, v->as.object.n);
    }
    if ((*n)-- != 0)
        return v;
    if (v->kind != VALUE_INT)
        return value_null();
    return value_int(a, by == INT64_MIN ? by : v->as.integer + by);
}

// The pack of `p` with another table object in place of the root.
static struct handle repack(const struct packed *p, const struct value *table, struct packed *out)
{
    struct pack_writer w;
    *out = (struct packed){0};
    pack_writer_init(&w, &out->arena);
    for (size_t i = 0; i < p->pack.n; i++) {
        const struct pack_object *o = &p->pack.object[i];
        const struct value *v = lcb_decode(&out->arena, o->bytes, o->n, NULL);
        if (!handle_equal(&o->handle, &p->pack.root))
            pack_add(&w, v);
    }
    struct handle h = pack_add(&w, table);
    pack_write(&w, &h, &out->bytes);
    assert_true(pack_read(&out->arena, out->bytes.at, out->bytes.n, &out->pack, &out->error));
    return h;
}

// Whatever number is changed by whatever amount, the reader refuses the table or the result keeps
// every range inside its segment.
static void check_ranges(const struct dispatch_program *p)
{
    for (size_t i = 0; i < p->nentries; i++) {
        const struct dispatch_entry *e = &p->entry[i];
        for (size_t s = 0; s < e->nsteps; s++)
            for (size_t v = 0; v < e->step[s].nvariants; v++) {
                const struct dispatch_call *c = e->step[s].variant[v].call;
                assert_true(c->kernel < p->nkernels);
                for (size_t b = 0; b < p->kernel[c->kernel].bindings; b++) {
                    const struct dispatch_range *r = &c->binding[b].range;
                    bool vars = r->arena == ARENA_VARS;
                    size_t n = vars ? p->nvar_segments : e->nsegments[r->arena];
                    assert_true(r->segment < n);
                    assert_true(r->size > 0 && r->size % 4 == 0 && r->offset % 256 == 0);
                    assert_true(r->offset + r->size <=
                                (vars ? p->var_segment : e->segment[r->arena])[r->segment]);
                }
            }
    }
}

static void test_mutations(void **state)
{
    (void)state;
    static const int64_t by[] = {
        1, -1, 2, -5000, INT32_MAX, UINT32_MAX, INT64_MAX / 2, INT64_MIN, 1LL << 40, 524288};
    struct table_kit k;
    struct packed p;
    size_t refused = 0, taken = 0;
    table_open(&k);
    struct handle h = write(&p, &k.program);
    const struct value *table = pack_get(&p.arena, &p.pack, &h, &p.error);
    for (size_t m = 0; m < sizeof by / sizeof *by; m++)
        for (long i = 0;; i++) {
            struct packed q;
            struct arena a = {0};
            long left = i;
            const struct value *bad = mutate(&a, table, &left, by[m]);
            if (left >= 0) {
                arena_free(&a);
                break;
            }
            struct handle root = repack(&p, bad, &q);
            const struct dispatch_program *got = dispatch_read(&q.arena, &q.pack, &root, &q.error);
            if (got)
                check_ranges(got);
            else
                assert_non_null(q.error.message);
            refused += !got;
            taken += got != NULL;
            release(&q);
            arena_free(&a);
        }
    assert_true(refused > 1000 && taken > 50); // push constants and group counts may change
    release(&p);
    table_close(&k);
}

// Changes one thing in a table's structs, and says what the reader must answer.
struct bad {
    const char *part; // of the message
    void (*spoil)(struct table_kit *k);
};

static struct dispatch_entry *entry_of(struct table_kit *k)
{
    return table_mutable(k->program.entry);
}

static struct dispatch_call *call_of(struct table_kit *k, size_t step)
{
    return table_mutable(k->program.entry->step[step].variant[0].call);
}

static struct dispatch_binding *binding_of(struct table_kit *k, size_t step, size_t i)
{
    struct dispatch_binding *b = table_mutable(call_of(k, step)->binding);
    return b + i;
}

static struct dispatch_kernel *kernel_of(struct table_kit *k, size_t i)
{
    struct dispatch_kernel *x = table_mutable(k->program.kernel);
    return x + i;
}

static void spoil_leaves(struct table_kit *k)
{
    binding_of(k, 0, 1)->range.offset = 8192 - 256;
}

static void spoil_segment(struct table_kit *k)
{
    binding_of(k, 0, 1)->range.segment = 2;
}

static void spoil_writes_input(struct table_kit *k)
{
    binding_of(k, 0, 0)->writes = true;
}

static void spoil_writes_const(struct table_kit *k)
{
    binding_of(k, 0, 1)->range = table_range(ARENA_CONSTS, 0, 0, 4);
}

static void spoil_groups(struct table_kit *k)
{
    call_of(k, 0)->groups[1] = 65536;
}

static void spoil_no_groups(struct table_kit *k)
{
    call_of(k, 0)->groups[2] = 0;
}

static void spoil_vars_overlap(struct table_kit *k)
{
    ((struct dispatch_range *)table_mutable(k->program.var))[1] =
        table_range(ARENA_VARS, 0, 512, 4);
}

static void spoil_var_arena(struct table_kit *k)
{
    ((struct dispatch_range *)table_mutable(k->program.var))[1].arena = ARENA_WORK;
}

static void spoil_output(struct table_kit *k)
{
    ((struct dispatch_range *)table_mutable(k->program.entry->output))[0].size = 0;
}

static void spoil_large_segment(struct table_kit *k)
{
    static const uint64_t large[] = {((uint64_t)128 << 20) + 256, 2048};
    k->program.var_segment = large;
}

static void spoil_counters(struct table_kit *k)
{
    static const uint64_t small[] = {8};
    entry_of(k)->segment[ARENA_COUNTERS] = small;
}

static void spoil_names(struct table_kit *k)
{
    struct dispatch_variant *v = table_mutable(k->program.entry->step[0].variant);
    v[1].name = v[0].name;
}

static void spoil_word(struct table_kit *k, size_t at, uint32_t word)
{
    struct dispatch_kernel *x = kernel_of(k, 0);
    uint32_t *words = (void *)arena_copy(&k->arena, x->words, 4 * x->nwords);
    words[at] = word;
    x->words = words;
    x->handle = dispatch_kernel_handle(&k->arena, x);
    k->program.kernel = x; // the others have gone: their order may no longer fit
    k->program.nkernels = 1;
    k->program.nentries = 0;
}

static void spoil_magic(struct table_kit *k)
{
    spoil_word(k, 0, 0x03022307);
}

static void spoil_version(struct table_kit *k)
{
    spoil_word(k, 1, 0x00010600);
}

static void spoil_bound(struct table_kit *k)
{
    spoil_word(k, 3, 0x40000000);
}

static void spoil_length(struct table_kit *k)
{
    spoil_word(k, 5, 17);
}

static void spoil_end(struct table_kit *k)
{
    spoil_word(k, 5, 0xffff0011);
}

static void spoil_truncated(struct table_kit *k)
{
    struct dispatch_kernel *x = kernel_of(k, 0);
    x->nwords = 3;
    spoil_word(k, 0, 0x07230203);
}

static const struct bad bads[] = {
    {"leaves segment 1 of work", spoil_leaves},
    {"segment of a range is not a number from 0 to 1", spoil_segment},
    {"writes to inputs", spoil_writes_input},
    {"writes to consts", spoil_writes_const},
    {"number of workgroups is not a number from 0 to 65535", spoil_groups},
    {"has no workgroup", spoil_no_groups},
    {"two variables overlap", spoil_vars_overlap},
    {"lies in work, not in vars", spoil_var_arena},
    {"leaves segment 0 of outputs", spoil_output},
    {"size of a segment", spoil_large_segment},
    {"counters are not one segment", spoil_counters},
    {"two variants are called `huge`", spoil_names},
    {"does not begin with SPIR-V's header", spoil_magic},
    {"version is not one of", spoil_version},
    {"impossible bound", spoil_bound},
    {"impossible length", spoil_length},
    {"impossible length", spoil_end},
    {"does not begin with SPIR-V's header", spoil_truncated},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct table_kit k;
        struct packed p;
        table_open(&k);
        bads[i].spoil(&k);
        struct handle h = write(&p, &k.program);
        const struct dispatch_program *got = dispatch_read(&p.arena, &p.pack, &h, &p.error);
        if (got || !strstr(p.error.message, bads[i].part))
            fail_msg("%s: %s", bads[i].part, got ? "accepted" : p.error.message);
        assert_string_equal(p.error.code, "E_DISPATCH");
        release(&p);
        table_close(&k);
    }
}

static void test_match(void **state)
{
    (void)state;
    struct table_kit k;
    table_open(&k);
    assert_null(dispatch_match(&k.arena, &k.program, &k.module));
    ((struct dispatch_range *)table_mutable(k.program.var))[1].size = 4 * TABLE_S - 4;
    assert_non_null(strstr(dispatch_match(&k.arena, &k.program, &k.module), "`b.s` has 1200"));
    ((struct dispatch_range *)table_mutable(k.program.var))[1].size = 4 * TABLE_S;
    entry_of(&k)->noutputs = 1;
    assert_non_null(strstr(dispatch_match(&k.arena, &k.program, &k.module), "other inputs"));
    entry_of(&k)->name = "eval";
    assert_non_null(strstr(dispatch_match(&k.arena, &k.program, &k.module), "no entry `eval`"));
    k.program.nvars = 1;
    assert_non_null(strstr(dispatch_match(&k.arena, &k.program, &k.module), "1 variables of 2"));
    table_close(&k);
}

// -- hazards -------------------------------------------------------------------------------------

// Two calls on WORK: what the first and the second do to overlapping ranges.
static const char *hazard(struct table_kit *k, bool first, bool second, bool barrier,
                          uint64_t offset)
{
    struct arena *a = &k->arena;
    struct dispatch_binding x = {table_range(ARENA_WORK, 1, 0, 128), first};
    struct dispatch_binding y = {table_range(ARENA_WORK, 1, offset, 128), second};
    struct dispatch_binding other[] = {x, table_writes(table_range(ARENA_OUTPUTS, 0, 0, 4))};
    struct dispatch_binding same[] = {y, table_writes(table_range(ARENA_OUTPUTS, 1, 0, 4))};
    struct dispatch_variant v[] = {
        table_variant(a, "v", table_call(a, k->square, 1, 4, false, 2, other)),
        table_variant(a, "v", table_call(a, k->square, 1, 4, barrier, 2, same)),
    };
    struct dispatch_step s[] = {table_step(a, "one", 1, &v[0]), table_step(a, "two", 1, &v[1])};
    struct dispatch_entry e = *k->program.entry;
    e.step = s;
    e.nsteps = 2;
    return dispatch_hazard(a, &k->program, &e, 0);
}

static void test_hazards(void **state)
{
    (void)state;
    struct table_kit k;
    table_open(&k);
    for (int i = 0; i < 4; i++) {
        bool first = i & 1, second = i & 2;
        const char *fault = hazard(&k, first, second, false, 256);
        if (!first && !second) {
            assert_null(fault);
            continue;
        }
        assert_non_null(fault);
        assert_non_null(strstr(fault, "call 1 of `two`"));
        assert_non_null(strstr(fault, second ? "overwrites" : "reads"));
        assert_non_null(strstr(fault, first ? "wrote" : "reads"));
        assert_null(hazard(&k, first, second, true, 256));
        assert_null(hazard(&k, first, second, false, 512)); // side by side
    }
    for (size_t v = 0; v < 4; v++)
        assert_null(dispatch_hazard(&k.arena, &k.program, k.program.entry, v));
    assert_null(dispatch_hazard(&k.arena, &k.program, k.program.entry, DISPATCH_ANY));
    call_of(&k, 1)->barrier = false; // of variant 0 alone
    assert_non_null(dispatch_hazard(&k.arena, &k.program, k.program.entry, 0));
    assert_null(dispatch_hazard(&k.arena, &k.program, k.program.entry, 1));
    assert_non_null(dispatch_hazard(&k.arena, &k.program, k.program.entry, DISPATCH_ANY));
    table_close(&k);
}

// A barrier inside one variant of a step in the middle must not be relied upon when the other has
// none.
static void test_mixtures(void **state)
{
    (void)state;
    struct table_kit k;
    table_open(&k);
    struct arena *a = &k.arena;
    struct dispatch_binding write_t[] = {table_reads(table_range(ARENA_INPUTS, 0, 256, 4)),
                                         table_writes(table_range(ARENA_WORK, 0, 0, 4))};
    struct dispatch_binding aside[] = {table_reads(table_range(ARENA_INPUTS, 0, 256, 4)),
                                       table_writes(table_range(ARENA_WORK, 1, 0, 4))};
    struct dispatch_binding read_t[] = {table_reads(table_range(ARENA_WORK, 0, 0, 4)),
                                        table_writes(table_range(ARENA_OUTPUTS, 0, 0, 4))};
    struct dispatch_variant v[] = {
        table_variant(a, "v", table_call(a, k.square, 1, 4, false, 2, write_t)),
        table_variant(a, "with", table_call(a, k.square, 1, 4, true, 2, aside)),
        table_variant(a, "without", table_call(a, k.square, 1, 4, false, 2, aside)),
        table_variant(a, "v", table_call(a, k.square, 1, 4, false, 2, read_t)),
    };
    struct dispatch_step s[] = {table_step(a, "one", 1, &v[0]), table_step(a, "two", 2, &v[1]),
                                table_step(a, "three", 1, &v[3])};
    struct dispatch_entry e = *k.program.entry;
    e.step = s;
    e.nsteps = 3;
    assert_null(dispatch_hazard(a, &k.program, &e, 0));
    assert_non_null(dispatch_hazard(a, &k.program, &e, 1));
    const char *fault = dispatch_hazard(a, &k.program, &e, DISPATCH_ANY);
    assert_non_null(fault);
    assert_non_null(strstr(fault, "call 1 of `three` (v) reads what call 1 of `one` (v) wrote"));
    const uint32_t choice[][3] = {{0, 0, 0}, {0, 1, 0}};
    assert_null(dispatch_hazard_choice(a, &k.program, &e, choice[0]));
    assert_non_null(dispatch_hazard_choice(a, &k.program, &e, choice[1]));
    table_close(&k);
}

// -- shaders -------------------------------------------------------------------------------------

static void test_kernels_pass(void **state)
{
    (void)state;
    struct table_kit k;
    struct spv_needs needs;
    table_open(&k);
    for (size_t i = 0; i < k.program.nkernels; i++) {
        const char *fault = spv_check(&k.arena, &k.program.kernel[i], &needs);
        if (fault)
            fail_msg("%s", fault);
    }
    spv_check(&k.arena, &k.program.kernel[k.loop], &needs);
    assert_int_equal(needs.local[0], 32);
    assert_int_equal(needs.local[1], 1);
    assert_int_equal(needs.shared, 0);
    assert_int_equal(needs.subgroup, 0);
    table_close(&k);
}

// Kernels that are valid SPIR-V but want more than the table gives.
static void test_kernels_refused(void **state)
{
    (void)state;
    struct table_kit k;
    struct spv_needs needs;
    table_open(&k);
    struct dispatch_kernel x = k.program.kernel[k.blend];
    x.bindings = 2;
    assert_non_null(strstr(spv_check(&k.arena, &x, &needs), "storage buffer that the table"));
    x = k.program.kernel[k.blend];
    x.push = 0;
    assert_non_null(strstr(spv_check(&k.arena, &x, &needs), "more push constants"));
    x = k.program.kernel[k.blend];
    x.name = "other";
    assert_non_null(strstr(spv_check(&k.arena, &x, &needs), "another name"));
    table_close(&k);
}

static void shared_body(struct table_builder *t, spv_id i)
{
    spv_id array = spv_array(&t->b, t->f32, 3000);
    spv_id shared = spv_variable(&t->b, SpvStorageClassWorkgroup, array);
    spv_id at = spv_access(&t->b, spv_pointer(&t->b, SpvStorageClassWorkgroup, t->f32), shared,
                           SPV(spv_c32(&t->b, 7)));
    spv_store(&t->b, at, table_in(t, 0, i));
}

static void int64_body(struct table_builder *t, spv_id i)
{
    (void)i;
    spv_put(&t->b, SPV_CAPABILITY, SpvOpCapability, SPV(SpvCapabilityInt64));
}

static void test_needs(void **state)
{
    (void)state;
    struct arena a = {0};
    struct spv_needs needs;
    struct dispatch_kernel k = table_kernel(&a, 2, TABLE_EACH, 64, shared_body);
    const char *fault = spv_check(&a, &k, &needs);
    if (fault)
        fail_msg("%s", fault);
    assert_int_equal(needs.shared, 12000);
    k = table_kernel(&a, 2, TABLE_EACH, 64, int64_body);
    assert_non_null(strstr(spv_check(&a, &k, &needs), "capability 11"));
    arena_free(&a);
}

// Single words changed all over a module: an answer every time, whatever it is.
static void test_words_changed(void **state)
{
    (void)state;
    struct table_kit k;
    struct spv_needs needs;
    uint32_t seed = 1;
    size_t refused = 0;
    table_open(&k);
    const struct dispatch_kernel *good = &k.program.kernel[k.blend];
    uint32_t *words = arena_alloc(&k.arena, 4 * good->nwords);
    for (int i = 0; i < 3000; i++) {
        struct packed p;
        struct dispatch_kernel x = *good;
        memcpy(words, good->words, 4 * good->nwords);
        seed = seed * 1664525 + 1013904223;
        size_t at = seed % good->nwords;
        seed = seed * 1664525 + 1013904223;
        words[at] = seed & 1 ? seed >> 8 : words[at] ^ (1u << (seed >> 27));
        x.words = words;
        x.handle = dispatch_kernel_handle(&k.arena, &x);
        struct dispatch_program one = {.kernel = &x, .nkernels = 1};
        struct handle h = write(&p, &one);
        const struct dispatch_program *got = dispatch_read(&p.arena, &p.pack, &h, &p.error);
        refused += !got || spv_check(&p.arena, &got->kernel[0], &needs);
        release(&p);
    }
    assert_true(refused > 2000);
    table_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_match),
        cmocka_unit_test(test_hazards),      cmocka_unit_test(test_mixtures),
        cmocka_unit_test(test_kernels_pass), cmocka_unit_test(test_kernels_refused),
        cmocka_unit_test(test_needs),        cmocka_unit_test(test_words_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
