// stage.h: the staging evaluator: runs a program over compile-time values and builds typed IR for
// its tensor expressions. Private to frontend/stage*.c and frontend.c.
//
// Evaluation never stops at the first error: what is wrong is reported once, becomes a POISON
// value, and everything computed from it is silently poison too.
#ifndef HLX_FRONTEND_STAGE_H
#define HLX_FRONTEND_STAGE_H

#include "base/diag.h"
#include "base/map.h"
#include "frontend/ast.h"
#include "frontend/frontend.h"
#include "frontend/stage_value.h"
#include "ir/exact.h"

#define STAGE_MAX_CALLS 500     // calls within calls
#define STAGE_MAX_NESTING 3000  // expressions and statements within each other, over all calls
#define STAGE_MAX_NODES 5000000 // tensor operations of a program
#define STAGE_MAX_WORK 20000000 // expressions evaluated
#define STAGE_MAX_MEMORY ((size_t)2 << 30) // besides the files of data
#define STAGE_MAX_LENGTH ((size_t)1 << 26) // elements of an array, bytes of a text

typedef VEC(const char *) stage_names;

// -- names ---------------------------------------------------------------------------------------

struct stage_binding {
    const char *name;
    struct stage_value value;
    bool rebindable; // `var`
    struct span span;
    struct stage_binding *next;
};

// Where names are looked up: the blocks and functions around, then the file's top level, then the
// prelude, then the builtins. A closure keeps a copy; later bindings do not reach it.
struct stage_env {
    struct stage_module *module;
    struct stage_binding *locals; // innermost first
    bool top;                     // at the file's top level: bindings go to the module
};

struct stage_module {
    const char *name;   // "nn"
    const char *shown;  // "stdlib/nn.hlxl"
    const char *folder; // of the file, for relative paths
    struct ast_file *tree;
    struct map names;              // name -> struct stage_binding *
    struct stage_module *importer; // while it is being loaded
    bool loading;
};

struct stage_function {
    const char *name;
    const struct ast *fn;
    struct stage_env env;
};

// A data source: what its builtin made and, once declared, its name.
struct stage_data {
    const char *kind; // "jsonl"
    const char *name; // NULL before it is declared
    struct span span;
    const struct value *source, *content;
    const char *hint;
    VEC(struct ir_field) fields;
    int64_t index; // in module->data, or -1: not used by an entry
};

// -- what is being staged ------------------------------------------------------------------------

enum stage_unit_kind { STAGE_ENTRY, STAGE_INIT };

struct stage_update {
    uint32_t var;
    ir_ref value;
    struct span span;
};

// A graph under construction: an entry's, or an initialiser's.
struct stage_unit {
    enum stage_unit_kind kind;
    const char *name; // of the entry, or the var's path
    struct ir_graph *graph;
    struct map declared; // path -> var index: vars that this entry may use
    struct map draws;    // path -> number of random streams drawn there
    VEC(struct stage_update) updates;
    struct map updated; // index of a var -> its place in `updates` + 1
    unsigned backward;  // nesting of backward rules being staged
};

// A call that is under way.
struct stage_frame {
    const char *callee;
    struct span at; // the call
    struct stage_frame *up;
};

struct stage_schema; // of stage_contract.c

struct stage {
    struct arena *a;
    struct ir_module *m;
    struct sources *sources;
    struct diags *d;
    const struct frontend_options *options;
    struct map modules; // cleaned path or "stdlib/nn.hlxl" -> struct stage_module *
    struct stage_module *main, *prelude;
    struct map builtins; // name -> const struct stage_builtin *
    struct map defines;  // name -> struct stage_value *, of -D
    struct map vars;     // path -> index into m->vars
    struct map globals;  // path -> index: vars declared outside of any entry
    struct map locs;     // span -> index into m->locs
    struct map reported; // code and span of errors made
    struct map store;    // handle -> struct stage_stored *
    struct map bound;    // "&name" -> full handle
    VEC(struct stage_schema *) schemas;
    const struct value *root; // of ls.root, or NULL
    struct span root_at;
    struct stage_unit *unit; // or NULL: no tensors here
    const char *path;        // scope of declarations: "layers.0"
    struct stage_frame *frame;
    struct span at; // of the expression being evaluated: the place of nodes
    unsigned calls, nesting;
    uint64_t work, nodes;
    size_t files;              // bytes of data files
    uint32_t custom;           // backward rules so far
    bool unwind;               // `return` was met: go back to the call
    bool stop;                 // a limit was met: end
    struct stage_value result; // of `return`
    struct exact_trees exact;
    bool exact_ready;
    bool *missing;
};

