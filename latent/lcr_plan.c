// lcr_plan.c: finds the different parts of a value, counts their uses, and chooses the dictionary.
#include "latent/lcr_plan.h"

#include <stdlib.h>
#include <string.h>

#include "latent/handle.h"
#include "latent/lcb.h"

enum { HASHED = 256 }; // bytes above this length are told apart by SHA-256

// -- the different parts
// ---------------------------------------------------------------------------

// Finds or makes the node with this content. `fresh` says that it is new.
static node_id intern(struct plan *p, const void *key, size_t n, bool *fresh)
{
    struct map_entry *e = map_put(&p->index, key, n, fresh);
    if (*fresh) {
        vec_push(p->arena, &p->nodes, (struct node){0});
        e->value.u = p->nodes.n - 1;
    }
    return (node_id)e->value.u;
}

static node_id add_scalar(struct plan *p, const struct value *v)
{
    struct buf lcb = {0};
    unsigned char sha[1 + HANDLE_BYTES] = {0xFF};
    bool fresh;
    if (v->kind == VALUE_BYTES && v->as.bytes.n > HASHED) {
        sha256_of(v->as.bytes.at, v->as.bytes.n, sha + 1);
        buf_put(&lcb, sha, sizeof sha);
    } else {
        lcb_encode(v, &lcb);
    }
    node_id id = intern(p, lcb.at, lcb.n, &fresh);
    buf_free(&lcb);
    if (fresh)
        p->nodes.at[id] = (struct node){.kind = v->kind, .v = v};
    return id;
}

// Makes a node of the ids on the stack above `base`, after a word that tells its kind and one more.
static node_id add_parent(struct plan *p, const struct node *made, uint32_t extra, size_t base)
{
    size_t n = p->stack.n - base;
    struct buf key = {0};
    uint32_t head[2] = {LCB_TAGS + made->kind, extra};
    bool fresh;
    buf_put(&key, head, sizeof head);
    if (n > 0)
        buf_put(&key, p->stack.at + base, n * sizeof *p->stack.at);
    node_id id = intern(p, key.at, key.n, &fresh);
    buf_free(&key);
    if (fresh) {
        node_id *child = arena_array(p->arena, n, sizeof *child);
        for (size_t i = 0; i < n; i++)
            child[i] = p->stack.at[base + i];
        struct node *node = &p->nodes.at[id];
        *node = *made;
        node->child = child;
        node->n = n;
        for (size_t i = 0; i < n && made->kind != NODE_SHAPE; i++)
            p->nodes.at[child[i]].uses++;
    }
    p->stack.n = base;
    return id;
}

static node_id add_shape(struct plan *p, const struct value *v)
{
    size_t base = p->stack.n;
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        const struct value *key = value_borrowed(p->arena, VALUE_TEXT, f->key, f->len);
        node_id id = add_scalar(p, key);
        vec_push(p->arena, &p->stack, id);
    }
    return add_parent(p, &(struct node){.kind = NODE_SHAPE}, 0, base);
}

static node_id add_value(struct plan *p, const struct value *v)
{
    size_t base = p->stack.n;
    struct node made = {.kind = v->kind, .v = v};
    if (v->kind != VALUE_ARRAY && v->kind != VALUE_OBJECT)
        return add_scalar(p, v);
    if (v->kind == VALUE_OBJECT)
        made.shape = add_shape(p, v);
    size_t n = v->kind == VALUE_ARRAY ? v->as.array.n : v->as.object.n;
    for (size_t i = 0; i < n; i++) {
        node_id id =
            add_value(p, v->kind == VALUE_ARRAY ? v->as.array.at[i] : v->as.object.at[i].value);
        vec_push(p->arena, &p->stack, id);
    }
    return add_parent(p, &made, made.shape, base);
}

// -- tables and shapes ----------------------------------------------------------------------------

bool plan_all_ints(const struct plan *p, const node_id *item, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p->nodes.at[item[i]].kind != VALUE_INT)
            return false;
    return n > 0;
}

// Whether an array's items are objects of one shape, and mostly different ones.
static bool is_table(const struct plan *p, const struct node *array)
{
    size_t shared = 0;
    if (p->level < LCR_TABLES || array->kind != VALUE_ARRAY || array->n < 2)
        return false;
    const struct node *first = &p->nodes.at[array->child[0]];
    for (size_t i = 0; i < array->n; i++) {
        const struct node *row = &p->nodes.at[array->child[i]];
        if (row->kind != VALUE_OBJECT || row->shape != first->shape || row->n == 0)
            return false;
        shared += row->uses > 1;
    }
    return shared <= array->n / 8;
}

