// program_parts.h: the objects of a program that say again, for whoever looks into a .hbin, what
// its IR and its dispatch table say: the table of variables, the data sources, the tree of
// pipelines and kernels. Writer and reader both make them here, so that none can say anything else.
#ifndef HLX_RUNTIME_PROGRAM_PARTS_H
#define HLX_RUNTIME_PROGRAM_PARTS_H

#include "ir/ir.h"
#include "runtime/dispatch.h"

typedef VEC(const struct value *) program_values;

// The variables: an array of {path, kind, dtype, shape}.
const struct value *program_params(struct arena *a, const struct ir_module *m);

// A data source (contract 909). `carried`: its content is in the pack; `hint` (or NULL): where it
// was found. Its tokenizer (contract 908) goes to *tokenizer, NULL where it has none.
const struct value *program_source(struct arena *a, const struct ir_module *m,
                                   const struct ir_data *d, bool carried, const char *hint,
                                   const struct value **tokenizer);

// Appends the tree that ends in the root: the kernels (901), a pipeline (902) for each entry, the
// root (902), which is last. `d` may be NULL: then the root has no stages.
void program_tree(struct arena *a, const struct dispatch_program *d, const struct handle *program,
                  program_values *out);

#endif
