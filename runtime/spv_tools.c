// spv_tools.c: calls SPIRV-Tools, the one file that does: its header can be in one object only.
#include "runtime/spv_tools.h"

#include <spirv-tools/libspirv.h>

static const char no_start[] = "SPIRV-Tools cannot be started";

const char *spv_validate(struct arena *a, const uint32_t *words, size_t n)
{
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_diagnostic why = NULL;
    spv_const_binary_t module = {words, n};
    const char *fault = NULL;
    if (!context)
        return no_start;
    if (spvValidate(context, &module, &why) != SPV_SUCCESS)
        fault =
            arena_printf(a, "its SPIR-V is not valid: %s", why ? why->error : "no reason given");
    spvDiagnosticDestroy(why);
    spvContextDestroy(context);
    return fault;
}

const char *spv_disassemble(struct arena *a, const uint32_t *words, size_t n, struct buf *out)
{
    const uint32_t options =
        SPV_BINARY_TO_TEXT_OPTION_INDENT | SPV_BINARY_TO_TEXT_OPTION_FRIENDLY_NAMES;
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_text text = NULL;
    spv_diagnostic why = NULL;
    const char *fault = NULL;
    if (!context)
        return no_start;
    if (spvBinaryToText(context, words, n, options, &text, &why) == SPV_SUCCESS)
        buf_put(out, text->str, text->length);
    else
        fault = arena_printf(a, "%s", why ? why->error : "no valid module");
    spvTextDestroy(text);
    spvDiagnosticDestroy(why);
    spvContextDestroy(context);
    return fault;
}

static void put_words(const struct spv_binary_t *binary, struct buf *out)
{
    for (size_t i = 0; i < 4 * binary->wordCount; i++)
        buf_putc(out, (char)(binary->code[i / 4] >> 8 * (i % 4)));
}

const char *spv_assemble(struct arena *a, const char *text, size_t n, struct buf *out)
{
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_binary binary = NULL;
    spv_diagnostic why = NULL;
    const char *fault = NULL;
    if (!context)
        return no_start;
    if (spvTextToBinary(context, text, n, &binary, &why) == SPV_SUCCESS)
        put_words(binary, out);
    else
        fault = why ? arena_printf(a, "line %zu: %s", why->position.line + 1, why->error)
                    : "no reason given";
    spvBinaryDestroy(binary);
    spvDiagnosticDestroy(why);
    spvContextDestroy(context);
    return fault;
}
