// parse.c: reads a module from its text form (spec/ir.md).
//
// The text may come from anywhere. Every count is bounded by the text's own length, there is no
// recursion, types are inferred again, and the verifier has the last word.
#include "ir/parse.h"

#include <string.h>

#include "ir/parse_kit.h"
#include "ir/verify.h"

// -- nodes ---------------------------------------------------------------------------------------

// The list of one attribute; `list` ones may be empty.
static bool attribute(struct parser *p, const char *text, size_t len, bool list)
{
    int64_t x;
    if (!parse_word(p, arena_copy(p->arena, text, len)) || !parse_punct(p, '='))
        return false;
    if (list && parse_is_punct(p, '}'))
        return true;
    do {
        if (!parse_number(p, &x))
            return false;
        vec_push(p->arena, &p->attrs, x);
    } while (list && parse_accept_punct(p, ','));
    return true;
}

static bool attributes(struct parser *p, enum ir_op op)
{
    const char *text = ir_op_info(op)->attrs;
    p->attrs.n = 0;
    if (!*text)
        return true;
    if (!parse_punct(p, '{'))
        return false;
    for (bool first = true; *text; first = false) {
        size_t len = strcspn(text, " *");
        if (!first && !parse_punct(p, ','))
            return false;
        if (!attribute(p, text, len, text[len] == '*'))
            return false;
        text += len + (text[len] != 0);
    }
    return parse_punct(p, '}');
}

// ! name=... at=1:2:3 recompute
static bool notes(struct parser *p, struct ir_node *n)
{
    const char *text = NULL;
    struct span at;
    size_t line = p->lex.line;
    if (!parse_accept_punct(p, '!'))
        return true;
    while (p->t.kind == LEX_WORD && p->lex.line == line) {
        if (parse_is_word(p, "name")) {
            parse_advance(p);
            if (!parse_punct(p, '=') || !parse_name(p, &text))
                return false;
            n->name = ir_intern(p->m, text);
        } else if (parse_is_word(p, "at")) {
            parse_advance(p);
            if (!parse_place(p, &at))
                return false;
            n->loc = (uint32_t)p->m->locs.n;
            vec_push(p->arena, &p->m->locs, at);
        } else if (parse_is_word(p, "recompute")) {
            parse_advance(p);
            n->flags |= IR_NODE_RECOMPUTE;
        } else {
            return parse_expected(p, "`name`, `at` or `recompute`");
        }
    }
    return true;
}

// Makes the node that was read, if it types.
static bool make_node(struct parser *p, struct ir_graph *g, enum ir_op op, ir_typeid wanted)
{
    struct ir_fault fault;
    ir_typeid *types = arena_array(p->arena, p->args.n, sizeof *types);
    for (size_t i = 0; i < p->args.n; i++)
        types[i] = ir_get(g, p->args.at[i])->type;
    if (!ir_infer(p->m, op, types, (unsigned)p->args.n, p->attrs.at, (unsigned)p->attrs.n, wanted,
                  &wanted, &fault))
        return parse_fail(p, "%s", fault.message);
    ir_ref next = (ir_ref)g->nodes.n;
    ir_ref r = ir_node_make(g, op, p->args.at, (unsigned)p->args.n, p->attrs.at,
                            (unsigned)p->attrs.n, wanted);
    return r == next ||
           parse_fail(p, "this `%s` is there already, as %%%u", ir_op_info(op)->name, r);
}

// %5 = add f32[4] %3 %4 {...} ! ...
static bool node(struct parser *p, struct ir_graph *g)
{
    const char *text = NULL;
    enum ir_op op;
    ir_typeid wanted;
    ir_ref arg;
    size_t line = p->lex.line;
    if ((uint64_t)p->t.number != g->nodes.n)
        return parse_fail(p, "nodes are numbered in order: expected %%%zu", g->nodes.n);
    parse_advance(p);
    if (!parse_punct(p, '=') || !parse_name(p, &text))
        return false;
    if (!ir_op_find(text, &op))
        return parse_fail(p, "there is no operation `%s`", text);
    if (!parse_type(p, &wanted))
        return false;
    p->args.n = 0;
    while (p->t.kind == LEX_REF && p->lex.line == line) {
        if (!parse_ref(p, g, &arg))
            return false;
        vec_push(p->arena, &p->args, arg);
    }
    if (!attributes(p, op))
        return false;
    if (!make_node(p, g, op, wanted)) {
        p->error->line = line; // the next token may be further down
        return false;
    }
    return notes(p, &vec_last(&g->nodes));
}

static bool nodes(struct parser *p, struct ir_graph *g)
{
    while (p->t.kind == LEX_REF)
        if (!node(p, g))
            return false;
    return true;
}

// -- the parts of a module -----------------------------------------------------------------------

static bool var(struct parser *p, enum ir_var_kind kind)
{
    struct ir_var v = {.kind = kind, .init = ir_graph_new(p->m)};
    bool fresh;
    if (!parse_name(p, &v.path))
        return false;
    struct map_entry *slot = map_put_str(&p->vars, v.path, &fresh);
    if (!fresh)
        return parse_fail(p, "var `%s` is there twice", v.path);
    slot->value.u = p->m->vars.n;
    if (!parse_type(p, &v.type) || !parse_optional_place(p, &v.span) || !parse_punct(p, '{'))
        return false;
    if (!nodes(p, v.init) || !parse_word(p, "value") || !parse_ref(p, v.init, &v.init_value))
        return false;
    vec_push(p->arena, &p->m->vars, v);
    return parse_punct(p, '}');
}

