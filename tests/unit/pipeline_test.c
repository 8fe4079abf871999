// pipeline_test.c: tests of pipelines of a user's own kernels: what their SPIR-V says is read, and
// what their contracts say must agree with it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/pipeline.h"
#include "runtime/spv_reflect.h"
#include "runtime/spv_tools.h"

// y[i] = x[i] * scale + bias(specialised); binding 0 is only read, 1 only written.
static const char scale_text[] = "OpCapability Shader\n"
                                 "OpMemoryModel Logical GLSL450\n"
                                 "OpEntryPoint GLCompute %main \"scale\" %at %x %y %push %shared\n"
                                 "OpExecutionMode %main LocalSize 4 1 1\n"
                                 "OpDecorate %at BuiltIn GlobalInvocationId\n"
                                 "OpDecorate %floats ArrayStride 4\n"
                                 "OpDecorate %B Block\n"
                                 "OpMemberDecorate %B 0 Offset 0\n"
                                 "OpDecorate %W Block\n"
                                 "OpMemberDecorate %W 0 Offset 0\n"
                                 "OpMemberDecorate %W 0 NonReadable\n"
                                 "OpDecorate %x DescriptorSet 0\n"
                                 "OpDecorate %x Binding 0\n"
                                 "OpDecorate %x NonWritable\n"
                                 "OpDecorate %y DescriptorSet 0\n"
                                 "OpDecorate %y Binding 1\n"
                                 "OpDecorate %P Block\n"
                                 "OpMemberDecorate %P 0 Offset 0\n"
                                 "OpMemberDecorate %P 1 Offset 4\n"
                                 "OpDecorate %bias SpecId 7\n"
                                 "OpDecorate %flag SpecId 2\n"
                                 "%void = OpTypeVoid\n"
                                 "%fn = OpTypeFunction %void\n"
                                 "%bool = OpTypeBool\n"
                                 "%uint = OpTypeInt 32 0\n"
                                 "%float = OpTypeFloat 32\n"
                                 "%v3 = OpTypeVector %uint 3\n"
                                 "%floats = OpTypeRuntimeArray %float\n"
                                 "%B = OpTypeStruct %floats\n"
                                 "%W = OpTypeStruct %floats\n"
                                 "%P = OpTypeStruct %uint %float\n"
                                 "%n16 = OpConstant %uint 16\n"
                                 "%sixteen = OpTypeArray %float %n16\n"
                                 "%pb = OpTypePointer StorageBuffer %B\n"
                                 "%pw = OpTypePointer StorageBuffer %W\n"
                                 "%pf = OpTypePointer StorageBuffer %float\n"
                                 "%pp = OpTypePointer PushConstant %P\n"
                                 "%ppf = OpTypePointer PushConstant %float\n"
                                 "%pv = OpTypePointer Input %v3\n"
                                 "%ps = OpTypePointer Workgroup %sixteen\n"
                                 "%c0 = OpConstant %uint 0\n"
                                 "%c1 = OpConstant %uint 1\n"
                                 "%bias = OpSpecConstant %float 1\n"
                                 "%flag = OpSpecConstantTrue %bool\n"
                                 "%at = OpVariable %pv Input\n"
                                 "%x = OpVariable %pb StorageBuffer\n"
                                 "%y = OpVariable %pw StorageBuffer\n"
                                 "%push = OpVariable %pp PushConstant\n"
                                 "%shared = OpVariable %ps Workgroup\n"
                                 "%main = OpFunction %void None %fn\n"
                                 "%l = OpLabel\n"
                                 "%w = OpLoad %v3 %at\n"
                                 "%i = OpCompositeExtract %uint %w 0\n"
                                 "%xp = OpAccessChain %pf %x %c0 %i\n"
                                 "%xv = OpLoad %float %xp\n"
                                 "%sp = OpAccessChain %ppf %push %c1\n"
                                 "%s = OpLoad %float %sp\n"
                                 "%m = OpFMul %float %xv %s\n"
                                 "%r = OpFAdd %float %m %bias\n"
                                 "%q = OpSelect %float %flag %r %m\n"
                                 "%yp = OpAccessChain %pf %y %c0 %i\n"
                                 "OpStore %yp %q\n"
                                 "OpReturn\n"
                                 "OpFunctionEnd\n";

