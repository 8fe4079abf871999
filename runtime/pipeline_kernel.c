// pipeline_kernel.c: reads a kernel of a user's own (contracts 901 and 900) and checks that what
// its contract says is what its SPIR-V says.
#include <stdlib.h>
#include <string.h>

#include "runtime/pipeline.h"
#include "runtime/spv_check.h"
#include "runtime/spv_reflect.h"

typedef const char *fault;

struct reader {
    struct arena *arena;
    const struct pack *pack;
    const struct contract *c901, *c900;
    const struct value *kernel, *shader; // their fields
    struct pipeline_kernel *out;
    struct spv_reflection is;
    uint32_t *words;
    size_t nwords;
};

const char *pipeline_contract(struct arena *a, const struct pack *pack, const struct value *handle,
                              int64_t *number, const struct value **fields)
{
    struct latent_error error = {0};
    contract_faults wrong = {0};
    const struct value *v = pack_resolve(a, pack, handle, &error);
    if (!v)
        return error.message;
    if (!value_is_contract(v, number, fields))
        return "it is no contract";
    const struct contract *schema = contract_find(NULL, *number);
    if (!schema)
        return arena_printf(a, "there is no contract %lld", (long long)*number);
    return contract_check(a, schema, *fields, &wrong) ? NULL : wrong.at[0].message;
}

static const char *text_of(const struct value *v)
{
    return v && !memchr(v->as.bytes.at, '\0', v->as.bytes.n) ? v->as.bytes.at : "";
}

// -- the shader ----------------------------------------------------------------------------------

static fault read_words(struct reader *r)
{
    const struct value *v = contract_get(r->c900, r->shader, "spirv_binary");
    const unsigned char *b = (const unsigned char *)v->as.bytes.at;
    if (v->as.bytes.n % 4)
        return "its SPIR-V is no whole number of words";
    r->nwords = v->as.bytes.n / 4;
    r->words = arena_array(r->arena, r->nwords, sizeof *r->words);
    for (size_t i = 0; i < v->as.bytes.n; i++)
        r->words[i / 4] |= (uint32_t)b[i] << 8 * (i % 4);
    fault f = spv_framing(r->words, r->nwords);
    return f ? f : spv_reflect(r->arena, r->words, r->nwords, &r->is);
}

static fault read_shader(struct reader *r)
{
    int64_t number = 0;
    fault f = pipeline_contract(
        r->arena, r->pack, contract_get(r->c901, r->kernel, "shader_handle"), &number, &r->shader);
    if (f)
        return arena_printf(r->arena, "its shader: %s", f);
    if (number != CONTRACT_SHADER)
        return arena_printf(r->arena, "its shader is contract %lld, not 900", (long long)number);
    const char *stage = text_of(contract_get(r->c900, r->shader, "shader_stage"));
    if (strcmp(stage, "compute") != 0)
        return arena_printf(r->arena, "its shader's stage is `%s`, not `compute`", stage);
    f = read_words(r);
    if (f)
        return f;
    const char *name = text_of(contract_get(r->c900, r->shader, "entry_point"));
    return strcmp(name, r->is.name)
               ? arena_printf(r->arena, "its contract says the entry point `%s`, its SPIR-V `%s`",
                              name, r->is.name)
               : NULL;
}

// -- buffers -------------------------------------------------------------------------------------

static const char *access_name(const struct spv_buffer *b)
{
    return b->reads && b->writes ? "read_write" : b->writes ? "write" : "read";
}

// `descriptor_bindings` is a claim: every binding once, with the access that the SPIR-V has.
static fault check_claim(struct reader *r, const struct value *list)
{
    if (list->as.array.n != r->is.nbuffers)
        return arena_printf(r->arena, "its contract lists %zu bindings, its SPIR-V has %zu",
                            list->as.array.n, r->is.nbuffers);
    for (size_t i = 0; i < list->as.array.n; i++) {
        const struct value *item = list->as.array.at[i];
        int64_t binding = -1;
        const char *access = access_name(&r->is.buffer[i]);
        const struct value *said = value_get(item, "access");
        if (!value_get_int(item, "binding", &binding) || binding != (int64_t)i)
            return arena_printf(r->arena, "item %zu of its descriptor_bindings is not binding %zu",
                                i, i);
        if (said && (said->kind != VALUE_TEXT || strcmp(text_of(said), access) != 0))
            return arena_printf(r->arena,
                                "binding %zu is `%s` in its SPIR-V, which is not what its "
                                "contract says",
                                i, access);
    }
    return NULL;
}

