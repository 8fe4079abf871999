// shard_split.c: splits an entry with shards into what each shard runs and what runs once.
#include "ir/shard.h"

#include <string.h>

struct splitter {
    struct ir_module *m;
    const struct ir_entry *e;
    const struct ir_graph *old;
    struct ir_split *out;
    ir_refs combined; // operands of `across`, each once: the outputs of the local part
    uint32_t *index;  // by old node: its place in `combined`
    bool *need;       // by old node, of the part being made
    ir_ref *to;       // by old node, in the part being made
};

// -- copying a part ------------------------------------------------------------------------------

static bool *new_marks(const struct splitter *s)
{
    return arena_array(s->m->arena, s->old->nodes.n, sizeof(bool));
}

// Marks all that the marked nodes need. The global part ends at `across`.
static void mark_needed(struct splitter *s, bool global)
{
    for (ir_ref r = (ir_ref)s->old->nodes.n - 1; r > 0; r--) {
        if (!s->need[r] || (global && ir_opcode(s->old, r) == IR_across))
            continue;
        for (unsigned i = 0; i < ir_get(s->old, r)->nargs; i++)
            s->need[ir_arg(s->old, r, i)] = true;
    }
}

static ir_ref copy(struct splitter *s, struct ir_graph *g, ir_ref r)
{
    const struct ir_node *n = ir_get(s->old, r);
    ir_ref small[8] = {0}, *args = small;
    if (n->nargs > 8)
        args = arena_array(s->m->arena, n->nargs, sizeof *args);
    for (unsigned i = 0; i < n->nargs; i++)
        args[i] = s->to[ir_arg(s->old, r, i)];
    return ir_node_copy(g, s->old, r, args);
}

static const char *part_name(const struct splitter *s, const char *part)
{
    return arena_printf(s->m->arena, "%s#%s", s->e->name, part);
}

// -- the local part ------------------------------------------------------------------------------

static ir_ref shard_number(struct splitter *s, struct ir_graph *g)
{
    struct ir_entry *l = &s->out->local;
    ir_typeid type = ir_type_scalar(s->m, DT_I32);
    if (!s->out->numbered)
        vec_push(s->m->arena, &l->inputs, (struct ir_field){"#shard", type});
    s->out->numbered = true;
    return ir_input(g, (uint32_t)l->inputs.n - 1, type);
}

// Elements are those of the whole batch (N10.3): the words of all shards, and of these one's own.
static ir_ref local_draw(struct splitter *s, struct ir_graph *g, ir_ref r)
{
    const struct ir_type t = *ir_typeof(s->old, r);
    int64_t dims[IR_MAX_RANK] = {s->out->shards};
    memcpy(dims + 1, t.dim, t.rank * sizeof *dims);
    ir_typeid all = ir_type_make(s->m, t.dtype, t.rank + 1, dims, NULL);
    const int64_t stream[] = {ir_attr(s->old, r, 0), ir_attr(s->old, r, 1)};
    ir_ref args[] = {ir_node_make(g, IR_random_bits, NULL, 0, stream, 2, all), shard_number(s, g)};
    return ir_node_make(g, IR_gather_rows, args, 2, NULL, 0, 0);
}

static void make_local(struct splitter *s)
{
    struct ir_entry *l = &s->out->local;
    struct ir_graph *g = ir_graph_new(s->m);
    *l = (struct ir_entry){.name = part_name(s, "local"), .graph = g, .span = s->e->span};
    for (size_t i = 0; i < s->e->inputs.n; i++)
        vec_push(s->m->arena, &l->inputs, s->e->inputs.at[i]);
    s->need = new_marks(s);
    for (size_t i = 0; i < s->combined.n; i++)
        s->need[s->combined.at[i]] = true;
    mark_needed(s, false);
    for (ir_ref r = 1; r < s->old->nodes.n; r++)
        if (s->need[r])
            s->to[r] = ir_opcode(s->old, r) == IR_random_bits ? local_draw(s, g, r) : copy(s, g, r);
    for (size_t i = 0; i < s->combined.n; i++) {
        const char *name = arena_printf(s->m->arena, "%zu", i);
        vec_push(s->m->arena, &l->outputs, (struct ir_named){name, s->to[s->combined.at[i]]});
    }
}

// -- the global part -----------------------------------------------------------------------------

// One input for each shard and each value that is combined.
static void add_inputs(struct splitter *s)
{
    for (size_t o = 0; o < s->combined.n; o++)
        for (uint32_t k = 0; k < s->out->shards; k++) {
            const char *name = arena_printf(s->m->arena, "%zu.%u", o, (unsigned)k);
            ir_typeid type = ir_get(s->old, s->combined.at[o])->type;
            vec_push(s->m->arena, &s->out->global.inputs, (struct ir_field){name, type});
        }
}

