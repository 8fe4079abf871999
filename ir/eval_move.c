// eval_move.c: moves elements: transpose, broadcast, slice, pad, concat.
//
// All are copies with strides on both sides. Nothing computes, so the bits are safe.
#include "ir/eval_step.h"

#include <string.h>

// -- the copy ------------------------------------------------------------------------------------

void move_axis(struct move *m, int64_t dim, int64_t from, int64_t to)
{
    unsigned last = m->rank - 1;
    if (dim == 1)
        return;
    if (m->rank && m->from[last] == from * dim && m->to[last] == to * dim) {
        m->dim[last] *= dim;
        m->from[last] = from;
        m->to[last] = to;
        return;
    }
    m->dim[m->rank] = dim;
    m->from[m->rank] = from;
    m->to[m->rank++] = to;
}

static void copy_one(size_t bytes, const char *from, char *to)
{
    if (bytes == 4)
        memcpy(to, from, 4);
    else if (bytes == 2)
        memcpy(to, from, 2);
    else
        *to = *from;
}

static void copy_line(size_t bytes, int64_t n, int64_t from_step, int64_t to_step, const char *from,
                      char *to)
{
    if (from_step == 1 && to_step == 1) {
        memcpy(to, from, (size_t)n * bytes);
        return;
    }
    int64_t f = from_step * (int64_t)bytes, t = to_step * (int64_t)bytes;
    if (bytes == 4) {
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * t, from + i * f, 4);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        copy_one(bytes, from + i * f, to + i * t);
}

// The last two axes in square pieces, so that both sides stay in the cache.
static void copy_plane(const struct move *m, size_t bytes, const char *from, char *to)
{
    enum { PIECE = 32 };
    unsigned y = m->rank - 2, x = m->rank - 1;
    int64_t size = (int64_t)bytes;
    for (int64_t i = 0; i < m->dim[y]; i += PIECE)
        for (int64_t j = 0; j < m->dim[x]; j += PIECE) {
            int64_t rows = m->dim[y] - i < PIECE ? m->dim[y] - i : PIECE;
            int64_t cols = m->dim[x] - j < PIECE ? m->dim[x] - j : PIECE;
            for (int64_t r = i; r < i + rows; r++)
                copy_line(bytes, cols, m->from[x], m->to[x],
                          from + (r * m->from[y] + j * m->from[x]) * size,
                          to + (r * m->to[y] + j * m->to[x]) * size);
        }
}

static void copy_from_axis(const struct move *m, unsigned axis, size_t bytes, const char *from,
                           char *to)
{
    int64_t size = (int64_t)bytes;
    if (axis == m->rank) {
        copy_one(bytes, from, to);
    } else if (axis + 1 == m->rank) {
        copy_line(bytes, m->dim[axis], m->from[axis], m->to[axis], from, to);
    } else if (axis + 2 == m->rank && m->from[axis + 1] != 1) {
        copy_plane(m, bytes, from, to);
    } else {
        for (int64_t i = 0; i < m->dim[axis]; i++)
            copy_from_axis(m, axis + 1, bytes, from + i * m->from[axis] * size,
                           to + i * m->to[axis] * size);
    }
}

void move_copy(const struct move *m, size_t bytes, const void *from, void *to)
{
    copy_from_axis(m, 0, bytes, from, to);
}

// -- the operations as copies --------------------------------------------------------------------

// An operand's copy: where it starts on both sides.
struct piece {
    unsigned arg;
    int64_t from, to; // elements
    struct move move;
};

struct plan {
    bool fill; // the result with operand 1 first
    VEC(struct piece) pieces;
};

static void strides_of(const struct ir_type *t, int64_t stride[IR_MAX_RANK])
{
    int64_t step = 1;
    for (unsigned i = t->rank; i-- > 0; step *= t->dim[i])
        stride[i] = step;
}

static void plan_transpose(struct eval *e, struct eval_step *s, struct plan *p)
{
    const struct ir_type *to = eval_result_type(e, s);
    int64_t from_stride[IR_MAX_RANK] = {0}, to_stride[IR_MAX_RANK] = {0};
    struct piece piece = {0};
    strides_of(eval_operand_type(e, s, 0), from_stride);
    strides_of(to, to_stride);
    for (unsigned i = 0; i < to->rank; i++)
        move_axis(&piece.move, to->dim[i], from_stride[ir_attr(e->graph, s->kernel->anchor, i)],
                  to_stride[i]);
    vec_push(&e->arena, &p->pieces, piece);
}

