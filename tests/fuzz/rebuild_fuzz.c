// rebuild_fuzz.c: feeds IR texts of strangers to the planner, as `hlxc FILE.hbin` does.
//
// What the reader of programs accepts as IR is planned, with and without fusion, or refused with a
// sentence. What is planned is a program that the reader takes, and that is made anew byte for
// byte.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "codegen/hbin.h"
#include "codegen/plan.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/shard.h"
#include "ir/verify.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

// A reader refuses names that are no text before anything is planned.
static bool ascii(const uint8_t *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] >= 0x80)
            return false;
    return true;
}

// The module in canonical form, as a .hbin holds it; false where it holds what no program has.
static bool canonical(struct arena *a, const uint8_t *text, size_t n, struct ir_module *out)
{
    struct ir_module given;
    struct ir_parse_error error;
    struct buf b = {0};
    ir_module_init(&given, a);
    if (!ascii(text, n) || !ir_parse(&given, (const char *)text, n, &error) ||
        ir_verify(&given, false))
        return false;
    ir_print(&given, IR_PRINT_CANONICAL, &b);
    ir_module_init(out, a);
    require(ir_parse(out, b.at, b.n, &error) && !ir_verify(out, false));
    buf_free(&b);
    ir_split_module(out);
    return !strcmp(out->numerics, HLX_NUMERICS);
}

// What was written is read, and written again.
static void check_again(const struct buf *bytes, bool fuse)
{
    struct arena a = {0};
    struct program p;
    struct hlx_error error;
    const char *why;
    struct buf again = {0};
    if (program_open_bytes(&p, bytes->at, bytes->n,
                           &error)) { // not with names that cannot be shown
        hbin_rewrite(&a, &p, plan_program(&a, &p.module, NULL, fuse, &why), &again);
        require(again.n == bytes->n && memcmp(again.at, bytes->at, again.n) == 0);
        program_close(&p);
    } else {
        require(strstr(error.text, "cannot be shown") != NULL);
    }
    buf_free(&again);
    arena_free(&a);
}

static void plan(const uint8_t *data, size_t n, bool fuse)
{
    struct arena a = {0};
    struct ir_module m;
    struct sources none;
    const char *why = NULL;
    struct buf out = {0};
    sources_init(&none, &a);
    if (canonical(&a, data, n, &m)) {
        const struct dispatch_program *d = plan_program(&a, &m, NULL, fuse, &why);
        require(d || why);
        hbin_write(&a, &m, &none, d, &out);
        check_again(&out, fuse);
    }
    buf_free(&out);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    plan(data, n, true);
    plan(data, n, false);
    return 0;
}
