// version.h: what the tools say they are.
#ifndef HLX_BASE_VERSION_H
#define HLX_BASE_VERSION_H

#define HLX_VERSION "0.1.0"
#define HLX_NUMERICS "exact-1" // the numeric contract's version; part of every program's identity
#define HLX_LCB_VERSION 1
#define HLX_HBIN_VERSION 1

// Exit codes of every tool.
enum {
    EXIT_OK = 0,
    EXIT_PROGRAM = 1,  // the program is wrong, or would be reformatted
    EXIT_USAGE = 2,    // the command line is wrong
    EXIT_DEVICE = 3,   // no device, a driver's failure, out of memory
    EXIT_DATA = 4,     // corrupt or missing data
    EXIT_MISMATCH = 5, // a reproducibility check failed
    EXIT_DIVERGED = 6, // NaN or infinity in the loss
    EXIT_INTERNAL = 70 // our fault
};

#endif