static bool field(struct parser *p, const char *what, const char *owner, struct ir_field *f)
{
    return parse_name(p, &f->name) && parse_unique(p, what, owner, f->name) &&
           parse_type(p, &f->type);
}

static bool data(struct parser *p)
{
    struct ir_data d = {0};
    struct ir_field f;
    if (!parse_name(p, &d.name) || !parse_unique(p, "data", "", d.name) || !parse_punct(p, '{'))
        return false;
    if (!parse_word(p, "source") || !parse_value(p, &d.source))
        return false;
    while (parse_is_word(p, "field")) {
        parse_advance(p);
        if (!field(p, "field", d.name, &f))
            return false;
        vec_push(p->arena, &d.fields, f);
    }
    vec_push(p->arena, &p->m->data, d);
    return parse_punct(p, '}');
}

static bool entry_attrs(struct parser *p, struct ir_entry *e)
{
    return !e->attrs ? parse_value(p, &e->attrs) : parse_fail(p, "an entry has attrs once");
}

static bool entry_input(struct parser *p, struct ir_entry *e)
{
    struct ir_field f;
    if (!field(p, "input", e->name, &f))
        return false;
    vec_push(p->arena, &e->inputs, f);
    return true;
}

static bool entry_output(struct parser *p, struct ir_entry *e)
{
    struct ir_named o;
    if (!parse_name(p, &o.name) || !parse_unique(p, "output", e->name, o.name))
        return false;
    if (!parse_ref(p, e->graph, &o.value))
        return false;
    vec_push(p->arena, &e->outputs, o);
    return true;
}

static bool update(struct parser *p, struct ir_entry *e, struct ir_update *u)
{
    const char *path;
    if (!parse_name(p, &path))
        return false;
    const struct map_entry *var_entry = map_find_str(&p->vars, path);
    if (!var_entry)
        return parse_fail(p, "there is no var `%s`", path);
    u->var = (uint32_t)var_entry->value.u;
    return parse_ref(p, e->graph, &u->value);
}

static bool entry_update(struct parser *p, struct ir_entry *e)
{
    struct ir_update u;
    if (!update(p, e, &u))
        return false;
    vec_push(p->arena, &e->updates, u);
    return true;
}

static bool entry_grad(struct parser *p, struct ir_entry *e)
{
    struct ir_update u;
    if (!update(p, e, &u))
        return false;
    vec_push(p->arena, &e->grads, u);
    return true;
}

static bool entry_line(struct parser *p, struct ir_entry *e)
{
    static const struct {
        const char *word;
        bool (*read)(struct parser *, struct ir_entry *);
    } lines[] = {{"attrs", entry_attrs},
                 {"input", entry_input},
                 {"output", entry_output},
                 {"update", entry_update},
                 {"grad", entry_grad}};
    if (p->t.kind == LEX_REF)
        return nodes(p, e->graph);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (parse_is_word(p, lines[i].word)) {
            parse_advance(p);
            return lines[i].read(p, e);
        }
    return parse_expected(p, "a node, `attrs`, `input`, `output`, `update`, `grad` or `}`");
}

static bool entry(struct parser *p)
{
    struct ir_entry e = {.graph = ir_graph_new(p->m)};
    if (!parse_name(p, &e.name) || !parse_unique(p, "entry", "", e.name))
        return false;
    if (!parse_optional_place(p, &e.span) || !parse_punct(p, '{'))
        return false;
    while (!parse_is_punct(p, '}'))
        if (!entry_line(p, &e))
            return false;
    vec_push(p->arena, &p->m->entries, e);
    return parse_punct(p, '}');
}

static bool param(struct parser *p)
{
    return var(p, IR_PARAM);
}

static bool state(struct parser *p)
{
    return var(p, IR_STATE);
}

static bool part(struct parser *p)
{
    static const struct {
        const char *word;
        bool (*read)(struct parser *);
    } parts[] = {{"param", param}, {"state", state}, {"data", data}, {"entry", entry}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parse_is_word(p, parts[i].word)) {
            parse_advance(p);
            return parts[i].read(p);
        }
    return parse_expected(p, "`param`, `state`, `data` or `entry`");
}

static bool header(struct parser *p)
{
    int64_t version;
    if (!parse_word(p, "helix_ir") || !parse_number(p, &version))
        return false;
    if (version != 1)
        return parse_fail(p, "version %lld of the text form is not known", (long long)version);
    return parse_word(p, "numerics") && parse_name(p, &p->m->numerics) &&
           parse_word(p, "profile") && parse_name(p, &p->m->profile);
}

bool ir_parse(struct ir_module *m, const char *text, size_t n, struct ir_parse_error *error)
{
    *error = (struct ir_parse_error){0};
    struct parser p = {.m = m, .arena = m->arena, .error = error};
    map_init(&p.vars, m->arena);
    map_init(&p.seen, m->arena);
    lex_init(&p.lex, m->arena, text, n);
    parse_advance(&p);
    if (!header(&p))
        return false;
    while (p.t.kind != LEX_END)
        if (!part(&p))
            return false;
    const char *why = ir_verify(m, true);
    return !why || parse_fail(&p, "%s", why);
}
