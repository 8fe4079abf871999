// emit_lane.c: one lane of arithmetic in SPIR-V: what ir/lanes.h says in C.
//
// Only operations that every device computes alike are used: no FMin, FMax, FAbs, Floor, Ceil or
// integer division by what may be zero (facts about devices: spec/numerics.md).
#include "codegen/emit_lane.h"

#include <spirv/unified1/GLSL.std.450.h>

#include "ir/lanes.h"

spv_id lane_type(struct emit *e, enum lane lane)
{
    struct spv *b = &e->b;
    return lane == LANE_F32 ? spv_f32(b) : lane == LANE_I32 ? spv_i32(b) : spv_u32(b);
}

// Zeros are hidden from the driver (emit_zero).
static spv_id float_constant(struct emit *e, uint32_t bits)
{
    struct spv *b = &e->b;
    if (bits & 0x7fffffffu)
        return spv_cf32(b, bits);
    spv_id u = emit_zero(e);
    if (bits)
        u = spv_value(b, SpvOpBitwiseOr, spv_u32(b), SPV(u, spv_c32(b, bits)));
    return spv_value(b, SpvOpBitcast, spv_f32(b), SPV(u));
}

spv_id emit_as(struct emit *e, struct emit_value v, enum lane lane)
{
    // bool lanes are u32 words, so the two need no cast.
    enum lane have = v.lane == LANE_BOOL ? LANE_U32 : v.lane;
    enum lane want = lane == LANE_BOOL ? LANE_U32 : lane;
    if (v.constant && want == LANE_F32)
        return float_constant(e, v.bits);
    if (v.constant)
        return want == LANE_I32 ? spv_ci32(&e->b, (int32_t)v.bits) : spv_c32(&e->b, v.bits);
    if (have == want)
        return v.id;
    return spv_value(&e->b, SpvOpBitcast, lane_type(e, want), SPV(v.id));
}

// -- small vocabulary --------------------------------------------------------------------------

static spv_id op2(struct emit *e, SpvOp op, spv_id type, spv_id x, spv_id y)
{
    return spv_value(&e->b, op, type, SPV(x, y));
}

static spv_id test(struct emit *e, SpvOp op, spv_id x, spv_id y)
{
    return op2(e, op, spv_bool(&e->b), x, y);
}

static spv_id choose(struct emit *e, spv_id type, spv_id condition, spv_id x, spv_id y)
{
    return spv_value(&e->b, SpvOpSelect, type, SPV(condition, x, y));
}

static spv_id as_f32(struct emit *e, spv_id u)
{
    return spv_value(&e->b, SpvOpBitcast, spv_f32(&e->b), SPV(u));
}

static spv_id as_u32(struct emit *e, spv_id f)
{
    return spv_value(&e->b, SpvOpBitcast, spv_u32(&e->b), SPV(f));
}

static spv_id mask(struct emit *e, spv_id u, uint32_t bits)
{
    return op2(e, SpvOpBitwiseAnd, spv_u32(&e->b), u, spv_c32(&e->b, bits));
}

static spv_id cf32(struct emit *e, float x)
{
    return spv_cf32(&e->b, f32_bits(x));
}

spv_id emit_fadd(struct emit *e, spv_id x, spv_id y)
{
    return spv_arith(&e->b, SpvOpFAdd, spv_f32(&e->b), x, y);
}

spv_id emit_fmul(struct emit *e, spv_id x, spv_id y)
{
    return spv_arith(&e->b, SpvOpFMul, spv_f32(&e->b), x, y);
}

spv_id emit_fma(struct emit *e, spv_id x, spv_id y, spv_id z)
{
    if (e->s->exact)
        return emit_fadd(e, z, emit_fmul(e, x, y));
    return spv_glsl(&e->b, GLSLstd450Fma, spv_f32(&e->b), SPV(x, y, z));
}

// -- floats ------------------------------------------------------------------------------------

spv_id lane_abs(struct emit *e, const struct lane_operands *o)
{
    return as_f32(e, mask(e, as_u32(e, o->x), 0x7fffffffu));
}

// |magnitude| with the sign of `sign`.
static spv_id copy_sign(struct emit *e, spv_id magnitude, spv_id sign)
{
    spv_id size = mask(e, as_u32(e, magnitude), 0x7fffffffu);
    spv_id bit = mask(e, as_u32(e, sign), 0x80000000u);
    return as_f32(e, op2(e, SpvOpBitwiseOr, spv_u32(&e->b), size, bit));
}

// x where |x| >= 2^23 or x is NaN (no fraction bits), else `whole` with x's sign.
static spv_id unless_whole(struct emit *e, spv_id x, spv_id small, spv_id whole)
{
    return choose(e, spv_f32(&e->b), small, copy_sign(e, whole, x), x);
}

