// round.h: what must hold for every source that parses: formatting and changing the spelling keep
// its meaning and its comments, and come back to the same bytes.
#ifndef HLX_TESTS_GEN_ROUND_H
#define HLX_TESTS_GEN_ROUND_H

#include <stdbool.h>
#include <stddef.h>

// Whether a source parses; where it does not, its errors are rendered.
enum round_result { ROUND_HOLDS, ROUND_NO_PROGRAM, ROUND_FAILS };

// Checks a source of n bytes in HLX or HLXL. On ROUND_FAILS *why says what does not hold.
enum round_result round_check(const char *text, size_t n, bool runic, const char **why);

#endif
