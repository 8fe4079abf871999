// devices.h: shows which devices there are, for people and as JSON (--list-devices).
#ifndef HLX_RUNTIME_DEVICES_H
#define HLX_RUNTIME_DEVICES_H

#include "base/text.h"

// Appends the Vulkan devices in the order of their index, then the evaluator. Where there is no
// Vulkan, the reason stands in their place.
void devices_text(struct buf *out);
// One JSON object and a line end. False when memory runs out.
bool devices_json(struct buf *out);

#endif
