// places.h: places of a compiled module, moved to where they are in the formatted sources.
#ifndef HLX_FRONTEND_PLACES_H
#define HLX_FRONTEND_PLACES_H

#include "base/source.h"
#include "ir/ir.h"

// Moves every place of `m` to where it is in its source as hlxfmt writes it in HLXL, and puts that
// text in the place of the source, under a name with .hlxl. What a program carries then depends
// neither on the spelling nor on the layout of its sources. The sources have parsed; messages about
// them are printed before, since they show what the user wrote.
void places_settle(struct arena *a, struct sources *sources, struct ir_module *m);

#endif
