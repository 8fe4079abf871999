// lcr_write.c: writes LC-R from level 1 on, as lcr_plan.c has planned it.
#include <stdlib.h>
#include <string.h>

#include "latent/lcr_write.h"

static void put_value(struct writer *w, node_id id, struct lcr_text *before);

// -- lists ----------------------------------------------------------------------------------------

// How many items from the first on are equal.
static size_t run_of(const node_id *item, size_t n)
{
    size_t k = 1;
    while (k < n && item[k] == item[0])
        k++;
    return k;
}

static void put_times(struct writer *w, size_t k)
{
    writer_mark(w, LCR_TIMES);
    writer_count(w, k);
}

static void put_nodes(struct writer *w, const node_id *item, size_t n)
{
    struct lcr_text before = {"", 0};
    for (size_t i = 0, k; i < n; i += k) {
        const struct node *node = writer_node(w, item[i]);
        size_t length = node->entry ? 1 : node->length;
        k = w->level >= LCR_RUNS ? run_of(item + i, n - i) : 1;
        if (length * (k - 1) <= 3)
            k = 1;
        put_value(w, item[i], &before);
        if (k > 1)
            put_times(w, k);
    }
}

// The difference of two ints, where it is one.
static bool difference(int64_t a, int64_t b, int64_t *out)
{
    uint64_t d = (uint64_t)b - (uint64_t)a;
    memcpy(out, &d, sizeof d);
    return (b >= a) == (*out >= 0);
}

// How many ints from the first on have the same step.
static size_t sequence_of(const int64_t *x, size_t n, int64_t *step)
{
    int64_t d;
    size_t k = 2;
    if (n < 3 || !difference(x[0], x[1], step))
        return 1;
    while (k < n && difference(x[k - 1], x[k], &d) && d == *step)
        k++;
    return k;
}

static void put_ints(struct writer *w, const int64_t *x, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        int64_t step = 0;
        k = w->level >= LCR_RUNS ? sequence_of(x + i, n - i, &step) : 1;
        if (k < 5)
            k = 1;
        writer_int(w, x[i]);
        if (k > 1 && step != 0) {
            writer_mark(w, LCR_FLOW);
            writer_int(w, step);
        }
        if (k > 1)
            put_times(w, k);
    }
}

static int64_t *ints_of(const struct writer *w, const node_id *item, size_t n)
{
    int64_t *x = calloc(n + 1, sizeof *x);
    if (x == NULL)
        arena_exhausted();
    for (size_t i = 0; i < n; i++)
        x[i] = writer_node(w, item[i])->v->as.integer;
    return x;
}

// Turns ints into their differences; false when one is no int.
static bool to_differences(int64_t *x, size_t n)
{
    int64_t last = 0, d;
    for (size_t i = 0; i < n; i++) {
        if (!difference(last, x[i], &d))
            return false;
        last = x[i];
        x[i] = d;
    }
    return true;
}

// Ints as they are or, where that is shorter, as differences.
static void put_int_list(struct writer *w, const node_id *item, size_t n)
{
    struct buf plain = {0}, deltas = {0};
    struct writer to_plain = *w, to_deltas = *w;
    int64_t *x = ints_of(w, item, n);
    to_plain.out = &plain;
    to_deltas.out = &deltas;
    to_plain.word = to_deltas.word = false;
    put_ints(&to_plain, x, n);
    bool shorter = false;
    if (w->level >= LCR_COLUMNS && n > 3 && to_differences(x, n)) {
        writer_mark(&to_deltas, LCR_DELTA);
        put_ints(&to_deltas, x, n);
        shorter = lcr_chars(deltas.at, deltas.n) < lcr_chars(plain.at, plain.n);
    }
    const struct buf *best = shorter ? &deltas : &plain;
    buf_put(w->out, best->at, best->n);
    w->word = shorter ? to_deltas.word : to_plain.word;
    free(x);
    buf_free(&plain);
    buf_free(&deltas);
}

// The items of an array and its bracket; the opening one has been written.
static void put_list(struct writer *w, const node_id *item, size_t n)
{
    if (plan_all_ints(w->plan, item, n))
        put_int_list(w, item, n);
    else
        put_nodes(w, item, n);
    writer_mark(w, "]");
}

// -- objects --------------------------------------------------------------------------------------

// The keys of a shape between their marks, or a reference to them.
static void put_keys(struct writer *w, const struct node *shape)
{
    struct lcr_text before = {"", 0};
    writer_mark(w, LCR_OBJECT);
    for (size_t i = 0; i < shape->n; i++)
        writer_key(w, shape->child[i], &before);
    writer_mark(w, LCR_SEPARATOR);
}

static void put_shape(struct writer *w, node_id id)
{
    if (writer_node(w, id)->entry)
        writer_reference(w, writer_node(w, id)->reference);
    else
        put_keys(w, writer_node(w, id));
}

static void put_rows(struct writer *w, const struct node *table)
{
    size_t columns = writer_node(w, table->shape)->n;
    struct lcr_text *before = calloc(columns, sizeof *before);
    if (before == NULL)
        arena_exhausted();
    writer_mark(w, LCR_ARRAY);
    put_shape(w, table->shape);
    for (size_t i = 0; i < table->n; i++)
        for (size_t k = 0; k < columns; k++)
            put_value(w, writer_node(w, table->child[i])->child[k], &before[k]);
    writer_mark(w, "]");
    free(before);
}

