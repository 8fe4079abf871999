// emit.c: begins and ends kernels; their buffers, push constants and indices.
#include "codegen/emit.h"

#include <string.h>

#include "codegen/hbin.h"
#include "runtime/dispatch.h"

enum { MAX_GROUPS = 65535 }; // per axis, on every device

// Tells debuggers and profilers which line of the program a kernel computes.
static void source_line(struct emit *e, ir_ref node)
{
    const struct emit_source *s = e->s;
    struct span at = s->graph->module->locs.at[ir_get(s->graph, node)->loc];
    if (!s->sources || at.file == 0)
        return;
    struct place place = source_place(s->sources, at.file, at.start);
    const char *name = hbin_source_name(&e->scratch, s->sources, place.name);
    spv_do(&e->b, SpvOpLine, SPV(spv_string(&e->b, name), place.line, place.byte_col));
}

void emit_begin(struct emit *e, const struct emit_source *s, struct emit_call *call,
                const char *name, ir_ref node, unsigned x, unsigned y)
{
    memset(e, 0, sizeof *e);
    memset(call, 0, sizeof *call);
    e->s = s;
    e->call = call;
    call->name = arena_strdup(s->arena, name);
    call->groups[0] = call->groups[1] = call->groups[2] = 1;
    // The native profile, too: the trees that are left would not survive reassociation.
    spv_init(&e->b, &e->scratch, true);
    e->push_block = spv_new(&e->b);
    spv_begin_main(&e->b, name, x, y, 1);
    source_line(e, node);
}

// A buffer that is written and seen both as words and as groups of four has two names.
static void say_aliases(struct emit *e)
{
    for (size_t i = 0; i < e->call->buffers.n; i++) {
        const struct emit_buffer *buf = &e->call->buffers.at[i];
        if (!buf->writes || !buf->variable || !buf->variable4)
            continue;
        spv_decorate(&e->b, buf->variable, SpvDecorationAliased, NULL, 0);
        spv_decorate(&e->b, buf->variable4, SpvDecorationAliased, NULL, 0);
    }
}

void emit_end(struct emit *e)
{
    say_aliases(e);
    if (e->call->push.n)
        spv_push_block(&e->b, e->push_block, (unsigned)e->call->push.n);
    spv_end_main(&e->b);
    spv_finish(&e->b, &e->call->words);
    arena_free(&e->scratch);
}

static spv_id push_constant(struct emit *e, size_t i)
{
    struct spv *b = &e->b;
    spv_id pointer = spv_pointer(b, SpvStorageClassPushConstant, spv_u32(b));
    spv_id at = spv_access(b, pointer, e->push_block, SPV(spv_ci32(b, (int32_t)i)));
    return spv_load(b, spv_u32(b), at);
}

// The last push constant is kept for emit_zero.
spv_id emit_extent(struct emit *e, uint64_t x)
{
    size_t i = 0;
    while (i < e->call->push.n && e->call->push.at[i] != (uint32_t)x)
        i++;
    if (i < e->call->push.n)
        return push_constant(e, i);
    return i < DISPATCH_MAX_PUSH - 1 ? emit_fresh_extent(e, x) : spv_c32(&e->b, (uint32_t)x);
}

spv_id emit_zero(struct emit *e)
{
    size_t i = 0;
    while (i < e->call->push.n && e->call->push.at[i] != 0)
        i++;
    return i < e->call->push.n ? push_constant(e, i) : emit_fresh_extent(e, 0);
}

spv_id emit_fresh_extent(struct emit *e, uint64_t x)
{
    vec_push(e->s->arena, &e->call->push, (uint32_t)x);
    return push_constant(e, e->call->push.n - 1);
}

static struct emit_buffer *buffer(struct emit *e, emit_place place, size_t *binding)
{
    struct emit_call *c = e->call;
    size_t i = 0;
    while (i < c->buffers.n && c->buffers.at[i].place != place)
        i++;
    if (i == c->buffers.n)
        vec_push(e->s->arena, &c->buffers, (struct emit_buffer){.place = place});
    *binding = i;
    return &c->buffers.at[i];
}

static spv_id word_at(struct emit *e, emit_place place, spv_id index, bool writes)
{
    struct spv *b = &e->b;
    size_t binding;
    struct emit_buffer *buf = buffer(e, place, &binding);
    buf->writes |= writes;
    if (!buf->variable)
        buf->variable = spv_buffer(b, (unsigned)binding, spv_u32(b), 4, NULL);
    spv_id pointer = spv_pointer(b, SpvStorageClassStorageBuffer, spv_u32(b));
    return spv_access(b, pointer, buf->variable, SPV(spv_c32(b, 0), index));
}

