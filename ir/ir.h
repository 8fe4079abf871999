// ir.h: the typed intermediate representation: modules, graphs, nodes, types, names.
//
// A module is a program: vars (params and states), data sources and entries. Each entry, and each
// var's initialiser, is a graph: nodes in one array, in an order where operands come first, each a
// static single assignment of one tensor. Nodes are named by 32-bit references (ir_ref); reference
// 0 is "none". Types are interned: an ir_typeid names one. Nothing is ever freed but the arena.
//
// Text form: ir/print.h and ir/parse.h. Rules of types: ir/infer.h. Building: ir/build.h.
#ifndef HLX_IR_IR_H
#define HLX_IR_IR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/source.h"
#include "base/vec.h"
#include "ir/ops.h"
#include "ir/types.h"
#include "latent/value.h"

typedef uint32_t ir_ref;    // node in a graph; 0 = none
typedef uint32_t ir_name;   // interned text in a module; 0 = none
typedef uint32_t ir_typeid; // interned type in a module; 0 = none

#define IR_MAX_RANK 8
#define IR_MAX_ELEMENTS ((int64_t)1 << 40)

// A tensor type. Dimension names are for people: `base` is the id of the same type without names,
// so two types are equal exactly when their bases are.
struct ir_type {
    enum dtype dtype;
    unsigned rank;
    int64_t dim[IR_MAX_RANK];  // >= 1... extents of 0 are refused
    ir_name name[IR_MAX_RANK]; // 0 = unnamed
    ir_typeid base;
};

enum { IR_NODE_RECOMPUTE = 1 }; // keep nothing for the backward pass: compute again (planner)

struct ir_node {
    uint16_t op; // enum ir_op
    uint16_t flags;
    ir_typeid type;
    uint32_t args, nargs;   // operands: graph->args[args .. args + nargs)
    uint32_t attrs, nattrs; // attributes: graph->attrs[attrs .. attrs + nattrs)
    ir_name name;           // what the source calls it ("layers.0.attn.q"), or 0; not identity
    uint32_t loc;           // index into module->locs, or 0; not identity
};

struct ir_module;

struct ir_graph {
    struct ir_module *module;
    VEC(struct ir_node) nodes; // nodes.at[0] is a dummy: reference 0 is none
    VEC(ir_ref) args;
    VEC(int64_t) attrs;
    struct map leaves; // leaves already made (ir/build.h); private to build.c
};

enum ir_var_kind { IR_PARAM, IR_STATE };

struct ir_var {
    enum ir_var_kind kind;
    const char *path; // "layers.0.ffn.w1"; unique in the module
    ir_typeid type;
    struct ir_graph *init; // evaluated with step 0; never NULL
    ir_ref init_value;     // of type `type`
    struct span span;      // declaration
};

struct ir_field {
    const char *name;
    ir_typeid type; // of one sample
};

// A source of samples. `source` is identity: a latent object {"kind": "jsonl", "content": &h_...,
// and the kind's options} (spec/language.md, data). `content` is the value that handle names, where
// it is at hand; it and `hint` are not part of the text form.
struct ir_data {
    const char *name;
    VEC(struct ir_field) fields;
    const struct value *source;
    const struct value *content; // BYTES for files, an object of arrays for `table`; may be NULL
    const char *hint;            // where the file was, for messages; may be NULL
};

struct ir_named {
    const char *name;
    ir_ref value;
};

struct ir_update {
    uint32_t var; // index into module->vars
    ir_ref value;
};

// What the runtime can call.
struct ir_entry {
    const char *name; // "train"; with a plan of a named extent "infer[B=4]"
    struct ir_graph *graph;
    VEC(struct ir_field) inputs; // node `input {i}` is inputs.at[i]
    VEC(struct ir_named) outputs;
    VEC(struct ir_update) updates; // all right sides read the old values
    VEC(struct ir_update) grads;   // gradient of a param, kept for --dump-grads; not identity
    const struct value *attrs;     // of `using {...}`: object (data: text, epochs: int ...)
    struct span span;
    // Its local and its global part, once it is in canonical form and has shards (ir/shard.h); else
    // NULL. Made from the rest.
    const struct ir_split *split;
};

struct ir_module {
    struct arena *arena;
    VEC(struct ir_type) types; // [0] is a dummy
    VEC(const char *) names;   // [0] is ""
    struct map type_index, name_index;
    VEC(struct ir_var) vars; // in order of path once staging ends
    VEC(struct ir_data) data;
    VEC(struct ir_entry) entries;
    VEC(struct span) locs; // [0] is no place
    const char *numerics;  // HLX_NUMERICS
    const char *profile;   // "exact" or "native"
};

void ir_module_init(struct ir_module *m, struct arena *a);
struct ir_graph *ir_graph_new(struct ir_module *m);

ir_name ir_intern(struct ir_module *m, const char *text);
const char *ir_name_text(const struct ir_module *m, ir_name name);

// Interns a type. `names` may be NULL. BUG on a bad rank or extent: check user input first with
// ir_shape_ok.
ir_typeid ir_type_make(struct ir_module *m, enum dtype dtype, unsigned rank, const int64_t *dims,
                       const ir_name *names);
ir_typeid ir_type_scalar(struct ir_module *m, enum dtype dtype);
// The same shape and names with another element type.
ir_typeid ir_type_with(struct ir_module *m, ir_typeid t, enum dtype dtype);
bool ir_shape_ok(unsigned rank, const int64_t *dims); // rank, extents >= 1, product below the cap
const struct ir_type *ir_type_get(const struct ir_module *m, ir_typeid t);
bool ir_type_equal(const struct ir_module *m, ir_typeid a, ir_typeid b); // names do not count
int64_t ir_type_count(const struct ir_type *t);                          // elements
size_t ir_type_bytes(const struct ir_type *t);                           // in a buffer
void ir_type_print(const struct ir_module *m, ir_typeid t, bool names, struct buf *out);
const char *ir_type_text(struct ir_module *m, ir_typeid t); // with names, in the arena

const struct ir_node *ir_get(const struct ir_graph *g, ir_ref r);
enum ir_op ir_opcode(const struct ir_graph *g, ir_ref r);
ir_ref ir_arg(const struct ir_graph *g, ir_ref r, unsigned i);
int64_t ir_attr(const struct ir_graph *g, ir_ref r, unsigned i);
const struct ir_type *ir_typeof(const struct ir_graph *g, ir_ref r);

// Index of the var with a path, or -1.
int64_t ir_find_var(const struct ir_module *m, const char *path);
struct ir_entry *ir_find_entry(const struct ir_module *m, const char *name);

#endif
