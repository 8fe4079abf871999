// ir_fuzz.c: feeds texts to the IR parser, and what it accepts to the printer and the passes.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ir/grad.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/shard.h"
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

// The parts of entries with shards are entries that a device can run.
static void check_parts(struct ir_module *m)
{
    ir_entries parts = {0};
    ir_split_module(m);
    ir_parts(m, m->arena, &parts);
    m->entries.n = 0;
    for (size_t i = 0; i < parts.n; i++) {
        struct ir_entry e = *parts.at[i];
        e.name = arena_printf(m->arena, "part%zu", i);
        e.attrs = NULL;
        vec_push(m->arena, &m->entries, e);
    }
    require(ir_verify(m, false) == NULL);
}

static void check_passes(struct ir_module *m)
{
    struct sources sources;
    struct diags diags;
    sources_init(&sources, m->arena);
    diags_init(&diags, m->arena, &sources);
    if (!ir_shard_diagnose(m, &diags) || !ir_expand_grads(m, &diags) ||
        !ir_shard_diagnose(m, &diags)) {
        require(diags.errors > 0);
        return;
    }
    require(ir_verify(m, false) == NULL);
    ir_simplify(m);
    require(ir_verify(m, false) == NULL);
    check_text(m, 0);
    check_text(m, IR_PRINT_CANONICAL);
    check_parts(m);
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