struct kit {
    struct arena arena;
    struct buf words;
    const struct value *shader, *kernel, *root; // fields of 900, 901, 902
    const struct value *extra;                  // one more object, or NULL
};

static const struct value *with(struct arena *a, const struct value *object, const char *key,
                                const struct value *value)
{
    struct value_field *f = arena_array(a, object ? object->as.object.n + 1 : 1, sizeof *f);
    size_t n = 0;
    for (size_t i = 0; object && i < object->as.object.n; i++)
        if (strcmp(object->as.object.at[i].key, key) != 0)
            f[n++] = object->as.object.at[i];
    if (value)
        f[n++] = (struct value_field){key, strlen(key), value};
    return value_object(a, f, n, NULL);
}

// Reads a value written as source would be: [1, 2] "text" &h_x 3 1.5 true {}.
static const struct value *value_of(struct arena *a, const char *text);

static const struct value *list_of(struct arena *a, const char *text)
{
    VEC(const struct value *) list = {0};
    char *rest = arena_copy(a, text + 1, strlen(text) - 2);
    for (char *item = strtok(rest, " "); item; item = strtok(NULL, " "))
        vec_push(a, &list, value_of(a, item));
    return value_array(a, list.at, list.n);
}

static const struct value *value_of(struct arena *a, const char *text)
{
    if (text[0] == '[')
        return list_of(a, text);
    if (text[0] == '&')
        return value_handle(a, text, NULL);
    if (!strcmp(text, "{}"))
        return value_object(a, NULL, 0, NULL);
    if (!strcmp(text, "true") || !strcmp(text, "false"))
        return value_bool(text[0] == 't');
    if (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))
        return strchr(text, '.') ? value_float(a, strtod(text, NULL), NULL)
                                 : value_int(a, strtoll(text, NULL, 10));
    return value_str(a, text);
}

static void kit_open(struct kit *k)
{
    *k = (struct kit){0};
    struct arena *a = &k->arena;
    assert_null(spv_assemble(a, scale_text, sizeof scale_text - 1, &k->words));
    k->shader = with(a, NULL, "entry_point", value_str(a, "scale"));
    k->shader = with(a, k->shader, "shader_stage", value_str(a, "compute"));
    k->shader = with(a, k->shader, "spirv_binary", value_bytes(a, k->words.at, k->words.n));
    k->kernel = with(a, NULL, "kernel_name", value_str(a, "scale"));
    k->kernel = with(a, k->kernel, "workgroup_size", value_of(a, "[4 1 1]"));
    k->kernel = with(a, k->kernel, "workgroups", value_of(a, "[2 1 1]"));
    k->kernel = with(a, k->kernel, "inputs", value_of(a, "[&h_x &h_y]"));
    k->kernel = with(a, k->kernel, "push_constants_layout", value_str(a, "n: u32, scale: f32"));
    k->kernel = with(a, k->kernel, "push_constants", value_of(a, "[8 2]"));
    const struct value *buffers = with(a, NULL, "x", value_str(a, "f32[8]"));
    buffers = with(a, buffers, "y", value_str(a, "f32[2, 4]"));
    k->root = with(a, NULL, "pipeline_id", value_str(a, "test"));
    k->root = with(a, k->root, "buffers", buffers);
    k->root = with(a, k->root, "outputs", value_of(a, "[y]"));
}

static void kit_close(struct kit *k)
{
    buf_free(&k->words);
    arena_free(&k->arena);
}

