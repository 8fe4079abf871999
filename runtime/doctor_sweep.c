// doctor_sweep.c: all operands of a function, block by block: the device computes, threads hash.
#include "runtime/doctor_sweep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/doctor_pairs.h"

const struct sweep_row sweep_rows[] = {
#define SWEEP(entry, name, operands, digest) {"sweep_" #entry, name, operands, UINT64_C(digest)},
#include "runtime/doctor_sweep.def"
#undef SWEEP
};
const size_t sweep_nrows = sizeof sweep_rows / sizeof *sweep_rows;

enum { MAX_THREADS = 16, LANES = 1 << SWEEP_SHIFT };

unsigned sweep_blocks(const struct sweep_row *row)
{
    return row->operands > 1 ? 1u << (30 - SWEEP_SHIFT) : 1u << (32 - SWEEP_SHIFT);
}

static size_t thread_count(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return cpus < 1 ? 1 : cpus > MAX_THREADS ? MAX_THREADS : (size_t)cpus;
}

// -- operands ------------------------------------------------------------------------------------

// The inputs of a block: the first operand, or all pairs.
struct operands {
    const struct sweep_row *row;
    uint32_t start;
    uint32_t *pair[2];
};

// A share of a block's pairs.
struct share {
    const struct operands *o;
    uint64_t first;
    size_t from, to;
};

static void *make_share(void *context)
{
    const struct share *s = context;
    bool power = strcmp(s->o->row->name, "pow") == 0;
    for (size_t i = s->from; i < s->to; i++)
        doctor_pair(power, s->first + i, &s->o->pair[0][i], &s->o->pair[1][i]);
    return NULL;
}

