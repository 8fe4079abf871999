// shard_test.c: entries with shards against a direct computation by the rules of numerics.md, N9,
// on the evaluator and on Vulkan, for any number of workers; and what readers refuse.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/hbin.h"
#include "codegen/plan.h"
#include "frontend/frontend.h"
#include "ir/pass.h"
#include "ir/philox.h"
#include "ir/shard.h"
#include "ir/verify.h"
#include "runtime/exec.h"

enum { BATCH = 16, WIDTH = 3, STEPS = 3, SEED = 77 };

static const char source[] =
    "param w: f32[3] = 0.5;\n"
    "entry train(x: f32[16, 3], y: f32[16], k: i32[16]) using { shards: %d } {\n"
    "    let d = sum(x * w, 1) - y;\n"
    "    let l = across(sum, sum(d * d)) / across(sum, sum(y * y));\n"
    "    let noise = f32(shift_right(random_bits(shape(x)), 8)) * 2 ** -24;\n"
    "    let g = grad(l, w);\n"
    "    w := w - 0.1 * g;\n"
    "    return { g: g, loss: l, top: across(max, max_over(d)), low: across(min, min_over(d)),\n"
    "        keys: across(sum, sum(k)), noise: across(sum, sum(noise * x)),\n"
    "        parts: across(sum, 1) };\n"
    "}\n";

// -- programs ------------------------------------------------------------------------------------

struct bench {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct ir_module module;
    struct buf hbin;
    struct program program;
    struct hlx_error error;
};

static bool compile(struct bench *b, const char *text)
{
    bool missing;
    struct buf printed = {0};
    const struct frontend_options options = {.profile = "exact", .printed = &printed};
    memset(b, 0, sizeof *b);
    sources_init(&b->sources, &b->arena);
    diags_init(&b->diags, &b->arena, &b->sources);
    ir_module_init(&b->module, &b->arena);
    bool ok = frontend_compile_text(&b->arena, "test.hlxl", text, strlen(text), &options,
                                    &b->sources, &b->diags, &b->module, &missing) &&
              ir_run_passes(&b->module, &b->diags, &(struct ir_pass_options){0});
    buf_free(&printed);
    return ok;
}

static void bench_open(struct bench *b, int shards)
{
    const char *why = NULL;
    char text[sizeof source + 16];
    snprintf(text, sizeof text, source, shards);
    if (!compile(b, text))
        fail_msg("%s", b->diags.list.at[0]->text);
    const struct dispatch_program *device = plan_program(&b->arena, &b->module, NULL, true, &why);
    if (!device)
        fail_msg("%s", why);
    hbin_write(&b->arena, &b->module, &b->sources, device, &b->hbin);
    if (!program_open_bytes(&b->program, b->hbin.at, b->hbin.n, &b->error))
        fail_msg("%s", b->error.text);
}

static void bench_close(struct bench *b)
{
    program_close(&b->program);
    buf_free(&b->hbin);
    arena_free(&b->arena);
}

// -- data ----------------------------------------------------------------------------------------

struct data {
    float x[BATCH][WIDTH], y[BATCH];
    int32_t k[BATCH];
};

// Sums of these round, so that every order has bits of its own.
static void fill(struct data *d)
{
    uint32_t word[BATCH * (WIDTH + 1)];
    philox_fill(&(struct philox_stream){.key = {1, 2}}, 0, BATCH * (WIDTH + 1), word);
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            d->x[i][j] = ((float)(word[i * WIDTH + j] >> 8) - 8e6f) * 0x1p-22f;
        d->y[i] = ((float)(word[BATCH * WIDTH + i] >> 8) - 8e6f) * 0x1p-22f;
        d->k[i] = (int32_t)(word[i] >> 16);
    }
}

// What a step gives, with the value of w after it.
struct result {
    float g[WIDTH], loss, top, low, noise, w[WIDTH];
    int32_t keys, parts;
};

// -- by the rules --------------------------------------------------------------------------------

static float tree(float *p, unsigned w)
{
    for (; w > 1; w /= 2)
        for (unsigned i = 0; i < w / 2; i++)
            p[i] = p[i] + p[i + w / 2];
    return p[0];
}

// N3.2, of fewer than 4096 elements.
static float sum(const float *x, size_t n, size_t stride)
{
    float p[32] = {0};
    for (size_t i = 0; i < n; i++)
        p[i % 32] = p[i % 32] + x[i * stride];
    return tree(p, 32);
}

// What one shard gives.
struct local {
    float square, weight, noise, top, low, gradient[WIDTH];
};

