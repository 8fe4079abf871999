// shard.c: tells local from global nodes in entries with shards, and finds what mixes them.
#include "ir/shard.h"

#include <string.h>

// -- entries -------------------------------------------------------------------------------------

bool ir_shards_ok(int64_t n)
{
    return n >= 1 && n <= IR_MAX_SHARDS && (n & (n - 1)) == 0;
}

uint32_t ir_entry_shards(const struct ir_entry *e)
{
    int64_t n = 1;
    return value_get_int(e->attrs, "shards", &n) && ir_shards_ok(n) ? (uint32_t)n : 1;
}

struct ir_type ir_entry_input(const struct ir_module *m, const struct ir_entry *e, size_t i)
{
    struct ir_type t = *ir_type_get(m, e->inputs.at[i].type);
    if (t.rank > 0)
        t.dim[0] *= ir_entry_shards(e);
    return t;
}

// -- kinds -------------------------------------------------------------------------------------

enum kind { COMMON, LOCAL, GLOBAL };

enum { FOR_LOCAL = 1, FOR_GLOBAL = 2 }; // who needs a common node

struct check {
    struct ir_module *m;
    const struct ir_entry *e;
    const struct ir_graph *g;
    unsigned char *kind; // by node: enum kind
    unsigned char *use;  // by common node: FOR_...
    ir_ref *user;        // by common node: the first local node that it is for
    ir_shard_faults *out;
};

static void add(struct check *c, enum ir_shard_rule rule, ir_ref node, const char *what)
{
    vec_push(c->m->arena, c->out, (struct ir_shard_fault){rule, node, node, what});
}

// How many operands decide what a node is. Of a node with a backward rule it is its value alone:
// the rule is checked where it ends up.
static unsigned deciding(const struct ir_graph *g, ir_ref r)
{
    return ir_opcode(g, r) == IR_custom ? 1 : ir_get(g, r)->nargs;
}

static enum kind kind_of_across(struct check *c, ir_ref r)
{
    if (c->kind[ir_arg(c->g, r, 0)] == GLOBAL)
        add(c, IR_SHARD_AGAIN, r, NULL);
    return GLOBAL;
}

// What is wrong counts as common from there on, so that it is reported once.
static enum kind kind_of_grad(struct check *c, ir_ref r)
{
    enum kind loss = c->kind[ir_arg(c->g, r, 0)], wrt = c->kind[ir_arg(c->g, r, 1)];
    if (loss == LOCAL || wrt == LOCAL)
        add(c, loss == LOCAL ? IR_SHARD_LOSS : IR_SHARD_WRT, r, NULL);
    return loss == GLOBAL && wrt != LOCAL ? GLOBAL : COMMON;
}

static enum kind kind_of(struct check *c, ir_ref r)
{
    enum ir_op op = ir_opcode(c->g, r);
    unsigned char seen[3] = {0};
    if (op == IR_input)
        return LOCAL;
    if (op == IR_across)
        return kind_of_across(c, r);
    if (op == IR_grad)
        return kind_of_grad(c, r);
    for (unsigned i = 0; i < deciding(c->g, r); i++)
        seen[c->kind[ir_arg(c->g, r, i)]] = 1;
    if (seen[LOCAL] && seen[GLOBAL]) {
        add(c, IR_SHARD_MIXED, r, NULL);
        return COMMON;
    }
    return seen[GLOBAL] ? GLOBAL : seen[LOCAL] ? LOCAL : COMMON;
}

// -- draws ---------------------------------------------------------------------------------------

static unsigned use_of(const struct check *c, ir_ref r)
{
    if (c->kind[r] == COMMON)
        return c->use[r];
    return c->kind[r] == LOCAL || ir_opcode(c->g, r) == IR_across ? FOR_LOCAL : FOR_GLOBAL;
}

static void note_use(struct check *c, ir_ref of, ir_ref by, unsigned use)
{
    c->use[of] |= use;
    if (use & FOR_LOCAL)
        c->user[of] = c->kind[by] == COMMON ? c->user[by] : by;
}

