// stage_data.c: declares data sources: jsonl, text, table and idx (spec/language.md, "Data").
//
// The compiler types the fields and names the content by its handle; decoding samples is the
// runtime's work.
#include "frontend/stage_builtin.h"

#include <string.h>

#include "frontend/stage_idx.h"
#include "latent/handle.h"

// -- making a source -----------------------------------------------------------------------------

static struct stage_value data_value(struct stage *s, const struct stage_call *c,
                                     struct stage_data **out)
{
    struct stage_data *d = *out = arena_new(s->a, struct stage_data);
    d->kind = c->builtin->name;
    d->span = c->at;
    d->index = -1;
    return (struct stage_value){.kind = STAGE_DATA, .as.data = d};
}

static void add_field(struct stage *s, struct stage_data *d, const char *name, ir_typeid type)
{
    vec_push(s->a, &d->fields, (struct ir_field){name, type});
}

// Names the content and writes the source: kind, content and the options.
static void set_source(struct stage *s, struct stage_data *d, const struct value *content,
                       const struct value_field *options, size_t n)
{
    struct value_field *f = arena_array(s->a, n + 2, sizeof *f);
    struct handle h = handle_of(content);
    for (size_t i = 0; i < n; i++)
        f[i] = options[i];
    f[n] = (struct value_field){"kind", 4, value_str(s->a, d->kind)};
    f[n + 1] = (struct value_field){"content", 7, handle_value(s->a, &h)};
    d->content = content;
    d->source = value_object(s->a, f, n + 2, NULL);
}

// -- sequences of tokens -------------------------------------------------------------------------

static bool want_tokens(struct stage *s, struct stage_call *c, unsigned i, const char **out)
{
    static const char *const names[] = {"ascii", "bytes"};
    if (!stage_want_text(s, c, i, names[0], out))
        return false;
    if (!strcmp(*out, names[0]) || !strcmp(*out, names[1]))
        return true;
    struct diag *g = stage_error(s, c->arg_at[i], "HLX0611", "there are no tokens `%s`", *out);
    diag_help(g, "tokens are ascii (0 to 127) or bytes (0 to 255)");
    return false;
}

// Fields x and y of `seq` tokens each.
static void add_sequence(struct stage *s, struct stage_data *d, int64_t seq)
{
    ir_typeid type = ir_type_make(s->m, DT_I32, 1, &seq, NULL);
    add_field(s, d, "x", type);
    add_field(s, d, "y", type);
}

// "{field}" in braces, at least one; "{{" and "}}" are braces.
static bool check_template(struct stage *s, struct stage_call *c, unsigned i, const char *text)
{
    unsigned fields = 0;
    for (const char *p = text; *p;) {
        if (*p != '{' && *p != '}') {
            p++;
        } else if (p[0] == p[1]) {
            p += 2;
        } else {
            size_t n = strcspn(p + 1, "{}");
            if (*p == '}' || p[n + 1] != '}' || n == 0) {
                struct diag *g = stage_error(s, c->arg_at[i], "HLX0611",
                                             "a brace of the template "
                                             "is not paired");
                diag_help(g, "{field} stands for a field of the record, {{ and }} for braces");
                return false;
            }
            fields++;
            p += n + 2;
        }
    }
    if (!fields)
        stage_fail(s, c->arg_at[i], "HLX0611", "the template names no field: \"{input}\"");
    return fields > 0;
}

// jsonl(path, text, tokens, seq)
struct stage_value stage_data_jsonl(struct stage *s, struct stage_call *c)
{
    const char *path, *text, *tokens;
    int64_t seq;
    struct stage_data *d;
    if (!stage_want_text(s, c, 1, NULL, &text) || !check_template(s, c, 1, text) ||
        !want_tokens(s, c, 2, &tokens) || !stage_want_int(s, c, 3, 1, INT32_MAX, &seq))
        return stage_poison();
    const struct value *content = stage_read_file(s, c, 0, &path);
    if (!content)
        return stage_poison();
    struct stage_value v = data_value(s, c, &d);
    struct value_field options[] = {{"text", 4, value_str(s->a, text)},
                                    {"tokens", 6, value_str(s->a, tokens)},
                                    {"seq", 3, value_int(s->a, seq)}};
    d->hint = path;
    set_source(s, d, content, options, 3);
    add_sequence(s, d, seq);
    return v;
}

