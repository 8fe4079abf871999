// print.h and parse: the text form of a module. print -> parse -> print gives the same bytes.
// The grammar is in spec/ir.md.
#ifndef HLX_IR_PRINT_H
#define HLX_IR_PRINT_H

#include "ir/ir.h"

enum {
    IR_PRINT_CANONICAL = 1, // no dimension names, node names, places, kept gradients: identity
};

void ir_print(const struct ir_module *m, unsigned flags, struct buf *out);
void ir_print_graph(const struct ir_graph *g, unsigned flags, struct buf *out);

#endif
