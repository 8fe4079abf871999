// vk_test.c: the Vulkan runtime on whatever device there is: steps, variants, caches, failures.
//
// HLX_TEST_DEVICE names the device ("vulkan:1", "llvmpipe"); without it the best one is taken. On a
// machine without Vulkan the tests say so and are skipped.
#define _XOPEN_SOURCE 700 // mkdtemp, nftw

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ir/lanes.h"
#include "runtime/exec_vk.h"
#include "tests/unit/table_kit.h"

struct rig {
    struct table_kit kit;
    struct program program;
    struct exec *x;
    struct exec_plan *plan;
    struct hlx_error error;
    float in[TABLE_N], y[TABLE_N], w[TABLE_N];
    int32_t unused[5], tick;
};

static char cache[] = "/tmp/hlx-vk-XXXXXX";

static struct exec_options options(const char *variant)
{
    const char *device = getenv("HLX_TEST_DEVICE");
    return (struct exec_options){.device = device ? device : "vulkan",
                                 .variant = variant,
                                 .seed = 42,
                                 .flags = EXEC_UNCHECKED};
}

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    table_open(&r->kit);
    r->program.module = r->kit.module;
    r->program.dispatch = &r->kit.program;
    for (int i = 0; i < TABLE_N; i++)
        r->in[i] = (float)(i - 500) * 0.01f;
}

static void rig_close(struct rig *r)
{
    exec_discard(r->plan);
    exec_close(r->x);
    table_close(&r->kit);
}

static bool start_with(struct rig *r, const struct exec_options *o)
{
    r->x = exec_start(o, &r->program, &r->error);
    if (!r->x)
        return false;
    r->plan = exec_prepare(r->x, &r->program.module.entries.at[0], &r->error);
    return r->plan;
}

static bool start(struct rig *r, const char *variant)
{
    struct exec_options o = options(variant);
    return start_with(r, &o);
}

static void must(const struct rig *r, bool ok)
{
    if (!ok)
        fail_msg("%s", r->error.text);
}

static bool submit(struct rig *r, uint32_t step)
{
    const void *const inputs[] = {r->in, r->unused};
    return exec_submit(r->plan, inputs, step, &r->error);
}

static bool collect(struct rig *r)
{
    void *const outputs[] = {r->y, &r->tick};
    return exec_collect(r->plan, outputs, &r->error);
}

// The same in C. Every product and sum rounds once.
static void expect(const float *in, float *w, float *y)
{
    for (int i = 0; i < TABLE_N; i++) {
        volatile float square = in[i] * in[i];
        volatile float t = square + 1;
        volatile float sum = w[i] + t;
        w[i] = sum * 0.5f;
        square = w[i] * w[i];
        y[i] = square + 1;
    }
}

static bool have_device;

