// grad.c: reverse-mode differentiation: replaces `grad` nodes by the graphs that compute them.
//
// A graph is rebuilt once, in order. At the first grad node of a loss the nodes from the loss down
// are walked backwards, for all grad nodes of that loss together. Contributions to one value are
// added in reverse order of its uses: the user with the highest number first, and within one user
// the last operand first; the order is part of the numeric contract.
#include "ir/grad.h"

#include "ir/grad_rules.h"
#include "ir/shard.h"

// Rebuilding one graph.
struct rebuild {
    struct ir_module *m;
    struct diags *d;
    const struct ir_graph *old;
    struct ir_graph *g;
    ir_ref *map;           // old -> new; 0: not made, or depends on a cotangent
    ir_ref *result;        // of grad nodes: their value, once their loss was walked
    ir_ref *clone;         // scratch of the backward rules, all 0 between uses
    bool *scratch;         // the same
    struct map cotangents; // id -> its first node in `old`
    uint32_t shards;       // of the entry
    bool ok;
};

// One walk back from a loss.
struct grad_walk {
    struct rebuild *b;
    bool *active;  // depends on what is differentiated by
    ir_ref *total; // gradient so far
};

static const char escaped[] =
    "the incoming gradient of a backward rule is used outside of that rule";

typedef void (*grad_rule)(struct grad_step *);

static const grad_rule rules[IR_OP_COUNT] = {
#define GRAD(rule) grad_##rule##_rule
#define OP(name, nargs, class, attrs, type, grad, f, i, u, b, kind, doc) [IR_##name] = grad,
#include "ir/ops.def"
#undef OP
#undef GRAD
};

static struct span place_of(const struct rebuild *b, ir_ref r)
{
    return b->m->locs.at[ir_get(b->old, r)->loc];
}

// -- backward rules of the user's ----------------------------------------------------------------

static void mark(struct rebuild *b, ir_ref r, ir_ref low)
{
    if (r >= low)
        b->scratch[r] = true;
}

// Marks what the gradients of a custom node need, from node `low` on. Of a custom node only its
// value counts.
static void mark_needed(struct rebuild *b, ir_ref custom, ir_ref low)
{
    unsigned inputs = (unsigned)ir_attr(b->old, custom, 1);
    for (unsigned i = 1; i <= inputs; i++)
        mark(b, ir_arg(b->old, custom, inputs + i), low);
    for (ir_ref r = custom - 1; r >= low; r--) {
        if (!b->scratch[r])
            continue;
        const struct ir_node *n = ir_get(b->old, r);
        unsigned nargs = n->op == IR_custom ? 1 : n->nargs;
        for (unsigned i = 0; i < nargs; i++)
            mark(b, ir_arg(b->old, r, i), low);
    }
}

// What an operand is inside of the rule: its clone, or what every one sees.
static ir_ref inside(const struct rebuild *b, ir_ref r)
{
    return b->clone[r] ? b->clone[r] : b->map[r];
}

static void clone_node(struct rebuild *b, ir_ref r)
{
    const struct ir_node *n = ir_get(b->old, r);
    if (n->op == IR_custom || n->op == IR_stop_gradient) {
        b->clone[r] = b->clone[ir_arg(b->old, r, 0)];
        return;
    }
    bool depends = false;
    ir_ref *args = arena_array(b->m->arena, n->nargs, sizeof *args);
    for (unsigned i = 0; i < n->nargs; i++) {
        depends = depends || b->clone[ir_arg(b->old, r, i)];
        args[i] = inside(b, ir_arg(b->old, r, i));
        if (!args[i])
            return; // depends on another rule's cotangent: reported where it is used
    }
    if (!depends)
        return;
    if (n->op == IR_grad) {
        b->ok = false;
        diag_error(b->d, place_of(b, r), "HLX0501",
                   "a backward rule cannot differentiate what depends on its incoming gradient");
        return;
    }
    b->clone[r] = ir_node_copy(b->g, b->old, r, args);
}

// The gradient that a backward rule gives, as f32.
static ir_ref rule_result(struct rebuild *b, ir_ref custom, ir_ref r)
{
    ir_ref d = inside(b, r);
    if (d)
        return ir_cast(b->g, d, DT_F32);
    if (b->ok)
        diag_error(b->d, place_of(b, custom), "HLX0503", "%s", escaped);
    b->ok = false;
    return 0;
}

