// grad.h: reverse-mode differentiation: expands every `grad` node of every entry.
//
// requires: a verified module. ensures: no `grad`, `custom`, `cotangent` or `stop_gradient` node
// remains; entries' `grads` lists the gradient of each param that a grad node asked for. Gradient
// contributions to one value are added in reverse order of its uses (spec/numerics.md).
#ifndef HLX_IR_GRAD_H
#define HLX_IR_GRAD_H

#include "base/diag.h"
#include "ir/ir.h"

#define IR_GRAD_MAX_NODES 5000000 // of a graph with its gradients

// Returns false after reporting errors (grad of a grad, too many nodes; no path from the loss is no
// error: the gradient is zero, with a warning).
bool ir_expand_grads(struct ir_module *m, struct diags *d);

#endif
