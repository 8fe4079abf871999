// flush.h: puts the processor into the arithmetic mode of the exact profile, and back.
//
// Subnormal operands and results are zero, and tininess is judged after rounding. x86-64 does all
// of this in hardware with FTZ and DAZ; elsewhere (AArch64's FZ judges before rounding), or when
// built with HLX_SOFT_FLUSH, ir/lanes.h does it in software and the mode is left alone.
#ifndef HLX_IR_FLUSH_H
#define HLX_IR_FLUSH_H

#if defined(__x86_64__) && !defined(HLX_SOFT_FLUSH)
#define HLX_HARD_FLUSH 1
#include <xmmintrin.h>
#else
#define HLX_HARD_FLUSH 0
#endif

// Sets the mode (round to nearest, no traps, flush where hardware can) and returns the caller's,
// for flush_end. The mode belongs to the thread. Arithmetic that depends on it must be in functions
// that are called in between, not inlined beside these calls: compilers do not order the two.
static inline unsigned flush_begin(void)
{
#if HLX_HARD_FLUSH
    enum { MASK_ALL = 0x1f80, FTZ = 0x8000, DAZ = 0x0040 };
    unsigned before = _mm_getcsr();
    _mm_setcsr(MASK_ALL | FTZ | DAZ);
    return before;
#else
    return 0;
#endif
}

static inline void flush_end(unsigned before)
{
#if HLX_HARD_FLUSH
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

#endif
