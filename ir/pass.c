// pass.c: runs the passes from staged IR to canonical IR, and checks the module after each.
#include "ir/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ir/build.h"
#include "ir/grad.h"
#include "ir/order.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/shard.h"
#include "ir/simplify.h"
#include "ir/verify.h"

static bool run_simplify(struct ir_module *m, struct diags *d)
{
    (void)d;
    ir_simplify(m);
    return true;
}

static bool run_order(struct ir_module *m, struct diags *d)
{
    (void)d;
    ir_order(m);
    return true;
}

static bool run_grad(struct ir_module *m, struct diags *d)
{
    // A backward rule may bring together what was apart: looked at again where it was put.
    return ir_shard_diagnose(m, d) && ir_expand_grads(m, d) && ir_shard_diagnose(m, d);
}

const struct ir_pass ir_passes[] = {
    {"grad", run_grad, "expands grad nodes; afterwards no node is for the compiler only"},
    {"simplify", run_simplify, "drops dead and repeated nodes and rewrites that keep every bit"},
    {"order", run_order, "numbers nodes by the graph alone; afterwards the text is identity"},
    {NULL, NULL, NULL},
};

// -- checks --------------------------------------------------------------------------------------

static void check(struct ir_module *m, const char *after, bool staged)
{
    const char *why = ir_verify(m, staged);
    if (why)
        IR_BUG("after %s: %s", after, why);
}

// print -> parse -> print gives the same bytes.
static void check_text(const struct ir_module *m, const char *after, unsigned flags)
{
    struct arena a = {0};
    struct ir_module again;
    struct ir_parse_error error;
    struct buf first = {0}, second = {0};
    ir_print(m, flags, &first);
    ir_module_init(&again, &a);
    if (!ir_parse(&again, first.at, first.n, &error))
        IR_BUG("after %s: the printed module does not parse: line %zu: %s", after, error.line,
               error.message);
    ir_print(&again, flags, &second);
    if (first.n != second.n || memcmp(first.at, second.at, first.n) != 0)
        IR_BUG("after %s: the printed module parses to another one", after);
    buf_free(&first);
    buf_free(&second);
    arena_free(&a);
}

static bool wants_text_checks(void)
{
    const char *value = getenv("HLX_CHECK");
    return value && !strcmp(value, "1");
}

// -- running -------------------------------------------------------------------------------------

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// What happens after every pass, and with the name "stage" before the first.
static void after_pass(struct ir_module *m, const char *name, bool staged,
                       const struct ir_pass_options *options)
{
    check(m, name, staged);
    if (wants_text_checks()) {
        check_text(m, name, 0);
        check_text(m, name, IR_PRINT_CANONICAL);
    }
    if (options->dump && !strcmp(options->dump, name))
        ir_print(m, 0, options->dump_to);
}

bool ir_run_passes(struct ir_module *m, struct diags *d, const struct ir_pass_options *options)
{
    after_pass(m, "stage", true, options);
    for (const struct ir_pass *p = ir_passes; p->name; p++) {
        double start = seconds();
        if (!p->run(m, d))
            return false;
        if (options->times)
            fprintf(stderr, "%-10s %8.3f ms\n", p->name, 1e3 * (seconds() - start));
        after_pass(m, p->name, false, options);
    }
    ir_split_module(m);
    return true;
}
