// doc_print.c: lays a breakable document out on lines of at most 100 columns.
#include "frontend/doc.h"

#include <string.h>

enum { INDENT = 4 };

void doc_printer_start(struct doc_printer *p, struct arena *a, bool dense, struct buf *out)
{
    *p = (struct doc_printer){.arena = a, .out = out, .dense = dense, .empty = true};
}

// -- comments under one another ------------------------------------------------------------------

// The column at which all comments of the run can begin, or 0.
static unsigned common_column(const struct doc_printer *p)
{
    unsigned column = 0;
    for (size_t i = 0; i < p->asides.n; i++)
        if (p->asides.at[i].column > column)
            column = p->asides.at[i].column;
    for (size_t i = 0; i < p->asides.n; i++)
        if (column + p->asides.at[i].width > DOC_WIDTH)
            return 0;
    return column;
}

static void align_asides(struct doc_printer *p)
{
    unsigned column = p->asides.n > 1 ? common_column(p) : 0;
    if (column) {
        size_t from = p->asides.at[0].offset;
        struct buf tail = {0};
        buf_put(&tail, p->out->at + from, p->out->n - from);
        p->out->n = from;
        for (size_t i = 0; i < p->asides.n; i++) {
            const struct doc_aside *a = &p->asides.at[i];
            size_t start = a->offset - from;
            size_t end = i + 1 < p->asides.n ? p->asides.at[i + 1].offset - from : tail.n;
            buf_fill(p->out, ' ', column - a->column);
            buf_put(p->out, tail.at + start, end - start);
        }
        buf_free(&tail);
    }
    p->asides.n = 0;
}

// Whether the current line is the next of the run, or the first of one.
static bool continues_run(const struct doc_printer *p)
{
    if (p->asides.n == 0)
        return true;
    struct doc_aside last = vec_last(&p->asides);
    return last.line + 1 == p->line && last.indent == p->indent;
}

static void note_aside(struct doc_printer *p, const struct doc *doc)
{
    if (!continues_run(p))
        align_asides(p);
    vec_push(p->arena, &p->asides,
             (struct doc_aside){.offset = p->out->n,
                                .line = p->line,
                                .indent = p->indent,
                                .column = p->column + 1,
                                .width = doc->width});
}

// -- lines and texts -----------------------------------------------------------------------------

static const struct doc space = {.kind = DOC_TEXT, .width = 1, .n = 1, .as.text = " "};

static void new_line(struct doc_printer *p, unsigned indent)
{
    buf_putc(p->out, '\n');
    p->line++;
    p->column = p->indent = indent;
    p->empty = true;
    p->after_comment = false;
}

static void put_text(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    if (p->after_comment)
        new_line(p, indent);
    if (p->empty)
        buf_fill(p->out, ' ', p->indent);
    p->empty = false;
    buf_put(p->out, doc->as.text, doc->n);
    p->column += doc->width;
}

static void put_comment(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    if (!p->empty && !p->after_comment) {
        if (!p->dense)
            note_aside(p, doc);
        put_text(p, &space, indent);
    }
    put_text(p, doc, indent);
    p->after_comment = true;
}

static void put_raw(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    put_text(p, doc, indent);
    for (unsigned i = 0; i < doc->n; i++)
        p->line += doc->as.text[i] == '\n';
    p->after_comment = true; // it may end in one
}

static void put_line(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    if (doc->kind == DOC_BLANK)
        buf_putc(p->out, '\n'), p->line++;
    new_line(p, indent);
}

// Puts what is not broken: it has neither comments nor line ends.
static void put_flat(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    switch ((enum doc_kind)doc->kind) {
    case DOC_TEXT: put_text(p, doc, indent); break;
    case DOC_LINE:
    case DOC_FILL:
        if (!p->after_comment && !p->dense)
            put_text(p, &space, indent);
        break;
    case DOC_CONCAT:
        for (uint32_t i = 0; i < doc->n; i++)
            put_flat(p, doc->as.kid[i], indent);
        break;
    case DOC_EITHER: put_flat(p, doc->as.kid[0], indent); break;
    case DOC_INDENT:
    case DOC_GROUP:
    case DOC_FLAT: put_flat(p, doc->as.one, indent); break;
    default: break;
    }
}

// -- what fits -----------------------------------------------------------------------------------

static void push_frame(struct doc_printer *p, const struct doc *doc, unsigned indent)
{
    vec_push(p->arena, &p->stack, (struct doc_frame){.doc = doc, .indent = indent});
}

static void push_probe(struct doc_printer *p, const struct doc *doc)
{
    vec_push(p->arena, &p->probe, (struct doc_frame){.doc = doc});
}

