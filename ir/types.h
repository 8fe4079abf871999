// types.h: element types, made from types.def.
#ifndef HLX_IR_TYPES_H
#define HLX_IR_TYPES_H

#include <stdbool.h>
#include <stddef.h>

enum dtype {
#define DTYPE(id, name, bytes, class) DT_##id,
#include "ir/types.def"
#undef DTYPE
    DT_COUNT
};

enum dtype_class { DTC_FLOAT, DTC_SMALL_FLOAT, DTC_INT, DTC_SMALL_INT, DTC_BOOL };

const char *dtype_name(enum dtype t);
size_t dtype_bytes(enum dtype t); // of one element in a buffer
enum dtype_class dtype_class(enum dtype t);
// Finds a type by name; false when there is none.
bool dtype_find(const char *name, enum dtype *out);

#endif
