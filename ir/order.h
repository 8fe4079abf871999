// order.h: numbers the nodes of a graph by what the graph is, not by how it came to be.
//
// The rule (spec/ir.md, I7.3): from each root in turn a walk depth first, operands from the left; a
// node gets the next number when the walk leaves it. So operands come first, and the order in which
// passes made the nodes cannot be seen in the result.
#ifndef HLX_IR_ORDER_H
#define HLX_IR_ORDER_H

#include "ir/ir.h"

// Copies what the roots need of `old` to a new graph, in that order. to[r] becomes the new number
// of node r, 0 where no root needs it; it has room for all nodes of `old`, all 0.
struct ir_graph *ir_order_graph(const struct ir_graph *old, const ir_ref *roots, size_t nroots,
                                ir_ref *to);

// Orders every graph of a module: initialisers from their value, entries from outputs and updates.
//
// requires: kept gradients are needed by an output or an update. ensures: the same module but for
// the numbers of nodes, and without nodes that nothing needs.
void ir_order(struct ir_module *m);

#endif
