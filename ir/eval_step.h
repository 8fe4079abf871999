// eval_step.h: shared by the files of the evaluator: its parts, steps and memory.
//
// eval_new makes a step of every kernel. Where a tensor lies is a slot; the table of pointers is
// filled for each run. A class of kernels is two functions: prepare (once) and run.
#ifndef HLX_IR_EVAL_STEP_H
#define HLX_IR_EVAL_STEP_H

#include "ir/eval.h"
#include "ir/exact.h"
#include "ir/fuse.h"
#include "ir/tape.h"
#include "ir/team.h"

enum eval_place { EVAL_FIXED, EVAL_WORK, EVAL_INPUT, EVAL_VAR, EVAL_OUT };

// Where a tensor lies.
struct eval_slot {
    enum eval_place place;
    uint32_t index;     // INPUT, VAR, OUT: of what the caller hands in
    void *fixed;        // FIXED
    size_t bytes;       // WORK
    size_t offset;      // WORK: in the working memory
    size_t first, last; // WORK: steps that need it
};

// What becomes of an anchor's elements once they are there.
enum { EVAL_FLUSH = 1, EVAL_TRUTH = 2, EVAL_CANON = 4 };

struct eval_step {
    const struct ir_kernel *kernel;
    struct tape *tape; // elementwise nodes, or NULL
    unsigned clean;    // EVAL_...: for what other code than tapes has stored
    size_t scratch;    // bytes for each worker
    size_t temp_bytes; // bytes of working memory during the step
    tape_slot temp;
    void *plan; // of the class
};

struct eval_copy {
    uint32_t out;
    tape_slot from;
    enum dtype dtype;
    int64_t count;
    unsigned clean;
};

struct eval {
    const struct ir_graph *graph;
    struct arena arena;
    struct ir_module numbers; // home of the trees
    struct exact_trees trees;
    struct ir_fusion fusion;
    struct tape_source source;
    tape_slot *slot_of; // by node; 0: none
    bool *observed;     // by node: leaves as it is stored
    VEC(struct eval_slot) slots;
    VEC(struct eval_step) steps;
    VEC(struct eval_copy) copies; // roots that are not stored right where they belong
    void **slot;                  // pointers of this run
    struct team *team;
    char *work, *scratch;
    size_t work_bytes, scratch_bytes; // scratch: of one worker
    uint32_t counters[3];
};

struct eval_class {
    void (*prepare)(struct eval *e, struct eval_step *s);
    void (*run)(struct eval *e, const struct eval_step *s);
};

extern const struct eval_class eval_map, eval_reduce, eval_matmul, eval_move, eval_gather;

// Elements of an operand of the step's anchor, behind its views.
tape_slot eval_operand_slot(const struct eval *e, const struct eval_step *s, unsigned arg);
void *eval_operand(const struct eval *e, const struct eval_step *s, unsigned arg);
void *eval_result(const struct eval *e, const struct eval_step *s);
const struct ir_type *eval_operand_type(const struct eval *e, const struct eval_step *s,
                                        unsigned arg);
const struct ir_type *eval_result_type(const struct eval *e, const struct eval_step *s);
void *eval_scratch(const struct eval *e, unsigned worker);

// How many parts are worth making of `units` that cost `cost` simple operations each.
size_t eval_parts(const struct eval *e, int64_t units, double cost);

// Fills in slots, their places in working memory, and the copies of roots (eval_plan.c).
void eval_plan_slots(struct eval *e, const ir_ref *roots, size_t nroots);
void eval_plan_memory(struct eval *e);

// -- copying with strides (eval_move.c)
// -------------------------------------------------------------

struct move {
    unsigned rank;
    int64_t dim[IR_MAX_RANK], from[IR_MAX_RANK], to[IR_MAX_RANK]; // strides in elements
};

// Appends an inner axis.
void move_axis(struct move *m, int64_t dim, int64_t from, int64_t to);
// Copies elements of 1, 2 or 4 bytes.
void move_copy(const struct move *m, size_t bytes, const void *from, void *to);

#endif
