// spv.c: the core of the SPIR-V builder: words, sections, unique objects, the finished module.
#include "codegen/spv.h"

#include <string.h>

#define SPV_VERSION_1_5 0x00010500u

void spv_emit(struct spv *b, struct spv_words *out, SpvOp op, spv_id type, spv_id result,
              const uint32_t *words, size_t n)
{
    size_t count = 1 + (type != 0) + (result != 0) + n;
    vec_reserve(b->arena, out, count);
    uint32_t *at = out->at + out->n;
    *at++ = (uint32_t)count << SpvWordCountShift | (uint32_t)op;
    if (type)
        *at++ = type;
    if (result)
        *at++ = result;
    if (n)
        memcpy(at, words, n * sizeof *at);
    out->n += count;
}

// Packs a string as SPIR-V wants it: UTF-8, NUL, zero padding. Bytes go through unsigned char, or a
// rune's high bytes would be sign-extended.
static size_t pack_string(struct arena *a, const char *text, uint32_t **out)
{
    size_t len = strlen(text), n = len / 4 + 1;
    *out = arena_array(a, n, sizeof **out);
    for (size_t i = 0; i < len; i++)
        (*out)[i / 4] |= (uint32_t)(unsigned char)text[i] << 8 * (i % 4);
    return n;
}

void spv_init(struct spv *b, struct arena *a, bool exact)
{
    memset(b, 0, sizeof *b);
    b->arena = a;
    b->next = 1;
    b->exact = exact;
    map_init(&b->unique, a);
    spv_put(b, SPV_CAPABILITY, SpvOpCapability, SPV(SpvCapabilityShader));
    spv_put(b, SPV_MEMORY_MODEL, SpvOpMemoryModel,
            SPV(SpvAddressingModelLogical, SpvMemoryModelGLSL450));
    spv_void(b);
    spv_bool(b);
    spv_u32(b);
    spv_i32(b);
    spv_f32(b);
}

spv_id spv_new(struct spv *b)
{
    return b->next++;
}

void spv_put(struct spv *b, enum spv_section section, SpvOp op, const uint32_t *words, size_t n)
{
    spv_emit(b, &b->section[section], op, 0, 0, words, n);
}

spv_id spv_value(struct spv *b, SpvOp op, spv_id type, const uint32_t *words, size_t n)
{
    spv_id id = spv_new(b);
    spv_emit(b, &b->section[SPV_FUNCTION], op, type, id, words, n);
    return id;
}

spv_id spv_arith(struct spv *b, SpvOp op, spv_id type, spv_id x, spv_id y)
{
    spv_id id = spv_value(b, op, type, SPV(x, y));
    if (b->exact)
        spv_decorate(b, id, SpvDecorationNoContraction, NULL, 0);
    return id;
}

spv_id spv_glsl(struct spv *b, uint32_t instruction, spv_id type, const uint32_t *words, size_t n)
{
    uint32_t all[6] = {0, instruction};
    if (!b->glsl) {
        uint32_t *name;
        size_t len = pack_string(b->arena, "GLSL.std.450", &name);
        b->glsl = spv_new(b);
        spv_emit(b, &b->section[SPV_IMPORT], SpvOpExtInstImport, 0, b->glsl, name, len);
    }
    all[0] = b->glsl;
    memcpy(all + 2, words, n * sizeof *all);
    return spv_value(b, SpvOpExtInst, type, all, n + 2);
}

void spv_do(struct spv *b, SpvOp op, const uint32_t *words, size_t n)
{
    spv_put(b, SPV_FUNCTION, op, words, n);
}

spv_id spv_once(struct spv *b, SpvOp op, spv_id type, const uint32_t *words, size_t n)
{
    uint32_t *key = arena_array(b->arena, n + 2, sizeof *key);
    key[0] = (uint32_t)op;
    key[1] = type;
    if (n)
        memcpy(key + 2, words, n * sizeof *key);
    bool fresh;
    struct map_entry *e = map_put(&b->unique, key, (n + 2) * sizeof *key, &fresh);
    if (fresh) {
        e->value.u = spv_new(b);
        spv_emit(b, &b->section[SPV_GLOBAL], op, type, (spv_id)e->value.u, words, n);
    }
    return (spv_id)e->value.u;
}

