// fuse.c: groups nodes into kernels, from the last node to the first.
//
// Walking backwards, every reader of a node is in a kernel before the node is looked at. An
// elementwise node joins a kernel that reads it element by element, unless that would make two
// kernels wait for each other; else it starts one. What it joins is always a later part of the
// graph, so only the node's other readers can close a cycle.
#include "ir/fuse.h"

// A device binds at most 24 buffers to a kernel. Some are left for counters, partial results and
// the kernel that a reduction may end with.
enum { MAX_BUFFERS = 16 };

// Who reads a node, and how.
struct use {
    struct use *next;
    uint32_t kernel;
    bool by_lane; // element by element: the node may be in a register
};

// A kernel that is being made.
struct draft {
    enum ir_class class;
    ir_ref anchor;
    bool stores;        // a node that is not the anchor must be stored
    unsigned buffers;   // tensors it reads and stores
    uint32_t seen;      // mark of the last search that came by
    uint32_t at;        // next edge to look at, while ordering
    VEC(uint32_t) next; // kernels that read it
};

struct fuser {
    const struct ir_graph *g;
    struct arena *arena;
    bool fuse;
    bool *root;        // node is one, or the base of one
    struct use **uses; // by node
    uint32_t *of;      // node -> draft + 1
    VEC(struct draft) drafts;
    VEC(uint32_t) stack;
    uint32_t search;
};

// -- views ---------------------------------------------------------------------------------------

static bool same_elements(const struct ir_graph *g, ir_ref r)
{
    enum ir_op op = ir_opcode(g, r);
    return op == IR_reshape ||
           (op == IR_broadcast &&
            ir_type_count(ir_typeof(g, r)) == ir_type_count(ir_typeof(g, ir_arg(g, r, 0))));
}

ir_ref ir_view_base(const struct ir_graph *g, ir_ref r)
{
    while (same_elements(g, r))
        r = ir_arg(g, r, 0);
    return r;
}

struct ir_view ir_view_of(const struct ir_graph *g, bool fused, ir_ref r)
{
    ir_ref base = ir_view_base(g, r);
    if (!fused || ir_opcode(g, base) != IR_broadcast)
        return (struct ir_view){base, 0};
    return (struct ir_view){ir_view_base(g, ir_arg(g, base, 0)), base};
}

static enum ir_class class_of(const struct ir_graph *g, ir_ref r)
{
    return ir_op_info(ir_opcode(g, r))->class;
}

static bool reads_lanes(enum ir_class class)
{
    return class == IRC_MAP || class == IRC_REDUCE;
}

// What node r reads for operand i, and whether element by element.
static ir_ref source(const struct fuser *f, ir_ref r, unsigned i, bool *by_lane)
{
    ir_ref arg = ir_arg(f->g, r, i);
    *by_lane = false;
    if (!reads_lanes(class_of(f->g, r)))
        return ir_view_base(f->g, arg);
    struct ir_view v = ir_view_of(f->g, f->fuse, arg);
    *by_lane = v.via == 0;
    return v.node;
}

// -- which kernel --------------------------------------------------------------------------------

static void visit(struct fuser *f, uint32_t k)
{
    struct draft *d = &f->drafts.at[k];
    if (d->seen != f->search)
        vec_push(f->arena, &f->stack, k);
    d->seen = f->search;
}

// Whether a kernel that reads node r, other than kernel `to`, must come before `to`. A search that
// grows too long says yes, which is always safe.
static bool readers_reach(struct fuser *f, ir_ref r, uint32_t to)
{
    enum { PATIENCE = 10000 };
    f->search++;
    f->stack.n = 0;
    for (const struct use *u = f->uses[r]; u; u = u->next)
        if (u->kernel != to)
            visit(f, u->kernel);
    for (unsigned steps = 0; f->stack.n; steps++) {
        uint32_t k = vec_pop(&f->stack);
        if (k == to || steps == PATIENCE)
            return true;
        for (size_t i = 0; i < f->drafts.at[k].next.n; i++)
            visit(f, f->drafts.at[k].next.at[i]);
    }
    return false;
}

static bool is_stored(const struct fuser *f, ir_ref r, uint32_t k)
{
    if (f->root[r])
        return true;
    for (const struct use *u = f->uses[r]; u; u = u->next)
        if (u->kernel != k)
            return true;
    return false;
}