// Steps into the next child of the last probe frame.
static void probe_child(struct doc_printer *p)
{
    struct doc_frame *f = &vec_last(&p->probe);
    const struct doc *doc = f->doc;
    if (doc->kind == DOC_CONCAT && f->next < doc->n) {
        push_probe(p, doc->as.kid[f->next++]);
        return;
    }
    p->probe.n--;
    if (doc->kind == DOC_EITHER)
        push_probe(p, doc->as.kid[1]);
    else if (doc->kind != DOC_CONCAT)
        push_probe(p, doc->as.one);
}

enum probe_result { PROBE_ON, PROBE_LINE_END };

// Visits one node of the look-ahead and takes its columns from *room.
static enum probe_result probe_step(struct doc_printer *p, long *room)
{
    const struct doc *doc = vec_last(&p->probe).doc;
    switch ((enum doc_kind)doc->kind) {
    case DOC_TEXT:
    case DOC_FLAT:
        *room -= doc->width;
        p->probe.n--;
        return PROBE_ON;
    case DOC_CONCAT:
    case DOC_INDENT:
    case DOC_GROUP:
    case DOC_EITHER: probe_child(p); return PROBE_ON;
    default: return PROBE_LINE_END;
    }
}

// Whether `doc` and what follows it fit on the line, up to the first possible line end.
static bool fits(struct doc_printer *p, const struct doc *doc, bool flat)
{
    long room = p->dense ? -1 : (long)DOC_WIDTH - (long)p->column;
    size_t rest = p->stack.n;
    p->probe.n = 0;
    if (flat)
        room -= doc->width;
    else
        push_probe(p, doc);
    while (room >= 0) {
        if (p->probe.n == 0) {
            if (rest == 0)
                return true;
            vec_push(p->arena, &p->probe, p->stack.at[--rest]);
        }
        if (probe_step(p, &room) == PROBE_LINE_END)
            return true;
    }
    return p->dense;
}

// -- the walk ------------------------------------------------------------------------------------

// The first child flat, the first child, or the second.
static void print_either(struct doc_printer *p, const struct doc_frame *f)
{
    const struct doc *first = f->doc->as.kid[0], *second = f->doc->as.kid[1];
    if (!first->hard && fits(p, first, true))
        put_flat(p, first, f->indent);
    else
        push_frame(p, fits(p, first, false) ? first : second, f->indent);
}

static void print_group(struct doc_printer *p, const struct doc_frame *f)
{
    const struct doc *child = f->doc->as.one;
    if (!child->hard && fits(p, child, true))
        put_flat(p, child, f->indent);
    else
        push_frame(p, child, f->indent);
}

// The next item is looked at as what follows a space.
static void print_fill(struct doc_printer *p, const struct doc_frame *f)
{
    if (fits(p, &space, true))
        put_flat(p, f->doc, f->indent);
    else
        new_line(p, f->indent);
}

static void print_one(struct doc_printer *p, struct doc_frame f)
{
    switch ((enum doc_kind)f.doc->kind) {
    case DOC_TEXT: put_text(p, f.doc, f.indent); break;
    case DOC_COMMENT: put_comment(p, f.doc, f.indent); break;
    case DOC_RAW: put_raw(p, f.doc, f.indent); break;
    case DOC_LINE:
    case DOC_SOFT:
    case DOC_HARD:
    case DOC_BLANK: put_line(p, f.doc, f.indent); break;
    case DOC_FILL: print_fill(p, &f); break;
    case DOC_INDENT: push_frame(p, f.doc->as.one, f.indent + (p->dense ? 0 : INDENT)); break;
    case DOC_FLAT: put_flat(p, f.doc->as.one, f.indent); break;
    case DOC_GROUP: print_group(p, &f); break;
    case DOC_EITHER: print_either(p, &f); break;
    case DOC_CONCAT: break; // doc_print walks it
    }
}

void doc_print(struct doc_printer *p, const struct doc *doc)
{
    p->stack.n = 0;
    push_frame(p, doc, 0);
    while (p->stack.n) {
        struct doc_frame *f = &vec_last(&p->stack);
        if (f->doc->kind != DOC_CONCAT) {
            print_one(p, vec_pop(&p->stack));
        } else if (f->next == f->doc->n) {
            p->stack.n--;
        } else {
            const struct doc *kid = f->doc->as.kid[f->next++];
            push_frame(p, kid, f->indent);
        }
    }
}

void doc_printer_finish(struct doc_printer *p)
{
    if (!p->empty)
        new_line(p, 0);
    align_asides(p);
}
