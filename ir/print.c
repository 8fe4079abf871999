// print.c: writes a module in its text form (spec/ir.md).
#include "ir/print.h"

#include <inttypes.h>
#include <string.h>

#include "latent/lcb.h"

struct printer {
    const struct ir_module *m;
    struct buf *out;
    bool canonical;
};

// -- words ---------------------------------------------------------------------------------------

static bool word_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static void put_name(struct printer *p, const char *name)
{
    bool word = *name != 0;
    for (const char *s = name; *s; s++)
        word = word && word_char(*s, s == name);
    if (word)
        buf_puts(p->out, name);
    else
        buf_quote(p->out, name, strlen(name));
}

static void put_type(struct printer *p, ir_typeid id)
{
    const struct ir_type *t = ir_type_get(p->m, id);
    buf_printf(p->out, "%s[", dtype_name(t->dtype));
    for (unsigned i = 0; i < t->rank; i++) {
        if (i)
            buf_puts(p->out, ", ");
        if (!p->canonical && t->name[i]) {
            put_name(p, ir_name_text(p->m, t->name[i]));
            buf_putc(p->out, '=');
        }
        buf_printf(p->out, "%" PRId64, t->dim[i]);
    }
    buf_putc(p->out, ']');
}

// A latent value as the hex of its LC-B bytes; for readers, also as JSON in a comment.
static void put_value(struct printer *p, const struct value *v)
{
    struct buf bytes = {0};
    lcb_encode(v, &bytes);
    buf_putc(p->out, '#');
    for (size_t i = 0; i < bytes.n; i++)
        buf_printf(p->out, "%02x", (unsigned char)bytes.at[i]);
    buf_free(&bytes);
    if (p->canonical)
        return;
    buf_puts(p->out, " // ");
    value_json(v, 0, p->out);
}

static void put_span(struct printer *p, struct span s)
{
    if (!p->canonical && s.file)
        buf_printf(p->out, " ! at=%" PRIu32 ":%" PRIu32 ":%" PRIu32, s.file, s.start, s.end);
}

// -- nodes ---------------------------------------------------------------------------------------

static void put_number(struct printer *p, const struct ir_node *n, int64_t x)
{
    if (n->op == IR_const)
        buf_printf(p->out, "0x%" PRIx64, (uint64_t)x);
    else
        buf_printf(p->out, "%" PRId64, x);
}

// " {axes=0,2}": every attribute by name; the last takes what is left where it is a list.
static void put_attrs(struct printer *p, const struct ir_graph *g, const struct ir_node *n)
{
    const char *name = ir_op_info((enum ir_op)n->op)->attrs;
    const int64_t *x = g->attrs.at + n->attrs;
    for (uint32_t i = 0; *name; name += *name == ' ') {
        size_t len = strcspn(name, " *");
        buf_puts(p->out, i ? ", " : " {");
        buf_put(p->out, name, len);
        buf_putc(p->out, '=');
        name += len;
        uint32_t end = *name == '*' ? n->nattrs : i + 1;
        for (uint32_t first = i; i < end; i++) {
            if (i > first)
                buf_putc(p->out, ',');
            put_number(p, n, x[i]);
        }
        if (*name != '*')
            continue;
        name++;
        break;
    }
    if (n->nattrs || strchr(ir_op_info((enum ir_op)n->op)->attrs, '*'))
        buf_putc(p->out, '}');
}

static void put_notes(struct printer *p, const struct ir_node *n)
{
    struct span at = n->loc < p->m->locs.n ? p->m->locs.at[n->loc] : (struct span){0};
    if (p->canonical || !(n->name || at.file || n->flags))
        return;
    buf_puts(p->out, " !");
    if (n->name) {
        buf_puts(p->out, " name=");
        put_name(p, ir_name_text(p->m, n->name));
    }
    if (at.file)
        buf_printf(p->out, " at=%" PRIu32 ":%" PRIu32 ":%" PRIu32, at.file, at.start, at.end);
    if (n->flags & IR_NODE_RECOMPUTE)
        buf_puts(p->out, " recompute");
}

