// ulp.c: measures every exact function against an oracle, over all inputs or a sample of them.
//
// A tree runs by blocks (block.c); results are compared with the C library's doubles, and with MPFR
// at the worst input of each chunk of 2^24 and wherever a double cannot tell a result from a tie.
// Every result is computed twice, with and without flushing of subnormals, and must be the same.
// Prints a table; exits with 1 when a bound is exceeded.
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "ir/lanes.h"
#include "tests/ulp/block.h"
#include "tests/ulp/inputs.h"
#include "tests/ulp/oracle.h"

// What was seen in one chunk of 2^24 inputs.
struct chunk {
    double worst; // error in ULP
    uint32_t a, b, got;
    uint64_t inputs, misrounded, dependent;
    uint64_t digest;
};

struct job {
    const struct oracle *o;
    struct block_program *program;
    uint64_t stride;
    unsigned chunks;
    struct chunk *chunk;
    atomic_uint next;
};

// The operands and results of a block.
struct block {
    uint32_t a[BLOCK_LANES], b[BLOCK_LANES], out[BLOCK_LANES], plain[BLOCK_LANES];
    double want[BLOCK_LANES], error[BLOCK_LANES];
};

static double as_double(uint32_t bits)
{
    return (double)f32_of_bits(f32_flush_bits(bits));
}

static void find_errors(const struct oracle *o, struct block *x, unsigned n)
{
    memset(x->error, 0, sizeof x->error);
    if (o->value) {
        for (unsigned k = 0; k < n; k++)
            x->want[k] = o->value(as_double(x->a[k]), as_double(x->b[k]));
        oracle_errors(x->out, x->want, x->error, n);
    }
    for (unsigned k = 0; k < n; k++) {
        if (o->exact && x->out[k] != o->exact(x->a[k], x->b[k]))
            x->error[k] = (double)INFINITY;
        if (!o->exact && fabs(x->error[k] - 0.5) < 1e-6)
            x->error[k] = oracle_error_precise(o, x->a[k], x->b[k], x->out[k]);
    }
}

static uint64_t fnv(uint64_t h, uint32_t word)
{
    return (h ^ word) * 0x100000001b3u;
}

static const uint64_t fnv_start = 0xcbf29ce484222325u;

static void run_block(struct chunk *c, const struct job *j, uint32_t *registers, uint64_t first,
                      unsigned n)
{
    struct block x = {.a = {0}, .b = {0}};
    for (unsigned k = 0; k < n; k++)
        inputs_make(j->o, inputs_sample(first + k * j->stride, j->stride), &x.a[k], &x.b[k]);
    const uint32_t *const args[2] = {x.a, j->o->nargs > 1 ? x.b : NULL};
    block_run(j->program, registers, args, x.out, true);
    block_run(j->program, registers, args, x.plain, false);
    find_errors(j->o, &x, n);
    for (unsigned k = 0; k < n; k++) {
        c->dependent += x.out[k] != x.plain[k];
        c->misrounded += x.error[k] > 0.5;
        c->digest = fnv(c->digest, x.out[k]);
        if (x.error[k] > c->worst || c->inputs == 0)
            c->worst = x.error[k], c->a = x.a[k], c->b = x.b[k], c->got = x.out[k];
        c->inputs++;
    }
}

static void run_chunk(struct job *j, unsigned index, uint32_t *registers)
{
    struct chunk *c = &j->chunk[index];
    c->digest = fnv_start;
    uint64_t size = UINT64_C(1) << CHUNK_SHIFT, block = BLOCK_LANES * j->stride;
    for (uint64_t at = 0; at < size; at += block) {
        uint64_t left = (size - at + j->stride - 1) / j->stride;
        run_block(c, j, registers, index * size + at,
                  left < BLOCK_LANES ? (unsigned)left : BLOCK_LANES);
    }
    if (j->o->precise && c->worst > 0 && isfinite(c->worst))
        c->worst = oracle_error_precise(j->o, c->a, c->b, c->got);
}

static void *worker(void *job)
{
    struct job *j = job;
    uint32_t *registers = block_registers(j->program);
    if (!registers)
        exit(70);
    for (unsigned i; (i = atomic_fetch_add(&j->next, 1)) < j->chunks;)
        run_chunk(j, i, registers);
    free(registers);
    mpfr_free_cache();
    return NULL;
}

static void run_threads(struct job *j, unsigned nthreads)
{
    pthread_t *thread = calloc(nthreads, sizeof *thread);
    unsigned n = 0;
    while (thread && n + 1 < nthreads && !pthread_create(&thread[n], NULL, worker, j))
        n++;
    worker(j);
    while (n > 0)
        pthread_join(thread[--n], NULL);
    free(thread);
}