// The rows of tables are marked, since their keys are not written.
static void find_tables(struct plan *p)
{
    for (size_t id = 0; id < p->nodes.n; id++) {
        struct node *node = &p->nodes.at[id];
        node->table = is_table(p, node);
        if (!node->table)
            continue;
        node->shape = p->nodes.at[node->child[0]].shape;
        p->nodes.at[node->shape].uses++;
        for (size_t i = 0; i < node->n; i++)
            p->nodes.at[node->child[i]].table |= p->nodes.at[node->child[i]].uses == 1;
    }
    for (size_t id = 0; id < p->nodes.n; id++) {
        struct node *node = &p->nodes.at[id];
        if (node->kind == VALUE_OBJECT && !node->table && node->n > 0)
            p->nodes.at[node->shape].uses++;
    }
}

static void count_keys(struct plan *p, const struct node *shape, size_t times)
{
    for (size_t i = 0; i < shape->n; i++)
        p->nodes.at[shape->child[i]].key_uses += times;
}

// A shape that occurs twice is an entry; the keys of the others are written where they stand.
static void choose_shapes(struct plan *p)
{
    for (size_t id = 0; id < p->nodes.n; id++) {
        struct node *node = &p->nodes.at[id];
        if (node->kind != NODE_SHAPE || node->uses == 0)
            continue;
        node->entry = p->level >= LCR_SHAPES && node->uses > 1;
        count_keys(p, node, node->entry ? 1 : node->uses);
    }
}

// -- entries --------------------------------------------------------------------------------------

static size_t cost(const struct node *node)
{
    return node->entry ? 1 : node->length;
}

static size_t scalar_length(const struct plan *p, const struct node *node)
{
    const struct value *v = node->v;
    struct buf b = {0};
    size_t length = 1;
    if (node->kind == VALUE_INT && p->level >= LCR_NUMBERS) {
        lcr_put_int(&b, v->as.integer);
        length = lcr_chars(b.at, b.n);
    } else if (node->kind == VALUE_INT) {
        buf_printf(&b, "%lld ", (long long)v->as.integer);
        length = b.n;
    } else if (node->kind == VALUE_FLOAT) {
        buf_double(&b, v->as.number);
        length = p->level >= LCR_NUMBERS && b.n > 6 ? 6 : b.n + 1;
    } else if (node->kind == VALUE_TEXT || node->kind == VALUE_HANDLE) {
        length = lcr_chars(v->as.bytes.at, v->as.bytes.n) + (node->kind == VALUE_TEXT ? 2 : 0);
    } else if (node->kind == VALUE_BYTES) {
        length = p->level < LCR_DENSE ? 2 + v->as.bytes.n * 2
                                      : 2 + (v->as.bytes.n * 8 + LCR_BITS - 1) / LCR_BITS;
    }
    buf_free(&b);
    return length;
}

static size_t parent_length(const struct plan *p, const struct node *node)
{
    size_t length = 2;
    if (node->kind == VALUE_OBJECT) {
        const struct node *shape = &p->nodes.at[node->shape];
        for (size_t i = 0; i < shape->n && !shape->entry && !node->table; i++)
            length += cost(&p->nodes.at[shape->child[i]]);
    }
    for (size_t i = 0; i < node->n; i++)
        length += cost(&p->nodes.at[node->child[i]]);
    return length;
}

// The least level at which a kind may be an entry.
static unsigned entry_level(unsigned kind)
{
    static const unsigned char level[] = {
        [VALUE_NULL] = 99,          [VALUE_BOOL] = 99,           [VALUE_INT] = 99,
        [VALUE_FLOAT] = LCR_SHARED, [VALUE_TEXT] = LCR_KEYS,     [VALUE_BYTES] = LCR_SHARED,
        [VALUE_ARRAY] = LCR_SHARED, [VALUE_OBJECT] = LCR_SHARED, [VALUE_HANDLE] = LCR_TEXTS,
        [NODE_SHAPE] = 99,
    };
    return level[kind];
}

static bool pays(const struct plan *p, const struct node *node)
{
    size_t uses = node->key_uses + (p->level > LCR_KEYS ? node->uses : 0);
    if (p->level < entry_level(node->kind) || uses < 2)
        return false;
    bool row = node->kind == VALUE_OBJECT && node->table;
    return !row && node->length * uses > node->length + uses;
}

