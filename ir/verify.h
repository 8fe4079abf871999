// verify.h: checks a module after every pass: references in order, operand counts, attributes,
// types as inferred, entries' inputs, outputs and updates of the right types, META rows gone where
// `staged` is false.
#ifndef HLX_IR_VERIFY_H
#define HLX_IR_VERIFY_H

#include "ir/ir.h"

// Returns NULL when all is well, else a sentence (in the module's arena) that names entry, node and
// rule.
const char *ir_verify(struct ir_module *m, bool staged);

#endif
