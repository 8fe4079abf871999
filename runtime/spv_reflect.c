// spv_reflect.c: reads a shader's interface from its SPIR-V, and fixes its specialisation
// constants.
//
// The words come from a file and are not validated when a program is opened, so every id and every
// operand is checked before it is used. What a table of ids does not know has size 0.
#include "runtime/spv_reflect.h"

#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#include "base/vec.h"

enum { NEWEST = 0x00010500, HEADER = 5, MAX_BOUND = 0x3fffff, MAX_NESTING = 16 };

typedef const char *fault;

const char *spv_framing(const uint32_t *w, size_t n)
{
    if (n < HEADER || w[0] != SpvMagicNumber)
        return "it does not begin with SPIR-V's header";
    if (w[1] < 0x00010000 || w[1] > NEWEST || (w[1] & 0xff) != 0)
        return "its SPIR-V version is not one of 1.0 to 1.5";
    if (w[3] == 0 || w[3] > MAX_BOUND || w[4] != 0)
        return "its SPIR-V header has an impossible bound or schema";
    for (size_t i = HEADER; i < n;) {
        size_t count = w[i] >> 16;
        if (count == 0 || count > n - i)
            return "an instruction of its SPIR-V has an impossible length";
        i += count;
    }
    return NULL;
}

// What is known of an id.
struct fact {
    uint32_t at; // of the instruction that declares it; 0: none
    uint32_t set, binding, spec;
    bool in_set, bound, special, no_read, no_write;
};

struct reader {
    struct arena *arena;
    const uint32_t *words;
    size_t n, nfacts;
    struct fact *fact;
    struct fact none; // of ids out of range
    struct spv_reflection *out;
    unsigned entries;
    VEC(struct spv_buffer) buffers;
    VEC(struct spv_push) pushes;
    VEC(struct spv_special) specials;
};

static struct fact *fact_of(struct reader *r, uint32_t id)
{
    r->none = (struct fact){0};
    return id < r->nfacts ? &r->fact[id] : &r->none;
}

static uint32_t op_at(const struct reader *r, size_t at)
{
    return r->words[at] & 0xffff;
}

static uint32_t count_at(const struct reader *r, size_t at)
{
    return r->words[at] >> 16;
}

// Operand i of the instruction that declares an id, if it is `op`; else 0.
static uint32_t operand(struct reader *r, uint32_t id, SpvOp op, uint32_t i)
{
    uint32_t at = fact_of(r, id)->at;
    if (at == 0 || op_at(r, at) != (uint32_t)op || i + 1 >= count_at(r, at))
        return 0;
    return r->words[at + 1 + i];
}

static uint32_t op_of(struct reader *r, uint32_t id)
{
    uint32_t at = fact_of(r, id)->at;
    return at ? op_at(r, at) : 0;
}

// -- types ---------------------------------------------------------------------------------------

// Products and sums are cut at 4 GiB, more than any limit.
static uint64_t times(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT32_MAX / b ? UINT32_MAX : a * b;
}

static uint64_t size_of(struct reader *r, uint32_t type, unsigned depth)
{
    if (depth > MAX_NESTING)
        return 0;
    switch (op_of(r, type)) {
    case SpvOpTypeBool: return 4;
    case SpvOpTypeInt: return operand(r, type, SpvOpTypeInt, 1) / 8;
    case SpvOpTypeFloat: return operand(r, type, SpvOpTypeFloat, 1) / 8;
    case SpvOpTypeVector:
        return times(size_of(r, operand(r, type, SpvOpTypeVector, 1), depth + 1),
                     operand(r, type, SpvOpTypeVector, 2));
    case SpvOpTypeArray: {
        uint32_t length = operand(r, type, SpvOpTypeArray, 2);
        return times(size_of(r, operand(r, type, SpvOpTypeArray, 1), depth + 1),
                     operand(r, length, (SpvOp)op_of(r, length), 2));
    }
    case SpvOpTypeStruct: {
        uint64_t sum = 0;
        if (depth == MAX_NESTING) // within another one: not plain, and it may hold itself
            return 0;
        uint32_t at = fact_of(r, type)->at;
        for (uint32_t i = 2; i < count_at(r, at) && sum < UINT32_MAX; i++)
            sum += size_of(r, r->words[at + i], MAX_NESTING); // of plain members
        return sum;
    }
    default: return 0;
    }
}

static bool number_of(struct reader *r, uint32_t type, enum spv_number *out)
{
    if (operand(r, type, SpvOpTypeInt, 1) == 32)
        *out = operand(r, type, SpvOpTypeInt, 2) ? SPV_I32 : SPV_U32;
    else if (operand(r, type, SpvOpTypeFloat, 1) == 32)
        *out = SPV_F32;
    else
        return false;
    return true;
}

// -- instructions --------------------------------------------------------------------------------

