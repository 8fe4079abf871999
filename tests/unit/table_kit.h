// table_kit.h: a program with a dispatch table made by hand, for the tests of the Vulkan runtime.
//
//     t = x * x + 1;  w := (w + t) * 0.5;  y = w' * w' + 1;  tick = the step's number
//
// The first product has three variants. The second variable, `b.s`, lies in a segment of its own
// and is written by nobody.
#ifndef HLX_TESTS_TABLE_KIT_H
#define HLX_TESTS_TABLE_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/hbin.h"
#include "codegen/spv.h"
#include "ir/parse.h"
#include "runtime/dispatch.h"

enum { TABLE_N = 1000, TABLE_S = 300, TABLE_HUGE = 1 << 20 };

static const char table_ir[] = "helix_ir 1\n"
                               "numerics \"exact-1\"\n"
                               "profile exact\n"
                               "\n"
                               "param a.w f32[1000] {\n"
                               "  %1 = const f32[] {bits=0x3f000000}\n"
                               "  %2 = broadcast f32[1000] %1\n"
                               "  value %2\n"
                               "}\n"
                               "\n"
                               "state b.s f32[300] {\n"
                               "  %1 = const f32[] {bits=0x40e00000}\n"
                               "  %2 = broadcast f32[300] %1\n"
                               "  value %2\n"
                               "}\n"
                               "\n"
                               "entry train {\n"
                               "  input x f32[1000]\n"
                               "  input unused i32[5]\n"
                               "  %1 = input f32[1000] {index=0}\n"
                               "  %2 = mul f32[1000] %1 %1\n"
                               "  %3 = const f32[] {bits=0x3f800000}\n"
                               "  %4 = broadcast f32[1000] %3\n"
                               "  %5 = add f32[1000] %2 %4\n"
                               "  %6 = var f32[1000] {index=0}\n"
                               "  %7 = add f32[1000] %6 %5\n"
                               "  %8 = const f32[] {bits=0x3f000000}\n"
                               "  %9 = broadcast f32[1000] %8\n"
                               "  %10 = mul f32[1000] %7 %9\n"
                               "  %11 = mul f32[1000] %10 %10\n"
                               "  %12 = add f32[1000] %11 %4\n"
                               "  %13 = const i32[] {bits=0x0}\n"
                               "  output y %12\n"
                               "  output tick %13\n"
                               "  update a.w %10\n"
                               "}\n";

// Tests spoil what the runtime only reads.
static inline void *table_mutable(const void *p)
{
    void *at;
    memcpy(&at, &p, sizeof at);
    return at;
}

struct table_kit {
    struct arena arena;
    struct ir_module module;
    struct dispatch_program program;
    uint32_t square, loop, huge, blend, tick, plain; // indices of kernels
};

// -- kernels -------------------------------------------------------------------------------------

// How a kernel's invocations share out the elements: one each, or all to one workgroup in turns.
enum table_shape { TABLE_EACH, TABLE_TURNS };

struct table_builder {
    struct spv b;
    spv_id f32, u32, pointer, buffer[DISPATCH_MAX_BINDINGS], push;
};

static inline spv_id table_at(struct table_builder *t, unsigned buffer, spv_id i)
{
    return spv_access(&t->b, t->pointer, t->buffer[buffer], SPV(spv_c32(&t->b, 0), i));
}

static inline spv_id table_in(struct table_builder *t, unsigned buffer, spv_id i)
{
    return spv_load(&t->b, t->f32, table_at(t, buffer, i));
}

// out = a * a + 1
static inline void table_square(struct table_builder *t, spv_id i)
{
    spv_id x = table_in(t, 0, i), one = spv_cf32(&t->b, 0x3f800000);
    spv_id square = spv_arith(&t->b, SpvOpFMul, t->f32, x, x);
    spv_store(&t->b, table_at(t, 1, i), spv_arith(&t->b, SpvOpFAdd, t->f32, square, one));
}

// out = a * a
static inline void table_plain(struct table_builder *t, spv_id i)
{
    spv_id x = table_in(t, 0, i);
    spv_store(&t->b, table_at(t, 1, i), spv_arith(&t->b, SpvOpFMul, t->f32, x, x));
}

// out = (a + b) * 0.5
static inline void table_blend(struct table_builder *t, spv_id i)
{
    spv_id sum = spv_arith(&t->b, SpvOpFAdd, t->f32, table_in(t, 0, i), table_in(t, 1, i));
    spv_id half = spv_cf32(&t->b, 0x3f000000);
    spv_store(&t->b, table_at(t, 2, i), spv_arith(&t->b, SpvOpFMul, t->f32, sum, half));
}

// out = counters[2], whose bits pass as those of a float that is never computed with
static inline void table_tick(struct table_builder *t, spv_id i)
{
    spv_store(&t->b, table_at(t, 1, i), table_in(t, 0, spv_c32(&t->b, 2)));
}