// Packs the kit with `stages` times its kernel, unless the root has stages of its own.
static void kit_pack(struct kit *k, unsigned stages, struct buf *out)
{
    struct pack_writer w;
    struct arena *a = &k->arena;
    const struct value *list[8], *kernel = k->kernel, *root = k->root;
    pack_writer_init(&w, a);
    struct handle h = pack_add(&w, value_contract(a, 900, k->shader));
    if (!value_get(kernel, "shader_handle"))
        kernel = with(a, kernel, "shader_handle", handle_value(a, &h));
    h = pack_add(&w, value_contract(a, 901, kernel));
    for (unsigned i = 0; i < stages; i++)
        list[i] = handle_value(a, &h);
    if (!value_get(root, "stages"))
        root = with(a, root, "stages", value_array(a, list, stages));
    if (k->extra)
        pack_add(&w, k->extra);
    h = pack_add(&w, value_contract(a, 902, root));
    pack_write(&w, &h, out);
}

static void refuse_stages(struct kit *k, unsigned stages, const char *part)
{
    struct buf out = {0};
    struct pipeline p;
    struct hlx_error e = {0};
    kit_pack(k, stages, &out);
    if (pipeline_open_bytes(&p, out.at, out.n, &e))
        fail_msg("accepted what should be refused for `%s`", part);
    assert_int_equal(e.code, EXIT_DATA);
    if (!strstr(e.text, part))
        fail_msg("`%s` does not say `%s`", e.text, part);
    buf_free(&out);
}

static void accept(struct kit *k, unsigned stages, struct pipeline *p)
{
    struct buf out = {0};
    struct hlx_error e = {0};
    kit_pack(k, stages, &out);
    if (!pipeline_open_bytes(p, out.at, out.n, &e))
        fail_msg("%s", e.text);
    buf_free(&out);
}

static void words_of(const struct kit *k, uint32_t *words)
{
    memcpy(words, k->words.at, k->words.n); // on a little-endian machine, as tests run on
}

static void reflection_reads_the_interface(void **state)
{
    (void)state;
    struct kit k;
    struct spv_reflection r;
    kit_open(&k);
    size_t n = k.words.n / 4;
    uint32_t *words = arena_array(&k.arena, n, sizeof *words);
    words_of(&k, words);
    assert_null(spv_framing(words, n));
    assert_null(spv_reflect(&k.arena, words, n, &r));
    assert_string_equal(r.name, "scale");
    assert_int_equal(r.local[0], 4);
    assert_int_equal(r.shared, 64);
    assert_int_equal(r.nbuffers, 2);
    assert_true(r.buffer[0].reads && !r.buffer[0].writes);
    assert_true(!r.buffer[1].reads && r.buffer[1].writes);
    assert_int_equal(r.npush, 2);
    assert_int_equal(r.push[0].type, SPV_U32);
    assert_int_equal(r.push[1].type, SPV_F32);
    assert_int_equal(r.nspecial, 2);
    assert_int_equal(r.special[0].number, 2);
    assert_int_equal(r.special[0].type, SPV_BOOL);
    assert_int_equal(r.special[1].number, 7);
    kit_close(&k);
}

static void constants_are_fixed(void **state)
{
    (void)state;
    struct kit k;
    struct spv_reflection r;
    struct buf text = {0};
    kit_open(&k);
    size_t n = k.words.n / 4;
    uint32_t *words = arena_array(&k.arena, n, sizeof *words);
    words_of(&k, words);
    assert_null(spv_reflect(&k.arena, words, n, &r));
    spv_specialise(words, &r.special[0], 0);
    spv_specialise(words, &r.special[1], 0x40a00000); // 5
    n = spv_freeze(words, n);
    assert_null(spv_validate(&k.arena, words, n));
    assert_null(spv_disassemble(&k.arena, words, n, &text));
    assert_null(strstr(text.at, "SpecId"));
    assert_non_null(strstr(text.at, "OpConstantFalse"));
    assert_non_null(strstr(text.at, "%float_5 = OpConstant %float 5"));
    buf_free(&text);
    kit_close(&k);
}

