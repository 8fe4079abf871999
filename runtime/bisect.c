// bisect.c: finds where two runs part: the records, the step, the tensor, the element.
#include "runtime/bisect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/version.h"
#include "runtime/record.h"

struct bisect {
    struct arena arena;
    struct replay_options asked; // its device: the suspect
    struct exec_options reference;
    const char *second; // another receipt, or NULL

    struct replay replay;
    struct receipt other; // of `second`
    struct lane lane[2];  // the suspect, the reference
    bool apart;           // something differs
};

enum { SUSPECT, REFERENCE };

// -- what differs in words -----------------------------------------------------------------------

void bisect_index(const struct ir_type *t, size_t element, struct buf *out)
{
    size_t at[IR_MAX_RANK];
    for (unsigned d = t->rank; d-- > 0;) {
        at[d] = element % (size_t)t->dim[d];
        element /= (size_t)t->dim[d];
    }
    buf_puts(out, "[");
    for (unsigned d = 0; d < t->rank; d++)
        buf_printf(out, "%s%zu", d ? ", " : "", at[d]);
    buf_puts(out, "]");
}

void bisect_value(const struct ir_type *t, const void *bytes, size_t element, struct buf *out)
{
    size_t width = dtype_bytes(t->dtype);
    uint32_t bits = 0;
    memcpy(&bits, (const char *)bytes + element * width, width); // little-endian, as all storage
    float x;
    memcpy(&x, &bits, sizeof x);
    if (t->dtype == DT_F32)
        buf_printf(out, "%.9g (%08" PRIx32 ")", (double)x, bits);
    else
        buf_printf(out, "%" PRIu32 " (%0*" PRIx32 ")", bits, (int)(2 * width), bits);
}

size_t bisect_differ(const struct ir_type *t, const void *x, const void *y, size_t *first)
{
    size_t width = dtype_bytes(t->dtype), n = (size_t)ir_type_count(t), differ = 0;
    for (size_t i = 0; i < n; i++) {
        if (memcmp((const char *)x + i * width, (const char *)y + i * width, width) == 0)
            continue;
        if (differ++ == 0)
            *first = i;
    }
    return differ;
}

static void list_roots(const struct receipt *r, const unsigned char *x, const unsigned char *y,
                       struct buf *out)
{
    enum { SHOWN = 4 };
    size_t n = 0;
    for (size_t i = 0; i < r->tensors->as.array.n; i++) {
        if (memcmp(x + i * HANDLE_BYTES, y + i * HANDLE_BYTES, HANDLE_BYTES) == 0)
            continue;
        if (n++ < SHOWN)
            buf_printf(out, "%s`%s`", n > 1 ? ", " : "",
                       r->tensors->as.array.at[i]->as.array.at[0]->as.bytes.at);
    }
    if (n > SHOWN)
        buf_printf(out, " and %zu more", n - SHOWN);
    if (n == 0)
        buf_puts(out, "the outputs alone");
}

// -- records -------------------------------------------------------------------------------------

// Steps between which something happened: at `good` all was equal, at `bad` it was not.
struct span_of {
    uint32_t good, bad;
};

static bool same_record(const struct receipt *r, const struct receipt_record *x,
                        const struct receipt_record *y)
{
    return memcmp(x->roots, y->roots, r->tensors->as.array.n * HANDLE_BYTES) == 0 &&
           value_equal(x->outputs, y->outputs);
}

static void say_apart(struct bisect *b, const struct span_of *s, const unsigned char *x,
                      const unsigned char *y, const char *who)
{
    struct buf names = {0};
    list_roots(&b->replay.receipt, x, y, &names);
    printf("%s: equal up to step %" PRIu32 ", different at step %" PRIu32 " in %s\n", who, s->good,
           s->bad, names.at);
    buf_free(&names);
    b->apart = true;
}

// Two receipts: the first step that both have and that differs.
static bool compare_receipts(struct bisect *b, struct span_of *s)
{
    const struct receipt *r = &b->replay.receipt;
    for (size_t i = 0; i < r->records.n; i++) {
        const struct receipt_record *x = &r->records.at[i], *y = receipt_at(&b->other, x->step);
        if (!y)
            continue;
        s->bad = x->step;
        if (!same_record(r, x, y)) {
            say_apart(b, s, x->roots, y->roots, "the receipts");
            return false;
        }
        s->good = x->step;
    }
    printf("the receipts: no difference up to step %" PRIu32 "\n", s->good);
    return true;
}

// What two receipts must share to be about one run.
static bool comparable(struct bisect *b, struct hlx_error *error)
{
    static const char *const fields[] = {"program", "entry",  "profile", "numerics", "data",
                                         "seed",    "shards", "tensors", "initial"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!value_equal(value_get(b->replay.receipt.head, fields[i]),
                         value_get(b->other.head, fields[i])))
            return hlx_fail(error, EXIT_DATA,
                            "`%s` and `%s` are not about one run: their `%s` differ",
                            b->asked.receipt, b->second, fields[i]);
    return true;
}