static void spread_use(struct check *c)
{
    for (ir_ref r = (ir_ref)c->g->nodes.n - 1; r > 0; r--) {
        unsigned use = use_of(c, r), nargs = ir_get(c->g, r)->nargs;
        if (ir_opcode(c->g, r) == IR_grad)
            nargs = 1; // what it is taken by is not computed for it
        for (unsigned i = 0; i < nargs; i++)
            note_use(c, ir_arg(c->g, r, i), r, use);
    }
}

static bool is_batch(const struct check *c, const struct ir_type *t)
{
    for (size_t i = 0; t->rank > 0 && i < c->e->inputs.n; i++)
        if (ir_type_get(c->m, c->e->inputs.at[i].type)->dim[0] == t->dim[0])
            return true;
    return false;
}

// Whether the words of all shards have a type.
static bool fits(const struct check *c, const struct ir_type *t)
{
    return t->rank < IR_MAX_RANK && ir_type_count(t) <= IR_MAX_ELEMENTS / ir_entry_shards(c->e);
}

static void check_draws(struct check *c)
{
    for (ir_ref r = 1; r < c->g->nodes.n; r++) {
        const struct ir_type *t = ir_typeof(c->g, r);
        if (ir_opcode(c->g, r) != IR_random_bits || !(c->use[r] & FOR_LOCAL))
            continue;
        if (c->use[r] & FOR_GLOBAL)
            add(c, IR_SHARD_DRAW_BOTH, r, NULL);
        else if (!is_batch(c, t) || !fits(c, t))
            add(c, IR_SHARD_DRAW_SHAPE, r, NULL);
        else
            continue;
        vec_last(c->out).place = c->user[r];
    }
}

// -- an entry ------------------------------------------------------------------------------------

static void check_root(struct check *c, ir_ref r, const char *what, const char *name)
{
    c->use[r] |= FOR_GLOBAL;
    if (c->kind[r] == LOCAL)
        add(c, IR_SHARD_LEAK, r, arena_printf(c->m->arena, "%s `%s`", what, name));
}

static void check_count(struct check *c)
{
    size_t n = 0;
    for (ir_ref r = 1; r < c->g->nodes.n; r++)
        if (ir_opcode(c->g, r) == IR_across && ++n > IR_MAX_COMBINED / ir_entry_shards(c->e)) {
            add(c, IR_SHARD_MANY, r, NULL);
            return;
        }
}

void ir_shard_check(struct ir_module *m, const struct ir_entry *e, ir_shard_faults *out)
{
    struct check c = {.m = m, .e = e, .g = e->graph, .out = out};
    size_t n = e->graph->nodes.n;
    if (ir_entry_shards(e) == 1)
        return;
    c.kind = arena_array(m->arena, n, 1);
    c.use = arena_array(m->arena, n, 1);
    c.user = arena_array(m->arena, n, sizeof *c.user);
    for (ir_ref r = 1; r < n; r++)
        c.kind[r] = (unsigned char)kind_of(&c, r);
    for (size_t i = 0; i < e->outputs.n; i++)
        check_root(&c, e->outputs.at[i].value, "the output", e->outputs.at[i].name);
    for (size_t i = 0; i < e->updates.n; i++)
        check_root(&c, e->updates.at[i].value, "the update of",
                   m->vars.at[e->updates.at[i].var].path);
    for (size_t i = 0; i < e->grads.n; i++)
        check_root(&c, e->grads.at[i].value, "the gradient of",
                   m->vars.at[e->grads.at[i].var].path);
    spread_use(&c);
    check_draws(&c);
    check_count(&c);
}

// -- gradients -----------------------------------------------------------------------------------

static bool is_across_sum(const struct ir_graph *g, ir_ref r)
{
    return ir_opcode(g, r) == IR_across && ir_attr(g, r, 0) == IR_ACROSS_SUM;
}