// text(path, tokens, seq)
struct stage_value stage_data_text(struct stage *s, struct stage_call *c)
{
    const char *path, *tokens;
    int64_t seq;
    struct stage_data *d;
    if (!want_tokens(s, c, 1, &tokens) || !stage_want_int(s, c, 2, 1, INT32_MAX, &seq))
        return stage_poison();
    const struct value *content = stage_read_file(s, c, 0, &path);
    if (!content)
        return stage_poison();
    struct stage_value v = data_value(s, c, &d);
    struct value_field options[] = {{"tokens", 6, value_str(s->a, tokens)},
                                    {"seq", 3, value_int(s->a, seq)}};
    d->hint = path;
    set_source(s, d, content, options, 2);
    add_sequence(s, d, seq);
    return v;
}

// -- tables --------------------------------------------------------------------------------------

// What is known of a column: the shape of its rows and the kinds of its numbers.
struct column {
    const char *name;
    struct span at;
    unsigned rank; // with the rows
    int64_t dim[IR_MAX_RANK];
    bool known[IR_MAX_RANK];
    bool leaf, ints, floats, bools;
};

static bool ragged(struct stage *s, const struct column *col, const char *why)
{
    stage_fail(s, col->at, "HLX0613", "column `%s` of the table %s", col->name, why);
    return false;
}

static bool scan_leaf(struct stage *s, struct column *col, struct stage_value v, unsigned axis)
{
    if (col->leaf && axis != col->rank)
        return ragged(s, col, "has rows of different shapes");
    col->leaf = true;
    col->rank = axis;
    col->ints |= v.kind == STAGE_INT;
    col->floats |= v.kind == STAGE_FLOAT;
    col->bools |= v.kind == STAGE_BOOL;
    if (v.kind == STAGE_INT && (v.as.integer < INT32_MIN || v.as.integer > INT32_MAX))
        return ragged(s, col, "has an int that does not fit into i32");
    return stage_is_number(v) || v.kind == STAGE_BOOL ||
           ragged(s, col, "holds something that is no number");
}

static bool scan(struct stage *s, struct column *col, struct stage_value v, unsigned axis)
{
    if (!stage_is_list(v))
        return v.kind != STAGE_POISON && scan_leaf(s, col, v, axis);
    int64_t n = (int64_t)stage_count(v);
    if (axis >= IR_MAX_RANK)
        return ragged(s, col, "nests too deep");
    if (!n)
        return ragged(s, col, "has an empty array");
    if (col->known[axis] ? col->dim[axis] != n : col->leaf && axis >= col->rank)
        return ragged(s, col, "has rows of different shapes");
    col->known[axis] = true;
    col->dim[axis] = n;
    for (size_t i = 0; i < (size_t)n; i++)
        if (!scan(s, col, stage_item(v, i), axis + 1))
            return false;
    return true;
}

// Ints are i32, floats (and ints among them) f32, bools bool.
static bool column_type(struct stage *s, struct column *col, struct stage_value v, ir_typeid *out)
{
    if (!stage_is_list(v))
        return ragged(s, col, "is no array");
    if (!scan(s, col, v, 0))
        return false;
    if (col->bools && (col->ints || col->floats))
        return ragged(s, col, "mixes bools and numbers");
    enum dtype dtype = col->floats ? DT_F32 : col->bools ? DT_BOOL : DT_I32;
    if (!ir_shape_ok(col->rank - 1, col->dim + 1))
        return ragged(s, col, "is too large");
    *out = ir_type_make(s->m, dtype, col->rank - 1, col->dim + 1, NULL);
    return true;
}

