// pipeline_fuzz.c: feeds bytes to the reader of pipelines, behind handles that fit, and to that of
// .npy files.
//
// The first byte says what the rest replaces: the words of the shader, or the fields of the shader,
// the kernel or the pipeline (LC-B); the other parts are those of a good pipeline.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/npy.h"
#include "runtime/pipeline.h"
#include "runtime/spv_tools.h"

enum part { PART_WORDS, PART_SHADER, PART_KERNEL, PART_ROOT, PART_NPY, PART_RAW, PART_COUNT };

static const char text[] = "OpCapability Shader\n"
                           "OpMemoryModel Logical GLSL450\n"
                           "OpEntryPoint GLCompute %main \"main\" %x\n"
                           "OpExecutionMode %main LocalSize 1 1 1\n"
                           "OpDecorate %words ArrayStride 4\n"
                           "OpDecorate %B Block\n"
                           "OpMemberDecorate %B 0 Offset 0\n"
                           "OpDecorate %x DescriptorSet 0\n"
                           "OpDecorate %x Binding 0\n"
                           "OpDecorate %c SpecId 1\n"
                           "%void = OpTypeVoid\n"
                           "%fn = OpTypeFunction %void\n"
                           "%uint = OpTypeInt 32 0\n"
                           "%words = OpTypeRuntimeArray %uint\n"
                           "%B = OpTypeStruct %words\n"
                           "%pb = OpTypePointer StorageBuffer %B\n"
                           "%pu = OpTypePointer StorageBuffer %uint\n"
                           "%zero = OpConstant %uint 0\n"
                           "%c = OpSpecConstant %uint 7\n"
                           "%x = OpVariable %pb StorageBuffer\n"
                           "%main = OpFunction %void None %fn\n"
                           "%l = OpLabel\n"
                           "%p = OpAccessChain %pu %x %zero %zero\n"
                           "OpStore %p %c\n"
                           "OpReturn\n"
                           "OpFunctionEnd\n";

#define MAKE(a, ...)                                                                               \
    value_object((a), (struct value_field[]){__VA_ARGS__},                                         \
                 sizeof((struct value_field[]){__VA_ARGS__}) / sizeof(struct value_field), NULL)

static const struct value *ones(struct arena *a)
{
    const struct value *one = value_int(a, 1), *three[] = {one, one, one};
    return value_array(a, three, 3);
}

static const struct value *shader_of(struct arena *a, const uint8_t *words, size_t n)
{
    struct buf good = {0};
    if (!words && spv_assemble(a, text, sizeof text - 1, &good))
        abort();
    const struct value *v = MAKE(
        a, {"entry_point", 11, value_str(a, "main")}, {"shader_stage", 12, value_str(a, "compute")},
        {"spirv_binary", 12,
         value_bytes(a, words ? (const void *)words : good.at, words ? n : good.n)});
    buf_free(&good);
    return v;
}

static const struct value *with(struct arena *a, const struct value *v, const char *key,
                                const struct value *value)
{
    struct value_field *f = arena_array(a, v->as.object.n + 1, sizeof *f);
    size_t n = 0;
    for (size_t i = 0; i < v->as.object.n; i++)
        if (strcmp(v->as.object.at[i].key, key) != 0)
            f[n++] = v->as.object.at[i];
    f[n++] = (struct value_field){key, strlen(key), value};
    return value_object(a, f, n, NULL);
}

static void open_and_look(const void *bytes, size_t n)
{
    struct pipeline p;
    struct hlx_error e = {0};
    struct buf out = {0};
    if (!pipeline_open_bytes(&p, bytes, n, &e)) {
        if (e.code != EXIT_DATA || !e.text[0])
            abort();
        return;
    }
    pipeline_text(&p, &out);
    if (!pipeline_json(&p, &out))
        abort();
    buf_free(&out);
    pipeline_close(&p);
}

// Packs the parts under handles that fit: a kernel's shader and a pipeline's stages are ours,
// unless the input has given the field another kind.
static void pack_and_open(struct arena *a, const struct value *shader, const struct value *kernel,
                          const struct value *root)
{
    struct pack_writer w;
    struct buf out = {0};
    pack_writer_init(&w, a);
    struct handle h = pack_add(&w, value_contract(a, CONTRACT_SHADER, shader));
    kernel = with(a, kernel, "shader_handle", handle_value(a, &h));
    h = pack_add(&w, value_contract(a, CONTRACT_KERNEL, kernel));
    root = with(a, root, "stages", handle_value(a, &h));
    h = pack_add(&w, value_contract(a, CONTRACT_PIPELINE, root));
    pack_write(&w, &h, &out);
    open_and_look(out.at, out.n);
    buf_free(&out);
}

static void read_npy(struct arena *a, const uint8_t *data, size_t n)
{
    struct npy f;
    size_t size;
    if (npy_read(a, data, n, &f))
        return;
    unsigned char *elements = npy_elements(&f, f.dtype, &size);
    struct buf again = {0};
    if (elements)
        npy_write(f.dtype, f.rank, f.dim, elements, &again);
    free(elements);
    if (elements && npy_read(a, again.at, again.n, &f))
        abort(); // what is written is read
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena a = {0};
    if (n == 0)
        return 0;
    enum part part = data[0] % PART_COUNT;
    data++, n--;
    const struct value *x = value_handle(&a, "&h_x", NULL), *name = value_str(&a, "x");
    const struct value *shader = shader_of(&a, part == PART_WORDS ? data : NULL, n);
    const struct value *kernel =
        MAKE(&a, {"inputs", 6, x}, {"kernel_name", 11, name}, {"workgroup_size", 14, ones(&a)},
             {"workgroups", 10, ones(&a)});
    const struct value *root =
        MAKE(&a, {"buffers", 7, MAKE(&a, {"x", 1, value_str(&a, "u32[4]")})},
             {"outputs", 7, value_array(&a, &name, 1)}, {"pipeline_id", 11, name});
    const struct value *given = lcb_decode(&a, data, n, NULL);
    const struct value **parts[PART_COUNT] = {
        [PART_SHADER] = &shader, [PART_KERNEL] = &kernel, [PART_ROOT] = &root};
    if (parts[part] && given && given->kind == VALUE_OBJECT && value_depth(given) < VALUE_MAX_DEPTH)
        *parts[part] = given;
    if (part == PART_NPY)
        read_npy(&a, data, n);
    else if (part == PART_RAW)
        open_and_look(data, n);
    else
        pack_and_open(&a, shader, kernel, root);
    arena_free(&a);
    return 0;
}
