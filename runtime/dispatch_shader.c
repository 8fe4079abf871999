// dispatch_shader.c: reads the kernels of a dispatch table: shader objects and their SPIR-V words.
//
// Only the framing of the words is checked here, so that whoever walks them stays inside; what they
// mean is checked by runtime/spv_check.c before a driver sees them.
#include <string.h>

#include "runtime/dispatch_kit.h"

enum {
    SPIRV_MAGIC = 0x07230203,
    SPIRV_NEWEST = 0x00010500, // 1.5, of Vulkan 1.2
    SPIRV_HEADER = 5,
    SPIRV_MAX_BOUND = 0x3fffff // the universal limit
};

static uint32_t word_at(const struct value *bytes, size_t i)
{
    const unsigned char *b = (const unsigned char *)bytes->as.bytes.at + 4 * i;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

// Returns what is wrong with a module's framing, or NULL.
static const char *framing_fault(const uint32_t *w, size_t n)
{
    if (n < SPIRV_HEADER || w[0] != SPIRV_MAGIC)
        return "it does not begin with SPIR-V's header";
    if (w[1] < 0x00010000 || w[1] > SPIRV_NEWEST || (w[1] & 0xff) != 0)
        return "its SPIR-V version is not one of 1.0 to 1.5";
    if (w[3] == 0 || w[3] > SPIRV_MAX_BOUND || w[4] != 0)
        return "its SPIR-V header has an impossible bound or schema";
    for (size_t i = SPIRV_HEADER; i < n;) {
        size_t count = w[i] >> 16;
        if (count == 0 || count > n - i)
            return "an instruction of its SPIR-V has an impossible length";
        i += count;
    }
    return NULL;
}

static bool read_words(struct dispatch_reader *r, const struct value *bytes,
                       struct dispatch_kernel *k)
{
    if (bytes->as.bytes.n % 4)
        return dispatch_bad(r, "kernel `%s`: its SPIR-V is no whole number of words", k->name);
    k->nwords = bytes->as.bytes.n / 4;
    uint32_t *words = arena_array(r->arena, k->nwords, sizeof *words);
    for (size_t i = 0; i < k->nwords; i++)
        words[i] = word_at(bytes, i);
    k->words = words;
    const char *fault = framing_fault(words, k->nwords);
    return !fault || dispatch_bad(r, "kernel `%s`: %s", k->name, fault);
}

static bool read_shader(struct dispatch_reader *r, struct dispatch_kernel *k)
{
    const struct value *v = pack_get(r->arena, r->pack, &k->handle, r->error), *fields;
    int64_t number;
    const char *stage;
    if (!v)
        return false;
    if (!value_is_contract(v, &number, &fields) || number != SHADER_CONTRACT)
        return dispatch_bad(r, "a kernel is no shader (contract 900)");
    if (fields->as.object.n != 3 || !value_get_text(fields, "entry_point", &k->name) ||
        !value_get_text(fields, "shader_stage", &stage))
        return dispatch_bad(r, "a shader has other fields than it should");
    if (strcmp(stage, "compute") != 0)
        return dispatch_bad(r, "kernel `%s` is no compute shader", k->name);
    const struct value *bytes = dispatch_field(r, fields, "spirv_binary", VALUE_BYTES);
    return bytes && read_words(r, bytes, k);
}

static bool read_kernel(struct dispatch_reader *r, const struct value *row,
                        struct dispatch_kernel *k)
{
    uint64_t bindings = 0, push = 0;
    struct dispatch_cursor c = {row, 1};
    if (row->kind != VALUE_ARRAY || row->as.array.n != 3 ||
        row->as.array.at[0]->kind != VALUE_HANDLE)
        return dispatch_bad(r, "a kernel is not a handle and two numbers");
    const struct value *h = row->as.array.at[0];
    if (!handle_parse(h->as.bytes.at, h->as.bytes.n, &k->handle))
        return dispatch_bad(r, "a kernel's handle is no full one");
    if (!dispatch_take(r, &c, "number of bindings", DISPATCH_MAX_BINDINGS, &bindings) ||
        !dispatch_take(r, &c, "number of push constants", DISPATCH_MAX_PUSH, &push))
        return false;
    k->bindings = (uint32_t)bindings;
    k->push = (uint32_t)push;
    return read_shader(r, k);
}

bool dispatch_read_kernels(struct dispatch_reader *r, const struct value *list)
{
    struct dispatch_kernel *k = arena_array(r->arena, list->as.array.n, sizeof *k);
    for (size_t i = 0; i < list->as.array.n; i++) {
        if (!read_kernel(r, list->as.array.at[i], &k[i]))
            return false;
        if (i > 0 && memcmp(k[i - 1].handle.sha, k[i].handle.sha, HANDLE_BYTES) >= 0)
            return dispatch_bad(r, "its kernels are not in the order of their handles");
    }
    r->program->kernel = k;
    r->program->nkernels = list->as.array.n;
    return true;
}
