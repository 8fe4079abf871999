// doctor_pairs.c: pairs of operands that are hard for division and power, made from their number.
#include "runtime/doctor_pairs.h"

#include <math.h>

#include "ir/exact_kit.h"
#include "ir/lanes.h"

uint32_t doctor_mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static float unit(uint32_t h)
{
    return (float)(h >> 8) * 0x1p-24f;
}

static uint32_t edge(uint32_t h)
{
    static const uint32_t edges[] = {
        0,          1,          0x007fffff, 0x00800000, 0x00800001, 0x3e800000, 0x3effffff,
        0x3f000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000, 0x40400000,
        0x40490fdb, 0x41200000, 0x42fe0000, 0x43000000, 0x4b000000, 0x4b000001, 0x4b7fffff,
        0x4b800000, 0x4f000000, 0x4f800000, 0x7f000000, 0x7f7fffff, 0x7f800000, 0x7f800001,
        0x7fc00000, 0x7fffffff, 0x40a00000, 0x4b800001};
    return edges[h & 31u] | (h >> 5 & 1u) << 31;
}

// A normal number with exponent within +-range of 1's.
static uint32_t around_one(uint32_t h, uint32_t g, uint32_t range)
{
    return (h & X_FRACTION) | (127 - range + g % (2 * range + 1)) << 23 | (g & X_SIGN);
}

static void div_pair(unsigned kind, uint32_t h, uint32_t g, uint32_t *a, uint32_t *b)
{
    switch (kind) {
    case 1: // the quotient at the edge of the range
        *a = around_one(h, g, 126);
        *b = (doctor_mix(h ^ g) & X_FRACTION) |
             ((*a >> 23 & 255u) + (g & 256u ? 126 : 1) - (g >> 10 & 3)) % 255u << 23;
        break;
    case 2: // few bits in the divisor
        *a = around_one(h, g, 20), *b = around_one(h >> 3 & 0x7ff000u, doctor_mix(g), 20);
        break;
    case 3: // few bits in the dividend
        *a = around_one(h & 0x7ff000u, g, 20), *b = around_one(g, doctor_mix(g), 20);
        break;
    case 4: // special values
        *a = edge(h), *b = g & 1 ? edge(g >> 1) : doctor_mix(g);
        break;
    default: { // the quotient next to the middle between two neighbours
        uint32_t q = (h & X_FRACTION) | X_HIDDEN, d = (g & X_FRACTION) | X_HIDDEN;
        uint64_t n = ((uint64_t)(2 * q + 1) * d) >> 1;
        unsigned shift = n >> 47 ? 24 : 23;
        *a = X_ONE + (((uint32_t)(n >> shift) + (kind & 1)) & X_FRACTION);
        *b = X_ONE + (d & X_FRACTION);
    }
    }
}

static void pow_pair(unsigned kind, uint32_t h, uint32_t g, uint32_t *a, uint32_t *b)
{
    float x, t = (unit(g) - 0.5f) * 300.0f;
    switch (kind) {
    case 1: // next to 1, large exponents
        *a = X_ONE + (h & 0xffffu) - 0x8000u;
        *b = f32_bits((float)((double)t / log2((double)f32_of_bits(*a))));
        break;
    case 2: // around 1
        x = 0.5f + 1.5f * unit(h);
        *a = f32_bits(x), *b = f32_bits((float)((double)t / log2((double)x)));
        break;
    case 3: // small integers and their halves as exponents
        *a = around_one(h, doctor_mix(g), 40);
        *b = f32_bits((float)((int)(g % 129) - 64) * 0.5f);
        break;
    case 4: // special values
        *a = edge(h), *b = g & 1 ? edge(g >> 1) : doctor_mix(g);
        break;
    case 5: // decay rates of optimisers to the power of the step
        *a = f32_bits(1.0f - f32_of_bits(around_one(h, 0, 3)) * 0.01f);
        *b = f32_bits((float)(g & 0xfffffu));
        break;
    default: // anything, with a result in range
        *a = h & X_ABS;
        *b = f32_bits((float)((double)t / log2((double)f32_of_bits(*a))));
    }
}

void doctor_pair(bool power, uint64_t i, uint32_t *a, uint32_t *b)
{
    unsigned kind = (unsigned)(i >> DOCTOR_PAIR_SHIFT) & 7u;
    *a = doctor_mix((uint32_t)(2 * i));
    *b = doctor_mix((uint32_t)(2 * i + 1));
    if (kind)
        (power ? pow_pair : div_pair)(kind, *a, *b, a, b);
}
