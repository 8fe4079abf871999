// parse.h: reads what ir/print.h writes. The text may be hostile: everything is checked, also the
// types (a parsed module passes the verifier).
#ifndef HLX_IR_PARSE_H
#define HLX_IR_PARSE_H

#include "ir/ir.h"

struct ir_parse_error {
    const char *message; // in the arena
    size_t line;         // 1-based
};

// Parses n bytes into m (already initialised, empty). Returns false and fills *error on bad text.
bool ir_parse(struct ir_module *m, const char *text, size_t n, struct ir_parse_error *error);

#endif