static fault read_buffers(struct reader *r)
{
    const struct value *claim =
        contract_list(r->arena, contract_get(r->c900, r->shader, "descriptor_bindings"));
    const struct value *inputs =
        contract_list(r->arena, contract_get(r->c901, r->kernel, "inputs"));
    size_t given = inputs ? inputs->as.array.n : 0;
    for (size_t i = 0; i < r->is.nbuffers; i++)
        if (r->is.buffer[i].set != 0 || r->is.buffer[i].binding != i)
            return "its storage buffers are not those of set 0 from binding 0 on, each once";
    fault f = claim ? check_claim(r, claim) : NULL;
    if (f)
        return f;
    if (given != r->is.nbuffers)
        return arena_printf(r->arena, "its `inputs` name %zu buffers, its SPIR-V has %zu", given,
                            r->is.nbuffers);
    for (size_t i = 0; i < given; i++) {
        r->out->input[i] = inputs->as.array.at[i];
        r->out->writes[i] = r->is.buffer[i].writes;
    }
    r->out->kernel.bindings = (uint32_t)given;
    return NULL;
}

// -- numbers -------------------------------------------------------------------------------------

// The bits of a number of a type; false when it does not fit.
static bool bits_of(const struct value *v, enum spv_number type, uint32_t *bits)
{
    float f;
    if (type == SPV_BOOL && v->kind == VALUE_BOOL) {
        *bits = v->as.boolean;
    } else if (type == SPV_F32 && (v->kind == VALUE_FLOAT || v->kind == VALUE_INT)) {
        f = v->kind == VALUE_INT ? (float)v->as.integer : (float)v->as.number;
        memcpy(bits, &f, sizeof f);
        return f - f == 0;
    } else if (type == SPV_U32 && v->kind == VALUE_INT) {
        *bits = (uint32_t)v->as.integer;
        return v->as.integer >= 0 && v->as.integer <= UINT32_MAX;
    } else if (type == SPV_I32 && v->kind == VALUE_INT) {
        *bits = (uint32_t)v->as.integer;
        return v->as.integer >= INT32_MIN && v->as.integer <= INT32_MAX;
    } else {
        return false;
    }
    return true;
}

// Reads the next `name: type` of a layout: the type; false when there is something else.
static bool layout_next(const char **at, enum spv_number *type)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *p = *at;
    size_t n = strspn(p, letters);
    p += n;
    if (n == 0 || *p++ != ':')
        return false;
    p += strspn(p, " ");
    for (int t = SPV_U32; t <= SPV_F32; t++)
        if (!strncmp(p, spv_number_name((enum spv_number)t), 3)) {
            p += 3;
            p += *p == ',';
            *at = p + strspn(p, " ");
            *type = (enum spv_number)t;
            return true;
        }
    return false;
}

static fault check_layout(struct reader *r)
{
    const char *at = text_of(contract_get(r->c901, r->kernel, "push_constants_layout"));
    enum spv_number type;
    for (size_t i = 0; i < r->is.npush; i++) {
        const struct spv_push *is = &r->is.push[i];
        if (is->offset != 4 * i)
            return "its push constants are not words one after the other";
        if (*at == '\0')
            return arena_printf(r->arena, "its push_constants_layout lacks word %zu, %s", i,
                                spv_number_name(is->type));
        if (!layout_next(&at, &type))
            return "its push_constants_layout is not `name: u32, name: f32 ...`";
        if (type != is->type)
            return arena_printf(r->arena,
                                "word %zu of its push constants is %s in its SPIR-V, and %s in its "
                                "layout",
                                i, spv_number_name(is->type), spv_number_name(type));
    }
    return *at ? "its push_constants_layout has more words than its SPIR-V" : NULL;
}

static fault read_push(struct reader *r)
{
    const struct value *list = contract_get(r->c901, r->kernel, "push_constants");
    size_t given = list && list->kind == VALUE_ARRAY ? list->as.array.n : 0;
    if (r->is.npush > DISPATCH_MAX_PUSH)
        return "it has more than 32 words of push constants";
    fault f = check_layout(r);
    if (f)
        return f;
    if (given != r->is.npush)
        return arena_printf(r->arena, "its `push_constants` are %zu numbers, its SPIR-V wants %zu",
                            given, r->is.npush);
    for (size_t i = 0; i < given; i++)
        if (!bits_of(list->as.array.at[i], r->is.push[i].type, &r->out->push[i]))
            return arena_printf(r->arena, "number %zu of its `push_constants` is no %s", i,
                                spv_number_name(r->is.push[i].type));
    r->out->kernel.push = (uint32_t)given;
    return NULL;
}