// The cotangent of a custom node; the node itself where there is none before it.
static ir_ref find_cotangent(const struct rebuild *b, ir_ref custom)
{
    int64_t id = ir_attr(b->old, custom, 0);
    const struct map_entry *e = map_find(&b->cotangents, &id, sizeof id);
    return e && e->value.u < custom ? (ir_ref)e->value.u : custom;
}

static void note_cotangents(struct rebuild *b)
{
    map_init(&b->cotangents, b->m->arena);
    for (ir_ref r = (ir_ref)b->old->nodes.n - 1; r > 0; r--) {
        if (ir_opcode(b->old, r) != IR_cotangent)
            continue;
        int64_t id = ir_attr(b->old, r, 0);
        map_put(&b->cotangents, &id, sizeof id, NULL)->value.u = r;
    }
}

// Copies the nodes of a custom node's backward rule with dy for its cotangent.
void grad_custom_rule(struct grad_step *s)
{
    struct rebuild *b = s->walk->b;
    unsigned inputs = (unsigned)s->attrs[1];
    ir_ref low = find_cotangent(b, s->source);
    mark_needed(b, s->source, low);
    for (ir_ref r = low; r < s->source; r++) {
        if (!b->scratch[r])
            continue;
        if (ir_opcode(b->old, r) != IR_cotangent)
            clone_node(b, r);
        else if (ir_attr(b->old, r, 0) == s->attrs[0])
            b->clone[r] = s->dy;
    }
    for (unsigned i = 1; i <= inputs; i++)
        if (s->need[i])
            s->da[i] = rule_result(b, s->source, ir_arg(b->old, s->source, inputs + i));
    for (ir_ref r = low; r < s->source; r++)
        b->clone[r] = 0, b->scratch[r] = false;
}

// -- the walk ------------------------------------------------------------------------------------

void grad_refuse_rule(struct grad_step *s)
{
    struct rebuild *b = s->walk->b;
    b->ok = false;
    struct diag *e = diag_error(b->d, place_of(b, s->source), "HLX0501",
                                "a gradient cannot be differentiated again");
    diag_caret(e, "this gradient is part of a loss");
    diag_help(e, "wrap it in stop_gradient if it is meant as a constant");
}

void grad_across_rule(struct grad_step *s)
{
    struct rebuild *b = s->walk->b;
    b->ok = false;
    struct diag *e = diag_error(b->d, place_of(b, s->source), "HLX0522",
                                "this loss cannot be differentiated across shards");
    diag_caret(e, "the loss is neither this nor this divided by a weight");
    diag_help(e, "a loss with shards is across(sum, s), or that divided by a number that no param "
                 "changes: across(sum, s) / across(sum, weight)");
}

static bool is_float(enum dtype t)
{
    return dtype_class(t) == DTC_FLOAT || dtype_class(t) == DTC_SMALL_FLOAT;
}

// Whether a gradient can flow from node r to its operand i.
static bool flows(const struct ir_graph *g, ir_ref r, unsigned i)
{
    enum ir_op op = ir_opcode(g, r);
    if (rules[op] == grad_none_rule || !is_float(ir_typeof(g, r)->dtype))
        return false;
    if (op == IR_custom && (i == 0 || i > ir_attr(g, r, 1)))
        return false;
    return is_float(ir_typeof(g, ir_arg(g, r, i))->dtype);
}

// Finds the nodes up to `loss` that depend on one that is marked already.
static void spread_active(struct grad_walk *w, ir_ref loss)
{
    const struct ir_graph *g = w->b->old;
    for (ir_ref r = 1; r <= loss; r++)
        for (unsigned i = 0; i < ir_get(g, r)->nargs && !w->active[r]; i++)
            w->active[r] = w->active[ir_arg(g, r, i)] && flows(g, r, i);
}

static void add_contribution(struct grad_walk *w, ir_ref to, ir_ref d)
{
    w->total[to] = w->total[to] ? ir_binary(w->b->g, IR_add, w->total[to], d) : d;
}

