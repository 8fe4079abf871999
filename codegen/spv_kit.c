// spv_kit.c: the vocabulary of kernels over the SPIR-V builder: types, constants, variables, loops.
#include "codegen/spv.h"

spv_id spv_void(struct spv *b)
{
    return spv_once(b, SpvOpTypeVoid, 0, NULL, 0);
}

spv_id spv_bool(struct spv *b)
{
    return spv_once(b, SpvOpTypeBool, 0, NULL, 0);
}

spv_id spv_u32(struct spv *b)
{
    return spv_once(b, SpvOpTypeInt, 0, SPV(32, 0));
}

spv_id spv_i32(struct spv *b)
{
    return spv_once(b, SpvOpTypeInt, 0, SPV(32, 1));
}

spv_id spv_f32(struct spv *b)
{
    return spv_once(b, SpvOpTypeFloat, 0, SPV(32));
}

spv_id spv_vector(struct spv *b, spv_id element, unsigned n)
{
    return spv_once(b, SpvOpTypeVector, 0, SPV(element, n));
}

spv_id spv_array(struct spv *b, spv_id element, unsigned n)
{
    return spv_once(b, SpvOpTypeArray, 0, SPV(element, spv_c32(b, n)));
}

spv_id spv_pointer(struct spv *b, SpvStorageClass class, spv_id to)
{
    return spv_once(b, SpvOpTypePointer, 0, SPV((uint32_t) class, to));
}

spv_id spv_c32(struct spv *b, uint32_t x)
{
    return spv_once(b, SpvOpConstant, spv_u32(b), SPV(x));
}

spv_id spv_ci32(struct spv *b, int32_t x)
{
    return spv_once(b, SpvOpConstant, spv_i32(b), SPV((uint32_t)x));
}

spv_id spv_cf32(struct spv *b, uint32_t bits)
{
    return spv_once(b, SpvOpConstant, spv_f32(b), SPV(bits));
}

spv_id spv_cbool(struct spv *b, bool x)
{
    return spv_once(b, x ? SpvOpConstantTrue : SpvOpConstantFalse, spv_bool(b), NULL, 0);
}

// A module-scope variable: never shared, also when two look alike.
static void declare(struct spv *b, spv_id id, SpvStorageClass class, spv_id type)
{
    spv_id pointer = spv_pointer(b, class, type);
    spv_emit(b, &b->section[SPV_GLOBAL], SpvOpVariable, pointer, id, SPV((uint32_t) class));
    vec_push(b->arena, &b->globals, id);
}

static spv_id global(struct spv *b, SpvStorageClass class, spv_id type)
{
    spv_id id = spv_new(b);
    declare(b, id, class, type);
    return id;
}

spv_id spv_variable(struct spv *b, SpvStorageClass class, spv_id type)
{
    return global(b, class, type);
}

// A decorated type is made fresh: two arrays of one element type may have different strides.
static spv_id fresh_type(struct spv *b, SpvOp op, const uint32_t *words, size_t n)
{
    spv_id id = spv_new(b);
    spv_emit(b, &b->section[SPV_GLOBAL], op, 0, id, words, n);
    return id;
}

spv_id spv_buffer(struct spv *b, unsigned binding, spv_id element, unsigned stride,
                  const char *name)
{
    spv_id array = fresh_type(b, SpvOpTypeRuntimeArray, SPV(element));
    spv_decorate(b, array, SpvDecorationArrayStride, SPV(stride));
    spv_id block = fresh_type(b, SpvOpTypeStruct, SPV(array));
    spv_decorate(b, block, SpvDecorationBlock, NULL, 0);
    spv_member_decorate(b, block, 0, SpvDecorationOffset, SPV(0));
    spv_id variable = global(b, SpvStorageClassStorageBuffer, block);
    spv_decorate(b, variable, SpvDecorationDescriptorSet, SPV(0));
    spv_decorate(b, variable, SpvDecorationBinding, SPV(binding));
    if (name)
        spv_name(b, variable, name);
    return variable;
}