// A visitor gets the operands and how many there are, at least as many as its row says.
static fault see_entry(struct reader *r, const uint32_t *at, uint32_t n)
{
    char *text = arena_array(r->arena, 4 * (size_t)n + 1, 1);
    for (size_t i = 0; i < 4 * (size_t)(n - 2); i++)
        text[i] = (char)(at[2 + i / 4] >> 8 * (i % 4));
    r->out->name = text;
    return r->entries++ ? "it has two entry points" : NULL;
}

static fault see_mode(struct reader *r, const uint32_t *at, uint32_t n)
{
    if (at[1] == SpvExecutionModeLocalSize && n >= 5)
        memcpy(r->out->local, at + 2, sizeof r->out->local);
    return NULL;
}

static fault see_decorate(struct reader *r, const uint32_t *at, uint32_t n)
{
    struct fact *f = fact_of(r, at[0]);
    uint32_t value = n > 2 ? at[2] : 0;
    switch (at[1]) {
    case SpvDecorationDescriptorSet: f->set = value, f->in_set = true; break;
    case SpvDecorationBinding: f->binding = value, f->bound = true; break;
    case SpvDecorationSpecId: f->spec = value, f->special = true; break;
    case SpvDecorationNonWritable: f->no_write = true; break;
    case SpvDecorationNonReadable: f->no_read = true; break;
    default: break;
    }
    return NULL;
}

static fault see_special(struct reader *r, const uint32_t *at, uint32_t n)
{
    const struct fact *f = fact_of(r, at[1]);
    uint32_t op = at[-1] & 0xffff;
    struct spv_special c = {f->spec, SPV_BOOL, (size_t)(at - 1 - r->words)};
    if (!f->special)
        return NULL; // it has its default for ever
    if (op == SpvOpSpecConstant && (n != 3 || !number_of(r, at[0], &c.type)))
        return "a specialisation constant is of another type than u32, i32, f32 and bool";
    for (size_t i = 0; i < r->specials.n; i++)
        if (r->specials.at[i].number == c.number)
            return "two specialisation constants have one number";
    vec_push(r->arena, &r->specials, c);
    return NULL;
}

// Whether every member of a block has a decoration.
static bool members_have(struct reader *r, uint32_t type, uint32_t decoration)
{
    uint32_t at = fact_of(r, type)->at, members = at ? count_at(r, at) - 2 : 0, found = 0;
    for (size_t i = HEADER; i < r->n; i += r->words[i] >> 16)
        if (op_at(r, i) == SpvOpMemberDecorate && count_at(r, i) >= 4 && r->words[i + 1] == type &&
            r->words[i + 3] == decoration)
            found++;
    return members > 0 && found >= members;
}

static fault see_buffer(struct reader *r, const struct fact *f, uint32_t type)
{
    if (!f->in_set || !f->bound)
        return "a storage buffer has no set or binding";
    if (r->buffers.n >= SPV_MAX_BUFFERS)
        return "it has more than 24 storage buffers";
    struct spv_buffer b = {.set = f->set,
                           .binding = f->binding,
                           .reads = !f->no_read && !members_have(r, type, SpvDecorationNonReadable),
                           .writes =
                               !f->no_write && !members_have(r, type, SpvDecorationNonWritable)};
    vec_push(r->arena, &r->buffers, b);
    return NULL;
}

static fault see_push(struct reader *r, uint32_t type)
{
    uint32_t at = fact_of(r, type)->at;
    if (r->pushes.n > 0 || op_of(r, type) != SpvOpTypeStruct)
        return "its push constants are not one block";
    for (size_t i = HEADER; i < r->n; i += r->words[i] >> 16) {
        const uint32_t *w = r->words + i;
        struct spv_push p;
        if (op_at(r, i) != SpvOpMemberDecorate || count_at(r, i) < 5 || w[1] != type ||
            w[3] != SpvDecorationOffset)
            continue;
        if (w[2] + 2 >= count_at(r, at) || !number_of(r, r->words[at + 2 + w[2]], &p.type))
            return "a push constant is of another type than u32, i32 and f32";
        p.offset = w[4];
        vec_push(r->arena, &r->pushes, p);
    }
    return NULL;
}

static fault see_variable(struct reader *r, const uint32_t *at, uint32_t n)
{
    (void)n;
    uint32_t type = operand(r, at[0], SpvOpTypePointer, 2);
    if (at[2] == SpvStorageClassStorageBuffer)
        return see_buffer(r, fact_of(r, at[1]), type);
    if (at[2] == SpvStorageClassPushConstant)
        return see_push(r, type);
    if (at[2] == SpvStorageClassWorkgroup)
        r->out->shared += size_of(r, type, 0);
    return NULL;
}

// -- the walk ------------------------------------------------------------------------------------