void spv_name(struct spv *b, spv_id id, const char *name)
{
    uint32_t *text;
    size_t n = pack_string(b->arena, name, &text);
    uint32_t *words = arena_array(b->arena, n + 1, sizeof *words);
    words[0] = id;
    memcpy(words + 1, text, n * sizeof *words);
    spv_put(b, SPV_NAME, SpvOpName, words, n + 1);
}

void spv_decorate(struct spv *b, spv_id id, SpvDecoration d, const uint32_t *words, size_t n)
{
    uint32_t all[4] = {id, (uint32_t)d};
    if (n)
        memcpy(all + 2, words, n * sizeof *all);
    spv_put(b, SPV_DECORATION, SpvOpDecorate, all, n + 2);
}

void spv_member_decorate(struct spv *b, spv_id id, unsigned member, SpvDecoration d,
                         const uint32_t *words, size_t n)
{
    uint32_t all[5] = {id, member, (uint32_t)d};
    if (n)
        memcpy(all + 3, words, n * sizeof *all);
    spv_put(b, SPV_DECORATION, SpvOpMemberDecorate, all, n + 3);
}

spv_id spv_string(struct spv *b, const char *text)
{
    char *key = arena_printf(b->arena, "string %s", text);
    bool fresh;
    struct map_entry *e = map_put_str(&b->unique, key, &fresh);
    if (fresh) {
        uint32_t *words;
        size_t n = pack_string(b->arena, text, &words);
        e->value.u = spv_new(b);
        spv_emit(b, &b->section[SPV_SOURCE], SpvOpString, 0, (spv_id)e->value.u, words, n);
    }
    return (spv_id)e->value.u;
}

spv_id spv_begin_main(struct spv *b, const char *name, unsigned x, unsigned y, unsigned z)
{
    spv_id type = spv_once(b, SpvOpTypeFunction, 0, SPV(spv_void(b)));
    b->main = spv_value(b, SpvOpFunction, spv_void(b), SPV(SpvFunctionControlMaskNone, type));
    b->main_name = arena_strdup(b->arena, name);
    spv_place(b, spv_label(b));
    b->body = b->section[SPV_FUNCTION].n;
    spv_put(b, SPV_MODE, SpvOpExecutionMode, SPV(b->main, SpvExecutionModeLocalSize, x, y, z));
    spv_name(b, b->main, name);
    return b->main;
}

void spv_end_main(struct spv *b)
{
    spv_do(b, SpvOpReturn, NULL, 0);
    spv_do(b, SpvOpFunctionEnd, NULL, 0);

    uint32_t *text;
    size_t len = pack_string(b->arena, b->main_name, &text), n = b->globals.n;
    uint32_t *words = arena_array(b->arena, 2 + len + n, sizeof *words);
    words[0] = SpvExecutionModelGLCompute;
    words[1] = b->main;
    memcpy(words + 2, text, len * sizeof *words);
    if (n)
        memcpy(words + 2 + len, b->globals.at, n * sizeof *words);
    spv_put(b, SPV_ENTRY, SpvOpEntryPoint, words, 2 + len + n);
}

static void put_words(struct buf *out, const uint32_t *words, size_t n)
{
    buf_put(out, words, n * sizeof *words);
}

void spv_finish(const struct spv *b, struct buf *out)
{
    const uint32_t head[5] = {SpvMagicNumber, SPV_VERSION_1_5, 0, b->next, 0};
    put_words(out, head, 5);
    for (int s = 0; s < SPV_FUNCTION; s++)
        put_words(out, b->section[s].at, b->section[s].n);
    // Local variables must open the function's first block, wherever they were asked for.
    const uint32_t *code = b->section[SPV_FUNCTION].at;
    put_words(out, code, b->body);
    put_words(out, b->locals.at, b->locals.n);
    put_words(out, code + b->body, b->section[SPV_FUNCTION].n - b->body);
}