// Words are changed one at a time: reflection answers something and stays inside (sanitizers see).
static void reflection_of_damaged_words_is_safe(void **state)
{
    (void)state;
    static const uint32_t masks[] = {0xffffffff, 0x00010000, 1, 0x7fff0000};
    struct kit k;
    kit_open(&k);
    size_t n = k.words.n / 4, refused = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
            struct arena a = {0};
            struct spv_reflection r;
            uint32_t *words = malloc(k.words.n);
            words_of(&k, words);
            words[i] ^= masks[m];
            if (spv_framing(words, n) || spv_reflect(&a, words, n, &r))
                refused++;
            free(words);
            arena_free(&a);
        }
    assert_true(refused > n / 4);
    kit_close(&k);
}

static void a_pipeline_becomes_a_program(void **state)
{
    (void)state;
    struct kit k;
    struct pipeline p;
    struct buf text = {0};
    kit_open(&k);
    accept(&k, 1, &p);
    assert_int_equal(p.buffers.n, 2);
    const struct pipeline_buffer *x = pipeline_find(&p, "x"), *y = pipeline_find(&p, "y");
    assert_true(!x->written && !x->output && y->written && y->output);
    assert_int_equal(y->rank, 2);
    assert_int_equal(p.program.module.vars.n, 1);
    const struct dispatch_entry *e = p.program.dispatch->entry;
    assert_int_equal(e->ninputs, 1);
    assert_int_equal(e->step->variant->call->groups[0], 2);
    assert_int_equal(e->step->variant->call->push[1], 0x40000000); // 2.0
    pipeline_text(&p, &text);
    assert_non_null(strstr(text.at, "output y: f32[2, 4]"));
    buf_free(&text);
    pipeline_close(&p);
    kit_close(&k);
}

// A handle that stands for an array of one, fields by number, claims that are right.
static void contracts_may_be_written_otherwise(void **state)
{
    (void)state;
    struct kit k;
    struct pipeline p;
    kit_open(&k);
    struct arena *a = &k.arena;
    struct handle h = handle_of(value_contract(a, 900, k.shader));
    k.kernel = with(a, k.kernel, "@1", handle_value(a, &h));
    k.kernel = with(a, k.kernel, "shader_handle", NULL);
    const struct value *kernel = value_contract(a, 901, k.kernel);
    h = handle_of(kernel);
    k.root = with(a, k.root, "stages", handle_value(a, &h));
    k.extra = kernel;
    k.kernel = with(a, k.kernel, "shared_memory_bytes", value_int(a, 64)); // of another, unused one
    k.kernel = with(a, with(a, k.kernel, "@1", NULL), "shader_handle", value_of(a, "&h_unused"));
    accept(&k, 0, &p);
    pipeline_close(&p);
    kit_close(&k);
}

// One kernel stands for many, by its handle, with its constants fixed.
static void kernels_are_shared_by_handle(void **state)
{
    (void)state;
    struct kit k;
    struct pipeline p;
    struct handle plain, special, default_said;
    kit_open(&k);
    struct arena *a = &k.arena;
    accept(&k, 3, &p);
    assert_int_equal(p.stages.n, 3);
    assert_int_equal(p.program.dispatch->nkernels, 1);
    plain = p.program.dispatch->kernel[0].handle;
    pipeline_close(&p);
    k.kernel = with(a, k.kernel, "specialisation", with(a, NULL, "7", value_int(a, 5)));
    accept(&k, 1, &p);
    special = p.program.dispatch->kernel[0].handle;
    pipeline_close(&p);
    k.kernel = with(a, k.kernel, "specialisation", with(a, NULL, "7", value_int(a, 1)));
    accept(&k, 1, &p);
    default_said = p.program.dispatch->kernel[0].handle;
    pipeline_close(&p);
    assert_false(handle_equal(&plain, &special));
    assert_true(handle_equal(&plain, &default_said));
    kit_close(&k);
}

static void refuse_kernel(const char *key, const char *text, const char *part)
{
    struct kit k;
    kit_open(&k);
    k.kernel = with(&k.arena, k.kernel, key, text ? value_of(&k.arena, text) : NULL);
    refuse_stages(&k, 1, part);
    kit_close(&k);
}

