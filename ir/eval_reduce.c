// eval_reduce.c: reductions over axes, and what elementwise nodes compute on the way to them.
//
// The operand is seen as [outer, n, inner]: n elements are reduced for each of outer * inner
// results. With inner = 1 they lie one after another; otherwise rows of results are folded lane by
// lane. Where the reduced axes do not lie together, the operand is first moved so that they do.
#include "ir/eval_step.h"

#include <string.h>

#include "ir/eval_fold.h"
#include "ir/lanes.h"

struct plan {
    int64_t outer, n, inner;
    size_t width;                 // results folded at a time: of one row
    int64_t units;                // outer, or outer times the pieces of a row
    const struct fold_kind *kind; // NULL: argmax
    enum dtype dtype;             // of the operand
    bool moved;                   // through temporary memory
    struct move move;
    int64_t count;
    size_t tape_bytes;
};

// -- arg max: greatest key, the first of equals
// ----------------------------------------------------

// Keys order as the numbers do, -0 before +0, NaN last.
static int32_t key_of(enum dtype t, uint32_t bits)
{
    if (t == DT_U32)
        return (int32_t)(bits ^ 0x80000000u);
    if (t == DT_I32)
        return (int32_t)bits;
    bits = f32_flush_bits(bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return INT32_MAX;
    return (int32_t)(bits >> 31 ? bits ^ 0x7fffffffu : bits);
}

struct best {
    enum dtype dtype;
    size_t width;
    int32_t *key, *index;
    int32_t at;
};

static void best_begin(struct best *b, enum dtype t, size_t width, void *memory)
{
    *b = (struct best){t, width, memory, (int32_t *)memory + width, 0};
}

static void best_row(struct best *b, const uint32_t *row)
{
    for (size_t i = 0; i < b->width; i++) {
        int32_t key = key_of(b->dtype, row[i]);
        if (b->at && key <= b->key[i])
            continue;
        b->key[i] = key;
        b->index[i] = b->at;
    }
    b->at++;
}

// -- folds of either sort ------------------------------------------------------------------------

struct state {
    const struct plan *p;
    void *memory;
    struct fold fold;
    struct best best;
};

static void begin(struct state *s, size_t width)
{
    if (s->p->kind)
        fold_begin(&s->fold, s->p->kind, s->p->n, width, s->memory);
    else
        best_begin(&s->best, s->p->dtype, width, s->memory);
}

static void add_row(struct state *s, const uint32_t *row)
{
    if (s->p->kind)
        fold_row(&s->fold, row);
    else
        best_row(&s->best, row);
}

static void add_run(struct state *s, const uint32_t *x, size_t n)
{
    if (s->p->kind)
        fold_run(&s->fold, x, n);
    else
        for (size_t i = 0; i < n; i++)
            best_row(&s->best, x + i);
}

static void end(struct state *s, uint32_t *out)
{
    if (s->p->kind)
        fold_end(&s->fold, out);
    else
        memcpy(out, s->best.index, s->best.width * 4);
}

// -- where elements come from --------------------------------------------------------------------

// A tape, or memory.
struct supply {
    struct tape_run tape;
    const uint32_t *memory; // NULL: the tape
};

static const uint32_t *fetch(struct supply *s, int64_t start, size_t n)
{
    return s->memory ? s->memory + start : tape_block(&s->tape, start, n);
}

// -- the parts of a reduction --------------------------------------------------------------------

struct job {
    struct eval *e;
    const struct eval_step *s;
    const struct plan *p;
    const uint32_t *memory;
    int64_t per_part; // units
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// One result at a time, in blocks of lanes.
static void reduce_long_runs(const struct plan *p, struct supply *supply, struct state *st,
                             int64_t from, int64_t to, uint32_t *out)
{
    for (int64_t o = from; o < to; o++) {
        begin(st, 1);
        for (int64_t at = 0; at < p->n; at += TAPE_LANES) {
            size_t n = (size_t)least(TAPE_LANES, p->n - at);
            add_run(st, fetch(supply, o * p->n + at, n), n);
        }
        end(st, out + o);
    }
}

// A block of lanes for as many results as it holds.
static void reduce_short_runs(const struct plan *p, struct supply *supply, struct state *st,
                              int64_t from, int64_t to, uint32_t *out)
{
    int64_t group = TAPE_LANES / p->n;
    for (int64_t o = from; o < to; o += group) {
        int64_t results = least(group, to - o);
        const uint32_t *x = fetch(supply, o * p->n, (size_t)(results * p->n));
        for (int64_t k = 0; k < results; k++) {
            begin(st, 1);
            add_run(st, x + k * p->n, (size_t)p->n);
            end(st, out + o + k);
        }
    }
}

// One piece of a row of results; several rows of elements at a time where they are short.
static void reduce_rows(const struct plan *p, struct supply *supply, struct state *st, int64_t unit,
                        uint32_t *out)
{
    int64_t pieces = p->units / p->outer, o = unit / pieces;
    int64_t column = unit % pieces * (int64_t)p->width;
    size_t width = (size_t)least((int64_t)p->width, p->inner - column);
    int64_t group = p->inner <= TAPE_LANES ? TAPE_LANES / p->inner : 1;
    begin(st, width);
    for (int64_t r = 0; r < p->n; r += group) {
        int64_t rows = least(group, p->n - r);
        size_t lanes = rows > 1 ? (size_t)(rows * p->inner) : width;
        const uint32_t *x = fetch(supply, (o * p->n + r) * p->inner + column, lanes);
        for (int64_t k = 0; k < rows; k++)
            add_row(st, x + k * p->inner);
    }
    end(st, out + o * p->inner + column);
}

static void do_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    const struct plan *p = j->p;
    char *scratch = eval_scratch(j->e, worker);
    struct supply supply = {.memory = j->memory};
    struct state st = {.p = p, .memory = scratch + p->tape_bytes};
    uint32_t *out = eval_result(j->e, j->s);
    int64_t from = (int64_t)part * j->per_part, to = least(from + j->per_part, p->units);
    if (!j->memory)
        tape_begin(&supply.tape, j->s->tape, j->e->slot, scratch,
                   (size_t)least(TAPE_LANES, p->count));
    if (p->inner == 1 && p->n > TAPE_LANES)
        reduce_long_runs(p, &supply, &st, from, to, out);
    else if (p->inner == 1)
        reduce_short_runs(p, &supply, &st, from, to, out);
    else
        for (int64_t unit = from; unit < to; unit++)
            reduce_rows(p, &supply, &st, unit, out);
}

// The operand into temporary memory, then moved to [results, reduced] behind itself.
static const uint32_t *move_operand(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    uint32_t *memory = e->slot[s->temp];
    struct tape_run tape;
    tape_begin(&tape, s->tape, e->slot, eval_scratch(e, 0), (size_t)least(TAPE_LANES, p->count));
    for (int64_t at = 0; at < p->count; at += TAPE_LANES) {
        size_t n = (size_t)least(TAPE_LANES, p->count - at);
        memcpy(memory + at, tape_block(&tape, at, n), n * 4);
    }
    move_copy(&p->move, 4, memory, memory + p->count);
    return memory + p->count;
}

static void run(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    struct job j = {e, s, p, p->moved ? move_operand(e, s) : NULL, 0};
    double cost = (double)p->count / (double)p->units * (double)(1 + tape_cost(s->tape));
    int64_t parts = (int64_t)eval_parts(e, p->units, cost);
    j.per_part = (p->units + parts - 1) / parts;
    team_run(e->team, (size_t)((p->units + j.per_part - 1) / j.per_part), do_part, &j);
}

// -- planning ------------------------------------------------------------------------------------

static bool is_reduced(const struct eval *e, const struct eval_step *s, unsigned axis)
{
    const struct ir_node *n = ir_get(e->graph, s->kernel->anchor);
    for (unsigned i = 0; i < n->nattrs; i++)
        if (ir_attr(e->graph, s->kernel->anchor, i) == (int64_t)axis)
            return true;
    return false;
}

// Reads the axes as [outer, n, inner]; false where reduced axes do not lie together.
static bool view_axes(const struct eval *e, const struct eval_step *s, struct plan *p)
{
    const struct ir_type *t = eval_operand_type(e, s, 0);
    p->outer = p->n = p->inner = 1;
    for (unsigned i = 0; i < t->rank; i++) {
        if (t->dim[i] == 1)
            continue;
        if (!is_reduced(e, s, i))
            *(p->n > 1 ? &p->inner : &p->outer) *= t->dim[i];
        else if (p->inner > 1)
            return false;
        else
            p->n *= t->dim[i];
    }
    return true;
}

// Results first, reduced axes after them, each in order.
static void plan_move(const struct eval *e, const struct eval_step *s, struct plan *p)
{
    const struct ir_type *t = eval_operand_type(e, s, 0);
    int64_t from[IR_MAX_RANK], step = 1;
    p->moved = true;
    p->outer = p->n = p->inner = 1;
    for (unsigned i = t->rank; i-- > 0; step *= t->dim[i])
        from[i] = step;
    for (unsigned i = 0; i < t->rank; i++)
        *(is_reduced(e, s, i) ? &p->n : &p->outer) *= t->dim[i];
    int64_t to = step;
    for (unsigned reduced = 0; reduced < 2; reduced++)
        for (unsigned i = 0; i < t->rank; i++)
            if (is_reduced(e, s, i) == reduced) {
                to /= t->dim[i];
                move_axis(&p->move, t->dim[i], from[i], to);
            }
}

static void prepare(struct eval *e, struct eval_step *s)
{
    struct plan *p = s->plan = arena_new(&e->arena, struct plan);
    enum ir_op op = ir_opcode(e->graph, s->kernel->anchor);
    const struct ir_type *t = eval_operand_type(e, s, 0);
    p->dtype = t->dtype;
    p->count = ir_type_count(t);
    p->kind = op == IR_argmax ? NULL : fold_kind(op, t->dtype);
    if (!view_axes(e, s, p))
        plan_move(e, s, p);
    if (p->n == 1 && p->inner == 1) { // one element each: rows are quicker
        p->inner = p->outer;
        p->outer = 1;
    }
    p->width = (size_t)least(p->inner, TAPE_LANES);
    p->units = p->outer * ((p->inner + TAPE_LANES - 1) / TAPE_LANES);
    p->tape_bytes = tape_scratch(s->tape);
    s->scratch = p->tape_bytes + (p->kind ? fold_bytes(p->n, p->width) : p->width * 8);
    s->temp_bytes = p->moved ? (size_t)p->count * 8 : 0;
}

const struct eval_class eval_reduce = {prepare, run};
