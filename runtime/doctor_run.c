// doctor_run.c: runs a group of the doctor's tests and finds where a device and the evaluator part.
#define ZLIB_CONST // input is const
#include "runtime/doctor_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "runtime/exec_vk.h"

const struct doctor_test doctor_tests[] = {
#define TEST(group, name, digest) {#group, #name, UINT64_C(digest)},
#include "runtime/doctor.def"
#undef TEST
};
const size_t doctor_ntests = sizeof doctor_tests / sizeof *doctor_tests;

const struct doctor_group doctor_groups[] = {
    {DOCTOR_QUICK, "all primitives in one kernel, a sum, barriers"},
    {"floats", "operations on f32, with all pairs of special values"},
    {"ints", "operations on i32"},
    {"words", "operations on u32"},
    {"conversions", "conversions between all element types"},
    {"functions", "functions of one f32"},
    {"functions_of_two", "division and power"},
    {"sums", "sums and means, 1 to 20000 elements, of rows and columns"},
    {"chains", "rows that are summed and go on, as one kernel and as several"},
    {"extremes", "largest and smallest elements and their indices"},
    {"matmul", "matrix products, 1 to 129 rows, k to 1100, every variant"},
    {"rows", "gather and scatter, with indices out of range"},
    {"moves", "permute, slice, pad, concat, broadcast, reshape"},
    {"random", "Philox4x32-10, counters"},
    {"barriers", "a chain of dispatches that read what the last one wrote"},
};
const size_t doctor_ngroups = sizeof doctor_groups / sizeof *doctor_groups;

double doctor_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// -- the program ---------------------------------------------------------------------------------

static unsigned char *unpack(struct hlx_error *e)
{
    const struct doctor_pack *p = &doctor_pack;
    unsigned char *bytes = malloc(p->n);
    z_stream z = {.next_in = p->packed,
                  .avail_in = (uInt)p->npacked,
                  .next_out = bytes,
                  .avail_out = (uInt)p->n};
    if (bytes && inflateInit2(&z, 15 + 16) == Z_OK) {
        bool ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
        inflateEnd(&z);
        if (ok)
            return bytes;
    }
    free(bytes);
    hlx_no_memory(e, "the program that tests devices");
    return NULL;
}

bool doctor_open(struct doctor *d, const char *device, struct hlx_error *e)
{
    const struct exec_options options = {.device = device, .flags = EXEC_UNCHECKED};
    unsigned char *bytes = unpack(e);
    bool ok = bytes && program_open_bytes(&d->program, bytes, doctor_pack.n, e);
    free(bytes);
    if (!ok)
        return false;
    d->exec = exec_start(&options, &d->program, e);
    if (!d->exec)
        program_close(&d->program);
    return d->exec;
}

void doctor_close(struct doctor *d)
{
    exec_close(d->exec);
    program_close(&d->program);
}

// -- outputs -------------------------------------------------------------------------------------

// The outputs of an entry, in storage form.
struct outputs {
    const struct ir_entry *entry;
    void **at;
};

static const struct ir_type *type_of(const struct outputs *o, size_t i)
{
    return ir_typeof(o->entry->graph, o->entry->outputs.at[i].value);
}

static void outputs_free(struct outputs *o)
{
    for (size_t i = 0; o->at && i < o->entry->outputs.n; i++)
        free(o->at[i]);
    free(o->at);
}

static bool outputs_make(struct outputs *o, const struct ir_entry *entry, struct hlx_error *e)
{
    *o = (struct outputs){entry, calloc(entry->outputs.n + 1, sizeof *o->at)};
    bool ok = o->at;
    for (size_t i = 0; ok && i < entry->outputs.n; i++)
        ok = (o->at[i] = malloc(ir_type_bytes(type_of(o, i))));
    if (ok)
        return true;
    outputs_free(o);
    return hlx_no_memory(e, entry->name);
}

uint32_t doctor_word(const struct ir_type *t, const void *bytes, size_t i)
{
    uint16_t half;
    uint32_t word;
    switch (dtype_bytes(t->dtype)) {
    case 1: return ((const unsigned char *)bytes)[i];
    case 2: memcpy(&half, (const char *)bytes + 2 * i, sizeof half); return half;
    default: memcpy(&word, (const char *)bytes + 4 * i, sizeof word); return word;
    }
}