static const struct spv_special *special_of(const struct reader *r, const char *number)
{
    for (size_t i = 0; i < r->is.nspecial; i++)
        if (!strcmp(arena_printf(r->arena, "%lu", (unsigned long)r->is.special[i].number), number))
            return &r->is.special[i];
    return NULL;
}

// Fixes the specialisation constants: those that are given, and the others at their defaults.
static fault specialise(struct reader *r)
{
    const struct value *given = contract_get(r->c901, r->kernel, "specialisation");
    for (size_t i = 0; given && i < given->as.object.n; i++) {
        const struct value_field *f = &given->as.object.at[i];
        const struct spv_special *c = special_of(r, f->key);
        uint32_t bits = 0;
        if (!c)
            return arena_printf(r->arena, "its SPIR-V has no specialisation constant `%s`", f->key);
        if (!bits_of(f->value, c->type, &bits))
            return arena_printf(r->arena, "its specialisation constant %s is a %s", f->key,
                                spv_number_name(c->type));
        spv_specialise(r->words, c, bits);
    }
    r->nwords = spv_freeze(r->words, r->nwords);
    return NULL;
}

// Three numbers of a field, each from 1 to `most`.
static bool triple(const struct value *v, int64_t most, uint32_t out[3])
{
    for (size_t i = 0; i < 3; i++) {
        int64_t n = v->as.array.at[i]->as.integer;
        if (n < 1 || n > most)
            return false;
        out[i] = (uint32_t)n;
    }
    return true;
}

static fault read_sizes(struct reader *r)
{
    uint32_t said[3];
    const uint32_t *is = r->is.local;
    const struct value *shared = contract_get(r->c901, r->kernel, "shared_memory_bytes");
    const struct value *groups = contract_get(r->c901, r->kernel, "workgroups");
    if (!triple(contract_get(r->c901, r->kernel, "workgroup_size"), UINT32_MAX, said) ||
        memcmp(said, is, sizeof said) != 0)
        return arena_printf(r->arena,
                            "its workgroup_size is not that of its SPIR-V, [%lu, %lu, %lu]",
                            (unsigned long)is[0], (unsigned long)is[1], (unsigned long)is[2]);
    if (shared && (uint64_t)shared->as.integer != r->is.shared)
        return arena_printf(r->arena, "its shared_memory_bytes are %lld, in its SPIR-V %llu",
                            (long long)shared->as.integer, (unsigned long long)r->is.shared);
    if (!groups || !triple(groups, DISPATCH_MAX_GROUPS, r->out->groups))
        return "its `workgroups`, three numbers from 1 to 65535, are missing";
    memcpy(r->out->local, is, sizeof said);
    r->out->shared = r->is.shared;
    return NULL;
}

// The validator sees what the driver will: the module with its constants fixed.
static fault finish(struct reader *r)
{
    struct spv_needs needs;
    struct dispatch_kernel *k = &r->out->kernel;
    k->name = r->is.name;
    k->words = r->words;
    k->nwords = r->nwords;
    k->handle = dispatch_kernel_handle(r->arena, k);
    return spv_check(r->arena, k, &needs);
}

const char *pipeline_read_kernel(struct arena *a, const struct pack *pack,
                                 const struct value *fields, struct pipeline_kernel *out)
{
    static fault (*const parts[])(struct reader *) = {read_shader, read_sizes, read_buffers,
                                                      read_push,   specialise, finish};
    struct reader r = {.arena = a,
                       .pack = pack,
                       .c901 = contract_find(NULL, CONTRACT_KERNEL),
                       .c900 = contract_find(NULL, CONTRACT_SHADER),
                       .kernel = fields,
                       .out = out};
    *out = (struct pipeline_kernel){0};
    out->name = text_of(contract_get(r.c901, fields, "kernel_name"));
    if (!program_name_ok(out->name))
        return "a kernel has no name that can be shown";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fault f = parts[i](&r);
        if (f)
            return arena_printf(a, "kernel `%s`: %s", out->name, f);
    }
    return NULL;
}
