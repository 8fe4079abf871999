// exact_cast.c: trees of the conversions between element types.
//
// A conversion widens its operand to f32, i32 or u32 without loss, converts between these three,
// and narrows the result. Every pair rounds at most once. Rounding to f16 and bf16 is done on the
// bits, so that no device's idea of half precision takes part.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

#define F16_INF 0x7c00u
#define F16_NAN 0x7e00u
#define BF16_NAN 0x7fc0u

// -- widening ------------------------------------------------------------------------------------

static ir_ref widen_f16(struct ir_graph *g, ir_ref h)
{
    ir_ref sign = x_shl(g, x_andu(g, h, 0x8000u), 16), size = x_andu(g, h, 0x7fffu);
    ir_ref normal = x_addu(g, x_shl(g, size, 13), 112u << 23);
    ir_ref subnormal = x_bits(g, x_mulf(g, x_to_float(g, size), 0x1p-24f));
    ir_ref value = x_select(g, x_ltu(g, size, 0x0400u), subnormal, normal);
    value = x_selectu(g, x_equ(g, size, F16_INF), X_INF, value);
    value = x_or(g, value, sign);
    return x_float(g, x_selectu(g, x_gtu(g, size, F16_INF), X_NAN, value));
}

static ir_ref widen_bf16(struct ir_graph *g, ir_ref h)
{
    ir_ref u = x_shl(g, h, 16);
    return x_float(g, x_odd_cases(g, u, u));
}

static ir_ref widen_i8(struct ir_graph *g, ir_ref a)
{
    return x_shr(g, x_signed(g, x_shl(g, a, 24)), 24);
}

// -- narrowing -----------------------------------------------------------------------------------

// The bits of x without `drop` low ones, rounded to nearest even; a carry goes into the exponent.
static ir_ref round_off(struct ir_graph *g, ir_ref u, unsigned drop)
{
    ir_ref odd = x_andu(g, x_shr(g, u, drop), 1);
    return x_shr(g, x_add(g, x_addu(g, u, (1u << (drop - 1)) - 1), odd), drop);
}

static ir_ref narrow_f16(struct ir_graph *g, ir_ref x)
{
    ir_ref u = x_bits(g, x), size = x_andu(g, u, X_ABS);
    ir_ref sign = x_andu(g, x_shr(g, u, 16), 0x8000u);
    // From 65520 up all rounds to infinity, and so does 65536.
    ir_ref capped = x_min(g, size, x_u(g, 0x47800000u));
    ir_ref normal = round_off(g, x_addu(g, capped, 0u - (112u << 23)), 13);
    // The last place of 1/2 + x is that of a subnormal half: 2^-24.
    ir_ref subnormal = x_addu(g, x_bits(g, x_addf(g, x_float(g, capped), 0.5f)), 0u - 0x3f000000u);
    ir_ref value = x_select(g, x_ltu(g, size, 0x38800000u), subnormal, normal);
    return x_selectu(g, x_gtu(g, size, X_INF), F16_NAN, x_or(g, value, sign));
}

static ir_ref narrow_bf16(struct ir_graph *g, ir_ref x)
{
    ir_ref u = x_bits(g, x), size = x_andu(g, u, X_ABS);
    ir_ref flushed = x_select(g, x_ltu(g, size, X_HIDDEN), x_andu(g, u, X_SIGN), u);
    return x_selectu(g, x_gtu(g, size, X_INF), BF16_NAN, round_off(g, flushed, 16));
}

// -- between f32, i32 and u32 --------------------------------------------------------------------

static ir_ref float_to_signed(struct ir_graph *g, ir_ref x)
{
    ir_ref u = x_bits(g, x), size = x_andu(g, u, X_ABS);
    ir_ref fits = x_ltu(g, size, 0x4f000000u); // |x| < 2^31
    ir_ref whole = x_bits(g, x_to_signed(g, x_select(g, fits, x, x_f(g, 0.0f))));
    ir_ref limit = x_addu(g, x_shr(g, u, 31), 0x7fffffffu);
    limit = x_selectu(g, x_gtu(g, size, X_INF), 0, limit);
    return x_signed(g, x_select(g, fits, whole, limit));
}