static void kernels_say_what_their_spirv_says(void **state)
{
    (void)state;
    refuse_kernel("workgroup_size", "[8 1 1]", "[4, 1, 1]");
    refuse_kernel("workgroup_size", "[4 1]", "int[3]");
    refuse_kernel("workgroup_size", "[0 1 1]", "[4, 1, 1]");
    refuse_kernel("workgroups", NULL, "workgroups");
    refuse_kernel("workgroups", "[0 1 1]", "workgroups");
    refuse_kernel("workgroups", "[65536 1 1]", "workgroups");
    refuse_kernel("shared_memory_bytes", "32", "64");
    refuse_kernel("inputs", "[&h_x]", "2");
    refuse_kernel("inputs", NULL, "2");
    refuse_kernel("inputs", "[&h_x &h_z]", "`z`");
    refuse_kernel("inputs", "[&h_x 1]", "inputs");
    refuse_kernel("push_constants", "[1]", "wants 2");
    refuse_kernel("push_constants", NULL, "wants 2");
    refuse_kernel("push_constants", "[-1 2]", "no u32");
    refuse_kernel("push_constants", "[4294967296 2]", "no u32");
    refuse_kernel("push_constants", "[1.5 2]", "no u32");
    refuse_kernel("push_constants", "[1 true]", "no f32");
    refuse_kernel("push_constants_layout", NULL, "lacks word 0");
    refuse_kernel("push_constants_layout", "n:u32", "lacks word 1");
    refuse_kernel("push_constants_layout", "n:u32,s:u32", "word 1");
    refuse_kernel("push_constants_layout", "n:u32,s:f32,t:f32", "more words");
    refuse_kernel("push_constants_layout", "n:u33,s:f32", "name: u32");
    refuse_kernel("push_constants_layout", "garbage", "name: u32");
    refuse_kernel("kernel_name", "a\x1b", "name");
    refuse_kernel("more", "1", "`more`");
    refuse_kernel("shader_handle", "&h_named", "is a name");
    refuse_kernel("shader_handle",
                  "&h_6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                  "not in the pack");
}

static void refuse_special(const char *number, const char *text, const char *part)
{
    struct kit k;
    kit_open(&k);
    struct arena *a = &k.arena;
    k.kernel = with(a, k.kernel, "specialisation", with(a, NULL, number, value_of(a, text)));
    refuse_stages(&k, 1, part);
    kit_close(&k);
}

static void specialisations_fit(void **state)
{
    (void)state;
    refuse_special("1", "1", "no specialisation constant `1`");
    refuse_special("07", "1", "no specialisation constant `07`");
    refuse_special("7", "true", "f32");
    refuse_special("2", "1", "bool");
}

static void refuse_shader(const char *key, const struct value *(*make)(struct kit *),
                          const char *part)
{
    struct kit k;
    kit_open(&k);
    k.shader = with(&k.arena, k.shader, key, make(&k));
    refuse_stages(&k, 1, part);
    kit_close(&k);
}

static const struct value *nothing(struct kit *k)
{
    (void)k;
    return NULL;
}

static const struct value *other_text(struct kit *k)
{
    return value_str(&k->arena, "other");
}

static const struct value *no_words(struct kit *k)
{
    return value_bytes(&k->arena, "", 0);
}

static const struct value *odd_bytes(struct kit *k)
{
    return value_bytes(&k->arena, k->words.at, k->words.n - 1);
}

static const struct value *cut_words(struct kit *k)
{
    return value_bytes(&k->arena, k->words.at, k->words.n - 4);
}

// %c0 is used where a pointer should be: framed well, and no valid module.
static const struct value *invalid_words(struct kit *k)
{
    struct buf words = {0};
    char *text = arena_strdup(&k->arena, scale_text);
    char *operand = strstr(text, "OpLoad %float %xp") + strlen("OpLoad %float %");
    operand[0] = 'c', operand[1] = '0';
    assert_null(spv_assemble(&k->arena, text, strlen(text), &words));
    const struct value *v = value_bytes(&k->arena, words.at, words.n);
    buf_free(&words);
    return v;
}

static const struct value *one_claim(struct kit *k)
{
    const struct value *v = with(&k->arena, NULL, "binding", value_int(&k->arena, 0));
    return value_array(&k->arena, &v, 1);
}

static const struct value *wrong_claims(struct kit *k)
{
    struct arena *a = &k->arena;
    const struct value *v[2];
    for (int i = 0; i < 2; i++)
        v[i] = with(a, with(a, NULL, "binding", value_int(a, i)), "access", value_str(a, "read"));
    return value_array(a, v, 2);
}

static void shaders_are_checked(void **state)
{
    (void)state;
    refuse_shader("entry_point", other_text, "`scale`");
    refuse_shader("entry_point", nothing, "entry_point");
    refuse_shader("shader_stage", other_text, "`other`");
    refuse_shader("spirv_binary", no_words, "header");
    refuse_shader("spirv_binary", odd_bytes, "whole number");
    refuse_shader("spirv_binary", cut_words, "kernel `scale`");
    refuse_shader("spirv_binary", invalid_words, "not valid");
    refuse_shader("spirv_binary", other_text, "spirv_binary");
    refuse_shader("descriptor_bindings", one_claim, "lists 1");
    refuse_shader("descriptor_bindings", wrong_claims, "binding 1 is `write`");
}

static void refuse_root(const char *key, const struct value *(*make)(struct kit *),
                        const char *text, const char *part)
{
    struct kit k;
    kit_open(&k);
    k.root = with(&k.arena, k.root, key, make ? make(&k) : value_of(&k.arena, text));
    refuse_stages(&k, 1, part);
    kit_close(&k);
}

static const struct value *buffers_of(struct kit *k, const char *x)
{
    const struct value *v = with(&k->arena, NULL, "x", value_str(&k->arena, x));
    return with(&k->arena, v, "y", value_str(&k->arena, "f32[8]"));
}

static void types_of_buffers(void **state)
{
    (void)state;
    static const char *const bad[] = {"f32",
                                      "f32[",
                                      "f32[8",
                                      "f32[8]x",
                                      "f64[8]",
                                      "f32[0]",
                                      "f32[-1]",
                                      "f32[8,]",
                                      "f32[8, ]",
                                      "[8]",
                                      "f32[8 8]",
                                      "f32[1,1,1,1,1,1,1,1,1]",
                                      "f32[99999999999999]",
                                      "f32[40000000]",
                                      "f32[6000, 6000]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct kit k;
        kit_open(&k);
        k.root = with(&k.arena, k.root, "buffers", buffers_of(&k, bad[i]));
        refuse_stages(&k, 1, "buffer `x`");
        kit_close(&k);
    }
}

static void pipelines_are_checked(void **state)
{
    (void)state;
    refuse_root("outputs", nothing, NULL, "outputs");
    refuse_root("outputs", NULL, "[]", "outputs");
    refuse_root("outputs", NULL, "[x]", "no kernel writes");
    refuse_root("outputs", NULL, "[z]", "no kernel writes");
    refuse_root("buffers", nothing, NULL, "`buffers`");
    refuse_root("stages", NULL, "[]", "no stages");
    refuse_root("stages", NULL, "[&h_kernel]", "is a name");
    refuse_root("stages", NULL, "7", "stages");
    refuse_root("sync_barriers", NULL, "[1]", "sync_barriers");
    refuse_root("sync_barriers", NULL, "[-1]", "sync_barriers");
    refuse_root("pipeline_id", NULL, "a\x07", "pipeline_id");
    struct kit k;
    kit_open(&k);
    k.root = with(&k.arena, k.root, "sync_barriers", value_of(&k.arena, "[]"));
    refuse_stages(&k, 2, "barrier");
    kit_close(&k);
}

// x is a tensor of the pack: it may be read, and nothing but read.
static void tensors_of_the_pack(void **state)
{
    (void)state;
    static const struct {
        const char *dtype, *shape;
        size_t bytes;
        bool swap;
        const char *part; // NULL: accepted
    } rows[] = {
        {"f32", "[8]", 32, false, NULL},        {"f32", "[8]", 31, false, "bytes"},
        {"f64", "[8]", 32, false, "bytes"},     {"f32", "[-8]", 32, false, "bytes"},
        {"f32", "[4 2]", 32, true, "constant"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kit k;
        struct pipeline p;
        kit_open(&k);
        struct arena *a = &k.arena;
        char *bytes = arena_array(a, rows[i].bytes, 1);
        const struct value *t = with(a, NULL, "dtype", value_str(a, rows[i].dtype));
        t = with(a, t, "shape", value_of(a, rows[i].shape));
        t = with(a, t, "data", value_bytes(a, bytes, rows[i].bytes));
        k.extra = value_contract(a, 905, t);
        struct handle h = handle_of(k.extra);
        const struct value *inputs[2] = {handle_value(a, &h), value_of(a, "&h_y")};
        const struct value *swapped[2] = {inputs[1], inputs[0]};
        k.kernel = with(a, k.kernel, "inputs", value_array(a, rows[i].swap ? swapped : inputs, 2));
        if (rows[i].part) {
            refuse_stages(&k, 1, rows[i].part);
        } else {
            accept(&k, 1, &p);
            assert_int_equal(p.program.dispatch->entry->nsegments[ARENA_CONSTS], 1);
            pipeline_close(&p);
        }
        kit_close(&k);
    }
}

// Pipelines in pipelines: their stages stand there; too deep is refused.
static void pipelines_nest(void **state)
{
    (void)state;
    for (int depth = 1; depth <= PIPELINE_MAX_DEPTH + 1; depth++) {
        struct kit k;
        struct pipeline p;
        struct pack_writer w;
        struct buf out = {0};
        struct hlx_error e;
        kit_open(&k);
        struct arena *a = &k.arena;
        pack_writer_init(&w, a);
        struct handle h = pack_add(&w, value_contract(a, 900, k.shader));
        k.kernel = with(a, k.kernel, "shader_handle", handle_value(a, &h));
        h = pack_add(&w, value_contract(a, 901, k.kernel));
        for (int i = 0; i < depth; i++) {
            const struct value *inner = with(a, NULL, "pipeline_id", value_str(a, "inner"));
            inner = with(a, inner, "stages", handle_value(a, &h));
            h = pack_add(&w, value_contract(a, 902, inner));
        }
        k.root = with(a, k.root, "stages", handle_value(a, &h));
        h = pack_add(&w, value_contract(a, 902, k.root));
        pack_write(&w, &h, &out);
        bool ok = pipeline_open_bytes(&p, out.at, out.n, &e);
        assert_int_equal(ok, depth <= PIPELINE_MAX_DEPTH);
        if (ok) {
            assert_int_equal(p.stages.n, 1);
            pipeline_close(&p);
        }
        buf_free(&out);
        kit_close(&k);
    }
}

static void damaged_packs_are_refused(void **state)
{
    (void)state;
    struct kit k;
    struct buf out = {0};
    kit_open(&k);
    kit_pack(&k, 1, &out);
    for (size_t n = 0; n < out.n; n += 13) {
        struct pipeline p;
        struct hlx_error e;
        unsigned char *copy = malloc(n + (n == 0));
        memcpy(copy, out.at, n);
        assert_false(pipeline_open_bytes(&p, copy, n, &e));
        free(copy);
    }
    buf_free(&out);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reflection_reads_the_interface),
        cmocka_unit_test(constants_are_fixed),
        cmocka_unit_test(reflection_of_damaged_words_is_safe),
        cmocka_unit_test(a_pipeline_becomes_a_program),
        cmocka_unit_test(contracts_may_be_written_otherwise),
        cmocka_unit_test(kernels_are_shared_by_handle),
        cmocka_unit_test(kernels_say_what_their_spirv_says),
        cmocka_unit_test(specialisations_fit),
        cmocka_unit_test(shaders_are_checked),
        cmocka_unit_test(types_of_buffers),
        cmocka_unit_test(pipelines_are_checked),
        cmocka_unit_test(tensors_of_the_pack),
        cmocka_unit_test(pipelines_nest),
        cmocka_unit_test(damaged_packs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
