// replay.h: the run of a receipt made ready once more: its program, data, entry and device.
#ifndef HLX_RUNTIME_REPLAY_H
#define HLX_RUNTIME_REPLAY_H

#include "base/cli.h"
#include "runtime/receipt.h"
#include "runtime/session.h"
#include "runtime/train.h"

struct replay {
    struct arena arena;
    struct receipt receipt;
    struct session session;
    const struct ir_entry *entry;
    const struct session_source *source; // NULL: the entry reads no data
};

// What the user said: what verify, replay and bisect have in common.
struct replay_options {
    const char *receipt;
    const char *program; // NULL: the file that the receipt names, beside it or in this folder
    VEC(struct session_file) data;
    struct exec_options device; // to run on; bisect: the suspect
};

// Their rows in a table of options; a command's own ids are below these.
enum { REPLAY_PROGRAM = 512, REPLAY_DATA, REPLAY_DEVICE, REPLAY_VARIANT };
// clang-format off
#define REPLAY_ROW_PROGRAM(group)                                                                  \
    {REPLAY_PROGRAM, "program", "FILE.hbin",                                                       \
     "the program (default: the file that the receipt names, beside it or in this folder)", group}
#define REPLAY_ROW_DATA(group)                                                                     \
    {REPLAY_DATA, "data", "NAME=FILE",                                                             \
     "take the data source NAME (FILE alone: the only one) from FILE", group}
#define REPLAY_ROW_DEVICE(help) {REPLAY_DEVICE, "device", "NAME", help, 0}
#define REPLAY_ROW_VARIANT(help) {REPLAY_VARIANT, "variant", "NAMES", help, 0}
// clang-format on

// Takes an option of these rows. Returns false for any other.
bool replay_option(struct replay_options *o, struct arena *a, const struct cli_parse *p, int id);
// Takes the value of --workers; false after saying what is wrong with it.
bool replay_workers(const struct cli_parse *p, unsigned *workers);

// Reads a receipt and finds its program and data. What is not what the receipt says fails with
// E_RECEIPT_PROGRAM or E_RECEIPT_DATA (EXIT_DATA). On failure there is nothing to close.
bool replay_open(struct replay *r, const struct replay_options *o, struct hlx_error *error);
void replay_close(struct replay *r);

// Puts the program on a device, under the receipt's seed. An option that this device would ignore
// is refused (EXIT_USAGE). NULL and *error on failure.
struct exec *replay_start(const struct replay *r, const struct exec_options *device,
                          struct hlx_error *error);

// Checks that variables start as the receipt says; EXIT_MISMATCH when they do not.
bool replay_check_start(const struct replay *r, const struct train_run *run,
                        struct hlx_error *error);

// -- records (replay_record.c) --------------------------------------------------------------------

// Whether two records of one step say the same (D3.3): roots, outputs, epoch.
bool replay_same(const struct receipt *r, const struct receipt_record *x,
                 const struct receipt_record *y);
// How they differ, in words, as seen from x; `says` introduces what y has ("the receipt says").
// NULL when they do not. `run` is of the entry, for its outputs.
const char *replay_difference(struct arena *a, const struct receipt *r, const struct train_run *run,
                              const struct receipt_record *x, const struct receipt_record *y,
                              const char *says);

// -- between replay*.c ---------------------------------------------------------------------------

// Finds and opens the program of r->receipt and checks that it is that: replay_program.c.
bool replay_open_program(struct replay *r, const struct replay_options *o, struct hlx_error *error);

// The command `hlxrun replay` (replay_main.c): takes the command line from the command's own name
// on; returns the exit code.
int replay_main(int argc, char **argv);
extern const struct cli replay_cli;

#endif