// A run here against the records of a receipt, which come after `s->good`.
static bool compare_run(struct bisect *b, struct lane *l, const struct receipt *r,
                        struct span_of *s, const char *who, struct hlx_error *error)
{
    for (size_t i = 0; i < r->records.n; i++) {
        const struct receipt_record *want = &r->records.at[i];
        if (want->step <= s->good)
            continue;
        if (!lane_go(l, want->step, error) || !lane_hash(l, error))
            return false;
        s->bad = want->step;
        struct receipt_record have = {.outputs = record_outputs(&b->arena, &l->run),
                                      .roots = l->roots};
        if (!same_record(r, &have, want)) {
            say_apart(b, s, want->roots, l->roots, who);
            return true;
        }
        s->good = want->step;
    }
    printf("%s: no difference up to step %" PRIu32 "\n", who, s->good);
    return true;
}

// -- steps ---------------------------------------------------------------------------------------

// Whether a tensor differs; then says how, if `say`.
static bool say_tensor(const struct lane *x, const struct lane *y, const struct state_tensor *t,
                       bool say)
{
    struct buf out = {0};
    size_t first = 0, n = bisect_differ(t->type, x->value[t->var], y->value[t->var], &first);
    if (n == 0 || !say)
        return n > 0;
    buf_printf(&out, "  `%s`: %zu of %zu elements differ, first ", t->path, n,
               (size_t)ir_type_count(t->type));
    bisect_index(t->type, first, &out);
    buf_printf(&out, ": %s has ", exec_title(x->exec));
    bisect_value(t->type, x->value[t->var], first, &out);
    buf_printf(&out, ", %s has ", exec_title(y->exec));
    bisect_value(t->type, y->value[t->var], first, &out);
    puts(out.at);
    buf_free(&out);
    return true;
}

static bool one_step(struct bisect *b, uint32_t step, bool *same, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    if (!lane_go(x, step, error) || !lane_go(y, step, error) || !lane_hash(x, error) ||
        !lane_hash(y, error))
        return false;
    *same = memcmp(x->roots, y->roots, x->exec->layout.n * HANDLE_BYTES) == 0 &&
            value_equal(record_outputs(&b->arena, &x->run), record_outputs(&b->arena, &y->run));
    return true;
}

static bool say_tensors(struct bisect *b, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    if (!lane_read(x, error) || !lane_read(y, error))
        return false;
    enum { SHOWN = 4 };
    size_t n = 0;
    for (size_t i = 0; i < x->exec->layout.n; i++)
        n += say_tensor(x, y, &x->exec->layout.tensor[i], n < SHOWN);
    if (n > SHOWN)
        printf("  and %zu more\n", n - SHOWN);
    return true;
}

// Both lanes stand where they are equal. Step by step up to `last`, until they part.
static bool walk(struct bisect *b, uint32_t last, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    bool same = true;
    uint32_t step = x->run.step;
    while (same && step < last) {
        if (!lane_save(y, error) || !one_step(b, ++step, &same, error))
            return false;
    }
    if (same) {
        printf("%s and %s: no difference up to step %" PRIu32
               "; what differs did not happen on either\n",
               exec_title(x->exec), exec_title(y->exec), step);
        return true;
    }
    printf("step %" PRIu32 ": %s and %s part\n", step, exec_title(x->exec), exec_title(y->exec));
    b->apart = true;
    return say_tensors(b, error) && bisect_step(x, y, step, error);
}

// -- the whole -----------------------------------------------------------------------------------

static bool open_lanes(struct bisect *b, struct hlx_error *error)
{
    b->asked.device.flags |= EXEC_UNCHECKED; // what is wrong with it is what is to be found
    if (!lane_open(&b->lane[SUSPECT], &b->replay, &b->asked.device, error))
        return false;
    if (lane_open(&b->lane[REFERENCE], &b->replay, &b->reference, error))
        return true;
    lane_close(&b->lane[SUSPECT]);
    return false;
}

static void close_lanes(struct bisect *b)
{
    lane_close(&b->lane[SUSPECT]);
    lane_close(&b->lane[REFERENCE]);
}

// The reference agrees with the receipt: does the suspect?
static bool suspect_alone(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    *s = (struct span_of){0, 0};
    return compare_run(b, &b->lane[SUSPECT], &b->replay.receipt, s, "the receipt and the suspect",
                       error);
}

