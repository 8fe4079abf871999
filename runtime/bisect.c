// bisect.c: finds where two runs part: the records, the step, the tensor, the element.
#include "runtime/bisect.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/version.h"

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

// -- records -------------------------------------------------------------------------------------

// Steps between which something happened: at `good` all was equal, at `bad` it was not.
struct span_of {
    uint32_t good, bad;
};

static void say_apart(struct bisect *b, const struct span_of *s, const char *who,
                      const char *differ)
{
    printf("%s: equal up to step %" PRIu32 ", different at step %" PRIu32 ": %s\n", who, s->good,
           s->bad, differ);
    b->apart = true;
}

// The outputs of the entry are the same on both lanes.
static const struct train_run *any_run(const struct bisect *b)
{
    return &b->lane[REFERENCE].run;
}

// Two receipts: the first step that both have and that differs.
static bool compare_receipts(struct bisect *b, struct span_of *s)
{
    const struct receipt *r = &b->replay.receipt;
    size_t shared = 0;
    for (size_t i = 0; i < r->records.n; i++) {
        const struct receipt_record *x = &r->records.at[i], *y = receipt_at(&b->other, x->step);
        if (!y)
            continue;
        s->bad = x->step;
        shared++;
        const char *differ =
            replay_difference(&b->arena, r, any_run(b), x, y, "the second receipt says");
        if (differ) {
            say_apart(b, s, "the receipts", differ);
            return false;
        }
        s->good = x->step;
    }
    if (shared > 0)
        printf("the receipts: no difference in %zu common record%s, up to step %" PRIu32 "\n",
               shared, shared == 1 ? "" : "s", s->good);
    else
        puts("the receipts: no step in common");
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

// A run here against a record that comes after `s->good`; false when they differ, too.
static bool compare_record(struct bisect *b, struct lane *l, const struct receipt_record *want,
                           struct span_of *s, const char *who, struct hlx_error *error)
{
    struct receipt_record have;
    if (!lane_go(l, want->step, error) || !lane_record(l, &b->arena, &have, error))
        return false;
    s->bad = want->step;
    const char *differ =
        replay_difference(&b->arena, &b->replay.receipt, &l->run, &have, want, "the receipt says");
    if (differ)
        say_apart(b, s, who, differ);
    else
        s->good = want->step;
    return true;
}

static void say_same(const struct span_of *s, const char *who)
{
    printf("%s: no difference up to step %" PRIu32 "\n", who, s->good);
}

static bool compare_run(struct bisect *b, struct lane *l, const char *who, struct span_of *s,
                        struct hlx_error *error)
{
    const struct receipt *r = &b->replay.receipt;
    for (size_t i = 0; i < r->records.n && !b->apart; i++)
        if (!compare_record(b, l, &r->records.at[i], s, who, error))
            return false;
    if (!b->apart)
        say_same(s, who);
    return true;
}

// Records that one receipt alone has are compared with what the reference computes, and so are the
// common ones on the way: two receipts with no step in common are not called equal unseen.
static bool compare_rest(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    const struct receipt *x = &b->replay.receipt, *y = &b->other;
    *s = (struct span_of){0, 0};
    for (size_t i = 0, k = 0; !b->apart && (i < x->records.n || k < y->records.n);) {
        bool second = i == x->records.n ||
                      (k < y->records.n && y->records.at[k].step < x->records.at[i].step);
        const struct receipt_record *want = second ? &y->records.at[k++] : &x->records.at[i++];
        if (!second && k < y->records.n && y->records.at[k].step == want->step)
            k++; // they are known to be equal
        const char *who = arena_printf(&b->arena, "`%s` and the reference",
                                       second ? b->second : b->asked.receipt);
        if (!compare_record(b, &b->lane[REFERENCE], want, s, who, error))
            return false;
    }
    if (!b->apart)
        say_same(s, "what one receipt alone has and the reference");
    return true;
}

static size_t count_alone(const struct receipt *x, const struct receipt *y)
{
    size_t n = 0;
    for (size_t i = 0; i < x->records.n; i++)
        n += receipt_at(y, x->records.at[i].step) == NULL;
    return n;
}

// -- steps ---------------------------------------------------------------------------------------

// A lane's device; where both have one, with its part in this.
static const char *title(struct bisect *b, const struct lane *l)
{
    const char *name = exec_title(l->exec);
    const struct lane *other = &b->lane[l == &b->lane[SUSPECT] ? REFERENCE : SUSPECT];
    return strcmp(name, exec_title(other->exec)) != 0 ? name
           : l == &b->lane[SUSPECT] ? arena_printf(&b->arena, "%s (the suspect)", name)
                                    : arena_printf(&b->arena, "%s (the reference)", name);
}

// Whether a tensor differs; then says how, if `say`.
static bool say_tensor(struct bisect *b, const struct lane *x, const struct lane *y,
                       const struct state_tensor *t, bool say)
{
    struct buf out = {0};
    size_t first = 0, n = bisect_differ(t->type, x->value[t->var], y->value[t->var], &first);
    if (n == 0 || !say)
        return n > 0;
    buf_printf(&out, "  `%s`: %zu of %zu elements differ, first ", t->path, n,
               (size_t)ir_type_count(t->type));
    bisect_index(t->type, first, &out);
    buf_printf(&out, ": %s has ", title(b, x));
    bisect_value(t->type, x->value[t->var], first, &out);
    buf_printf(&out, ", %s has ", title(b, y));
    bisect_value(t->type, y->value[t->var], first, &out);
    puts(out.at);
    buf_free(&out);
    return true;
}

static bool one_step(struct bisect *b, uint32_t step, const char **differ, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    struct receipt_record have, want;
    if (!lane_go(x, step, error) || !lane_go(y, step, error) ||
        !lane_record(x, &b->arena, &have, error) || !lane_record(y, &b->arena, &want, error))
        return false;
    const char *says = arena_printf(&b->arena, "%s has", title(b, y));
    *differ = replay_difference(&b->arena, &b->replay.receipt, &x->run, &have, &want, says);
    return true;
}

// What differs after a step: the tensors, or else what `differ` says.
static bool say_tensors(struct bisect *b, const char *differ, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    if (!lane_read(x, error) || !lane_read(y, error))
        return false;
    enum { SHOWN = 4 };
    size_t n = 0;
    for (size_t i = 0; i < x->exec->layout.n; i++)
        n += say_tensor(b, x, y, &x->exec->layout.tensor[i], n < SHOWN);
    if (n > SHOWN)
        printf("  and %zu more\n", n - SHOWN);
    if (n == 0)
        printf("  %s\n", differ);
    return true;
}

// Both lanes stand where they are equal. Step by step up to `last`, until they part.
static bool walk(struct bisect *b, uint32_t last, struct hlx_error *error)
{
    struct lane *x = &b->lane[SUSPECT], *y = &b->lane[REFERENCE];
    const char *differ = NULL;
    uint32_t step = x->run.step;
    while (!differ && step < last) {
        if (!lane_save(y, error) || !one_step(b, ++step, &differ, error))
            return false;
    }
    if (!differ) {
        printf("%s and %s: no difference up to step %" PRIu32 "; %s says what neither computes\n",
               title(b, x), title(b, y), step, b->second ? "one of the receipts" : "the receipt");
        return true;
    }
    printf("step %" PRIu32 ": %s and %s part\n", step, title(b, x), title(b, y));
    b->apart = true;
    return say_tensors(b, differ, error) && bisect_step(x, y, step, error);
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

// Which of two receipts that differ at `step` the reference agrees with.
static bool say_right(struct bisect *b, uint32_t step, struct hlx_error *error)
{
    struct lane *l = &b->lane[REFERENCE];
    const struct receipt *r = &b->replay.receipt;
    struct receipt_record have;
    const struct receipt_record *x = receipt_at(r, step), *y = receipt_at(&b->other, step);
    assert(x && y);
    if (!lane_go(l, step, error) || !lane_record(l, &b->arena, &have, error))
        return false;
    const char *right = replay_same(r, &have, x)   ? b->asked.receipt
                        : replay_same(r, &have, y) ? b->second
                                                   : NULL;
    if (right)
        printf("the reference has at step %" PRIu32 " what `%s` says\n", step, right);
    else
        printf("the reference has at step %" PRIu32 " what neither says\n", step);
    return true;
}

static bool compare_two(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    if (!compare_receipts(b, s))
        return say_right(b, s->bad, error);
    size_t alone =
        count_alone(&b->replay.receipt, &b->other) + count_alone(&b->other, &b->replay.receipt);
    return alone == 0 || compare_rest(b, s, error);
}

// The reference tells whether the receipt is right; where it is, the suspect is asked.
static bool compare_one(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    if (!compare_run(b, &b->lane[REFERENCE], "the receipt and the reference", s, error) || b->apart)
        return b->apart;
    *s = (struct span_of){0, 0};
    return compare_run(b, &b->lane[SUSPECT], "the receipt and the suspect", s, error);
}

static bool find_span(struct bisect *b, struct span_of *s, struct hlx_error *error)
{
    return replay_check_start(&b->replay, &b->lane[REFERENCE].run, error) &&
           (b->second ? compare_two : compare_one)(b, s, error);
}

// The reference has gone to the end of the span: both start anew and go to its beginning.
static bool refine(struct bisect *b, const struct span_of *s, struct hlx_error *error)
{
    const char *differ;
    close_lanes(b);
    if (!open_lanes(b, error) || !one_step(b, s->good, &differ, error))
        return false;
    if (differ) {
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
