// tape_run.c: runs tapes, a block of lanes at a time, each instruction one tight loop.
#include "ir/tape.h"

#include <string.h>

#include "ir/lanes.h"
#include "ir/philox.h"
#include "ir/tape_code.h"

// -- loops ---------------------------------------------------------------------------------------

#define LOOP_NAME(x) x##_plain
#define LOOP_TARGET
#include "ir/tape_loops.h"
#undef LOOP_NAME
#undef LOOP_TARGET

#if defined(__x86_64__)
#define LOOP_NAME(x) x##_avx2
#define LOOP_TARGET __attribute__((target("avx2"))) // never FMA: it would round once
#include "ir/tape_loops.h"

static struct tape_loops best_loops(void)
{
    if (__builtin_cpu_supports("avx2"))
        return (struct tape_loops){rows_avx2, extras_avx2};
    return (struct tape_loops){rows_plain, extras_plain};
}
#else
static struct tape_loops best_loops(void)
{
    return (struct tape_loops){rows_plain, extras_plain};
}
#endif

// -- memory to lanes -----------------------------------------------------------------------------

// Elements that lie one after another, each widened to 32 bits with zeros.
static void widen(const char *from, uint32_t bytes, size_t n, uint32_t *out)
{
    const unsigned char *narrow = (const unsigned char *)from;
    if (bytes == 4) {
        memcpy(out, from, n * 4);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, narrow + i * bytes, bytes == 2 ? 2 : 1);
        out[i] = bytes == 2 ? half : narrow[i];
    }
}

static void narrow(const uint32_t *from, uint32_t bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half = (uint16_t)from[i];
        unsigned char byte = (unsigned char)from[i];
        if (bytes == 2)
            memcpy(out + i * 2, &half, 2);
        else
            memcpy(out + i, &byte, 1);
    }
}

static void fill(uint32_t x, size_t n, uint32_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x;
}

// n elements along the last axis from element `offset`, which stays the same or goes on by one.
static void read_along(const struct tape_port *p, const char *memory, int64_t offset, size_t n,
                       uint32_t *out)
{
    const char *from = memory + offset * p->bytes;
    bool moves = p->map.rank && p->map.stride[p->map.rank - 1];
    widen(from, p->bytes, moves ? n : 1, out);
    if (!moves)
        fill(out[0], n, out);
}

// Where element `start` is: its index on each axis, and its offset.
static int64_t locate(const struct tape_map *m, int64_t start, int64_t at[IR_MAX_RANK])
{
    int64_t offset = m->offset;
    for (unsigned i = m->rank; i-- > 0; start /= m->dim[i]) {
        at[i] = start % m->dim[i];
        offset += at[i] * m->stride[i];
    }
    return offset;
}

static void read_map(const struct tape_port *p, const char *memory, int64_t start, size_t n,
                     uint32_t *out)
{
    const struct tape_map *m = &p->map;
    int64_t at[IR_MAX_RANK], offset = locate(m, start, at);
    unsigned last = m->rank - 1;
    if (!m->rank) {
        read_along(p, memory, offset, n, out);
        return;
    }
    while (n) {
        size_t left = (size_t)(m->dim[last] - at[last]), run = left < n ? left : n;
        read_along(p, memory, offset, run, out);
        out += run;
        n -= run;
        at[last] += (int64_t)run;
        offset += (int64_t)run * m->stride[last];
        for (unsigned i = last; i > 0 && at[i] == m->dim[i]; i--) {
            offset += m->stride[i - 1] - m->dim[i] * m->stride[i];
            at[i] = 0;
            at[i - 1]++;
        }
    }
}

static void read_iota(const struct tape_port *p, int64_t start, size_t n, uint32_t *out)
{
    int64_t index = start / p->inner % p->dim, left = p->inner - start % p->inner;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint32_t)index;
        if (--left == 0) {
            left = p->inner;
            index = index + 1 == p->dim ? 0 : index + 1;
        }
    }
}

static void read_random(const struct tape_run *run, const struct tape_port *p, int64_t start,
                        size_t n, uint32_t *out)
{
    const uint32_t *counter = run->slot[run->tape->counters];
    struct philox_stream s = {{counter[0], counter[1]}, counter[2], p->stream[0], p->stream[1]};
    philox_fill(&s, (uint64_t)start, n, out);
}

// -- running -------------------------------------------------------------------------------------

static void run_port(struct tape_run *run, const struct tape_ins *ins, int64_t start, size_t n)
{
    const struct tape_port *p = &run->tape->ports.at[ins->port];
    char *memory = run->slot[p->slot];
    uint32_t *to = run->reg[ins->to];
    if (ins->code == TAPE_CONST)
        fill(p->bits, n, to);
    else if (ins->code == TAPE_READ)
        read_map(p, memory, start, n, to);
    else if (ins->code == TAPE_IOTA)
        read_iota(p, start, n, to);
    else if (ins->code == TAPE_RANDOM)
        read_random(run, p, start, n, to);
    else
        narrow(run->reg[ins->from[0]], p->bytes, n, memory + start * p->bytes);
}

static void run_part(struct tape_run *run, const struct tape_ins *ins, size_t count, int64_t start,
                     size_t n)
{
    void **reg = run->reg;
    for (; count > 0; count--, ins++) {
        tape_loop *loop;
        if (ins->code >= TAPE_CONST) {
            run_port(run, ins, start, n);
            continue;
        }
        if (ins->code > TAPE_LAST_ROW)
            loop = run->loops.extra[ins->code - TAPE_FIRST_EXTRA];
        else
            loop = run->loops.row[ins->code / LANE_COUNT][ins->code % LANE_COUNT];
        loop(reg[ins->to], reg[ins->from[0]], reg[ins->from[1]], reg[ins->from[2]], n);
    }
}

size_t tape_cost(const struct tape *t)
{
    return t->body.n + 1;
}

size_t tape_scratch(const struct tape *t)
{
    size_t table = (t->nregs + 1) * sizeof(void *);
    return t->nown * (size_t)TAPE_LANES * 4 + (table + 63) / 64 * 64;
}

void tape_begin(struct tape_run *run, const struct tape *t, void *const *slot, void *scratch,
                size_t lanes)
{
    char *lane = scratch;
    *run = (struct tape_run){t, slot, (void **)(lane + t->nown * (size_t)TAPE_LANES * 4),
                             best_loops()};
    for (unsigned i = 0; i < t->nown; i++)
        run->reg[i] = lane + i * (size_t)TAPE_LANES * 4;
    run_part(run, t->once.at, t->once.n, 0, lanes);
}

const void *tape_block(struct tape_run *run, int64_t start, size_t n)
{
    const struct tape *t = run->tape;
    for (size_t i = 0; i < t->bound.n; i++)
        run->reg[t->bound.at[i].reg] = (char *)run->slot[t->bound.at[i].slot] + start * 4;
    run_part(run, t->body.at, t->body.n, start, n);
    return t->has_result ? run->reg[t->result] : NULL;
}
