// modules.c: writes a program's SPIR-V modules as files or as text.
#include "codegen/modules.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime/spv_tools.h"

bool modules_text(struct arena *a, const struct dispatch_program *p, struct buf *out,
                  const char **error)
{
    for (size_t i = 0; i < p->nkernels; i++) {
        const struct dispatch_kernel *k = &p->kernel[i];
        buf_printf(out, "; -- k%zu %s\n", i, k->name);
        const char *why = spv_disassemble(a, k->words, k->nwords, out);
        if (why) {
            *error = arena_printf(a, "kernel %s: %s", k->name, why);
            return false;
        }
    }
    return true;
}

bool modules_write(struct arena *a, const struct dispatch_program *p, const char *folder,
                   const char **error)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        *error = arena_printf(a, "cannot make the folder `%s`: %s", folder, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < p->nkernels; i++) {
        const struct dispatch_kernel *k = &p->kernel[i];
        const char *path = arena_printf(a, "%s/k%02zu_%s.spv", folder, i, k->name);
        if (!file_write(a, path, k->words, 4 * k->nwords, error))
            return false;
    }
    return true;
}

bool modules_assemble(struct arena *a, const char *text, size_t n, struct buf *out,
                      const char **error)
{
    *error = spv_assemble(a, text, n, out);
    return *error == NULL;
}
