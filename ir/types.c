// types.c: names and sizes of element types, from types.def.
#include "ir/types.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    enum dtype_class class;
} dtypes[DT_COUNT] = {
#define DTYPE(id, name, bytes, class) [DT_##id] = {name, bytes, DTC_##class},
#include "ir/types.def"
#undef DTYPE
};

const char *dtype_name(enum dtype t)
{
    return dtypes[t].name;
}

size_t dtype_bytes(enum dtype t)
{
    return dtypes[t].bytes;
}

enum dtype_class dtype_class(enum dtype t)
{
    return dtypes[t].class;
}

bool dtype_find(const char *name, enum dtype *out)
{
    for (unsigned t = 0; t < DT_COUNT; t++)
        if (!strcmp(dtypes[t].name, name)) {
            *out = (enum dtype)t;
            return true;
        }
    return false;
}
