// stage_builtin.h: the functions behind builtins.def, one declaration a row.
#ifndef HLX_FRONTEND_STAGE_BUILTIN_H
#define HLX_FRONTEND_STAGE_BUILTIN_H

#include "frontend/stage.h"

#define BUILTIN(name, signature, run, op, doc)                                                     \
    struct stage_value run(struct stage *s, struct stage_call *c);
#include "frontend/builtins.def"
#include "frontend/builtins_ls.def"
#undef BUILTIN

// stage_files.c: a file's content as bytes; *path is its path as argument i gives it, from
// the folder of the source file. NULL after an error.
const struct value *stage_read_file(struct stage *s, struct stage_call *c, unsigned i,
                                    const char **path);

#endif
