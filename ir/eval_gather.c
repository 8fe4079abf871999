// eval_gather.c: rows by index: reading them, and summing what comes back to each.
#include "ir/eval_step.h"

#include <string.h>

#include "ir/eval_fold.h"

struct plan {
    int64_t rows;     // of the table, or of the result
    int64_t n, width; // indices; elements of a row
};

static int64_t row_width(const struct ir_type *t, unsigned from)
{
    int64_t n = 1;
    for (unsigned i = from; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

static bool in_range(const struct plan *p, int32_t index)
{
    return index >= 0 && index < p->rows;
}

// -- gather --------------------------------------------------------------------------------------

static void gather(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    size_t bytes = (size_t)p->width * dtype_bytes(eval_result_type(e, s)->dtype);
    const char *table = eval_operand(e, s, 0);
    const int32_t *index = eval_operand(e, s, 1);
    char *out = eval_result(e, s);
    for (int64_t i = 0; i < p->n; i++, out += bytes) {
        if (in_range(p, index[i]))
            memcpy(out, table + (size_t)index[i] * bytes, bytes);
        else
            memset(out, 0, bytes);
    }
}

// -- scatter -------------------------------------------------------------------------------------

// Positions sorted by row, ascending within each: row r has order[start[r] .. start[r + 1]).
struct sorted {
    int64_t *start, *order;
};

static struct sorted sort_positions(const struct plan *p, const int32_t *index, void *memory)
{
    struct sorted s = {memory, (int64_t *)memory + p->rows + 2};
    int64_t *next = s.start + 1; // while filling: where row r goes on
    memset(s.start, 0, (size_t)(p->rows + 2) * sizeof *s.start);
    for (int64_t i = 0; i < p->n; i++)
        if (in_range(p, index[i]))
            next[index[i] + 1]++;
    for (int64_t r = 1; r <= p->rows; r++)
        next[r] += next[r - 1];
    for (int64_t i = 0; i < p->n; i++)
        if (in_range(p, index[i]))
            s.order[next[index[i]]++] = i;
    return s;
}

struct job {
    struct eval *e;
    const struct eval_step *s;
    struct sorted sorted;
    int64_t per_part; // rows
};

static void sum_row(const struct job *j, int64_t row, void *memory)
{
    const struct plan *p = j->s->plan;
    const uint32_t *values = eval_operand(j->e, j->s, 1);
    uint32_t *out = (uint32_t *)eval_result(j->e, j->s) + row * p->width;
    const int64_t *at = j->sorted.order + j->sorted.start[row];
    int64_t n = j->sorted.start[row + 1] - j->sorted.start[row];
    const struct fold_kind *sum = fold_kind(IR_sum, eval_result_type(j->e, j->s)->dtype);
    if (!n)
        memset(out, 0, (size_t)p->width * 4);
    for (int64_t c = 0; n && c < p->width; c += TAPE_LANES) {
        struct fold f;
        size_t width = (size_t)(p->width - c < TAPE_LANES ? p->width - c : TAPE_LANES);
        fold_begin(&f, sum, n, width, memory);
        for (int64_t i = 0; i < n; i++)
            fold_row(&f, values + at[i] * p->width + c);
        fold_end(&f, out + c);
    }
}

static void sum_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    const struct plan *p = j->s->plan;
    int64_t from = (int64_t)part * j->per_part, to = from + j->per_part;
    for (int64_t row = from; row < to && row < p->rows; row++)
        sum_row(j, row, eval_scratch(j->e, worker));
}

static void scatter(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    struct job j = {e, s, sort_positions(p, eval_operand(e, s, 0), e->slot[s->temp]), 0};
    double cost = (double)(p->n + p->rows) * (double)p->width / (double)p->rows;
    int64_t parts = (int64_t)eval_parts(e, p->rows, cost);
    j.per_part = (p->rows + parts - 1) / parts;
    team_run(e->team, (size_t)((p->rows + j.per_part - 1) / j.per_part), sum_part, &j);
}

// -- the class -----------------------------------------------------------------------------------

static void prepare(struct eval *e, struct eval_step *s)
{
    struct plan *p = s->plan = arena_new(&e->arena, struct plan);
    const struct ir_type *a = eval_operand_type(e, s, 0), *b = eval_operand_type(e, s, 1);
    if (ir_opcode(e->graph, s->kernel->anchor) == IR_gather_rows) {
        *p = (struct plan){a->dim[0], ir_type_count(b), row_width(a, 1)};
        return;
    }
    *p = (struct plan){eval_result_type(e, s)->dim[0], ir_type_count(a), row_width(b, a->rank)};
    size_t width = (size_t)(p->width < TAPE_LANES ? p->width : TAPE_LANES);
    s->scratch = fold_bytes(p->n, width);
    s->temp_bytes = (size_t)(p->rows + 2 + p->n) * sizeof(int64_t);
}

static void run(struct eval *e, const struct eval_step *s)
{
    if (ir_opcode(e->graph, s->kernel->anchor) == IR_gather_rows)
        gather(e, s);
    else
        scatter(e, s);
}

const struct eval_class eval_gather = {prepare, run};
