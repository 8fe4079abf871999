// program_check.c: checks everything in a compiled program (.hbin) before it is used.
#include <string.h>

#include "ir/parse.h"
#include "ir/print.h"
#include "ir/shard.h"
#include "ir/verify.h"
#include "runtime/program.h"

// Every failure below is a sentence in the program's arena, NULL when all is well.
typedef const char *fault;

// -- the objects ---------------------------------------------------------------------------------

// The object under a handle, which something refers to.
static const struct value *object_of(struct program *p, const struct handle *h, const char **why)
{
    struct latent_error error = {0};
    const struct value *v = pack_get(&p->arena, &p->pack, h, &error);
    *why = v ? NULL : arena_printf(&p->arena, "%s: %s", error.code, error.message);
    if (v)
        map_put(&p->known, h->sha, HANDLE_BYTES, NULL);
    return v;
}

// The fields of a contract under a handle, checked against its schema.
static fault contract_of(struct program *p, const struct handle *h, int64_t wanted,
                         const struct value **fields)
{
    const char *why;
    const struct contract *schema = contract_find(NULL, wanted);
    const struct value *v = object_of(p, h, &why);
    int64_t number;
    contract_faults wrong = {0};
    if (!v)
        return why;
    if (!value_is_contract(v, &number, fields) || number != wanted)
        return arena_printf(&p->arena, "an object is not contract %lld %s", (long long)wanted,
                            schema->name);
    return contract_check(&p->arena, schema, *fields, &wrong) ? NULL : wrong.at[0].message;
}

static fault check_root(struct program *p)
{
    struct handle h;
    fault f = contract_of(p, &p->pack.root, CONTRACT_PIPELINE, &p->root);
    if (f)
        return arena_printf(&p->arena, "its root: %s", f);
    if (!value_get(p->root, "program"))
        return "it is a pipeline of kernels without a program; run it with --run";
    if (!program_handle(value_get(p->root, "program"), &h))
        return "its root does not lead to a program";
    f = contract_of(p, &h, CONTRACT_PROGRAM, &p->parts);
    if (f)
        return f;
    // By their names, and all of them: what is read below is there.
    const struct contract *c = contract_find(NULL, CONTRACT_PROGRAM);
    for (size_t i = 0; i < c->nfields; i++)
        if (!value_get(p->parts, c->field[i].name))
            return arena_printf(&p->arena, "the program's field `%s` goes by another key",
                                c->field[i].name);
    return value_get(p->parts, "data")->kind == VALUE_ARRAY ? NULL : "its data is no array";
}

static fault check_version(struct program *p)
{
    int64_t version = 0;
    const char *numerics = NULL, *profile = NULL;
    value_get_int(p->parts, "hbin", &version);
    if (version != HLX_HBIN_VERSION)
        return arena_printf(&p->arena, "it has format version %lld, and this hlxrun reads %d",
                            (long long)version, HLX_HBIN_VERSION);
    if (!value_get_text(p->parts, "numerics", &numerics) || strcmp(numerics, HLX_NUMERICS) != 0)
        return arena_printf(&p->arena, "it has the numeric contract `%s`, and this hlxrun has %s",
                            numerics ? numerics : "", HLX_NUMERICS);
    if (!value_get_text(p->parts, "profile", &profile) ||
        (strcmp(profile, "exact") != 0 && strcmp(profile, "native") != 0))
        return "its profile is neither `exact` nor `native`";
    return NULL;
}

static bool field_handle(const struct program *p, const char *name, struct handle *out)
{
    return program_handle(value_get(p->parts, name), out);
}

static fault check_identity(struct program *p, const struct handle *ir)
{
    const char *numerics, *profile;
    struct handle stated;
    if (!field_handle(p, "identity", &stated))
        return "its identity is no full handle";
    if (!value_get_text(p->parts, "numerics", &numerics) ||
        !value_get_text(p->parts, "profile", &profile))
        return "its numerics and profile are not plain text";
    p->identity = program_identity(&p->arena, ir, numerics, profile);
    if (!handle_equal(&stated, &p->identity))
        return "its identity is not that of its IR, numerics and profile";
    return NULL;
}

