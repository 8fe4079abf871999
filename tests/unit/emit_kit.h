// emit_kit.h: one entry, built node by node, run by the evaluator and by a Vulkan device with the
// same inputs: every output of every step and every variable must have the same bits.
#ifndef HLX_TESTS_EMIT_KIT_H
#define HLX_TESTS_EMIT_KIT_H

#include <ftw.h>

#include "codegen/hbin.h"
#include "codegen/plan.h"
#include "ir/verify.h"
#include "runtime/exec.h"
#include "tests/unit/eval_rig.h"

enum { KIT_MAX_STEPS = 8 };

// What an input or a variable is filled with.
enum kit_fill {
    FILL_BITS,    // any pattern, special ones often; integers often at their ends
    FILL_NUMBERS, // ordinary numbers, now and then a zero or a subnormal
    FILL_LEFT,    // with FILL_RIGHT: every pair of special values, then FILL_BITS
    FILL_RIGHT
};

struct emit_kit {
    struct rig r; // module, graph, arena, random numbers
    struct ir_entry entry;
    VEC(const unsigned char *) inputs; // values of all steps, one after another
    VEC(const unsigned char *) vars;   // first values
    uint32_t steps;
    bool unfused; // every operation a kernel of its own
    struct buf hbin;
    struct program program;
};

static inline struct ir_module *kit_module(struct emit_kit *k)
{
    return &k->r.module;
}

static inline void kit_begin(struct emit_kit *k)
{
    memset(k, 0, sizeof *k);
    rig_begin(&k->r);
    k->r.module.numerics = "exact-1";
    k->r.module.profile = "exact";
    k->entry = (struct ir_entry){.name = "test", .graph = k->r.g};
    k->steps = 1;
}

// -- values --------------------------------------------------------------------------------------

static inline uint32_t kit_special(enum dtype t, uint32_t i)
{
    static const uint32_t floats[] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
        0xffc12345, 0x7f812345, 1,          0x807fffff, 0x00800000, 0x80800001, 0x7f7fffff,
        0x4b000000, 0xcb000001, 0x3f000000, 0xbf000000, 0x40200000, 0xcf000000, 0x4f800000};
    static const uint32_t ints[] = {
        0,  1,  2, 0xffffffff, 0x80000000, 0x7fffffff, 0x80000001, 0xfffffffe, 31, 32,        33,
        63, 64, 7, 0xfffffff9, 1000,       0x00010000, 0x0000ffff, 0xffff8000, 3,  0xfffffffd};
    enum { FLOATS = sizeof floats / sizeof *floats, INTS = sizeof ints / sizeof *ints };
    _Static_assert((int)FLOATS == (int)INTS, "pairs of both are counted alike");
    if (t == DT_BOOL)
        return i % 3 ? i % 2 : 0xffffffff; // all but 0 is true
    return t == DT_F32 ? floats[i % FLOATS] : ints[i % INTS];
}

enum { KIT_SPECIALS = 21 };

static inline uint32_t kit_bits(struct emit_kit *k, enum dtype t)
{
    uint32_t x = rig_random(&k->r);
    if (t == DT_F32)
        return rig_bits(&k->r);
    if (t == DT_BOOL || x % 4 == 0)
        return kit_special(t, rig_random(&k->r) % KIT_SPECIALS);
    return x % 4 == 1 ? rig_random(&k->r) : rig_random(&k->r) % 2000 - 1000;
}

static inline uint32_t kit_number(struct emit_kit *k, enum dtype t)
{
    uint32_t x = rig_random(&k->r);
    if (t != DT_F32)
        return t == DT_BOOL ? x % 2 : x % 2000 - 1000;
    if (x % 64 == 0)
        return kit_special(t, x >> 8 & 1 ? 1 : 10); // -0, a subnormal
    return bits_of(rig_number(&k->r));
}

