// oracle.h: what the functions of exact.h should give, from the C library's doubles and from MPFR.
#ifndef HLX_TESTS_ULP_ORACLE_H
#define HLX_TESTS_ULP_ORACLE_H

#include <mpfr.h>
#include <stdbool.h>
#include <stdint.h>

#include "ir/ops.h"
#include "ir/types.h"

// One function under test.
struct oracle {
    const char *name;
    enum ir_op op;
    enum dtype to; // of a cast from f32; else DT_F32
    unsigned nargs;
    double bound;                                  // largest error allowed, in ULP
    double (*value)(double a, double b);           // NULL: compared by `exact` alone
    void (*precise)(mpfr_t r, mpfr_t a, mpfr_t b); // with operands of 53 bits, result of 300
    uint32_t (*exact)(uint32_t a, uint32_t b);     // the only right result, or NULL
};

extern const struct oracle oracles[];
extern const unsigned oracle_count;

// The error of result bits `got` against the double `want`, in units of want's last f32 place.
// Where |want| is below 2^-126 a zero of want's sign has error 0. A wrong special value, or a wrong
// zero, has error infinity.
double oracle_error(uint32_t got, double want);

// The same for n results at once.
void oracle_errors(const uint32_t *got, const double *want, double *error, unsigned n);

// The same against MPFR's value, for finite operands and results.
double oracle_error_precise(const struct oracle *o, uint32_t a, uint32_t b, uint32_t got);

#endif