static uint64_t node_weight(const struct plan *p, const struct node *node)
{
    uint64_t weight = LCR_WEIGHT;
    if (node->kind == VALUE_OBJECT)
        weight += p->nodes.at[node->shape].weight;
    for (size_t i = 0; i < node->n; i++)
        weight += p->nodes.at[node->child[i]].weight;
    if (node->kind == VALUE_TEXT || node->kind == VALUE_BYTES || node->kind == VALUE_HANDLE)
        weight += node->v->as.bytes.n;
    return weight;
}

// Children come first, so their lengths and places are known.
static void choose_entries(struct plan *p)
{
    for (size_t id = 0; id < p->nodes.n; id++) {
        struct node *node = &p->nodes.at[id];
        bool parent = node->kind == VALUE_ARRAY || node->kind == VALUE_OBJECT;
        node->weight = node_weight(p, node);
        if (node->kind == NODE_SHAPE)
            continue;
        node->length = parent ? parent_length(p, node) : scalar_length(p, node);
        node->entry = pays(p, node);
    }
}

// -- order ----------------------------------------------------------------------------------------

static void place(struct plan *p, node_id id);

static void place_parts(struct plan *p, const struct node *node)
{
    if ((node->kind == VALUE_OBJECT || node->table) && p->nodes.at[node->shape].n > 0)
        place(p, node->shape);
    for (size_t i = 0; i < node->n; i++)
        place(p, node->child[i]);
}

// Gives an entry the next number, after those that it refers to.
static void place(struct plan *p, node_id id)
{
    struct node *node = &p->nodes.at[id];
    if (node->placed)
        return;
    node->placed = true;
    place_parts(p, node);
    if (!node->entry)
        return;
    node->reference = p->entries.n;
    vec_push(p->arena, &p->entries, id);
}

static size_t all_uses(const struct node *node)
{
    return node->uses + node->key_uses;
}

struct candidate {
    const struct node *node;
    node_id id;
};

static int by_uses(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    size_t xu = all_uses(x->node), yu = all_uses(y->node);
    return xu != yu ? (xu < yu) - (xu > yu) : (x->id > y->id) - (x->id < y->id);
}

// Texts by their characters, so that neighbours share their beginnings; then all others.
static int by_text(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    bool xt = x->node->kind == VALUE_TEXT, yt = y->node->kind == VALUE_TEXT;
    if (!xt || !yt)
        return xt != yt ? yt - xt : (x->id > y->id) - (x->id < y->id);
    const struct value *v = x->node->v, *w = y->node->v;
    size_t n = v->as.bytes.n < w->as.bytes.n ? v->as.bytes.n : w->as.bytes.n;
    int order = memcmp(v->as.bytes.at, w->as.bytes.at, n);
    return order != 0 ? order : (v->as.bytes.n > w->as.bytes.n) - (v->as.bytes.n < w->as.bytes.n);
}

// The letters go to what is used most.
static void order_entries(struct plan *p)
{
    VEC(struct candidate) all = {0};
    for (size_t id = 0; id < p->nodes.n; id++)
        if (p->nodes.at[id].entry)
            vec_push(p->arena, &all, (struct candidate){&p->nodes.at[id], (node_id)id});
    if (all.n == 0)
        return;
    qsort(all.at, all.n, sizeof *all.at, by_uses);
    size_t first = all.n < LCR_LETTERS ? all.n : LCR_LETTERS;
    for (size_t i = 0; i < first; i++)
        place(p, all.at[i].id);
    qsort(all.at + first, all.n - first, sizeof *all.at, by_text);
    for (size_t i = first; i < all.n; i++)
        place(p, all.at[i].id);
}

static void add_weights(struct plan *p)
{
    p->weight = p->nodes.at[p->root].weight;
    for (size_t i = 0; i < p->entries.n; i++)
        p->weight += p->nodes.at[p->entries.at[i]].weight;
}

void plan_make(struct plan *p, struct arena *a, const struct value *v, unsigned level)
{
    *p = (struct plan){.arena = a, .level = level};
    map_init(&p->index, a);
    map_init(&p->phrases, a);
    p->root = add_value(p, v);
    p->nodes.at[p->root].uses++;
    find_tables(p);
    choose_shapes(p);
    choose_entries(p);
    order_entries(p);
    add_weights(p);
}
