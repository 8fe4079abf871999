// spv_check.c: validates a kernel's SPIR-V and finds out what it asks of a device.
//
// The module comes from a file, and drivers trust what they are given. SPIRV-Tools checks the rules
// of SPIR-V and Vulkan; what is left is whether the module fits the table that calls it and the
// device as it was opened. One walk over the validated module answers that: types get their size
// where they are declared, which SPIR-V's rules put before every use.
#include "runtime/spv_check.h"

#include <string.h>

#include <spirv/unified1/spirv.h>
#include <vulkan/vulkan_core.h>

#include "runtime/spv_tools.h"

// What is known of an id.
struct fact {
    uint32_t op;     // that declares it
    uint32_t words;  // where
    uint64_t size;   // of a type, in bytes; 0: it has none that matters here
    uint32_t stride; // of an array
    uint32_t value;  // of a constant
    uint32_t set, binding;
    bool in_set, bound, builtin;
};

struct walk {
    struct arena *arena;
    const struct dispatch_kernel *kernel;
    struct spv_needs *needs;
    struct fact *fact; // by id
    uint64_t shared;
    unsigned entries, pushes;
};

typedef const char *fault;
// One instruction: its operand words, and how many.
typedef fault (*visitor)(struct walk *w, const uint32_t *at, size_t n);

// Every id below is one the validator has seen declared, and below the bound; the guard is for the
// day it has a bug.
static struct fact *fact_of(struct walk *w, uint32_t id)
{
    return &w->fact[id < w->kernel->words[3] ? id : 0];
}

// -- what a module may ask for -------------------------------------------------------------------

static const struct {
    SpvCapability capability;
    VkSubgroupFeatureFlags subgroup;
} capabilities[] = {
    {SpvCapabilityShader, 0},
    {SpvCapabilityMatrix, 0},
    {SpvCapabilityGroupNonUniform, VK_SUBGROUP_FEATURE_BASIC_BIT},
    {SpvCapabilityGroupNonUniformVote, VK_SUBGROUP_FEATURE_VOTE_BIT},
    {SpvCapabilityGroupNonUniformArithmetic, VK_SUBGROUP_FEATURE_ARITHMETIC_BIT},
    {SpvCapabilityGroupNonUniformBallot, VK_SUBGROUP_FEATURE_BALLOT_BIT},
    {SpvCapabilityGroupNonUniformShuffle, VK_SUBGROUP_FEATURE_SHUFFLE_BIT},
    {SpvCapabilityGroupNonUniformShuffleRelative, VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT},
};

static fault visit_capability(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (at[0] == (uint32_t)capabilities[i].capability) {
            w->needs->subgroup |= capabilities[i].subgroup;
            return NULL;
        }
    return arena_printf(w->arena, "it needs the SPIR-V capability %lu, which is not used here",
                        (unsigned long)at[0]);
}

// A string operand, copied: at most n words, NUL inside (the validator has seen to it).
static const char *text_at(struct walk *w, const uint32_t *at, size_t n)
{
    char *text = arena_array(w->arena, 4 * n + 1, 1);
    for (size_t i = 0; i < 4 * n; i++)
        text[i] = (char)(at[i / 4] >> 8 * (i % 4));
    return text;
}

static fault visit_extension(struct walk *w, const uint32_t *at, size_t n)
{
    const char *name = text_at(w, at, n);
    if (!strcmp(name, "SPV_KHR_storage_buffer_storage_class"))
        return NULL;
    return arena_printf(w->arena, "it needs the SPIR-V extension %s, which is not used here", name);
}

static fault visit_import(struct walk *w, const uint32_t *at, size_t n)
{
    if (!strcmp(text_at(w, at + 1, n - 1), "GLSL.std.450"))
        return NULL;
    return "it imports other instructions than GLSL.std.450";
}

static fault visit_memory_model(struct walk *w, const uint32_t *at, size_t n)
{
    (void)w, (void)n;
    if (at[0] == SpvAddressingModelLogical && at[1] == SpvMemoryModelGLSL450)
        return NULL;
    return "its memory model is not GLSL450";
}