// Takes the gradient of node r to its operands.
static void step_back(struct grad_walk *w, ir_ref r)
{
    struct rebuild *b = w->b;
    struct arena *a = b->m->arena;
    const struct ir_node *n = ir_get(b->old, r);
    ir_ref *args = arena_array(a, n->nargs, sizeof *args);
    ir_ref *da = arena_array(a, n->nargs, sizeof *da);
    bool *need = arena_array(a, n->nargs, sizeof *need), any = false;
    for (unsigned i = 0; i < n->nargs; i++) {
        ir_ref arg = ir_arg(b->old, r, i);
        args[i] = b->map[arg];
        need[i] = args[i] && w->active[arg] && flows(b->old, r, i);
        any = any || need[i];
    }
    if (!any)
        return;
    struct grad_step s = {.g = b->g,
                          .a = args,
                          .y = b->map[r],
                          .dy = w->total[r],
                          .nargs = n->nargs,
                          .attrs = b->old->attrs.at + n->attrs,
                          .need = need,
                          .da = da,
                          .walk = w,
                          .source = r};
    size_t first = b->g->nodes.n;
    rules[n->op](&s);
    for (unsigned i = n->nargs; i-- > 0;)
        if (need[i] && da[i])
            add_contribution(w, ir_arg(b->old, r, i), da[i]);
    for (size_t i = first; i < b->g->nodes.n; i++)
        if (!b->g->nodes.at[i].loc)
            b->g->nodes.at[i].loc = n->loc;
}

// Each loss may bring as many operations as the program has, so a few lines could ask for 10^12.
static void check_length(struct rebuild *b, ir_ref loss)
{
    if (!b->ok || b->g->nodes.n <= IR_GRAD_MAX_NODES)
        return;
    b->ok = false;
    struct diag *e =
        diag_error(b->d, place_of(b, loss), "HLX0706",
                   "with its gradients the program has more than 5 million operations");
    diag_caret(e, "when this is differentiated");
    diag_help(e, "one grad of the sum of several losses walks back once");
}

static void warn_zero(struct rebuild *b, ir_ref grad)
{
    ir_ref wrt = ir_arg(b->old, grad, 1);
    const char *what = "the tensor";
    if (ir_opcode(b->old, wrt) == IR_var)
        what = arena_printf(b->m->arena, "`%s`", b->m->vars.at[ir_attr(b->old, wrt, 0)].path);
    diag_warning(b->d, place_of(b, grad), "HLX0502",
                 "the loss does not depend on %s: its gradient is zero", what);
}

// -- a loss over shards --------------------------------------------------------------------------

// From the gradient of a shard's sum to that of the loss; what this makes stands where the gradient
// was asked for.
static ir_ref combine_gradient(struct rebuild *b, const struct ir_shard_loss *loss, ir_ref d,
                               ir_ref grad)
{
    size_t first = b->g->nodes.n;
    ir_ref weight = loss->weight ? b->map[loss->weight] : 0;
    d = ir_shard_combine(b->g, d, loss->across && b->shards > 1, weight);
    for (size_t i = first; i < b->g->nodes.n; i++)
        b->g->nodes.at[i].loc = ir_get(b->old, grad)->loc;
    return d;
}

static void check_weight(struct grad_walk *w, ir_ref weight)
{
    struct rebuild *b = w->b;
    if (!weight || !w->active[weight])
        return;
    b->ok = false;
    struct diag *e = diag_error(b->d, place_of(b, weight), "HLX0522",
                                "the weight of a loss depends on what it is differentiated by");
    diag_help(e, "wrap it in stop_gradient if it is meant as a constant");
}

// Fills the results of all grad nodes of one loss.
static void walk_loss(struct rebuild *b, ir_ref loss)
{
    const struct ir_graph *old = b->old;
    const struct ir_shard_loss parts = ir_shard_loss_of(old, loss);
    struct grad_walk w = {b, arena_array(b->m->arena, old->nodes.n, sizeof *w.active),
                          arena_array(b->m->arena, old->nodes.n, sizeof *w.total)};
    for (ir_ref r = loss + 1; r < old->nodes.n; r++)
        if (ir_opcode(old, r) == IR_grad && ir_arg(old, r, 0) == loss)
            w.active[ir_arg(old, r, 1)] = true;
    spread_active(&w, loss);
    check_weight(&w, parts.weight);
    w.total[parts.sum] = ir_const_f32(b->g, 1);
    for (ir_ref r = parts.sum; r > 0 && b->ok; r--)
        if (w.active[r] && w.total[r]) {
            step_back(&w, r);
            check_length(b, loss);
        }
    for (ir_ref r = loss + 1; r < old->nodes.n; r++) {
        if (ir_opcode(old, r) != IR_grad || ir_arg(old, r, 0) != loss)
            continue;
        b->result[r] = w.total[ir_arg(old, r, 1)];
        if (b->result[r]) {
            b->result[r] = combine_gradient(b, &parts, b->result[r], r);
            continue;
        }
        b->result[r] = ir_splat_f32(b->g, ir_get(old, r)->type, 0);
        if (b->ok)
            warn_zero(b, r);
    }
}

// -- rebuilding ----------------------------------------------------------------------------------