static inline void table_body(struct table_builder *t, enum table_shape shape, unsigned width,
                              void (*body)(struct table_builder *, spv_id))
{
    struct spv *b = &t->b;
    spv_id gid = spv_builtin(b, SpvBuiltInGlobalInvocationId);
    spv_begin_main(b, "main", width, 1, 1);
    spv_id push = spv_pointer(b, SpvStorageClassPushConstant, t->u32);
    spv_id n = spv_load(b, t->u32, spv_access(b, push, t->push, SPV(spv_c32(b, 0))));
    spv_id all = spv_load(b, spv_vector(b, t->u32, 3), gid);
    spv_id i = spv_value(b, SpvOpCompositeExtract, t->u32, SPV(all, 0));
    struct spv_if guard;
    struct spv_loop turns;
    if (shape == TABLE_TURNS) {
        spv_loop_begin(b, &turns, i, n, spv_c32(b, width));
        body(t, turns.i);
        spv_loop_end(b, &turns);
    } else {
        spv_if_begin(b, &guard, spv_value(b, SpvOpULessThan, spv_bool(b), SPV(i, n)));
        body(t, i);
        spv_if_end(b, &guard);
    }
    spv_push_block(b, t->push, 1);
    spv_end_main(b);
}

static inline struct dispatch_kernel table_kernel(struct arena *a, unsigned buffers,
                                                  enum table_shape shape, unsigned width,
                                                  void (*body)(struct table_builder *, spv_id))
{
    struct table_builder t;
    struct buf out = {0};
    spv_init(&t.b, a, true);
    t.f32 = spv_f32(&t.b);
    t.u32 = spv_u32(&t.b);
    for (unsigned i = 0; i < buffers; i++)
        t.buffer[i] = spv_buffer(&t.b, i, t.f32, 4, NULL);
    t.pointer = spv_pointer(&t.b, SpvStorageClassStorageBuffer, t.f32);
    t.push = spv_new(&t.b);
    table_body(&t, shape, width, body);
    spv_finish(&t.b, &out);
    uint32_t *words = arena_alloc(a, out.n);
    memcpy(words, out.at, out.n);
    struct dispatch_kernel k = {
        .name = "main", .words = words, .nwords = out.n / 4, .bindings = buffers, .push = 1};
    buf_free(&out);
    k.handle = dispatch_kernel_handle(a, &k);
    return k;
}

static inline uint32_t table_find(const struct dispatch_kernel *k, size_t n, struct handle h)
{
    for (uint32_t i = 0; i < n; i++)
        if (handle_equal(&k[i].handle, &h))
            return i;
    abort();
}

static inline int table_order(const void *a, const void *b)
{
    const struct dispatch_kernel *x = a, *y = b;
    return memcmp(x->handle.sha, y->handle.sha, HANDLE_BYTES);
}

static inline void table_kernels(struct table_kit *k)
{
    enum { N = 6 };
    struct arena *a = &k->arena;
    struct dispatch_kernel *at = arena_array(a, N, sizeof *at);
    at[0] = table_kernel(a, 2, TABLE_EACH, 64, table_square);
    at[1] = table_kernel(a, 2, TABLE_TURNS, 32, table_square);
    at[2] = table_kernel(a, 2, TABLE_TURNS, TABLE_HUGE, table_square); // no device has such
    at[3] = table_kernel(a, 3, TABLE_EACH, 64, table_blend);
    at[4] = table_kernel(a, 2, TABLE_EACH, 1, table_tick);
    at[5] = table_kernel(a, 2, TABLE_EACH, 64, table_plain);
    struct handle h[N];
    for (int i = 0; i < N; i++)
        h[i] = at[i].handle;
    qsort(at, N, sizeof *at, table_order);
    k->square = table_find(at, N, h[0]);
    k->loop = table_find(at, N, h[1]);
    k->huge = table_find(at, N, h[2]);
    k->blend = table_find(at, N, h[3]);
    k->tick = table_find(at, N, h[4]);
    k->plain = table_find(at, N, h[5]);
    k->program.kernel = at;
    k->program.nkernels = N;
}

// -- calls ---------------------------------------------------------------------------------------

static inline struct dispatch_range table_range(enum dispatch_arena arena, uint32_t segment,
                                                uint64_t offset, uint64_t elements)
{
    return (struct dispatch_range){arena, segment, offset, 4 * elements};
}

static inline struct dispatch_binding table_reads(struct dispatch_range r)
{
    return (struct dispatch_binding){r, false};
}

static inline struct dispatch_binding table_writes(struct dispatch_range r)
{
    return (struct dispatch_binding){r, true};
}

static inline void *table_copy(struct arena *a, const void *at, size_t n)
{
    return arena_copy(a, at, n); // 16-byte aligned like all of an arena
}

static inline struct dispatch_call table_call(struct arena *a, uint32_t kernel, uint32_t groups,
                                              uint32_t push, bool barrier, size_t n,
                                              const struct dispatch_binding *binding)
{
    return (struct dispatch_call){.kernel = kernel,
                                  .groups = {groups, 1, 1},
                                  .binding = table_copy(a, binding, n * sizeof *binding),
                                  .push = table_copy(a, &push, sizeof push),
                                  .barrier = barrier};
}

