// guard.c: reads SPIR-V modules of the exact profile and lets through only what all devices compute
// alike.
//
//   guard FILE.spv...    prints "ok - FILE" or "not ok - FILE: why", ends with "N passed, N failed"
//
// It knows nothing of the emitters: every instruction, decoration and capability must be on a list
// here. What is new is added when it is known to give the same bits everywhere (spec/numerics.md).
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <spirv/unified1/spirv.h>

struct module {
    uint32_t *words;
    size_t n;
    bool *no_contraction, *undefined; // by id
    uint32_t bound;
    char why[160];
};

// One instruction: its words and how many.
struct instruction {
    uint32_t op;
    const uint32_t *at;
    size_t n;
};

// -- what is allowed -----------------------------------------------------------------------------

static const uint16_t ops[] = {
    SpvOpCapability, SpvOpMemoryModel, SpvOpEntryPoint, SpvOpExecutionMode, SpvOpName,
    SpvOpMemberName, SpvOpString, SpvOpSource, SpvOpLine, SpvOpNoLine, SpvOpDecorate,
    SpvOpMemberDecorate,
    // types, constants, variables
    SpvOpTypeVoid, SpvOpTypeBool, SpvOpTypeInt, SpvOpTypeFloat, SpvOpTypeVector, SpvOpTypeArray,
    SpvOpTypeRuntimeArray, SpvOpTypeStruct, SpvOpTypePointer, SpvOpTypeFunction, SpvOpConstant,
    SpvOpConstantTrue, SpvOpConstantFalse, SpvOpConstantComposite, SpvOpVariable,
    SpvOpUndef, // to say that a variable's value is not needed: nothing computes with it
    // control
    SpvOpFunction, SpvOpFunctionEnd, SpvOpLabel, SpvOpBranch, SpvOpBranchConditional,
    SpvOpSelectionMerge, SpvOpLoopMerge, SpvOpPhi, SpvOpReturn, SpvOpControlBarrier,
    // memory
    SpvOpLoad, SpvOpStore, SpvOpAccessChain, SpvOpCompositeExtract, SpvOpCompositeConstruct,
    SpvOpVectorShuffle,
    // integers and bits: exact everywhere
    SpvOpIAdd, SpvOpISub, SpvOpIMul, SpvOpSDiv, SpvOpUDiv, SpvOpSRem, SpvOpUMod, SpvOpSNegate,
    SpvOpUMulExtended, SpvOpBitwiseAnd, SpvOpBitwiseOr, SpvOpBitwiseXor, SpvOpNot,
    SpvOpShiftLeftLogical, SpvOpShiftRightLogical, SpvOpShiftRightArithmetic, SpvOpBitcast,
    SpvOpIEqual, SpvOpINotEqual, SpvOpULessThan, SpvOpULessThanEqual, SpvOpUGreaterThan,
    SpvOpUGreaterThanEqual, SpvOpSLessThan, SpvOpSLessThanEqual, SpvOpSGreaterThan,
    SpvOpSGreaterThanEqual, SpvOpLogicalAnd, SpvOpLogicalOr, SpvOpLogicalNot, SpvOpSelect,
    // floats: one rounding each, comparisons, conversions in range
    SpvOpFAdd, SpvOpFSub, SpvOpFMul, SpvOpFNegate, SpvOpFOrdEqual, SpvOpFUnordNotEqual,
    SpvOpFOrdLessThan, SpvOpFOrdLessThanEqual, SpvOpFOrdGreaterThan, SpvOpFOrdGreaterThanEqual,
    SpvOpConvertFToS, SpvOpConvertFToU, SpvOpConvertSToF, SpvOpConvertUToF};

static const uint16_t decorations[] = {
    SpvDecorationBlock,   SpvDecorationArrayStride, SpvDecorationOffset,
    SpvDecorationBinding, SpvDecorationBuiltIn,     SpvDecorationDescriptorSet,
    SpvDecorationAliased, SpvDecorationNonWritable, SpvDecorationNoContraction};

#define LISTED(list, x) listed(list, sizeof(list) / sizeof *(list), x)
static bool listed(const uint16_t *list, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == x)
            return true;
    return false;
}

// -- reading -------------------------------------------------------------------------------------

static bool load(struct module *m, const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size >= 20 && size % 4 == 0) {
        rewind(f);
        m->words = calloc(1, (size_t)size + 16); // operands of a damaged last instruction
        m->n = (size_t)size / 4;
        if (m->words && fread(m->words, 4, m->n, f) != m->n)
            m->n = 0;
    }
    if (f)
        fclose(f);
    if (!m->words || m->n < 5 || m->words[0] != SpvMagicNumber || m->words[3] > 1u << 24)
        return false;
    m->bound = m->words[3];
    m->no_contraction = calloc(m->bound + 1, sizeof *m->no_contraction);
    m->undefined = calloc(m->bound + 1, sizeof *m->undefined);
    return m->no_contraction && m->undefined;
}

