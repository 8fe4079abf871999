// bisect_text.c: elements of tensors that differ, in words.
#include <inttypes.h>
#include <string.h>

#include "runtime/bisect.h"

void bisect_index(const struct ir_type *t, size_t element, struct buf *out)
{
    size_t at[IR_MAX_RANK];
    for (unsigned d = t->rank; d-- > 0;) {
        at[d] = element % (size_t)t->dim[d];
        element /= (size_t)t->dim[d];
    }
    buf_puts(out, "[");
    for (unsigned d = 0; d < t->rank; d++)
        buf_printf(out, "%s%zu", d ? ", " : "", at[d]);
    buf_puts(out, "]");
}

void bisect_value(const struct ir_type *t, const void *bytes, size_t element, struct buf *out)
{
    size_t width = dtype_bytes(t->dtype);
    uint32_t bits = 0;
    memcpy(&bits, (const char *)bytes + element * width, width); // little-endian, as all storage
    float x;
    memcpy(&x, &bits, sizeof x);
    if (t->dtype == DT_F32)
        buf_printf(out, "%.9g (%08" PRIx32 ")", (double)x, bits);
    else
        buf_printf(out, "%" PRIu32 " (%0*" PRIx32 ")", bits, (int)(2 * width), bits);
}

size_t bisect_differ(const struct ir_type *t, const void *x, const void *y, size_t *first)
{
    size_t width = dtype_bytes(t->dtype), n = (size_t)ir_type_count(t), differ = 0;
    for (size_t i = 0; i < n; i++) {
        if (memcmp((const char *)x + i * width, (const char *)y + i * width, width) == 0)
            continue;
        if (differ++ == 0)
            *first = i;
    }
    return differ;
}
