// record.h: keeps the receipt of a run while it goes on.
#ifndef HLX_RUNTIME_RECORD_H
#define HLX_RUNTIME_RECORD_H

#include <pthread.h>

#include "base/file.h"
#include "runtime/receipt.h"
#include "runtime/session.h"
#include "runtime/train.h"

struct record {
    struct arena arena;
    struct receipt receipt;
    const char *path;               // NULL: nothing is kept
    const char *file;               // of the program
    double started, written, pause; // seconds
    uint32_t kept;                  // the last step that was written; 0: none
    bool told;                      // that it could not be written
    bool known;                     // which file it is
    struct file_id file_id;
    unsigned char *roots; // scratch

    // The state that is being joined and added, while the run goes on.
    pthread_t thread;
    bool busy;
    const struct state_layout *layout;
    unsigned char *leaves;
    uint32_t step;
    uint64_t epoch;
    const struct value *outputs;
};

// Starts the receipt of a run that is about to begin: the state is still that of step 0. `source`
// is what the entry reads, or NULL. Path NULL keeps none.
bool record_open(struct record *r, const char *path, uint32_t every, const struct session *session,
                 const struct session_source *source, const struct train_run *run,
                 struct hlx_error *error);
void record_close(struct record *r);

// Adds the state that a run shows (struct train_watch), on a thread of its own: thousands of hashes
// are joined, and a device must not wait for them. Now and then the file is written, so that a
// run that is killed leaves a receipt of what it did. False, with *error, the first time that this
// fails; the record is kept all the same and the run may go on.
bool record_state(struct record *r, const struct train_run *run, uint64_t epoch,
                  unsigned char *leaves, struct hlx_error *error);
// Writes the file for the last time. A run without a record leaves none. *error tells what the
// file holds if it is not the whole receipt.
bool record_end(struct record *r, const struct train_run *run, struct hlx_error *error);
// Of a run without a record: what there is in the receipt's place. NULL after any other run.
const char *record_missing(struct record *r);

// -- for those who compare -----------------------------------------------------------------------

// The head that a run's receipt has. Everything in it lies in the arena.
bool record_head(struct arena *a, uint32_t every, const struct session *session,
                 const struct session_source *source, const struct train_run *run,
                 struct receipt_head *out, struct hlx_error *error);
// The bits of the last step's scalars by name.
const struct value *record_outputs(struct arena *a, const struct train_run *run);

#endif