static const struct {
    SpvOp op;
    uint32_t least; // operands
    uint32_t id;    // which operand is the id it declares, from 1; 0: none
    fault (*see)(struct reader *r, const uint32_t *at, uint32_t n);
} rows[] = {
    {SpvOpEntryPoint, 3, 0, see_entry},
    {SpvOpExecutionMode, 2, 0, see_mode},
    {SpvOpDecorate, 2, 0, see_decorate},
    {SpvOpTypeBool, 1, 1, NULL},
    {SpvOpTypeInt, 3, 1, NULL},
    {SpvOpTypeFloat, 2, 1, NULL},
    {SpvOpTypeVector, 3, 1, NULL},
    {SpvOpTypeArray, 3, 1, NULL},
    {SpvOpTypeRuntimeArray, 2, 1, NULL},
    {SpvOpTypeStruct, 1, 1, NULL},
    {SpvOpTypePointer, 3, 1, NULL},
    {SpvOpConstant, 3, 2, NULL},
    {SpvOpSpecConstant, 3, 2, see_special},
    {SpvOpSpecConstantTrue, 2, 2, see_special},
    {SpvOpSpecConstantFalse, 2, 2, see_special},
    {SpvOpVariable, 3, 2, see_variable},
};

static fault see(struct reader *r, size_t at)
{
    uint32_t n = count_at(r, at) - 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (op_at(r, at) != (uint32_t)rows[i].op)
            continue;
        if (n < rows[i].least)
            return "an instruction of its SPIR-V is cut short";
        if (rows[i].id)
            fact_of(r, r->words[at + rows[i].id])->at = (uint32_t)at;
        return rows[i].see ? rows[i].see(r, r->words + at + 1, n) : NULL;
    }
    return NULL;
}

static int by_binding(const void *a, const void *b)
{
    const struct spv_buffer *x = a, *y = b;
    if (x->set != y->set)
        return x->set < y->set ? -1 : 1;
    return x->binding < y->binding ? -1 : x->binding > y->binding;
}

static int by_offset(const void *a, const void *b)
{
    const struct spv_push *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_number(const void *a, const void *b)
{
    const struct spv_special *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void put_in_order(struct reader *r)
{
    struct spv_reflection *o = r->out;
    o->buffer = r->buffers.at;
    o->nbuffers = r->buffers.n;
    o->push = r->pushes.at;
    o->npush = r->pushes.n;
    o->special = r->specials.at;
    o->nspecial = r->specials.n;
    if (o->nbuffers > 1)
        qsort(o->buffer, o->nbuffers, sizeof *o->buffer, by_binding);
    if (o->npush > 1)
        qsort(o->push, o->npush, sizeof *o->push, by_offset);
    if (o->nspecial > 1)
        qsort(o->special, o->nspecial, sizeof *o->special, by_number);
}

const char *spv_reflect(struct arena *a, const uint32_t *words, size_t n,
                        struct spv_reflection *out)
{
    struct reader r = {.arena = a, .words = words, .n = n, .out = out};
    *out = (struct spv_reflection){.name = ""};
    r.nfacts = words[3] < n ? words[3] : n; // every id that is declared takes a word
    r.fact = arena_array(a, r.nfacts, sizeof *r.fact);
    for (size_t i = HEADER; i < n; i += words[i] >> 16) {
        fault f = see(&r, i);
        if (f)
            return f;
    }
    put_in_order(&r);
    if (!r.entries || out->local[0] == 0 || out->local[1] == 0 || out->local[2] == 0)
        return "it has no entry point with a workgroup size";
    return NULL;
}

// -- specialisation ------------------------------------------------------------------------------

static void set_op(uint32_t *word, SpvOp op)
{
    *word = (*word & 0xffff0000) | (uint32_t)op;
}

void spv_specialise(uint32_t *words, const struct spv_special *c, uint32_t bits)
{
    uint32_t *at = words + c->at;
    if (c->type == SPV_BOOL)
        set_op(at, bits ? SpvOpSpecConstantTrue : SpvOpSpecConstantFalse);
    else
        at[3] = bits;
}

size_t spv_freeze(uint32_t *words, size_t n)
{
    size_t left = HEADER;
    for (size_t i = HEADER, count; i < n; i += count) {
        uint32_t op = words[i] & 0xffff;
        count = words[i] >> 16;
        if (op == SpvOpDecorate && count >= 3 && words[i + 2] == SpvDecorationSpecId)
            continue;
        if (op == SpvOpSpecConstant)
            set_op(&words[i], SpvOpConstant);
        else if (op == SpvOpSpecConstantTrue)
            set_op(&words[i], SpvOpConstantTrue);
        else if (op == SpvOpSpecConstantFalse)
            set_op(&words[i], SpvOpConstantFalse);
        else if (op == SpvOpSpecConstantComposite)
            set_op(&words[i], SpvOpConstantComposite);
        memmove(words + left, words + i, count * sizeof *words);
        left += count;
    }
    return left;
}

const char *spv_number_name(enum spv_number type)
{
    static const char *const names[] = {"u32", "i32", "f32", "bool"};
    return names[type];
}