// One program has one text, and so one handle.
static bool is_canonical(const struct program *p, const struct value *text)
{
    struct buf again = {0};
    ir_print(&p->module, IR_PRINT_CANONICAL, &again);
    bool same = again.n == text->as.bytes.n && memcmp(again.at, text->as.bytes.at, again.n) == 0;
    buf_free(&again);
    return same;
}

static fault parse_ir(struct program *p)
{
    struct handle ir;
    const char *why;
    struct ir_parse_error bad = {0};
    if (!field_handle(p, "ir", &ir))
        return "its IR is no full handle";
    const struct value *text = object_of(p, &ir, &why);
    if (!text || text->kind != VALUE_TEXT)
        return text ? "its IR is not text" : why;
    ir_module_init(&p->module, &p->arena);
    if (!ir_parse(&p->module, text->as.bytes.at, text->as.bytes.n, &bad))
        return arena_printf(&p->arena, "line %zu of its IR: %s", bad.line, bad.message);
    const char *profile;
    if (!value_get_text(p->parts, "profile", &profile) || strcmp(profile, p->module.profile) != 0 ||
        strcmp(p->module.numerics, HLX_NUMERICS) != 0)
        return "its IR is of another profile or numeric contract than the program states";
    if (!is_canonical(p, text))
        return "its IR is not in canonical form";
    fault f = ir_verify(&p->module, false);
    return f ? f : check_identity(p, &ir);
}

bool program_name_ok(const char *name)
{
    struct buf shown = {0};
    size_t n = strlen(name);
    buf_visible(&shown, name, n);
    bool same = n > 0 && shown.n == n && memcmp(shown.at, name, n) == 0;
    buf_free(&shown);
    return same;
}

static bool fields_ok(const struct ir_field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!program_name_ok(f[i].name))
            return false;
    return true;
}

static bool entry_ok(const struct ir_entry *e)
{
    for (size_t i = 0; i < e->outputs.n; i++)
        if (!program_name_ok(e->outputs.at[i].name))
            return false;
    return program_name_ok(e->name) && fields_ok(e->inputs.at, e->inputs.n);
}

static bool data_ok(const struct ir_data *d)
{
    const char *kind;
    return program_name_ok(d->name) && fields_ok(d->fields.at, d->fields.n) &&
           value_get_text(d->source, "kind", &kind) && program_name_ok(kind);
}

// Names reach terminals and files: none may be empty or hold what cannot be seen.
static fault check_names(struct program *p)
{
    const struct ir_module *m = &p->module;
    bool ok = true;
    for (size_t i = 0; i < m->vars.n; i++)
        ok = ok && program_name_ok(m->vars.at[i].path);
    for (size_t i = 0; i < m->data.n; i++)
        ok = ok && data_ok(&m->data.at[i]);
    for (size_t i = 0; i < m->entries.n; i++)
        ok = ok && entry_ok(&m->entries.at[i]);
    return ok ? NULL : "a name in its IR is empty or cannot be shown";
}

static fault check_params(struct program *p)
{
    return value_equal(value_get(p->parts, "params"), program_params(&p->arena, &p->module))
               ? NULL
               : "its table of params is not that of its IR";
}

// A data source's object says what the IR says, and whether its content is in the pack.
static fault check_source(struct program *p, size_t i, const struct value *item)
{
    struct handle h;
    const char *hint = NULL, *why;
    const struct value *tokenizer;
    const struct ir_data *d = &p->module.data.at[i];
    if (!program_handle(item, &h))
        return "its list of data holds something else than full handles";
    fault f = contract_of(p, &h, CONTRACT_DATA, &p->data[i]);
    if (f)
        return f;
    if (value_depth(d->source) > VALUE_MAX_DEPTH - 2)
        return "a data source nests too deep";
    const struct value *carried = value_get(p->data[i], "carried");
    value_get_text(p->data[i], "hint", &hint);
    bool inside = carried && carried->as.boolean;
    struct handle own =
        handle_of(program_source(&p->arena, &p->module, d, inside, hint, &tokenizer));
    if (!handle_equal(&own, &h))
        return arena_printf(&p->arena, "what it says of the data `%s` is not what its IR says",
                            d->name);
    if (inside && (!program_handle(value_get(d->source, "content"), &h) || !object_of(p, &h, &why)))
        return arena_printf(&p->arena, "the content of the data `%s` is not in the pack", d->name);
    if (!tokenizer)
        return NULL;
    h = handle_of(tokenizer);
    return object_of(p, &h, &why) ? NULL : why;
}

