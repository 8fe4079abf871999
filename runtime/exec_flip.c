// exec_flip.c: a fault on demand: one bit of a variable flips after a step, so that what finds
// faults can be tested.
#include <stdlib.h>
#include <string.h>

#include "runtime/exec.h"

struct fault {
    uint32_t step;
    const char *path;
    size_t path_len;
    unsigned long long element, bit;
};

// Reads "STEP:PATH:ELEMENT:BIT"; a path holds no colon.
static bool read_fault(const char *text, struct fault *out)
{
    char *end;
    out->step = (uint32_t)strtoul(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    out->path = end + 1;
    out->path_len = strcspn(out->path, ":");
    const char *at = out->path + out->path_len;
    if (*at++ != ':')
        return false;
    out->element = strtoull(at, &end, 10);
    if (end == at || *end != ':')
        return false;
    at = end + 1;
    out->bit = strtoull(at, &end, 10);
    return end != at && !*end;
}

static bool flip(struct exec *x, const struct state_tensor *t, const struct fault *f,
                 struct hlx_error *error)
{
    size_t bytes = ir_type_bytes(t->type), width = dtype_bytes(t->type->dtype);
    unsigned char *copy = malloc(bytes);
    size_t at = (size_t)f->element * width + (size_t)f->bit / 8;
    bool ok = copy ? exec_get(x, t->var, copy, error) : hlx_no_memory(error, t->path);
    if (ok && (f->bit >= 8 * width || at >= bytes))
        ok = hlx_fail(error, EXIT_USAGE, "--inject-fault: `%s` has no such bit", t->path);
    if (ok) {
        copy[at] ^= (unsigned char)(1u << f->bit % 8);
        ok = x->ops->set(x, t->var, copy, error); // not cleaned: it is a fault
    }
    free(copy);
    return ok;
}

bool exec_flip(struct exec *x, uint32_t step, struct hlx_error *error)
{
    struct fault f;
    if (!read_fault(x->options.fault, &f))
        return hlx_fail(error, EXIT_USAGE, "--inject-fault takes STEP:PATH:ELEMENT:BIT, not `%s`",
                        x->options.fault);
    if (f.step != step)
        return true;
    for (size_t i = 0; i < x->layout.n; i++) {
        const struct state_tensor *t = &x->layout.tensor[i];
        if (strlen(t->path) == f.path_len && !memcmp(t->path, f.path, f.path_len))
            return flip(x, t, &f, error);
    }
    return hlx_fail(error, EXIT_USAGE, "--inject-fault: there is no param or state `%.*s`",
                    (int)f.path_len, f.path);
}
