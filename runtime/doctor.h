// doctor.h: whether a device computes what the contract says, before exact programs run on it.
#ifndef HLX_RUNTIME_DOCTOR_H
#define HLX_RUNTIME_DOCTOR_H

#include "base/cli.h"
#include "runtime/vk.h"

// Whether exact programs may run on a device (spec/numerics.md, N0.4): by the verdict that is kept
// on disk, else by a quick check, now. Fills *e (EXIT_DEVICE) with what is wrong.
bool doctor_admit(const struct vk *vk, const struct vk_physical *p, struct hlx_error *e);

enum { DOCTOR_NAME = 64 }; // bytes of a test's name that a verdict keeps

// Keeps a verdict about a device: the name of a test that failed, or "" if none did.
void doctor_remember(const struct vk_physical *p, const char *failed);

// Reads the verdict that is kept of a device; false when there is none of this build and driver.
bool doctor_recall(const struct vk_physical *p, char failed[DOCTOR_NAME + 1]);

// hlxrun doctor: returns the exit code.
int doctor_main(int argc, char **argv);
extern const struct cli doctor_cli;

#endif
