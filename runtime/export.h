// export.h: writes params, and on request gradients, for other tools (--export-safetensors).
#ifndef HLX_RUNTIME_EXPORT_H
#define HLX_RUNTIME_EXPORT_H

#include "runtime/stats.h"
#include "runtime/train.h"

// Writes every param under its path, as it is now. With `grads` also, for the batch that the run
// would take next: its inputs as "input:NAME" and the gradients at these params as "grad:PATH".
// The file is written whole or not at all.
bool export_safetensors(const char *path, const struct train_run *run, bool grads,
                        struct hlx_error *error);

#endif