static fault visit_entry(struct walk *w, const uint32_t *at, size_t n)
{
    if (w->entries++ > 0)
        return "it has two entry points";
    if (at[0] != SpvExecutionModelGLCompute)
        return "it is no compute shader";
    if (strcmp(text_at(w, at + 2, n - 2), w->kernel->name) != 0)
        return "its entry point has another name";
    return NULL;
}

static fault visit_mode(struct walk *w, const uint32_t *at, size_t n)
{
    if (at[1] != SpvExecutionModeLocalSize || n < 5)
        return "it has an execution mode other than LocalSize";
    for (int i = 0; i < 3; i++) {
        w->needs->local[i] = at[2 + i];
        if (at[2 + i] == 0)
            return "its workgroups are empty";
    }
    return NULL;
}

static fault visit_decorate(struct walk *w, const uint32_t *at, size_t n)
{
    struct fact *f = fact_of(w, at[0]);
    uint32_t operand = n > 2 ? at[2] : 0;
    if (at[1] == SpvDecorationDescriptorSet) {
        f->set = operand;
        f->in_set = true;
    } else if (at[1] == SpvDecorationBinding) {
        f->binding = operand;
        f->bound = true;
    } else if (at[1] == SpvDecorationArrayStride) {
        f->stride = operand;
    } else if (at[1] == SpvDecorationBuiltIn) {
        f->builtin = true;
        if (operand == SpvBuiltInWorkgroupSize)
            return "the size of its workgroups is a constant of its own";
    }
    return NULL;
}

// -- types, constants, variables -----------------------------------------------------------------

static void declare(struct walk *w, uint32_t id, const uint32_t *at, uint64_t size)
{
    struct fact *f = fact_of(w, id);
    f->op = at[-1] & 0xffff;
    f->words = (uint32_t)(at - w->kernel->words);
    f->size = size;
}

static fault visit_bool(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    declare(w, at[0], at, 4);
    return NULL;
}

static fault visit_number(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    declare(w, at[0], at, at[1] / 8);
    return NULL;
}

// Sizes are cut at 4 GiB, more than any limit they are compared with.
static uint64_t times(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT32_MAX / b ? UINT32_MAX : a * b;
}

static fault visit_vector(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    declare(w, at[0], at, times(fact_of(w, at[1])->size, at[2]));
    return NULL;
}

static fault visit_array(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    const struct fact *element = fact_of(w, at[1]), *count = fact_of(w, at[2]);
    uint64_t stride = fact_of(w, at[0])->stride;
    if (count->op != SpvOpConstant)
        return "the length of an array is no plain constant";
    declare(w, at[0], at, times(stride > element->size ? stride : element->size, count->value));
    return NULL;
}

static fault visit_struct(struct walk *w, const uint32_t *at, size_t n)
{
    uint64_t size = 0;
    for (size_t i = 1; i < n; i++)
        size += fact_of(w, at[i])->size;
    declare(w, at[0], at, size > UINT32_MAX ? UINT32_MAX : size);
    return NULL;
}

static fault visit_type(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    declare(w, at[0], at, 0);
    return NULL;
}

static fault visit_constant(struct walk *w, const uint32_t *at, size_t n)
{
    declare(w, at[1], at, 0);
    fact_of(w, at[1])->value = n == 3 ? at[2] : UINT32_MAX;
    return NULL;
}

static fault check_buffer(struct walk *w, const struct fact *variable, const struct fact *type)
{
    if (type->op != SpvOpTypeStruct)
        return "a storage buffer is no plain block";
    if (!variable->in_set || !variable->bound || variable->set != 0 ||
        variable->binding >= w->kernel->bindings)
        return "it uses a storage buffer that the table does not give it";
    return NULL;
}