// -- stage_diag.c: errors ------------------------------------------------------------------------

// Reports an error with the calls that led there. Returns a sink when the same error at the same
// place was reported before (a function called for each of 12 layers is wrong once).
struct diag *stage_error(struct stage *s, struct span at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// The same without more to say; returns POISON.
struct stage_value stage_fail(struct stage *s, struct span at, const char *code, const char *format,
                              ...) __attribute__((format(printf, 4, 5)));
// Ends the evaluation after an error about a limit.
struct stage_value stage_halt(struct stage *s, struct span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Puts the places of each message first, then its notes (the calls), then its helps.
void stage_order_parts(struct diags *d);
// Counts one piece of work; false once evaluation has ended or unwinds.
bool stage_work(struct stage *s, struct span at);
// Counts work that grows with the size of what is worked on.
void stage_charge(struct stage *s, uint64_t weight);

// -- stage_env.c ---------------------------------------------------------------------------------

void stage_bind(struct stage *s, struct stage_env *env, const char *name, struct stage_value value,
                bool rebindable, struct span span);
// The binding of a name in the program (not of builtins), or NULL.
struct stage_binding *stage_find(const struct stage *s, const struct stage_env *env,
                                 const char *name);
bool stage_lookup(struct stage *s, const struct stage_env *env, const char *name,
                  struct stage_value *out);
// Reports a name that nothing has, with the nearest one.
struct diag *stage_unknown_name(struct stage *s, const struct stage_env *env, struct span at,
                                const char *name);
// The nearest of n names for "did you mean", added as a help; nothing when none is near.
void stage_suggest(struct diag *g, const char *word, const char *const *names, size_t n);
// Scope paths: "layers" + "0" -> "layers.0".
const char *stage_join(struct stage *s, const char *path, const char *name);

// -- stage_expr.c, stage_binary.c, stage_index.c, stage_stmt.c -----------------------------------

struct stage_value stage_expr(struct stage *s, struct stage_env *env, const struct ast *e);
struct stage_value stage_range(struct stage *s, struct span at, int64_t low, int64_t high);
struct stage_value stage_unary_value(struct stage *s, struct span at, enum ast_operator op,
                                     struct stage_value v);
struct stage_value stage_binary_value(struct stage *s, struct span at, enum ast_operator op,
                                      struct stage_value a, struct stage_value b);
struct stage_value stage_power(struct stage *s, struct span at, struct stage_value x,
                               struct stage_value n);
struct stage_value stage_matmul(struct stage *s, struct span at, struct stage_value a,
                                struct stage_value b);
struct stage_value stage_index(struct stage *s, struct stage_env *env, const struct ast *e);
struct stage_value stage_member(struct stage *s, struct stage_env *env, const struct ast *e);
// A block with its own scope; its value is that of its last statement.
struct stage_value stage_block(struct stage *s, const struct stage_env *env,
                               const struct ast *block);
struct stage_value stage_statement(struct stage *s, struct stage_env *env, const struct ast *st);
struct stage_value stage_if(struct stage *s, struct stage_env *env, const struct ast *e);
struct stage_value stage_make_function(struct stage *s, const struct stage_env *env,
                                       const struct ast *fn);
// Compile-time truth: reports anything but a bool.
bool stage_truth(struct stage *s, struct span at, struct stage_value v, bool *out);

// -- stage_call.c --------------------------------------------------------------------------------

struct stage_arg {
    const char *name; // "" when positional
    struct stage_value value;
    struct span span;
};

struct stage_value stage_call(struct stage *s, struct stage_env *env, const struct ast *e,
                              const char *scope);
// Calls a value with evaluated arguments.
struct stage_value stage_apply(struct stage *s, struct span at, struct stage_value callee,
                               const struct stage_arg *args, size_t n);
// Makes a value that is too large or nests too deep POISON, with an error.
void stage_check_size(struct stage *s, struct span at, struct stage_value *v);

// -- stage_type.c: types written in the source ---------------------------------------------------

struct stage_dim {
    int64_t extent;
    const char *name; // "" when it has none
    bool unbound;     // nothing of that name: it binds to the extent found
    struct span span;
};

typedef VEC(struct stage_dim) stage_dims;

// Evaluates the dimensions of a type; false after an error.
bool stage_type_dims(struct stage *s, struct stage_env *env, const struct ast *type,
                     stage_dims *out);
// The tensor type that is written, all of whose names must be bound; 0 after an error. `what` says
// for whom: "a param"; `help`, which may be NULL, what to do about a name that is not bound.
ir_typeid stage_type_of(struct stage *s, struct stage_env *env, const struct ast *type,
                        const char *what, const char *help);
// Checks a value against a written type, binding the unbound names of its shape in env. An int
// becomes a float, a number a scalar tensor, where that is wanted. `what` is what the value is:
// "argument `x` of `f`". False after an error.
bool stage_check(struct stage *s, struct stage_env *env, const struct ast *type,
                 struct stage_value *v, struct span at, const char *what);

// -- stage_tensor.c: nodes -----------------------------------------------------------------------

struct stage_value stage_tensor(struct stage *s, ir_ref r);
// The node of a tensor, param or state in the current graph; 0 after an error.
ir_ref stage_ref(struct stage *s, struct span at, struct stage_value v);
// The same for anything that can be a tensor; numbers and bools become scalar constants of `dtype`
// (DT_COUNT: f32 for floats, i32 for ints, bool).
ir_ref stage_lift(struct stage *s, struct span at, struct stage_value v, enum dtype dtype);
// Makes a node after checking its operands; 0 after an error.
ir_ref stage_node(struct stage *s, struct span at, enum ir_op op, const ir_ref *args,
                  unsigned nargs, const int64_t *attrs, unsigned nattrs, ir_typeid wanted);
// The type of a value that is a tensor.
ir_typeid stage_typeid(const struct stage *s, struct stage_value v);
const char *stage_type_text(struct ir_module *m, struct stage_value v);
// The node of a scalar constant; 0 after an error (a number that the type cannot hold).
ir_ref stage_constant(struct stage *s, struct span at, struct stage_value v, enum dtype dtype);
bool stage_number_bits(struct stage *s, struct span at, struct stage_value v, enum dtype dtype,
                       uint32_t *bits);
bool stage_f32(struct stage *s, struct span at, double x, float *out);
// The trees that compute functions of compile-time values; a float of the language from a result.
struct exact_trees *stage_trees(struct stage *s);
struct stage_value stage_finite(struct stage *s, struct span at, double x);
// Moves to the shape of `type` (broadcast, reshape) unless it has it.
ir_ref stage_spread(struct stage *s, struct span at, ir_ref r, ir_typeid type);
ir_ref stage_reshape(struct stage *s, struct span at, ir_ref r, unsigned rank, const int64_t *dims,
                     const ir_name *names);
// Widens `to` by another shape as NumPy broadcasts, dimensions aligned at the last one.
bool stage_widen(struct stage *s, struct span at, const char *what, struct ir_type *to,
                 ir_typeid other);
// Brings operands, of which some may be numbers, to one element type and shape as NumPy broadcasts.
// `what` names the operation in messages. False after an error.
bool stage_common(struct stage *s, struct span at, const char *what, struct stage_value *v,
                  unsigned n, ir_ref *out);
// An elementwise operation on values of which one at least is a tensor.
struct stage_value stage_map(struct stage *s, struct span at, const char *what, enum ir_op op,
                             struct stage_value *v, unsigned n);
struct stage_value stage_cast(struct stage *s, struct span at, struct stage_value v,
                              enum dtype dtype);
uint32_t stage_loc(struct stage *s, struct span at);
void stage_name_node(struct stage *s, struct stage_value v, const char *name);

// -- stage_decl.c, stage_data.c, stage_entry.c ---------------------------------------------------

void stage_param(struct stage *s, struct stage_env *env, const struct ast *st);
void stage_assign_update(struct stage *s, struct stage_env *env, const struct ast *st);
void stage_data_decl(struct stage *s, struct stage_env *env, const struct ast *item);
void stage_entry(struct stage *s, struct stage_env *env, const struct ast *item);
// Puts vars in order of path once everything is staged.
void stage_sort_vars(struct stage *s);
// Paths and indices of the params of the current entry under a prefix ("" for all), in order.
typedef VEC(uint32_t) stage_vars;
void stage_params(struct stage *s, const char *prefix, stage_vars *out);

// -- stage.c: modules ----------------------------------------------------------------------------

// Runs a text as the main file, and what it imports. `path` is where it is from: for messages,
// relative paths and cycles. The caller asks s->d->errors.
void stage_run(struct stage *s, const char *path, const char *text, size_t n);

// -- stage_contract.c: schemas of contracts ------------------------------------------------------

// Declares a schema of the program's own.
void stage_schema(struct stage *s, struct stage_env *env, const struct ast *item);
// Checks a contract's literal against its schema, if it has one, and adds the fields that the
// schema gives a value. Returns it, or POISON after an error.
struct stage_value stage_contract(struct stage *s, const struct ast *literal,
                                  struct stage_value fields);

// -- stage_pipeline.c ----------------------------------------------------------------------------

// The root of ls.root with all that it leads to in the store, if the program has one and whoever
// compiles asks for it. A program with entries has none: an error.
void stage_pipeline_close(struct stage *s);

// -- stage_define.c: names given on the command line ---------------------------------------------

void stage_defines_init(struct stage *s);
// Binds them in the main file; warns of those that it has no use for.
void stage_defines_bind(struct stage *s, struct stage_env *env, const struct ast *program);

// -- stage_latent.c: to and from latent values ---------------------------------------------------

// NULL after an error: functions and tensors are no latent values.
const struct value *stage_to_latent(struct stage *s, struct span at, struct stage_value v);
struct stage_value stage_from_latent(struct stage *s, const struct value *v);

// -- builtins ------------------------------------------------------------------------------------

#define STAGE_MAX_ARGS 6

// A call of a builtin: arguments in the order of its signature, NONE where left out.
struct stage_call {
    const struct stage_builtin *builtin;
    struct span at;
    struct stage_value arg[STAGE_MAX_ARGS];
    struct span arg_at[STAGE_MAX_ARGS];
    const struct stage_arg *rest; // of `...`
    size_t nrest;
};

struct stage_builtin {
    const char *name;
    const char *signature; // "x, axis = null, keep = false"; "f, args..."
    struct stage_value (*run)(struct stage *s, struct stage_call *c);
    int op; // what `run` needs to know besides: an operation, often
    const char *doc;
};

// Ends with a row of NULLs. Names with a dot are members of the module `ls`.
extern const struct stage_builtin stage_builtins[];
extern const struct stage_builtin stage_ls_builtins[];

void stage_builtins_init(struct stage *s);
struct stage_value stage_apply_builtin(struct stage *s, struct span at,
                                       const struct stage_builtin *b, const struct stage_arg *args,
                                       size_t n);

// Arguments of builtins. Each reports what is wrong and returns false.
bool stage_want_int(struct stage *s, struct stage_call *c, unsigned i, int64_t low, int64_t high,
                    int64_t *out);
bool stage_want_bool(struct stage *s, struct stage_call *c, unsigned i, bool *out);
// `missing` is what an argument left out stands for; NULL: it may not be.
bool stage_want_text(struct stage *s, struct stage_call *c, unsigned i, const char *missing,
                     const char **out);
bool stage_want_tensor(struct stage *s, struct stage_call *c, unsigned i, ir_ref *out);
// An axis of tensor r, negative counted from the end.
bool stage_want_axis(struct stage *s, struct stage_call *c, unsigned i, ir_ref r, int64_t *out);
// A shape: an int or an array of ints. *n is at most IR_MAX_RANK; -1 is let through if `wild`.
bool stage_want_shape(struct stage *s, struct stage_call *c, unsigned i, bool wild, unsigned *n,
                      int64_t dims[IR_MAX_RANK]);
bool stage_given(const struct stage_call *c, unsigned i); // neither left out nor null
struct stage_value stage_arg_error(struct stage *s, struct stage_call *c, unsigned i,
                                   const char *wanted);

// Prints the reference of builtins in spec/language.md (Markdown).
void stage_builtins_markdown(struct buf *out);

#endif