static inline uint32_t kit_word(struct emit_kit *k, enum dtype t, enum kit_fill fill, size_t i)
{
    if (fill == FILL_NUMBERS)
        return kit_number(k, t);
    if (fill != FILL_BITS && i < KIT_SPECIALS * KIT_SPECIALS)
        return kit_special(t, (uint32_t)(fill == FILL_LEFT ? i / KIT_SPECIALS : i % KIT_SPECIALS));
    return kit_bits(k, t);
}

// Narrow elements are any bytes, or those of small numbers.
static inline void kit_fill_narrow(struct emit_kit *k, enum dtype t, enum kit_fill fill,
                                   unsigned char *out, size_t bytes)
{
    bool tame = fill == FILL_NUMBERS && dtype_class(t) == DTC_SMALL_FLOAT;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(rig_random(&k->r) & (tame && i % 2 ? 0xbf : 0xff));
}

static inline const unsigned char *kit_fill(struct emit_kit *k, ir_typeid type, enum kit_fill fill)
{
    const struct ir_type *t = ir_type_get(kit_module(k), type);
    size_t bytes = ir_type_bytes(t), n = (size_t)ir_type_count(t);
    unsigned char *out = arena_alloc(&k->r.arena, bytes * k->steps);
    for (uint32_t s = 0; s < k->steps; s++, out += bytes) {
        if (dtype_bytes(t->dtype) != 4) {
            kit_fill_narrow(k, t->dtype, fill, out, bytes);
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            uint32_t u = kit_word(k, t->dtype, fill, i);
            memcpy(out + 4 * i, &u, 4);
        }
    }
    return out - bytes * k->steps;
}

// -- building ------------------------------------------------------------------------------------

static inline ir_typeid kit_type(struct emit_kit *k, enum dtype t, unsigned rank,
                                 const int64_t *dims)
{
    return ir_type_make(kit_module(k), t, rank, dims, NULL);
}

static inline const char *kit_name(struct emit_kit *k, const char *what, size_t i)
{
    return arena_printf(&k->r.arena, "%s%04zu", what, i);
}

// An input with given values of all steps.
static inline ir_ref kit_given(struct emit_kit *k, enum dtype t, unsigned rank, const int64_t *dims,
                               const void *values)
{
    ir_typeid type = kit_type(k, t, rank, dims);
    size_t i = k->inputs.n;
    vec_push(&k->r.arena, &k->entry.inputs, (struct ir_field){kit_name(k, "in", i), type});
    vec_push(&k->r.arena, &k->inputs, (const unsigned char *)values);
    return ir_input(k->r.g, (uint32_t)i, type);
}

static inline ir_ref kit_input(struct emit_kit *k, enum kit_fill fill, enum dtype t, unsigned rank,
                               const int64_t *dims)
{
    return kit_given(k, t, rank, dims, kit_fill(k, kit_type(k, t, rank, dims), fill));
}

// Row indices, now and then repeated or out of range.
static inline ir_ref kit_indices(struct emit_kit *k, int64_t n, uint32_t rows)
{
    uint32_t *at = arena_array(&k->r.arena, (size_t)n * k->steps, 4);
    for (int64_t i = 0; i < n * k->steps; i++) {
        uint32_t u = rig_random(&k->r);
        at[i] = u % 8 == 0 ? kit_special(DT_I32, u >> 8) : u % 8 == 1 ? rows : u % rows;
    }
    return kit_given(k, DT_I32, DIMS(n), at);
}

// A variable; its index is how many there were.
static inline ir_ref kit_var(struct emit_kit *k, enum kit_fill fill, enum dtype t, unsigned rank,
                             const int64_t *dims)
{
    struct ir_module *m = kit_module(k);
    ir_typeid type = kit_type(k, t, rank, dims);
    struct ir_var v = {.kind = IR_STATE, .path = kit_name(k, "v", m->vars.n), .type = type};
    v.init = ir_graph_new(m);
    v.init_value = ir_broadcast_to(v.init, ir_const_bits(v.init, t, 0), type);
    vec_push(&k->r.arena, &k->vars, kit_fill(k, type, fill));
    vec_push(&k->r.arena, &m->vars, v);
    return ir_var_read(k->r.g, (uint32_t)m->vars.n - 1);
}