// The block ends where its last member does, by the members' offsets.
static fault check_push(struct walk *w, uint32_t type, const struct fact *block)
{
    const struct dispatch_kernel *k = w->kernel;
    if (w->pushes++ > 0 || block->op != SpvOpTypeStruct)
        return "its push constants are not one block";
    for (size_t i = 5; i < k->nwords; i += k->words[i] >> 16) {
        const uint32_t *at = k->words + i;
        if ((at[0] & 0xffff) != SpvOpMemberDecorate || at[1] != type ||
            at[3] != SpvDecorationOffset)
            continue;
        if (at[2] + 2 >= k->words[block->words - 1] >> 16)
            return "it decorates a member that its push constants have not";
        uint64_t size = fact_of(w, k->words[block->words + 1 + at[2]])->size;
        if (size == 0 || at[4] + size > 4 * (uint64_t)k->push)
            return "it reads more push constants than the table gives it";
    }
    return NULL;
}

static fault visit_variable(struct walk *w, const uint32_t *at, size_t n)
{
    (void)n;
    const struct fact *pointer = fact_of(w, at[0]), *variable = fact_of(w, at[1]);
    uint32_t type = w->kernel->words[pointer->words + 2];
    switch (at[2]) {
    case SpvStorageClassStorageBuffer: return check_buffer(w, variable, fact_of(w, type));
    case SpvStorageClassPushConstant: return check_push(w, type, fact_of(w, type));
    case SpvStorageClassWorkgroup:
        if (fact_of(w, type)->size == 0)
            return "a variable of a workgroup has a type of no size";
        w->shared += fact_of(w, type)->size;
        return NULL;
    case SpvStorageClassInput: return variable->builtin ? NULL : "it has an input of its own";
    case SpvStorageClassPrivate:
    case SpvStorageClassFunction: return NULL;
    default: return "it uses a resource that is no storage buffer";
    }
}

// -- the walk ------------------------------------------------------------------------------------

static const struct {
    SpvOp op;
    visitor visit;
    size_t least; // operand words: the validator has counted, but the walk relies on it
} visitors[] = {
    {SpvOpCapability, visit_capability, 1}, {SpvOpExtension, visit_extension, 1},
    {SpvOpExtInstImport, visit_import, 2},  {SpvOpMemoryModel, visit_memory_model, 2},
    {SpvOpEntryPoint, visit_entry, 3},      {SpvOpExecutionMode, visit_mode, 2},
    {SpvOpExecutionModeId, visit_mode, 2},  {SpvOpDecorate, visit_decorate, 2},
    {SpvOpTypeBool, visit_bool, 1},         {SpvOpTypeInt, visit_number, 2},
    {SpvOpTypeFloat, visit_number, 2},      {SpvOpTypeVector, visit_vector, 3},
    {SpvOpTypeArray, visit_array, 3},       {SpvOpTypeStruct, visit_struct, 1},
    {SpvOpTypeRuntimeArray, visit_type, 2}, {SpvOpTypePointer, visit_type, 3},
    {SpvOpConstant, visit_constant, 3},     {SpvOpVariable, visit_variable, 3},
};

static fault visit(struct walk *w, const uint32_t *at, size_t n)
{
    uint32_t op = at[-1] & 0xffff;
    for (size_t i = 0; i < sizeof visitors / sizeof *visitors; i++)
        if (op == (uint32_t)visitors[i].op)
            return n < visitors[i].least ? "an instruction is cut short"
                                         : visitors[i].visit(w, at, n);
    return NULL;
}

static fault walk_module(struct walk *w)
{
    const struct dispatch_kernel *k = w->kernel;
    if (k->words[3] > k->nwords)
        return "its ids are sparse";
    w->fact = arena_array(w->arena, k->words[3], sizeof *w->fact);
    for (size_t i = 5; i < k->nwords; i += k->words[i] >> 16) {
        fault f = visit(w, k->words + i + 1, (k->words[i] >> 16) - 1);
        if (f)
            return f;
    }
    w->needs->shared = w->shared > UINT32_MAX ? UINT32_MAX : (uint32_t)w->shared;
    if (w->entries == 0 || w->needs->local[0] == 0)
        return "it has no entry point with a workgroup size";
    return NULL;
}

const char *spv_check(struct arena *a, const struct dispatch_kernel *k, struct spv_needs *out)
{
    *out = (struct spv_needs){{0}, 0, 0};
    struct walk w = {.arena = a, .kernel = k, .needs = out};
    fault f = spv_validate(a, k->words, k->nwords);
    return f ? f : walk_module(&w);
}