// A reduction visits elements in an order of its own, so it stores no elements that share a word.
static bool may_store(const struct fuser *f, ir_ref r, enum ir_class class)
{
    return class == IRC_MAP || (class == IRC_REDUCE && dtype_bytes(ir_typeof(f->g, r)->dtype) == 4);
}

static bool reads(const struct fuser *f, uint32_t k, ir_ref r)
{
    for (const struct use *u = f->uses[r]; u; u = u->next)
        if (u->kernel == k)
            return true;
    return false;
}

// Whether node r, which kernel k reads, may leave the list of its buffers to its own operands.
static bool has_room(const struct fuser *f, ir_ref r, uint32_t k)
{
    unsigned n = f->drafts.at[k].buffers - 1 + is_stored(f, r, k);
    for (unsigned i = 0; i < ir_get(f->g, r)->nargs; i++) {
        bool by_lane;
        n += !reads(f, k, source(f, r, i, &by_lane));
    }
    return n <= MAX_BUFFERS;
}

// Whether node r may join kernel k, which reads it element by element.
static bool may_join(struct fuser *f, ir_ref r, uint32_t k)
{
    enum ir_class class = f->drafts.at[k].class;
    if (class != IRC_MAP && class != IRC_REDUCE && class != IRC_MATMUL)
        return false;
    if (is_stored(f, r, k) && !may_store(f, r, class))
        return false;
    for (const struct use *u = f->uses[r]; u; u = u->next)
        if (u->kernel == k && !u->by_lane)
            return false;
    return has_room(f, r, k) && !readers_reach(f, r, k);
}

// A product takes over the elementwise kernel that is its only reader and stores one thing.
static bool may_lead(const struct fuser *f, ir_ref r, uint32_t k)
{
    const struct draft *d = &f->drafts.at[k];
    bool ok = d->class == IRC_MAP && !d->stores && !f->root[r];
    for (const struct use *u = f->uses[r]; u; u = u->next)
        ok = ok && u->by_lane && u->kernel == k;
    return ok;
}

static uint32_t start_kernel(struct fuser *f, ir_ref r, enum ir_class class)
{
    vec_push(f->arena, &f->drafts, (struct draft){.class = class, .anchor = r});
    return (uint32_t)f->drafts.n - 1;
}

static uint32_t choose_kernel(struct fuser *f, ir_ref r)
{
    enum ir_class class = class_of(f->g, r);
    const struct use *first = f->uses[r];
    enum { TRIES = 16 };
    unsigned tries = 0;
    if (f->fuse && class == IRC_MAP)
        for (const struct use *u = first; u && tries < TRIES; u = u->next, tries++)
            if (u->by_lane && may_join(f, r, u->kernel))
                return u->kernel;
    if (f->fuse && class == IRC_MATMUL && first && may_lead(f, r, first->kernel)) {
        f->drafts.at[first->kernel].class = IRC_MATMUL;
        f->drafts.at[first->kernel].anchor = r;
        return first->kernel;
    }
    return start_kernel(f, r, class);
}

// -- one node ------------------------------------------------------------------------------------

static void note_use(struct fuser *f, ir_ref r, uint32_t kernel, bool by_lane)
{
    f->drafts.at[kernel].buffers += !reads(f, kernel, r);
    struct use *u = arena_new(f->arena, struct use);
    *u = (struct use){f->uses[r], kernel, by_lane};
    f->uses[r] = u;
}

static void join(struct fuser *f, ir_ref r, uint32_t k)
{
    struct draft *d = &f->drafts.at[k];
    f->of[r] = k + 1;
    if (d->anchor != r && is_stored(f, r, k))
        d->stores = true;
    d->buffers += is_stored(f, r, k);
    d->buffers -= reads(f, k, r);
    for (const struct use *u = f->uses[r]; u; u = u->next)
        if (u->kernel != k)
            vec_push(f->arena, &d->next, u->kernel);
    for (unsigned i = 0; i < ir_get(f->g, r)->nargs; i++) {
        bool by_lane;
        ir_ref arg = source(f, r, i, &by_lane);
        note_use(f, arg, k, by_lane);
    }
}

// An iota or random bits are made where they are read by lane; others must find them in memory.
static bool leaf_needs_memory(const struct fuser *f, ir_ref r)
{
    enum ir_op op = ir_opcode(f->g, r);
    if (op != IR_iota && op != IR_random_bits)
        return false;
    bool needs = f->root[r];
    for (const struct use *u = f->uses[r]; u; u = u->next)
        needs = needs || !u->by_lane || !f->fuse;
    return needs;
}