struct ir_shard_loss ir_shard_loss_of(const struct ir_graph *g, ir_ref loss)
{
    bool divided = ir_opcode(g, loss) == IR_div && is_across_sum(g, ir_arg(g, loss, 0));
    ir_ref total = divided ? ir_arg(g, loss, 0) : loss;
    if (!is_across_sum(g, total))
        return (struct ir_shard_loss){.sum = loss};
    return (struct ir_shard_loss){ir_arg(g, total, 0), divided ? ir_arg(g, loss, 1) : 0, true};
}

ir_ref ir_shard_combine(struct ir_graph *g, ir_ref d, bool across, ir_ref weight)
{
    const int64_t how = IR_ACROSS_SUM;
    if (across)
        d = ir_node_make(g, IR_across, &d, 1, &how, 1, 0);
    if (!weight)
        return d;
    return ir_binary(g, IR_div, d, ir_broadcast_to(g, weight, ir_get(g, d)->type));
}

// -- words ---------------------------------------------------------------------------------------

static const struct {
    const char *code, *sentence, *help;
} rules[] = {
    [IR_SHARD_LEAK] = {"HLX0520", "is local to a shard",
                       "combine it over the shards with across(sum, x), and divide after that, if "
                       "at all"},
    [IR_SHARD_MIXED] = {"HLX0521", "what `across` gave meets what is local to a shard",
                        "combine what is local, too: all that uses `across` is computed once, "
                        "after the shards"},
    [IR_SHARD_AGAIN] = {"HLX0521", "what `across` gave goes through `across` again",
                        "it is the same for all shards already: use it as it is"},
    [IR_SHARD_LOSS] = {"HLX0522", "a gradient of what is local to a shard",
                       "differentiate across(sum, s), or that divided by a weight: across(sum, s) "
                       "/ across(sum, weight)"},
    [IR_SHARD_WRT] = {"HLX0522", "a gradient by what is local to a shard",
                      "with shards, gradients are taken by params and what is made of them"},
    [IR_SHARD_DRAW_SHAPE] = {"HLX0523",
                             "random numbers that each shard needs have no axis of samples",
                             "their first axis must be that of the batch, so that each sample has "
                             "its own"},
    [IR_SHARD_DRAW_BOTH] = {"HLX0523",
                            "random numbers are used both in the shards and after `across`",
                            "draw twice: each call has numbers of its own"},
    [IR_SHARD_MANY] = {"HLX0521", "more than 2^20 tensors are combined, counted in every shard",
                       "use fewer shards, or combine larger tensors"},
};

const char *ir_shard_sentence(enum ir_shard_rule rule)
{
    return rules[rule].sentence;
}

static void diagnose(struct ir_module *m, struct diags *d, const struct ir_entry *e,
                     const struct ir_shard_fault *f)
{
    uint32_t loc = ir_get(e->graph, f->place)->loc;
    struct span at = loc ? m->locs.at[loc] : e->span;
    struct diag *g = diag_error(d, at, rules[f->rule].code, "%s%s%s", f->what ? f->what : "",
                                f->what ? " " : "", rules[f->rule].sentence);
    if (f->rule == IR_SHARD_LEAK)
        diag_caret(g, "made of 1/%u of the batch", (unsigned)ir_entry_shards(e));
    if (f->place != f->node)
        diag_note(g, m->locs.at[ir_get(e->graph, f->node)->loc], "they are drawn here");
    diag_help(g, "%s", rules[f->rule].help);
}

bool ir_shard_diagnose(struct ir_module *m, struct diags *d)
{
    bool ok = true;
    for (size_t i = 0; i < m->entries.n && !diags_full(d); i++) {
        ir_shard_faults faults = {0};
        ir_shard_check(m, &m->entries.at[i], &faults);
        for (size_t k = 0; k < faults.n; k++)
            diagnose(m, d, &m->entries.at[i], &faults.at[k]);
        ok = ok && faults.n == 0;
    }
    return ok;
}