static void make_pairs(const struct operands *o, uint64_t first)
{
    struct share share[MAX_THREADS];
    pthread_t thread[MAX_THREADS];
    bool started[MAX_THREADS];
    size_t n = thread_count();
    for (size_t i = 0; i < n; i++) {
        share[i] = (struct share){o, first, LANES / n * i, i + 1 < n ? LANES / n * (i + 1) : LANES};
        started[i] = pthread_create(&thread[i], NULL, make_share, &share[i]) == 0;
        if (!started[i])
            make_share(&share[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (started[i])
            pthread_join(thread[i], NULL);
}

static void operands_set(struct operands *o, unsigned block)
{
    if (o->row->operands > 1)
        make_pairs(o, (uint64_t)block << SWEEP_SHIFT);
    else
        o->start = (uint32_t)block << SWEEP_SHIFT;
}

static bool operands_open(struct operands *o, struct hlx_error *e)
{
    bool ok = true;
    for (unsigned i = 0; ok && o->row->operands > 1 && i < 2; i++)
        ok = (o->pair[i] = malloc(LANES * sizeof *o->pair[i]));
    return ok || hlx_no_memory(e, "pairs of operands");
}

static void operands_close(struct operands *o)
{
    free(o->pair[0]);
    free(o->pair[1]);
}

static void operands_inputs(const struct operands *o, const void *in[2])
{
    in[0] = o->row->operands > 1 ? (const void *)o->pair[0] : &o->start;
    in[1] = o->pair[1];
}

// -- hashing -------------------------------------------------------------------------------------

// A block's results, being hashed.
struct hashing {
    pthread_t thread;
    bool running;
    const struct ir_type *type;
    void *bytes;
    uint64_t digest;
    uint64_t *to; // where the digest goes
};

static void *hash(void *context)
{
    struct hashing *h = context;
    h->digest = doctor_digest(h->type, h->bytes);
    return NULL;
}

static void hashing_end(struct hashing *h)
{
    if (h->running)
        pthread_join(h->thread, NULL);
    if (h->to)
        *h->to = h->digest;
    h->running = false;
    h->to = NULL;
}

static void hashing_start(struct hashing *h, uint64_t *to)
{
    h->to = to;
    h->running = pthread_create(&h->thread, NULL, hash, h) == 0;
    if (!h->running)
        hash(h);
}

// -- one row -------------------------------------------------------------------------------------

struct sweep {
    struct doctor *d;
    struct exec_plan *plan;
    struct operands operands;
    struct hashing ring[MAX_THREADS];
    size_t nring;
    uint64_t digest[256]; // by block
};

static bool submit(struct sweep *s, unsigned block, struct hlx_error *e)
{
    const void *in[2];
    operands_set(&s->operands, block);
    operands_inputs(&s->operands, in);
    return exec_submit(s->plan, in, 1, e);
}

static bool collect(struct sweep *s, unsigned block, struct hlx_error *e)
{
    struct hashing *h = &s->ring[block % s->nring];
    hashing_end(h);
    if (!exec_collect(s->plan, &h->bytes, e))
        return false;
    hashing_start(h, &s->digest[block]);
    return true;
}

static bool run_blocks(struct sweep *s, unsigned first, unsigned n, struct hlx_error *e)
{
    unsigned sent = 0, done = 0, depth = s->d->exec->ops->depth;
    bool ok = true;
    while (ok && done < n) {
        for (; ok && sent < n && sent - done < depth; sent++)
            ok = submit(s, first + sent, e);
        ok = ok && collect(s, first + done, e);
        done++;
    }
    for (size_t i = 0; i < s->nring; i++)
        hashing_end(&s->ring[i]);
    return ok;
}

static void sweep_close(struct sweep *s)
{
    exec_discard(s->plan);
    operands_close(&s->operands);
    for (size_t i = 0; i < s->nring; i++)
        free(s->ring[i].bytes);
    free(s);
}

static bool make_ready(struct sweep *s, const struct sweep_row *row, struct hlx_error *e)
{
    const struct ir_entry *entry = ir_find_entry(&s->d->program.module, row->entry);
    if (!entry)
        return hlx_fail(e, EXIT_INTERNAL, "the program that tests devices has no entry `%s`",
                        row->entry);
    const struct ir_type *t = ir_typeof(entry->graph, entry->outputs.at[0].value);
    if (!operands_open(&s->operands, e))
        return false;
    for (size_t i = 0; i < s->nring; i++) {
        s->ring[i] = (struct hashing){.type = t, .bytes = malloc(ir_type_bytes(t))};
        if (!s->ring[i].bytes)
            return hlx_no_memory(e, row->name);
    }
    s->d->exec->options.variant = NULL;
    s->plan = exec_prepare(s->d->exec, entry, e);
    return s->plan;
}

static struct sweep *sweep_open(struct doctor *d, const struct sweep_row *row, struct hlx_error *e)
{
    struct sweep *s = calloc(1, sizeof *s);
    if (!s) {
        hlx_no_memory(e, row->name);
        return NULL;
    }
    s->d = d;
    s->operands.row = row;
    s->nring = thread_count();
    if (make_ready(s, row, e))
        return s;
    sweep_close(s);
    return NULL;
}

// The digest of the blocks' digests.
static uint64_t fold(const uint64_t *digest, unsigned n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (unsigned i = 0; i < n; i++) {
        h = (h ^ (uint32_t)digest[i]) * 0x100000001b3u;
        h = (h ^ digest[i] >> 32) * 0x100000001b3u;
    }
    return h;
}

bool sweep_run(struct doctor *d, const struct sweep_row *row, unsigned first, unsigned blocks,
               struct sweep_result *out, struct hlx_error *e)
{
    *out = (struct sweep_result){.inputs = (uint64_t)blocks << SWEEP_SHIFT};
    struct sweep *s = sweep_open(d, row, e);
    if (!s)
        return false;
    double start = doctor_clock();
    bool ok = run_blocks(s, first, blocks, e);
    out->seconds = doctor_clock() - start;
    out->digest = fold(s->digest + first, blocks);
    sweep_close(s);
    return ok;
}

// -- where it differs ----------------------------------------------------------------------------

static uint32_t result_at(const struct hashing *h, size_t i)
{
    return doctor_word(h->type, h->bytes, i);
}

// Compares one block; s->ring[0] has the device's results, `want` gets the evaluator's.
static bool compare(struct sweep *s, struct hashing *want, struct sweep_result *out,
                    struct hlx_error *e)
{
    const struct ir_entry *entry = s->plan->entry;
    const struct hashing *have = &s->ring[0];
    const void *in[2];
    operands_inputs(&s->operands, in);
    if (!exec_probe(s->d->exec, entry, &entry->outputs.at[0].value, 1, in, 1, &want->bytes, e))
        return false;
    for (size_t i = 0; !out->example && i < LANES; i++) {
        out->have = result_at(have, i), out->want = result_at(want, i);
        out->example = out->have != out->want;
        bool pairs = s->operands.row->operands > 1;
        out->operand[0] = pairs ? s->operands.pair[0][i] : s->operands.start + (uint32_t)i;
        out->operand[1] = pairs ? s->operands.pair[1][i] : 0;
    }
    return true;
}

bool sweep_example(struct doctor *d, const struct sweep_row *row, struct sweep_result *out,
                   struct hlx_error *e)
{
    struct sweep *s = sweep_open(d, row, e);
    if (!s)
        return false;
    struct hashing want = {.type = s->ring[0].type,
                           .bytes = malloc(ir_type_bytes(s->ring[0].type))};
    bool ok = want.bytes || hlx_no_memory(e, row->name);
    for (unsigned i = 0; ok && !out->example && i < sweep_blocks(row); i++)
        ok = submit(s, i, e) && exec_collect(s->plan, &s->ring[0].bytes, e) &&
             compare(s, &want, out, e);
    free(want.bytes);
    sweep_close(s);
    return ok;
}