static void place(struct fuser *f, ir_ref r)
{
    if (!f->uses[r] && !f->root[r]) // dead, or a view
        return;
    if (class_of(f->g, r) != IRC_LEAF || leaf_needs_memory(f, r))
        join(f, r, choose_kernel(f, r));
}

// -- the result ----------------------------------------------------------------------------------

// Kernels in an order where what they read comes first: depth first from the last kernel, each put
// in front of those that read it. The order's end is filled first.
static uint32_t *order(struct fuser *f)
{
    uint32_t n = (uint32_t)f->drafts.n, *order = arena_array(f->arena, n + 1, sizeof *order);
    uint32_t at = n, mark = ++f->search;
    for (uint32_t k = 0; k < n; k++) {
        if (f->drafts.at[k].seen == mark)
            continue;
        f->drafts.at[k].seen = mark;
        f->stack.n = 0;
        vec_push(f->arena, &f->stack, k);
        while (f->stack.n) {
            uint32_t top = vec_last(&f->stack);
            struct draft *d = &f->drafts.at[top];
            if (d->at == d->next.n) {
                order[--at] = top;
                f->stack.n--;
            } else if (f->drafts.at[d->next.at[d->at++]].seen != mark) {
                uint32_t next = d->next.at[d->at - 1];
                f->drafts.at[next].seen = mark;
                vec_push(f->arena, &f->stack, next);
            }
        }
    }
    return order;
}

static void list_inputs(struct fuser *f, ir_ref r, uint32_t *listed, struct ir_fusion *out)
{
    uint32_t k = out->kernel_of.at[r];
    for (unsigned i = 0; i < ir_get(f->g, r)->nargs; i++) {
        bool by_lane;
        ir_ref arg = source(f, r, i, &by_lane);
        if (out->kernel_of.at[arg] == k || listed[arg] == k)
            continue;
        listed[arg] = k;
        vec_push(f->arena, &out->kernels.at[k - 1].inputs, arg);
    }
}

static void fill(struct fuser *f, struct ir_fusion *out)
{
    size_t n = f->g->nodes.n;
    uint32_t *rank = arena_array(f->arena, f->drafts.n + 1, sizeof *rank), *sorted = order(f);
    uint32_t *listed = arena_array(f->arena, n, sizeof *listed);
    vec_reserve(f->arena, &out->kernels, f->drafts.n + 1);
    for (uint32_t i = 0; i < f->drafts.n; i++) {
        const struct draft *d = &f->drafts.at[sorted[i]];
        vec_push(f->arena, &out->kernels,
                 (struct ir_kernel){.class = d->class, .anchor = d->anchor});
        rank[sorted[i]] = i + 1;
    }
    vec_reserve(f->arena, &out->kernel_of, n);
    for (ir_ref r = 0; r < n; r++)
        vec_push(f->arena, &out->kernel_of, f->of[r] ? rank[f->of[r] - 1] : 0);
    for (ir_ref r = 1; r < n; r++) {
        if (!f->of[r])
            continue;
        struct ir_kernel *k = &out->kernels.at[out->kernel_of.at[r] - 1];
        vec_push(f->arena, &k->nodes, r);
        if (is_stored(f, r, f->of[r] - 1))
            vec_push(f->arena, &k->outputs, r);
        list_inputs(f, r, listed, out);
    }
}

bool ir_kernel_stores(const struct ir_kernel *k, ir_ref r)
{
    for (size_t i = 0; i < k->outputs.n; i++)
        if (k->outputs.at[i] == r)
            return true;
    return false;
}

void ir_fuse(const struct ir_graph *g, const ir_ref *roots, size_t nroots, bool fuse,
             struct arena *a, struct ir_fusion *out)
{
    size_t n = g->nodes.n;
    struct fuser f = {.g = g, .arena = a, .fuse = fuse};
    f.root = arena_array(a, n, sizeof *f.root);
    f.uses = arena_array(a, n, sizeof *f.uses);
    f.of = arena_array(a, n, sizeof *f.of);
    vec_reserve(a, &f.drafts, n);
    for (size_t i = 0; i < nroots; i++)
        f.root[ir_view_base(g, roots[i])] = true;
    for (ir_ref r = (ir_ref)n; r-- > 1;)
        place(&f, r);
    *out = (struct ir_fusion){.fused = fuse};
    fill(&f, out);
}