void spv_push_block(struct spv *b, spv_id variable, unsigned n)
{
    uint32_t *members = arena_array(b->arena, n, sizeof *members);
    for (unsigned i = 0; i < n; i++)
        members[i] = spv_u32(b);
    spv_id block = fresh_type(b, SpvOpTypeStruct, members, n);
    spv_decorate(b, block, SpvDecorationBlock, NULL, 0);
    for (unsigned i = 0; i < n; i++)
        spv_member_decorate(b, block, i, SpvDecorationOffset, SPV(4 * i));
    declare(b, variable, SpvStorageClassPushConstant, block);
}

spv_id spv_builtin(struct spv *b, SpvBuiltIn which)
{
    spv_id variable = global(b, SpvStorageClassInput, spv_vector(b, spv_u32(b), 3));
    spv_decorate(b, variable, SpvDecorationBuiltIn, SPV((uint32_t)which));
    return variable;
}

spv_id spv_local(struct spv *b, spv_id type)
{
    spv_id id = spv_new(b);
    spv_emit(b, &b->locals, SpvOpVariable, spv_pointer(b, SpvStorageClassFunction, type), id,
             SPV(SpvStorageClassFunction));
    return id;
}

spv_id spv_load(struct spv *b, spv_id type, spv_id pointer)
{
    return spv_value(b, SpvOpLoad, type, SPV(pointer));
}

void spv_store(struct spv *b, spv_id pointer, spv_id value)
{
    spv_do(b, SpvOpStore, SPV(pointer, value));
}

spv_id spv_access(struct spv *b, spv_id pointer_type, spv_id base, const uint32_t *index, size_t n)
{
    uint32_t words[8] = {base};
    for (size_t i = 0; i < n; i++)
        words[i + 1] = index[i];
    return spv_value(b, SpvOpAccessChain, pointer_type, words, n + 1);
}

spv_id spv_label(struct spv *b)
{
    return spv_new(b);
}

void spv_place(struct spv *b, spv_id label)
{
    spv_emit(b, &b->section[SPV_FUNCTION], SpvOpLabel, 0, label, NULL, 0);
}

// The counter is a local variable, not OpPhi: the block that jumps in need not be known, and every
// driver promotes it to a register.
void spv_loop_begin(struct spv *b, struct spv_loop *l, spv_id from, spv_id to, spv_id step)
{
    spv_id u32 = spv_u32(b), test = spv_label(b);
    l->head = spv_label(b);
    l->body = spv_label(b);
    l->next = spv_label(b);
    l->merge = spv_label(b);
    l->counter = spv_local(b, u32);
    l->step = step;
    spv_store(b, l->counter, from);
    spv_do(b, SpvOpBranch, SPV(l->head));
    spv_place(b, l->head);
    spv_do(b, SpvOpLoopMerge, SPV(l->merge, l->next, SpvLoopControlMaskNone));
    spv_do(b, SpvOpBranch, SPV(test));
    spv_place(b, test);
    l->i = spv_load(b, u32, l->counter);
    spv_id more = spv_value(b, SpvOpULessThan, spv_bool(b), SPV(l->i, to));
    spv_do(b, SpvOpBranchConditional, SPV(more, l->body, l->merge));
    spv_place(b, l->body);
}

void spv_loop_end(struct spv *b, struct spv_loop *l)
{
    spv_do(b, SpvOpBranch, SPV(l->next));
    spv_place(b, l->next);
    spv_store(b, l->counter, spv_value(b, SpvOpIAdd, spv_u32(b), SPV(l->i, l->step)));
    spv_do(b, SpvOpBranch, SPV(l->head));
    spv_place(b, l->merge);
}

void spv_if_begin(struct spv *b, struct spv_if *s, spv_id cond)
{
    spv_id then = spv_label(b);
    s->merge = spv_label(b);
    spv_do(b, SpvOpSelectionMerge, SPV(s->merge, SpvSelectionControlMaskNone));
    spv_do(b, SpvOpBranchConditional, SPV(cond, then, s->merge));
    spv_place(b, then);
}

void spv_if_end(struct spv *b, struct spv_if *s)
{
    spv_do(b, SpvOpBranch, SPV(s->merge));
    spv_place(b, s->merge);
}