static struct chunk total(const struct job *j)
{
    struct chunk t = {.digest = fnv_start, .worst = -1};
    for (unsigned i = 0; i < j->chunks; i++) {
        const struct chunk *c = &j->chunk[i];
        if (c->worst > t.worst)
            t.worst = c->worst, t.a = c->a, t.b = c->b, t.got = c->got;
        t.inputs += c->inputs;
        t.misrounded += c->misrounded;
        t.dependent += c->dependent;
        t.digest = fnv(fnv(t.digest, (uint32_t)c->digest), (uint32_t)(c->digest >> 32));
    }
    return t;
}

static const char heading[] = "| function  |     inputs |   max ULP | at                | "
                              "misrounded | ops | digest           "
                              "|\n"
                              "| --------- | ---------: | --------: | ----------------- | "
                              "---------: | --: | ---------------- "
                              "|\n";

static void print_row(const struct oracle *o, const struct chunk *t, unsigned ops)
{
    char at[32];
    snprintf(at, sizeof at, o->nargs > 1 ? "%08x %08x" : "%08x", t->a, t->b);
    printf("| %-9s | %10llu | %9.6f | %-17s | %10llu | %3u | %016llx |\n", o->name,
           (unsigned long long)t->inputs, t->worst, at, (unsigned long long)t->misrounded, ops,
           (unsigned long long)t->digest);
}

static bool report(const struct oracle *o, const struct chunk *t, unsigned ops, bool tap)
{
    bool ok = t->worst <= o->bound && t->dependent == 0;
    if (tap)
        printf("%s - %s: %.6f of at most %g ULP\n", ok ? "ok" : "not ok", o->name, t->worst,
               o->bound);
    else
        print_row(o, t, ops);
    if (t->dependent)
        printf("# %s: %llu results depend on whether subnormals are flushed\n", o->name,
               (unsigned long long)t->dependent);
    if (t->worst > o->bound)
        printf("# %s: %.6f ULP at %08x %08x, which gives %08x; the bound is %g\n", o->name,
               t->worst, t->a, t->b, t->got, o->bound);
    fflush(stdout);
    return ok;
}

struct settings {
    uint64_t stride;
    unsigned nthreads;
    const char *only; // the one function to measure, or NULL
    bool tap;         // print "ok" and "not ok" in place of a table
};

static bool measure(struct exact_trees *trees, const struct oracle *o, const struct settings *s)
{
    const struct exact_tree *tree = exact_get(trees, o->op, DT_F32, o->to);
    struct job j = {.o = o, .program = block_new(tree), .stride = s->stride};
    j.chunks = o->nargs > 1 ? PAIR_CHUNKS : UNARY_CHUNKS;
    j.chunk = calloc(j.chunks, sizeof *j.chunk);
    if (!j.chunk)
        exit(70);
    atomic_init(&j.next, 0);
    run_threads(&j, s->nthreads);
    struct chunk t = total(&j);
    bool ok = report(o, &t, block_ops(tree), s->tap);
    block_free(j.program);
    free(j.chunk);
    return ok;
}

// Returns the exit code.
static int measure_all(const struct settings *s)
{
    struct arena arena = {0};
    struct ir_module module;
    struct exact_trees trees;
    ir_module_init(&module, &arena);
    exact_init(&trees, &module);
    bool ok = true, found = false;
    if (!s->tap)
        fputs(heading, stdout);
    for (unsigned i = 0; i < oracle_count; i++)
        if (!s->only || !strcmp(s->only, oracles[i].name)) {
            found = true;
            ok &= measure(&trees, &oracles[i], s);
        }
    if (!found)
        fprintf(stderr, "ulp: there is no function `%s`\n", s->only);
    arena_free(&arena);
    return found ? !ok : 2;
}

static const struct option options[] = {{"sample", required_argument, NULL, 's'},
                                        {"function", required_argument, NULL, 'f'},
                                        {"threads", required_argument, NULL, 't'},
                                        {"tap", no_argument, NULL, 'o'},
                                        {NULL, 0, NULL, 0}};

static const char usage[] =
    "usage: ulp [--sample STRIDE] [--function NAME] [--threads N] [--tap]\n"
    "Without --sample: all 2^32 inputs (2^30 pairs), a minute or two for each function.\n";

int main(int argc, char **argv)
{
    struct settings s = {.stride = 1, .nthreads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    bool bad = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 's': s.stride = strtoul(optarg, NULL, 10); break;
        case 't': s.nthreads = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'f': s.only = optarg; break;
        case 'o': s.tap = true; break;
        default: bad = true;
        }
    if (bad || s.stride == 0 || s.stride > 1u << CHUNK_SHIFT || s.nthreads == 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    return measure_all(&s);
}