static int group_setup(void **state)
{
    (void)state;
    struct rig r;
    if (!mkdtemp(cache))
        return -1;
    setenv("XDG_CACHE_HOME", cache, 1);
    rig_open(&r);
    struct exec_options o = options(NULL);
    r.x = exec_start(&o, &r.program, &r.error);
    have_device = r.x;
    if (r.x)
        print_message("device: %s\n", exec_title(r.x));
    else
        print_message("SKIPPED: %s\n", r.error.text);
    rig_close(&r);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static void empty_cache(void)
{
    char own[sizeof cache + 4];
    snprintf(own, sizeof own, "%s/hlx", cache);
    nftw(own, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// Drivers and layers may have left files of their own.
static int group_teardown(void **state)
{
    (void)state;
    return nftw(cache, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define NEED_DEVICE()                                                                              \
    do {                                                                                           \
        if (!have_device)                                                                          \
            skip();                                                                                \
    } while (0)

// -- steps ---------------------------------------------------------------------------------------

// Many steps, four at a time, with each variant of the first product: always the same bits.
static void test_steps(void **state)
{
    (void)state;
    NEED_DEVICE();
    static const char *const variants[] = {"wide", "loop", "loop,long", NULL};
    for (int v = 0; v < 4; v++) {
        struct rig r;
        float w[TABLE_N], y[TABLE_N];
        rig_open(&r);
        must(&r, start(&r, variants[v]));
        for (int i = 0; i < TABLE_N; i++)
            w[i] = 0.5f;
        uint32_t submitted = 0, collected = 0;
        while (collected < 50) {
            while (submitted < 50 && submitted - collected < r.x->ops->depth)
                must(&r, submit(&r, ++submitted));
            must(&r, collect(&r));
            collected++;
            assert_int_equal(r.tick, collected);
            expect(r.in, w, y);
            assert_memory_equal(r.y, y, sizeof y);
        }
        must(&r, exec_get(r.x, 0, r.w, &r.error));
        assert_memory_equal(r.w, w, sizeof w);
        rig_close(&r);
    }
}

// The evaluator and the device give the same bits.
static void test_evaluator(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig one, two;
    const struct exec_options cpu = {.device = "cpu"};
    rig_open(&one);
    rig_open(&two);
    must(&one, start(&one, NULL));
    must(&two, start_with(&two, &cpu));
    assert_string_equal(exec_title(two.x), "cpu");
    one.in[3] = two.in[3] = 1e-40f; // subnormal: zero
    one.in[4] = two.in[4] = NAN;
    one.in[5] = two.in[5] = -INFINITY;
    for (uint32_t i = 1; i <= 20; i++) {
        must(&one, submit(&one, i) && collect(&one));
        must(&two, submit(&two, i) && collect(&two));
        assert_memory_equal(one.y, two.y, sizeof one.y);
    }
    must(&one, exec_get(one.x, 0, one.w, &one.error));
    must(&two, exec_get(two.x, 0, two.w, &two.error));
    assert_memory_equal(one.w, two.w, sizeof one.w);
    assert_int_equal(f32_bits(one.y[4]), F32_NAN_BITS);
    rig_close(&one);
    rig_close(&two);
}

// Results too small for a normal number are zero: the driver's threads flush as the contract says.
static void test_flush(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    rig_open(&r);
    struct dispatch_call *c = table_mutable(r.kit.program.entry->step[2].variant[0].call);
    struct dispatch_binding *b = table_mutable(c->binding);
    c->kernel = r.kit.plain;
    b[0].range = r.kit.program.entry->input[0];
    must(&r, start(&r, NULL));
    for (int i = 0; i < TABLE_N; i++)
        r.in[i] = i & 1 ? 1.0e-19f : 1.1e-19f;
    must(&r, submit(&r, 1) && collect(&r));
    for (int i = 0; i < TABLE_N; i++)
        if (i & 1)
            assert_int_equal(f32_bits(r.y[i]), 0);
        else
            assert_true(r.y[i] > 1.2e-38f && r.y[i] < 1.22e-38f);
    rig_close(&r);
}

static void test_variables(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    float s[TABLE_S];
    rig_open(&r);
    must(&r, start(&r, NULL));
    must(&r, exec_get(r.x, 1, s, &r.error));
    for (int i = 0; i < TABLE_S; i++)
        assert_true(s[i] == 7.0f);
    for (int i = 0; i < TABLE_S; i++)
        s[i] = (float)i;
    uint32_t odd[] = {0x7f800001, 0x80000001, 0xffc12345};
    memcpy(s, odd, sizeof odd);
    must(&r, submit(&r, 1)); // under way while the variable is written
    must(&r, exec_set(r.x, 1, s, &r.error));
    must(&r, collect(&r));
    must(&r, submit(&r, 2) && collect(&r));
    memset(s, 1, sizeof s);
    must(&r, exec_get(r.x, 1, s, &r.error));
    assert_int_equal(f32_bits(s[0]), F32_NAN_BITS);
    assert_int_equal(f32_bits(s[1]), 0x80000000);
    assert_int_equal(f32_bits(s[2]), F32_NAN_BITS);
    for (int i = 3; i < TABLE_S; i++)
        assert_true(s[i] == (float)i);
    rig_close(&r);
}

// Two plans share the variables: their steps follow one another in the order they were submitted.
static void test_two_plans(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    float w[TABLE_N], y[TABLE_N];
    rig_open(&r);
    must(&r, start(&r, NULL));
    struct exec_plan *plan[2] = {r.plan,
                                 exec_prepare(r.x, &r.program.module.entries.at[0], &r.error)};
    must(&r, plan[1]);
    for (int i = 0; i < TABLE_N; i++)
        w[i] = 0.5f;
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 6; i++) {
            r.plan = plan[i % 2];
            must(&r, submit(&r, i + 1));
        }
        for (uint32_t i = 0; i < 6; i++) {
            r.plan = plan[i % 2];
            must(&r, collect(&r));
            assert_int_equal(r.tick, i + 1);
            expect(r.in, w, y);
            assert_memory_equal(r.y, y, sizeof y);
        }
    }
    r.plan = plan[0];
    exec_discard(plan[1]);
    rig_close(&r);
}

// -- variants and caches -------------------------------------------------------------------------

// The files of the cache folder, in no order; returns how many.
static size_t cache_files(char path[][300], size_t room)
{
    char own[sizeof cache + 4];
    size_t n = 0;
    snprintf(own, sizeof own, "%s/hlx", cache);
    DIR *d = opendir(own);
    for (struct dirent *f; d && n < room && (f = readdir(d));)
        if (f->d_name[0] != '.')
            snprintf(path[n++], 300, "%s/%s", own, f->d_name);
    if (d)
        closedir(d);
    return n;
}

static uint32_t chosen(const struct rig *r, size_t step)
{
    const struct vk_plan *p = r->plan->device;
    return p->choice[step];
}

// What is measured is remembered, and the variables do not notice: the second step is run many
// times while it is measured, and it writes to them.
static void test_tuning(void **state)
{
    (void)state;
    NEED_DEVICE();
    empty_cache();
    struct rig r;
    char path[8][300];
    rig_open(&r);
    struct exec_options o = options(NULL);
    r.x = exec_start(&o, &r.program, &r.error);
    must(&r, r.x);
    must(&r, exec_set(r.x, 0, r.in, &r.error));
    r.plan = exec_prepare(r.x, &r.program.module.entries.at[0], &r.error);
    must(&r, r.plan);
    must(&r, exec_get(r.x, 0, r.w, &r.error));
    assert_memory_equal(r.w, r.in, sizeof r.w);
    uint32_t first = chosen(&r, 0);
    assert_int_not_equal(first, 0); // `huge` fits no device
    assert_true(cache_files(path, 8) >= 1);
    rig_close(&r);
    rig_open(&r);
    must(&r, start(&r, NULL));
    assert_int_equal(chosen(&r, 0), first);
    rig_close(&r);
    rig_open(&r);
    must(&r, start(&r, first == 1 ? "loop" : "wide"));
    assert_int_not_equal(chosen(&r, 0), first);
    rig_close(&r);
}

static void test_forced(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    rig_open(&r);
    assert_false(start(&r, "huge"));
    assert_int_equal(r.error.code, EXIT_DEVICE);
    assert_non_null(strstr(r.error.text, "workgroups are larger"));
    rig_close(&r);
    rig_open(&r);
    assert_false(start(&r, "small"));
    assert_int_equal(r.error.code, EXIT_USAGE);
    rig_close(&r);
    static const char *const one_wrong[] = {"wide,small", "small,wide", "wide,", ",wide"};
    for (size_t i = 0; i < sizeof one_wrong / sizeof *one_wrong; i++) {
        rig_open(&r);
        assert_false(start(&r, one_wrong[i]));
        assert_int_equal(r.error.code, EXIT_USAGE);
        assert_non_null(strstr(r.error.text, i < 2 ? "a variant `small`;" : "a variant ``;"));
        assert_non_null(strstr(r.error.text, "; there are: huge, wide, loop, long"));
        rig_close(&r);
    }
    assert_true(vk_listed("a,bc,d", "bc"));
    assert_true(vk_listed("a,bc,d", "d"));
    assert_false(vk_listed("a,bc,d", "b"));
    assert_false(vk_listed("abc", "bc"));
    assert_false(vk_listed(NULL, "bc"));
}

// A step of which the device can run no variant.
static void test_unfit(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    rig_open(&r);
    ((struct dispatch_step *)table_mutable(r.kit.program.entry->step))[0].nvariants = 1;
    assert_false(start(&r, NULL));
    assert_int_equal(r.error.code, EXIT_DEVICE);
    rig_close(&r);
}

static void damage(const char *path, size_t n, bool truncate)
{
    struct arena a = {0};
    const char *why;
    size_t len;
    char *bytes = file_read(&a, path, 0, &len, &why);
    assert_non_null(bytes);
    if (n < len)
        bytes[n] ^= 0x55;
    assert_true(file_write(&a, path, bytes, truncate ? n : len, &why));
    free(bytes);
    arena_free(&a);
}

// Whatever is in the cache's files, steps give the right bits.
static void test_damaged_caches(void **state)
{
    (void)state;
    NEED_DEVICE();
    for (int round = 0; round < 10; round++) {
        struct rig r;
        char path[8][300];
        float w[TABLE_N], y[TABLE_N];
        size_t n = cache_files(path, 8);
        for (size_t i = 0; i < n; i++)
            damage(path[i], (size_t)round * 7, round % 2);
        for (int i = 0; i < TABLE_N; i++)
            w[i] = 0.5f;
        rig_open(&r);
        must(&r, start(&r, NULL));
        must(&r, submit(&r, 1) && collect(&r));
        expect(r.in, w, y);
        assert_memory_equal(r.y, y, sizeof y);
        rig_close(&r);
    }
}

static void test_no_cache(void **state)
{
    (void)state;
    NEED_DEVICE();
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    struct rig r;
    rig_open(&r);
    must(&r, start(&r, NULL));
    rig_close(&r);
    setenv("XDG_CACHE_HOME", cache, 1);
}

// -- failures ------------------------------------------------------------------------------------

// A whole life, in which the n-th call to the driver fails. Returns whether any did.
static bool life(unsigned n, int with)
{
    struct rig r;
    struct exec_options o = options(NULL);
    o.fail_at = n;
    o.fail_with = with;
    rig_open(&r);
    bool ok = start_with(&r, &o);
    for (uint32_t i = 1; ok && i <= 4; i++)
        ok = submit(&r, i);
    for (uint32_t i = 1; ok && i <= 3; i++)
        ok = collect(&r);
    ok = ok && exec_get(r.x, 0, r.w, &r.error) && exec_set(r.x, 0, r.w, &r.error) && collect(&r);
    if (!ok) {
        assert_int_equal(r.error.code, EXIT_DEVICE);
        assert_true(strlen(r.error.text) > 20);
    }
    rig_close(&r);
    return !ok;
}

static void test_faults(void **state)
{
    (void)state;
    NEED_DEVICE();
    static const VkResult with[] = {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_DEVICE_LOST};
    struct rig keep; // the driver is not loaded anew for every life
    rig_open(&keep);
    must(&keep, start(&keep, NULL));
    for (int i = 0; i < 2; i++) {
        unsigned n = 1;
        empty_cache(); // so that measuring is part of it
        for (; life(n, with[i]); n++)
            if (with[i] != VK_ERROR_DEVICE_LOST)
                empty_cache();
        print_message("%u calls that can fail\n", n - 1);
        assert_in_range(n, 50, 5000);
    }
    rig_close(&keep);
}

static void test_bad_tables(void **state)
{
    (void)state;
    NEED_DEVICE();
    struct rig r;
    rig_open(&r);
    for (int v = 0; v < 2; v++) // a barrier is missing
        ((struct dispatch_call *)table_mutable(r.kit.program.entry->step[1].variant[v].call))
            ->barrier = false;
    assert_false(start(&r, NULL));
    assert_int_equal(r.error.code, EXIT_DATA);
    assert_non_null(strstr(r.error.text, "without a barrier"));
    rig_close(&r);
    rig_open(&r); // a kernel is damaged
    struct dispatch_kernel *k = table_mutable(r.kit.program.kernel);
    uint32_t *words = table_mutable(k[r.kit.blend].words);
    words[k[r.kit.blend].nwords - 1] ^= 1; // OpFunctionEnd
    assert_false(start(&r, NULL));
    assert_int_equal(r.error.code, EXIT_DATA);
    assert_non_null(strstr(r.error.text, "SPIR-V is not valid"));
    rig_close(&r);
}

static void test_absent(void **state)
{
    (void)state;
    struct rig r;
    struct exec_options o = {.device = "a device that is not there"};
    rig_open(&r);
    assert_false(start_with(&r, &o));
    assert_int_equal(r.error.code, EXIT_DEVICE);
    rig_close(&r);
    rig_open(&r); // without kernels the best device is the evaluator
    r.program.dispatch = NULL;
    o.device = NULL;
    must(&r, start_with(&r, &o));
    assert_string_equal(exec_title(r.x), "cpu");
    rig_close(&r);
    rig_open(&r);
    r.program.dispatch = NULL;
    o.device = "vulkan";
    assert_false(start_with(&r, &o));
    assert_non_null(strstr(r.error.text, "without kernels"));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),          cmocka_unit_test(test_evaluator),
        cmocka_unit_test(test_flush),          cmocka_unit_test(test_variables),
        cmocka_unit_test(test_two_plans),      cmocka_unit_test(test_tuning),
        cmocka_unit_test(test_forced),         cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_damaged_caches), cmocka_unit_test(test_no_cache),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
