// ir_fuzz.c: feeds texts to the IR parser, and what it accepts to the printer and the passes.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ir/grad.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/simplify.h"
#include "ir/verify.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

// print -> parse -> print gives the same bytes.
static void check_text(const struct ir_module *m, unsigned flags)
{
    struct arena a = {0};
    struct ir_module again;
    struct ir_parse_error error;
    struct buf first = {0}, second = {0};
    ir_print(m, flags, &first);
    ir_module_init(&again, &a);
    require(ir_parse(&again, first.at, first.n, &error));
    ir_print(&again, flags, &second);
    require(first.n == second.n && memcmp(first.at, second.at, first.n) == 0);
    buf_free(&first);
    buf_free(&second);
    arena_free(&a);
}

static void check_passes(struct ir_module *m)
{
    struct sources sources;
    struct diags diags;
    sources_init(&sources, m->arena);
    diags_init(&diags, m->arena, &sources);
    if (!ir_expand_grads(m, &diags)) {
        require(diags.errors > 0);
        return;
    }
    require(ir_verify(m, false) == NULL);
    ir_simplify(m);
    require(ir_verify(m, false) == NULL);
    check_text(m, 0);
    check_text(m, IR_PRINT_CANONICAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct ir_module m;
    struct ir_parse_error error;
    ir_module_init(&m, &a);
    if (ir_parse(&m, (const char *)data, size, &error)) {
        check_text(&m, 0);
        check_text(&m, IR_PRINT_CANONICAL);
        check_passes(&m);
    } else {
        require(error.message != NULL && error.line >= 1);
    }
    arena_free(&a);
    return 0;
}
