// exact_erf.c: the tree of the error function.
#include "ir/exact_kit.h"
#include "ir/exact_trees.h"

// erf x for |x| < 0.95, as bits: x + x P(x^2), to 2^-30. It is computed at 2^32 times its size, so
// that x P never falls below the normal numbers where x does not.
static ir_ref erf_small(struct ir_graph *g, ir_ref x)
{
    static const float p[] = {0x1.06eba8p-3f, -0x1.812740p-2f,  0x1.ce2d64p-4f, -0x1.b80124p-6f,
                              0x1.544b08p-8f, -0x1.a61810p-11f, 0x1.4fa924p-14f};
    ir_ref large = x_mulf(g, x, 0x1p32f);
    ir_ref sum = x_mul_add(g, large, x_poly(g, x_mul(g, x, x), p, 7), large);
    return x_addu(g, x_bits(g, sum), 0u - (32u << 23));
}

// erf x for x in [0.95, 3.97], as bits: 1 - e^g with g = -x Q(x), to 2^-28.4.
static ir_ref erf_large(struct ir_graph *g, ir_ref x)
{
    static const float q[] = {-0x1.20e5a0p+0f, -0x1.458182p-1f, -0x1.aef692p-4f,
                              0x1.768c02p-6f,  -0x1.a431b4p-9f, 0x1.be724cp-13f};
    struct scaled_sum e = tree_exp_parts(g, x_mul(g, x, x_poly(g, x, q, 6)));
    ir_ref bits = x_add(g, x_bits(g, x_add(g, e.hi, e.lo)), e.field);
    return x_bits(g, x_fsub(g, 1.0f, x_float(g, bits)));
}

ir_ref tree_erf(struct ir_graph *g, const ir_ref *args)
{
    ir_ref u = x_bits(g, args[0]);
    ir_ref size = x_andu(g, u, X_ABS);
    // From 3.97 on the result is 1.
    ir_ref x = x_float(g, x_min(g, size, x_u(g, 0x407e147bu)));
    ir_ref value = x_select(g, x_ltu(g, size, 0x3f733333u), erf_small(g, x), erf_large(g, x));
    return x_float(g, x_odd_cases(g, u, x_or(g, value, x_andu(g, u, X_SIGN))));
}