static void run_shard(const struct data *d, const float *w, const uint32_t *word, size_t first,
                      size_t n, struct local *out)
{
    float square[BATCH], weight[BATCH], noise[BATCH][WIDTH], gradient[BATCH][WIDTH];
    for (size_t r = 0; r < n; r++) {
        float product[WIDTH];
        size_t at = first + r;
        for (size_t j = 0; j < WIDTH; j++) {
            float u = (float)(word[at * WIDTH + j] >> 8) * 0x1p-24f;
            product[j] = d->x[at][j] * w[j];
            noise[r][j] = u * d->x[at][j];
        }
        float error = sum(product, WIDTH, 1) - d->y[at], slope = error + error;
        square[r] = error * error;
        weight[r] = d->y[at] * d->y[at];
        for (size_t j = 0; j < WIDTH; j++)
            gradient[r][j] = slope * d->x[at][j];
        out->top = r == 0 || error > out->top ? error : out->top;
        out->low = r == 0 || error < out->low ? error : out->low;
    }
    out->square = sum(square, n, 1);
    out->weight = sum(weight, n, 1);
    out->noise = sum(&noise[0][0], n * WIDTH, 1);
    for (size_t j = 0; j < WIDTH; j++)
        out->gradient[j] = sum(&gradient[0][j], n, WIDTH);
}

// The tree over the shards, of one field of each.
static float combine(const struct local *l, unsigned shards, size_t offset)
{
    float p[BATCH] = {0};
    for (unsigned s = 0; s < shards; s++)
        memcpy(&p[s], (const char *)&l[s] + offset, sizeof p[s]);
    return tree(p, shards);
}

static void expect(const struct data *d, unsigned shards, const uint32_t *word, float *w,
                   struct result *out)
{
    struct local l[BATCH] = {{0}};
    size_t n = BATCH / shards;
    *out = (struct result){.parts = (int32_t)shards};
    for (unsigned s = 0; s < shards; s++)
        run_shard(d, w, word, s * n, n, &l[s]);
    float weight = combine(l, shards, offsetof(struct local, weight));
    out->loss = combine(l, shards, offsetof(struct local, square)) / weight;
    out->noise = combine(l, shards, offsetof(struct local, noise));
    out->top = l[0].top, out->low = l[0].low;
    for (unsigned s = 1; s < shards; s++) {
        out->top = l[s].top > out->top ? l[s].top : out->top;
        out->low = l[s].low < out->low ? l[s].low : out->low;
    }
    for (size_t i = 0; i < BATCH; i++)
        out->keys += d->k[i];
    for (size_t j = 0; j < WIDTH; j++) {
        size_t at = offsetof(struct local, gradient) + j * sizeof(float);
        out->g[j] = combine(l, shards, at) / weight;
        float step = 0.1f * out->g[j];
        w[j] = w[j] - step;
        out->w[j] = w[j];
    }
}

// The words of the entry's one draw: they do not depend on the number of shards.
static void draw(const struct bench *b, uint32_t step, uint32_t word[BATCH * WIDTH])
{
    const struct ir_graph *g = b->module.entries.at[0].graph;
    for (ir_ref r = 1; r < g->nodes.n; r++)
        if (ir_opcode(g, r) == IR_random_bits) {
            const struct philox_stream s = {.key = {SEED, 0},
                                            .step = step,
                                            .lo = (uint32_t)ir_attr(g, r, 0),
                                            .hi = (uint32_t)ir_attr(g, r, 1)};
            philox_fill(&s, 0, BATCH * WIDTH, word);
            return;
        }
    fail_msg("the program draws nothing");
}

// -- running -------------------------------------------------------------------------------------

// Workers' shards, as the transport saw them.
struct seen {
    unsigned workers, shards, calls;
    unsigned fail_at; // 0: never
};

static bool watch(void *user, unsigned worker, uint32_t shard, size_t output, const void *from,
                  void *to, size_t bytes, struct hlx_error *error)
{
    struct seen *s = user;
    (void)output;
    assert_int_equal(worker, shard / (s->shards / s->workers));
    if (++s->calls == s->fail_at)
        return hlx_fail(error, EXIT_DEVICE, "the wire was cut");
    memcpy(to, from, bytes);
    return true;
}

static void take(struct bench *b, struct exec *x, struct exec_plan *plan, struct result *out)
{
    void *const to[] = {out->g,      &out->keys,  &out->loss, &out->low,
                        &out->noise, &out->parts, &out->top};
    if (!exec_collect(plan, to, &b->error) || !exec_get(x, 0, out->w, &b->error))
        fail_msg("%s", b->error.text);
}

