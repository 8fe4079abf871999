// eval.c: evaluates graphs on the CPU, kernel by kernel.
#include "ir/eval.h"

#include <stdlib.h>
#include <string.h>

#include "ir/eval_step.h"
#include "ir/lanes.h"

// -- for the classes -----------------------------------------------------------------------------

tape_slot eval_operand_slot(const struct eval *e, const struct eval_step *s, unsigned arg)
{
    return e->slot_of[ir_view_base(e->graph, ir_arg(e->graph, s->kernel->anchor, arg))];
}

void *eval_operand(const struct eval *e, const struct eval_step *s, unsigned arg)
{
    return e->slot[eval_operand_slot(e, s, arg)];
}

void *eval_result(const struct eval *e, const struct eval_step *s)
{
    return e->slot[e->slot_of[s->kernel->anchor]];
}

const struct ir_type *eval_operand_type(const struct eval *e, const struct eval_step *s,
                                        unsigned arg)
{
    return ir_typeof(e->graph, ir_arg(e->graph, s->kernel->anchor, arg));
}

const struct ir_type *eval_result_type(const struct eval *e, const struct eval_step *s)
{
    return ir_typeof(e->graph, s->kernel->anchor);
}

void *eval_scratch(const struct eval *e, unsigned worker)
{
    return e->scratch + worker * e->scratch_bytes;
}

// A part should outweigh waking a thread by far; a few for each worker even out the rest.
size_t eval_parts(const struct eval *e, int64_t units, double cost)
{
    const double worth = 1e5;
    unsigned workers = team_size(e->team);
    double parts = (double)units * cost / worth;
    if (workers == 1 || parts < 2)
        return 1;
    if (parts > 4.0 * workers)
        parts = 4.0 * workers;
    return parts > (double)units ? (size_t)units : (size_t)parts;
}

// -- elementwise kernels -------------------------------------------------------------------------

struct map_job {
    struct eval *e;
    const struct eval_step *s;
    int64_t n, per_part;
};

static void map_part(void *arg, size_t part, unsigned worker)
{
    const struct map_job *j = arg;
    int64_t from = (int64_t)part * j->per_part, to = from + j->per_part;
    struct tape_run run;
    if (to > j->n)
        to = j->n;
    tape_begin(&run, j->s->tape, j->e->slot, eval_scratch(j->e, worker),
               (size_t)(to - from < TAPE_LANES ? to - from : TAPE_LANES));
    for (int64_t at = from; at < to; at += TAPE_LANES)
        tape_block(&run, at, (size_t)(to - at < TAPE_LANES ? to - at : TAPE_LANES));
}

static void run_map(struct eval *e, const struct eval_step *s)
{
    struct map_job j = {e, s, ir_type_count(eval_result_type(e, s)), 0};
    int64_t blocks = (j.n + TAPE_LANES - 1) / TAPE_LANES;
    double cost = (double)tape_cost(s->tape) * TAPE_LANES;
    int64_t parts = (int64_t)eval_parts(e, blocks, cost);
    j.per_part = (blocks + parts - 1) / parts * TAPE_LANES;
    team_run(e->team, (size_t)((j.n + j.per_part - 1) / j.per_part), map_part, &j);
}

static void prepare_map(struct eval *e, struct eval_step *s)
{
    (void)e;
    s->scratch = tape_scratch(s->tape);
}

const struct eval_class eval_map = {prepare_map, run_map};

// -- steps ---------------------------------------------------------------------------------------

static const struct eval_class *class_of(const struct ir_kernel *k)
{
    static const struct eval_class *const by_class[] = {
        [IRC_LEAF] = &eval_map,      [IRC_MAP] = &eval_map,   [IRC_REDUCE] = &eval_reduce,
        [IRC_MATMUL] = &eval_matmul, [IRC_MOVE] = &eval_move, [IRC_GATHER] = &eval_gather,
    };
    return by_class[k->class];
}

static bool has_tape(const struct ir_kernel *k)
{
    return k->class == IRC_LEAF || k->class == IRC_MAP || k->class == IRC_REDUCE ||
           (k->class == IRC_MATMUL && k->nodes.n > 1);
}

// Whether a kernel moves elements that came from outside.
static bool moves_foreign(const struct eval *e, const struct ir_kernel *k)
{
    if (k->class != IRC_MOVE && k->class != IRC_GATHER)
        return false;
    for (size_t i = 0; i < k->inputs.n; i++) {
        enum ir_op op = ir_opcode(e->graph, k->inputs.at[i]);
        if (op == IR_input || op == IR_var)
            return true;
    }
    return false;
}

// What the anchor's elements still need: what came from outside may hold anything, and what leaves
// the evaluator shows one NaN. Tapes and arithmetic see to it themselves.
static unsigned clean_of(const struct eval *e, const struct ir_kernel *k)
{
    enum dtype t = ir_typeof(e->graph, k->anchor)->dtype;
    bool moves = moves_foreign(e, k);
    if (k->class == IRC_MAP || k->class == IRC_LEAF || (t != DT_F32 && t != DT_BOOL))
        return 0;
    if (t == DT_BOOL)
        return moves ? EVAL_TRUTH : 0;
    return (moves ? EVAL_FLUSH : 0u) | (e->observed[k->anchor] ? EVAL_CANON : 0u);
}

