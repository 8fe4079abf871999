// inspect.h: shows what is in a program, for people and as JSON.
#ifndef HLX_RUNTIME_INSPECT_H
#define HLX_RUNTIME_INSPECT_H

#include "runtime/program.h"

void inspect_text(struct program *p, struct buf *out);
// One JSON object and a line end. False when memory runs out.
bool inspect_json(struct program *p, struct buf *out);

#endif
