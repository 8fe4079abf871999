// emit_map.c: kernels of class MAP: one invocation computes one element, or as many as share a word
// of the narrowest output.
#include "codegen/emit.h"

enum { GROUP = 128, GROUP4 = 32, LONG4 = 1000 /* values of a tape that is not repeated */ };

void emit_map(const struct emit_source *s, uint32_t kernel, struct emit_call *call)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    uint64_t n = (uint64_t)ir_type_count(ir_typeof(s->graph, k->anchor));
    struct emit e;
    emit_begin(&e, s, call, "map", k->anchor, GROUP, 1);
    emit_draft(&e, kernel, 0);
    unsigned per = emit_per_word(&e);
    uint64_t work = (n + per - 1) / per;

    struct spv_if inside;
    spv_id at = emit_each(&e, work, GROUP, &inside);
    if (per == 1) {
        emit_tape(&e, at, 0, NO_PLACE, (struct emit_value){0});
    } else {
        // Past the end the last element is computed again, to fill a word, but not stored: it may
        // have been computed from what it is stored over.
        spv_id first = emit_mul(&e, at, spv_c32(&e.b, per));
        spv_id last = emit_extent(&e, n - 1);
        for (unsigned i = 0; i < per; i++) {
            spv_id index = i ? emit_add(&e, first, spv_c32(&e.b, i)) : first;
            e.inside[i] = i ? emit_less(&e, index, emit_extent(&e, n)) : 0;
            emit_tape(&e, emit_least(&e, index, last), i, NO_PLACE, (struct emit_value){0});
        }
    }
    spv_if_end(&e.b, &inside);
    emit_end(&e);
}

bool emit_map4(const struct emit_source *s, uint32_t kernel, struct emit_call *call)
{
    const struct ir_kernel *k = &s->fusion->kernels.at[kernel];
    uint64_t n = (uint64_t)ir_type_count(ir_typeof(s->graph, k->anchor));
    struct emit e;
    struct spv_if inside;
    struct emit_value none[4];
    emit_begin(&e, s, call, "map4", k->anchor, GROUP4, 1);
    emit_draft(&e, kernel, 0);
    if (n % 4 != 0 || emit_per_word(&e) > 1 || e.draft.values.n > LONG4) {
        arena_free(&e.scratch);
        return false;
    }
    spv_id at = emit_each(&e, n / 4, GROUP4, &inside);
    emit_tape4(&e, at, none);
    spv_if_end(&e.b, &inside);
    emit_end(&e);
    return true;
}