static ir_ref rebuild_node(struct rebuild *b, ir_ref r)
{
    const struct ir_node *n = ir_get(b->old, r);
    if (n->op == IR_cotangent)
        return 0;
    unsigned nargs = n->op == IR_custom ? 1 : n->nargs;
    ir_ref *args = arena_array(b->m->arena, nargs, sizeof *args);
    for (unsigned i = 0; i < nargs; i++) {
        args[i] = b->map[ir_arg(b->old, r, i)];
        if (!args[i])
            return 0;
    }
    if (n->op == IR_custom || n->op == IR_stop_gradient || (n->op == IR_across && b->shards == 1))
        return args[0];
    if (n->op != IR_grad)
        return ir_node_copy(b->g, b->old, r, args);
    if (!b->result[r])
        walk_loss(b, ir_arg(b->old, r, 0));
    return b->result[r];
}

static bool has_meta(const struct ir_graph *g)
{
    for (ir_ref r = 1; r < g->nodes.n; r++)
        if (ir_op_info(ir_opcode(g, r))->class == IRC_META || ir_opcode(g, r) == IR_across)
            return true;
    return false;
}

// Returns false when the errors are in b->d.
static bool rebuild_graph(struct rebuild *b, struct ir_module *m, struct diags *d,
                          const struct ir_graph *old, uint32_t shards)
{
    struct arena *a = m->arena;
    size_t n = old->nodes.n;
    *b = (struct rebuild){
        .m = m, .d = d, .old = old, .g = ir_graph_new(m), .shards = shards, .ok = true};
    b->map = arena_array(a, n, sizeof *b->map);
    b->result = arena_array(a, n, sizeof *b->result);
    b->clone = arena_array(a, n, sizeof *b->clone);
    b->scratch = arena_array(a, n, sizeof *b->scratch);
    note_cotangents(b);
    for (ir_ref r = 1; r < n && b->ok; r++)
        b->map[r] = rebuild_node(b, r);
    return b->ok;
}

// A root that was not rebuilt depends on a cotangent.
static bool check_root(struct rebuild *b, ir_ref root)
{
    if (b->map[root])
        return true;
    diag_error(b->d, place_of(b, root), "HLX0503", "%s", escaped);
    return b->ok = false;
}

// Adds the gradients of params that grad nodes asked for to the entry's list, each param once.
static void keep_grads(struct rebuild *b, struct ir_entry *e)
{
    bool *kept = arena_array(b->m->arena, b->m->vars.n, sizeof *kept);
    for (size_t i = 0; i < e->grads.n; i++)
        kept[e->grads.at[i].var] = true;
    for (ir_ref r = 1; r < b->old->nodes.n; r++) {
        if (!b->result[r] || ir_opcode(b->old, ir_arg(b->old, r, 1)) != IR_var)
            continue;
        uint32_t var = (uint32_t)ir_attr(b->old, ir_arg(b->old, r, 1), 0);
        if (kept[var] || b->m->vars.at[var].kind != IR_PARAM)
            continue;
        kept[var] = true;
        vec_push(b->m->arena, &e->grads, (struct ir_update){var, b->result[r]});
    }
}

static bool expand_entry(struct ir_module *m, struct diags *d, struct ir_entry *e)
{
    struct rebuild b;
    ir_refs roots = {0};
    if (!has_meta(e->graph))
        return true;
    if (!rebuild_graph(&b, m, d, e->graph, ir_entry_shards(e)))
        return false;
    ir_entry_roots(e, true, m->arena, &roots);
    for (size_t i = 0; i < roots.n; i++)
        check_root(&b, roots.at[i]);
    if (!b.ok)
        return false;
    ir_entry_remap(e, b.g, &(struct ir_remap){b.map, b.old->nodes.n});
    keep_grads(&b, e);
    return true;
}

static bool expand_init(struct ir_module *m, struct diags *d, struct ir_var *v)
{
    struct rebuild b;
    if (!has_meta(v->init))
        return true;
    if (!rebuild_graph(&b, m, d, v->init, 1) || !check_root(&b, v->init_value))
        return false;
    v->init = b.g;
    v->init_value = b.map[v->init_value];
    return true;
}

bool ir_expand_grads(struct ir_module *m, struct diags *d)
{
    bool ok = true;
    for (size_t i = 0; i < m->vars.n; i++)
        ok = expand_init(m, d, &m->vars.at[i]) && ok;
    for (size_t i = 0; i < m->entries.n; i++)
        ok = expand_entry(m, d, &m->entries.at[i]) && ok;
    return ok;
}