static ir_ref float_to_unsigned(struct ir_graph *g, ir_ref x)
{
    ir_ref u = x_bits(g, x);
    ir_ref fits = x_ltu(g, u, 0x4f800000u); // 0 <= x < 2^32
    ir_ref whole = x_to_unsigned(g, x_select(g, fits, x, x_f(g, 0.0f)));
    ir_ref limit = x_selectuu(g, x_gtu(g, u, X_INF), 0, 0xffffffffu); // NaN or negative: 0
    return x_select(g, fits, whole, limit);
}

// An integer as an f32 that rounds to bf16 as the integer itself does: from 2^24 up, where an f32
// cannot hold it, the low 8 bits are gathered into one.
static ir_ref integer_to_float_odd(struct ir_graph *g, ir_ref a)
{
    ir_ref u = x_bits(g, a);
    bool is_signed = ir_typeof(g, a)->dtype == DT_I32;
    ir_ref small = is_signed ? x_ltu(g, x_addu(g, u, 1u << 24), 1u << 25) : x_ltu(g, u, 1u << 24);
    ir_ref sticky = x_andu(g, x_addu(g, x_andu(g, u, 0xffu), 0xffu), 0x100u);
    ir_ref odd = x_or(g, x_andu(g, u, 0xffffff00u), sticky);
    ir_ref chosen = x_select(g, small, u, odd);
    return x_to_float(g, is_signed ? x_signed(g, chosen) : chosen);
}

static ir_ref float_to_i8(struct ir_graph *g, ir_ref x)
{
    ir_ref whole = x_min(g, x_max(g, float_to_signed(g, x), x_i(g, -128)), x_i(g, 127));
    return x_andu(g, x_bits(g, whole), 0xffu);
}

static ir_ref float_to_u8(struct ir_graph *g, ir_ref x)
{
    return x_min(g, float_to_unsigned(g, x), x_u(g, 255));
}

static ir_ref float_to_bool(struct ir_graph *g, ir_ref x)
{
    ir_ref zero = x_ltu(g, x_andu(g, x_bits(g, x), X_ABS), X_HIDDEN);
    return x_selectuu(g, zero, 0, 1);
}

static ir_ref integer_to_f16(struct ir_graph *g, ir_ref a)
{
    return narrow_f16(g, x_to_float(g, a)); // the first step is exact where the second is finite
}

static ir_ref integer_to_bf16(struct ir_graph *g, ir_ref a)
{
    return narrow_bf16(g, integer_to_float_odd(g, a));
}

static ir_ref integer_to_small(struct ir_graph *g, ir_ref a)
{
    return x_andu(g, x_bits(g, a), 0xffu);
}

static ir_ref integer_to_bool(struct ir_graph *g, ir_ref a)
{
    return x_selectuu(g, x_equ(g, x_bits(g, a), 0), 0, 1);
}

// -- all pairs -----------------------------------------------------------------------------------

static ir_ref as_it_is(struct ir_graph *g, ir_ref a)
{
    (void)g;
    return a;
}

static const struct {
    ir_ref (*widen)(struct ir_graph *g, ir_ref a);        // to f32, i32 or u32
    ir_ref (*from_float)(struct ir_graph *g, ir_ref x);   // of f32
    ir_ref (*from_integer)(struct ir_graph *g, ir_ref a); // of i32 or u32
} casts[DT_COUNT] = {
    [DT_F32] = {as_it_is, as_it_is, x_to_float},
    [DT_F16] = {widen_f16, narrow_f16, integer_to_f16},
    [DT_BF16] = {widen_bf16, narrow_bf16, integer_to_bf16},
    [DT_I32] = {as_it_is, float_to_signed, x_signed},
    [DT_U32] = {as_it_is, float_to_unsigned, x_bits},
    [DT_I8] = {widen_i8, float_to_i8, integer_to_small},
    [DT_U8] = {as_it_is, float_to_u8, integer_to_small},
    [DT_BOOL] = {as_it_is, float_to_bool, integer_to_bool},
};

ir_ref tree_cast(struct ir_graph *g, ir_ref a, enum dtype from, enum dtype to)
{
    if (from == to)
        return a;
    ir_ref wide = casts[from].widen(g, a);
    bool is_float = ir_typeof(g, wide)->dtype == DT_F32;
    return is_float ? casts[to].from_float(g, wide) : casts[to].from_integer(g, wide);
}