static inline void kit_output(struct emit_kit *k, ir_ref r)
{
    const char *name = kit_name(k, "out", k->entry.outputs.n);
    vec_push(&k->r.arena, &k->entry.outputs, (struct ir_named){name, r});
}

static inline void kit_update(struct emit_kit *k, uint32_t var, ir_ref r)
{
    vec_push(&k->r.arena, &k->entry.updates, (struct ir_update){var, r});
}

// -- running -------------------------------------------------------------------------------------

// HLX_TEST_DEVICE names the device ("vulkan:1", "llvmpipe"); without it the best one is taken.
static inline const char *kit_device(void)
{
    const char *device = getenv("HLX_TEST_DEVICE");
    return device ? device : "vulkan";
}

static inline void kit_must(bool ok, const struct hlx_error *e)
{
    if (!ok)
        fail_msg("%s", e->text);
}

static inline void kit_compile(struct emit_kit *k)
{
    struct arena *a = &k->r.arena;
    struct sources sources;
    struct hlx_error error = {0};
    vec_push(a, &kit_module(k)->entries, k->entry);
    const char *why = ir_verify(kit_module(k), false);
    if (why)
        fail_msg("%s", why);
    const struct dispatch_program *device = plan_program(a, kit_module(k), NULL, !k->unfused, &why);
    why = device ? dispatch_hazard(a, device, &device->entry[0], DISPATCH_ANY) : why;
    if (why)
        fail_msg("%s", why);
    sources_init(&sources, a);
    sources_add(&sources, "test.hlxl", "", 0);
    hbin_write(a, kit_module(k), &sources, device, &k->hbin);
    kit_must(program_open_bytes(&k->program, k->hbin.at, k->hbin.n, &error), &error);
}

static inline size_t kit_output_bytes(const struct emit_kit *k, size_t i)
{
    return ir_type_bytes(ir_typeof(k->r.g, k->entry.outputs.at[i].value));
}

static inline size_t kit_var_bytes(const struct emit_kit *k, size_t i)
{
    return ir_type_bytes(ir_type_get(&k->r.module, k->r.module.vars.at[i].type));
}