static bool table_columns(struct stage *s, struct stage_call *c, const struct stage_object *o,
                          struct stage_data *d)
{
    for (size_t i = 0; i < o->n; i++) {
        struct column col = {.name = o->at[i].key, .at = c->arg_at[0]};
        ir_typeid type = 0;
        if (!column_type(s, &col, o->at[i].value, &type))
            return false;
        if (stage_count(o->at[i].value) != stage_count(o->at[0].value)) {
            stage_fail(s, c->arg_at[0], "HLX0613",
                       "the columns of a table have one length: `%s` has %zu rows, `%s` has %zu",
                       o->at[0].key, stage_count(o->at[0].value), col.name,
                       stage_count(o->at[i].value));
            return false;
        }
        add_field(s, d, col.name, type);
    }
    return true;
}

// table({ x: [...], y: [...] })
struct stage_value stage_data_table(struct stage *s, struct stage_call *c)
{
    struct stage_data *d;
    struct stage_value v = data_value(s, c, &d);
    if (c->arg[0].kind != STAGE_OBJECT || !c->arg[0].as.object->n)
        return stage_arg_error(s, c, 0, "an object of columns: { x: [...], y: [...] }");
    if (!table_columns(s, c, c->arg[0].as.object, d))
        return stage_poison();
    const struct value *content = stage_to_latent(s, c->arg_at[0], c->arg[0]);
    if (!content)
        return stage_poison();
    set_source(s, d, content, NULL, 0);
    return v;
}

// -- images --------------------------------------------------------------------------------------

static bool idx_header(struct stage *s, struct stage_call *c, unsigned i, const char *path,
                       const struct value *file, struct stage_idx *out)
{
    if (stage_idx_read(file->as.bytes.at, file->as.bytes.n, out))
        return true;
    struct diag *g = stage_error(s, c->arg_at[i], "HLX0612", "`%s` is no IDX file of bytes", path);
    diag_help(g, "IDX is the format of MNIST; such a file may be packed with gzip");
    return false;
}

// idx(images, labels): x is each pixel / 255, y the label.
struct stage_value stage_data_idx(struct stage *s, struct stage_call *c)
{
    const char *path[2];
    const struct value *file[2];
    struct stage_idx head[2];
    struct stage_data *d;
    for (unsigned i = 0; i < 2; i++) {
        file[i] = stage_read_file(s, c, i, &path[i]);
        if (!file[i] || !idx_header(s, c, i, path[i], file[i], &head[i]))
            return stage_poison();
    }
    if (head[1].rank != 1 || head[0].dim[0] != head[1].dim[0])
        return stage_fail(s, c->arg_at[1], "HLX0612",
                          "`%s` does not hold one label for each of the %lld images", path[1],
                          (long long)head[0].dim[0]);
    if (!ir_shape_ok(head[0].rank - 1, head[0].dim + 1))
        return stage_fail(s, c->arg_at[0], "HLX0612", "`%s` holds empty images", path[0]);
    struct stage_value v = data_value(s, c, &d);
    struct value_field content[] = {{"images", 6, file[0]}, {"labels", 6, file[1]}};
    d->hint = arena_printf(s->a, "%s\n%s", path[0], path[1]);
    set_source(s, d, value_object(s->a, content, 2, NULL), NULL, 0);
    add_field(s, d, "x", ir_type_make(s->m, DT_F32, head[0].rank - 1, head[0].dim + 1, NULL));
    add_field(s, d, "y", ir_type_scalar(s->m, DT_I32));
    return v;
}

// -- declarations --------------------------------------------------------------------------------

void stage_data_decl(struct stage *s, struct stage_env *env, const struct ast *item)
{
    struct stage_value v = stage_expr(s, env, item->kid[0]);
    if (v.kind != STAGE_DATA && v.kind != STAGE_POISON) {
        struct diag *g = stage_error(s, item->kid[0]->span, "HLX0611", "%s is no data source",
                                     stage_kind_text(s->m, v));
        diag_help(g, "data sources are made by jsonl, text, table and idx");
        v = stage_poison();
    }
    if (v.kind == STAGE_DATA) {
        struct stage_data *d = arena_new(s->a, struct stage_data);
        *d = *v.as.data;
        d->name = item->text;
        d->span = item->name_span.file ? item->name_span : item->span;
        v.as.data = d;
    }
    stage_bind(s, env, item->text, v, false, item->name_span);
}