static void plan_broadcast(struct eval *e, struct eval_step *s, struct plan *p)
{
    const struct ir_type *from = eval_operand_type(e, s, 0), *to = eval_result_type(e, s);
    int64_t from_stride[IR_MAX_RANK] = {0}, to_stride[IR_MAX_RANK] = {0};
    unsigned missing = to->rank - from->rank;
    struct piece piece = {0};
    strides_of(from, from_stride);
    strides_of(to, to_stride);
    for (unsigned i = 0; i < to->rank; i++) {
        bool repeats = i < missing || from->dim[i - missing] == 1;
        move_axis(&piece.move, to->dim[i], repeats ? 0 : from_stride[i - missing], to_stride[i]);
    }
    vec_push(&e->arena, &p->pieces, piece);
}

static void plan_slice(struct eval *e, struct eval_step *s, struct plan *p)
{
    const struct ir_type *to = eval_result_type(e, s);
    int64_t from_stride[IR_MAX_RANK] = {0}, to_stride[IR_MAX_RANK] = {0};
    struct piece piece = {0};
    strides_of(eval_operand_type(e, s, 0), from_stride);
    strides_of(to, to_stride);
    for (unsigned i = 0; i < to->rank; i++) {
        int64_t start = ir_attr(e->graph, s->kernel->anchor, 3 * i);
        int64_t step = ir_attr(e->graph, s->kernel->anchor, 3 * i + 2);
        piece.from += start * from_stride[i];
        move_axis(&piece.move, to->dim[i], step * from_stride[i], to_stride[i]);
    }
    vec_push(&e->arena, &p->pieces, piece);
}

static void plan_pad(struct eval *e, struct eval_step *s, struct plan *p)
{
    const struct ir_type *from = eval_operand_type(e, s, 0);
    int64_t from_stride[IR_MAX_RANK] = {0}, to_stride[IR_MAX_RANK] = {0};
    struct piece piece = {0};
    strides_of(from, from_stride);
    strides_of(eval_result_type(e, s), to_stride);
    for (unsigned i = 0; i < from->rank; i++) {
        int64_t low = ir_attr(e->graph, s->kernel->anchor, 3 * i);
        int64_t between = ir_attr(e->graph, s->kernel->anchor, 3 * i + 2);
        piece.to += low * to_stride[i];
        move_axis(&piece.move, from->dim[i], from_stride[i], (between + 1) * to_stride[i]);
    }
    p->fill = true;
    vec_push(&e->arena, &p->pieces, piece);
}

static void plan_concat(struct eval *e, struct eval_step *s, struct plan *p)
{
    unsigned axis = (unsigned)ir_attr(e->graph, s->kernel->anchor, 0);
    int64_t from_stride[IR_MAX_RANK] = {0}, to_stride[IR_MAX_RANK] = {0}, at = 0;
    strides_of(eval_result_type(e, s), to_stride);
    for (unsigned k = 0; k < ir_get(e->graph, s->kernel->anchor)->nargs; k++) {
        const struct ir_type *from = eval_operand_type(e, s, k);
        struct piece piece = {.arg = k, .to = at * to_stride[axis]};
        strides_of(from, from_stride);
        for (unsigned i = 0; i < from->rank; i++)
            move_axis(&piece.move, from->dim[i], from_stride[i], to_stride[i]);
        vec_push(&e->arena, &p->pieces, piece);
        at += from->dim[axis];
    }
}

// -- the class -----------------------------------------------------------------------------------

static void prepare(struct eval *e, struct eval_step *s)
{
    static void (*const by_op[IR_OP_COUNT])(struct eval *, struct eval_step *, struct plan *) = {
        [IR_transpose] = plan_transpose, [IR_broadcast] = plan_broadcast,
        [IR_slice] = plan_slice,         [IR_pad] = plan_pad,
        [IR_concat] = plan_concat,
    };
    struct plan *p = s->plan = arena_new(&e->arena, struct plan);
    by_op[ir_opcode(e->graph, s->kernel->anchor)](e, s, p);
}

static void run(struct eval *e, const struct eval_step *s)
{
    const struct plan *p = s->plan;
    const struct ir_type *t = eval_result_type(e, s);
    size_t bytes = dtype_bytes(t->dtype);
    char *to = eval_result(e, s);
    if (p->fill)
        copy_line(bytes, ir_type_count(t), 0, 1, eval_operand(e, s, 1), to);
    for (size_t i = 0; i < p->pieces.n; i++) {
        const struct piece *piece = &p->pieces.at[i];
        const char *from = eval_operand(e, s, piece->arg);
        move_copy(&piece->move, bytes, from + piece->from * (int64_t)bytes,
                  to + piece->to * (int64_t)bytes);
    }
}

const struct eval_class eval_move = {prepare, run};