// The reference tells which receipt is right, and how far the run of each can be trusted.
static bool find_span(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    const struct receipt *first = &b->replay.receipt;
    struct lane *l = &b->lane[REFERENCE];
    if (!replay_check_start(&b->replay, &l->run, error))
        return false;
    if (!b->second)
        return compare_run(b, l, first, s, "the receipt and the reference", error) &&
               (b->apart || suspect_alone(b, s, error));
    if (compare_receipts(b, s))
        return true;
    const struct receipt_record *x = receipt_at(first, s->bad), *y = receipt_at(&b->other, s->bad);
    assert(x && y);
    if (!lane_go(l, s->bad, error) || !lane_hash(l, error))
        return false;
    struct receipt_record have = {.outputs = record_outputs(&b->arena, &l->run), .roots = l->roots};
    const char *right = same_record(first, &have, x)   ? b->asked.receipt
                        : same_record(first, &have, y) ? b->second
                                                       : NULL;
    if (right)
        printf("the reference has at step %" PRIu32 " what `%s` says\n", s->bad, right);
    else
        printf("the reference has at step %" PRIu32 " what neither says\n", s->bad);
    return true;
}

// The reference has gone to the end of the span: both start anew and go to its beginning.
static bool refine(struct bisect *b, const struct span_of *s, struct hlx_error *error)
{
    bool same = true;
    close_lanes(b);
    if (!open_lanes(b, error))
        return false;
    if (!one_step(b, s->good, &same, error))
        return false;
    if (!same) {
        printf("the suspect differs before step %" PRIu32 " already: from the beginning\n",
               s->good + 1);
        close_lanes(b);
        if (!open_lanes(b, error))
            return false;
    }
    return walk(b, s->bad, error);
}

static bool bisect_lanes(struct bisect *b, struct hlx_error *error)
{
    struct span_of s = {0, 0};
    if (!find_span(b, &s, error))
        return false;
    return !b->apart || refine(b, &s, error);
}

static bool bisect(struct bisect *b, struct hlx_error *error)
{
    if (!replay_open(&b->replay, &b->asked, error))
        return false;
    assert(b->replay.receipt.profile != NULL);
    bool ok = true;
    if (b->second)
        ok = receipt_open(&b->other, &b->arena, b->second, error) && comparable(b, error);
    if (ok && open_lanes(b, error)) {
        printf("suspect: %s, reference: %s\n", exec_title(b->lane[SUSPECT].exec),
               exec_title(b->lane[REFERENCE].exec));
        if (strcmp(b->replay.receipt.profile, "exact") != 0)
            printf("note: in the profile `%s` devices may differ\n", b->replay.receipt.profile);
        ok = bisect_lanes(b, error);
        close_lanes(b);
    } else {
        ok = false;
    }
    replay_close(&b->replay);
    return ok;
}

// -- the command line ----------------------------------------------------------------------------

enum { OPT_AGAINST = 256, OPT_FAULT };

static const struct cli_option table[] = {
    REPLAY_ROW_PROGRAM("What to run"),
    REPLAY_ROW_DATA(0),
    REPLAY_ROW_DEVICE("the suspect: run there (see hlxrun --help)"),
    {OPT_AGAINST, "against", "NAME", "the reference (default: cpu, the evaluator)", 0},
    REPLAY_ROW_VARIANT("force these kernel variants on the suspect"),
#ifdef HLX_TEST_FAULTS
    {OPT_FAULT, "inject-fault", "STEP:PATH:ELEMENT:BIT", "flip a bit on the suspect", "Tests"},
#endif
    CLI_COMMON_COMMAND,
    {0, 0, 0, 0, 0},
};

const struct cli bisect_cli = {
    .tool = "hlxrun bisect",
    .usage = "hlxrun bisect RECEIPT [RECEIPT2] [options]",
    .summary = "Finds where a run parts from its receipt, or two receipts from each other.",
    .trailer = "The records give the span of steps; then both devices run these steps side by side "
               "until\ntheir states differ.\n"
               "\n"
               "Exit codes: 0 nothing differs; 2 wrong command line; 3 no such device; 4 a receipt "
               "is\ndamaged, or about something else; 5 something differs.\n",
    .options = table,
};

static bool apply(void *user, const struct cli_parse *p, int id)
{
    struct bisect *b = user;
    switch (id) {
    case OPT_AGAINST: b->reference.device = p->value; return true;
    case OPT_FAULT: b->asked.device.fault = p->value; return true;
    default: return replay_option(&b->asked, &b->arena, p, id);
    }
}

static int run(void *user, int n, char **operand)
{
    struct bisect *b = user;
    struct hlx_error error;
    if (n < 1 || n > 2)
        return cli_misuse(&bisect_cli, n == 0 ? "no receipt was given" : "at most two receipts");
    b->asked.receipt = operand[0];
    b->second = n == 2 ? operand[1] : NULL;
    if (bisect(b, &error))
        return b->apart ? EXIT_MISMATCH : EXIT_OK;
    fflush(stdout);
    fprintf(stderr, "hlxrun bisect: %s\n", error.text);
    return error.code;
}

int bisect_main(int argc, char **argv)
{
    struct bisect b = {.reference.device = "cpu"};
    int code = cli_take(&bisect_cli, argc, argv, &(struct cli_taker){apply, run}, &b);
    arena_free(&b.arena);
    return code;
}