static spv_id is_small(struct emit *e, const struct lane_operands *o)
{
    spv_id size = lane_abs(e, o);
    return test(e, SpvOpFOrdLessThan, size, cf32(e, 0x1p23f));
}

spv_id lane_trunc(struct emit *e, const struct lane_operands *o)
{
    struct spv *b = &e->b;
    spv_id small = is_small(e, o), f32 = spv_f32(b);
    spv_id safe = choose(e, f32, small, o->x, cf32(e, 0.0f));
    spv_id whole = spv_value(b, SpvOpConvertFToS, spv_i32(b), SPV(safe));
    return unless_whole(e, o->x, small, spv_value(b, SpvOpConvertSToF, f32, SPV(whole)));
}

// One further from zero than trunc where `beyond` says trunc went the wrong way.
static spv_id step_from_trunc(struct emit *e, const struct lane_operands *o, bool down)
{
    spv_id t = lane_trunc(e, o), f32 = spv_f32(&e->b);
    spv_id wrong = test(e, down ? SpvOpFOrdGreaterThan : SpvOpFOrdLessThan, t, o->x);
    spv_id next = emit_fadd(e, t, cf32(e, down ? -1.0f : 1.0f));
    return choose(e, f32, wrong, copy_sign(e, next, o->x), t);
}

spv_id lane_floor(struct emit *e, const struct lane_operands *o)
{
    return step_from_trunc(e, o, true);
}

spv_id lane_ceil(struct emit *e, const struct lane_operands *o)
{
    return step_from_trunc(e, o, false);
}

// Adding 2^23 leaves no fraction bits, and rounds to even on the way.
spv_id lane_round(struct emit *e, const struct lane_operands *o)
{
    spv_id size = lane_abs(e, o), up = emit_fadd(e, size, cf32(e, 0x1p23f));
    spv_id whole = emit_fadd(e, up, cf32(e, -0x1p23f));
    return unless_whole(e, o->x, is_small(e, o), whole);
}

static spv_id is_nan(struct emit *e, spv_id u)
{
    spv_id size = mask(e, u, 0x7fffffffu);
    return test(e, SpvOpUGreaterThan, size, spv_c32(&e->b, 0x7f800000u));
}

// An i32 that orders as the floats do, -0 below +0.
static spv_id order(struct emit *e, spv_id u)
{
    struct spv *b = &e->b;
    spv_id i32 = spv_i32(b), s = spv_value(b, SpvOpBitcast, i32, SPV(u));
    spv_id sign = op2(e, SpvOpShiftRightArithmetic, i32, s, spv_c32(b, 31));
    spv_id flip = op2(e, SpvOpBitwiseAnd, i32, sign, spv_ci32(b, 0x7fffffff));
    return op2(e, SpvOpBitwiseXor, i32, s, flip);
}

// By the bits: drivers may take NaN for absent and make a minimum of their own of two floats
// compared and chosen (the H100's does).
static spv_id extreme(struct emit *e, const struct lane_operands *o, SpvOp wins)
{
    spv_id u32 = spv_u32(&e->b), x = as_u32(e, o->x), y = as_u32(e, o->y);
    spv_id order_x = order(e, x), order_y = order(e, y);
    spv_id number = choose(e, u32, test(e, wins, order_x, order_y), x, y);
    spv_id other = choose(e, u32, is_nan(e, y), y, number);
    return as_f32(e, choose(e, u32, is_nan(e, x), x, other));
}

spv_id lane_min(struct emit *e, const struct lane_operands *o)
{
    return extreme(e, o, SpvOpSLessThan);
}

spv_id lane_max(struct emit *e, const struct lane_operands *o)
{
    return extreme(e, o, SpvOpSGreaterThan);
}

// -- integers ----------------------------------------------------------------------------------

spv_id lane_iabs(struct emit *e, const struct lane_operands *o)
{
    spv_id negative = test(e, SpvOpSLessThan, o->x, spv_ci32(&e->b, 0));
    spv_id minus = spv_value(&e->b, SpvOpSNegate, o->type, SPV(o->x));
    return choose(e, o->type, negative, minus, o->x);
}

spv_id lane_flip(struct emit *e, const struct lane_operands *o)
{
    return op2(e, SpvOpBitwiseXor, o->type, o->x, spv_c32(&e->b, 1));
}

static spv_id zero(struct emit *e, const struct lane_operands *o)
{
    return o->lane == LANE_I32 ? spv_ci32(&e->b, 0) : spv_c32(&e->b, 0);
}

static spv_id one(struct emit *e, const struct lane_operands *o)
{
    return o->lane == LANE_I32 ? spv_ci32(&e->b, 1) : spv_c32(&e->b, 1);
}

