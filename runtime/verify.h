// verify.h: the command `hlxrun verify`: runs a receipt's run again and compares.
#ifndef HLX_RUNTIME_VERIFY_H
#define HLX_RUNTIME_VERIFY_H

#include "base/cli.h"

// Takes the command line from the command's own name on; returns the exit code.
int verify_main(int argc, char **argv);
extern const struct cli verify_cli;

#endif