static spv_id four_at(struct emit *e, emit_place place, spv_id index, bool writes)
{
    struct spv *b = &e->b;
    size_t binding;
    struct emit_buffer *buf = buffer(e, place, &binding);
    spv_id four = spv_vector(b, spv_u32(b), 4);
    buf->writes |= writes;
    if (!buf->variable4)
        buf->variable4 = spv_buffer(b, (unsigned)binding, four, 16, NULL);
    spv_id pointer = spv_pointer(b, SpvStorageClassStorageBuffer, four);
    return spv_access(b, pointer, buf->variable4, SPV(spv_c32(b, 0), index));
}

void emit_store4(struct emit *e, emit_place place, spv_id index, const spv_id words[4])
{
    struct spv *b = &e->b;
    spv_id four = spv_vector(b, spv_u32(b), 4), to = four_at(e, place, index, true);
    spv_store(b, to, spv_value(b, SpvOpCompositeConstruct, four, words, 4));
}

void emit_load4(struct emit *e, emit_place place, spv_id index, spv_id words[4])
{
    struct spv *b = &e->b;
    spv_id four = spv_vector(b, spv_u32(b), 4);
    spv_id all = spv_load(b, four, four_at(e, place, index, false));
    for (uint32_t i = 0; i < 4; i++)
        words[i] = spv_value(b, SpvOpCompositeExtract, spv_u32(b), SPV(all, i));
}

spv_id emit_load(struct emit *e, emit_place place, spv_id index)
{
    return spv_load(&e->b, spv_u32(&e->b), word_at(e, place, index, false));
}

void emit_store(struct emit *e, emit_place place, spv_id index, spv_id word)
{
    spv_store(&e->b, word_at(e, place, index, true), word);
}

static spv_id built_in(struct emit *e, spv_id *variable, SpvBuiltIn which, unsigned i)
{
    struct spv *b = &e->b;
    if (!*variable)
        *variable = spv_builtin(b, which);
    spv_id all = spv_load(b, spv_vector(b, spv_u32(b), 3), *variable);
    return spv_value(b, SpvOpCompositeExtract, spv_u32(b), SPV(all, i));
}

spv_id emit_group(struct emit *e, unsigned i)
{
    return built_in(e, &e->group_id, SpvBuiltInWorkgroupId, i);
}

spv_id emit_local(struct emit *e, unsigned i)
{
    return built_in(e, &e->local_id, SpvBuiltInLocalInvocationId, i);
}

// More groups than an axis may have are laid out in rows.
spv_id emit_groups(struct emit *e, uint64_t n)
{
    uint64_t rows = (n + MAX_GROUPS - 1) / MAX_GROUPS, width = (n + rows - 1) / rows;
    e->call->groups[0] = (uint32_t)width;
    e->call->groups[1] = (uint32_t)rows;
    spv_id down = emit_group(e, 1);
    spv_id row = emit_mul(e, down, emit_extent(e, width));
    return emit_add(e, row, emit_group(e, 0));
}

spv_id emit_each(struct emit *e, uint64_t n, unsigned size, struct spv_if *inside)
{
    spv_id group = emit_groups(e, (n + size - 1) / size);
    spv_id first = emit_mul(e, group, spv_c32(&e->b, size));
    spv_id at = emit_add(e, first, emit_local(e, 0));
    spv_if_begin(&e->b, inside, emit_less(e, at, emit_extent(e, n)));
    return at;
}

spv_id emit_add(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpIAdd, spv_u32(&e->b), SPV(x, y));
}

spv_id emit_mul(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpIMul, spv_u32(&e->b), SPV(x, y));
}

spv_id emit_div(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpUDiv, spv_u32(&e->b), SPV(x, y));
}

spv_id emit_mod(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpUMod, spv_u32(&e->b), SPV(x, y));
}

spv_id emit_sub(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpISub, spv_u32(&e->b), SPV(x, y));
}

spv_id emit_less(struct emit *e, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpULessThan, spv_bool(&e->b), SPV(x, y));
}

spv_id emit_choose(struct emit *e, spv_id condition, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpSelect, spv_u32(&e->b), SPV(condition, x, y));
}

spv_id emit_least(struct emit *e, spv_id x, spv_id y)
{
    return emit_choose(e, emit_less(e, x, y), x, y);
}

void emit_barrier(struct emit *e)
{
    struct spv *b = &e->b;
    spv_id scope = spv_c32(b, SpvScopeWorkgroup);
    spv_id order =
        spv_c32(b, SpvMemorySemanticsAcquireReleaseMask | SpvMemorySemanticsWorkgroupMemoryMask);
    spv_do(b, SpvOpControlBarrier, SPV(scope, scope, order));
}
