// stage_value.h: the values a program computes with while it is compiled.
//
// They are the latent values plus what only a compiler has: functions, modules, element types,
// ranges, tensors (nodes of the graph being staged) and references to params and states. Small,
// copied by value; what they point to lives in the arena and never changes.
#ifndef HLX_FRONTEND_STAGE_VALUE_H
#define HLX_FRONTEND_STAGE_VALUE_H

#include "ir/ir.h"
#include "latent/value.h"

enum stage_kind {
    STAGE_NONE,   // an argument that was left out; never seen by programs
    STAGE_POISON, // stands for the result of what was reported as an error; silences what follows
    STAGE_NULL,
    STAGE_BOOL,
    STAGE_INT,
    STAGE_FLOAT,
    STAGE_TEXT,
    STAGE_BYTES,
    STAGE_HANDLE,
    STAGE_ARRAY,
    STAGE_OBJECT,
    STAGE_CONTRACT,
    STAGE_RANGE,
    STAGE_TYPE, // an element type: f32 ...
    STAGE_FUNCTION,
    STAGE_BUILTIN,
    STAGE_MODULE,
    STAGE_DATA,
    STAGE_TENSOR,
    STAGE_VAR, // a param or state
    STAGE_KIND_COUNT
};

struct stage_array;
struct stage_object;
struct stage_function;
struct stage_builtin;
struct stage_module;
struct stage_data;
struct stage_unit;

struct stage_value {
    enum stage_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            const char *at; // NUL-terminated; the NUL is not counted
            size_t n;
        } text; // TEXT, BYTES, HANDLE
        const struct stage_array *array;
        const struct stage_object *object; // OBJECT, CONTRACT
        struct {
            int64_t low, high; // high is not in it; low <= high
        } range;
        enum dtype type;
        const struct stage_function *function;
        const struct stage_builtin *builtin;
        struct stage_module *module;
        struct stage_data *data;
        struct {
            struct stage_unit *unit; // the graph it is a node of
            ir_ref ref;
        } tensor;
        uint32_t var; // index into module->vars
    } as;
};

// How large a value is, with all that it holds.
struct stage_size {
    uint64_t weight; // elements, fields and each eight bytes of text
    unsigned depth;  // of nesting; a scalar is 1
};

// Items may be followed by room that later joins fill: values seen so far never change, since each
// array knows its own n.
struct stage_room {
    size_t used, cap;
};

struct stage_array {
    size_t n;
    struct stage_value *at;
    struct stage_room *room; // behind the items; NULL: none
    struct stage_size size;
};

struct stage_field {
    const char *key;
    size_t len;
    struct stage_value value;
};

struct stage_object {
    size_t n;
    const struct stage_field *at; // sorted by key
    int64_t contract;             // number, for CONTRACT
    struct stage_size size;
};

static inline struct stage_value stage_poison(void)
{
    return (struct stage_value){.kind = STAGE_POISON};
}
static inline struct stage_value stage_null(void)
{
    return (struct stage_value){.kind = STAGE_NULL};
}
static inline struct stage_value stage_bool(bool b)
{
    return (struct stage_value){.kind = STAGE_BOOL, .as.boolean = b};
}
static inline struct stage_value stage_int(int64_t i)
{
    return (struct stage_value){.kind = STAGE_INT, .as.integer = i};
}
// The caller has seen to it that x is finite; negative zero becomes positive.
static inline struct stage_value stage_float(double x)
{
    return (struct stage_value){.kind = STAGE_FLOAT, .as.number = x == 0.0 ? 0.0 : x};
}
static inline struct stage_value stage_type(enum dtype t)
{
    return (struct stage_value){.kind = STAGE_TYPE, .as.type = t};
}

// Copies n bytes; kind is TEXT, BYTES or HANDLE.
struct stage_value stage_bytes(struct arena *a, enum stage_kind kind, const char *at, size_t n);
struct stage_value stage_text(struct arena *a, const char *s);
// Copies the items.
struct stage_value stage_array(struct arena *a, const struct stage_value *items, size_t n);
// a + b of two lists. Joining to the end of the same array again and again copies each item a
// constant number of times.
struct stage_value stage_join_lists(struct arena *a, struct stage_value x, struct stage_value y);
// Copies and sorts the fields; their keys differ.
struct stage_value stage_object(struct arena *a, const struct stage_field *fields, size_t n);
// Whoever makes a value of values checks its size (stage_check_size), so that nothing that walks
// values runs deep or long: arrays that hold one another twice grow fast.
struct stage_size stage_size(struct stage_value v);

bool stage_is_number(struct stage_value v); // int or float
double stage_number(struct stage_value v);  // of an int or float
bool stage_is_tensor(struct stage_value v); // tensor, param or state

// The field of an object or contract, or NULL.
const struct stage_value *stage_get(struct stage_value v, const char *key, size_t len);

// Element i of a value that has elements (array, range); the count.
bool stage_is_list(struct stage_value v);
size_t stage_count(struct stage_value v);
struct stage_value stage_item(struct stage_value v, size_t i);

// Equality of compile-time values: by content, 1 == 1.0, functions and modules by identity.
bool stage_equal(struct stage_value a, struct stage_value b);

// "int", "object", "tensor", "param" ...
const char *stage_kind_text(const struct ir_module *m, struct stage_value v);
// Writes a value as source; a tensor as its type. `quote` says whether a text at the top is quoted.
void stage_show(struct ir_module *m, struct stage_value v, bool quote, struct buf *out);
// The same in the arena, quoted, cut to a length that fits a message.
const char *stage_shown(struct ir_module *m, struct stage_value v);

// Number of code points, and the byte offset of code point i (i may be the count).
size_t stage_text_length(struct stage_value v);
size_t stage_text_offset(struct stage_value v, size_t i);

#endif