uint64_t doctor_digest(const struct ir_type *t, const void *bytes)
{
    uint64_t h = 0xcbf29ce484222325u;
    size_t n = (size_t)ir_type_count(t);
    for (size_t i = 0; i < n; i++)
        h = (h ^ doctor_word(t, bytes, i)) * 0x100000001b3u;
    return h;
}

// -- comparing -----------------------------------------------------------------------------------

static bool is_operand(const char *name)
{
    return strncmp(name, "bits_", 5) == 0;
}

// Describes the first element of output i that differs, if the evaluator's is another.
static void find_example(const struct outputs *have, const struct outputs *want, size_t output,
                         struct doctor_fault *f)
{
    const struct ir_type *t = type_of(have, output);
    for (size_t i = (size_t)ir_type_count(t); i-- > 0;) {
        uint32_t a = doctor_word(t, have->at[output], i), b = doctor_word(t, want->at[output], i);
        if (a == b)
            continue;
        f->example = true;
        f->differ++;
        f->index = i, f->have = a, f->want = b;
    }
    for (size_t i = 0; f->example && i < have->entry->outputs.n && f->noperands < 2; i++)
        if (is_operand(have->entry->outputs.at[i].name) &&
            ir_type_count(type_of(have, i)) == ir_type_count(t))
            f->operand[f->noperands++] = doctor_word(type_of(want, i), want->at[i], f->index);
}

static bool evaluate(const struct doctor *d, struct outputs *out, struct hlx_error *e)
{
    const struct ir_entry *entry = out->entry;
    ir_ref *roots = calloc(entry->outputs.n + 1, sizeof *roots);
    if (!roots)
        return hlx_no_memory(e, entry->name);
    for (size_t i = 0; i < entry->outputs.n; i++)
        roots[i] = entry->outputs.at[i].value;
    const void *const *none = &(const void *){NULL};
    bool ok = exec_probe(d->exec, entry, roots, entry->outputs.n, none, 1, out->at, e);
    free(roots);
    return ok;
}

static const struct doctor_test *find_test(const char *group, const char *name)
{
    for (size_t i = 0; i < doctor_ntests; i++)
        if (!strcmp(doctor_tests[i].group, group) && !strcmp(doctor_tests[i].name, name))
            return &doctor_tests[i];
    return NULL;
}

// Compares every output with its golden digest; what differs is looked up on the evaluator.
static bool judge(const struct doctor *d, struct arena *a, const struct outputs *have,
                  const char *variant, struct doctor_result *r, struct hlx_error *e)
{
    const struct ir_entry *entry = have->entry;
    struct outputs want = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < entry->outputs.n; i++) {
        const char *name = entry->outputs.at[i].name;
        const struct doctor_test *t = find_test(entry->name, name);
        if (t && doctor_digest(type_of(have, i), have->at[i]) == t->digest)
            continue;
        struct doctor_fault f = {.test = name, .variant = variant};
        if (!want.at)
            ok = outputs_make(&want, entry, e) && evaluate(d, &want, e);
        if (ok) {
            find_example(have, &want, i, &f);
            vec_push(a, &r->faults, f);
        }
    }
    if (want.at)
        outputs_free(&want);
    return ok;
}

// -- running -------------------------------------------------------------------------------------

// Twice: the first run may wait for compilers and caches, the second is timed.
static bool run_twice(struct exec_plan *plan, const struct outputs *out, double *seconds,
                      struct hlx_error *e)
{
    const void *const *none = &(const void *){NULL};
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        double start = doctor_clock();
        ok = exec_submit(plan, none, 1, e) && exec_collect(plan, out->at, e);
        *seconds = doctor_clock() - start;
    }
    return ok;
}

static bool run_plan(struct doctor *d, const struct outputs *out, const char *variant,
                     double *seconds, struct hlx_error *e)
{
    d->exec->options.variant = variant;
    struct exec_plan *plan = exec_prepare(d->exec, out->entry, e);
    bool ok = plan && run_twice(plan, out, seconds, e);
    exec_discard(plan);
    return ok;
}

static const struct ir_entry *entry_of(const struct doctor *d, const struct doctor_group *g,
                                       struct hlx_error *e)
{
    const struct ir_entry *entry = ir_find_entry(&d->program.module, g->name);
    if (!entry)
        hlx_fail(e, EXIT_INTERNAL, "the program that tests devices has no entry `%s`", g->name);
    return entry;
}