static void put_node(struct printer *p, const struct ir_graph *g, ir_ref r)
{
    const struct ir_node *n = ir_get(g, r);
    buf_printf(p->out, "  %%%" PRIu32 " = %s ", r, ir_op_info((enum ir_op)n->op)->name);
    put_type(p, n->type);
    for (unsigned i = 0; i < n->nargs; i++)
        buf_printf(p->out, " %%%" PRIu32, ir_arg(g, r, i));
    put_attrs(p, g, n);
    put_notes(p, n);
    buf_putc(p->out, '\n');
}

static void put_nodes(struct printer *p, const struct ir_graph *g)
{
    for (ir_ref r = 1; r < g->nodes.n; r++)
        put_node(p, g, r);
}

// -- the parts of a module -----------------------------------------------------------------------

static void put_var(struct printer *p, const struct ir_var *v)
{
    static const char *const kind[] = {[IR_PARAM] = "param", [IR_STATE] = "state"};
    buf_printf(p->out, "\n%s ", kind[v->kind]);
    put_name(p, v->path);
    buf_putc(p->out, ' ');
    put_type(p, v->type);
    put_span(p, v->span);
    buf_puts(p->out, " {\n");
    put_nodes(p, v->init);
    buf_printf(p->out, "  value %%%" PRIu32 "\n}\n", v->init_value);
}

static void put_field(struct printer *p, const char *what, const struct ir_field *f)
{
    buf_printf(p->out, "  %s ", what);
    put_name(p, f->name);
    buf_putc(p->out, ' ');
    put_type(p, f->type);
    buf_putc(p->out, '\n');
}

static void put_data(struct printer *p, const struct ir_data *d)
{
    buf_puts(p->out, "\ndata ");
    put_name(p, d->name);
    buf_puts(p->out, " {\n  source ");
    put_value(p, d->source);
    buf_putc(p->out, '\n');
    for (size_t i = 0; i < d->fields.n; i++)
        put_field(p, "field", &d->fields.at[i]);
    buf_puts(p->out, "}\n");
}

static void put_update(struct printer *p, const char *what, const struct ir_update *u)
{
    buf_printf(p->out, "  %s ", what);
    put_name(p, p->m->vars.at[u->var].path);
    buf_printf(p->out, " %%%" PRIu32 "\n", u->value);
}

static void put_entry(struct printer *p, const struct ir_entry *e)
{
    buf_puts(p->out, "\nentry ");
    put_name(p, e->name);
    put_span(p, e->span);
    buf_puts(p->out, " {\n");
    if (e->attrs) {
        buf_puts(p->out, "  attrs ");
        put_value(p, e->attrs);
        buf_putc(p->out, '\n');
    }
    for (size_t i = 0; i < e->inputs.n; i++)
        put_field(p, "input", &e->inputs.at[i]);
    put_nodes(p, e->graph);
    for (size_t i = 0; i < e->outputs.n; i++) {
        buf_puts(p->out, "  output ");
        put_name(p, e->outputs.at[i].name);
        buf_printf(p->out, " %%%" PRIu32 "\n", e->outputs.at[i].value);
    }
    for (size_t i = 0; i < e->updates.n; i++)
        put_update(p, "update", &e->updates.at[i]);
    for (size_t i = 0; !p->canonical && i < e->grads.n; i++)
        put_update(p, "grad", &e->grads.at[i]);
    buf_puts(p->out, "}\n");
}

void ir_print(const struct ir_module *m, unsigned flags, struct buf *out)
{
    struct printer p = {m, out, flags & IR_PRINT_CANONICAL};
    buf_puts(out, "helix_ir 1\nnumerics ");
    buf_quote(out, m->numerics, strlen(m->numerics));
    buf_puts(out, "\nprofile ");
    put_name(&p, m->profile);
    buf_putc(out, '\n');
    for (size_t i = 0; i < m->vars.n; i++)
        put_var(&p, &m->vars.at[i]);
    for (size_t i = 0; i < m->data.n; i++)
        put_data(&p, &m->data.at[i]);
    for (size_t i = 0; i < m->entries.n; i++)
        put_entry(&p, &m->entries.at[i]);
}

void ir_print_graph(const struct ir_graph *g, unsigned flags, struct buf *out)
{
    struct printer p = {g->module, out, flags & IR_PRINT_CANONICAL};
    put_nodes(&p, g);
}