static inline struct dispatch_variant table_variant(struct arena *a, const char *name,
                                                    struct dispatch_call call)
{
    return (struct dispatch_variant){name, table_copy(a, &call, sizeof call), 1};
}

static inline struct dispatch_step table_step(struct arena *a, const char *label, size_t n,
                                              const struct dispatch_variant *v)
{
    return (struct dispatch_step){
        .label = label, .variant = table_copy(a, v, n * sizeof *v), .nvariants = n};
}

static inline void table_steps(struct table_kit *k, struct dispatch_entry *e)
{
    struct arena *a = &k->arena;
    enum { GROUPS = (TABLE_N + 63) / 64 };
    struct dispatch_range x = table_range(ARENA_INPUTS, 0, 256, TABLE_N);
    struct dispatch_range t = table_range(ARENA_WORK, 1, 512, TABLE_N);
    struct dispatch_range w = table_range(ARENA_VARS, 0, 256, TABLE_N);
    struct dispatch_range y = table_range(ARENA_OUTPUTS, 0, 0, TABLE_N);
    struct dispatch_range tick = table_range(ARENA_OUTPUTS, 1, 256, 1);
    struct dispatch_range counters = table_range(ARENA_COUNTERS, 0, 0, 3);
    struct dispatch_binding xt[] = {table_reads(x), table_writes(t)};
    struct dispatch_binding wtw[] = {table_reads(w), table_reads(t), table_writes(w)};
    struct dispatch_binding wy[] = {table_reads(w), table_writes(y)};
    struct dispatch_binding ct[] = {table_reads(counters), table_writes(tick)};
    struct dispatch_variant first[] = {
        table_variant(a, "huge", table_call(a, k->huge, 1, TABLE_N, false, 2, xt)),
        table_variant(a, "wide", table_call(a, k->square, GROUPS, TABLE_N, false, 2, xt)),
        table_variant(a, "loop", table_call(a, k->loop, 1, TABLE_N, false, 2, xt)),
    };
    struct dispatch_variant second[] = {
        table_variant(a, "wide", table_call(a, k->blend, GROUPS, TABLE_N, true, 3, wtw)),
        table_variant(a, "long", table_call(a, k->blend, GROUPS + 1, TABLE_N, true, 3, wtw)),
    };
    struct dispatch_variant third[] = {
        table_variant(a, "wide", table_call(a, k->square, GROUPS, TABLE_N, true, 2, wy))};
    struct dispatch_variant fourth[] = {
        table_variant(a, "wide", table_call(a, k->tick, 1, 1, false, 2, ct))};
    struct dispatch_step *s = arena_array(a, 4, sizeof *s);
    s[0] = table_step(a, "t", 3, first);
    s[1] = table_step(a, "w", 2, second);
    s[2] = table_step(a, "y", 1, third);
    s[3] = table_step(a, "tick", 1, fourth);
    e->step = s;
    e->nsteps = 4;
}

static inline void table_entry(struct table_kit *k)
{
    static const uint64_t work[] = {1024, 8192}, inputs[] = {8192}, outputs[] = {4000, 512},
                          consts[] = {16}, counters[] = {256};
    static const uint64_t vars[] = {8192, 2048};
    struct arena *a = &k->arena;
    struct dispatch_entry *e = arena_new(a, struct dispatch_entry);
    struct dispatch_range *r = arena_array(a, 6, sizeof *r);
    const unsigned char **c = arena_array(a, 1, sizeof *c);
    r[0] = table_range(ARENA_INPUTS, 0, 256, TABLE_N);
    r[1] = table_range(ARENA_INPUTS, 0, 0, 0); // never read
    r[2] = table_range(ARENA_OUTPUTS, 0, 0, TABLE_N);
    r[3] = table_range(ARENA_OUTPUTS, 1, 256, 1);
    r[4] = table_range(ARENA_VARS, 0, 256, TABLE_N);
    r[5] = table_range(ARENA_VARS, 1, 0, TABLE_S);
    c[0] = (const unsigned char *)"0123456789abcdef";
    *e = (struct dispatch_entry){
        .name = "train",
        .segment = {NULL, work, inputs, outputs, consts, counters},
        .nsegments = {0, 2, 1, 2, 1, 1},
        .input = r,
        .ninputs = 2,
        .output = r + 2,
        .noutputs = 2,
        .consts = c,
    };
    table_steps(k, e);
    k->program.entry = e;
    k->program.nentries = 1;
    k->program.var_segment = vars;
    k->program.nvar_segments = 2;
    k->program.var = r + 4;
    k->program.nvars = 2;
}

static inline void table_open(struct table_kit *k)
{
    struct ir_parse_error error = {0};
    *k = (struct table_kit){0};
    ir_module_init(&k->module, &k->arena);
    if (!ir_parse(&k->module, table_ir, sizeof table_ir - 1, &error)) {
        fprintf(stderr, "table_ir, line %zu: %s\n", error.line, error.message);
        abort();
    }
    table_kernels(k);
    table_entry(k);
}

static inline void table_close(struct table_kit *k)
{
    arena_free(&k->arena);
}

#endif