// Room for what a run gives: outputs of all steps, then variables.
static inline unsigned char **kit_room(struct emit_kit *k)
{
    size_t outputs = k->entry.outputs.n, vars = k->r.module.vars.n, n = outputs * k->steps;
    unsigned char **at = arena_array(&k->r.arena, n + vars + 1, sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[i] = arena_alloc(&k->r.arena, kit_output_bytes(k, i % outputs));
    for (size_t i = 0; i < vars; i++)
        at[n + i] = arena_alloc(&k->r.arena, kit_var_bytes(k, i));
    return at;
}

static inline void kit_submit(struct emit_kit *k, struct exec_plan *plan, uint32_t step)
{
    struct hlx_error error = {0};
    const void **in = arena_array(&k->r.arena, k->inputs.n + 1, sizeof *in);
    for (size_t i = 0; i < k->inputs.n; i++) {
        ir_typeid t = k->entry.inputs.at[i].type;
        in[i] = k->inputs.at[i] + step * ir_type_bytes(ir_type_get(&k->r.module, t));
    }
    kit_must(exec_submit(plan, in, step + 1, &error), &error);
}

// Runs all steps, as many in flight as the device takes.
static inline unsigned char **kit_run(struct emit_kit *k, const char *device, const char *variant)
{
    const struct exec_options options = {
        .device = device, .variant = variant, .seed = 0x123456789abcdef0u};
    struct hlx_error error = {0};
    unsigned char **out = kit_room(k);
    size_t outputs = k->entry.outputs.n, vars = k->r.module.vars.n;
    struct exec *x = exec_start(&options, &k->program, &error);
    kit_must(x, &error);
    for (size_t i = 0; i < vars; i++)
        kit_must(exec_set(x, (uint32_t)i, k->vars.at[i], &error), &error);
    struct exec_plan *plan = exec_prepare(x, &k->program.module.entries.at[0], &error);
    kit_must(plan, &error);
    for (uint32_t submitted = 0, collected = 0; collected < k->steps; collected++) {
        while (submitted < k->steps && submitted - collected < x->ops->depth)
            kit_submit(k, plan, submitted++);
        void *const *to = (void *const *)(out + collected * outputs);
        kit_must(exec_collect(plan, to, &error), &error);
    }
    for (size_t i = 0; i < vars; i++)
        kit_must(exec_get(x, (uint32_t)i, out[outputs * k->steps + i], &error), &error);
    exec_discard(plan);
    exec_close(x);
    return out;
}

// -- comparing -----------------------------------------------------------------------------------

static inline uint32_t kit_element(const unsigned char *p, size_t bytes, size_t i)
{
    uint32_t u = 0;
    memcpy(&u, p + i * bytes, bytes);
    return u;
}

static inline void kit_same(struct emit_kit *k, const char *what, const char *variant,
                            ir_typeid type, const unsigned char *want, const unsigned char *got)
{
    const struct ir_type *t = ir_type_get(kit_module(k), type);
    size_t bytes = dtype_bytes(t->dtype), n = (size_t)ir_type_count(t), i = 0, bad = 0;
    if (memcmp(want, got, n * bytes) == 0)
        return;
    for (size_t j = n; j-- > 0;)
        if (kit_element(want, bytes, j) != kit_element(got, bytes, j)) {
            i = j;
            bad++;
        }
    fail_msg("%s, %s (variant %s): %zu of %zu elements differ; element %zu is %x, not %x", what,
             ir_type_text(kit_module(k), type), variant ? variant : "-", bad, n, i,
             kit_element(got, bytes, i), kit_element(want, bytes, i));
}

static inline const char *kit_output_label(struct emit_kit *k, size_t i, size_t step)
{
    ir_ref r = k->entry.outputs.at[i].value;
    const struct ir_node *node = ir_get(k->r.g, r);
    const char *of = node->nargs
                         ? ir_type_text(kit_module(k), ir_get(k->r.g, ir_arg(k->r.g, r, 0))->type)
                         : "nothing";
    return arena_printf(&k->r.arena, "step %zu, output %zu = %s of %s", step, i,
                        ir_op_info((enum ir_op)node->op)->name, of);
}

static inline bool kit_has_variant(const struct emit_kit *k, const char *name, size_t n)
{
    const struct dispatch_entry *e = k->program.dispatch->entry;
    for (size_t s = 0; s < e->nsteps; s++)
        for (size_t v = 0; v < e->step[s].nvariants; v++)
            if (!strncmp(e->step[s].variant[v].name, name, n) &&
                e->step[s].variant[v].name[n] == '\0')
                return true;
    return false;
}

// Those of a list of variants that the program has; NULL: none.
static inline const char *kit_known(struct emit_kit *k, const char *list)
{
    struct buf known = {0};
    size_t n;
    for (const char *at = list; at; at = at[n] ? at + n + 1 : NULL) {
        n = strcspn(at, ",");
        if (kit_has_variant(k, at, n))
            buf_printf(&known, "%s%.*s", known.n ? "," : "", (int)n, at);
    }
    const char *out = known.n ? arena_strdup(&k->r.arena, known.at) : NULL;
    buf_free(&known);
    return out;
}

static inline void kit_compare(struct emit_kit *k, const char *variants, unsigned char **want)
{
    const char *variant = kit_known(k, variants);
    unsigned char **got = kit_run(k, kit_device(), variant);
    size_t outputs = k->entry.outputs.n, n = outputs * k->steps;
    for (size_t i = 0; i < n; i++) {
        ir_typeid t = ir_get(k->r.g, k->entry.outputs.at[i % outputs].value)->type;
        const char *label = kit_output_label(k, i % outputs, i / outputs);
        kit_same(k, label, variant, t, want[i], got[i]);
    }
    for (size_t i = 0; i < k->r.module.vars.n; i++) {
        const struct ir_var *v = &k->r.module.vars.at[i];
        kit_same(k, v->path, variant, v->type, want[n + i], got[n + i]);
    }
}

static inline void kit_end(struct emit_kit *k)
{
    program_close(&k->program);
    buf_free(&k->hbin);
    rig_end(&k->r);
}

// Compiles what was built, runs it on both, and closes the kit. `variants` ends with NULL.
static inline void kit_check_variants(struct emit_kit *k, const char *const *variants)
{
    kit_compile(k);
    unsigned char **want = kit_run(k, "cpu", NULL);
    for (size_t i = 0; variants[i]; i++)
        kit_compare(k, variants[i], want);
    kit_end(k);
}

// Whether any step has a variant for CPU devices.
static inline bool kit_has_cpu_variant(const struct emit_kit *k)
{
    const struct dispatch_entry *e = k->program.dispatch->entry;
    for (size_t s = 0; s < e->nsteps; s++)
        for (size_t v = 0; v < e->step[s].nvariants; v++)
            if (!strncmp(e->step[s].variant[v].name, DISPATCH_FOR_CPU, strlen(DISPATCH_FOR_CPU)))
                return true;
    return false;
}

// The same with the variants for CPU devices where there are any, and without; kernels that work on
// the same rows as one and apart.
static inline void kit_check(struct emit_kit *k)
{
    kit_compile(k);
    unsigned char **want = kit_run(k, "cpu", NULL);
    kit_compare(k, "map,group,move,rows,copy,rows_8x8,joined", want);
    if (kit_has_variant(k, "apart", 5))
        kit_compare(k, "map,group,move,rows,copy,rows_8x8,apart", want);
    if (kit_has_cpu_variant(k))
        kit_compare(k,
                    DISPATCH_FOR_CPU "map," DISPATCH_FOR_CPU "alone," DISPATCH_FOR_CPU
                                     "8x16," DISPATCH_FOR_CPU "apart",
                    want);
    kit_end(k);
}

// -- the group of tests --------------------------------------------------------------------------

struct kit_group {
    bool have_device;
    char cache[32];
};

// A cache of its own, and whether there is a device.
static inline int kit_group_setup(void **state)
{
    struct kit_group *group = *state = calloc(1, sizeof *group);
    struct emit_kit k;
    struct hlx_error error = {0};
    strcpy(group->cache, "/tmp/hlx-emit-XXXXXX");
    if (!mkdtemp(group->cache))
        return -1;
    setenv("XDG_CACHE_HOME", group->cache, 1);
    kit_begin(&k);
    kit_output(&k, kit_input(&k, FILL_BITS, DT_F32, DIMS(3)));
    kit_compile(&k);
    const struct exec_options options = {.device = kit_device()};
    struct exec *x = exec_start(&options, &k.program, &error);
    group->have_device = x;
    print_message("%s: %s\n", x ? "device" : "SKIPPED", x ? exec_title(x) : error.text);
    exec_close(x);
    kit_end(&k);
    return 0;
}

static inline int kit_remove(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static inline int kit_group_teardown(void **state)
{
    struct kit_group *group = *state;
    int code = nftw(group->cache, kit_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(group);
    return code;
}

#define NEED_DEVICE()                                                                              \
    do {                                                                                           \
        if (!((const struct kit_group *)*state)->have_device)                                      \
            skip();                                                                                \
    } while (0)

#endif
