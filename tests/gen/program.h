// program.h: makes programs of HLXL from seeds, by the grammar.
#ifndef HLX_TESTS_GEN_PROGRAM_H
#define HLX_TESTS_GEN_PROGRAM_H

#include <stdint.h>

#include "base/text.h"

// Appends a program that parses without errors; the same for a seed each time. Over many seeds
// every production of grammar.y is used (but for recovery and for what only HLX writes), every kind
// of literal, comments and blank lines wherever they can stand, regions that are not formatted, and
// lines of any length. It need not mean anything. With `runic` it is HLX, as untidy as that can be.
void program_generate(uint64_t seed, bool runic, struct buf *out);

#endif
