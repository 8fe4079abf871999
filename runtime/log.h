// log.h: the record of a run, one JSON object a line (--log).
#ifndef HLX_RUNTIME_LOG_H
#define HLX_RUNTIME_LOG_H

#include <stdio.h>

#include "runtime/train.h"

struct log {
    FILE *file; // NULL: nothing is logged
    const char *path;
    bool broken; // a line could not be written: there are no more
};

// Makes the file anew ("-" is the standard output). Path NULL logs nothing. A log that cannot be
// written fails with EXIT_DATA: here, at the line, once, and when it is closed.
bool log_open(struct log *l, const char *path, struct hlx_error *error);
bool log_close(struct log *l, struct hlx_error *error);

// {"event":"run", program, entry, device, seed, data ...}
bool log_run(struct log *l, const struct train_run *run, struct hlx_error *error);
// {"event":"step","epoch":1,"step":1,"values":{...}}
bool log_step(struct log *l, const struct train_run *run, const struct train_step *s,
              struct hlx_error *error);
// {"event":"epoch","epoch":1,"step":4,"values":{...},"last":{...},"seconds":...}
bool log_epoch(struct log *l, const struct train_run *run, const struct train_epoch *e,
               struct hlx_error *error);
// {"event":"end","status":"done"}: done, stopped (by a signal), or the sentence of a failure.
bool log_end(struct log *l, const struct train_run *run, const char *status,
             struct hlx_error *error);

#endif
