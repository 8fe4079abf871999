// program_kit.h: a small program for the tests of the runtime: one weight learns y = 2 x.
#ifndef HLX_TESTS_PROGRAM_KIT_H
#define HLX_TESTS_PROGRAM_KIT_H

#include <stdlib.h>
#include <string.h>

#include "codegen/hbin.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "runtime/program.h"

// Four samples (x, 2 x) for x = 1 .. 4, batches of two, loss = mean((w x - y)^2), w -= 0.01 grad.
static const char kit_ir[] = "helix_ir 1\n"
                             "numerics \"exact-1\"\n"
                             "profile exact\n"
                             "\n"
                             "state steps i32[] {\n"
                             "  %1 = const i32[] {bits=0x0}\n"
                             "  value %1\n"
                             "}\n"
                             "\n"
                             "param w f32[] ! at=1:0:5 {\n"
                             "  %1 = const f32[] {bits=0x3f800000}\n"
                             "  value %1\n"
                             "}\n"
                             "\n"
                             "entry train ! at=1:12:40 {\n"
                             "  input x f32[B=2]\n"
                             "  input y f32[B=2]\n"
                             "  %1 = input f32[B=2] {index=0} ! name=x\n"
                             "  %2 = input f32[B=2] {index=1} ! name=y\n"
                             "  %3 = var f32[] {index=1} ! name=w\n"
                             "  %4 = broadcast f32[B=2] %3\n"
                             "  %5 = mul f32[B=2] %4 %1 ! name=model.prediction at=1:20:25\n"
                             "  %6 = sub f32[B=2] %5 %2 ! name=model.error at=2:3:9\n"
                             "  %7 = mul f32[B=2] %6 %6\n"
                             "  %8 = sum f32[] %7 {axes=0}\n"
                             "  %9 = const f32[] {bits=0x3f000000}\n"
                             "  %10 = mul f32[] %8 %9 ! name=loss at=1:30:34\n"
                             "  %11 = mul f32[B=2] %6 %1\n"
                             "  %12 = sum f32[] %11 {axes=0}\n"
                             "  %13 = const f32[] {bits=0x3c23d70a}\n" // 0.01
                             "  %14 = mul f32[] %12 %13\n"
                             "  %15 = sub f32[] %3 %14\n"
                             "  %16 = var i32[] {index=0}\n"
                             "  %17 = const i32[] {bits=0x1}\n"
                             "  %18 = add i32[] %16 %17\n"
                             "  output loss %10\n"
                             "  output w %15\n"
                             "  output steps %18\n"
                             "  update w %15\n"
                             "  update steps %18\n"
                             "  grad w %12\n"
                             "}\n"
                             "\n"
                             "entry eval {\n"
                             "  input x f32[3]\n"
                             "  input weight f32[3]\n"
                             "  %1 = input f32[3] {index=0}\n"
                             "  %2 = input f32[3] {index=1}\n"
                             "  %3 = mul f32[3] %1 %2\n"
                             "  %4 = sum f32[] %3 {axes=0}\n"
                             "  output total %4\n"
                             "}\n";

struct kit {
    struct arena arena;
    struct ir_module module;
    struct sources sources;
    struct buf bytes; // the .hbin
    struct handle identity;
};

static inline const struct value *kit_object(struct arena *a, size_t n,
                                             const struct value_field *fields)
{
    return value_object(a, fields, n, NULL);
}

// x = 1 .. n, y = 2 x.
static inline const struct value *kit_table(struct arena *a, int n)
{
    const struct value **x = arena_array(a, (size_t)n, sizeof *x);
    const struct value **y = arena_array(a, (size_t)n, sizeof *y);
    for (int i = 0; i < n; i++) {
        x[i] = value_int(a, i + 1);
        y[i] = value_float(a, 2.0 * (i + 1), NULL);
    }
    const struct value_field fields[] = {{"x", 1, value_array(a, x, (size_t)n)},
                                         {"y", 1, value_array(a, y, (size_t)n)}};
    return kit_object(a, 2, fields);
}

// Attributes {data: "line", epochs: `epochs`, shuffle: `shuffle`}.
static inline const struct value *kit_attrs(struct arena *a, int epochs, bool shuffle)
{
    const struct value_field fields[] = {{"data", 4, value_str(a, "line")},
                                         {"epochs", 6, value_int(a, epochs)},
                                         {"shuffle", 7, value_bool(shuffle)}};
    return kit_object(a, 3, fields);
}

static inline void kit_data(struct kit *k, int samples)
{
    struct ir_module *m = &k->module;
    struct ir_data d = {.name = "line", .content = kit_table(&k->arena, samples), .hint = "a/line"};
    struct handle h = handle_of(d.content);
    const struct value_field source[] = {{"content", 7, handle_value(&k->arena, &h)},
                                         {"kind", 4, value_str(&k->arena, "table")}};
    ir_typeid scalar = ir_type_scalar(m, DT_F32);
    d.source = kit_object(&k->arena, 2, source);
    vec_push(&k->arena, &d.fields, (struct ir_field){"x", scalar});
    vec_push(&k->arena, &d.fields, (struct ir_field){"y", scalar});
    vec_push(&k->arena, &m->data, d);
}

// Parses the program, adds its data, and names two sources at a path of the test's choice.
static inline void kit_open(struct kit *k, const char *folder, int samples, int epochs,
                            bool shuffle)
{
    static const char text[] = "param w: f32[] = 1.0;\nentry train(x, y) { ... }\n// end\n";
    struct ir_parse_error error = {0};
    *k = (struct kit){0};
    ir_module_init(&k->module, &k->arena);
    if (!ir_parse(&k->module, kit_ir, sizeof kit_ir - 1, &error)) {
        fprintf(stderr, "kit_ir, line %zu: %s\n", error.line, error.message);
        abort();
    }
    kit_data(k, samples);
    k->module.entries.at[0].attrs = kit_attrs(&k->arena, epochs, shuffle);
    k->module.entries.at[1].attrs = kit_attrs(&k->arena, 1, false);
    sources_init(&k->sources, &k->arena);
    const char *path = arena_printf(&k->arena, "%s/model.hlxl", folder);
    sources_add(&k->sources, path, text, sizeof text - 1);
    sources_add(&k->sources, "stdlib/loss.hlxl", "// loss\nfn mse\n", 15);
    k->identity = hbin_write(&k->arena, &k->module, &k->sources, NULL, &k->bytes);
}

static inline void kit_close(struct kit *k)
{
    buf_free(&k->bytes);
    arena_free(&k->arena);
}

#endif