// Division by 1 where the divisor will not do; the result is replaced then.
static spv_id divide(struct emit *e, const struct lane_operands *o, SpvOp op, spv_id bad,
                     spv_id instead)
{
    spv_id safe = choose(e, o->type, bad, one(e, o), o->y);
    return choose(e, o->type, bad, instead, op2(e, op, o->type, o->x, safe));
}

static spv_id by_zero(struct emit *e, const struct lane_operands *o)
{
    return test(e, SpvOpIEqual, o->y, zero(e, o));
}

// 0 and -1 are the divisors for which the hardware's quotient is undefined or may overflow.
static spv_id zero_or_minus_one(struct emit *e, const struct lane_operands *o)
{
    spv_id minus_one = test(e, SpvOpIEqual, o->y, spv_ci32(&e->b, -1));
    return op2(e, SpvOpLogicalOr, spv_bool(&e->b), by_zero(e, o), minus_one);
}

spv_id lane_idiv(struct emit *e, const struct lane_operands *o)
{
    spv_id minus = spv_value(&e->b, SpvOpSNegate, o->type, SPV(o->x));
    spv_id none = zero(e, o), instead = choose(e, o->type, by_zero(e, o), none, minus);
    return divide(e, o, SpvOpSDiv, zero_or_minus_one(e, o), instead);
}

// x - x / y * y: Vulkan leaves OpSRem of negative numbers undefined.
spv_id lane_irem(struct emit *e, const struct lane_operands *o)
{
    spv_id bad = zero_or_minus_one(e, o), safe = choose(e, o->type, bad, one(e, o), o->y);
    spv_id whole = op2(e, SpvOpIMul, o->type, op2(e, SpvOpSDiv, o->type, o->x, safe), safe);
    spv_id rest = op2(e, SpvOpISub, o->type, o->x, whole);
    return choose(e, o->type, bad, zero(e, o), rest);
}

spv_id lane_udiv(struct emit *e, const struct lane_operands *o)
{
    spv_id none = zero(e, o);
    return divide(e, o, SpvOpUDiv, by_zero(e, o), none);
}

spv_id lane_urem(struct emit *e, const struct lane_operands *o)
{
    spv_id none = zero(e, o);
    return divide(e, o, SpvOpUMod, by_zero(e, o), none);
}

static spv_id pick(struct emit *e, const struct lane_operands *o, SpvOp wins)
{
    return choose(e, o->type, test(e, wins, o->x, o->y), o->x, o->y);
}

spv_id lane_imin(struct emit *e, const struct lane_operands *o)
{
    return pick(e, o, SpvOpSLessThan);
}

spv_id lane_imax(struct emit *e, const struct lane_operands *o)
{
    return pick(e, o, SpvOpSGreaterThan);
}

spv_id lane_umin(struct emit *e, const struct lane_operands *o)
{
    return pick(e, o, SpvOpULessThan);
}

spv_id lane_umax(struct emit *e, const struct lane_operands *o)
{
    return pick(e, o, SpvOpUGreaterThan);
}

static spv_id shift(struct emit *e, const struct lane_operands *o, SpvOp op)
{
    spv_id by = emit_as(e, (struct emit_value){.id = o->y, .lane = o->lane}, LANE_U32);
    return op2(e, op, o->type, o->x, mask(e, by, 31));
}

spv_id lane_shl(struct emit *e, const struct lane_operands *o)
{
    return shift(e, o, SpvOpShiftLeftLogical);
}

spv_id lane_ishr(struct emit *e, const struct lane_operands *o)
{
    return shift(e, o, SpvOpShiftRightArithmetic);
}

spv_id lane_ushr(struct emit *e, const struct lane_operands *o)
{
    return shift(e, o, SpvOpShiftRightLogical);
}

spv_id lane_mul_hi(struct emit *e, const struct lane_operands *o)
{
    struct spv *b = &e->b;
    spv_id pair = spv_once(b, SpvOpTypeStruct, 0, SPV(o->type, o->type));
    spv_id both = spv_value(b, SpvOpUMulExtended, pair, SPV(o->x, o->y));
    return spv_value(b, SpvOpCompositeExtract, o->type, SPV(both, 1));
}

// Floats are chosen as words, and one of them through a change that is none, which no driver can
// know: of a comparison of two floats and a choice between the same two it may make a minimum of
// its own, for which -0 is less than +0 (the H100's does, even if the choice is between words).
spv_id lane_select(struct emit *e, const struct lane_operands *o)
{
    spv_id condition = test(e, SpvOpINotEqual, o->x, spv_c32(&e->b, 0));
    if (o->lane != LANE_F32)
        return choose(e, o->type, condition, o->y, o->z);
    spv_id zero = emit_zero(e), y = as_u32(e, o->y), z = as_u32(e, o->z);
    y = op2(e, SpvOpBitwiseXor, spv_u32(&e->b), y, zero);
    return as_f32(e, emit_choose(e, condition, y, z));
}
