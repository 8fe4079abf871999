// modules.c: writes a program's SPIR-V modules as files or as text.
#include "codegen/modules.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <spirv-tools/libspirv.h>

#include "base/file.h"

static bool disassemble(struct arena *a, spv_context context, const struct dispatch_kernel *k,
                        struct buf *out, const char **error)
{
    const uint32_t options =
        SPV_BINARY_TO_TEXT_OPTION_INDENT | SPV_BINARY_TO_TEXT_OPTION_FRIENDLY_NAMES;
    spv_text text = NULL;
    spv_diagnostic why = NULL;
    bool ok = spvBinaryToText(context, k->words, k->nwords, options, &text, &why) == SPV_SUCCESS;
    if (ok)
        buf_put(out, text->str, text->length);
    else
        *error = arena_printf(a, "kernel %s: %s", k->name, why ? why->error : "no valid module");
    spvTextDestroy(text);
    spvDiagnosticDestroy(why);
    return ok;
}

bool modules_text(struct arena *a, const struct dispatch_program *p, struct buf *out,
                  const char **error)
{
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    bool ok = true;
    for (size_t i = 0; ok && i < p->nkernels; i++) {
        buf_printf(out, "; -- k%zu %s\n", i, p->kernel[i].name);
        ok = disassemble(a, context, &p->kernel[i], out, error);
    }
    spvContextDestroy(context);
    return ok;
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