static void run(struct bench *b, const struct data *d, const char *device, struct seen *seen,
                struct result out[STEPS])
{
    const void *const inputs[] = {d->x, d->y, d->k};
    const struct exec_transport transport = {seen, watch};
    const struct exec_options options = {
        .device = device, .seed = SEED, .workers = seen->workers, .transport = &transport};
    struct exec *x = exec_start(&options, &b->program, &b->error);
    struct exec_plan *plan =
        x ? exec_prepare(x, &b->program.module.entries.at[0], &b->error) : NULL;
    if (!plan)
        fail_msg("%s", b->error.text);
    for (uint32_t step = 1; step <= STEPS; step++) {
        if (!exec_submit(plan, inputs, step, &b->error))
            fail_msg("%s", b->error.text);
        take(b, x, plan, &out[step - 1]);
    }
    exec_discard(plan);
    exec_close(x);
}

static void check(struct bench *b, const struct data *d, unsigned shards, const char *device)
{
    struct result want[STEPS], got[STEPS];
    float w[WIDTH] = {0.5f, 0.5f, 0.5f};
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t word[BATCH * WIDTH] = {0};
        draw(b, i + 1, word);
        expect(d, shards, word, w, &want[i]);
    }
    for (unsigned workers = 1; workers <= shards; workers *= 2) {
        struct seen seen = {.workers = workers, .shards = shards};
        memset(got, 0, sizeof got);
        run(b, d, device, &seen, got);
        assert_memory_equal(got, want, sizeof want);
        assert_int_equal(seen.calls, shards > 1 ? STEPS * shards * 8 : 0);
    }
}

static void check_device(const char *device)
{
    struct data d;
    fill(&d);
    for (unsigned shards = 1; shards <= 8; shards *= 2) {
        struct bench b;
        bench_open(&b, (int)shards);
        check(&b, &d, shards, device);
        bench_close(&b);
    }
}

static void test_evaluator(void **state)
{
    (void)state;
    check_device("cpu");
}

static void test_vulkan(void **state)
{
    (void)state;
    const char *device = getenv("HLX_TEST_DEVICE");
    check_device(device ? device : "vulkan");
}

// Different N have different bits: otherwise the tests above would prove little.
static void test_order_shows(void **state)
{
    (void)state;
    struct data d;
    struct result r[2];
    uint32_t word[BATCH * WIDTH] = {0};
    float w[2][WIDTH] = {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};
    fill(&d);
    philox_fill(&(struct philox_stream){.key = {3, 4}}, 0, BATCH * WIDTH, word);
    for (int step = 0; step < STEPS; step++) {
        expect(&d, 1, word, w[0], &r[0]);
        expect(&d, 8, word, w[1], &r[1]);
    }
    assert_memory_not_equal(r[0].g, r[1].g, sizeof r[0].g);
    assert_true(r[0].loss < r[1].loss || r[0].loss > r[1].loss);
    assert_true(r[0].noise < r[1].noise || r[0].noise > r[1].noise);
}

static void test_transport_fails(void **state)
{
    (void)state;
    struct bench b;
    struct data d;
    fill(&d);
    bench_open(&b, 4);
    const void *const inputs[] = {d.x, d.y, d.k};
    struct seen seen = {.workers = 2, .shards = 4, .fail_at = 5};
    const struct exec_transport transport = {&seen, watch};
    const struct exec_options options = {.device = "cpu", .workers = 2, .transport = &transport};
    struct exec *x = exec_start(&options, &b.program, &b.error);
    struct exec_plan *plan = exec_prepare(x, &b.program.module.entries.at[0], &b.error);
    assert_false(exec_submit(plan, inputs, 1, &b.error));
    assert_string_equal(b.error.text, "the wire was cut");
    exec_discard(plan);
    exec_close(x);
    bench_close(&b);
}

static void test_too_many_workers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 2);
    const struct exec_options options = {.device = "cpu", .workers = 4};
    struct exec *x = exec_start(&options, &b.program, &b.error);
    assert_null(exec_prepare(x, &b.program.module.entries.at[0], &b.error));
    assert_int_equal(b.error.code, EXIT_USAGE);
    assert_non_null(strstr(b.error.text, "2 shards"));
    exec_close(x);
    bench_close(&b);
}

// Gradients that are kept can be looked at; what is local to a shard cannot.
static void test_probe(void **state)
{
    (void)state;
    struct bench b;
    struct data d;
    float g[WIDTH], w[WIDTH] = {0.5f, 0.5f, 0.5f};
    uint32_t word[BATCH * WIDTH] = {0};
    struct result want;
    fill(&d);
    bench_open(&b, 8);
    const void *const inputs[] = {d.x, d.y, d.k};
    const struct ir_entry *e = &b.program.module.entries.at[0];
    struct exec *x = exec_open(&exec_cpu, &b.program, SEED, 0, &b.error);
    assert_int_equal(e->grads.n, 1);
    assert_true(exec_probe(x, e, &e->grads.at[0].value, 1, inputs, 1, &(void *){g}, &b.error));
    draw(&b, 1, word);
    expect(&d, 8, word, w, &want);
    assert_memory_equal(g, want.g, sizeof g);
    for (ir_ref r = 1; r < e->graph->nodes.n; r++)
        if (ir_opcode(e->graph, r) == IR_input) {
            assert_false(exec_probe(x, e, &r, 1, inputs, 1, &(void *){g}, &b.error));
            assert_non_null(strstr(b.error.text, "local to a shard"));
        }
    exec_close(x);
    bench_close(&b);
}

