// stage_fuzz.c: feeds programs to the parser and the staging evaluator, and what they accept to the
// passes.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "frontend/frontend.h"
#include "ir/pass.h"
#include "ir/verify.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct sources sources;
    struct diags diags;
    struct ir_module m;
    struct buf printed = {0}, shown = {0};
    struct frontend_options options = {.profile = "exact", .printed = &printed};
    bool missing;
    sources_init(&sources, &a);
    diags_init(&diags, &a, &sources);
    ir_module_init(&m, &a);
    bool ok = frontend_compile_text(&a, "fuzz/main.hlxl", (const char *)data, size, &options,
                                    &sources, &diags, &m, &missing);
    require(ok == (diags.errors == 0));
    if (ok) {
        require(ir_verify(&m, true) == NULL);
        ir_run_passes(&m, &diags, &(struct ir_pass_options){0});
    }
    diags_render(&diags, DIAG_TEXT, false, &shown);
    buf_free(&printed);
    buf_free(&shown);
    arena_free(&a);
    return 0;
}