static fault check_data(struct program *p)
{
    const struct value *list = value_get(p->parts, "data");
    if (list->as.array.n != p->module.data.n)
        return "its list of data is not that of its IR";
    p->data = arena_array(&p->arena, list->as.array.n, sizeof *p->data);
    for (size_t i = 0; i < list->as.array.n; i++) {
        fault f = check_source(p, i, list->as.array.at[i]);
        if (f)
            return f;
    }
    return NULL;
}

static fault with_debug(struct program *p,
                        const char *(*attach)(struct program *, const struct value *))
{
    struct handle h;
    const char *why;
    if (!field_handle(p, "debug", &h))
        return "its source map is no full handle";
    const struct value *debug = object_of(p, &h, &why);
    return debug ? attach(p, debug) : why;
}

static fault attach_debug(struct program *p)
{
    return with_debug(p, program_attach_debug);
}

static fault attach_made(struct program *p)
{
    return with_debug(p, program_attach_made);
}

// -- what a device runs --------------------------------------------------------------------------

static void know(struct program *p, const struct handle *h)
{
    map_put(&p->known, h->sha, HANDLE_BYTES, NULL);
}

// The table, its kernels and constants.
static void know_dispatch(struct program *p, const struct handle *table)
{
    const struct dispatch_program *d = p->dispatch;
    know(p, table);
    for (size_t i = 0; i < d->nkernels; i++)
        know(p, &d->kernel[i].handle);
    for (size_t i = 0; i < d->nentries; i++)
        for (size_t k = 0; k < d->entry[i].nsegments[ARENA_CONSTS]; k++) {
            const struct value *v =
                value_bytes(&p->arena, d->entry[i].consts[k], d->entry[i].segment[ARENA_CONSTS][k]);
            struct handle h = handle_of(v);
            know(p, &h);
        }
}

static fault read_dispatch(struct program *p)
{
    const struct value *v = value_get(p->parts, "dispatch");
    struct handle h;
    struct latent_error why = {0};
    if (v->kind == VALUE_NULL)
        return NULL;
    if (!field_handle(p, "dispatch", &h))
        return "its dispatch table is no full handle";
    p->dispatch = dispatch_read(&p->arena, &p->pack, &h, &why);
    if (!p->dispatch)
        return arena_printf(&p->arena, "%s: %s", why.code, why.message);
    know_dispatch(p, &h);
    fault f = dispatch_match(&p->arena, p->dispatch, &p->module);
    return f ? arena_printf(&p->arena, "its dispatch table does not fit it: %s", f) : NULL;
}

// The tree of pipelines and kernels is made of the table, so it says nothing else.
static fault check_tree(struct program *p)
{
    program_values tree = {0};
    struct handle program, h = {{0}};
    const char *why;
    program_handle(value_get(p->root, "program"), &program);
    program_tree(&p->arena, p->dispatch, &program, &tree);
    for (size_t i = 0; i + 1 < tree.n; i++) {
        h = handle_of(tree.at[i]);
        if (!object_of(p, &h, &why))
            return arena_printf(&p->arena, "its tree of pipelines: %s", why);
    }
    h = handle_of(tree.at[tree.n - 1]);
    return handle_equal(&h, &p->pack.root)
               ? NULL
               : "its tree of pipelines is not that of its dispatch table";
}

// Both parts take over what the source map says of their entry.
static fault split_shards(struct program *p)
{
    ir_split_module(&p->module);
    return NULL;
}

// All that is known is in the pack.
static fault check_objects(struct program *p)
{
    return p->pack.n == p->known.n ? NULL : "it carries objects that nothing refers to";
}

const char *program_check(struct program *p)
{
    static fault (*const checks[])(struct program *) = {
        check_root,   check_version, parse_ir,      check_names, check_params, check_data,
        attach_debug, split_shards,  read_dispatch, attach_made, check_tree,   check_objects};
    struct latent_error why = {0};
    map_init(&p->known, &p->arena);
    if (!pack_read(&p->arena, p->bytes, p->n, &p->pack, &why))
        return arena_printf(&p->arena, "%s: %s", why.code, why.message);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        fault f = checks[i](p);
        if (f)
            return f;
    }
    return NULL;
}