// The instruction at word *i, and *i behind it; false at the end or where the words are damaged.
static bool next(const struct module *m, size_t *i, struct instruction *out)
{
    if (*i >= m->n)
        return false;
    size_t n = m->words[*i] >> 16;
    if (n == 0 || n > m->n - *i)
        return false;
    *out = (struct instruction){m->words[*i] & 0xffff, m->words + *i, n};
    *i += n;
    return true;
}

// -- checking ------------------------------------------------------------------------------------

#define FAIL(m, ...) (snprintf((m)->why, sizeof(m)->why, __VA_ARGS__), false)

static bool check_decoration(struct module *m, const struct instruction *x)
{
    unsigned at = x->op == SpvOpMemberDecorate ? 3 : 2;
    if (x->n <= at || !LISTED(decorations, x->at[at]))
        return FAIL(m, "decoration %u is not on the list", x->n > at ? x->at[at] : 0);
    if (x->at[at] == SpvDecorationNoContraction && x->at[1] < m->bound)
        m->no_contraction[x->at[1]] = true;
    return true;
}

// Where operands that are values begin and end in an instruction; none in those that have no value,
// and none of a store, but for the pointer.
static void find_values(const struct instruction *x, size_t *from, size_t *to)
{
    bool computes = x->op == SpvOpLoad || x->op == SpvOpAccessChain || x->op == SpvOpPhi ||
                    (x->op >= SpvOpVectorShuffle && x->op <= SpvOpCompositeInsert) ||
                    (x->op >= SpvOpConvertFToU && x->op <= SpvOpBitCount);
    *from = x->op == SpvOpStore ? 1 : 3;
    *to = x->op == SpvOpStore ? 2 : computes ? x->n : 0;
    if (x->op == SpvOpCompositeExtract) // the rest are numbers
        *to = 4;
    if (x->op == SpvOpVectorShuffle)
        *to = 5;
}

static bool check_undefined(struct module *m, const struct instruction *x)
{
    size_t from, to;
    find_values(x, &from, &to);
    for (size_t i = from; i < to && i < x->n; i++)
        if (x->at[i] < m->bound && m->undefined[x->at[i]])
            return FAIL(m, "instruction %u works on an undefined value", x->op);
    if (x->op == SpvOpUndef && x->n > 2 && x->at[2] < m->bound)
        m->undefined[x->at[2]] = true;
    return true;
}

static bool is_arithmetic(uint32_t op)
{
    return op == SpvOpFAdd || op == SpvOpFSub || op == SpvOpFMul;
}

static bool check(struct module *m, const struct instruction *x)
{
    if (!LISTED(ops, x->op))
        return FAIL(m, "instruction %u is not on the list", x->op);
    if (x->op == SpvOpCapability && x->at[1] != SpvCapabilityShader)
        return FAIL(m, "capability %u is not on the list", x->at[1]);
    if (x->op == SpvOpExecutionMode && x->at[2] != SpvExecutionModeLocalSize)
        return FAIL(m, "execution mode %u is not on the list", x->at[2]);
    if ((x->op == SpvOpTypeInt || x->op == SpvOpTypeFloat) && x->at[2] != 32)
        return FAIL(m, "a number has %u bits", x->at[2]);
    if (x->op == SpvOpDecorate || x->op == SpvOpMemberDecorate)
        return check_decoration(m, x);
    if (is_arithmetic(x->op) && (x->at[2] >= m->bound || !m->no_contraction[x->at[2]]))
        return FAIL(m, "instruction %u, result %%%u, has no NoContraction", x->op, x->at[2]);
    return check_undefined(m, x);
}

static bool check_module(struct module *m, const char *path)
{
    struct instruction x;
    size_t i = 5, arithmetic = 0, decorated = 0;
    if (!load(m, path))
        return FAIL(m, "it cannot be read as SPIR-V");
    while (next(m, &i, &x)) {
        if (!check(m, &x))
            return false;
        arithmetic += is_arithmetic(x.op);
    }
    for (uint32_t id = 0; id < m->bound; id++)
        decorated += m->no_contraction[id];
    if (i != m->n)
        return FAIL(m, "it is damaged at word %zu", i);
    if (arithmetic != decorated)
        return FAIL(m, "%zu operations, %zu NoContraction", arithmetic, decorated);
    return true;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        struct module m = {0};
        bool ok = check_module(&m, argv[i]);
        passed += ok;
        failed += !ok;
        if (ok)
            printf("ok - %s\n", argv[i]);
        else
            printf("not ok - %s: %s\n", argv[i], m.why);
        free(m.words);
        free(m.no_contraction);
        free(m.undefined);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