bool doctor_measure(struct doctor *d, const struct doctor_group *g, uint64_t *digests,
                    struct hlx_error *e)
{
    struct outputs out;
    double seconds;
    const struct ir_entry *entry = entry_of(d, g, e);
    if (!entry || !outputs_make(&out, entry, e))
        return false;
    bool ok = run_plan(d, &out, NULL, &seconds, e);
    for (size_t i = 0; ok && i < entry->outputs.n; i++)
        digests[i] = doctor_digest(type_of(&out, i), out.at[i]);
    outputs_free(&out);
    return ok;
}

static bool run_once(struct doctor *d, struct arena *a, const struct ir_entry *entry,
                     const char *variant, struct doctor_result *r, struct hlx_error *e)
{
    struct outputs out;
    double seconds = 0;
    if (!outputs_make(&out, entry, e))
        return false;
    bool ok = run_plan(d, &out, variant, &seconds, e) && judge(d, a, &out, variant, r, e);
    r->elements = 0;
    for (size_t i = 0; ok && i < entry->outputs.n; i++)
        r->elements += (uint64_t)ir_type_count(type_of(&out, i));
    r->seconds = r->seconds > 0 && r->seconds < seconds ? r->seconds : seconds;
    outputs_free(&out);
    return ok;
}

bool doctor_run_with(struct doctor *d, struct arena *a, const struct doctor_group *g,
                     const char *variants, struct doctor_result *out, struct hlx_error *e)
{
    const struct ir_entry *entry = entry_of(d, g, e);
    *out = (struct doctor_result){.group = g};
    return entry && run_once(d, a, entry, variants, out, e);
}

bool doctor_on_cpu(const struct doctor *d)
{
    const struct vk_exec *v = d->exec->device;
    return d->exec->ops != &exec_vulkan || vk_is_cpu(v->d.physical);
}

// -- variants ------------------------------------------------------------------------------------

struct names {
    VEC(const char *) list;
};

// The variants of a step that a device tries by itself, where it has a choice.
static void add_variants(struct arena *a, const struct dispatch_step *s, bool cpu, struct names *n)
{
    for (size_t v = 0; s->nvariants > 1 && v < s->nvariants; v++) {
        const char *name = s->variant[v].name;
        bool known = !vk_suits(s, v, cpu);
        for (size_t i = 0; !known && i < n->list.n; i++)
            known = !strcmp(n->list.at[i], name);
        if (!known)
            vec_push(a, &n->list, name);
    }
}

// Whether a device lacks what a variant needs, as far as its kernels were made.
static bool unfit(const struct doctor *d, const struct dispatch_entry *table, const char *variant)
{
    const struct vk_exec *x = d->exec->device;
    for (size_t i = 0; i < table->nsteps; i++)
        for (size_t v = 0; v < table->step[i].nvariants; v++) {
            const struct dispatch_variant *w = &table->step[i].variant[v];
            for (size_t c = 0; !strcmp(w->name, variant) && c < w->ncalls; c++)
                if (x->pipes.kernel[w->call[c].kernel].unfit)
                    return true;
        }
    return false;
}

static bool run_variants(struct doctor *d, struct arena *a, const struct ir_entry *entry,
                         const struct dispatch_entry *table, struct doctor_result *out,
                         struct hlx_error *e)
{
    struct names n = {0};
    for (size_t i = 0; i < table->nsteps; i++)
        add_variants(a, &table->step[i], doctor_on_cpu(d), &n);
    if (n.list.n == 0)
        return run_once(d, a, entry, NULL, out, e);
    for (size_t i = 0; i < n.list.n; i++) {
        if (run_once(d, a, entry, n.list.at[i], out, e))
            vec_push(a, &out->variants, n.list.at[i]);
        else if (!unfit(d, table, n.list.at[i]))
            return false;
    }
    return true;
}

bool doctor_run(struct doctor *d, struct arena *a, const struct doctor_group *g,
                struct doctor_result *out, struct hlx_error *e)
{
    const struct ir_entry *entry = entry_of(d, g, e);
    *out = (struct doctor_result){.group = g};
    if (!entry)
        return false;
    if (d->exec->ops != &exec_vulkan)
        return run_once(d, a, entry, NULL, out, e);
    const struct dispatch_entry *table = dispatch_find(d->program.dispatch, g->name);
    if (!table)
        return hlx_fail(e, EXIT_INTERNAL, "the entry `%s` has no kernels", g->name);
    return run_variants(d, a, entry, table, out, e);
}