static void put_columns(struct writer *w, const struct node *table)
{
    node_id *cell = calloc(table->n, sizeof *cell);
    if (cell == NULL)
        arena_exhausted();
    writer_mark(w, LCR_ARRAY LCR_ARRAY);
    put_shape(w, table->shape);
    for (size_t k = 0; k < writer_node(w, table->shape)->n; k++) {
        for (size_t i = 0; i < table->n; i++)
            cell[i] = writer_node(w, table->child[i])->child[k];
        put_list(w, cell, table->n);
    }
    free(cell);
}

static void put_object(struct writer *w, const struct node *node)
{
    const struct node *shape = writer_node(w, node->shape);
    struct lcr_text before = {"", 0};
    if (shape->entry && node->n > 0) {
        writer_reference(w, shape->reference);
        for (size_t i = 0; i < node->n; i++)
            put_value(w, node->child[i], NULL);
        return;
    }
    writer_mark(w, "{");
    for (size_t i = 0; i < node->n; i++) {
        writer_key(w, shape->child[i], &before);
        put_value(w, node->child[i], NULL);
    }
    writer_mark(w, "}");
}

// A value that is written out, wherever it stands.
static void put_whole(struct writer *w, const struct node *node, struct lcr_text *before)
{
    if (node->kind == VALUE_OBJECT) {
        put_object(w, node);
    } else if (node->kind != VALUE_ARRAY) {
        writer_scalar(w, node, before);
    } else if (node->table) {
        (node->columns ? put_columns : put_rows)(w, node);
    } else {
        writer_mark(w, "[");
        put_list(w, node->child, node->n);
    }
}

static void put_value(struct writer *w, node_id id, struct lcr_text *before)
{
    const struct node *node = writer_node(w, id);
    bool refer = node->entry && w->level > LCR_KEYS;
    if (refer)
        writer_reference(w, node->reference);
    else
        put_whole(w, node, before);
}

// -- the whole ------------------------------------------------------------------------------------

static size_t length_of(const struct writer *w, const struct node *table,
                        void (*put)(struct writer *, const struct node *))
{
    struct buf text = {0};
    struct writer to_text = *w;
    to_text.out = &text;
    to_text.word = false;
    put(&to_text, table);
    size_t length = lcr_chars(text.at, text.n);
    buf_free(&text);
    return length;
}

// Inner tables come first, so each is written at most twice for every one around it.
static void choose_columns(struct writer *w)
{
    for (size_t id = 0; id < w->plan->nodes.n && w->level >= LCR_COLUMNS; id++) {
        struct node *node = &w->plan->nodes.at[id];
        if (node->kind == VALUE_ARRAY && node->table)
            node->columns = length_of(w, node, put_columns) < length_of(w, node, put_rows);
    }
}

static void put_phrases(struct writer *w)
{
    const struct plan *p = w->plan;
    struct lcr_text before = {"", 0};
    if (p->phrase_list.n == 0)
        return;
    writer_mark(w, LCR_PHRASE);
    for (size_t i = 0; i < p->phrase_list.n; i++) {
        const struct lcr_text *phrase = &p->phrase_list.at[i];
        size_t shared = lcr_shared(&before, phrase->at, phrase->n);
        writer_count(w, lcr_chars(phrase->at, shared));
        lcr_put_chars(w->out, phrase->at + shared, phrase->n - shared, true);
        buf_putc(w->out, '"');
        before = *phrase;
    }
}

static void put_entries(struct writer *w)
{
    const struct plan *p = w->plan;
    struct lcr_text before = {"", 0};
    if (p->phrase_list.n + p->entries.n == 0)
        return;
    writer_mark(w, LCR_NEST);
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct node *node = &p->nodes.at[p->entries.at[i]];
        if (node->kind == NODE_SHAPE)
            put_keys(w, node);
        else
            put_whole(w, node, &before);
    }
    writer_mark(w, LCR_FLOW);
}

static void put_document(struct plan *p, struct buf *out)
{
    struct writer w = {.plan = p, .out = out, .level = p->level};
    choose_columns(&w);
    writer_mark(&w, lcr_marks[p->level]);
    put_phrases(&w);
    put_entries(&w);
    put_value(&w, p->root, NULL);
}

// Phrases may lose to the beginnings that texts share anyway, so both are tried.
static void try_phrases(struct plan *p, struct buf *out)
{
    struct buf other = {0};
    plan_phrases(p);
    if (p->phrase_list.n == 0)
        return;
    put_document(p, &other);
    if (lcr_chars(other.at, other.n) < lcr_chars(out->at, out->n)) {
        struct buf longer = *out;
        *out = other;
        other = longer;
    }
    buf_free(&other);
}

bool lcr_write_collapsed(const struct value *v, unsigned level, struct buf *out)
{
    struct arena arena = {0};
    struct plan plan;
    plan_make(&plan, &arena, v, level);
    put_document(&plan, out);
    if (level >= LCR_PHRASES)
        try_phrases(&plan, out);
    bool fits = plan.weight <= lcr_limit(out->n);
    arena_free(&arena);
    return fits;
}