// The tree of N9.2: p[i] = p[i] + p[i + w/2] for w = N, N/2 ... 2.
static ir_ref combine(struct splitter *s, struct ir_graph *g, ir_ref across)
{
    static const enum ir_op op[IR_ACROSS_COUNT] = {
        [IR_ACROSS_SUM] = IR_add, [IR_ACROSS_MAX] = IR_max, [IR_ACROSS_MIN] = IR_min};
    ir_ref operand = ir_arg(s->old, across, 0), p[IR_MAX_SHARDS] = {0};
    uint32_t shards = s->out->shards, first = s->index[operand] * shards;
    for (uint32_t k = 0; k < shards; k++)
        p[k] = ir_input(g, first + k, ir_get(s->old, operand)->type);
    size_t before = g->nodes.n;
    for (uint32_t w = shards; w > 1; w /= 2)
        for (uint32_t i = 0; i < w / 2; i++)
            p[i] = ir_binary(g, op[ir_attr(s->old, across, 0)], p[i], p[i + w / 2]);
    for (size_t r = before; r < g->nodes.n; r++)
        g->nodes.at[r].loc = ir_get(s->old, across)->loc;
    return p[0];
}

static void make_global(struct splitter *s)
{
    struct ir_entry *e = &s->out->global;
    struct ir_graph *g = ir_graph_new(s->m);
    ir_refs roots = {0};
    *e = (struct ir_entry){.name = part_name(s, "global"), .graph = g, .span = s->e->span};
    add_inputs(s);
    s->need = new_marks(s);
    memset(s->to, 0, s->old->nodes.n * sizeof *s->to);
    ir_entry_roots(s->e, false, s->m->arena, &roots);
    for (size_t i = 0; i < roots.n; i++)
        s->need[roots.at[i]] = true;
    mark_needed(s, true);
    for (ir_ref r = 1; r < s->old->nodes.n; r++)
        if (s->need[r])
            s->to[r] = ir_opcode(s->old, r) == IR_across ? combine(s, g, r) : copy(s, g, r);
    for (size_t i = 0; i < s->e->outputs.n; i++) {
        const struct ir_named *o = &s->e->outputs.at[i];
        vec_push(s->m->arena, &e->outputs, (struct ir_named){o->name, s->to[o->value]});
    }
    for (size_t i = 0; i < s->e->updates.n; i++) {
        const struct ir_update *u = &s->e->updates.at[i];
        vec_push(s->m->arena, &e->updates, (struct ir_update){u->var, s->to[u->value]});
    }
}

// -- entries -------------------------------------------------------------------------------------

// The operands of the `across` nodes that the roots need, in order of the nodes.
static void find_combined(struct splitter *s)
{
    ir_refs roots = {0};
    bool *seen = new_marks(s);
    s->need = new_marks(s);
    ir_entry_roots(s->e, false, s->m->arena, &roots);
    for (size_t i = 0; i < roots.n; i++)
        s->need[roots.at[i]] = true;
    mark_needed(s, true);
    for (ir_ref r = 1; r < s->old->nodes.n; r++) {
        if (!s->need[r] || ir_opcode(s->old, r) != IR_across || seen[ir_arg(s->old, r, 0)])
            continue;
        seen[ir_arg(s->old, r, 0)] = true;
        s->index[ir_arg(s->old, r, 0)] = (uint32_t)s->combined.n;
        vec_push(s->m->arena, &s->combined, ir_arg(s->old, r, 0));
    }
}

const struct ir_split *ir_split_entry(struct ir_module *m, const struct ir_entry *e)
{
    struct splitter s = {.m = m, .e = e, .old = e->graph};
    s.out = arena_new(m->arena, struct ir_split);
    s.out->shards = ir_entry_shards(e);
    s.to = arena_array(m->arena, e->graph->nodes.n, sizeof *s.to);
    s.index = arena_array(m->arena, e->graph->nodes.n, sizeof *s.index);
    find_combined(&s);
    make_local(&s);
    make_global(&s);
    return s.out;
}

void ir_split_module(struct ir_module *m)
{
    for (size_t i = 0; i < m->entries.n; i++)
        if (ir_entry_shards(&m->entries.at[i]) > 1)
            m->entries.at[i].split = ir_split_entry(m, &m->entries.at[i]);
}

void ir_parts(const struct ir_module *m, struct arena *a, ir_entries *out)
{
    for (size_t i = 0; i < m->entries.n; i++) {
        const struct ir_entry *e = &m->entries.at[i];
        if (!e->split) {
            vec_push(a, out, e);
            continue;
        }
        if (e->split->local.outputs.n > 0)
            vec_push(a, out, &e->split->local);
        vec_push(a, out, &e->split->global);
    }
}

const struct ir_entry *ir_find_part(const struct ir_module *m, const char *name)
{
    struct arena a = {0};
    ir_entries parts = {0};
    const struct ir_entry *found = NULL;
    ir_parts(m, &a, &parts);
    for (size_t i = 0; !found && i < parts.n; i++)
        if (!strcmp(parts.at[i]->name, name))
            found = parts.at[i];
    arena_free(&a);
    return found;
}