static void add_step(struct eval *e, uint32_t kernel)
{
    const struct ir_kernel *k = &e->fusion.kernels.at[kernel];
    struct eval_step s = {.kernel = k, .clean = clean_of(e, k)};
    ir_ref result = k->class == IRC_REDUCE ? ir_arg(e->graph, k->anchor, 0) : 0;
    if (has_tape(k))
        s.tape = tape_compile(&e->source, kernel, result, &e->arena);
    class_of(k)->prepare(e, &s);
    if (s.tape && tape_scratch(s.tape) > s.scratch)
        s.scratch = tape_scratch(s.tape);
    if (s.scratch > e->scratch_bytes)
        e->scratch_bytes = s.scratch;
    vec_push(&e->arena, &e->steps, s);
}

static void clean(unsigned how, int64_t n, lane_uint32_t *x)
{
    for (int64_t i = 0; i < n && how & EVAL_TRUTH; i++)
        x[i] = x[i] != 0;
    for (int64_t i = 0; i < n && how & EVAL_FLUSH; i++)
        x[i] = f32_flush_bits(x[i]);
    for (int64_t i = 0; i < n && how & EVAL_CANON; i++)
        x[i] = f32_canon_bits(x[i]);
}

static void run_step(struct eval *e, const struct eval_step *s)
{
    class_of(s->kernel)->run(e, s);
    if (s->clean)
        clean(s->clean, ir_type_count(eval_result_type(e, s)), eval_result(e, s));
    if (s->kernel->class == IRC_MATMUL && s->tape)
        run_map(e, s);
}

// -- the life of an evaluation -------------------------------------------------------------------

static bool allocate(struct eval *e)
{
    e->scratch_bytes = (e->scratch_bytes + 127) / 64 * 64;
    size_t workers = team_size(e->team);
    if (e->work_bytes >= SIZE_MAX / 2 || e->scratch_bytes >= SIZE_MAX / 2 / workers)
        return false;
    e->slot = arena_array(&e->arena, e->slots.n, sizeof *e->slot);
    e->work = aligned_alloc(64, e->work_bytes + 64);
    e->scratch = aligned_alloc(64, e->scratch_bytes * workers);
    return e->work && e->scratch;
}

struct eval *eval_new(const struct ir_graph *g, const ir_ref *roots, size_t nroots, unsigned flags,
                      const char **error)
{
    struct eval *e = calloc(1, sizeof *e);
    *error = "not enough memory to evaluate the program on the CPU";
    if (!e)
        return NULL;
    e->graph = g;
    e->team = team_new(0);
    if (!e->team) {
        free(e);
        return NULL;
    }
    ir_module_init(&e->numbers, &e->arena);
    exact_init(&e->trees, &e->numbers);
    ir_fuse(g, roots, nroots, !(flags & EVAL_NO_FUSE), &e->arena, &e->fusion);
    eval_plan_slots(e, roots, nroots);
    e->source = (struct tape_source){.graph = g,
                                     .fusion = &e->fusion,
                                     .trees = &e->trees,
                                     .slot_of = e->slot_of,
                                     .observed = e->observed,
                                     .trees_only = flags & EVAL_TREES_ONLY};
    for (uint32_t k = 0; k < e->fusion.kernels.n; k++)
        add_step(e, k);
    eval_plan_memory(e);
    if (!allocate(e)) {
        eval_free(e);
        return NULL;
    }
    *error = NULL;
    return e;
}

void eval_free(struct eval *e)
{
    if (!e)
        return;
    team_free(e->team);
    free(e->work);
    free(e->scratch);
    arena_free(&e->arena);
    free(e);
}

size_t eval_memory(const struct eval *e)
{
    return e->work_bytes + e->scratch_bytes * team_size(e->team) + e->arena.used;
}

static void bind_slots(struct eval *e, const void *const *inputs, const void *const *vars,
                       void *const *out)
{
    for (size_t i = 0; i < e->slots.n; i++) {
        const struct eval_slot *s = &e->slots.at[i];
        void *at = s->fixed;
        if (s->place == EVAL_WORK)
            at = e->work + s->offset;
        else if (s->place == EVAL_OUT)
            at = out[s->index];
        else if (s->place != EVAL_FIXED) // only ever read
            at = (void *)(s->place == EVAL_INPUT ? inputs : vars)[s->index];
        e->slot[i] = at;
    }
}

void eval_run(struct eval *e, const void *const *inputs, const void *const *vars,
              const struct eval_counters *counters, void *const *out)
{
    unsigned mode = flush_begin();
    e->counters[0] = (uint32_t)counters->seed;
    e->counters[1] = (uint32_t)(counters->seed >> 32);
    e->counters[2] = counters->step;
    bind_slots(e, inputs, vars, out);
    for (size_t i = 0; i < e->steps.n; i++)
        run_step(e, &e->steps.at[i]);
    for (size_t i = 0; i < e->copies.n; i++) {
        const struct eval_copy *c = &e->copies.at[i];
        memcpy(out[c->out], e->slot[c->from], (size_t)c->count * dtype_bytes(c->dtype));
        clean(c->clean, c->count, out[c->out]);
    }
    flush_end(mode);
}
