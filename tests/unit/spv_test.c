// spv_test.c: the SPIR-V builder writes modules that the validator accepts.
#include "codegen/spv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// y[i] = x[i] * x[i] + 1 in a grid-stride loop.
static void build(struct spv *b, struct arena *a, bool exact)
{
    spv_init(b, a, exact);
    spv_id u32 = spv_u32(b), f32 = spv_f32(b);
    spv_id x = spv_buffer(b, 0, f32, 4, "x"), y = spv_buffer(b, 1, f32, 4, "y");
    spv_id push = spv_new(b);
    spv_id gid = spv_builtin(b, SpvBuiltInGlobalInvocationId);
    spv_begin_main(b, "ᚠmap", 64, 1, 1);
    spv_id n = spv_load(
        b, u32,
        spv_access(b, spv_pointer(b, SpvStorageClassPushConstant, u32), push, SPV(spv_c32(b, 0))));
    spv_id id = spv_load(b, spv_vector(b, u32, 3), gid);
    spv_id from = spv_value(b, SpvOpCompositeExtract, u32, SPV(id, 0));
    struct spv_loop l;
    spv_loop_begin(b, &l, from, n, spv_c32(b, 64));
    spv_id pointer = spv_pointer(b, SpvStorageClassStorageBuffer, f32);
    spv_id v = spv_load(b, f32, spv_access(b, pointer, x, SPV(spv_c32(b, 0), l.i)));
    spv_id s =
        spv_arith(b, SpvOpFAdd, f32, spv_arith(b, SpvOpFMul, f32, v, v), spv_cf32(b, 0x3f800000));
    struct spv_if c;
    spv_if_begin(b, &c, spv_value(b, SpvOpFOrdLessThan, spv_bool(b), SPV(v, s)));
    spv_store(b, spv_access(b, pointer, y, SPV(spv_c32(b, 0), l.i)), s);
    spv_if_end(b, &c);
    spv_loop_end(b, &l);
    spv_push_block(b, push, 1);
    spv_end_main(b);
}

static unsigned count_no_contraction(const struct buf *words)
{
    const uint32_t *w = (const uint32_t *)(void *)words->at;
    unsigned found = 0;
    for (size_t i = 5; i < words->n / 4; i += w[i] >> 16)
        if ((w[i] & 0xffff) == SpvOpDecorate && w[i + 2] == SpvDecorationNoContraction)
            found++;
    return found;
}

static void module_validates(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct arena a = {0};
        struct spv b;
        struct buf out = {0};
        build(&b, &a, exact);
        spv_finish(&b, &out);
        assert_int_equal(count_no_contraction(&out), exact ? 2 : 0);
        char path[] = "/tmp/hlx-spv-XXXXXX", command[200];
        int fd = mkstemp(path);
        FILE *f = fdopen(fd, "wb");
        assert_int_equal(fwrite(out.at, 1, out.n, f), out.n);
        fclose(f);
        snprintf(command, sizeof command, "spirv-val --target-env vulkan1.2 %s", path);
        assert_int_equal(system(command), 0);
        remove(path);
        buf_free(&out);
        arena_free(&a);
    }
}

static void types_and_constants_are_unique(void **state)
{
    (void)state;
    struct arena a = {0};
    struct spv b;
    spv_init(&b, &a, true);
    assert_int_equal(spv_u32(&b), spv_u32(&b));
    assert_int_equal(spv_c32(&b, 7), spv_c32(&b, 7));
    assert_int_not_equal(spv_c32(&b, 7), spv_ci32(&b, 7));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_validates),
        cmocka_unit_test(types_and_constants_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