// -- what readers refuse -------------------------------------------------------------------------

static void test_refused(void **state)
{
    (void)state;
    struct bench b;
    ir_shard_faults faults = {0};
    bench_open(&b, 4);
    struct ir_entry *e = &b.module.entries.at[0];
    assert_null(ir_verify(&b.module, false));
    // an output from inside
    ir_ref kept = e->outputs.at[0].value;
    for (ir_ref r = 1; r < e->graph->nodes.n; r++)
        if (ir_opcode(e->graph, r) == IR_input)
            e->outputs.at[0].value = r;
    assert_non_null(strstr(ir_verify(&b.module, false), "the output `g` is local to a shard"));
    e->outputs.at[0].value = kept;
    // the name of a part
    const char *name = e->name;
    e->name = "train#local";
    assert_non_null(strstr(ir_verify(&b.module, false), "has a #"));
    e->name = name;
    // other shards
    const struct value *attrs = e->attrs;
    const int64_t numbers[] = {3, 0, -8, 2048};
    for (size_t i = 0; i < 4; i++) {
        const struct value_field f = {"shards", 6, value_int(&b.arena, numbers[i])};
        e->attrs = value_object(&b.arena, &f, 1, NULL);
        assert_non_null(strstr(ir_verify(&b.module, false), "no power of two"));
    }
    e->attrs = value_object(&b.arena, NULL, 0, NULL);
    assert_non_null(strstr(ir_verify(&b.module, false), "where there are no shards"));
    e->attrs = attrs;
    // something that brings both sides together
    ir_ref in = 0;
    for (ir_ref r = 1; r < e->graph->nodes.n; r++)
        if (ir_opcode(e->graph, r) == IR_input && ir_typeof(e->graph, r)->dtype == DT_F32)
            in = r;
    ir_ref loss = 0;
    for (size_t i = 0; i < e->outputs.n; i++)
        if (!strcmp(e->outputs.at[i].name, "loss"))
            loss = e->outputs.at[i].value;
    ir_ref wide = ir_broadcast_to(e->graph, loss, ir_get(e->graph, in)->type);
    ir_binary(e->graph, IR_add, wide, in);
    assert_non_null(strstr(ir_verify(&b.module, false), "meets what is local"));
    ir_shard_check(&b.module, e, &faults);
    assert_int_equal(faults.n, 1);
    assert_int_equal(faults.at[0].rule, IR_SHARD_MIXED);
    bench_close(&b);
}

static void test_types(void **state)
{
    (void)state;
    struct bench b;
    assert_false(compile(&b, "entry e(x: f16[4]) using { shards: 2 } "
                             "{ return { y: across(sum, x) } }\n"));
    assert_non_null(strstr(b.diags.list.at[0]->text, "`across` takes f32, i32 or u32, not f16"));
    arena_free(&b.arena);
}

// A program with one shard is the program without the attribute, but for the attribute.
static void test_one_shard(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    const struct ir_entry *e = &b.module.entries.at[0];
    assert_null(e->split);
    for (ir_ref r = 1; r < e->graph->nodes.n; r++)
        assert_int_not_equal(ir_opcode(e->graph, r), IR_across);
    assert_int_equal(ir_entry_input(&b.module, e, 0).dim[0], BATCH);
    bench_close(&b);
    bench_open(&b, 8);
    e = &b.module.entries.at[0];
    assert_int_equal(ir_type_get(&b.module, e->inputs.at[0].type)->dim[0], BATCH / 8);
    assert_int_equal(ir_entry_input(&b.module, e, 0).dim[0], BATCH);
    assert_int_equal(e->split->local.outputs.n, 8);
    assert_int_equal(e->split->global.inputs.n, 64);
    assert_ptr_equal(ir_find_part(&b.module, "train#local"), &e->split->local);
    assert_ptr_equal(ir_find_part(&b.module, "train#global"), &e->split->global);
    assert_null(ir_find_part(&b.module, "train"));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluator),        cmocka_unit_test(test_vulkan),
        cmocka_unit_test(test_order_shows),      cmocka_unit_test(test_transport_fails),
        cmocka_unit_test(test_too_many_workers), cmocka_unit_test(test_probe),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_types),
        cmocka_unit_test(test_one_shard),
    };
    setenv("HLX_CHECK", "1", 1); // print, parse and print again after every pass
    return cmocka_run_group_tests(tests, NULL, NULL);
}
